"""A step of a cell as a picture: the layout of `layout.py` as one SVG, without a script."""

from html import escape
from typing import Any

from derivations.boxes import Accent, Box, Fence, Frac, Glyph, Row, Script, Tagged
from derivations.derive import Derivation
from derivations.drawing import LYING
from derivations.layout import layout
from derivations.notation import for_names, name_box
from derivations.symbols import ACCENTS

SUFFIX = ".svg"
_OVER = dict(zip(ACCENTS, "\u0303\u0302\u0304\u0307\u20d7\u2217", strict=True))
_STYLE = """
text { font: 17px "STIX Two Math", "Cambria Math", "Times New Roman", serif; text-anchor: middle; fill: #1c2024 }
.small { font-size: 12px } .i { font-style: italic }
rect { fill: #fff; stroke: #8b95a1 } .wire { fill: none; stroke: #9aa4af; stroke-width: 1.4 }
.rail { stroke-width: 3 }
.previous rect, .state rect { fill: #dbe9fb; stroke: #4a7ab8 }
.input rect, .target rect { fill: #fdf0c9; stroke: #b4933a }
.gate rect { fill: #dff2e1; stroke: #5b9a63 } .readout rect, .loss rect { fill: #efe2f7; stroke: #9267ae }
"""


def render(derivation: Derivation, **_: Any) -> str:
    """The picture of one step; what a node's equation reads of parameters is its tooltip."""
    cell, drawn = derivation.cell, layout(derivation.cell)
    width, height = LYING.size(drawn)
    notation = for_names(cell.parameters, cell.shapes)
    title = f"One step of {cell.title or cell.name}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
    ]
    for wire in drawn.wires:
        lines.append(f'<path class="wire{" rail" if wire.rail else ""}" d="{LYING.curve(wire)}"/>')
    for place in drawn.places:
        x, y = LYING.centre(place.column, place.lane)
        label = text(name_box(place.name, notation)[0])
        reads = f"<title>reads {', '.join(place.parameters)}</title>" if place.parameters else ""
        lines.append(
            f'<g class="{place.kind}">{reads}<rect x="{x - LYING.width / 2:g}" y="{y - LYING.height / 2:g}"'
            f' width="{LYING.width:g}" height="{LYING.height:g}" rx="9"/>'
            f'<text x="{x:g}" y="{y + 6:g}">{label}</text></g>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def text(box: Box) -> str:
    """A name's box as the content of an SVG text."""
    return _spans(box, small=False)


def _spans(box: Box, small: bool) -> str:
    size = " small" if small else ""
    match box:
        case Glyph(letters, face):
            style = "i" if face == "italic" and not letters.isdigit() else ""
            return f'<tspan class="{style}{size}">{escape(letters.replace("-", "−"))}</tspan>'
        case Row(items):
            return "".join(_spans(item, small) for item in items)
        case Tagged(body, _):
            return _spans(body, small)
        case Accent(kind, base):
            return _spans(base, small).replace("</tspan>", f"{_OVER[kind]}</tspan>", 1)
        case Fence(body, left, right):
            return f'<tspan class="{size}">{left}</tspan>{_spans(body, small)}<tspan class="{size}">{right}</tspan>'
        case Script(base, below, above):
            result = _spans(base, small)
            for script, shift in ((below, 4), (above, -6)):
                if script is not None:
                    result += f'<tspan dy="{shift}">{_spans(script, True)}</tspan><tspan dy="{-shift}">\u200b</tspan>'
            return result
        case Frac():
            raise ValueError("a fraction is no name")
    return ""
