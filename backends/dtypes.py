"""Floating-point formats, and how far a library's functions may stray in them.

Everything that is known about rounding and is not mathematics stands in this file: one row per format, and one table
of the errors of elementary functions, in units of the rounding error of a single operation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Format:
    """A binary floating-point format, rounding to nearest.

    Attributes:
        digits: bits of the significand, the leading one included.
        lowest: exponent of the smallest normal number; below it a result may be flushed to zero.
        highest: every finite number is below 2**highest.
    """

    name: str
    digits: int
    lowest: int
    highest: int

    @property
    def unit(self) -> float:
        """u: the largest relative error of one rounding."""
        return 2.0**-self.digits

    @property
    def smallest(self) -> float:
        """eta: the smallest normal number, an absolute error that any operation may make near zero."""
        return 2.0**self.lowest

    @property
    def largest(self) -> float:
        return (2.0 - 2.0 ** (1 - self.digits)) * 2.0 ** (self.highest - 1)

    def holds(self, value: Fraction) -> bool:
        """Whether the format has this number exactly."""
        top, bottom = abs(value.numerator), value.denominator
        if not top:
            return True
        odd = top >> ((top & -top).bit_length() - 1)
        return (
            bottom & (bottom - 1) == 0
            and odd.bit_length() <= self.digits
            and 2.0**self.lowest <= abs(value) <= self.largest
        )

    def nearest(self, array: NDArray[np.floating]) -> NDArray[np.float64]:
        """Every number of an array rounded to this format, kept in float64; overflow becomes infinite."""
        wide = np.asarray(array, dtype=np.float64)
        if self.digits == 53:
            return wide
        _, exponent = np.frexp(wide)
        # Below the normal range the last place stays where it is: those numbers are subnormal.
        place = np.maximum(exponent, self.lowest + 1) - self.digits
        result = np.ldexp(np.rint(np.ldexp(wide, -place)), place)
        return np.where(np.abs(result) > self.largest, np.copysign(np.inf, wide), result)


FORMATS: Mapping[str, Format] = {
    row.name: row
    for row in (
        Format("float64", 53, -1022, 1024),
        Format("float32", 24, -126, 128),
        Format("bfloat16", 8, -126, 128),  # as storage: what is computed is rounded to it
    )
}


def format_of(dtype: str) -> Format:
    """The format of a dtype by its name.

    Raises:
        ValueError: a dtype that no table row describes.
    """
    if dtype not in FORMATS:
        raise ValueError(f"no rounding is known for {dtype}; known: {', '.join(FORMATS)}")
    return FORMATS[dtype]


# How many units of rounding (u * |value|) a library's function may be off by; + - * / are off by one. The libraries
# promise nothing: these are measured, with room, as `docs/errors.md` shows, and the tests measure them again.
ERRORS: Mapping[str, float] = {
    "sigmoid": 6,
    "tanh": 4,
    "exp": 4,
    "log": 4,
    "sqrt": 2,
    "softplus": 6,
    "logsigmoid": 6,
}
WORSE: Mapping[tuple[str, str, str], float] = {
    ("jax", "float64", "tanh"): 16,
    ("jax", "float32", "tanh"): 8,
    ("jax", "float32", "exp"): 8,  # in the last binade before it overflows
    ("numpy", "float32", "log"): 6,
}

ANY = "any"  # a backend of which nothing is known: its functions may be as far off as the worst that is known


def error_of(function: str, dtype: str, backend: str = "") -> float | None:
    """k: the error of a function in units of rounding; None for one that is not rounded as a whole."""
    if backend == ANY and function in ERRORS:
        return max(ERRORS[function], *(k for (_, d, f), k in WORSE.items() if (d, f) == (dtype, function)), 0)
    return WORSE.get((backend, dtype, function), ERRORS.get(function))
