"""The notebook's scalar LSTM in plain Python floats, its backward pass written by hand.

The names are the notebook's own, and two of them surprise:

- `W_xh` multiplies x in the *forget* gate, whose other weight is `W_hf`;
- the output gate is o = sigmoid(W_ho*x + W_hh*h_prev + b_o): `W_ho` multiplies **x**, and `W_hh`,
  the recurrent weight of the short-term-memory snippet, multiplies h.

The notebook also defines `W_oh` = 0.5 and `b_h` = 0, which its run never reads. They are not
parameters here.

The model, for t = 1..T (everything is a scalar):

    f       = sigmoid(W_xh*x + W_hf*h_prev + b_f)        forget gate
    i       = sigmoid(W_xi*x + W_hi*h_prev + b_i)        input gate
    c_tilde = tanh(W_xc*x + W_hc*h_prev + b_c)           candidate
    c       = f*c_prev + i*c_tilde                       cell state
    o       = sigmoid(W_ho*x + W_hh*h_prev + b_o)        output gate
    h       = o*tanh(c)                                  hidden state
    y       = sigmoid(W_hy*h + b_y)                      readout
    loss    = (y - y_hat)**2/2                           against the target y_hat

In the backward pass `dv` is the adjoint of v: the derivative of the cotangent-weighted sum of
outputs with respect to v, everything that v feeds included.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

NUMBERS: dict[str, Any] = {
    "parameters": {
        "W_xh": -10.0,  # forget gate: times x
        "W_hf": 0.5,
        "b_f": 0.5,
        "W_xc": 0.5,
        "W_hc": 0.5,
        "b_c": 0.5,
        "W_xi": 0.5,
        "W_hi": 0.5,
        "b_i": 0.5,
        "W_ho": 0.5,  # output gate: times x
        "W_hh": 10.0,  # output gate: times h
        "b_o": 0.5,
        "W_hy": 4.0,
        "b_y": 5.0,
    },
    "x": [1.0, 5.0, 7.0, 4.0],
    "h_0": -1.0,
    "c_0": 0.0,
    "y_hat": 15.0,
}


def sigmoid(a: float) -> float:
    """1/(1 + exp(-a)), by the exponential that cannot overflow."""
    decay = math.exp(-abs(a))
    return 1.0 / (1.0 + decay) if a >= 0.0 else decay / (1.0 + decay)


def sigmoid_slope(a: float) -> float:
    """The derivative s*(1 - s) of s = sigmoid(a).

    1 - sigmoid(a) is sigmoid(-a): written so, a saturated gate loses no digit to the subtraction.
    """
    return sigmoid(a) * sigmoid(-a)


def tanh_slope(a: float) -> float:
    """The derivative 1 - tanh(a)**2, from tanh(a) = 2*sigmoid(2a) - 1, for the same reason."""
    return 4.0 * sigmoid_slope(2.0 * a)


def preactivations(parameters: Mapping[str, float], x_t: float, h_prev: float) -> tuple[float, float, float, float]:
    """The arguments (a_f, a_i, a_c_tilde, a_o) of the gates and the candidate at one step."""
    p = parameters
    a_f = p["W_xh"] * x_t + p["W_hf"] * h_prev + p["b_f"]
    a_i = p["W_xi"] * x_t + p["W_hi"] * h_prev + p["b_i"]
    a_c_tilde = p["W_xc"] * x_t + p["W_hc"] * h_prev + p["b_c"]
    a_o = p["W_ho"] * x_t + p["W_hh"] * h_prev + p["b_o"]
    return a_f, a_i, a_c_tilde, a_o


def forward(parameters: Mapping[str, float], x: Sequence[float], h_0: float, c_0: float) -> list[dict[str, float]]:
    """The named values of every step: a dict of f, i, c_tilde, c, o, h, y for each of x_1..x_T."""
    steps = []
    h, c = h_0, c_0
    for x_t in x:
        a_f, a_i, a_c_tilde, a_o = preactivations(parameters, x_t, h)
        f = sigmoid(a_f)
        i = sigmoid(a_i)
        c_tilde = math.tanh(a_c_tilde)
        c = f * c + i * c_tilde
        o = sigmoid(a_o)
        h = o * math.tanh(c)
        y = sigmoid(parameters["W_hy"] * h + parameters["b_y"])
        steps.append({"f": f, "i": i, "c_tilde": c_tilde, "c": c, "o": o, "h": h, "y": y})
    return steps


def pullback(
    parameters: Mapping[str, float],
    x: Sequence[float],
    h_0: float,
    c_0: float,
    y_hat: float,
    cotangents: Mapping[str, Any],
) -> dict[str, float]:
    """The gradient of sum(cotangent*quantity), by backpropagation through time.

    `cotangents` has "h", "y" and "loss", each a sequence of T floats (one for each step), and "h_T"
    and "c_T", floats on the final states. "h"[T-1] and "h_T" weigh the same quantity and add up.

    Returns a float for every parameter, for "h_0", "c_0", and "x_1".."x_T".
    """
    p = parameters
    steps = forward(parameters, x, h_0, c_0)

    dW_xh = dW_hf = db_f = 0.0
    dW_xi = dW_hi = db_i = 0.0
    dW_xc = dW_hc = db_c = 0.0
    dW_ho = dW_hh = db_o = 0.0
    dW_hy = db_y = 0.0
    dx = [0.0] * len(x)

    # What step t+1 sends back to the states of step t; from beyond T, only the final cotangents.
    dh_next = cotangents["h_T"]
    dc_next = cotangents["c_T"]

    for t in reversed(range(len(x))):
        h_prev, c_prev = (steps[t - 1]["h"], steps[t - 1]["c"]) if t > 0 else (h_0, c_0)
        a_f, a_i, a_c_tilde, a_o = preactivations(parameters, x[t], h_prev)
        f, i, c_tilde = steps[t]["f"], steps[t]["i"], steps[t]["c_tilde"]
        c, o, h, y = steps[t]["c"], steps[t]["o"], steps[t]["h"], steps[t]["y"]

        # loss = (y - y_hat)**2/2
        dy = cotangents["y"][t] + cotangents["loss"][t] * (y - y_hat)

        # y = sigmoid(W_hy*h + b_y)
        da_y = dy * sigmoid_slope(p["W_hy"] * h + p["b_y"])
        dW_hy += da_y * h
        db_y += da_y

        # h is read out, and feeds all four preactivations of step t+1.
        dh = dh_next + cotangents["h"][t] + da_y * p["W_hy"]

        # h = o*tanh(c); c also survives into step t+1 through the forget gate.
        do = dh * math.tanh(c)
        dc = dc_next + dh * o * tanh_slope(c)

        # c = f*c_prev + i*c_tilde
        df = dc * c_prev
        di = dc * c_tilde
        dc_tilde = dc * i

        # Through the nonlinearities.
        da_f = df * sigmoid_slope(a_f)
        da_i = di * sigmoid_slope(a_i)
        da_c_tilde = dc_tilde * tanh_slope(a_c_tilde)
        da_o = do * sigmoid_slope(a_o)

        # a_f = W_xh*x + W_hf*h_prev + b_f, and its like. The weights are the same at every step, so
        # their gradients add up over time.
        dW_xh += da_f * x[t]
        dW_hf += da_f * h_prev
        db_f += da_f

        dW_xi += da_i * x[t]
        dW_hi += da_i * h_prev
        db_i += da_i

        dW_xc += da_c_tilde * x[t]
        dW_hc += da_c_tilde * h_prev
        db_c += da_c_tilde

        dW_ho += da_o * x[t]
        dW_hh += da_o * h_prev
        db_o += da_o

        dx[t] = da_f * p["W_xh"] + da_i * p["W_xi"] + da_c_tilde * p["W_xc"] + da_o * p["W_ho"]

        # Back to step t-1.
        dh_next = da_f * p["W_hf"] + da_i * p["W_hi"] + da_c_tilde * p["W_hc"] + da_o * p["W_hh"]
        dc_next = dc * f

    return {
        "W_xh": dW_xh,
        "W_hf": dW_hf,
        "b_f": db_f,
        "W_xc": dW_xc,
        "W_hc": dW_hc,
        "b_c": db_c,
        "W_xi": dW_xi,
        "W_hi": dW_hi,
        "b_i": db_i,
        "W_ho": dW_ho,
        "W_hh": dW_hh,
        "b_o": db_o,
        "W_hy": dW_hy,
        "b_y": db_y,
        "h_0": dh_next,
        "c_0": dc_next,
        **{f"x_{t}": dx_t for t, dx_t in enumerate(dx, start=1)},
    }


def gradients(
    parameters: Mapping[str, float],
    x: Sequence[float],
    h_0: float,
    c_0: float,
    y_hat: float,
    of: str,
) -> dict[str, float]:
    """The gradient of `of` ("h", "c", "y" or "loss") at the last step T: a one-hot pullback.

    Raises ValueError for any other `of`.
    """
    if of not in ("h", "c", "y", "loss"):
        raise ValueError(f"no target {of!r}: it is h, c, y or loss, at the last step")
    nowhere = [0.0] * len(x)
    at_last_step = [*nowhere[1:], 1.0]
    cotangents = {
        "h": nowhere,
        "y": at_last_step if of == "y" else nowhere,
        "loss": at_last_step if of == "loss" else nowhere,
        "h_T": 1.0 if of == "h" else 0.0,
        "c_T": 1.0 if of == "c" else 0.0,
    }
    return pullback(parameters, x, h_0, c_0, y_hat, cotangents)
