"""What `derive flow` says: how the gradient at the last step reaches back, cell beside cell."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from derivations.catalogue import read_cell
from derivations.cell import Cell
from derivations.derive import derive
from derivations.document import Block, Document, Heading, Table, Text
from derivations.flow import Flow, flow
from derivations.heatmap import FORMATS, drawn, label
from derivations.heatmap import text as heatmap
from derivations.notation import Notation
from derivations.runs import alternating_run
from derivations.same import compare
from derivations.walkthrough import read_walkthrough, replay

PICTURES = tuple(FORMATS)

# Gates that remember: the forget gate open, the input gate nearly shut, so that the cell state is kept and not filled.
REMEMBERING = {"b_f": 6.0, "b_i": -3.0}


def flows(cells: Sequence[str], *, at: str | None = None, steps: int = 40) -> tuple[Flow, ...]:
    """The flows of cells on one run of plain numbers, or of a walkthrough on its own numbers.

    Every weight is 0.5, every bias 0, inputs alternate between 0.5 and -0.5; an LSTM's forget gate is open.

    Raises:
        CellError, ValueError: a cell or walkthrough that there is not, or a cell without a scalar view.
    """
    found = []
    walkthrough = read_walkthrough(at) if at is not None else None
    if walkthrough:
        made = flow(walkthrough.derivation, replay(walkthrough).values)
        found.append(replace(made, title=walkthrough.title))
    for name in cells:
        cell = read_cell(name)
        if walkthrough and compare(cell, walkthrough.base):  # shown already, on the walkthrough's numbers
            continue
        given = _gates(cell)
        said = ", ".join(f"{key} = {value:g}" for key, value in given.items())
        made = flow(derive(cell), alternating_run(cell, given, steps))
        title = cell.title or cell.name
        found.append(replace(made, title=f"{title} ({said})" if said else title))
    return tuple(found)


def _gates(cell: Cell) -> dict[str, float]:
    """The biases that make a cell with a forget and an input gate remember; nothing for others."""
    return REMEMBERING if set(REMEMBERING) <= set(cell.parameters) else {}


def record(found: Sequence[Flow]) -> dict[str, Any]:
    """The flows for programs; the logarithm of an exact zero is null, and its sign is 0."""
    return {
        "schema": "derivations/flow/1",
        "flows": [
            {
                "cell": one.cell,
                "title": one.title,
                "steps": one.steps,
                "rows": [
                    {
                        "name": label(row),
                        "of": row.of,
                        "wrt": row.wrt,
                        "log10": list(row.log10),
                        "sign": list(row.sign),
                    }
                    for row in one.rows
                ],
            }
            for one in found
        ],
    }


def text(found: Sequence[Flow], *, width: int, ascii: bool) -> str:
    """The heat-maps in characters, one under the other."""
    return "\n".join(heatmap(one, width, ascii) for one in found)


def document(found: Sequence[Flow]) -> Document:
    """The flows in tables: how large each derivative still is, at the first step and at some between."""
    blocks: list[Block] = []
    for one in found:
        marks = sorted({0, 1, one.steps // 4, one.steps // 2, 3 * one.steps // 4, one.steps - 1})
        header: tuple[Text, ...] = (("log10 of",), *((f"k = {k}",) for k in marks))
        rows = tuple(((label(row),), *((_said(row.log10[k]),) for k in marks)) for row in one.rows)
        blocks += [Heading(one.title), Table(header, rows, "l" + "r" * len(marks))]
    steps = max(one.steps for one in found)
    return Document(f"How the gradient at step {steps} reaches back", Notation(), tuple(blocks))


def _said(log10: float | None) -> str:
    if log10 is None:
        return ""
    return "zero" if log10 == float("-inf") else f"{log10:.1f}"


def picture(found: Sequence[Flow], suffix: str) -> bytes:
    """The figure as a file's content."""
    return drawn(found, suffix)
