"""A document as plain text, in pieces that say what they are, so that a terminal can colour them."""

import textwrap
from collections.abc import Iterator

from derivations.document import (
    Block,
    Derived,
    Document,
    Heading,
    Items,
    Lines,
    Paragraph,
    Table,
    Text,
    digits,
)
from derivations.expression import Expr
from derivations.formats._shown import Options, shown
from derivations.formats.text import Piece, _section, wrapped
from derivations.plain import Style, math_style, text
from derivations.visible import one_line

GAP = 2  # between columns


def pieces(document: Document, *, width: int = 100, ascii: bool = False) -> Iterator[Piece]:
    """The document, no line wider than `width` where words and signs allow it."""
    style = math_style(document.notation, ascii)
    yield "title", one_line(document.title)
    if document.subtitle:
        for line in textwrap.wrap(one_line(document.subtitle), width):
            yield "note", f"\n{line}"
    yield "space", "\n"
    for block in document.blocks:
        yield from _block(block, document, style, width, ascii)


def _block(block: Block, document: Document, style: Style, width: int, ascii: bool) -> Iterator[Piece]:
    match block:
        case Heading(said):
            yield "space", "\n"
            yield "heading", _wrapped(one_line(said), width, "", "  ")
        case Paragraph(pieces_, kind):
            yield kind, _wrapped(_plain(pieces_, style), width, "", "  ")
        case Items(items):
            for item in items:
                yield "plain", _wrapped(_plain(item, style), width, "- ", "  ")
        case Lines():
            yield from _lines(block, style, width)
        case Table():
            yield from _table(block, style)
        case Derived(derivation, only):
            options = Options(only=only, notation=document.notation.adjoint, width=width, ascii=ascii)
            for section in shown(derivation, options).sections:
                yield from _section(section, Style(ascii=ascii), options)


def _plain(pieces_: Text, style: Style) -> str:
    return "".join(_piece(piece, style) for piece in pieces_)


def _piece(piece: str | Expr | float | int | None, style: Style) -> str:
    if piece is None:
        return "-"
    if isinstance(piece, str):
        return piece if piece.isprintable() else "".join(one if one.isprintable() else " " for one in piece)
    if isinstance(piece, Expr):
        return text(piece, style)
    return digits(float(piece))


def _wrapped(said: str, width: int, first: str, rest: str) -> str:
    """Words in lines; a leading run of spaces is kept."""
    lines = textwrap.wrap(
        said,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines or [""]) + "\n"


def _lines(block: Lines, style: Style, width: int) -> Iterator[Piece]:
    lefts = [text(line.lhs, style) for line in block.lines]
    column = max(map(len, lefts), default=0)
    label = min(max((len(line.label) for line in block.lines), default=0), 20) + 4
    for left, line in zip(lefts, block.lines, strict=True):
        yield "label", f"  {line.label}".ljust(label)
        if len(line.label) > label - 4:
            yield "space", "\n" + " " * label
        yield "name", left.ljust(column)
        yield "sign", " = "
        indent = label + column + 3
        rows = wrapped(line.rhs, max(width - indent, 24), style)
        yield "expression", ("\n" + " " * indent).join(rows)
        if line.value is not None:
            yield "plain", f" = {digits(line.value)}"
        yield "space", "\n"


def _table(table: Table, style: Style) -> Iterator[Piece]:
    body = [[_plain(cell, style) for cell in row] for row in table.rows]
    head = [_plain(cell, style) for cell in table.header]
    widths = [max(len(row[k]) for row in [head, *body]) for k in range(len(head))]

    def line(row: list[str]) -> str:
        cells = [
            cell.rjust(width) if align == "r" else cell.ljust(width)
            for cell, width, align in zip(row, widths, table.align, strict=True)
        ]
        return "  " + (" " * GAP).join(cells).rstrip() + "\n"

    if any(head):
        yield "label", line(head)
    for row in body:
        yield "plain", line(row)
