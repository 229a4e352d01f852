"""A layer behind the cell, `y = V h + c`: its gradients, and the error of the state through it."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marks, mistakes, verdicts

W, R, TRUNCATED = Verdict.WRONG, Verdict.RIGHT, Verdict.TRUNCATED
PAPER = "y = V h + c\ndV = dy h^T\ndc = dy\ndh = V^T dy + dh_next\nda = dh*(1 - h^2)"
OVER_TIME = "o_t = V h_t + c\ndL/dV = sum_t dL/do_t h_t^T\ndL/dh_t = V^T dL/do_t + W_hh^T da_{t+1}"
IN_LSTM = "y = W_hy h + b_y\ndW_hy = dy h^T\ndb_y = dy\ndh = W_hy^T dy + dh_next\ndo = dh*tanh(c)"
LOOP = """def grads(xs, hs, ps, targets, U, W, V, T):
    dU, dW, dV = np.zeros_like(U), np.zeros_like(W), np.zeros_like(V)
    db, dc = np.zeros_like(b), np.zeros_like(c)
    carry = np.zeros_like(hs[0])
    for t in reversed(range(T)):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dV += np.outer(dy, hs[t])
        dc += dy
        dh = V.T @ dy + carry
        da = dh * (1 - hs[t]**2)
        dU += np.outer(da, xs[t])
        dW += np.outer(da, hs[t-1])
        db += da
        carry = W.T @ da
    return dU, dW, dV, db, dc
"""


def planted(cell, text, old, new):
    assert text.count(old) == 1
    line = text[: text.index(old)].count("\n") + 1
    return mistakes(cell, text.replace(old, new)), line


@pytest.mark.parametrize(("cell", "text"), [("rnn", PAPER), ("rnn", OVER_TIME), ("lstm", IN_LSTM)])
def test_a_layer_on_paper_is_right_in_every_line(cell, text):
    assert set(verdicts(cell, text)) == {R}


@pytest.mark.parametrize(
    ("cell", "text", "old", "new", "mistake"),
    [
        ("rnn", PAPER, "dy h^T", "h dy^T", "the outer product is the wrong way round"),
        ("rnn", PAPER, "dy h^T", "dy h_prev^T", "h_prev where h of this step is due"),
        ("rnn", PAPER, "V^T dy", "V dy", "V must be transposed"),
        ("rnn", OVER_TIME, "dL/do_t h_t^T", "dL/do_t h_{t-1}^T", "h[t-1] where h of this step is due"),
        ("lstm", IN_LSTM, "dy h^T", "dy c^T", "c where h is due"),
        ("lstm", IN_LSTM, "db_y = dy", "db_y = dy*h", "the factor h is too much"),
    ],
)
def test_a_mistake_in_the_layer_is_charged_once(cell, text, old, new, mistake):
    found, line = planted(cell, text, old, new)
    assert found == {line: mistake}


def test_an_error_through_the_layer_alone_is_that_of_the_last_step():
    assert verdicts("rnn", PAPER.replace(" + dh_next", "")) == [R, R, R, TRUNCATED, R]


def test_a_layer_that_only_its_gradients_speak_of_is_known():
    sheet = "dV = dy h^T\ndh = V^T dy + dh_next\ndz = dh*(h_prev - n)"
    assert verdicts("gru", sheet) == [R, R, R]
    assert mistakes("gru", sheet.replace("V^T dy", "V dy")) == {2: "V must be transposed"}


def test_a_loop_with_a_layer_has_no_wrong_line():
    found = {mark.line: mark for mark in marks("rnn", LOOP, "python")}
    assert {found[line].verdict for line in range(8, 16)} == {R}
    assert (found[8].quantity, found[9].quantity) == ("grad_V", "grad_c")


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ("np.outer(dy, hs[t])", "np.outer(dy, hs[t-1])", "hs[t-1] where hs[t] of this step is due"),
        ("V.T @ dy + carry", "V.T @ dy", "the carry is never added"),
        ("V.T @ dy", "V @ dy", "V must be transposed"),
        ("dV += np", "dV = np", "it must accumulate over time"),
        ("(1 - hs[t]**2)", "(1 - hs[t])", "hs[t] where hs[t]**2 is due"),
    ],
)
def test_a_mistake_in_a_loop_with_a_layer_is_charged_once(old, new, mistake):
    found, line = planted("rnn", LOOP, old, new)
    assert list(found) == [line]
    assert mistake in found[line]
