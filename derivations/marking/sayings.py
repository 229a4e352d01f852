"""What the lines of a sheet say, in the names of the derivation, as far as it has been read."""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite

from derivations.expression import (
    ONE,
    Adjoint,
    Call,
    Expr,
    Name,
    Reduce,
    TimeSum,
    Total,
    Transpose,
    names,
    rewrite,
    walk,
)
from derivations.marking.addends import are_few, at_step, terms, which
from derivations.marking.course import SCALAR, fit
from derivations.marking.glossary import Glossary
from derivations.marking.judged import Progress, Unknown
from derivations.marking.meaning import Meaning
from derivations.marking.sheet import UNKNOWN_SLOPES, Line, free
from derivations.marking.sheets.formula import slope
from derivations.marking.world import NO_VALUE, NOW
from derivations.matrices import Matrix, ShapeError

LARGEST = 4_000  # nodes of what a line says, once the lines that it uses are put in
DEEPEST = 12  # lines that one line is put together from, through those before it


class Sayings:
    """Lines put into the names of the derivation; `progress` is read, and never written."""

    def __init__(self, glossary: Glossary, progress: Progress) -> None:
        self.glossary, self.progress = glossary, progress
        self.course, self.sheet, self.view = glossary.course, glossary.sheet, glossary.view

    def readings(self, name: str, target: bool = False) -> list[Meaning]:
        """All that a name may mean; as a target in a walk over time, what is packed is gathered over the steps too."""
        found = self.glossary.readings(name, target, self.progress.order)
        if not target or not self.sheet.steps or name in self.sheet.names:
            return found
        packed = [m for m in found if not isinstance(m.quantity, Adjoint | Total) and self.is_share(m.quantity)]
        return [*found, *(Meaning(TimeSum(m.quantity), m.cost + 0.3) for m in packed)]

    def is_share(self, quantity: Expr) -> bool:
        """Whether a quantity is the gradient of parameters: of one, or of several that are packed."""
        spoken = [node for node in walk(quantity) if isinstance(node, Adjoint | Total | Name)]
        return bool(spoken) and all(
            isinstance(node, Adjoint | Total) and node.of in self.course.cell.parameters for node in spoken
        )

    def said(
        self,
        expr: Expr,
        step: int,
        instead: Mapping[str, Expr] | None = None,
        depth: int = 0,
        written: dict[str, Expr] | None = None,
    ) -> Expr:
        """What stands on the sheet, in the names of the derivation; `instead` says what versions stand for.

        Lines of which nothing is known are written out: each once, and kept in `written` for the next that reads it.

        Raises:
            Unknown: a name in it may be anything.
        """

        kept: dict[str, Expr] = {} if written is None else written

        def rule(node: Expr) -> Expr | None:
            match node:
                case Name(id_) if not free(id_):
                    at = self.sheet.lines[self.sheet.place[id_]]
                    if instead and id_ in instead:
                        found = instead[id_]
                    elif id_ in self.progress.given:
                        found = self.progress.given[id_]
                    elif id_ in kept:
                        found = kept[id_]
                    elif depth < DEEPEST and at.rhs is not None:
                        found = kept[id_] = self.said(at.rhs, at.step, instead, depth + 1, kept)
                    else:
                        raise Unknown(at.target)
                    return at_step(found, at.step - step)
                case Name(id_):
                    return self.glossary.meaning(id_, self.progress.order)
                case Call(called, (arg,)) if called in UNKNOWN_SLOPES:
                    inner = self.said(arg, step, instead, depth, kept)
                    if self.glossary.chosen.get(called) == ONE:
                        return slope(UNKNOWN_SLOPES[called], inner)
                    return inner * (1 - inner) if called == "dsigmoid" else 1 - inner**2
            return None

        result = rewrite(expr, rule)
        whole = depth == 0  # what is put in shares its parts: it is large only once it is walked through
        if whole and sum(1 for _ in zip(walk(result), range(LARGEST + 1), strict=False)) > LARGEST:
            raise Unknown(f"a line of more than {LARGEST} operations")
        return result

    def over_time(self, line: Line) -> Expr:
        """What stands on the right. On paper, the sum of a parameter's gradient is one over the steps."""
        assert line.rhs is not None  # an unreadable line is not judged
        if self.sheet.notation == "python" or not isinstance(line.rhs, Reduce) or line.rhs.kind != "sum":
            return line.rhs
        summed = any(isinstance(m.quantity, Total) for m in self.readings(line.target, True))
        return TimeSum(line.rhs.args[0]) if summed else line.rhs

    # --- values -------------------------------------------------------------------------------------------------

    def value_of(self, said: Expr, step: int) -> Matrix[float] | None:
        """Its value at a random point; None where it has none, as where shapes do not fit."""
        try:
            return self.course.value(said, self.view, step)
        except NO_VALUE:
            return None

    def undefined(self, said: Expr, step: int) -> bool:
        """Whether it has no value whatever its shapes, as the logarithm of zero: no number refutes it then."""
        flat = replace(self.view, layout=SCALAR)
        for view in dict.fromkeys((self.view, flat)):
            try:
                value = self.course.value(said, view, step)
            except (ShapeError, KeyError, TypeError):
                continue
            except (ArithmeticError, ValueError):
                return True
            return not all(isfinite(entry) for row in value for entry in row)
        return False

    def is_(self, value: Matrix[float] | None, quantity: Expr, step: int) -> bool:
        return value is not None and self.course.agrees(value, quantity, self.view, step)

    def is_any(self, value: Matrix[float] | None, targets: list[Meaning], step: int) -> bool:
        return any(self.is_(value, m.quantity, step) for m in targets)

    def fits(self, value: Matrix[float], quantity: Expr, step: int) -> bool:
        """Whether a value has the shape of a quantity."""
        try:
            return fit(value, self.course.right(quantity, self.view, step), quantity, self.view) is not None
        except NO_VALUE:
            return False

    def bound(self, quantity: Expr, value: Matrix[float] | None) -> Expr:
        """A quantity as the line wrote it: standing or lying."""
        if value is None or self.view.layout == SCALAR:
            return self.glossary.laid(quantity)
        try:
            right = self.course.right(quantity, self.view, NOW)
        except NO_VALUE:
            return quantity
        if 1 in (len(right), len(right[0])) and len(right) * len(right[0]) > 1:
            if (len(value), len(value[0])) == (len(right[0]), len(right)):
                return Transpose(quantity)
            if (len(value), len(value[0])) == (len(right), len(right[0])):
                return quantity
        return self.glossary.laid(quantity)

    # --- lines and quantities -----------------------------------------------------------------------------------

    def of_itself(self, quantity: Expr, line: Line) -> bool:
        """Whether a line takes from outside the very quantity that it says: it is not right then, it says nothing."""
        spoken = (self.glossary.meaning(name, self.progress.order) for name in line.uses if free(name))
        return any(meant in (quantity, Transpose(quantity)) for meant in spoken)

    def terms(self, quantity: Expr, line: Line) -> tuple[Expr, ...]:
        """The terms that a quantity is the sum of, at a line."""
        return terms(self.course, self.view, quantity, line.step, bool(self.sheet.steps))

    def right_after(self, j: int, instead: Mapping[str, Expr]) -> bool:
        """Whether a later line is right if what it uses is this."""
        line = self.sheet.lines[j]
        if line.rhs is None:
            return False
        try:
            value = self.value_of(self.said(line.rhs, line.step, instead), line.step)
            if value is None:
                return False
            targets = self.readings(line.target, True)
            if self.is_any(value, targets, line.step):
                return True
            if (line.increment is None and line.version not in self.sheet.added_to) or line.before in instead:
                return False  # what is added says nothing of what it is added to
            more = line.increment if line.increment is not None else line.rhs
            part = self.value_of(self.said(more, line.step, instead), line.step)
        except Unknown:
            return False
        for meaning in targets:
            addends = self.terms(meaning.quantity, line)
            if are_few(addends) and which(self.course, self.view, meaning.quantity, addends, part, line.step):
                return True
        return False

    def frees(self, k: int, own: frozenset[int]) -> tuple[str, ...]:
        """The free names that a line reads, through intermediates of their own too, which are the lines `own`."""
        found: dict[str, None] = {}
        waiting, seen = [k], set()
        while waiting:
            at = waiting.pop()
            rhs = self.sheet.lines[at].rhs
            if at in seen or rhs is None:
                continue
            seen.add(at)
            for name in names(rhs):
                if free(name):
                    found[name] = None
                elif self.sheet.place[name] in own:
                    waiting.append(self.sheet.place[name])
            for node in walk(rhs):
                if isinstance(node, Call) and node.function in UNKNOWN_SLOPES:
                    found[node.function] = None
        return tuple(found)
