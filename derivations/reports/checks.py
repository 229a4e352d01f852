"""What is said of checks: how many quantities each backend got right, where a point says nothing, what is wrong."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from derivations.document import Block, Items, Paragraph, Table, Text


class Check(Protocol):
    """What a check says of one quantity, computed by one backend in one format at some points."""

    @property
    def quantity(self) -> str: ...
    @property
    def backend(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def point(self) -> str: ...
    @property
    def error(self) -> float: ...
    @property
    def verdict(self) -> Any: ...
    @property
    def note(self) -> str: ...


@dataclass(frozen=True)
class Checked:
    """Everything that was held against something.

    Attributes:
        checks: one a quantity, backend, format and point.
        proved: how many steps of the derivation were proved, of how many.
        exact: what the exact layer found at each point: the point's name, and how many entries disagree.
        missing: backends that are not installed, with the command that installs each.
        refuted: the steps and facts that are refuted; a step that only agrees at some points is none of them.
        facts: the cell's own claims, each with what came of its proof.
    """

    checks: tuple[Any, ...] = ()
    proved: tuple[int, int] | None = None
    exact: tuple[tuple[str, int], ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    refuted: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether anything is shown to be wrong, or was never shown to be right."""
        failed = any(verdict(check) == "FAIL" for check in self.checks)
        return bool(failed or self.refuted or any(count for _, count in self.exact) or self.never_right)

    @property
    def never_right(self) -> tuple[str, ...]:
        """Gradients that no float64 point of a backend let pass, whatever was differentiated: shown by nothing."""
        passed: dict[tuple[str, str], bool] = {}
        for check in self.checks:
            if check.dtype == "float64":
                key = (check.backend, check.quantity.rpartition("/d")[2])
                passed[key] = passed.get(key, False) or verdict(check) == "PASS"
        return tuple(f"{quantity} on {backend}" for (backend, quantity), right in passed.items() if not right)


def verdict(check: Check) -> str:
    """PASS, FAIL or NO INFORMATION."""
    return str(getattr(check.verdict, "value", check.verdict))


def check_records(checked: Checked) -> dict[str, Any]:
    """The checks for programs; a non-finite error is null."""
    finite = [c.error for c in checked.checks if math.isfinite(c.error)]
    return {
        "checks": [
            {
                "quantity": c.quantity,
                "backend": c.backend,
                "dtype": c.dtype,
                "point": c.point,
                "error": c.error if math.isfinite(c.error) else None,
                "verdict": verdict(c),
            }
            for c in checked.checks
        ],
        "worst": max(finite, default=None),
        "proved": None if checked.proved is None else {"proved": checked.proved[0], "steps": checked.proved[1]},
        "refuted": list(checked.refuted),
        "facts": [{"fact": fact, "verdict": said} for fact, said in checked.facts],
        "exact": [{"point": point, "disagreements": count} for point, count in checked.exact],
        "missing": [name for name, _ in checked.missing],
    }


def check_blocks(checked: Checked, *, verbose: bool = False) -> list[Block]:
    """The checks for readers: a summary, every failure, and every check if `verbose`."""
    blocks: list[Block] = []
    sentences: list[Text] = []
    if checked.proved is not None:
        done, steps = checked.proved
        sentences.append((f"{done} of {steps} steps of the derivation are proved.",))
    if checked.exact:
        points = together(point for point, _ in checked.exact)
        wrong = sum(count for _, count in checked.exact)
        said = "agrees" if not wrong else f"DISAGREES in {wrong} entries"
        sentences.append((f"The derivation {said} with forward-mode jets in ball arithmetic: {points}.",))
    sentences += [(f"The fact {fact}: {said}.",) for fact, said in checked.facts]
    if sentences:
        blocks.append(Items(tuple(sentences)))
    blocks += [Paragraph((f"Refuted: {what}",), "bad") for what in checked.refuted]
    if checked.checks:
        blocks.append(_summary(checked.checks))
    failures = [c for c in checked.checks if verdict(c) == "FAIL"]
    for check in failures[:12]:
        where = f"{check.quantity} on {check.backend} ({check.dtype}, {check.point})"
        blocks.append(Paragraph((f"FAIL: {where}: E = {check.error:.3g}. {check.note}",), "bad"))
    if len(failures) > 12:
        blocks.append(Paragraph((f"and {len(failures) - 12} more failures",), "bad"))
    if checked.never_right:
        said = ", ".join(checked.never_right[:12])
        blocks.append(Paragraph((f"Never shown right in float64: {said}.",), "bad"))
    for name, command in checked.missing:
        blocks.append(Paragraph((f"{name} is not installed, and was not checked: {command}",), "quiet"))
    silent = [c for c in checked.checks if verdict(c) == "NO INFORMATION"]
    if silent:
        blocks.append(Paragraph((_SILENCE,), "quiet"))
    if verbose and checked.checks:
        blocks.append(_every(checked.checks))
    return blocks


_SEED = re.compile(r"(?P<of>.*?)(, )?seed (?P<one>\d+)")
_PART = re.compile(r"(?P<of>.*) \((?P<one>.*)\)")


def together(points: Iterable[str]) -> str:
    """Names of points with what they share said once: "scalar (seeds 1, 2, 3), notebook (dh, dc)"."""
    groups: dict[tuple[str, str], list[str]] = {}
    for point in points:
        if found := _SEED.fullmatch(point):
            groups.setdefault((found["of"], "seed"), []).append(found["one"])
        elif found := _PART.fullmatch(point):
            groups.setdefault((found["of"], ""), []).append(found["one"])
        else:
            groups.setdefault((point, ""), [])
    return ", ".join(_group(of, kind, ones) for (of, kind), ones in groups.items())


def _group(of: str, kind: str, ones: list[str]) -> str:
    words = f"{kind}{'s' if kind and len(ones) > 1 else ''} {', '.join(ones)}".strip()
    return f"{of} ({words})" if of and words else of or words


_SILENCE = (
    "A point says nothing of a quantity where a right program may be off by more than a sixteenth of its value: gates"
    " that are shut or open to the last digit leave no digits to compare."
)


def _summary(checks: Sequence[Check]) -> Table:
    """A row a backend and point, a column a format: how many quantities are right."""
    formats = list(dict.fromkeys(c.dtype for c in checks))
    rows = []
    for backend, point in dict.fromkeys((c.backend, c.point) for c in checks):
        row: list[Text] = [(backend,), (point,)]
        for dtype in formats:
            row.append((_count(c for c in checks if (c.backend, c.point, c.dtype) == (backend, point, dtype)),))
        rows.append(tuple(row))
    header: tuple[Text, ...] = (("computed by",), ("at",), *((dtype,) for dtype in formats))
    return Table(header, tuple(rows), "ll" + "l" * len(formats))


def _count(checks: Iterable[Check]) -> str:
    verdicts = [verdict(check) for check in checks]
    if not verdicts:
        return "-"
    said = [f"{verdicts.count('PASS')} right"]
    if silent := verdicts.count("NO INFORMATION"):
        said.append(f"{silent} say nothing")
    if wrong := verdicts.count("FAIL"):
        said.append(f"{wrong} WRONG")
    return ", ".join(said)


def _every(checks: Sequence[Check]) -> Table:
    rows = tuple(
        ((c.quantity,), (c.backend,), (c.dtype,), (c.point,), (f"{c.error:.2g}",), (verdict(c),)) for c in checks
    )
    header: tuple[Text, ...] = (("quantity",), ("computed by",), ("format",), ("at",), ("E",), ("verdict",))
    return Table(header, rows, "llllrl")
