"""What a sheet may cut on purpose: what comes back from the next step, peepholes, what it says that it cuts."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marked, only, verdicts, wrong
from tests.marking.right_sheets import LATEX

R, TRUNCATED = Verdict.RIGHT, Verdict.TRUNCATED


def test_a_gradient_without_what_comes_back_is_truncated_unless_the_sheet_speaks_of_it():
    line = "dc = dh*o*(1-tanh(c)**2)"
    assert only(line).verdict is Verdict.TRUNCATED
    assert list(wrong(marked(f"{line}\ndh = dh_out + dh_next"))) == [1]


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
    found = marked(lines, "peephole", "text")
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


def test_only_what_comes_from_outside_is_not_all_of_an_error():
    assert verdicts("lstm", "# truncated\ndh = dh_out\ndc = dc_next + dh*o*(1-np.tanh(c)**2)", "python") == [
        TRUNCATED,
        R,
    ]
