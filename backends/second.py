"""The double backward at points: numbers for it, and two other opinions of what it gives.

`derivations.twice` writes the backward pass of a run as the equations of one step of another cell. What its derivation
says is held against the library's own differentiation of its own differentiation of the forward equations, and, in
ball arithmetic, against jets of the forward equations whose entries are power series in the distance along the
direction. The series are flint's, and so are their rules; neither opinion reads an adjoint equation, once or twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any, TypeVar

import numpy as np
from flint import arb, arb_series

from backends.arrays import Differentiate, Library, Run, objective
from backends.balls import FUNCTIONS_OF_BALLS, BallArithmetic, Balls, balls, elementwise
from backends.jets import jets_of_run
from backends.points import Arguments, Array, Point, arguments, draw
from derivations.cell import Cell
from derivations.derive import Derivation
from derivations.functions import WRITABLE
from derivations.twice import PHI, Leaf, at, direction, twice
from derivations.twice import leaves as leaves_of

A = TypeVar("A", bound=Any)


@dataclass(frozen=True)
class Second:
    """The double backward of a run of a cell: `cell` is the one, `twice` the other."""

    cell: Cell
    twice: Cell
    steps: int

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        return leaves_of(self.cell, self.steps)


def second(derivation: Derivation, steps: int) -> Second:
    return Second(derivation.cell, twice(derivation, steps), steps)


def key_of(leaf: Leaf) -> str:
    """What `run_backward` calls the gradient by a leaf: what is no parameter is an input of the first step."""
    return leaf.id if leaf.step is None else f"{leaf.id}_1"


# --- points -----------------------------------------------------------------------------------------------------


def number_of(point: Point, leaf: Leaf) -> Array:
    """What a point of the cell has for a leaf."""
    match leaf.kind, leaf.step:
        case "out", int(step):
            return point.cotangents[leaf.name][step - 1]
        case "next", _:
            return point.final[leaf.name]
        case _, None:
            return point.parameters[leaf.name]
        case _, 0:
            return point.initial[leaf.name]
        case _, step:
            return point.inputs[leaf.name][step - 1]


def doubled(of: Second, point: Point, along: Point, weights: Array | None = None) -> Point:
    """The point of the double backward at a point of the cell, in the direction of another.

    Args:
        weights: what the pairing of every sequence counts, (B,); one each where not given.
    """
    numbers = {leaf.id: number_of(along if leaf.kind == "direction" else point, leaf) for leaf in of.leaves}
    numbers |= {at(name, t + 1): point.inputs[name][t] for name in of.cell.targets for t in range(of.steps)}
    return Point(
        cell=of.twice,
        name=point.name,
        parameters={name: numbers[name] for name in of.twice.parameters},
        inputs={name: numbers[name][None] for name in (*of.twice.inputs, *of.twice.targets)},
        initial={},
        cotangents={PHI: (np.ones(point.batch) if weights is None else weights)[None]},
        final={},
    )


def arguments_of(of: Second, number: Callable[[str], A], weights: A) -> Arguments[A]:
    """A run of the cell, given what each name of the double backward is; a sequence's weight is its cotangents'."""

    def series(name: str, kind: str = "leaf") -> list[A]:
        return [number(Leaf(name, t, kind).id) for t in range(1, of.steps + 1)]

    return Arguments(
        parameters={name: number(name) for name in of.cell.parameters},
        inputs={name: series(name) for name in (*of.cell.inputs, *of.cell.targets)},
        initial={state: number(at(state, 0)) for state in of.cell.states},
        cotangents={name: [weights * sent for sent in series(name, "out")] for name in of.cell.seeded},
        final={state: weights * number(Leaf(state, of.steps, "next").id) for state in of.cell.states},
    )


def numbers_of(given: Arguments[A]) -> dict[str, A]:
    """The numbers of a point of the double backward by their names: it has one step."""
    return {**given.parameters, **{name: series[0] for name, series in given.inputs.items()}}


def draw_second(of: Second, seed: int, drawing: Callable[..., Point] = draw) -> Point:
    """A seeded point of the double backward, with one sequence more than steps; the direction is drawn as the point is.

    The sequences weigh differently, so that what forgets the cotangent of the pairing is seen.
    """
    point, along = (drawing(of.cell, number, steps=of.steps, batch=of.steps + 1) for number in (seed, ~seed & 0xFFFF))
    return doubled(of, point, along, np.random.default_rng(seed).standard_normal(of.steps + 1))


# --- the library's own ------------------------------------------------------------------------------------------


def by_differentiating_twice(of: Second, differentiate: Differentiate[Any]) -> Run[Any]:
    """Every gradient of the pairing, by a library's differentiation of its differentiation of the forward equations."""
    own = {str(leaf): leaf for leaf in of.leaves if leaf.kind == "leaf"}

    def run(library: Library[A], arguments: Arguments[A]) -> dict[str, A]:
        numbers, (weights,) = numbers_of(arguments), arguments.cotangents[PHI]

        def pairing(moved: dict[str, A]) -> tuple[A, None]:
            given = arguments_of(of, lambda name: moved.get(name, numbers[name]), weights)
            at_leaves = {key: moved[leaf.id] for key, leaf in own.items()}
            _, slopes = differentiate(lambda inner: (objective(library, of.cell, inner, given), None), at_leaves)
            along = {key: moved[replace(leaf, kind="direction").id] for key, leaf in own.items()}
            paired = [(along[key] * slope).sum() for key, slope in slopes.items() if slope is not None]
            return reduce(add, paired, library.array(0.0)), None

        _, found = differentiate(pairing, {leaf.id: numbers[leaf.id] for leaf in of.leaves})
        zero = library.array(0.0)
        slopes = {leaf: found[leaf.id] for leaf in of.leaves}
        return {key_of(leaf): numbers[leaf.id] * zero if slope is None else slope for leaf, slope in slopes.items()}

    return run


# --- in ball arithmetic -----------------------------------------------------------------------------------------


def _head(x: Any) -> arb:
    return x[0] if isinstance(x, arb_series) else x


def _tail(x: Any) -> arb:
    return x[1] if isinstance(x, arb_series) else arb(0)


def _chosen(jump: str, x: Any, *others: Any) -> Any:
    return FUNCTIONS_OF_BALLS[jump](_head(x), *map(_head, others)) * x


def _of_heads(jump: Callable[..., arb]) -> Callable[..., arb]:
    return lambda *args: jump(*map(_head, args))


def _clip(x: Any, low: Any, high: Any) -> Any:
    inside = FUNCTIONS_OF_BALLS["_inside"](*map(_head, (x, low, high)))
    return inside * x + (1 - inside) * FUNCTIONS_OF_BALLS["clip"](*map(_head, (x, low, high)))


_heads, _tails = np.frompyfunc(_head, 1, 1), np.frompyfunc(_tail, 1, 1)
# What jets ask for, of entries that are power series: a value, and its slope along the direction.
_SLOPED: dict[str, Callable[..., Any]] = {
    "exp": lambda x: x.exp(),
    "log": lambda x: x.log(),
    "sqrt": lambda x: x.sqrt(),
    "relu": lambda x: _chosen("_step", x),
    "abs": lambda x: _chosen("_sign", x),
    "max": lambda x, y: _chosen("_above", x, y) + _chosen("_above", y, x),
    "min": lambda x, y: -(_chosen("_above", -x, -y) + _chosen("_above", -y, -x)),
    "clip": _clip,
}
_SLOPED |= {name: _of_heads(function) for name, function in FUNCTIONS_OF_BALLS.items() if name not in WRITABLE}
_OF_SERIES = BallArithmetic(elementwise(_SLOPED), held=_heads)
_series = np.frompyfunc(lambda value, slope: arb_series([value, slope], prec=2), 2, 1)


def jets_of_series(of: Second, point: Point) -> tuple[dict[str, Balls], list[dict[str, Balls]]]:
    """Every gradient of the pairing at the precision in force, as `truth.exact` takes it.

    The gradient at a distance e along the direction is g + e Hv, and an output is y + e (its tangent), up to e**2.
    """
    given = arguments(point, balls)
    numbers, (weights,) = numbers_of(given), given.cotangents[PHI]

    def lifted(name: str) -> Balls:
        way = direction(name)
        return _series(numbers[name], numbers[way]) if way in numbers else numbers[name]

    run = arguments_of(of, lifted, weights)
    gradients, trace = jets_of_run(of.cell, run, point.batch, _OF_SERIES)
    found = {}
    for leaf in of.leaves:
        match leaf.kind:
            case "leaf":
                found[key_of(leaf)] = _tails(gradients[str(leaf)])
            case "direction":
                found[key_of(leaf)] = _heads(gradients[str(replace(leaf, kind="leaf"))])
            case _:
                assert leaf.step
                found[key_of(leaf)] = weights * _tails(trace[leaf.step - 1][leaf.name])
    return found, [{}]
