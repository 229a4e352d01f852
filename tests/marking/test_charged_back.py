"""A mistake in an intermediate of their own is charged there, and what is given up or overwritten where that is done."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marks

R, W = Verdict.RIGHT, Verdict.WRONG
SUM = "t1 = dh*z\nt2 = W_hr.T @ da_r\nt3 = W_hz.T @ da_z\nt4 = W_hn.T @ (da_n*r)\ndh_prev = t1 + t2 + t3 + t4"


def by_line(cell, text, notation=""):
    return {mark.line: mark for mark in marks(cell, text, notation)}


def test_a_right_sum_of_intermediates_leaves_them_alone():
    found = by_line("gru", SUM)
    assert found[5].verdict is R
    assert {found[k].verdict for k in range(1, 5)} <= {Verdict.OTHER, R}


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("W_hz.T @ da_z", "W_hz @ da_z", 3, "W_hz must be transposed"),
        ("dh*z", "dh*(1-z)", 1, "1 - z where z is due"),
        ("(da_n*r)", "da_n", 4, "the factor r is missing"),
    ],
)
def test_what_is_wrong_with_one_term_is_charged_to_its_line(old, new, line, words):
    found = by_line("gru", SUM.replace(old, new))
    assert [k for k, mark in found.items() if mark.verdict is W] == [line]
    assert words in found[line].mistake
    assert found[5].verdict is R


def test_two_wrong_terms_stay_with_the_sum():
    found = by_line("gru", SUM.replace("W_hz.T", "W_hz").replace("W_hr.T", "W_hr"))
    assert [k for k, mark in found.items() if mark.verdict is W] == [5]


def test_a_term_that_the_next_line_overwrites_is_right_and_the_next_line_is_not():
    text = (
        "for t in reversed(range(T)):\n    dh = dhs[t] + dh_next\n    da = dh * (1 - z[t]) * (1 - n[t]**2)\n"
        "    daz = dh * (h[t-1] - n[t]) * z[t] * (1 - z[t])\n    dar = da * q[t] * r[t] * (1 - r[t])\n"
        "    dh_next = dh * z[t]\n    dh_next = W_hz.T @ daz + W_hr.T @ dar + W_hn.T @ (da * r[t])\n"
    )
    found = by_line("gru", text, "python")
    assert found[6].verdict is R
    assert found[7].verdict is W
    assert "-> h is missing: the term dh*z[t]" in found[7].mistake


def test_a_loop_over_time_within_another_is_not_read_as_one():
    text = (
        "import numpy as np\nfor t in reversed(range(T)):\n    da = g[t]*(1-h[t]**2)\n"
        "    for k in range(t, -1, -1):\n        dW_hh += np.outer(da, h[k-1])\n"
    )
    assert W not in {mark.verdict for mark in marks("rnn", text, "python")}


def test_a_method_of_an_array_is_no_function_of_the_file():
    text = "mean = lambda a: a.mean()\nl_f = W_xf @ x + W_hf @ h_prev\nm_f = l_f - mean(l_f)"
    assert by_line("lnlstm", text, "python")[3].verdict is R


def test_what_a_forward_line_shows_of_any_gate_goes_for_each():
    text = (
        r"$a_k = W_k x + U_k h_{t-1} + b_k$"
        "\n"
        r"$$\frac{\partial L}{\partial W_f} = \frac{\partial L}{\partial a_f} %s^\top$$"
    )
    found = by_line("lstm", text % "h_{t-1}", "latex")
    assert found[2].verdict is W
    assert by_line("lstm", text % "x", "latex")[2].verdict is R
