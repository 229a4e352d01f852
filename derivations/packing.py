"""Names for several things at once: matrices beside one another, and the errors of all gates in an order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from derivations.callings import Callings
from derivations.expression import Adjoint, Expr, Name, Stack, Transpose, rewrite
from derivations.meaning import Meaning
from derivations.name_marks import canonical, of_loss


@dataclass(frozen=True)
class Packing:
    """What is packed on sheets, for one cell."""

    callings: Callings

    def packed(self, core: str) -> Iterator[Meaning]:
        """One name for several matrices beside one another: `W_f @ [h_prev; x]`."""
        match = re.fullmatch(r"[WwKUV](?:eights?|eight)?_?(?P<gate>\w+?)_?", core)
        gate = match["gate"] if match else ""
        for target in dict.fromkeys(target for target, _ in self.callings.gates.roles.values()):
            if gate and any(
                canonical(gate) in (canonical(g), canonical(g) + "t") for g in self.callings.words_for(target)
            ):
                parts = {v: p for p, (t, v) in self.callings.gates.roles.items() if t == target and v}
                before = [v for v in parts if v in self.callings.cell.previous]
                inputs = [v for v in parts if v not in self.callings.cell.previous]
                if before and inputs:
                    for k, order in enumerate(((*before, *inputs), (*inputs, *before))):
                        columns = tuple(Transpose(Name(parts[v])) for v in order)
                        yield Meaning(Transpose(Stack(columns)), 1.2 + k / 10)

    def together(self, name: str, order: tuple[str, ...]) -> list[Meaning]:
        """One name for what belongs to several gates, in an order that the sheet has: `Wx`, `dWh`, `b`."""
        found: list[Meaning] = []
        for rest, adjoint in (
            (name, False),
            *((rest, True) for rest, _ in of_loss(name, self.callings.cell.outputs[0])),
        ):
            match = re.fullmatch(r"(?:(?P<bias>b|bias|B)|(?:[WwUKRV]|weights?|kernel))_?(?P<source>[A-Za-z]*)", rest)
            if not match:
                continue
            wanted = match["source"].lower()
            for vector in dict.fromkeys(v for _, v in self.callings.gates.roles.values()):
                recurrent = vector in self.callings.cell.previous
                letters = {"h", "hh", "rec", "a", "r"} if recurrent else {"x", "ih", "i", "in", "xh", "input"}
                if bool(match["bias"]) != (vector == "") or (vector and wanted and wanted not in letters):
                    continue
                parts = [
                    next((p for p, r in self.callings.gates.roles.items() if r == (gate, vector)), None)
                    for gate in order
                ]
                if None not in parts:
                    each = tuple(Adjoint(p) if adjoint else Name(p) for p in parts if p)
                    found.append(Meaning(Stack(each), 1.0 + 0.3 * (not wanted and bool(vector))))
        return found

    def spelled(self, name: str) -> list[Meaning]:
        """The errors of all gates beside one another, where the name spells their order: `dicfo`, `d_ifog`."""
        found: list[Meaning] = []
        gates = {f: a for f, a in self.callings.gates.preactivation.items() if f not in self.callings.cell.states}
        letters = {f: f for f in gates} | {
            state: f for f, state in self.callings.gates.candidates() if state not in gates
        }
        match = re.fullmatch(r"d(?:elta)?_?(?P<order>[a-z]+)", name)
        if match and len(gates) > 2 and len(match["order"]) == len(gates):
            order = [letters.get(letter) for letter in match["order"]]
            if None not in order and len(set(order)) == len(gates):
                found.append(Meaning(Stack(tuple(Adjoint(gates[f]) for f in order if f)), 0.5))
        return found


def adjoint_of(packed: Expr) -> Expr:
    """The gradient of packed matrices, packed alike."""
    return rewrite(packed, lambda node: Adjoint(node.id) if isinstance(node, Name) else None)
