"""A line that is not right: what it says, of what quantity, and whether an expression is what it says."""

from dataclasses import dataclass, replace
from functools import cached_property

from derivations.derive import Term
from derivations.expression import (
    Add,
    Adjoint,
    Derivative,
    Expr,
    MatMul,
    Mul,
    Name,
    Outer,
    Part,
    Shift,
    TimeSum,
    Total,
    children,
    evaluate,
    rebuild,
)
from derivations.marking.course import SCALAR, Course, View, close, fit
from derivations.marking.world import NO_VALUE
from derivations.matrices import Matrix

_WHOLE = (Shift, Total, Derivative, Part)  # whose value is not made of those of their parts at this step


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a line, and the right one in the names of the derivation; `made` is the wrong one in them."""

    words: str
    correct: Expr
    count: int = 1
    cost: float = 1.0
    made: Expr | None = None


@dataclass(frozen=True)
class Attempt:
    """What was said of a quantity at a step, in the names of the derivation; `value` is None where it has none."""

    course: Course
    quantity: Expr
    said: Expr
    value: Matrix[float] | None
    view: View
    step: int

    @property
    def shaped(self) -> bool:
        """Whether the value has the shape that is due."""
        return self.value is not None and fit(self.value, self.due, self.quantity, self.view) is not None

    def in_scalars(self) -> "Attempt | None":
        """The same in the scalar view; None where there is none."""
        if self.course.cell.stacked:
            return None
        view = replace(self.view, layout=SCALAR)
        try:
            return replace(self, view=view, value=self.course.value(self.said, view, self.step))
        except NO_VALUE:
            return None

    def theirs(self, expr: Expr) -> Matrix[float] | None:
        """The value of what stands on a sheet; None where it has none."""
        try:
            return self.course.value(expr, self.view, self.step)
        except NO_VALUE:
            return None

    def ours(self, expr: Expr) -> Matrix[float] | None:
        """The value of an expression of the derivation; None where it has none.

        Edits of one line share most of their nodes, so the value of each node is kept.
        """
        try:
            return self._value(expr)
        except NO_VALUE:
            return None

    def _value(self, node: Expr) -> Matrix[float]:
        if (known := self._known.get(id(node))) is not None:
            return known[1]
        parts = children(node)
        if isinstance(node, Shift) and isinstance(node.arg, TimeSum | Add | Mul | Outer | MatMul):
            found = self._at(self.step + node.by)._value(node.arg)
        elif isinstance(node, TimeSum):
            every = [self._at(step)._value(node.arg) for step in range(1, self.view.steps + 1)]
            found = self.course.world(self.view).arithmetic.add(every)
        elif isinstance(node, _WHOLE) or not parts:
            found = self.course.right(node, self.view, self.step)
        else:
            values = {str(k): self._value(part) for k, part in enumerate(parts)}
            places = rebuild(node, tuple(Name(place) for place in values))
            found = evaluate(places, values, self.course.world(self.view).arithmetic)
        self._known[id(node)] = node, found
        return found

    def _at(self, step: int) -> "Attempt":
        """The same at another step, with what is known there."""
        if step not in self._steps:
            self._steps[step] = replace(self, step=step) if step != self.step else self
            self._steps[step].__dict__["_steps"] = self._steps
        return self._steps[step]

    @cached_property
    def _steps(self) -> dict[int, "Attempt"]:
        return {self.step: self}

    @cached_property
    def _known(self) -> dict[int, tuple[Expr, Matrix[float]]]:
        """The values by node; the node is kept so that its id stays its own."""
        return {}

    @cached_property
    def due(self) -> Matrix[float]:
        """The value of the quantity."""
        return self.course.right(self.quantity, self.view, self.step)

    def agrees(self, theirs: Matrix[float] | None) -> bool:
        """Whether a value is that of the quantity."""
        return theirs is not None and self.course.agrees(theirs, self.quantity, self.view, self.step)

    def is_said(self, wrong: Expr) -> bool:
        """Whether an expression of the derivation is what the line says."""
        value = self.ours(wrong)
        if value is None or self.value is None:
            return False
        if len(value) * len(value[0]) == 1:
            value = self.course.world(self.view).arithmetic.spread(value, self.due)
        return self.same(self.value, value)

    def same(self, theirs: Matrix[float], ours: Matrix[float]) -> bool:
        """Whether a value of the sheet is one of the derivation, standing or lying as the sheet has it."""
        fitted = fit(theirs, ours, self.quantity, self.view)
        return fitted is not None and close(fitted, ours)

    def terms(self, right: Expr) -> tuple[Term, ...]:
        """Which paths the terms of a right line are; none where it is not the sum over the paths."""
        adjoints = self.course.derivation.adjoint_of
        if isinstance(self.quantity, Adjoint) and not self.quantity.part and self.quantity.of in adjoints:
            terms = adjoints[self.quantity.of].terms
            if isinstance(right, Add) and len(right.terms) == len(terms):
                return terms
        return ()
