"""What the names on one sheet mean, under one choice for those that may mean several things."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from derivations.cell import Cell
from derivations.expression import Adjoint, Derivative, Expr, Name, Shift, Total, Transpose, walk
from derivations.marking.course import SCALAR, Course, View
from derivations.marking.judged import Unknown
from derivations.marking.meaning import Meaning, moved
from derivations.marking.meanings import Vocabulary
from derivations.marking.name_marks import bare, canonical, timed
from derivations.marking.sheet import Sheet, free
from derivations.marking.world import NO_VALUE, NOW, OVER_TIME

FAINT = 1.9  # the cost from which on a name hardly says what it is
FEW = 3  # equations of a cell without gates
_OF_V = re.compile(r"(?:d[A-Za-z]+/)?[dg]?_?V")
OF_STEP = re.compile(r"d_?[A-Za-z]+(?:\[[^\]]+\]|_?\d)/")  # of the loss of one step
_FINAL = re.compile(r"^(d_?\w+?)_?(?:last|final|end|fin|T)$")


@dataclass(frozen=True)
class Glossary:
    """The names of a sheet, read under a view.

    Attributes:
        chosen: what names are taken to mean, where that is not the likeliest.
        mirrored: a gate that the sheet has the other way round.
        learned: the sheet's own words for quantities of the cell.
        taught: names, without steps, of which the sheet has shown what they mean.
        by: derivatives of the loss, with the quantity that they are by.
    """

    course: Course
    sheet: Sheet
    view: View
    chosen: Mapping[str, Expr] = field(default_factory=dict)
    mirrored: str = ""
    learned: tuple[tuple[str, str], ...] = ()
    taught: Mapping[str, Expr] = field(default_factory=dict)
    by: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return self.course.vocabulary_with(self.learned)

    @cached_property
    def carried(self) -> frozenset[str]:
        """The states for which the sheet speaks of what comes back from the step after."""
        spoken = {name for line in self.sheet.lines for name in (line.target, *line.uses) if free(name)}
        found = [meaning.quantity for name in spoken for meaning in self._plain(name, False)[:1]]
        cell = self.course.cell
        back = {q.of for q in found if isinstance(q, Adjoint) and q.part == "next"}
        back |= {q.of.removesuffix("_prev") for q in found if isinstance(q, Adjoint) and q.of in cell.previous}
        return frozenset(state for state in cell.states if state in back)

    @cached_property
    def spoken(self) -> frozenset[str]:
        """The states of whose errors the sheet speaks by other names than that of what comes back."""
        names = {name for line in self.sheet.lines for name in (line.target, *line.uses) if free(name)}
        found = [meaning.quantity for name in names for meaning in self._plain(name, False)[:1]]
        return frozenset(q.of for q in found if isinstance(q, Adjoint) and q.part != "next")

    def readings(self, name: str, target: bool = False, order: tuple[str, ...] = ()) -> list[Meaning]:
        """All that a name may mean, the likeliest first; `order` is that of the gates in what is packed."""
        if name in self.sheet.names:
            return [Meaning(self.sheet.names[name], 0)]
        result = [*self._delta_beside(name), *self._as_here(name, target)]
        if (meant := self.taught.get(bare(name))) is not None:
            by = next((by for _, by, _ in timed(name)), 0) if "[" in name else 0
            result = [Meaning(moved(meant, by), -0.1), *(m for m in result if m.quantity != moved(meant, by))]
        if name in self.by:
            result = [m for m in result if any(_is_by(n, self.by[name]) for n in walk(m.quantity))] or result
        if bare(name) == "Delta" and any(other.startswith("delta") for other in self._bare_names):
            by = next((by for _, by, _ in timed(name)), 0) if "[" in name else 0
            direct = moved(Adjoint(self.course.cell.seeded[0], "out"), by)  # beside delta, what the loss sends
            result = [Meaning(direct, 0), *(m for m in result if m.quantity != direct)]
        if name in self.sheet.series:  # what comes from outside for every step is no adjoint that the steps pass on
            result = [m for m in result if m.quantity not in [Adjoint(state) for state in self.carried]]
        if self.sheet.steps and not target and (final := _FINAL.match(name)):  # dh_last, dc_end: after the last step
            whole = self._plain(final[1], False)
            states = self.course.cell.states
            carried = [m.quantity.of for m in whole[:1] if isinstance(m.quantity, Adjoint) and m.quantity.of in states]
            result = [*(Meaning(Adjoint(of, "next"), 0.05) for of in carried), *result]
        if self.sheet.stepwise and OF_STEP.match(name):  # dL_t/dh_t beside dL/dh_t
            result = list(_of_one_step(result, self.course.cell)) or result
        if self.sheet.immediate and not name.startswith("d+"):
            over = [
                m for m in result if any(isinstance(n, Derivative) and n.kind == OVER_TIME for n in walk(m.quantity))
            ]
            result = over or result
        if order:
            return sorted([*result, *self.vocabulary.packing.together(name, order)], key=lambda m: m.cost)
        return result

    def _delta_beside(self, name: str) -> Iterator[Meaning]:
        """What `delta_c` means where `dc` stands beside it: the error of the candidate for that state."""
        of = bare(name).removeprefix("delta_")
        if of not in self.course.cell.states or of == bare(name) or f"d{of}" not in self._bare_names:
            return
        gates = self.vocabulary.gates
        for gate, state in gates.candidates():
            if state == of and gate in gates.preactivation:
                by = next((by for _, by, _ in timed(name)), 0) if "[" in name else 0
                yield Meaning(moved(Adjoint(gates.preactivation[gate]), by), 0.05)

    @cached_property
    def _bare_names(self) -> frozenset[str]:
        return frozenset(bare(name) for line in self.sheet.lines for name in (line.target, *filter(free, line.uses)))

    @cached_property
    def _three_matrices(self) -> bool:
        """Whether the sheet has U and W beside V, as cells with a layer behind them have."""
        return "h" in self.course.cell.states and len(self.course.cell.equations) < FEW and {"U", "W"} <= {
            part for name in self._bare_names for part in (name, name.rpartition("/d")[2], name[1:])
        }  # fmt: skip

    def _says_arguments(self, name: str) -> bool:
        """Whether the words of the sheet say that a name is an error at a preactivation."""
        starts = (f"{prefix}_" if len(prefix) == 1 else prefix for prefix in self.sheet.at_arguments)
        return bare(name).startswith(tuple(starts))

    def _at_arguments(self, found: Iterable[Meaning]) -> Iterator[Meaning]:
        """What names mean that are errors at the preactivations."""
        pres = self.vocabulary.preactivation
        for meaning in found:
            inner = meaning.quantity.arg if isinstance(meaning.quantity, Shift) else meaning.quantity
            if not (isinstance(inner, Adjoint) and inner.of in pres and inner.of not in self.course.cell.states):
                yield meaning

    def _is_alias(self, name: str, meaning: Meaning) -> bool:
        """Whether a name is an alias of a state that the sheet calls as the cell does, so that it is not meant."""
        inner = meaning.quantity.arg if isinstance(meaning.quantity, Shift) else meaning.quantity
        of = inner.id if isinstance(inner, Name) else inner.of if isinstance(inner, Adjoint) else ""
        state = of.removesuffix("_prev")
        return meaning.cost >= FAINT and state in self._states_spoken and state not in canonical(name)

    @cached_property
    def _states_spoken(self) -> frozenset[str]:
        """The states that lines read or give under the names that the cell has for them."""
        return self._bare_names & frozenset(self.course.cell.states)

    def _plain(self, name: str, target: bool) -> list[Meaning]:
        return self.vocabulary.targets(name) if target else self.vocabulary.readings(name)

    def _as_here(self, name: str, target: bool) -> list[Meaning]:
        """What a name may mean by the conventions of this sheet; worked out once."""
        known = self.course.found.setdefault("readings", {})
        sheet = self.sheet
        spoken = (self._states_spoken, self._three_matrices)
        conventions = (sheet.next_is_new, sheet.at_arguments, sheet.error_letters, spoken)
        key = (name, target, conventions, self.mirrored, self.learned)
        if key not in known:
            found = self._plain(name, target)
            if self.sheet.next_is_new and "next" in name:
                found = sorted(_as_new(found, self.course.cell), key=lambda m: m.cost)
            if name[:1] in self.sheet.error_letters and (of := self._plain(f"d{name[1:]}", target)):
                found = of
            found = [m for m in found if not self._is_alias(name, m)] or found
            if self._three_matrices and _OF_V.fullmatch(name):
                found = []  # that of the layer behind the cell
            if self._says_arguments(name):
                found = list(self._at_arguments(found))
            if gate := self.mirrored:
                found = [Meaning(self.vocabulary.gates.mirrored(m.quantity, gate), m.cost) for m in found]
            known[key] = found
        result: list[Meaning] = known[key]
        if "[" in name and bare(name) in self.sheet.assigned:  # what the sheet says at this step comes from no outside
            result = [m for m in result if not _from_outside(m.quantity)] or result
        return result

    def meaning(self, name: str, order: tuple[str, ...] = ()) -> Expr:
        """What a free name stands for, standing or lying as the sheet has it.

        Raises:
            Unknown: it may be anything.
        """
        if name in self.chosen:
            return self.laid(self.chosen[name])
        found = self.readings(name, order=order)
        if not found:
            raise Unknown(name)
        return self.laid(found[0].quantity)

    def laid(self, quantity: Expr) -> Expr:
        """A quantity, transposed where the sheet writes it lying."""
        if self.view.layout == SCALAR:
            return quantity
        try:
            turns = self.view.turns(self.course.right(quantity, self.view, NOW), quantity)
        except NO_VALUE:
            return quantity
        return Transpose(quantity) if turns else quantity


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


def _of_one_step(found: Iterable[Meaning], cell: Cell) -> Iterator[Meaning]:
    """What names mean of the loss of one step alone, where they are derivatives by what it reads."""
    for meaning in found:
        inner, by = (meaning.quantity.arg, meaning.quantity.by) if isinstance(meaning.quantity, Shift) else (
            meaning.quantity, 0)  # fmt: skip
        if isinstance(inner, Adjoint):
            of, by = (inner.of.removesuffix("_prev"), by - 1) if inner.of in cell.previous else (inner.of, by)
            if of in cell.seeded and inner.part in ("", "out"):
                yield Meaning(moved(Adjoint(of, "out"), by), meaning.cost)


def _from_outside(quantity: Expr) -> bool:
    inner = quantity.arg if isinstance(quantity, Shift) else quantity
    return isinstance(inner, Adjoint) and inner.part == "out"


def _is_by(node: Expr, of: str) -> bool:
    return isinstance(node, Adjoint | Total) and node.of == of
