"""Habits of people who type derivations: primes, signs, phrases and remarks, each with a right line and a wrong one."""

import pytest

from derivations.marking.marked import Verdict
from derivations.marking.sheets import read_sheet
from tests.marking.marks import verdicts

W, R, OTHER = Verdict.WRONG, Verdict.RIGHT, Verdict.OTHER


@pytest.mark.parametrize(
    "words",
    [
        "h' and c' are the previous states",
        "(c' old)",
        "a prime marks the old value",
        "' = step before",
        "forward: c = f*c' + i*g",
    ],
)
def test_a_prime_may_be_the_step_before(words):
    sheet = f"{words}\ndf = dc * {{}}\ndc' = dc * f\ndW_hf = da_f h'^T"
    assert verdicts("lstm", sheet.format("c'"))[-3:] == [R, R, R]
    assert verdicts("lstm", sheet.format("c"))[-3:] == [W, R, R]


def test_a_prime_is_a_transpose_elsewhere_and_on_weights():
    assert verdicts("rnn", "' is transpose\ndh_prev = W_hh' da_h\ndW_hh = da_h h_prev'") == [R, R]
    assert verdicts("rnn", "' is transpose\ndh_prev = W_hh da_h\ndW_hh = h_prev da_h'") == [W, W]
    assert verdicts("rnn", "h' is the old state\ndh' = W_hh' da_h") == [R]


@pytest.mark.parametrize("words", ["o is elementwise", "(o denotes the Hadamard product)", "elementwise product: o"])
def test_a_letter_may_multiply_where_the_sheet_says_so(words):
    sheet = f"{words}\nda_r = dr o r o (1-{{}})"
    assert verdicts("gru", sheet.format("r")) == [R]
    assert verdicts("gru", sheet.format("z")) == [W]


@pytest.mark.parametrize(
    ("cell", "right", "old", "new"),
    [
        ("lstm", "d~c_t = dc_t * i_t", "i_t", "f_t"),
        ("lstm", "di<t> = dc<t> * ~c<t>", "~c<t>", "c<t>"),
        ("lstm", "df_t = dc_t * ct-1", "ct-1", "ct"),
        ("lstm", "grad W_hf = da_f h_prev^T", "h_prev", "h"),
        ("lstm", "gradient of b_f = da_f", "da_f", "da_i"),
        ("lstm", "the gradient w.r.t. W_hf: da_f h_prev^T", "h_prev", "h"),
        ("lstm", "contribution of step t to dW_hf: da_f h_prev^T", "h_prev", "h"),
        ("lstm", "passed back to c_prev: f*dc", "f*", "i*"),
        ("lstm", "dL/dW_hf at time t = da_f h_prev^T", "h_prev", "h"),
        ("lstm", "error at the output gate: dh*tanh(c)", "tanh(c)", "c"),
        ("lstm", "df before the sigmoid: dc*c_prev*f*(1-f)", "c_prev", "c"),
        ("lstm", "we get for the gate df = dc*c_prev", "c_prev", "c"),
        ("rnn", "b_h gets dh*(1-h^2)", "(1-h^2)", "h^2"),
        ("rnn", "dh_prev equals W_hh^T da_h", "W_hh", "W_xh"),
        ("lstm", "df = dc*c_prev   <- is that right??", "c_prev", "c"),
        ("lstm", "df = dc*c_prev    [one step]  (3)", "c_prev", "c"),
        ("lstm", "df = dc*c_prev -- easy, no slope yet", "c_prev", "c"),
        ("lstm", "df = dc*c_prev, because c = f*c_prev + i*g", "dc*c_prev", "dc*c"),
        ("rnn", "db_h = da_h.sum(axis=0)", "da_h", "dh"),
        ("rnn", "dh_prev = W_hh.T.dot(da_h)", ".T", ""),
        ("rnn", "dL/dW_hh = sum over all time steps of da_h h_prev^T", "h_prev", "h"),
    ],
)
def test_a_claim_among_words_and_signs(cell, right, old, new):
    assert old in right
    assert R in verdicts(cell, right)
    assert W not in verdicts(cell, right)
    assert W in verdicts(cell, right.replace(old, new))


def test_before_a_function_may_speak_of_the_order_of_steps():
    assert verdicts("lstm", "df before the sigmoid = dc*c_prev") == [R]


@pytest.mark.parametrize(
    "bounds", ["sum_{t=%d..T}", "sum over t=%d..T of", "Σ_{t=%d}^{T}", "sum_{t=%d,...,T}", "sum_t=%d^T"]
)
def test_bounds_of_sums_as_people_type_them(bounds):
    start = "da_t = dh_t * (1 - h_t^2)\ndL/dW_hh = {} da_t h_{{t-1}}^T"
    assert verdicts("rnn", start.format(bounds % 1)) == [R, R]
    assert verdicts("rnn", start.format(bounds % 2)) == [R, W]


@pytest.mark.parametrize("open_", ["my check fails :(", "(see above", "f(x [hm", "a) first try ;-("])
def test_a_bracket_that_nothing_closes_takes_no_lines_with_it(open_):
    assert verdicts("lstm", f"{open_}\ndf = dc*c_prev\ndi = dc*i") == [R, W]


def test_formulas_go_on_where_a_line_starts_with_a_sign():
    lines = "dh_prev = W_hf^T da_f + W_hi^T da_i\n    + W_hg^T da_g\n    + W_ho^T {}\ndf = dc*c_prev"
    assert verdicts("lstm", lines.format("da_o")) == [R, R]
    assert verdicts("lstm", lines.format("da_f"))[0] is W


@pytest.mark.parametrize(
    "line",
    [
        "LSTM, c_t = f_t c_{t-1} + i_t g_t:   df = dc*c_prev",
        "c = f*c_prev + i*g      df = dc*c_prev",
        "dg = dc*i and df = dc*c_prev",
        "dg = dc*i  =>  df = dc*c_prev",
        "dg = dc*i, df = dc*c_prev",
    ],
)
def test_two_statements_on_one_line(line):
    assert verdicts("lstm", line) == [R, R]
    assert verdicts("lstm", line.replace("dc*c_prev", "dc*g")) == [R, W]


@pytest.mark.parametrize("words", ["f, i, o = sigma(a_k), as always", "t = 1..T", "for t = T, ..., 1:", "end for"])
def test_what_claims_nothing_is_no_line(words):
    assert [line.target for line in read_sheet(f"{words}\ndf = dc*c_prev", "text").lines] == ["df"]


def test_a_loop_starts_from_zeros():
    loop = "dh_next = 0\nfor t = T down to 1:\n  dh = dout[t] + dh_next\n  da_h = dh*(1 - h[t]^2)\n  dh_next = {} da_h"
    assert verdicts("rnn", loop.format("W_hh^T")) == [R, R, R]
    assert verdicts("rnn", loop.format("W_xh^T")) == [R, R, W]


@pytest.mark.parametrize(
    "words",
    [
        "q_t is dL/dh_t, p_t is dL/d(pre-activation), k_t is the direct gradient",
        "Let q_t denote the total dL/dh_t and p_t denote dL/da_t. k_t the gradient from the loss at t",
        "qx = dL/dh; q_t is dL/dh_t; p_t = dL/da_t; k(t) = dL/dh(t) from the loss alone",
    ],
)
def test_sentences_say_what_letters_stand_for(words):
    sheet = f"{words}\nq_t = k_t + W_hh^T p_NEXT\np_t = q_t * {{}}\ndL/db_h = p_t"
    assert verdicts("rnn", sheet.format("(1 - h_t^2)").replace("NEXT", "{t+1}"))[-3:] == [R, R, R]
    assert verdicts("rnn", sheet.format("h_t^2").replace("NEXT", "{t+1}"))[-3:] == [R, W, R]


@pytest.mark.parametrize(
    "words",
    [
        "e_f, e_i, e_o = gradients w.r.t. the pre-activations",
        "e_f, e_i and e_o: errors at the net inputs",
        "e_x means dL/da_x for each gate x",
        "e_f.. are the net input errors",
    ],
)
def test_errors_may_be_said_to_be_at_the_preactivations(words):
    assert verdicts("lstm", f"{words}\ne_o = dh*tanh(c)*o*(1-o)")[-1] is R
    assert verdicts("lstm", f"{words}\ne_o = dh*tanh(c)")[-1] is W


def test_a_gradient_is_of_the_weight_that_the_forward_equation_shows():
    start = "h_t = tanh(U x_t + W h_{t-1} + b), y_t = V h_t + c\nda = dL/da_t\n"
    assert verdicts("rnn", f"{start}dU = da x_t^T\ndW = da h_{{t-1}}^T")[-2:] == [R, R]
    assert verdicts("rnn", f"{start}dU = da x_t^T\ndW = da h_t^T")[-2:] == [R, W]
    assert W not in verdicts("rnn", f"{start}dV = dy_t h_t^T\ndU = da x_t^T")  # a layer above the cell


def test_scalars_of_a_cell_with_the_update_gate_the_other_way_round():
    sheet = "dz = dh*(n - h_prev)\nda_z = dz*z*(1-z)\ndn = dh*z\nda_n = dn*(1-n^2)\ndh_prev = dh*(1-z) + {}*da_z + W_hr*da_r + r*W_hn*da_n"
    assert verdicts("gru", sheet.format("W_hz"))[-1] is R
    assert verdicts("gru", sheet.format("W_hr"))[-1] is W
