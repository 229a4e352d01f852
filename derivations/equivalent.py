"""Whether a changed backward program is the right one in other words: proved, never sampled.

Both programs are run in the algebra of `algebra.py`, whose values are ratios of polynomials in names. At first every
forward value and every adjoint is a name of its own, so that what is equal is equal whatever the cell computes; where
that is not enough, adjoints are written out by their equations, and then forward values too.

Where only equations of one step differ, one step with arbitrary cotangents from outside and from step t+1 is a proof
for every T: what comes back to step t-1 is the same (the gradient of the initial state is that), and so on. What joins
the steps is held against the right program over as many steps as show every difference in it (`Backward.reach`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from derivations.algebra import Algebra, TooLarge, indeterminate
from derivations.batched import Batch, Batched
from derivations.cell import Cell, prev
from derivations.components import matrix, opaque
from derivations.equality import Entry, Proof, Status, decided, same
from derivations.expression import Num, evaluate
from derivations.matrices import MatrixArithmetic, ShapeError
from derivations.program import Backward, Run, backward_run, run_forward

Scalar = Callable[[str], Any]


class Equality:
    """What a backward program is held against: the right one, in the scalar or in the vector view."""

    def __init__(self, right: Backward, *, vector: bool) -> None:
        self.right, self.one = right, not vector and not right.cell.stacked
        self._shared: dict[tuple[int, int, bool], _Shared | None] = {}

    def proof(self, program: Backward) -> Proof:
        """Whether a program gives the gradients of the right one, for all numbers."""
        steps, batch = self._extent(program)
        if self._equation_by_equation(program):
            return Proof(Status.PROVED)
        for by_name in (True, False):
            shared = self._known(steps, batch, by_name)
            if shared is not None and shared.equal(program):
                return Proof(Status.PROVED)
        return decided(lambda arithmetic, scalar: self._claim(program, arithmetic, scalar, steps, batch))

    def _equation_by_equation(self, program: Backward) -> bool:
        """Whether only adjoint equations differ, and each of them is the right one as it stands."""
        if replace(program, adjoints=self.right.adjoints) != self.right:
            return False
        algebra = Algebra()
        values = opaque(program.cell, indeterminate, one=self.one)
        try:
            for (id_, ours), (_, right) in zip(program.adjoints, self.right.adjoints, strict=True):
                if isinstance(right, Num):
                    values[id_] = algebra.spread(algebra.number(right.value), values[id_])
                if ours is not right:
                    due = algebra.spread(evaluate(right, values, algebra), values[id_])
                    found = algebra.spread(evaluate(ours, values, algebra), values[id_])
                    if not all(algebra.equal(a, b) for _, a, b in same(id_, found, due)):
                        return False
        except (TooLarge, ShapeError, ZeroDivisionError):
            return False
        return True

    def _extent(self, program: Backward) -> tuple[int, int]:
        """How many steps and sequences show every difference that there can be."""
        right = self.right
        joined = replace(program, adjoints=right.adjoints, gradients=right.gradients, averaged=right.averaged)
        # Of one step the gradient of the initial state is seen, and with it what is carried if they are the same.
        within = joined == right and dict(right.initial) == dict(right.carry)
        return 1 if within else max(right.reach, program.reach), 2 if program.averaged != right.averaged else 1

    def _known(self, steps: int, batch: int, by_name: bool) -> "_Shared | None":
        key = (steps, batch, by_name)
        if key not in self._shared:
            try:
                given = _given(self.right.cell, Algebra(), indeterminate, steps, batch, by_name=by_name, one=self.one)
                self._shared[key] = _Shared(given, self.right)
            except (TooLarge, ZeroDivisionError):
                self._shared[key] = None
        return self._shared[key]

    def _claim(
        self, program: Backward, arithmetic: MatrixArithmetic[Any], scalar: Scalar, steps: int, batch: int
    ) -> Iterator[Entry]:
        given = _given(program.cell, arithmetic, scalar, steps, batch, by_name=False, one=self.one)
        ours, right = given.run(program).gradients, given.run(self.right).gradients
        for name in right:
            for a, b in zip(ours[name], right[name], strict=True):
                yield from same(name, a, b)


@dataclass(frozen=True)
class _Given:
    """A trace of names or of formulas, and what enters from outside."""

    arithmetic: MatrixArithmetic[Any]
    trace: list[dict[str, Batch[Any]]]
    cotangents: Mapping[str, list[Batch[Any]]]
    final: Mapping[str, Batch[Any]]

    def run(self, program: Backward, known: Run[Batch[Any]] | None = None) -> Run[Batch[Any]]:
        return backward_run(program, self.trace, self.cotangents, self.final, Batched(self.arithmetic), known)


@dataclass(frozen=True)
class _Shared:
    """The right program's run in one algebra, of which other programs share most."""

    given: _Given
    right: Backward

    @cached_property
    def known(self) -> Run[Batch[Any]]:
        return self.given.run(self.right)

    def equal(self, program: Backward) -> bool:
        algebra: Any = self.given.arithmetic
        try:
            found = self.given.run(program, self.known).gradients
            return all(
                algebra.equal(a, b)
                for name, right in self.known.gradients.items()
                if found[name] is not right
                for ours, due in zip(found[name], right, strict=True)
                for _, a, b in same(name, ours, due)
            )
        except (TooLarge, ShapeError, ZeroDivisionError):
            return False


def _given(
    cell: Cell,
    arithmetic: MatrixArithmetic[Any],
    scalar: Scalar,
    steps: int,
    batch: int,
    *,
    by_name: bool,
    one: bool,
) -> _Given:
    """Unknowns for all that a run is given; of every forward value too, if `by_name`."""

    def unknown(name: str, tag: str = "") -> Batch[Any]:
        sequences = ("",) if name in cell.parameters else tuple(f"#{b}" for b in range(batch))
        own = (f"{name}{tag}{sequence}" for sequence in sequences)
        return tuple(matrix(id_, cell.shapes[name], scalar, one=one) for id_ in own)

    parameters = {name: unknown(name) for name in cell.parameters}
    inputs = {name: [unknown(name, f"@{t}") for t in range(steps)] for name in (*cell.inputs, *cell.targets)}
    states = {state: unknown(state, "_0") for state in cell.states}
    trace: list[dict[str, Batch[Any]]] = []
    if by_name:
        for t in range(steps):
            values = parameters | {name: series[t] for name, series in inputs.items()}
            values |= {prev(state): states[state] for state in cell.states}
            values |= {name: unknown(name, f"@{t}") for name in cell.defined}
            states = {state: values[state] for state in cell.states}
            trace.append(values)
    else:
        trace = run_forward(cell, parameters, inputs, states, Batched(arithmetic))
    return _Given(
        arithmetic,
        trace,
        {name: [unknown(name, f"_out{t}") for t in range(steps)] for name in cell.seeded},
        {state: unknown(state, "_T") for state in cell.states},
    )
