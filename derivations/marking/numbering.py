"""Expressions in the names of a sheet that writes its steps as numbers: `h[t-1]` at step 2 is its `h1`."""

import re
from collections.abc import Mapping

from derivations.cell import Cell
from derivations.expression import Adjoint, Expr, Name, TimeSum, Total, rewrite, total
from derivations.marking.addends import at_step
from derivations.marking.world import on_leaves

_NUMBER = re.compile(r"\d(?=\D*$)")


def at_numbers(expr: Expr, theirs: Mapping[str, str], cell: Cell, step: int, steps: int) -> Expr:
    """An expression at a step in their names.

    Args:
        theirs: by the id of a quantity at its own step, a name of theirs for it at some step, as `d2` for `da_h`.
    """

    def over_steps(node: Expr) -> Expr | None:
        match node:
            case TimeSum(arg):
                return total(*(at_step(arg, s - step) for s in range(1, steps + 1)))
            case Total(of):
                return total(*(at_step(Adjoint(of), s - step) for s in range(1, steps + 1)))
        return None

    def named(node: Expr) -> Expr | None:
        match node:
            case Name(id_) | Adjoint(id=id_):
                plain, _, by = id_.partition("@")
                before = plain in cell.previous
                own = cell.states[cell.previous.index(plain)] if before else plain
                at = step + int(by or 0) - before
                if plain in cell.parameters:
                    return Name(theirs.get(plain, plain))
                return Name(_NUMBER.sub(str(at), theirs[own], count=1) if own in theirs else f"{own}{at}")
        return None

    return rewrite(on_leaves(rewrite(expr, over_steps)), named)
