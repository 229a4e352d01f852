r"""The bounds of a sum over time, `\sum_{t=2}^{T}` or `sum_{t=0}^{T-1}`: what it leaves out, and by what it is shifted.

All steps are t = 1..T, or 0..T-1 where a sheet counts from zero. `\sum_{t=0}^{T-1} \delta_{t+1} h_t^T` is the sum of
`\delta_t h_{t-1}^T` over t = 1..T.
"""

import re
from dataclasses import replace

from derivations.expression import Expr, Name, Shift, TimeSum, names, rewrite
from derivations.marking.sheet import Line, Versions, free

_BOUNDS = re.compile(
    r"(?:\\?sum|\u2211|\u03a3)\s*(?:\\limits\s*)?_\s*\{\s*t\s*=\s*(?P<first>\d)\s*\}"
    r"\s*\^\s*\{?\s*T\s*(?:[-\u2212]\s*(?P<short>\d))?\s*\}?"
)
_STARTS_AT_ZERO = re.compile(r"h_?\{?(?:0|\u2080)\}?\s*(?:&?=|is|:=)\s*(?:0|zero|\\mathbf\{?0|\\vec\{?0)")
_WEIGHT = re.compile(r"[WUVRKb](?:_|$|[a-z]{0,3}$)")


def bounded(line: Line, text: str, sheet: str, versions: Versions) -> Line:
    """The line with what the bounds of its sums, in `text`, say; `sheet` is the text of the whole."""
    if last := re.search(r"\bT\s*=\s*(\d)", sheet):  # the last step may be written as its number
        text = re.sub(rf"\^\s*\{{?\s*{last[1]}\s*\}}?", "^{T}", text)
    found = list(_BOUNDS.finditer(text))
    if not found or line.rhs is None:
        return line
    later = any(name.endswith("[t+1]") for name in names(line.rhs) if free(name))
    if later and all(int(match["first"]) < 2 and int(match["short"] or 0) for match in found):
        line = replace(line, rhs=_shifted(line.rhs, versions))
    else:
        later = False
    silent = bool(_STARTS_AT_ZERO.search(sheet)) and any("[t-1]" in name for name in names(line.rhs or Name("")))
    words = [said for match in found if (said := _left_out(match, later, silent))]
    return replace(line, lacks=words[0]) if words else line


def _left_out(match: re.Match[str], later: bool, silent: bool) -> str:
    """What bounds leave out; `silent` where the first step gives nothing."""
    first, short = int(match["first"]) + later, int(match["short"] or 0) - later
    if first > 1:
        return "" if silent else f"the sum over time starts at t = {match['first']}: the first step's term is left out"
    if short > 1 - first:
        return f"the sum over time ends at T-{match['short']}: the last step's term is left out"
    return ""


def _shifted(expr: Expr, versions: Versions) -> Expr:
    """The same with what is summed over time a step earlier: `x_{t+1}` is `x_t` there, and `x_t` is `x_{t-1}`."""

    def earlier(node: Expr) -> Expr | None:
        if not isinstance(node, Name) or _WEIGHT.match(node.id):
            return None
        if not free(node.id):
            return Shift(node, -1)
        if node.id.endswith("[t+1]"):
            return versions.read(node.id.removesuffix("[t+1]"))
        return Name(f"{node.id}[t-1]")

    return rewrite(expr, lambda node: TimeSum(rewrite(node.arg, earlier)) if isinstance(node, TimeSum) else None)
