"""What the names of a sheet are found to mean: by its own lines, by elimination, by their steps; each with mistakes."""

from functools import cache

import pytest

from derivations.catalogue import read_cell
from derivations.marking.course import course_of
from derivations.marking.mark import mark_sheet
from derivations.marking.marked import Verdict
from derivations.marking.sheets import read_sheet
from tests.patience import in_time

W, R = Verdict.WRONG, Verdict.RIGHT
OTHER, UNSURE, TRUNCATED = Verdict.OTHER, Verdict.UNSURE, Verdict.TRUNCATED


@cache
def course(cell):
    return course_of(read_cell(cell))


def marks(cell, text, notation=""):
    return mark_sheet(read_sheet(text, notation), course(cell)).marks


def verdicts(cell, text, notation=""):
    return [mark.verdict for mark in marks(cell, text, notation)]


def wrong(cell, text, notation=""):
    """Line -> what is wrong there."""
    return {mark.line: mark.mistake for mark in marks(cell, text, notation) if mark.verdict is W}


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
    assert "accumulate over time" in wrong("rnn", once)[2]
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


# --- packed gates -------------------------------------------------------------------------------------------------

PIECES = """
da = np.zeros((N, 4*H))
da[:, :H] = dc*g*i*(1-i)
da[:, H:2*H] = dc*c_prev*f*(1-f)
da[:, 2*H:3*H] = dh*np.tanh(c)*o*(1-o)
da[:, 3*H:] = dc*i*(1-g**2)
dx = da.dot(Wx.T)
dWh = h_prev.T.dot(da)
"""


def test_the_pieces_of_a_packed_array_are_the_gates():
    assert verdicts("lstm", PIECES) == [R] * 6


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("*c_prev*", "*c*", 4), ("dc*i*(1-g**2)", "dc*i*(1-np.tanh(g)**2)", 6), ("*o*(1-o)", "*o", 5)],
)
def test_a_wrong_piece_is_known_by_its_siblings_and_charged_once(old, new, line):
    found = marks("lstm", PIECES.replace(old, new))
    assert [mark.line for mark in found if mark.verdict is W] == [line]
    assert all(mark.verdict is R for mark in found if mark.line != line)


def test_two_wrong_pieces_are_told_apart_by_what_they_speak_of():
    found = wrong("lstm", PIECES.replace("*c_prev*", "*c*").replace("*o*(1-o)", "*o"))
    assert sorted(found) == [4, 5]


GRU = "ex = np.concatenate([dar, daz, dan])\neh = np.concatenate([dar, daz, {}])\n"
GRU += "dWx = np.outer(ex, x)\ndWh = np.outer(eh, h_prev)\n"


def test_what_is_joined_is_of_the_weights_that_it_is_used_for():
    header = "dq = dan*r\n"
    assert verdicts("gru", header + GRU.format("dq"), "python") == [R] * 5
    found = marks("gru", header + GRU.format("dan"), "python")
    assert [m.verdict for m in found] == [R, R, W, R, R]
    assert "factor r is missing" in found[2].mistake


def test_weights_of_all_gates_are_over_the_state_and_the_input():
    sheet = "da = np.concatenate([dai, daf, dao, dag])\ndz = W.T @ da\ndx = dz[n_a:]\ndh_prev = dz[{}]\n"
    assert verdicts("lstm", sheet.format(":n_a"), "python") == [R, OTHER, R, R]
    found = marks("lstm", sheet.format("n_a:"), "python")
    assert [m.verdict for m in found] == [R, OTHER, R, W]
    assert "another part of it is due" in found[3].mistake
    assert "dx" in found[3].mistake


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
    assert "forward order" in wrong("rnn", left + two + r"\," + one)[1]


# --- sums over components -----------------------------------------------------------------------------------------

COMPONENTS = r"\delta_j = (1 - h_j^2) \frac{\partial L}{\partial h_j}" "\n"  # fmt: skip


def test_a_sum_over_components_is_a_product_with_a_matrix():
    line = COMPONENTS + r"\frac{\partial L}{\partial h_{j,t-1}} = \sum_k W_{hh,%s} \delta_k"
    assert verdicts("rnn", line % "kj") == [R, R]
    assert "transposed" in wrong("rnn", line % "jk")[2]


def test_a_sum_over_components_is_a_sum():
    line = r"\delta s_c = %s\sum_j \delta k_j\, \gamma_{c,j}\, m_{c,j} / s_c^2"
    assert verdicts("lnlstm", line % "-") == [R]
    assert wrong("lnlstm", line % "") == {1: "the sign is flipped"}


# --- whole programs -----------------------------------------------------------------------------------------------

PROGRAM = """def backward(xs, hs, dys, dh_end, Wxh, Whh):
    dWhh = np.zeros_like(Whh)
    dhnext = dh_end
    for t in reversed(range(T)):
        dh = dys[t] + dhnext
        da = (1 - hs[t]**2)*dh
        dWhh += np.outer(da, hs[t-1])
        dhnext = Whh.T @ da
    dh0 = dhnext
    return dWhh, dh0
"""


def test_a_whole_program_is_right():
    assert verdicts("rnn", PROGRAM) == [R] * 5


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("reversed(range(T))", "range(T)", 4, "time is walked forwards"),
        ("dhnext = dh_end", "dhnext = np.zeros_like(dh_end)", 3, "cotangent dh_end is ignored"),
        ("dh0 = dhnext", "dh0 = np.zeros_like(dhnext)", 9, "set to zero"),
        ("hs[t-1])", "hs[max(t-1, 0)])", 7, "at the first step"),
    ],
)
def test_a_mistake_of_a_whole_program_is_charged_where_it_is(old, new, line, words):
    found = wrong("rnn", PROGRAM.replace(old, new))
    assert list(found) == [line]
    assert words in found[line]


def test_zeros_that_a_loop_adds_to_or_reads_say_nothing():
    start = PROGRAM.replace("dh_end, ", "").replace("dhnext = dh_end", "dhnext = np.zeros(H)")
    assert verdicts("rnn", start) == [R] * 5


def test_a_sensitivity_is_rightly_carried_forwards():
    sheet = "dh_dw = 0\nfor t in range(T):\n    dh_dw = (1 - hs[t]**2)*(xs[t] + u*dh_dw)"
    assert W not in verdicts("rnn", sheet, "python")


def test_a_mean_over_the_batch_is_no_sum():
    sheet = "dz = dh*(1 - h**2)\ndWx = x.T.dot(dz)\ndb = dz.{}(axis=0)"
    assert verdicts("rnn", sheet.format("sum"), "python") == [R, R, R]
    assert wrong("rnn", sheet.format("mean"), "python") == {3: "the mean over the batch where the sum is due"}


def test_only_what_comes_from_outside_is_not_all_of_an_error():
    assert verdicts("lstm", "# truncated\ndh = dh_out\ndc = dc_next + dh*o*(1-np.tanh(c)**2)", "python") == [
        TRUNCATED,
        R,
    ]


def test_a_choice_is_made_anew_in_each_round():
    sheet = (
        "dc_next = dc_end\nfor t in range(T-1, -1, -1):\n    dc = dc_next + dhs[t]*o[t]*(1-np.tanh(c[t])**2)\n"
        "    daf = dc*({})*f[t]*(1-f[t])\n    dc_next = dc*f[t]"
    )
    assert verdicts("lstm", sheet.format("c[t-1] if t > 0 else c0"), "python") == [R, R, R]
    assert list(wrong("lstm", sheet.format("c[t-1] if t > 1 else c0"), "python")) == [4]


def test_a_sum_that_is_right_in_the_end_may_grow_by_what_are_no_terms():
    sheet = "tc = np.tanh(c)\ndc = dc_next\ndc += dh*o\ndc -= dh*o*{}\ndc_prev = dc*f"
    assert verdicts("lstm", sheet.format("tc*tc"), "python")[-2:] == [R, R]
    assert W in verdicts("lstm", sheet.format("tc"), "python")


def test_an_error_carried_under_its_own_name_is_that_of_the_state_before():
    sheet = "dh = np.zeros(H)\nfor t in reversed(range(T)):\n    dh = dh + dhs[t]\n    da = dh*(1 - hs[t]**2)\n"
    assert verdicts("rnn", sheet + "    dh = {}".format("Whh.T @ da"), "python") == [R, R, R]
    assert list(wrong("rnn", sheet + "    dh = {}".format("dh + Whh.T @ da"), "python")) == [5]


# --- no value, and time -------------------------------------------------------------------------------------------


def test_what_has_no_value_is_neither_right_nor_wrong_and_takes_no_time():
    line = "da_f = outer(log(0), x) = outer(da_f, log(0))*log(0) = f*log(0) + outer(da, x) = dc*log(0) = dc*log(0)*f"

    found = in_time(0.5, lambda: mark_sheet(read_sheet(line), course_of(read_cell("lstm"))))
    assert all(mark.verdict is not W for mark in found.marks)


@pytest.mark.parametrize("name", ["c~", "c\u0303", "c\u0303\u209c", "c_tilde"])
def test_an_accent_that_is_typed_is_part_of_the_name(name):
    assert verdicts("lstm", f"d{name} = dc*i") == [R]
    assert verdicts("lstm", f"d{name} = dc*f") == [W]


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
    assert "immediate partial" in wrong("rnn", sheet % "h_{t-1}", "latex")[2]


def test_steps_that_are_numbers_and_derivatives_through_them():
    sheet = "h1 = tanh(w*x1 + u*h0 + b)\nh2 = tanh(w*x2 + u*h1 + b)\ndh1/du = (1-h1^2)*h0\ndh2/du = (1-h2^2)*(h1 + {})"
    assert verdicts("rnn", sheet.format("u*(1-h1^2)*h0")) == [R] * 4
    assert verdicts("rnn", sheet.format("u*h0"))[:3] == [R] * 3
    assert R not in verdicts("rnn", sheet.format("u*h0"))[3:]


# --- other names ------------------------------------------------------------------------------------------------------


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
    assert list(wrong("lstm", sheet.format("c"), "python")) == [5]


def test_a_definition_is_no_claim():
    sheet = r"\delta_t := \frac{\partial L}{\partial a_t}" "\n" r"\delta_t = (1 - h_t^2) \odot \bar h_t"  # fmt: skip
    assert Verdict.UNSURE not in verdicts("rnn", r"a_t = W h_{t-1} + U x_t + b" "\n" + sheet)  # fmt: skip


@pytest.mark.parametrize(("line", "verdict"), [(r"\delta z_t h_{t-1}^T", R), (r"\delta z_t h_t^T", W)])
def test_a_nabla_stands_before_what_it_differentiates_by(line, verdict):
    sheet = r"\delta z_t = \delta h_t \odot (h_{t-1} - n_t) \odot z_t \odot (1-z_t)" "\n" rf"\nabla U_z = {line}"  # fmt: skip
    assert verdicts("gru", sheet) == [R, verdict]


def test_an_initial_state_of_zero_is_an_assumption():
    sheet = "h0 = 0\nh1 = tanh(w*x1 + u*h0 + b)\nh2 = tanh(w*x2 + u*h1 + b)\nda2 = dh2*(1-h2^2)\nda1 = u*da2*(1-h1^2)\n"
    assert verdicts("rnn", sheet + "du = da1*h0 + da2*h1") == [OTHER, R, R, R, R, R]
    assert list(wrong("rnn", sheet + "du = da1*h1 + da2*h1")) == [6]


def test_the_function_of_a_name_may_be_a_name():
    assert verdicts("lstm", "do = dh * tanh_c\ndc = dc_next + dh*o*(1 - tanh_c**2)") == [R, R]
    assert verdicts("lstm", "do = dh * tanh_c\ndc = dc_next + dh*o*(1 - tanh_c)") == [R, W]
