"""How far off every function of every library is, measured against ball arithmetic over its whole range.

The value of a function is measured in units of rounding, u*|value|, beyond eta, the smallest normal number: the k of
`dtypes.py` must not be less. A slope has no such unit (1 - y says nothing where y is nearly 1), so it is measured by
the bound of its own derivative column, as a verdict is: the derived slope, and the one that the library takes by
itself, which it may spell otherwise.

Arguments are normal numbers and zero: every binade of the format, what lies near thresholds and saturation, and random
numbers. Libraries work through long arrays several numbers at a time and through short ones singly, so both are asked.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from math import inf, log
from platform import machine
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.arrays import ArrayArithmetic, Library, Run, gradients
from backends.backend import Backend
from backends.balls import BallArithmetic, balls, largest, precision
from backends.curvature import BENDS
from backends.dtypes import error_of, format_of
from backends.ledger import Rounded
from backends.points import Arguments, Point
from backends.rounding import RoundedArithmetic
from backends.spellings import in_any_spelling
from derivations.expression import evaluate
from derivations.functions import FUNCTIONS
from derivations.language import read

Floats = NDArray[np.float64]
DTYPES = ("float64", "float32")
ROUNDED = (*BENDS, "hard_sigmoid")  # the last has no k: its value, too, is measured by its bound
EXACT = ("relu", "abs", "max", "min", "clip", "_step", "_sign", "_above", "_inside")
BITS = 1200  # 1 - y**2 at the last y below 1, squared, and room
SINGLY = 12  # how many arguments are also asked alone

# Where libraries change their way, where values saturate, underflow and overflow, in both formats.
PLACES: tuple[float, ...] = (
    0.25,
    0.5,
    log(2),
    0.75,
    1,
    2,
    3,
    4,
    6,
    9,
    13,
    15,
    17,
    18,
    20,
    22,
    30,
    33,
    37,
    40,
    44,
    80,
    87,
    88.72,
    100,
    104,
)
PLACES += (200, 355, 500, 700, 709.78, 720, 745, 1000)


@dataclass(frozen=True, slots=True)
class Worst:
    """The largest error that was seen: in units of u*|value| or of a bound, and the argument."""

    error: float
    at: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One function of one library in one format.

    Attributes:
        value: in units of u*|value|, beyond eta.
        derived: of the derivative column, in units of its bound.
        own: of the slope that the library takes itself; None for one that takes none.
    """

    backend: str
    dtype: str
    function: str
    value: Worst
    derived: Worst
    own: Worst | None

    @property
    def k(self) -> float:
        """The error that the bound on rounding allows for."""
        return error_of(self.function, self.dtype, self.backend) or 1.0

    def faults(self) -> Iterator[str]:
        """What is worse than the bound on rounding allows for."""
        where = f"{self.function} of {self.backend} in {self.dtype}"
        if self.value.error > self.k:
            yield f"{where} is off by {self.value.error:.3g} units at {self.value.at!r}; its k is {self.k:g}"
        for which, worst in (("derived slope", self.derived), ("own slope", self.own)):
            if worst is not None and worst.error > 1:
                yield f"the {which} of {where} is off by {worst.error:.3g} times its bound at {worst.at!r}"


# --- arguments ------------------------------------------------------------------------------------------------------


@cache
def arguments_of(function: str, dtype: str) -> Floats:
    """The whole range, sorted: numbers of the format, normal or zero, within the function's domain."""
    format_, rng = format_of(dtype), np.random.default_rng(0)
    exponents = np.arange(format_.lowest, format_.highest)
    mantissas = np.array([1, 1 + 2 * format_.unit, 1.25, 1.5, 1.75, 2 - 2 * format_.unit])
    binades = np.ldexp(mantissas, exponents[:, None]).ravel()
    places = np.array(PLACES)[:, None]
    near = [places * (1 + np.linspace(-0.03, 0.03, 61)), places * (1 + 2 * format_.unit * np.arange(-8, 9))]
    random = [
        np.exp(rng.uniform(-18, 4, 2000)),
        rng.uniform(0, 25, 4000),
        rng.uniform(0, 1, 4000),
        rng.uniform(25, 90 if dtype == "float32" else 750, 2000),
        rng.uniform(88.6, 88.73, 500),  # the last binade before float32 overflows
    ]
    positive = format_.nearest(np.concatenate([binades, *(part.ravel() for part in near), *random]))
    if FUNCTIONS[function].domain:
        return np.unique(positive)
    return np.unique(np.concatenate([-positive, [0.0], positive]))


# --- what a library gives -------------------------------------------------------------------------------------------

_CARRIER = read("cell carrier\ninput x\nstate h\nh = x + h_prev\n")


def computed(
    backend: Backend, dtype: str, apply: Callable[[Library[Any], Any], Any], x: Floats
) -> Iterator[tuple[NDArray[np.intp], Floats]]:
    """What a library makes of a long array, of single numbers in it, and in a compiled program; and of which places."""

    def run(library: Library[Any], arguments: Arguments[Any]) -> dict[str, Any]:
        return {"x_1": apply(library, arguments.inputs["x"][0])}

    def point(numbers: Floats) -> Point:
        column = numbers.reshape(1, 1, -1)
        return Point(_CARRIER, "", {}, {"x": column}, {"h": column[0]}, {}, {})

    places = np.arange(len(x))
    yield places, _run(backend, dtype, run, point(x))
    for place in places[:: max(1, len(x) // SINGLY)]:
        yield np.array([place]), _run(backend, dtype, run, point(x[[place]]))
    if backend.compiled:
        yield places, backend.compiled(run)(point(x), dtype)["x_1"].ravel().astype(np.float64)


def _run(backend: Backend, dtype: str, run: Run[Any], point: Point) -> Floats:
    assert backend.library
    with backend.library(dtype) as library:
        return gradients(library, run, point)["x_1"].ravel().astype(np.float64)


# --- measuring ------------------------------------------------------------------------------------------------------


def measure(backend: Backend, function: str, dtype: str, x: Floats | None = None) -> Measured:
    """A function over its whole range, or at the arguments given."""
    x = arguments_of(function, dtype) if x is None else x
    derivative, format_ = in_any_spelling(FUNCTIONS[function].derivatives[0]), format_of(dtype)
    with precision(BITS), np.errstate(all="ignore"):
        arithmetic = RoundedArithmetic(dtype, backend.name)
        given = arithmetic.ledger.given(x.reshape(-1, 1, 1))
        value = arithmetic.call(function, [given])
        slope = evaluate(derivative, {"x": given, "y": value}, arithmetic)

        def of_value(library: Library[Any], at: Any) -> Any:
            return library.functions[function](at)

        def of_derived(library: Library[Any], at: Any) -> Any:
            here = {"x": at, "y": library.functions[function](at)}
            return evaluate(FUNCTIONS[function].derivatives[0], here, ArrayArithmetic(library))

        def of_own(library: Library[Any], at: Any) -> Any:
            assert backend.differentiate
            return backend.differentiate(lambda leaf: (of_value(library, leaf["x"]).sum(), None), {"x": at})[1]["x"]

        def worst(apply: Callable[[Library[Any], Any], Any], true: Rounded, errors: Callable[..., Floats]) -> Worst:
            """Where a right program may overflow, anything may come; elsewhere what is not finite is all wrong."""
            exact, size, bound = (part.ravel() for part in (true.value, np.abs(true.middle), true.bound[0]))
            flushed = true.bound[1].ravel()
            found = Worst(0.0, 0.0)
            for places, got in computed(backend, dtype, apply, x):
                off = largest(balls(np.where(np.isfinite(got), got, 0.0)) - exact[places])
                error = np.where(off > 0, errors(off, size[places], bound[places], flushed[places]), 0.0)
                error = np.where(np.isfinite(got), error, inf)
                error[~np.isfinite(bound[places])] = 0.0
                most = int(error.argmax())
                if error[most] > found.error:
                    found = Worst(float(error[most]), float(x[places[most]]))
            return found

        def in_units(off: Floats, size: Floats, bound: Floats, flushed: Floats) -> Floats:
            return np.where(off > format_.smallest, (off - format_.smallest) / (format_.unit * size), 0.0)

        def of_bound(off: Floats, size: Floats, bound: Floats, flushed: Floats) -> Floats:
            return off / (format_.unit * bound + format_.smallest * flushed)

        return Measured(
            backend.name,
            dtype,
            function,
            worst(of_value, value, in_units if function in BENDS else of_bound),
            worst(of_derived, slope, of_bound),
            worst(of_own, slope, of_bound) if backend.differentiate else None,
        )


def inexact(backend: Backend, function: str, dtype: str, every: int = 1) -> tuple[float, ...]:
    """The first arguments at which a function that chooses or compares is not exact; empty if it never is.

    Args:
        every: take so much fewer arguments.
    """
    count, rng = len(FUNCTIONS[function].args), np.random.default_rng(1)
    x = arguments_of(function, dtype)[::every]
    # Numbers beside themselves, beside their neighbours and beside any others.
    args = [np.concatenate([x, x, x[1:], x]), np.concatenate([rng.permutation(x), x, x[:-1], -x])]
    if count == 3:
        low, high = np.minimum(*args), np.maximum(*args)
        args = [rng.permutation(args[0]), low, high]
    args = args[:count]

    def apply(library: Library[Any], first: Any) -> Any:
        rest = [library.array(arg.reshape(1, -1, 1)) for arg in args[1:]]
        return library.functions[function](first, *rest)

    with precision(BITS):
        due = BallArithmetic().call(function, [balls(arg) for arg in args]).astype(np.float64)
    _, got = next(computed(backend, dtype, apply, args[0]))
    wrong = np.flatnonzero(got != due)[:1]
    return tuple(float(arg[place]) for place in wrong for arg in args)


# --- the table that is kept -----------------------------------------------------------------------------------------

HEADER = ("function", "format", "library", "off by", "at", "k", "derived slope", "at", "own slope", "at")


def measured_on() -> str:
    """The processor and the libraries, on one line: elsewhere the same functions may be off by other amounts."""
    import torch

    libraries = ", ".join(f"{name} {version(name)}" for name in ("jax", "numpy", "torch"))
    return f"{machine()} with {torch.backends.cpu.get_cpu_capability()}; {libraries}"


def row(found: Measured) -> tuple[str, ...]:
    """One line of the table."""

    def said(worst: Worst | None) -> tuple[str, str]:
        return ("", "") if worst is None else (f"{worst.error:.3g}", repr(worst.at))

    where = (found.function, found.dtype, found.backend)
    return (*where, *said(found.value), f"{found.k:g}", *said(found.derived), *said(found.own))


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """The table in Markdown."""
    lines = [HEADER, tuple("---" if n < 3 else "--:" for n in range(len(HEADER))), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def recorded(text: str) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """The rows of a table by function, format and library."""
    rows = [tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in text.splitlines() if line[:1] == "|"]
    return {(row[0], row[1], row[2]): row for row in rows[2:]}
