"""Means that are written out: a sum over the entries of a vector, divided by how many there are.

`(1/n) sum_j y_j`, `1^T y / n` and `(1/(n s)) (n y - sum_j y_j)` hold no size once the sums are means: each sum is n
times a mean, and the sizes cancel.
"""

from collections.abc import Callable, Iterable
from functools import reduce

from derivations.expression import (
    ONE,
    Add,
    Div,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Pow,
    Reduce,
    TimeSum,
    Transpose,
    children,
    names,
    rebuild,
)  # fmt: skip

_SIZES = ("n", "N", "H", "d", "D", "m", "K", "M", "n_h", "d_h")
_MATRICES = ("W", "U", "R", "V", "K")

Weighed = tuple[int, Expr]  # n to a power, times the rest


def averaged(expr: Expr, is_free: Callable[[str], bool]) -> Expr:
    """The same in means, where it has a size of its own in it and all of that cancels."""
    for size in _SIZES:
        if size in names(expr) and is_free(size):
            weighed = _weighed(expr, size)
            if weighed and weighed[0] == 0:
                return weighed[1]
    return expr


def _weighed(expr: Expr, size: str) -> Weighed | None:
    match expr:
        case Name(id) if id == size:
            return 1, ONE
        case Reduce("sum", (arg,)):
            inner = _weighed(arg, size)
            return inner and (inner[0] + 1, Reduce("mean", (inner[1],)))
        case Reduce("dot", (a, b)):
            return _weighed(Reduce("sum", (Mul((a, b)),)), size)
        case Neg(arg):
            inner = _weighed(arg, size)
            return inner and (inner[0], Neg(inner[1]))
        case TimeSum(arg):
            inner = _weighed(arg, size)
            return inner and (inner[0], TimeSum(inner[1]))
        case Pow(base, exponent):
            inner = _weighed(base, size)
            return inner and (inner[0] * exponent, Pow(inner[1], exponent))
        case Add(terms):
            found = [_weighed(term, size) for term in terms]
            weights = {one[0] for one in found if one}
            if None in found or len(weights) != 1:
                return None
            return weights.pop(), Add(tuple(one[1] for one in found if one))
        case Div(above, below):
            over, under = _weighed(above, size), _weighed(below, size)
            if over is None or under is None:
                return None
            return over[0] - under[0], over[1] if under[1] == ONE else Div(over[1], under[1])
        case Mul(factors):
            return _times(factors, size, lambda parts: Mul(tuple(parts)) if len(parts) > 1 else parts[0])
        case MatMul():
            return _times(_inner(_chain(expr)), size, lambda parts: reduce(MatMul, parts))
    found = [_weighed(child, size) for child in children(expr)]
    if any(one is None or one[0] for one in found):
        return None
    return 0, rebuild(expr, tuple(one[1] for one in found if one)) if found else expr


def _times(factors: Iterable[Expr], size: str, join: Callable[[list[Expr]], Expr]) -> Weighed | None:
    found = [_weighed(factor, size) for factor in factors]
    if None in found:
        return None
    kept = [one[1] for one in found if one and one[1] != ONE]
    return sum(one[0] for one in found if one), join(kept) if kept else ONE


def _chain(expr: Expr) -> list[Expr]:
    return [*_chain(expr.left), *_chain(expr.right)] if isinstance(expr, MatMul) else [expr]


def _inner(factors: list[Expr]) -> list[Expr]:
    """The factors with inner products of vectors, `1^T y` and `y^T m`, as sums."""
    found: list[Expr] = []
    for factor in factors:
        before = found[-1] if found else None
        if isinstance(before, Transpose) and _is_vector(before.arg) and _is_vector(factor):
            both = (factor,) if isinstance(before.arg, Num) else (before.arg, factor)
            found[-1] = Reduce("sum", (Mul(both) if len(both) > 1 else factor,))
        else:
            found.append(factor)
    return found


def _is_vector(expr: Expr) -> bool:
    return not isinstance(expr, Transpose) and not any(name.startswith(_MATRICES) for name in names(expr))
