"""Sheets of which nearly all would be wrong: they are for another cell, or are misread, or every line is wrong indeed."""

import pytest

from derivations.document import Paragraph
from derivations.marking.at_fault import unless_all_are_wrong
from derivations.marking.marked import Mark, Verdict
from derivations.reports import mark as report
from tests.marking.marks import course_for, marked, wrong
from tests.marking.right_sheets import LSTM, RIGHT_SHEETS


@pytest.mark.parametrize(
    ("name", "cell"),
    [("lstm", "gru"), ("lstm", "rnn"), ("gru", "lstm"), ("gru", "rnn"), ("vectors", "gru"), ("loop", "gru"), ("latex", "gru")],
)  # fmt: skip
def test_a_sheet_for_another_cell_is_said_to_be(name, cell):
    _, notation, text = RIGHT_SHEETS[name]
    found = marked(text, cell, notation)
    assert found.doubt.startswith("this sheet seems to be for another cell")
    assert not wrong(found)
    assert {m.quantity for m in found.marks if m.verdict is Verdict.RIGHT} <= {"dh", "dh_prev"}


def test_the_reports_say_that_a_sheet_seems_to_be_for_another_cell():
    found = report.Sheet("a.txt", marked(LSTM, "gru"))
    words = "this sheet seems to be for another cell: it names none of the gates of gru"
    assert report.record(course_for("gru").cell, [found])["files"][0]["doubt"] == words
    assert words[1:] in report.feedback(found)
    assert words in report.table([found])
    assert words in report.gradescope(found)["output"]
    shown = [block for block in report.document(course_for("gru").cell, [found]).blocks if isinstance(block, Paragraph)]
    assert any(words[1:] in str(block) for block in shown)


def test_forward_equations_of_another_cell_are_told():
    before = "z = sigmoid(W_xz@x + b_z)\nr = sigmoid(W_xr@x + b_r)\nn = tanh(W_xn@x)\nda_z = dz*z*(1-z)"
    found = marked(before, "gru")
    assert found.doubt.endswith("3 of its 3 forward equations are not those of gru")
    assert {mark.verdict for mark in found.marks} == {Verdict.UNSURE}
    other = "r = sigmoid(W_xr@x + W_hr@h_prev + b_r)\nda_z = dz*z*(1-z)\ndn = dh*(1-z)"
    one = marked(f"z = sigmoid(W_xz@x + W_hz@h_prev)\n{other}", "gru")  # a bias is forgotten
    assert not one.doubt
    assert list(wrong(one)) == [1]


def test_where_no_gradient_is_right_the_reading_is_rather_at_fault():
    """Three wrong lines and none that is right: rather the reader has taken a name for another."""
    wrongs = [Mark(k, 1, "", f"dW_{k}", Verdict.WRONG, "a factor is missing") for k in (2, 3, 4)]
    forward = Mark(1, 1, "", "h", Verdict.RIGHT)
    found = unless_all_are_wrong([forward, *wrongs])
    assert [mark.verdict for mark in found] == [Verdict.RIGHT, *[Verdict.UNSURE] * 3]
    assert found[1].mistake == "no gradient of the sheet is right as it is read; so read: a factor is missing"
    right = Mark(5, 1, "", "da_h", Verdict.RIGHT)
    assert unless_all_are_wrong([forward, *wrongs, right]) == (forward, *wrongs, right)
    assert unless_all_are_wrong([forward, *wrongs[:2]]) == (forward, *wrongs[:2])


def test_in_the_names_of_the_derivation_every_line_may_be_wrong():
    text = "da_h = dh*(1 - h)*h\ndW_xh = -outer(da_h, x)\ndb_h = da_h*h"
    assert list(wrong(marked(text, "rnn"))) == [1, 2, 3]
