"""Derivatives through all steps, where one within its step stands beside them."""

from derivations.expression import Derivative, Expr
from derivations.marking.judged import Judged
from derivations.marking.understanding import Understanding
from derivations.marking.world import OVER_TIME


def through_all(reading: Understanding, judged: Judged) -> Expr | None:
    """The derivative through all steps, where the sheet has such and this one is within its step alone."""
    match judged.quantity:
        case Derivative(of, wrt, "total") if reading.sheet.numbered and wrt in reading.course.cell.parameters:
            over = Derivative(of, wrt, OVER_TIME)
            others = [j for j in reading.judged if j.right and _is_through_all(reading, j)]
            value, step = judged.value, judged.line.step
            if others and value is not None and not reading.course.agrees(value, over, reading.view, step):
                return over
    return None


def _is_through_all(reading: Understanding, judged: Judged) -> bool:
    """Whether a line gives a derivative through all steps, and not one within its step."""
    match judged.quantity:
        case Derivative(of, wrt, kind) if kind == OVER_TIME and judged.value is not None:
            within = Derivative(of, wrt, "total")
            return not reading.course.agrees(judged.value, within, reading.view, judged.line.step)
    return False
