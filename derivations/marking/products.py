"""A term as a product: a number times factors, whatever their order and however they are turned."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from derivations.expression import (
    ONE,
    Add,
    Adjoint,
    Call,
    Diag,
    Div,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Ones,
    Outer,
    Pow,
    Reduce,
    Shift,
    Transpose,
    children,
    product,
    rebuild,
    rewrite,
)
from derivations.marking.right_line import moved

MOST_FACTORS = 24
PRODUCTS = (Neg, Mul, MatMul, Outer, Transpose, Diag, Reduce, Div)


@dataclass(frozen=True)
class Product:
    """A term: a number times factors."""

    expr: Expr
    number: Fraction
    factors: tuple[Expr, ...]


def as_product(expr: Expr) -> Product | None:
    """A term as a product; None where it is no product of a few factors."""
    factors: list[Expr] = []
    try:
        number = _gather(expr, factors)
    except RecursionError:
        return None
    return Product(expr, number, tuple(factors)) if number and len(factors) <= MOST_FACTORS else None


def _gather(expr: Expr, into: list[Expr]) -> Fraction:
    match expr:
        case Num(value):
            return value
        case Neg(arg):
            return -_gather(arg, into)
        case Mul(items):
            number = Fraction(1)
            for item in items:
                number *= _gather(item, into)
            return number
        case MatMul(a, b) | Outer(a, b) | Reduce("dot", (a, b)):
            return _gather(a, into) * _gather(b, into)
        case Transpose(a) | Diag(a) | Reduce("sum" | "down" | "across", (a,)):
            return _gather(a, into)
        case Shift(a, by) if not isinstance(a, (Name, Adjoint)):
            return _gather(moved(a, by), into)
        case Pow(base, exponent) if exponent > 0:
            number = Fraction(1)
            for _ in range(exponent):
                number *= _gather(base, into)
            return number
        case Div(a, Num(value)) if value:
            return _gather(a, into) / value
        case Div(a, b):
            number = _gather(a, into)
            below: list[Expr] = []
            number /= _gather(b, below) or 1
            into += [Div(ONE, factor) for factor in below]
            return number
        case Ones():
            return Fraction(1)
    into.append(standing(expr))
    return Fraction(1)


def standing(factor: Expr) -> Expr:
    """A factor in which no vector lies: 1 - h of 1 - h.T."""
    if not isinstance(factor, (Add, Call)):
        return factor

    def rule(node: Expr) -> Expr | None:
        return node.arg if isinstance(node, Transpose) and isinstance(node.arg, (Name, Adjoint)) else None

    return rewrite(factor, rule)


def lying(factor: Expr) -> Expr:
    """The same, in which every vector lies."""
    return rewrite(factor, lambda node: Transpose(node) if isinstance(node, (Name, Adjoint)) else None)


# --- putting right ----------------------------------------------------------------------------------------------


def with_factors(expr: Expr, table: Sequence[tuple[Expr, Expr]]) -> Expr:
    """A product with some of its factors replaced, each entry of the table used once."""
    left: list[tuple[Expr, Expr]] = []
    for old, new in table:
        match old:
            case Pow(base, exponent):
                left += [(base, new), *[(base, ONE)] * (exponent - 1)]
            case Mul(parts):
                left += [(parts[0], new), *((part, ONE) for part in parts[1:])]
            case _:
                left.append((old, new))

    def visit(node: Expr) -> Expr:
        upright = standing(node)
        for entry in left:
            if entry[0] == upright:
                left.remove(entry)
                return entry[1] if upright == node or entry[1] == ONE else lying(entry[1])
        match node:
            case Pow(base, exponent) if any(old in (standing(base), *_parts(base)) for old, _ in left):
                return product(*(visit(base) for _ in range(exponent)))
            case Mul(parts):
                return product(*map(visit, parts))
            case Shift(arg, by) if not isinstance(arg, (Name, Adjoint)):
                return visit(moved(arg, by))
        return rebuild(node, tuple(map(visit, children(node)))) if isinstance(node, PRODUCTS) else node

    return visit(expr)


def _parts(expr: Expr) -> tuple[Expr, ...]:
    return expr.factors if isinstance(expr, Mul) else ()


def factor_places(expr: Expr) -> Iterator[tuple[Callable[[Expr], Expr], Expr]]:
    """Every place of a product where a factor may stand, with what puts another there."""

    def visit(node: Expr, put: Callable[[Expr], Expr]) -> Iterator[tuple[Callable[[Expr], Expr], Expr]]:
        yield put, node
        if isinstance(node, PRODUCTS):
            parts = children(node)
            for k, part in enumerate(parts):
                yield from visit(part, partial(_put, put, node, k))

    yield from visit(expr, lambda new: new)


def _put(put: Callable[[Expr], Expr], node: Expr, k: int, new: Expr) -> Expr:
    parts = children(node)
    return put(rebuild(node, (*parts[:k], new, *parts[k + 1 :])))
