"""Sheets of which every gradient would be wrong: it is rather the reading that is at fault."""

import re
from collections.abc import Sequence
from dataclasses import replace

from derivations.marking.marked import Mark, Verdict
from derivations.marking.understanding import Understanding

SAID = 0.05  # the cost up to which a name is that of the derivation itself
MOST_WRONG = 2  # lines that may be wrong on a sheet where none is right
_GRADIENT = re.compile(r"(?:a part of )?\[*(?:d|grad_)")


def has_words_of_its_own(reading: Understanding) -> bool:
    """Whether a gradient of the sheet is written in names that are not those of the derivation."""
    for k, judged in enumerate(reading.judged):
        if judged.line.rhs is None or judged.quantity is None:
            continue
        target = reading.readings(judged.line.target, True)[:1]
        frees = (reading.readings(name)[:1] for name in reading.frees(k) if name not in reading.course.cell.shapes)
        if any(not found or found[0].cost > SAID for found in (target, *frees)):
            return True
    return False


def unless_all_are_wrong(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The marks; where many gradients are wrong and none is right, they are unsure, and say why."""
    gradients = [mark for mark in marks if _GRADIENT.match(mark.quantity)]
    right = any(mark.verdict in (Verdict.RIGHT, Verdict.TRUNCATED) for mark in gradients)
    wrong = {mark.line for mark in gradients if mark.verdict is Verdict.WRONG}
    if right or len(wrong) <= MOST_WRONG:
        return tuple(marks)
    why = "no gradient of the sheet is right as it is read; so read: "
    return tuple(
        replace(mark, verdict=Verdict.UNSURE, mistake=why + mark.mistake)
        if mark in gradients and mark.verdict is Verdict.WRONG
        else mark
        for mark in marks
    )
