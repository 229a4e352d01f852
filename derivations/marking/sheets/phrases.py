"""What words left of a claim say that it is about: `grad W_f`, `contribution of step t to dW`, `df before sigmoid`.

A claim may have a colon for its sign, `passed back to c_prev: f*dc`, where its right side is a formula.
"""

import re
from dataclasses import dataclass

from derivations.marking.sheets.definitions import is_error
from derivations.marking.sheets.spoken import is_word

_NAME = r"(?P<name>[^\W\d][^\s=,;:()]*(?:\([^()\s]*\))?'?)"
_LOSS = r"(?:\s+of\s+(?:the\s+)?(?:total\s+|whole\s+)?(?:loss|cost|error|objective|L|E|J)(?![\w/]))?"
_BY = (
    r"(?:\s*(?:of|w\.?\s?r\.?\s?t\.?|with\s+respect\s+to|for|in|by|at|on|to|into|from|reaching|entering)"
    r"(?:\s+(?:the|its))?)?"
)
_KIND = (
    r"(?:\s+(?:weights?|matrix|matrices|bias|biases|vector|recurrent|input|hidden|cell|state|gate|parameter|previous"
    r"|old|variable|preactivation|pre-activation|candidate))*"
)
_FRONT = (
    r"(?:(?:the|its|their|total|full|whole|overall|our|so|and|then|hence|thus|step|loss|accumulated|back|error)\s+)*"
)
_GRADIENT = re.compile(
    rf"{_FRONT}(?:loss\s+)?(?:grad(?:ient)?s?|derivatives?|sensitivity|adjoint|cotangent|error|errors|signal|nabla|delta)"
    rf"{_LOSS}(?:\s+(?:signal|flow|flowing|arriving|going|coming|term))*{_BY}{_KIND}\s+{_NAME}",
    re.IGNORECASE,
)
_SHARE = re.compile(
    rf"(?:(?:the|its|this|one|each|a|per-step|step)\s+)*(?:contributions?|share|part|term|addend)\b[^=:]*?\b(?:to|of|in|for|into)"
    rf"(?:\s+(?:the|a|total))*(?P<grad>\s+(?:grad(?:ient)?|derivative)(?:\s+(?:of|w\.?r\.?t\.?|for))?)?{_KIND}\s+{_NAME}",
    re.IGNORECASE,
)
_UNITS = {
    "forget gate": "f", "input gate": "i", "output gate": "o", "update gate": "z", "reset gate": "r",
    "cell state": "c", "cell": "c", "memory": "c", "hidden state": "h", "hidden": "h", "input": "x",
    "candidate": "candidate", "candidate gate": "candidate", "cell candidate": "candidate",
    "candidate state": "candidate", "block input": "candidate", "new gate": "candidate",
}  # fmt: skip
_ERROR = r"(?:errors?|gradients?|grads?|deltas?|derivatives?)"
_OF_UNIT = re.compile(
    rf"(?:the\s+)?(?:(?:{_ERROR})(?:\s+signal)?{_BY}\s+(?:the\s+)?(?P<old>(?:previous|old|last)\s+)?(?P<unit>{'|'.join(_UNITS)})"
    rf"|(?P<before>(?:previous|old)\s+)?(?P<own>{'|'.join(_UNITS)})(?:'s)?\s+{_ERROR})",
    re.IGNORECASE,
)
_PASSED = re.compile(
    r"(?:(?:what|which|is|gets|the|error|gradient|message|signal|that|and|so|it|then|to\s+be)\s+)*"
    r"(?:passed|sent|flows?|flowing|goes|going|handed|carried|propagated|passes|sends|returned|pushed|fed|message)"
    rf"(?:\s+(?:on|back|backwards?|down|along|over))*\s+(?:in)?to(?:\s+the)?{_KIND}\s+{_NAME}",
    re.IGNORECASE,
)
_UNIT = (
    r"(?:sigmoid|sigma|tanh|\u03c3|logistic|(?:non-?\s?|the\s+)?(?:linearity|linearities)"
    r"|activation|squash\w*|function|gate)"
)
_ARGUMENT = re.compile(
    rf"\s*[,(\[]?\s*(?:(?:just\s+)?(?:before|inside|through|past|behind|prior\s+to|under|below|w\.?r\.?t\.?\s+the\s+(?:input|argument)"
    rf"\s+of)\s+(?:the\s+|its\s+)?{_UNIT}|(?:at\s+|w\.?r\.?t\.?\s+|for\s+|of\s+)?(?:the\s+|its\s+)?(?:pre-?\s?act(?:ivation)?s?"
    r"|net(?:\s+input)?|logits?))\s*[)\]]?\s*$",
    re.IGNORECASE,
)
_VALUE = re.compile(
    rf"\s*[,(\[]?\s*(?:after|behind|outside)\s+(?:the\s+)?{_UNIT}\s*[)\]]?\s*$|\s*\(?at\s+the\s+gate(?:\s+itself)?\)?\s*$"
)
_STEP = re.compile(
    r"\s*[,(\[]?\s*(?:at|of|from|for|in)\s+(?:this\s+|the\s+|one\s+|a\s+|each\s+|every\s+|single\s+|current\s+)*(?:time\s*-?\s*)?"
    r"(?:step|time|t)\b(?:\s*t)?(?:\s+alone|\s+only)?\s*[)\]]?\s*$",
    re.IGNORECASE,
)
_HEAD = re.compile(r"(?:[A-Za-z][\w'-]*[,:]?\s+)+(?P<name>\S+(?:\s?/\s?\S+)?)")
_TITLED = re.compile(r"(?P<head>[A-Za-z][A-Za-z' -]*)[,:]\s+(?P<name>\S+)")  # "GRU, h_t"
_CHANGES = re.compile(  # words that make another quantity of a name
    r"\b(?:before|pre\w*|part|direct|immediate|local|not|without|ignoring|minus|wrong\w*|instead|partial|if|parts|half"
    r"|term|terms|negative|twice|per|was|were|had|wrote|claims?|says|said)\b",
    re.IGNORECASE,
)
_MARKED = re.compile(
    r"(?:[d\u2202]_?(?:L\s?/\s?[d\u2202]_?)?|delta_?|\u03b4_?|grad_|e_|err_|g_|D_?)(?P<base>[^\W\d_].*)"
)
_ORDER = re.compile(r"before|past|behind|through|inside|under|below|prior", re.IGNORECASE)
_SLOPE = re.compile(r"1\s*[-\u2212]|'\(|\^\s*2|\*\*\s*2|\u00b2")
_COLON = re.compile(r"(?P<left>[^:=]*[^:=\s])\s*:\s+(?P<right>[^\s:=].*)$", re.DOTALL)
_VERB = re.compile(
    r"(?P<left>\s*[^\s=:]+)\s+(?:is(?:\s+(?:just|simply|then|given\s+by|equal\s+to))?|equals|becomes|gets)\s+(?P<right>[^\s=:][^=:]*)$"
)

_GETS = re.compile(r"(?P<left>\s*[^\s=:]+)\s+(?:gets|receives|accumulates|collects)\s+(?P<right>[^\s=:][^=:]*)$")


@dataclass(frozen=True)
class Subject:
    """What a claim is about.

    Attributes:
        share: it is said to be the share of a step.
        unless: the name where no slope is on the other side: "before the sigmoid" may speak of the order of steps.
    """

    name: str
    share: bool = False
    unless: str = ""

    def of(self, right: str) -> str:
        """The name, by what is claimed."""
        return self.name if not self.unless or _SLOPE.search(right) else self.unless


def subject(left: str) -> Subject | None:
    """What words say that a claim is about; None where they say no one name."""
    text = " ".join(left.split()).strip(" ,:")
    share = False
    if found := _STEP.search(text):
        text, share = text[: found.start()].rstrip(), True
    if match := _SHARE.fullmatch(text):
        name = match["name"] if is_error(match["name"]) and not match["grad"] else f"dL/d{match['name']}"
        return Subject(name, share=True)
    if match := _PASSED.fullmatch(text):
        return Subject(_error_of(match["name"]), share)
    if (found := _ARGUMENT.search(text)) and text[: found.start()].strip():
        inner = subject(text[: found.start()])
        base = _MARKED.fullmatch(inner.name) if inner else None
        if inner is None or base is None:
            return None
        unless = inner.name if _ORDER.search(found[0]) else ""
        return Subject(at_argument(base["base"]), share, unless)
    if found := _VALUE.search(text):
        return subject(text[: found.start()])
    if match := _OF_UNIT.fullmatch(text):
        unit = _UNITS[" ".join((match["unit"] or match["own"]).lower().split())]
        return Subject(f"dL/d{unit}{'_prev' * bool(match['old'] or match['before'])}", share)
    if match := _GRADIENT.fullmatch(text):
        return Subject(_error_of(match["name"]), share)
    if " " not in text:
        return Subject(text, share)
    if (match := _TITLED.fullmatch(text)) and any(map(is_word, match["head"].split())) and not _CHANGES.search(text):
        return Subject(match["name"], share)
    if (match := _HEAD.fullmatch(text)) and is_error(match["name"]) and not _CHANGES.search(text):
        return Subject(match["name"], share)
    return None


def _error_of(name: str) -> str:
    return name if is_error(name) else f"dL/d{name}"


def at_argument(base: str) -> str:
    """The error before the function of a gate: `f` is behind `a_f`."""
    own = re.fullmatch(r"(?:a|z|net|pre|s|u)_\w.*", base)
    if re.search(r"~|tilde|hat|bar", base):
        return f"delta_{base}"
    return f"dL/d{base}" if own else f"dL/da_{base}"


def sides(code: str) -> tuple[str, str] | None:
    """Both sides of what may be a claim with a colon or a verb for its sign."""
    if match := _GETS.fullmatch(code.rstrip()):
        return f"gradient of {match['left'].strip()}", match["right"]
    match = _COLON.fullmatch(code.rstrip()) or _VERB.fullmatch(code.rstrip())
    return (match["left"], match["right"]) if match else None
