"""Why a text is not a cell: the complaint of the parser as one sentence, with the place and the remedy."""

import re

from lark import Token, UnexpectedInput
from lark.exceptions import UnexpectedToken

from derivations.cell import CellError

LARGEST_POWER = 8
DECLARATIONS = ("input", "state", "output", "target", "scalar", "positive", "param")


def without_titles(line: str) -> str:
    """The line with blanks in the place of quoted titles: a bracket in a title is no bracket."""
    return re.sub(r'"[^"]*"?', lambda title: " " * len(title[0]), line)


_SAID = {
    "_NL": "the end of the line",
    "_INDENT": "an indented line",
    "_DEDENT": "the end of the block",
    "$END": "the end of the text",
}
_LABEL = "a label is letters, digits, spaces and ( ) ' / . , -"
_ODD = {
    ".": "; the only thing written with a dot is a transpose, W.T",
    ":": f"; {_LABEL}",
    "^": "; a power is written x**2",
    '"': "; a title stands in quotes on the line of `cell NAME`",
}


def explained(error: UnexpectedInput, text: str) -> CellError:
    """Lark's complaint as one sentence: what stands where, and what to write instead."""
    if not text.strip():
        return CellError("the text is empty; a cell starts with `cell NAME`", 1)
    line, column = getattr(error, "line", 0), getattr(error, "column", 0)
    if not isinstance(line, int) or not 0 < line <= text.count("\n"):
        line, column = text.count("\n"), 0
    here = text.split("\n")[line - 1]
    if isinstance(error, UnexpectedToken):
        expected = set(error.accepts or error.expected)
        bracket = _open_bracket(text, line, column)
        if bracket and error.token.type == "$END":
            return CellError("this bracket is not closed", *bracket)
        message = _unexpected(error.token, expected, here, column, bool(bracket))
        if bracket and bracket[0] < line:
            message += f" (the bracket on line {bracket[0]} is still open)"
        if error.token.type == "_INDENT":  # it is found at the end of the line before
            return CellError(message, line + 1)
        return CellError(message, line, column)
    character = here[column - 1 : column]
    if not character.isascii():
        return CellError(
            f"{character!a} is outside ASCII; write names in letters, as in c_tilde or theta", line, column
        )
    return CellError(f"{character!r} is not part of the cell language{_ODD.get(character, '')}", line, column)


def _unexpected(token: Token, expected: set[str], here: str, column: int, in_bracket: bool) -> str:
    """What a token says that stands where the grammar has no place for it; `here` is its line."""
    said = _SAID.get(token.type, f"{str(token)[:40]!r}")
    first = here.split()[0] if here.split() else ""
    if here[: column - 1].rstrip().endswith("**") or here[column - 1 : column + 1] == "**":
        return f"a power is one whole number from 0 to {LARGEST_POWER}"
    if "CELL" in expected:
        return "a cell starts with `cell NAME`, as in `cell lstm`"
    if first == "cell":
        return "the first line is `cell NAME`, and a title in quotes may follow"
    if token.type == "_INDENT":
        return "only the lines of a readout, loss or facts block are indented"
    if expected == {"_INDENT"}:
        return "the lines of a block are indented below its name"
    if first in ("readout:", "loss:", "facts:"):
        return f"`{first[:-1]}` stands alone on its line, without a colon"
    if first in DECLARATIONS and "=" not in here:
        return f"a declaration is names with commas between them, as in `{first} a, b`"
    if token.type in ("RPAR", "RSQB") and not in_bracket:
        return f"{said} closes no bracket"
    if ":" in here[column:]:
        return f"{said} is not expected here; {_LABEL}"
    if token.type in ("NAME", "NUMBER", "LPAR", "LSQB") and "OPERATOR" in expected:
        return f"{said} follows a value; put *, @, + or - between them"
    if token.type == "EQUAL" or (token.type == "_NL" and "EQUAL" in expected):
        return "an equation is `name = expression`, one to a line"
    if "NAME" in expected and "NUMBER" in expected:
        return f"{said} stands where a value (a name, a number, a bracket) is due"
    if "NAME" in expected:
        return f"{said} stands where a name is due"
    return f"{said} is not expected here"


def _open_bracket(text: str, line: int, column: int) -> tuple[int, int] | None:
    """The innermost bracket that is open at a place."""
    waiting: list[tuple[int, int]] = []
    for number, code in enumerate(text.split("\n")[:line], 1):
        for at, character in enumerate(without_titles(code), 1):
            if (number, at) >= (line, column) and column:
                break
            if character in "([":
                waiting.append((number, at))
            elif character in ")]" and waiting:
                waiting.pop()
    return waiting[-1] if waiting else None
