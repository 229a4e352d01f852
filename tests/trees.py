"""Random expressions of the cell language, for property tests."""

from fractions import Fraction

from hypothesis import strategies as st

from derivations.expression import (
    REDUCTIONS,
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
    Outer,
    Pow,
    Reduce,
    Stack,
    Transpose,
)
from derivations.functions import FUNCTIONS, WRITABLE

NAMES = ("a", "b", "f", "x_1", "W_hf", "c_tilde", "h_prev", "theta")

names = st.sampled_from(NAMES).map(Name)
numbers = st.builds(
    lambda digits, tens: Num(Fraction(digits, 10**tens)), st.integers(1, 10**6), st.integers(0, 20)
) | st.integers(0, 10**14).map(lambda n: Num(Fraction(n)))


def several(items: st.SearchStrategy[Expr], most: int = 4) -> st.SearchStrategy[tuple[Expr, ...]]:
    return st.lists(items, min_size=2, max_size=most).map(tuple)


def arithmetic(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    """Sums, products, quotients, powers and functions: what has a scalar view."""
    below = inner.filter(lambda e: e != Num(Fraction(0)))
    calls = st.sampled_from(WRITABLE).flatmap(
        lambda name: st.tuples(*[inner] * len(FUNCTIONS[name].args)).map(lambda args: Call(name, args))
    )
    return (
        several(inner).map(Add)
        | several(inner).map(Mul)
        | inner.map(Neg)
        | st.builds(Div, inner, below)
        | st.builds(Pow, inner, st.integers(2, 8))
        | calls
    )


def linear(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    """What vectors and matrices add to that."""
    reduced = st.sampled_from(sorted(REDUCTIONS)).flatmap(
        lambda kind: st.tuples(*[inner] * REDUCTIONS[kind]).map(lambda args: Reduce(kind, args))
    )
    return (
        st.builds(MatMul, inner, inner)
        | st.builds(Outer, inner, inner)
        | inner.filter(lambda e: not isinstance(e, Transpose | Num)).map(Transpose)
        | several(inner, 3).map(Stack)
        | inner.map(Detach)
        | reduced
    )


scalar_trees = st.recursive(names | numbers, arithmetic, max_leaves=12)
trees = st.recursive(names | numbers, lambda inner: arithmetic(inner) | linear(inner), max_leaves=12)
