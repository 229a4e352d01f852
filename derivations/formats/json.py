"""A derivation as JSON: ASCII, the same bytes every time, numbers as numbers."""

from __future__ import annotations

import json
from typing import Any

from derivations.derive import Derivation
from derivations.formats._shown import Line, Options, Shown, shown
from derivations.notation import Notation
from derivations.plain import code
from derivations.typeset import to_latex

SUFFIX = ".json"
SCHEMA = "derivations/show/1"


def render(derivation: Derivation, **options: Any) -> str:
    """The derivation as one JSON object; expressions are in the cell language."""
    return json.dumps(as_data(shown(derivation, Options(**options))), indent=2) + "\n"


def as_data(what: Shown) -> dict[str, Any]:
    """The object, by keys."""
    cell = what.cell

    def shaped(names: tuple[str, ...]) -> list[dict[str, Any]]:
        return [{"name": name, "shape": list(cell.shapes[name])} for name in names]

    return {
        "schema": SCHEMA,
        "cell": cell.name,
        "title": cell.title,
        "comment": cell.comment,
        "view": what.notation.view,
        "notation": what.notation.adjoint,
        "remark": what.remark,
        "inputs": shaped(cell.inputs),
        "states": shaped(cell.states),
        "outputs": list(cell.outputs),
        "targets": shaped(cell.targets),
        "parameters": shaped(cell.parameters),
        "steps": [step(line, what.notation) for section in what.sections for line in section.lines],
    }


def step(line: Line, notation: Notation) -> dict[str, Any]:
    """One step; `proved` is null where nothing is known, and `proof` says more."""
    return {
        "rule": line.rule.name.lower(),
        "of": line.of,
        "wrt": line.wrt,
        "lhs": code(line.lhs),
        "rhs": code(line.rhs),
        "latex": f"{to_latex(line.lhs, notation)} = {to_latex(line.rhs, notation)}",
        "label": line.label,
        "group": line.group,
        "proved": line.proved,
        "proof": line.proof,
    }
