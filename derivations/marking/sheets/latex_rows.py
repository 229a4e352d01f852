r"""A row of LaTeX before it is cut into tokens: what is said in words, or in signs of typesetting, is put as a formula.

A sum over the gates is written out, `\sum_{k \in \{f, i\}} W_{hk} \delta_k` as two terms; a sum over `\tau` is one over
`t`; what is said to hold at one step, `\Big|_{t=1}`, and words behind the formula are left out.
"""

import re

_GATES = re.compile(r"\\sum\s*(?:\\limits\s*)?_\s*\{\s*(?P<letter>[a-z])\s*\\in\s*\\?\{?(?P<over>[^{}]*?)\\?\}?\s*\}")
_STEP_BY = re.compile(r"\\sum\s*(?:\\limits\s*)?_\s*\{?\s*(\\tau|s)(?![A-Za-z])\s*(?:=|\})")
_AT = re.compile(r"(?:\\vert|\|)\s*_\s*(?:\{[^{}]*\}|\w)")
_BACK = re.compile(r"\^\s*(?:\{\s*(?:\\,)?\s*\\leftarrow\s*\}|\\leftarrow(?![A-Za-z]))")
_WORDS_BEHIND = re.compile(
    r"(?:,\s*)?(?:\\q?quad\s*|&&\s*)(?:\\(?:text|mbox|textrm)\s*\{\s*\(?\s*(?:\$[^=]*\$\s*[a-z]|(?:if|for|since|because|as|when|comes?|"
    r"using|by|the|this|from|only|at|here)\b))[^=]*$"
)
MOST_GATES = 8


def share_said(row: str) -> int | None:
    """The step at which a row says that it holds, as behind a bar; 0 for step t, None where it does not say so."""
    match = re.search(r"(?:\\vert|\|)\s*_\s*\{?\s*t\s*(?:=\s*(\d))?\s*\}?", row)
    return int(match[1] or 0) if match else None


def readied(row: str) -> str:
    """The row, as far as it can be said in formulas alone."""
    row = _BACK.sub("_{next}", row)
    row = _WORDS_BEHIND.sub("", row)
    row = re.sub(r"\\(?:left|right|[bB]igg?[lrm]?)\s*(?=\||\\vert)", "", row)
    row = _AT.sub(" ", row)
    while by := _STEP_BY.search(row):
        letter = re.escape(by[1])
        turned = re.sub(rf"{letter}(?![A-Za-z])" if by[1] != "s" else r"(?<=[_{(=])\s*s(?=\s*[-+=})])", "t", row)
        if turned == row:
            break
        row = turned
    return _over_gates(row)


def _over_gates(row: str) -> str:
    """The row with sums over gates written out."""
    while match := _GATES.search(row):
        gates = [gate for gate in re.split(r"[,\s]+", match["over"].strip()) if gate]
        if not 1 <= len(gates) <= MOST_GATES:
            break
        end = _term(row, match.end())
        body = row[match.end() : end]
        terms = " + ".join(_with(body, match["letter"], gate) for gate in gates)
        row = f"{row[: match.start()]}( {terms} ){row[end:]}"
    return row


def _term(row: str, at: int) -> int:
    """Where the term that starts at a place ends: at a sign outside of brackets, or with the brackets around it."""
    depth = 0
    for k in range(at, len(row)):
        sign = row[k]
        depth += (sign in "({[") - (sign in ")}]")
        ends = depth == 0 and sign in "+-=," and row[at:k].strip() and row[k - 1] != "\\"
        if depth < 0 or ends:
            return k
    return len(row)


def _with(body: str, letter: str, gate: str) -> str:
    """A term with a gate in the place of the letter that is summed over: in an index, or as a name of its own."""

    def index(match: re.Match[str]) -> str:
        inner = match[1]
        if re.fullmatch(rf"[a-zA-Z]?{letter}", inner.strip()):
            return "_{" + inner.replace(letter, f" {gate}" if gate.startswith("\\") else gate) + "}"
        return "_{" + re.sub(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z])", lambda _: gate, inner) + "}"

    body = re.sub(r"_\s*\{([^{}]*)\}", index, body)
    body = re.sub(rf"_\s*{letter}(?![A-Za-z])", lambda _: "_{" + gate + "}", body)
    return re.sub(rf"(?<![A-Za-z\\_{{]){letter}(?![A-Za-z}}])", lambda _: gate, body)
