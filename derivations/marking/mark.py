"""A hand derivation, marked line by line.

RIGHT is proved. WRONG is refuted by numbers, under every reading of the names that is not clearly beaten. What can
be neither is UNSURE, with the reason. A later line may use their own earlier lines; a mistake is charged once.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from derivations.cell import Cell, CellError
from derivations.equality import Status
from derivations.expression import (
    Adjoint,
    Expr,
    MatMul,
    Name,
    Outer,
    TimeSum,
    Total,
    Transpose,
    walk,
)
from derivations.marking.another_cell import another_cell, holds_anyway
from derivations.marking.at_fault import SAID, has_words_of_its_own, unless_all_are_wrong
from derivations.marking.attempt import Attempt, Mistake
from derivations.marking.best_reading import best_reading
from derivations.marking.charged_back import charged_back
from derivations.marking.choices import KINDS
from derivations.marking.course import SCALAR, Course, course_of
from derivations.marking.direction import WORDS, backwards, reads_of_loops, runs_forwards
from derivations.marking.doubts import Doubts
from derivations.marking.explaining import explain, unexplained
from derivations.marking.gathering import gathered
from derivations.marking.interpretation import layouts, ours
from derivations.marking.judged import Judged, Unknown
from derivations.marking.left_out import left_out
from derivations.marking.marked import Mark, Marked, Verdict
from derivations.marking.packed_order import out_of_order
from derivations.marking.right_line import written_out
from derivations.marking.sheet import Line, Sheet
from derivations.marking.through_all import through_all
from derivations.marking.truncation import Truncation
from derivations.marking.two_sides import of_the_state
from derivations.marking.understanding import Understanding
from derivations.marking.wording import Wording
from derivations.marking.world import Unnamed
from derivations.marking.wrong_slopes import wrong_slope
from derivations.matrices import Matrix, ShapeError
from derivations.plain import code

MOST_CLAIMS = 1_500
MOST_OTHERWISE = 12
LIKELY = 0.85  # what a mistake costs up to which no other is looked for
_CLIPS = re.compile(r"\b(?:clip|clamp)_?\(")
OTHER = "this sheet seems to be for another cell"


def mark_sheet(sheet: Sheet, course: Course | Cell) -> Marked:
    """Every line of a sheet, marked against a cell."""
    known = course_of(course) if isinstance(course, Cell) else course
    if len(sheet.lines) > MOST_CLAIMS:
        raise CellError(f"more than {MOST_CLAIMS} lines are claims; mark a part of it")
    sheet = replace(sheet, names={theirs: ours(known, theirs, said) for theirs, said in sheet.names.items()})
    best = best_reading(known, sheet)
    sheet = best.sheet
    marking = _Marking(best)
    marks = charged_back(best, tuple(marking.mark(judged) for judged in best.judged))
    doubt = f"{OTHER}: {marking.other}" if marking.other else ""
    loops = (Mark(header, 1, "", "", Verdict.WRONG, WORDS) for header in sorted(marking.turned_round))
    found = (*(wrong_slope(known.cell, one) for one in sheet.slopes), *loops, *gathered(best.judged, marks))
    placed = tuple(sorted(found, key=lambda mark: (mark.line, mark.column)))
    placed = unless_all_are_wrong(placed) if has_words_of_its_own(best) else placed
    return Marked(sheet.notation, placed, marking.words.stated(), left_out(best), doubt)


# --- verdicts ---------------------------------------------------------------------------------------------------


class _Marking:
    """The verdicts of one reading."""

    def __init__(self, reading: Understanding) -> None:
        self.reading, self.course, self.sheet = reading, reading.course, reading.sheet
        self.view = reading.view
        self.words = Wording(reading)
        self.doubts = Doubts(reading, self.words)
        self.cuts = Truncation(reading, self.words)
        self.other = another_cell(reading)
        self.forwards = runs_forwards(reading)
        self.turned_round: set[int] = set()  # the loops that run forwards, and whose lines show it

    def mark(self, judged: Judged) -> Mark:
        line = judged.line
        if line.flaw:
            return self._said(judged, Verdict.WRONG, line.flaw)
        if line.rhs is None:
            return self._said(judged, Verdict.UNREADABLE, line.why)
        if judged.why:
            return self._said(judged, Verdict.UNSURE, self.doubts.unknown(judged.why))
        if judged.quantity is None:
            return self._said(judged, Verdict.OTHER)
        assert judged.said is not None  # what has a quantity was read
        if self.other and not (judged.right and holds_anyway(self.reading, judged)):
            words = "right" if judged.right else "not right"
            return self._said(judged, Verdict.UNSURE, f"{words} for {self.course.cell.name}; {OTHER}")
        if judged.right and (order := out_of_order(self.reading, judged)):
            return self._said(judged, Verdict.WRONG, order)
        if judged.right and (due := of_the_state(self.reading, judged)) is not None:
            return self._wrong(replace(judged, quantity=due, right=False))
        if line.lacks and any(isinstance(node, Total | TimeSum) for node in walk(judged.quantity)):
            return self._lacking(judged)
        if judged.right and (over := through_all(self.reading, judged)) is not None:
            return self.mark(replace(judged, right=False, quantity=over))
        if judged.right:
            if doubt := self.doubts.of_right(judged):
                return self._said(judged, Verdict.UNSURE, doubt)
            proof = self.course.proof(judged.said, judged.quantity, self.view, line.step)
            if proof:
                cut_so = self.cuts.admitted(judged)
                return self._said(judged, Verdict.TRUNCATED if cut_so else Verdict.RIGHT, cut_so or _clipped(line))
            why = "it differs only where numbers hide it" if proof.status is Status.REFUTED else proof.status.value
            return self._said(judged, Verdict.UNSURE, why)
        back = backwards(self.reading, judged) if line.header in self.forwards else None
        if back is not None and self.course.proof(*back, self.view, line.step):
            self.turned_round.add(line.header)
            return self._said(judged, Verdict.RIGHT)
        if reads_of_loops(self.reading, judged, self.turned_round):
            return self._said(judged, Verdict.UNSURE, "it reads what the loop gives, which runs the wrong way")
        if beyond := self._beyond(judged.quantity, line.step):
            return self._said(judged, Verdict.UNSURE, beyond)
        if self.reading.sayings.undefined(judged.said, line.step):
            return self._said(judged, Verdict.UNSURE, "it has no value: something is divided by zero, or its logarithm")
        if cut := self.cuts.of(judged):
            right = written_out(self.course, cut.quantity, judged.said, line.step)
            found = replace(judged, quantity=cut.quantity)
            return self._said(found, cut.verdict, cut.words, self.words.written(line, right))
        if judged.of is None and self.reading.of_itself(judged.quantity, line):
            if isinstance(line.rhs, Name):  # it gives what is known from outside another name
                return self._said(replace(judged, quantity=None), Verdict.OTHER)
            return self._said(judged, Verdict.UNSURE, "it says this of itself: what stands on the left is used")
        if self.reading.cuts(judged):
            return self._said(judged, Verdict.UNSURE, "it takes a part of what was read as one whole")
        if doubt := self.doubts.of_wrong(judged):
            return self._said(judged, Verdict.UNSURE, doubt)
        return self._wrong(judged)

    def _lacking(self, judged: Judged) -> Mark:
        """A sum over time that leaves a step out, whatever else is wrong with it."""
        line = judged.line
        mark = self.mark(replace(judged, line=replace(line, lacks="")))
        if mark.verdict not in (Verdict.RIGHT, Verdict.WRONG):
            return mark
        assert judged.said is not None  # what is right or wrong was read
        assert judged.quantity is not None
        words = f"{mark.mistake}; {line.lacks}" if mark.verdict is Verdict.WRONG else line.lacks
        right = self.words.written(line, written_out(self.course, judged.quantity, judged.said, line.step))
        return replace(mark, verdict=Verdict.WRONG, mistake=words, correct=mark.correct or right)

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
            place = self.reading.place.get(line.before)
            if place is not None and self.sheet.lines[place].step != line.step:
                words = "it is added to what was there before, where that must be overwritten: what is added is right"
                return self._said(judged, Verdict.WRONG, words)
            words = "what is added is right; what it is added to is not known"
            return self._said(judged, Verdict.UNSURE, words)
        self.words.flat |= not self._wide and not self.course.cell.stacked
        options = [self._as_siblings(judged.quantity)]
        if not self.reading.users.get(line.version) and judged.of is None:
            options += [
                m.quantity for m in self.reading.readings(line.target, True)[:4] if m.quantity != judged.quantity
            ]
        options = [quantity for quantity in options if not self._beyond(quantity, line.step)]
        found: list[tuple[float, Expr, Mistake]] = []
        for order, quantity in enumerate(options):
            explained = bool(found) and found[0][2].count == 1 and not self._same_gate(quantity, options[0])
            if explained and not (found[0][0] > LIKELY and self._both_gradients(quantity, options[0])):
                continue  # another quantity altogether needs no other explanation
            mistake = self._explained(quantity, said, judged.value, line.step)
            if mistake is not None:
                found.append((mistake.cost + order / 20, quantity, mistake))
        if (not found or min(found, key=lambda one: one[0])[2].count > 1) and judged.of is None:
            found += self._read_otherwise(judged, options)
        if found:
            _, quantity, mistake = min(found, key=lambda one: one[0])
            loose = not self.view.strict and not self._writes_outer
            if loose and mistake.words.startswith(("an outer product is due", "the shapes")):
                words = f"right for scalars; with vectors {self.words.translated(mistake.words)}"
                return self._said(judged, Verdict.UNSURE, words, self.words.written(line, mistake.correct))
            correct = self.words.written(line, mistake.correct, judged.of is not None)
            example = "" if mistake.count == 1 else self.words.example(said, quantity, line.step)
            words, meant = self.words.translated(mistake.words), replace(judged, quantity=quantity)
            return self._said(meant, Verdict.WRONG, words, correct, example)
        right = written_out(self.course, judged.quantity, said, line.step)
        attempt = Attempt(self.course, judged.quantity, said, judged.value, self.view, line.step)
        if not attempt.shaped:
            return self._said(
                judged, Verdict.UNSURE, "the shapes do not fit as this is read", self.words.written(line, right)
            )
        example = self.words.example(said, judged.quantity, line.step)
        words = self.words.translated(unexplained(attempt))
        return self._said(judged, Verdict.WRONG, words, self.words.written(line, right, judged.of is not None), example)

    def _as_siblings(self, quantity: Expr) -> Expr:
        """The error at a preactivation, where the errors there go by the names of the gates."""
        pres = self.course.vocabulary.preactivation
        gate = isinstance(quantity, Adjoint) and quantity.of in pres and quantity.of not in self.course.cell.states
        if isinstance(quantity, Adjoint) and gate and self.doubts.at_preactivations:
            return Adjoint(pres[quantity.of])
        return quantity

    def _read_otherwise(self, judged: Judged, options: Sequence[Expr]) -> list[tuple[float, Expr, Mistake]]:
        """Mistakes that explain a line under other meanings for names that no right line has used."""
        line, reading = judged.line, self.reading
        names = [n for n in reading.frees(reading.place[line.version]) if n not in self.doubts.evident]
        readings = {n: reading.readings(n) for n in names if n not in self.course.cell.shapes}
        unsaid = {n: found for n, found in readings.items() if found and found[0].cost > SAID}
        others = {n: [m.quantity for m in found[1:4]] for n, found in unsaid.items()}
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
                    mistake = explain(Attempt(self.course, quantity, said, value, self.view, line.step), several=False)
                    if mistake is not None:
                        self.words.table |= {q: self.words.theirs_of(n) for n, q in choice.items()}
                        return [(mistake.cost + order / 50, quantity, mistake)]
            except Unknown:
                continue
            finally:
                reading.chosen = before
        return []

    def _explained(self, quantity: Expr, said: Expr, value: Matrix[float] | None, step: int) -> Mistake | None:
        """The mistake as the sheet is read, or, where nothing in it says that it is of vectors, as one of scalars."""
        attempt = Attempt(self.course, quantity, said, value, self.view, step)
        if self._wide or (flat := attempt.in_scalars()) is None or flat.agrees(flat.value):
            return explain(attempt)
        found = explain(flat)
        return found if found is not None and found.count == 1 else explain(attempt) or found

    @cached_property
    def _writes_outer(self) -> bool:
        """Whether a right line writes an outer product as one: a plain product is then no way of writing it."""
        right = [node for j in self.reading.judged if j.right and j.line.rhs is not None for node in walk(j.line.rhs)]
        return any(isinstance(node, Outer) or (isinstance(node, MatMul) and isinstance(node.right, Transpose))
                   for node in right)  # fmt: skip

    @cached_property
    def _wide(self) -> bool:
        """Whether the sheet must be of vectors: it says so, or one of its lines is right in no other way."""
        if self.view.layout == SCALAR:
            return True  # what is read as scalars need not be read so again
        if SCALAR not in layouts(self.sheet, self.course.cell):
            return True
        glossary = self.reading.glossary
        flat = Understanding(replace(glossary, view=replace(self.view, layout=SCALAR), mirrored=""))
        return any(a.right and not b.right for a, b in zip(self.reading.judged, flat.judged, strict=True))

    def _both_gradients(self, a: Expr, b: Expr) -> bool:
        """Whether two are gradients of parameters, which go by names that may be of either."""
        parameters = self.course.cell.parameters
        return isinstance(a, Adjoint) and isinstance(b, Adjoint) and a.of in parameters and b.of in parameters

    def _same_gate(self, a: Expr, b: Expr) -> bool:
        """Whether two are the errors of one gate, before and after its function."""
        pres = self.course.vocabulary.preactivation
        return isinstance(a, Adjoint) and isinstance(b, Adjoint) and (pres.get(a.of) == b.of or pres.get(b.of) == a.of)


def _clipped(line: Line) -> str:
    """What is said of a right line that clips a gradient."""
    return "clipped here; the derivative is unclipped" if _CLIPS.search(line.text) else ""
