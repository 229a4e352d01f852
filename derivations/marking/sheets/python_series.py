"""Arrays over time as a whole: `A.T @ X`, `A.sum(axis=0)`, `np.vstack([h0, h[:-1]])`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from derivations.expression import Expr, MatMul, Mul, Outer, Transpose
from derivations.marking.sheets.walked import Series
from derivations.python_operators import Unreadable, added, binary

Quantity = Callable[[Any], Expr]


def each(rule: Callable[[Any], Expr], series: Series) -> Series:
    """Something of every step."""
    return Series([rule(one) for one in series.members], series.steps, series.lying)


def combined(operator: ast.operator, left: Any, right: Any, quantity: Quantity) -> Any:
    """`left OP right`, where one of both is an array over time, its steps standing below one another.

    Raises:
        Unreadable: they do not have the same steps, or this is no operation of theirs.
    """
    if isinstance(operator, ast.MatMult):
        return _product(left, right, quantity)
    if isinstance(left, Series) and isinstance(right, Series):
        _same_steps(left, right)
        pairs = zip(left.members, right.members, strict=True)
        members = [binary(operator, quantity(a), quantity(b)) for a, b in pairs]
        return Series(members, left.steps, left.lying)
    if isinstance(left, Series):
        return each(lambda one: binary(operator, quantity(one), quantity(right)), left)
    return each(lambda one: binary(operator, quantity(left), quantity(one)), right)


def _same_steps(left: Series, right: Series) -> None:
    if len(left.members) != len(right.members):
        raise Unreadable("arrays over time of different lengths meet here")


def _product(left: Any, right: Any, quantity: Quantity) -> Any:
    if isinstance(left, Series) and isinstance(right, Series):
        if not left.lying or right.lying:
            raise Unreadable("this product of arrays over time mixes the steps")
        _same_steps(left, right)
        pairs = zip(left.members, right.members, strict=True)
        return summed(Series([Outer(quantity(a), quantity(b)) for a, b in pairs], left.steps))
    if isinstance(left, Series) and not left.lying:  # rows x W
        return each(lambda one: MatMul(Transpose(quantity(right)), quantity(one)), left)
    if isinstance(right, Series) and right.lying:
        return each(lambda one: MatMul(quantity(left), quantity(one)), right)
    raise Unreadable("this product of an array over time sums over its steps with weights")


def summed(series: Series, quantity: Quantity = lambda one: one) -> Expr:
    """The sum over all steps."""
    if not series.members:
        raise Unreadable("a sum of nothing")
    result = quantity(series.members[0])
    for one in series.members[1:]:
        result = added(result, quantity(one))
    return result


def einsum(spec: str, left: Any, right: Any, quantity: Quantity) -> Expr | Series:
    """A product of two by Einstein's sum: what matrices, outer products and arrays over time multiply to.

    Raises:
        Unreadable: it is another one.
    """
    if spec.count(",") != 1 or spec.count("->") > 1:
        raise Unreadable("einsum is read of two factors; write @, .T and outer")
    factors, arrow, out = spec.replace(" ", "").replace("...", "").partition("->")
    out = out if arrow else "".join(sorted(one for one in factors if one != "," and factors.count(one) == 1))
    a, b = factors.split(",")
    if isinstance(left, Series) and isinstance(right, Series) and a[0] == b[0]:
        both = [einsum(f"{a[1:]},{b[1:]}->{out.lstrip(a[0])}", x, y, quantity)
                for x, y in zip(left.members, right.members, strict=True)]  # fmt: skip
        found = Series(both, left.steps)
        return found if out.startswith(a[0]) else summed(found)
    if isinstance(left, Series) and len(a) == len(b) == 2 and out.startswith(a[0]):
        return each(lambda one: quantity(einsum(f"{a[1:]},{b}->{out[1:]}", one, right, quantity)), left)
    x, y = quantity(left), quantity(right)
    if a == b == out:
        return Mul((x, y))
    if a[:1] == b[:1] == out[:1] and len(a) == len(b) == 2:  # of each of a batch's samples, to be added up
        out = out[1:]
    if len(a) == len(b) == 1 and out in (a + b, b + a):
        return Outer(x, y) if out == a + b else Outer(y, x)
    shared = [letter for letter in a if letter in b and letter not in out]
    if len(shared) != 1 or not (len(a) <= 2 and len(b) <= 2 and a + b):
        raise Unreadable("this einsum is not read; write @, .T and outer")
    left_side = x if len(a) == 1 or a[1] == shared[0] else Transpose(x)
    right_side = y if len(b) == 1 or b[0] == shared[0] else Transpose(y)
    if len(a) == 1:
        return MatMul(Transpose(right_side), left_side)
    product = MatMul(left_side, right_side)
    rest = a.replace(shared[0], "") + b.replace(shared[0], "")
    return product if out == rest else Transpose(product)
