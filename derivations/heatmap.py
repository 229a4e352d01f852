"""Gradient flow as a picture: in text for a terminal, and as a figure with cells side by side.

The scale is fixed, so that two pictures can be compared: what passes unchanged is 1, what vanishes is
below, what explodes is above. An exact zero is written as 0, and never in the colour of a small number.
"""

from collections.abc import Sequence
from io import BytesIO
from math import floor, inf, isfinite, isnan
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from derivations.flow import Flow, Row
from derivations.output import SIGNATURE
from derivations.visible import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DECADES = (1, -1, -3, -6, -12, -inf)  # the least of each level
MEANINGS = ("above 10", "0.1 to 10", "to 1e-3", "to 1e-6", "to 1e-12", "smaller")
BLOCKS, ASCII = "▲█▓▒░·", "^#*+-."
LONGEST_LABEL = 24
ZERO = (0.85, 0.85, 0.85, 1.0)  # a grey that the map does not have
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
ROW_HEIGHT = 0.3  # in inches
FURTHEST = 12  # decades on either side of 1 that have colours of their own
FONT = "DejaVu Sans"
FORMATS = {
    ".png": {"Software": SIGNATURE},
    ".svg": {"Creator": SIGNATURE, "Date": None},
    ".pdf": {"Creator": SIGNATURE, "CreationDate": None},
}


# --- in text --------------------------------------------------------------------------------------


def text(flow: Flow, width: int = 80, ascii: bool = False) -> str:
    """A heat-map of a flow in characters, with its legend, at most `width` wide where that is 60 or more."""
    labels = [_clipped(label(row)) for row in flow.rows]
    margin = max(map(len, labels)) + 2
    room = max(width, 60) - margin - 11
    group = -(-(flow.steps + 1) // room)  # steps in one column
    first_steps = range(0, flow.steps + 1, group)
    symbols = ASCII if ascii else BLOCKS
    title = f"{one_line(flow.title or flow.cell)}: how the gradient at step T = {flow.steps} reaches back to step k"
    lines = [*wrap(title, max(width, 60)), ""]
    lines.append(" " * margin + _axis(first_steps, flow.steps) + "  furthest")
    for name, row in zip(labels, flow.rows, strict=True):
        cells = "".join(_glyph(row.log10[k : k + group], symbols) for k in first_steps)
        furthest = next((x for x in row.log10 if x is not None), None)
        lines.append(f"{name:<{margin}}{cells}  {number(furthest)}".rstrip())
    legend = [f"{symbol} {meaning}" for symbol, meaning in zip(symbols, MEANINGS, strict=True)]
    lines += ["", *_wrapped([*legend, "0 exactly zero", "! not finite"], max(width, 60))]
    if group > 1:
        lines.append(f"each column is {group} steps, the largest of them shown")
    return "\n".join(lines) + "\n"


def label(row: Row) -> str:
    """`dh_T/df_k`, or the product of Jacobians."""
    return f"d{row.of}_T/d{row.wrt}_k" if row.of else "|J_T ... J_k+1|"


def number(log10: float | None) -> str:
    """A magnitude from its logarithm, in two digits: 2.9e-13, also far below the range of a float."""
    if log10 is None or isnan(log10):
        return "" if log10 is None else "nan"
    if log10 in (inf, -inf):
        return "inf" if log10 > 0 else "0"
    exponent = floor(log10)
    mantissa = f"{10 ** (log10 - exponent):.1f}"
    if mantissa == "10.0":
        mantissa, exponent = "1.0", exponent + 1
    return mantissa if exponent == 0 else f"{mantissa}e{exponent:+03d}"


def _clipped(name: str) -> str:
    return name if len(name) <= LONGEST_LABEL else name[: LONGEST_LABEL - 3] + "..."


def _axis(first_steps: range, steps: int) -> str:
    """Step numbers over their columns: k=0, every tenth column with room, and the last step."""
    line = [" "] * len(first_steps)
    last = str(steps)
    for column, k in enumerate(first_steps):
        shown = f"k={k}" if k == 0 else str(k)
        if column % 10 == 0 and column + len(shown) + len(last) < len(line):
            line[column : column + len(shown)] = shown
    line[len(line) - len(last) :] = last
    return "".join(line)


def _glyph(magnitudes: Sequence[float | None], symbols: str) -> str:
    known = [x for x in magnitudes if x is not None]
    if not known:
        return " "
    if any(isnan(x) or x == inf for x in known):
        return "!"
    largest = max(known)
    if largest == -inf:
        return "0"
    return next(symbol for symbol, least in zip(symbols, DECADES, strict=True) if largest >= least)


def _wrapped(items: Sequence[str], width: int) -> list[str]:
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + 3 + len(item) > width:
            lines.append("")
        lines[-1] += f"   {item}" if lines[-1] else item
    return lines


# --- as a figure ----------------------------------------------------------------------------------


def picture(flows: Sequence[Flow], path: str | Path) -> None:
    """The flows side by side as a PNG, SVG or PDF, by the suffix of `path`; the same bytes for the same
    flows.

    Raises:
        ValueError: another suffix, or no flow.
        ModuleNotFoundError: matplotlib is not installed.
    """
    Path(path).write_bytes(drawn(flows, Path(path).suffix))


def drawn(flows: Sequence[Flow], suffix: str) -> bytes:
    """The file that `picture` writes."""
    if suffix.lower() not in FORMATS:
        raise ValueError(f"{suffix or 'a name without a suffix'!r} is not a picture's; use {', '.join(FORMATS)}")
    if not flows:
        raise ValueError("there is no flow to draw")
    from matplotlib import rc_context

    kind, file = suffix.lower(), BytesIO()
    with rc_context({"svg.hashsalt": "derivations", "font.family": FONT}):
        figure(flows).savefig(file, format=kind[1:], dpi=150, metadata=FORMATS[kind])
    return file.getvalue()


def figure(flows: Sequence[Flow]) -> "Figure":
    """One panel per flow on a common scale; rows are quantities, columns are steps, the last on the right."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    rows = max(len(flow.rows) for flow in flows)
    drawing = Figure(figsize=(1.5 + 6.6 * len(flows), 1.8 + ROW_HEIGHT * rows), layout="constrained")
    scale = ScalarMappable(Normalize(-FURTHEST, FURTHEST), "RdYlBu_r")
    panels = drawing.subplots(1, len(flows), squeeze=False)[0]
    for axes, flow in zip(panels, flows, strict=True):
        _panel(axes, flow, scale)
    bar = drawing.colorbar(scale, ax=list(panels), extend="both", pad=0.01, fraction=0.03, panchor=False)
    decades = range(-FURTHEST, FURTHEST + 1, 4)
    bar.set_ticks(list(decades), labels=[_power(decade) for decade in decades], fontsize=8)
    bar.set_label("vanishes    ←    unchanged    →    explodes")
    drawing.suptitle("How much of the gradient at the last step reaches back to step k", fontsize=13)
    drawing.supxlabel(
        "Numbers are rounded to a power of ten. Grey is exactly zero, white is no such value.", fontsize=8
    )
    return drawing


def _panel(axes: Any, flow: Flow, scale: Any) -> None:
    """A heat-map with numbers in the first, the last and every so many cells of each row."""
    often = 1 if flow.steps <= 15 else 10 * -(-flow.steps // 100)
    white = (1.0, 1.0, 1.0, 1.0)
    colours = [
        [white if x is None or isnan(x) else ZERO if x == -inf else scale.cmap(scale.norm(x)) for x in row.log10]
        for row in flow.rows
    ]
    axes.imshow(colours, aspect="auto", interpolation="nearest")
    axes.set_box_aspect(len(flow.rows) * ROW_HEIGHT / 5.5)  # rows are as high in every panel
    axes.set_anchor("N")
    for place, row in enumerate(flow.rows):
        first = next(k for k, x in enumerate(row.log10) if x is not None)
        for k, x in enumerate(row.log10):
            if x is None or not (k in (first, flow.steps) or (k % often == 0 and first + often // 3 < k)):
                continue
            edge = {first: "left", flow.steps: "right"}.get(k, "center")
            at = k + {"left": -0.4, "right": 0.4, "center": 0.0}[edge]
            axes.text(at, place, _power(x), ha=edge, va="center", fontsize=6.5, color=_readable(colours[place][k]))
    axes.set_title(f"{_drawable(flow.title or flow.cell)}, T = {flow.steps}", fontsize=11, parse_math=False)
    axes.set_yticks(range(len(flow.rows)), labels=[_clipped(label(row)) for row in flow.rows], fontsize=8)
    axes.set_xticks(range(0, flow.steps + 1, max(1, 5 * (flow.steps // 40))))
    axes.set_xlabel("step k")
    axes.tick_params(left=False)
    for side in axes.spines.values():
        side.set_color("0.6")


def _drawable(title: str) -> str:
    """A title that somebody wrote, in letters that the font has; another one is given by its number."""
    from matplotlib.font_manager import findfont, get_font

    known = get_font(findfont(FONT)).get_charmap()
    return "".join(one if ord(one) in known else f"[U+{ord(one):04X}]" for one in one_line(title))


def _power(log10: float) -> str:
    """The nearest power of ten as `10⁻⁶`."""
    if not isfinite(log10):
        return "0" if log10 == -inf else "∞" if log10 == inf else "NaN"
    exponent = round(log10)
    return "10" + str(exponent).translate(SUPERSCRIPT) if exponent else "1"


def _readable(colour: tuple[float, ...]) -> str:
    """Black or white, whichever is further from the colour in relative luminance."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if luminance > 0.179 else "white"
