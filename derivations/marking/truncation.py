"""Errors that are cut on purpose: what is right for one step alone, or for a truncated gradient.

A line that leaves out what comes back from the step after is right for one step alone, as long as the sheet says
nothing of other steps; where it does, it is a mistake. The peepholes are cut on purpose where no line of the sheet
sends an error through one; where one does and another does not, it is a mistake. Where the sheet says itself that it
truncates, the usual cuts are right.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from derivations.derive import Term
from derivations.expression import Adjoint, Derivative, Expr, Mul, Name, Shift, total, walk
from derivations.marking.course import close, fit
from derivations.marking.judged import Judged
from derivations.marking.marked import Verdict
from derivations.marking.understanding import Understanding
from derivations.marking.wording import Wording
from derivations.marking.world import NO_VALUE

_LATER = re.compile(r"next|t\s*\+\s*1|step after|following step")
_ALONE = re.compile(r"\b(?:no|not|without|ignor\w*|drop\w*|last|only|single|one step)\b", re.IGNORECASE)
_ABOUT = re.compile(r"\\approx|≈|~=|\\simeq")


@dataclass(frozen=True)
class Cut:
    """What was cut: of which quantity, and what is said of it."""

    verdict: Verdict
    quantity: Expr
    words: str


class Truncation:
    """The cuts of one sheet."""

    def __init__(self, reading: Understanding, words: Wording) -> None:
        self.reading, self.words = reading, words
        self.course, self.sheet, self.view = reading.course, reading.sheet, reading.view

    def of(self, judged: Judged) -> Cut | None:
        """What a line that is not right has cut, where it is right but for that."""
        if judged.value is None:
            return None
        if self.sheet.truncated and (alone := self._without_carries(judged)) is not None:
            return alone
        line, adjoints = judged.line, self.course.derivation.adjoint_of
        targets = [m.quantity for m in self.reading.readings(line.target, True)[:3]]
        for option in dict.fromkeys((judged.quantity, *targets)):
            if not isinstance(option, Adjoint) or option.part or option.of not in adjoints:
                continue
            terms = adjoints[option.of].terms
            for verdict, lost, words in self._cuts(option.of, terms):
                rest = total(*(t.expr for t in terms if t not in lost))
                if lost and self._is(judged, rest, option):
                    return Cut(verdict, option, self.words.translated(words))
        return None

    def _without_carries(self, judged: Judged) -> Cut | None:
        """A line that is right where nothing comes back from the steps after, on a sheet that says so."""
        said, quantity, step = judged.said, judged.quantity, judged.line.step
        if said is None or not isinstance(quantity, Adjoint) or quantity.part:
            return None
        steps = range(1, self.view.steps + 1)
        none = {(f"d{state}_next", at) for state in self.course.cell.states for at in steps}
        alone = replace(self.view, zero=self.view.zero | none)
        try:
            value = self.course.value(said, alone, step)
            right = self.course.right(quantity, alone, step)
            if not self.course.agrees(value, quantity, alone, step) or not any(map(any, right)):
                return None
        except NO_VALUE:
            return None
        words = "what comes back from the steps after is left out on purpose, as the sheet says"
        return Cut(Verdict.TRUNCATED, quantity, words)

    def admitted(self, judged: Judged) -> str:
        """What is said of a slope that is right within the step, where the sheet says that it is truncated there."""
        if self.sheet.truncated and isinstance(judged.quantity, Derivative) and _ABOUT.search(judged.line.text):
            return "right within the step; the rest is cut on purpose, as the sheet says"
        return ""

    def _is(self, judged: Judged, rest: Expr, option: Expr) -> bool:
        assert judged.value is not None  # asked before
        like = self.course.right(option, self.view, judged.line.step)
        due = self.course.world(self.view).arithmetic.spread(self.course.right(rest, self.view, judged.line.step), like)
        fitted = fit(judged.value, due, option, self.view)
        if fitted is None and len(judged.value) * len(judged.value[0]) == 1:
            fitted = self.course.world(self.view).arithmetic.spread(judged.value, like)
        return fitted is not None and close(fitted, due)

    def _cuts(self, of: str, terms: Sequence[Term]) -> Iterator[tuple[Verdict, tuple[Term, ...], str]]:
        cell = self.course.cell
        if self.sheet.truncated:
            words = "the error is cut here on purpose, as the sheet says: right for the truncated gradient"
            for kept in (lambda t: t.via != "t+1", lambda t: t.via in cell.states, lambda t: False):
                yield Verdict.TRUNCATED, tuple(t for t in terms if not kept(t)), words
        if of in cell.states and not self._speaks_of_time:
            later = tuple(t for t in terms if t.via == "t+1")
            words = f"what comes back from step t+1, d{of}_next, is missing: right for one step alone or the last one"
            yield Verdict.TRUNCATED, later, words
        loss = tuple(t for t in terms if t.via == "loss")
        rest = tuple(t for t in terms if t.via != "loss")
        if loss and any(t.via == "t+1" for t in rest) and not self.sheet.every_loss:
            words = f"right where the loss sends nothing to {of} at this step; else d{of}_out is missing"
            yield Verdict.UNSURE, loss, words
        state = of.removesuffix("_prev") if of in cell.previous else of
        if state in cell.states[1:] and not self._sends_through_peepholes:
            gates = tuple(t for t in terms if t.via.startswith("a_") and t.via not in cell.states)
            words = "no error flows through the peepholes: right for the truncated gradient of Gers"
            yield Verdict.TRUNCATED, gates, words

    @cached_property
    def _sends_through_peepholes(self) -> bool:
        """Whether a line sends an error through a peephole: a parameter that stands beside a state in a gate."""
        cell = self.course.cell
        states = {*cell.states, *cell.previous}
        peepholes = {
            factor.id
            for equation in cell.equations
            for node in walk(equation.rhs)
            if isinstance(node, Mul) and any(isinstance(f, Name) and f.id in states for f in node.factors)
            for factor in node.factors
            if isinstance(factor, Name) and factor.id in cell.parameters
        }
        for judged in self.reading.judged:
            nodes = list(walk(judged.said)) if judged.said is not None else []
            if any(isinstance(n, Name) and n.id in peepholes for n in nodes) and any(
                isinstance(n, Adjoint) for n in nodes
            ):
                return True
        return False

    @cached_property
    def _speaks_of_time(self) -> bool:
        """Whether the sheet speaks of more than one step: it is walked, or names what comes back from step t+1."""
        if self.sheet.steps or self.sheet.later:
            return True
        for line in self.sheet.lines:  # a sentence with a formula in it: "repeat, with dc_next = dc_prev of ..."
            if line.rhs is None and _LATER.search(line.text) and not _ALONE.search(line.text):
                return True
        return any(
            (isinstance(node, Adjoint) and node.part == "next") or (isinstance(node, Shift) and node.by > 0)
            for quantity, _ in self.words.meanings()
            for node in walk(quantity)
        )
