"""What `derive locate` says: the first quantity that breaks, the mistake, what else breaks, and what is right."""

import math
import re
from typing import Any

from derivations.document import Block, Document, Heading, Items, Paragraph
from derivations.notation import for_names

MOST_ROWS = 12
MOST_NAMED = 8  # names in a row, where not all are asked for


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
        "equations": {"tested": found.equations[0], "of": found.equations[1]},
        "missing": list(found.incomplete),
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
        "mistakes": list(_mistakes(one)),
        "hint": one.hint,
    }


def document(found: Any, *, verbose: bool = False) -> Document:
    """What was found, for readers; `verbose` names everything."""
    cell = found.derivation.cell
    blocks: list[Block] = []
    alike: dict[tuple[Block, ...], list[str]] = {}
    for point in found.points:
        alike.setdefault(tuple(_of_point(found, point, verbose)), []).append(str(point.dump.number))
    for said, numbers in alike.items():
        if len(found.points) > 1:
            blocks.append(Heading(f"Point{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"))
        blocks += said
    blocks.append(Paragraph((_measure(found),), "quiet"))
    title = f"{cell.title or cell.name}: {_headline(found)}"
    return Document(title, for_names(cell.parameters, cell.shapes), tuple(blocks))


def _headline(found: Any) -> str:
    """What holds of all points: no more than what was tested."""
    tested, every = found.equations
    count = f"{tested} of {every} equations tested"
    if found.first is not None:
        point, one = found.first
        where = f", point {point.dump.number}" if len(found.points) > 1 else ""
        return f"{one.key} is the first that breaks{_at(one)}{where} ({count})"
    if not tested:
        return f"the numbers say nothing ({count})"
    unknown = dict.fromkeys(name for point in found.points for name in point.dump.unknown)
    lacking = dict.fromkeys(key for point in found.points for key, _ in point.untested)
    but = [f"{len(lacking)} of its arrays could not be tested at every step"] if lacking else []
    but += [f"{len(unknown)} are no names of the cell"] if unknown else []
    if tested < every or but:
        return "; ".join([f"nothing wrong in what was tested ({count})", *but])
    return f"every number follows from its inputs ({count})"


def _of_point(found: Any, point: Any, verbose: bool) -> list[Block]:
    dump = point.dump
    blocks: list[Block] = []
    if point.broken:
        first, *others = point.broken
        blocks += _first(first)
        if others:
            blocks.append(Heading("Also broken, on its own inputs"))
            blocks.append(Items(tuple(_also(one, first) for one in (others if verbose else others[:MOST_ROWS]))))
            if len(others) > MOST_ROWS and not verbose:
                blocks.append(Paragraph((f"and {len(others) - MOST_ROWS} more (--verbose)",), "quiet"))
    if point.right:
        said = f"Right, each on the dump's own inputs: {_names(point.right, verbose)}."
        blocks.append(Paragraph((said,), "good"))
    if point.through:
        said = f"Not in the dump, and computed on the way: {_names(point.through, verbose)}."
        blocks.append(Paragraph((said,), "quiet"))
    if point.silent:
        said = "rounding may be as large as these numbers, which say nothing"
        blocks.append(Paragraph((f"{_names(point.silent, verbose)}: {said}.",), "quiet"))
    if point.untested:
        keys = [key for key, _ in point.untested]
        lacking = ", ".join(dict.fromkeys(name for _, names in point.untested for name in names))
        said = (
            f"Not tested, at some step at least, for want of {lacking}, which the dump lacks: {_names(keys, verbose)}."
        )
        blocks.append(Paragraph((said,), "bad"))
    if dump.golden:
        said = f"Taken from the golden point {dump.source}: {_names(dump.golden, verbose)}."
        blocks.append(Paragraph((said,), "quiet"))
    if dump.off_format:
        said = f"of more digits than {found.dtype} has"
        blocks.append(Paragraph((f"Stored in numbers {said}: {_names(dump.off_format, verbose)}.",), "quiet"))
    if dump.unknown:
        said = f"Not names of the cell, and not looked at: {_names(dump.unknown, verbose)}."
        blocks.append(Paragraph((said,), "bad"))
    return blocks


def _names(names: Any, verbose: bool) -> str:
    """All names, or the first and how many more."""
    if verbose or len(names) <= MOST_NAMED + 1:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"


def _first(one: Any) -> list[Block]:
    blocks: list[Block] = [Paragraph((f"{_place(one)}: {_numbers(one)}.",), "bad")]
    if len(one.steps) > 1:
        blocks.append(Paragraph((f"It breaks at t = {', '.join(map(str, one.steps))}.",)))
    if one.through:
        absent = ", ".join(one.through)
        blocks.append(Paragraph((f"Tested through what the dump does not have: {absent}. The mistake may be there.",)))
    if mistakes := _mistakes(one):
        several = "One of these mistakes explains it, and these numbers do not tell which:"
        blocks.append(Paragraph((several if len(mistakes) > 1 else "The mistake:",)))
        blocks.append(Items(tuple((mistake,) for mistake in mistakes)))
    elif one.hint:
        blocks.append(Paragraph((f"What it looks like: {one.hint}.",)))
    else:
        blocks.append(Paragraph(("No single mistake of the derivation explains these numbers.",)))
    return blocks


def _also(one: Any, first: Any) -> tuple[str]:
    said = f"{_place(one)}: {_numbers(one)}"
    if one.mistakes and one.mistakes == first.mistakes:
        return (f"{said}; by the same mistake",)
    why = (_mistakes(one) or (one.hint,))[0]
    return (f"{said}; {why}" if why else said,)


def _place(one: Any) -> str:
    """The entry as it is written in Python, counted from 0; and the step, counted from 1."""
    index = (*(() if one.step is None else (one.step - 1,)), *one.index)
    entry = f"[{', '.join(map(str, index))}]" if index else ""
    return f"{one.key}{entry}{'' if one.step is None else f', which is t = {one.step}'}"


def _numbers(one: Any) -> str:
    return f"{one.given!r} is given, {one.right!r} is right; {_far(one)}"


def _far(one: Any) -> str:
    if not math.isfinite(one.given):
        return "it is not finite"
    if math.isinf(one.error):
        return "nothing is rounded there"
    return f"E = {one.error:.3g}"


def _at(one: Any) -> str:
    return "" if one.step is None else f" at t = {one.step}"


_INTERNAL = {"_step": "[{} > 0]", "_sign": "sign({})", "_above": "[{} above its corner]", "_inside": "[{} inside]"}


def _mistakes(one: Any) -> tuple[str, ...]:
    """The mistakes in the names of the dump: where a gradient breaks, `dW_xf` is its `grad_W_xf`."""
    return tuple(_spoken(one.key, mistake) for mistake in one.mistakes)


def _spoken(key: str, mistake: str) -> str:
    said = re.sub(
        r"(_step|_sign|_above|_inside)\(([^()]*)\)", lambda m: _INTERNAL[m[1]].format(m[2].split(", ")[0]), mistake
    )
    said = re.sub(r"(\w+) must be transposed", r"\1 is not transposed, as it should be", said)
    if key.startswith("grad_"):
        name = re.escape(key.removeprefix("grad_"))
        said = re.sub(rf"\bd({name})\b", r"grad_\1", said)
    return said


def _measure(found: Any) -> str:
    why = f" ({found.why}; --dtype says otherwise)" if found.why else ""
    return (
        f"Measured in {found.dtype}{why}: E is the distance from what the equation gives on the dump's own numbers, in"
        " units of what rounding can do there; rounding explains no E above 1. Steps count from 1, entries from 0."
    )
