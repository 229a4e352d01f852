"""What signs mean on one sheet in plain text: a prime, and an `o` that stands alone.

`h'` is the transpose, or the state before where the sheet says so (`h' = previous hidden state`), where its forward
equation shows it (`h = (1-z)*n + z*h'`) or where a claim is about it (`dh' = ...`): a transpose is nothing to claim.
A weight has no steps, so that `W'` is always its transpose.
"""

import re
from dataclasses import dataclass

_PRIME = r"['\u2019\u2032]"
_STATE = r"(?:h|c|s|H|C|S|a)"
_OF = r"(?:[d\u2202]_?L\s?/\s?[d\u2202]_?|[dD\u2202]_?|delta_?|\u03b4_?|\u2207_?|(?:grad|g|e|eps|err)_)"
_PRIMED = re.compile(rf"(?<![\w'])(?P<name>(?:{_OF})?{_STATE}){_PRIME}(?!\w)")
_BEFORE = r"(?:previous|prev|old|prior|earlier|last|preceding|before|t\s*-\s*1)\b"
_AFTER = r"(?:next|following|later|t\s*\+\s*1)\b"
_ALONE = rf"(?:(?<!\w)\W?{_PRIME}|\bprimes?d?\b|\bdash(?:es|ed)?\b)"
_TRANSPOSE = re.compile(
    rf"(?:\w{_PRIME}|{_ALONE})[^\n;.,]{{0,30}}\btranspos|transpos\w*[^\n;.,]{{0,20}}(?:{_PRIME}|prime)"
)
_SAID = re.compile(  # "h' and c' are the previous states", "(h' old)"
    rf"(?P<names>{_STATE}{_PRIME}(?:\s*(?:,|and|&|/)\s*{_STATE}{_PRIME})*)"
    r"\s*(?:=|:|is|are|for|means?|denotes?|stands? for)?"
    rf"\s*(?:(?:the|its|their|a|our|hidden|cell|state|states|value|values|of|from|at)\s+)*{_BEFORE}"
)
_ALL_SAID = re.compile(
    rf"{_ALONE}\s*(?:=|:|is|are|for|means?|denotes?|marks?|stands? for)?\s*[^\n;.,=]{{0,25}}?\b{_BEFORE}"
)
_COMES = re.compile(rf"(?P<name>{_OF}{_STATE}){_PRIME}\s+[^\n;,=*+]{{0,40}}?\b{_AFTER}")
_DEFINED = re.compile(rf"(?<![\w'])(?P<name>{_STATE})\s*:?=(?!=)(?P<rhs>[^=\n]*)")
_CLAIMED = re.compile(rf"(?<![\w'/])(?:{_OF}{_STATE}|(?:grad|gradient of|to)\s+{_STATE}){_PRIME}\s*(?:[:+]?=(?!=)|:\s)")
_WEIGHED = re.compile(
    rf"(?<![\w'])(?![d\u2202])[^\W\d]\w*\s*:?=(?!=)[^=\n,;]*?\b[WURVwuvr]_?\w{{0,3}}\s*[*@\u00b7.]?\s*{_STATE}{_PRIME}"
)
_ROUND = re.compile(
    r"(?<!\w)['\"`(]?o['\"`)]?(?!\w)[^\n;.]{0,25}\b(?:element|hadamard|pointwise|component|entry)", re.I
)
_ROUND_AFTER = re.compile(
    r"(?:element-?\s?wise|hadamard|pointwise|componentwise|entrywise)\s*(?:product|multiplication|times)?\s*"
    r"(?:is|:|=|as|by|with|written)*\s*(?:written\s+)?(?:as\s+|by\s+)?['\"`(]?o['\"`)]?(?![\w_])",
    re.I,
)
_CIRCLE = re.compile(r"(?<=[\w)\]'}~])[ \t]+o[ \t]+(?=[\w(\[~])")


@dataclass(frozen=True)
class Habits:
    """What signs stand for.

    Attributes:
        before: whether a prime on a state is the step before.
        after: names whose prime is the step after, as `dC`.
        round: whether an `o` that stands alone multiplies elementwise.
    """

    before: bool = False
    after: frozenset[str] = frozenset()
    round: bool = False

    def put(self, formula: str) -> str:
        """A formula in the spelling of all sheets."""
        if self.round:
            formula = _CIRCLE.sub(" * ", formula)
        if self.before or self.after:
            formula = _PRIMED.sub(self._step, formula)
        return formula

    def _step(self, match: re.Match[str]) -> str:
        if match["name"] in self.after:
            return f"{match['name']}_next"
        return f"{match['name']}_{{t-1}}" if self.before else match[0]


def habits_of(text: str) -> Habits:
    """What the signs of a text stand for."""
    after = frozenset(match["name"] for match in _COMES.finditer(text))
    return Habits(_before(text), after, bool(_ROUND.search(text) or _ROUND_AFTER.search(text)))


def _before(text: str) -> bool:
    if not re.search(_PRIME, text):
        return False
    if _SAID.search(text) or (_ALL_SAID.search(text) and not _TRANSPOSE.search(text)):
        return True
    if _TRANSPOSE.search(text):
        return False
    shown = any(re.search(rf"(?<!\w){m['name']}{_PRIME}(?!\w)", m["rhs"]) for m in _DEFINED.finditer(text))
    return shown or bool(_CLAIMED.search(text)) or bool(_WEIGHED.search(text))
