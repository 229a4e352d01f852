"""The statements of a sheet in Python, one after another: conditions are decided, loops are unrolled."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.sheet import Line
from derivations.sheets.python_flaws import carries_errors
from derivations.sheets.walked import Endless, Items, Moment, Outside, Return, T

if TYPE_CHECKING:
    from derivations.sheets.python import Walk

MOST_STATEMENTS = 4_000
FORWARDS = "time is walked forwards where it must go backwards"


class Statements:
    """Walks through statements for one `Walk`."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.count = 0
        self.turned = False  # whether loops that hand errors on forwards in time are walked backwards
        self.forwards: list[Line] = []  # such loops

    def block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self.count += 1
            if self.count > MOST_STATEMENTS:
                raise Endless(f"more than {MOST_STATEMENTS} statements are walked through", statement.lineno)
            try:
                self.statement(statement)
            except CellError as error:
                self._unreadable(statement, error.message, error.line, error.column)
            except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
                self._unreadable(statement, str(error)[:200] or "this cannot be read")

    def _unreadable(self, statement: ast.stmt, why: str, line: int = 0, column: int = 0) -> None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        for target in targets:
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(part, ast.Name):
                    self.walk.scope[part.id] = Outside(part.id)
        if not self.walk.quiet:
            place = (line or statement.lineno, column or statement.col_offset + 1)
            self.walk.assigning.lines.append(Line(*place, self.walk.assigning.source(statement), why=why))

    def quietly(self, body: Sequence[ast.stmt]) -> None:
        """One expression: what cannot be read in it is a matter of the line that calls it."""
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets, value):
                found = self.walk.values.value(value)
                for target in targets:
                    self.walk.assigning.assign(target, found, node)
            case ast.AnnAssign(target, _, value) if value is not None:
                self.walk.assigning.assign(target, self.walk.values.value(value), node)
            case ast.AugAssign(target, operator, value):
                self.walk.assigning.add(node, target, operator, value)
            case ast.For(target, iterable, body):
                self._loop(target, iterable, body)
            case ast.If(test, body, orelse):
                truth = self.walk.numbers.truth(test)
                if truth is None:
                    raise CellError("which way this goes is not known; leave the condition out", node.lineno)
                self.block(body if truth else orelse)
            case ast.Return(value):
                raise Return(self.walk.values.value(value) if value is not None else None)
            case ast.Expr(ast.Call(ast.Attribute(ast.Name(name), "append"), [value])):
                items = self.walk.scope.setdefault(name, Items(name))
                if isinstance(items, Items):
                    items.known[len(items.known)] = self.walk.values.value(value)
            case ast.With(_, body) | ast.Try(body):
                self.block(body)
            case ast.While():
                raise CellError("a while loop is not walked; write `for t in range(T)`", node.lineno)
            case _:
                return  # imports, prints, assertions, definitions

    def _loop(self, target: ast.expr, iterable: ast.expr, body: list[ast.stmt]) -> None:
        rounds = self._rounds(iterable)
        if rounds is None:
            return
        indices = [r[0] if isinstance(r, tuple) else r for r in rounds]
        over_time = bool(indices) and all(isinstance(k, Moment) for k in indices)
        if over_time and indices == sorted(indices) and len(indices) > 1 and carries_errors(body):
            text = self.walk.assigning.source(iterable)
            self.forwards.append(Line(target.lineno, target.col_offset + 1, f"for ... in {text}", flaw=FORWARDS))
            indices, rounds = (indices[::-1], rounds[::-1]) if self.turned else (indices, rounds)
        before = self.walk.time.step, self.walk.time.header
        if over_time:
            self.walk.time.counts(max(indices))
            self.walk.time.header = target.lineno
        for k, here in zip(indices, rounds, strict=True):
            if over_time:
                self.walk.time.step = self.walk.time.counted(k)
            self._bind(target, here)
            self.block(body)
        self.walk.time.step, self.walk.time.header = before

    def _rounds(self, node: ast.expr) -> list[Any] | None:
        """What a loop goes through; None for what it does not matter to walk."""
        match node:
            case ast.Call(ast.Name("reversed"), [inner]) | ast.Subscript(inner, ast.Slice(None, None, ast.UnaryOp())):
                found = self._rounds(inner)
                return None if found is None else found[::-1]
            case ast.Call(ast.Name("list" | "tqdm" | "trange"), [inner]):
                return self._rounds(inner)
            case ast.Call(ast.Name("range") | ast.Attribute(_, "arange"), args):
                numbers = [self.walk.numbers.number(arg) for arg in args]
                if any(n is None for n in numbers):
                    raise CellError("how often this runs is not known", node.lineno, node.col_offset + 1)
                found = list(range(*[int(n) for n in numbers if n is not None]))
                if len(found) > 4 * T:
                    raise CellError("a loop that is longer than the walk over time", node.lineno, node.col_offset + 1)
                return [Moment(k) for k in found]
            case ast.Call(ast.Name("enumerate"), [inner, *_]):
                items = self._rounds(inner)
                return None if items is None else [(Moment(k), item) for k, item in enumerate(items)]
            case ast.Call(ast.Name("zip"), inner) if inner:
                each = [self._rounds(one) for one in inner]
                if any(one is None for one in each):
                    return None
                return [tuple(row) for row in zip(*[one for one in each if one is not None], strict=False)]
            case ast.Name(name):
                held = self.walk.scope.get(name, Outside(name))
                if isinstance(held, Outside):
                    return [self.walk.time.at(name, Moment(k)) for k in range(T)]
                return None
            case ast.Tuple(parts) | ast.List(parts):
                return [self.walk.values.value(part) for part in parts]
            case ast.Constant(str() as letters):
                return list(letters)
        return None

    def _bind(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.walk.scope[target.id] = value
        elif isinstance(target, ast.Tuple) and isinstance(value, tuple):
            for one, inner in zip(target.elts, value, strict=False):
                self._bind(one, inner)
