"""What a name on a sheet may mean: the quantities of the derivation that people call so, the likeliest first.

A name says little: `df` may be dL/df or the error at the preactivation, `dc_next` what comes back from step t+1 or
the whole adjoint there, `W_f` one matrix or two that are packed. All of it is listed here, and proofs choose.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from derivations.cell import Cell, prev
from derivations.derive import Derivation, uses
from derivations.expression import (
    ONE,
    Adjoint,
    Call,
    Derivative,
    Expr,
    MatMul,
    Name,
    Neg,
    Shift,
    Stack,
    Total,
    Transpose,
    names,
    rewrite,
    walk,
)

AGO, NEXT = (
    "prev|previous|old|last|tm1|tminus1|t_minus_1|tm_1|minus1|prv|before|t_1",
    "next|tp1|tplus1|t_plus_1|nxt|plus1",
)
_AGO = re.compile(rf"(?:^|_)(?:{AGO})(?=_|$)")
_NEXT = re.compile(rf"(?:^|_)(?:{NEXT})(?=_|$)")
_GLUED = re.compile(r"^(d?)(prev|next)([A-Za-z]\w*)$|^(\w*?[A-Za-z])_?(prev|next)(t?)$")
_ERROR = (  # what stands around a name to say "the derivative of the loss by it"
    re.compile(r"^d(?:L|J|E|loss|cost|l)?_?(?:over_)?_?d_?(?P<rest>\w.*)$", re.IGNORECASE),
    re.compile(r"^d_?(?P<rest>\w.*)$"),
    re.compile(
        r"^(?:top_diff|bottom_diff|diff|delta|del|grad|gradient|g|nabla|adj|adjoint|bar|e|err|error|eps|epsilon|D"
        r"|varepsilon|zeta|dhat|hat_delta|delta_hat|deltahat|partial|up|upstream)_(?P<rest>\w.*)$"
    ),
    re.compile(r"^(?:delta|grad|Delta)(?P<rest>[A-Za-z]\w*)$"),
    re.compile(r"^(?P<rest>\w*?)_?(?:grad|gradient|bar|delta|diff|adj|adjoint|err|error|_d)$"),
)
_DIRECT = re.compile(
    r"d[yY]s?|e|g|gh|gy|dout|d[hH]s?_?(?:out|top|up|above|ext|loss|in)|dout_h|e_h|d?[hH]out|Delta|grad_y|ys?_grad"
)
_BARE = ("delta", "Delta", "error", "err", "epsilon", "varepsilon", "delta_hat", "delta_hat", "delta_bar")
_LOSSES = ("L", "J", "E", "loss", "Loss", "cost", "l", "ell", "objective", "err", "C", "LL", "total_loss")
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
}  # fmt: skip
_SLOPES = (
    "a", "z", "net", "s", "pre", "raw", "u", "p", "in", "hat", "input", "lin", "linear", "act", "preact", "logit",
    "arg", "gate", "gamma",
)  # fmt: skip
_INPUTS = ("xt", "input", "inputs", "xs", "features", "inp", "u", "X", "in", "e")


@dataclass(frozen=True)
class Meaning:
    """A quantity that a name may mean; the less it costs, the more people call it so."""

    quantity: Expr
    cost: float


def canonical(name: str) -> str:
    return name.replace("_", "").replace("{", "").replace("}", "").lower()


@dataclass(frozen=True)
class Vocabulary:
    """What the quantities of one cell are called."""

    derivation: Derivation

    @property
    def cell(self) -> Cell:
        return self.derivation.cell

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

    @cached_property
    def cores(self) -> dict[str, list[tuple[str, float]]]:
        """Canonical text -> our names, each with its cost."""
        found: dict[str, dict[str, float]] = {}

        def called(text: str, name: str, cost: float) -> None:
            known = found.setdefault(canonical(text), {})
            known[name] = min(cost, known.get(name, cost))

        cell = self.cell
        for name in (*cell.defined, *cell.inputs, *cell.targets, *cell.parameters):
            called(name, name, 0)
        for equation in cell.equations:
            name, label = equation.target, equation.label.lower()
            for word in label.split():
                for alias in _WORDS.get(word, ()):
                    called(alias, name, 2)
                    called(f"b_{alias}", name, 2.2)
            if equation.auto or name not in self.preactivation:
                continue
            pre = self.preactivation[name]
            for alias in (name, *(a for w in label.split() for a in _WORDS.get(w, ()))):
                cost = 1 if alias == name else 2.5
                for mark in _SLOPES:
                    called(f"{mark}_{alias}", pre, cost)
                    called(f"{alias}_{mark}", pre, cost)
                called(f"{alias}_bar", pre, 2.5)
                called(f"{alias}_hat", pre, 2)
                called(f"{alias}_tilde", pre, 2.5)
        for name, state in self._candidates():
            for mark in ("tilde", "hat", "bar", "cand", "tld", "new", "prime", "candidate", "dash", "til", "wave"):
                for alias in (state, *("C" * (state == "c"))):
                    called(f"{alias}_{mark}", name, 0.5)
                    called(f"{mark}_{alias}", name, 0.5)
                    called(f"{alias}{mark}", name, 0.5)
            for alias in (f"{state}{state}", f"{state}{state}t", "candidate", "cand", f"{state}c", f"{state}t"):
                called(alias, name, 1.5)
            if name in self.preactivation:
                for mark in (f"{state}_tilde", f"{state}_hat", f"{state}_bar", f"{state}c", f"{state}{state}", state):
                    for slope in ("a", "z", "net", "pre"):
                        called(f"{slope}_{mark}", self.preactivation[name], 2)
        pres = [e.target for e in cell.equations if e.auto and e.target in self.activation]
        if len(pres) == 1:
            for alias in (*_SLOPES, "tanh", "h_raw", "raw", "pre", "zt", "at", "z", "a", "b"):
                called(alias, pres[0], 2)
        for name in cell.inputs:
            for alias in _INPUTS:
                called(alias, name, 2)
        for state in cell.states[:1]:
            for alias in ("a", "s", "hid", "hidden", "ht", "hs"):
                called(alias, state, 2)
        for state in cell.states[1:2]:
            for alias in ("s", "cell", "memory", "ct", "cs", "mem"):
                called(alias, state, 2)
        for text, name, cost in self._parameters():
            called(text, name, cost)
        return {text: sorted(known.items(), key=lambda pair: pair[1]) for text, known in found.items()}

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

    def _candidates(self) -> Iterator[tuple[str, str]]:
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

    def _gates(self, target: str) -> list[str]:
        """What people call the gate that a preactivation is of."""
        gate = self.activation.get(target, target)
        result = [gate]
        if self.cell.defined and gate in self.cell.defined:
            for word in self.cell.equation(gate).label.lower().split():
                result += _WORDS.get(word, ())[:3]
        result += [state for name, state in self._candidates() if name == gate]
        if gate not in self.preactivation:  # a linear part of a candidate, as in a GRU
            for above, pre in self.preactivation.items():
                if gate in names(self.cell.equation(pre).rhs):
                    result += self._gates(above)
        return list(dict.fromkeys(result))

    def _parameters(self) -> Iterator[tuple[str, str, float]]:
        cell = self.cell
        biases = [p for p, (_, v) in self.roles.items() if not v]
        feeds = {v: [p for p, (_, w) in self.roles.items() if w == v] for _, v in self.roles.values()}
        for name, (target, vector) in self.roles.items():
            gates = self._gates(target)
            base = vector.removesuffix("_prev")
            recurrent = vector in cell.previous
            if not vector:
                for gate in gates:
                    for text in (f"b{gate}", f"bias{gate}", f"b{gate}b", f"{gate}b", f"{gate}bias"):
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
                for letter in ("U", "R", "Wh", "Wrec", "Whh", "Waa", "Wr") if recurrent else ("W", "Wx", "Win", "Wih"):
                    yield letter, name, 0.9
                yield "W" if recurrent else "U", name, 1.2
                if recurrent:
                    yield "V", name, 1.6

    # --- a name ----------------------------------------------------------------------------------------------

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
        return [(ours, cost + 0.3 * (small(ours) and ours != core)) for ours, cost in found]

    def packed(self, core: str) -> Iterator[Meaning]:
        """One name for several matrices beside one another: `W_f @ [h_prev; x]`."""
        match = re.fullmatch(r"[WwKUV](?:eights?|eight)?_?(?P<gate>\w+?)_?", core)
        gate = match["gate"] if match else ""
        for target in dict.fromkeys(target for target, _ in self.roles.values()):
            if gate and any(canonical(gate) in (canonical(g), canonical(g) + "t") for g in self._gates(target)):
                parts = {v: p for p, (t, v) in self.roles.items() if t == target and v}
                before = [v for v in parts if v in self.cell.previous]
                inputs = [v for v in parts if v not in self.cell.previous]
                if before and inputs:
                    for k, order in enumerate(((*before, *inputs), (*inputs, *before))):
                        columns = tuple(Transpose(Name(parts[v])) for v in order)
                        yield Meaning(Transpose(Stack(columns)), 1.2 + k / 10)

    def together(self, name: str, order: tuple[str, ...]) -> list[Meaning]:
        """One name for what belongs to several gates, in an order that the sheet has: `Wx`, `dWh`, `b`."""
        found: list[Meaning] = []
        for rest, adjoint in ((name, False), *((rest, True) for rest, _ in _of_loss(name, self.cell.outputs[0]))):
            match = re.fullmatch(r"(?:(?P<bias>b|bias|B)|(?:[WwUKRV]|weights?|kernel))_?(?P<source>[A-Za-z]*)", rest)
            if not match:
                continue
            wanted = match["source"].lower()
            for vector in dict.fromkeys(v for _, v in self.roles.values()):
                recurrent = vector in self.cell.previous
                letters = {"h", "hh", "rec", "a", "r"} if recurrent else {"x", "ih", "i", "in", "xh", "input"}
                if bool(match["bias"]) != (vector == "") or (vector and wanted and wanted not in letters):
                    continue
                parts = [next((p for p, r in self.roles.items() if r == (gate, vector)), None) for gate in order]
                if None not in parts:
                    each = tuple(Adjoint(p) if adjoint else Name(p) for p in parts if p)
                    found.append(Meaning(Stack(each), 1.0 + 0.3 * (not wanted and bool(vector))))
        return found

    def spelled(self, name: str) -> list[Meaning]:
        """The errors of all gates beside one another, where the name spells their order: `dicfo`, `d_ifog`."""
        found: list[Meaning] = []
        gates = {f: a for f, a in self.preactivation.items() if f not in self.cell.states}
        letters = {f: f for f in gates} | {state: f for f, state in self._candidates() if state not in gates}
        match = re.fullmatch(r"d(?:elta)?_?(?P<order>[a-z]+)", name)
        if match and len(gates) > 2 and len(match["order"]) == len(gates):
            order = [letters.get(letter) for letter in match["order"]]
            if None not in order and len(set(order)) == len(gates):
                found.append(Meaning(Stack(tuple(Adjoint(gates[f]) for f in order if f)), 0.5))
        return found

    def values(self, name: str) -> list[Meaning]:
        """The values of the step that a name may mean."""
        found: list[Meaning] = []
        for core, by, cost in _timed(name):
            for ours, more in self.known(core):
                if ours in self.cell.parameters:
                    if by == 0:
                        found.append(Meaning(Name(ours), cost + more))
                elif by == -1 and ours in self.cell.states:
                    found.append(Meaning(Name(prev(ours)), cost + more))
                else:
                    found.append(Meaning(_moved(Name(ours), by), cost + more))
            if by == 0:
                found += [Meaning(one.quantity, one.cost + cost) for one in self.packed(core)]
            if core[:1] == "a" and core[1:] in self.preactivation:  # the activated gate, as in CS231n's LSTM
                found.append(Meaning(_moved(Name(core[1:]), by), 1.5))
        return _cheapest(found)

    def errors(self, name: str) -> list[Meaning]:
        """The derivatives of the loss that a name may mean."""
        for of in self.cell.seeded:
            if name == f"d{of}_out":
                return [Meaning(Adjoint(of, "out"), 0)]
        found: list[Meaning] = []
        if _DIRECT.fullmatch(re.sub(r"\[t([+-]\d)?\]$", "", name)):
            _, by, _ = next(_timed(name))
            for of in self.cell.seeded[:1]:
                found += [Meaning(_moved(Adjoint(of, "out"), by), 1.2), Meaning(_moved(Adjoint(of), by), 1.3)]
        for rest, marked in _of_loss(name, self.cell.outputs[0]):
            for core, by, cost in _timed(rest):
                explicit = "[" in rest
                for ours, more in self.known(core):
                    found += self._adjoints(ours, by, _at_argument(name), cost + more + marked, explicit)
                if by == 0:
                    for one in self.packed(core):
                        found.append(Meaning(_adjoint_of(one.quantity), one.cost + cost + marked))
        return _cheapest(found)

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
            else:
                yield Meaning(whole, cost)
                if ours in cell.seeded:
                    yield Meaning(Adjoint(ours, "out"), cost + 0.5)
                yield Meaning(Adjoint(ours, "next"), cost + 0.8)
        else:
            if ours in cell.seeded:
                yield Meaning(_moved(Adjoint(ours, "out"), by), cost + 0.5)
            yield Meaning(_moved(Adjoint(ours), by), cost + 0.5 * (by != 0))  # it is states that are carried
        if ours in self.preactivation and (argument or ours not in cell.states):
            before = -0.05 if argument and ours not in cell.states else 0.2
            yield Meaning(_moved(Adjoint(self.preactivation[ours]), by), cost + before)

    def slopes(self, name: str) -> list[Meaning]:
        """The derivatives of one quantity by another that a name may mean: `dc/df`, `dh[t]/dh[t-1]`."""
        match = re.fullmatch(r"d_?(?P<of>[^/]+)/d_?(?P<wrt>[^/]+)", name)
        if not match or match["of"].split("[")[0].strip("_{}0123456789") in _LOSSES:
            return []
        found: list[Meaning] = []
        for of, by, cost in _timed(match["of"]):
            for wrt, back, more in _timed(match["wrt"]):
                for above, a in self.known(of):
                    for below, b in self.known(wrt):
                        name_ = prev(below) if back - by == -1 and below in self.cell.states else below
                        if above in self.cell.defined and (
                            back == by or name_ != below or below in self.cell.parameters
                        ):
                            price = cost + more + a + b
                            found.append(Meaning(_moved(Derivative(above, name_, "total"), by), price))
        return _cheapest(found)

    def targets(self, name: str) -> list[Meaning]:
        """All that the left-hand side of a line may mean: what comes from outside is no line's."""
        found = self.readings(name)
        marked = bool(_NEXT.search(name) or re.search(r"next|\[t\+", name))
        kept = [m for m in found if marked or not (isinstance(m.quantity, Adjoint) and m.quantity.part)]
        for meaning in found:
            match meaning.quantity:
                case Adjoint(of, "next") if marked and "[" not in name:  # what the step before will call so
                    kept.append(Meaning(Adjoint(prev(of)), meaning.cost + 0.03))
        return _cheapest(kept)

    def readings(self, name: str) -> list[Meaning]:
        """All that a name may mean, the likeliest first."""
        name = re.sub(r"_(?:list|seq|all|arr|array)(?=\[|$)", "", name)
        named = self.slopes(name) or self.spelled(name)
        if named or "/" in name:
            return named or self.errors(name)
        values, errors = self.values(name), self.errors(name)
        if values and values[0].cost == 0:
            return values
        return _cheapest([*(Meaning(m.quantity, m.cost + 0.1) for m in values), *errors])


def _at_argument(name: str) -> bool:
    """Whether a name is of the kind that stands for the error at a preactivation: delta_f."""
    return bool(re.match(r"(?:delta|Delta|epsilon|eps|err|error)", name)) or name.endswith("_delta")


def _adjoint_of(packed: Expr) -> Expr:
    """The gradient of packed matrices, packed alike."""
    return rewrite(packed, lambda node: Adjoint(node.id) if isinstance(node, Name) else None)


def _moved(quantity: Expr, by: int) -> Expr:
    return Shift(quantity, by) if by else quantity


def _timed(name: str) -> Iterator[tuple[str, int, float]]:
    """A name without its time mark, and the step that the mark says."""
    if match := re.search(r"\[t([+-]\d)\]$", name):
        yield name[: match.start()], int(match[1]), 0
        return
    if match := re.search(r"\[([0T])\]$|_([0T])$", name):
        which = match[1] or match[2]
        yield name[: match.start()], -1 if which == "0" else 0, 0.5
        return
    yield name, 0, 0
    for pattern, by in ((_AGO, -1), (_NEXT, 1)):
        if match := pattern.search(name):
            rest = (name[: match.start()] + name[match.end() :]).strip("_")
            if rest:
                yield rest, by, 0
    if match := _GLUED.match(name):
        if match[3]:
            yield match[1] + match[3], -1 if match[2] == "prev" else 1, 0
        else:
            yield match[4], -1 if match[5] == "prev" else 1, 0


def _of_loss(name: str, output: str) -> Iterator[tuple[str, float]]:
    """What a name says that the loss is differentiated by."""
    if match := re.fullmatch(r"d_?(?P<of>[^/]+)/d_?(?P<wrt>[^/]+)", name):
        if match["of"].split("[")[0].strip("_{}0123456789") in _LOSSES:
            yield match["wrt"], 0
        return
    head, _, tail = name.partition("[")
    if head in _BARE:
        yield f"{output}[{tail}" if tail else output, 0.1
        return
    tail = f"[{tail}" if tail else ""
    if not tail and (match := re.fullmatch(rf"(?P<inner>\w+_bar|\w+_grad|\w+_delta)_(?P<mark>{AGO}|{NEXT})", head)):
        for rest, cost in _of_loss(match["inner"], output):
            yield f"{rest}_{match['mark']}", cost
    for k, pattern in enumerate(_ERROR):
        if match := pattern.match(head):
            yield match["rest"] + tail, k / 20
    if match := re.match(r"^(?P<mark>prev|next)_(?P<rest>d.*)$", head):
        yield f"{match['mark']}_{match['rest'][1:]}", 0.1


def _cheapest(found: Iterable[Meaning]) -> list[Meaning]:
    """Each quantity once, by cost."""
    best: dict[Expr, float] = {}
    for one in found:
        best[one.quantity] = min(one.cost, best.get(one.quantity, one.cost))
    return [Meaning(quantity, cost) for quantity, cost in sorted(best.items(), key=lambda pair: pair[1])]


def is_state(quantity: Expr, cell: Cell) -> bool:
    return any(isinstance(node, Name) and node.id in cell.states for node in walk(quantity))
