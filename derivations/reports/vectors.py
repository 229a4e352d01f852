"""What `derive vectors` says of the numbers that it made."""

import math
from typing import Any

from derivations.cell import Cell, CellError
from derivations.derive import Derivation, derive
from derivations.document import Block, Document, Paragraph, Table
from derivations.notation import for_names
from derivations.same import compare
from derivations.walkthrough import Walkthrough, read_walkthrough


def document(found: Any) -> Document:
    """How many points, how many numbers, and how to check with them."""
    cell, metric = found.cell, found.metric
    rows = tuple(
        (
            (str(number),),
            (point.name,),
            (str(sum(math.prod(array.shape) for array in point.given.values())),),
            (str(sum(math.prod(array.shape) for array in point.right.values())),),
        )
        for number, point in enumerate(found.points, 1)
    )
    k = ", ".join(f"{name} {value:g}" for name, value in metric["k"].items())
    blocks: list[Block] = [
        Table((("point",), ("numbers",), ("given",), ("right",)), rows, "rlrr"),
        Paragraph((f"{found.dtype}: u = {metric['unit']:.3g}, eta = {metric['smallest']:.3g}; k: {k}.",)),
        Paragraph(("A program is right where |got - right| <= bound, entry by entry.",)),
    ]
    blocks += [Paragraph((note,), "quiet") for note in found.notes]
    title = f"{cell.title or cell.name}: golden numbers"
    return Document(title, for_names(cell.parameters, cell.shapes), tuple(blocks))


def derivation_at(cell: Cell, at: str | None) -> tuple[Derivation, Walkthrough | None]:
    """The derivation whose numbers are asked for, and the walkthrough in whose names it then is.

    Raises:
        CellError: there is no such walkthrough, or it is of another cell.
    """
    if at is None:
        return derive(cell), None
    found = read_walkthrough(at)
    if not compare(found.base, cell):
        raise CellError(f"the walkthrough {at} is of the cell {found.base.name}; {cell.name} as it is given is another")
    return found.derivation, found
