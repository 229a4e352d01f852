"""Derivatives by a weight at numbered steps: what is within its step alone is wrong beside one through all steps."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marks, verdicts

W, R = Verdict.WRONG, Verdict.RIGHT
STEPS = "h_1 = tanh(w*x_1 + u*h_0)\nh_2 = tanh(w*x_2 + u*h_1)\n"
THROUGH_W = "dh_1/dw = (1 - h_1^2)*x_1\ndh_2/dw = (1 - h_2^2)*(x_2 + u*dh_1/dw)\n"
THROUGH_U = "dh_1/du = (1 - h_1^2)*h_0\ndh_2/du = (1 - h_2^2)*(h_1 + u*dh_1/du)\n"


@pytest.mark.parametrize(
    ("total", "alone"),
    [(THROUGH_W, "dh_2/du = (1 - h_2^2)*h_1"), (THROUGH_U, "dh_2/dw = (1 - h_2^2)*x_2")],
)
def test_an_immediate_partial_beside_a_total_is_wrong(total, alone):
    found = marks("rnn", STEPS + total + alone)
    assert [mark.verdict for mark in found[2:]] == [R, R, W]
    assert "the immediate partial where the total is due" in found[-1].mistake
    assert "the path through h_prev is missing" in found[-1].mistake


def test_totals_beside_each_other_are_right():
    assert verdicts("rnn", STEPS + THROUGH_W + THROUGH_U)[2:] == [R] * 4


def test_partials_beside_each_other_are_right():
    alone = "dh_1/dw = (1 - h_1^2)*x_1\ndh_2/dw = (1 - h_2^2)*x_2\ndh_2/du = (1 - h_2^2)*h_1"
    assert verdicts("rnn", STEPS + alone)[2:] == [R] * 3


def test_where_steps_have_no_numbers_both_kinds_may_stand():
    alone = "h_t = tanh(w x_t + u h_{t-1} + b)\ndh_t/dw = (1 - h_t^2) x_t\ndh_t/du = (1 - h_t^2) h_{t-1}"
    assert verdicts("rnn", alone) == [R] * 3
