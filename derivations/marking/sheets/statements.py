"""The statements of a line: `c_t = f_t c_{t-1} + i_t g_t:   da_f = ...` holds two."""

import re
from collections.abc import Iterator

from derivations.marking.sheets.text_claims import ASSIGNED

_LEADS = (
    r"so|and|where|with|let|here|hence|then|thus|also|therefore|write|put|call|define|gates?|candidate|states?|now|we"
)
_CLAIM = re.compile(rf"\s*(?:(?:{_LEADS})\s+)*[^\s,;=]+\s*:?=(?!=)", re.IGNORECASE)
_NEXT = re.compile(rf"(?:(?:{_LEADS})\s+)*[^\W\d_][^\s,;=+*/@]*\s*[:+*-]?=(?!=)", re.IGNORECASE)
_SIGN = re.compile(ASSIGNED.pattern.replace("?P<operator>", "?:"))
_SAYS_MORE = re.compile(rf"{_SIGN.pattern}|[A-Za-z]{{2,}}[ -][a-z]{{3,}}")
_BREAK = re.compile(r"(?<=[\w)\]'}.:|])(?P<gap>[ \t]*(?:[.:|]|(?<=\s)(?:and|so|hence|then|thus))[ \t]+|[ \t]{2,})")


def statements(code: str) -> Iterator[tuple[int, str]]:
    """What stands between semicolons outside of brackets, or before another claim, with where it starts."""
    depth = start = 0
    for k, character in enumerate(code):
        depth = depth + 1 if character in "([" else max(depth - 1, 0) if character in ")]" else depth
        if depth or k < start:
            continue
        follows = character == "," and _SAYS_MORE.search(code[start:k]) and _CLAIM.match(code, k + 1)
        if character == ";" or follows:
            yield start, code[start:k]
            start = k + 1
        elif (gap := _BREAK.match(code, k)) and _SIGN.search(code[start:k]) and _NEXT.match(code, gap.end()):
            yield start, code[start:k]
            start = gap.end()
    yield start, code[start:]
