"""What `derive vectors` says of the numbers that it made."""

import math
from collections.abc import Mapping
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


def parsed(text: str, what: str = "sizes") -> dict[str, int]:
    """Sizes by letter, from n=3,m=2.

    Raises:
        CellError: it does not read like that.
    """
    found: dict[str, int] = {}
    for pair in filter(None, text.split(",")):
        letter, sign, size = pair.strip().partition("=")
        if not (sign and size.isascii() and size.isdigit() and len(size) < 10) or letter in found:
            raise CellError(f"{what} {text[:80]!a}: write n=3,m=2, each letter once")
        found[letter] = int(size)
    return found


def sizes_from(given: object) -> dict[str, int]:
    """Sizes as they come from Python: a table of whole numbers by letter, or n=3,m=2.

    Raises:
        CellError: they are something else.
    """
    if isinstance(given, str):
        return parsed(given)
    if not isinstance(given, Mapping):
        raise CellError(f"sizes: a dictionary is due, as in {{'n': 3}}, and not {type(given).__name__}")
    for letter, size in given.items():
        if not isinstance(letter, str) or not isinstance(size, int) or isinstance(size, bool):
            raise CellError(f"sizes: {letter!a:.40} is {size!a:.40}, where a letter and a whole number are due")
    return dict(given)
