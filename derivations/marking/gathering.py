"""One mark for each place of a file, where a loop over time runs through it several times."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from derivations.marking.judged import Judged
from derivations.marking.marked import Mark, Verdict

_ORDER = (Verdict.WRONG, Verdict.UNREADABLE, Verdict.UNSURE, Verdict.TRUNCATED, Verdict.RIGHT, Verdict.OTHER)


def gathered(judged: Sequence[Judged], marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The marks of a sheet, one for each place: a line of a loop is as wrong as the worst of its rounds.

    A line that is wrong in one round alone says in which. A loop that is too short is charged once, at its `for`.
    """
    found: dict[tuple[int, int, str], Mark] = {}
    rounds: dict[tuple[int, int, str], dict[int, bool]] = {}
    for one, mark in zip(judged, marks, strict=True):
        key = (mark.line, mark.column, mark.text if mark.column else "")
        known = found.get(key)
        if known is None or _ORDER.index(mark.verdict) <= _ORDER.index(known.verdict):
            found[key] = mark
        if one.line.loop is not None:
            rounds.setdefault(key, {})[one.line.step] = mark.verdict is Verdict.WRONG
    headers = {one.line.number: one.line.header for one in judged}
    once: set[str] = set()  # a loop that is too short is one mistake, however many sums it cuts short
    short: dict[int, str] = {}  # loops that are too short: in which round a line shows it
    result = []
    for key in sorted(found, key=lambda k: k[:2]):
        mark = found[key]
        if "left out of the sum over time" in mark.mistake and (at := headers.get(mark.line, 0)):
            if mark.mistake not in once:
                words = "the loop over time is too short: " + mark.mistake
                short[at] = "at the last step alone" if "last step" in mark.mistake else "at the first step alone"
                result.append(Mark(at, 1, "", "", Verdict.WRONG, words))
            once.add(mark.mistake)
            mark = replace(mark, verdict=Verdict.RIGHT, mistake="", correct="", example="")
        elif mark.verdict is Verdict.WRONG and (when := _when(rounds.get(key, {}))):
            mark = replace(mark, mistake=f"{mark.mistake} ({when})")
        result.append(mark)
    result = [_of_loop(mark, headers, short) for mark in result]
    result = [_after_loop(mark, headers, short) for mark in result]
    return tuple(sorted(result, key=lambda m: (m.line, m.column)))


def _of_loop(mark: Mark, headers: Mapping[int, int], short: Mapping[int, str]) -> Mark:
    """A mark, without the mistake that is one of its loop: what comes back is missing in its first round alone."""
    alone = short.get(headers.get(mark.line, 0), "")
    if not alone or "what comes back" not in mark.mistake or not mark.mistake.endswith(f"({alone})"):
        return mark
    return replace(mark, verdict=Verdict.RIGHT, mistake="", correct="", example="")


def _after_loop(mark: Mark, headers: Mapping[int, int], short: Mapping[int, str]) -> Mark:
    """A mark behind a loop that is too short: that what it hands on is of another step is the loop's mistake."""
    behind = any(header < mark.line for header in short) and not headers.get(mark.line, 0)
    if not behind or mark.verdict is not Verdict.WRONG or "the step is wrong" not in mark.mistake:
        return mark
    return replace(mark, verdict=Verdict.RIGHT, mistake="", correct="", example="")


def _when(wrong: dict[int, bool]) -> str:
    """In which round a line is wrong, where it is so in one alone."""
    steps = [step for step, is_wrong in wrong.items() if is_wrong]
    if len(steps) != 1 or len(wrong) < 2:
        return ""
    return {max(wrong): "at the last step alone", min(wrong): "at the first step alone"}.get(steps[0], "")
