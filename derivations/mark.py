"""A hand derivation, marked line by line.

RIGHT is proved. WRONG is refuted by numbers, under every reading of the names that is not clearly beaten. What can
be neither is UNSURE, with the reason. A later line may use their own earlier lines; a mistake is charged once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property, partial

from derivations.cell import Cell, CellError, prev
from derivations.course import COLUMNS, DENOMINATOR, ROWS, SCALAR, TURNED, Course, course_of, fit
from derivations.derive import Term
from derivations.equality import Status
from derivations.explaining import Mistake, explain
from derivations.expression import (
    ZERO,
    Adjoint,
    Derivative,
    Expr,
    Name,
    Shift,
    Total,
    rewrite,
    scalar_view,
    total,
    walk,
)
from derivations.floats import FloatMatrices
from derivations.interpretation import KINDS, ours, understood
from derivations.matrices import ShapeError
from derivations.notation import for_names
from derivations.plain import code
from derivations.sheet import UNKNOWN_SLOPES, Line, Sheet, Written, free
from derivations.slips import written_out
from derivations.typeset import to_latex
from derivations.understanding import Judged, Understanding, Unknown
from derivations.world import Unnamed, World, leaves

MOST_CLAIMS = 1_500
MOST_OTHERWISE = 12
SURE = 1.9  # the cost up to which a name says by itself what it means


class Verdict(StrEnum):
    RIGHT = "RIGHT"
    WRONG = "WRONG"
    TRUNCATED = "TRUNCATED"
    UNSURE = "UNSURE"
    UNREADABLE = "UNREADABLE"
    OTHER = "NOT A QUANTITY"


@dataclass(frozen=True)
class Mark:
    """A line and what is said of it.

    Attributes:
        quantity: what it was taken to be, in the names of the derivation; empty where it is nothing of it.
        mistake: what is wrong, or why nothing can be said, in a sentence; empty where the line is right.
        correct: the right line, in their names; empty where it is right or unknown.
        steps: in a loop over time, the steps at which the line is wrong.
    """

    line: int
    column: int
    text: str
    quantity: str
    verdict: Verdict
    mistake: str = ""
    correct: str = ""
    example: str = ""


@dataclass(frozen=True)
class Marked:
    """A sheet that is marked: `reading` says what its names were taken to mean."""

    notation: str
    marks: tuple[Mark, ...]
    reading: tuple[str, ...] = ()
    not_given: tuple[str, ...] = ()

    @property
    def right(self) -> int:
        return sum(mark.verdict in (Verdict.RIGHT, Verdict.TRUNCATED) for mark in self.marks)

    @property
    def of(self) -> int:
        return sum(mark.verdict is not Verdict.OTHER for mark in self.marks)

    @property
    def wrong(self) -> int:
        return sum(mark.verdict is Verdict.WRONG for mark in self.marks)


def mark_sheet(sheet: Sheet, course: Course | Cell) -> Marked:
    """Every line of a sheet, marked against a cell."""
    known = course_of(course) if isinstance(course, Cell) else course
    if len(sheet.lines) > MOST_CLAIMS:
        raise CellError(f"more than {MOST_CLAIMS} lines are claims; mark a part of it")
    sheet = replace(sheet, names={theirs: ours(known, theirs, said) for theirs, said in sheet.names.items()})
    best = understood(known, sheet)
    marking = _Marking(best)
    marks = tuple(marking.mark(judged) for judged in best.judged)
    headers = {j.line.number: j.line.header for j in best.judged}
    return Marked(sheet.notation, _gathered(marks, headers), marking.stated(), marking.not_given())


# --- verdicts ---------------------------------------------------------------------------------------------------


class _Marking:
    """The verdicts of one reading."""

    def __init__(self, reading: Understanding) -> None:
        self.reading, self.course, self.sheet = reading, reading.course, reading.sheet
        self.view = reading.view
        self.table = self._names()

    # what each line gets

    def mark(self, judged: Judged) -> Mark:
        line = judged.line
        if line.rhs is None:
            return self._said(judged, Verdict.UNREADABLE, line.why)
        if judged.why:
            return self._said(judged, Verdict.UNSURE, self._unknown(judged.why))
        if judged.quantity is None:
            return self._said(judged, Verdict.OTHER)
        assert judged.said is not None  # what has a quantity was read
        if judged.right:
            if doubt := self._alone(judged):
                return self._said(judged, Verdict.UNSURE, doubt)
            proof = self.course.proof(judged.said, judged.quantity, self.view, line.step)
            if proof:
                return self._said(judged, Verdict.RIGHT)
            why = "it differs only where numbers hide it" if proof.status is Status.REFUTED else proof.status.value
            return self._said(judged, Verdict.UNSURE, why)
        if beyond := self._beyond(judged.quantity, line.step):
            return self._said(judged, Verdict.UNSURE, beyond)
        if short := self._truncated(judged):
            return short
        if judged.of is None and self.reading.of_itself(judged.quantity, line):
            return self._said(judged, Verdict.UNSURE, "it says this of itself: what stands on the left is used")
        if doubt := self._doubt(judged):
            return self._said(judged, Verdict.UNSURE, doubt)
        return self._wrong(judged)

    def _beyond(self, quantity: Expr, step: int) -> str:
        """Why a quantity has no value here: the derivative of a vector by a matrix has three indices."""
        try:
            self.course.right(quantity, self.view, step)
        except ShapeError as error:
            return str(error)
        except (Unnamed, KeyError):
            return f"{code(quantity)} has no value at this step"
        return ""

    def _said(self, judged: Judged, verdict: Verdict, mistake: str = "", correct: str = "", example: str = "") -> Mark:
        line = judged.line
        whole = judged.of if judged.of is not None else judged.quantity
        quantity = "" if whole is None else f"a part of {code(whole)}" if judged.part else code(whole)
        return Mark(line.number, line.column, line.text, quantity, verdict, mistake, correct, example)

    def _unknown(self, name: str) -> str:
        return f"{self._theirs_of(name)} is not known: say what it means in a `names` section"

    def _adds_right(self, line: Line) -> bool:
        """Whether what a line adds is a term of what it may be adding to."""
        if line.increment is None:
            return False
        reading = self.reading
        value = reading.value_of(reading.said(line.increment, line.step), line.step)
        if value is None:
            return False
        quantities = [m.quantity for m in reading.readings(line.target, True)]
        options = [*quantities, *(term for q in quantities for term in reading.terms(q, line))]
        return any(self.course.agrees(value, option, self.view, line.step) for option in options)

    def _wrong(self, judged: Judged) -> Mark:
        line, said = judged.line, judged.said
        assert said is not None  # asked before
        assert judged.quantity is not None  # asked before
        if judged.of is None and self._adds_right(line):
            words = "what is added is right; what it is added to is not known"
            return self._said(judged, Verdict.UNSURE, words)
        options = [judged.quantity]
        if not self.reading.users.get(line.version) and judged.of is None:
            options += [
                m.quantity for m in self.reading.readings(line.target, True)[:4] if m.quantity != judged.quantity
            ]
        options = [quantity for quantity in options if not self._beyond(quantity, line.step)]
        found: list[tuple[float, Expr, Mistake]] = []
        for order, quantity in enumerate(options):
            if found and found[0][2].count == 1 and not self._same_gate(quantity, options[0]):
                continue  # another quantity altogether needs no other explanation
            mistake = explain(self.course, quantity, said, judged.value, self.view, line.step)
            if mistake is not None:
                found.append((mistake.cost + order / 20, quantity, mistake))
        if (not found or min(found, key=lambda one: one[0])[2].count > 1) and judged.of is None:
            found += self._read_otherwise(judged, options)
        if found:
            _, quantity, mistake = min(found, key=lambda one: one[0])
            if not self.view.strict and mistake.words.startswith(("an outer product is due", "the shapes")):
                words = f"right for scalars; with vectors {self._translated(mistake.words)}"
                return self._said(judged, Verdict.UNSURE, words, self.written(line, mistake.correct))
            correct = self.written(line, mistake.correct, judged.of is not None)
            example = "" if mistake.count == 1 else self._example(said, quantity, line.step)
            return self._said(
                replace(judged, quantity=quantity), Verdict.WRONG, self._translated(mistake.words), correct, example
            )
        right = written_out(self.course, judged.quantity, said, line.step)
        if not self._shaped(judged, judged.quantity):
            return self._said(
                judged, Verdict.UNSURE, "the shapes do not fit as this is read", self.written(line, right)
            )
        example = self._example(said, judged.quantity, line.step)
        words = "no single change and no pair of changes of the right line explains this"
        return self._said(judged, Verdict.WRONG, words, self.written(line, right, judged.of is not None), example)

    def _read_otherwise(self, judged: Judged, options: Sequence[Expr]) -> list[tuple[float, Expr, Mistake]]:
        """Mistakes that explain a line under other meanings for names that no right line has used."""
        line, reading = judged.line, self.reading
        names = [n for n in reading.frees(reading.place[line.version]) if n not in self._evident]
        others = {n: [m.quantity for m in reading.readings(n)[1:4]] for n in names if n not in self.course.cell.shapes}
        choices: list[dict[str, Expr]] = []
        for kind in KINDS:
            together = {n: next(q for q in qs if kind(q)) for n, qs in others.items() if any(map(kind, qs))}
            choices += [together] if together else []
        choices += [{n: q} for n, qs in others.items() for q in qs]
        before = reading.chosen
        for order, choice in enumerate(choices[:MOST_OTHERWISE]):
            reading.chosen = {**before, **choice}
            try:
                assert line.rhs is not None  # a line that is judged was read
                said = reading.said(line.rhs, line.step)
                value = reading.value_of(said, line.step)
                for quantity in options[:2]:
                    mistake = explain(self.course, quantity, said, value, self.view, line.step, pairs=False)
                    if mistake is not None:
                        self.table |= {q: self._theirs_of(n) for n, q in choice.items()}
                        return [(mistake.cost + order / 50, quantity, mistake)]
            except Unknown:
                continue
            finally:
                reading.chosen = before
        return []

    def _shaped(self, judged: Judged, quantity: Expr) -> bool:
        """Whether the value has the shape that is due."""
        right = self.course.right(quantity, self.view, judged.line.step)
        return judged.value is not None and fit(judged.value, right, quantity, self.view) is not None

    def _same_gate(self, a: Expr, b: Expr) -> bool:
        """Whether two are the errors of one gate, before and after its function."""
        pres = self.course.vocabulary.preactivation
        return isinstance(a, Adjoint) and isinstance(b, Adjoint) and (pres.get(a.of) == b.of or pres.get(b.of) == a.of)

    def _truncated(self, judged: Judged) -> Mark | None:
        """A line that is right where the error is cut on purpose."""
        line, quantity = judged.line, judged.quantity
        if judged.value is None:
            return None
        for option in dict.fromkeys((quantity, *(m.quantity for m in self.reading.readings(line.target, True)[:3]))):
            if not isinstance(option, Adjoint) or option.part or option.of not in self.course.derivation.adjoint_of:
                continue
            terms = self.course.derivation.adjoint_of[option.of].terms
            for verdict, lost, words in self._cuts(option.of, terms):
                rest = total(*(t.expr for t in terms if t not in lost))
                if lost and self.course.agrees(judged.value, rest, self.view, line.step):
                    correct = self.written(line, written_out(self.course, option, judged.said, line.step))
                    found = replace(judged, quantity=option)
                    return self._said(found, verdict, self._translated(words), correct)
        return None

    def _cuts(self, of: str, terms: Sequence[Term]) -> Iterator[tuple[Verdict, tuple[Term, ...], str]]:
        cell = self.course.cell
        if self.sheet.truncated:
            words = "the error is cut here on purpose, as the sheet says: right for the truncated gradient"
            for kept in (lambda t: t.via != "t+1", lambda t: t.via in cell.states, lambda t: False):
                yield Verdict.TRUNCATED, tuple(t for t in terms if not kept(t)), words
        if of in cell.states and not self._speaks_of_time:
            later = tuple(t for t in terms if t.via == "t+1")
            yield (
                Verdict.TRUNCATED,
                later,
                f"what comes back from step t+1, d{of}_next, is missing: right for one step alone or the last one",
            )
        loss = tuple(t for t in terms if t.via == "loss")
        rest = tuple(t for t in terms if t.via != "loss")
        if loss and any(t.via == "t+1" for t in rest):
            words = f"right where the loss sends nothing to {of} at this step; else d{of}_out is missing"
            yield Verdict.UNSURE, loss, words
        state = of.removesuffix("_prev") if of in cell.previous else of
        if state in cell.states[1:]:  # a peephole: a gate that reads the cell state itself
            gates = tuple(t for t in terms if t.via.startswith("a_") and t.via not in cell.states)
            yield (
                Verdict.TRUNCATED,
                gates,
                "no error flows through the peepholes: right for the truncated gradient of Gers",
            )

    @cached_property
    def _speaks_of_time(self) -> bool:
        if self.sheet.steps:
            return True
        spoken = [q for q, _ in self._meanings()]
        return any(
            (isinstance(node, Adjoint) and node.part == "next") or (isinstance(node, Shift) and node.by > 0)
            for quantity in spoken
            for node in walk(quantity)
        )

    def _doubt(self, judged: Judged) -> str:
        """Why a line that is not right is not called wrong."""
        line, said = judged.line, judged.said
        assert said is not None  # asked before
        k = self.reading.place[line.version]
        frees = self.reading.frees(k)
        slopes = [name for name in frees if name in UNKNOWN_SLOPES]
        if slopes:
            return f"{slopes[0]} is not defined here: it may be of x, or of {UNKNOWN_SLOPES[slopes[0]]}(x)"
        evident = self._evident
        for name in frees:
            found = self.reading.readings(name)
            if name in self.sheet.names or name in evident:
                continue
            if not found or found[0].cost > SURE:
                return self._unknown(name)
            for other in found[1:4]:
                if other.quantity != judged.quantity and self._right_with(line, name, other.quantity):
                    return f"right if {self._theirs_of(name)} is {code(other.quantity)}; say so in a `names` section"
        targets = self.reading.readings(line.target, True)
        if targets and targets[0].cost > SURE and line.target not in self.sheet.names:
            assert judged.quantity is not None  # asked before
            meant = code(judged.quantity)
            return f"wrong if {self._theirs_of(line.target)} is {meant}: say what it means in a `names` section"
        slope = isinstance(judged.quantity, Adjoint) and "/" not in line.target
        if slope and said != ZERO and not any(isinstance(node, (Adjoint, Total)) for node in walk(said)):
            return "no error comes in: this is no gradient of the loss, though it may be a slope"
        return ""

    def _alone(self, judged: Judged) -> str:
        """Why a line that is right is not called so: nothing else speaks for the reading under which it is."""
        match judged.quantity:
            case Derivative(of, wrt) if self.sheet.all_steps and wrt in self.course.cell.parameters:
                more = f"over all steps the path through {of}_prev is missing"
                return f"right within the step; {more}: the sheet speaks of both"
        if self._only_so == [judged.line.number]:
            return f"right if {_LAYOUTS[self.view.layout].removeprefix('read with ')}; nothing else says so"
        k = self.reading.place[judged.line.version]
        for name in self.reading.frees(k):
            readings = self.reading.readings(name)
            meant = self.reading.chosen.get(name)
            if meant is None or len(readings) < 2 or meant == readings[0].quantity or name in self.sheet.names:
                continue
            first = readings[0].quantity
            pair = (first, meant) if isinstance(first, Adjoint) and isinstance(meant, Adjoint) else None
            if pair is None or self.course.vocabulary.preactivation.get(pair[0].of) != pair[1].of:
                continue
            others = (j for j in self.reading.judged if j.right and j.line.number != judged.line.number)
            if not any(name in self.reading.frees(self.reading.place[j.line.version]) for j in others):
                theirs = self._theirs_of(name)
                return (
                    f"right if {theirs} is {code(meant)}, at the preactivation; if it is {code(first)}, the slope of "
                    f"{pair[0].of} is missing: say which in a `names` section"
                )
        return ""

    @cached_property
    def _only_so(self) -> list[int]:
        """The lines that are right under this layout alone, where it is none of column vectors or scalars."""
        if self.view.layout in (COLUMNS, SCALAR):
            return []
        plain = Understanding(self.course, self.sheet, replace(self.view, layout=COLUMNS), self.reading.chosen)
        pairs = zip(self.reading.judged, plain.judged, strict=True)
        return sorted({here.line.number for here, there in pairs if here.right and not there.right})

    @cached_property
    def _evident(self) -> set[str]:
        """The free names that a right line has used."""
        found: set[str] = set()
        for k, judged in enumerate(self.reading.judged):
            if judged.right and judged.quantity is not None:
                found.update(self.reading.frees(k))
        return found

    def _right_with(self, line: Line, name: str, quantity: Expr) -> bool:
        reading = self.reading
        before = reading.chosen
        reading.chosen = {**before, name: quantity}
        try:
            return reading.right_after(self.reading.place[line.version], {})
        finally:
            reading.chosen = before

    # words

    def _meanings(self) -> Iterator[tuple[Expr, str]]:
        """Every quantity that the sheet speaks of, with their name for it."""
        for judged in self.reading.judged:
            for name in judged.line.uses:
                if free(name):
                    found = self.reading.chosen.get(name)
                    if found is None:
                        options = self.reading.readings(name)
                        found = options[0].quantity if options else None
                    if found is not None:
                        yield found, name
            whole = judged.of if judged.of is not None else judged.quantity
            if whole is not None and not judged.part:
                yield whole, judged.line.target

    def _names(self) -> dict[Expr, str]:
        table: dict[Expr, str] = {}
        for quantity, name in self._meanings():
            table.setdefault(quantity, self._theirs_of(name))
        return table

    def _theirs_of(self, name: str) -> str:
        return self.sheet.shown.get(name, name)

    def theirs(self, expr: Expr) -> Expr:
        """An expression with their names for what they have named."""
        return rewrite(expr, lambda node: Name(self.table[node]) if node in self.table else None)

    def written(self, line: Line, right: Expr, adds: bool = False) -> str:
        """The right line in their names; a part of a sum as what is added."""
        sign = "+=" if adds and line.increment is not None and "+=" in line.text else "="
        flat = self.view.layout == SCALAR and not self.course.cell.stacked
        said = self.theirs(scalar_view(right) if flat else right)
        shown = self._typeset(said, flat) if self.sheet.notation == "latex" else code(said)
        return f"{self._theirs_of(line.target)} {sign} {shown}"

    def _typeset(self, said: Expr, flat: bool) -> str:
        """LaTeX, in which what they have named stands as they write it."""
        cell = self.course.cell
        known = (*cell.shapes, *cell.defined)
        theirs = sorted({n.id for n in walk(said) if isinstance(n, Name) and n.id not in known})
        places = {name: f"Q{_letters(k)}" for k, name in enumerate(theirs)}
        plain = rewrite(said, lambda n: Name(places[n.id]) if isinstance(n, Name) and n.id in places else None)
        view = "scalar" if flat else "vector"
        notation = for_names((*cell.parameters, *places.values()), cell.shapes, view=view)
        written = to_latex(plain, notation)
        for name, place in places.items():
            written = written.replace(rf"\mathrm{{{place}}}", name)
        return written

    def _translated(self, words: str) -> str:
        """A sentence in their names."""
        import re

        table = {code(quantity): name for quantity, name in self.table.items()}
        return re.sub(r"[A-Za-z]\w*(?:\[t[+-]\d\])?", lambda m: table.get(m[0], m[0]), words)

    def _example(self, said: Expr, quantity: Expr, step: int) -> str:
        """The smallest numbers at which the line is off, in the scalar view."""
        if self.course.cell.stacked:
            return ""
        keys = sorted({*leaves(said, step, self.view.steps)})
        try:
            right = written_out(self.course, quantity, said, step)
            keys = sorted({*keys, *leaves(right, step, self.view.steps)})
            for seed in range(12):
                numbers = {key: _SMALL[(7 * k + 3 * seed + k * seed) % len(_SMALL)] for k, key in enumerate(keys)}
                world = World(
                    self.course.derivation,
                    FloatMatrices(),
                    partial(_number, numbers),
                    one=True,
                    opaque=keys,
                    steps=self.view.steps,
                )
                theirs = world.read(said, step, Written(world.arithmetic, self.view.strict))[0][0]
                ours = world.read(right, step, world.arithmetic)[0][0]
                if abs(theirs - ours) > 1e-6 * (1 + abs(ours)):
                    at = ", ".join(
                        f"{self._called(id_, s - step)} = {numbers[id_, s]:g}"
                        for id_, s in keys
                        if not id_[0].isupper()
                    )
                    return f"at {at} it gives {theirs:.4g}, and {ours:.4g} is right"
        except (Unnamed, ShapeError, KeyError, ZeroDivisionError, ValueError, TypeError):
            return ""
        return ""

    def _called(self, id_: str, by: int) -> str:
        for quantity, name in self.table.items():
            if code(quantity) == (id_ if not by else f"{id_}[t{by:+d}]"):
                return name
        return id_ if not by else f"{id_}[t{by:+d}]"

    def stated(self) -> tuple[str, ...]:
        """What the sheet was taken to mean, where that is not what its names say."""
        found = [_LAYOUTS[self.view.layout]] if self.view.layout in _LAYOUTS else []
        if gate := self.reading.mirrored:
            found.append(f"what it calls {gate} is 1 - {gate}")
        for quantity, name in self.table.items():
            ours = code(quantity)
            if name != ours and name.replace("_t", "") != ours:
                found.append(f"{name} is {ours}")
        return tuple(dict.fromkeys(found))

    def not_given(self) -> tuple[str, ...]:
        """The quantities of a backward pass that the sheet leaves out."""
        cell = self.course.cell
        given: set[str] = set()
        for judged in self.reading.judged:
            quantity = judged.of if judged.of is not None else judged.quantity
            for node in walk(quantity) if quantity is not None else ():
                if isinstance(node, (Adjoint, Total)):
                    given.add(node.of)
        pres = self.course.vocabulary.preactivation
        due = [a for f, a in pres.items() if f not in cell.states or a]
        due += [prev(state) for state in cell.states]
        due += (*cell.inputs, *cell.parameters)
        return tuple(f"d{name}" for name in due if name not in given)


def _letters(k: int) -> str:
    return chr(ord("a") + k // 26 % 26) + chr(ord("a") + k % 26)


_LAYOUTS = {
    SCALAR: "read as scalars",
    ROWS: "read with vectors as rows, and weights transposed",
    TURNED: "read with vectors as rows",
    DENOMINATOR: "read with derivatives in denominator layout, as columns",
}
_SMALL = (1.0, 2.0, 0.5, 3.0, 0.25, -1.0, 4.0)


def _number(numbers: Mapping[tuple[str, int], float], name: str) -> float:
    id_, _, step = name.partition("[")[0].partition("@")
    return numbers.get((id_, int(step or 0)), next((v for (i, _), v in numbers.items() if i == id_), 1.0))


_ORDER = (Verdict.WRONG, Verdict.UNREADABLE, Verdict.UNSURE, Verdict.TRUNCATED, Verdict.RIGHT, Verdict.OTHER)


def _gathered(marks: Iterable[Mark], headers: Mapping[int, int]) -> tuple[Mark, ...]:
    """One mark for each place of the file: a line of a loop is as wrong as the worst of its rounds.

    A loop that is too short is charged once, at its `for`.
    """
    found: dict[tuple[int, int, str], Mark] = {}
    for mark in marks:
        key = (mark.line, mark.column, mark.text if mark.column else "")
        known = found.get(key)
        if known is None or _ORDER.index(mark.verdict) <= _ORDER.index(known.verdict):
            found[key] = mark
    once: set[str] = set()  # a loop that is too short is one mistake, however many sums it cuts short
    result = []
    for key in sorted(found, key=lambda k: k[:2]):
        mark = found[key]
        if "left out of the sum over time" in mark.mistake:
            at = headers.get(mark.line, 0) or mark.line
            if mark.mistake not in once:
                words = "the loop over time is too short: " + mark.mistake
                result.append(Mark(at, 1, mark.text if at == mark.line else "", "", Verdict.WRONG, words))
            once.add(mark.mistake)
            if at == mark.line:
                continue
            mark = replace(mark, verdict=Verdict.RIGHT, mistake="", correct="", example="")
        result.append(mark)
    return tuple(sorted(result, key=lambda m: (m.line, m.column)))
