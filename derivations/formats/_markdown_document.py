"""A document in Markdown, with mathematics between dollar signs."""

from collections.abc import Iterator

from derivations.document import (
    Block,
    Derived,
    Document,
    Heading,
    Items,
    Line,
    Lines,
    Paragraph,
    Table,
    Text,
    digits,
)
from derivations.expression import Expr
from derivations.formats._escape import markdown_text
from derivations.formats._shown import Options, shown
from derivations.formats.markdown import equations_section, math, safe, words
from derivations.notation import Notation
from derivations.typeset import to_latex


def render(document: Document, *, fragment: bool = False) -> str:
    """The document, or with `fragment` its blocks without the title."""
    head = [] if fragment else [f"# {markdown_text(document.title)}"]
    if document.subtitle and not fragment:
        head.append(markdown_text(document.subtitle))
    return "\n\n".join([*head, *(part for block in document.blocks for part in _block(block, document))]) + "\n"


def _block(block: Block, document: Document) -> Iterator[str]:
    n = document.notation
    match block:
        case Heading(said):
            yield f"## {markdown_text(said)}"
        case Paragraph(pieces, _):
            yield _sentence(pieces, n)
        case Items(items):
            yield "\n".join(f"- {_sentence(item, n)}" for item in items)
        case Lines(lines):
            body = " \\cr\n".join(_line(line, n) for line in lines)
            yield f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n$$"
        case Table():
            yield _table(block, n)
        case Derived(derivation, only):
            what = shown(derivation, Options(only=only, notation=n.adjoint, view=n.view))
            yield from (equations_section(section, what) for section in what.sections if section.lines)


def _sentence(pieces: Text, n: Notation) -> str:
    return "".join(_piece(piece, n) for piece in pieces)


def _piece(piece: str | Expr | float | int | None, n: Notation) -> str:
    if piece is None:
        return "–"
    if isinstance(piece, str):
        inner = markdown_text(piece)
        return (" " if piece[:1] == " " else "") + inner + (" " if piece[-1:] == " " and inner else "")
    return math(piece, n) if isinstance(piece, Expr) else digits(float(piece))


def _line(line: Line, n: Notation) -> str:
    value = "" if line.value is None else f" = {digits(line.value)}"
    label = f" && {words(line.label)}" if line.label else ""
    return f"{safe(to_latex(line.lhs, n))} &= {safe(to_latex(line.rhs, n))}{value}{label}"


def _table(table: Table, n: Notation) -> str:
    head = "| " + " | ".join(_sentence(cell, n) for cell in table.header) + " |"
    rule = "|" + "".join("---:|" if align == "r" else "---|" for align in table.align)
    rows = ["| " + " | ".join(_sentence(cell, n) for cell in row) + " |" for row in table.rows]
    return "\n".join([head, rule, *rows])
