"""Vectors below one another, `z = [h_prev; x]`: the error of both is one name, and each has its part of it."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marks, mistakes, verdicts

W, R = Verdict.WRONG, Verdict.RIGHT
RNN = "z = [h_prev; x]\nh = tanh(W z + b)\nda = dh*(1 - h^2)\ndW = da z^T\ndz = W^T da"
LSTM = """z = np.concatenate([h_prev, x])
H = h_prev.shape[0]
dWf = np.outer(da_f, z)
dz = Wf.T @ da_f + Wi.T @ da_i + Wg.T @ da_g + Wo.T @ da_o
dh_prev = dz[:H]
dx = dz[H:]
"""
NOT_SPLIT = "it is not split into its parts"


def test_the_error_of_what_is_stacked_is_both_errors():
    found = marks("rnn", RNN)
    assert {mark.verdict for mark in found} == {R}
    assert found[-1].quantity == "[dh_prev; dx]"


def test_its_parts_are_the_error_of_each():
    assert set(verdicts("lstm", LSTM, "python")) == {R}


@pytest.mark.parametrize("name", ["dx", "dh_prev"])
def test_the_whole_of_it_is_no_error_of_one(name):
    found = marks("rnn", f"{RNN}\n{name} = dz")
    assert [mark.verdict for mark in found] == [R] * 5 + [W]
    assert NOT_SPLIT in found[-1].mistake
    assert found[-1].correct == f"{name} = {'W_xh' if name == 'dx' else 'W_hh'}.T @ da"


@pytest.mark.parametrize(
    ("old", "new", "line", "mistake"),
    [
        (" + Wo.T @ da_o", "", 4, "the path h_prev -> a_o is missing"),
        ("np.outer(da_f, z)", "np.outer(z, da_f)", 3, "the wrong way round"),
        ("dx = dz[H:]", "dx = dz", 6, NOT_SPLIT),
        ("dh_prev = dz[:H]", "dh_prev = dz[H:]", 5, "another part of it is due"),
    ],
)
def test_a_mistake_around_it_is_charged_once(old, new, line, mistake):
    assert LSTM.count(old) == 1
    found = mistakes("lstm", LSTM.replace(old, new), "python")
    assert list(found) == [line]
    assert mistake in found[line]


def test_a_mistake_before_it_leaves_it_right():
    assert verdicts("rnn", RNN.replace("h^2", "h")) == [R, R, W, R, R]
