"""Spellings of Python that mean the same: new axes, letters of einsum, arrays with the batch first, entries of steps."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marks


@pytest.mark.parametrize(
    "line",
    [
        "dW_hf = da_f[:, None] * h_prev[None, :]",
        "dW_hf = da_f[:, np.newaxis] * h_prev",
        "dW_hf = da_f.unsqueeze(1) @ h_prev.unsqueeze(0)",
        "dW_hf = torch.ger(da_f, h_prev)",
        "dW_hf = np.einsum('p,q->pq', da_f, h_prev)",
    ],
)
def test_an_outer_product_is_one_however_it_is_written(line):
    (mark,) = marks("lstm", line, "python")
    assert mark.verdict is Verdict.RIGHT, mark


@pytest.mark.parametrize(
    "product",
    [
        "(h_prev[:, :, None] * da[:, None, :]).sum(0)",
        "(h_prev.unsqueeze(2) * da.unsqueeze(1)).sum(0)",
        "np.einsum('np,nq->pq', h_prev, da)",
        "np.einsum('np,nq->npq', h_prev, da).sum(axis=0)",
        "np.einsum('bi,bj', h_prev, da)",
    ],
)
def test_a_sum_of_outer_products_over_samples_that_are_rows(product):
    text = f"""
da_i, da_f, da_g, da_o = dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g * g), dh * tc * o * (1 - o)
da = np.hstack([da_i, da_f, da_g, da_o])
dWh = {product}
dWx = x.T @ da
dh_prev = da @ Wh.T
dx = da @ Wx.T
"""
    found = {mark.line: mark.verdict for mark in marks("lstm", text, "python")}
    assert found[4] is found[5] is found[6] is Verdict.RIGHT


@pytest.mark.parametrize("line", ["dW_hf = h_prev[:, None] * da_f[None, :]", "dW_hf = torch.ger(h_prev, da_f)"])
def test_the_wrong_way_round_is_seen_in_each(line):
    (mark,) = marks("lstm", line, "python")
    assert mark.verdict is Verdict.WRONG
    assert "wrong way round" in mark.mistake


def test_the_steps_that_a_class_keeps_are_entries_whatever_they_are_called():
    text = """
class Net:
    def backward(self, grad_h):
        dh_carry, dc_carry = np.zeros(self.n), np.zeros(self.n)
        for t in range(len(grad_h) - 1, -1, -1):
            s = self.steps[t]
            dh = grad_h[t] + dh_carry
            dc = dc_carry + dh * s['o'] * (1 - np.tanh(s['c']) ** 2)
            da_f = dc * s['c_prev'] * s['f'] * (1 - s['f'])
            self.db_f += da_f
            dc_carry = s['f'] * dc
"""
    assert [mark.verdict for mark in marks("lstm", text, "python")][1:] == [Verdict.RIGHT] * 4


def test_new_is_of_this_step_where_old_stands_beside_it():
    text = "do = dh * np.tanh(c_new)\ndf = dc * c_old"
    assert {mark.verdict for mark in marks("lstm", text, "python")} == {Verdict.RIGHT}


def test_gates_taken_apart_from_one_product_are_the_gates():
    text = """
f, i, g, o = W @ x + U @ h_prev + b
f, i, g, o = sigmoid(f), sigmoid(i), np.tanh(g), sigmoid(o)
dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
daf = c_prev * dc * f * (1 - f)
dai = g * dc * i * (1 - i)
dag = i * dc * (1 - g * g)
dao = np.tanh(c) * dh * o * (1 - o)
da = np.stack([daf, dai, dag, dao])
dW = da[:, :, None] * x
dh_prev = U[0].T @ daf + U[1].T @ dai + U[2].T @ dag + U[3].T @ dao
"""
    assert {mark.verdict for mark in marks("lstm", text, "python")} == {Verdict.RIGHT}


def test_what_is_called_the_samples_is_the_last_axis_of_columns():
    text = """
def backward(dhs, z, W_f, da_f):
    n, B = dhs[0].shape
    z = np.vstack([h_prev, x])
    dz = Wf.T @ da_f + Wi.T @ da_i + Wg.T @ da_g + Wo.T @ da_o
    dh_prev = dz[:n]
    dx = dz[n:]
"""
    found = {mark.quantity: mark.verdict for mark in marks("lstm", text, "python")}
    assert found["dh_prev"] is found["dx"] is Verdict.RIGHT
