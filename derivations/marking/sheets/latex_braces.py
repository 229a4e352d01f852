"""Groups in braces in LaTeX."""

from derivations.cell import CellError

DEEPEST = 40


def braced(text: str, at: int) -> int:
    """The end of the group that opens at a place.

    Raises:
        CellError: it is not closed.
    """
    depth = 0
    k = at
    while k < len(text):
        if text[k] == "\\":
            k += 2
            continue
        depth += (text[k] == "{") - (text[k] == "}")
        if depth > DEEPEST:
            raise CellError(f"braces are nested deeper than {DEEPEST}")
        k += 1
        if depth == 0:
            return k
    raise CellError("a brace is not closed")
