"""What the comments and docstrings of a file say of its arrays: `hs[0] is h0`, `hs: (T+1, N, H)`."""

import re

_TEXTS = re.compile(r'"""(.*?)"""|\'\'\'(.*?)\'\'\'|#([^\n]*)', re.DOTALL)
_FIRST = re.compile(r"\b(\w{1,40})\[0\]")
_MORE = re.compile(r"(?: ?(?:,|and|=) ?\w{1,40}\[0\]){0,3}")
_INITIAL = re.compile(
    r" ?(?:is|are|=|:|being|holds?|,)? ?\(?(?:the )?(?:initial|starting|start\b|[hsca]_?0\b|zeros?\b)", re.IGNORECASE
)
_LONGER = re.compile(r"\b(\w{1,40}) ?(?::|is|of shape|has shape)? ?[(\[] ?\(?T ?\+ ?1\b")
WINDOW = 100  # characters behind a name in which something is said of it


def starting_initially(text: str) -> frozenset[str]:
    """The arrays that start with the initial state, as the file itself says."""
    said = " ".join(" ".join("".join(parts) for parts in _TEXTS.findall(text)).split())
    found = {match[1] for match in _LONGER.finditer(said)}
    for match in _FIRST.finditer(said):
        after = said[match.end() : match.end() + WINDOW]
        more = _MORE.match(after)
        if _INITIAL.match(after, more.end() if more else 0):
            found.add(match[1])
    return frozenset(found)
