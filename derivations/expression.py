"""The ordered expression tree that readers see.

SymPy rewrites what it is given (it reorders terms and factors, and folds `x - x`), so what a person reads is
kept in this tree of our own: frozen nodes, in the order in which they were written. Functions over the tree
live beside it; nothing is overridden and no node knows how to print, prove or differentiate itself.

One convention serves every shape: a scalar is 1x1, a vector is a column n x 1, a matrix is n x m. Then
`W @ v` is a matrix product in every view, the scalar view is the 1x1 case, and a scalar spreads over any
shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeVar

V = TypeVar("V")


class Expr:
    """A node of the tree. The arithmetic operators build derived expressions, dropping zeros and ones."""

    __slots__ = ()

    def __add__(self, other: Expr | int) -> Expr:
        return total(self, _lift(other))

    def __radd__(self, other: int) -> Expr:
        return total(_lift(other), self)

    def __sub__(self, other: Expr | int) -> Expr:
        return total(self, negative(_lift(other)))

    def __rsub__(self, other: int) -> Expr:
        return total(_lift(other), negative(self))

    def __neg__(self) -> Expr:
        return negative(self)

    def __mul__(self, other: Expr | int) -> Expr:
        return product(self, _lift(other))

    def __rmul__(self, other: int) -> Expr:
        return product(_lift(other), self)

    def __truediv__(self, other: Expr | int) -> Expr:
        return quotient(self, _lift(other))

    def __rtruediv__(self, other: int) -> Expr:
        return quotient(_lift(other), self)

    def __pow__(self, exponent: int) -> Expr:
        return power(self, exponent)


@dataclass(frozen=True)
class Num(Expr):
    """An exact number; never a float."""

    value: Fraction


@dataclass(frozen=True)
class Name(Expr):
    """A named quantity of the step: an input, a state, a parameter or a defined value."""

    id: str


@dataclass(frozen=True)
class Adjoint(Expr):
    """The cotangent of a named quantity, written `d` + name.

    `part` is empty for the whole of it, "out" for what the loss sends to it directly at this step, and "next"
    for what comes back to a state from step t+1.
    """

    of: str
    part: str = ""

    @property
    def id(self) -> str:
        return f"d{self.of}_{self.part}" if self.part else f"d{self.of}"


@dataclass(frozen=True)
class Total(Expr):
    """The gradient of the loss with respect to a parameter, an input or an initial state, over all steps."""

    of: str

    @property
    def id(self) -> str:
        return f"grad_{self.of}"


@dataclass(frozen=True)
class Derivative(Expr):
    """d(of)/d(wrt): a local partial, an immediate partial, or a total derivative, as `kind` says."""

    of: str
    wrt: str
    kind: str = "local"


@dataclass(frozen=True)
class Add(Expr):
    """A flat, ordered sum; a subtracted term is a `Neg`."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True)
class Neg(Expr):
    arg: Expr


@dataclass(frozen=True)
class Mul(Expr):
    """A flat, ordered elementwise product."""

    factors: tuple[Expr, ...]


@dataclass(frozen=True)
class Div(Expr):
    numerator: Expr
    denominator: Expr


@dataclass(frozen=True)
class Pow(Expr):
    base: Expr
    exponent: int


@dataclass(frozen=True)
class Call(Expr):
    """An elementwise function of `functions.py` applied to its arguments."""

    function: str
    args: tuple[Expr, ...]


@dataclass(frozen=True)
class MatMul(Expr):
    """`left @ right`; a product in the scalar view."""

    left: Expr
    right: Expr


@dataclass(frozen=True)
class Transpose(Expr):
    arg: Expr


@dataclass(frozen=True)
class Outer(Expr):
    """The matrix a_i b_j."""

    left: Expr
    right: Expr


@dataclass(frozen=True)
class Diag(Expr):
    """The diagonal matrix of a vector: the Jacobian of an elementwise function."""

    arg: Expr


@dataclass(frozen=True)
class Ones(Expr):
    """Ones in the shape of a named vector: `Diag(Ones(f))` is the identity, and a sum is `ones.T`."""

    of: str


@dataclass(frozen=True)
class Stack(Expr):
    """Vectors stacked into one, `[h_prev; x]`."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True)
class Part(Expr):
    """The block of `arg` that belongs to part number `index` of the named vectors stacked in `of`."""

    arg: Expr
    of: tuple[str, ...]
    index: int


@dataclass(frozen=True)
class Reduce(Expr):
    """A reduction to a scalar: `sum`, `mean`, `logsumexp` of one vector, `dot` of two."""

    kind: str
    args: tuple[Expr, ...]


@dataclass(frozen=True)
class Size(Expr):
    """The number of entries of a named quantity."""

    of: str


@dataclass(frozen=True)
class Detach(Expr):
    """The value of `arg`, held constant when differentiating."""

    arg: Expr


@dataclass(frozen=True)
class Shift(Expr):
    """`arg` at step t + by."""

    arg: Expr
    by: int


@dataclass(frozen=True)
class TimeSum(Expr):
    """The sum of `arg` over all steps t = 1..T."""

    arg: Expr


REDUCTIONS: Mapping[str, int] = {"sum": 1, "mean": 1, "logsumexp": 1, "dot": 2}
ZERO, ONE = Num(Fraction(0)), Num(Fraction(1))


def _lift(value: Expr | int) -> Expr:
    return value if isinstance(value, Expr) else Num(Fraction(value))


# --- derived expressions: built in the order given, without zeros and ones ----------------------------------


def negative(expr: Expr) -> Expr:
    match expr:
        case Neg(arg):
            return arg
        case Num(value):
            return Num(-value)
    return Neg(expr)


def total(*terms: Expr) -> Expr:
    """The sum of the terms in their order; zeros are left out, nested sums are joined."""
    flat: list[Expr] = []
    for term in terms:
        if isinstance(term, Add):
            flat += term.terms
        elif term != ZERO:
            flat.append(term)
    if not flat:
        return ZERO
    return flat[0] if len(flat) == 1 else Add(tuple(flat))


def product(*factors: Expr) -> Expr:
    """The elementwise product of the factors in their order.

    Numbers are gathered into one coefficient in front, divisors into one denominator behind.
    """
    coefficient = Fraction(1)
    above: list[Expr] = []
    below: list[Expr] = []
    waiting = list(reversed(factors))
    while waiting:
        match waiting.pop():
            case Num(value):
                coefficient *= value
            case Neg(arg):
                coefficient = -coefficient
                waiting.append(arg)
            case Mul(inner):
                waiting.extend(reversed(inner))
            case Div(numerator, Num(value)) if value:
                coefficient /= value
                waiting.append(numerator)
            case Div(numerator, denominator):
                below.append(denominator)
                waiting.append(numerator)
            case factor:
                above.append(factor)
    if not coefficient:
        return ZERO
    size = abs(coefficient)
    if size.numerator != 1 or not above:
        above.insert(0, Num(Fraction(size.numerator)))
    if size.denominator != 1:
        below.insert(0, Num(Fraction(size.denominator)))
    result = above[0] if len(above) == 1 else Mul(tuple(above))
    if below:
        result = Div(result, below[0] if len(below) == 1 else product(*below))
    return negative(result) if coefficient < 0 else result


def quotient(numerator: Expr, denominator: Expr) -> Expr:
    return product(Div(numerator, denominator))


def power(base: Expr, exponent: int) -> Expr:
    if exponent == 0:
        return ONE
    return base if exponent == 1 else Pow(base, exponent)


# --- walking ------------------------------------------------------------------------------------------------


def children(expr: Expr) -> tuple[Expr, ...]:
    match expr:
        case Add(items) | Mul(items) | Stack(items) | Reduce(_, items) | Call(_, items):
            return items
        case MatMul(a, b) | Outer(a, b) | Div(a, b):
            return (a, b)
        case Neg(a) | Transpose(a) | Diag(a) | Detach(a) | TimeSum(a) | Pow(a, _) | Part(a, _, _) | Shift(a, _):
            return (a,)
    return ()


def rebuild(expr: Expr, new: tuple[Expr, ...]) -> Expr:
    """The same node over other children."""
    match expr:
        case Add():
            return Add(new)
        case Mul():
            return Mul(new)
        case Stack():
            return Stack(new)
        case Reduce(kind, _):
            return Reduce(kind, new)
        case Call(function, _):
            return Call(function, new)
        case MatMul():
            return MatMul(*new)
        case Outer():
            return Outer(*new)
        case Div():
            return Div(*new)
        case Neg():
            return Neg(*new)
        case Transpose():
            return Transpose(*new)
        case Diag():
            return Diag(*new)
        case Detach():
            return Detach(*new)
        case TimeSum():
            return TimeSum(*new)
        case Pow(_, exponent):
            return Pow(new[0], exponent)
        case Part(_, of, index):
            return Part(new[0], of, index)
        case Shift(_, by):
            return Shift(new[0], by)
    return expr


def rewrite(expr: Expr, rule: Callable[[Expr], Expr | None]) -> Expr:
    """Top-down: where `rule` gives a node, that node stands; elsewhere the children are rewritten."""
    found = rule(expr)
    if found is not None:
        return found
    old = children(expr)
    new = tuple(rewrite(child, rule) for child in old)
    return expr if new == old else rebuild(expr, new)


def substitute(expr: Expr, table: Mapping[Expr, Expr]) -> Expr:
    """`expr` with every key of `table` replaced, all at once (keys inside the new values stay)."""
    return rewrite(expr, table.get)


def walk(expr: Expr, parts: Callable[[Expr], Sequence[Expr]] = children) -> Iterator[Expr]:
    """Every node, in reading order; `parts` says what stands within one."""
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(parts(node)))


def names(expr: Expr) -> tuple[str, ...]:
    """The names that the expression reads, in reading order, each once."""
    return tuple(dict.fromkeys(node.id for node in walk(expr) if isinstance(node, Name)))


def operations(expr: Expr) -> int:
    """How many operations evaluating the expression takes (a sum of n terms counts n - 1)."""
    count = 0
    for node in walk(expr):
        match node:
            case Add(items) | Mul(items):
                count += len(items) - 1
            case Neg() | Div() | Pow() | Call() | MatMul() | Outer() | Reduce():
                count += 1
    return count


def scalar_view(expr: Expr) -> Expr:
    """The expression of the 1x1 case: linear maps are products, reductions of one entry are that entry."""
    match expr:
        case MatMul(a, b) | Outer(a, b) | Reduce("dot", (a, b)):
            return product(scalar_view(a), scalar_view(b))
        case Transpose(a) | Diag(a) | Reduce(_, (a,)):
            return scalar_view(a)
        case Size() | Ones():
            return ONE
        case Stack() | Part():
            raise ValueError("a stacked vector has no scalar view")
    old = children(expr)
    new = tuple(scalar_view(child) for child in old)
    if new == old:
        return expr
    match expr:
        case Add():
            return total(*new)
        case Mul():
            return product(*new)
        case Div():
            return quotient(*new)
        case Neg():
            return negative(*new)
    return rebuild(expr, new)


# --- evaluating ---------------------------------------------------------------------------------------------


class Arithmetic(Protocol[V]):
    """What a kind of value must offer so that expressions can be evaluated in it.

    Every value is a matrix (a scalar is 1x1, a vector a column), possibly a batch of them. `add` and
    `multiply` take one or more values of one shape, or 1x1 among them; `spread` gives `a` the shape of
    `like`; `over_batch` sums a batch away and is the identity for values that have none.
    """

    def number(self, value: Fraction) -> V: ...
    def add(self, terms: list[V]) -> V: ...
    def negative(self, a: V) -> V: ...
    def multiply(self, factors: list[V]) -> V: ...
    def divide(self, a: V, b: V) -> V: ...
    def power(self, a: V, exponent: int) -> V: ...
    def call(self, function: str, args: list[V]) -> V: ...
    def matmul(self, a: V, b: V) -> V: ...
    def transpose(self, a: V) -> V: ...
    def diagonal(self, a: V) -> V: ...
    def stack(self, parts: list[V]) -> V: ...
    def rows(self, a: V, start: int, stop: int) -> V: ...
    def sum(self, a: V) -> V: ...
    def logsumexp(self, a: V) -> V: ...
    def shape(self, a: V) -> tuple[int, int]: ...
    def detach(self, a: V) -> V: ...
    def spread(self, a: V, like: V) -> V: ...
    def over_batch(self, a: V) -> V: ...


def evaluate(expr: Expr, values: Mapping[str, V], in_: Arithmetic[V]) -> V:
    """The value of an expression of one step, where `values` holds every leaf by its id.

    Raises:
        KeyError: a leaf has no value.
        TypeError: the expression speaks of other steps or of derivatives; those are views, not programs.
    """

    def value(node: Expr) -> V:
        if (
            type(node) is Name or type(node) is Adjoint
        ):  # most nodes, and asked for first; the rest by how many there are
            return values[node.id]
        match node:
            case Mul(factors):
                return in_.multiply([value(factor) for factor in factors])
            case MatMul(a, b):
                return in_.matmul(value(a), value(b))
            case Add(terms):
                return in_.add([value(term) for term in terms])
            case Outer(a, b):
                return in_.matmul(value(a), in_.transpose(value(b)))
            case Transpose(arg):
                return in_.transpose(value(arg))
            case Num(number):
                return in_.number(number)
            case Call(function, args):
                return in_.call(function, [value(arg) for arg in args])
            case Neg(arg):
                return in_.negative(value(arg))
            case Pow(base, exponent):
                return in_.power(value(base), exponent)
            case Div(a, b):
                return in_.divide(value(a), value(b))
            case Total(id=id):
                return values[id]
            case Diag(arg):
                return in_.diagonal(value(arg))
            case Stack(parts):
                return in_.stack([value(part) for part in parts])
            case Part(arg, of, index):
                heights = [in_.shape(values[name])[0] for name in of]
                start = sum(heights[:index])
                return in_.rows(value(arg), start, start + heights[index])
            case Reduce("sum", (arg,)):
                return in_.sum(value(arg))
            case Reduce("mean", (arg,)):
                inner = value(arg)
                rows, columns = in_.shape(inner)
                return in_.divide(in_.sum(inner), in_.number(Fraction(rows * columns)))
            case Reduce("dot", (a, b)):
                return in_.sum(in_.multiply([value(a), value(b)]))
            case Reduce("logsumexp", (arg,)):
                return in_.logsumexp(value(arg))
            case Size(of):
                rows, columns = in_.shape(values[of])
                return in_.number(Fraction(rows * columns))
            case Ones(of):
                return in_.spread(in_.number(Fraction(1)), values[of])
            case Detach(arg):
                return in_.detach(value(arg))
        raise TypeError(f"{type(node).__name__} is a view and has no value within one step")

    return value(expr)
