"""What an expression in a sheet in Python is: a number, an expression in names, or several things."""

from __future__ import annotations

import ast
from copy import deepcopy
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import ZERO, Expr, Num, Transpose, walk
from derivations.pythonic import dotted, expression
from derivations.sheets.walked import Chosen, Items, Moment, Outside, cut_out, is_row, named, size_of

if TYPE_CHECKING:
    from derivations.sheets.python import Walk

MOST_OPERATIONS = 3_000


class Values:
    """Reads expressions for one `Walk`."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    def value(self, node: ast.expr) -> Any:
        """A number, an expression, or several things."""
        number = self.walk.numbers.number(node)
        if number is not None:
            return number
        match node:
            case ast.Tuple(parts) | ast.List(parts):
                return tuple(self.value(part) for part in parts)
            case ast.Dict(keys, values):
                known = {}
                for key, inner in zip(keys, values, strict=True):
                    known[key.value if isinstance(key, ast.Constant) else None] = self.value(inner)
                return Items("", known)
            case ast.Constant(plain):
                if isinstance(plain, float):
                    return self.tensor(node)
                return plain if isinstance(plain, str) else None
            case ast.DictComp(value=one) | ast.ListComp(elt=one):
                filled = isinstance(one, ast.Call) and self.walk.calls.called(one, one.func, one.args) == ZERO
                return Items(zeros=filled)
            case ast.BinOp(ast.List(), ast.Mult(), _):
                return Items()
            case ast.IfExp(test, body, orelse) if (truth := self.walk.numbers.truth(test)) is not None:
                return self.value(body if truth else orelse)
            case ast.Name() | ast.Subscript() | ast.Attribute():
                return self.read(node)
            case ast.Call(func, args):
                found = self.walk.calls.called(node, func, args)
                if found is not None:
                    return found
        return self.tensor(node)

    def tensor(self, node: ast.expr) -> Expr:
        """An expression in names.

        Raises:
            Unreadable: it is none.
            CellError: it is too long.
        """
        if any(isinstance(inner, ast.IfExp) for inner in ast.walk(node)):
            node = Chosen(self.walk.numbers.truth).visit(deepcopy(node))  # the next round may choose otherwise
        found = expression(node, self._leaf, self.walk.aliases)
        if sum(1 for _ in zip(walk(found), range(MOST_OPERATIONS), strict=False)) >= MOST_OPERATIONS:
            raise CellError(f"a line of more than {MOST_OPERATIONS} operations", node.lineno)
        return found

    def quantity(self, value: Any) -> Expr:
        """The expression that a value is.

        Raises:
            CellError: it is none.
        """
        if isinstance(value, Outside) and value.name:
            return named(value.name)
        if isinstance(value, Expr):
            return value
        raise CellError("what is joined here is not known")

    def _leaf(self, node: ast.expr) -> Expr | None:
        """What stands for a name, an entry, an attribute or a call; None leaves it to the reader of expressions."""
        if isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
            return None
        number = self.walk.numbers.number(node)
        if number is not None:
            return Num(Fraction(int(number)))
        if isinstance(node, ast.Call):
            found = self.walk.calls.called(node, node.func, node.args)
        elif isinstance(node, ast.Attribute) and dotted(node, self.walk.aliases).startswith(
            ("numpy.", "torch.", "jax.", "math.")
        ):
            return None
        else:
            found = self.read(node)
        if isinstance(found, Expr) or found is None:
            return found
        if isinstance(found, Outside) and found.name:
            return named(found.name)
        return None

    def read(self, node: ast.expr) -> Any:
        """What a name, an attribute or an entry holds."""
        match node:
            case ast.Name(name):
                return self.walk.scope.get(name, self.walk.numbers.outside(name))
            case ast.Attribute(ast.Name(owner), name):
                if name == "shape":
                    return Outside("shape")
                if name == "size":
                    return size_of("D" if owner in ("x", "xt", "x_t") else "H")
                if name in ("T", "mT"):
                    return self.tensor(node)
                return self.walk.scope.get(f"{owner}.{name}", Outside(name))
            case ast.Attribute(_, "shape"):
                return Outside("shape")
            case ast.Attribute(inner, "data" | "grad"):
                return self.read(inner)
            case ast.Subscript(inner, index):
                return self._entry(node, inner, index)
        return self.tensor(node)

    def _entry(self, node: ast.Subscript, inner: ast.expr, index: ast.expr) -> Any:
        key, slices = self.walk.numbers.index(index)
        lying = isinstance(index, ast.Tuple) and is_row(index.elts)
        plain = isinstance(inner, ast.Name | ast.Attribute | ast.Subscript)
        held = self.read(inner) if plain else self.value(inner)
        if isinstance(held, tuple | list) and isinstance(key, int) and -len(held) <= key < len(held):
            return held[key]
        if isinstance(held, Items):
            if key in held.known:
                return held.known[key]
            if isinstance(key, int) and key < 0 and not isinstance(key, Moment) and len(held.known) + key in held.known:
                return held.known[len(held.known) + key]
            if held.zeros:
                return ZERO
            if isinstance(key, Moment):
                return self.walk.time.at(held.name, key)
            return Outside(str(key) if isinstance(key, str) else "")
        if isinstance(held, Outside):
            if held.name == "shape":
                return held
            if isinstance(key, str):
                return Outside(key)
            if isinstance(key, Moment):
                return self.walk.time.at(held.name, key) if held.name not in ("cache", "caches") else Outside(held.name)
            if lying and held.name:
                return Transpose(named(held.name))
            if key is None and slices and held.name:
                return cut_out(named(held.name), slices)
            if key is None and held.name:
                return named(held.name)
            return Outside("")
        if isinstance(held, Expr):
            if key is not None:
                raise CellError(
                    "one entry of a vector is read; a sheet is of whole vectors", node.lineno, node.col_offset + 1
                )
            return Transpose(held) if lying else cut_out(held, slices)
        return None
