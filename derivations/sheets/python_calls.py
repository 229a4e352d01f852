"""Calls in a sheet in Python: the file's own functions are walked through, arrays are joined, split and summed."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import ZERO, Call, Diag, Expr, Name, Neg, Pow, Reduce, Stack, Transpose, substitute
from derivations.pythonic import dotted
from derivations.sheet import Line
from derivations.sheets.python_slopes import ARGUMENT, WrongSlope, due_for, meant
from derivations.sheets.text import SPOKEN
from derivations.sheets.walked import (
    WIDE,
    Outside,
    Return,
    arguments,
    cut_out,
    is_row,
    is_simple,
    is_usual,
    side_by_side,
)

if TYPE_CHECKING:
    from derivations.sheets.python import Walk

DEEPEST_CALL = 6
_AS_IS = {
    "copy", "reshape", "ravel", "flatten", "astype", "squeeze", "array", "asarray", "view", "clone", "contiguous",
    "float", "double", "expand_dims", "unsqueeze", "atleast_2d", "numpy", "deepcopy", "tensor", "clip",
}  # fmt: skip
_EMPTY = {"zeros", "zeros_like", "empty", "empty_like", "new_zeros"}
_JOINED = {"concatenate", "hstack", "vstack", "row_stack", "column_stack", "cat", "concat", "r_", "c_"}
_SPLIT = {"split", "hsplit", "vsplit", "chunk", "array_split"}


class Calls:
    """Reads calls for one `Walk`."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.slopes: dict[str, WrongSlope | None] = {}  # functions that are meant to be slopes, where they are none

    def called(self, node: ast.Call, func: ast.expr, args: Sequence[ast.expr]) -> Any:
        """What a call gives, where it is not an operation of a library; None leaves it to the reader of expressions."""
        name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        full = dotted(func, self.walk.aliases)
        own = isinstance(func, ast.Name) or ast.unparse(func) == f"self.{name}"
        if own and name in self.walk.functions:
            return self._inlined(self.walk.functions[name], node)
        library = full.startswith(("numpy.", "torch.", "jax.", "scipy."))
        method = func.value if isinstance(func, ast.Attribute) and not library else None
        first, rest = (method, args) if method is not None else (args[0] if args else None, args[1:])
        named = {k.arg: k.value for k in node.keywords}
        axis = named.get("axis") or named.get("dim")
        if name in _EMPTY:
            return ZERO
        if name == "reshape" and first is not None and is_row(rest):
            return Transpose(self.walk.values.tensor(first))
        if name in _AS_IS:
            return self.walk.values.value(first) if first is not None else None
        if name in _JOINED and args:
            parts = self.walk.values.value(args[0])
            if isinstance(parts, tuple):
                return self._join(name, [self.walk.values.quantity(p) for p in parts], axis or _nth(args, 1))
        if name in _SPLIT and args and first is not None:
            return self._split(name, first, _nth(rest, 0), axis or _nth(rest, 1))
        if name == "sum" and (library or method) and first is not None:
            return self._sum(first, axis or _nth(rest, 0))
        if name == "diag" and args:
            return Diag(self.walk.values.tensor(args[0]))
        if name == "square" and args:
            return Pow(self.walk.values.tensor(args[0]), 2)
        if name == "negative" and args:
            return Neg(self.walk.values.tensor(args[0]))
        spoken = SPOKEN.get(name.lower())
        if own and spoken and len(args) == 1:
            return Call(spoken, (self.walk.values.tensor(args[0]),))
        if own and name not in ("len", "int", "abs", "max", "min", "range", "float"):
            return Outside("")
        if method and name in ("items", "keys", "values", "get", "pop"):
            return Outside(str(args[0].value) if args and isinstance(args[0], ast.Constant) else "")
        return None

    def _join(self, name: str, parts: list[Expr], axis: ast.expr | None) -> Expr:
        along = self.walk.numbers.number(axis) if axis is not None else None
        across = name in ("hstack", "column_stack") or along in (1, -1)
        return side_by_side(parts) if across else Stack(tuple(parts))

    def _split(self, name: str, whole: ast.expr, parts: ast.expr | None, axis: ast.expr | None) -> tuple[Expr, ...]:
        arg = self.walk.values.quantity(self.walk.values.value(whole))
        along = self.walk.numbers.number(axis) if axis is not None else 0
        count = self.walk.numbers.number(parts) if parts is not None else None
        if count is None or not 1 <= count <= 16:
            raise CellError("into how many parts this is split is not known", whole.lineno, whole.col_offset + 1)
        across = along in (1, -1) or name == "hsplit"
        blank = (None, None)
        cuts = [(k * WIDE, (k + 1) * WIDE) for k in range(count)]
        return tuple(cut_out(arg, [blank, cut] if across else [cut]) for cut in cuts)

    def _sum(self, inner: ast.expr, axis: ast.expr | None) -> Expr:
        arg = self.walk.values.tensor(inner)
        if axis is None:
            return Reduce("sum", (arg,))
        along = self.walk.numbers.number(axis)
        if along not in (0, 1, -1):
            raise CellError("the axis of this sum is not known", inner.lineno, inner.col_offset + 1)
        return Reduce("down" if along == 0 else "across", (arg,))

    def _inlined(self, function: ast.FunctionDef, node: ast.Call) -> Any:
        """A function of the file at its call: one expression quietly, a longer one line by line."""
        if self.walk.depth >= DEEPEST_CALL:
            raise CellError(f"{function.name} calls itself, or is nested too deeply", node.lineno, node.col_offset + 1)
        names = [a.arg for a in arguments(function) if a.arg != "self"]
        given = dict(zip(names, (self.walk.values.value(arg) for arg in node.args), strict=False))
        given |= {k.arg: self.walk.values.value(k.value) for k in node.keywords if k.arg}
        simple = is_simple(function)
        inside = {name: given.get(name, self.walk.numbers.outside(name)) for name in names}
        for name, value in inside.items():  # an argument that is a mere name of outside has the function's name for it
            if isinstance(value, Outside):
                inside[name] = Outside(value.name or name)
        spoken = SPOKEN.get(function.name.lower()) if simple and len(node.args) == 1 else None
        if spoken in ("sigmoid", "tanh", "relu") and is_usual(function, spoken):
            return Call(spoken, (self.walk.values.quantity(given[names[0]]),))
        if simple and len(names) == 1 and (of := meant(function.name)) and (due := self._due(function, of)) is not None:
            return substitute(due, {ARGUMENT: self.walk.values.quantity(given[names[0]])})
        return self._walked(function, inside, simple)

    def _due(self, function: ast.FunctionDef, of: str) -> Expr | None:
        """What a function that is meant to be a slope should be; None where it is one, or cannot be told."""
        if function.name not in self.slopes:
            self.slopes[function.name] = None  # also while it is looked at
            with suppress(CellError, Return, TypeError, ValueError, KeyError):
                said = self._walked(function, {arguments(function)[-1].arg: ARGUMENT}, True)
                due = due_for(of, said) if isinstance(said, Expr) else None
                if due is not None:
                    last = function.body[-1]
                    text = self.walk.assigning.source(last)
                    theirs: dict[Expr, Expr] = {ARGUMENT: Name(arguments(function)[-1].arg)}
                    line = Line(last.lineno, last.col_offset + 1, text, function.name, rhs=substitute(said, theirs))
                    self.slopes[function.name] = WrongSlope(line, of, due, substitute(due, theirs))
        found = self.slopes[function.name]
        return found.due if found is not None else None

    def _walked(self, function: ast.FunctionDef, inside: dict[str, Any], simple: bool) -> Any:
        """What a function returns, with its arguments bound."""
        outer = self.walk.scope
        self.walk.scope, self.walk.depth, self.walk.quiet = inside, self.walk.depth + 1, self.walk.quiet + simple
        try:
            self.walk.statements.block(function.body) if not simple else self.walk.statements.quietly(function.body)
        except Return as result:
            return result.value
        finally:
            self.walk.scope, self.walk.depth, self.walk.quiet = outer, self.walk.depth - 1, self.walk.quiet - simple
        return None


def _nth(args: Sequence[ast.expr], n: int) -> ast.expr | None:
    return args[n] if n < len(args) else None
