"""Conventions of programs that their own text settles: each with a program that is right and one that is not."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marks

SAID = '''
def backward(xs, hs, r, z, n, q, dy, Wxr, Wxz, Wxn, Whr, Whz, Whn):
    """hs: (T+1, N, H), hs[0] is the initial state; q = hs[t] @ Whn + bhn"""
    dh_next = np.zeros_like(hs[0])
    for t in range(len(xs))[::-1]:
        dh = dy[t] + dh_next
        da_n = dh * (1 - z[t]) * (1 - n[t] ** 2)
        da_z = dh * (hs[t] - n[t]) * z[t] * (1 - z[t])
        da_r = da_n * q[t] * r[t] * (1 - r[t])
        dq = da_n * r[t]
        dh_next = dh * z[t] + da_r @ Whr.T + da_z @ Whz.T + dq @ Whn.T
'''
LETTERS = """
def backward(X, S, dS, U, W):
    # S[0] = s_0
    dU, dW, db = np.zeros_like(U), np.zeros_like(W), np.zeros(W.shape[0])
    delta = np.zeros(W.shape[0])
    for t in reversed(range(len(X))):
        delta = (dS[t] + W.T @ delta) * (1 - S[t + 1] ** 2)
        dU += np.outer(delta, X[t])
        dW += np.outer(delta, S[t])
        db += delta
"""
GATES = """
def grads(T, x, h, c, gates, dL_dh, U):
    # h[t], c[t] for t = 0..T, h[0], c[0] initial; x[t] for t = 1..T
    dU = {k: np.zeros_like(U[k]) for k in U}
    dh_rec, dc_rec = np.zeros_like(h[0]), np.zeros_like(c[0])
    for t in range(T, 0, -1):
        i, f, g, o = (gates[t][k] for k in "ifgo")
        dh = dL_dh[t] + dh_rec
        dc = dc_rec + dh * o / np.cosh(c[t]) ** 2
        a = {}
        a["i"] = dc * g * i * (1 - i)
        a["f"] = dc * c[t - 1] * f * (1 - f)
        a["g"] = dc * i * (1 - g * g)
        a["o"] = dh * np.tanh(c[t]) * o * (1 - o)
        for k in "ifgo":
            dU[k] += np.outer(a[k], h[t - 1])
        dh_rec = sum(U[k].T @ a[k] for k in "ifgo")
        dc_rec = f * dc
"""
ORDER = """
def backward(tape, grad_hs, Wr, Wz, Whn):
    # n = tanh(Wxn @ x + r * q + bn) with q = Whn @ h + bhn
    n = Whn.shape[0]
    gWr, gWz = np.zeros_like(Wr), np.zeros_like(Wz)
    grad_next = np.zeros(n)
    for (x, h, r, z, q, nn), grad in zip(tape[::-1], grad_hs[::-1]):
        v = np.concatenate([h, x])
        grad_h = grad + grad_next
        grad_nn = grad_h * (1 - z) * (1 - nn ** 2)
        grad_q = grad_nn * r
        grad_r = grad_nn * q * r * (1 - r)
        grad_z = grad_h * (h - nn) * z * (1 - z)
        grad_v = Wr.T @ grad_r + Wz.T @ grad_z
        gWr += np.outer(grad_r, v)
        gWz += np.outer(grad_z, v)
        grad_next = grad_h * z + Whn.T @ grad_q + grad_v[:n]
"""
SIZES = """
def bptt(grad_h, saved, Wf, Wi, Wg, Wo):
    gWf = np.zeros_like(Wf)
    m = saved[0][0].size
    dh_next, dc_next = np.zeros_like(saved[0][1]), np.zeros_like(saved[0][2])
    for (x, h_prev, c_prev, f, i, g, o, c), gh in zip(saved[::-1], grad_h[::-1]):
        xh = np.concatenate([x, h_prev])
        dh = gh + dh_next
        dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
        daf = dc * c_prev * f * (1 - f)
        dai = dc * g * i * (1 - i)
        dag = dc * i * (1 - g ** 2)
        dao = dh * np.tanh(c) * o * (1 - o)
        gWf += np.outer(daf, xh)
        dxh = Wf.T @ daf + Wi.T @ dai + Wg.T @ dag + Wo.T @ dao
        dh_next = dxh[m:]
        dc_next = dc * f
"""
STATES = """
for t in reversed(range(T)):
    dh = dh_out[t] + dh_next
    da = dh * (1 - hs[t] ** 2)
    dWhh += da @ hs[t - 1].T
    dh_next = Whh.T @ da
"""
HANDED = """
class Net:
    def forward(self, inputs, h):
        self.hs, self.inputs = {0: h}, inputs
        for i, x in enumerate(inputs):
            h = np.tanh(self.Wxh @ x + self.Whh @ h + self.bh)
            self.hs[i + 1] = h
        return h

    def backward(self, d_h):
        d_Whh, d_bh = np.zeros_like(self.Whh), np.zeros_like(self.bh)
        for t in reversed(range(len(self.inputs))):
            temp = (1 - self.hs[t + 1] ** 2) * d_h
            d_bh += temp
            d_Whh += temp @ self.hs[t].T
            d_h = self.Whh.T @ temp
        return d_Whh, d_bh, d_h
"""
LETTER = """
def back(tape, dhs, Ur, Uz, Un):
    e = np.zeros_like(dhs[0])
    for (h_prev, r, z, q, n), d in zip(reversed(tape), reversed(dhs)):
        e = e + d
        da_n = e * (1 - z) * (1 - n * n)
        da_z = e * (h_prev - n) * z * (1 - z)
        da_r = da_n * q * r * (1 - r)
        e = e * z + Ur.T @ da_r + Uz.T @ da_z + Un.T @ (da_n * r)
"""
STEP = """
d_update = grad_out * (h_old - candidate)
d_update_pre = d_update * update * (1 - update)
d_candidate = grad_out * (1 - update)
d_candidate_pre = d_candidate * (1 - candidate.pow(2))
d_reset = d_candidate_pre * q
d_reset_pre = d_reset * reset * (1 - reset)
grad_h_old = grad_out * update + U_z.T @ d_update_pre + U_r.T @ d_reset_pre + U_n.T @ (d_candidate_pre * reset)
"""
TORCH = """
def backward(ctx, grad_h, grad_cell):
    input_gate, output_gate, candidate_cell, forget_gate, old_cell, new_cell = ctx.saved_tensors
    tanh_new = torch.tanh(new_cell)
    d_output_gate = tanh_new * grad_h
    d_new_cell = grad_cell + output_gate * (1 - tanh_new.pow(2)) * grad_h
    d_old_cell = forget_gate * d_new_cell
    d_candidate_cell = input_gate * d_new_cell
    d_forget_gate = old_cell * d_new_cell
"""
SUMS = """
grads["Wxi"] += np.outer(di_pre, x)
grads["bi"] += di_pre
grads["Wxf"] += np.outer(df_pre, x)
grads["Whf"] += np.outer(df_pre, h_prev)
grads["bf"] += df_pre
"""
PRE = """
for s, up in zip(reversed(states), reversed(grad_h)):
    dh = up + dh_next
    dc = dc_next + dh * s["o"] * (1 - np.tanh(s["c"]) ** 2)
    pre_o = dh * np.tanh(s["c"]) * s["o"] * (1 - s["o"])
    pre_i = dc * s["g"] * s["i"] * (1 - s["i"])
    pre_f = dc * s["c_prev"] * s["f"] * (1 - s["f"])
    pre_g = dc * s["i"] * (1 - s["g"] ** 2)
    dc_next = dc * s["f"]
"""
COLLECTED = """
for t in reversed(range(T)):
    dh = dh_out[t] + dh_next
    da = dh * (1 - hs[t] ** 2)
    d_x.insert(0, Wxh.T @ da)
    dh_next = Whh.T @ da
"""
SIDES = """
da_n = dh * (1 - z) * (1 - n * n)
da_z = dh * (h_prev - n) * z * (1 - z)
da_r = da_n * q * r * (1 - r)
d_gi = np.concatenate([da_r, da_z, da_n])
d_gh = np.concatenate([da_r, da_z, da_n * r])
"""
RESTARTED = """
dh_next = np.zeros(H)
for t in reversed(range(T)):
    dh = dh_out[t] + dh_next
    da = dh * (1 - hs[t] ** 2)
    dh_next = np.zeros(H)
    dh_next += Whh.T @ da
"""
# of each program: the cell, how many lines are right, and a mistake with the line that it makes wrong
PROGRAMS = {
    "a docstring says what an array starts with": (SAID, "gru", 5, "(hs[t] - n[t])", "(hs[t + 1] - n[t])"),
    "capital letters": (LETTERS, "rnn", 4, "np.outer(delta, S[t])", "np.outer(delta, S[t + 1])"),
    "a dictionary of gates": (GATES, "lstm", 9, "c[t - 1] * f", "c[t] * f"),
    "a sum over gates": (GATES, "lstm", 9, "U[k].T @ a[k]", "U[k] @ a[k]"),
    "cosh": (GATES, "lstm", 9, "np.cosh(c[t]) ** 2", "np.cosh(c[t])"),
    "the order that a weight's gradient shows": (ORDER, "gru", 8, "grad_v[:n]", "grad_v[-n:]"),
    "the size of what is stored": (SIZES, "lstm", 9, "dxh[m:]", "dxh[:-m]"),
    "one array, one meaning": (STATES, "rnn", 4, "(1 - hs[t] ** 2)", "(1 - np.tanh(hs[t]) ** 2)"),
    "many to one": (HANDED, "rnn", 4, "self.Whh.T @ temp", "self.Whh @ temp"),
    "one letter for an error": (LETTER, "gru", 5, "e = e * z + Ur", "e = Ur"),
    "one step of a class": (STEP, "gru", 4, "(h_old - candidate)", "(candidate - h_old)"),
    "the names of a tutorial": (TORCH, "lstm", 5, "= old_cell * d", "= new_cell * d"),
    "sums that have started elsewhere": (SUMS, "lstm", 5, '["bf"] += df_pre', '["bf"] += di_pre'),
    "errors under the names of preactivations": (PRE, "lstm", 7, '(1 - s["g"] ** 2)', '(1 - s["g"])'),
    "the two sides of packed gates": (SIDES, "gru", 5, "da_z, da_n * r]", "da_z, da_n]"),
    "a sum that starts anew": (RESTARTED, "rnn", 3, "+= Whh.T", "+= Whh"),
    "what is put into a list": (COLLECTED, "rnn", 4, "d_x.insert(0, Wxh.T @ da)", "d_x.insert(0, Whh.T @ da)"),
}


def marks_of(text, cell):
    return marks(cell, "import numpy as np\nimport torch\n" + text, "python")


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_right_program_of_this_convention_has_no_wrong_line(what):
    text, cell, right, _, _ = PROGRAMS[what]
    found = marks_of(text, cell)
    assert [(m.line, m.mistake) for m in found if m.verdict is Verdict.WRONG] == []
    assert sum(m.verdict in (Verdict.RIGHT, Verdict.TRUNCATED) for m in found) >= right


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_mistake_in_a_program_of_this_convention_is_found_where_it_is(what):
    text, cell, _, old, new = PROGRAMS[what]
    assert text.count(old) == 1
    wrong = [m.line for m in marks_of(text.replace(old, new), cell) if m.verdict is Verdict.WRONG]
    assert wrong == [2 + text[: text.index(old)].count("\n") + 1]
