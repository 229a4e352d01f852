r"""The macros of a text in LaTeX, `\newcommand` and its like, and a row with them written out, within limits."""

import re

from derivations.cell import CellError
from derivations.marking.sheets.latex_braces import braced

MOST_EXPANSIONS = 2_000
LONGEST_ROW = 8_000
_MACRO = re.compile(
    r"\\(?:(?:re)?newcommand|providecommand)\*?\s*(?:\{\s*(\\[A-Za-z]+)\s*\}|(\\[A-Za-z]+))\s*(?:\[(\d)\])?\s*(?=\{)"
    r"|\\def\s*(\\[A-Za-z]+)((?:#\d)*)\s*(?=\{)"
    r"|\\DeclareMathOperator\*?\s*\{\s*(\\[A-Za-z]+)\s*\}\s*(?=\{)"
)


def macros_of(text: str) -> tuple[str, dict[str, tuple[int, str]]]:
    """The text with blanks for its definitions, and what they define."""
    found: dict[str, tuple[int, str]] = {}
    at = 0
    while match := _MACRO.search(text, at):
        line = text.count("\n", 0, match.start()) + 1
        try:
            end = braced(text, match.end())
        except CellError as error:
            raise CellError(error.message, line) from None
        name = match[1] or match[2] or match[4] or match[6]
        count = int(match[3] or 0) if not match[4] else (match[5] or "").count("#")
        body = text[match.end() + 1 : end - 1]
        found[name] = (count, rf"\operatorname{{{body}}}" if match[6] else body)
        blank = re.sub(r"[^\n]", " ", text[match.start() : end])
        text = text[: match.start()] + blank + text[end:]
        at = end
        if len(found) > 500:
            raise CellError("more than 500 macros are defined", line)
    return text, found


def expanded(row: str, macros: dict[str, tuple[int, str]]) -> str:
    """A row with its macros written out.

    Raises:
        CellError: they do not end, or grow beyond the limit.
    """
    count, at = 0, 0
    if not macros:
        return row
    names = re.compile("|".join(re.escape(name) + "(?![A-Za-z])" for name in sorted(macros, key=len, reverse=True)))
    while match := names.search(row, at):
        count += 1
        if count > MOST_EXPANSIONS or len(row) > LONGEST_ROW:
            raise CellError(f"the macro {match[0]} does not end, or grows too long")
        many, body = macros[match[0]]
        end = match.end()
        args = []
        for _ in range(many):
            while end < len(row) and row[end] == " ":
                end += 1
            if end >= len(row):
                raise CellError(f"the macro {match[0]} lacks an argument")
            stop = braced(row, end) if row[end] == "{" else end + 1
            args.append(row[end + 1 : stop - 1] if row[end] == "{" else row[end:stop])
            end = stop
        for k, arg in enumerate(args, 1):
            body = body.replace(f"#{k}", arg)
        row = (
            row[: match.start()]
            + body
            + (" " if body[-1:].isalpha() and row[end : end + 1].isalpha() else "")
            + row[end:]
        )
        at = match.start()
    return row
