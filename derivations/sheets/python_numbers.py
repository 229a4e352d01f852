"""Whole numbers in a sheet in Python: sizes and steps, conditions on them, keys, and what an index picks."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.sheets.walked import Moment, Outside, T, size_of, sizes

if TYPE_CHECKING:
    from derivations.sheets.python import Walk

_CONTAINERS = {
    "self", "cache", "caches", "parameters", "params", "gradients", "ctx", "config", "args", "weights",
}  # fmt: skip


class Numbers:
    """Reads whole numbers for one `Walk`."""

    def __init__(self, walk: Walk, tree: ast.Module) -> None:
        self.walk = walk
        self.sizes = sizes(tree)  # names that count something: n is a gate in other files

    def outside(self, name: str) -> Any:
        """What a name is that nothing has assigned: a size, or something from outside."""
        size = size_of(name) if name in self.sizes and name not in _CONTAINERS else None
        return size if size is not None else Outside(name)

    def number(self, node: ast.expr) -> int | None:
        """The whole number that an expression of sizes and steps is."""
        match node:
            case ast.Constant(int() as value) if not isinstance(value, bool):
                return value
            case ast.Name(name):
                held = self.walk.scope.get(name)
                if held is None and name not in self.walk.scope:
                    held = size_of(name) if name in self.sizes and name not in self.walk.functions else None
                return held if isinstance(held, int) and not isinstance(held, bool) else None
            case ast.UnaryOp(ast.USub(), inner):
                size = self.number(inner)
                return None if size is None else Moment(-size) if isinstance(size, Moment) else -size
            case ast.BinOp(left, operator, right):
                a, b = self.number(left), self.number(right)
                if a is None or b is None:
                    return None
                match operator:
                    case ast.Add():
                        return a + b
                    case ast.Sub():
                        return a - b
                    case ast.Mult() if abs(a) < 1000 > abs(b):
                        return int(a) * int(b)
                    case ast.FloorDiv() if b:
                        return int(a) // int(b)
                return None
            case ast.Attribute(ast.Name("self" | "config" | "args" | "cfg"), name):
                return size_of(name)
            case ast.Attribute(ast.Name(), "size"):
                size = self.walk.values.read(node)
                return size if isinstance(size, int) else None
            case ast.Call(ast.Name("len"), [_]):
                return T
            case ast.Call(ast.Name("int"), [inner]):
                return self.number(inner)
            case ast.Call(ast.Name("max" | "min" as which), [_, _, *_] as args):
                numbers = [self.number(arg) for arg in args]
                known = [n for n in numbers if n is not None]
                if len(known) < len(numbers):
                    return None
                found = max(known) if which == "max" else min(known)
                return Moment(found) if any(isinstance(n, Moment) for n in known) else found
            case ast.IfExp(test, body, orelse) if (truth := self.truth(test)) is not None:
                return self.number(body if truth else orelse)
        return None

    def truth(self, test: ast.expr) -> bool | None:
        """Whether a condition holds; None where that is not known."""
        match test:
            case ast.Compare(left, [operator], [right]):
                if isinstance(operator, ast.Is | ast.IsNot):
                    return isinstance(operator, ast.IsNot)  # what may be None is taken to be given
                a, b = self.number(left), self.number(right)
                if a is None or b is None:
                    return None
                return {
                    ast.Eq: a == b, ast.NotEq: a != b, ast.Lt: a < b, ast.LtE: a <= b, ast.Gt: a > b, ast.GtE: a >= b,
                }.get(type(operator))  # fmt: skip
            case ast.Constant(value):
                return bool(value)
            case ast.UnaryOp(ast.Not(), inner):
                truth = self.truth(inner)
                return None if truth is None else not truth
            case ast.Name() if (number := self.number(test)) is not None:
                return bool(number)
        return None

    def index(self, node: ast.expr) -> tuple[Any, list[Any]]:
        """What an index picks: one thing by key, or parts of the axes."""
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        key: Any = None
        slices: list[Any] = []
        for part in parts:
            match part:
                case ast.Slice(None, None, _):
                    slices.append((None, None))
                case ast.Slice(lower, upper, None):
                    ends = [None if e is None else self.number(e) for e in (lower, upper)]
                    if any(e is not None and end is None for e, end in zip((lower, upper), ends, strict=True)):
                        raise CellError("the ends of this part are not known numbers", node.lineno, node.col_offset + 1)
                    slices.append(tuple(ends))
                case ast.Constant(value) if value is None or value is Ellipsis:
                    continue
                case _ if (text := self.text(part)) is not None:
                    key = text
                case _:
                    number = self.number(part)
                    if number is None:
                        raise CellError("what this index is is not known", node.lineno, node.col_offset + 1)
                    key = number
        return key, slices if any(s != (None, None) for s in slices) else []

    def text(self, node: ast.expr) -> str | None:
        """The string that an expression of strings is: `"W" + k`."""
        match node:
            case ast.Constant(str() as text):
                return text
            case ast.Name(name):
                held = self.walk.scope.get(name)
                return held if isinstance(held, str) else None
            case ast.BinOp(left, ast.Add(), right):
                texts = [self.text(left), self.text(right)]
            case ast.JoinedStr(parts):
                texts = [self.text(p.value if isinstance(p, ast.FormattedValue) else p) for p in parts]
            case _:
                return None
        return None if None in texts else "".join(text for text in texts if text)
