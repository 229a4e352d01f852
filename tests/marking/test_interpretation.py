"""A line with several readings has the one that proof decides for, and where none does it is called unsure."""

import pytest

from derivations.cell import CellError
from derivations.marking.marked import Verdict
from tests.marking.marks import marked, only, wrong
from tests.marking.right_sheets import planted


def test_the_meaning_of_a_name_is_decided_by_proof():
    at_gate = marked("df = dc*c_prev\nda_f = df*f*(1-f)")
    before_it = marked("df = dc*c_prev*f*(1-f)\ndb_f = df")
    assert [m.quantity for m in at_gate.marks] == ["df", "da_f"]
    assert [m.quantity for m in before_it.marks] == ["da_f", "db_f"]
    assert not wrong(at_gate)
    assert not wrong(before_it)
    assert "df is da_f" in before_it.reading


def test_a_mistake_is_charged_once_where_it_was_made():
    found = marked("df = dc*c\nda_f = df*f*(1-f)\ndW_hf = outer(da_f, h_prev)\ndW_xf = outer(da_f, x)")
    assert list(wrong(found)) == [1]
    assert (found.right, found.of) == (3, 4)


def test_an_intermediate_of_their_own_is_no_quantity_and_may_be_used():
    found = marked("s = 1 - f\nk = dc*c_prev\nda_f = k*f*s")
    assert [m.verdict for m in found.marks] == [Verdict.OTHER, Verdict.OTHER, Verdict.RIGHT]


def test_a_slope_under_the_name_of_an_error_is_no_mistake():
    found = marked("df = f*(1-f)\nda_f = dc*c_prev*df")
    assert not wrong(found)
    assert found.marks[1].verdict is Verdict.RIGHT


def test_an_unknown_helper_makes_unsure_unless_one_reading_is_right():
    assert only("da_f = dc*c_prev*dsigmoid(f)").verdict is Verdict.RIGHT
    assert only("da_f = dc*c_prev*dsigmoid(a_f)").verdict is Verdict.RIGHT
    assert only("da_f = dc*c*dsigmoid(f)").verdict is Verdict.UNSURE


def test_a_name_that_nobody_knows_makes_unsure_and_a_names_section_settles_it():
    line = "da_f = dc*qux*f*(1-f)*zap"
    assert only(line).verdict is Verdict.UNSURE
    assert only(f"names: qux = c_prev, zap = f\n{line}").verdict is Verdict.WRONG
    assert only("names: qux = c_prev\nda_f = dc*qux*f*(1-f)").verdict is Verdict.RIGHT


def test_a_names_section_that_names_nothing_of_the_cell_is_an_error():
    with pytest.raises(CellError, match="zzz"):
        marked("names: df = zzz\ndf = dc")


def test_a_transposition_does_not_hide_in_another_layout():
    assert only("dh_prev = W_hh @ da_h", "rnn").verdict is Verdict.WRONG
    assert only("dh_prev = da_h @ W_hh.T", "rnn").verdict is Verdict.UNSURE  # right for rows


def test_what_has_three_indices_is_unsure():
    found = marked("dc/dW_xf = c_prev*f*(1-f)*0.3\ndh_t/dc_{t-1} = o*(1-tanh(c)^2)*f")
    assert [m.verdict for m in found.marks] == [Verdict.UNSURE, Verdict.RIGHT]
    assert found.marks[0].mistake == "dc/dW_xf has more than two indices"


def test_quantities_that_are_left_out_are_listed():
    assert "dW_xf" in marked("da_f = dc*c_prev*f*(1-f)").not_given


def test_what_a_step_is_handed_as_what_comes_back_may_be_the_whole_error():
    found, line = planted("packed", "dh_next * np.tanh(c) * o * (1 - o)", "dh_next * np.tanh(c) * o")
    assert wrong(found) == {line: "the factor (1 - o) is missing"}


def test_a_mean_is_unsure():
    found = marked("db_f = da_f/m").marks[0]
    assert (found.verdict, found.mistake) == (
        Verdict.UNSURE,
        "m is no quantity of the cell: a mean is right where the loss is one",
    )


def test_a_guess_at_a_name_needs_more_than_one_line():
    assert marked("da_f = dc*qux*f*(1-f)").marks[0].verdict is Verdict.UNSURE
    found = marked("da_f = dc*qux*f*(1-f)\ndc_prev = dc*f\ndf = dc*qux")
    assert [mark.verdict for mark in found.marks] == [Verdict.RIGHT] * 3


def test_the_error_of_what_a_sheet_has_named_itself_is_not_accused():
    """`y` means the output to some; here it is the sheet's own, and `dy` is no error of h."""
    own = "y = f*o\ndy = dc*2"
    assert not wrong(marked(own))
    assert list(wrong(marked("do = dh*tanh(c)\ndi = dc*i"))) == [2]
