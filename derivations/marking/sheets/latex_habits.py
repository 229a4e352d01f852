r"""What a sheet in LaTeX says of its own notation, in words or by an example: `$\bar v$ is $\partial L/\partial v$`.

An accent or a letter may stand for the gradient by what it is on, an accent for a preactivation, a letter for a
diagonal matrix (`With $D_v = \mathrm{diag}(v)$`), and a name for what the loss hands to `h_t` directly.
"""

import re
from dataclasses import dataclass

from derivations.expression import Expr, Name

_ACCENT = r"\\(?P<accent>hat|tilde|dot|check|breve|bar|widehat|widetilde|overline)(?![A-Za-z])"
_ON = r"\s*\{?\s*(?:\\cdot|\\bullet|\\ast|\\?[A-Za-z]+(?:[_^]\{?[a-z]\}?)*)\s*\}?(?:_\{?t\}?)?\s*\$?,?\s*"
_ETC = r"(?:\(?etc\.?\)?\s*)?"
_IS = r"(?:denotes?|is|are|means?|marks?|stands? for|for|:|=|refers? to)\s+(?:always\s+)?(?:the\s+|a\s+|an\s+)?"
_GRADIENT = r"(?:loss\s+)?(?:gradient|derivative|adjoint|error|sensitivit)"
_BEFORE = r"(?:net inputs?|pre-?\s?activations?|arguments?|logits?|linear parts?|pre-nonlinearit)"
_LOSS = r"(?:\\(?:mathcal|mathrm|mathscr)\s*\{?\s*[A-Z]\s*\}?|\\ell|[LEJC])"
_SLOPE = (
    rf"(?:\\partial\s*{_LOSS}\s*/\s*\\partial\s*(?P<of>\\?[A-Za-z]+)"
    rf"|\\[dt]?frac\s*\{{\s*\\partial\s*{_LOSS}\s*\}}\s*\{{\s*\\partial\s*(?P<under>\\?[A-Za-z]+))"
)
_EQUALS = r"\s*\}?(?:_\{?t\}?)?\s*\$?\s*(?::=|=|\\equiv|\\coloneqq|is|for|denotes|means|\\triangleq)\s*\$?\s*"
_SAID = re.compile(rf"{_ACCENT}{_ON}{_ETC}{_IS}{_GRADIENT}")
_SHOWN = re.compile(rf"{_ACCENT}\s*\{{?\s*(?P<on>\\?[A-Za-z]+){_EQUALS}{_SLOPE}")
_BY_LETTER = re.compile(rf"(?P<letter>\\?[A-Za-z]+)\s*_\s*\{{?\s*(?P<on>\\?[A-Za-z]+){_EQUALS}{_SLOPE}")
_PREACTIVATED = re.compile(rf"{_ACCENT}{_ON}{_ETC}{_IS}(?:\w+\s+)?{_BEFORE}")
_WORDED = re.compile(
    rf"\b(?P<accent>hat|tilde|bar|dot|overline)(?:s|ted\s+\w+|red\s+\w+)?\s+(?:quantities\s+)?{_IS}(?:\w+\s+)?"
    rf"(?:(?P<before>{_BEFORE})|{_GRADIENT})",
    re.IGNORECASE,
)
_DIAGONAL = re.compile(
    r"(?P<letter>\\?[A-Za-z]+)\s*(?:_\s*\{?\s*(?P<below>\\?[A-Za-z])\s*\}?|\(\s*(?P<in>\\?[A-Za-z])\s*\)|\[\s*(?P<at>\\?[A-Za-z])\s*\])"
    r"\s*\$?\s*(?::=|=|\\equiv|\\coloneqq|is|for|denotes|means|\\triangleq)\s*\$?\s*"
    r"\\?(?:operatorname\*?|mathrm|text|mathop)?\s*\{?\s*[dD]iag\s*\}?\s*(?:\\left)?"
    r"\s*[({]\s*(?P<of>\\?[A-Za-z])\s*(?:\\right)?[)}]"
)
_PLACEHOLDERS = frozenset(("v", "x", "y", "u", "q", "w", "X", "V", "Y", "Z", r"\theta", r"\cdot", "z", "a", "p", "s"))
_STYLE = re.compile(r"\\(?:mathbf|boldsymbol|bm|vec|mathrm)(?![A-Za-z])\s*")
_DOLLAR = re.compile(r"\$([^$]+)\$")
_DIRECT = re.compile(
    r"\b(?:step'?s? loss|loss (?:\w+ )?at (?:step |time )?\$?t\b|loss (?:of|at) (?:this|one|the same|that|each) step"
    r"|loss term|per-step loss|puts? on|injects?|sends?|layer above|output layer|from above|read-?out|outside|external"
    r"|upstream|read at|from the (?:output|loss)|direct(?:ly)?)\b"
)
_AN_ERROR = re.compile(r"\b(?:gradient|error|derivative|adjoint|signal|cotangent|sensitivity|part)\b|\bcomes from\b")
_NOT_DIRECT = re.compile(r"pre-?activation|argument|recurren|future|passes back|hands? back|\bc_|c_t|carry|carries")
_NAME = re.compile(r"\\?[A-Za-z]+(?:\s*\{?\s*\\?[A-Za-z]+\s*\}?)?(?:\s*[_^]\s*(?:\{[^{}]*(?:\{[^{}]*\})?[^{}]*\}|\w))*")


@dataclass(frozen=True)
class Habits:
    """How a sheet writes errors, preactivations and diagonal matrices.

    Attributes:
        accent: the accent that it says to stand for the gradient by what it is on.
        before: the accent that it says to stand for the preactivation of what it is on.
        letters: letters that stand for the gradient by their index.
        diagonal: letters that stand for the diagonal matrix of their index, or of what follows in brackets.
        deltas: whether a delta with an index is another thing than one in front of a name.
        conventions: what the conventions are said of, as `D v`: they are no claims.
        identity: whether it has diagonal matrices, so that `I` is the identity.
    """

    accent: str = ""
    before: str = ""
    letters: frozenset[str] = frozenset()
    diagonal: frozenset[str] = frozenset()
    deltas: bool = False
    conventions: frozenset[str] = frozenset()
    identity: bool = False


def habits(text: str) -> Habits:
    """The habits that the text of a sheet shows."""
    plain = _STYLE.sub("", text)
    accent = before = ""
    letters, diagonal, said = set(), set(), set()
    if match := _SAID.search(plain):
        accent = match["accent"]
    for match in _SHOWN.finditer(plain):
        beneath = re.search(r"\\partial\s*\{?\s*$", plain[: match.start()])
        if match["on"] == (match["of"] or match["under"]) and not beneath:
            accent = accent or match["accent"]
            if match["on"] in _PLACEHOLDERS:
                said.add(_bare(match["on"], match["accent"]))
    if match := _PREACTIVATED.search(plain):
        before = match["accent"]
    for match in _WORDED.finditer(plain):
        if match["before"]:
            before = before or match["accent"].lower()
        else:
            accent = accent or match["accent"].lower()
    for match in _BY_LETTER.finditer(plain):
        if match["on"] == (match["of"] or match["under"]) and match["on"] in _PLACEHOLDERS - {"a", "z", "s", "p"}:
            letters.add(match["letter"].removeprefix("\\"))
            said.add(_bare(match["on"], match["letter"].removeprefix("\\")))
    for match in _DIAGONAL.finditer(plain):
        if (match["below"] or match["in"] or match["at"]) == match["of"]:
            diagonal.add(match["letter"].removeprefix("\\"))
            said.add(_bare(match["of"], match["letter"].removeprefix("\\")))
    deltas = re.search(r"\\delta\s*_", text) and re.search(r"\\delta\s*[a-z](?![a-z])", text)
    before = "" if before == accent else before
    return Habits(
        accent, before, frozenset(letters), frozenset(diagonal), bool(deltas), frozenset(said),
        bool(diagonal) or "diag" in text.lower() or bool(re.search(r"[dD]iagonal", text)),
    )  # fmt: skip


def is_convention(left: str, said: Habits) -> bool:
    """Whether a left-hand side is that of a convention: `\\bar v`, `D_v`, `g_v`."""
    plain = re.sub(r"[{}\s$()\[\]]|\\(?:mathbf|boldsymbol|bm|vec|mathrm)(?![A-Za-z])", "", left)
    match = re.fullmatch(r"\\?([A-Za-z]+?)_?(\\?[A-Za-z])(?:_t)?", plain)
    return bool(match) and _bare(match[2], match[1]) in said.conventions if match else False


def _bare(on: str, mark: str) -> str:
    return f"{mark} {on}"


def said_directly(text: str) -> dict[str, Expr]:
    r"""The names that a sentence says to be what the loss hands to h_t directly: `$r_t$ is the error from above`."""
    found: dict[str, Expr] = {}
    for sentence in re.split(r"(?<=[a-z$)])\.(?:\s|$)|;|\\\\|\n\s*\n|\\(?:begin|end)\{|\band\b(?=\s*\$)", text):
        for match in _DOLLAR.finditer(sentence):
            name = match[1].strip()
            behind = re.split(r",\s*(?=\$)", sentence[match.end() :])[0][:120]
            before = re.split(r"\$|,", sentence[: match.start()])[-1][-40:]
            if not _NAME.fullmatch(name) or re.match(r"\\partial|\\frac|h|c|L|E", name) or not _starts(behind, before):
                continue
            about = behind if re.match(r"\s*(?:is|:|be|denotes|the|for|comes|=)", behind) else before
            if _AN_ERROR.search(about) and _DIRECT.search(about) and not _NOT_DIRECT.search(about):
                found[name] = Name("dh_out")
    return found


def _starts(behind: str, before: str) -> bool:
    """Whether words say what a name is: behind it, or as its title in front."""
    return bool(
        re.match(r"\s*(?::|,|is|be|denotes|for|the|comes|means)(?!\w)", behind)
        or re.search(r"(?:part|gradient|error|signal)\s*$", before)
    )
