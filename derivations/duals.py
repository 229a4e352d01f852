"""Dual numbers over any scalars: a value and its slope along one direction, carried through an expression.

Forward mode is how the proofs differentiate a whole equation with its linear maps and reductions, written out
in components: it shares nothing with the backward rules of `derive.py`.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, TypeVar

from derivations.expression import ZERO, evaluate
from derivations.functions import FUNCTIONS, Y
from derivations.matrices import Matrix, MatrixArithmetic

S = TypeVar("S")


@dataclass(frozen=True)
class Dual(Generic[S]):
    """A value and its slope; None where nothing moves, so that nothing is multiplied by zero."""

    value: Any
    slope: Any = None

    def __add__(self, other: "Dual[S]") -> "Dual[S]":
        return Dual(self.value + other.value, _plus(self.slope, other.slope))

    def __mul__(self, other: "Dual[S]") -> "Dual[S]":
        slope = _plus(_times(self.slope, other.value), _times(other.slope, self.value))
        return Dual(self.value * other.value, slope)

    def __truediv__(self, other: "Dual[S]") -> "Dual[S]":
        ratio = self.value / other.value
        slope = _plus(self.slope, _times(other.slope, -ratio))
        return Dual(ratio, None if slope is None else slope / other.value)


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a if b is None else a + b


def _times(slope: Any, value: Any) -> Any:
    return None if slope is None else slope * value


class Duals(MatrixArithmetic[Dual[S]]):
    """Dual numbers over the scalars of another arithmetic."""

    def __init__(self, base: MatrixArithmetic[S]) -> None:
        self.base = base

    def scalar(self, value: Fraction) -> Dual[S]:
        return Dual(self.base.scalar(value))

    def apply(self, function: str, args: tuple[Dual[S], ...]) -> Dual[S]:
        row = FUNCTIONS[function]
        value = self.base.apply(function, tuple(arg.value for arg in args))
        here = {name.id: [[arg.value]] for name, arg in zip(row.args, args, strict=True)} | {Y.id: [[value]]}
        slope: Any = None
        for derivative, arg in zip(row.derivatives, args, strict=True):
            if arg.slope is not None and derivative != ZERO:
                slope = _plus(slope, evaluate(derivative, here, self.base)[0][0] * arg.slope)
        return Dual(value, slope)

    def logsumexp(self, a: Matrix[Dual[S]]) -> Matrix[Dual[S]]:
        """Its slope is the mean of the slopes, weighted by softmax = exp(a - logsumexp(a))."""
        value = self.base.logsumexp([[x.value for x in row] for row in a])[0][0]
        slope: Any = None
        for row in a:
            for x in row:
                if x.slope is not None:
                    slope = _plus(slope, self.base.apply("exp", (x.value - value,)) * x.slope)
        return [[Dual(value, slope)]]

    def detach(self, a: Matrix[Dual[S]]) -> Matrix[Dual[S]]:
        return [[Dual(x.value) for x in row] for row in a]

    def constant(self, a: Matrix[S]) -> Matrix[Dual[S]]:
        return [[Dual(x) for x in row] for row in a]

    def seeded(self, a: Matrix[S], row: int, column: int) -> Matrix[Dual[S]]:
        """`a` moving in one entry."""
        one = self.base.scalar(Fraction(1))
        return [
            [Dual(x, one if (i, j) == (row, column) else None) for j, x in enumerate(entries)]
            for i, entries in enumerate(a)
        ]

    def slopes(self, a: Matrix[Dual[S]]) -> Matrix[S]:
        zero = self.base.scalar(Fraction(0))
        return [[zero if x.slope is None else x.slope for x in row] for row in a]
