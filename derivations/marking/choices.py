"""Other meanings that the names of a sheet may have, to be tried while they make more of it right."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from derivations.expression import ONE, Adjoint, Expr, Name, Stack, Transpose
from derivations.marking.course import Course
from derivations.marking.sheet import UNKNOWN_SLOPES, free
from derivations.marking.understanding import Understanding
from derivations.plain import code

MOST_VARIED = 16


def choices(reading: Understanding) -> Iterator[dict[str, Expr]]:
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
    yield from _once_ordered(reading, dict(options))
    for name, quantities in options:
        for quantity in quantities:
            yield {name: quantity}


def _once_ordered(reading: Understanding, options: dict[str, tuple[Expr, ...]]) -> Iterator[dict[str, Expr]]:
    """Errors at the preactivations, by which the order of what is packed is known, with each name that this opens."""
    errors = {name: next(q for q in qs if KINDS[2](q)) for name, qs in options.items() if any(map(KINDS[2], qs))}
    if not errors or reading.progress.order:
        return
    ordered = Understanding(replace(reading.glossary, chosen={**reading.chosen, **errors}))
    for name, quantities in _uncertain(ordered) if ordered.progress.order else ():
        if name not in options:
            for quantity in quantities:
                yield {**errors, name: quantity}


KINDS: tuple[Callable[[Expr], bool], ...] = (
    lambda q: isinstance(q, Transpose) and isinstance(q.arg, Stack),  # packed matrices
    lambda q: isinstance(q, Transpose) and isinstance(q.arg, Stack) and isinstance(q.arg.parts[-1], Transpose)
    and "_h" in code(q.arg.parts[-1]),  # packed the other way round
    lambda q: isinstance(q, Adjoint) and q.of.startswith("a_"),
    lambda q: isinstance(q, Adjoint) and not q.part and not q.of.startswith("a_"),
    lambda q: isinstance(q, Name) and q.id.startswith("W"),
    lambda q: isinstance(q, Name) and q.id[:1].islower() and not q.id.startswith("a_"),
)  # fmt: skip


def _uncertain(reading: Understanding) -> Iterator[tuple[str, tuple[Expr, ...]]]:
    """Names that may mean something else, among those that lines read that are not right."""
    found: dict[str, None] = {}
    for k, judged in enumerate(reading.judged):
        if reading.cuts(judged):  # what it cuts was read wrongly
            whole = [reading.place[name] for name in judged.line.uses if not free(name)]
            found |= dict.fromkeys(name for j in whole for name in reading.frees(j))
        if not judged.right:
            found |= dict.fromkeys(reading.frees(k))
    for name in list(found)[:MOST_VARIED]:
        if name in UNKNOWN_SLOPES:
            yield name, (ONE,)
            continue
        readings = [m.quantity for m in reading.readings(name)][:5]
        first = readings[0] if readings else None
        if isinstance(first, Adjoint) and first.part == "next" and first.of not in reading.glossary.spoken:
            readings.append(Adjoint(first.of))  # what comes from the layer above may be called the next one too
        if isinstance(first, Adjoint) and first.part == "out" and name in reading.sheet.series:
            alone = f"d{first.of}" not in reading.sheet.assigned
            readings += [Adjoint(first.of)] if alone else []  # the whole error, where no line works it out
        if name in reading.course.cell.shapes:
            continue  # a name of the cell itself
        if not readings:
            if not re.match(r"[WUVRKwb](?![a-z]{3})", name):  # a weight is no value: it may be told by the gates' order
                yield name, tuple(_anything(reading.course))
        elif len(readings) > 1:
            yield name, tuple(q for q in readings if q != reading.chosen.get(name, readings[0]))


def _anything(course: Course) -> Iterator[Expr]:
    """What a name may mean that says nothing."""
    cell = course.cell
    yield from (Name(n) for n in (*cell.defined, *cell.previous, *cell.inputs))
    yield from (Adjoint(n) for n in (*cell.states, *(e.target for e in cell.equations)))
