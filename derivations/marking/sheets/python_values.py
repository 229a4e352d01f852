"""What an expression in a sheet in Python is: a number, an expression in names, or several things."""

from __future__ import annotations

import ast
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import ZERO, Expr, MatMul, Name, Num, Outer, Stack, Transpose, walk
from derivations.marking.sheets.python_axes import is_of_batch, outer_factors
from derivations.marking.sheets.python_labels import comes_in
from derivations.marking.sheets.python_series import combined, each
from derivations.marking.sheets.walked import Items, Moment, Outside, Series, base_of, few, named
from derivations.python_functions import CONSTANTS
from derivations.python_operators import chosen, transposed
from derivations.pythonic import (
    Unreadable,
    binary,
    left_chain,
    library,
    library_name,
    literal,
    no_value,
    place,
    unary,
)

if TYPE_CHECKING:
    from derivations.marking.sheets.python import Walk

MOST_OPERATIONS = 3_000
DEEPEST = 64


class Values:
    """Reads expressions for one `Walk`."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.depth = 0

    def value(self, node: ast.expr) -> Any:
        """A number, an expression, or several things.

        Raises:
            CellError: it is none of these, or too long or too deep; with its place.
        """
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                raise Unreadable(f"operations are nested deeper than {DEEPEST}; name a part of this", *place(node))
            return self._value(node)
        except Unreadable as error:
            raise error.at_node(node) from None
        finally:
            self.depth -= 1

    def _value(self, node: ast.expr) -> Any:
        number = self.walk.numbers.number(node)
        if number is not None:
            return number
        match node:
            case ast.Tuple(parts):
                return tuple(self._members(parts))
            case ast.List(parts):
                found = Items(listed=True)
                for k, value in enumerate(self._members(parts)):
                    found.put(k, value)
                return found
            case ast.Dict(keys, values):
                return self._dictionary(keys, values)
            case ast.Constant(plain):
                return literal(plain) if isinstance(plain, float) else plain
            case ast.DictComp() | ast.ListComp() | ast.GeneratorExp():
                return self.walk.rounds.comprehension(node)
            case ast.IfExp(test, body, orelse):
                truth = self.walk.numbers.truth(test)
                if truth is None:
                    raise Unreadable(no_value(node))
                return self.value(body if truth else orelse)
            case ast.BinOp(ast.List(parts), ast.Mult(), _) | ast.BinOp(_, ast.Mult(), ast.List(parts)):
                return Items(zeros=bool(parts) and self.value(parts[0]) in (0, Num(Fraction(0))))
            case ast.BinOp() if factors := outer_factors(node, self.walk.batched):
                standing, lying = (self.quantity(self.value(one)) for one in factors)
                rows = is_of_batch(node, self.walk.batched)
                return MatMul(Transpose(standing), lying) if rows else Outer(standing, lying)
            case ast.BinOp():
                text = self.walk.numbers.text(node)
                return self._chain(node) if text is None else text
            case ast.UnaryOp(operator, operand):
                inner = self.value(operand)
                if isinstance(inner, Series):
                    return each(lambda one: unary(operator, self.quantity(one)), inner)
                return unary(operator, self.quantity(inner))
            case ast.Name() | ast.Subscript() | ast.Attribute():
                return self._read(node)
            case ast.Call(func, args):
                found = self.walk.calls.called(node, func, args)
                return self._library(node) if found is None else found
            case ast.JoinedStr():
                return self.walk.numbers.text(node)
            case ast.NamedExpr(ast.Name(name), inner):
                self.walk.scope[name] = self.value(inner)
                return self.walk.scope[name]
            case ast.Lambda():
                return node
        raise Unreadable(no_value(node))

    def _members(self, parts: list[ast.expr]) -> list[Any]:
        found: list[Any] = []
        for part in parts:
            if isinstance(part, ast.Starred):
                rounds = self.walk.rounds.through(part.value)
                if rounds is None:
                    raise Unreadable(no_value(part))
                few(len(found) + len(rounds))
                found += [value for _, value in rounds]
            else:
                found.append(self.value(part))
        return found

    def _dictionary(self, keys: list[ast.expr | None], values: list[ast.expr]) -> Items:
        found = Items()
        for key, inner in zip(keys, values, strict=True):
            value = self.value(inner)
            if key is not None:
                text = self.walk.numbers.text(key)
                found.put(self.walk.numbers.number(key) if text is None else text, value)
            elif isinstance(value, Items):  # {**more}
                found.known |= value.known
        return found

    def _chain(self, node: ast.BinOp) -> Any:
        first, rest = left_chain(node)
        result = self.value(first)
        for operator, operand in rest:
            result = self._combined(operator, result, self.value(operand))
        return result

    def _combined(self, operator: ast.operator, left: Any, right: Any) -> Any:
        if isinstance(left, tuple) and isinstance(right, tuple) and isinstance(operator, ast.Add):
            few(len(left) + len(right))
            return left + right
        left, right = self._aligned(self.in_time(left), self.in_time(right), operator)
        if isinstance(left, Series) or isinstance(right, Series):
            return combined(operator, left, right, self.quantity)
        left, right = self.quantity(left), self.quantity(right)
        if ZERO in (left, right) and isinstance(operator, ast.MatMult):
            return ZERO
        return binary(operator, left, right)

    def _aligned(self, left: Any, right: Any, operator: ast.operator) -> tuple[Any, Any]:
        """Where one of both is an array over time, what comes from outside for every step is one as well."""
        if isinstance(left, Series) == isinstance(right, Series):
            return left, right
        series, other = (left, right) if isinstance(left, Series) else (right, left)
        turned = isinstance(other, Transpose) and isinstance(other.arg, Name) and not series.lying
        over_steps = isinstance(operator, ast.MatMult) and (series.lying if series is left else turned)
        name = base_of(other)
        plain = isinstance(other, Outside) and other.at is None
        if not name or not (over_steps or (plain and self.walk.time.indexed(name))):
            return left, right
        whole = self.walk.time.all_of(name)
        found = Series(whole.members[-len(series.members) :], whole.steps[-len(series.members) :], turned)
        return (left, found) if series is left else (found, right)

    def in_time(self, value: Any) -> Any:
        """An array that was filled step by step as what its steps hold."""
        if isinstance(value, Items) and value.known and not value.listed:
            return value.in_order() or value
        return value

    def _read(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Attribute):
            if node.attr in ("T", "mT"):
                return self._turned(node.value)
            if full := self.walk.library_name(node):
                if full.rpartition(".")[2] in CONSTANTS:
                    return CONSTANTS[full.rpartition(".")[2]]
                return Outside("")
        return self.walk.entries.read(node)

    def _turned(self, node: ast.expr) -> Any:
        inner = self.in_time(self.value(node))
        if isinstance(inner, Series):
            return Series(inner.members, inner.steps, not inner.lying)
        return transposed(self.quantity(inner))

    def _library(self, node: ast.Call) -> Any:
        """A function of a library, or a method of what is an expression."""
        func = node.func
        given: list[Any] = []
        if name := library_name(func, self.walk.aliases):
            pass
        elif isinstance(func, ast.Attribute):
            name, given = func.attr, [self._argument(func.value)]
            if name == "t" and not node.args:
                return self._turned(func.value)
        elif isinstance(func, ast.Name) and func.id in ("abs", "max", "min", "pow"):
            name = {"max": "maximum", "min": "minimum"}.get(func.id, func.id)
        else:
            raise Unreadable(f"the function {ast.unparse(func)[:60]} is not known here")
        name = {"ger": "outer", "bmm": "matmul"}.get(name, name)
        args = node.args
        if name == "where" and len(args) == 3 and isinstance(args[0], ast.Compare):
            return chosen(args[0], self.tensor(args[1]), self.tensor(args[2]), self.tensor)
        given += [self._argument(arg) for arg in args]
        keywords = {k.arg: self._argument(k.value) for k in node.keywords if k.arg and k.arg != "out"}
        if any(isinstance(one, Series) for one in given):
            if name in ("dot", "matmul", "mm") and len(given) == 2:
                return combined(ast.MatMult(), given[0], given[1], self.quantity)
            if len(given) == 1:
                return each(lambda one: library(name, [self.quantity(one)], keywords), given[0])
            raise Unreadable(f"{name} of arrays over time is not read; write it for one step, in a loop")
        if name in ("dot", "matmul", "mm", "outer") and ZERO in given:
            return ZERO
        return library(name, given, keywords)

    def _argument(self, node: ast.expr) -> Any:
        """Among arguments there are lists, truth values, names of types, and strings."""
        match node:
            case ast.Constant(value=None | bool() | str() as plain):
                return plain
            case ast.Attribute() if name := library_name(node, self.walk.aliases):
                return CONSTANTS.get(name, name)
        value = self.in_time(self.value(node))
        if isinstance(value, Items):
            value = tuple(value.known.values())
        if isinstance(value, tuple):
            return [self.quantity(one) for one in value]
        return value if isinstance(value, Series) else self.quantity(value)

    def tensor(self, node: ast.expr) -> Expr:
        """An expression in names.

        Raises:
            CellError: it is none, or too long.
        """
        try:
            found = self.quantity(self.value(node))
        except CellError as error:
            raise (error if error.line else CellError(error.message, *place(node))) from None
        return self.short(found, node)

    def short(self, found: Expr, node: ast.AST) -> Expr:
        """An expression that is not too long.

        Raises:
            CellError: it is.
        """
        if sum(1 for _ in zip(walk(found), range(MOST_OPERATIONS), strict=False)) >= MOST_OPERATIONS:
            raise CellError(f"a line of more than {MOST_OPERATIONS} operations", *place(node))
        return found

    def quantity(self, value: Any) -> Expr:
        """The expression that a value is.

        Raises:
            CellError: it is none.
        """
        if isinstance(value, Expr):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return Num(Fraction(int(value)))
        if isinstance(value, Outside) and value.name:
            return self._named(value)
        if isinstance(value, Items) and value.name and not value.known:
            return self.quantity(Outside(value.name))
        raise CellError(_described(value))

    def _named(self, value: Outside) -> Expr:
        """What comes from outside, under the name that says what it is."""
        if value.at is not None and value.entry:
            theirs = value.name.rstrip("_")
            if theirs in self.walk.labels.joined:
                return Stack((named(Outside("h", value.at - 1, True)), named(Outside("x", value.at, True))))
            found = Outside("dh_out", value.at, True) if comes_in(theirs) else value
            name = named(found)
            said = name.id.partition("@")[0]
            self.walk.time.series.add(said)
            if said != theirs:
                self.walk.assigning.shown.setdefault(said, f"{theirs}[t]")
            return name
        if value.name in ("grad_out", "grad_output", "d_output", "output_grad"):
            error = "dh_out" if self.walk.time.over_time or self.walk.labels.hears_later else "dh"
            self.walk.assigning.shown.setdefault(error, value.name)
            return named(Outside(error, value.at))
        plain = self.walk.labels.plain(value.name)
        if plain != value.name:
            self.walk.assigning.shown.setdefault(plain, value.name)
        return named(Outside(plain, value.at))


def _described(value: Any) -> str:
    if isinstance(value, Items | Series):
        return "an array over time, a list or a dictionary as a whole is not read here; write it for one step"
    if isinstance(value, tuple):
        return f"{len(value)} values stand here where one is due"
    if isinstance(value, Moment):
        return "a step stands here where a quantity is due"
    return "what this is is not known; give it a name of its own, or say it in a comment `# names: ...`"
