"""Quantities that a sheet names itself, `u = tanh(c)` or `y = m/s`: their errors are judged as any other."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marks, mistakes, verdicts

W, R = Verdict.WRONG, Verdict.RIGHT
SQUASHED = "u = tanh(c)\nh = o*u\ndu = dh*o\ndc = dc_next + du*(1 - u^2)"
PRODUCT = "k = i*g\ndk = dc\ndi = dk*g\ndg = dk*i"
RESET = "p = r*q\ndp = da_n\ndq = dp*r\ndr = dp*q"
NORMALISED = "y_f = m_f/s_f\ndy_f = da_f*gamma_f\ndgamma_f = da_f*y_f"


@pytest.mark.parametrize(
    ("cell", "text", "own"),
    [("lstm", SQUASHED, "u"), ("lstm", PRODUCT, "k"), ("gru", RESET, "p"), ("lnlstm", NORMALISED, "y_f")],
)
def test_the_error_of_what_a_sheet_has_named_itself_is_a_quantity(cell, text, own):
    found = marks(cell, text)
    assert {mark.verdict for mark in found} == {R}
    assert {own, f"d{own}"} <= {mark.quantity for mark in found}


@pytest.mark.parametrize(
    ("cell", "text", "old", "new", "mistake"),
    [
        ("lstm", SQUASHED, "du = dh*o", "du = dh*i", "i where o is due"),
        ("lstm", SQUASHED, "du = dh*o", "du = dh*o*(1 - u^2)", "the factor (1 - u**2) is too much"),
        ("lstm", SQUASHED, "(1 - u^2)", "(1 - u)", "u where u**2 is due"),
        ("lstm", PRODUCT, "di = dk*g", "di = dk*i", "i where g is due"),
        ("lstm", PRODUCT, "dk = dc\n", "dk = -dc\n", "the sign is flipped"),
        ("gru", RESET, "dr = dp*q", "dr = dp*r", "r where q is due"),
        ("gru", RESET, "dp = da_n", "dp = da_n*z", "the factor z is too much"),
        ("lnlstm", NORMALISED, "da_f*gamma_f", "da_f*beta_f", "beta_f where gamma_f is due"),
        ("lnlstm", NORMALISED, "da_f*y_f", "da_f*m_f", "m_f where y_f is due"),
    ],
)
def test_a_mistake_in_it_is_named_in_its_own_letters_and_charged_once(cell, text, old, new, mistake):
    assert text.count(old) == 1
    line = text[: text.index(old)].count("\n") + 1
    assert mistakes(cell, text.replace(old, new)) == {line: mistake}


def test_what_has_no_error_in_the_sheet_stays_an_intermediate():
    found = marks("lstm", "u = tanh(c)\ndo = dh*u")
    assert [mark.verdict for mark in found] == [Verdict.OTHER, R]
    assert not found[0].quantity


def test_what_is_no_part_of_the_cell_has_no_error():
    assert W not in verdicts("lstm", "e = f*o\nde = dc*3")
    assert R not in verdicts("lstm", "e = f*o\nde = dc*3")
