"""Gates that are packed into one array: its pieces, and the weights of all of them."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marks, mistakes, verdicts

W, R, OTHER = Verdict.WRONG, Verdict.RIGHT, Verdict.OTHER
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
    found = mistakes("lstm", PIECES.replace("*c_prev*", "*c*").replace("*o*(1-o)", "*o"))
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
