"""Loops over time: where they start, which way they walk, and what they carry from one step to the next."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marked, mistakes, verdicts, wrong
from tests.marking.right_sheets import LOOP, planted

W, R = Verdict.WRONG, Verdict.RIGHT
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
    found = mistakes("rnn", PROGRAM.replace(old, new))
    assert list(found) == [line]
    assert words in found[line]


def test_zeros_that_a_loop_adds_to_or_reads_say_nothing():
    start = PROGRAM.replace("dh_end, ", "").replace("dhnext = dh_end", "dhnext = np.zeros(H)")
    assert verdicts("rnn", start) == [R] * 5


def test_a_sensitivity_is_rightly_carried_forwards():
    sheet = "dh_dw = 0\nfor t in range(T):\n    dh_dw = (1 - hs[t]**2)*(xs[t] + u*dh_dw)"
    assert W not in verdicts("rnn", sheet, "python")


def test_a_choice_is_made_anew_in_each_round():
    sheet = (
        "dc_next = dc_end\nfor t in range(T-1, -1, -1):\n    dc = dc_next + dhs[t]*o[t]*(1-np.tanh(c[t])**2)\n"
        "    daf = dc*({})*f[t]*(1-f[t])\n    dc_next = dc*f[t]"
    )
    assert verdicts("lstm", sheet.format("c[t-1] if t > 0 else c0"), "python") == [R, R, R]
    assert list(mistakes("lstm", sheet.format("c[t-1] if t > 1 else c0"), "python")) == [4]


def test_a_sum_that_is_right_in_the_end_may_grow_by_what_are_no_terms():
    sheet = "tc = np.tanh(c)\ndc = dc_next\ndc += dh*o\ndc -= dh*o*{}\ndc_prev = dc*f"
    assert verdicts("lstm", sheet.format("tc*tc"), "python")[-2:] == [R, R]
    assert W in verdicts("lstm", sheet.format("tc"), "python")


def test_an_error_carried_under_its_own_name_is_that_of_the_state_before():
    sheet = "dh = np.zeros(H)\nfor t in reversed(range(T)):\n    dh = dh + dhs[t]\n    da = dh*(1 - hs[t]**2)\n"
    assert verdicts("rnn", sheet + "    dh = {}".format("Whh.T @ da"), "python") == [R, R, R]
    assert list(mistakes("rnn", sheet + "    dh = {}".format("dh + Whh.T @ da"), "python")) == [5]


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
