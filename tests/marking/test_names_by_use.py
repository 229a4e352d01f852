"""Names that do not say what they are: told by the lines that read them, or by the error that their value is."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marked, marks, verdicts

W, R, OTHER = Verdict.WRONG, Verdict.RIGHT, Verdict.OTHER
BY_USERS = {
    "rnn": ("dblob = dh*{}\ndx = W_xh.T @ dblob\ndW_xh = outer(dblob, x)\ndW_hh = outer(dblob, h_prev)", "da_h"),
    "lstm": ("dblob = dc*{}\ndW_xf = outer(dblob, x)\ndW_hf = outer(dblob, h_prev)\ndb_f = dblob", "da_f"),
    "gru": ("dblob = dh*(1-z)*{}\ndW_xn = outer(dblob, x)\ndb_n = dblob\ndq = dblob*r", "da_n"),
}


@pytest.mark.parametrize(("cell", "right"), [("rnn", "(1 - h^2)"), ("lstm", "c_prev*f*(1-f)"), ("gru", "(1 - n^2)")])
def test_a_name_that_says_nothing_is_what_its_value_is(cell, right):
    assert verdicts(cell, BY_USERS[cell][0].format(right)) == [R] * 4


@pytest.mark.parametrize(
    ("cell", "wrong", "mistake"),
    [
        ("rnn", "(1 - h)", "h where h**2 is due"),
        ("rnn", "h", "h for its slope (1 - h**2)"),
        ("lstm", "c*f*(1-f)", "c of this step where c_prev is due"),
        ("lstm", "c_prev*f", "the factor (1 - f) is missing"),
        ("gru", "n", "n for its slope (1 - n**2)"),
    ],
)
def test_a_wrong_line_under_such_a_name_is_known_by_those_that_read_it(cell, wrong, mistake):
    text, quantity = BY_USERS[cell]
    found = marks(cell, text.format(wrong))
    assert (found[0].quantity, found[0].verdict, found[0].mistake) == (quantity, W, mistake)
    assert [mark.verdict for mark in found[1:]] == [R] * 3


def test_one_line_that_reads_it_is_too_few():
    assert verdicts("rnn", "dblob = dh*h\ndx = W_xh.T @ dblob")[0] is not W


@pytest.mark.parametrize(
    ("cell", "own", "line", "mistake", "right"),
    [
        ("lstm", "k = dc*c_prev", "da_f = k*f", "the factor (1 - f) is missing", "da_f = k*f*(1 - f)"),
        ("lstm", "y = dc*i", "da_g = y*(1-g)", "g where g**2 is due", "da_g = y*(1 - g**2)"),
        (
            "rnn",
            "s = dh*(1-h^2)",
            "dW_hh = outer(s, h)",
            "h of this step where h_prev is due",
            "dW_hh = outer(s, h_prev)",
        ),
        ("rnn", "s = dh*(1-h^2)", "dh_prev = s @ W_hh.T", "W_hh must be transposed", "dh_prev = W_hh.T @ s"),
        ("gru", "k = da_n*r", "dW_hn = outer(k, h)", "h of this step where h_prev is due", "dW_hn = outer(k, h_prev)"),
    ],
)
def test_an_error_under_a_name_that_is_none_for_one_is_used_as_that_error(cell, own, line, mistake, right):
    gradient = {"lstm": "di = dc*g", "rnn": "dW_xh = outer(s, x)", "gru": "db_hn = k"}[cell]
    first, other, last = marks(cell, f"{own}\n{gradient}\n{line}")
    assert [first.verdict, other.verdict] == [OTHER, R]
    assert (last.verdict, last.mistake, last.correct) == (W, mistake, right)


def test_what_it_was_taken_to_be_is_stated():
    assert "k is df" in marked("k = dc*c_prev\nda_f = k*f*(1-f)").reading
