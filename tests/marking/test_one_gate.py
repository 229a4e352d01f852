"""Sheets of one gate that leave its letter out: `a = W_x x + W_h h_prev + b` is of the gate that makes it right."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marks, mistakes

R = Verdict.RIGHT
BY_INDEX = """a = W_x x + W_h h_prev + b
{gate} = {function}(a)
da = {error}
dW_x = da x^T
dW_h = da h_prev^T
db = da"""
BY_LETTER = BY_INDEX.replace("W_x", "W").replace("W_h", "U").replace("a =", "net =").replace("(a)", "(net)")
BY_LETTER = BY_LETTER.replace("da", "dnet")
FORGET = BY_INDEX.format(gate="f", function="sigmoid", error="dc*c_prev*f*(1-f)")
NORMED = """l = W_x x + W_h h_prev
m = l - mean(l)
s = sqrt(mean(m^2) + eps)
f = sigmoid(gamma*m/s + beta)
dbeta = dc*c_prev*f*(1-f)
dW_x = dl x^T
dW_h = dl h_prev^T"""


@pytest.mark.parametrize(
    ("cell", "sheet", "gate", "function", "error"),
    [
        ("lstm", BY_INDEX, "f", "sigmoid", "dc*c_prev*f*(1-f)"),
        ("lstm", BY_INDEX, "i", "sigmoid", "dc*g*i*(1-i)"),
        ("lstm", BY_LETTER, "o", "sigmoid", "dh*tanh(c)*o*(1-o)"),
        ("lstm", BY_LETTER, "g", "tanh", "dc*i*(1-g^2)"),
        ("gru", BY_LETTER, "z", "sigmoid", "dh*(h_prev - n)*z*(1-z)"),
    ],
)
def test_names_without_a_letter_are_of_the_one_gate(cell, sheet, gate, function, error):
    found = marks(cell, sheet.format(gate=gate, function=function, error=error))
    quantities = [f"a_{gate}", gate, f"da_{gate}", f"dW_x{gate}", f"dW_h{gate}", f"db_{gate}"]
    assert [(mark.quantity, mark.verdict) for mark in found] == [(quantity, R) for quantity in quantities]


@pytest.mark.parametrize(
    ("old", "new", "line", "mistake"),
    [
        ("dc*c_prev", "dc*c", 3, "c of this step where c_prev is due"),
        ("f*(1-f)", "f", 3, "the factor (1 - f) is missing"),
        ("da x^T", "da h_prev^T", 4, "h_prev where x is due"),
        ("da h_prev^T", "da h^T", 5, "h of this step where h_prev is due"),
        ("db = da", "db = da*f", 6, "the factor f is too much"),
    ],
)
def test_a_mistake_in_them_is_charged_once(old, new, line, mistake):
    assert FORGET.count(old) == 1
    assert mistakes("lstm", FORGET.replace(old, new)) == {line: mistake}


def test_a_normalised_gate_without_its_letter_is_found():
    found = marks("lnlstm", NORMED)
    assert {mark.verdict for mark in found} == {R}
    assert [mark.quantity for mark in found] == ["l_f", "m_f", "s_f", "f", "dbeta_f", "dW_xf", "dW_hf"]


@pytest.mark.parametrize(
    ("old", "new", "line", "mistake"),
    [
        ("dc*c_prev", "dc*c", 5, "c of this step where c_prev is due"),
        ("dl h_prev^T", "dl h^T", 7, "h of this step where h_prev is due"),
    ],
)
def test_a_mistake_in_a_normalised_gate_is_charged_once(old, new, line, mistake):
    assert mistakes("lnlstm", NORMED.replace(old, new)) == {line: mistake}
