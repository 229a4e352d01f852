"""The two sides of gates that are packed as torch packs them: what comes in through x, and through the state before.

Where the reset gate acts on the product of the state, the two have errors of their own: `d_gi` has that of the
candidate's preactivation, `d_gh` that of the product inside the gate.
"""

import re

from derivations.cell import Cell
from derivations.expression import Adjoint, Expr, Stack, names
from derivations.marking.judged import Judged
from derivations.marking.understanding import Understanding

_INPUT = re.compile(r"(?P<stem>d_?g(?:ates?)?_?)(?:i|x|ih|in|inp|input)")
_STATE = re.compile(r"(?P<stem>d_?g(?:ates?)?_?)(?:h|hh|hid|hidden|rec|recurrent)")


def of_the_state(reading: Understanding, judged: Judged) -> Expr | None:
    """What errors that a sheet gives twice, for either side, must be on that of the state; None where that is said."""
    mine = _STATE.fullmatch(judged.line.target)
    if not mine or not isinstance(judged.quantity, Stack):
        return None
    beside = (one for one in reading.judged if one.right and one.quantity == judged.quantity)
    if not any((its := _INPUT.fullmatch(one.line.target)) and its["stem"] == mine["stem"] for one in beside):
        return None
    parts = tuple(_inside(part, reading.course.cell) for part in judged.quantity.parts)
    return Stack(parts) if parts != judged.quantity.parts else None


def _inside(part: Expr, cell: Cell) -> Expr:
    """The error at which the state comes into a preactivation: of `a_n = W @ x + r*q`, where q is of the state, dq."""
    if not isinstance(part, Adjoint) or part.of not in cell.defined:
        return part
    read = names(cell.equation(part.of).rhs)
    if set(cell.previous) & set(read):
        return part
    within = [name for name in read if name in cell.defined and _of_the_state_before(cell, name)]
    return Adjoint(within[0]) if len(within) == 1 else part


def _of_the_state_before(cell: Cell, name: str) -> bool:
    """Whether a quantity is a product of parameters with the state before."""
    read = set(names(cell.equation(name).rhs))
    return bool(read & set(cell.parameters)) and bool(read & set(cell.previous))
