"""What is said of a line is in the letters of its sheet, at its own step."""

import pytest

from tests.marking.marks import marked, marks, wrong

LETTERS = r"Let $u = W_{hh}$ and $w = W_{xh}$." + "\n"
ERROR = r"$\delta = (1-h^2) \odot dh$" + "\n"
STATE = r"s^t = \tanh(U x^t + W s^{t-1} + b)" + "\n"
DELTA = r"\delta^t = (1 - (s^t)^2) \odot \frac{\partial L}{\partial s^t}" + "\n"
OVER_TIME = r"\frac{\partial L}{\partial W} = \sum_t \delta^t (s^t)^\top"


@pytest.mark.parametrize(
    ("line", "mistake", "right"),
    [
        (r"$dh_{t-1} = u\, dh$", "the factor (1 - h**2) is missing", r"dh_{t-1} = u\, dh\, (1 - h_t^2)"),
        (r"$dh_{t-1} = w\, \delta$", "w where u is due", r"dh_{t-1} = u\, \delta"),
        (r"$dx = u\, \delta$", "u where w is due", r"dx = w\, \delta"),
    ],
)
def test_a_letter_that_a_sheet_gives_a_weight_stands_for_it(line, mistake, right):
    found = marked(LETTERS + ERROR + line, "rnn", "latex")
    last = found.marks[-1]
    assert (last.mistake, last.correct) == (mistake, right)
    assert {"u is W_hh", "w is W_xh"} <= {*found.reading}


def test_a_step_above_the_line_is_said_above_the_line():
    found = marked(STATE + DELTA + OVER_TIME, "rnn", "latex")
    assert wrong(found) == {3: "s^t of this step where s^{t-1} is due"}
    assert "s^{t-1} is h_prev" in found.reading


@pytest.mark.parametrize(
    ("line", "now", "before", "right"),
    [
        (r"\delta f^t = \delta c^t \odot c^t", "c^t", "c^{t-1}", r"\delta f^t = \delta c^t\, c^{t-1}"),
        (r"\delta f_t = \delta c_t \odot c_t", "c_t", "c_{t-1}", r"\delta f_t = \delta c_t\, c_{t-1}"),
    ],
)
def test_the_step_before_is_named_as_this_one_is(line, now, before, right):
    (found,) = marks("lstm", line, "latex")
    assert found.mistake == f"{now} of this step where {before} is due"
    assert found.correct == right


def test_a_state_under_another_letter_keeps_it():
    text = "s_t = tanh(U x_t + W s_{t-1} + b)\nda_t = ds_t*(1 - s_t^2)\ndW = sum_t da_t s_t^T"
    found = marks("rnn", text)[-1]
    assert (found.mistake, found.correct) == ("s of this step where s[t-1] is due", "dW = sum_t outer(da, s[t-1])")
