"""What a loop or a comprehension in a sheet in Python goes through, each round with the step of time that it is."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import ZERO
from derivations.marking.sheets.python_labels import row
from derivations.marking.sheets.walked import Items, Moment, Outside, Series, T

if TYPE_CHECKING:
    from derivations.marking.sheets.python import Walk

Round = tuple[int | None, Any]  # the step, where it is one of time, and what the round is given


class Rounds:
    """Goes through iterables for one `Walk`."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    def steps(self, rounds: list[Round], target: ast.expr) -> list[int | None]:
        """The step of each round, where these are steps of time: a loop over time starts then."""
        time = self.walk.time
        indices = [next((k for k in (g if isinstance(g, tuple) else (g,)) if isinstance(k, Moment)), None)
                   for _, g in rounds]  # fmt: skip
        counter = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
        known = [k for k in indices if k is not None]
        if rounds and len(known) == len(rounds) and isinstance(counter, ast.Name) and counter.id != "_":
            time.counts(max(known))
            return [time.counted(k) for k in known]
        if rounds and all(step is not None for step, _ in rounds):
            time.counts(T - 1)
            return [step for step, _ in rounds]
        return [None] * len(rounds)

    def through(self, node: ast.expr) -> list[Round] | None:
        """What a loop goes through; None for what it does not matter to walk.

        Raises:
            CellError: how often it runs is not known, or it is too often.
        """
        match node:
            case ast.Call(ast.Name("reversed"), [inner]):
                found = self.through(inner)
                return None if found is None else found[::-1]
            case ast.Subscript(inner, ast.Slice(None, None, ast.UnaryOp(ast.USub(), ast.Constant(1)))):
                found = self.through(inner)
                return None if found is None else found[::-1]
            case ast.Call(ast.Name("list" | "tuple" | "tqdm" | "trange" | "iter" | "sorted"), [inner, *_]):
                return self.through(inner)
            case ast.Call(ast.Name("range"), args):
                return self._range(args, node)
            case ast.Call(ast.Attribute(ast.Name("np" | "numpy" | "torch"), "arange"), args):
                return self._range(args, node)
            case ast.Call(ast.Name("enumerate"), [inner, *more]):
                items = self.through(inner)
                starts = [*more, *(k.value for k in node.keywords if k.arg == "start")]
                first = (self.walk.numbers.number(starts[0]) or 0) if starts else 0
                if items is None:
                    return None
                over_time = any(step is not None for step, _ in items)
                counted = [Moment(k + first) if over_time else k + first for k in range(len(items))]
                return [(step, (k, item)) for k, (step, item) in zip(counted, items, strict=True)]
            case ast.Call(ast.Name("zip"), inner) if inner:
                return self._zipped(inner)
            case ast.Call(ast.Attribute(inner, "items" | "keys" | "values" as method), []):
                return self._of_dictionary(inner, method)
        return self._members(self.walk.values.value(node), node)

    def is_of_keys(self, target: ast.expr, iterable: ast.expr, body: Sequence[ast.AST]) -> bool:
        """Whether a loop goes through the keys of what comes from outside: `for k in params: grads[k] ...`."""
        if not isinstance(iterable, ast.Name | ast.Attribute) or not isinstance(target, ast.Name):
            return False
        if not isinstance(self.walk.values.value(iterable), Outside):
            return False
        nodes = [inner for part in body for inner in ast.walk(part)]
        keys = [inner.slice for inner in nodes if isinstance(inner, ast.Subscript)]
        keys += [inner.key for inner in nodes if isinstance(inner, ast.DictComp)]
        return any(isinstance(key, ast.Name) and key.id == target.id for key in keys)

    def _zipped(self, inner: list[ast.expr]) -> list[Round] | None:
        rows = []
        for one in inner:
            if isinstance(one, ast.Starred):
                return None
            found = self.through(one)
            if found is None:
                return None
            rows.append(found)
        joined = zip(*rows, strict=False)
        return [(next((s for s, _ in row if s is not None), None), tuple(v for _, v in row)) for row in joined]

    def _range(self, args: list[ast.expr], node: ast.expr) -> list[Round]:
        numbers = [self.walk.numbers.number(arg) for arg in args]
        unknown = {part.id for arg in args for part in ast.walk(arg)
                   if isinstance(part, ast.Name) and part.id not in self.walk.scope}  # fmt: skip
        if None in numbers and len(unknown) == 1 and len(args) == 3:  # what is counted down from is the number of steps
            self.walk.scope[unknown.pop()] = Moment(T)
            numbers = [self.walk.numbers.number(arg) for arg in args]
        if any(n is None for n in numbers):
            raise CellError("how often this runs is not known", node.lineno, node.col_offset + 1)
        ends = [int(n) for n in numbers if n is not None]
        literal = not any(isinstance(n, Moment) for n in numbers)
        found = range(*ends)
        if literal and 4 < len(found) <= 4 * T:  # a few steps stand for as many as are written
            step = found.step
            found = range(found[-1] - (T - 1) * step, found[-1] + step, step) if step < 0 else found[:T]
        if len(found) > 4 * T:
            raise CellError("a loop that is longer than the walk over time", node.lineno, node.col_offset + 1)
        if literal and len(found) != T:
            return [(None, k) for k in found]
        return [(None, Moment(k)) for k in found]

    def _of_dictionary(self, inner: ast.expr, method: str) -> list[Round] | None:
        held = self.walk.values.value(inner)
        if not isinstance(held, Items) or not held.known:
            return None
        match method:
            case "keys":
                return [(None, key) for key in held.known]
            case "values":
                return [(None, value) for value in held.known.values()]
        return [(None, pair) for pair in held.known.items()]

    def _members(self, held: Any, node: ast.expr) -> list[Round] | None:
        match held:
            case str():
                return [(None, letter) for letter in held]
            case tuple():
                return self._of_tuple(held)
            case Series(members, steps):
                return list(zip(steps, members, strict=True))
            case Items(known=known, listed=False, steps=steps) if known and not any(isinstance(k, int) for k in known):
                return [(None, key) for key in known]
            case Items(known=known) if known:
                ordered = held.in_order()
                if ordered is None:
                    return None
                if held.listed and not any(ordered.steps):
                    return self._of_tuple(tuple(ordered.members))
                return list(zip(ordered.steps, ordered.members, strict=True))
            case Outside(name, None) if name:
                whole = self.walk.time.all_of(name)
                return list(zip(whole.steps, whole.members, strict=True))[-T:]
        return None

    def _of_tuple(self, held: tuple[Any, ...]) -> list[Round]:
        """Whole numbers one after another are steps: `(2, 1, 0)`."""
        if len(held) == T and all(isinstance(k, int) for k in held) and abs(held[0] - held[1]) == 1:
            return [(None, Moment(k)) for k in held]
        return [(None, value) for value in held]

    def bind(self, target: ast.expr, value: Any) -> None:
        """What the variables of a loop hold in one round."""
        if isinstance(target, ast.Name):
            self.walk.scope[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            names = row([part.id if isinstance(part, ast.Name) else "" for part in target.elts])
            for k, one in enumerate(target.elts):
                self.bind(one, self.walk.assigning.member(value, k, one, len(target.elts), names[k]))

    def comprehension(self, node: ast.DictComp | ast.ListComp | ast.GeneratorExp) -> Any:
        """What a comprehension gives: a list, a dictionary, or several things one after another."""
        first = node.generators[0]
        value = node.value if isinstance(node, ast.DictComp) else node.elt
        unknown = len(node.generators) > 1 or first.ifs or self.is_of_keys(first.target, first.iter, [node])
        rounds = None if unknown else self.through(first.iter)
        outer = dict(self.walk.scope)
        found = Items(listed=isinstance(node, ast.ListComp))
        if rounds is None:
            try:
                found.zeros = self.walk.values.value(value) in (ZERO, 0)
            except CellError:
                found.zeros = False
            self.walk.scope = outer
            return Items(zeros=found.zeros)
        before = self.walk.time.mark()
        steps = self.steps(rounds, first.target)
        for n, ((_, given), step) in enumerate(zip(rounds, steps, strict=True)):
            self.bind(first.target, given)
            one = self.walk.values.value(value)
            if isinstance(node, ast.DictComp):
                text = self.walk.numbers.text(node.key)
                found.put(self.walk.numbers.number(node.key) if text is None else text, one, step)
            else:
                found.put(n, one, step)
        self.walk.time.reset(before)
        self.walk.scope = outer
        if isinstance(node, ast.GeneratorExp):
            members = tuple(found.known.values())
            return Series(list(members), steps) if any(steps) else members
        return found
