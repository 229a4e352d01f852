"""Our expressions as SymPy's, in the scalar view.

SymPy is the second opinion: it differentiates what `derive.py` differentiated, and it lambdifies closed
forms. Two readings of a function are offered. *Named*: each function is a SymPy function of that name, whose
derivative is the row of `functions.py` (for lambdify and for the chain rule over whole steps). *Spelled out*:
its value column in exp, log and sqrt (for proving the rows themselves and every local partial), which knows
no derivative of ours.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import sympy

from derivations.expression import (
    Add,
    Adjoint,
    Call,
    Detach,
    Div,
    Expr,
    Mul,
    Name,
    Neg,
    Num,
    Pow,
    Total,
    scalar_view,
    substitute,
)
from derivations.functions import FUNCTIONS, Y

_SYMPY_OWN = {"tanh": sympy.tanh, "exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt}


def symbol(name: str) -> sympy.Symbol:
    """The symbol of a checked name: names come from a `Cell`, and `names.fault` has passed them."""
    return sympy.Symbol(name)


@cache
def function(name: str) -> Any:
    """The SymPy function of a row; its derivative is the row's."""
    if name in _SYMPY_OWN:
        return _SYMPY_OWN[name]
    row = FUNCTIONS[name]

    def fdiff(self: Any, argindex: int = 1) -> sympy.Expr:
        values = {f"_arg{k}": arg for k, arg in enumerate(self.args)} | {"_own": self}
        table: dict[Expr, Expr] = {arg: Name(f"_arg{k}") for k, arg in enumerate(row.args)}
        table[Y] = Name("_own")
        return to_sympy(substitute(row.derivatives[argindex - 1], table), lookup=values.__getitem__)

    return type(name, (sympy.Function,), {"nargs": len(row.args), "fdiff": fdiff})


def to_sympy(
    expr: Expr,
    *,
    spelled_out: bool = False,
    lookup: Callable[[str], sympy.Expr] = symbol,
    atoms: Mapping[Expr, sympy.Expr] | None = None,
) -> sympy.Expr:
    """The scalar view of an expression in SymPy.

    Args:
        spelled_out: functions in exp, log and sqrt instead of by name.
        lookup: what a name stands for.
        atoms: sub-expressions (such as `W @ v`) that stand for a symbol of their own.

    Raises:
        ValueError: the expression has no scalar view.
    """

    def convert(node: Expr) -> sympy.Expr:
        if atoms is not None and node in atoms:
            return atoms[node]
        match node:
            case Num(value):
                return sympy.Rational(value.numerator, value.denominator)
            case Name(id) | Adjoint(id=id) | Total(id=id):
                return lookup(id)
            case Add(terms):
                return sympy.Add(*map(convert, terms))
            case Neg(arg):
                return -convert(arg)
            case Mul(factors):
                return sympy.Mul(*map(convert, factors))
            case Div(above, below):
                return convert(above) / convert(below)
            case Pow(base, exponent):
                return convert(base) ** exponent
            case Detach(arg):
                return convert(arg)
            case Call(name, args):
                row = FUNCTIONS[name]
                if spelled_out and row.value is not None:
                    inner: dict[Expr, Expr] = dict(zip(row.args, args, strict=True))
                    return convert(substitute(row.value, inner))
                return function(name)(*map(convert, args))
        simpler = scalar_view(node)
        if simpler == node:
            raise ValueError(f"no scalar view of {node}")
        return convert(simpler)

    return convert(expr)
