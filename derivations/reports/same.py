"""What `derive same` says: equal or not, quantity by quantity, and the equations and terms that differ."""

from collections.abc import Iterator
from typing import Any

from derivations.cell import Cell
from derivations.correspondence import Correspondence
from derivations.document import Block, Document, Heading, Items, Line, Lines, Paragraph, Text, joined
from derivations.equality import Status
from derivations.expression import Expr, Name, Transpose, total
from derivations.notation import for_names
from derivations.plain import Style, text
from derivations.same import Comparison

READ_FROM = "Read from "  # how the comment of a cell begins that was read from code


def record(found: Comparison, under: Correspondence | None = None) -> dict[str, Any]:
    """The comparison for programs; `under` is the correspondence of names that was found for it."""

    def written(exprs: tuple[Expr, ...]) -> list[str]:
        return [text(expr, Style()) for expr in exprs]

    return {
        "schema": "derivations/same/1",
        "cells": [found.left.name, found.right.name],
        "same": bool(found),
        "apart": found.apart or None,
        "correspondence": _correspondence(under) if under else None,
        "quantities": {name: proof.status.value for name, proof in found.proofs.items()},
        "differences": [
            {
                "target": d.target,
                "left": text(d.left, Style()),
                "right": text(d.right, Style()),
                "only_left": written(d.only_left),
                "only_right": written(d.only_right),
            }
            for d in found.differences
        ],
    }


def _correspondence(under: Correspondence) -> dict[str, Any]:
    return {
        "names": dict(under.names),
        "transposed": sorted(under.transposed),
        "sums": [{"left": list(left), "right": list(right)} for left, right in under.sums],
        "only_left": list(under.lone_left),
        "only_right": list(under.lone_right),
        "side_by_side": {name: list(parts) for name, parts in under.stacked.items()},
        "scalar": under.scalar,
        "left_out": list(under.left_out),
    }


def document(found: Comparison, under: Correspondence | None = None) -> Document:
    """The comparison for readers, with what is matched with what on top."""
    left, right = found.left, found.right
    shapes, parameters = {**right.shapes, **left.shapes}, [*left.parameters, *right.parameters]
    if under:
        parameters += _parameters(under, left)
        shapes = {**{theirs: shapes[ours] for ours, theirs in under.names.items() if ours in shapes}, **shapes}
    notation = for_names(tuple(dict.fromkeys(parameters)), shapes, view="vector")
    title = f"{left.name} and {right.name}"
    names: list[Block] = list(_matched(under, left.name, right.name)) if under else []
    if found:
        said = ", ".join(found.proofs)
        proved = all(found.proofs.values())
        view = " in the scalar view, with one unit" if under and under.scalar else ""
        how = f"proved equal for all inputs, states and parameters{view}" if proved else Status.AGREES.value
        sentence = f"{title} are the same cell{', in other names' if under else ''}: {said} {how}."
        return Document(title, notation, (Paragraph((sentence,), "good"), *names, *_read(found)))
    if found.apart:
        return Document(title, notation, (Paragraph((f"{title} are not the same: {found.apart}.",), "bad"),))
    differing = [name for name, proof in found.proofs.items() if proof.status is Status.REFUTED]
    sentence = f"{title} are not the same: {', '.join(differing)} differ{'s' if len(differing) == 1 else ''}"
    blocks: list[Block] = [Paragraph((f"{sentence} in the names below." if under else f"{sentence}.",), "bad"), *names]
    for difference in found.differences:
        blocks += [
            Heading(f"{difference.target} differs"),
            Lines(
                (
                    Line(Name(difference.target), difference.left, left.name),
                    Line(Name(difference.target), difference.right, right.name),
                )
            ),
            Items(
                tuple(
                    (f"only in {cell.name}: ", *joined([(term,) for term in terms]))
                    for cell, terms in ((left, difference.only_left), (right, difference.only_right))
                    if terms
                )
            ),
        ]
    if not found.differences:
        lines: Text = ("No equation of one name differs; the cells cut the step into other quantities.",)
        blocks.append(Paragraph(lines, "quiet"))
    return Document(title, notation, (*blocks, *_read(found)))


def _read(found: Comparison) -> Iterator[Block]:
    """How cells that were read from code were read: what is a state, which branch was taken, what is packed."""
    for cell in (found.left, found.right):
        first, *rest = cell.comment.split("\n")
        if first.startswith(READ_FROM):
            yield Heading(f"How {cell.name} was read")
            yield Items(tuple((line,) for line in (first, *rest)))


def _parameters(under: Correspondence, left: Cell) -> list[str]:
    """The parameters that the correspondence speaks of: they carry no step."""
    given = {*left.inputs, *left.states}
    found = [name for ours, theirs in under.names.items() if ours not in given for name in (ours, theirs)]
    found += [name for sides in under.sums for side in sides for name in side]
    return (
        found
        + [name for whole, parts in under.stacked.items() for name in (whole, *parts)]
        + [*under.lone_left, *under.lone_right]
    )


def _matched(under: Correspondence, left: str, right: str) -> Iterator[Block]:
    """What of the left cell is what of the right one."""
    yield Heading(f"What of {left} is what of {right}")
    lines = [
        Line(Name(ours), Transpose(Name(theirs)) if ours in under.transposed else Name(theirs))
        for ours, theirs in under.names.items()
    ]
    lines += [Line(total(*map(Name, ours)), total(*map(Name, theirs))) for ours, theirs in under.sums]
    yield Lines(tuple(lines))
    remarks: list[Text] = []
    if under.sums:
        remarks.append(("Of biases that are added only the sum counts: each of them gets the gradient of the sum.",))
    if under.left_out:
        remarks.append(("Left out, as only one of them reads it out: ", *joined([(Name(n),) for n in under.left_out])))
    for name, parts in under.stacked.items():
        remarks.append((Name(name), " is made of ", *joined([(Name(part),) for part in parts]), ", side by side."))
    for cell, lone in ((left, under.lone_left), (right, under.lone_right)):
        if lone:
            remarks.append((f"only in {cell}: ", *joined([(Name(name),) for name in lone])))
    if remarks:
        yield Items(tuple(remarks))
