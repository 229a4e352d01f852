"""What `derive check` says: the verdicts of every backend on every derivative of a cell."""

from typing import Any

from derivations.cell import Cell, kinks
from derivations.document import Block, Document, Paragraph
from derivations.notation import for_names
from derivations.reports.checks import Checked, check_blocks, check_records


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
