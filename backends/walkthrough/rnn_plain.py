"""The notebook's short-term-memory snippet as a scalar Elman RNN, in plain Python floats.

The notebook gives this snippet's numbers (W_xh = -10, W_hh = 10, b_h = 0, h_0 = -1, the readout and
the target) but no update equation. Elman's with tanh is **assumed** here:

    h    = tanh(W_xh*x + W_hh*h_prev + b_h)        hidden state
    y    = sigmoid(W_hy*h + b_y)                   readout
    loss = (y - y_hat)**2/2                        against the target y_hat

With those numbers every tanh saturates: h rounds to -1 at each step, and 1 - h**2 to zero. The
backward pass below takes the slope of tanh from its argument, and so keeps the tiny gradients that
are there.

In the backward pass `dv` is the adjoint of v, everything that v feeds included.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

NUMBERS: dict[str, Any] = {
    "parameters": {"W_xh": -10.0, "W_hh": 10.0, "b_h": 0.0, "W_hy": 4.0, "b_y": 5.0},
    "x": [1.0, 5.0, 7.0, 4.0],
    "h_0": -1.0,
    "y_hat": 15.0,
}


def sigmoid(a: float) -> float:
    """1/(1 + exp(-a)), by the exponential that cannot overflow."""
    decay = math.exp(-abs(a))
    return 1.0 / (1.0 + decay) if a >= 0.0 else decay / (1.0 + decay)


def sigmoid_slope(a: float) -> float:
    """The derivative s*(1 - s) of s = sigmoid(a), with 1 - sigmoid(a) as sigmoid(-a)."""
    return sigmoid(a) * sigmoid(-a)


def tanh_slope(a: float) -> float:
    """The derivative 1 - tanh(a)**2, which is 4*exp(-2|a|)/(1 + exp(-2|a|))**2."""
    decay = math.exp(-2.0 * abs(a))
    return 4.0 * decay / (1.0 + decay) ** 2


def forward(parameters: Mapping[str, float], x: Sequence[float], h_0: float) -> list[dict[str, float]]:
    """The named values of every step: a dict of h, y for each of x_1..x_T."""
    p = parameters
    steps = []
    h = h_0
    for x_t in x:
        h = math.tanh(p["W_xh"] * x_t + p["W_hh"] * h + p["b_h"])
        y = sigmoid(p["W_hy"] * h + p["b_y"])
        steps.append({"h": h, "y": y})
    return steps


def pullback(
    parameters: Mapping[str, float],
    x: Sequence[float],
    h_0: float,
    y_hat: float,
    cotangents: Mapping[str, Any],
) -> dict[str, float]:
    """The gradient of sum(cotangent*quantity), by backpropagation through time.

    `cotangents` has "h", "y" and "loss", each a sequence of T floats (one for each step), and
    "h_T", a float on the final state.

    Returns a float for every parameter, for "h_0", and "x_1".."x_T".
    """
    p = parameters
    steps = forward(parameters, x, h_0)

    dW_xh = dW_hh = db_h = 0.0
    dW_hy = db_y = 0.0
    dx = [0.0] * len(x)

    dh_next = cotangents["h_T"]

    for t in reversed(range(len(x))):
        h_prev = steps[t - 1]["h"] if t > 0 else h_0
        h, y = steps[t]["h"], steps[t]["y"]

        # loss = (y - y_hat)**2/2
        dy = cotangents["y"][t] + cotangents["loss"][t] * (y - y_hat)

        # y = sigmoid(W_hy*h + b_y)
        da_y = dy * sigmoid_slope(p["W_hy"] * h + p["b_y"])
        dW_hy += da_y * h
        db_y += da_y

        # h = tanh(a_h) is read out, and feeds step t+1.
        dh = dh_next + cotangents["h"][t] + da_y * p["W_hy"]
        da_h = dh * tanh_slope(p["W_xh"] * x[t] + p["W_hh"] * h_prev + p["b_h"])

        # a_h = W_xh*x + W_hh*h_prev + b_h
        dW_xh += da_h * x[t]
        dW_hh += da_h * h_prev
        db_h += da_h
        dx[t] = da_h * p["W_xh"]

        # Back to step t-1.
        dh_next = da_h * p["W_hh"]

    return {
        "W_xh": dW_xh,
        "W_hh": dW_hh,
        "b_h": db_h,
        "W_hy": dW_hy,
        "b_y": db_y,
        "h_0": dh_next,
        **{f"x_{t}": dx_t for t, dx_t in enumerate(dx, start=1)},
    }


def gradients(
    parameters: Mapping[str, float], x: Sequence[float], h_0: float, y_hat: float, of: str
) -> dict[str, float]:
    """The gradient of `of` ("h", "y" or "loss") at the last step T: a one-hot pullback.

    Raises ValueError for any other `of`.
    """
    if of not in ("h", "y", "loss"):
        raise ValueError(f"no target {of!r}: it is h, y or loss, at the last step")
    nowhere = [0.0] * len(x)
    at_last_step = [*nowhere[1:], 1.0]
    cotangents = {
        "h": nowhere,
        "y": at_last_step if of == "y" else nowhere,
        "loss": at_last_step if of == "loss" else nowhere,
        "h_T": 1.0 if of == "h" else 0.0,
    }
    return pullback(parameters, x, h_0, y_hat, cotangents)
