"""The reading of a sheet under which most of its lines are right: the layout, and what the names mean."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from derivations.cell import Cell, CellError
from derivations.course import COLUMNS, DENOMINATOR, ROWS, SCALAR, TURNED, Course, View
from derivations.expression import (
    ONE,
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
from derivations.glossary import Glossary
from derivations.lessons import taught
from derivations.matrices import ShapeError
from derivations.plain import code
from derivations.sheet import UNKNOWN_SLOPES, Sheet
from derivations.timed import UnknownName, unknown
from derivations.understanding import Understanding, understanding
from derivations.world import STEPS, Key, Unnamed

MOST_TRIES = 60
MOST_PASSES = 2_000  # lines that are read again, with other meanings for their names
PROGRAM = 5  # how much more a line of a program over time takes to read: what uses it stands in every round
MOST_VIEWS = 2
MOST_LESSONS = 3
MOST_VARIED = 16


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
    best = _likeliest(course, sheet)
    for _ in range(MOST_LESSONS):
        glossary = taught(best)
        if _all_right(best) or glossary == best.glossary:
            break
        other = Understanding(glossary)
        if round(other.score) < round(best.score):
            break
        best = other if _all_right(other) else _varied(other)
    return best


def _likeliest(course: Course, sheet: Sheet) -> Understanding:
    """The reading under which most lines are right."""
    plain = View(COLUMNS, sheet.strict, sheet.steps or STEPS, _zero(course, sheet))
    best = understanding(course, sheet, plain)
    found = [best]
    for layout in _layouts(sheet, course.cell):
        if _all_right(best):
            return best
        found.append(understanding(course, sheet, replace(plain, layout=layout)))
        best = max(best, found[-1], key=lambda one: round(one.score))
    found.sort(key=lambda one: -round(one.score))
    for start in found[:MOST_VIEWS]:
        if start.score > found[0].score - 3:
            other = _varied(start)
            best = other if other.score > best.score + 0.5 else best
        if _all_right(best):
            return best
    for gate in course.vocabulary.gates.mirrors:
        other = Understanding(Glossary(course, sheet, best.view, mirrored=gate))
        if other.score > best.score + 1.5:  # one line alone is a mistake, and no convention
            best = _varied(other)
    return best


def _varied(best: Understanding) -> Understanding:
    """The same with other meanings for its names, as long as that makes more of it right."""
    weight = PROGRAM if best.sheet.steps and best.sheet.strict else 1
    tries, most = 0, min(MOST_TRIES, MOST_PASSES // max(len(best.sheet.lines) * weight, 1))
    for _ in range(2):
        before = best.score
        for choice in _choices(best):
            if tries >= most or _all_right(best):
                return best
            tries += 1
            other = Understanding(replace(best.glossary, chosen={**best.chosen, **choice}))
            unknown = any(name not in UNKNOWN_SLOPES and not best.readings(name) for name in choice)
            if other.score > best.score + (1.5 if unknown else 0.5):  # one line alone says little of such a name
                best = other
        if best.score <= before + 0.5:
            break
    return best


def _choices(reading: Understanding) -> Iterator[dict[str, Expr]]:
    """Other meanings for the names of lines that are not right: for all of a kind together, then for one alone."""
    options = list(_uncertain(reading))
    for kind in KINDS:
        together = {name: next(q for q in qs if kind(q)) for name, qs in options if any(kind(q) for q in qs)}
        if len(together) > 1:
            yield together
    for packed in KINDS[:2]:  # matrices that are packed, and errors at the preactivations
        both = [{name: next(q for q in qs if kind(q)) for name, qs in options if any(kind(q) for q in qs)}
                for kind in (packed, KINDS[2])]  # fmt: skip
        if all(both):
            yield {**both[0], **both[1]}
    for name, quantities in options:
        for quantity in quantities:
            yield {name: quantity}


KINDS: tuple[Callable[[Expr], bool], ...] = (
    lambda q: isinstance(q, Transpose) and isinstance(q.arg, Stack),  # packed matrices
    lambda q: isinstance(q, Transpose) and isinstance(q.arg, Stack) and isinstance(q.arg.parts[-1], Transpose)
    and "_h" in code(q.arg.parts[-1]),  # packed the other way round
    lambda q: isinstance(q, Adjoint) and q.of.startswith("a_"),
    lambda q: isinstance(q, Adjoint) and not q.part and not q.of.startswith("a_"),
    lambda q: isinstance(q, Name) and q.id.startswith("W"),
    lambda q: isinstance(q, Name) and q.id[:1].islower() and not q.id.startswith("a_"),
)  # fmt: skip


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


def _layouts(sheet: Sheet, cell: Cell) -> Iterator[str]:
    """The other layouts that a sheet may be in: scalars only where nothing speaks of matrices."""
    nodes = [node for line in sheet.lines if line.rhs is not None for node in walk(line.rhs)]
    wide = any(isinstance(node, Transpose | Outer | Diag | Stack) for node in nodes)
    wide = wide or any("@" in line.text or "dot(" in line.text for line in sheet.lines)
    if not wide and not any(isinstance(node, Reduce) for e in cell.equations for node in walk(e.rhs)):
        yield SCALAR
    if any(isinstance(node, Transpose | Diag) for node in nodes) and any("/" in line.target for line in sheet.lines):
        yield DENOMINATOR
    yield ROWS
    yield TURNED


def _uncertain(reading: Understanding) -> Iterator[tuple[str, tuple[Expr, ...]]]:
    """Names that may mean something else, among those that lines read that are not right."""
    found: dict[str, None] = {}
    for k, judged in enumerate(reading.judged):
        if not judged.right:
            found |= dict.fromkeys(reading.frees(k))
    for name in list(found)[:MOST_VARIED]:
        if name in UNKNOWN_SLOPES:
            yield name, (ONE,)
            continue
        readings = [m.quantity for m in reading.readings(name)]
        if name in reading.course.cell.shapes:
            continue  # a name of the cell itself
        if not readings:
            if not re.match(r"[WUVRKwb](?![a-z]{3})", name):  # a weight is no value: it may be told by the gates' order
                yield name, tuple(_anything(reading.course))
        elif len(readings) > 1:
            yield name, tuple(q for q in readings[:5] if q != reading.chosen.get(name, readings[0]))


def _anything(course: Course) -> Iterator[Expr]:
    """What a name may mean that says nothing."""
    cell = course.cell
    yield from (Name(n) for n in (*cell.defined, *cell.previous, *cell.inputs))
    yield from (Adjoint(n) for n in (*cell.states, *(e.target for e in cell.equations)))
