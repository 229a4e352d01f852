"""Arithmetic in plain Python: floats for the scalar (1x1) view, matrices of floats and of wide decimals.

Nothing here raises for a number. As in IEEE arithmetic an overflow is infinite, and outside of its domain a
function is not a number. A product of many slopes leaves the range of a float (a closed gate has slopes of
1e-22, and a hundred steps multiply): where a true zero must be told from a small number, decimals with 50
digits and exponents up to a million stand in for floats.
"""

import math
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from fractions import Fraction

from derivations.matrices import Matrix, MatrixArithmetic

NAN, INFINITY = math.nan, math.inf


# --- functions: one per row of `functions.py`, stable at both ends --------------------------------


def sigmoid(x: float) -> float:
    decay = math.exp(-abs(x))  # at most 1, where exp(-x) overflows
    return 1.0 / (1.0 + decay) if x >= 0.0 else decay / (1.0 + decay)


def exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return INFINITY


def log(x: float) -> float:
    return math.log(x) if x > 0.0 else -INFINITY if x == 0.0 else NAN


def sqrt(x: float) -> float:
    return math.sqrt(x) if x >= 0.0 else NAN


def softplus(x: float) -> float:
    return maximum(x, 0.0) + math.log1p(math.exp(-abs(x)))


def logsigmoid(x: float) -> float:
    return minimum(x, 0.0) - math.log1p(math.exp(-abs(x)))


def maximum(a: float, b: float) -> float:
    return NAN if a != a or b != b else max(a, b)


def minimum(a: float, b: float) -> float:
    return NAN if a != a or b != b else min(a, b)


def clip(x: float, low: float, high: float) -> float:
    return minimum(maximum(x, low), high)


def above(a: float, b: float) -> float:
    """The slope of max(a, b) in a: 1 where a is above b, one half at a tie."""
    return 1.0 if a > b else 0.5 if a == b else 0.0 if a < b else NAN


def sign(x: float) -> float:
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == 0.0 else NAN


def step(x: float) -> float:
    return NAN if x != x else float(x > 0.0)


def inside(x: float, low: float, high: float) -> float:
    """The slope of clip(x, low, high) in x: 0 at the corners."""
    return NAN if x != x or low != low or high != high else float(low < x < high)


VALUES: Mapping[str, Callable[..., float]] = {
    "sigmoid": sigmoid,
    "tanh": math.tanh,
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "softplus": softplus,
    "logsigmoid": logsigmoid,
    "relu": lambda x: maximum(x, 0.0),
    "abs": abs,
    "max": maximum,
    "min": minimum,
    "hard_sigmoid": lambda x: clip(x / 6.0 + 0.5, 0.0, 1.0),
    "clip": clip,
    "_step": step,
    "_sign": sign,
    "_above": above,
    "_inside": inside,
}


# --- floats ---------------------------------------------------------------------------------------


def nearest(value: Fraction) -> float:
    """The float nearest to an exact number."""
    try:
        return float(value)
    except OverflowError:
        return INFINITY if value > 0 else -INFINITY


def divide(a: float, b: float) -> float:
    if b:
        return a / b
    return NAN if not a or a != a else math.copysign(INFINITY, a) * math.copysign(1.0, b)


class Floats:
    """The `Arithmetic` of `expression.evaluate` on floats: every value is 1x1, and there is no batch."""

    def number(self, value: Fraction) -> float:
        return nearest(value)

    def add(self, terms: list[float]) -> float:
        result = terms[0]
        for term in terms[1:]:
            result += term
        return result

    def negative(self, a: float) -> float:
        return -a

    def multiply(self, factors: list[float]) -> float:
        result = factors[0]
        for factor in factors[1:]:
            result *= factor
        return result

    def divide(self, a: float, b: float) -> float:
        return divide(a, b)

    def power(self, a: float, exponent: int) -> float:
        if exponent < 0:
            return divide(1.0, self.power(a, -exponent))
        return self.multiply([1.0] + [a] * exponent)  # `**` raises where this overflows to infinity

    def call(self, function: str, args: list[float]) -> float:
        return VALUES[function](*args)

    def matmul(self, a: float, b: float) -> float:
        return a * b

    def transpose(self, a: float) -> float:
        return a

    def diagonal(self, a: float) -> float:
        return a

    def stack(self, parts: list[float]) -> float:
        raise ValueError("a stacked vector has no scalar view")

    def rows(self, a: float, start: int, stop: int) -> float:
        raise ValueError("a part of a stacked vector has no scalar view")

    def sum(self, a: float) -> float:
        return a

    def logsumexp(self, a: float) -> float:
        return a

    def shape(self, a: float) -> tuple[int, int]:
        return 1, 1

    def detach(self, a: float) -> float:
        return a

    def spread(self, a: float, like: float) -> float:
        return a

    def over_batch(self, a: float) -> float:
        return a


FLOATS = Floats()


# --- matrices -------------------------------------------------------------------------------------


class FloatMatrices(MatrixArithmetic[float]):
    """Small matrices of floats, as lists of rows."""

    def scalar(self, value: Fraction) -> float:
        return nearest(value)

    def apply(self, function: str, args: tuple[float, ...]) -> float:
        return VALUES[function](*args)

    def divide(self, a: Matrix[float], b: Matrix[float]) -> Matrix[float]:
        return self._elementwise(divide, [a, b])

    def logsumexp(self, a: Matrix[float]) -> Matrix[float]:
        top = max(x for row in a for x in row)
        if not math.isfinite(top):
            return [[top]]
        return [[top + math.log(math.fsum(math.exp(x - top) for row in a for x in row))]]


WIDE = Context(prec=50, Emin=-999_999, Emax=999_999, traps=[])


class WideMatrices(MatrixArithmetic[Decimal]):
    """Small matrices of decimals, within `localcontext(WIDE)`; functions are those of floats."""

    def scalar(self, value: Fraction) -> Decimal:
        return Decimal(value.numerator) / Decimal(value.denominator)

    def apply(self, function: str, args: tuple[Decimal, ...]) -> Decimal:
        return Decimal(VALUES[function](*map(float, args)))


def magnitude(value: Decimal) -> float:
    """log10 |value|: minus infinity for an exact zero, however small everything else is."""
    if not value:
        return -INFINITY
    if not value.is_finite():
        return NAN if value.is_nan() else INFINITY
    exponent = value.adjusted()
    return exponent + math.log10(float(value.copy_abs().scaleb(-exponent, WIDE)))
