"""Where a wrong expression differs from the right one, in the terms of the tree: products, their factors, their gap."""

import pytest

from derivations.expression import Add, Adjoint, MatMul, Mul, Name, Num, Outer, Transpose
from derivations.marking.attempt import Attempt
from derivations.marking.course import View
from derivations.marking.differences import difference, spread
from derivations.marking.factors import gap
from derivations.marking.products import as_product, factor_places, lying, standing, with_factors
from derivations.marking.right_line import written_out
from tests.marking.marks import course_for

f, g, c, x, W = (Name(name) for name in ("f", "g", "c", "x", "W_hf"))
dc, df = Adjoint("c"), Adjoint("f")


def attempt(quantity, said):
    course, view = course_for("lstm"), View()
    return Attempt(course, quantity, said, course.value(said, view, 2), view, 2)


def test_a_product_is_a_number_and_factors_however_it_is_written():
    said = as_product(-Outer(dc * 2, x) * (1 - f) ** 2)
    assert (said.number, said.factors) == (-2, (dc, x, 1 - f, 1 - f))
    assert as_product(MatMul(Transpose(W), dc)).factors == (W, dc)
    assert as_product(Num(0)) is None


def test_a_factor_is_replaced_once_for_each_time_that_it_is_to_be():
    assert with_factors(dc * f * f, [(f, g)]) == dc * g * f
    assert with_factors(dc * (1 - f) ** 2, [((1 - f) ** 2, 1 - f**2)]) == dc * (1 - f**2)
    lies = Mul((dc, 1 - Transpose(f)))
    assert with_factors(lies, [(1 - f, 1 - g)]) == Mul((dc, 1 - Transpose(g)))
    assert standing(lying(1 - f)) == 1 - f


def test_every_place_of_a_product_takes_a_factor():
    assert {put(x) for put, _ in factor_places(dc * f)} == {x, x * f, dc * x}


def test_a_sum_within_a_product_is_spread_and_a_slope_is_not():
    assert spread(dc * (f + g)) == dc * f + dc * g
    assert spread(dc * (1 - f)) == dc * (1 - f)
    assert spread(MatMul(W, f + g)) == MatMul(W, f) + MatMul(W, g)


@pytest.mark.parametrize(
    ("said", "due", "faults"),
    [(dc * f, dc * f, []), (-dc * f, dc * f, ["sign"]), (dc * 2, dc, ["number"]), (dc, dc * f * (1 - f), ["slope"]),
     (dc, dc * g, ["lost"]), (dc * g, dc, ["extra"]), (dc * g * g, dc * g, ["squared"]), (dc * g, dc * f, ["instead"]),
     (dc * (f - f**2), dc * f * (1 - f), []), (dc * (f - 1), dc * (1 - f), ["sign"])],
)  # fmt: skip
def test_the_gap_between_two_products(said, due, faults):
    found = gap(attempt(df, said), as_product(said), as_product(due))
    assert [kind for kind, _ in found.faults()] == faults


def test_a_difference_is_confirmed_by_value():
    right = written_out(course_for("lstm"), Adjoint("h_prev"), None, 2)
    turned = Add(tuple(MatMul(term.left.arg, term.right) for term in right.terms[:1]) + right.terms[1:])
    assert difference(attempt(Adjoint("h_prev"), turned), (right,)).words == "W_hf must be transposed"
    assert difference(attempt(Adjoint("f"), g * f), (dc * Name("c_prev"),)) is None  # nothing in common
