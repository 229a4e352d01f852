r"""The formulas of a text in LaTeX: what stands in an environment or between dollars, cut into rows.

A row ends at `\\\\`, and where a second formula stands behind a space, an arrow or a comma.
"""

import re
from collections.abc import Iterator

_DISPLAY = re.compile(
    r"\\begin\{(?P<env>(?:align|aligned|equation|gather|gathered|eqnarray|multline|flalign|alignat|split|displaymath|math)"
    r"\*?)\}(?P<body>.*?)\\end\{(?P=env)\}"
    r"|\\\[(?P<bracket>.*?)\\\]|\$\$(?P<dollars>.*?)\$\$|(?<!\\)\$(?P<dollar>[^$]*?)(?<!\\)\$|\\\((?P<paren>.*?)\\\)",
    re.DOTALL,
)
# what sets two formulas on one line apart: a space or an alignment, with a whole formula to come
_APART = re.compile(
    r",?\s*(?:(?:\\q?quad\s*)*\\(?:implies|iff|[Rr]ightarrow|Longrightarrow|Leftrightarrow|Longleftrightarrow|therefore|leadsto)"
    r"(?![A-Za-z])(?:\s*\\q?quad)*|\\q?quad(?![A-Za-z])|\\text\s*\{\s*(?:and|where|with|so that|so)\s*\}|"
    r"&\s*&|&(?=[^&=\\]*(?:\\(?!\\)[^&=\\]*)*&\s*=))(?=(?:[^\\]|\\(?!\\|q?quad))*?=)"
)
EQUALS = re.compile(r"\\(?:coloneqq|triangleq|equiv|doteq|leftarrow|gets|approx|simeq)(?![A-Za-z])(?:_\{?\w+\}?)?|:=|=")
_LED = re.compile(r"^(?:[\s&~]|\\(?:q?quad|[,;:! ])|\\[hv]?phantom\s*\{[^{}]*\}|\{\}|\\(?:left|right)\.)+")
_SIGN_FIRST = re.compile(r"[+*/)\]-]|\\(?:odot|cdot|times|circ|right|Big|big)(?![A-Za-z])")
_SIGN_LAST = re.compile(r"(?:[+*-]|\\(?:odot|cdot|times|circ))\s*$")
_NEXT_CLAIM = re.compile(r",(?:\s|\\[,;:!]|~)*(?=[^\s,=&()][^,=&]{0,60}?(?<![+\-<>])\s*&?\s*=)")
_PROSE = re.compile(r"[A-Za-z]{3,}\s+[A-Za-z]{2,}")


def rows_of(text: str) -> Iterator[tuple[int, int, str, str]]:
    """The rows of every formula, with its place, and if it stands in a line of text or among words."""
    found = list(_DISPLAY.finditer(text))
    inner = []
    for match in found:
        for group in ("body", "bracket", "dollars", "dollar", "paren"):
            if match[group] is not None:
                within = "" if group not in ("dollar", "paren") else "words" if _beside_words(text, match) else "line"
                inner.append((match.start(group), match.end(group), within))
    if r"\begin{document}" not in text:  # lines of formulas without anything around them
        for match in re.finditer(r"[^\n]+", text):
            bare = not any(a < match.end() and match.start() < b for a, b, _ in inner)
            if bare and EQUALS.search(match[0]) and not _PROSE.search(re.sub(r"\\[A-Za-z]+|\{[^{}]*\}", " ", match[0])):
                inner.append((match.start(), match.end(), ""))
    for begin, end, within in sorted(inner):
        parts = list(_cut(text, begin, end))
        while parts:
            start, stop = parts.pop(0)
            row = text[start:stop]
            while parts and EQUALS.search(row) and _goes_on(row, behind := text[parts[0][0] : parts[0][1]]):
                row = f"{row} {_LED.sub('', behind)}"
                parts.pop(0)
            if EQUALS.search(row):
                lead = len(row) - len(row.lstrip("& \n\t"))
                line = text.count("\n", 0, start + lead) + 1
                column = start + lead - (text.rfind("\n", 0, start + lead) + 1) + 1
                yield line, column, row, within


def _goes_on(row: str, behind: str) -> bool:
    """Whether a row is set on two lines: the second starts with a sign, or a bracket of the first is open."""
    rest = _LED.sub("", behind)
    if EQUALS.search(re.sub(r"_\s*\{[^{}]*\}", "", rest)):
        return False
    return bool(_SIGN_FIRST.match(rest)) or row.count("(") > row.count(")") or bool(_SIGN_LAST.search(row))


def conditions_first(rows: list[tuple[int, int, str, str]]) -> list[tuple[int, int, str, str]]:
    """The rows with a definition that stands behind a formula of its line before it, `... = y/s, \\quad y = ...`."""
    found = list(rows)
    for k in range(len(found) - 1):
        (line, _, row, _), (number, column, behind, _) = found[k : k + 2]
        name = behind.partition("=")[0].strip("& :")
        own = re.fullmatch(r"\\?[A-Za-z]+(?:_\{?t\}?)?", name) and not name.startswith((r"\delta", r"\nabla"))
        used = own and re.search(rf"(?<![A-Za-z\\]){re.escape(name)}(?![A-Za-z])", row.partition("=")[2])
        if line == number and used and not any(one[2].partition("=")[0].strip("& :") == name for one in found[:k]):
            found[k : k + 2] = [(number, column, behind, "words"), found[k]]
    return found


def _beside_words(text: str, formula: re.Match[str]) -> bool:
    """Whether words stand on the line of a formula."""
    start, end = text.rfind("\n", 0, formula.start()) + 1, text.find("\n", formula.end())
    line = text[start : end if end >= 0 else len(text)]
    return bool(re.search(r"[A-Za-z]{3,}", re.sub(r"\$[^$]*\$|\\\(.*?\\\)|\\[A-Za-z]+|\([^()$]*\)", " ", line)))


def _cut(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """A formula at its line breaks, but not within a matrix."""
    depth, start, k = 0, begin, begin
    while k < end:
        apart = _APART.match(text, k) if depth == 0 else None
        if apart is None and depth == 0 and text[k] == "," and _is_whole(text[start:k]):
            apart = _NEXT_CLAIM.match(text, k, end)
        if apart and "=" in text[start:k]:
            yield start, k
            start = k = apart.end()
        elif match := re.compile(r"\\begin\{[bpvB]?matrix\}").match(text, k):
            depth, k = depth + 1, match.end()
        elif match := re.compile(r"\\end\{[bpvB]?matrix\}").match(text, k):
            depth, k = depth - 1, match.end()
        elif text.startswith("\\\\", k):
            if depth == 0:
                yield start, k
                match = re.compile(r"\\\\\*?(?:\[[^\]]*\])?").match(text, k)
                start = k = match.end() if match else k + 2
            else:
                k += 2
        elif text[k] == "\\":
            k += 2
        else:
            k += 1
    if start < end:
        yield start, end


def _is_whole(text: str) -> bool:
    """Whether all brackets of a text are closed."""
    return all(text.count(opens) == text.count(closes) for opens, closes in ("()", "[]", "{}"))
