"""Mistakes in which part of something packed is taken: another one than is due, or the whole of it."""

from collections.abc import Iterator
from dataclasses import replace

from derivations.expression import Adjoint, Expr, Part
from derivations.marking.attempt import Attempt
from derivations.marking.world import HEIGHT
from derivations.matrices import Matrix
from derivations.mistakes import places, spelled

MOST_ROWS = 40


def part_words(attempt: Attempt) -> str:
    """What is wrong with a line that another part of what it takes, or a part of it, makes right; empty for nothing."""
    for wrong, other in _other_parts(attempt):
        if attempt.agrees(attempt.theirs(other)):
            taken = _quantity(attempt, wrong)
            what = f": this is {taken}, where {spelled(attempt.quantity)} is due" if taken else ""
            return f"another part of it is due than the one that is taken{what}"
    if attempt.value is not None and not attempt.shaped:
        for piece in _pieces(attempt.value):
            if attempt.agrees(piece):
                return "it is not split into its parts: this is more than what is due, which is a part of it"
    return ""


def is_cut(node: Expr) -> bool:
    """Whether an expression is a part that is told by its ends, and not by what stands beside it."""
    return isinstance(node, Part) and node.of[0].startswith(HEIGHT)


def _other_parts(attempt: Attempt) -> Iterator[tuple[Part, Expr]]:
    """What was said, with each of its parts replaced by every other part of the same thing."""
    for put, node in places(attempt.said):
        if not isinstance(node, Part) or not is_cut(node):
            continue
        whole = attempt.theirs(node.arg)
        rows = min(len(whole or ()), MOST_ROWS)
        for start in range(rows):
            for stop in range(start + 1, rows + 1):
                yield node, put(Part(node.arg, (f"{HEIGHT}{start}", f"{HEIGHT}{stop - start}"), 1))


def _quantity(attempt: Attempt, expr: Expr) -> str:
    """The error that a part is, by its name."""
    course, value = attempt.course, attempt.theirs(expr)
    names = (name for name in course.derivation.adjoint_of if name not in course.cell.parameters)
    same = (name for name in names if replace(attempt, quantity=Adjoint(name)).agrees(value))
    return next((f"d{name}" for name in same), "")


def _pieces(value: Matrix[float]) -> Iterator[Matrix[float]]:
    """Rows that follow one another, or columns."""
    lying = len(value) == 1
    rows = [list(column) for column in zip(*value, strict=True)] if lying else value
    if len(rows) > MOST_ROWS:
        return
    for start in range(len(rows)):
        for stop in range(start + 1, len(rows) + 1):
            yield rows[start:stop]
