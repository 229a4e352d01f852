"""Elementwise functions and formulas on arrays: what the tables of the array libraries have in common."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from derivations.functions import FUNCTIONS

A = TypeVar("A", bound=Any)
LONGEST_INTEGER = 2**31 - 1  # that every library reads from Python as it is


def with_numbers(
    functions: Mapping[str, Callable[..., A]], array: Callable[[float, A | None], A]
) -> dict[str, Callable[..., Any]]:
    """Functions of arrays as functions of arrays and plain numbers, which code from SymPy mixes.

    Args:
        array: a number as an array of the dtype of another; in float64 where there is no other.
    """

    def mixed(function: Callable[..., A]) -> Callable[..., Any]:
        def apply(*args: Any) -> Any:
            like = next((arg for arg in args if hasattr(arg, "dtype")), None)
            arrays = [arg if hasattr(arg, "dtype") else array(float(arg), like) for arg in args]
            return float(function(*arrays)) if like is None else function(*arrays)

        return apply

    return {name: mixed(functions[name]) for name in FUNCTIONS}


def lambdified(symbols: Sequence[Any], expression: Any, **options: Any) -> Callable[..., Any]:
    """SymPy's `lambdify` of an expression whose symbols are first renamed by their place, v0, v1, ...

    The code that it writes and runs so holds no name of a user, and none that its modules have (E, beta, numpy).
    Its own way of renaming, `dummify`, takes five times as long, and orders sums by a global count. Long integers
    are handed to the code as floats: libraries would take them for integers of 32 or 64 bits.
    """
    import sympy

    long = sorted((n for n in expression.atoms(sympy.Rational) if max(abs(n.p), n.q) > LONGEST_INTEGER), key=float)
    safe = [sympy.Symbol(f"v{place}") for place in range(len(symbols) + len(long))]
    renamed = expression.xreplace(dict(zip([*symbols, *long], safe, strict=True)))
    function = sympy.lambdify(safe, renamed, cse=True, **options)
    numbers = [int(n.p) / int(n.q) for n in long]
    return (lambda *values: function(*values, *numbers)) if long else function


def jumps(number: Callable[[A, A], A]) -> dict[str, Callable[..., A]]:
    """The piecewise constant rows of `functions.py`.

    Args:
        number: a condition as 1 or 0 in the dtype of another array.
    """
    return {
        "_step": lambda x: number(x > 0, x),
        "_sign": lambda x: number(x > 0, x) - number(x < 0, x),
        "_above": lambda a, b: number(a > b, a) + number(a == b, a) / 2,
        "_inside": lambda x, low, high: number((low < x) & (x < high), x),
    }
