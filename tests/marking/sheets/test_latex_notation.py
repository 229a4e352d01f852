r"""What a sheet in LaTeX says of its own notation, and ways of writing that stand for several lines or steps."""

import pytest

from derivations.marking.marked import Verdict
from derivations.marking.sheets import read_sheet
from derivations.plain import code
from tests.marking.marks import marked, verdicts

W, R, NONE = Verdict.WRONG, Verdict.RIGHT, Verdict.OTHER
DH, DC = r"\frac{\partial L}{\partial h_t}", r"\frac{\partial L}{\partial c_t}"


def read(row):
    (line,) = read_sheet(row, "latex").lines
    return f"{line.target} = {code(line.rhs)}" if line.rhs else line.why


@pytest.mark.parametrize(
    "source",
    [
        rf"\Big({DH}\Big)^{{\text{{direct}}}}",
        rf"\left.{DH}\right|_{{\text{{direct}}}}",
        rf"{DH}^{{(\mathrm{{out}})}}",
        r"\nabla_{h_t}^{\text{from above}} L",
        r"\delta h_t^{\mathrm{ext}}",
        r"\bar h_t^{out}",
    ],
)
def test_a_word_on_an_error_says_where_it_comes_from(source):
    assert read(rf"\delta h_t = {source} + \delta h_t^{{+}}") == "delta_h = dh_out + dh_next"


@pytest.mark.parametrize("index", ["a^n_t", "a_t^n", "a_{n,t}", "a_t^{(n)}", r"a^{\mathrm{n}}_{t}"])
def test_an_index_may_have_indices_of_its_own(index):
    assert read(rf"g_{{{index}}} = g_{{n_t}} \odot g_{{{index.replace('t', 't+1') if '_t' not in index else index}}}")
    assert read(rf"\delta_{{{index}}} = x").startswith("delta_a_n = ")


def test_a_star_a_plus_and_a_nought_above_an_error_are_no_powers():
    assert read(r"\nabla_h = \nabla_h^{0} + \nabla_h^{+}") == "dL/dh = dL/dh_zero + dh_next"


@pytest.mark.parametrize(
    ("said", "line", "verdict"),
    [
        (r"Here $\bar v$ is $\partial L/\partial v$ and $\hat{\cdot}$ denotes pre-activations.",
         r"$\bar{\hat f}_t = \bar c_t \odot c_{t-1} \odot f_t \odot (1 - %s)$", "f_t"),
        ("Hats are preactivations, tildes are gradients.",
         r"$\tilde{\hat f}_t = \tilde c_t \odot c_{t-1} \odot f_t \odot (1 - %s)$", "f_t"),
        (r"Write $e_v = \partial L/\partial v$.", r"$e_{a^f_t} = e_{c_t} \odot c_{t-1} \odot f_t \odot (1 - %s)$", "f_t"),
        (r"With $D_v = \mathrm{diag}(v)$:",
         rf"$\frac{{\partial L}}{{\partial a_f}} = D_{{f_t}} (I - D_{{%s}}) D_{{c_{{t-1}}}} {DC}$", "f_t"),
        (r"Let $\Lambda(u) = \operatorname{diag}(u)$.",
         rf"$\frac{{\partial L}}{{\partial a_f}} = \Lambda(f_t) (\mathbf{{I}} - \Lambda(%s)) \Lambda(c_{{t-1}}) {DC}$", "f_t"),
    ],
)  # fmt: skip
def test_a_convention_is_kept_and_is_no_claim(said, line, verdict):
    assert verdicts("lstm", f"{said}\n{line % 'f_t'}", "latex") == [R]
    assert verdicts("lstm", f"{said}\n{line % 'i_t'}", "latex") == [W]


@pytest.mark.parametrize(
    "said",
    [
        "$r_t$ is the gradient that the loss at $t$ puts on $h_t$.",
        "$h_t=o_t \\odot \\tanh(c_t)$; $r_t$: gradient of the step loss in $h_t$",
        "Let $r_t$ be the error coming from the layer above.",
    ],
)
def test_a_sentence_may_say_what_the_loss_hands_over(said):
    found = marked(f"{said}\n$\\delta h_t = r_t + \\delta h_t^{{\\text{{next}}}}$", "lstm", "latex").marks
    assert [mark.verdict for mark in found][-1] is R


@pytest.mark.parametrize(
    ("range_", "factor", "verdict"),
    [
        (r"\prod_{j=k+1}^{t}", r"(I - \mathrm{diag}(h_j)^2) W_{hh}", R),
        (r"\prod_{k < j \le t}", r"\mathrm{diag}(1 - h_j^2) W_{hh}", R),
        (r"\prod_{j=k}^{t-1}", r"\mathrm{diag}(1 - h_{j+1}^2) W_{hh}", R),
        (r"\prod_{j=k+1}^{t}", r"\frac{\partial h_j}{\partial h_{j-1}}", R),
        (r"\prod_{j=k+1}^{t}", r"W_{hh}", W),
        (r"\prod_{j=k}^{t}", r"\mathrm{diag}(1 - h_j^2) W_{hh}", W),
    ],
)
def test_a_product_of_jacobians_is_written_out(range_, factor, verdict):
    assert verdicts("rnn", rf"\frac{{\partial h_t}}{{\partial h_k}} = {range_} {factor}", "latex") == [verdict]


def test_a_product_between_numbers_has_these_steps():
    row = r"\frac{\partial h_%d}{\partial h_0} = \prod_{t=1}^{3} \mathrm{diag}(1 - h_t^2) W_{hh}"
    assert verdicts("rnn", row % 3, "latex") == [R]


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (r"\frac{\partial L}{\partial (W_{hz})_{ij}} = (\delta_z)_i (h_{t-1})_j", R),
        (r"\frac{\partial L}{\partial (W_{hz})_{ij}} = (\delta_z)_j (h_{t-1})_i", W),
        (r"\frac{\partial L}{\partial W^{hz}_{ij}} = \delta^z_i \, h_{t-1,j}", R),
        (r"\left(\frac{\partial L}{\partial W_{hz}}\right)_{ij} = (\delta_z)_i (h_{t-1})_j", R),
        (r"\frac{\partial L}{\partial z_{t,j}} = \frac{\partial L}{\partial h_{t,j}} (h_{t-1,j} - n_{t,j})", R),
        (r"\frac{\partial L}{\partial z_{t,j}} = \frac{\partial L}{\partial h_{t,j}} (h_{t,j} - n_{t,j})", W),
        (r"\left(\frac{\partial L}{\partial W_{hz}}\right)^\top = h_{t-1} \delta_z^\top", R),
        (r"(\nabla_{W_{hz}})^T = \delta_z h_{t-1}^T", W),
    ],
)
def test_entries_and_transposed_left_sides(row, verdict):
    assert verdicts("gru", row, "latex") == [verdict]


@pytest.mark.parametrize(
    "mean",
    [r"\tfrac1n \sum_j y_j", r"\frac{1}{n} \mathbf{1}^\top y", r"\frac{\sum_{j=1}^n y_j}{n}", r"\mathrm{mean}(y)"],
)
def test_a_mean_may_be_written_out(mean):
    assert read(rf"\delta m = y - {mean}") == "delta_m = y - mean(y)"


def test_sizes_cancel_in_a_normalisation():
    row = r"q = \frac{1}{n s} \left(n y - \sum_j y_j - m \sum_j y_j m_j\right)"
    assert read(row) == "q = (1/s) @ (y - mean(y) - m @ mean(y @ m))"
    assert "n" in read(r"q = n y - z")  # what does not cancel stays


@pytest.mark.parametrize(
    "silent",
    [
        r"For $t = T, \dots, 1$ and $k = f, i, g, o$",
        r"with $\delta_{T+1} = 0$ and $\delta^c_{T+1} = \mathbf{0}$",
        r"$f_t, i_t, o_t = \sigma(\cdot)$",
        r"$T = 4$",
    ],
)
def test_what_is_no_formula_gets_no_mark(silent):
    assert verdicts("lstm", silent + "\n" + rf"$\frac{{\partial L}}{{\partial f_t}} = {DC} c_{{t-1}}$", "latex") == [R]


@pytest.mark.parametrize(
    "row",
    [
        r"\boxed{%s = %s}",
        r"%s \stackrel{!}{=} %s",
        r"%s \overset{\text{def}}{=} \underbrace{%s}_{\text{error}}",
        r"(%s = %s)",
        r"%s = %s \quad \text{(at step } t)",
    ],
)
def test_no_setting_makes_a_line_vanish(row):
    for factor, verdict in (("c_{t-1}", R), ("c_t", W)):
        assert verdicts("lstm", row % (r"\frac{\partial L}{\partial f_t}", f"{DC} {factor}"), "latex") == [verdict]


@pytest.mark.parametrize(
    "sign", [r"\mathrel{+}=", r"\mathrel{{+}{=}}", r"\mathrel{+=}", r"{+}{=}", r"\mathbin{+}=", r"\;+\!\!=\;"]
)
def test_what_is_added_has_many_signs(sign):
    row = r"\nabla_{W_{hf}} %s \frac{\partial L}{\partial a_f} %s^\top"
    assert verdicts("lstm", row % (sign, "h_{t-1}"), "latex") == [R]
    assert verdicts("lstm", row % (sign, "h_t"), "latex") == [W]


@pytest.mark.parametrize("of", [r"\pdv{L}{%s}", r"{\partial L \over \partial %s}", r"\frac{\delta L}{\delta %s}",
                                r"\frac{\partial \mathscr{L}}{\partial %s}", r"\frac{\partial \text{Loss}}{\partial %s}"])  # fmt: skip
def test_a_derivative_may_be_set_in_many_ways(of):
    assert verdicts("lstm", f"{of % 'f_t'} = {of % 'c_t'} c_{{t-1}}", "latex") == [R]


def test_a_line_for_any_gate_is_one_for_each():
    sheet = "For $k \\in \\{f, i, o\\}$:\n$\\frac{\\partial L}{\\partial a_k} = \\frac{\\partial L}{\\partial k_t} \\odot k_t \\odot (1-k_t)$"
    assert verdicts("lstm", sheet, "latex") == [R, R, R]
    assert verdicts("lstm", sheet.replace("i, o", "i, g"), "latex") == [R, R, W]


def test_formulas_behind_arrows_and_commas_are_lines_of_their_own():
    first, second = (
        rf"\frac{{\partial L}}{{\partial f_t}} = {DC} c_{{t-1}}",
        rf"\frac{{\partial L}}{{\partial i_t}} = {DC} %s",
    )
    for between in (r"\implies", r"\quad \Rightarrow \quad", ", "):
        assert verdicts("lstm", f"{first} {between} {second % 'g_t'}", "latex") == [R, R]
        assert verdicts("lstm", f"{first} {between} {second % 'i_t'}", "latex") == [R, W]


def test_a_letter_for_an_error_is_one_at_every_step():
    sheet = [r"$\delta_t := \partial L/\partial a_t$", r"$v_t = 1 - h_t^2$"]
    sheet += [r"$\delta_t = v_t \odot e_t + v_t \odot (W_{hh}^\top \delta_{t+1})$"]
    assert verdicts("rnn", "\n".join(sheet), "latex") == [NONE, NONE, R]


def test_the_error_of_a_name_is_that_of_what_the_name_is():
    sheet = "$h_t = \\tanh(u x_t + w h_{t-1} + b)$\n"
    sheet += r"\delta_t = (1 - h_t^2) \frac{\partial L}{\partial h_t}" "\n"
    sheet += r"\frac{\partial L}{\partial w} = \sum_t \delta_t %s"
    assert verdicts("rnn", sheet % "h_{t-1}", "latex") == [R, R, R]
    assert verdicts("rnn", sheet % "x_t", "latex") == [R, R, W]


def test_words_may_say_what_is_a_mean():
    words = r"$\hat c_t = (c_t - \mu)/s$, where $\mu$ is the mean and $s^2 - \epsilon$ the variance; $k_t = \gamma_c \odot \hat c_t + \beta_c$."
    assert verdicts("lnlstm", words + "\n" + r"$\delta \hat c_t = \delta k_t \odot \gamma_c$", "latex")[-1] is R


@pytest.mark.parametrize("second", [r"&\quad + %s", r"&\phantom{=}{} + %s", r"+ %s", r"&\qquad+\,%s"])
def test_a_formula_may_go_on_in_the_next_row(second):
    first = r"\delta c_t &= \delta h_t \odot o_t \odot (1 - \tanh^2(c_t)) \\ "
    sheet = r"\begin{align*} " + first + second + r" \\ \delta f_t &= \delta c_t \odot c_{t-1} \end{align*}"
    assert verdicts("lstm", sheet % r"\delta c_{t+1} \odot f_{t+1}", "latex") == [R, R]
    assert verdicts("lstm", sheet % r"\delta c_{t+1} \odot i_{t+1}", "latex") == [W, R]


def test_a_function_may_have_a_name():
    words = r"with $\phi = \tanh$ and $a_t = W_{hh} h_{t-1} + W_{xh} x_t + b$"
    row = r"$\frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(\phi'(a_t)) %s$"
    assert verdicts("rnn", f"{row % 'W_{hh}'}\n{words}", "latex") == [R, R]
    assert verdicts("rnn", f"{row % 'W_{xh}'}\n{words}", "latex") == [W, R]


def test_a_division_by_zero_among_entries_spoils_its_own_line_alone():
    sheet = r"\frac{\partial L}{\partial W_{ij}} = \delta_i h_j / 0 \\ \delta_t = (1 - h_t^2) \frac{\partial L}{\partial h_t}"
    assert len(read_sheet(rf"\[{sheet}\]", "latex").lines) == 2
