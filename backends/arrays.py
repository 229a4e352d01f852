"""Derivations on the arrays of a library: one arithmetic for numpy, torch and JAX.

Inside, every value is a batch of matrices, (B or 1, rows, columns): a scalar is 1x1, a vector a column, and
parameters have a batch of 1. Outside, arrays have the shapes of `backend.Backend`. The libraries agree on
operators, indexing, `.shape`, `.mT` and `.sum`; where they do not, `Library` says what each calls a thing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import reduce
from operator import add, mul
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from backends.backend import Backend
from derivations.cell import Cell
from derivations.program import Backward, run_backward, run_forward

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from backends.points import Arguments, Point

    Arrays = dict[str, NDArray[np.floating]]

A = TypeVar("A", bound=Any)
# From a point's numbers as arrays to every gradient, a batch of matrices, by the keys of `Backend.gradients`.
Run = Callable[["Library[A]", "Arguments[A]"], dict[str, A]]
# Of a function from leaves to (a scalar, anything): the anything, and the scalar's slopes, None for no slope.
Differentiate = Callable[[Callable[[dict[str, A]], tuple[A, Any]], dict[str, A]], tuple[Any, dict[str, A | None]]]


@dataclass(frozen=True)
class Library(Generic[A]):
    """What a library calls the operations on which libraries differ, in one dtype.

    Attributes:
        array_type: the class of its arrays.
        array: numbers (a numpy array, nested lists, a float) as an array of the dtype.
        numpy: an array as a numpy array of its own, of the dtype that it has.
        functions: the table of elementwise functions.
        where: of a condition, an array and an array.
        concatenate: of arrays and an axis.
        logsumexp: over the last two axes, which stay with length 1.
        broadcast: of an array and a shape.
        detach: the value, held constant.
        fold: as `fold` does it, which runs one step after the other.
    """

    name: str
    dtype: str
    array_type: Any
    array: Callable[[Any], A]
    numpy: Callable[[A], NDArray[np.floating]]
    functions: Mapping[str, Callable[..., A]]
    where: Callable[[A, A, A], A]
    concatenate: Callable[[Sequence[A], int], A]
    logsumexp: Callable[[A], A]
    broadcast: Callable[[A, tuple[int, ...]], A]
    detach: Callable[[A], A]
    fold: Callable[..., tuple[Any, A]] = field(default_factory=lambda: fold)

    def checked(self, name: str, array: A) -> NDArray[np.floating]:
        """A result as a numpy array, once it is known to have been computed in the dtype.

        Raises:
            TypeError: it was not; the message names the quantity and both dtypes.
        """
        result = self.numpy(array)
        if str(result.dtype) != self.dtype:
            raise TypeError(f"{self.name} computed {name} in {result.dtype} where {self.dtype} was asked for")
        return result


class ArrayArithmetic(Generic[A]):
    """The `Arithmetic` of `expression.evaluate` on the arrays of a library."""

    def __init__(self, library: Library[A]) -> None:
        self.library = library

    def number(self, value: Fraction) -> A:
        return self.library.array([[[float(value)]]])

    def add(self, terms: list[A]) -> A:
        return reduce(add, self._fitting(terms))

    def negative(self, a: A) -> A:
        return -a

    def multiply(self, factors: list[A]) -> A:
        return reduce(mul, self._fitting(factors))

    def divide(self, a: A, b: A) -> A:
        above, below = self._fitting([a, b])
        return above / below

    def power(self, a: A, exponent: int) -> A:
        """By repeated multiplication: what a library calls a power may go through logarithms."""
        return self.multiply([a] * exponent) if exponent else self.number(Fraction(1))

    def call(self, function: str, args: list[A]) -> A:
        return self.library.functions[function](*self._fitting(args))

    def matmul(self, a: A, b: A) -> A:
        return a @ b

    def transpose(self, a: A) -> A:
        return a.mT

    def diagonal(self, a: A) -> A:
        rows = a.shape[-2]
        here = self.library.array([[float(i == j) for j in range(rows)] for i in range(rows)]) > 0
        return self.library.where(here, a, self.number(Fraction(0)))

    def stack(self, parts: list[A]) -> A:
        batch = max(part.shape[0] for part in parts)
        wide = [self.library.broadcast(part, (batch, *part.shape[1:])) for part in parts]
        return self.library.concatenate(wide, -2)

    def rows(self, a: A, start: int, stop: int) -> A:
        return a[..., start:stop, :]

    def sum(self, a: A) -> A:
        return a.sum((-2, -1), keepdims=True)

    def logsumexp(self, a: A) -> A:
        return self.library.logsumexp(a)

    def shape(self, a: A) -> tuple[int, int]:
        return a.shape[-2], a.shape[-1]

    def detach(self, a: A) -> A:
        return self.library.detach(a)

    def spread(self, a: A, like: A) -> A:
        self._fitting([a, like])
        return self.library.broadcast(a, tuple(map(max, a.shape, like.shape)))

    def over_batch(self, a: A) -> A:
        return a.sum(0, keepdims=True)

    def _fitting(self, operands: list[A]) -> list[A]:
        """The operands, if all but the 1x1 have one shape: the libraries would spread a row over a column."""
        shapes = {self.shape(a) for a in operands} - {(1, 1)}
        if len(shapes) > 1:
            raise ValueError(f"an elementwise operation on shapes {sorted(shapes)}")
        return operands


# --- a cell on a library ------------------------------------------------------------------------------------


def given(library: Library[A], point: Point) -> Arguments[A]:
    """The numbers of a point as the library's arrays."""
    from backends.points import arguments

    return arguments(point, library.array)


def forward(library: Library[A], cell: Cell, point: Point) -> Arrays:
    """Every defined value, (T, B, *shape)."""
    return _over_time(library, point, _trace(library, cell, given(library, point)), cell.defined)


def gradients(library: Library[A], run: Run[A], point: Point) -> Arrays:
    """What a run gives at a point, as `Backend.gradients` gives it."""
    return shaped(library, point, run(library, given(library, point)))


def by_equations(program: Backward) -> Run[Any]:
    """The gradients by the derived equations."""
    return lambda library, arguments: _backward(library, program, arguments)[0]


def by_differentiation(cell: Cell, differentiate: Differentiate[Any]) -> Run[Any]:
    """The gradients by the library's own differentiation."""

    def run(library: Library[A], arguments: Arguments[A]) -> dict[str, A]:
        at = leaves(cell, arguments)
        _, found = differentiate(lambda moved: (objective(library, cell, moved, arguments), None), at)
        zero = library.array(0.0)
        return {key: at[key] * zero if slope is None else slope for key, slope in found.items()}

    return run


def adjoints(library: Library[A], program: Backward, point: Point) -> Arrays:
    """Every adjoint of every step, as `Backend.adjoints` gives them."""
    _, every = _backward(library, program, given(library, point))
    summed = [
        {
            id_: array.sum(0, keepdims=True) if id_[1:] in program.cell.parameters else array
            for id_, array in step.items()
        }
        for step in every
    ]
    return _over_time(library, point, summed, [id_ for id_, _ in program.adjoints], adjoint=True)


def leaves(cell: Cell, arguments: Arguments[A]) -> dict[str, A]:
    """What a gradient is taken with respect to, by the keys of `Backend.gradients`."""
    found = dict(arguments.parameters)
    found |= {f"{state}_0": arguments.initial[state] for state in cell.states}
    return found | {f"{name}_{t}": x for name in cell.inputs for t, x in enumerate(arguments.inputs[name], 1)}


def objective(library: Library[A], cell: Cell, at: Mapping[str, A], arguments: Arguments[A]) -> A:
    """The sum of every seeded quantity at every step, and of the final states, each times its cotangent.

    Args:
        at: the leaves, which stand in place of those in `arguments`.
    """
    inputs = {
        name: [at.get(f"{name}_{t}", x) for t, x in enumerate(series, 1)] for name, series in arguments.inputs.items()
    }
    moved = replace(
        arguments,
        parameters={name: at[name] for name in cell.parameters},
        initial={state: at[f"{state}_0"] for state in cell.states},
        inputs=inputs,
    )

    def step(states: dict[str, A], now: tuple[dict[str, A], dict[str, A]]) -> tuple[dict[str, A], A]:
        inputs, cotangents = now
        given = {name: [x] for name, x in inputs.items()}
        (values,) = run_forward(cell, moved.parameters, given, states, ArrayArithmetic(library))
        after = {state: library.broadcast(values[state], tuple(states[state].shape)) for state in cell.states}
        return after, reduce(
            add, [(sent * values[name]).sum() for name, sent in cotangents.items()], library.array(0.0)
        )

    states, total = library.fold(step, dict(moved.initial), (moved.inputs, arguments.cotangents))
    return reduce(add, [(sent * states[state]).sum() for state, sent in arguments.final.items()], total)


def fold(step: Callable[..., Any], states: Any, series: tuple[Mapping[str, Sequence[A]], ...]) -> tuple[Any, A]:
    """The states after all steps, and the sum of what the steps give beside them, one step after the other."""
    given = []
    for t in range(len(next(iter(series[0].values())))):
        states, one = step(states, tuple({name: each[t] for name, each in part.items()} for part in series))
        given.append(one)
    return states, reduce(add, given)


def shaped(library: Library[A], point: Point, found: Mapping[str, A]) -> Arrays:
    """Gradients, each a batch of matrices, in their own shapes and as numpy arrays of the dtype."""
    from backends.points import own_shape

    checked = {key: library.checked(f"the gradient of {key}", array) for key, array in found.items()}
    return {key: own_shape(point, key, array).copy() for key, array in checked.items()}


def _trace(library: Library[A], cell: Cell, arguments: Arguments[A]) -> list[dict[str, A]]:
    arithmetic = ArrayArithmetic(library)
    return run_forward(cell, arguments.parameters, arguments.inputs, arguments.initial, arithmetic)


def _backward(
    library: Library[A], program: Backward, arguments: Arguments[A]
) -> tuple[dict[str, A], list[dict[str, A]]]:
    trace = _trace(library, program.cell, arguments)
    return run_backward(program, trace, arguments.cotangents, arguments.final, ArrayArithmetic(library))


def _over_time(
    library: Library[A],
    point: Point,
    trace: Sequence[Mapping[str, A]],
    ids: Sequence[str],
    *,
    adjoint: bool = False,
) -> Arrays:
    """What every step has by these ids, with time in front."""
    import numpy as np

    from backends.points import own_shape

    result = {}
    for id_ in ids:
        name = id_[1:] if adjoint else id_
        steps = [library.checked(f"{id_} at step {t}", step[id_]) for t, step in enumerate(trace, 1)]
        result[id_] = np.stack([own_shape(point, name, step) for step in steps])
    return result


# --- a backend from a library -------------------------------------------------------------------------------


def array_backend(
    library: Callable[[str], AbstractContextManager[Library[Any]]],
    differentiate: Differentiate[Any] | None = None,
    **fields: Any,
) -> Backend:
    """The backend of an array library; `fields` are the rest of what `Backend` has."""

    def run_in(run: Callable[[Library[Any], Any, Point], Arrays]) -> Callable[[Any, Point, str], Arrays]:
        def in_scope(what: Any, point: Point, dtype: str) -> Arrays:
            with library(dtype) as on:
                return run(on, what, point)

        return in_scope

    def derived(on: Library[Any], program: Backward, point: Point) -> Arrays:
        return gradients(on, by_equations(program), point)

    def differentiated(on: Library[Any], cell: Cell, point: Point) -> Arrays:
        assert differentiate
        return gradients(on, by_differentiation(cell, differentiate), replace(point, cell=cell))

    return Backend(
        library=library,
        differentiate=differentiate,
        forward=run_in(forward),
        gradients=run_in(derived),
        adjoints=run_in(adjoints),
        autograd=run_in(differentiated) if differentiate else None,
        **fields,
    )
