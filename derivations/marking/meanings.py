"""What a name on a sheet may mean: the quantities of the derivation that people call so, the likeliest first.

A name says little: `df` may be dL/df or the error at the preactivation, `dc_next` what comes back from step t+1 or
the whole adjoint there, `W_f` one matrix or two that are packed. All of it is listed here, and proofs choose.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from derivations.cell import Cell, prev
from derivations.derive import Derivation
from derivations.expression import Adjoint, Call, Derivative, Expr, MatMul, Name, Shift, Total, total
from derivations.marking.callings import Callings
from derivations.marking.gates import Gates
from derivations.marking.meaning import Meaning, cheapest, moved
from derivations.marking.name_marks import DIRECT, LOSSES, at_argument, of_loss, speaks_of_next, timed
from derivations.marking.packing import Packing, adjoint_of
from derivations.marking.world import OVER_TIME

_APPLIED = re.compile(r"(?:tanh|th)_?(?P<of>[A-Za-z]\w*)")


@dataclass(frozen=True)
class Vocabulary:
    """What the quantities of one cell are called.

    Attributes:
        learned: words that a sheet itself has for quantities of the cell.
    """

    derivation: Derivation
    learned: tuple[tuple[str, str], ...] = ()

    @property
    def cell(self) -> Cell:
        return self.derivation.cell

    @cached_property
    def gates(self) -> Gates:
        return Gates(self.cell)

    @cached_property
    def callings(self) -> Callings:
        return Callings(self.gates, self.learned)

    @cached_property
    def packing(self) -> Packing:
        return Packing(self.callings)

    @property
    def preactivation(self) -> dict[str, str]:
        return self.gates.preactivation

    def values(self, name: str) -> list[Meaning]:
        """The values of the step that a name may mean."""
        found: list[Meaning] = []
        for core, by, cost in timed(name):
            for ours, more in self.callings.known(core):
                if ours in self.cell.parameters:
                    if by == 0:
                        found.append(Meaning(Name(ours), cost + more))
                elif by == -1 and ours in self.cell.states:
                    found.append(Meaning(Name(prev(ours)), cost + more))
                else:
                    found.append(Meaning(moved(Name(ours), by), cost + more))
            if by == 0:
                packed = (*self.packing.packed(core), *self.packing.joined(core))
                found += [Meaning(one.quantity, one.cost + cost) for one in packed]
            if core[:1] == "a" and core[1:] in self.preactivation:  # the activated gate, as in CS231n's LSTM
                found.append(Meaning(moved(Name(core[1:]), by), 1.5))
        if not found and (match := _APPLIED.fullmatch(name)):  # tanh_c, where no line says what it is
            inner = self.values(match["of"])
            found += [Meaning(Call("tanh", (m.quantity,)), m.cost + 0.5) for m in inner if isinstance(m.quantity, Name)]
        return cheapest(found)

    def errors(self, name: str) -> list[Meaning]:
        """The derivatives of the loss that a name may mean."""
        for of in self.cell.seeded:
            if name == f"d{of}_out":
                return [Meaning(Adjoint(of, "out"), 0)]
        for state in self.cell.states:
            behind = [t.expr for t in self.derivation.adjoint_of[state].terms if t.via in self.cell.readouts]
            if name == f"d{state}_out" and behind:  # what the layer behind the cell sends
                return [Meaning(total(*behind), 0)]
        found: list[Meaning] = []
        if name in ("dnext", "dnxt"):  # of the first state, what is handed on
            return [Meaning(Adjoint(self.cell.states[0], "next"), 0.5)]
        for core, by, cost in timed(name):
            for of in self.cell.seeded[:1] if DIRECT.fullmatch(core) else ():
                if by == -1 and of in self.cell.states:
                    found.append(Meaning(Adjoint(prev(of)), 1.2 + cost))
                found += [Meaning(moved(Adjoint(of, "out"), by), 1.2), Meaning(moved(Adjoint(of), by), 1.3)]
        for rest, marked in of_loss(name, self.cell.states[0]):
            for core, by, cost in timed(rest):
                explicit = "[" in rest
                for ours, more in self.callings.known(core):
                    found += self._adjoints(ours, by, at_argument(name), cost + more + marked, explicit)
                if by == 0:
                    for one in self.packing.packed(core):
                        found.append(Meaning(adjoint_of(one.quantity), one.cost + cost + marked))
        return cheapest(found)

    def _adjoints(self, ours: str, by: int, argument: bool, cost: float, explicit: bool) -> Iterator[Meaning]:
        """The derivatives of the loss by one name.

        `argument` says that they may well be taken at the preactivation, `explicit` that the step is written out:
        what is at t+1 then is the whole, and not what comes back.
        """
        cell = self.cell
        if ours in cell.parameters:
            if by == 0:
                yield Meaning(Adjoint(ours), cost)
                yield Meaning(Total(ours), cost + 0.3)
            return
        if ours in cell.states:
            whole = Adjoint(ours)
            if by == -1:
                yield Meaning(Adjoint(prev(ours)), cost - 0.3 * (cost > 1.9))  # it is states that have a step before
                yield Meaning(Shift(whole, -1), cost + 0.3)
            elif by == 1:
                yield Meaning(Adjoint(ours, "next"), cost + 0.15 * explicit)
                yield Meaning(Shift(whole, 1), cost + 0.1)
            elif by:
                yield Meaning(Shift(whole, by), cost)
                yield Meaning(Shift(Adjoint(prev(ours)), by + 1), cost + 0.1)
            else:
                yield Meaning(whole, cost)
                if ours in cell.seeded:
                    yield Meaning(Adjoint(ours, "out"), cost + 0.5)
                yield Meaning(Adjoint(ours, "next"), cost + 0.8)
        else:
            if ours in cell.seeded:
                yield Meaning(moved(Adjoint(ours, "out"), by), cost + 0.5)
            yield Meaning(moved(Adjoint(ours), by), cost + 0.5 * (by != 0))  # it is states that are carried
        if ours in self.preactivation and (argument or ours not in cell.states):
            before = -0.05 if argument and ours not in cell.states else 0.2
            yield Meaning(moved(Adjoint(self.preactivation[ours]), by), cost + before)

    def slopes(self, name: str) -> list[Meaning]:
        """The derivatives of one quantity by another that a name may mean: `dc/df`, `dh[t]/dh[t-1]`."""
        match = re.fullmatch(r"d(?P<immediate>\+)?_?(?P<of>[^/]+)/d_?(?P<wrt>[^/]+)", name)
        if not match or match["of"].split("[")[0].strip("_{}0123456789") in LOSSES:
            return []
        found: list[Meaning] = []
        for of, by, cost in timed(match["of"]):
            for wrt, back, more in timed(match["wrt"]):
                for above, a in self.callings.known(of):
                    for below, b in self.callings.known(wrt):
                        if above == below and [above] == [*self.cell.states] and back < by - 1:
                            price = cost + more + a + b
                            found.append(Meaning(moved(_jacobians(above, by - back), by), price))
                            continue
                        name_ = prev(below) if back - by == -1 and below in self.cell.states else below
                        if above in self.cell.defined and (
                            back == by or name_ != below or below in self.cell.parameters
                        ):
                            price = cost + more + a + b
                            if below in self.cell.parameters:  # immediate, or through the steps before as well
                                over = moved(Derivative(above, name_, OVER_TIME), by)
                                found += () if match["immediate"] else [Meaning(over, price + 0.3)]
                            found.append(Meaning(moved(Derivative(above, name_, "total"), by), price))
        return cheapest(found)

    def targets(self, name: str) -> list[Meaning]:
        """All that the left-hand side of a line may mean: what comes from outside is no line's."""
        found = self.readings(name)
        marked = speaks_of_next(name)
        kept = [m for m in found if marked or not (isinstance(m.quantity, Adjoint) and m.quantity.part)]
        for meaning in found:
            match meaning.quantity:
                case Adjoint(of, "next") if marked and "[" not in name:  # what the step before will call so
                    kept.append(Meaning(Adjoint(prev(of)), meaning.cost + 0.03))
        return cheapest(kept)

    def readings(self, name: str) -> list[Meaning]:
        """All that a name may mean, the likeliest first."""
        name = re.sub(r"_(?:list|seq|all|arr|array)(?=\[|$)", "", name)
        named = self.slopes(name) or self.packing.spelled(name)
        if named or "/" in name:
            return named or self.errors(name)
        values, errors = self.values(name), self.errors(name)
        if values and values[0].cost == 0:
            return values
        return cheapest([*(Meaning(m.quantity, m.cost + 0.1) for m in values), *errors])


def _jacobians(state: str, count: int) -> Expr:
    """The derivative of the only state by itself some steps before: the newest Jacobian stands on the left."""
    jacobian = Derivative(state, prev(state), "total")
    product: Expr = jacobian
    for k in range(1, count):
        product = MatMul(product, moved(jacobian, -k))
    return product
