"""One way to read a sheet: what every name means, line by line, and which lines are right under it.

A line may use the lines before it. What a line has assigned stands for the quantity that it was meant to be, also
where the line is wrong: a mistake is charged where it was made. Where it was meant to be no quantity of the
derivation (an intermediate of their own, a local slope), it stands for what was written.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from derivations.expression import Adjoint, Expr, Name, Part, Shift, Stack, Transpose, walk
from derivations.marking.aims import aims, assumption, parameter_of
from derivations.marking.course import Course, View
from derivations.marking.glossary import FAINT, OF_STEP, Glossary
from derivations.marking.growing import summed
from derivations.marking.guesses import anything, best, by_users, error_of_their_own, value_of_cell
from derivations.marking.judged import Judged, Progress, Reached, Unknown
from derivations.marking.letters import plainly
from derivations.marking.meaning import Meaning
from derivations.marking.name_marks import bare, by_g, of_loss
from derivations.marking.sayings import Sayings
from derivations.marking.sheet import ERROR_OF_STATE, Line, Sheet, free
from derivations.marking.world import HEIGHT, NO_VALUE
from derivations.matrices import Matrix

# what speaks for and against a reading, in lines that are right
GUESS = 0.4  # a line that is right as something that its name does not say
MISFIT = 0.6  # a line without a fitting shape
CUT = 1.5  # a line that cuts into parts what was read as one quantity


class Understanding:
    """A sheet, read under a glossary: every line judged in its order."""

    def __init__(self, glossary: Glossary) -> None:
        self.glossary, self.progress = glossary, Progress()
        self.course, self.sheet, self.view = glossary.course, glossary.sheet, glossary.view
        judged = []
        for line in self.sheet.lines:
            self.progress.order = order_of(self.sayings, line) or self.progress.order
            reached = self._reached(line)
            self._record(reached)
            judged.append(reached.judged)
        self.judged = tuple(judged)

    @cached_property
    def score(self) -> float:
        """How many lines are right; what fits no shape, and names that say little, speak against a reading."""
        odd = sum(CUT if self.cuts(j) else MISFIT for j in self.judged if self.cuts(j) or not self._shaped(j))
        taught = self.glossary.taught
        told = [(j.quantity, taught[j.line.target]) for j in self.judged if j.line.target in taught]
        other = sum(found is None or (isinstance(meant, Stack) and found != meant) for found, meant in told)
        return self.promise - odd - CUT * other - sum(j.cost for j in self.judged) / 1000

    @cached_property
    def promise(self) -> float:
        """How many lines are right, whatever else speaks against the reading: other meanings may mend that."""
        return sum(GUESS if j.guessed else 1.0 for j in self.judged if j.right and j.quantity is not None)

    def _shaped(self, judged: Judged) -> bool:
        """Whether a line has a value in the shape of what it was meant to be."""
        whole = judged.of if judged.of is not None else judged.quantity
        if judged.said is None or judged.right or whole is None:
            return judged.said is None or judged.value is not None
        try:
            self.course.right(whole, self.view, judged.line.step)
        except NO_VALUE:
            return True  # what has no value here has no shape that a line could miss
        return judged.value is not None and self.sayings.fits(judged.value, whole, judged.line.step)

    # --- what others ask of a reading ---------------------------------------------------------------------------

    @property
    def sayings(self) -> Sayings:
        return Sayings(self.glossary, self.progress)

    @property
    def chosen(self) -> Mapping[str, Expr]:
        """What names are taken to mean, where that is not the likeliest; set to ask what lines would say then."""
        return self.glossary.chosen

    @chosen.setter
    def chosen(self, meant: Mapping[str, Expr]) -> None:
        self.glossary = replace(self.glossary, chosen=meant)

    @property
    def mirrored(self) -> str:
        return self.glossary.mirrored

    @property
    def place(self) -> dict[str, int]:
        return self.sheet.place

    @property
    def users(self) -> dict[str, list[int]]:
        return self.sheet.users

    def readings(self, name: str, target: bool = False) -> list[Meaning]:
        return self.sayings.readings(name, target)

    def said(self, expr: Expr, step: int) -> Expr:
        return self.sayings.said(expr, step)

    def value_of(self, said: Expr, step: int) -> Matrix[float] | None:
        return self.sayings.value_of(said, step)

    def of_itself(self, quantity: Expr, line: Line) -> bool:
        return self.sayings.of_itself(quantity, line)

    def terms(self, quantity: Expr, line: Line) -> tuple[Expr, ...]:
        return self.sayings.terms(quantity, line)

    def right_after(self, j: int, instead: Mapping[str, Expr]) -> bool:
        return self.sayings.right_after(j, instead)

    def frees(self, k: int) -> tuple[str, ...]:
        """The free names that a line reads, through its own intermediates too."""
        return self.sayings.frees(k, self._own)

    def settled(self, judged: Judged) -> bool:
        """Whether it is certain what a line was meant to be, although its name hardly says so.

        The sheet says it, a later line is right because of it, or names of that form are right as errors elsewhere.
        """
        line = judged.line
        right = [j for j in self.judged if j.right and j.quantity is not None and not j.guessed]
        used = any(line.version in j.line.uses for j in right) or self._is_read_elsewhere(judged)
        kin = by_g(line.target) and any(by_g(j.line.target) and isinstance(j.quantity, Adjoint) for j in right)
        return line.target in self.sheet.names or used or kin or self._is_by_what_is_read(judged)

    def _is_by_what_is_read(self, judged: Judged) -> bool:
        """Whether the quantity is by what a right line of values reads under the name that this one is by."""
        by = [rest for rest, _ in of_loss(judged.line.target, self.course.cell.states[0])]
        of = judged.quantity.of if isinstance(judged.quantity, Adjoint) else ""
        for k, other in enumerate(self.judged):
            read = self.frees(k) if other.right and isinstance(other.quantity, Name) else ()
            for name in read:
                if name in by:
                    meant = self.chosen.get(name) or next((m.quantity for m in self.readings(name)), None)
                    if meant == Name(of):
                        return True
        return False

    def supports(self, judged: Judged) -> bool:
        """Whether a later line is right that uses this one, through intermediates of their own too."""
        for right in self.judged:
            if right is judged or not right.right or right.quantity is None or right.guessed:
                continue
            waiting = [name for name in right.line.uses if not free(name)]
            seen = set(waiting)
            while waiting:
                name = waiting.pop()
                if name == judged.line.version:
                    return True
                if self.place[name] in self._own:
                    more = {n for n in self.sheet.lines[self.place[name]].uses if not free(n)} - seen
                    seen |= more
                    waiting += more
        return False

    def _is_read_elsewhere(self, judged: Judged) -> bool:
        """Whether a right line reads the same name at another step, as the same."""
        name = bare(judged.line.target)
        for k, other in enumerate(self.judged):
            for free_ in self.frees(k) if other.right else ():
                if bare(free_) == name and free_ != name:
                    found = self.chosen.get(free_) or next((m.quantity for m in self.readings(free_)), None)
                    if found is not None and (found.arg if isinstance(found, Shift) else found) == judged.quantity:
                        return True
        return False

    def cuts(self, judged: Judged) -> bool:
        """Whether a line cuts into parts what was read as one quantity: it was read wrongly then."""
        return judged.said is not None and any(_cuts(node) for node in walk(judged.said))

    @cached_property
    def _own(self) -> frozenset[int]:
        """The lines that are intermediates of their own."""
        return frozenset(k for k, judged in enumerate(self.judged) if judged.quantity is None)

    # --- the pass over the lines --------------------------------------------------------------------------------

    def _record(self, reached: Reached) -> None:
        """What is known grows here, and nowhere else but for the order of the gates."""
        version, known = reached.judged.line.version, self.progress
        if reached.given is not None:
            known.given[version] = reached.given
        if reached.included is not None:
            known.included[version] = reached.included
        if reached.opened:
            known.opened.add(version)
        judged = reached.judged
        if judged.line.loop is not None:
            known.rounds[judged.line.number, judged.line.column, judged.line.target] = judged.quantity
        if judged.quantity is not None and judged.of is None and (parameter := parameter_of(judged.quantity)):
            known.taken.setdefault(parameter, judged.line.target)

    def _reached(self, line: Line) -> Reached:
        """One line, judged by what is known so far."""
        if line.rhs is None:
            return Reached(Judged(line, why=line.why))
        sayings = self.sayings
        try:
            said = sayings.said(sayings.over_time(line), line.step)
        except Unknown as unknown:  # its own name still says what it was meant to be, if that is one quantity
            own = line.defines and self.course.vocabulary.gates.families  # its hats are normalised values
            found = [] if own else [m for m in sayings.readings(line.target, True) if m.cost < FAINT]
            return Reached(Judged(line, why=str(unknown)), sayings.glossary.laid(found[0].quantity) if found else None)
        value = sayings.value_of(said, line.step)
        if line.defines and isinstance(line.rhs, Name) and not self._is_of_one_step(line):
            return Reached(Judged(line, said=said, value=value), said)
        if (assumed := assumption(sayings, line)) is not None:
            return Reached(Judged(line, said=said, value=value), sayings.glossary.laid(assumed))
        targets = aims(sayings, line, value)
        if _is_beside(line.rhs):
            targets += sayings.glossary.vocabulary.packing.errors_beside(self.progress.order)
        if (grown := summed(sayings, line, targets)) is not None:
            return grown
        options = [
            (m.quantity, not sayings.of_itself(m.quantity, line) and sayings.is_(value, m.quantity, line.step), m.cost)
            for m in targets
        ]
        if all(not right and cost >= FAINT for _, right, cost in options):
            if (error := error_of_their_own(sayings, line, said, value)) is not None:
                return Reached(Judged(line, said=said, value=value), sayings.glossary.laid(error))
            options += anything(sayings, line, value) or value_of_cell(sayings, line, said, value)
        if not options:
            options = by_users(sayings, line, value)
        meant = best(sayings, line, options, said, value)
        if meant is None:
            return Reached(Judged(line, said=said, value=value), said)
        quantity, right, cost = meant
        if line.defines and not right and not self._is_of_one_step(line):
            return Reached(Judged(line, said=said, value=value), said)
        guessed = right and quantity not in [m.quantity for m in targets]
        if guessed and "[" not in line.target:  # no part of what is packed, which its siblings tell
            guessed = quantity not in [error for error, _, _ in by_users(sayings, line, value)]
        judged = Judged(line, right, quantity, said=said, value=value, cost=cost, guessed=guessed)
        return Reached(judged, sayings.bound(quantity, value))

    def _is_of_one_step(self, line: Line) -> bool:
        """Whether a line gives the name of a state's whole error to that of the loss of one step alone."""
        whole = ERROR_OF_STATE.fullmatch(line.target) is not None and self.sheet.stepwise
        return whole and OF_STEP.match(line.uses[0]) is not None


def _cuts(node: Expr) -> bool:
    """Whether one quantity, which is nothing packed, is cut into parts."""
    if not isinstance(node, Part) or not node.of[0].startswith(HEIGHT):
        return False
    arg = node.arg
    while isinstance(arg, Transpose):
        arg = arg.arg
    return isinstance(arg, Adjoint)


def order_of(sayings: Sayings, line: Line) -> tuple[str, ...]:
    """The gates in the order in which a line puts their errors beside one another; empty where it does not.

    Where all but one of the cell's gates are found, what stands in the other's place was meant to be its error.
    """
    order: tuple[str, ...] = ()
    gates = sayings.course.vocabulary.gates
    for node in walk(line.rhs) if line.rhs is not None else ():
        if isinstance(node, Stack) and len(node.parts) > 1:
            found = [gate_of_error(sayings, part, line.step) for part in node.parts]
            left = [gate for gate in gates.names if gate not in found]
            if found.count(None) == 1 and len(left) == 1 and len(found) > 2:
                found[found.index(None)] = left[0]
            if all(found) and len(set(found)) == len(found):
                order = tuple(gate for gate in found if gate)
    return order


def _is_beside(expr: Expr) -> bool:
    """Whether an expression is several beside one another, standing or lying."""
    return isinstance(expr.arg if isinstance(expr, Transpose) else expr, Stack)


def gate_of_error(sayings: Sayings, part: Expr, step: int) -> str | None:
    """The gate whose error an expression is: at its preactivation, or at what is linear in it."""
    try:
        value = sayings.value_of(sayings.said(part, step), step)
    except Unknown:
        return None
    gates = sayings.course.vocabulary.gates
    targets = dict.fromkeys((*gates.preactivation.values(), *(target for target, _ in gates.roles.values())))
    return next((gates.gate_of(t) for t in targets if sayings.is_(value, Adjoint(t), step)), None)


def understanding(course: Course, sheet: Sheet, view: View) -> Understanding:
    """The plain reading of a sheet under a view."""
    return Understanding(plainly(course, sheet, view))
