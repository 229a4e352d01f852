"""What `derive check` says: the verdicts of every backend on every derivative of a cell."""

from dataclasses import dataclass
from typing import Any

from derivations.cell import Cell, CellError, kinks
from derivations.document import Block, Document, Paragraph
from derivations.notation import for_names
from derivations.reports.checks import Checked, check_blocks, check_records

MOST_POINTS = 16


@dataclass(frozen=True)
class Kind:
    """What a cell can be held against: the module and the function of `backends` that does it, and the report on it."""

    module: str
    function: str
    report: str
    options: tuple[str, ...] = ("seed", "points")

    def asked(self, *, seed: int, points: int) -> dict[str, int]:
        """What of this its function takes.

        Raises:
            CellError: no points at all, which would show nothing, or too many.
        """
        if not 1 <= points <= MOST_POINTS:
            raise CellError(f"points = {points} is out of range; it goes from 1 to {MOST_POINTS}")
        return {name: value for name, value in (("seed", seed), ("points", points)) if name in self.options}


KINDS = {
    "": Kind("audit", "audit", "check"),
    "laws": Kind("laws.audit", "audit_laws", "laws", ("seed",)),
    "second": Kind("audit_second", "audit_second", "check"),
    "mutants": Kind("mutation", "mutation", "mutants"),
}


def kind(**asked: bool) -> Kind:
    """The kind that is asked for by name; the check itself where none is.

    Raises:
        ValueError: more than one.
    """
    chosen = [name for name, wanted in asked.items() if wanted]
    if len(chosen) > 1:
        raise ValueError(f"{' and '.join(chosen)} are different checks; ask for one at a time")
    return KINDS[chosen[0] if chosen else ""]


def record(cell: Cell, checked: Checked) -> dict[str, Any]:
    """The checks for programs."""
    return {"schema": "derivations/check/1", "cell": cell.name, **check_records(checked)}


def document(cell: Cell, checked: Checked, *, verbose: bool = False) -> Document:
    """The checks for readers."""
    blocks: list[Block] = check_blocks(checked, verbose=verbose)
    if conventions := kinks(cell):
        blocks.append(Paragraph((f"At kinks: {'; '.join(conventions)}.",), "quiet"))
    verdict = "something is wrong" if checked.wrong else "every derivative is right"
    title = f"{cell.title or cell.name}: {verdict}"
    return Document(title, for_names(cell.parameters, cell.shapes), tuple(blocks))
