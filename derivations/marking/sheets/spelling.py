"""How people type what formulas have signs for: `~c_t`, `c<t-1>`, `sum_{t=1..T}`, `da.sum(axis=0)`, `W.T.dot(da)`.

Lines stay lines, and what is read already stays as it is.
"""

import re

_TILDE = re.compile(
    r"(?<![A-Za-z0-9)\]}])(?P<head>(?:[d\u2202]_?(?:L\s?/\s?[d\u2202]_?)?|delta_|\u03b4_?)?)~\s?(?P<name>[A-Za-z])(?!\w)"
)
_TILDE_STEP = re.compile(
    r"(?<![A-Za-z0-9)\]}])(?P<head>(?:[d\u2202]_?(?:L\s?/\s?[d\u2202]_?)?|delta_|\u03b4_?)?)~\s?(?P<name>[A-Za-z])(?=_)"
)
_ANGLES = re.compile(r"_?\^?\{?[<\u27e8\u2329]\s*(t\s*(?:[+\-\u2212]\s*\d)?)\s*[>\u27e9\u232a]\}?")
_GLUED = re.compile(r"(?<![\w(])(d?[hcHCs])t([+-]1)(?![\w.)])")
_SUM = r"(?P<sum>sum|\u2211|\u03a3)"
_ENDS = r"(?:\.\.+|\u2026|,\s*(?:\.\.+|\u2026)\s*,|:|to|->|\u2192|until|through|-)"
_LAST = r"(?P<last>\d|T(?:\s*[-\u2212]\s*\d)?)"
_RANGES = (
    re.compile(rf"{_SUM}\s*_?\s*[{{(\[]\s*t\s*(?:=|from)\s*(?P<first>\d)\s*{_ENDS}\s*{_LAST}\s*[}})\]]"),
    re.compile(
        rf"\b(?P<sum>sum)\s+(?:over|for|from)\s+(?:all\s+)?(?:steps\s+|times?\s+)?t\s*(?:=|from)\s*(?P<first>\d)\s*{_ENDS}"
        rf"\s*{_LAST}(?:\s+of\b|\s*:)?"
    ),
    re.compile(rf"{_SUM}\s*_\s*t\s*=\s*(?P<first>\d)\s*(?:\^|{_ENDS})\s*\{{?{_LAST}\}}?"),
    re.compile(rf"{_SUM}\s*_?\s*[{{(]\s*(?P<first>\d)\s*(?:<=|\u2264)\s*t\s*(?:<=|\u2264)\s*{_LAST}\s*[}})]"),
)
_SUM_OVER = re.compile(
    r"\b(?:the\s+)?sum\s+over\s+(?:all\s+)?(?:(?:time[ -]*)?steps|time|t)(?:\s+t)?\s+(?:of\s+)?(?=[^\s=)\],;.])"
)
_ALL_T = re.compile(rf"{_SUM}\s*_?\s*[{{(]\s*(?:all\s+)?(?:t|time|steps)\s*[}})]")
_AXIS = r"\s*(?:(?:axis|dim)\s*=\s*)?(?:0|1(?=\s*,\s*keep))\s*(?:,\s*keepdims?\s*=\s*True\s*)?"
_SUMMED_ROWS = re.compile(rf"\.sum\({_AXIS}\)")
_SUM_OF_ROWS = re.compile(rf"(?:\b(?:np|torch|jnp)\.)?\bsum\((?P<inner>[^(),=]+),{_AXIS}\)")
_DOT = re.compile(r"\b(?:np|numpy|torch|jnp)\.(?:dot|matmul|mm)\(\s*(?P<a>[^(),]+?)\s*,\s*(?P<b>[^(),]+?)\s*\)")
_METHOD = re.compile(r"(?<=[\w)\]'])\.(?:dot|matmul|mm)\(")
_TURNED = re.compile(r"(?<=[\w)\]])\.transpose\(\)")
_FOLLOWS = re.compile(r"(?<=\s)(?:=+>|\u21d2|\u27f9|\u2234)(?=\s)")
_LEADS = re.compile(
    r"^(?P<blank>[ \t]*)(?:=+>|[-]+>|\u21d2|\u27f9|\u2234|\u2192|\u27a4|\u25b8|\u25aa|\u25e6|\u2713)(?=\s)",
    re.MULTILINE,
)
_SIGNS = {"\u22c5": "\u00b7", "\u25e6": "\u2218", "\u25cb": "\u2218", "\u2a00": "\u2299", "\u2254": "=", "\u2250": "=",
          "\u2261": "=", "\u225c": "=", "\u2715": "\u00d7"}  # fmt: skip


def spelt(text: str) -> str:
    """A text with its formulas spelt as other sheets spell them."""
    for sign, meant in _SIGNS.items():
        text = text.replace(sign, meant)
    text = re.sub(r"(?<![\^{])\u22a4", "^T", text).replace("\u22a4", "T")
    text = _LEADS.sub(lambda m: m["blank"] + " " * (len(m[0]) - len(m["blank"])), text)
    text = _FOLLOWS.sub(lambda m: ";".ljust(len(m[0])), text)
    text = _ANGLES.sub(r"_{\1}", text)
    text = _GLUED.sub(r"\1_{t\2}", text)
    for pattern in _RANGES:
        text = pattern.sub(lambda m: f"sum_{{t={m['first']}}}^{{{m['last']}}}", text)
    text = _SUM_OVER.sub("sum_t ", _ALL_T.sub("sum_t ", text))
    text = _SUMMED_ROWS.sub("", _SUM_OF_ROWS.sub(r"(\g<inner>)", text))
    text = _METHOD.sub(" @ (", _DOT.sub(r"(\g<a> @ \g<b>)", _TURNED.sub(".T", text)))
    return _TILDE.sub(r"\g<head>\g<name>_tilde", _TILDE_STEP.sub(r"\g<head>\g<name>_tilde", text))
