"""What people call the quantities of a cell, without marks for steps or derivatives: `f`, `forget`, `net_f`, `U_f`.

Each of our names is given with a cost: the less, the more people call it so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from derivations.cell import Cell
from derivations.expression import names
from derivations.marking.gates import Gates
from derivations.marking.name_marks import canonical

_WORDS = {
    "forget": ("forget", "forgetgate", "fgate", "gatef", "fg", "phi", "ft", "gf", "keep"),
    "input": ("input", "inputgate", "igate", "gatei", "ig", "iota", "it", "gi", "in"),
    "output": ("output", "outputgate", "ogate", "gateo", "og", "omega", "ot", "go", "out"),
    "reset": ("reset", "resetgate", "rgate", "gater", "rt", "gr"),
    "update": ("update", "updategate", "zgate", "gatez", "u", "zt", "gz"),
    "candidate": (
        "candidate", "cand", "gt", "cellcandidate", "newgate", "gg", "cc", "cct", "block", "blockinput", "new",
        "modulation", "inputmodulation", "cellgate", "a", "j",
    ),
    "cell": ("cell", "memory", "mem", "cellstate", "s"),
    "hidden": ("hidden", "hiddenstate", "a", "s", "activation"),
    "mean": ("mean", "mu", "avg"),
    "variance": ("var", "variance"),
    "deviation": ("std", "sd", "sigma", "stddev"),
}  # fmt: skip
_SLOPES = (
    "a", "z", "net", "s", "pre", "raw", "u", "p", "in", "hat", "input", "lin", "linear", "act", "preact", "logit",
    "arg", "gate", "gamma",
)  # fmt: skip
_INPUTS = ("xt", "input", "inputs", "xs", "features", "inp", "u", "X", "in", "e")


@dataclass(frozen=True)
class Callings:
    """What the quantities of a cell are called.

    Attributes:
        learned: words that a sheet itself has for quantities of the cell, by canonical text; they come first.
    """

    gates: Gates
    learned: tuple[tuple[str, str], ...] = ()

    @property
    def cell(self) -> Cell:
        return self.gates.cell

    @cached_property
    def cores(self) -> Mapping[str, list[tuple[str, float]]]:
        """Canonical text -> our names, each with its cost."""
        found: dict[str, dict[str, float]] = {}
        cell = self.cell
        plain = ((name, name, 0.0) for name in (*cell.defined, *cell.inputs, *cell.targets, *cell.parameters))
        for text, name, cost in (
            *plain, *self._labelled(), *self._candidates(), *self._vectors(), *self._parameters(), *self._of_families()
        ):  # fmt: skip
            known = found.setdefault(canonical(text), {})
            known[name] = min(cost, known.get(name, cost))
        if "eps" in cell.shapes:
            found |= {text: {"eps": 0.0} for text in ("epsilon", "varepsilon")}
        for text, name in self.learned:
            found[canonical(text)] = {name: -0.1}
        return {text: sorted(known.items(), key=lambda pair: pair[1]) for text, known in found.items()}

    def known(self, core: str) -> list[tuple[str, float]]:
        """Our names for a name without time marks; with a trailing t where that is the step."""
        found = self.cores.get(canonical(core), [])
        exact = [pair for pair in found if pair[0] == core]
        if exact:
            return exact + [(name, cost + 1) for name, cost in found if name != core and cost > 0]
        if core[-1:] in ("t", "s") and len(core) > 1:
            inner = self.cores.get(canonical(core[:-1]), [])
            if inner and (not found or inner[0][1] + 0.2 < found[0][1]):
                found = [(name, cost + 0.2) for name, cost in inner] + list(found)
        small = lambda ours: core[0].isupper() and ours not in self.cell.parameters  # noqa: E731 - a name for one line
        faint = core == "r" and 1.5  # R is a recurrent weight, r hardly
        return [
            (ours, cost + 0.3 * (small(ours) and ours != core) + faint * (ours in self.cell.parameters))
            for ours, cost in found
        ]

    def words_for(self, target: str) -> list[str]:
        """What people call the gate that a preactivation is of."""
        gate = self.gates.activation.get(target, target)
        result = [gate, *(word for word, ours in self.learned if ours == gate), *self._any(gate)]
        if self.cell.defined and gate in self.cell.defined:
            for word in self.cell.equation(gate).label.lower().split():
                result += _WORDS.get(word, ())[:3]
        result += [state for name, state in self.gates.candidates() if name == gate]
        if gate not in self.gates.preactivation:  # a linear part of a candidate, as in a GRU
            for above, pre in self.gates.preactivation.items():
                if gate in names(self.cell.equation(pre).rhs):
                    result += self.words_for(above)
        return list(dict.fromkeys(result))

    def _any(self, gate: str) -> tuple[str, ...]:
        """What stands for any gate, `W_k`: the first one is looked at."""
        first = next((e.target for e in self.cell.equations if e.target in self.gates.preactivation), "")
        return ("k",) if gate == first and "k" not in self.cell.shapes else ()

    # --- what is called so --------------------------------------------------------------------------------

    def _labelled(self) -> Iterator[tuple[str, str, float]]:
        """By the label of an equation: the forget gate and its preactivation."""
        for equation in self.cell.equations:
            name, label = equation.target, equation.label.lower()
            for word in label.split():
                for alias in _WORDS.get(word, ()):
                    yield alias, name, 2
                    yield f"b_{alias}", name, 2.2
            if equation.auto or name not in self.gates.preactivation:
                continue
            yield f"Gamma_{name}", name, 0.6  # as in Ng's course
            for mark in ("s", "act", "sig"):  # after its function
                yield f"{mark}_{name}", name, 1.6
            pre = self.gates.preactivation[name]
            own = [word for word, ours in self.learned if ours == name]
            yield from ((f"{word}_gate", name, 1) for word in own)
            for alias in (name, *own, *self._any(name), *(a for w in label.split() for a in _WORDS.get(w, ()))):
                cost = 1 if alias == name or alias in own else 2.5
                for mark in _SLOPES:
                    if mark == "gate" and len(alias) > 2:
                        continue  # `output_gate` is the gate
                    yield f"{mark}_{alias}", pre, cost
                    yield f"{alias}_{mark}", pre, cost
                for mark, least in (("bar", 2.5), ("hat", 2.0), ("tilde", 2.5)):
                    yield f"{alias}_{mark}", pre, 1.5 if alias in own else least

    def _of_families(self) -> Iterator[tuple[str, str, float]]:
        """By what a family of names has in common: `l` for one of `l_f`, `l_i`, ..., and `std_f` for `s_f`."""
        for stem, members in self.gates.families.items():
            for gate, name in members.items():
                yield stem, name, 2
                for word in self.cell.equation(name).label.lower().split() if name in self.cell.defined else ():
                    for alias in _WORDS.get(word, ()):
                        yield f"{alias}_{gate}", name, 1

    def _candidates(self) -> Iterator[tuple[str, str, float]]:
        for name, state in self.gates.candidates():
            for mark in ("tilde", "hat", "bar", "cand", "tld", "new", "prime", "candidate", "dash", "til", "wave"):
                for alias in (state, *("C" * (state == "c"))):
                    yield f"{alias}_{mark}", name, 0.5
                    yield f"{mark}_{alias}", name, 0.5
                    yield f"{alias}{mark}", name, 0.5
            for alias in (f"{state}{state}", f"{state}{state}t", "candidate", "cand", f"{state}c", f"{state}t"):
                yield alias, name, 1.5
            if name in self.gates.preactivation:
                for mark in (f"{state}_tilde", f"{state}_hat", f"{state}_bar", f"{state}c", f"{state}{state}", state):
                    for slope in ("a", "z", "net", "pre"):
                        yield f"{slope}_{mark}", self.gates.preactivation[name], 2

    def _vectors(self) -> Iterator[tuple[str, str, float]]:
        """The only preactivation, inputs and states."""
        cell = self.cell
        pres = [e.target for e in cell.equations if e.auto and e.target in self.gates.activation]
        if len(pres) == 1:
            for alias in (*_SLOPES, "tanh", "h_raw", "raw", "pre", "zt", "at", "z", "a", "b"):
                yield alias, pres[0], 2
        for name in cell.inputs:
            for alias in _INPUTS:
                yield alias, name, 2
        for state in cell.states[:1]:
            for alias in ("a", "s", "hid", "hidden", "ht", "hs", *("y" * ("y" not in cell.shapes))):
                yield alias, state, 2
        for state in cell.states[1:2]:
            for alias in ("s", "cell", "memory", "ct", "cs", "mem"):
                yield alias, state, 2

    def _parameters(self) -> Iterator[tuple[str, str, float]]:
        cell = self.cell
        behind = set(cell.readouts)
        biases = [p for p, (target, v) in self.gates.roles.items() if not v and target not in behind]
        feeds = {v: [p for p, (_, w) in self.gates.roles.items() if w == v] for _, v in self.gates.roles.values()}
        if "eps" in cell.parameters:
            yield "epsilon", "eps", 0.1
            yield "varepsilon", "eps", 0.1
        for name, (target, vector) in self.gates.roles.items():
            gates = self.words_for(target)
            base = vector.removesuffix("_prev")
            recurrent = vector in cell.previous
            if not vector:
                for gate in gates:
                    for text in (f"b{gate}", f"bias{gate}", f"b{gate}b", f"{gate}b", f"{gate}bias"):
                        yield text, name, 0.5
                    if target not in self.gates.activation:  # the second bias, within the reset gate
                        for text in (f"b{gate}2", f"b2{gate}", f"b{gate}h", f"c{gate}", f"bh{gate}"):
                            yield text, name, 0.5
                if len(biases) == 1:
                    yield "b", name, 0.5
                    yield "bias", name, 0.5
                    yield "ba", name, 1
                    yield "bh", name, 0.5
                continue
            sources = [base, *(["h", "a", "rec", "r"] if recurrent else ["x", "input"])]
            for gate in gates:
                for source in sources:
                    for letter in ("W", "U", "R", "V", "weight", "K", "T"):
                        yield f"{letter}{source}{gate}", name, 0.5
                        yield f"{letter}{gate}{source}", name, 0.6
                for letter in ("U", "R", "V", "Wh", "Wr") if recurrent else ("W", "Wx", "K", "Win"):
                    yield f"{letter}{gate}", name, 0.9
                yield f"{'W' if recurrent else 'U'}{gate}", name, 1.5
                if recurrent:
                    yield f"W{gate}{gate}", name, 1
            if len(feeds.get(vector, ())) == 1:
                own = ("U", "R", "Wh", "Wrec", "Whh", "Waa", "Wr") if recurrent else ("W", "Wx", "Win", "Wih", "Wi")
                for letter in own:
                    yield letter, name, 0.9
                yield "W" if recurrent else "U", name, 1.2
                if recurrent:
                    yield "V", name, 1.6
