"""Names for several things at once: matrices beside one another, and the errors of all gates in an order."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from derivations.expression import Adjoint, Expr, Name, Outer, Shift, Stack, TimeSum, Transpose, rewrite
from derivations.marking.callings import Callings
from derivations.marking.gates import Gates
from derivations.marking.meaning import Meaning
from derivations.marking.name_marks import canonical, of_loss

_TOGETHER = re.compile(r"(?:(?P<bias>b|bias|B)|(?P<letter>[WwUKRV]|weights?|kernel))_?(?P<source>[A-Za-z]*)")
_RECURRENT = {"h", "hh", "rec", "a", "r"}
_INPUT = {"x", "ih", "i", "in", "xh", "input"}
_JOINED = {"z", "zt", "concat", "cat", "xh", "hx", "xc", "combined", "inp", "v", "zs", "concatenated", "stacked", "X"}
_BOTH = {"", "hx", "xh", "ax", "all", "cat", "gates"}


@dataclass(frozen=True)
class Packing:
    """What is packed on sheets, for one cell."""

    callings: Callings

    @property
    def gates(self) -> Gates:
        return self.callings.gates

    def packed(self, core: str) -> Iterator[Meaning]:
        """One name for several matrices beside one another: `W_f @ [h_prev; x]`."""
        match = re.fullmatch(r"[WwKUV](?:eights?|eight)?_?(?P<gate>\w+?)_?", core)
        gate = canonical(match["gate"]) if match else ""
        targets = list(dict.fromkeys(target for target, _ in self.gates.roles.values()))
        if len(targets) == 1 and re.fullmatch(r"[WwKUV]|[Ww]eights?|kernel", core):
            yield from (Meaning(beside, 1.5 + k / 10) for k, beside in enumerate(self._beside(targets)))
        for target in targets:
            words = map(canonical, self.callings.words_for(target))
            if gate and any(gate in (word, word + "t") for word in words):
                for k, beside in enumerate(self._beside([target])):
                    yield Meaning(beside, 1.2 + k / 10)

    def joined(self, core: str) -> Iterator[Meaning]:
        """One name for the state before and the input below one another: `z = [h_prev; x]`."""
        if core in _JOINED and len(self.callings.cell.inputs) == 1:
            vectors = (Name(self.callings.cell.previous[0]), Name(self.callings.cell.inputs[0]))
            yield Meaning(Stack(vectors), 1.95)
            yield Meaning(Stack(vectors[::-1]), 2.0)

    def _beside(self, targets: Sequence[str]) -> Iterator[Expr]:
        """The weights of targets below one another, those of the states and of the inputs side by side."""
        rows = [{v: p for p, (t, v) in self.gates.roles.items() if t == target and v} for target in targets]
        before = [v for v in rows[0] if v in self.callings.cell.previous]
        inputs = [v for v in rows[0] if v not in self.callings.cell.previous]
        if before and inputs and all(set(row) == set(rows[0]) for row in rows):
            for order in ((*before, *inputs), (*inputs, *before)):
                each = tuple(Transpose(Stack(tuple(Transpose(Name(row[v])) for v in order))) for row in rows)
                yield Stack(each) if len(each) > 1 else each[0]

    def sides(self, order: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """For each vector that weights multiply, what it feeds, a target for each gate in an order.

        In a GRU the input and the state before feed the candidate by different sums.
        """
        found: dict[str, tuple[str, ...]] = {}
        for vector in dict.fromkeys(v for _, v in self.gates.roles.values() if v and order):
            fed = [t for t, v in self.gates.roles.values() if v == vector]
            row = tuple(next((t for t in fed if self.gates.gate_of(t) == gate), "") for gate in order)
            if all(row):
                found[vector] = row
        return found

    def errors_beside(self, order: tuple[str, ...]) -> list[Meaning]:
        """The errors of all gates beside one another, in an order: of what the input feeds, and of what the state."""
        rows = dict.fromkeys(self.sides(order).values())
        return [Meaning(Stack(tuple(Adjoint(target) for target in row)), 1.0) for row in rows]

    def together(self, name: str, order: tuple[str, ...]) -> list[Meaning]:
        """One name for what belongs to several gates, in an order that the sheet has: `Wx`, `dWh`, `b`."""
        found: list[Meaning] = []
        readings = ((rest, True) for rest, _ in of_loss(name, self.callings.cell.states[0]))
        for rest, adjoint in ((name, False), *readings):
            match = _TOGETHER.fullmatch(rest)
            if match:
                source = match["source"].lower()
                for packed, cost in self._together(bool(match["bias"]), match["letter"] or "", source, order):
                    found.append(Meaning(adjoint_of(packed) if adjoint else packed, cost))
        return found

    def _together(self, bias: bool, letter: str, source: str, order: tuple[str, ...]) -> Iterator[tuple[Expr, float]]:
        sides = self.sides(order)
        for vector, row in sides.items():
            recurrent = vector in self.callings.cell.previous
            letters = _RECURRENT if recurrent else _INPUT
            unusual = not source and not bias and (letter in ("U", "R")) != recurrent  # U beside W is of the state
            if not source or source in letters:
                parts = [self._parameter(target, "" if bias else vector) for target in row]
                if all(parts):
                    yield Stack(tuple(Name(part) for part in parts)), 1.0 + 0.3 * (not source) + 0.02 * unusual
        if not bias and source in _BOTH and len(set(sides.values())) == 1:
            for k, beside in enumerate(self._beside(next(iter(sides.values())))):
                yield beside, 1.35 + k / 20

    def _parameter(self, target: str, vector: str) -> str:
        return next((p for p, role in self.gates.roles.items() if role == (target, vector)), "")

    def spelled(self, name: str) -> list[Meaning]:
        """The errors of all gates beside one another, where the name spells their order: `dicfo`, `d_ifog`."""
        found: list[Meaning] = []
        gates = {gate: self.gates.preactivation[gate] for gate in self.gates.names}
        letters = {f: f for f in gates} | {state: f for f, state in self.gates.candidates() if state not in gates}
        match = re.fullmatch(r"d(?:elta)?_?(?P<order>[a-z]+)", name)
        if match and len(gates) > 2 and len(match["order"]) == len(gates):
            order = [letters.get(letter) for letter in match["order"]]
            if None not in order and len(set(order)) == len(gates):
                found.append(Meaning(Stack(tuple(Adjoint(gates[f]) for f in order if f)), 0.5))
        return found


def factored(gates: Gates, quantity: Expr) -> Expr | None:
    """The gradients of packed parameters as one product: the errors beside one another, times what they multiply."""
    match quantity:
        case Shift(arg, by):
            inner = factored(gates, arg)
            return None if inner is None else Shift(inner, by)
        case TimeSum(arg):
            inner = factored(gates, arg)
            return None if inner is None else TimeSum(inner)
        case Stack(parts):
            roles = [gates.roles.get(part.of) if isinstance(part, Adjoint) else None for part in parts]
            vectors = {role[1] for role in roles if role}
            if len(vectors) == 1 and None not in roles:
                errors = Stack(tuple(Adjoint(role[0]) for role in roles if role))
                vector = vectors.pop()
                return Outer(errors, Name(vector)) if vector else errors
    return None


def adjoint_of(packed: Expr) -> Expr:
    """The gradient of packed matrices, packed alike."""
    return rewrite(packed, lambda node: Adjoint(node.id) if isinstance(node, Name) else None)
