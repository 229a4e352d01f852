"""The lines of a plain text as they are meant: what a bracket or a sign leaves open goes on in the next line.

A bracket that nothing closes, as in a smiley or an `a)`, opens nothing: the lines after it stand for themselves.
"""

import re
from collections.abc import Iterator, Sequence

MOST_JOINED = 30
_SMILEY = re.compile(r"(?:(?<=\s)|(?<=\w))[:;]['-]?[()](?=\s|$)")
_CLAIMS = re.compile(r"\s*[^\s=(]+(?:\([^()=]*\)|\[[^\[\]=]*\])?\s*[:+*-]?=(?!=)")
_GOES_ON = ("\\", "+", "*", "@")
_FOLLOWS = re.compile(r"\s*(?:[+@*/=\u2299\u2218\u00b7\u00d7](?![+*=])|-(?=\s))\s*\S")
_WORDS = re.compile(r"[A-Za-z]{3,}\s+[A-Za-z]{2,}")


def logical(text: str) -> Iterator[tuple[int, str]]:
    """Each line with its number, with those that go on in it."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        end = at + _count(lines, at)
        first, *more = lines[at:end]
        yield at + 1, "\n".join([_open(first) if more else first, *(_open(_code(line)) for line in more)])
        at = end


def _code(line: str) -> str:
    return line.split("#")[0]


def _open(line: str) -> str:
    return line.rstrip().removesuffix("\\")


def _count(lines: Sequence[str], at: int) -> int:
    """How many lines belong together from a place on."""
    count = _bracketed(lines, at)
    while count < MOST_JOINED and at + count < len(lines):
        code, following = _code(lines[at + count - 1]).rstrip(), _code(lines[at + count])
        if not following.strip() or not code:
            break
        if not ((code.endswith(_GOES_ON) and not _CLAIMS.match(following)) or _carries_on(lines[at], code, following)):
            break
        count += _bracketed(lines, at + count)
    return count


def _carries_on(first: str, code: str, following: str) -> bool:
    """Whether a line starts with a sign, below a formula, deeper than that or with a sign that is no bullet."""
    if not _FOLLOWS.match(following) or "=" not in first or _WORDS.search(following):
        return False
    sign, indented = following.lstrip()[0], _indent(following) > _indent(first)
    return not re.search(r"=(?!=)", following.lstrip()[1:]) and (indented or sign in "+=@")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _bracketed(lines: Sequence[str], at: int) -> int:
    """How many lines there are to where the brackets of the first are closed; one where nothing closes them."""
    depth = 0
    for count, line in enumerate(lines[at : at + MOST_JOINED], 1):
        code = _code(line)
        if count > 1 and not code.strip():
            return 1
        change = _depth(code, depth)
        if count > 1 and change >= depth and _CLAIMS.match(code):
            return 1  # another claim starts before anything is closed
        depth = change
        if depth == 0:
            return count
    return 1


def _depth(code: str, depth: int) -> int:
    """How many brackets are open behind a line."""
    for sign in _SMILEY.sub("", code):
        depth = depth + 1 if sign in "([" else max(depth - 1, 0) if sign in ")]" else depth
    return depth
