"""What `derive locate` says: the first quantity that breaks, the mistake, what else breaks, and what is right."""

import math
from typing import Any

from derivations.document import Block, Document, Heading, Items, Paragraph, Table
from derivations.notation import for_names

MOST_ROWS = 12


def record(found: Any) -> dict[str, Any]:
    """What was found, for programs; steps count from 1, indices from 0, and what is not finite is None."""
    first = found.first
    return {
        "schema": "derivations/locate/1",
        "cell": found.derivation.cell.name,
        "file": found.path,
        "dtype": found.dtype,
        "functions": "any",
        "wrong": found.wrong,
        "first": None if first is None else {"point": first[0].dump.number, **_broken(first[1])},
        "points": [
            {
                "point": point.dump.number,
                "sizes": dict(point.dump.sizes),
                "broken": [_broken(one) for one in point.broken],
                "right": list(point.right),
                "silent": list(point.silent),
                "untested": {key: list(lacking) for key, lacking in point.untested},
                "worst": point.worst,
                "golden": {"source": point.dump.source, "keys": list(point.dump.golden)},
                "unknown": list(point.dump.unknown),
            }
            for point in found.points
        ],
    }


def _broken(one: Any) -> dict[str, Any]:
    return {
        "quantity": one.key,
        "step": one.step,
        "steps": list(one.steps),
        "index": list(one.index),
        "given": one.given if math.isfinite(one.given) else None,
        "right": one.right if math.isfinite(one.right) else None,
        "error": one.error if math.isfinite(one.error) else None,
        "through": list(one.through),
        "mistakes": list(one.mistakes),
        "hint": one.hint,
    }


def document(found: Any, *, verbose: bool = False) -> Document:
    """What was found, for readers."""
    cell = found.derivation.cell
    blocks: list[Block] = []
    alike: dict[tuple[Block, ...], list[str]] = {}
    for point in found.points:
        alike.setdefault(tuple(_of_point(found, point, verbose)), []).append(str(point.dump.number))
    for said, numbers in alike.items():
        if len(found.points) > 1:
            blocks.append(Heading(f"Point{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"))
        blocks += said
    blocks.append(Paragraph((_measure(found.dtype),), "quiet"))
    first = found.first
    if first is not None:
        title = f"{first[1].key} is the first that breaks{_at(first[1])}"
    elif found.tested:
        title = "every number follows from its inputs"
    else:
        title = "the numbers say nothing"
    return Document(f"{cell.title or cell.name}: {title}", for_names(cell.parameters, cell.shapes), tuple(blocks))


def _of_point(found: Any, point: Any, verbose: bool) -> list[Block]:
    dump = point.dump
    blocks: list[Block] = []
    if point.broken:
        blocks += _first(point.broken[0])
        if others := point.broken[1:]:
            blocks.append(Heading("Also broken, on its own inputs"))
            blocks.append(_table(others if verbose else others[:MOST_ROWS]))
            if len(others) > MOST_ROWS and not verbose:
                blocks.append(Paragraph((f"and {len(others) - MOST_ROWS} more",), "quiet"))
    if point.right:
        blocks.append(Paragraph((f"Right, each on the dump's own inputs: {', '.join(point.right)}.",), "good"))
    if point.through:
        blocks.append(Paragraph((f"Not in the dump, and computed on the way: {', '.join(point.through)}.",), "quiet"))
    if point.silent:
        said = "rounding may be as large as these numbers, which say nothing"
        blocks.append(Paragraph((f"{', '.join(point.silent)}: {said}.",), "quiet"))
    for key, lacking in point.untested:
        blocks.append(Paragraph((f"{key} is not tested: it needs {', '.join(lacking)}, which the dump lacks.",), "bad"))
    if dump.golden:
        blocks.append(Paragraph((f"Taken from the golden point {dump.source}: {', '.join(dump.golden)}.",), "quiet"))
    if dump.off_format:
        said = f"hold numbers that {found.dtype} does not have, and were rounded to it"
        blocks.append(Paragraph((f"{', '.join(dump.off_format)} {said}.",), "quiet"))
    if dump.unknown:
        blocks.append(Paragraph((f"Not names of the cell, and not looked at: {', '.join(dump.unknown)}.",), "bad"))
    return blocks


def _first(one: Any) -> list[Block]:
    place = f"{one.key}{_at(one)}{_entry(one)}"
    said = f"{place}: {one.given!r} is given, {one.right!r} is right; {_far(one)}."
    blocks: list[Block] = [Paragraph((said,), "bad")]
    if len(one.steps) > 1:
        blocks.append(Paragraph((f"It breaks at t = {', '.join(map(str, one.steps))}.",)))
    if one.through:
        absent = ", ".join(one.through)
        blocks.append(Paragraph((f"Tested through what the dump does not have: {absent}. The mistake may be there.",)))
    if one.mistakes:
        several = len(one.mistakes) > 1
        head = "One of these mistakes explains it, and these numbers do not tell which:" if several else "The mistake:"
        blocks.append(Paragraph((head,)))
        blocks.append(Items(tuple((mistake,) for mistake in one.mistakes)))
    elif one.hint:
        blocks.append(Paragraph((f"What it looks like: {one.hint}.",)))
    else:
        blocks.append(Paragraph(("No single mistake of the derivation explains these numbers.",)))
    return blocks


def _far(one: Any) -> str:
    if not math.isfinite(one.given):
        return "it is not finite"
    if math.isinf(one.error):
        return "nothing is rounded there"
    return f"E = {one.error:.3g}, and rounding explains no E above 1"


def _at(one: Any) -> str:
    return "" if one.step is None else f" at t = {one.step}"


def _entry(one: Any) -> str:
    """The entry as it is written in Python, counted from 0."""
    index = (*(() if one.step is None else (one.step - 1,)), *one.index)
    return f", entry [{', '.join(map(str, index))}]" if index else ""


def _table(others: Any) -> Table:
    rows = tuple(
        (
            (one.key,),
            ("" if one.step is None else f"{one.step}",),
            (repr(one.given),),
            (repr(one.right),),
            (f"{one.error:.2g}",),
            (one.mistakes[0] if one.mistakes else one.hint,),
        )
        for one in others
    )
    return Table((("quantity",), ("t",), ("given",), ("right",), ("E",), ("mistake",)), rows, "lrrrrl")


def _measure(dtype: str) -> str:
    return (
        f"Measured in {dtype}: E is the distance from what the equation gives on the dump's own numbers, in units of"
        " what rounding can do in that one equation, with the functions of a backend of which nothing is known. Steps"
        " count from 1, entries from 0."
    )
