"""Sheets of which every gradient would be wrong: it is rather the reading that is at fault."""

import re
from collections.abc import Sequence
from dataclasses import replace

from derivations.marking.marked import Mark, Verdict

MOST_WRONG = 2  # lines that may be wrong on a sheet where none is right
_GRADIENT = re.compile(r"(?:a part of )?\[*(?:d|grad_)")


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
