"""Points at which derivatives are checked: numbers for everything that a cell is given, and cotangents.

A point that is hard enough leaves a mistake no place to hide: every size differs from every other, so that a
transposed or swapped axis does not fit or does not agree; initial states are not zero; a cotangent enters on every
output, readout and loss at every step and on every final state. `draw` makes such points, the same for the same seed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from backends.dtypes import format_of
from derivations.cell import Cell

Array = NDArray[np.floating]
Real = float | Fraction
V = TypeVar("V")


@dataclass(frozen=True)
class Point:
    """Numbers for a cell, its inputs over time, and the cotangents that enter.

    With T steps, a batch of B, and `shape` the shape of a name in the cell (() for a scalar, (n,), (n, m)):

    Attributes:
        name: what to call the point in a report.
        parameters: by name, of their `shape`.
        inputs: inputs and targets by name, (T, B, *shape).
        initial: by state, (B, *shape).
        cotangents: for outputs, readouts and the loss, (T, B, *shape).
        final: the cotangent of the final state, by state, (B, *shape).
    """

    cell: Cell
    name: str
    parameters: Mapping[str, Array]
    inputs: Mapping[str, Array]
    initial: Mapping[str, Array]
    cotangents: Mapping[str, Array]
    final: Mapping[str, Array]

    @property
    def steps(self) -> int:
        """T, the number of steps."""
        return len(next(iter(self.inputs.values())))

    @property
    def batch(self) -> int:
        """B, the number of sequences."""
        return next(iter(self.inputs.values())).shape[1]


# --- drawing ------------------------------------------------------------------------------------


def letters(cell: Cell) -> tuple[str, ...]:
    """The sizes that a cell leaves open, n and m first; "n+m", of a stacked vector, is two of them."""
    found = (part for shape in cell.shapes.values() for size in shape for part in size.split("+"))
    return tuple(sorted(set(found), key=lambda letter: (letter != "n", letter != "m", letter)))


def small_sizes(cell: Cell, steps: int, batch: int) -> dict[str, int]:
    """Small sizes for every letter of a cell, all different, from 2 up, and none of them T or B."""
    free = (size for size in count(2) if size not in (steps, batch))
    return dict(zip(letters(cell), free, strict=False))


def shape_in(cell: Cell, name: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of a name in numbers."""
    return tuple(sum(sizes[part] for part in size.split("+")) for size in cell.shapes[name])


def draw(
    cell: Cell,
    seed: int,
    *,
    steps: int = 4,
    batch: int = 3,
    sizes: Mapping[str, int] | None = None,
    scale: float = 1.0,
) -> Point:
    """A seeded point: every number from N(0, scale^2), what is declared positive from exp(N(0, 1/4)).

    Args:
        sizes: by letter of the cell's shapes; small and all different where not given.
        scale: 1 for a point where gates are open; 10 drives most of them into saturation.
    """
    given = small_sizes(cell, steps, batch) if sizes is None else dict(sizes)
    rng = np.random.default_rng(seed)

    def numbers(name: str, *outer: int) -> Array:
        normal = rng.standard_normal((*outer, *shape_in(cell, name, given)))
        return np.asarray(np.exp(normal / 2) if name in cell.positive else scale * normal)

    def cotangent(name: str, *outer: int) -> Array:
        return np.asarray(scale * rng.standard_normal((*outer, *shape_in(cell, name, given))))

    shown = "" if scale == 1 else f", scale {scale:g}"
    return Point(
        cell=cell,
        name=f"seed {seed}{shown}",
        parameters={name: numbers(name) for name in cell.parameters},
        inputs={name: numbers(name, steps, batch) for name in (*cell.inputs, *cell.targets)},
        initial={state: numbers(state, batch) for state in cell.states},
        cotangents={name: cotangent(name, steps, batch) for name in cell.seeded},
        final={state: cotangent(state, batch) for state in cell.states},
    )


def of_numbers(
    cell: Cell,
    name: str,
    parameters: Mapping[str, Real],
    inputs: Mapping[str, Sequence[Real]],
    initial: Mapping[str, Real],
    cotangents: Mapping[str, Sequence[float]] | None = None,
    final: Mapping[str, float] | None = None,
) -> Point:
    """A point of the scalar view with one sequence; cotangents that are not given are zero."""
    ones, steps = dict.fromkeys(letters(cell), 1), len(next(iter(inputs.values())))

    def full(name: str, numbers: Sequence[Real], *outer: int) -> Array:
        return np.array([float(number) for number in numbers]).reshape(*outer, *shape_in(cell, name, ones))

    sent = {name: [0.0] * steps for name in cell.seeded} | dict(cotangents or {})
    last = dict.fromkeys(cell.states, 0.0) | dict(final or {})
    return Point(
        cell=cell,
        name=name,
        parameters={name: full(name, [number]) for name, number in parameters.items()},
        inputs={name: full(name, series, steps, 1) for name, series in inputs.items()},
        initial={state: full(state, [number], 1) for state, number in initial.items()},
        cotangents={name: full(name, series, steps, 1) for name, series in sent.items()},
        final={state: full(state, [number], 1) for state, number in last.items()},
    )


def draw_scalar(cell: Cell, seed: int, *, steps: int = 4, batch: int = 3, scale: float = 1.0) -> Point:
    """A seeded point of the scalar view: every size is 1."""
    ones = dict.fromkeys(letters(cell), 1)
    return draw(cell, seed, steps=steps, batch=batch, sizes=ones, scale=scale)


def rounded(point: Point, dtype: str) -> Point:
    """The point that a backend of this dtype receives, every number rounded to it once and kept in float64."""
    nearest = format_of(dtype).nearest
    return mapped(point, lambda _, array: nearest(np.asarray(array, dtype=np.float64)))


def mapped(point: Point, one: Callable[[str, Array], Array]) -> Point:
    """The point with each of its arrays changed, given its name."""

    def each(numbers: Mapping[str, Array]) -> dict[str, Array]:
        return {name: one(name, array) for name, array in numbers.items()}

    return replace(
        point,
        parameters=each(point.parameters),
        inputs=each(point.inputs),
        initial=each(point.initial),
        cotangents=each(point.cotangents),
        final=each(point.final),
    )


def over_steps(point: Point, chosen: slice) -> Point:
    """The point for some of its steps, which begin and end as the whole does."""
    return replace(
        point,
        inputs={name: series[chosen] for name, series in point.inputs.items()},
        cotangents={name: series[chosen] for name, series in point.cotangents.items()},
    )


def decidable(compute: Callable[[Point], V], draws: Iterable[Point], wanted: int) -> list[V]:
    """What is computed at the first so many points; one on a kink or at a pole is passed over.

    Raises:
        ArithmeticError: all of them are.
    """
    found: list[V] = []
    problem: ArithmeticError | None = None
    for point in draws:
        try:
            found.append(compute(point))
        except ArithmeticError as error:
            problem = error
        if len(found) == wanted:
            break
    if not found and problem is not None:
        raise problem
    return found


# --- as a program takes it ------------------------------------------------------------------------


@dataclass(frozen=True)
class Arguments(Generic[V]):
    """A point as a program takes it: every value a batch of matrices, (B or 1, rows, columns)."""

    parameters: Mapping[str, V]
    inputs: Mapping[str, list[V]]
    initial: Mapping[str, V]
    cotangents: Mapping[str, list[V]]
    final: Mapping[str, V]


def arguments(point: Point, convert: Callable[[Array], V]) -> Arguments[V]:
    """The numbers of a point as matrices, each put through `convert`."""
    rank = {name: len(shape) for name, shape in point.cell.shapes.items()}

    def one(name: str, array: Array) -> V:
        flat = np.asarray(array)
        return convert(flat.reshape(*flat.shape, *(1,) * (2 - rank[name])))

    def series(arrays: Mapping[str, Array]) -> dict[str, list[V]]:
        return {name: [one(name, step) for step in array] for name, array in arrays.items()}

    def single(arrays: Iterable[tuple[str, Array]]) -> dict[str, V]:
        return {name: one(name, array) for name, array in arrays}

    return Arguments(
        parameters=single((name, np.asarray(array)[None]) for name, array in point.parameters.items()),
        inputs=series(point.inputs),
        initial=single(point.initial.items()),
        cotangents=series(point.cotangents),
        final=single(point.final.items()),
    )


def own_shape(point: Point, key: str, array: NDArray[Any]) -> NDArray[Any]:
    """A batch of matrices (B or 1, rows, columns) as what it is: without a batch for a parameter, else (B, *shape).

    Args:
        key: a name of the cell, or that of a gradient (`h_0`, `x_1`), which no name of a cell is.
    """
    shapes = point.cell.shapes
    rank = len(shapes[key if key in shapes else key.rpartition("_")[0]])
    inner = array.shape[1:][:rank]
    if key in point.cell.parameters:
        return array.reshape(inner)
    own = array.reshape(len(array), *inner)
    return own if len(own) == point.batch else np.broadcast_to(own, (point.batch, *inner))
