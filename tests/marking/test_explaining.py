"""What is said of wrong lines: one mistake or several in a line of a sheet that is right elsewhere, in every notation.

Each sheet is right as it stands. A mistake is planted in one line: that line alone is wrong, and the mistake is named.
"""

import re
from random import Random

import pytest

from derivations.expression import Num
from derivations.marking.attempt import Attempt
from derivations.marking.course import View
from derivations.marking.marked import Verdict
from derivations.marking.slips import slips
from derivations.plain import code
from tests.marking.marks import CELLS, course_for, marked, wrong
from tests.marking.right_sheets import PACKED, RIGHT_SHEETS, planted
from tests.patience import in_time

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


@pytest.mark.parametrize("name", RIGHT_SHEETS)
def test_each_sheet_is_right_before_a_mistake_is_planted(name):
    cell, notation, text = RIGHT_SHEETS[name]
    found = marked(text, cell, notation)
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


def test_packed_gates_that_are_named_twice_leave_the_other_lines_right():
    text = PACKED.replace("dWh = h_prev.T @ da", "dWh = h_prev.T @ np.hstack([di, df, df, dg])")
    found = marked(text, notation="python")
    assert list(wrong(found)) == [14]


def likely(slip):
    return slip.cost <= 1.05 and slip.expr != Num(0) and "ones(" not in code(slip.expr)


@pytest.mark.long
@pytest.mark.parametrize("cell", [*CELLS, "peephole"])
def test_two_random_changes_of_a_line_are_named(cell):
    course, random = course_for(cell), Random(7)
    steps = [step for step in course.derivation.adjoints if len(code(step.rhs)) > 4]
    named = tried = 0
    for _ in range(60):
        step = random.choice(steps)
        first = random.choice([s for s in slips(step.rhs, course, step.lhs, step.terms) if likely(s)])
        second = [s.expr for s in slips(first.expr, course, step.lhs) if likely(s)]
        expr = random.choice(second or [first.expr])
        line = Attempt(course, step.lhs, expr, None, View(), 2)
        right = line.agrees(line.ours(expr))
        (found,) = marked(f"d{step.wrt} = {code(expr)}", cell, "text").marks
        assert (found.verdict is Verdict.RIGHT) <= right
        if found.verdict is Verdict.WRONG:
            assert not right
            tried += 1
            named += "no single change" not in found.mistake
    assert tried > 30
    assert named >= 0.9 * tried
