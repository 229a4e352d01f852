"""Loops over time that run forwards, where errors come back from later steps: one mistake, at the `for`."""

from collections.abc import Collection

from derivations.cell import prev
from derivations.expression import Adjoint, Expr, Shift, rewrite, total
from derivations.marking.judged import Judged
from derivations.marking.sheet import free
from derivations.marking.understanding import Understanding

WORDS = "time is walked forwards where it must go backwards: errors come back from step t+1, in reversed order"


def runs_forwards(reading: Understanding) -> frozenset[int]:
    """The lines of the `for` of loops that run through the steps in their order."""
    steps: dict[int, list[int]] = {}
    for judged in reading.judged:
        if judged.line.loop is not None:
            steps.setdefault(judged.line.header, []).append(judged.line.step)
    return frozenset(header for header, each in steps.items() if each == sorted(each) and each[0] < each[-1])


def backwards(reading: Understanding, judged: Judged) -> tuple[Expr, Expr] | None:
    """What a line of such a loop says, and what it is then, if what it takes from before came from the step after.

    In the first round there is nothing before. None where it is not right so either.
    """
    quantity, said, value = judged.quantity, judged.said, judged.value
    if said is None or quantity is None or value is None:
        return None
    course, view, step = reading.course, reading.view, judged.line.step
    carried = {Shift(Adjoint(prev(state)), -1): Adjoint(state, "next") for state in course.cell.states}
    turned = rewrite(said, lambda node: carried.get(node) if isinstance(node, Shift) else None)
    at = reading.value_of(turned, step)
    if turned != said and at is not None and course.agrees(at, quantity, view, step):
        return turned, quantity
    if isinstance(quantity, Adjoint) and quantity.of in course.cell.states and step == 1:
        terms = course.derivation.adjoint_of[quantity.of].terms
        rest = total(*(term.expr for term in terms if term.via != "t+1"))
        return (said, rest) if course.agrees(value, rest, view, step) else None
    return None


def reads_of_loops(reading: Understanding, judged: Judged, headers: Collection[int]) -> bool:
    """Whether a line behind loops reads what one of them gives, told by the lines of their `for`."""
    if judged.line.loop is not None or not headers:
        return False
    read = (reading.judged[reading.place[name]] for name in judged.line.uses if not free(name))
    return any(one.line.header in headers for one in read)
