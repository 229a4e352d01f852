"""Sheets in every notation that are right as they stand, and the marks of one in which a mistake is planted."""

from tests.marking.marks import marked

LSTM = """do = dh*tanh(c)
dc = dc_next + dh*o*(1 - tanh(c)^2)
df = dc*c_prev
di = dc*g
dg = dc*i
da_f = df*f*(1-f)
da_i = di*i*(1-i)
da_g = dg*(1-g^2)
da_o = do*o*(1-o)
dc_prev = dc*f
dh_prev = u_f*da_f + u_i*da_i + u_g*da_g + u_o*da_o
dw_f = da_f*x
du_f = da_f*h_prev
db_f = da_f"""
VECTORS = """dh = dh_out + dh_next
dc = dc_next + dh * o * (1 - tanh(c)**2)
da_f = dc * c_prev * f * (1 - f)
da_i = dc * g * i * (1 - i)
da_g = dc * i * (1 - g**2)
da_o = dh * tanh(c) * o * (1 - o)
dh_prev = W_hf.T @ da_f + W_hi.T @ da_i + W_hg.T @ da_g + W_ho.T @ da_o
dW_hf = outer(da_f, h_prev)
dW_xi = da_i @ x.T"""
GRU = """dz = dh*(h_prev - n)
dn = dh*(1-z)
da_z = dz*z*(1-z)
da_n = dn*(1-n^2)
dq = da_n*r
dr = da_n*q
da_r = dr*r*(1-r)
dh_prev = dh*z + W_hz.T@da_z + W_hr.T@da_r + W_hn.T@dq
dW_hn = outer(dq, h_prev)
db_hn = dq
db_n = da_n"""
RNN = """dh = dh_out + dh_next
da = dh*(1-h^2)
dh_prev = W_hh.T@da
dW_hh = outer(da, h_prev)
db = da"""
PEEP = """da_o = dh*tanh(c)*o*(1-o)
dc = dc_next + dh*o*(1-tanh(c)^2) + p_o*da_o
da_f = dc*c_prev*f*(1-f)
da_i = dc*g*i*(1-i)
dc_prev = dc*f + p_f*da_f + p_i*da_i
dp_f = da_f*c_prev
dp_i = da_i*c_prev
dp_o = da_o*c"""
STEP = """import numpy as np

def step(dh_next, dc_next, dy, cache):
    x, h_prev, c_prev, f, i, g, o, c, h = cache
    dh = dy + dh_next
    do = dh * np.tanh(c)
    dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
    df = dc * c_prev
    dg = dc * i
    dc_prev = dc * f
    daf = df * f * (1 - f)
    dai = dc * g * i * (1 - i)
    dag = dg * (1 - g ** 2)
    dao = do * o * (1 - o)
    dWf = np.outer(daf, x)
    dUf = np.outer(daf, h_prev)
    dbf = daf
    dh_prev = Uf.T @ daf + Ui.T @ dai + Ug.T @ dag + Uo.T @ dao
    return dh_prev, dc_prev, dWf, dUf, dbf
"""
PACKED = """import numpy as np

def backward(dh_next, dc_next, cache):
    x, h_prev, c_prev, f, i, g, o, c, h, Wx, Wh = cache
    dc = dc_next + dh_next * o * (1 - np.tanh(c)**2)
    di = dc * g * i * (1 - i)
    df = dc * c_prev * f * (1 - f)
    do = dh_next * np.tanh(c) * o * (1 - o)
    dg = dc * i * (1 - g**2)
    da = np.hstack([di, df, do, dg])
    dx = da @ Wx.T
    dWx = x.T @ da
    dh_prev = da @ Wh.T
    dWh = h_prev.T @ da
    db = np.sum(da, axis=0)
    dc_prev = dc * f
    return dx, dh_prev, dc_prev, dWx, dWh, db
"""
LATEX = r"""\begin{align*}
\delta o_t &= \delta h_t \odot \tanh(c_t) \\
\delta c_t &= \delta c_{t+1} \odot f_{t+1} + \delta h_t \odot o_t \odot (1 - \tanh^2(c_t)) \\
\delta f_t &= \delta c_t \odot c_{t-1} \\
\delta a_{f,t} &= \delta f_t \odot f_t \odot (1 - f_t) \\
\delta h_{t-1} &= U_f^\top \delta a_{f,t} + U_i^\top \delta a_{i,t} + U_g^\top \delta a_{g,t} + U_o^\top \delta a_{o,t} \\
\delta W_f &= \sum_{t=1}^{T} \delta a_{f,t}\, x_t^\top \\
\delta U_f &= \sum_{t=1}^{T} \delta a_{f,t}\, h_{t-1}^\top
\end{align*}
"""
LOOP = """import numpy as np

def backward(dhs, xs, hs, Wxh, Whh, T):
    dWxh, dWhh, db = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(b)
    dh_next = np.zeros_like(hs[0])
    for t in reversed(range(T)):
        dh = dhs[t] + dh_next
        da = dh * (1 - hs[t]**2)
        dWxh += np.outer(da, xs[t])
        dWhh += np.outer(da, hs[t-1])
        db += da
        dh_next = Whh.T @ da
    return dWxh, dWhh, db
"""
RIGHT_SHEETS = {
    "lstm": ("lstm", "text", LSTM),
    "vectors": ("lstm", "text", VECTORS),
    "gru": ("gru", "text", GRU),
    "rnn": ("rnn", "text", RNN),
    "peephole": ("peephole", "text", PEEP),
    "step": ("lstm", "python", STEP),
    "packed": ("lstm", "python", PACKED),
    "latex": ("lstm", "latex", LATEX),
    "loop": ("rnn", "python", LOOP),
}


def planted(name, old, new):
    cell, notation, text = RIGHT_SHEETS[name]
    assert text.count(old) == 1, old
    sheet = text.replace(old, new)
    return marked(sheet, cell, notation), text[: text.index(old)].count("\n") + 1
