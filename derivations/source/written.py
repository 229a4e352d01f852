"""What was followed, written as a cell: which definitions become equations, and what everything is called."""

import ast
import re
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from derivations.build import build
from derivations.cell import Cell, CellError, Draft, Equation, prev
from derivations.expression import Add, Call, Div, Expr, Name, Neg, Num, Transpose, names, rewrite, walk
from derivations.python_operators import place
from derivations.source.blocks import Blocks, Key, written
from derivations.source.follow import Follower
from derivations.source.naming import Names, legal, printable, timeless
from derivations.source.roles import GENERIC, Roles, State, base, names_of
from derivations.source.values import Block, Cut


class Written:
    """What was followed, written as a cell: which definitions become equations, and what everything is called."""

    def __init__(self, follower: Follower, roles: Roles, name: str) -> None:
        self.follower, self.roles, self.name = follower, roles, name
        if not roles.states:
            raise CellError("nothing is carried from one step to the next; a cell has a state")
        if not roles.inputs:
            raise CellError("no input is read; a cell reads one at every step")
        roots = [state.new for state in roles.states]
        vectors = [*(state.old.id for state in roles.states), *(one.id for one in roles.inputs)]
        self.blocks = Blocks(follower, vectors, [*roots, *roles.others])
        self.ends = [self.blocks.of(root) for root in roots]
        self.readouts = [self.blocks.of(other) for other in roles.others]
        self.blocks.check()
        self.keys = {written(key): key for key in sorted(self.blocks.settled, key=lambda key: int(key[0][1:]))}
        self.names = Names()
        self.said: dict[str, str] = {}  # what the code calls it, for the report

    def cell(self, function: str, node: ast.AST) -> Cell:
        exprs = self._inlined()
        target = self._names(exprs)
        places = self._places(target)
        equations: list[Equation] = []
        for id_, expr in exprs.items():
            equations.append(Equation(target[id_], self._renamed(expr, target), line=self._at(id_)[0]))
        done = {e.target for e in equations}
        for state, end in zip(self.roles.states, self.ends, strict=True):
            name = self.states[state.old.id]
            if name not in done:
                equations.append(Equation(name, self._renamed(end, target), line=state.old.at[0]))
        equations = self._blocks_last(equations)
        source = Path(self.follower.file.source).name
        inputs = tuple(target[one.id] for one in self.roles.inputs)
        draft = Draft(
            name=legal(self.name),
            title=printable(f"{function} of {source}"),
            comment="\n".join(self._report(target)),
            declared={
                "input": inputs,
                "state": tuple(self.states.values()),
                "param": tuple(
                    target[written((id_, chain))] for id_, chain in self.blocks.parts if id_ not in self.outside
                ),
            },
            equations=tuple(equations),
            places=places,
        )
        at = place(node)
        try:
            return build(draft)
        except CellError as error:
            raise CellError(f"as a cell: {error.message}", error.line or at[0], error.column) from None

    # which definitions are equations

    def _inlined(self) -> dict[str, Expr]:
        """The equations to write, by key: what has a name, and what is read more than once."""
        settled = {id_: self.blocks.settled[key] for id_, key in self.keys.items()}
        uses = Counter(name for expr in (*settled.values(), *self.ends, *self.readouts) for name in _every_name(expr))
        ends = {end.id for end in (*self.ends, *self.readouts) if isinstance(end, Name)}
        kept: dict[str, Expr] = {}
        table: dict[Expr, Expr] = {}
        wanted = Counter(self._own_name(id_) for id_ in settled)
        for id_, expr in settled.items():
            whole = _joined(rewrite(expr, table.get))
            alone = wanted[self._own_name(id_)] == 1 or self._depth(id_) == 0
            named = self._own_name(id_) and alone
            if id_ not in ends and (_trivial(whole) or (not named and uses[id_] < 2)):
                table[Name(id_)] = whole
            else:
                kept[id_] = whole
        self.ends = [_joined(rewrite(end, table.get)) for end in self.ends]
        self.readouts = [_joined(rewrite(end, table.get)) for end in self.readouts]
        return kept

    def _own_name(self, id_: str) -> str:
        one, chain = self.keys[id_]
        held = self.follower.defined[one].names
        return min(held)[1] if held and not chain else ""

    def _depth(self, id_: str) -> int:
        held = self.follower.defined[self.keys[id_][0]].names
        return min(held)[0] if held else 99

    # names

    def _names(self, exprs: dict[str, Expr]) -> dict[str, str]:
        """A name of the cell for each key: the code's own wherever the cell language allows it."""
        target: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.outside = {one.id for one in self.roles.inputs} | {state.old.id for state in self.roles.states}
        for state in self.roles.states:
            name = self.names.unique(legal(self._state_name(state)))
            self.states[state.old.id] = name
            self.names.timeless.add(name)
            self.said[name] = state.old.names()[0]
        for state, end in zip(self.roles.states, self.ends, strict=True):
            target[state.old.id] = prev(self.states[state.old.id])
            if isinstance(end, Name) and end.id in exprs and end.id not in target:
                target[end.id] = self.states[state.old.id]
        for expr, called in [
            *zip(self.ends, self.states.values(), strict=True),
            *((expr, legal(self._own_name(id_) or "v")) for id_, expr in exprs.items()),
        ]:
            self.names.reserve(called, exprs[expr.id] if isinstance(expr, Name) and expr.id in exprs else expr)
        for one in self.roles.inputs:
            called = one.names()[0]
            target[one.id] = self.names.unique(legal(base(called) if base(called) != called else called))
            self.names.timeless.add(target[one.id])
            self.said[target[one.id]] = one.names()[0]
        for key in self.blocks.parts:
            if key[0] not in self.outside:
                called = self._parameter_name(key)
                target[written(key)] = self.names.unique(legal(called))
                self.said[target[written(key)]] = called
        for id_ in exprs:
            if id_ not in target:
                called = (
                    self._own_name(id_)
                    or self.follower.defined[self.keys[id_][0]].spare
                    or ("y" if Name(id_) in self.readouts else "v")
                )
                target[id_] = self.names.unique(legal(timeless(called, self.names.taken)))
                self.said[target[id_]] = called
        return target

    def _state_name(self, state: State) -> str:
        """What both sides are called; otherwise what the new value is, or the old."""
        old = [base(name) for name in state.old.names()]
        new = [base(name) for name in names_of(self.follower, state.new)] if isinstance(state.new, Name) else []
        both = [name for name in old if name in new]
        specific = [name for name in (*both, *old, *new) if name not in GENERIC and not re.search(r"\[\d+\]$", name)]
        return (both or specific or old)[0] if both and both[0] not in GENERIC else (specific or old)[0]

    def _parameter_name(self, key: Key) -> str:
        """`W_ih` in parts is `W_ih_i`, `W_ih_f`: what the code calls each part comes behind."""
        given = self.follower.given[key[0]]
        own = given.aliases[0] if given.above and given.aliases and not given.attribute else given.name
        if not key[1]:
            return own
        direct = self._alias(key)
        if direct:
            return direct
        called = self.blocks.parts[key] or "part"
        words = called.split("_")
        while len(words) > 1 and words[0] in own.split("_"):
            words = words[1:]
        return f"{own}_{'_'.join(words)}"

    def _alias(self, key: Key) -> str:
        """The name that the code gives a part by itself: `W_i, W_f = W.chunk(2)`."""
        for one in self.follower.defined.values():
            if isinstance(one.expr, Block) and (one.names or one.spare) and self.blocks.key_of(one.expr) == key:
                return min(one.names)[1] if one.names else one.spare
        return ""

    def _renamed(self, expr: Expr, target: dict[str, str]) -> Expr:
        return rewrite(expr, lambda node: Name(target[node.id]) if isinstance(node, Name) else None)

    # places and words

    def _at(self, id_: str) -> tuple[int, int]:
        key = self.keys.get(id_)
        return self.follower.defined[key[0]].at if key else (0, 0)

    def _places(self, target: dict[str, str]) -> dict[str, tuple[int, int]]:
        found = {}
        for id_, name in target.items():
            bare = id_.partition("|")[0]
            one = self.follower.given.get(bare) or self.follower.defined.get(bare)
            if one is not None and not name.endswith("_prev"):
                found[name] = one.at
        return found

    def _blocks_last(self, equations: list[Equation]) -> list[Equation]:
        """What only a returned value besides the states reads is a readout."""
        states = set(self.states.values())
        needed: set[str] = set()
        by_target = {e.target: e for e in equations}
        waiting = list(states)
        while waiting:
            name = waiting.pop()
            if name not in needed and name in by_target:
                needed.add(name)
                waiting += names(by_target[name].rhs)
        step = [e for e in equations if e.target in needed]
        return [*step, *(replace(e, block="readout") for e in equations if e.target not in needed)]

    def _report(self, target: dict[str, str]) -> list[str]:
        """What was decided, for the reader."""
        inputs = ", ".join(target[one.id] for one in self.roles.inputs)
        lines = [
            f"Read from {printable(Path(self.follower.file.source).name)}; it was not run.",
            f"Input {inputs}; state {', '.join(self.states.values())}.",
        ]
        packed: dict[str, list[str]] = {}
        for id_, chain in sorted(self.blocks.parts, key=lambda key: [cut.start for cut in key[1]]):
            if chain:
                packed.setdefault(self.follower.given[id_].name, []).append(
                    f"{target[written((id_, chain))]} ({', '.join(map(self._part, chain))})"
                )
        for name, parts in packed.items():
            lines.append(f"{printable(name)} is packed: {', '.join(parts)}.")
        for state in self.roles.states:
            name = self.states[state.old.id]
            new = (
                [called for called in names_of(self.follower, state.new) if called != name]
                if isinstance(state.new, Name)
                else []
            )
            old = [called for called in state.old.names() if called not in (name, prev(name))]
            if new or old:
                now = ", ".join(dict.fromkeys(new)) or "the value returned"
                before = f"{prev(name)} is {', '.join(old)} in the code, " if old else "In the code "
                lines.append(printable(f"{before}{name} is {now}."))
        changed = [
            f"{name} is {printable(said)}"
            for name, said in self.said.items()
            if said != name and name not in self.states.values()
        ]
        if changed:
            lines.append(f"In the code {', '.join(changed)}.")
        return [*lines, *(f"{printable(note)}." for note in self.follower.notes)]

    def _part(self, cut: Cut) -> str:
        """A part in words: the second of four, or what the code counts in."""
        if cut.unit == "" and cut.stop is not None:
            count = 1 / (cut.stop - cut.start)
            return f"part {cut.start * count + 1} of {count}"
        unit = self.follower.given[cut.unit].name if cut.unit in self.follower.given else "" if cut.unit == "1" else "n"

        def end(number: Fraction | None) -> str:
            if not number:
                return "" if number is None else "0"
            return printable(unit if number == 1 and unit else f"{number}*{unit}" if unit else str(number))

        return f"[{end(cut.start)}:{end(cut.stop)}]"


def _joined(expr: Expr) -> Expr:
    """`(a + b) + c` as a + b + c: a sum that is written in steps is one sum; 1 / (1 + exp(-z)) as sigmoid(z)."""

    def rule(node: Expr) -> Expr | None:
        match node:
            case Div(Num(one), Add((Num(other), Call("exp", (Neg(z),))) | (Call("exp", (Neg(z),)), Num(other)))):
                if one == other == 1:
                    return Call("sigmoid", (_joined(z),))
        if isinstance(node, Add) and isinstance(node.terms[0], Add):
            first = node.terms[0]
            return _joined(Add((*first.terms, *node.terms[1:])))
        return None

    return rewrite(expr, rule)


def _every_name(expr: Expr) -> list[str]:
    return [node.id for node in walk(expr) if isinstance(node, Name)]


def _trivial(expr: Expr) -> bool:
    return isinstance(expr, (Name, Num)) or (isinstance(expr, Transpose) and isinstance(expr.arg, Name))
