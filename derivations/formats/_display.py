"""What a notebook shows of an object: one formula between dollar signs."""

from typing import Any

from derivations.boxes import latex
from derivations.cell import Cell
from derivations.derive import Derivation, Rule, Step
from derivations.expression import Expr, Name, scalar_view
from derivations.formats._breaking import broken
from derivations.formats._shown import has_stacks
from derivations.notation import Notation, for_names
from derivations.typeset import to_latex, typeset

ROOM = 45.0  # of a right-hand side, in ems


def latex_display(shown: Expr | Step | Derivation | Cell, cell: Cell | None = None, **choices: Any) -> str:
    """An expression, a step, a whole derivation or a cell as `$\\displaystyle ...$`.

    Args:
        cell: whose names an expression or a step is in; without it every name is taken to change over time.
        choices: of the notation: `adjoint`, `view`, `time`.
    """
    notation = _notation(shown, cell, choices)
    match shown:
        case Derivation(steps=steps):
            pairs = [(step.lhs, step.rhs) for step in steps if step.rule is not Rule.PARTIAL]
        case Cell(equations=equations):
            pairs = [(Name(equation.target), equation.rhs) for equation in equations]
        case Step(lhs=lhs, rhs=rhs):
            pairs = [(lhs, rhs)]
        case _:
            return rf"$\displaystyle {to_latex(_seen(shown, notation), notation)}$"
    return rf"$\displaystyle {_aligned(pairs, notation)}$"


def _notation(shown: Expr | Step | Derivation | Cell, cell: Cell | None, choices: dict[str, Any]) -> Notation:
    if isinstance(shown, Derivation):
        cell = shown.cell
    elif isinstance(shown, Cell):
        cell = shown
    if cell is None:
        return Notation(**choices)
    if has_stacks(cell):
        choices = choices | {"view": "vector"}
    return for_names(cell.parameters, cell.shapes, **choices)


def _seen(expr: Expr, notation: Notation) -> Expr:
    return scalar_view(expr) if notation.view == "scalar" else expr


def _aligned(pairs: list[tuple[Expr, Expr]], notation: Notation) -> str:
    """The equations aligned at their signs; one that fits on a line stands alone."""
    rows = []
    for lhs, rhs in pairs:
        first, *others = map(latex, broken(_seen(rhs, notation), notation, ROOM))
        rows.append(f"{latex(typeset(lhs, notation))} &= {first}")
        rows += [rf"&\quad {other}" for other in others]
    if len(rows) == 1:
        return rows[0].replace("&= ", "= ", 1)
    return r"\begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}"
