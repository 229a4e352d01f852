"""What the text of a program shows: gradients overwritten, errors ignored, zeros given back, gates in another order."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marks

LSTM = """
def backward(dhs, dc_last, saved, p):
    grads = {k: np.zeros_like(v) for k, v in p.items()}
    dW, db = np.zeros_like(p["W"]), 0
    dh_next = np.zeros_like(dhs[0])
    dc_next = dc_last
    for t in reversed(range(len(saved))):
        x, h_prev, c_prev, i, f, g, o, c = saved[t]
        dh = dhs[t] + dh_next
        dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
        da_i = dc * g * i * (1 - i)
        da_f = dc * c_prev * f * (1 - f)
        da_g = dc * i * (1 - g ** 2)
        da_o = dh * np.tanh(c) * o * (1 - o)
        grads["W_xi"] += np.outer(da_i, x)
        grads["b_i"] += da_i
        grads["W_xf"] += np.outer(da_f, x)
        dh_next = p["W_hi"].T @ da_i + p["W_hf"].T @ da_f + p["W_hg"].T @ da_g + p["W_ho"].T @ da_o
        dc_next = dc * f
    return grads, dh_next, dc_next
"""
STEP = """
def step_backward(grad_h, grad_c, x, h_prev, c_prev, i, f, g, o, c):
    dc = grad_c + grad_h * o * (1 - np.tanh(c) ** 2)
    dc_prev = dc * f
    return dc_prev
"""
RNN = """
def backward(dh, hs, x, Wx, Wh):
    # dh: (N, T, H), hs[:, 0] is the initial state
    dWx, dWh = np.zeros_like(Wx), np.zeros_like(Wh)
    dprev = np.zeros((N, H))
    t = T - 1
    while t >= 0:
        dcur = dh[:, t] + dprev
        da = dcur * (1 - hs[:, t + 1] ** 2)
        dWx += x[:, t].T @ da
        dWh += hs[:, t].T @ da
        dprev = da @ Wh.T
        t -= 1
    return dWx, dWh, dprev
"""
PACKED = """
def forward(x, h_prev, c_prev, W, U, b):
    i, f, g, o = np.split(W @ x + U @ h_prev + b, 4)
    i, f, o = sigmoid(i), sigmoid(f), sigmoid(o)
    g = np.tanh(g)
    return f * c_prev + i * g

def backward(dh, dc_next, x, h_prev, c_prev, i, f, g, o, c, U):
    dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
    di = dc * g * i * (1 - i)
    df = dc * c_prev * f * (1 - f)
    dg = dc * i * (1 - g ** 2)
    do = dh * np.tanh(c) * o * (1 - o)
    da = np.concatenate([di, df, dg, do])
    dh_prev = U.T @ da
    return dh_prev
"""
PIECES = """
# rows of a: i | f | g | o
dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
da = np.zeros(4 * n)
da[:n] = dc * g * i * (1 - i)
da[n:2*n] = dc * c_prev * f * (1 - f)
da[2*n:3*n] = dc * i * (1 - g ** 2)
da[3*n:] = dh * np.tanh(c) * o * (1 - o)
dWx = np.outer(da, x)
"""


def wrong(cell, text):
    return [(text.split("\n")[mark.line - 1].strip(), mark.mistake) for mark in marks(cell, text, "python")
            if mark.verdict is Verdict.WRONG]  # fmt: skip


@pytest.mark.parametrize(("cell", "text"), [("lstm", LSTM), ("lstm", STEP), ("rnn", RNN), ("lstm", PACKED),
                                            ("lstm", PIECES)])  # fmt: skip
def test_what_is_right_is_not_accused(cell, text):
    assert wrong(cell, text) == []


@pytest.mark.parametrize(
    ("cell", "text", "theirs", "planted", "said"),
    [
        ("lstm", LSTM, 'grads["b_i"] += da_i', 'grads["b_i"] = da_i', "overwritten"),
        ("lstm", LSTM, 'grads["W_xf"] += np.outer(da_f, x)', 'grads["W_xf"] = np.outer(da_f, x)', "overwritten"),
        ("rnn", RNN, "dWh += hs[:, t].T @ da", "dWh = hs[:, t].T @ da", "overwritten"),
        ("lstm", LSTM, "dc_next = dc_last", "dc_next = np.zeros_like(dc_last)", "dc_last is ignored"),
        ("lstm", LSTM, "return grads, dh_next, dc_next", "return grads, np.zeros_like(dh_next), dc_next", "zero"),
        ("lstm", STEP, "dc = grad_c + grad_h * o", "dc = grad_h * o", "grad_c, what comes in from outside, is missing"),
        ("rnn", RNN, "dcur = dh[:, t] + dprev", "dcur = dh[:, t]", "dprev, is missing"),
        ("rnn", RNN, "dWh += hs[:, t].T @ da", "dWh += hs[:, t + 1].T @ da", "h_prev is due"),
        ("lstm", PACKED, "[di, df, dg, do]", "[df, di, dg, do]", "the blocks of f and i are swapped"),
        ("lstm", PIECES, "i | f | g | o", "i | g | f | o", "the block of f stands where that of g is due"),
    ],
)
def test_what_is_planted_is_named_where_it_is(cell, text, theirs, planted, said):
    assert theirs in text
    found = wrong(cell, text.replace(theirs, planted))
    assert any(said in mistake for _, mistake in found)
    assert len(found) <= 2


def test_a_gradient_among_running_sums_is_overwritten_in_the_body_of_one_step():
    text = "grads['Wf'] += np.outer(da_f, x)\ngrads['bf'] += da_f\ngrads['bi'] = da_i\ngrads['Ui'] += np.outer(da_i, h_prev)"
    assert [line for line, _ in wrong("lstm", text)] == ["grads['bi'] = da_i"]


@pytest.mark.parametrize(
    "text",
    [
        "dWf = np.outer(da_f, x)\ndbf = da_f\ngrads['Wf'] += dWf\ngrads['bf'] += dbf",  # read later
        "dWf = np.outer(da_f, x)\ndbf = da_f\ndWi = np.outer(da_i, x)",  # one step alone
        "for t in reversed(range(T)):\n    dW[t] = np.outer(da_f[t], x[t])\n    dbf += da_f[t]",  # of each step
    ],
)
def test_what_is_read_or_kept_by_step_is_not_overwritten(text):
    assert not any("overwritten" in mistake for _, mistake in wrong("lstm", text))


def test_zeros_that_a_step_is_given_in_a_loop_are_told():
    text = """
def step(dnext_h, dnext_c, saved):
    x, h_prev, c_prev, i, f, g, o, c = saved
    dc = dnext_c + dnext_h * o * (1 - np.tanh(c) ** 2)
    dprev_c = dc * f
    da = np.concatenate([dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g ** 2), dnext_h * np.tanh(c) * o * (1 - o)])
    dprev_h = U.T @ da
    return dprev_h, dprev_c

def backward(dh, cache):
    dprev_h, dprev_c = np.zeros(H), np.zeros(H)
    for t in range(T - 1, -1, -1):
        dprev_h, dprev_c = step(dh[t] + dprev_h, np.zeros(H), cache[t])
    return dprev_h, dprev_c
"""
    found = wrong("lstm", text)
    assert any("zeros are given for dnext_c" in mistake for _, mistake in found)
