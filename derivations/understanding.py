"""One way to read a sheet: what every name means, line by line, and which lines are right under it.

A line may use the lines before it. What a line has assigned stands for the quantity that it was meant to be, also
where the line is wrong: a mistake is charged where it was made. Where it was meant to be no quantity of the
derivation (an intermediate of their own, a local slope), it stands for what was written.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from derivations.cell import Cell, prev
from derivations.course import SCALAR, Course, View, close, fit, totals
from derivations.expression import (
    ONE,
    Adjoint,
    Call,
    Expr,
    Name,
    Num,
    Reduce,
    Shift,
    Stack,
    TimeSum,
    Total,
    Transpose,
    names,
    rewrite,
    total,
    walk,
)
from derivations.matrices import Matrix, ShapeError
from derivations.meanings import Meaning
from derivations.sheet import UNKNOWN_SLOPES, Line, Sheet, free
from derivations.sheets.formula import slope
from derivations.world import Unnamed, leaves

MOST_TERMS = 8
FAINT = 1.9  # the cost from which on a name hardly says what it is
MOST_USERS = 6
_FINAL = re.compile(r"^(d_?\w+?)_?(?:last|final|end|fin|T)$")
LARGEST = 4_000  # nodes of what a line says, once the lines that it uses are put in


class Unknown(Exception):
    """A name of theirs that may be anything."""


@dataclass(frozen=True)
class Judged:
    """A line under one reading.

    Attributes:
        right: it is the quantity, as far as numbers say.
        quantity: what it was meant to be, in the names of the derivation; None for no quantity of it.
        part: it is a part of a sum that later lines complete; `of` says of what, and `said` what is added.
        said: what it says, in the names of the derivation; None where a name is unknown.
        why: why nothing can be said.
    """

    line: Line
    right: bool = False
    quantity: Expr | None = None
    part: bool = False
    of: Expr | None = None
    said: Expr | None = None
    value: Matrix[float] | None = None
    why: str = ""
    cost: float = 0.0


@dataclass
class Understanding:
    """A reading of a sheet under a view and a choice for the names that may mean several things."""

    course: Course
    sheet: Sheet
    view: View
    chosen: Mapping[str, Expr] = field(default_factory=dict)
    mirrored: str = ""  # a gate that the sheet has the other way round

    def __post_init__(self) -> None:
        self.given: dict[str, Expr] = {}
        self.included: dict[str, tuple[Expr, frozenset[int]]] = {}  # of a sum that grows: of what, and which terms
        self.taken: dict[str, str] = {}  # parameters whose gradient a line has given, under which name
        self.opened: set[str] = set()  # sums of parameters' gradients that started outside of the sheet
        self.order: tuple[str, ...] = ()  # the gates of what is packed, as the sheet packs them
        self.judged = tuple(self._judge(k) for k in range(len(self.sheet.lines)))

    @cached_property
    def score(self) -> float:
        right = sum(j.right and j.quantity is not None for j in self.judged)
        return right - sum(j.cost for j in self.judged) / 1000

    @cached_property
    def place(self) -> dict[str, int]:
        return {line.version: k for k, line in enumerate(self.sheet.lines) if line.version}

    @cached_property
    def users(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for k, line in enumerate(self.sheet.lines):
            for name in line.uses:
                if not free(name):
                    found.setdefault(name, []).append(k)
        return found

    @cached_property
    def again(self) -> dict[tuple[str, int], str]:
        """The last version of each name that is assigned more than once at a step."""
        count = Counter((line.target, line.step) for line in self.sheet.lines)
        last = {(line.target, line.step): line.version for line in self.sheet.lines}
        return {key: version for key, version in last.items() if count[key] > 1}

    @cached_property
    def carried(self) -> frozenset[str]:
        """The states for which the sheet speaks of what comes back from the step after."""
        spoken = {name for line in self.sheet.lines for name in (line.target, *line.uses) if free(name)}
        found = [reading.quantity for name in spoken for reading in self.course.vocabulary.readings(name)[:1]]
        states = self.course.cell.states
        back = {q.of for q in found if isinstance(q, Adjoint) and q.part == "next"}
        back |= {
            q.of.removesuffix("_prev") for q in found if isinstance(q, Adjoint) and q.of in self.course.cell.previous
        }
        return frozenset(state for state in states if state in back)

    @cached_property
    def added_to(self) -> frozenset[str]:
        """The versions that a later line adds to."""
        return frozenset(line.before for line in self.sheet.lines if line.increment is not None)

    # --- names ----------------------------------------------------------------------------------------------

    def readings(self, name: str, target: bool = False) -> list[Meaning]:
        if name in self.sheet.names:
            return [Meaning(self.sheet.names[name], 0)]
        known = self.course.found.setdefault("readings", {})
        key = (name, target, self.sheet.next_is_new, self.mirrored)
        if key not in known:
            words = self.course.vocabulary
            found = words.targets(name) if target else words.readings(name)
            known[key] = (
                sorted(_as_new(found, self.course.cell), key=lambda m: m.cost)
                if self.sheet.next_is_new and "next" in name
                else found
            )
            if gate := self.mirrored:
                known[key] = [Meaning(words.mirrored(m.quantity, gate), m.cost) for m in known[key]]
        result: list[Meaning] = known[key]
        if name in self.sheet.series:  # what comes from outside for every step is no adjoint that the steps pass on
            result = [m for m in result if m.quantity not in [Adjoint(state) for state in self.carried]]
        if self.sheet.steps and not target and (final := _FINAL.match(name)):  # dh_last, dc_end: after the last step
            whole = self.course.vocabulary.readings(final[1])
            states = self.course.cell.states
            carried = [m.quantity.of for m in whole[:1] if isinstance(m.quantity, Adjoint) and m.quantity.of in states]
            result = [*(Meaning(Adjoint(of, "next"), 0.05) for of in carried), *result]
        if self.order and "/" not in name:
            return result + self.course.vocabulary.together(name, self.order)
        return result

    def meaning(self, name: str) -> Expr:
        """What a free name stands for, standing or lying as the sheet has it."""
        if name in self.chosen:
            return self._laid(self.chosen[name])
        found = self.readings(name)
        if not found:
            raise Unknown(name)
        return self._laid(found[0].quantity)

    def _laid(self, quantity: Expr) -> Expr:
        if self.view.layout == SCALAR:
            return quantity
        try:
            turns = self.view.turns(self.course.right(quantity, self.view, 2), quantity)
        except (Unnamed, ShapeError, KeyError, ValueError):
            return quantity
        return Transpose(quantity) if turns else quantity

    def said(self, expr: Expr, step: int, instead: Mapping[str, Expr] | None = None, depth: int = 0) -> Expr:
        """What stands on the sheet, in the names of the derivation."""

        def rule(node: Expr) -> Expr | None:
            match node:
                case Name(id_) if not free(id_):
                    at = self.sheet.lines[self.place[id_]]
                    if instead and id_ in instead:
                        found = instead[id_]
                    elif id_ in self.given:
                        found = self.given[id_]
                    elif depth < 12 and at.rhs is not None:
                        found = self.said(at.rhs, at.step, instead, depth + 1)
                    else:
                        raise Unknown(at.target)
                    return _shifted(found, at.step - step)
                case Name(id_):
                    return self.meaning(id_)
                case Call(called, (arg,)) if called in UNKNOWN_SLOPES:
                    inner = self.said(arg, step, instead, depth)
                    if self.chosen.get(called) == ONE:
                        return slope(UNKNOWN_SLOPES[called], inner)
                    return inner * (1 - inner) if called == "dsigmoid" else 1 - inner**2
            return None

        result = rewrite(expr, rule)
        if sum(1 for _ in zip(walk(result), range(LARGEST + 1), strict=False)) > LARGEST:
            raise Unknown(f"a line of more than {LARGEST} operations")
        return result

    # --- lines ----------------------------------------------------------------------------------------------

    def _judge(self, k: int) -> Judged:
        line = self.sheet.lines[k]
        if line.rhs is None:
            return Judged(line, why=line.why)
        self._find_order(line)
        try:
            said = self.said(self._over_time(line), line.step)
        except Unknown as unknown:
            self._forget(line)
            return Judged(line, why=str(unknown))
        value = self.value_of(said, line.step)
        targets = self._targets(line, value)
        if (summed := self._summed(k, targets)) is not None:
            return summed
        options = [
            (m.quantity, not self.of_itself(m.quantity, line) and self._is(value, m.quantity, line.step), m.cost)
            for m in targets
        ]
        if all(not right and cost >= FAINT for _, right, cost in options):
            options += self._anything(line, value)
        best = self._best(k, options, said, value)
        if best is None:
            self.given[line.version] = said
            return Judged(line, said=said, value=value)
        quantity, right, cost = best
        if parameter := _parameter(quantity):
            self.taken.setdefault(parameter, line.target)
        self.given[line.version] = self._bound(quantity, value)
        return Judged(line, right, quantity, said=said, value=value, cost=cost)

    def _anything(self, line: Line, value: Matrix[float] | None) -> list[tuple[Expr, bool, float]]:
        """The errors that have this value, for a name that hardly says what it is."""
        if not re.match(r"d|delta|grad|eps|err", line.target) or value is None:
            return []
        errors: list[Expr] = [Adjoint(name) for name in self.course.derivation.adjoint_of]
        return [(q, True, 2.0) for q in errors if self._is(value, q, line.step)][:1]

    def _is(self, value: Matrix[float] | None, quantity: Expr, step: int) -> bool:
        return value is not None and self.course.agrees(value, quantity, self.view, step)

    def _targets(self, line: Line, value: Matrix[float] | None) -> list[Meaning]:
        """What a line may have been meant to be."""
        found = self.readings(line.target, True)
        if line.target in self.sheet.names:
            return found
        if self.sheet.steps:  # what is packed is gathered over the steps as well
            packed = [m for m in found if not isinstance(m.quantity, Adjoint | Total) and self._is_share(m.quantity)]
            found = [*found, *(Meaning(TimeSum(m.quantity), m.cost + 0.3) for m in packed)]
        if value is not None:  # another kind of thing under a name that may be an alias
            found = [m for m in found if m.cost < 1.5 or self._fits(value, m.quantity, line.step)]
        found = self._not_taken(line, found)
        if (
            line.loop is not None and self.again.get((line.target, line.step)) == line.version
        ):  # dh, carried on under its own name
            states = [Adjoint(state) for state in self.course.cell.states]
            whole = [(m.quantity.of, m.cost) for m in found if isinstance(m.quantity, Adjoint) and m.quantity in states]
            here = any(self.sheet.lines[j].step == line.step for j in self.users.get(line.version, ()))
            found = [*found, *(Meaning(Adjoint(prev(of)), cost + (0.6 if here else -0.01)) for of, cost in whole)]
            found.sort(key=lambda m: m.cost)
        if line.loop is not None:  # what is assigned there is for the step before
            found = [m for m in found if not (isinstance(m.quantity, Adjoint) and m.quantity.part == "next")]
        if line.loop is not None and line.increment is None and not self.users.get(line.version):
            gathered = [m for m in found if isinstance(m.quantity, Total | TimeSum)]
            found = gathered or found  # a gradient that the next round overwrites
        return found

    def _not_taken(self, line: Line, found: list[Meaning]) -> list[Meaning]:
        """Without what another line has given under another name, where the name may mean something else."""
        if isinstance(line.rhs, Name):
            return found
        taken = {q for q, name in self.taken.items() if name != line.target}
        rest = [m for m in found if _parameter(m.quantity) not in taken or not _parameter(m.quantity)]
        return rest if rest and rest[0].cost < FAINT + 0.5 else found

    def _fits(self, value: Matrix[float], quantity: Expr, step: int) -> bool:
        try:
            return fit(value, self.course.right(quantity, self.view, step), quantity, self.view) is not None
        except (Unnamed, ShapeError, KeyError):
            return False

    def of_itself(self, quantity: Expr, line: Line) -> bool:
        """Whether a line takes from outside the very quantity that it says: it is not right then, it says nothing."""
        return any(self.meaning(name) in (quantity, Transpose(quantity)) for name in line.uses if free(name))

    def _find_order(self, line: Line) -> None:
        """The gates in the order in which a line puts their errors beside one another."""
        for node in walk(line.rhs) if line.rhs is not None else ():
            if isinstance(node, Stack):
                found = [self._gate_of(part, line.step) for part in node.parts]
                if len(found) > 1 and all(found) and len(set(found)) == len(found):
                    self.order = tuple(pre for pre in found if pre)

    def _gate_of(self, part: Expr, step: int) -> str | None:
        """The preactivation whose error an expression is."""
        try:
            value = self.value_of(self.said(part, step), step)
        except Unknown:
            return None
        pres = self.course.vocabulary.preactivation.values()
        return next((pre for pre in pres if self._is(value, Adjoint(pre), step)), None)

    # --- sums that grow ---------------------------------------------------------------------------------------

    def _summed(self, k: int, targets: list[Meaning]) -> Judged | None:
        """A line that adds a part to a sum, or starts one; None for any other line."""
        line = self.sheet.lines[k]
        grows = line.version in self.added_to
        if line.increment is None and not grows:
            return None
        if line.increment is None and any(
            isinstance(m.quantity, Adjoint) and m.quantity.of in self.course.cell.previous
            and self._is(self.value_of(self.said(line.rhs, line.step), line.step), m.quantity, line.step)
            for m in targets if line.rhs is not None
        ):  # fmt: skip
            return None
        if line.increment is not None and line.before and (free(line.before) or line.before in self.opened):
            return self._added(line, targets)
        if (carried := self._carried_on(line, targets)) is not None:
            return carried
        if line.increment is not None and line.before and line.before not in self.included:
            return None  # it adds to what is no sum of ours
        more = line.increment if line.increment is not None else line.rhs
        assert more is not None  # an unreadable line is not judged
        said = self.said(more, line.step)
        value = self.value_of(said, line.step)
        quantity, had = self.included.get(line.before, (None, frozenset[int]()))
        options = [quantity] if quantity is not None else [m.quantity for m in targets]
        fallback: tuple[Expr, tuple[Expr, ...]] | None = None
        for option in options:
            terms = self.terms(option, line)
            if not 1 < len(terms) <= MOST_TERMS:
                continue
            fallback = fallback or (option, terms)
            some = self._which(option, terms, value, line, had)
            if some:
                return self._grown(line, option, terms, had, some, said, value, True)
        if fallback is None or (line.increment is None and self._rather_whole(line, value, targets)):
            return None
        option, terms = fallback
        last = line.loop is not None and self.again.get((line.target, line.step)) == line.version
        if last and line.before and option in [Adjoint(state) for state in self.course.cell.states]:
            return None  # what is carried to the step before, under the name of the sum
        left = [n for n in range(len(terms)) if n not in had]
        here = line.step - 1 if isinstance(option, Total | TimeSum) else None
        guess = here if here in left else self._nearest(terms, left, said, line)
        return self._grown(
            line, option, terms, had, frozenset({guess} if guess is not None else ()), said, value, False
        )

    def _carried_on(self, line: Line, targets: list[Meaning]) -> Judged | None:
        """A line that adds to what the round before has carried, where what it adds is all that is to be carried."""
        if line.loop is None or line.rhs is None:
            return None
        first = line.before not in self.place  # what it adds to is where it started: nothing
        if not first and self.sheet.lines[self.place[line.before]].step == line.step:
            return None
        adds = line.increment if line.increment is not None else line.rhs
        more = self.value_of(self.said(adds, line.step), line.step)
        for meaning in targets:
            whole = isinstance(meaning.quantity, Adjoint) and meaning.quantity.of in self.course.cell.previous
            if whole and self._is(more, meaning.quantity, line.step):
                self.given[line.version] = self._bound(meaning.quantity, more)
                said = self.said(line.rhs, line.step)
                value = self.value_of(said, line.step)
                return Judged(
                    line, self._is(value, meaning.quantity, line.step), meaning.quantity, said=said, value=value
                )
        return None

    def _added(self, line: Line, targets: list[Meaning]) -> Judged | None:
        """What is added to a name of outside: the share of this step in a parameter's gradient, or a term."""
        assert line.increment is not None  # asked before
        said = self.said(line.increment, line.step)
        value = self.value_of(said, line.step)
        for meaning in targets:
            if self._is_share(meaning.quantity):
                share = _share(meaning.quantity)
                self.given[line.version] = self._laid(TimeSum(share))
                self.opened.add(line.version)
                right = self._is(value, share, line.step)
                return Judged(line, right, share, of=share, said=said, value=value)
        if line.rhs is None or self._rather_whole(
            line, self.value_of(self.said(line.rhs, line.step), line.step), targets
        ):
            return None
        for meaning in targets:
            terms = self.terms(meaning.quantity, line)
            if not 1 < len(terms) <= MOST_TERMS:
                continue
            if some := self._which(meaning.quantity, terms, value, line, frozenset()):
                part = total(*(terms[n] for n in sorted(some)))
                self.given[line.version] = self._laid(meaning.quantity)
                return Judged(line, True, part, True, meaning.quantity, said, value)
        return None

    def _is_share(self, quantity: Expr) -> bool:
        """Whether a quantity is the gradient of parameters: of one, or of several that are packed."""
        spoken = [node for node in walk(quantity) if isinstance(node, Adjoint | Total | Name)]
        return bool(spoken) and all(
            isinstance(node, Adjoint | Total) and node.of in self.course.cell.parameters for node in spoken
        )

    def _rather_whole(self, line: Line, value: Matrix[float] | None, targets: list[Meaning]) -> bool:
        return value is not None and any(self.course.agrees(value, m.quantity, self.view, line.step) for m in targets)

    def _which(
        self, quantity: Expr, terms: tuple[Expr, ...], value: Matrix[float] | None, line: Line, had: frozenset[int]
    ) -> frozenset[int]:
        """The terms, not had before, whose sum this value is."""
        if value is None:
            return frozenset()
        for some, summed in self._sums(quantity, terms, line.step).items():
            fitted = fit(value, summed, quantity, self.view)
            if not some & had and fitted is not None and close(fitted, summed):
                return some
        return frozenset()

    def _sums(self, quantity: Expr, terms: tuple[Expr, ...], step: int) -> Mapping[frozenset[int], Matrix[float]]:
        key = ("sums", terms, self.view, step)
        if key not in self.course.found:
            right = self.course.right(quantity, self.view, step)
            spread = self.course.world(self.view).arithmetic.spread
            self.course.found[key] = totals([spread(self.course.right(t, self.view, step), right) for t in terms])
        found: Mapping[frozenset[int], Matrix[float]] = self.course.found[key]
        return found

    def _nearest(self, terms: tuple[Expr, ...], left: list[int], said: Expr, line: Line) -> int | None:
        """The term that a wrong part was probably meant to be: that which shares most names with it."""
        spoken = set(leaves(said, line.step, self.view.steps))
        shared = {n: len(spoken & set(leaves(terms[n], line.step, self.view.steps))) for n in left}
        return max(left, key=lambda n: shared[n]) if left else None

    def _grown(
        self,
        line: Line,
        quantity: Expr,
        terms: tuple[Expr, ...],
        had: frozenset[int],
        some: frozenset[int],
        said: Expr,
        value: Matrix[float] | None,
        right: bool,
    ) -> Judged:
        """The judgement of a part, and what the sum is from here on."""
        now = had | some
        whole = all(n in now or self._nothing(term, line.step) for n, term in enumerate(terms))
        laid = self._laid(quantity)
        turned = isinstance(laid, Transpose)
        last = line.version not in self.added_to
        sum_ = quantity if whole or last else total(*(terms[n] for n in sorted(now)))
        self.given[line.version] = Transpose(sum_) if turned else sum_
        self.included[line.version] = (quantity, now)
        part = total(*(terms[n] for n in sorted(some))) if some else quantity
        if right and last and not whole:  # each part is right, and some are missing at the end
            assert line.rhs is not None  # an unreadable line is not judged
            everything = self.said(line.rhs, line.step) if line.before else said
            summed = self.value_of(everything, line.step)
            return Judged(line, False, quantity, of=quantity, said=everything, value=summed)
        return Judged(line, right, part, not (whole and last), quantity, said, value)

    def _nothing(self, term: Expr, step: int) -> bool:
        """Whether a term is zero, as what comes back to the last step may be."""
        try:
            value = self.course.right(term, self.view, step)
        except (Unnamed, ShapeError, KeyError):
            return False
        return not any(entry for row in value for entry in row)

    def _over_time(self, line: Line) -> Expr:
        """On paper, the sum of a parameter's gradient is one over the steps."""
        assert line.rhs is not None  # an unreadable line is not judged
        if self.sheet.notation == "python" or not isinstance(line.rhs, Reduce) or line.rhs.kind != "sum":
            return line.rhs
        summed = any(isinstance(m.quantity, Total) for m in self.readings(line.target, True))
        return TimeSum(line.rhs.args[0]) if summed else line.rhs

    def _forget(self, line: Line) -> None:
        """A line with an unknown name still says what its own name was meant to be, if that is one quantity."""
        found = self.readings(line.target, True)
        if found:
            self.given[line.version] = self._laid(found[0].quantity)

    def value_of(self, said: Expr, step: int) -> Matrix[float] | None:
        try:
            return self.course.value(said, self.view, step)
        except (Unnamed, ShapeError, KeyError, ZeroDivisionError, OverflowError, TypeError, ValueError):
            return None

    def _bound(self, quantity: Expr, value: Matrix[float] | None) -> Expr:
        """A quantity as the line wrote it: standing or lying."""
        if value is None or self.view.layout == SCALAR:
            return self._laid(quantity)
        try:
            right = self.course.right(quantity, self.view, 2)
        except (Unnamed, ShapeError, KeyError):
            return quantity
        if 1 in (len(right), len(right[0])) and len(right) * len(right[0]) > 1:
            if (len(value), len(value[0])) == (len(right[0]), len(right)):
                return Transpose(quantity)
            if (len(value), len(value[0])) == (len(right), len(right[0])):
                return quantity
        return self._laid(quantity)

    def terms(self, quantity: Expr, line: Line) -> tuple[Expr, ...]:
        """The terms that a quantity is the sum of: its paths, or its steps where it is gathered over time."""
        by = 0
        while isinstance(quantity, Shift):
            by += quantity.by
            quantity = quantity.arg
        match quantity:
            case TimeSum(share) if self.sheet.steps:
                return tuple(_shifted(share, s - line.step) for s in range(1, self.view.steps + 1))
            case Total(of) if self.sheet.steps:
                return tuple(_shifted(Adjoint(of), s - line.step) for s in range(1, self.view.steps + 1))
            case Adjoint(of, "") if of in self.course.derivation.adjoint_of:
                steps = self.course.derivation.adjoint_of[of].terms
                return tuple(_shifted(term.expr, by) for term in steps)
        return ()

    def _best(
        self, k: int, options: list[tuple[Expr, bool, float]], said: Expr, value: Matrix[float] | None
    ) -> tuple[Expr, bool, float] | None:
        """The option under which this line and those that use it are right; None for an intermediate of their own."""
        if not options:
            return None
        line = self.sheet.lines[k]
        users = self.users.get(line.version, [])[:MOST_USERS]
        ranked = []
        for order, option in enumerate(options):
            quantity, right, cost = option
            bound = self._bound(quantity, value)
            after = sum(self.right_after(j, {line.version: bound}) for j in users)
            ranked.append((right + after, right, -cost - order / 1000, option))
        top = max(ranked, key=lambda one: one[:3])
        if users and not any(right for _, right, _ in options):  # their own intermediate under the name of an error
            own = sum(self.right_after(j, {line.version: said}) for j in users)
            if own > top[0]:
                return None
        return top[3]

    def right_after(self, j: int, instead: Mapping[str, Expr]) -> bool:
        """Whether a later line is right if what it uses is this."""
        line = self.sheet.lines[j]
        if line.rhs is None:
            return False
        try:
            value = self.value_of(self.said(line.rhs, line.step, instead), line.step)
        except Unknown:
            return False
        if value is None:
            return False
        targets = self.readings(line.target, True)
        if any(self.course.agrees(value, m.quantity, self.view, line.step) for m in targets):
            return True
        if line.increment is not None or line.version in self.added_to:
            more = line.increment if line.increment is not None else line.rhs
            part = self.value_of(self.said(more, line.step, instead), line.step)
            for meaning in targets:
                terms = self.terms(meaning.quantity, line)
                if 1 < len(terms) <= MOST_TERMS and self._which(meaning.quantity, terms, part, line, frozenset()):
                    return True
        return False

    def frees(self, k: int) -> tuple[str, ...]:
        """The free names that a line reads, through its own intermediates too."""
        found: dict[str, None] = {}
        waiting, seen = [k], set()
        while waiting:
            at = waiting.pop()
            if at in seen or self.sheet.lines[at].rhs is None:
                continue
            seen.add(at)
            rhs = self.sheet.lines[at].rhs
            assert rhs is not None  # asked above
            for name in names(rhs):
                if free(name):
                    found[name] = None
                elif self.judged[self.place[name]].quantity is None:
                    waiting.append(self.place[name])
            for node in walk(rhs):
                if isinstance(node, Call) and node.function in UNKNOWN_SLOPES:
                    found[node.function] = None
        return tuple(found)


def _parameter(quantity: Expr) -> str:
    """What a gradient is by, where it is a parameter's; empty otherwise."""
    match quantity:
        case Total(of) | Adjoint(of, "") if of[:1].isupper() or of.startswith("b_"):
            return of
    return ""


def _share(quantity: Expr) -> Expr:
    """The share of one step in a gradient that is gathered over time."""
    if isinstance(quantity, TimeSum):
        return quantity.arg
    return rewrite(quantity, lambda node: Adjoint(node.of) if isinstance(node, Total) else None)


def _as_new(found: Iterable[Meaning], cell: Cell) -> Iterator[Meaning]:
    """What names mean on a sheet that calls this step's states the next ones, as in `next_c = f*prev_c + i*g`."""
    for meaning in found:
        match meaning.quantity:
            case Shift(Name(id_), 1) if id_ in cell.states:
                yield Meaning(Name(id_), meaning.cost)
            case Adjoint(of, "next"):
                yield meaning
                # the hidden state's is the whole, as it comes in; the others' what is carried, to be added to
                yield Meaning(Adjoint(of), meaning.cost + (-0.02 if of in cell.seeded else 0.05))
            case Shift(Adjoint(of, ""), 1) if of in cell.states:
                continue
            case _:
                yield meaning


def _shifted(expr: Expr, by: int) -> Expr:
    return Shift(expr, by) if by and not isinstance(expr, Num) else expr
