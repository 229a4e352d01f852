"""Exact evaluation of a program: matrices of real balls.

A ball is a midpoint and a radius, and the true number surely lies in it (Johansson, "Arb: efficient
arbitrary-precision midpoint-radius interval arithmetic", IEEE Trans. Computers 66, 2017). More bits make it smaller,
and `until` asks for more until a caller is content. Every value is an array of shape (batch, rows, columns) whose
entries are balls; a batch of 1 stands for a value that all sequences share.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from flint import arb, ctx, fmpq
from numpy.typing import NDArray

from derivations.expression import evaluate
from derivations.functions import FUNCTIONS

Balls = NDArray[np.object_]
R = TypeVar("R")

FEWEST_BITS = 256
MOST_BITS = 1 << 13


class Undecided(ArithmeticError):
    """Two balls overlap and a choice hangs on which is larger; more bits may part them."""


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Ball arithmetic with this many bits, within the block only."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def until(content: Callable[[R], bool], compute: Callable[[], R], bits: int = FEWEST_BITS) -> R:
    """`compute()` with twice the bits until the caller is content with the result.

    Raises:
        ArithmeticError: not even `MOST_BITS` were enough: a comparison of two equal numbers, or a pole.
    """
    while bits <= MOST_BITS:
        with precision(bits):
            try:
                result = compute()
                if content(result):
                    return result
            except Undecided:
                pass
        bits *= 2
    raise ArithmeticError(f"{MOST_BITS} bits do not decide this; is the point on a kink or at a pole?")


# --- arrays of balls ------------------------------------------------------------------------------


_exact = np.frompyfunc(arb, 1, 1)
_radius = np.frompyfunc(lambda x: float(x.rad()), 1, 1)
_reach = np.frompyfunc(lambda x: float(x.abs_upper()), 1, 1)
_zero = np.frompyfunc(arb.is_zero, 1, 1)
_least = np.frompyfunc(lambda x: float(x.abs_lower()), 1, 1)


def balls(numbers: NDArray[np.floating]) -> Balls:
    """Floating-point numbers as the exact numbers that they are."""
    return np.asarray(_exact(np.asarray(numbers, dtype=np.float64)), dtype=object)


def rational(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))


def radius(a: Balls) -> NDArray[np.float64]:
    return np.asarray(_radius(a), dtype=np.float64)


def largest(a: Balls) -> NDArray[np.float64]:
    """The largest absolute value in each ball."""
    return np.asarray(_reach(a), dtype=np.float64)


def smallest(a: Balls) -> NDArray[np.float64]:
    """The smallest absolute value in each ball: 0 where it holds zero."""
    return np.asarray(_least(a), dtype=np.float64)


def exactly_zero(a: Balls) -> NDArray[np.bool_]:
    """Which balls are zero itself; a float of 1e-400 would be, too."""
    return np.asarray(_zero(a), dtype=np.bool_)


def transposed(a: NDArray[Any]) -> NDArray[Any]:
    return a.swapaxes(-1, -2)


def diagonal(a: NDArray[Any], zero: Any) -> NDArray[Any]:
    """Columns (..., n, 1) as diagonal matrices (..., n, n)."""
    size = a.shape[-2]
    result = np.full((*a.shape[:-2], size, size), zero, dtype=a.dtype)
    result[..., range(size), range(size)] = a[..., 0]
    return result


def stacked(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Columns above one another; what has no batch, or no direction, takes that of the others."""
    outer = np.broadcast_shapes(*(part.shape[:-2] for part in parts))
    return np.concatenate([np.broadcast_to(part, outer + part.shape[-2:]) for part in parts], axis=-2)


def spread(a: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    return np.broadcast_to(a, np.broadcast_shapes(a.shape, like.shape))


# --- functions ------------------------------------------------------------------------------------


def sign(x: arb) -> int:
    """-1, 0 or 1; 0 only for a number that is exactly zero.

    Raises:
        Undecided: the ball holds zero and other numbers.
    """
    if x > 0:
        return 1
    if x < 0:
        return -1
    if x.is_zero():
        return 0
    raise Undecided


def _clip(x: arb, low: arb, high: arb) -> arb:
    return x.max(low).min(high)


def _above(x: arb, y: arb) -> arb:
    return arb(1 + sign(x - y)) / 2


def _inside(x: arb, low: arb, high: arb) -> arb:
    return arb(int(sign(x - low) > 0 > sign(x - high)))


# Arb's own functions where it has them: what the value column of `functions.py` says is held against these.
FUNCTIONS_OF_BALLS: dict[str, Callable[..., arb]] = {
    "sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "tanh": arb.tanh,
    "exp": arb.exp,
    "log": arb.log,
    "sqrt": arb.sqrt,
    "softplus": lambda x: x.exp().log1p(),
    "logsigmoid": lambda x: -(-x).exp().log1p(),
    "relu": lambda x: x.max(arb(0)),
    "abs": abs,
    "max": arb.max,
    "min": arb.min,
    "hard_sigmoid": lambda x: _clip(x / 6 + arb(1) / 2, arb(0), arb(1)),
    "clip": _clip,
    "_step": lambda x: arb(int(sign(x) > 0)),
    "_sign": lambda x: arb(sign(x)),
    "_above": _above,
    "_inside": _inside,
}


def elementwise(functions: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Balls]]:
    """Functions of balls as functions of arrays of them."""
    return {name: np.frompyfunc(function, len(FUNCTIONS[name].args), 1) for name, function in functions.items()}


_ELEMENTWISE = elementwise(FUNCTIONS_OF_BALLS)


class BallArithmetic:
    """The `Arithmetic` of `expression.evaluate` on batches of matrices of balls.

    Args:
        functions: of arrays of whatever the entries are, where they are not plain balls.
        held: such an array, held constant.
    """

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Balls]] = _ELEMENTWISE,
        held: Callable[[Balls], Balls] = lambda a: a,
    ) -> None:
        self.functions, self.held = functions, held

    def number(self, value: Fraction) -> Balls:
        return np.array([[[rational(value)]]], dtype=object)

    def add(self, terms: list[Balls]) -> Balls:
        result = terms[0]
        for term in terms[1:]:
            result = result + term
        return result

    def negative(self, a: Balls) -> Balls:
        return -a

    def multiply(self, factors: list[Balls]) -> Balls:
        result = factors[0]
        for factor in factors[1:]:
            result = result * factor
        return result

    def divide(self, a: Balls, b: Balls) -> Balls:
        return a / b

    def power(self, a: Balls, exponent: int) -> Balls:
        # Not `a**exponent`: Arb takes a logarithm, which a ball that holds zero does not have.
        return self.multiply([a] * exponent) if exponent else self.number(Fraction(1))

    def call(self, function: str, args: list[Balls]) -> Balls:
        if function in self.functions:
            return self.functions[function](*args)
        row = FUNCTIONS[function]
        if row.value is None:
            raise NotImplementedError(f"{function} has no value in balls; add it to FUNCTIONS_OF_BALLS")
        return evaluate(row.value, dict(zip((x.id for x in row.args), args, strict=True)), self)

    def matmul(self, a: Balls, b: Balls) -> Balls:
        return a * b if a.shape[-1] == 1 else a @ b  # a column by a row spreads to their outer product

    def transpose(self, a: Balls) -> Balls:
        return transposed(a)

    def diagonal(self, a: Balls) -> Balls:
        return diagonal(a, arb(0))

    def stack(self, parts: list[Balls]) -> Balls:
        return stacked(parts)

    def rows(self, a: Balls, start: int, stop: int) -> Balls:
        return a[..., start:stop, :]

    def sum(self, a: Balls) -> Balls:
        return a.sum((-1, -2), keepdims=True)

    def logsumexp(self, a: Balls) -> Balls:
        return self.call("log", [self.sum(self.call("exp", [a]))])

    def shape(self, a: Balls) -> tuple[int, int]:
        return a.shape[-2:]

    def detach(self, a: Balls) -> Balls:
        return self.held(a)

    def spread(self, a: Balls, like: Balls) -> Balls:
        return spread(a, like)

    def over_batch(self, a: Balls) -> Balls:
        return a.sum(-3, keepdims=True)
