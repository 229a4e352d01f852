"""A claimed total derivative within a step, proved against forward mode on the equations of the whole step."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product as combinations
from typing import Any

from derivations.cell import Cell
from derivations.components import defined, opaque
from derivations.duals import Duals
from derivations.equality import Entry, Proof, decided
from derivations.expression import Expr, evaluate, scalar_view
from derivations.matrices import MatrixArithmetic


def prove_total(cell: Cell, of: str, wrt: str, claimed: Expr, *, vector: bool = False) -> Proof:
    """Whether d(of)/d(wrt) within a step is what is claimed; previous states and parameters are held fixed.

    Args:
        claimed: in named values. With `vector` it is the slope on the diagonal, where both are vectors of one size.
    """

    def claim(arithmetic: MatrixArithmetic[Any], scalar: Callable[[str], Any]) -> Iterator[Entry]:
        given, duals = opaque(cell, scalar, one=not vector), Duals(arithmetic)
        others = [name for name in cell.defined if name != wrt]
        values = defined(cell, others, given, arithmetic)
        expected = evaluate(claimed if vector else scalar_view(claimed), values, arithmetic)
        zero = arithmetic.scalar(Fraction(0))
        for row, column in combinations(*(range(extent) for extent in arithmetic.shape(values[wrt]))):
            moving = {name: duals.constant(value) for name, value in given.items()}
            moving[wrt] = duals.seeded(values[wrt], row, column)
            moving = defined(cell, others, moving, duals)
            for j, line in enumerate(duals.slopes(moving[of])):
                for i, slope in enumerate(line):
                    diagonal = cell.shapes[of] == cell.shapes[wrt]
                    entry = expected[j if len(expected) > 1 else 0][0]
                    where = f"d{of}[{j},{i}]/d{wrt}[{row},{column}]"
                    yield where, entry if not diagonal or (j, i) == (row, column) else zero, slope

    return decided(claim)
