"""Laws of slopes: what a gradient is to the changes of what it is the gradient of."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np

from backends.laws.law import Array, Arrays, Claim, Machine, on_a_grid
from backends.points import Point
from derivations.cell import Cell
from derivations.expression import Call, Detach, Num, walk


def still(cell: Cell) -> str:
    """Why a gradient is not the slope of Phi: something is held constant in it."""
    for node in (node for e in cell.equations for node in walk(e.rhs)):
        if isinstance(node, Detach):
            return "exempt: a detached value is held constant, so the gradient is no slope of the objective"
        if isinstance(node, Call) and node.function == "clip" and not all(isinstance(a, Num) for a in node.args[1:]):
            return "exempt: the bounds of clip are held constant, so the gradient is no slope of the objective"
    return ""


def direction(point: Point, seed: int) -> Point:
    """A direction in the space of all that gradients are taken of; targets stand still."""
    rng = np.random.default_rng(seed)

    def each(arrays: Arrays, still: Iterable[str] = ()) -> dict[str, Array]:
        return {n: on_a_grid(rng.standard_normal(a.shape)) * (n not in still) for n, a in arrays.items()}

    return replace(
        point,
        parameters=each(point.parameters),
        inputs=each(point.inputs, point.cell.targets),
        initial=each(point.initial),
    )


def _along(on: Machine, moved: Point, found: Arrays, bounds: Arrays) -> tuple[Array, Array]:
    """The sum of gradients times a direction, and of their bounds times its size."""
    parts, sizes = [], []
    for key, array in found.items():
        if key in moved.parameters:
            weight = moved.parameters[key]
        else:
            name, _, t = key.rpartition("_")
            weight = moved.initial[name] if t == "0" else moved.inputs[name][int(t) - 1]
        parts.append(np.sum(on.exact(weight) * on.exact(array)))
        sizes.append(np.sum(np.abs(weight) * bounds[key]))
    return np.array(reduce(add, parts)), np.array(sum(sizes))


def directional(on: Machine, point: Point) -> Iterator[Claim]:
    assert on.slope
    moved = direction(point, 5)
    forward, doubt = on.slope(point, moved)
    backward, bound = _along(on, moved, on.gradients(point), on.bounds(point))
    yield Claim("dPhi", on.exact(forward), backward, bound + doubt)


def without_curl(on: Machine, point: Point) -> Iterator[Claim]:
    assert on.turning
    first, second = direction(point, 5), direction(point, 6)
    left, bound = _along(on, second, *on.turning(point, first))
    right, doubt = _along(on, first, *on.turning(point, second))
    yield Claim("d(dPhi)", left, right, bound + doubt)
