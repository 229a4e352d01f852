"""The page as one text: template, style, font, data and script put together.

The page's policy names style and script by their hashes, and lets nothing else in.

Nothing that a user wrote enters the script or the style: names are the cell language's own, free text goes through
Jinja's escaping, and the data is JSON in which `<` is written as `\\u003c`.
"""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from derivations.derive import Derivation
from derivations.formats.svg import render as picture
from derivations.output import SIGNATURE
from derivations.page.content import Content, content
from derivations.page.font import embedded
from derivations.page.presets import Preset
from derivations.version import __version__

HERE = Path(__file__).parent
HOME = "https://github.com/derivations/derivations"


def page(
    derivations: Mapping[str, Derivation],
    presets: Sequence[Preset],
    *,
    title: str = "",
    loss_steps: Sequence[int] = (),
    checks: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The page of some cells, by their keys on it.

    Args:
        presets: the numbers to choose from; the first is shown.
        loss_steps: the steps over which a loss is summed; the last one where none is named.
        checks: by key, what each cell's derivatives were held against.

    Raises:
        ValueError: a cell stacks vectors, and so has no scalar view to compute.
        ModuleNotFoundError: Jinja is not installed.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    cells = [content(derivation, key) for key, derivation in derivations.items()]
    data = _data(derivations, cells, presets, loss_steps, checks or {})
    script = _script(cells)
    heading = title or " and ".join(cell.title for cell in cells)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((HERE / "page.html").read_text(encoding="utf-8"))
    safe = [_trusted(cell, Markup) for cell in cells]
    style = _style(cells)
    return template.render(
        title=heading,
        cells=safe,
        presets=presets,
        home=HOME,
        version=__version__,
        signature=f"{SIGNATURE} {__version__}",
        checked="" if any((checks or {}).values()) else " Its numbers were not held against other libraries here.",
        data=Markup(data),
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _trusted(cell: Content, markup: Any) -> dict[str, Any]:
    """The content with its formulas marked as ours: all else in it is escaped."""
    known = asdict(cell)
    for quantity in known["quantities"]:
        quantity["symbol"] = markup(quantity["symbol"])
        for line in quantity["lines"]:
            line["math"] = markup(line["math"])
    for node in known["nodes"]:
        node["symbol"] = markup(node["symbol"])
    return known


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _data(
    derivations: Mapping[str, Derivation],
    cells: Sequence[Content],
    presets: Sequence[Preset],
    loss_steps: Sequence[int],
    checks: Mapping[str, Sequence[str]],
) -> str:
    known = {
        "cells": {cell.key: {**cell.data, "svg": picture(derivations[cell.key])} for cell in cells},
        "presets": [asdict(preset) for preset in presets],
        "loss_steps": list(loss_steps),
        "checks": {key: list(said) for key, said in checks.items()},
    }
    text = json.dumps(known, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _script(cells: Sequence[Content]) -> str:
    """The emitted programs, and the scripts that show them, in one scope of their own."""
    functions: dict[str, str] = {}
    for cell in cells:
        functions.update(cell.functions)
    programs = [f"programs[{json.dumps(cell.key)}] = (() => {{\n{cell.script}return cell;\n}})();" for cell in cells]
    views = [file.read_text(encoding="utf-8") for file in sorted((HERE / "script").glob("*.js"))]
    inner = "\n".join([*functions.values(), "const programs = {};", *programs, *views])
    return f'(() => {{\n"use strict";\n{inner}}})();\n'


def _style(cells: Sequence[Content]) -> str:
    """The style sheet, where everything stands in the graphs, and the font with the signs of the formulas."""
    rules = []
    for number, cell in enumerate(cells):
        canvas = f".canvas-{number}"
        rules.append(f"{canvas}{{width:{cell.lying[0]:g}px;height:{cell.lying[1]:g}px}}")
        rules += [f"{canvas} .n{k}{_at(node.lying)}" for k, node in enumerate(cell.nodes)]
        rules += [f"{canvas} .e{k}{_at(edge.lying_at)}" for k, edge in enumerate(cell.edges)]
        standing = [f"{canvas}{{width:{cell.standing[0]:g}px;height:{cell.standing[1]:g}px}}"]
        standing += [f"{canvas} .n{k}{_at(node.standing)}" for k, node in enumerate(cell.nodes)]
        standing += [f"{canvas} .e{k}{_at(edge.standing_at)}" for k, edge in enumerate(cell.edges)]
        rules.append(f"@media (max-width:640px){{{''.join(standing)}}}")
    font = embedded(_signs(cells))
    face = (
        f'@font-face{{font-family:"Derivations Math";src:url(data:font/woff;base64,{font}) format("woff")}}\n'
        if font
        else ""
    )
    return face + (HERE / "page.css").read_text(encoding="utf-8") + "".join(rules)


def _at(place: tuple[float, float]) -> str:
    return f"{{left:{place[0]:g}px;top:{place[1]:g}px}}"


def _signs(cells: Sequence[Content]) -> str:
    """The signs of all formulas, and the italic letters as which MathML shows single ones."""
    formulas = [
        *(quantity.symbol for cell in cells for quantity in cell.quantities),
        *(line.math for cell in cells for quantity in cell.quantities for line in quantity.lines),
        *(node.symbol for cell in cells for node in cell.nodes),
    ]
    signs = {sign for formula in formulas for sign in formula if sign.isprintable()}
    signs |= set("0123456789.−()·=⁰¹²³⁴⁵⁶⁷⁸⁹⁻∞→")
    for sign in sorted(signs):
        if "a" <= sign <= "z":
            signs.add("\N{PLANCK CONSTANT}" if sign == "h" else chr(0x1D44E + ord(sign) - ord("a")))
        elif "A" <= sign <= "Z":
            signs.add(chr(0x1D434 + ord(sign) - ord("A")))
        elif "α" <= sign <= "ω":
            signs.add(chr(0x1D6FC + ord(sign) - ord("α")))
        elif "\N{GREEK CAPITAL LETTER ALPHA}" <= sign <= "Ω":
            signs.add(chr(0x1D6E2 + ord(sign) - ord("\N{GREEK CAPITAL LETTER ALPHA}")))
    signs |= set("𝜕𝜖𝜗𝜘𝜙𝜚𝜛") if "∂" in signs else set()
    return "".join(sorted(signs))
