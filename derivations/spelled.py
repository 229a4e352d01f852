"""A step written out: its values as sums of products of atoms, whatever names it gives on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product as combinations
from typing import Any

from derivations.cell import Cell
from derivations.expression import (
    Add,
    Call,
    Detach,
    Div,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Pow,
    Reduce,
    Transpose,
    children,
)

MOST_TERMS = 400
# An atom is ("name", id), ("call", function, sums), or a linear map of a sum: ("map", matrix, transposed, sum).
Atom = tuple[Any, ...]
Monomial = tuple[tuple[Atom, int], ...]  # atoms in the order in which they were met, with their powers


class TooMuch(Exception):
    """A step that is too long when it is written out."""


@dataclass(frozen=True, eq=False)
class Sum:
    """A sum of products: each term with its coefficient. Equal ones are one object, as `Spelled` makes them."""

    terms: Mapping[Monomial, Fraction]


class Spelled:
    """The equations of a cell as sums of products, with every name that it defines written out.

    If not `through`, the new value of a state stays a name where another equation reads it.
    """

    def __init__(self, cell: Cell, through: bool = True) -> None:
        self.kept = () if through else cell.states
        self.rhs = {e.target: e.rhs for e in cell.equations}
        self.done: dict[str, Sum] = {}
        self.met: dict[Atom, int] = {}
        self.known: dict[frozenset[tuple[Monomial, Fraction]], Sum] = {}

    def named(self, name: str) -> Sum:
        if name not in self.rhs or name in self.kept:
            return self.atom(("name", name))
        if name not in self.done:
            self.done[name] = self.sum(self.rhs[name])
        return self.done[name]

    def sum(self, expr: Expr) -> Sum:
        match expr:
            case Num(value):
                return self.made({(): value})
            case Name(id):
                return self.named(id)
            case Neg(arg):
                return self.scaled(self.sum(arg), Fraction(-1))
            case Add(terms):
                return self.added([self.sum(term) for term in terms])
            case Mul(factors):
                return self.multiplied([self.sum(factor) for factor in factors])
            case Pow(base, exponent):
                return self.multiplied([self.sum(base)] * exponent)
            case Div(a, Num(value)) if value:
                return self.scaled(self.sum(a), 1 / value)
            case Div(a, b):
                return self.multiplied([self.sum(a), self.atom(("call", "1/", (self.sum(b),)))])
            case MatMul(Transpose(Name(matrix)), vector):
                return self.atom(("map", matrix, True, self.sum(vector)))
            case MatMul(Name(matrix), vector):
                return self.atom(("map", matrix, False, self.sum(vector)))
            case Call(kind, args) | Reduce(kind, args):
                return self.atom(("call", kind, tuple(map(self.sum, args))))
            case Detach(arg):
                return self.sum(arg)
        return self.atom(("call", type(expr).__name__, tuple(map(self.sum, children(expr)))))

    def made(self, terms: Mapping[Monomial, Fraction]) -> Sum:
        kept = {monomial: value for monomial, value in terms.items() if value}
        return self.known.setdefault(frozenset(kept.items()), Sum(kept))

    def atom(self, atom: Atom) -> Sum:
        self.met.setdefault(atom, len(self.met))
        return self.made({((atom, 1),): Fraction(1)})

    def scaled(self, a: Sum, by: Fraction) -> Sum:
        return self.made({monomial: value * by for monomial, value in a.terms.items()})

    def added(self, parts: Sequence[Sum]) -> Sum:
        found: dict[Monomial, Fraction] = {}
        for part in parts:
            for monomial, value in part.terms.items():
                found[monomial] = found.get(monomial, Fraction(0)) + value
        return self.made(found)

    def multiplied(self, parts: Sequence[Sum]) -> Sum:
        result: dict[Monomial, Fraction] = {(): Fraction(1)}
        for part in parts:
            if len(result) * len(part.terms) > MOST_TERMS:
                raise TooMuch
            grown: dict[Monomial, Fraction] = {}
            for (one, a), (other, b) in combinations(result.items(), part.terms.items()):
                powers: dict[Atom, int] = dict(one)
                for atom, power in other:
                    powers[atom] = powers.get(atom, 0) + power
                monomial = tuple(sorted(powers.items(), key=lambda pair: self.met[pair[0]]))
                grown[monomial] = grown.get(monomial, Fraction(0)) + a * b
            result = grown
        return self.made(result)
