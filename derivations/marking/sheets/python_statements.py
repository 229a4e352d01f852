"""The statements of a sheet in Python, one after another: conditions are decided, loops are unrolled."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import ZERO
from derivations.marking.sheet import Line
from derivations.marking.sheets.python_labels import carried, is_error, is_gradient
from derivations.marking.sheets.walked import Endless, Items, Leave, Moment, Onward, Outside, Return, T, is_state

if TYPE_CHECKING:
    from derivations.marking.sheets.python import Walk

MOST_STATEMENTS = 4_000
_MISFITS = (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError)


class Statements:
    """Walks through statements for one `Walk`."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.count = 0

    def block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self.count += 1
            if self.count > MOST_STATEMENTS:
                raise Endless(f"more than {MOST_STATEMENTS} statements are walked through", statement.lineno)
            try:
                self.statement(statement)
            except CellError as error:
                self._unreadable(statement, error.message, error.line, error.column)
            except _MISFITS as error:
                self._unreadable(statement, str(error)[:200] or "this cannot be read")

    def _unreadable(self, statement: ast.stmt, why: str, line: int = 0, column: int = 0) -> None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        names = [part for target in targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
        if isinstance(statement, ast.If | ast.While):
            names += [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
        for part in names:
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                self.walk.scope[part.id] = Outside(self.walk.labels.target(part.id))
        if not self.walk.quiet:
            place = (line or statement.lineno, column or statement.col_offset + 1)
            self.walk.assigning.lines.append(Line(*place, self.walk.assigning.source(statement), why=why))

    def quietly(self, body: Sequence[ast.stmt]) -> None:
        """One expression: what cannot be read in it is a matter of the line that calls it."""
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        assigning, values = self.walk.assigning, self.walk.values
        match node:
            case ast.Assign([ast.Name(name)], ast.Lambda(args, body)):
                returned = ast.copy_location(ast.Return(body), node)
                function = ast.FunctionDef(name, args, [returned], [], None, None)
                self.walk.functions[name] = ast.copy_location(function, node)
            case ast.Assign(targets, value):
                self.walk.own.wanted = targets[0] if isinstance(value, ast.Call) else None
                found = values.value(value)
                for target in targets:
                    assigning.assign(target, found, node)
            case ast.AnnAssign(target, _, value) if value is not None:
                assigning.assign(target, values.value(value), node)
            case ast.AugAssign(target, operator, value):
                assigning.add(node, target, operator, value)
            case ast.For(target, iterable, body):
                self._for(target, iterable, body)
            case ast.While(test, body):
                self._while(node, test, body)
            case ast.If(test, body, orelse):
                self._if(node, test, body, orelse)
            case ast.Return(value):
                raise Return(self.walk.own.returned(value) if value is not None else None)
            case ast.Expr(ast.Call(ast.Attribute(owner, method), args) as call):
                self._method(owner, method, args, call)
            case ast.Expr(ast.Call(ast.Name(name)) as call) if self.walk.own.found(name) is not None:
                values.value(call)
            case ast.FunctionDef(name):
                self.walk.own.nested[name] = node
            case ast.With(_, body) | ast.Try(body):
                self.block(body)
            case ast.Break():
                raise Leave
            case ast.Continue():
                raise Onward

    def _method(self, owner: ast.expr, method: str, args: list[ast.expr], call: ast.Call) -> None:
        """`saved.append(...)`, `grads.update(...)`, or a function that is called for what it does."""
        values = self.walk.values
        if method in ("append", "appendleft", "insert", "update", "reverse") and isinstance(
            owner, ast.Name | ast.Attribute | ast.Subscript
        ):
            held = values.value(owner)
            if isinstance(held, Outside) and isinstance(owner, ast.Name):
                held = self.walk.scope[owner.id] = Items(owner.id, listed=True)
            if isinstance(held, Items):
                self._fill(held, method, [self.walk.assigning.kept(held, values.value(arg), call) for arg in args])
        elif isinstance(owner, ast.Name) and owner.id == "self" and method in self.walk.functions:
            values.value(call)

    def _fill(self, held: Items, method: str, args: list[object]) -> None:
        held.listed = held.listed or method != "update"
        step = self.walk.time.step
        match method, args:
            case "append", [one]:
                held.insert(len(held.known), one, step)
            case "appendleft", [one]:
                held.insert(0, one, step)
            case "insert", [int() as at, one]:
                held.insert(at, one, step)
            case "update", [Items(known=known)]:
                held.known |= known
            case "update", [Items(zeros=True)]:
                held.zeros = True
            case "reverse", []:
                turned = held.in_order()
                if turned is not None:
                    held.known = dict(enumerate(turned.members[::-1]))
                    held.steps = dict(enumerate(turned.steps[::-1]))

    def _if(self, node: ast.If, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt]) -> None:
        if ast.unparse(test).startswith("__name__"):
            return
        truth = self.walk.numbers.truth(test)
        if truth is None:
            if not any(isinstance(inner, ast.Assign | ast.AugAssign | ast.Return) for inner in ast.walk(node)):
                return
            raise CellError("which way this goes is not known; leave the condition out", node.lineno)
        self.block(body if truth else orelse)

    def _for(self, target: ast.expr, iterable: ast.expr, body: list[ast.stmt]) -> None:
        if self.walk.rounds.is_of_keys(target, iterable, body):
            return
        rounds = self.walk.rounds.through(iterable)
        if rounds is None:
            return
        time = self.walk.time
        before = time.step, time.header
        steps = self.walk.rounds.steps(rounds, target)
        if any(steps) and time.step is not None:
            raise CellError("a loop over time within another is not read", target.lineno, target.col_offset + 1)
        if any(steps):
            time.header = target.lineno
            if steps[0] is not None and steps[0] < (steps[-1] or 0):
                self._initial(body, steps[0] - 1)
            else:
                self._carried(body)
        for (_, given), step in zip(rounds, steps, strict=True):
            time.step = step if step is not None else before[0]
            self.walk.rounds.bind(target, given)
            if not self._round(body):
                break
        time.step, time.header = before

    def _initial(self, body: list[ast.stmt], step: int) -> None:
        """States that a loop goes on with, from its first step on, are the initial ones before it."""
        scope = self.walk.scope
        stored = {
            n.id for part in body for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        for name in stored & scope.keys():
            state = re.sub(r"_?prev_?|_?old_?|0$", "", name) or name
            held = scope[name]
            starts_here = held == ZERO or (isinstance(held, Outside) and held.at is None)
            if is_state(state) and starts_here:
                self._put_in(held, Outside(state, step, True))
                if held == ZERO:
                    self.walk.assigning.zero.add(f"{state}@0")
                scope[name] = Outside(state, step, True)

    def _put_in(self, held: Any, initial: Outside) -> None:
        """What was put into a list or a dictionary before the loop is the initial state there as well."""
        for store in (*self.walk.scope.values(), *self.walk.attributes.values()):
            if isinstance(store, Items) and isinstance(held, Outside):
                store.known = {key: initial if value == held else value for key, value in store.known.items()}

    def _carried(self, body: list[ast.stmt]) -> None:
        """Errors that start as zero, and that a loop hands on: what comes back from the step after."""
        scope, labels = self.walk.scope, self.walk.labels
        plain = [node for part in body for node in ast.walk(part) if isinstance(node, ast.Assign)]
        count = Counter(name.id for node in plain for target in node.targets for name in ast.walk(target)
                        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store))  # fmt: skip
        read = {
            n.id for part in body for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
        }
        for name in sorted(count.keys() & read):
            start = scope.get(name)
            zero = start in (ZERO, 0) and not isinstance(start, Moment | bool)
            last = next(node for node in reversed(plain) for target in node.targets for n in ast.walk(target)
                        if isinstance(n, ast.Name) and n.id == name)  # fmt: skip
            if count[name] == 1 and _through_weights(last.value, name):
                continue  # delta = (dh + W.T @ delta) * slope: what is handed on is no error of the state
            outside = isinstance(start, Outside) and start.at is None
            handed = count[name] > 1 if zero else outside
            alone = name in ("e", "r", "s", "u", "v", "lam", "adj")  # single letters for what a loop hands on
            if handed and name not in labels.added_to and (is_error(name) or alone) and not is_gradient(name):
                labels.hands_on(name, last.lineno)
            if zero and (is_error(name) or carried(name) or alone) and not is_gradient(name):
                self.walk.assigning.zero.add(labels.carry(name, count[name] == 1 and name not in labels.added_to))

    def _round(self, body: list[ast.stmt]) -> bool:
        """One round of a loop; whether there may be another."""
        try:
            self.block(body)
        except Onward:
            return True
        except Leave:
            return False
        return True

    def _while(self, node: ast.While, test: ast.expr, body: list[ast.stmt]) -> None:
        """A loop that counts steps: `while t >= 0`."""
        counter = test.left if isinstance(test, ast.Compare) else test
        if not isinstance(counter, ast.Name) or self.walk.numbers.truth(test) is None:
            raise CellError("a while loop is not walked; write `for t in range(T)`", node.lineno)
        time, scope = self.walk.time, self.walk.scope
        before = time.step, time.header
        start = self.walk.numbers.number(counter)
        time.counts(max(int(start or 0), T - 1))
        time.header = node.lineno
        if start:
            self._carried(body)
        else:
            self._initial(body, 0)
        for _ in range(4 * T):
            if not self.walk.numbers.truth(test):
                break
            held = scope.get(counter.id)
            scope[counter.id] = Moment(held) if isinstance(held, int) else held
            first = body[0] if body else None
            early = isinstance(first, ast.AugAssign) and ast.unparse(first.target) == counter.id
            if early and first is not None:  # `t -= 1` comes first: the round is of what t is then
                self.statement(first)
            at = self.walk.numbers.number(counter)
            time.step = time.counted(at) if at is not None else None
            if not self._round(body[1:] if early else body):
                break
        time.step, time.header = before


def _through_weights(value: ast.expr, name: str) -> bool:
    """Whether an expression multiplies a name by a matrix."""
    for node in ast.walk(value):
        match node:
            case ast.BinOp(left, ast.MatMult(), right):
                sides = [left, right]
            case ast.Call(ast.Attribute(owner, "dot" | "matmul" | "mm"), args):
                sides = [owner, *args]
            case _:
                continue
        if any(isinstance(inner, ast.Name) and inner.id == name for side in sides for inner in ast.walk(side)):
            return True
    return False
