"""Loops over time that run forwards, where errors come back from later steps: one mistake, at the `for`."""

from derivations.cell import prev
from derivations.expression import Adjoint, Expr, Shift, rewrite, total
from derivations.understanding import Judged, Understanding

WORDS = "time is walked forwards where it must go backwards: errors come back from step t+1, in reversed order"


def runs_forwards(reading: Understanding) -> frozenset[int]:
    """The lines of the `for` of loops that run through the steps in their order."""
    steps: dict[int, list[int]] = {}
    for judged in reading.judged:
        if judged.line.loop is not None:
            steps.setdefault(judged.line.header, []).append(judged.line.step)
    return frozenset(header for header, each in steps.items() if each == sorted(each) and each[0] < each[-1])


def right_backwards(reading: Understanding, judged: Judged) -> bool:
    """Whether a line of such a loop is right if what it takes from the step before came from the step after.

    In the first round there is nothing before.
    """
    if judged.said is None or judged.quantity is None or judged.value is None:
        return False
    match judged.quantity:
        case Adjoint(of, "") if of in reading.course.cell.states and judged.line.step == 1:
            terms = reading.course.derivation.adjoint_of[of].terms
            rest = total(*(term.expr for term in terms if term.via != "t+1"))
            if reading.course.agrees(judged.value, rest, reading.view, judged.line.step):
                return True
    carried = {Shift(Adjoint(prev(state)), -1): Adjoint(state, "next") for state in reading.course.cell.states}

    def rule(node: Expr) -> Expr | None:
        return carried.get(node) if isinstance(node, Shift) else None

    said = rewrite(judged.said, rule)
    value = reading.value_of(said, judged.line.step)
    return said != judged.said and value is not None and reading.course.agrees(
        value, judged.quantity, reading.view, judged.line.step
    )  # fmt: skip
