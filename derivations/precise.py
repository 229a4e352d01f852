"""Arithmetic with 60 digits, by mpmath in a context of its own: where numbers show that two expressions differ.

It refutes and never proves: what agrees to half of these digits at random points is said to agree there, no more.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import mpmath

from derivations.matrices import MatrixArithmetic

CONTEXT = mpmath.MPContext()
CONTEXT.dps = 60
CLOSE = CONTEXT.mpf(10) ** -30
_NAN = CONTEXT.nan


def _on_positive(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: function(x) if x > 0 else _NAN


def _above(a: Any, b: Any) -> Any:
    return CONTEXT.mpf(1 if a > b else 0 if a < b else 0.5)


def _softplus(x: Any) -> Any:
    return CONTEXT.log1p(CONTEXT.exp(x))


VALUES: Mapping[str, Callable[..., Any]] = {
    "sigmoid": lambda x: 1 / (1 + CONTEXT.exp(-x)),
    "tanh": CONTEXT.tanh,
    "exp": CONTEXT.exp,
    "log": _on_positive(CONTEXT.log),
    "sqrt": _on_positive(CONTEXT.sqrt),
    "softplus": _softplus,
    "logsigmoid": lambda x: -_softplus(-x),
    "relu": lambda x: max(x, CONTEXT.zero),
    "abs": abs,
    "max": max,
    "min": min,
    "hard_sigmoid": lambda x: min(max(x / 6 + CONTEXT.mpf(1) / 2, CONTEXT.zero), CONTEXT.one),
    "clip": lambda x, low, high: min(max(x, low), high),
    "_step": lambda x: CONTEXT.mpf(x > 0),
    "_sign": CONTEXT.sign,
    "_above": _above,
    "_inside": lambda x, low, high: CONTEXT.mpf(low < x < high),
}


class Precise(MatrixArithmetic[Any]):
    """Matrices of numbers with 60 digits."""

    def scalar(self, value: Fraction) -> Any:
        return CONTEXT.mpf(value.numerator) / value.denominator

    def apply(self, function: str, args: tuple[Any, ...]) -> Any:
        return VALUES[function](*args)


def differ(a: Any, b: Any) -> bool:
    """Whether two numbers differ by more than rounding; what is not a number says nothing."""
    return bool(abs(a - b) > CLOSE * (1 + abs(a) + abs(b)))
