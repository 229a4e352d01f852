"""Golden numbers: every value, adjoint and gradient of a cell at a point, correctly rounded, and how far off is right.

The values are computed in ball arithmetic and rounded once. The bound is the one by which every backend is judged
(`rounding.py`), of a backend of which nothing is known, and on top of it the rounding of the golden value itself: so a
program is right wherever |got - value| <= bound, and wrong where not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from backends.balls import Balls, Undecided, radius, until
from backends.dtypes import ANY, Format, format_of
from backends.golden.layout import Entry, Kind, given_arrays, layout
from backends.golden.own_inputs import Place, backward, forward
from backends.ledger import MOST_FORMS, Rounded
from backends.over_spellings import bound_over
from backends.points import Array, Point, arguments, rounded
from backends.rounding import RoundedArithmetic
from backends.spellings import spellings
from backends.truth import MARGIN
from derivations.program import Backward

MANY = 2_000  # entries of a point, beyond which errors are followed in size alone


@dataclass(frozen=True)
class Golden:
    """One point.

    Attributes:
        name: the line of text that names the point (`named_points.py`).
        given, right, bound: by key, each of the shape in `layout.py`, as float64; `right` holds numbers of the dtype.
    """

    name: str
    sizes: Mapping[str, int]
    given: Mapping[str, Array]
    right: Mapping[str, Array]
    bound: Mapping[str, Array]


def golden(program: Backward, point: Point, dtype: str, sizes: Mapping[str, int]) -> Golden:
    """Everything that is right at a point.

    Raises:
        ArithmeticError: the point lies on a kink or at a pole.
    """
    received, format_ = rounded(point, dtype), format_of(dtype)
    spelled = spellings(program)
    entries = layout(point.cell)

    def compute() -> tuple[dict[str, Array], dict[str, Array]]:
        found = [everything(one, layout(one.cell), replace(received, cell=one.cell), dtype) for one in spelled]
        right: dict[str, Array] = {}
        bound: dict[str, Array] = {}
        for key, entry in entries.items():
            if entry.kind is not Kind.GIVEN:
                right[key], bound[key] = _shown(entry, found, entry.shape(sizes), point.steps, format_)
        return right, bound

    right, bound = until(lambda _: True, compute)
    return Golden(point.name, sizes, given_arrays(received), right, bound)


def everything(program: Backward, entries: Mapping[str, Entry], point: Point, dtype: str) -> dict[Place, Rounded]:
    """Every value with its rounding errors, by the equations alone."""
    with np.errstate(all="ignore"):  # an overflow ends as an infinite bound, which says what it should
        arithmetic = RoundedArithmetic(dtype, ANY)
        follow_in_size(arithmetic, point)
        given = arguments(point, arithmetic.ledger.given)
        passed = forward(point.cell, entries, given, arithmetic, {})
        computed = backward(program, passed, given, arithmetic, {}, gathered=arithmetic.gathered)[1]
        return {**passed.computed, **computed}


def follow_in_size(arithmetic: RoundedArithmetic, point: Point) -> None:
    """Where a point is large, errors are followed in size alone."""
    if sum(np.size(array) for array in given_arrays(point).values()) > MANY:
        arithmetic.ledger.errors = MOST_FORMS


def _shown(
    entry: Entry, found: Sequence[Mapping[Place, Rounded]], shape: tuple[int, ...], steps: int, format_: Format
) -> tuple[Array, Array]:
    """One quantity at every step, rounded, and its bound over all spellings of the program."""
    first, *others = found
    over_time = entry.kind is Kind.GRADIENT
    places: list[Place] = [(entry.key, None)] if over_time else [(entry.key, t) for t in range(steps)]
    one = shape if over_time else shape[1:]
    values = [in_shape(first[place].value, entry, one) for place in places]
    bounds = []
    for place in places:
        among = [other[place] for other in others if place in other]
        relative, flushed = bound_over(first[place], among, format_)
        bounds.append(in_shape(format_.unit * relative + format_.smallest * flushed, entry, one))
    pairs = [_rounded(value, bound, format_) for value, bound in zip(values, bounds, strict=True)]
    right, bound = np.array([right for right, _ in pairs]), np.array([bound for _, bound in pairs])
    return right.reshape(shape), bound.reshape(shape)


def bound_of(number: Rounded, format_: Format) -> NDArray[np.float64]:
    """u*S + eta*N."""
    relative, flushed = number.bound
    return np.asarray(format_.unit * relative + format_.smallest * flushed)


def in_shape(array: NDArray[Any], entry: Entry, shape: tuple[int, ...]) -> NDArray[Any]:
    """A batch of matrices (B or 1, rows, columns) in the shape of the file, without time."""
    if "B" not in entry.axes:
        return array.reshape(shape)
    own = array.reshape(len(array), *shape[1:])
    return np.broadcast_to(own, shape)


def _rounded(value: Balls, bound: NDArray[np.float64], format_: Format) -> tuple[Array, Array]:
    """The values correctly rounded, and the bounds with that rounding added, upwards."""
    if not (radius(value) <= MARGIN * bound).all():
        raise Undecided
    right = np.array([nearest(x, format_) for x in value.ravel()], dtype=np.float64).reshape(value.shape)
    finite = np.where(np.isfinite(right), right, 0.0)
    off = np.array(
        [float((x - y).abs_upper()) for x, y in zip(value.ravel(), finite.ravel(), strict=True)]
    ).reshape(value.shape)  # fmt: skip
    exact = (off == 0) & (bound == 0)
    return right, np.where(exact, 0.0, np.nextafter((bound + off) * (1 + 1e-12), np.inf))


def nearest(ball: Any, format_: Format) -> float:
    """The number of the format that is nearest to a true value, ties to even; beyond the largest, infinite.

    Raises:
        Undecided: both ends of the ball do not round to one number, or it has no ends.
    """
    if not ball.is_finite():
        raise Undecided
    if ball.abs_lower() > arb(2) ** format_.highest:  # it may be e to the e to the 50: no fraction has so many digits
        return float("inf") if ball > 0 else float("-inf")
    if ball.abs_upper() < arb(2) ** (format_.lowest - 2 * format_.digits):
        return 0.0
    low, high = (_nearest(_fraction(end), format_) for end in (ball.lower(), ball.upper()))
    if low != high:
        raise Undecided
    return low


def _fraction(end: Any) -> Fraction:
    significand, exponent = end.mid().man_exp()
    return Fraction(int(significand)) * Fraction(2) ** int(exponent)


def _nearest(value: Fraction, format_: Format) -> float:
    if not value:
        return 0.0
    size = abs(value)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent -= size < Fraction(2) ** exponent  # 2**exponent <= size
    place = max(exponent, format_.lowest) + 1 - format_.digits
    last = round(size / Fraction(2) ** place)  # ties to even
    if last * Fraction(2) ** place > Fraction(format_.largest):
        return float("inf") if value > 0 else float("-inf")
    return float(last * Fraction(2) ** place) * (1 if value > 0 else -1)
