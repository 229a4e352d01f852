r"""A row of LaTeX before it is cut into tokens: what is said in words, or in signs of typesetting, is put as a formula.

A sum over the gates is written out, `\sum_{k \in \{f, i\}} W_{hk} \delta_k` as two terms; a sum over `\tau` is one over
`t`; what is said to hold at one step, `\Big|_{t=1}`, and words behind the formula are left out.
"""

import re

from derivations.marking.sheets.latex_gates import over_gates

_STEP_BY = re.compile(r"\\sum\s*(?:\\limits\s*)?_\s*\{?\s*(\\tau|s)(?![A-Za-z])\s*(?:=|\})")
_AT = re.compile(r"(?:\\r?vert|\|)\s*_\s*(\{(?:[^{}]|\{[^{}]*\})*\}|\w)")
_STYLED = re.compile(r"\\(?:mathrm|text|textrm|mathit|operatorname|rm)(?![A-Za-z])")
_CHEVRONS = re.compile(r"\^\s*\{?\s*\\langle\s*(t(?:\s*[-+]\s*1)?)\s*\\rangle\s*\}?")  # a^{\langle t \rangle}
_BACK = re.compile(r"\^\s*(?:\{\s*(?:\\,)?\s*\\leftarrow\s*\}|\\leftarrow(?![A-Za-z]))")
_WORDS_BEHIND = re.compile(
    r"(?:,\s*)?(?:\\q?quad\s*|&&\s*)(?:\\(?:text|mbox|textrm)\s*\{\s*\(?\s*(?:\$[^=]*\$\s*[a-z]|(?:if|for|since|because|as|when|comes?|"
    r"using|by|the|this|from|only|at|here)\b))[^=]*$"
)
_REMARK_BEHIND = re.compile(r"(?:,\s*)?(?:\\q?quad\s*|&\s*|~|\\[,;:]\s*)*\\(?:text|mbox|textrm)\s*\{\s*[(\[][^=]*$")


def share_said(row: str) -> int | None:
    """The step at which a row says that it holds, as behind a bar; 0 for step t, None where it does not say so."""
    match = re.search(r"(?:\\vert|\|)\s*_\s*\{?\s*t\s*(?:=\s*(\d))?\s*\}?", row)
    return int(match[1] or 0) if match else None


def readied(row: str) -> str:
    """The row, as far as it can be said in formulas alone."""
    row = _BACK.sub("_{next}", row)
    row = _CHEVRONS.sub(r"_{\1}", row)
    row = _REMARK_BEHIND.sub("", _WORDS_BEHIND.sub("", row))
    row = re.sub(r"\\(?:left|right|[bB]igg?[lrm]?)\s*(?=\||\\vert)", "", row)
    row = _AT.sub(_said_at, row)
    while by := _STEP_BY.search(row):
        letter = re.escape(by[1])
        turned = re.sub(rf"{letter}(?![A-Za-z])" if by[1] != "s" else r"(?<=[_{(=])\s*s(?=\s*[-+=})])", "t", row)
        if turned == row:
            break
        row = turned
    return over_gates(row)


def _said_at(match: re.Match[str]) -> str:
    """What stands at a bar: words are put above the name, a step is left out."""
    said = _STYLED.sub("", match[1]).strip("{}() ")
    words = re.findall(r"[A-Za-z]{2,}", said)
    return f"^{{\\mathrm{{{'_'.join(words)}}}}}" if words and not re.search(r"[=_^]", said) else " "
