"""A sheet to be filled in or corrected: the lines of a backward pass with blanks, or with mistakes planted.

The key comes with it. A filled sheet is marked by the same means as any other; a planted mistake is one that marking
finds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from derivations.cell import Cell, CellError
from derivations.derive import Derivation, Step
from derivations.expression import ZERO, Expr
from derivations.marking.course import course_of
from derivations.marking.mark import mark_sheet
from derivations.marking.marked import Verdict
from derivations.marking.sheets.text import read_text
from derivations.mutants import mutants
from derivations.plain import code

MOST_LINES = 200


@dataclass(frozen=True)
class Question:
    """A line of the sheet: the right one, and what is shown in its place.

    Attributes:
        shown: the right-hand side that is shown; None for a blank.
        mistake: what is wrong with what is shown; empty where it is right or blank.
    """

    step: Step
    shown: Expr | None
    mistake: str = ""

    @property
    def asked(self) -> bool:
        return self.shown is None or bool(self.mistake)


@dataclass(frozen=True)
class Quiz:
    """A sheet of a cell: its lines in order, and from which seed they were drawn."""

    cell: Cell
    questions: tuple[Question, ...]
    seed: int


def quiz(cell: Cell, *, blank: int = 0, mistakes: int = 0, seed: int = 1) -> Quiz:
    """A sheet with so many blanks, or so many planted mistakes, each in a line of its own.

    Raises:
        CellError: neither or both are asked for, or more than the cell has lines for.
    """
    if (blank > 0) == (mistakes > 0):
        raise CellError("ask for blanks or for mistakes: --blank N, or --mistakes N")
    course = course_of(cell)
    steps = [step for step in course.derivation.adjoints if step.rhs != ZERO][:MOST_LINES]
    random = Random(seed)
    if blank:
        if blank > len(steps):
            raise CellError(f"{cell.name} has {len(steps)} lines; {blank} cannot be blank")
        chosen = set(random.sample(range(len(steps)), blank))
        return Quiz(cell, tuple(Question(s, None if k in chosen else s.rhs) for k, s in enumerate(steps)), seed)

    planted: dict[str, tuple[Expr, str]] = {}
    for of, expr in _candidates(course.derivation, random):
        if len(planted) == mistakes:
            break
        if of not in planted:
            (found,) = mark_sheet(read_text(f"{of} = {code(expr)}"), course).marks
            if found.verdict is Verdict.WRONG:
                planted[of] = (expr, found.mistake)
    if len(planted) < mistakes:
        raise CellError(f"{cell.name} has {len(planted)} lines for a mistake; {mistakes} cannot be planted")
    questions = [Question(s, *planted.get(f"d{s.wrt}", (s.rhs, ""))) for s in steps]
    return Quiz(cell, tuple(questions), seed)


def _candidates(derivation: Derivation, random: Random) -> Iterator[tuple[str, Expr]]:
    """Wrong lines, in an order that is drawn: which quantity first, then which mistake."""
    right = {f"d{step.wrt}": step.rhs for step in derivation.adjoints}
    found: dict[str, list[Expr]] = {}
    for mutant in mutants(derivation):
        expr = dict(mutant.program.adjoints).get(mutant.of)
        if expr is not None and expr not in (right[mutant.of], ZERO) and "off by" not in mutant.mistake:
            found.setdefault(mutant.of, []).append(expr)
    order = sorted(found)
    random.shuffle(order)
    for of in order:
        random.shuffle(found[of])
        yield from ((of, expr) for expr in found[of])
