"""The parts of a cell that people have words for: its gates, its candidates, and what each parameter feeds."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from derivations.cell import Cell
from derivations.derive import uses
from derivations.expression import ONE, Adjoint, Call, Expr, MatMul, Name, Neg, Total, names, rewrite, walk


@dataclass(frozen=True)
class Gates:
    """The gates of one cell, each with its preactivation."""

    cell: Cell

    @cached_property
    def preactivation(self) -> dict[str, str]:
        """Activation -> the preactivation in it."""
        found = {}
        for equation in self.cell.equations:
            match equation.rhs:
                case Call(_, (Name(id_),)) if id_ in self.cell.defined and self.cell.equation(id_).auto:
                    found[equation.target] = id_
        return found

    @cached_property
    def activation(self) -> dict[str, str]:
        return {a: f for f, a in self.preactivation.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """The gates and candidates, which are no states."""
        return tuple(gate for gate in self.preactivation if gate not in self.cell.states)

    def gate_of(self, name: str) -> str | None:
        """The gate that a name of the cell belongs to: itself, its preactivation, or a weight or bias that feeds it."""
        name = self.roles[name][0] if name in self.roles else name
        for family in self.families.values():
            name = next((gate for gate, member in family.items() if member == name), name)
        gate = self.activation.get(name, name)
        if gate not in self.preactivation:  # a linear part of a candidate, as in a GRU
            above = [g for g, pre in self.preactivation.items() if gate in names(self.cell.equation(pre).rhs)]
            gate = above[0] if len(above) == 1 and gate in self.cell.defined else gate
        return gate if gate in self.names else None

    @cached_property
    def families(self) -> dict[str, dict[str, str]]:
        """Names that the cell has for each of several gates: `l` for `l_f`, `l_i`, ... where it normalises them."""
        found: dict[str, dict[str, str]] = {}
        for name in (*self.cell.defined, *self.cell.parameters):
            stem, _, gate = name.rpartition("_")
            if stem and gate in self.cell.defined and name not in self.activation:
                found.setdefault(stem, {})[gate] = name
        several = {stem: members for stem, members in found.items() if len(members) > 1}
        return several if any(name in self.cell.defined for m in several.values() for name in m.values()) else {}

    @cached_property
    def mirrors(self) -> tuple[str, ...]:
        """The gates that stand beside one minus themselves: which of the two is the gate is a convention."""
        found = []
        for gate, pre in self.preactivation.items():
            rhs = [e.rhs for e in self.cell.equations if e.target != gate]
            inner = 1 - Name(gate)
            if any(inner in set(walk(expr)) for expr in rhs) and pre in self.cell.defined:
                found.append(gate)
        return tuple(found)

    def mirrored(self, quantity: Expr, gate: str) -> Expr:
        """A quantity, where what is called the gate is one minus it: its preactivation has the other sign."""
        pre = self.preactivation[gate]
        turned = {pre, *(p for p, (target, _) in self.roles.items() if target == pre)}

        def rule(node: Expr) -> Expr | None:
            match node:
                case Name(id_) if id_ == gate:
                    return 1 - node
                case Name(id_) if id_ in turned:
                    return Neg(node)
                case Adjoint(of) | Total(of) if of == gate or of in turned:
                    return Neg(node)
            return None

        return rewrite(quantity, rule)

    def candidates(self) -> Iterator[tuple[str, str]]:
        """Activations by tanh that enter a state, with that state."""
        for state in self.cell.states:
            for name in names(self.cell.equation(state).rhs):
                if name in self.cell.defined:
                    rhs = self.cell.equation(name).rhs
                    if isinstance(rhs, Call) and rhs.function in ("tanh", "relu"):
                        yield name, state

    @cached_property
    def roles(self) -> dict[str, tuple[str, str]]:
        """Parameter -> (what it feeds, what it multiplies; "" for a bias)."""
        found: dict[str, tuple[str, str]] = {}
        for use in uses(self.cell):
            if use.name in self.cell.parameters and use.name not in found:
                match use.atom:
                    case MatMul(Name(use.name), Name(vector)):
                        found[use.name] = (use.target, vector)
                    case Name() if use.slope == ONE:
                        found[use.name] = (use.target, "")
        return found
