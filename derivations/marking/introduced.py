"""Quantities that a sheet names and its cell does not: `u = tanh(c)` or the normalised `y = m/s`, with `du` and `dy`.

What such a name stands for is a part of an equation of the cell. There it becomes an equation of its own, and so its
error has a derivation as every other; the sheet is then read against the cell with these equations in it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

from derivations.cell import Cell, Equation
from derivations.expression import Add, Adjoint, Div, Expr, Mul, Name, children, product, quotient, total, walk
from derivations.marking.course import Course, View, close, course_of, fit
from derivations.marking.judged import Judged
from derivations.marking.name_marks import canonical, of_loss, timed
from derivations.marking.understanding import Understanding
from derivations.marking.world import NO_VALUE, NOW
from derivations.mistakes import places

MOST = 8
MOST_ITEMS = 5  # of a product or a sum, of which every choice is looked at


def with_own_quantities(reading: Understanding) -> Course | None:
    """The course of the cell with the sheet's own quantities as equations; None where it has none with an error."""
    found = dict(_introduced(reading))
    return _extended(reading.course, tuple(found.items())) if found else None


def _introduced(reading: Understanding) -> Iterator[tuple[str, Expr]]:
    """Names of the sheet's own whose errors it speaks of, with the parts of equations that they stand for."""
    cell = reading.course.cell
    erring = set(_erring(reading))
    cell_normalises = bool(reading.course.vocabulary.gates.families)
    for judged in reading.judged[: 10 * MOST]:
        theirs = judged.line.target
        wanted = canonical(theirs) in erring or cell_normalises
        if judged.quantity is None and wanted and (part := _part(reading, judged)) is not None:
            name = re.sub(r"\W", "_", theirs).strip("_")
            if name.isidentifier() and name not in cell.shapes and f"d{name}" not in cell.shapes:
                yield name, part


def _erring(reading: Understanding) -> Iterator[str]:
    """What the names of a sheet may be errors of."""
    output = reading.course.cell.states[0]
    for name in dict.fromkeys(n for line in reading.sheet.lines for n in (line.target, *line.uses)):
        for rest, _ in of_loss(name.partition("#")[0], output):
            yield from (canonical(core) for core, _, _ in timed(rest))


def _part(reading: Understanding, judged: Judged) -> Expr | None:
    """The part of an equation that has the value of a line; None where none has."""
    if judged.value is None or judged.said is None or any(isinstance(n, Adjoint) for n in walk(judged.said)):
        return None
    course, view = reading.course, reading.view
    for equation in course.cell.equations:
        for _, part in parts(equation.rhs):
            value = _value(course, part, view, judged.line.step)
            fitted = fit(judged.value, value, part, view) if value is not None else None
            if fitted is not None and value is not None and close(fitted, value):
                return part
    return None


def _value(course: Course, part: Expr, view: View, step: int) -> list[list[float]] | None:
    try:
        return course.right(part, view, step)
    except NO_VALUE:
        return None


# --- parts of equations -----------------------------------------------------------------------------------------


def parts(rhs: Expr) -> Iterator[tuple[Callable[[Expr], Expr], Expr]]:
    """Every part of an expression that is no name and not all of it, with what puts another in its place.

    Some factors of a product are a part of it, and some terms of a sum.
    """
    for put, node in places(rhs):
        if node is not rhs and children(node):
            yield put, node
        match node:
            case Mul() | Div():
                yield from _of_product(put, node)
            case Add(terms) if len(terms) <= MOST_ITEMS:
                for some in _choices(len(terms)):
                    rest = [None if k in some else term for k, term in enumerate(terms)]
                    yield _among(put, rest, total), total(*(terms[k] for k in some))


def _of_product(put: Callable[[Expr], Expr], node: Expr) -> Iterator[tuple[Callable[[Expr], Expr], Expr]]:
    above, below = _sides(node)
    if len(above) + len(below) > MOST_ITEMS:
        return
    for some in _choices(len(above) + len(below)):
        over = [factor for k, factor in enumerate(above) if k in some]
        under = [factor for k, factor in enumerate(below, len(above)) if k in some]
        left = [None if k in some else factor for k, factor in enumerate(above)]
        rest = [factor for k, factor in enumerate(below, len(above)) if k not in some]
        part = quotient(product(*over), product(*under)) if under else product(*over)

        def join(*factors: Expr, rest: list[Expr] = rest) -> Expr:
            return quotient(product(*factors), product(*rest)) if rest else product(*factors)

        yield _among(put, left or [None], join), part


def _sides(node: Expr) -> tuple[list[Expr], list[Expr]]:
    """The factors above and below the line."""
    match node:
        case Mul(factors):
            pairs = [_sides(factor) for factor in factors]
            return [f for above, _ in pairs for f in above], [f for _, below in pairs for f in below]
        case Div(a, b):
            (above, below), (more_below, more_above) = _sides(a), _sides(b)
            return above + more_above, below + more_below
    return [node], []


def _choices(count: int) -> Iterator[tuple[int, ...]]:
    """Some of a number of items: two or more, and not all."""
    for size in range(2, count):
        yield from combinations(range(count), size)


def _among(put: Callable[[Expr], Expr], rest: list[Expr | None], join: Callable[..., Expr]) -> Callable[[Expr], Expr]:
    """Puts one expression in the place of the first item that is taken out."""

    def placed(new: Expr) -> Expr:
        at = rest.index(None) if None in rest else 0
        items = [*rest[:at], new, *rest[at:]]
        return put(join(*(item for item in items if item is not None)))

    return placed


# --- the cell with them -----------------------------------------------------------------------------------------


def _extended(course: Course, introduced: tuple[tuple[str, Expr], ...]) -> Course:
    """The course of the cell in which parts of equations are equations of their own."""
    known = course.found.setdefault("extended", {})
    if introduced not in known:
        cell = course.cell
        for name, part in introduced:
            cell = _with(cell, name, part, course)
        known[introduced] = course_of(cell)
    found: Course = known[introduced]
    return found


def _with(cell: Cell, name: str, part: Expr, course: Course) -> Cell:
    """The cell with one more equation, before the first that reads it."""
    equations: list[Equation] = []
    shape: tuple[str, ...] | None = None
    for equation in cell.equations:
        rhs = next((put(Name(name)) for put, node in parts(equation.rhs) if node == part), None)
        if rhs is not None and shape is None:
            shape = cell.shapes[equation.target] if len(course.right(part, View(), NOW)) > 1 else ()
            equations.append(Equation(name, part, line=equation.line, block=equation.block))
        equations.append(equation if rhs is None else replace(equation, rhs=rhs))
    return cell if shape is None else replace(
        cell, equations=tuple(equations), shapes={**cell.shapes, name: shape}
    )  # fmt: skip
