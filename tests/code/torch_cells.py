"""Cells as people write them for torch: read as text by the tests, and never run or imported."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def lstm_cell(input, hx, w_ih, w_hh, b_ih, b_hh):
    """As torch documents torch.nn.LSTMCell, with packed weights and two biases."""
    h, c = hx
    gates = F.linear(input, w_ih, b_ih) + F.linear(h, w_hh, b_hh)
    ingate, forgetgate, cellgate, outgate = gates.chunk(4, 1)
    ingate = torch.sigmoid(ingate)
    forgetgate = torch.sigmoid(forgetgate)
    cellgate = torch.tanh(cellgate)
    outgate = torch.sigmoid(outgate)
    cy = (forgetgate * c) + (ingate * cellgate)
    hy = outgate * torch.tanh(cy)
    return hy, cy


def gru_cell(x, h, W_ir, b_ir, W_hr, b_hr, W_iz, b_iz, W_hz, b_hz, W_in, b_in, W_hn, b_hn):
    """As torch documents torch.nn.GRUCell."""
    r = torch.sigmoid(W_ir @ x + b_ir + W_hr @ h + b_hr)
    z = torch.sigmoid(W_iz @ x + b_iz + W_hz @ h + b_hz)
    n = torch.tanh(W_in @ x + b_in + r * (W_hn @ h + b_hn))
    return (1 - z) * n + z * h


class Gates(nn.Module):
    """An LSTM of one's own: two linear layers, gates by slices, a state that may be left out."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.x2h = nn.Linear(input_size, 4 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size, bias=False)

    def forward(self, x, state=None):
        if state is None:
            state = (x.new_zeros(3), x.new_zeros(3))
        h, c = state
        g = self.x2h(x) + self.h2h(h)
        n = self.hidden_size
        i = torch.sigmoid(g[:, :n])
        f = torch.sigmoid(g[:, n : 2 * n])
        u = torch.tanh(g[:, 2 * n : 3 * n])
        o = torch.sigmoid(g[:, 3 * n :])
        c = f * c + i * u
        h = o * c.tanh()
        return h, (h, c)


class OverTime(nn.Module):
    """A whole layer: the loop over time is the step."""

    def __init__(self, input_sz, hidden_sz):
        super().__init__()
        self.hidden_size = hidden_sz
        self.W = nn.Parameter(torch.Tensor(input_sz, hidden_sz * 4))
        self.U = nn.Parameter(torch.Tensor(hidden_sz, hidden_sz * 4))
        self.bias = nn.Parameter(torch.Tensor(hidden_sz * 4))
        self.init_weights()

    def init_weights(self):
        for weight in self.parameters():
            weight.data.uniform_(-1, 1)

    def forward(self, x, init_states=None):
        bs, seq_sz, _ = x.size()
        hidden_seq = []
        if init_states is None:
            h_t, c_t = (torch.zeros(bs, self.hidden_size).to(x.device), torch.zeros(bs, self.hidden_size).to(x.device))
        else:
            h_t, c_t = init_states
        HS = self.hidden_size
        for t in range(seq_sz):
            x_t = x[:, t, :]
            gates = x_t @ self.W + h_t @ self.U + self.bias
            i_t, f_t, g_t, o_t = (
                torch.sigmoid(gates[:, :HS]),
                torch.sigmoid(gates[:, HS : HS * 2]),
                torch.tanh(gates[:, HS * 2 : HS * 3]),
                torch.sigmoid(gates[:, HS * 3 :]),
            )
            c_t = f_t * c_t + i_t * g_t
            h_t = o_t * torch.tanh(c_t)
            hidden_seq.append(h_t.unsqueeze(0))
        hidden_seq = torch.cat(hidden_seq, dim=0)
        return hidden_seq.transpose(0, 1).contiguous(), (h_t, c_t)


def gate(x, h, w, u, b, act=torch.sigmoid):
    return act(x @ w + h @ u + b)


def gru_before(x, h, wr, ur, br, wz, uz, bz, wn, un, bn):
    """The reset gate before the linear map, by a helper."""
    r = gate(x, h, wr, ur, br)
    z = gate(x, h, wz, uz, bz)
    n = gate(x, r * h, wn, un, bn, act=torch.tanh)
    return torch.lerp(n, h, z)


class Outer(nn.Module):
    def __init__(self, m, n):
        super().__init__()
        self.cell = Inner(m, n)
        self.out = nn.Linear(n, 2)

    def forward(self, x, h):
        h = self.cell(x, h)
        return self.out(h), h


class Inner(nn.Module):
    def __init__(self, m, n):
        super().__init__()
        self.i = nn.Linear(m, n)
        self.h = nn.Linear(n, n, bias=False)
        self.act = nn.Tanh()

    def forward(self, x, h):
        return self.act(self.i(x) + self.h(h))


def held(x, h, W, U):
    with torch.no_grad():
        k = 2 * h
    return torch.tanh(x @ W + k @ U + h.detach())


def sized(x, state, W, U, b):
    (h, c) = state
    i, f, g, o = torch.split(x @ W + h @ U + b, h.shape[-1], dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(c)
    return h, (h, c)


def forgotten_tanh(x, state, W_ih, W_hh, b):
    """An LSTM whose hidden state has lost its tanh."""
    h, c = state
    i, f, g, o = (x @ W_ih + h @ W_hh + b).chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * c
    return h, (h, c)


def swapped(x, h, W_r, U_r, b_r, W_z, U_z, b_z, W_n, U_n, b_n, c_n):
    """A GRU whose update gate is the other way round."""
    r = torch.sigmoid(x @ W_r + h @ U_r + b_r)
    z = torch.sigmoid(x @ W_z + h @ U_z + b_z)
    n = torch.tanh(x @ W_n + b_n + r * (h @ U_n + c_n))
    return z * n + (1 - z) * h


def tied(x, state, W, U, b):
    """An LSTM with one set of weights for all gates: another family of functions."""
    h, c = state
    i = torch.sigmoid(x @ W + h @ U + b)
    f = torch.sigmoid(x @ W + h @ U + b)
    g = torch.tanh(x @ W + h @ U + b)
    o = torch.sigmoid(x @ W + h @ U + b)
    c = f * c + i * g
    return o * torch.tanh(c), c


def crossed(x, state, W, U, b):
    """An LSTM that returns its states in the wrong order."""
    h, c = state
    i, f, g, o = (x @ W + h @ U + b).chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    h = torch.sigmoid(o) * torch.tanh(c)
    return c, h
