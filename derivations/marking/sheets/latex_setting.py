r"""Signs of typesetting in LaTeX that say nothing, or say what others say: `\underbrace{X}_{words}` is `X`.

What packages write in one command is put in plain LaTeX: `\pdv{L}{c}` is `\frac{\partial L}{\partial c}`.
"""

import re

from derivations.marking.sheets.latex_braces import braced
from derivations.marking.sheets.spoken import SPOKEN

MOST = 200
_AROUND = re.compile(  # what stands around a formula and leaves it as it is, with what is set above or below
    r"\\(?P<command>boxed|fbox|underbrace|overbrace|underbracket|overbracket|cancel|mathbin|mathrel|mathopen|mathclose"
    r"|mathord|ensuremath|smash|mathstrut|textcolor|colorbox|color|highlight|hl)(?![A-Za-z])\s*(?:\[[^\]]*\]\s*)?(?=\{)"
)
_TWO = ("textcolor", "colorbox")  # the first group is a colour
_OVER_A_SIGN = re.compile(r"\\(?:stackrel|overset|underset)\s*(?=\{)")
_SLOPES = re.compile(r"\\(?:pdv|dv|odv|diffp|diff|partialderivative|derivative)\*?(?![A-Za-z])\s*(?=\{)")
_OVER = re.compile(r"\\over(?![A-Za-z])")
_TEXT = re.compile(r"\\(?:text|textrm|mbox|textit|textsf|texttt|textnormal|textup)\s*\{\s*([A-Za-z]+)\s*\}")
_WITHIN_INDEX = re.compile(r"([_^]\s*\{[^{}]*)\\(?:text|textrm|mbox|textit|textsf|textbf|textnormal|rm)(?![A-Za-z])")
_NAMED = re.compile(
    r"(?P<name>\\(?:phi|varphi|psi|rho|theta|Phi|Psi))\s*(?:\(\s*(?P<at>[a-z]|\\cdot)\s*\))?\s*(?::=|=|\\equiv)\s*"
    r"(?P<of>\\(?:tanh|sigma))(?![A-Za-z_])(?:\s*\(\s*(?P=at)\s*\))?(?=\s*[$,;.)\\]|\s*$)",
    re.MULTILINE,
)
_WORD = re.compile(r"\s*[_^]\s*\{\s*\(?\s*(?:\\(?:mathrm|operatorname|text)(?!\s*\{\s*(?:T|top)\b)|[A-Za-z]{3,}|\+)")
_LOSSES = ("loss", "cost", "err", "error")
_READ = frozenset((*SPOKEN, *_LOSSES, "avg", "var", "std", "id"))


def plainly_set(row: str) -> str:
    """The row without signs of typesetting."""
    row = re.sub(r"\\(?:left|right|[bB]igg?[lrm]?)\s*\.", " ", row)
    row = re.sub(r"\\([ij])math(?![A-Za-z])", r"\1", re.sub(r"\s*\\in\s*\\mathbb.*$", "", row, flags=re.DOTALL))
    while _WITHIN_INDEX.search(row):
        row = _WITHIN_INDEX.sub(r"\1\\mathrm", row)
    row = _TEXT.sub(lambda m: rf"\operatorname{{{m[1]}}}" if m[1].lower() in _READ else m[0], row)
    row = re.sub(r"\\(?:mathscr|mathfrak|mathpzc)(?![A-Za-z])", r"\\mathcal", row)
    for pattern, put in ((_AROUND, _unwrapped), (_OVER_A_SIGN, _sign), (_SLOPES, _fraction)):
        for _ in range(MOST):
            if not (match := pattern.search(row)):
                break
            start, end = match.span()
            row = f"{row[:start]} {put(row, match, end)}"
    row = re.sub(r"\{\s*([+\-=])\s*\}", r"\1", re.sub(r"\{\s*\{\s*\+\s*\}\s*\{\s*=\s*\}\s*\}", "+=", row))
    row = re.sub(r"(?<=\+)[\s\\!;,]+(?==)", "", row)
    return _with_fractions(row)


def with_functions(text: str) -> str:
    r"""The text with functions by the names that it says they have, `with $\phi = \tanh$`."""
    for match in _NAMED.finditer(text):
        name = re.escape(match["name"])
        text = re.sub(rf"{name}(?![A-Za-z])(?=\s*(?:'|\^\s*\{{?\s*\\prime|\())", match["of"].replace("\\", r"\\"), text)
    return _NAMED.sub(lambda match: " " * len(match[0]), text)


def _unwrapped(row: str, match: re.Match[str], at: int) -> str:
    end = braced(row, at)
    if match["command"] == "color":
        return row[end:]
    if match["command"] in _TWO:
        at = end + len(row[end:]) - len(row[end:].lstrip())
        end = braced(row, at) if row[at : at + 1] == "{" else end
    inner, rest = row[at + 1 : end - 1], row[end:]
    if match["command"].startswith(("under", "over")):
        beside = re.match(r"\s*[_^]\s*", rest)
        if beside:
            stop = braced(rest, beside.end()) if rest[beside.end() : beside.end() + 1] == "{" else beside.end() + 1
            rest = rest[stop:]
        inner = f"{{{inner}}}" if re.search(r"[+-]", inner) else inner
    return f"{inner} {rest}"


def _sign(row: str, _: re.Match[str], at: int) -> str:
    r"""`\stackrel{!}{=}` is `=`."""
    end = braced(row, at)
    start = end + len(row[end:]) - len(row[end:].lstrip())
    if row[start : start + 1] != "{":
        return row[start:]
    stop = braced(row, start)
    return row[start + 1 : stop - 1] + row[stop:]


def _fraction(row: str, _: re.Match[str], at: int) -> str:
    end = braced(row, at)
    start = end + len(row[end:]) - len(row[end:].lstrip())
    if row[start : start + 1] != "{":
        return row[at:]
    stop = braced(row, start)
    return rf"\frac{{\partial {row[at + 1 : end - 1]}}}{{\partial {row[start + 1 : stop - 1]}}}{row[stop:]}"


def _with_fractions(row: str) -> str:
    r"""`{a \over b}` is `\frac{a}{b}`."""
    for _ in range(MOST):
        match = _OVER.search(row)
        start = _opened(row, match.start()) if match else -1
        if match is None or start < 0:
            break
        end = braced(row, start)
        above, below = row[start + 1 : match.start()], row[match.end() : end - 1]
        row = rf"{row[:start]}\frac{{{above}}}{{{below}}}{row[end:]}"
    return row


def _opened(row: str, at: int) -> int:
    """Where the group around a place opens; -1 where there is none."""
    depth = 0
    for k in range(at - 1, -1, -1):
        if row[k] in "{}" and row[k - 1 : k] != "\\":
            depth += (row[k] == "}") - (row[k] == "{")
            if depth < 0:
                return k
    return -1


def closes(row: str, at: int) -> int:
    """Where the bracket that opens at a place closes; -1 where it does not."""
    depth = 0
    for k in range(at, len(row)):
        depth += (row[k] == "(") - (row[k] == ")")
        if depth == 0:
            return k
    return -1


def without_brackets(row: str) -> str:
    r"""The row without the brackets around a name that a word belongs to, `(\nabla_h)^{\text{direct}}`."""
    at = row.find("(")
    while at >= 0:
        end = closes(row, at)
        inner = row[at + 1 : end]
        if (
            end > 0
            and _WORD.match(row, end + 1)
            and not re.search(r"[=+]|(?<![A-Za-z{])-", re.sub(r"\{[^{}]*\}", "", inner))
        ):
            row = f"{row[:at]} {inner}{row[end + 1 :]}"
        at = row.find("(", at + 1)
    return row
