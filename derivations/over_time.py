"""A backward program over several steps, modulo a prime: against forward mode, and where it is zero."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product as combinations
from typing import Any

from derivations.batched import Batch, Batched
from derivations.cell import Cell
from derivations.components import matrix
from derivations.duals import Duals
from derivations.equality import Proof, Status
from derivations.matrices import Matrix, ShapeError
from derivations.program import Backward, Run, backward_run, run_backward, run_forward
from derivations.residues import Residue, Residues

Residual = Matrix[Residue]
BATCH = 2  # that a mean over the batch is seen not to be the sum


@dataclass(frozen=True)
class _Given:
    """All that a run is given, drawn at one random point."""

    parameters: Mapping[str, Any]
    inputs: Mapping[str, list[Any]]
    initial: Mapping[str, Any]
    cotangents: Mapping[str, list[Any]]
    final: Mapping[str, Any]

    def trace(self, cell: Cell, arithmetic: Any) -> list[dict[str, Any]]:
        return run_forward(cell, self.parameters, self.inputs, self.initial, arithmetic)


def over_time(program: Backward, *, steps: int | None = None, seed: int = 1, vector: bool = False) -> Proof:
    """Every gradient of a program at one random point modulo a prime: refuted, or right with overwhelming odds.

    Args:
        steps: T; as many as show whatever is wrong in how the steps are joined, where not given.
        vector: with the sizes of `components.py`; otherwise in the scalar view, where stacks allow it.
    """
    try:
        steps = program.reach if steps is None else steps
        return unrolled(program.cell, steps=steps, seed=seed, vector=vector).proof(program)
    except ZeroDivisionError as error:
        return Proof(Status.REFUTED, str(error))


@dataclass(frozen=True)
class Unrolled:
    """A cell over several steps at one random point modulo a prime, with the slopes that forward mode gives there.

    Attributes:
        each: what every sequence is given, and `given` the batch of them.
        slopes: gradients by name, each a batch of matrices, as far as they have been asked for.
        known: a run of a program that has been found right, of which others share most equations.
    """

    cell: Cell
    each: tuple[_Given, ...]
    given: _Given
    point: Residues
    trace: list[dict[str, Batch[Residual]]]
    slopes: dict[str, Batch[Residual]] = field(default_factory=dict)
    known: list[Run[Batch[Residual]]] = field(default_factory=list)

    def slope(self, name: str) -> Batch[Residual]:
        """What the gradient by a name is, by forward mode."""
        if name not in self.slopes:
            own = tuple(_slope(self.cell, given, self.point, name) for given in self.each)
            self.slopes[name] = (self.point.add(list(own)),) if name in self.cell.parameters else own
        return self.slopes[name]

    def proof(self, program: Backward) -> Proof:
        """Whether every gradient of a program is the slope, over these steps."""
        before = self.known[0] if self.known else None
        try:
            given = self.given
            run = backward_run(program, self.trace, given.cotangents, given.final, Batched(self.point), before)
            for key, gradient in run.gradients.items():
                if before is not None and gradient is before.gradients[key]:
                    continue
                if where := _differing(gradient, self.slope(key)):
                    steps = len(self.trace)
                    return Proof(Status.REFUTED, f"{key}{where} over {steps} step{'s' if steps > 1 else ''}")
        except (ShapeError, ZeroDivisionError) as error:
            return Proof(Status.REFUTED, str(error))
        if before is None:
            self.known.append(run)
        return Proof(Status.PROVED)


def _differing(ours: Batch[Residual], due: Batch[Residual]) -> str:
    """The first entry that differs; empty if none does."""
    for b in range(max(len(ours), len(due))):
        mine, right = ours[b if len(ours) > 1 else 0], due[b if len(due) > 1 else 0]
        if (len(mine), len(mine[0])) != (len(right), len(right[0])):
            return f" of shape {len(mine)}x{len(mine[0])}"
        for i, j in combinations(range(len(right)), range(len(right[0]))):
            if not mine[i][j].equals(right[i][j]):
                return f"[{i},{j}]"
    return ""


def unrolled(cell: Cell, *, steps: int = 3, seed: int = 1, vector: bool = False, batch: int = BATCH) -> Unrolled:
    """A cell over T steps for a batch of sequences, which share its parameters."""
    point = Residues(seed)
    each = tuple(_drawn(cell, point, steps, vector, sequence) for sequence in range(batch))
    given = _Given(
        parameters={name: (value,) for name, value in each[0].parameters.items()},
        inputs=_joined([one.inputs for one in each]),
        initial={name: tuple(one.initial[name] for one in each) for name in cell.states},
        cotangents=_joined([one.cotangents for one in each]),
        final={name: tuple(one.final[name] for one in each) for name in cell.states},
    )
    return Unrolled(cell, each, given, point, given.trace(cell, Batched(point)))


def _joined(each: list[Mapping[str, list[Any]]]) -> dict[str, list[Any]]:
    return {name: list(zip(*(one[name] for one in each), strict=True)) for name in each[0]}


def _slope(cell: Cell, given: _Given, point: Residues, moved: str) -> Residual:
    """The objective's slope along every entry of one leaf, for one sequence."""
    duals = Duals(point)
    weights = [(w, t, name) for name, column in given.cotangents.items() for t, w in enumerate(column)]
    weights += [(given.final[name], -1, name) for name in cell.states]
    leaves = {**given.parameters, **{f"{name}_0": value for name, value in given.initial.items()}}
    leaves |= {f"{name}_{t}": value for name in cell.inputs for t, value in enumerate(given.inputs[name], 1)}

    def along(row: int, column: int) -> Residue:
        def lift(key: str, value: Residual) -> Any:
            return duals.seeded(value, row, column) if key == moved else duals.constant(value)

        lifted = _Given(
            {name: lift(name, value) for name, value in given.parameters.items()},
            {name: [lift(f"{name}_{t}", v) for t, v in enumerate(values, 1)] for name, values in given.inputs.items()},
            {name: lift(f"{name}_0", value) for name, value in given.initial.items()},
            given.cotangents,
            given.final,
        )
        trace = lifted.trace(cell, duals)
        parts = [point.sum(point.multiply([weight, duals.slopes(trace[t][name])])) for weight, t, name in weights]
        return point.add(parts)[0][0]

    rows, columns = point.shape(leaves[moved])
    return [[along(i, j) for j in range(columns)] for i in range(rows)]


def vanishing(program: Backward, *, steps: int, seeds: Iterable[int] = (1, 2), vector: bool = False) -> frozenset[str]:
    """The gradients that are zero whatever the numbers: those that vanish at random points modulo a prime."""
    found: frozenset[str] | None = None
    for seed in seeds:
        point = Residues(seed)
        gradients = _gradients(program, _drawn(program.cell, point, steps, vector), point)
        zero = frozenset(name for name, g in gradients.items() if all(not x.value for row in g for x in row))
        found = zero if found is None else found & zero
    return found or frozenset()


def _gradients(program: Backward, given: _Given, point: Residues) -> dict[str, Residual]:
    trace = given.trace(program.cell, point)
    return run_backward(program, trace, given.cotangents, given.final, point)[0]


def _drawn(cell: Cell, point: Residues, steps: int, vector: bool, sequence: int = 0) -> _Given:
    """What one sequence is given; parameters are the same for every sequence."""
    one = not vector and not cell.stacked
    own = f"#{sequence}" if sequence else ""

    def numbers(names: Iterable[str], tag: str = "") -> dict[str, Residual]:
        return {name: matrix(f"{name}{tag}", cell.shapes[name], point.drawn, one=one) for name in names}

    def series(names: Iterable[str], tag: str) -> dict[str, list[Residual]]:
        return {name: [numbers([name], f"{tag}{t}{own}")[name] for t in range(steps)] for name in names}

    return _Given(
        parameters=numbers(cell.parameters),
        inputs=series(cell.inputs + cell.targets, "@"),
        initial=numbers(cell.states, f"_0{own}"),
        cotangents=series(cell.seeded, "_out"),
        final=numbers(cell.states, f"_T{own}"),
    )
