"""Equations in columns, in LaTeX: under one another with their labels, or short ones side by side.

Everything is measured before it is set, so that no line runs into the margin.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from derivations.boxes import Box, latex, width
from derivations.formats._breaking import broken
from derivations.formats._escape import latex_text
from derivations.formats._shown import PROVED, Line, runs
from derivations.notation import Notation
from derivations.typeset import typeset

EQUALS = 1.4  # ems
NUMBER = 3.0  # what an equation's number takes
GAP = 1.5  # between columns
MOST = 6  # equations in a row
NARROWEST = 12  # of a right-hand side, though it may run into the margin
LONGEST_LABEL = 24  # letters; a longer one is broken
NEXT = " \\\\\n"


@dataclass(frozen=True, slots=True)
class Set:
    """An equation ready to be set: its two sides, the right one in lines, and a remark."""

    left: Box
    right: list[Box]
    remark: str

    @property
    def widths(self) -> tuple[float, float]:
        """Of the two sides, the sign between them counted to the right one."""
        return width(self.left), EQUALS + max(map(width, self.right)) + 0.45 * len(self.remark)


def under_one_another(lines: Sequence[Line], notation: Notation, page: float) -> str:
    """Numbered equations, the label of each group at the left."""
    labels, room = divided(lines, notation, page - NUMBER)
    rows = []
    for label, run in runs(lines):
        for k, line in enumerate(run):
            one = ready(line, notation, room)
            start = label_cell(label if k == 0 else "", labels > 0)
            rows.append(f"{start} & {latex(one.left)} &= {right_side(one, '& & &')}")
    return f"\\begin{{alignat}}{{2}}\n{NEXT.join(rows)}\n\\end{{alignat}}"


def divided(lines: Sequence[Line], notation: Notation, page: float) -> tuple[float, float]:
    """The widths of the labels (0 where they stand on lines of their own) and of the right-hand sides."""
    labels = GAP + 0.5 * min(max(len(line.group) for line in lines), LONGEST_LABEL)
    lefts = EQUALS + max(width(typeset(line.lhs, notation)) for line in lines)
    if labels + lefts > page / 2:
        labels = 0.0
    return labels, max(page - labels - lefts, NARROWEST)


def right_side(one: Set, start: str) -> str:
    """The lines of a right-hand side; the continued ones start at the column of the equals sign."""
    first, *others = map(latex, one.right)
    return first + "".join(rf" \notag{NEXT}{start} \quad {other}" for other in others) + one.remark


def ready(line: Line, notation: Notation, room: float) -> Set:
    """The equation with its right-hand side broken to fit the room."""
    remark = "" if line.proof in (None, PROVED) else rf" \quad \text{{({latex_text(line.proof)})}}"
    return Set(typeset(line.lhs, notation), broken(line.rhs, notation, room), remark)


def side_by_side(lines: Sequence[Line], notation: Notation, page: float) -> str:
    """Short equations in a grid: in one row what belongs together, as far as the page is wide."""
    labels, room = divided(lines, notation, page)
    groups = [(label, [ready(line, notation, room) for line in group]) for label, group in together(lines)]
    long = any(len(one.right) > 1 for _, group in groups for one in group)
    rows = groups
    for most in range(1 if long else MOST, 0, -1):
        rows = [
            (label if k == 0 else "", group[k : k + most])
            for label, group in groups
            for k in range(0, len(group), most)
        ]
        if labels + grid_width([row for _, row in rows]) <= page:
            break
    return grid(rows, labels > 0)


def together(lines: Sequence[Line]) -> Iterator[tuple[str, list[Line]]]:
    """The equations by rows; a label stands at the first row that it is about."""
    for label, run in runs(lines):
        rows: dict[str, list[Line]] = {}
        for line in run:
            rows.setdefault(line.row, []).append(line)
        for k, row in enumerate(rows.values()):
            yield label if k == 0 else "", row


def grid_width(rows: Sequence[Sequence[Set]]) -> float:
    total = 0.0
    for k in range(max(map(len, rows))):
        lefts, rights = zip(*(row[k].widths for row in rows if k < len(row)), strict=True)
        total += max(lefts) + max(rights) + GAP
    return total


def grid(rows: Sequence[tuple[str, Sequence[Set]]], aside: bool) -> str:
    columns = max(len(row) for _, row in rows)
    lines = []
    for label, row in rows:
        cells = [f"{latex(one.left)} &= {right_side(one, '& & &')}" for one in row]
        lines.append(f"{label_cell(label, aside)} & " + rf" \hspace{{{GAP}em}} & ".join(cells))
    return f"\\begin{{alignat*}}{{{columns + 1}}}\n{NEXT.join(lines)}\n\\end{{alignat*}}"


def label_cell(label: str, aside: bool) -> str:
    """The label at the left edge, a long one in a narrow block; or on a line of its own."""
    if not label:
        return "&"
    words = rf"\small\itshape {latex_text(label)}"
    if not aside:
        return rf"& \rlap{{\text{{{words}}}}} \notag{NEXT}&"
    if len(label) > LONGEST_LABEL:
        words = rf"\parbox[t]{{{0.5 * LONGEST_LABEL}em}}{{\raggedright {words}}}"
    return rf"& \text{{{words}}} \hspace{{{GAP}em}}"
