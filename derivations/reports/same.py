"""What `derive same` says: equal or not, quantity by quantity, and the equations and terms that differ."""

from typing import Any

from derivations.document import Block, Document, Heading, Items, Line, Lines, Paragraph, Text, joined
from derivations.equality import Status
from derivations.expression import Expr, Name
from derivations.notation import for_names
from derivations.plain import Style, text
from derivations.same import Comparison


def record(found: Comparison) -> dict[str, Any]:
    """The comparison for programs."""

    def written(exprs: tuple[Expr, ...]) -> list[str]:
        return [text(expr, Style()) for expr in exprs]

    return {
        "schema": "derivations/same/1",
        "cells": [found.left.name, found.right.name],
        "same": bool(found),
        "apart": found.apart or None,
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


def document(found: Comparison) -> Document:
    """The comparison for readers."""
    left, right = found.left, found.right
    notation = for_names((*left.parameters, *right.parameters), {**right.shapes, **left.shapes}, view="vector")
    title = f"{left.name} and {right.name}"
    if found:
        names = ", ".join(found.proofs)
        proved = all(found.proofs.values())
        how = "proved equal for all inputs, states and parameters" if proved else Status.AGREES.value
        sentence = f"{title} are the same cell: {names} {how}."
        return Document(title, notation, (Paragraph((sentence,), "good"),))
    if found.apart:
        return Document(title, notation, (Paragraph((f"{title} are not the same: {found.apart}.",), "bad"),))
    differing = [name for name, proof in found.proofs.items() if proof.status is Status.REFUTED]
    blocks: list[Block] = [Paragraph((f"{title} are not the same: {', '.join(differing)} differ.",), "bad")]
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
        said: Text = ("No equation of one name differs; the cells cut the step into other quantities.",)
        blocks.append(Paragraph(said, "quiet"))
    return Document(title, notation, tuple(blocks))
