"""The error before a normalisation in its usual form: `(dy - mean(dy) - y*mean(dy*y))/s`."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marks, mistakes, verdicts

R = Verdict.RIGHT
OWN = "y_{0} = m_{0}/s_{0}\ndy_{0} = da_{0}*gamma_{0}\ndl_{0} = "
USUAL = "(dy_{0} - mean(dy_{0}) - y_{0}*mean(dy_{0}*y_{0}))/s_{0}"


@pytest.mark.parametrize("gate", ["f", "i", "g", "o"])
def test_the_usual_form_is_right_at_each_gate(gate):
    assert verdicts("lnlstm", (OWN + USUAL).format(gate)) == [R, R, R]


def test_the_cell_state_has_its_carry_beside_it():
    sheet = "y = m_c/s_c\ndy = dk*gamma_c\ndc = dc_next + (dy - mean(dy) - y*mean(dy*y))/s_c"
    assert verdicts("lnlstm", sheet) == [R, R, R]


@pytest.mark.parametrize(
    ("form", "mistake"),
    [
        ("(dy_i - mean(dy_i) + y_i*mean(dy_i*y_i))/s_i", "the sign of the term y_i*mean(dy_i*y_i) is flipped"),
        ("(dy_i - mean(dy_i))/s_i", "the term y_i*mean(dy_i*y_i) is missing"),
        ("dy_i - mean(dy_i) - y_i*mean(dy_i*y_i)", "the division by s_i is missing"),
        ("(dy_i - mean(dy_i) - mean(dy_i*y_i))/s_i", "the factor y_i is missing"),
    ],
)
def test_what_is_wrong_in_it_is_said_in_its_own_terms(form, mistake):
    found = marks("lnlstm", OWN.format("i") + form)
    assert [mark.mistake for mark in found] == ["", "", mistake]
    assert found[2].correct == "dl_i = (dy_i - mean(dy_i) - y_i*mean(dy_i*y_i))/s_i"


@pytest.mark.parametrize(
    ("form", "mistake"),
    [
        ("(dy_o - y_o*mean(dy_o*y_o))/s_o", "the path l_o -> mu_o (mean) is missing"),
        ("(dy_o + mean(dy_o) - y_o*mean(dy_o*y_o))/s_o", "the sign of the term through mu_o is flipped"),
    ],
)
def test_what_is_wrong_with_the_mean_is_the_path_through_it(form, mistake):
    found = mistakes("lnlstm", OWN.format("o") + form)
    assert list(found) == [3]
    assert found[3].startswith(mistake)
