r"""Ways of setting a formula in LaTeX, each with a right line and a wrong one."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import verdicts

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


@pytest.mark.parametrize(("name", "verdict"), [("f", R), ("o", W)])
def test_a_sheet_may_say_which_accent_is_an_error(name, verdict):
    start = "\\hat{v} denotes the gradient of the loss with respect to $v$.\n"
    sheet = r"\hat{a}_f = \hat{c} \odot c_{t-1} \odot %s \odot (1-f)"
    assert verdicts("lstm", start + sheet % name, "latex") == [verdict]


@pytest.mark.parametrize(("factor", "verdict"), [("n - h_{t-1}", W), ("h_{t-1} - n", R)])
def test_a_dot_is_an_error(factor, verdict):
    assert verdicts("gru", rf"\dot{{z}} = \dot{{h}}_t \odot ({factor})", "latex") == [verdict]


@pytest.mark.parametrize(("last", "verdict"), [("o", R), ("i", W)])
def test_the_gates_may_be_called_by_a_capital_gamma(last, verdict):
    sheet = r"\mathrm{d}\Gamma_f = \mathrm{d}c * c_{prev} * \Gamma_f * (1-\Gamma_f)" "\n"
    sheet += rf"\mathrm{{d}}\Gamma_o = \mathrm{{d}}h * \tanh(c) * \Gamma_{last} * (1-\Gamma_{last})"
    assert verdicts("lstm", sheet, "latex") == [R, verdict]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (r"\frac{\partial L}{\partial W_{ho}} = \frac{\partial L}{\partial a_o} \otimes h_{t-1}", R),
        (r"\frac{\partial L}{\partial W_{ho}} = h_{t-1} \otimes \frac{\partial L}{\partial a_o}", W),
        (r"\frac{\partial L}{\partial f_t} = \frac{\partial L}{\partial c_t} \otimes c_{t-1}", R),
    ],
)
def test_a_circled_cross_is_an_outer_product_in_gradients_of_matrices(line, verdict):
    assert verdicts("lstm", line, "latex") == [verdict]


@pytest.mark.parametrize(("more", "verdict"), [(r" + W_{hh} \frac{\mathrm{d} h_2}{\mathrm{d} W_{hh}}", R), ("", W)])
def test_a_total_derivative_goes_through_all_steps(more, verdict):
    total = r"\frac{\mathrm{d} h_%d}{\mathrm{d} W_{hh}} = (1 - h_%d^2)(h_%d%s)"
    sheet = [total % (1, 1, 0, ""), total % (2, 2, 1, r" + W_{hh} \frac{\mathrm{d} h_1}{\mathrm{d} W_{hh}}")]
    assert verdicts("rnn", "\n".join([*sheet, total % (3, 3, 2, more)]), "latex") == [R, R, verdict]


@pytest.mark.parametrize(("gate", "verdict"), [("i", R), ("f", W)])
def test_a_delta_before_a_name_and_one_with_an_index_are_two(gate, verdict):
    sheet = [r"\tilde{c}_t = \tanh(W_c x_t + U_c h_{t-1} + b_c)"]
    sheet += [rf"\delta_{k} = \delta c_t \odot {v} \odot {k}_t \odot (1 - {k}_t)" for k, v in
              (("f", "c_{t-1}"), ("i", r"\tilde{c}_t"))]  # fmt: skip
    sheet += [rf"\delta x_t = W_f^T \delta_f + W_{gate}^T \delta_i + W_c^T \delta_c + W_o^T \delta_o"]
    assert verdicts("lstm", "\n".join(sheet), "latex")[1:] == [R, R, verdict]
