"""Backward passes as programs: right ones come out right, and a planted mistake is charged once, at its own line."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import SHEETS, marked, mistakes, only, verdicts, wrong
from tests.patience import in_time

PROGRAMS = {"lstm_time": "lstm", "lstm_cell": "lstm", "cs231n": "lstm", "rnn": "rnn", "gru": "gru"}


def program(name, *edits):
    text = (SHEETS / f"{name}.txt").read_text(encoding="utf-8")
    where = []
    for old, new in edits:
        assert text.count(old) >= 1, old
        where.append(text[: text.index(old)].count("\n") + 1)
        text = text.replace(old, new, 1)
    return marked(text, PROGRAMS[name], "python"), where


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_right_program_is_right_in_every_line(name):
    found, _ = program(name)
    counted = [m.verdict for m in found.marks if m.verdict is not Verdict.OTHER]
    assert len(counted) >= 6
    assert set(counted) == {Verdict.RIGHT}


WITHOUT_FAULT = {"karpathy": "rnn", "coursera_rnn": "rnn", "gru_class": "gru", "lstm_rows": "lstm"}


@pytest.mark.parametrize("name", WITHOUT_FAULT)
def test_a_program_that_also_does_other_things_has_no_wrong_line(name):
    text = (SHEETS / f"{name}.txt").read_text(encoding="utf-8")
    found = marked(text, WITHOUT_FAULT[name], "python")
    assert not wrong(found)
    assert found.right >= 6


@pytest.mark.parametrize(("name", "cell"), [("paper.tex", "lstm"), ("other_way.txt", "gru")])
def test_a_sheet_in_the_convention_of_another_paper_is_right(name, cell):
    found = marked((SHEETS / name).read_text(encoding="utf-8"), cell)
    assert {m.verdict for m in found.marks} == {Verdict.RIGHT}


def test_one_line_the_other_way_round_is_a_mistake_and_no_convention():
    assert only("dn = dh*z", "gru").mistake == "z where 1 - z is due"


PLANTED = [
    ("lstm_time", "dh = dh_out[t] + dh_next", "dh = dh_out[t]", "the carry"),
    ("lstm_time", "dc = dc_next + dh", "dc = dh", "the carry"),
    ("lstm_time", "df = dc * c_prev", "df = dc * c", "c of this step"),
    ("lstm_time", "di = dc * g", "di = dc * i", "i where g is due"),
    ("lstm_time", "da_f = df * f * (1 - f)", "da_f = df * f", "(1 - f) is missing"),
    ("lstm_time", "da_g = dg * (1 - g**2)", "da_g = dg * (1 - np.tanh(g)**2)", "tanh is applied twice"),
    ("lstm_time", "np.outer(da_f, hs[t-1])", "np.outer(da_f, hs[t])", "of this step where hs[t-1] is due"),
    ("lstm_time", "np.outer(da_f, hs[t-1])", "np.outer(hs[t-1], da_f)", "the wrong way round"),
    ("lstm_time", "dW_xf += np.outer(da_f, xs[t])", "dW_xf = np.outer(da_f, xs[t])", "must accumulate"),
    ("lstm_time", "db_i += da_i", "db_i += da_f", "da_f where da_i is due"),
    ("lstm_time", "db_i += da_i", "db_i = da_i", "must accumulate"),
    ("lstm_time", " + W_ho.T @ da_o", "", "-> a_o is missing"),
    ("lstm_time", "W_hf.T @ da_f", "W_hf @ da_f", "W_hf must be transposed"),
    ("lstm_time", "dc_next = dc * f", "dc_next = dc", "the factor f is missing"),
    ("lstm_time", "do = dh * np.tanh(c)", "do = dh * c", "tanh(c) is due"),
    ("cs231n", "dprev_c = dnext_c * f", "dprev_c = dnext_c * i", "i where f is due"),
    ("cs231n", "dx = da.dot(Wx.T)", "dx = da.dot(Wx)", "must be transposed"),
    ("cs231n", "dnext_c += dnext_h * o", "dnext_c += dnext_h", "the factor o is missing"),
    ("lstm_cell", "dcct = (dc_next * it", "dcct = (dc_next * ot", "ot where it is due"),
    ("lstm_cell", "* cct * da_next) * it * (1 - it)", "* cct * da_next) * it", "(1 - it) is missing"),
    ("lstm_cell", "dbf = np.sum(dft", "dbf = np.sum(dit", "dit where dft is due"),
    ("rnn", " + dhnext", "", "the carry"),
    ("rnn", "(1 - hs[t] * hs[t]) * dh", "(1 - hs[t]) * dh", "hs[t]**2 is due"),
    ("rnn", "np.dot(Whh.T, dhraw)", "np.dot(Whh, dhraw)", "Whh must be transposed"),
    ("rnn", "dbh += dhraw", "dbh += dh", "(1 - hs[t]**2) is missing"),
    ("gru", "dz = dh * (h_prev - ns[t])", "dz = dh * (ns[t] - h_prev)", "the sign is flipped"),
    ("gru", "dn = dh * (1 - zs[t])", "dn = dh * zs[t]", "where 1 - z"),
    ("gru", "dh_next = dh * zs[t]", "dh_next = dh * (1 - zs[t])", "1 - z"),
    ("gru", "dh_next += W_hr.T @ dar", "dh_next += W_hr @ dar", "W_hr must be transposed"),
    ("gru", "dq = dan * rs[t]", "dq = dan", "the factor rs[t] is missing"),
]


@pytest.mark.parametrize(("name", "old", "new", "words"), PLANTED)
def test_a_planted_mistake_is_found_and_charged_once(name, old, new, words):
    found, where = program(name, (old, new))
    assert list(wrong(found)) == where
    assert words in wrong(found)[where[0]]


def test_two_planted_mistakes_are_both_found():
    found, where = program(
        "lstm_time", ("df = dc * c_prev", "df = dc * c"), ("da_o = do * o * (1 - o)", "da_o = do * o")
    )
    assert list(wrong(found)) == where


def test_a_loop_that_leaves_out_a_step_is_one_mistake():
    found, _ = program("lstm_time", ("reversed(range(T))", "reversed(range(1, T))"))
    words = "the loop over time is too short: the first step is left out of the sum over time"
    assert list(wrong(found).values()) == [words]


def test_a_path_that_is_never_added_is_charged_to_the_last_line_of_the_sum():
    found, _ = program("gru", ("        dh_next += W_hn.T @ dq\n", ""))
    assert [words.split()[-3:] for words in wrong(found).values()] == [["qs[t]", "is", "missing"]]


def test_a_whole_backward_pass_is_marked_in_time():
    program("lstm_time")
    in_time(3, lambda: program("lstm_time", ("df = dc * c_prev", "df = dc * c * o")))


def test_the_body_of_a_function_without_its_head_is_marked():
    found = marked("import numpy as np\ndf = dc * c_prev\nreturn df")
    assert [m.verdict for m in found.marks] == [Verdict.RIGHT]


def test_the_place_of_what_cannot_be_read_is_said_once():
    (found,) = marked("import numpy as np\ndf = f[k:] * dc[:n]").marks
    assert found.mistake == "the ends of this part are not known numbers"
    assert (found.line, found.column) == (2, 8)


# --- slopes that are functions of the file's own -------------------------------------------------------------------

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


# --- what is done to gradients ------------------------------------------------------------------------------------


def test_a_gradient_that_is_clipped_is_said_to_be():
    found = marked("import numpy as np\nda_f = dc*c_prev*f*(1-f)\ndb_f = np.clip(da_f, -5, 5)", notation="python")
    assert [mark.mistake for mark in found.marks] == ["", "clipped here; the derivative is unclipped"]
    assert found.right == 2


def test_a_mean_over_the_batch_is_no_sum():
    sheet = "dz = dh*(1 - h**2)\ndWx = x.T.dot(dz)\ndb = dz.{}(axis=0)"
    assert verdicts("rnn", sheet.format("sum"), "python") == [Verdict.RIGHT] * 3
    assert mistakes("rnn", sheet.format("mean"), "python") == {3: "the mean over the batch where the sum is due"}
