"""Arithmetic on small dense matrices over any kind of scalar: ratios of polynomials, residues, dual numbers.

A scalar is anything with + - * / and integer powers. What is not arithmetic (functions, numbers from outside)
is given by the two methods that a subclass must write. Matrices are lists of rows; a 1x1 spreads over any
shape.
"""

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Any, Generic, TypeVar

S = TypeVar("S")
Matrix = list[list[S]]


class ShapeError(ValueError):
    """Matrices whose shapes do not fit."""


class MatrixArithmetic(ABC, Generic[S]):
    """The `Arithmetic` of `expression.evaluate` on matrices of scalars `S`."""

    @abstractmethod
    def scalar(self, value: Fraction) -> S:
        """An exact number as a scalar."""

    @abstractmethod
    def apply(self, function: str, args: tuple[S, ...]) -> S:
        """An elementwise function applied to scalars."""

    def number(self, value: Fraction) -> Matrix[S]:
        return [[self.scalar(value)]]

    def add(self, terms: list[Matrix[S]]) -> Matrix[S]:
        return self._elementwise(self._sum, terms)

    def negative(self, a: Matrix[S]) -> Matrix[S]:
        minus: Any = self.scalar(Fraction(-1))
        return [[minus * x for x in row] for row in a]

    def multiply(self, factors: list[Matrix[S]]) -> Matrix[S]:
        def together(*scalars: Any) -> S:
            result = scalars[0]
            for scalar in scalars[1:]:
                result = result * scalar
            return result

        return self._elementwise(together, factors)

    def divide(self, a: Matrix[S], b: Matrix[S]) -> Matrix[S]:
        return self._elementwise(lambda x, y: x / y, [a, b])

    def power(self, a: Matrix[S], exponent: int) -> Matrix[S]:
        return self.multiply([a] * exponent) if exponent else self.number(Fraction(1))

    def call(self, function: str, args: list[Matrix[S]]) -> Matrix[S]:
        return self._elementwise(lambda *scalars: self.apply(function, scalars), args)

    def matmul(self, a: Matrix[S], b: Matrix[S]) -> Matrix[S]:
        columns = list(zip(*b, strict=True))
        if len(a[0]) != len(b):
            raise ShapeError(f"{len(a)}x{len(a[0])} @ {len(b)}x{len(b[0])} has no value")
        return [
            [self._sum(*(self._product(x, y) for x, y in zip(row, column, strict=True))) for column in columns]
            for row in a
        ]

    def transpose(self, a: Matrix[S]) -> Matrix[S]:
        return [list(column) for column in zip(*a, strict=True)]

    def diagonal(self, a: Matrix[S]) -> Matrix[S]:
        zero = self.scalar(Fraction(0))
        return [[a[i][0] if i == j else zero for j in range(len(a))] for i in range(len(a))]

    def stack(self, parts: list[Matrix[S]]) -> Matrix[S]:
        if len({len(row) for part in parts for row in part}) > 1:
            raise ShapeError("parts of different widths stand below one another")
        return [row for part in parts for row in part]

    def rows(self, a: Matrix[S], start: int, stop: int) -> Matrix[S]:
        if not 0 <= start < stop <= len(a):
            raise ShapeError(f"the rows {start} to {stop} of {len(a)} have no value")
        return a[start:stop]

    def sum(self, a: Matrix[S]) -> Matrix[S]:
        return [[self._sum(*(x for row in a for x in row))]]

    def logsumexp(self, a: Matrix[S]) -> Matrix[S]:
        return self.call("log", [self.sum(self.call("exp", [a]))])

    def shape(self, a: Matrix[S]) -> tuple[int, int]:
        return len(a), len(a[0])

    def detach(self, a: Matrix[S]) -> Matrix[S]:
        return a

    def spread(self, a: Matrix[S], like: Matrix[S]) -> Matrix[S]:
        if self.shape(a) == self.shape(like):
            return a
        if self.shape(a) != (1, 1):
            raise ShapeError(f"a value of shape {self.shape(a)} where {self.shape(like)} is due")
        return [[a[0][0] for _ in row] for row in like]

    def over_batch(self, a: Matrix[S]) -> Matrix[S]:
        return a

    @staticmethod
    def _product(x: Any, y: Any) -> S:
        return x * y

    @staticmethod
    def _sum(*scalars: Any) -> S:
        result = scalars[0]
        for scalar in scalars[1:]:
            result = result + scalar
        return result

    def _elementwise(self, operation: Any, operands: list[Matrix[S]]) -> Matrix[S]:
        shapes = {self.shape(a) for a in operands} - {(1, 1)}
        if len(shapes) > 1:
            raise ShapeError(f"an elementwise operation on shapes {sorted(shapes)}")
        rows, columns = shapes.pop() if shapes else (1, 1)

        def entry(a: Matrix[S], i: int, j: int) -> S:
            return a[0][0] if len(a) == len(a[0]) == 1 else a[i][j]

        return [[operation(*(entry(a, i, j) for a in operands)) for j in range(columns)] for i in range(rows)]
