"""A mistake in an intermediate of their own that one line adds up, charged where it was made.

`d7 = W_n @ dq`, then `dh_prev = d1 + d7`: what is wrong with the sum is the one term of it that is none of those due.
"""

from collections.abc import Sequence
from dataclasses import replace

from derivations.expression import Add, Expr, Name
from derivations.marking.course import close, fit
from derivations.marking.judged import Judged
from derivations.marking.marked import Mark, Verdict
from derivations.marking.sheet import free
from derivations.marking.understanding import Understanding
from derivations.marking.world import NO_VALUE
from derivations.plain import code


def charged_back(reading: Understanding, marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The marks of the lines, with each such mistake at the intermediate, and the sum of it right."""
    found = list(marks)
    for k, judged in enumerate(reading.judged):
        at = _place(reading, judged) if found[k].verdict is Verdict.WRONG else None
        if at is not None and found[at].verdict is Verdict.OTHER and judged.quantity is not None:
            words = found[k].mistake
            part = f"a part of {code(judged.quantity)}"
            found[at] = replace(found[at], verdict=Verdict.WRONG, mistake=words, quantity=part)
            found[k] = replace(found[k], verdict=Verdict.RIGHT, mistake="", correct="", example="")
    return tuple(found)


def _place(reading: Understanding, judged: Judged) -> int | None:
    """The line of the one term of a sum that is no term of the right one, where all others are."""
    rhs, quantity = judged.line.rhs, judged.quantity
    if not isinstance(rhs, Add) or quantity is None:
        return None
    due = [_value(reading, term, judged.line.step) for term in reading.terms(quantity, judged.line)]
    left = list(due)
    odd: list[Expr] = []
    for term in rhs.terms:
        value = reading.value_of(reading.said(term, judged.line.step), judged.line.step)
        for right in left:
            fitted = fit(value, right, quantity, reading.view) if value is not None and right is not None else None
            if fitted is not None and right is not None and close(fitted, right):
                left.remove(right)
                break
        else:
            odd.append(term)
    if len(odd) != 1 or len(left) != 1 or not isinstance(odd[0], Name) or free(odd[0].id):
        return None
    return reading.place[odd[0].id]


def _value(reading: Understanding, term: Expr, step: int) -> list[list[float]] | None:
    try:
        return reading.course.right(term, reading.view, step)
    except NO_VALUE:
        return None
