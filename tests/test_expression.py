"""The tree keeps what it is given in its order, and what is computed from it is exact."""

from dataclasses import FrozenInstanceError
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivations.expression import (
    ONE,
    ZERO,
    Add,
    Adjoint,
    Call,
    Derivative,
    Detach,
    Diag,
    Div,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Ones,
    Outer,
    Part,
    Pow,
    Reduce,
    Shift,
    Size,
    Stack,
    TimeSum,
    Total,
    Transpose,
    children,
    evaluate,
    names,
    negative,
    operations,
    power,
    product,
    quotient,
    rebuild,
    rewrite,
    scalar_view,
    substitute,
    total,
    walk,
)
from tests.samples import Exact, few_calls_deep

a, b, c, W, x = (Name(id) for id in ("a", "b", "c", "W", "x"))
TWO, HALF = Num(Fraction(2)), Num(Fraction(1, 2))

ONE_OF_EACH = [
    a,
    ONE,
    Adjoint("a"),
    Total("a"),
    Derivative("a", "b"),
    Ones("a"),
    Size("a"),
    Add((a, b)),
    Neg(a),
    Mul((a, b)),
    Div(a, b),
    Pow(a, 3),
    Call("max", (a, b)),
    MatMul(W, x),
    Transpose(W),
    Outer(a, b),
    Diag(a),
    Stack((a, b)),
    Part(a, ("a", "b"), 1),
    Reduce("dot", (a, b)),
    Detach(a),
    Shift(a, 1),
    TimeSum(a),
]


def test_every_kind_of_node_is_in_these_tests():
    # `slots` makes each class twice; readers of code and of sheets have nodes of their own.
    kinds = {kind.__name__ for kind in Expr.__subclasses__() if kind.__module__ == Expr.__module__}
    assert {type(node).__name__ for node in ONE_OF_EACH} == kinds


@pytest.mark.parametrize("node", ONE_OF_EACH, ids=lambda node: type(node).__name__)
def test_a_node_is_rebuilt_over_its_children(node):
    assert rebuild(node, children(node)) == node
    other = tuple(Name(f"new{k}") for k, _ in enumerate(children(node)))
    assert children(rebuild(node, other)) == other
    assert type(rebuild(node, other)) is type(node)


def test_nodes_are_frozen():
    with pytest.raises(FrozenInstanceError):
        a.id = "b"


# --- what the constructors write ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("built", "written"),
    [
        (total(), ZERO),
        (total(a), a),
        (total(a, ZERO, b), Add((a, b))),
        (total(Add((a, b)), c), Add((a, b, c))),
        (total(a, negative(a)), Add((a, Neg(a)))),  # nothing is cancelled
        (negative(negative(a)), a),
        (negative(TWO), Num(Fraction(-2))),
        (product(), ONE),
        (product(b, a), Mul((b, a))),
        (product(a, ONE, b), Mul((a, b))),
        (product(a, ZERO, b), ZERO),
        (product(a, TWO, b), Mul((TWO, a, b))),
        (product(TWO, HALF, a), a),
        (product(a, Neg(b)), Neg(Mul((a, b)))),
        (product(Neg(a), Neg(b)), Mul((a, b))),
        (product(a, HALF), Div(a, TWO)),
        (product(HALF, HALF), Div(ONE, Num(Fraction(4)))),
        (product(Mul((a, b)), c), Mul((a, b, c))),
        (product(Div(a, b), c), Div(Mul((a, c)), b)),
        (product(Div(a, b), Div(c, x)), Div(Mul((a, c)), Mul((b, x)))),
        (product(Div(a, TWO), b), Div(Mul((a, b)), TWO)),
        (quotient(a, b), Div(a, b)),
        (quotient(ZERO, b), ZERO),
        (quotient(a, TWO), Div(a, TWO)),
        (power(a, 0), ONE),
        (power(a, 1), a),
        (power(a, 2), Pow(a, 2)),
        (1 - a, Add((ONE, Neg(a)))),
        (a - 1, Add((a, Num(Fraction(-1))))),
        (-a * b, Neg(Mul((a, b)))),
        (2 * a / b, Div(Mul((TWO, a)), b)),
        (1 / (1 + a), Div(ONE, Add((ONE, a)))),
        (a**2, Pow(a, 2)),
    ],
)
def test_sums_and_products_are_written_in_order_without_zeros_and_ones(built, written):
    assert built == written


small = st.fractions(min_value=-5, max_value=5, max_denominator=6)
leaves = st.sampled_from([a, b, c]) | small.map(Num)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(lambda items: Add(tuple(items)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda items: Mul(tuple(items)))
        | inner.map(Neg)
        | st.builds(Div, inner, st.sampled_from([a, b, TWO, Num(Fraction(-3, 2))]))
        | st.builds(Pow, inner, st.integers(0, 3))
    ),
    max_leaves=8,
)
VALUES = {"a": [[Fraction(3, 7)]], "b": [[Fraction(-5, 2)]], "c": [[Fraction(11)]]}


def value(expr: Expr) -> Fraction:
    return evaluate(expr, VALUES, Exact())[0][0]


@given(st.lists(trees, max_size=4), st.integers(0, 4))
def test_what_is_written_has_the_value_of_what_was_meant(parts, exponent):
    values = [value(part) for part in parts]
    expected = Fraction(1)
    for each in values:
        expected *= each
    assert value(total(*parts)) == sum(values)
    assert value(product(*parts)) == expected
    for part, each in zip(parts, values, strict=True):
        assert value(negative(part)) == -each
        assert value(power(part, exponent)) == each**exponent
        if each:
            assert value(quotient(a, part)) == VALUES["a"][0][0] / each


@given(trees)
def test_the_scalar_view_of_a_scalar_expression_keeps_its_value(expr):
    assert value(scalar_view(expr)) == value(expr)


# --- walking ------------------------------------------------------------------------------------------------------


def test_names_come_in_reading_order_each_once():
    assert names(Add((Mul((b, a)), MatMul(W, b), Adjoint("c")))) == ("b", "a", "W")


def test_rewriting_stops_where_the_rule_gives_a_node():
    expr = Add((Mul((a, b)), a))
    assert rewrite(expr, lambda node: Neg(a) if node == a else None) == Add((Mul((Neg(a), b)), Neg(a)))
    assert rewrite(expr, lambda node: c if isinstance(node, Mul) else None) == Add((c, a))
    assert rewrite(expr, lambda node: None) is expr


def test_substitution_is_done_all_at_once():
    assert substitute(Add((a, b)), {a: b, b: a}) == Add((b, a))
    assert substitute(Add((a, MatMul(W, a))), {MatMul(W, a): b}) == Add((a, b))


@pytest.mark.parametrize(
    ("expr", "count"),
    [
        (a, 0),
        (Add((a, b, c)), 2),
        (Mul((a, b)), 1),
        (Neg(Pow(a, 2)), 2),
        (Div(a, Call("exp", (b,))), 2),
        (MatMul(Transpose(W), Outer(a, b)), 2),
        (Reduce("sum", (Detach(a),)), 1),
    ],
)
def test_operations_are_counted(expr, count):
    assert operations(expr) == count


@pytest.mark.parametrize(
    ("expr", "scalar"),
    [
        (MatMul(Transpose(W), a), Mul((W, a))),
        (MatMul(W, Mul((a, b))), Mul((W, a, b))),
        (Outer(a, b), Mul((a, b))),
        (Diag(Mul((a, b))), Mul((a, b))),
        (Reduce("dot", (a, b)), Mul((a, b))),
        (Reduce("sum", (a,)), a),
        (Reduce("logsumexp", (a,)), a),
        (Div(Reduce("sum", (a,)), Size("a")), a),
        (Mul((a, Ones("b"))), a),
        (Add((Outer(a, Ones("b")), b)), Add((a, b))),
        (Detach(MatMul(W, a)), Detach(Mul((W, a)))),
        (Call("tanh", (MatMul(W, a),)), Call("tanh", (Mul((W, a)),))),
    ],
)
def test_in_the_scalar_view_a_linear_map_is_a_product(expr, scalar):
    assert scalar_view(expr) == scalar


@pytest.mark.parametrize("expr", [Stack((a, b)), Neg(Part(a, ("a", "b"), 0))])
def test_a_stack_has_no_scalar_view(expr):
    with pytest.raises(ValueError, match="no scalar view"):
        scalar_view(expr)


# --- evaluating ---------------------------------------------------------------------------------------------------


def matrix(*rows: tuple[int, ...]) -> list[list[Fraction]]:
    return [[Fraction(entry) for entry in row] for row in rows]


MATRICES = {
    "s": matrix((7,)),
    "v": matrix((1,), (2,)),
    "w": matrix((3,), (-4,)),
    "u": matrix((5,), (6,), (7,)),
    "A": matrix((1, 2, 3), (4, 5, 6)),
    "dv": matrix((10,), (20,)),
    "grad_v": matrix((30,), (40,)),
}
s, v, w, u, A = (Name(id) for id in ("s", "v", "w", "u", "A"))


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (v, matrix((1,), (2,))),
        (TWO, matrix((2,))),
        (Adjoint("v"), matrix((10,), (20,))),
        (Total("v"), matrix((30,), (40,))),
        (Ones("u"), matrix((1,), (1,), (1,))),
        (Size("A"), matrix((6,))),
        (Add((v, w, s)), matrix((11,), (5,))),
        (Neg(A), matrix((-1, -2, -3), (-4, -5, -6))),
        (Mul((v, w, s)), matrix((21,), (-56,))),
        (Div(w, s), [[Fraction(3, 7)], [Fraction(-4, 7)]]),
        (Pow(w, 3), matrix((27,), (-64,))),
        (Pow(w, 0), matrix((1,))),
        (Call("max", (v, w)), matrix((3,), (2,))),
        (Call("relu", (w,)), matrix((3,), (0,))),
        (MatMul(A, u), matrix((5 + 12 + 21,), (20 + 30 + 42,))),
        (MatMul(Transpose(A), v), matrix((9,), (12,), (15,))),
        (Transpose(A), matrix((1, 4), (2, 5), (3, 6))),
        (Outer(v, u), matrix((5, 6, 7), (10, 12, 14))),
        (Diag(w), matrix((3, 0), (0, -4))),
        (Stack((v, s, w)), matrix((1,), (2,), (7,), (3,), (-4,))),
        (Part(Stack((u, v)), ("u", "v"), 1), matrix((1,), (2,))),
        (Part(Stack((u, v)), ("u", "v"), 0), matrix((5,), (6,), (7,))),
        (Reduce("sum", (u,)), matrix((18,))),
        (Reduce("mean", (u,)), matrix((6,))),
        (Reduce("mean", (A,)), [[Fraction(7, 2)]]),
        (Reduce("dot", (v, w)), matrix((3 - 8,))),
        (Detach(v), matrix((1,), (2,))),
    ],
    ids=lambda item: type(item).__name__ if isinstance(item, Expr) else "",
)
def test_expressions_are_evaluated(expr, expected):
    assert evaluate(expr, MATRICES, Exact()) == expected


def test_a_leaf_without_a_value_is_an_error():
    with pytest.raises(KeyError, match="nowhere"):
        evaluate(Name("nowhere"), MATRICES, Exact())


@pytest.mark.parametrize("view", [Shift(v, 1), TimeSum(v), Derivative("v", "w")])
def test_a_view_has_no_value(view):
    with pytest.raises(TypeError, match="has no value within one step"):
        evaluate(view, MATRICES, Exact())


@pytest.mark.parametrize("expr", [Add((v, u)), MatMul(A, v), Mul((A, v))])
def test_shapes_that_do_not_fit_have_no_value(expr):
    with pytest.raises(ValueError, match=r"shape|no value"):
        evaluate(expr, MATRICES, Exact())


# --- long sums ----------------------------------------------------------------------------------------------------


def test_a_sum_of_2000_terms_is_flat_in_everything():
    long = Add(tuple(Mul((Name(f"p{k}"), a)) for k in range(2000)))
    values = {f"p{k}": [[Fraction(1)]] for k in range(2000)} | VALUES
    with few_calls_deep(40):
        assert operations(long) == 1999 + 2000
        assert len(names(long)) == 2001
        assert sum(1 for _ in walk(long)) == 1 + 3 * 2000
        assert scalar_view(long) == long
        assert total(*long.terms) == long
        assert names(substitute(long, {a: b}))[1] == "b"
        assert evaluate(long, values, Exact()) == [[2000 * Fraction(3, 7)]]


def test_that_a_nested_sum_would_be_seen():
    nested = a
    for _ in range(50):
        nested = Add((a, nested))
    with pytest.raises(RecursionError), few_calls_deep(40):
        scalar_view(nested)
