"""Words around the formulas of a sheet in plain text: what is a remark, and what says what a name stands for.

`Let D := dL/dh (incl. recurrence)` says what `D` is, and so does `(w = W_hh)` behind a formula. `dW_hf (share of t=1)
= ...` is a claim about `dW_hf`, and `dL/dW at t: g_t x_t^T` is one without a sign.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from derivations.marking.sheets.spoken import is_word

_WORD = (
    r"(?:of|the|is|are|then|since|from|for|with|by|and|where|because|here|only|not|share|step|total|immediate|coming"
    r"|incl\w*|recurrent|just|see|note|direct|comes?"
    r"|over|all|each|every|this|that|what|into|my|same|above|below|again|also|both|goes|we)"
)
_ALONE = r"(?:immediate|total|recurrent|direct|share|scalar|elementwise|exact|sum|part|own)"
PROSE = re.compile(rf"\b{_WORD}\.?\s+[A-Za-z]{{1,}}|\b[a-z]{{3,}}\s+{_WORD}\b|^\s*{_ALONE}\s*$|:\s*[a-z]{{3,}}")
_BRACKETED = re.compile(r"(?<![A-Za-z_\d'])\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)")
_BEFORE_FORMULAS = re.compile(r"(?<!\S)(?:[,.]?\s*)\b(?:where|with|since|because|so|hence|thus)\s+(?=[^\s=]+\s*:?=)")
_LEADS = r"let|put|call|define|write|denote|take|given|with|where|set"
_LEAD = re.compile(
    rf"\s*(?:(?:{_LEADS}|so|and|thus|hence|then|here|now|since|because|also|we|you)\s+)+(?=\S+\s*:?=)", re.IGNORECASE
)
_DEFINING = re.compile(rf"\b(?:{_LEADS})\b|(?<!\w)let\b", re.IGNORECASE)
_BEHIND = re.compile(
    r"\s+(?:the|an|in total|per|coming|is|of|from|because|since|as|which|when|hence|via|again|here"
    r"|where(?!\s+\S+\s*:?=)|(?:at|for|from)\s+(?:step|time|t\b|all|each|every))\b[^=]*$"
)
_ADDED = re.compile(  # ", one line per gate", ", r and z are sigmoids"
    r"(?:,|\s-)\s+(?![^=]*\b(?:times|plus|minus|multipl\w+|divided|transposed?|squared|product)\b)"
    r"(?:\w+\s*,\s*)?(?:\w+\s+)?[A-Za-z]{3,}\s+[a-z]{2,}\b[^=]*$"
)
_CALCULATED = re.compile(
    r"\b(?:times|plus|minus|multipl\w+|divided|transposed?|squared|product\s+(?:with|of|by|and)|over)\b"
)
_BESIDE = re.compile(r"\s*,\s*[a-z]+(?:\s+[a-z]+)*\s*$")  # "dL/dh, recurrent part"
_IS = re.compile(r"^\s*(?:[a-z]+\s+)*?([A-Za-z]\w{0,5})\s+(?:is|=|:=)\s+([A-Za-z\u2202\u03b4]\S*?)\s*$")
_IS_THE = re.compile(
    r"(?:^|(?<=[\s;,]))([A-Za-z]\w{0,5})\s+(?:is|denotes|means)\s+the\s+[a-z ]+,?\s+"
    r"([d\u2202]\S+?/[d\u2202][^\s,;)]+)\s*$"
)
_SHORT = re.compile(  # a letter for a derivative of the loss
    r"\s*(?:[A-Za-z\u03b1-\u03c9]|delta|eps(?:ilon)?|eta|zeta|xi|lambda|nu|rho)(?:_(?:t|\{t\}|\d)|\(t\))?\s*:?=\s*[d\u2202][A-Za-z]\w*/[d\u2202]\S+\s*"
)
_SUM_OVER = re.compile(r"\bsum\s+over\s+(?:all\s+)?(?:t|time|(?:time\s*)?steps)\s+of\b")
_SUM_OF = re.compile(r"\bsum\s+of\s+(?:the\s+|all\s+)?(?:rows|columns)\s+of\s+([A-Za-z]\w*)")
_SHARE = re.compile(
    r"\b(?:share|contribution|part|term)\b(?:\s+(?:of|from|at)(?:\s+(?:step|time))?(?:\s+t\s*=)?\s*(?:t=)?\s*(\d)?)?"
)
_SMILEY = re.compile(r"(?<=\s)[:;]['-]?[()DP](?=\s|$)|[\u2713\u2714\u2705\u274c\U0001f300-\U0001faff]")
_ARROW = re.compile(r"\s*(?:<[-=~]+|\u2190|\u21d0)\s*|\s[-=]*(?:->|\u2192)\s")
_DASHED = re.compile(r"\s(?:--+|\u2014|//)\s*(?=[A-Za-z]{2,}\b[^=]*$).*$", re.DOTALL)
_NUMBER = re.compile(r"\s+\(\s*(?:eq\.?\s*)?[\d*\u2020.]{1,4}[a-z]?'?\s*\)\s*$")  # the number of an equation
_ASIDE = re.compile(r"(?<=[\w)\]'}])\s+[(\[](?:[A-Za-z'-]+[\s,.?!/]+)*[A-Za-z'-]+[\s,.?!/]*[)\]]\s*$")
_WONDERING = re.compile(
    r"(?:[\s,]*(?:\b(?:right|correct|ok|okay|i\s+think|i\s+guess|hopefully|maybe|not\s+sure|done|qed|check\w*)\b|[?!.\u220e]))+\s*$",
    re.IGNORECASE,
)
_COMES_BACK = re.compile(r"coming|incoming|t\s*\+\s*1|next|later")


@dataclass(frozen=True)
class Said:
    """A part of a line: where it starts, what it says, and whether it says what a name stands for."""

    start: int
    text: str
    defines: bool = False


def without_remarks(code: str) -> tuple[str, list[Said]]:
    """A line with blanks for what is said in brackets, and what those brackets say of names."""
    found: list[Said] = []

    def blank(match: re.Match[str]) -> str:
        inner = match[1]
        if not ("=" in inner or PROSE.search(inner)):
            return match[0]
        at = match.start(1)
        if spoken := _IS_THE.search(inner):
            found.append(Said(at + spoken.start(), f"{spoken[1]} = {spoken[2]}", defines=True))
        for part in re.finditer(r"[^,;]+", inner):
            if (said := _IS.match(part[0])) and not said[2].isdigit():
                found.append(Said(at + part.start(), f"{said[1]} = {said[2]}", defines=True))
        return re.sub(r"[^\n]", " ", match[0])

    code = _BRACKETED.sub(blank, code)
    code = _SUM_OVER.sub(lambda m: "sum_t".ljust(len(m[0])), code)
    return _SUM_OF.sub(lambda m: f"sum({m[1]})", code), found


def share_said(code: str) -> int | None:
    """The step of which a line says that it is the share, 0 for step t; None where it does not say so."""
    match = _SHARE.search(code)
    return int(match[1] or 0) if match else None


def parted(said: Said) -> Iterator[Said]:
    """A statement, the conditions behind it first: `dr = da_n*q, where q = ...`."""
    match = _BEFORE_FORMULAS.search(said.text)
    if match and "=" in said.text[: match.start()]:
        yield from parted(Said(said.start + match.end(), said.text[match.end() :], defines=True))
        yield Said(said.start, said.text[: match.start()].rstrip(" ,"), said.defines)
    else:
        yield said


def stripped(said: Said, assigned: re.Pattern[str]) -> Said:
    """A claim without the words that lead to it and those that follow it."""
    text, defines = said.text, said.defines
    if lead := _LEAD.match(text):
        defines = defines or bool(_DEFINING.search(lead[0]))
        text = " " * lead.end() + text[lead.end() :]
    if cut := assigned.search(text):
        left = _BESIDE.sub("", text[: cut.start()])
        right = text[cut.start() :]
        if (behind := _BEHIND.search(right)) and not _CALCULATED.search(behind[0]):
            right = right[: behind.start()]
            if re.fullmatch(r"[:=\s]*(?:at|in|to|by|on|as|for)", right):
                return Said(said.start, "")  # "da = at the net input" is a sentence
        right = _ADDED.sub("", right).rstrip(" ,")
        if (behind := _BEHIND.search(text[cut.start() :])) and _COMES_BACK.search(behind[0]):
            return Said(said.start, "")  # a part of what the derivative says
        defines = defines or (cut[0] == ":=" and bool(re.fullmatch(r"[:=\s]*[\w/{}()+-]+\s*", right)))
        text = left.ljust(cut.start()) + right
        defines = defines or bool(_SHORT.fullmatch(text))
    return Said(said.start, text, defines)


def without_a_tail(code: str, assigned: re.Pattern[str]) -> str:
    """A claim without what is remarked behind it: `<- right??`, `[before tanh]`, `-- see above`, `(3)`."""
    cut = assigned.search(code)
    if cut is None:
        return code
    head, tail = code[: cut.end()], _SMILEY.sub(" ", code[cut.end() :])
    if (arrow := _ARROW.search(tail)) and tail[: arrow.start()].strip():
        tail = tail[: arrow.start()]
    tail = _DASHED.sub("", _NUMBER.sub("", tail))
    while (bracket := _ASIDE.search(tail)) and any(map(is_word, re.findall(r"[A-Za-z]+", bracket[0]))):
        tail = tail[: bracket.start()]
    return head + _WONDERING.sub("", tail).rstrip(" ;:.,")
