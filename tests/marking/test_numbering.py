"""Steps that are numbers, sums over steps and over components, and derivatives through all steps."""

import pytest

from derivations.marking.marked import Verdict
from derivations.marking.sheets import read_sheet
from tests.marking.marks import marked, marks, mistakes, verdicts

W, R = Verdict.WRONG, Verdict.RIGHT
OTHER, UNSURE = Verdict.OTHER, Verdict.UNSURE


# --- steps that are numbers ---------------------------------------------------------------------------------------

STEPS = """z1 = w*x1 + u*h0 + b
h1 = tanh(z1)
z2 = w*x2 + u*h1 + b
h2 = tanh(z2)
dz2 = dh2*(1-h2^2)
dh1 = u*dz2
dz1 = dh1*(1-h1^2)
dw = dz1*x1 + dz2*x2
du = dz1*h0 + dz2*h1
dh0 = u*dz1"""


def test_numbers_on_names_are_steps():
    assert verdicts("rnn", STEPS) == [R] * 10
    assert [m.quantity for m in marks("rnn", STEPS)][4:] == [
        "da_h", "dh", "da_h", "grad_W_xh", "grad_W_hh", "dh_prev",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "words", "right"),
    [
        ("dz1*h0 + dz2*h1", "dz1*h1 + dz2*h1", 9, "h_1 where h_0 is due at the first step", "du = dz1*h0 + dz2*h1"),
        ("dz1*x1 + dz2*x2", "dz1*x2 + dz2*x2", 8, "x_2 where x_1 is due at the first step", "dw = dz1*x1 + dz2*x2"),
        ("(1-h1^2)", "(1-h2^2)", 7, "h", "dz1 = dh1*(1 - h1**2)"),
    ],
)
def test_a_mistake_at_one_of_the_steps_is_named_with_its_numbers(old, new, line, words, right):
    found = [m for m in marks("rnn", STEPS.replace(old, new)) if m.verdict is W]
    assert [m.line for m in found] == [line]
    assert words in found[0].mistake
    assert found[0].correct == right


def test_numbers_on_intermediates_are_no_steps():
    assert read_sheet("t1 = dh*o\nt2 = t1*(1-tanh(c)^2)\ndc = t2 + dc_next").steps == 0
    assert verdicts("lstm", "t1 = dh*o\nt2 = t1*(1-tanh(c)^2)\ndc = t2 + dc_next") == [OTHER, OTHER, R]


def test_jacobians_are_multiplied_newest_first():
    one, two = r"\mathrm{diag}(1-h_3^2) W_{hh}", r"\mathrm{diag}(1-h_2^2) W_{hh}"
    left = r"\frac{\partial h_3}{\partial h_1} = "
    assert verdicts("rnn", left + one + r"\," + two) == [R]
    assert "forward order" in mistakes("rnn", left + two + r"\," + one)[1]


def test_an_initial_state_of_zero_is_an_assumption():
    sheet = "h0 = 0\nh1 = tanh(w*x1 + u*h0 + b)\nh2 = tanh(w*x2 + u*h1 + b)\nda2 = dh2*(1-h2^2)\nda1 = u*da2*(1-h1^2)\n"
    assert verdicts("rnn", sheet + "du = da1*h0 + da2*h1") == [OTHER, R, R, R, R, R]
    assert list(mistakes("rnn", sheet + "du = da1*h1 + da2*h1")) == [6]


@pytest.mark.parametrize(("first", "verdict"), [(1, Verdict.RIGHT), (2, Verdict.WRONG)])
def test_a_sum_over_numbered_steps_that_leaves_one_out(first, verdict):
    sums = rf"$$\frac{{dL}}{{dw}} = \sum_{{t={first}}}^{{3}} \delta_t x_t$$"
    more = r"$$\frac{dL}{du} = \sum_{t=1}^{3} \delta_t h_{t-1}$$"
    found = marked(f"$T=3$, $\\delta_t = dL/da_t$\n{sums}\n{more}", "rnn", "latex")
    assert [mark.verdict for mark in found.marks if mark.quantity.startswith("grad")] == [verdict, Verdict.RIGHT]


# --- sums over components -----------------------------------------------------------------------------------------

COMPONENTS = r"\delta_j = (1 - h_j^2) \frac{\partial L}{\partial h_j}" "\n"  # fmt: skip


def test_a_sum_over_components_is_a_product_with_a_matrix():
    line = COMPONENTS + r"\frac{\partial L}{\partial h_{j,t-1}} = \sum_k W_{hh,%s} \delta_k"
    assert verdicts("rnn", line % "kj") == [R, R]
    assert "transposed" in mistakes("rnn", line % "jk")[2]


def test_a_sum_over_components_is_a_sum():
    line = r"\delta s_c = %s\sum_j \delta k_j\, \gamma_{c,j}\, m_{c,j} / s_c^2"
    assert verdicts("lnlstm", line % "-") == [R]
    assert mistakes("lnlstm", line % "") == {1: "the sign is flipped"}


# --- derivatives through all steps --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("dh_t/du = (1-h_t^2)*(h_{t-1} + u*dh_{t-1}/du)", R),
        ("dh_t/du = (1-h_t^2)*(h_t + u*dh_{t-1}/du)", UNSURE),
        ("dh_t/du = (1-h_t^2)*h_{t-1}", R),
    ],
)
def test_a_state_is_differentiated_within_the_step_or_through_all(line, verdict):
    assert verdicts("rnn", "h_t = tanh(w*x_t + u*h_{t-1} + b)\n" + line) == [R, verdict]


def test_where_immediate_partials_have_a_sign_the_others_are_total():
    sheet = (
        r"\[ h_t = \tanh(w x_t + u h_{t-1} + b) \]" "\n" r"\[ \frac{\partial h_t}{\partial u} = (1 - h_t^2) %s \]" "\n"
        r"\[ \frac{\partial^+ h_t}{\partial w} = (1 - h_t^2) x_t \]"
    )  # fmt: skip
    total = r"(h_{t-1} + u \frac{\partial h_{t-1}}{\partial u})"
    assert verdicts("rnn", sheet % total, "latex") == [R, R, R]
    assert "immediate partial" in mistakes("rnn", sheet % "h_{t-1}", "latex")[2]


def test_steps_that_are_numbers_and_derivatives_through_them():
    sheet = "h1 = tanh(w*x1 + u*h0 + b)\nh2 = tanh(w*x2 + u*h1 + b)\ndh1/du = (1-h1^2)*h0\ndh2/du = (1-h2^2)*(h1 + {})"
    assert verdicts("rnn", sheet.format("u*(1-h1^2)*h0")) == [R] * 4
    assert verdicts("rnn", sheet.format("u*h0"))[:3] == [R] * 3
    assert R not in verdicts("rnn", sheet.format("u*h0"))[3:]
