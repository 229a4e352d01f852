"""The layer above a cell, where a sheet writes it, `y_t = V h_t + c`: its names are none of the cell's."""

import re
from collections.abc import Iterator
from dataclasses import replace

from derivations.expression import Add, MatMul, Name
from derivations.marking.sheet import Line, Sheet, free

_STATE = re.compile(r"[hsa]#\d+")  # of this step, once the sheet has given it


def with_layer_above(sheet: Sheet) -> Sheet:
    """The sheet, on paper, with the names that a layer above its cell has."""
    if sheet.notation == "python":
        return sheet
    return replace(sheet, outside=frozenset(name for line in sheet.lines for name in _names(line)))


def _names(line: Line) -> Iterator[str]:
    terms = line.rhs.terms if isinstance(line.rhs, Add) else (line.rhs,)
    match terms:
        case (MatMul(Name(weight), Name(state)), *more) if _STATE.fullmatch(state) and len(more) < 2:
            bias = [term.id for term in more if isinstance(term, Name) and free(term.id)]
            if len(bias) == len(more) and free(weight) and "/" not in line.target and line.target[:1] != "d":
                yield from (weight, line.target, *bias)
