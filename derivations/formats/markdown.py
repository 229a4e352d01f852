"""A derivation as Markdown with mathematics between dollar signs, as GitHub and Jupyter read it."""

import re
from typing import Any

from derivations.boxes import Box, latex
from derivations.derive import Derivation, Rule
from derivations.expression import Expr, Name
from derivations.formats._breaking import broken
from derivations.formats._escape import markdown_text
from derivations.formats._shown import PROVED, Line, Options, Section, Shown, proof_summary, runs, shown
from derivations.formats._words import by_shape, meaning, space
from derivations.notation import Notation
from derivations.typeset import typeset

SUFFIX = ".md"
ROOM = 40.0  # of a right-hand side, in ems

# What Markdown would read before the mathematics is found, in words that mean the same there.
_SAFE = (
    (r"\\\\", r"\\cr "),
    (r"\\,", r"\\thinspace "),
    (r"\\operatorname\{(\w+)\}", r"\\mathop{\\mathrm{\1}}"),
    (r"\|", r"\\vert "),
    (r"<", r"\\lt "),
    (r">", r"\\gt "),
)


def render(derivation: Derivation, **options: Any) -> str:
    """The derivation in Markdown, or with `fragment` its equations alone."""
    chosen = Options(**options)
    what = shown(derivation, chosen)
    sections = [equations_section(section, what) for section in what.sections if section.lines]
    before = [] if chosen.fragment else [title(what), quantities_table(what), explanation(what)]
    parts = [*before, *sections, proof_summary(what.sections)]
    return "\n\n".join(filter(None, parts)) + "\n"


def title(what: Shown) -> str:
    lines = [f"# {markdown_text(what.title)}", markdown_text(what.cell.comment), what.remark]
    return "\n\n".join(filter(None, lines))


def quantities_table(what: Shown) -> str:
    """The names by kind, in the vector view with their shapes."""
    head = ["| | | shape |", "|---|---|---|"] if what.vector else ["| | |", "|---|---|"]
    rows, before = [], ""
    for kind, shape, names in by_shape(what):
        symbols = ", ".join(math(Name(name), what.notation) for name in names)
        where = f" ${safe(space(shape))}$ |" if what.vector else ""
        plural = kind if len(names) == 1 or kind == before else f"{kind}s"
        rows.append(f"| {plural if kind != before else ''} | {symbols} |{where}")
        before = kind
    return "\n".join(head + rows)


def explanation(what: Shown) -> str:
    """How to read the equations."""
    return "\n\n".join(
        re.sub(r"\$([^$]*)\$", lambda found: f"${safe(found[1])}$", sentence)
        for sentence in meaning(what, markdown_text)
    )


def equations_section(section: Section, what: Shown) -> str:
    body = partials_table if section.rule is Rule.PARTIAL else equations
    return f"## {section.heading}\n\n{body(section, what.notation)}"


def equations(section: Section, notation: Notation) -> str:
    """The equations in one block, the label of each group at the right."""
    rows = []
    for label, run in runs(section.lines):
        for k, line in enumerate(run):
            rows += _rows(line, label if k == 0 else "", notation)
    body = " \\cr\n".join(rows)
    return f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n$$"


def _rows(line: Line, label: str, notation: Notation) -> list[str]:
    first, *others = broken(line.rhs, notation, ROOM)
    said = [words(label)] if label else []
    said += [words(f"({line.proof})")] if line.proof not in (None, PROVED) else []
    remark = f" && {' '.join(said)}" if said else ""
    return [
        f"{safe(latex(typeset(line.lhs, notation)))} &= {safe(latex(first))}{remark}",
        *(rf"&\quad {safe(latex(other))}" for other in others),
    ]


def partials_table(section: Section, notation: Notation) -> str:
    """The local partials, a row for each."""
    marked = any(line.proof is not None for line in section.lines)
    rows = ["| | partial | value |" + (" |" if marked else ""), "|---|---|---|" + ("---|" if marked else "")]
    for label, run in runs(section.lines):
        for k, line in enumerate(run):
            cells = [
                markdown_text(label) if k == 0 else "",
                math(line.lhs, notation),
                math(line.rhs, notation),
            ]
            cells += [markdown_text(line.proof or "")] if marked else []
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


# --- mathematics --------------------------------------------------------------------------------------------


def math(expr: Expr, notation: Notation) -> str:
    """An expression within a line."""
    box: Box = typeset(expr, notation)
    return f"${safe(latex(box))}$"


def safe(formula: str) -> str:
    """The formula without what Markdown, or a table in it, would take for its own."""
    for pattern, replacement in _SAFE:
        formula = re.sub(pattern, replacement, formula)
    return re.sub(" {2,}", " ", formula)


def words(text: str) -> str:
    """A label within mathematics; only what needs no escape is kept."""
    return rf"\text{{{re.sub(r'[^A-Za-z0-9 ,.;:()/-]', ' ', text)}}}"
