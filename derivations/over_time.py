"""A backward program over several steps, modulo a prime: against forward mode, and where it is zero."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product as combinations
from typing import Any

from derivations.cell import Cell
from derivations.components import matrix
from derivations.duals import Duals
from derivations.equality import Proof, Status
from derivations.matrices import Matrix, MatrixArithmetic
from derivations.program import Backward, run_backward, run_forward
from derivations.residues import Residue, Residues

Residual = Matrix[Residue]


@dataclass(frozen=True)
class _Given:
    """All that a run is given, drawn at one random point."""

    parameters: Mapping[str, Any]
    inputs: Mapping[str, list[Any]]
    initial: Mapping[str, Any]
    cotangents: Mapping[str, list[Any]]
    final: Mapping[str, Any]

    def trace(self, cell: Cell, arithmetic: MatrixArithmetic[Any]) -> list[dict[str, Any]]:
        return run_forward(cell, self.parameters, self.inputs, self.initial, arithmetic)


def over_time(program: Backward, *, steps: int = 3, seed: int = 1, vector: bool = False) -> Proof:
    """Every gradient of a program at one random point modulo a prime: refuted, or right with overwhelming odds.

    Args:
        steps: T, at least 3 to see first, middle and last steps apart.
        vector: with the sizes of `components.py`; otherwise in the scalar view, where stacks allow it.
    """
    cell, point = program.cell, Residues(seed)
    given, duals = _drawn(cell, point, steps, vector), Duals(point)

    def slope(moved: str, row: int, column: int) -> Residue:
        """The objective's slope along one entry of one leaf."""

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
        weighted = [(w, trace[t][name]) for name, column in given.cotangents.items() for t, w in enumerate(column)]
        weighted += [(given.final[name], trace[-1][name]) for name in cell.states]
        parts = [point.sum(point.multiply([weight, duals.slopes(value)])) for weight, value in weighted]
        return point.add(parts)[0][0]

    try:
        for key, gradient in _gradients(program, given, point).items():
            for i, j in combinations(range(len(gradient)), range(len(gradient[0]))):
                if not gradient[i][j].equals(slope(key, i, j)):
                    return Proof(Status.REFUTED, f"{key}[{i},{j}] over {steps} steps")
    except ZeroDivisionError as error:
        return Proof(Status.REFUTED, str(error))
    return Proof(Status.PROVED)


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


def _drawn(cell: Cell, point: Residues, steps: int, vector: bool) -> _Given:
    one = not vector and not cell.stacked

    def numbers(names: Iterable[str], tag: str = "") -> dict[str, Residual]:
        return {name: matrix(f"{name}{tag}", cell.shapes[name], point.drawn, one=one) for name in names}

    def series(names: Iterable[str], tag: str) -> dict[str, list[Residual]]:
        return {name: [numbers([name], f"{tag}{t}")[name] for t in range(steps)] for name in names}

    return _Given(
        parameters=numbers(cell.parameters),
        inputs=series(cell.inputs + cell.targets, "@"),
        initial=numbers(cell.states, "_0"),
        cotangents=series(cell.seeded, "_out"),
        final=numbers(cell.states, "_T"),
    )
