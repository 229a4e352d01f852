"""Python's numbers and operators as ours, flat and in the order in which they are written."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import (
    ONE,
    ZERO,
    Add,
    Call,
    Div,
    Expr,
    MatMul,
    Mul,
    Neg,
    Num,
    Pow,
    Transpose,
)
from derivations.language import exact
from derivations.misread import LARGEST_POWER

if TYPE_CHECKING:
    import ast

# A value: an Expr, or what may stand among arguments and is no quantity: a list, a string, a truth value, None.
Value = Any
Product = Callable[[Expr, Expr], Expr]  # what `a @ b` is


class Unreadable(CellError):
    """Python that says nothing which a cell can say; the message holds the remedy."""

    def at_node(self, node: ast.AST) -> Unreadable:
        """The same at the place of a node, unless it has a place."""
        return self if self.line else Unreadable(self.message, *place(node))


def place(node: ast.AST) -> tuple[int, int]:
    """Line and column of a node, counted from 1."""
    return getattr(node, "lineno", 0), getattr(node, "col_offset", -1) + 1


def literal(number: object) -> Expr:
    """A number as it is written: 0.1 is one tenth."""
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise Unreadable(f"{str(number)[:40]!r} is no number; a quantity is a name")
    if isinstance(number, float) and (number != number or abs(number) == float("inf")):
        raise Unreadable("this number is too large")
    if isinstance(number, int) and number.bit_length() > 80:
        raise Unreadable("a number of more than 20 digits")
    return Num(exact(repr(number)))


def left_chain(node: ast.BinOp) -> tuple[ast.expr, list[tuple[ast.operator, ast.expr]]]:
    """`a + b - c * d` as a and what follows it, from the left: a long sum is no deep one."""
    import ast

    rest: list[tuple[ast.operator, ast.expr]] = []
    first: ast.expr = node
    while isinstance(first, ast.BinOp):
        rest.append((first.op, first.right))
        first = first.left
    return first, rest[::-1]


def binary(operator: ast.operator, left: Value, right: Value, matmul: Product = MatMul) -> Expr:
    """`left OP right`, flat and in the order in which it is written."""
    name = type(operator).__name__
    left, right = quantity(left), quantity(right)
    match name:
        case "Add":
            return added(left, right)
        case "Sub":
            return added(left, Neg(right))
        case "Mult":
            return multiplied(left, right)
        case "Div":
            return divided(left, right)
        case "MatMult":
            return matmul(left, right)
        case "Pow":
            return raised(left, right)
    signs = {"FloorDiv": "//", "Mod": "%", "BitXor": "^ (a power is written x**2)", "BitAnd": "&", "BitOr": "|"}
    raise Unreadable(f"there is no {signs.get(name, name)} among the operations of a cell: + - * / @ **")


def unary(operator: ast.unaryop, operand: Value) -> Expr:
    """`-x` and `+x`."""
    match type(operator).__name__:
        case "USub":
            inner = quantity(operand)
            return Num(-inner.value) if isinstance(inner, Num) else Neg(inner)
        case "UAdd":
            return quantity(operand)
    raise Unreadable("`not` and `~` are no operations of a cell")


def quantity(value: Value) -> Expr:
    if not isinstance(value, Expr):
        raise Unreadable(f"a quantity is due here, not {described(value)}")
    return value


def described(value: Value) -> str:
    if isinstance(value, (list, tuple)):
        return f"{len(value)} values"
    return "None" if value is None else f"{str(value)[:40]!r}" if isinstance(value, (str, bool)) else "this"


def added(left: Expr, right: Expr) -> Expr:
    if isinstance(left, Num) and isinstance(right, (Num, Neg)) and isinstance(plain := _folded(right), Num):
        return Num(left.value + plain.value)
    if left == ZERO:
        return _folded(right)
    if right in (ZERO, Neg(ZERO)):
        return left
    return Add((*(left.terms if isinstance(left, Add) else (left,)), right))


def _folded(expr: Expr) -> Expr:
    return Num(-expr.arg.value) if isinstance(expr, Neg) and isinstance(expr.arg, Num) else expr


def multiplied(left: Expr, right: Expr) -> Expr:
    if isinstance(left, Num) and isinstance(right, Num):
        return Num(left.value * right.value)
    return Mul((*(left.factors if isinstance(left, Mul) else (left,)), right))


def divided(left: Expr, right: Expr) -> Expr:
    if right == ZERO:
        raise Unreadable("division by zero")
    if isinstance(left, Num) and isinstance(right, Num):
        return Num(left.value / right.value)
    return Div(left, right)


def raised(base: Expr, exponent: Expr) -> Expr:
    if not isinstance(exponent, Num):
        raise Unreadable(f"a power is one whole number from 0 to {LARGEST_POWER}")
    power = exponent.value
    if power == Fraction(1, 2):
        return Call("sqrt", (base,))
    if power < 0:
        return divided(ONE, raised(base, Num(-power)))
    if power.denominator == 2 and power < LARGEST_POWER:
        return multiplied(raised(base, Num(power - Fraction(1, 2))), Call("sqrt", (base,)))
    if power.denominator != 1 or power > LARGEST_POWER:
        raise Unreadable(f"powers are whole numbers from 0 to {LARGEST_POWER}, or 0.5")
    if isinstance(base, Pow) and base.exponent * power > LARGEST_POWER:
        raise Unreadable(f"powers of powers beyond {LARGEST_POWER}; name an inner one")
    if isinstance(base, Num):
        return Num(base.value ** int(power))
    if power == 1:
        return base
    return Pow(base, int(power))


def transposed(expr: Expr) -> Expr:
    return expr.arg if isinstance(expr, Transpose) else Transpose(expr)


def _stable_sigmoid(x: Expr) -> tuple[Expr, Expr]:
    """The two forms of the sigmoid, above and below zero, in which nothing overflows."""
    below = Call("exp", (x,))
    return Div(ONE, Add((ONE, Call("exp", (Neg(x),))))), Div(below, Add((ONE, below)))


def chosen(test: ast.Compare, yes: Expr, no: Expr, value: Callable[[ast.expr], Expr]) -> Expr:
    """`where(a > b, a, b)` and its kin: the ones that are max, min, relu, abs or a sigmoid."""
    if len(test.ops) != 1:
        raise Unreadable("where compares two values")
    kind = type(test.ops[0]).__name__
    left, right = value(test.left), value(test.comparators[0])
    if kind in ("Lt", "LtE"):
        left, right, kind = right, left, "Gt"
    if kind in ("Gt", "GtE"):  # left is above right
        if (yes, no) == (left, right):
            return Call("relu", (left,)) if right == ZERO else Call("max", (left, right))
        if (yes, no) == (right, left):
            return Call("min", (left, right))
        if right == ZERO and (yes, no) == _stable_sigmoid(left):
            return Call("sigmoid", (left,))
        if right == ZERO and yes == left and no == Neg(left):
            return Call("abs", (left,))
        if right == ZERO and yes == left and no == ZERO:
            return Call("relu", (left,))
    raise Unreadable("this where is none of max, min, relu and abs; write where(a > b, a, b), or one of those")
