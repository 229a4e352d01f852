"""What `derive list` says: what there is to work with."""

from collections.abc import Mapping, Sequence
from typing import Any

from derivations.catalogue import cell_names, read_cell, walkthrough_names
from derivations.document import Block, Document, Heading, Table, Text
from derivations.formats import find
from derivations.notation import Notation
from derivations.walkthrough import read_walkthrough

Rows = Sequence[tuple[str, ...]]


def listing(backends: Sequence[tuple[str, bool, str]], libraries: Sequence[str] = ()) -> Mapping[str, Rows]:
    """Everything by kind; each row's first entry is its name.

    Args:
        backends: name, whether it can run here, and the command that installs it.
    """
    cells = [(name, read_cell(name)) for name in cell_names()]
    walkthroughs = [(name, read_walkthrough(name)) for name in walkthrough_names()]
    return {
        "cells": [(name, cell.title, ", ".join(cell.states)) for name, cell in cells],
        "walkthroughs": [(name, w.title, f"{w.steps} steps of {w.cell.name}") for name, w in walkthroughs],
        "backends": [
            (name, "ready" if ready else "not installed", "" if ready else how) for name, ready, how in backends
        ],
        "libraries": [(name,) for name in libraries],
        "formats": [(name,) for name in find()],
    }


def record(found: Mapping[str, Rows]) -> dict[str, Any]:
    """The names by kind, for programs."""
    names = {kind: [row[0] for row in rows] for kind, rows in found.items()}
    ready = [row[0] for row in found["backends"] if row[1] == "ready"]
    return {"schema": "derivations/list/1", **names, "ready": ready}


def document(found: Mapping[str, Rows]) -> Document:
    """The same for readers."""
    blocks: list[Block] = []
    for kind, rows in found.items():
        if not rows:
            continue
        width = max(map(len, rows))
        body: tuple[tuple[Text, ...], ...] = tuple(tuple((entry,) for entry in row) for row in rows)
        blocks += [Heading(kind.capitalize()), Table(((),) * width, body, "l" * width)]
    return Document("What there is", Notation(), tuple(blocks))
