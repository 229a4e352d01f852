"""The rounded layer of truth: the bound of an expression, held against what it is by hand."""

from fractions import Fraction
from math import inf

import numpy as np
import pytest

from backends.balls import precision
from backends.dtypes import ERRORS, error_of
from backends.ledger import Rounded
from backends.rounding import RoundedArithmetic
from derivations.expression import evaluate
from derivations.language import expression


def bound_of(text: str, dtype: str = "float64", **given: float | list[float]) -> tuple[float, float]:
    """S and N of an expression whose names are exact numbers, or columns of them."""
    arithmetic = RoundedArithmetic(dtype)
    values = {
        name: arithmetic.ledger.given(np.asarray(x, dtype=np.float64).reshape(1, -1, 1)) for name, x in given.items()
    }
    with precision(256), np.errstate(all="ignore"):
        relative, flushed = evaluate(expression(text), values, arithmetic).bound
    return float(relative.max()), float(flushed.max())


@pytest.mark.parametrize(
    ("text", "relative", "flushed"),
    [
        ("a", 0, 0),
        ("-a", 0, 0),
        ("a + b", 8, 0),
        ("a - a", 0, 0),
        ("a + b + d", 2 * (3 + 5 + 7), 0),
        ("a * b", 15, 1),
        ("a / b", 3 / 5, 1),
        ("a ** 2", 9, 1),
        ("a ** 3", 2 * 27, 1),
        ("a * b + d", 15 + 22, 1),
        ("a * b * d", 2 * 105, 1 + 7),
        ("(a + b) * d", 8 * 7 + 56, 1),
        ("0.5 * a", 3 / 2, 1),
        ("0.1 * a", 2 * 0.3, 1),
        ("sigmoid(a)", 6 / (1 + np.exp(-3)), 1),
        ("tanh(a * b)", 4 * np.tanh(15) + 15 * (1 - np.tanh(15) ** 2), 1 + (1 - np.tanh(15) ** 2)),
        ("max(a, b)", 0, 0),
        ("relu(a * b)", 15, 1),
        ("relu(-a * b)", 0, 0),
        ("detach(a * b)", 15, 1),
    ],
)
def test_a_bound_is_what_section_3_of_higham_says(text, relative, flushed):
    got = bound_of(text, a=3, b=5, d=7)
    assert got == pytest.approx((relative, flushed), rel=1e-9, abs=1e-12)


def test_a_sum_has_no_order():
    flat = bound_of("a + b + d + e", a=3, b=5, d=7, e=11)
    for text in ("(a + b) + (d + e)", "a + (b + (d + e))", "(a + b + d) + e", "-(-a - b) + d + e"):
        assert bound_of(text, a=3, b=5, d=7, e=11) == flat
    assert bound_of("dot(a, b)", a=[1, 2, 3], b=[4, 5, 6])[0] == pytest.approx(3 * 32)
    assert bound_of("sum(a * b) + d", a=[1, 2, 3], b=[4, 5, 6], d=1)[0] == pytest.approx(32 + 3 * 33)
    assert bound_of("outer(a, b) @ a", a=[1, 2], b=[4, 5])[0] > 0


def given(arithmetic: RoundedArithmetic, *numbers: float) -> Rounded:
    """A column of exact numbers."""
    return arithmetic.ledger.given(np.array(numbers).reshape(1, -1, 1))


def test_a_named_error_is_one_error():
    """q v - q w with v = w: the error of q takes itself away. Of q computed twice, it does not."""
    arithmetic = RoundedArithmetic("float64")
    with precision(256):
        q = arithmetic.multiply([given(arithmetic, 3), given(arithmetic, 5)])
        v = given(arithmetic, 7)
        once = arithmetic.add([arithmetic.multiply([q, v]), arithmetic.negative(arithmetic.multiply([q, v]))])
    assert once.bound[0].item() == pytest.approx(2 * 105)
    assert bound_of("a * b * d - a * b * d", a=3, b=5, d=7)[0] == pytest.approx(4 * 105)


def test_errors_that_cancel_in_a_mean_are_seen_to_cancel():
    """All entries of v are off together by u * 1e6, and their mean is: v - mean(v) is not."""
    arithmetic = RoundedArithmetic("float64")
    centred = expression("v - mean(v)")
    with precision(256):
        far = arithmetic.multiply([given(arithmetic, 1e3), given(arithmetic, 1e3)])
        v = arithmetic.add([far, given(arithmetic, 1, 2, 4)])
        off = evaluate(centred, {"v": v}, arithmetic).bound[0].max()
        alone = arithmetic.add([given(arithmetic, 1e6, 1e6, 1e6), given(arithmetic, 1, 2, 4)])
        own = evaluate(centred, {"v": alone}, arithmetic).bound[0].max()
    assert v.bound[0].max() == pytest.approx(2e6, rel=1e-5)
    assert off == pytest.approx(own, rel=1e-6)


def test_an_error_in_both_is_no_error_in_their_quotient():
    arithmetic = RoundedArithmetic("float64")
    with precision(256):
        q = arithmetic.multiply([given(arithmetic, 3), given(arithmetic, 5)])
        assert arithmetic.divide(q, q).bound[0].item() == pytest.approx(1)  # its own
    assert bound_of("(a * b) / (a * b)", a=3, b=5)[0] == pytest.approx(3)


def test_a_linear_map_counts_its_products_and_its_sum():
    arithmetic = RoundedArithmetic("float64")
    matrix = np.array([[[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]]])
    vector = np.array([[[7.0], [8.0], [9.0]], [[1.0], [0.0], [1.0]]])
    with precision(256):
        exact_map, v = arithmetic.ledger.given(matrix), arithmetic.ledger.given(vector)
        straight = arithmetic.matmul(exact_map, v)
        rounded_map = arithmetic.multiply([exact_map, given(arithmetic, 1)])  # every entry off by u of itself
        both = arithmetic.matmul(rounded_map, arithmetic.multiply([v, given(arithmetic, 1)]))
    gross = np.abs(matrix) @ np.abs(vector)
    assert np.allclose(straight.bound[0], gross + 2 * gross)
    assert straight.bound[1].ravel().tolist() == [3, 3, 2, 2]  # what is times zero is not flushed
    assert np.allclose(both.bound[0], gross + 2 * gross + 2 * gross)


def test_the_batch_is_a_sum_too():
    """B numbers in any order, and errors of different sequences that do not cancel."""
    arithmetic = RoundedArithmetic("float64")
    numbers = arithmetic.ledger.given(np.array([3.0, -5.0, 7.0]).reshape(3, 1, 1))
    with precision(256):
        assert arithmetic.over_batch(numbers).bound[0].item() == pytest.approx(2 * 15)
        products = arithmetic.multiply([numbers, given(arithmetic, 2)])
        total = arithmetic.over_batch(products)
        steps = arithmetic.add([total, total])
    assert total.bound[0].item() == pytest.approx(30 + 2 * 30)
    assert steps.bound[0].item() == pytest.approx(2 * 30 + 5 * 60)


def test_the_complement_of_a_saturated_gate_is_all_rounding():
    """1 - sigmoid(40) is 4e-18, and 0 in float64: the bound must cover that, and more than cover the truth."""
    relative, _ = bound_of("1 - sigmoid(a)", a=40)
    assert relative * 2.0**-53 > 4.2e-18
    relative, _ = bound_of("1 - sigmoid(a)", dtype="float32", a=20)
    assert relative * 2.0**-24 > 2.0e-9


def test_a_bound_covers_every_order():
    """x + y cancels to its own rounding error: what is divided by it may be anything."""
    near = {"a": 1.0, "b": -1.0 + 2.0**-53}
    assert bound_of("1 / (a / 3 + b / 3)", **near)[0] == inf
    assert bound_of("log(a / 3 + b / 3)", **near)[0] == inf
    half = {"a": 1.0, "b": -1.0 + 2.0**-21}  # in float32, a divisor that may be off by more than half
    first_order = bound_of("1 / (a / 3 + b / 3)", **half)[0]
    assert bound_of("1 / (a / 3 + b / 3)", "float32", **half)[0] > 1.05 * first_order


def test_errors_multiply():
    """A product of two numbers that are mostly rounding may be off by the product of their errors."""
    near = {"a": 1.0, "b": -1.0 + 2.0**-52}
    x = 2.0**-52 / 3
    error = bound_of("a / 3 + b / 3", **near)[0] * 2.0**-53
    assert error > 0.9 * x
    product = bound_of("(a / 3 + b / 3) * (a / 3 + b / 3)", **near)[0] * 2.0**-53
    assert product >= (2 * x + error) * error


def test_rounding_may_decide_which_is_larger():
    near = {"a": 1.0, "b": -1.0 + 2.0**-53}
    alone = bound_of("a / 3 + b / 3", **near)[0]
    assert bound_of("max(a / 3 + b / 3, 0)", **near)[0] == pytest.approx(alone)
    assert bound_of("max(0, a / 3 + b / 3)", **near)[0] == pytest.approx(alone)
    assert bound_of("min(a / 3 + b / 3, 1)", **near)[0] == pytest.approx(alone)
    assert bound_of("max(a / 3 + b / 3, 1)", **near)[0] == 0
    assert bound_of("clip(a / 3 + b / 3, 1, 2)", **near)[0] == 0


def test_logsumexp_is_bounded_where_its_sum_overflows():
    relative, _ = bound_of("logsumexp(a)", a=[1000, 999, 2])
    assert 1000 < relative < 10_000
    one, _ = bound_of("logsumexp(a)", a=[1e-3, 0, 0])
    assert one < 30


def test_where_a_right_program_may_overflow_there_is_no_bound():
    assert bound_of("exp(a)", "float32", a=89)[0] == inf
    assert bound_of("exp(a)", "float64", a=89)[0] < inf
    assert bound_of("1 / exp(a)", "float32", a=89)[0] == inf
    assert bound_of("sigmoid(-a)", "float32", a=1000)[0] < inf


def test_a_jump_is_bounded_by_its_height():
    """a/3 + b/3 is 2^-52/3, and rounding may put it on either side of zero; 1/6 and an exact 2^-52 stay there."""
    arithmetic = RoundedArithmetic("float64")
    a, b = given(arithmetic, 1, 1), given(arithmetic, -1 + 2.0**-52, -0.5)
    with precision(256):
        third = arithmetic.number(Fraction(3))
        x = arithmetic.add([arithmetic.divide(a, third), arithmetic.divide(b, third)])
        unsure, sure = arithmetic.call("_step", [x]), arithmetic.call("_step", [b])
        two_sided, between = arithmetic.call("_sign", [x]), arithmetic.call("_inside", [x, third, a])
    assert unsure.error.ravel().tolist() == [1, 0]
    assert two_sided.error.ravel().tolist() == [2, 0]
    assert sure.error.ravel().tolist() == between.error.ravel().tolist() == [0, 0]


def test_a_function_without_a_row_is_taken_apart(monkeypatch):
    """What the table of errors does not know is bounded through its value column."""
    arithmetic = RoundedArithmetic("float64")
    with precision(256):
        known = arithmetic.call("sigmoid", [given(arithmetic, 0.5)])
        monkeypatch.delitem(ERRORS, "sigmoid")
        apart = arithmetic.call("sigmoid", [given(arithmetic, 0.5)])
    assert known.value[0, 0, 0].overlaps(apart.value[0, 0, 0])
    assert known.bound[0].item() == pytest.approx(6 / (1 + np.exp(-0.5)))
    e = np.exp(-0.5)  # off by 4; then 1 + e and the quotient, each by one
    assert apart.bound[0].item() == pytest.approx((4 * e / (1 + e) + 1 + 1) / (1 + e))


def test_worse_functions_are_known_by_their_backend():
    assert error_of("tanh", "float64", "jax") == 16
    assert error_of("tanh", "float64", "torch") == error_of("tanh", "float64") == 4
    assert error_of("relu", "float64") is None
