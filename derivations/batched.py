"""A batch over any arithmetic: every value is one for each sequence, or one that all of them share."""

from collections.abc import Callable
from fractions import Fraction
from typing import Generic, TypeVar

from derivations.expression import Arithmetic

V = TypeVar("V")
Batch = tuple[V, ...]  # one a sequence; a single one is shared by all


class Batched(Generic[V]):
    """The `Arithmetic` of `expression.evaluate` on batches of another arithmetic's values."""

    def __init__(self, base: Arithmetic[V]) -> None:
        self.base = base

    def number(self, value: Fraction) -> Batch[V]:
        return (self.base.number(value),)

    def add(self, terms: list[Batch[V]]) -> Batch[V]:
        return self._each(self.base.add, terms)

    def negative(self, a: Batch[V]) -> Batch[V]:
        return tuple(map(self.base.negative, a))

    def multiply(self, factors: list[Batch[V]]) -> Batch[V]:
        return self._each(self.base.multiply, factors)

    def divide(self, a: Batch[V], b: Batch[V]) -> Batch[V]:
        return self._each(lambda pair: self.base.divide(*pair), [a, b])

    def power(self, a: Batch[V], exponent: int) -> Batch[V]:
        return tuple(self.base.power(x, exponent) for x in a)

    def call(self, function: str, args: list[Batch[V]]) -> Batch[V]:
        return self._each(lambda each: self.base.call(function, each), args)

    def matmul(self, a: Batch[V], b: Batch[V]) -> Batch[V]:
        return self._each(lambda pair: self.base.matmul(*pair), [a, b])

    def transpose(self, a: Batch[V]) -> Batch[V]:
        return tuple(map(self.base.transpose, a))

    def diagonal(self, a: Batch[V]) -> Batch[V]:
        return tuple(map(self.base.diagonal, a))

    def stack(self, parts: list[Batch[V]]) -> Batch[V]:
        return self._each(self.base.stack, parts)

    def rows(self, a: Batch[V], start: int, stop: int) -> Batch[V]:
        return tuple(self.base.rows(x, start, stop) for x in a)

    def sum(self, a: Batch[V]) -> Batch[V]:
        return tuple(map(self.base.sum, a))

    def logsumexp(self, a: Batch[V]) -> Batch[V]:
        return tuple(map(self.base.logsumexp, a))

    def shape(self, a: Batch[V]) -> tuple[int, int]:
        return self.base.shape(a[0])

    def detach(self, a: Batch[V]) -> Batch[V]:
        return tuple(map(self.base.detach, a))

    def spread(self, a: Batch[V], like: Batch[V]) -> Batch[V]:
        return self._each(lambda pair: self.base.spread(*pair), [a, like])

    def over_batch(self, a: Batch[V]) -> Batch[V]:
        return (self.base.add(list(a)),)

    @staticmethod
    def _each(operation: Callable[[list[V]], V], operands: list[Batch[V]]) -> Batch[V]:
        """One operation for each sequence; of several operands, those of one sequence are all of one."""
        sizes = {len(operand) for operand in operands} - {1}
        (count,) = sizes or {1}
        return tuple(operation([operand[b if len(operand) > 1 else 0] for operand in operands]) for b in range(count))
