r"""Ways of setting a formula in LaTeX, each with a right line and a wrong one."""

import pytest

from derivations.marked import Verdict
from tests.test_meanings import verdicts

W, R, TRUNCATED = Verdict.WRONG, Verdict.RIGHT, Verdict.TRUNCATED
DC = r"\frac{\partial L}{\partial c_t}"
SUM_OVER_GATES = r"\frac{\partial L}{\partial h_{t-1}} = \sum_{k \in \{i,f,g,o\}} W_{%sk}^\top \delta_{a_k}"


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (rf"\frac{{\partial L}}{{\partial a_f}} = \frac{{f_t}}{{1}} (1 - f_t) c_{{t-1}} {DC}", R),
        (rf"\frac{{\partial L}}{{\partial a_f}} = \frac{{f_t}}{{2}} (1 - f_t) c_{{t-1}} {DC}", W),
        (r"\partial_{f} L = (\partial_c L)\, c_{t-1}", R),
        (r"\partial_{f} L = (\partial_c L)\, c_t", W),
        (SUM_OVER_GATES % "h", R),
        (SUM_OVER_GATES % "x", W),
        (r"\bar{c} = \bar{c}_{\text{next}} + \bar{h} \odot o \odot (1 - \tanh^2(c))", R),
        (r"\bar{c} = \bar{c}_{\text{next}} - \bar{h} \odot o \odot (1 - \tanh^2(c))", W),
        (rf"\frac{{\partial L}}{{\partial f_t}} = {DC} c_{{t-1}}, \quad \text{{since the gate scales }} c_{{t-1}}", R),
        (rf"\frac{{\partial L}}{{\partial f_t}} = {DC} g_t, \quad \text{{since the gate scales }} c_{{t-1}}", W),
        (rf"\frac{{\partial L}}{{\partial i_t}}\Big|_{{t}} = {DC} g_t", R),
        (rf"\frac{{\partial L}}{{\partial i_t}}\Big|_{{t}} = {DC} i_t", W),
    ],
)
def test_a_way_of_setting_a_formula(line, verdict):
    assert verdicts("lstm", line, "latex") == [verdict]


def test_a_sum_may_count_its_steps_by_another_letter():
    summed = r"\frac{\partial L}{\partial b_h} = \sum_{\tau=1}^{T} (1 - h_\tau%s) \frac{\partial L}{\partial h_\tau}"
    assert verdicts("rnn", summed % "^2", "latex") == [R]
    assert verdicts("rnn", summed % "", "latex") == [W]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (r"\frac{\partial L}{\partial h_t} = \frac{\partial L_t}{\partial h_t} + \frac{\partial L}{\partial h_{t+1}} "
         r"(1 - h_{t+1}^2) W_{hh}", R),
        (r"\frac{\partial L}{\partial b_h} = \sum_t \frac{\partial L_t}{\partial h_t} (1 - h_t^2)", W),
        (r"\nabla_{h_{t-1}} L = \nabla_{h_{t-1}} L_{t-1} + W_{hh} \nabla_{a_t} L", R),
        (r"\nabla_{h_{t-1}} L = \nabla_{h_{t-1}} L_{t-1} - W_{hh} \nabla_{a_t} L", W),
    ],
)  # fmt: skip
def test_the_loss_of_one_step_is_not_that_of_all(line, verdict):
    start = r"\frac{\partial L}{\partial a_t} = (1 - h_t^2) \frac{\partial L}{\partial h_t}" "\n"
    assert verdicts("rnn", start + line, "latex")[1] is verdict


def test_a_sheet_that_lets_nothing_come_back_is_truncated_in_all_its_lines():
    words = "We truncate: nothing comes back from step t+1.\n"
    lines = "dh = dh_out\ndc = dh_out*o*(1 - tanh(c)^2)\ndf = dc*{}"
    assert verdicts("lstm", words + lines.format("c_prev"))[1:] == [TRUNCATED, R]
    assert verdicts("lstm", words + lines.format("c"))[2] is W
    assert verdicts("lstm", words + "dc = dh_out*o*(1 - tanh(c))^2") == [W]


def test_words_that_speak_of_the_step_after_leave_no_carry_out():
    line = "dc = dh*o*(1 - tanh(c)^2)"
    assert verdicts("lstm", f"what comes from step t+1 is dc_next\n{line}") == [W]
    assert verdicts("lstm", f"nothing comes from step t+1\n{line}") == [TRUNCATED]
