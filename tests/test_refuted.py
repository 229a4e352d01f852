"""Every kind of wrong step is refuted, and it is said where it differs from the right one."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from derivations.derive import Derivation, Rule, Step
from derivations.equality import Status
from derivations.expression import (
    ONE,
    Add,
    Adjoint,
    Call,
    Derivative,
    Diag,
    Expr,
    MatMul,
    Mul,
    Name,
    Num,
    Outer,
    Part,
    Pow,
    Reduce,
    Shift,
    Stack,
    TimeSum,
    Total,
    Transpose,
    children,
    negative,
    product,
    rebuild,
    substitute,
)
from derivations.language import expression
from derivations.prove import prove
from tests.derived import DERIVED, LSTM, scaled, step

Mistake = Callable[[Expr], Expr]


def refuted(derivation: Derivation, right: Step, wrong: Step) -> None:
    assert prove(right, derivation)
    assert wrong != right
    proof = prove(wrong, derivation)
    assert proof.status is Status.REFUTED
    assert proof.where


def swap(old: str, new: str) -> Mistake:
    return lambda expr: substitute(expr, {Name(old): Name(new), Adjoint(old): Adjoint(new)})


def everywhere(rule: Callable[[Expr], Expr | None]) -> Mistake:
    """The mistake made at the first node that can have it."""

    def made(expr: Expr) -> Expr:
        new = rule(expr)
        if new is not None:
            return new
        parts = children(expr)
        for k, part in enumerate(parts):
            changed = made(part)
            if changed != part:
                return rebuild(expr, (*parts[:k], changed, *parts[k + 1 :]))
        return expr

    return made


def at_first(kind: type[Expr], new: Callable[..., Expr | None]) -> Mistake:
    """The mistake made at the first node of a kind that can have it."""
    return everywhere(lambda node: new(node) if isinstance(node, kind) else None)


untransposed = at_first(MatMul, lambda n: MatMul(n.left.arg, n.right) if isinstance(n.left, Transpose) else None)
transposed = at_first(MatMul, lambda n: MatMul(Transpose(n.left), n.right) if isinstance(n.left, Name) else None)
turned = at_first(Outer, lambda n: Outer(n.right, n.left))
term_dropped = at_first(Add, lambda n: Add(n.terms[1:]) if len(n.terms) > 2 else None)
sign_in_a_sum = at_first(Add, lambda n: Add((negative(n.terms[0]), *n.terms[1:])))
factor_dropped = at_first(Mul, lambda n: product(*n.factors[:-1]))
square_lost = at_first(Pow, lambda n: n.base)
own_value = at_first(Call, lambda n: n.args[0])
other_function = at_first(Call, lambda n: Call("softplus", n.args))
not_gathered = at_first(Reduce, lambda n: n.args[0])
other_part = at_first(Part, lambda n: replace(n, index=1 - n.index))
other_corner = at_first(
    Call, lambda n: Call("_inside", (*n.args[:2], Num(Fraction(2)))) if n.function == "_inside" else None
)
other_slope = at_first(Call, lambda n: Call("_sign", n.args) if n.function == "_step" else None)

PLANTED = [
    *[
        pytest.param("lstm", Rule.DEFINITION, "", of, mistake, id=f"definition {of}: {what}")
        for of, what, mistake in [
            ("c", "sign", negative),
            ("c", "another name", swap("i", "o")),
            ("c", "this step", swap("c_prev", "c")),
            ("h", "function", other_function),
            ("h", "factor dropped", factor_dropped),
            ("a_f", "term dropped", term_dropped),
            ("a_f", "transposed", transposed),
            ("f", "function", other_function),
        ]
    ],
    *[
        pytest.param("lstm", Rule.PARTIAL, wrt, of, mistake, id=f"partial {of}/{wrt}: {what}")
        for of, wrt, what, mistake in [
            ("f", "a_f", "sign", negative),
            ("f", "a_f", "sigma for sigma'", lambda e: Diag(Name("f"))),
            ("f", "a_f", "f(1 + f)", lambda e: Diag(expression("f * (1 + f)"))),
            ("f", "a_f", "f squared", lambda e: Diag(expression("f**2"))),
            ("f", "a_f", "another gate", swap("f", "i")),
            ("f", "a_f", "factor dropped", factor_dropped),
            ("f", "a_f", "scaled", scaled),
            ("f", "a_f", "no matrix", lambda e: expression("f * (1 - f)")),
            ("g", "a_g", "square lost", square_lost),
            ("g", "a_g", "sign of the square", lambda e: Diag(expression("1 + g**2"))),
            ("h", "c", "tanh' at its own value", own_value),
            ("h", "c", "factor dropped", lambda e: Diag(expression("1 - tanh(c)**2"))),
            ("h", "o", "another function", other_function),
            ("c", "f", "this step", swap("c_prev", "c")),
            ("c", "f", "zero", lambda e: 0 * e),
            ("a_f", "h_prev", "transposed", lambda e: Transpose(e)),
            ("a_f", "h_prev", "another weight", swap("W_hf", "W_hi")),
            ("a_f", "h_prev", "identity", lambda e: ONE),
            ("a_f", "W_hf", "this step", swap("h_prev", "h")),
            ("a_f", "W_hf", "sign", negative),
            ("a_f", "b_f", "factor", lambda e: 2 * e),
        ]
    ],
    *[
        pytest.param("lstm", Rule.ADJOINT, wrt, "", mistake, id=f"adjoint {wrt}: {what}")
        for wrt, what, mistake in [
            ("h", "sign", negative),
            ("h", "the loss left out", lambda e: e.terms[1]),
            ("h", "the carry left out", lambda e: e.terms[0]),
            ("c", "the carry left out", lambda e: e.terms[1]),
            ("c", "the path to h left out", lambda e: e.terms[0]),
            ("c", "a sign in a sum", sign_in_a_sum),
            ("c", "tanh' at its own value", own_value),
            ("c", "factor dropped", factor_dropped),
            ("c", "the carry of h", lambda e: substitute(e, {Adjoint("c", "next"): Adjoint("h", "next")})),
            ("o", "another function", other_function),
            ("a_o", "factor dropped", factor_dropped),
            ("a_o", "scaled", scaled),
            ("a_g", "square lost", square_lost),
            ("i", "own value", swap("g", "i")),
            ("f", "this step", swap("c_prev", "c")),
            ("a_f", "another adjoint", swap("f", "i")),
            ("h_prev", "term dropped", term_dropped),
            ("h_prev", "not transposed", untransposed),
            ("h_prev", "another weight", swap("W_hf", "W_hi")),
            ("h_prev", "gates swapped", swap("a_f", "a_i")),
            ("h_prev", "a sign in a sum", sign_in_a_sum),
            ("x", "not transposed", untransposed),
            ("x", "term dropped", term_dropped),
            ("c_prev", "the wrong gate", swap("f", "i")),
            ("W_hf", "outer product turned", turned),
            ("W_hf", "this step", swap("h_prev", "h")),
            ("W_xf", "outer product turned", turned),
            ("W_xf", "another input", swap("x", "h_prev")),
            ("W_xf", "another gate", swap("a_f", "a_o")),
            ("b_f", "zero", lambda e: 0 * e),
            ("b_f", "doubled", lambda e: e + e),
            ("b_f", "scaled", scaled),
        ]
    ],
    *[
        pytest.param("lstm", Rule.RECURRENCE, wrt, "", mistake, id=f"recurrence {wrt}: {what}")
        for wrt, what, mistake in [
            ("h", "this step", lambda e: Shift(e.arg, 0)),
            ("h", "two steps on", lambda e: Shift(e.arg, 2)),
            ("h", "not shifted", lambda e: e.arg),
            ("h", "the other state", lambda e: Shift(Adjoint("c_prev"), 1)),
            ("h", "the new state", lambda e: Shift(Adjoint("h"), 1)),
            ("h", "what the loss sends", lambda e: Shift(Adjoint("h_prev", "out"), 1)),
            ("c", "sign", lambda e: negative(e)),
            ("W_xf", "no sum", lambda e: e.arg),
            ("W_xf", "another parameter", lambda e: TimeSum(Adjoint("W_xi"))),
            ("W_xf", "sign", lambda e: TimeSum(negative(e.arg))),
            ("W_xf", "a mean", lambda e: TimeSum(e.arg / 3)),
        ]
    ],
    *[
        pytest.param("everything", rule, wrt, of, mistake, id=f"everything {rule.value} {of}/{wrt}: {what}")
        for rule, of, wrt, what, mistake in [
            (Rule.PARTIAL, "M", "M_prev", "own value", swap("k", "m")),
            (Rule.PARTIAL, "M", "n", "the other vector", swap("x", "n")),
            (Rule.PARTIAL, "u_z", "x", "the other block", lambda e: Stack((*e.parts[1:], *e.parts[:1]))),
            (Rule.PARTIAL, "m", "f", "the other vector", swap("n", "f")),
            (Rule.PARTIAL, "r", "z", "another slope", other_slope),
            (Rule.PARTIAL, "c", "r", "power", swap("r", "n")),
            (Rule.ADJOINT, "", "M", "outer product turned", turned),
            (Rule.ADJOINT, "", "n", "term dropped", term_dropped),
            (Rule.ADJOINT, "", "k", "not gathered", not_gathered),
            (Rule.ADJOINT, "", "x", "the other part", other_part),
            (Rule.ADJOINT, "", "c_prev", "another corner", other_corner),
        ]
    ],
]


@pytest.mark.parametrize(("cell", "rule", "wrt", "of", "mistake"), PLANTED)
def test_a_wrong_step_is_refuted(cell, rule, wrt, of, mistake):
    derivation = DERIVED[cell]
    right = step(derivation, rule, wrt, of)
    refuted(derivation, right, replace(right, rhs=mistake(right.rhs), terms=()))


def test_there_are_mistakes_of_every_kind():
    assert {param.values[1] for param in PLANTED} == set(Rule)
    assert len(PLANTED) > 80


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("mistake", [negative, scaled, lambda e: 0 * e], ids=["sign", "scaled", "zero"])
def test_any_adjoint_that_is_wrong_is_refuted(name, mistake):
    for right in DERIVED[name].adjoints:
        refuted(DERIVED[name], right, replace(right, rhs=mistake(right.rhs), terms=()))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"lhs": Name("i")}, id="another left-hand side"),
        pytest.param({"of": "i"}, id="another quantity"),
        pytest.param({"of": "nothing", "lhs": Name("nothing")}, id="no quantity"),
    ],
)
def test_a_definition_of_something_else_is_refuted(wrong):
    right = step(LSTM, Rule.DEFINITION, "", "f")
    refuted(LSTM, right, replace(right, **wrong))


@pytest.mark.parametrize(
    ("rule", "wrt", "of", "lhs"),
    [
        (Rule.PARTIAL, "a_f", "f", Derivative("i", "a_f")),
        (Rule.PARTIAL, "a_f", "f", Name("f")),
        (Rule.ADJOINT, "a_f", "", Adjoint("a_i")),
        (Rule.ADJOINT, "a_f", "", Adjoint("a_f", "next")),
        (Rule.RECURRENCE, "h", "", Adjoint("c", "next")),
        (Rule.RECURRENCE, "W_xf", "", Total("W_xi")),
    ],
)
def test_a_step_with_another_left_hand_side_is_refuted(rule, wrt, of, lhs):
    right = step(LSTM, rule, wrt, of)
    refuted(LSTM, right, replace(right, lhs=lhs))


def test_a_partial_along_no_edge_is_refuted():
    right = step(LSTM, Rule.PARTIAL, "f", "c")
    refuted(LSTM, right, replace(right, wrt="o", lhs=Derivative("c", "o")))


@pytest.mark.parametrize(
    ("rhs", "where"),
    [
        (expression("nowhere"), "nowhere has no value"),
        (Adjoint("nowhere"), "dnowhere has no value"),
        (MatMul(Name("W_xf"), Adjoint("a_f")), "2x3 @ 2x1 has no value"),
        (Outer(Name("x"), Adjoint("a_f")), "a value of shape (3, 2) where (2, 3) is due"),
    ],
)
def test_what_has_no_value_is_refuted_and_said(rhs, where):
    right = step(LSTM, Rule.ADJOINT, "W_xf")
    proof = prove(replace(right, rhs=rhs, terms=()), LSTM)
    assert (proof.status, proof.where) == (Status.REFUTED, where)


def test_the_terms_of_an_adjoint_are_proved_by_consumer():
    right = step(LSTM, Rule.ADJOINT, "h_prev")
    first, second, *rest = right.terms
    swapped = (replace(first, via=second.via), replace(second, via=first.via), *rest)
    proof = prove(replace(right, terms=swapped), LSTM)
    assert proof.status is Status.REFUTED
    assert proof.where == "dh_prev through a_f[0,0]"
    lost = replace(right, terms=right.terms[1:])
    assert prove(lost, LSTM).where == "dh_prev through a_f[0,0]"
    invented = replace(right, terms=(*right.terms, replace(first, via="loss")))
    assert prove(invented, LSTM).where == "dh_prev through loss[0,0]"


def test_where_a_refuted_step_differs_is_said():
    right = step(LSTM, Rule.ADJOINT, "W_hf")
    assert prove(replace(right, rhs=turned(right.rhs), terms=()), LSTM).where == "dW_hf[0,1]"
