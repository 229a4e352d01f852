"""Mistakes in which part of something packed is taken: another one than is due, or the whole of it."""

from collections.abc import Iterator

from derivations.expression import Adjoint, Expr, Part
from derivations.marking.course import Course, View, fit
from derivations.marking.world import HEIGHT, NO_VALUE
from derivations.matrices import Matrix
from derivations.mistakes import places, spelled

MOST_ROWS = 40


def part_words(course: Course, quantity: Expr, said: Expr, value: Matrix[float] | None, view: View, step: int) -> str:
    """What is wrong with a line that another part of what it takes, or a part of it, makes right; empty for nothing."""
    for wrong, other in _other_parts(course, said, view, step):
        if _is(course, other, quantity, view, step):
            taken = _quantity(course, wrong, view, step)
            what = f": this is {taken}, where {spelled(quantity)} is due" if taken else ""
            return f"another part of it is due than the one that is taken{what}"
    if value is not None and fit(value, course.right(quantity, view, step), quantity, view) is None:
        for piece in _pieces(value):
            if course.agrees(piece, quantity, view, step):
                return "it is not split into its parts: this is more than what is due, which is a part of it"
    return ""


def is_cut(node: Expr) -> bool:
    """Whether an expression is a part that is told by its ends, and not by what stands beside it."""
    return isinstance(node, Part) and node.of[0].startswith(HEIGHT)


def _other_parts(course: Course, said: Expr, view: View, step: int) -> Iterator[tuple[Part, Expr]]:
    """The expression with each of its parts replaced by every other part of the same thing."""
    for put, node in places(said):
        if not isinstance(node, Part) or not is_cut(node):
            continue
        try:
            rows = len(course.value(node.arg, view, step))
        except NO_VALUE:
            continue
        for start in range(min(rows, MOST_ROWS)):
            for stop in range(start + 1, min(rows, MOST_ROWS) + 1):
                yield node, put(Part(node.arg, (f"{HEIGHT}{start}", f"{HEIGHT}{stop - start}"), 1))


def _is(course: Course, expr: Expr, quantity: Expr, view: View, step: int) -> bool:
    try:
        return course.agrees(course.value(expr, view, step), quantity, view, step)
    except NO_VALUE:
        return False


def _quantity(course: Course, expr: Expr, view: View, step: int) -> str:
    """The error that a part is, by its name."""
    cell = course.cell
    names = (name for name in course.derivation.adjoint_of if name not in cell.parameters)
    return next((f"d{name}" for name in names if _is(course, expr, Adjoint(name), view, step)), "")


def _pieces(value: Matrix[float]) -> Iterator[Matrix[float]]:
    """Rows that follow one another, or columns."""
    lying = len(value) == 1
    rows = [list(column) for column in zip(*value, strict=True)] if lying else value
    if len(rows) > MOST_ROWS:
        return
    for start in range(len(rows)):
        for stop in range(start + 1, len(rows) + 1):
            yield rows[start:stop]
