"""Forward mode over any arithmetic: a value and how fast it changes along one direction.

It runs a program forward or backward, on exact numbers, on a library's arrays, or on numbers that know their rounding
errors, and takes the slopes of functions from the derivative column of `functions.py`. What is detached stands still.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, TypeVar

from derivations.expression import ZERO, Arithmetic, evaluate
from derivations.functions import FUNCTIONS, Y

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Tangent(Generic[V]):
    """A value and its slope, of one shape; None where nothing moves."""

    value: V
    slope: V | None = None


class Tangents(Generic[V]):
    """The `Arithmetic` of `expression.evaluate` on tangents over another arithmetic."""

    def __init__(self, base: Arithmetic[V]) -> None:
        self.base = base

    def slope(self, a: Tangent[V]) -> V:
        """The slope as a value: zero where nothing moves."""
        nothing = self.base.number(Fraction(0))
        return self.base.spread(nothing, a.value) if a.slope is None else a.slope

    def number(self, value: Fraction) -> Tangent[V]:
        return Tangent(self.base.number(value))

    def add(self, terms: list[Tangent[V]]) -> Tangent[V]:
        value = self.base.add([term.value for term in terms])
        return self._moving(value, [term.slope for term in terms if term.slope is not None])

    def negative(self, a: Tangent[V]) -> Tangent[V]:
        return Tangent(self.base.negative(a.value), None if a.slope is None else self.base.negative(a.slope))

    def multiply(self, factors: list[Tangent[V]]) -> Tangent[V]:
        result = factors[0]
        for factor in factors[1:]:
            value = self.base.multiply([result.value, factor.value])
            result = self._moving(value, [*self._times(result, factor), *self._times(factor, result)])
        return result

    def _times(self, a: Tangent[V], b: Tangent[V]) -> list[V]:
        return [] if a.slope is None else [self.base.multiply([a.slope, b.value])]

    def divide(self, a: Tangent[V], b: Tangent[V]) -> Tangent[V]:
        ratio = self.base.divide(a.value, b.value)
        above = [] if a.slope is None else [a.slope]
        if b.slope is not None:
            above.append(self.base.negative(self.base.multiply([ratio, b.slope])))
        moved = self._moving(ratio, above)
        return moved if moved.slope is None else Tangent(ratio, self.base.divide(moved.slope, b.value))

    def power(self, a: Tangent[V], exponent: int) -> Tangent[V]:
        return self.multiply([a] * exponent) if exponent else self.number(Fraction(1))

    def call(self, function: str, args: list[Tangent[V]]) -> Tangent[V]:
        row = FUNCTIONS[function]
        value = self.base.call(function, [arg.value for arg in args])
        here = {name.id: arg.value for name, arg in zip(row.args, args, strict=True)} | {Y.id: value}
        moving = [
            self.base.multiply([evaluate(derivative, here, self.base), arg.slope])
            for derivative, arg in zip(row.derivatives, args, strict=True)
            if arg.slope is not None and derivative != ZERO
        ]
        return self._moving(value, moving)

    def matmul(self, a: Tangent[V], b: Tangent[V]) -> Tangent[V]:
        moving = [] if a.slope is None else [self.base.matmul(a.slope, b.value)]
        moving += [] if b.slope is None else [self.base.matmul(a.value, b.slope)]
        return self._moving(self.base.matmul(a.value, b.value), moving)

    def logsumexp(self, a: Tangent[V]) -> Tangent[V]:
        """Its slope is the sum of the slopes, weighted by softmax = exp(a - logsumexp(a))."""
        value = self.base.logsumexp(a.value)
        if a.slope is None:
            return Tangent(value)
        weights = self.base.call("exp", [self.base.add([a.value, self.base.negative(value)])])
        return Tangent(value, self.base.sum(self.base.multiply([weights, a.slope])))

    def stack(self, parts: list[Tangent[V]]) -> Tangent[V]:
        value = self.base.stack([part.value for part in parts])
        if all(part.slope is None for part in parts):
            return Tangent(value)
        return Tangent(value, self.base.stack([self.slope(part) for part in parts]))

    # --- what is the same for values and slopes

    def transpose(self, a: Tangent[V]) -> Tangent[V]:
        return Tangent(self.base.transpose(a.value), None if a.slope is None else self.base.transpose(a.slope))

    def diagonal(self, a: Tangent[V]) -> Tangent[V]:
        return Tangent(self.base.diagonal(a.value), None if a.slope is None else self.base.diagonal(a.slope))

    def rows(self, a: Tangent[V], start: int, stop: int) -> Tangent[V]:
        slope = None if a.slope is None else self.base.rows(a.slope, start, stop)
        return Tangent(self.base.rows(a.value, start, stop), slope)

    def sum(self, a: Tangent[V]) -> Tangent[V]:
        return Tangent(self.base.sum(a.value), None if a.slope is None else self.base.sum(a.slope))

    def over_batch(self, a: Tangent[V]) -> Tangent[V]:
        slope = None if a.slope is None else self.base.over_batch(a.slope)
        return Tangent(self.base.over_batch(a.value), slope)

    def spread(self, a: Tangent[V], like: Tangent[V]) -> Tangent[V]:
        return self._moving(self.base.spread(a.value, like.value), [] if a.slope is None else [a.slope])

    def shape(self, a: Tangent[V]) -> tuple[int, int]:
        return self.base.shape(a.value)

    def detach(self, a: Tangent[V]) -> Tangent[V]:
        return Tangent(self.base.detach(a.value))

    def _moving(self, value: V, slopes: list[V]) -> Tangent[V]:
        """A value whose slope is a sum, which may be narrower: a scalar that moves moves all that it is added to."""
        if not slopes:
            return Tangent(value)
        return Tangent(value, self.base.spread(self.base.add(slopes), value))


def lifted(values: Any, slopes: Any) -> Any:
    """Values with slopes beside them, through dictionaries and lists alike; None for what stands still."""
    if isinstance(values, dict):
        return {key: lifted(value, slopes[key] if slopes else None) for key, value in values.items()}
    if isinstance(values, list):
        return [lifted(value, slopes[k] if slopes else None) for k, value in enumerate(values)]
    return Tangent(values, slopes)
