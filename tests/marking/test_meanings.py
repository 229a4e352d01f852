"""What the names of a sheet are found to mean: by its own lines, by elimination, by what people call things."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marks, mistakes, verdicts

W, R = Verdict.WRONG, Verdict.RIGHT
OTHER, UNSURE = Verdict.OTHER, Verdict.UNSURE


# --- a sheet's own words ------------------------------------------------------------------------------------------


def test_a_word_that_a_right_line_defines_is_known_from_then_on():
    defined = "s = w*x + u*h_prev + b\nh = tanh(s)\n"
    assert verdicts("rnn", defined + "ds = dh*(1 - h^2)\ndx = w*ds") == [R, R, R, R]
    assert verdicts("rnn", defined + "ds = dh*(1 - tanh(h)^2)") == [R, R, W]


def test_a_name_is_settled_by_the_lines_that_use_it():
    sheet = "q9 = dh*(1 - h){}\ndx = W_xh.T @ q9\ndW_xh = outer(q9, x)"
    found = marks("rnn", "dz = dh*(1 - h)**2\ndx = W_xh.T @ dz\ndW_xh = outer(dz, x)")
    assert [(m.quantity, m.verdict) for m in found] == [("da_h", W), ("dx", R), ("dW_xh", R)]
    assert verdicts("rnn", sheet.format("*(1 + h)"))[1:] == [R, R]


def test_a_name_that_nothing_settles_is_not_called_wrong():
    assert verdicts("rnn", "dz = dh*(1 - h)**2") == [UNSURE]


@pytest.mark.parametrize(
    ("left", "right"),
    [(r"c^{t-1}", R), (r"c^{t}", W)],
)
def test_the_one_name_of_a_family_that_is_left_is_the_one_gate_that_is_left(left, right):
    sheet = (
        r"\delta y^t = \Delta^t + R_z^T \delta \bar z^{t+1} + R_i^T \delta \bar i^{t+1}"
        r" + R_f^T \delta \bar f^{t+1} + R_o^T \delta \bar o^{t+1}" "\n"
        rf"\delta \bar f^t = \delta c^t \odot {left} \odot f^t \odot (1 - f^t)"
    )  # fmt: skip
    assert verdicts("lstm", sheet) == [R, right]


def test_a_name_keeps_its_meaning_at_other_steps():
    given = r"\delta_t = (1 - h_t^2) \odot \frac{\partial L}{\partial h_t}" "\n"  # fmt: skip
    once = given + r"\frac{\partial L}{\partial W_{hh}} = \delta_T h_{T-1}^\top"
    assert "accumulate over time" in mistakes("rnn", once)[2]
    assert verdicts("rnn", given + r"\frac{\partial L}{\partial W_{hh}} = \sum_t \delta_t h_{t-1}^\top") == [R, R]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (r"\bar W_{hh} = \sum_t \delta_t h_{t-1}^\top", R),
        (r"\bar W_{hh} = \sum_t \delta_t h_t^\top", W),
        (r"\bar W_{hh} = -\sum_t \delta_t h_t^\top", W),
    ],
)
def test_an_accent_says_the_error_of_what_it_stands_on(line, verdict):
    assert verdicts("rnn", r"\delta_t = (1 - h_t^2) \odot \bar h_t" "\n" + line) == [R, verdict]  # fmt: skip


def test_errors_by_a_letter_are_read_where_right_lines_show_it():
    sheet = "δ = gh @ diag(1 - h^2)\ngprev = δ @ U\ngx = δ @ W"
    assert verdicts("rnn", sheet) == [R, R, R]
    assert verdicts("rnn", sheet.replace("gx = δ @ W", "gx = gh @ W"))[2] in (W, UNSURE)


def test_a_definition_is_no_claim():
    sheet = r"\delta_t := \frac{\partial L}{\partial a_t}" "\n" r"\delta_t = (1 - h_t^2) \odot \bar h_t"  # fmt: skip
    assert Verdict.UNSURE not in verdicts("rnn", r"a_t = W h_{t-1} + U x_t + b" "\n" + sheet)  # fmt: skip


# --- other names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["c~", "c\u0303", "c\u0303\u209c", "c_tilde"])
def test_an_accent_that_is_typed_is_part_of_the_name(name):
    assert verdicts("lstm", f"d{name} = dc*i") == [R]
    assert verdicts("lstm", f"d{name} = dc*f") == [W]


@pytest.mark.parametrize("before", ["ct_1", "ctm1", "c_tm1", "c[t-1]", "prev_c", "cprev"])
def test_a_step_before_is_said_in_many_ways(before):
    assert verdicts("lstm", f"dft = dct*{before}") == [R]
    assert verdicts("lstm", "dft = dct*ct") == [W]


def test_what_comes_from_above_may_be_called_the_next_one():
    sheet = (
        "tc = np.tanh(c)\ndo = dh_next*tc*o*(1-o)\ndc = dc_next + dh_next*o*(1-tc**2)\n"
        "di = dc*g*i*(1-i)\ndf = dc*{}*f*(1-f)"
    )
    assert verdicts("lstm", sheet.format("c_prev"), "python") == [OTHER, R, R, R, R]
    assert list(mistakes("lstm", sheet.format("c"), "python")) == [5]


@pytest.mark.parametrize(("line", "verdict"), [(r"\delta z_t h_{t-1}^T", R), (r"\delta z_t h_t^T", W)])
def test_a_nabla_stands_before_what_it_differentiates_by(line, verdict):
    sheet = r"\delta z_t = \delta h_t \odot (h_{t-1} - n_t) \odot z_t \odot (1-z_t)" "\n" rf"\nabla U_z = {line}"  # fmt: skip
    assert verdicts("gru", sheet) == [R, verdict]


def test_the_function_of_a_name_may_be_a_name():
    assert verdicts("lstm", "do = dh * tanh_c\ndc = dc_next + dh*o*(1 - tanh_c**2)") == [R, R]
    assert verdicts("lstm", "do = dh * tanh_c\ndc = dc_next + dh*o*(1 - tanh_c)") == [R, W]
