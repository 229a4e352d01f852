"""In which dtype a dump was computed: as it is asked for, as the file says, or as its numbers show.

The numbers of a float32 program often come in float64 arrays, or printed in decimals. A double that was computed in
float64 has some 29 bits that no float32 has: where not one of many has them, it was not computed in float64.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backends.dtypes import format_of
from backends.golden.dumps import Dump, DumpError, shown
from backends.golden.layout import Entry, Kind

DTYPES = ("float64", "float32")
ENOUGH = 3  # numbers with more than half of the digits: by chance, three doubles do not all end in 29 zero bits
MANY = 20  # numbers, of which at least one needs 8 decimals if they are printed in full
DIGITS, WHOLE = 9, 17  # decimals that tell every float32, and every float64, from the next


@dataclass(frozen=True)
class Chosen:
    """The dtype, and in one sentence why, where neither the user nor the file said it."""

    name: str
    why: str = ""
    printed: bool = False  # in the decimals of float32


def choose(dump: Dump, entries: Mapping[str, Entry], asked: str | None) -> Chosen:
    """The dtype of a dump.

    Raises:
        DumpError: one that has no metric, or numbers that were printed in too few digits.
    """
    said = asked or dump.texts.get("dtype")
    if said and said not in DTYPES:
        raise DumpError(f"{dump.path}: the dtype {shown(said)} has no metric; known: {', '.join(DTYPES)}")
    single = list(dict.fromkeys(key for key, array in _arrays(dump) if array.dtype.itemsize == 4))
    double = any(array.dtype.itemsize == 8 for _, array in _arrays(dump))
    numbers = np.concatenate(
        [np.zeros(0)]
        + [a.ravel().astype("f8") for key, a in _arrays(dump) if key in entries and _computed(entries, key)]
    )
    numbers = numbers[np.isfinite(numbers) & (numbers != 0)]
    digits = WHOLE if single else _digits(numbers)
    least = {"float32": 8, "float64": WHOLE}.get(said or "", 8)
    if digits < least or (not said and DIGITS < digits < WHOLE):
        few = f"no number has more than {digits} significant digits, which is too few to judge them by"
        raise DumpError(f"{dump.path}: {few}; print float32 in 9 (%.9g) and float64 in 17 (%.17g)")
    if said:
        return Chosen(said, printed=said == "float32" and digits <= DIGITS)
    if single:
        which = f"{', '.join(map(shown, single[:3]))}{', ...' if len(single) > 3 else ''}"
        return Chosen("float32", f"in float32, as {which} are stored; the others are wider" if double else "")
    if digits <= DIGITS:
        return Chosen("float32", f"in float32: no number has more than {digits} significant digits", True)
    if _all_single(numbers):
        return Chosen("float32", "in float32: every number that was computed is one of float32")
    return Chosen("float64")


def in_dtype(dump: Dump, chosen: Chosen) -> Dump:
    """A dump whose decimals stand for float32: each is the float that was printed."""
    if not chosen.printed:
        return dump
    points = {}
    for number, one in dump.points.items():
        with np.errstate(over="ignore"):
            points[number] = replace(one, arrays={key: a.astype(np.float32) for key, a in one.arrays.items()})
    return replace(dump, points=points)


def _arrays(dump: Dump) -> Iterator[tuple[str, NDArray[np.floating]]]:
    for numbers in dump.points.values():
        yield from numbers.arrays.items()


def _computed(entries: Mapping[str, Entry], key: str) -> bool:
    return entries[key].kind is not Kind.GIVEN


def _digits(numbers: NDArray[np.float64]) -> int:
    """The significant decimals of the longest; all where there are too few numbers to tell."""
    if len(numbers) < MANY:
        return WHOLE
    for digits in range(4, WHOLE):
        if all(float(f"{x:.{digits}g}") == x for x in numbers[:1000].tolist()):
            few = sum(float(f"{x:.3g}") != x for x in numbers[:1000].tolist())
            return digits if few >= MANY else WHOLE
    return WHOLE


def _all_single(numbers: NDArray[np.float64]) -> bool:
    format_ = format_of("float32")
    if not (format_.nearest(numbers) == numbers).all():
        return False
    significands = np.ldexp(np.frexp(numbers)[0], 12)
    return int((significands != np.rint(significands)).sum()) >= ENOUGH
