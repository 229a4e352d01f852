"""A document in LaTeX, whole or as a fragment."""

import re
from collections.abc import Iterator

from derivations.boxes import latex, width
from derivations.document import (
    Block,
    Derived,
    Document,
    Heading,
    Items,
    Line,
    Lines,
    Paragraph,
    Piece,
    Table,
    Text,
    digits,
)
from derivations.expression import Expr
from derivations.formats._breaking import broken
from derivations.formats._escape import latex_text, pdf_text
from derivations.formats._shown import Options, shown
from derivations.formats.latex import DOCUMENT, PAGE, equations_section
from derivations.notation import Notation
from derivations.typeset import to_latex, typeset

DISPLAYED = 24.0  # ems; a wider formula stands on lines of its own
_NUMBER = re.compile(r"(?<![\w.-])(-?)(\d+(?:\.\d+)?)(?:e([+-]?\d+))?(?![\w.]*\w)")  # in a sentence: 7.65e-14, -10
FEW = 40  # rows of a table that stay on one page


def render(document: Document, *, fragment: bool = False) -> str:
    """The document as it compiles by itself, or with `fragment` its blocks alone."""
    body = "\n\n".join(part for block in document.blocks for part in _block(block, document))
    if fragment:
        return r"% needs \usepackage{amsmath,amssymb,mathtools,array,booktabs}" + f"\n{body}\n"
    head = rf"{{\LARGE {latex_text(document.title)}}}\par"
    if document.subtitle:
        head += "\n" + rf"{{\large {latex_text(document.subtitle)}}}\par\medskip"
    return DOCUMENT % {"pdftitle": pdf_text(document.title), "body": f"{head}\n\n{body}"}


def notebook(document: Document) -> str:
    """One formula for a notebook, which typesets nothing but mathematics: the sentences are text within it."""
    n, rows = document.notation, []
    for block in document.blocks:
        match block:
            case Heading(said):
                rows.append(rf"\textbf{{{latex_text(said)}}}")
            case Paragraph(pieces, _):
                rows.append(_formula(pieces, n))
            case Items(items):
                rows += [rf"\bullet\ {_formula(item, n)}" for item in items]
            case Lines(lines):
                rows += [f"{to_latex(line.lhs, n)} = {to_latex(line.rhs, n)}" for line in lines]
            case Table():
                rows.append(_array(block, n))
            case Derived(derivation, only):
                what = shown(derivation, Options(only=only, notation=n.adjoint, view=n.view))
                every = (line for section in what.sections for line in section.lines)
                rows += [f"{to_latex(line.lhs, n)} = {to_latex(line.rhs, n)}" for line in every]
    title = rf"\textbf{{{latex_text(document.title)}}}"
    body = r" \\ ".join([title, *rows])
    return rf"$\displaystyle \begin{{array}}{{l}} {body} \end{{array}}$"


def _formula(pieces: Text, n: Notation) -> str:
    """Words and formulas within a formula: there a wide one stays where it is."""

    def written(piece: Piece) -> str:
        if isinstance(piece, str):
            return rf"\text{{{_spaced(piece)}}}"
        return to_latex(piece, n) if isinstance(piece, Expr) else _piece(piece, n).strip("$")

    return "".join(map(written, pieces))


def _array(table: Table, n: Notation) -> str:
    rows = [" & ".join(_formula(cell, n) for cell in row) for row in (table.header, *table.rows)]
    return rf"\begin{{array}}{{{table.align}}} " + r" \\ ".join(rows) + r" \end{array}"


def _block(block: Block, document: Document) -> Iterator[str]:
    n = document.notation
    match block:
        case Heading(said):
            yield rf"\section*{{{latex_text(said)}}}"
        case Paragraph(pieces, _):
            yield _sentence(pieces, n)
        case Items(items):
            body = "\n".join(rf"\item {_sentence(item, n)}" for item in items)
            yield f"\\begin{{itemize}}\\setlength{{\\itemsep}}{{1pt}}\n{body}\n\\end{{itemize}}"
        case Lines(lines):
            yield "\n".join([r"\begin{align*}", " \\\\\n".join(_line(line, n) for line in lines), r"\end{align*}"])
        case Table():
            yield _table(block, n)
        case Derived(derivation, only):
            what = shown(derivation, Options(only=only, notation=n.adjoint, view=n.view))
            yield from (equations_section(section, what) for section in what.sections if section.lines)


def _sentence(pieces: Text, n: Notation) -> str:
    """Words and formulas in a line; a wide formula is displayed."""
    return "".join(_piece(piece, n) for piece in pieces)


def _piece(piece: str | Expr | float | int | None, n: Notation) -> str:
    if piece is None:
        return "--"
    if isinstance(piece, str):
        return _spaced(piece)
    if isinstance(piece, Expr):
        if width(typeset(piece, n)) <= DISPLAYED:
            return f"${to_latex(piece, n)}$"
        rows = " \\\\\n".join(f"&{latex(row)}" for row in broken(piece, n, PAGE - 4))
        return f"\n\\begin{{align*}}\n{rows}\n\\end{{align*}}\n"
    return f"${_number(float(piece))}$"


def _spaced(text: str) -> str:
    """Text with the spaces at its ends, which join it to what stands beside it."""
    inner = _NUMBER.sub(_typeset_number, latex_text(text))
    inner = inner.replace(r"\ensuremath{<}=", r"$\le$").replace(r"\ensuremath{>}=", r"$\ge$")
    return (" " if text[:1] == " " else "") + inner + (" " if text[-1:] == " " and inner else "")


def _typeset_number(found: re.Match[str]) -> str:
    sign, mantissa, exponent = found.groups()
    return f"${sign}{mantissa}" + (rf"\times 10^{{{int(exponent)}}}$" if exponent else "$")


def _number(value: float) -> str:
    mantissa, sign, exponent = digits(value).partition("e")
    if not sign:
        return {"nan": r"\text{nan}", "inf": r"\infty", "-inf": r"-\infty"}.get(mantissa, mantissa)
    return rf"{mantissa}\times 10^{{{int(exponent)}}}"


def _line(line: Line, n: Notation) -> str:
    left = typeset(line.lhs, n)
    first, *others = [latex(row) for row in broken(line.rhs, n, PAGE - width(left) - 12)]
    label = rf" && \text{{\small {latex_text(line.label)}}}" if line.label else ""
    value = "" if line.value is None else f" = {_number(line.value)}"
    return " \\\\\n".join(
        [f"{latex(left)} &= {first}{'' if others else value}{label}", *(rf"&\quad {row}" for row in others)]
    ) + (value if others else "")


def _table(table: Table, n: Notation) -> str:
    rows = [" & ".join(_sentence(cell, n) for cell in row) + r" \\" for row in table.rows]
    head = " & ".join(_sentence(cell, n) for cell in table.header) + r" \\"
    top = f"\\toprule\n{head}\n\\midrule\n" if any(any(cell) for cell in table.header) else "\\toprule\n"
    columns = "@{}" + "".join(table.align) + "@{}"
    parts = [rows[k : k + FEW] for k in range(0, len(rows), FEW)]
    return "\n\n".join(
        f"\\begin{{center}}\\small\n\\begin{{tabular}}{{{columns}}}\n{top}"
        + "\n".join(part)
        + "\n\\bottomrule\n\\end{tabular}\n\\end{center}"
        for part in parts
    )
