"""The reading of a sheet under which most of its lines are right: the layout, and what the names mean."""

from collections.abc import Iterator
from dataclasses import replace

from derivations.cell import Cell, CellError
from derivations.expression import (
    Adjoint,
    Diag,
    Expr,
    Name,
    Outer,
    Reduce,
    Shift,
    Stack,
    Total,
    Transpose,
    rewrite,
    walk,
)
from derivations.marking.choices import choices
from derivations.marking.course import COLUMNS, DENOMINATOR, ROWS, SCALAR, TURNED, Course, View
from derivations.marking.glossary import Glossary
from derivations.marking.lessons import taught
from derivations.marking.sheet import UNKNOWN_SLOPES, Sheet, free
from derivations.marking.understanding import Understanding, understanding
from derivations.marking.world import STEPS, Key, Unnamed
from derivations.matrices import ShapeError
from derivations.timed import UnknownName, unknown

MOST_TRIES = 60
MOST_PASSES = 2_000  # lines that are read again, with other meanings for their names
PROGRAM = 5  # how much more a line of a program over time takes to read: what uses it stands in every round
MOST_VIEWS = 2
MOST_LESSONS = 3


def ours(course: Course, theirs: str, said: Expr) -> Expr:
    """What a `names` section says, in quantities.

    Raises:
        CellError: it is none of the cell.
    """
    cell = course.cell

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Name) or node.id in cell.shapes:
            return None
        of = node.id[1:]
        for part in ("next", "out"):
            whole = of.removesuffix(f"_{part}")
            if node.id[0] == "d" and whole != of and whole in (cell.states if part == "next" else cell.seeded):
                return Adjoint(whole, part)
        if node.id[0] == "d" and of in course.derivation.adjoint_of:
            return Adjoint(of)
        if node.id.startswith("grad_") and node.id[5:] in cell.parameters:
            return Total(node.id[5:])
        raise unknown(cell, node.id, (*cell.shapes, *(f"d{name}" for name in course.derivation.adjoint_of)))

    try:
        found = rewrite(said, rule)
        course.right(found, View(), 2)
    except UnknownName as error:
        raise CellError(f"in `names`, {theirs}: {error}") from None
    except (Unnamed, ShapeError, KeyError, ValueError) as error:
        raise CellError(f"in `names`, {theirs} is not given a quantity of {cell.name}: {error}") from None
    return found


# --- the reading under which most is right ----------------------------------------------------------------------


def understood(course: Course, sheet: Sheet) -> Understanding:
    """The reading of a sheet under which most of its lines are right, once it has taught its own words."""
    best = _of_last(_likeliest(course, sheet))
    for _ in range(MOST_LESSONS):
        glossary = taught(best)
        if _all_right(best) or glossary == best.glossary:
            break
        other = Understanding(glossary)
        if round(other.score) < round(best.score):
            break
        best = other if _all_right(other) else _of_last(varied(other))
    return best


def _likeliest(course: Course, sheet: Sheet) -> Understanding:
    """The reading under which most lines are right."""
    plain = View(COLUMNS, sheet.strict, sheet.steps or STEPS, _zero(course, sheet))
    best = understanding(course, sheet, plain)
    best = _of_last(best)
    plain = best.view
    found = [best]
    for layout in layouts(sheet, course.cell):
        if _all_right(best):
            return best
        found.append(understanding(course, sheet, replace(plain, layout=layout)))
        best = max(best, found[-1], key=lambda one: round(one.score))
    found.sort(key=lambda one: (-one.promise, -one.score))
    for start in found[:MOST_VIEWS]:
        if start.promise > found[0].promise - 3:
            other = varied(start)
            best = other if other.score > best.score + 0.5 else best
        if _all_right(best):
            return best
    for gate in course.vocabulary.gates.mirrors:
        views = [replace(best.view, layout=layout) for layout in (best.view.layout, *layouts(sheet, course.cell))]
        other = max((Understanding(Glossary(course, sheet, view, mirrored=gate)) for view in views), key=_score)
        if other.score > best.score + 1.5:  # one line alone is a mistake, and no convention
            best = varied(other)
    return best


def _score(reading: Understanding) -> float:
    return reading.score


def _of_last(best: Understanding) -> Understanding:
    """The same with a loss of the last step alone, if that makes more of a walk over time right."""
    view = best.view
    if not best.sheet.steps or best.sheet.every_loss or _all_right(best):
        return best
    silent = {(f"d{of}_out", step) for of in best.course.cell.seeded for step in range(1, view.steps)}
    other = Understanding(replace(best.glossary, view=replace(view, zero=view.zero | silent)))
    least = 0 if best.sheet.numbered and not _hears(best) else 0.5
    return other if other.score >= best.score + least else best


def _hears(reading: Understanding) -> bool:
    """Whether a sheet takes an error from outside at a step that is not the last."""
    sheet, seeded = reading.sheet, [Adjoint(of) for of in reading.course.cell.seeded]
    return any(
        "[" in name or line.step < sheet.steps
        for line in sheet.lines
        for name in line.uses
        if free(name) and any(m.quantity in seeded or _is_out(m.quantity) for m in reading.readings(name)[:1])
    )


def _is_out(quantity: Expr) -> bool:
    return isinstance(quantity, Adjoint) and quantity.part == "out"


def varied(best: Understanding) -> Understanding:
    """The same with other meanings for its names, as long as that makes more of it right."""
    tried = {frozenset(best.chosen.items())}
    weight = PROGRAM if best.sheet.steps and best.sheet.strict else 1
    tries, most = 0, min(MOST_TRIES, MOST_PASSES // max(len(best.sheet.lines) * weight, 1))
    for _ in range(2):
        before = best.score
        for choice in choices(best):
            if tries >= most or _all_right(best):
                return best
            key = frozenset({**best.chosen, **choice}.items())
            if key in tried:
                continue
            tried.add(key)
            tries += 1
            other = Understanding(replace(best.glossary, chosen={**best.chosen, **choice}))
            unknown = any(_is_daring(other, name, quantity) for name, quantity in choice.items())
            if other.score > best.score + (1.5 if unknown else 0.5):  # one line alone says little of such a name
                best = other
        if best.score <= before + 0.5:
            break
    return best


def _is_daring(reading: Understanding, name: str, quantity: Expr) -> bool:
    """Whether a name does not say a meaning at all, or says what comes back where the whole is meant."""
    found = reading.readings(name)
    if not found:
        return name not in UNKNOWN_SLOPES
    first = found[0].quantity
    return isinstance(first, Adjoint) and first.part == "next" and quantity == Adjoint(first.of)


def _zero(course: Course, sheet: Sheet) -> frozenset[Key]:
    """What starts as zero: the final states' cotangents, the initial states."""
    found: set[Key] = set()
    if sheet.numbered:  # nothing comes after the last step
        found |= {(f"d{state}_next", sheet.steps) for state in course.cell.states}
    for name in sheet.zero if sheet.steps else ():
        readings = course.vocabulary.readings(name.removesuffix("@0").rstrip("s") if "@0" in name else name)
        for meaning in readings[:3]:
            match meaning.quantity:
                case Adjoint(of, "next") | Shift(Adjoint(of, ""), 1):
                    found.add((f"d{of}_next", sheet.steps))
                case Adjoint(of, "") if of in course.cell.states:
                    found.add((f"d{of}_next", sheet.steps))
                case Adjoint(of, "") if of in course.cell.previous:
                    found.add((f"d{of.removesuffix('_prev')}_next", sheet.steps))
                case Name(id_) if id_ in course.cell.previous or (id_ in course.cell.states and "@0" in name):
                    found.add((id_.removesuffix("_prev"), 0))
    return frozenset(found)


def _all_right(reading: Understanding) -> bool:
    return all(j.right or j.line.rhs is None for j in reading.judged)


def layouts(sheet: Sheet, cell: Cell) -> Iterator[str]:
    """The other layouts that a sheet may be in: scalars only where nothing speaks of matrices."""
    nodes = [node for line in sheet.lines if line.rhs is not None for node in walk(line.rhs)]
    wide = any(isinstance(node, Transpose | Outer | Diag | Stack) for node in nodes)
    wide = wide or any("@" in line.text or "dot(" in line.text for line in sheet.lines)
    wide = wide or sheet.components or any(isinstance(node, Reduce) for e in cell.equations for node in walk(e.rhs))
    if not wide:
        yield SCALAR
    if any(isinstance(node, Transpose | Diag) for node in nodes) and any("/" in line.target for line in sheet.lines):
        yield DENOMINATOR
    yield ROWS
    yield TURNED
