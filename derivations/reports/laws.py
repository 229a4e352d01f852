"""What `derive check --laws` says: which laws every gradient of a cell obeys, exactly and in floating point."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from derivations.cell import Cell
from derivations.document import Block, Document, Heading, Items, Paragraph, Table, Text
from derivations.notation import for_names


@dataclass(frozen=True)
class InNumbers:
    """A law held on the numbers of one backend in one format.

    Attributes:
        error: the largest E of its entries, in units of what right programs may be apart; infinite for what is not
            finite, NaN where that has no bound.
        verdict: PASS, FAIL or NO INFORMATION.
        telling, entries: how many entries are so large beside that bound that they say something, of how many.
        broken: the first quantity that breaks the law.
    """

    backend: str
    dtype: str
    error: float
    verdict: str
    telling: int
    entries: int
    broken: str = ""


@dataclass(frozen=True)
class Held:
    """One law of one cell.

    Attributes:
        unfit: why it says nothing of this cell.
        exact: whether it holds modulo a prime; None where it was not held there.
        broken: the quantities that break it modulo a prime.
    """

    law: str
    sentence: str
    unfit: str = ""
    exact: bool | None = None
    broken: tuple[str, ...] = ()
    numbers: tuple[InNumbers, ...] = ()

    @property
    def wrong(self) -> bool:
        return self.exact is False or any(one.verdict == "FAIL" for one in self.numbers)


@dataclass(frozen=True)
class Lawful:
    """Every law of one cell, and the backends that are not installed with what installs them."""

    laws: tuple[Held, ...]
    missing: tuple[tuple[str, str], ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether any law is broken."""
        return any(held.wrong for held in self.laws)


def record(cell: Cell, lawful: Lawful) -> dict[str, Any]:
    """The laws for programs; a non-finite error is null."""
    return {
        "schema": "derivations/laws/1",
        "cell": cell.name,
        "laws": [
            {
                "law": held.law,
                "sentence": held.sentence,
                "unfit": held.unfit or None,
                "exact": held.exact,
                "broken": list(held.broken),
                "checks": [
                    {
                        "backend": one.backend,
                        "dtype": one.dtype,
                        "error": one.error if math.isfinite(one.error) else None,
                        "verdict": one.verdict,
                        "telling": one.telling,
                        "entries": one.entries,
                        "broken": one.broken or None,
                    }
                    for one in held.numbers
                ],
            }
            for held in lawful.laws
        ],
        "missing": [name for name, _ in lawful.missing],
    }


def document(cell: Cell, lawful: Lawful, *, verbose: bool = False) -> Document:
    """The laws for readers: what each says, whether it holds, and the numbers if `verbose`."""
    fit = [held for held in lawful.laws if not held.unfit]
    blocks: list[Block] = [
        Items(tuple((f"{held.law}: {held.sentence}",) for held in fit)),
        _summary(fit),
        Paragraph((_MEANING,), "quiet"),
    ]
    for held in fit:
        blocks += [Paragraph((f"BROKEN: {said}",), "bad") for said in _broken(held)]
    for held in lawful.laws:
        if held.unfit:
            blocks.append(Paragraph((f"{held.law} says nothing of this cell: {held.unfit}.",), "quiet"))
    for name, command in lawful.missing:
        blocks.append(Paragraph((f"{name} is not installed, and was not checked: {command}",), "quiet"))
    if verbose:
        blocks += [Heading("Every number"), _every(fit)]
    kept = sum(not held.wrong for held in fit)
    verdict = "a law is broken" if lawful.wrong else f"{kept} of {len(fit)} laws hold"
    return Document(f"{cell.title or cell.name}: {verdict}", for_names(cell.parameters, cell.shapes), tuple(blocks))


_MEANING = (
    "Modulo the prime 2^61 - 1 nothing is rounded, and functions are tables of random numbers: a law that holds there"
    " is one of the derivation. For floating-point numbers the largest E is shown: how far the two sides of a law are"
    " apart, in units of what rounding may do to two right programs; above 1 the law is broken."
)


def _broken(held: Held) -> Iterator[str]:
    if held.exact is False:
        some = ", ".join(held.broken[:6]) + (", ..." if len(held.broken) > 6 else "")
        yield f"{held.law}, exactly: {some}"
    for one in held.numbers:
        if one.verdict == "FAIL":
            yield f"{held.law} on {one.backend} in {one.dtype}: {one.broken}, E = {one.error:.3g}"


def _summary(fit: list[Held]) -> Table:
    """A row a law: exactly, and the worst E of each backend over ways and formats."""
    names = list(dict.fromkeys(one.backend.partition(",")[0] for held in fit for one in held.numbers))
    rows: list[tuple[Text, ...]] = []
    for held in fit:
        row: list[Text] = [(held.law,), ({True: "holds", False: "BROKEN", None: "-"}[held.exact],)]
        for name in names:
            row.append((_said([one for one in held.numbers if one.backend.partition(",")[0] == name]),))
        rows.append(tuple(row))
    header: tuple[Text, ...] = (("law",), ("modulo a prime",), *((f"{name}, E",) for name in names))
    return Table(header, tuple(rows), "ll" + "r" * len(names))


def _said(numbers: list[InNumbers]) -> str:
    if not numbers:
        return "-"
    if any(one.verdict == "FAIL" for one in numbers):
        return "BROKEN"
    telling = [one.error for one in numbers if one.verdict == "PASS"]
    return f"{max(telling):.2g}" if telling else "says nothing"


def _every(fit: list[Held]) -> Table:
    rows = tuple(
        (
            (held.law,),
            (one.backend,),
            (one.dtype,),
            (f"{one.error:.2g}",),
            (f"{one.telling} of {one.entries}",),
            (one.verdict,),
        )
        for held in fit
        for one in held.numbers
    )
    header: tuple[Text, ...] = (("law",), ("computed by",), ("format",), ("E",), ("entries that tell",), ("verdict",))
    return Table(header, rows, "lllrrl")
