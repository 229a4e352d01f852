"""A derivation as plain text in columns, for a terminal or a mail."""

import re
from collections.abc import Iterator
from textwrap import fill
from typing import Any

from derivations.derive import Derivation
from derivations.expression import Expr
from derivations.formats._shown import Line, Options, Section, Shown, proof_summary, runs, shown
from derivations.formats._words import by_shape, plain_meaning
from derivations.plain import Style, math_style, terms, text
from derivations.visible import one_line

SUFFIX = ".txt"
WIDEST_LABEL = 24
NARROWEST = 24  # of an equation's right-hand side
NARROW = 72  # below this the labels stand on lines of their own

# A piece of the text and what it is: title, heading, label, name, sign, expression, proof, note or space.
Piece = tuple[str, str]


def render(derivation: Derivation, **options: Any) -> str:
    """The derivation as plain text."""
    return "".join(piece for _, piece in pieces(derivation, **options))


def pieces(derivation: Derivation, **options: Any) -> Iterator[Piece]:
    """The same text in pieces, each with what it is, so that it can be coloured."""
    chosen = Options(**options)
    what = shown(derivation, chosen)
    style = math_style(what.notation, chosen.ascii) if chosen.style == "math" else Style(ascii=chosen.ascii)
    if not chosen.fragment:
        yield from _head(what, chosen)
    for section in what.sections:
        if section.lines:
            yield from _section(section, style, chosen)
    if summary := proof_summary(what.sections):
        yield "space", "\n"
        yield "proof", summary + "\n"


def _head(what: Shown, options: Options) -> Iterator[Piece]:
    cell = what.cell
    yield "title", _words(what.title, options.ascii)
    yield "note", f"  ({cell.name}, {what.notation.view} view)\n"
    notes = [_words(cell.comment, options.ascii), what.remark]
    if what.vector:
        for kind, shape, names in by_shape(what):
            notes.append(f"{kind}: {', '.join(names)} ({' x '.join(shape) or 'scalar'})")
    notes += plain_meaning(what)
    for note in filter(None, notes):
        yield "note", fill(note, options.width, subsequent_indent="  ") + "\n"


def _section(section: Section, style: Style, options: Options) -> Iterator[Piece]:
    yield "space", "\n"
    yield "heading", section.heading + "\n"
    lefts = {line.number: text(line.lhs, style) for line in section.lines}
    column = max(map(len, lefts.values()))
    aside = options.width >= NARROW
    margin = min(max(len(line.group) for line in section.lines), WIDEST_LABEL) + 4 if aside else 4
    indent = margin + column + 3
    rows = {line.number: wrapped(line.rhs, max(options.width - indent, NARROWEST), style) for line in section.lines}
    end = indent + max(len(rows[line.number][-1]) for line in section.lines) + 2
    for label, run in runs(section.lines):
        if label and (not aside or len(label) > WIDEST_LABEL):
            yield "label", f"  {label}\n"
            label = ""
        for line in run:
            yield "label", f"  {label}".ljust(margin) if aside else " " * margin
            yield "name", lefts[line.number].ljust(column)
            yield "sign", " = "
            yield "expression", ("\n" + " " * indent).join(rows[line.number])
            yield from _proof(line, indent + len(rows[line.number][-1]), indent, end, options.width)
            yield "space", "\n"
            label = ""


def _proof(line: Line, here: int, indent: int, end: int, width: int) -> Iterator[Piece]:
    """What is known of a line: in a column of its own, behind the line, or below it, as there is room."""
    if line.proof is None:
        return
    place = next((at for at in (end, here + 2) if at + len(line.proof) <= width), 0)
    yield "proof", (" " * (place - here) if place else "\n" + " " * indent) + line.proof


def wrapped(expr: Expr, room: int, style: Style) -> list[str]:
    """The text in rows: broken before a plus or minus, inside a term only where it must be."""
    parts = terms(expr, style)
    if sum(map(len, parts)) <= room:
        return ["".join(parts)]
    rows = [""]
    for part in parts:
        for piece in [part] if len(part) <= room else _broken(part):
            if rows[-1] and len(rows[-1]) + len(piece) > room:
                rows.append("  " + piece.lstrip())
            else:
                rows[-1] += piece
    return rows


def _broken(text: str) -> list[str]:
    """A long term in pieces, at every sign and comma."""
    return re.split(r"(?<=[*/,]) ?(?=[^*/ ])|(?= [-+@] )", text)


def _words(written: str, ascii: bool) -> str:
    """A title without the characters that move a terminal's cursor."""
    line = one_line(written)
    return line.encode("ascii", "replace").decode() if ascii else line
