"""Words around the formulas of a sheet in plain text, each with a right line and a wrong one."""

import pytest

from derivations.marking.marked import Verdict
from derivations.marking.sheets import read_sheet
from tests.marking.marks import verdicts

W, R, OTHER = Verdict.WRONG, Verdict.RIGHT, Verdict.OTHER


@pytest.mark.parametrize(
    ("right", "old", "new"),
    [
        ("df = dc*c_prev      (the slope of the cell, by the gate)", "c_prev", "c"),
        ("df = dc * c_{t-1}   (since f multiplies c_{t-1})", "c_{t-1}   ", "g   "),
        ("dc_{t-1} = dc (*) f", "f", "i"),
        ("dc⁻ = dc · f        (⁻: step t-1)", "f  ", "i  "),
        ("dL/df at t: dc c_{t-1}", "c_{t-1}", "g"),
        ("df, elementwise part = dc*c_prev", "c_prev", "c"),
        ("dL/db_f = Σ_t dL/da_f", "Σ_t dL/da_f", "Σ_t dL/da_i"),
        ("dL/db_f = sum over t of dL/da_f", "a_f", "a_i"),
        ("dL/db_f = sum_{t=1}^{T} dL/da^f_t", "a^f", "a^i"),
        ("∇W_xf = ∇a_f x_tᵀ", "∇a_f", "∇a_i"),
        ("dc(t-1) = dc(t) * f(t)", "f(t)", "i(t)"),
    ],
)
def test_words_and_signs_around_a_formula(right, old, new):
    assert old in right
    assert verdicts("lstm", right) == [R]
    assert verdicts("lstm", right.replace(old, new)) == [W]


@pytest.mark.parametrize(
    ("words", "right", "wrong"),
    [
        ("Let D := dL/dh (incl. recurrence), u := tanh(c).", "do = D*u", "do = D*c"),
        ("we call q = dL/dc the error of the cell", "df = q*c_prev", "df = q*c"),
        ("the cell's error is k (k = dL/dc, total)", "df = k*c_prev", "df = k*c"),
    ],
)
def test_a_sentence_says_what_a_name_stands_for(words, right, wrong):
    said = verdicts("lstm", f"{words}\n{right}")
    assert said[-1] is R
    assert W not in said
    assert verdicts("lstm", f"{words}\n{wrong}")[-1] is W


def test_a_condition_behind_a_formula_says_what_is_in_it():
    line = "dr = da_n*q, where q = W_hn h_prev + b_hn"
    assert R in verdicts("gru", line)
    assert W not in verdicts("gru", line)
    assert W in verdicts("gru", line.replace("da_n*q", "da_n*r*q"))


def test_what_is_said_to_be_coming_back_is_no_definition():
    text = "B := dL/dc coming back from t+1\ndf = B*c_prev"
    assert len(read_sheet(text, "text").lines) == 1


def test_brackets_around_formulas_are_no_remarks():
    assert verdicts("lstm", "dc = (dc_next) + (dh o) (1 - tanh(c)^2)") == [R]
    assert verdicts("lstm", "dc = (dc_next) + (dh i) (1 - tanh(c)^2)") == [W]


def test_the_share_of_the_first_step_is_no_sum():
    sheet = "da_f1 = dc_1 * c_0 * f_1 * (1 - f_1)\ndW_hf (share of t=1) = da_f1 * {}"
    assert verdicts("lstm", sheet.format("h_0")) == [R, R]
    assert verdicts("lstm", sheet.format("h_1")) == [R, W]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("dL/dW_hh = sum_{t=1}^{T} da_t h_{t-1}^T", R),
        ("dL/dW_hh = sum_{t=2}^{T} da_t h_{t-1}^T", W),
        ("dL/dW_hh = sum_{t=1}^{T-1} da_t h_{t-1}^T", W),
        ("dL/dW_hh = sum_{t=0}^{T-1} da_t h_{t-1}^T", R),
        ("dL/dW_hh = sum_{t=0}^{T-1} da_{t+1} h_t^T", R),
        ("dL/dW_hh = sum_{t=0}^{T-1} da_{t+1} h_{t+1}^T", W),
        ("dL/dW_hh = sum_{t=1}^{T-1} da_{t+1} h_t^T", W),
    ],
)
def test_the_bounds_of_a_sum_over_time(line, verdict):
    start = "da_t = dh_t * (1 - h_t^2)\n"
    assert verdicts("rnn", start + line) == [R, verdict]
    in_latex = line.replace("dL/dW_hh", r"\nabla_{W_{hh}} L").replace("sum", r"\sum").replace("da_", r"\delta_")
    start = r"\delta_t = (1 - h_t^2) \odot \frac{\partial L}{\partial h_t}" + "\n"
    assert verdicts("rnn", start + in_latex.replace("^T", r"^\top").replace(r"^\top-", "^T-"), "latex") == [R, verdict]


def test_the_first_step_gives_nothing_where_the_initial_state_is_zero():
    start = "here h_0 = 0\nda_t = dh_t (1 - h_t^2)\n"
    assert verdicts("rnn", start + "dL/dW_hh = sum_{t=2}^{T} da_t h_{t-1}^T")[-1] is R
    assert verdicts("rnn", start + "dL/dW_xh = sum_{t=2}^{T} da_t x_t^T")[-1] is W


@pytest.mark.parametrize(("factor", "verdict"), [("x_t", R), ("h_t", W)])
def test_a_letter_that_stands_for_a_derivative_makes_no_claim(factor, verdict):
    text = "Shared weights, steps 1..T, d_t = dL/da_t (total):\ndL/dW_xh = sum_{t=1}^{T} d_t {}\ndL/db_h = sum_t d_t"
    assert verdicts("rnn", text.replace("{}", factor))[1] is verdict


@pytest.mark.parametrize(("factor", "verdict"), [("", W), (" + dc_next", R)])
def test_a_final_state_may_have_a_gradient_of_its_own(factor, verdict):
    words = "With final gradients of h and c from the decoder,\n"
    assert verdicts("lstm", f"{words}dc = dh*o*(1 - tanh(c)^2){factor}") == [verdict]


def test_words_before_a_comma_are_no_part_of_a_claim():
    said = verdicts("rnn", "The loss reads h only, d = dL/dh\ndb_h = d*(1 - h^2)")
    assert said[-1] is R
    assert verdicts("rnn", "The loss reads h only, d = dL/dh\ndb_h = d*(1 - h)^2")[-1] is W
