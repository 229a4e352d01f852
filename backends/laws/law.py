"""What a law is: what computes, what must be equal, and what is said of it.

The objective is Phi, the sum of every cotangent times its output over all steps, and of every final cotangent times its
state. A law is written once, for exact numbers and for floating-point ones: `Machine` says what computes, and `Claim`
what must be equal.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.points import Point
from derivations.cell import Cell

Array = NDArray[Any]
Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Machine:
    """What computes gradients. The arrays of a point may be floats, or what the machine itself computed.

    Attributes:
        name: in reports. `dtype`: a format, or "" for exact numbers.
        exact: an array as exact numbers, which can be added and multiplied without rounding.
        gradients: of Phi, by the keys and in the shapes of `Backend.gradients`, at the point and of the point's cell.
        states: by state, after so many steps, (B, *shape).
        bounds: how far off a right program's gradient may be, as `gradients`; zeros for exact numbers.
        slope: of Phi along a direction, by forward mode, and how far off it may be; None where it is not known.
        turning: how fast each gradient changes along a direction, and how far off that may be.
        mapped: the gradients, one sequence at a time by the library's own vmap; None where it has none.
    """

    name: str
    dtype: str
    exact: Callable[[Array], Array]
    gradients: Callable[[Point], Arrays]
    states: Callable[[Point, int], Arrays]
    bounds: Callable[[Point], Arrays]
    slope: Callable[[Point, Point], tuple[Array, Array]] | None = None
    turning: Callable[[Point, Point], tuple[Arrays, Arrays]] | None = None
    mapped: Callable[[Point], Arrays] | None = None


@dataclass(frozen=True)
class Claim:
    """`left` is `right`, both exact numbers, up to `bound`."""

    quantity: str
    left: Array
    right: Array
    bound: Array


@dataclass(frozen=True)
class Law:
    """One law.

    Attributes:
        name: as people call it. `sentence`: what it says.
        claims: what must be equal, on a machine and at a point.
        unfit: why it says nothing of a cell; empty where it applies.
        needs: the field of `Machine` without which it cannot be run.
    """

    name: str
    sentence: str
    claims: Callable[[Machine, Point], Iterable[Claim]]
    unfit: Callable[[Cell], str] = lambda cell: ""
    needs: str = ""


def alike(on: Machine, point: Point, other: Arrays) -> Iterator[Claim]:
    """Every gradient at a point is what another right way to compute it gives (exact numbers)."""
    own, bounds = on.gradients(point), on.bounds(point)
    for key, array in own.items():
        yield Claim(key, on.exact(array), other[key], 2 * bounds[key])


def on_a_grid(array: Array) -> Array:
    """Multiples of 1/64: sums of few of these are exact in every format."""
    return np.asarray(np.rint(64 * np.asarray(array)) / 64)
