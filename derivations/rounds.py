"""Lines of a loop over time that are wrong in one of its rounds alone: the first step, or the last."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from derivations.judged import Judged
from derivations.marked import Mark, Verdict

_STEP = re.compile(r"\b(?:first|last)\b[\w ]* step")


def in_rounds(judged: Sequence[Judged], marks: Sequence[Mark]) -> Iterator[Mark]:
    """The marks; where only the first or the last step of a loop is wrong, the mistake says so."""
    steps: dict[tuple[int, int, str], dict[Verdict, set[int]]] = {}
    for one, mark in zip(judged, marks, strict=True):
        if one.line.loop is not None:
            found = steps.setdefault((mark.line, mark.column, one.line.target), {})
            found.setdefault(mark.verdict, set()).add(one.line.loop)
    for one, mark in zip(judged, marks, strict=True):
        found = steps.get((mark.line, mark.column, one.line.target), {}) if one.line.loop is not None else {}
        wrong = found.get(Verdict.WRONG, set())
        every = set[int]().union(*found.values())
        told = _STEP.search(mark.mistake) or not mark.mistake
        if mark.verdict is Verdict.WRONG and not told and len(wrong) == 1 < len(every):
            which = "first" if wrong == {min(every)} else "last" if wrong == {max(every)} else ""
            mark = replace(mark, mistake=f"at the {which} step: {mark.mistake}") if which else mark
        yield mark
