"""What the words around the formulas of a sheet say: that errors are cut on purpose, that the sequence goes on."""

import re
from collections.abc import Iterator
from dataclasses import replace

from derivations.marking.sheet import Sheet
from derivations.marking.sheets.remarks import PROSE

_AS_TEXT = (  # a text without what typesets it
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}"), r"\1/\2"),
    (re.compile(r"\\partial\s*|\u2202"), "d"),
    (re.compile("\u03b4"), "delta"),
    (re.compile(r"\\(?:mathcal|mathrm|mathbf|text)\b|[\\${}]"), ""),
)
_TRUNCATED = re.compile(
    r"truncat|deliberately cut|held constant|treated as (?:a )?constant|\.detach\(|stop.?gradient|no error flows",
    re.IGNORECASE,
)
_ALL_STEPS = re.compile(r"(?:total|over)[^.\n]{0,40}\ball (?:time ?)?steps", re.IGNORECASE)
_LATER = re.compile(
    r"\bd[hc]_?next\b|[_^]?\{?t\s*\+\s*1|over the (?:whole |full )?sequence"
    r"|(?:sequence|recurrence) (?:goes on|continues)|step after|following step|inner step"
)
_PREFIX = r"(?<![A-Za-z\\])(?P<prefix>delta_?|eps(?:ilon)?_?|e_|d_|g_|err_?|D_)"
_DEFINED = re.compile(  # "delta_k = dL/da_k", for any gate k
    _PREFIX + r"\^?(?P<of>[a-su-z*])(?![a-z])(?:[_^]?\(?t\)?)?\s*(?::?=|is|are|means?|denotes?|stands for|for)"
    r"\s*(?:the\s+)?(?:total\s+)?"
    r"d\s?[A-Za-z]+(?:_t)?/d\s?(?:a|z|net|s|pre|zeta)[_^]?(?P=of)(?![a-z])"
)
_AT_ARGUMENTS = re.compile(r"pre-?\s?activations?|net inputs?|inside the (?:nonlinearity|sigmoid)", re.IGNORECASE)
_OF = re.compile(r"(?:gradients?|derivatives?|errors?|dL/d)\b|w\.?\s?r\.?\s?t|with respect to|\bat\b", re.IGNORECASE)
_IN_TOTAL = re.compile(r"\b(?:in )?total\b|depends on \S+ as well|through all steps", re.IGNORECASE)
_LETTER = re.compile(
    r"(?<![A-Za-z])(?P<letter>[a-z])(?P<of>[xvk*])(?:[\[(_]t[\])]?)?\s*(?:=|is|means?|for)\s*(?:the\s+)?(?:total\s+)?dL/d(?P=of)"
)
_EVERY_LOSS = re.compile(
    r"loss\w*\s+(?:\$?L\$?\s+)?(?:on|at|of|depends on|reads|for)\s+(?:every|each|all)|every\s+\$?h"
    r"|at (?:every|each|all) (?:time ?)?steps?|L\s*=\s*(?:\\?sum|\u2211|\u03a3|L_?\{?1\}?\s*\+)"
)
_CARRIED = re.compile(r"\bd_?(?:next_?)?[hc](?:_?next)?\b")
_ALONE = re.compile(
    r"\b(?:no|not|nothing|without|ignor\w*|drop\w*|only|single|alone|truncat\w*|cut|zero|deliberate\w*|purpose"
    r"|one step)\b|= *0\b|last (?:time )?step",
    re.IGNORECASE,
)
_DIRECT = re.compile(  # the last state of the cell has a gradient of its own
    r"final (?:\w+ )?(?:states?'?s? )?gradients?\b[^.\n]*c|reads \$?c\S* directly|both final states"
)


def with_words(sheet: Sheet, text: str) -> Sheet:
    """The sheet with what the words of its text say."""
    return replace(
        sheet,
        truncated=bool(_TRUNCATED.search(text)),
        all_steps=bool(_ALL_STEPS.search(text)),
        later=_speaks_of_later(sheet, text if sheet.notation != "python" else _comments(text)),
        at_arguments=frozenset(_at_arguments(text)),
        in_total=bool(_IN_TOTAL.search(text)),
        error_letters=frozenset(match["letter"] for match in _LETTER.finditer(text)),
        every_loss=bool(_EVERY_LOSS.search(text)),
    )


def _at_arguments(text: str) -> Iterator[str]:
    """The prefixes of names that the sheet says to be errors at the preactivations: "delta_k = dL/da_k"."""
    for sign, meant in _AS_TEXT:
        text = sign.sub(meant, text)
    for match in _DEFINED.finditer(text):
        yield match["prefix"].rstrip("_")
    for sentence in re.split(r"[.;]\s|\n|,\s(?=where|with|and)", re.sub(r"w\.\s?r\.\s?t\.", "wrt", text)):
        said = _AT_ARGUMENTS.search(sentence)
        names = [*re.finditer(_PREFIX + r"\^?[a-su-z*](?![A-Za-z(/])", sentence)]
        if said and names and _OF.search(sentence, 0, said.start()) and "=" not in sentence.replace("= grad", " grad"):
            yield from (match["prefix"].rstrip("_") for match in names if match.start() < said.start())


def _comments(text: str) -> str:
    """The comments of a program, each on its line, that speak of what its lines leave out."""
    code = "\n".join(line.split("#")[0] for line in text.split("\n"))
    said = ["#".join(line.split("#")[1:]) for line in text.split("\n")]
    return "\n".join(one for one in said if not any(name in code for name in _CARRIED.findall(one)))


def _speaks_of_later(sheet: Sheet, text: str) -> bool:
    """Whether a sentence beside the formulas says that the sequence goes on, and none that it does not."""
    formulas = {line.number for line in sheet.lines if line.rhs is not None}
    prose = [
        written
        for k, written in enumerate(text.split("\n"), 1)
        if k not in formulas or "%" in written or PROSE.search(written)
    ]
    said = [written for written in prose if _LATER.search(written)]
    if any(_DIRECT.search(written) for written in prose):
        return True
    return bool(said) and not any(_ALONE.search(written) for written in said)
