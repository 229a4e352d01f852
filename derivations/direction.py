"""Loops over time that run forwards, where errors come back from later steps: one mistake, at the `for`."""

from derivations.cell import prev
from derivations.expression import Adjoint, Expr, Shift, rewrite
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
    """Whether a line of such a loop is right if what it takes from the step before came from the step after."""
    if judged.said is None or judged.quantity is None:
        return False
    carried = {Shift(Adjoint(prev(state)), -1): Adjoint(state, "next") for state in reading.course.cell.states}

    def rule(node: Expr) -> Expr | None:
        return carried.get(node) if isinstance(node, Shift) else None

    said = rewrite(judged.said, rule)
    value = reading.value_of(said, judged.line.step)
    return said != judged.said and value is not None and reading.course.agrees(
        value, judged.quantity, reading.view, judged.line.step
    )  # fmt: skip
