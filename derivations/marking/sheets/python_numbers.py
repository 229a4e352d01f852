"""Whole numbers in a sheet in Python: sizes and steps, conditions on them, keys, and what an index picks."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import Expr
from derivations.marking.sheets.python_sizes import rows, side, size_of, sizes, taken_from
from derivations.marking.sheets.walked import Items, Moment, Outside, Series, T, base_of, few

if TYPE_CHECKING:
    from derivations.marking.sheets.python import Walk

_CONTAINERS = {
    "self", "cache", "caches", "parameters", "params", "gradients", "ctx", "config", "args", "weights",
}  # fmt: skip


class Numbers:
    """Reads whole numbers for one `Walk`."""

    def __init__(self, walk: Walk, tree: ast.Module) -> None:
        self.walk = walk
        self._rows = dict(rows(tree))
        self._taken_from = taken_from(tree)  # what entries are taken of is no size, whatever it is called
        self.sizes = sizes(tree) - self._taken_from  # names that count something: n is a gate in other files

    def outside(self, name: str) -> Any:
        """What a name is that nothing has assigned: a size, or something from outside."""
        size = size_of(name) if name in self.sizes and name not in _CONTAINERS else None
        return size if size is not None else Outside(name)

    def side(self, of: str, axis: int, name: str = "", count: int = 0) -> int | None:
        """The size of an axis of what is called `of`; `count` is how many axes there are, where that is said."""
        return side(of, axis, name, count, self.walk.time.indexed(of))

    def number(self, node: ast.expr) -> int | None:
        """The whole number that an expression of sizes and steps is."""
        match node:
            case ast.Constant(int() as value) if not isinstance(value, bool):
                return value
            case ast.Name(name):
                held = self.walk.scope.get(name, self.walk.around.get(name))
                if held is None and name not in self.walk.scope:
                    held = size_of(name) if name in self.sizes and name not in self.walk.functions else None
                return held if isinstance(held, int) and not isinstance(held, bool) else None
            case ast.UnaryOp(ast.USub(), inner):
                size = self.number(inner)
                return None if size is None else Moment(-size) if isinstance(size, Moment) else -size
            case ast.BinOp(left, operator, right):
                a = self.number(left)
                b = self.number(right) if a is not None else None
                return None if a is None or b is None else _calculated(operator, a, b)
            case ast.Attribute(ast.Name(owner), "size") if owner not in ("self", "config", "args", "cfg"):
                return self._size(node.value)
            case ast.Attribute(ast.Name("self" | "config" | "args" | "cfg" as owner), name):
                held = self.walk.attributes.get(f"{owner}.{name}")
                if isinstance(held, int) and not isinstance(held, bool):
                    return held
                return size_of(name) if held is None and name not in self._taken_from else None
            case ast.Attribute(inner, "size"):
                return self._size(inner)
            case ast.Subscript(ast.Attribute(inner, "shape"), axis) if (k := self.number(axis)) is not None:
                return self.side(self._owner(inner), k)
            case ast.Call(ast.Attribute(inner, "size"), [axis]) if (k := self.number(axis)) is not None:
                return self.side(self._owner(inner), k)
            case ast.Call(ast.Name("len"), [inner]):
                return self._length(inner)
            case ast.Call(ast.Name("int"), [inner]):
                return self.number(inner)
            case ast.Call(ast.Name("max" | "min" as least), [left, right]):
                a, b = self.number(left), self.number(right)
                if a is None or b is None:
                    return None
                found = max(a, b) if least == "max" else min(a, b)
                return Moment(found) if isinstance(a, Moment) or isinstance(b, Moment) else found
            case ast.IfExp(test, body, orelse) if (truth := self.truth(test)) is not None:
                return self.number(body if truth else orelse)
        return None

    def _owner(self, node: ast.expr) -> str:
        """The name of what has a shape: of `saved[0][1]` nothing is known."""
        name = base_of(self.walk.entries.named(node.id)) if isinstance(node, ast.Name) else ""
        match node:
            case ast.Subscript(ast.Subscript(ast.Name(rows), _), ast.Constant(int() as k)) if rows in self._rows:
                return self._rows[rows][k] if 0 <= k < len(self._rows[rows]) else ""
        if isinstance(node, ast.Subscript):
            return self._owner(node.value)
        return name or (node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else "")

    def _size(self, node: ast.expr) -> int | None:
        return side(self._owner(node), -1, "", 1, False)

    def _length(self, node: ast.expr) -> int | None:
        try:
            held = self.walk.values.value(node)
        except CellError:
            return Moment(T)
        if isinstance(held, Items) and held.listed:
            return Moment(len(held.known)) if any(held.steps.values()) else len(held.known)
        if isinstance(held, Series):
            return Moment(len(held.members))
        if isinstance(held, tuple | str):
            return len(held)
        first = isinstance(held, Outside) and not self.walk.time.indexed(held.name) and _is_flat(held.name)
        if isinstance(held, Expr) or first:
            return self._size(node)
        return Moment(T + (isinstance(held, Outside) and self.walk.time.starts_initial(held.name)))

    def truth(self, test: ast.expr) -> bool | None:
        """Whether a condition holds; None where that is not known."""
        match test:
            case ast.Compare(left, [operator], [right]):
                return self._compared(left, operator, right)
            case ast.Constant(value):
                return bool(value)
            case ast.UnaryOp(ast.Not(), inner):
                truth = self.truth(inner)
                return None if truth is None else not truth
            case ast.BoolOp(operator, parts):
                truths = [self.truth(part) for part in parts]
                decided = isinstance(operator, ast.Or)
                return decided if decided in truths else None if None in truths else not decided
            case ast.Name() if (number := self.number(test)) is not None:
                return bool(number)
            case ast.Name(name) if isinstance(held := self.walk.entries.named(name), tuple | Items | bool):
                return bool(held.known) if isinstance(held, Items) else bool(held)
        return None

    def _compared(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> bool | None:
        if isinstance(operator, ast.Is | ast.IsNot):  # what may be None is taken to be given
            given = self.walk.entries.named(left.id) if isinstance(left, ast.Name) else Outside()
            return (given is None) == isinstance(operator, ast.Is)
        texts = self.text(left), self.text(right)
        if None not in texts and isinstance(operator, ast.Eq | ast.NotEq):
            return (texts[0] == texts[1]) == isinstance(operator, ast.Eq)
        if isinstance(operator, ast.In | ast.NotIn):
            held = self.walk.values.value(right)
            keys = held.known if isinstance(held, Items) and not held.listed else held
            found = texts[0] if texts[0] is not None else self.number(left)
            if found is None or not isinstance(keys, tuple | dict | str):
                return None
            return (found in keys) == isinstance(operator, ast.In)
        a, b = self.number(left), self.number(right)
        if a is None or b is None:
            return None
        return {
            ast.Eq: a == b, ast.NotEq: a != b, ast.Lt: a < b, ast.LtE: a <= b, ast.Gt: a > b, ast.GtE: a >= b,
        }.get(type(operator))  # fmt: skip

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
                case ast.Name(name) if isinstance(held := self.walk.scope.get(name), slice):
                    slices.append((held.start, held.stop))
                case ast.Attribute(ast.Name("np" | "numpy"), "newaxis"):
                    continue
                case _ if (text := self.text(part)) is not None:
                    key = text
                case _:
                    number = self.number(part)
                    if number is None:
                        raise CellError("what this index is is not known", node.lineno, node.col_offset + 1)
                    key = number if key is None or isinstance(number, Moment) else key
        return key, slices if any(s != (None, None) for s in slices) else []

    def text(self, node: ast.expr) -> str | None:
        """The string that an expression of strings is: `"W" + k`."""
        match node:
            case ast.Constant(str() as text):
                return text
            case ast.Name(name):
                held = self.walk.scope.get(name, self.walk.around.get(name))
                return held if isinstance(held, str) else None
            case ast.BinOp(left, ast.Add(), right):
                first = self.text(left)
                texts = [first, self.text(right) if first is not None else None]
            case ast.JoinedStr(parts):
                texts = [self.text(p.value if isinstance(p, ast.FormattedValue) else p) for p in parts]
            case ast.Call(ast.Attribute(inner, "format"), [one]) if (form := self.text(inner)) and form.count(
                "{}"
            ) == 1:
                more = self.text(one)
                return None if more is None else form.replace("{}", more)
            case ast.BinOp(left, ast.Mod(), right) if (form := self.text(left)) and form.count("%s") == 1:
                more = self.text(right)
                return None if more is None else form.replace("%s", more)
            case _:
                return None
        few(sum(len(text or "") for text in texts))
        return None if None in texts else "".join(text for text in texts if text)


def _is_flat(name: str) -> bool:
    """Whether a name is that of a bias or of one vector, which has no steps."""
    return name[:2] in ("b_", "db") or name in ("b", "bh", "bx")


def _calculated(operator: ast.operator, a: int, b: int) -> int | None:
    match operator:
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult() if abs(a) < 1000 > abs(b):
            return int(a) * int(b)
        case ast.FloorDiv() if b:
            return int(a) // int(b)
        case ast.Mod() if b:
            return int(a) % int(b)
    return None
