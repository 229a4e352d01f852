"""What is said of wrong lines: one mistake or several in a line of a sheet that is right elsewhere, in every notation.

Each sheet is right as it stands. A mistake is planted in one line: that line alone is wrong, and the mistake is named.
"""

import re
from random import Random

import pytest

from derivations.document import Paragraph
from derivations.expression import Add, Adjoint, MatMul, Mul, Name, Num, Outer, Transpose
from derivations.language import read
from derivations.marking.at_fault import unless_all_are_wrong
from derivations.marking.attempt import Attempt
from derivations.marking.course import View, course_of
from derivations.marking.differences import difference, spread
from derivations.marking.factors import gap
from derivations.marking.mark import mark_sheet
from derivations.marking.marked import Mark, Verdict
from derivations.marking.products import as_product, factor_places, lying, standing, with_factors
from derivations.marking.right_line import written_out
from derivations.marking.sheets import read_sheet
from derivations.marking.slips import slips
from derivations.plain import code
from derivations.reports import mark as report
from tests.patience import in_time
from tests.test_mark import COURSES, PEEPHOLE, marked, wrong

ALL = {**COURSES, "peephole": course_of(read(PEEPHOLE))}

LSTM = """do = dh*tanh(c)
dc = dc_next + dh*o*(1 - tanh(c)^2)
df = dc*c_prev
di = dc*g
dg = dc*i
da_f = df*f*(1-f)
da_i = di*i*(1-i)
da_g = dg*(1-g^2)
da_o = do*o*(1-o)
dc_prev = dc*f
dh_prev = u_f*da_f + u_i*da_i + u_g*da_g + u_o*da_o
dw_f = da_f*x
du_f = da_f*h_prev
db_f = da_f"""
VECTORS = """dh = dh_out + dh_next
dc = dc_next + dh * o * (1 - tanh(c)**2)
da_f = dc * c_prev * f * (1 - f)
da_i = dc * g * i * (1 - i)
da_g = dc * i * (1 - g**2)
da_o = dh * tanh(c) * o * (1 - o)
dh_prev = W_hf.T @ da_f + W_hi.T @ da_i + W_hg.T @ da_g + W_ho.T @ da_o
dW_hf = outer(da_f, h_prev)
dW_xi = da_i @ x.T"""
GRU = """dz = dh*(h_prev - n)
dn = dh*(1-z)
da_z = dz*z*(1-z)
da_n = dn*(1-n^2)
dq = da_n*r
dr = da_n*q
da_r = dr*r*(1-r)
dh_prev = dh*z + W_hz.T@da_z + W_hr.T@da_r + W_hn.T@dq
dW_hn = outer(dq, h_prev)
db_hn = dq
db_n = da_n"""
RNN = """dh = dh_out + dh_next
da = dh*(1-h^2)
dh_prev = W_hh.T@da
dW_hh = outer(da, h_prev)
db = da"""
PEEP = """da_o = dh*tanh(c)*o*(1-o)
dc = dc_next + dh*o*(1-tanh(c)^2) + p_o*da_o
da_f = dc*c_prev*f*(1-f)
da_i = dc*g*i*(1-i)
dc_prev = dc*f + p_f*da_f + p_i*da_i
dp_f = da_f*c_prev
dp_i = da_i*c_prev
dp_o = da_o*c"""
STEP = """import numpy as np

def step(dh_next, dc_next, dy, cache):
    x, h_prev, c_prev, f, i, g, o, c, h = cache
    dh = dy + dh_next
    do = dh * np.tanh(c)
    dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
    df = dc * c_prev
    dg = dc * i
    dc_prev = dc * f
    daf = df * f * (1 - f)
    dai = dc * g * i * (1 - i)
    dag = dg * (1 - g ** 2)
    dao = do * o * (1 - o)
    dWf = np.outer(daf, x)
    dUf = np.outer(daf, h_prev)
    dbf = daf
    dh_prev = Uf.T @ daf + Ui.T @ dai + Ug.T @ dag + Uo.T @ dao
    return dh_prev, dc_prev, dWf, dUf, dbf
"""
PACKED = """import numpy as np

def backward(dh_next, dc_next, cache):
    x, h_prev, c_prev, f, i, g, o, c, h, Wx, Wh = cache
    dc = dc_next + dh_next * o * (1 - np.tanh(c)**2)
    di = dc * g * i * (1 - i)
    df = dc * c_prev * f * (1 - f)
    do = dh_next * np.tanh(c) * o * (1 - o)
    dg = dc * i * (1 - g**2)
    da = np.hstack([di, df, do, dg])
    dx = da @ Wx.T
    dWx = x.T @ da
    dh_prev = da @ Wh.T
    dWh = h_prev.T @ da
    db = np.sum(da, axis=0)
    dc_prev = dc * f
    return dx, dh_prev, dc_prev, dWx, dWh, db
"""
LATEX = r"""\begin{align*}
\delta o_t &= \delta h_t \odot \tanh(c_t) \\
\delta c_t &= \delta c_{t+1} \odot f_{t+1} + \delta h_t \odot o_t \odot (1 - \tanh^2(c_t)) \\
\delta f_t &= \delta c_t \odot c_{t-1} \\
\delta a_{f,t} &= \delta f_t \odot f_t \odot (1 - f_t) \\
\delta h_{t-1} &= U_f^\top \delta a_{f,t} + U_i^\top \delta a_{i,t} + U_g^\top \delta a_{g,t} + U_o^\top \delta a_{o,t} \\
\delta W_f &= \sum_{t=1}^{T} \delta a_{f,t}\, x_t^\top \\
\delta U_f &= \sum_{t=1}^{T} \delta a_{f,t}\, h_{t-1}^\top
\end{align*}
"""
LOOP = """import numpy as np

def backward(dhs, xs, hs, Wxh, Whh, T):
    dWxh, dWhh, db = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(b)
    dh_next = np.zeros_like(hs[0])
    for t in reversed(range(T)):
        dh = dhs[t] + dh_next
        da = dh * (1 - hs[t]**2)
        dWxh += np.outer(da, xs[t])
        dWhh += np.outer(da, hs[t-1])
        db += da
        dh_next = Whh.T @ da
    return dWxh, dWhh, db
"""
SHEETS = {
    "lstm": ("lstm", "text", LSTM),
    "vectors": ("lstm", "text", VECTORS),
    "gru": ("gru", "text", GRU),
    "rnn": ("rnn", "text", RNN),
    "peephole": ("peephole", "text", PEEP),
    "step": ("lstm", "python", STEP),
    "packed": ("lstm", "python", PACKED),
    "latex": ("lstm", "latex", LATEX),
    "loop": ("rnn", "python", LOOP),
}
ALL_GATES = "u_f*da_f + u_i*da_i + u_g*da_g + u_o*da_o"
ALL_MAPS = "W_hf.T @ da_f + W_hi.T @ da_i + W_hg.T @ da_g + W_ho.T @ da_o"
INTO_H = "dh*z + W_hz.T@da_z + W_hr.T@da_r + W_hn.T@dq"

PLANTED = [
    # one mistake
    ("lstm", "di = dc*g", "di = 2*dc*g", "off by a factor 2"),
    ("lstm", "dc_next + dh*o*(1 - tanh(c)^2)", "dc_next + dh*o*(1 - tanh(c))^2", "the square is in the wrong place"),
    ("lstm", "dc_next + dh*o*(1 - tanh(c)^2)", "f*dc_next + dh*o*(1 - tanh(c)^2)", "the factor f is too much"),
    ("lstm", "df*f*(1-f)", "df*(1-f^2)", "the slope of tanh, 1 - f**2, where that of the sigmoid"),
    ("lstm", "df*f*(1-f)", "df*f*(f-1)", "the sign is flipped"),
    ("lstm", "df*f*(1-f)", "df*a_f*(1-a_f)", "a_f where f is due"),
    ("lstm", "df*f*(1-f)", "df*f_prev*(1-f_prev)", "the step is wrong"),
    ("lstm", "dg*(1-g^2)", "dg*(1-g)^2", "(1 - g)**2 where 1 - g**2 is due: the square is in the wrong place"),
    ("lstm", "dg*(1-g^2)", "dg*g*(1-g)", "the slope of the sigmoid, g*(1 - g), where that of tanh"),
    ("lstm", ALL_GATES, ALL_GATES + " + dh", "the term dh is too much"),
    ("lstm", ALL_GATES, "w_f*da_f + w_i*da_i + w_g*da_g + w_o*da_o", "w_f where"),
    ("lstm", "dw_f = da_f*x", "dw_f = da_f*h_prev", "h_prev where x is due"),
    ("vectors", ALL_MAPS, ALL_MAPS.replace(".T", ""), "the matrices must be transposed"),
    ("vectors", "outer(da_f, h_prev)", "da_f * h_prev", "an outer product is due"),
    ("gru", "dr = da_n*q", "dr = dq*q", "dq where da_n is due"),
    ("gru", "db_n = da_n", "db_n = dq", "dq where da_n is due"),
    ("gru", INTO_H, INTO_H[5:], "the path h_prev -> h is missing: the term dh*z"),
    ("rnn", "dh*(1-h^2)", "dh*(1-h)^2", "the square is in the wrong place"),
    ("rnn", "dh*(1-h^2)", "dh*(1-h_prev^2)", "h_prev where h of this step is due"),
    ("peephole", " + p_o*da_o", "", "the path c -> a_o is missing, through the peephole p_o"),
    ("peephole", " + p_i*da_i", "", "the path c_prev -> a_i is missing, through the peephole p_i"),
    ("peephole", "p_o*da_o", "p_f*da_o", "p_f where p_o is due"),
    ("peephole", "dp_i = da_i*c_prev", "dp_i = da_i", "c_prev is missing"),
    ("step", "dUf = np.outer(daf, h_prev)", "dUf = np.outer(df, h_prev)", "the slope of the sigmoid, f*(1 - f), is missing"),
    ("step", "dc_prev = dc * f", "dc_prev = dc * f * (1 - f)", "the factor (1 - f) is too much"),
    ("packed", "h_prev.T @ da", "h.T @ da", "h of this step where h_prev is due"),
    ("packed", "dx = da @ Wx.T", "dx = da @ Wx", "transposed"),
    ("packed", "dc * i * (1 - g**2)", "dc * i * (1 - g)**2", "the square is in the wrong place"),
    ("latex", r" + U_o^\top \delta a_{o,t}", r" + W_o^\top \delta a_{o,t}", "W_o where"),
    ("latex", r"f_t \odot (1 - f_t)", "f_t^2", "f_t where 1 - f_t is due"),
    ("loop", "dh_next = Whh.T @ da", "dh_next += Whh.T @ da", "that must be overwritten"),
    ("loop", "(1 - hs[t]**2)", "(1 - hs[t])**2", "the square is in the wrong place"),
    ("loop", "db += da", "db += da / T", "off by a factor 1/3"),
    # several in one line
    ("lstm", "df*f*(1-f)", "-df*f", "the sign is flipped.*1 - f|1 - f.*the sign is flipped"),
    ("lstm", "df*f*(1-f)", "2*df*f*(1+f)", "off by a factor 2.*1 \\+ f where 1 - f|1 \\+ f.*factor 2"),
    ("lstm", ALL_GATES, "u_i*da_f + u_f*da_i + u_g*da_g + u_o*da_o", "u_f and u_i are swapped"),
    ("lstm", ALL_GATES, "u_f*da_f - u_i*da_i + u_g*da_g", "sign of the term through a_i.*-> a_o is missing|a_o.*sign"),
    ("lstm", ALL_GATES, "u_f*df + u_i*di + u_g*dg + u_o*do", "the slope of tanh, .*is missing"),
    ("lstm", "du_f = da_f*h_prev", "du_f = -da_f*h", "the sign is flipped; h of this step where h_prev"),
    ("vectors", "dc * g * i * (1 - i)", "dc * c_prev * i**2", "i where 1 - i is due; c_prev where g is due"),
    ("vectors", "dc * i * (1 - g**2)", "dc * g * (1 - i**2)", "i and g are swapped"),
    ("vectors", ALL_MAPS, "W_hf @ da_f + W_hi.T @ da_i + W_hg.T @ da_g", "W_hf must be transposed; .*-> a_o is missing"),
    ("vectors", "outer(da_f, h_prev)", "outer(h, da_f)", "wrong way round; h of this step where h_prev is due"),
    ("vectors", "outer(da_f, h_prev)", "outer(da_i, h)", "da_i where da_f is due; h of this step|h of this.*da_i"),
    ("vectors", "dc_next + dh * o * (1 - tanh(c)**2)", "dc_next - dh * o * (1 - c**2)", r"sign.*is flipped; 1 - c\*\*2 where 1 - tanh\(c\)\*\*2"),
    ("gru", INTO_H, "dh*(1-z) + W_hz.T@da_z + W_hr.T@da_r + W_hn.T@da_n", "r is missing.*1 - z where z"),
    ("gru", INTO_H, "dh*z + W_hz.T@da_z", "-> a_r is missing; .*-> q is missing"),
    ("rnn", "outer(da, h_prev)", "-outer(da, h)", "the sign is flipped; h of this step where h_prev is due"),
    ("step", "Ui.T @ dai + Ug.T @ dag", "Ui.T @ dag + Ug.T @ dai", "swapped"),
    ("loop", "Whh.T @ da", "Whh @ dh", "the slope of tanh, .*missing; "),
]  # fmt: skip


def planted(name, old, new):
    cell, notation, text = SHEETS[name]
    assert text.count(old) == 1, old
    sheet = text.replace(old, new)
    return mark_sheet(read_sheet(sheet, notation), ALL[cell]), text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize("name", SHEETS)
def test_each_sheet_is_right_before_a_mistake_is_planted(name):
    cell, notation, text = SHEETS[name]
    found = mark_sheet(read_sheet(text, notation), ALL[cell])
    assert {mark.verdict for mark in found.marks} <= {Verdict.RIGHT, Verdict.OTHER}
    assert not found.doubt
    assert found.right >= 5


@pytest.mark.parametrize(("name", "old", "new", "words"), PLANTED)
def test_a_mistake_is_named_and_charged_once(name, old, new, words):
    found, line = planted(name, old, new)
    assert list(wrong(found)) == [line]
    said = wrong(found)[line]
    assert words in said or re.search(words, said), said


def test_what_no_few_changes_explain_says_which_terms_are_right():
    found, line = planted("lstm", ALL_GATES, "u_f*da_f + u_i*da_i + x*dc + o*o*dh + c*dh/f")
    said = wrong(found)[line]
    assert "right of it are the terms through a_f, through a_i" in said
    assert next(mark for mark in found.marks if mark.line == line).example


def test_the_right_line_of_a_sheet_of_scalars_is_one_of_scalars():
    found, line = planted("lstm", ALL_GATES, "u_i*da_f + u_f*da_i + u_g*da_g + u_o*da_o")
    assert next(mark.correct for mark in found.marks if mark.line == line) == f"dh_prev = {ALL_GATES}"


def test_a_line_with_several_mistakes_is_marked_in_time():
    in_time(0.4, lambda: marked("dc = dc_next + do*(1-tanh(c)**2)"))


# --- in the terms of the tree --------------------------------------------------------------------------------------

f, g, c, x, W = (Name(name) for name in ("f", "g", "c", "x", "W_hf"))
dc, df = Adjoint("c"), Adjoint("f")


def attempt(quantity, said):
    course, view = COURSES["lstm"], View()
    return Attempt(course, quantity, said, course.value(said, view, 2), view, 2)


def test_a_product_is_a_number_and_factors_however_it_is_written():
    said = as_product(-Outer(dc * 2, x) * (1 - f) ** 2)
    assert (said.number, said.factors) == (-2, (dc, x, 1 - f, 1 - f))
    assert as_product(MatMul(Transpose(W), dc)).factors == (W, dc)
    assert as_product(Num(0)) is None


def test_a_factor_is_replaced_once_for_each_time_that_it_is_to_be():
    assert with_factors(dc * f * f, [(f, g)]) == dc * g * f
    assert with_factors(dc * (1 - f) ** 2, [((1 - f) ** 2, 1 - f**2)]) == dc * (1 - f**2)
    lies = Mul((dc, 1 - Transpose(f)))
    assert with_factors(lies, [(1 - f, 1 - g)]) == Mul((dc, 1 - Transpose(g)))
    assert standing(lying(1 - f)) == 1 - f


def test_every_place_of_a_product_takes_a_factor():
    assert {put(x) for put, _ in factor_places(dc * f)} == {x, x * f, dc * x}


def test_a_sum_within_a_product_is_spread_and_a_slope_is_not():
    assert spread(dc * (f + g)) == dc * f + dc * g
    assert spread(dc * (1 - f)) == dc * (1 - f)
    assert spread(MatMul(W, f + g)) == MatMul(W, f) + MatMul(W, g)


@pytest.mark.parametrize(
    ("said", "due", "faults"),
    [(dc * f, dc * f, []), (-dc * f, dc * f, ["sign"]), (dc * 2, dc, ["number"]), (dc, dc * f * (1 - f), ["slope"]),
     (dc, dc * g, ["lost"]), (dc * g, dc, ["extra"]), (dc * g * g, dc * g, ["squared"]), (dc * g, dc * f, ["instead"]),
     (dc * (f - f**2), dc * f * (1 - f), []), (dc * (f - 1), dc * (1 - f), ["sign"])],
)  # fmt: skip
def test_the_gap_between_two_products(said, due, faults):
    found = gap(attempt(df, said), as_product(said), as_product(due))
    assert [kind for kind, _ in found.faults()] == faults


def test_a_difference_is_confirmed_by_value():
    right = written_out(COURSES["lstm"], Adjoint("h_prev"), None, 2)
    turned = Add(tuple(MatMul(term.left.arg, term.right) for term in right.terms[:1]) + right.terms[1:])
    assert difference(attempt(Adjoint("h_prev"), turned), (right,)).words == "W_hf must be transposed"
    assert difference(attempt(Adjoint("f"), g * f), (dc * Name("c_prev"),)) is None  # nothing in common


# --- what is cut on purpose ------------------------------------------------------------------------------------------

ALONE = "dc = dh*o*(1-tanh(c)^2)\ndf = dc*c_prev\ndc_prev = dc*f"


@pytest.mark.parametrize(
    ("more", "verdict"),
    [("", "TRUNCATED"), ("\n(repeat for t-1, with dc_next = dc_prev of the step after)", "WRONG"),
     ("\n(there is no dc_next = dc_prev of the step after here)", "TRUNCATED"), ("\ndh = dh_out + dh_next", "WRONG")],
)  # fmt: skip
def test_the_carry_may_be_left_out_where_the_sheet_says_nothing_of_other_steps(more, verdict):
    assert marked(ALONE + more).marks[0].verdict.value == verdict


@pytest.mark.parametrize(
    ("lines", "verdicts"),
    [("dc = dc_next + dh*o*(1-tanh(c)^2)\ndc_prev = dc*f\ndf = dc*c_prev", ["TRUNCATED", "TRUNCATED", "RIGHT"]),
     ("dc = dc_next + dh*o*(1-tanh(c)^2)\ndc_prev = dc*f + p_f*da_f + p_i*da_i", ["WRONG", "RIGHT"]),
     ("dc = dc_next + dh*o*(1-tanh(c)^2) + p_o*da_o\ndc_prev = dc*f", ["RIGHT", "WRONG"])],
)  # fmt: skip
def test_the_peepholes_are_cut_in_all_lines_or_in_none(lines, verdicts):
    found = mark_sheet(read_sheet(lines, "text"), ALL["peephole"])
    assert [mark.verdict.value for mark in found.marks] == verdicts


def test_a_sheet_that_says_so_may_cut_everything():
    cut = "truncated: nothing flows into the step before\n"
    gru = "da_n = dh*(1-z)*(1-n**2)\ndh_prev = 0*dh"
    assert marked(cut + gru, "gru").marks[-1].verdict is Verdict.TRUNCATED
    assert marked(gru, "gru").marks[-1].verdict is Verdict.WRONG


def test_a_slope_that_a_truncated_sheet_calls_an_approximation_is_truncated():
    line = r"\frac{\partial c_t}{\partial c_{t-1}} \approx f_t"
    assert marked(f"Truncated error.\n{line}", notation="latex").marks[0].verdict is Verdict.TRUNCATED
    assert marked(line, notation="latex").marks[0].verdict is Verdict.RIGHT


def test_the_error_of_the_next_step_is_not_what_comes_back_from_it():
    text = LATEX.replace(r"\delta c_{t+1} \odot f_{t+1}", r"\delta c_{t+1}")
    found = marked(text, notation="latex").marks[1]
    assert (found.quantity, found.verdict) == ("dc", Verdict.UNSURE)
    carried = marked("dc[t] = dc[t+1] + dh[t]*o[t]*(1-tanh(c[t])^2)\ndc[t-1] = dc[t]*f[t]")
    assert [mark.verdict for mark in carried.marks] == [Verdict.RIGHT] * 2


# --- names that settle one another, and another cell's ---------------------------------------------------------------


def test_what_a_step_is_handed_as_what_comes_back_may_be_the_whole_error():
    found, line = planted("packed", "dh_next * np.tanh(c) * o * (1 - o)", "dh_next * np.tanh(c) * o")
    assert wrong(found) == {line: "the factor (1 - o) is missing"}


@pytest.mark.parametrize(
    ("name", "cell"),
    [("lstm", "gru"), ("lstm", "rnn"), ("gru", "lstm"), ("gru", "rnn"), ("vectors", "gru"), ("loop", "gru"), ("latex", "gru")],
)  # fmt: skip
def test_a_sheet_for_another_cell_is_said_to_be(name, cell):
    _, notation, text = SHEETS[name]
    found = mark_sheet(read_sheet(text, notation), ALL[cell])
    assert found.doubt.startswith("this sheet seems to be for another cell")
    assert not wrong(found)
    assert {m.quantity for m in found.marks if m.verdict is Verdict.RIGHT} <= {"dh", "dh_prev"}


def test_the_reports_say_that_a_sheet_seems_to_be_for_another_cell():
    found = report.Sheet("a.txt", marked(LSTM, "gru"))
    words = "this sheet seems to be for another cell: it names none of the gates of gru"
    assert report.record(COURSES["gru"].cell, [found])["files"][0]["doubt"] == words
    assert words[1:] in report.feedback(found)
    assert words in report.table([found])
    assert words in report.gradescope(found)["output"]
    shown = [block for block in report.document(COURSES["gru"].cell, [found]).blocks if isinstance(block, Paragraph)]
    assert any(words[1:] in str(block) for block in shown)


def test_a_mean_is_unsure():
    found = marked("db_f = da_f/m").marks[0]
    assert (found.verdict, found.mistake) == (
        Verdict.UNSURE,
        "m is no quantity of the cell: a mean is right where the loss is one",
    )


def test_forward_equations_of_another_cell_are_told():
    before = "z = sigmoid(W_xz@x + W_hz@h_prev)\nr = sigmoid(W_xr@x + W_hr@h_prev)\nn = tanh(W_xn@x)\nda_z = dz*z*(1-z)"
    found = marked(before, "gru")
    assert found.doubt.endswith("3 of its 3 forward equations are not those of gru")
    assert {mark.verdict for mark in found.marks} == {Verdict.UNSURE}
    one = marked("z = sigmoid(W_xz@x + W_hz@h_prev)\nda_z = dz*z*(1-z)\ndn = dh*(1-z)", "gru")  # a bias is forgotten
    assert not one.doubt
    assert list(wrong(one)) == [1]


def test_a_guess_at_a_name_needs_more_than_one_line():
    assert marked("da_f = dc*qux*f*(1-f)").marks[0].verdict is Verdict.UNSURE
    found = marked("da_f = dc*qux*f*(1-f)\ndc_prev = dc*f\ndf = dc*qux")
    assert [mark.verdict for mark in found.marks] == [Verdict.RIGHT] * 3


# --- functions and loops of a file -----------------------------------------------------------------------------------

HELPERS = """def dsigmoid(y):
    return y*(1-y)

def dtanh(a):
    return 1 - np.tanh(a)**2

dc = dc_next + dh*o*dtanh(c)
daf = dc*c_prev*dsigmoid(f)
dai = dc*g*dsigmoid(i)
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("y*(1-y)", "y*(1+y)", {2: "y*(1 + y) for y*(1 - y)"}), ("y*(1-y)", "y", {2: "the factor (1 - y) is missing"}),
     ("1 - np.tanh(a)**2", "1 - np.tanh(a)", {5: "tanh(a) for tanh(a)**2"}), ("", "", {})],
)  # fmt: skip
def test_a_slope_that_is_defined_wrongly_is_charged_at_its_own_line(old, new, said):
    found = marked(HELPERS.replace(old, new, 1) if old else HELPERS, notation="python")
    assert wrong(found) == said
    assert [mark.verdict for mark in found.marks][-3:] == [Verdict.RIGHT] * 3


def test_a_slope_that_is_given_another_argument_is_charged_where_it_is_called():
    found = marked(HELPERS.replace("dsigmoid(f)", "dsigmoid(a_f)"), notation="python")
    assert wrong(found) == {8: "a_f where f is due"}


def test_a_loop_that_runs_forwards_is_one_mistake_at_its_for():
    found, line = planted("loop", "reversed(range(T))", "range(T)")
    assert wrong(found) == {
        line: "time is walked forwards where it must go backwards: errors come back from step t+1, in reversed order"
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [("dh_next = Whh.T @ da", "dh_next = np.zeros_like(dh)\n        dh_next += Whh.T @ da"),
     ("dh = dhs[t] + dh_next", "dh = dh_next + dhs[t]"), ("dh_next", "dh")],
)  # fmt: skip
def test_a_right_loop_that_carries_in_another_way_is_right(old, new):
    text = LOOP.replace(old, new)
    for plain, added in (("dh = dhs[t] + dh\n", "dh += dhs[t]\n"), ("", "")):
        found = marked(text.replace(plain, added) if plain else text, "rnn", "python")
        assert {mark.verdict for mark in found.marks} == {Verdict.RIGHT}


@pytest.mark.long
@pytest.mark.parametrize("cell", ALL)
def test_two_random_changes_of_a_line_are_named(cell):
    course, random = ALL[cell], Random(7)
    steps = [step for step in course.derivation.adjoints if len(code(step.rhs)) > 4]
    named = tried = 0
    for _ in range(60):
        step = random.choice(steps)
        first = random.choice([s for s in slips(step.rhs, course, step.lhs, step.terms) if likely(s)])
        second = [s.expr for s in slips(first.expr, course, step.lhs) if likely(s)]
        expr = random.choice(second or [first.expr])
        line = Attempt(course, step.lhs, expr, None, View(), 2)
        right = line.agrees(line.ours(expr))
        (found,) = mark_sheet(read_sheet(f"d{step.wrt} = {code(expr)}", "text"), course).marks
        assert (found.verdict is Verdict.RIGHT) <= right
        if found.verdict is Verdict.WRONG:
            assert not right
            tried += 1
            named += "no single change" not in found.mistake
    assert tried > 30
    assert named >= 0.9 * tried


def likely(slip):
    return slip.cost <= 1.05 and slip.expr != Num(0) and "ones(" not in code(slip.expr)


def test_a_gradient_that_is_clipped_is_said_to_be():
    found = marked("import numpy as np\nda_f = dc*c_prev*f*(1-f)\ndb_f = np.clip(da_f, -5, 5)", notation="python")
    assert [mark.mistake for mark in found.marks] == ["", "clipped here; the derivative is unclipped"]
    assert found.right == 2


def test_packed_gates_that_are_named_twice_leave_the_other_lines_right():
    text = PACKED.replace("dWh = h_prev.T @ da", "dWh = h_prev.T @ np.hstack([di, df, df, dg])")
    found = marked(text, notation="python")
    assert list(wrong(found)) == [14]


def test_where_no_gradient_is_right_the_reading_is_rather_at_fault():
    """Three wrong lines and none that is right: rather the reader has taken a name for another."""
    wrongs = [Mark(k, 1, "", f"dW_{k}", Verdict.WRONG, "a factor is missing") for k in (2, 3, 4)]
    forward = Mark(1, 1, "", "h", Verdict.RIGHT)
    found = unless_all_are_wrong([forward, *wrongs])
    assert [mark.verdict for mark in found] == [Verdict.RIGHT, *[Verdict.UNSURE] * 3]
    assert found[1].mistake == "no gradient of the sheet is right as it is read; so read: a factor is missing"
    right = Mark(5, 1, "", "da_h", Verdict.RIGHT)
    assert unless_all_are_wrong([forward, *wrongs, right]) == (forward, *wrongs, right)
    assert unless_all_are_wrong([forward, *wrongs[:2]]) == (forward, *wrongs[:2])


@pytest.mark.parametrize(("first", "verdict"), [(1, Verdict.RIGHT), (2, Verdict.WRONG)])
def test_a_sum_over_numbered_steps_that_leaves_one_out(first, verdict):
    sums = rf"$$\frac{{dL}}{{dw}} = \sum_{{t={first}}}^{{3}} \delta_t x_t$$"
    more = r"$$\frac{dL}{du} = \sum_{t=1}^{3} \delta_t h_{t-1}$$"
    found = marked(f"$T=3$, $\\delta_t = dL/da_t$\n{sums}\n{more}", "rnn", "latex")
    assert [mark.verdict for mark in found.marks if mark.quantity.startswith("grad")] == [verdict, Verdict.RIGHT]


def test_the_error_of_what_a_sheet_has_named_itself_is_not_accused():
    """`y` means the output to some; here it is the sheet's own, and `dy` is no error of h."""
    own = "y = f*o\ndy = dc*2"
    assert not wrong(marked(own))
    assert list(wrong(marked("do = dh*tanh(c)\ndi = dc*i"))) == [2]


def test_a_definition_may_be_written_with_a_colon():
    text = "do {0} dh*tanh(c)\ndc {0} dc_next + dh*o*(1 - tanh(c)^2)\ndi {0} dc*i"
    with_colon, plain = (marked(text.format(sign)).marks for sign in (":=", " ="))
    assert [(m.verdict, m.mistake) for m in with_colon] == [(m.verdict, m.mistake) for m in plain]
    assert [m.verdict for m in with_colon] == [Verdict.RIGHT, Verdict.RIGHT, Verdict.WRONG]


def test_in_the_names_of_the_derivation_every_line_may_be_wrong():
    text = "da_h = dh*(1 - h)*h\ndW_xh = -outer(da_h, x)\ndb_h = da_h*h"
    assert list(wrong(marked(text, "rnn"))) == [1, 2, 3]
