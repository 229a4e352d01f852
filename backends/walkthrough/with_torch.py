"""The notebook's scalar LSTM in torch, as the notebook writes it; gradients by torch's autograd.

The functions are the notebook's, with its names: one for each gate, called in a loop over the
inputs. Two things differ. A gate returns its activation alone (the notebook's `input_gate` also
multiplies by the candidate, and its `output_gate` by tanh of a global), so that every value can be
seen; and the states are arguments. The numbers are the same.

In the notebook `W_xh` multiplies x in the forget gate, and in the output gate `W_ho` multiplies x
and `W_hh` multiplies h. Its `W_oh` and `b_h` are defined and never read: they are not parameters
here.

Every tensor has shape (1,).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def forget_gate(W_xh: Tensor, W_hf: Tensor, b_f: Tensor, x_t: Tensor, h_prev: Tensor) -> Tensor:
    """f_t: the share of the cell state that is kept."""
    return torch.sigmoid(torch.matmul(x_t, W_xh) + torch.matmul(h_prev, W_hf) + b_f)


def calculate_candidate_cell_state(W_xc: Tensor, W_hc: Tensor, b_c: Tensor, x_t: Tensor, h_prev: Tensor) -> Tensor:
    """c_tilde: what could be written to the cell state."""
    return torch.tanh(torch.matmul(x_t, W_xc) + torch.matmul(h_prev, W_hc) + b_c)


def input_gate(W_xi: Tensor, W_hi: Tensor, b_i: Tensor, x_t: Tensor, h_prev: Tensor) -> Tensor:
    """i_t: the share of the candidate that is written."""
    return torch.sigmoid(torch.matmul(x_t, W_xi) + torch.matmul(h_prev, W_hi) + b_i)


def output_gate(W_ho: Tensor, W_hh: Tensor, b_o: Tensor, x_t: Tensor, h_prev: Tensor) -> Tensor:
    """o_t: the share of tanh(c_t) that is shown."""
    return torch.sigmoid(torch.matmul(x_t, W_ho) + torch.matmul(h_prev, W_hh) + b_o)


def run(parameters: Mapping[str, Tensor], x: Sequence[Tensor], h_0: Tensor, c_0: Tensor) -> list[dict[str, Tensor]]:
    """The notebook's loop: the values of f, i, c_tilde, c, o, h, y at each step."""
    p = parameters
    h_prev, c_prev = h_0, c_0
    steps = []
    for x_t in x:
        f_t = forget_gate(p["W_xh"], p["W_hf"], p["b_f"], x_t, h_prev)
        i_t = input_gate(p["W_xi"], p["W_hi"], p["b_i"], x_t, h_prev)
        c_tilde = calculate_candidate_cell_state(p["W_xc"], p["W_hc"], p["b_c"], x_t, h_prev)
        c_t = c_prev * f_t
        c_t = c_t + i_t * c_tilde
        o_t = output_gate(p["W_ho"], p["W_hh"], p["b_o"], x_t, h_prev)
        h_t = o_t * torch.tanh(c_t)
        y_t = torch.sigmoid(p["W_hy"] * h_t + p["b_y"])
        steps.append({"f": f_t, "i": i_t, "c_tilde": c_tilde, "c": c_t, "o": o_t, "h": h_t, "y": y_t})
        h_prev, c_prev = h_t, c_t
    return steps


def leaf(number: float, dtype: str) -> Tensor:
    """A tensor of shape (1,) that collects a gradient."""
    return torch.tensor([number], dtype=getattr(torch, dtype), requires_grad=True)


def forward(
    parameters: Mapping[str, float],
    x: Sequence[float],
    h_0: float,
    c_0: float,
    dtype: str = "float64",
) -> list[dict[str, float]]:
    """The named values of every step: a dict of f, i, c_tilde, c, o, h, y for each of x_1..x_T."""
    steps = run(
        {name: leaf(number, dtype) for name, number in parameters.items()},
        [leaf(x_t, dtype) for x_t in x],
        leaf(h_0, dtype),
        leaf(c_0, dtype),
    )
    return [{name: value.item() for name, value in step.items()} for step in steps]


def pullback(
    parameters: Mapping[str, float],
    x: Sequence[float],
    h_0: float,
    c_0: float,
    y_hat: float,
    cotangents: Mapping[str, Any],
    dtype: str = "float64",
) -> dict[str, float]:
    """The gradient of sum(cotangent*quantity), by one call of autograd.

    `cotangents` has "h", "y" and "loss", each a sequence of T floats (one for each step), and "h_T"
    and "c_T", floats on the final states.

    Returns a float for every parameter, for "h_0", "c_0", and "x_1".."x_T".
    """
    leaves = {name: leaf(number, dtype) for name, number in parameters.items()}
    leaves["h_0"] = leaf(h_0, dtype)
    leaves["c_0"] = leaf(c_0, dtype)
    inputs = {f"x_{t}": leaf(x_t, dtype) for t, x_t in enumerate(x, start=1)}

    steps = run(leaves, list(inputs.values()), leaves["h_0"], leaves["c_0"])
    weighted_sum = cotangents["h_T"] * steps[-1]["h"] + cotangents["c_T"] * steps[-1]["c"]
    for t, step in enumerate(steps):
        loss_t = (step["y"] - y_hat) ** 2 / 2
        weighted_sum = weighted_sum + cotangents["h"][t] * step["h"]
        weighted_sum = weighted_sum + cotangents["y"][t] * step["y"]
        weighted_sum = weighted_sum + cotangents["loss"][t] * loss_t

    leaves.update(inputs)
    gradient = torch.autograd.grad(weighted_sum, list(leaves.values()))
    return {name: g.item() for name, g in zip(leaves, gradient, strict=True)}


def gradients(
    parameters: Mapping[str, float],
    x: Sequence[float],
    h_0: float,
    c_0: float,
    y_hat: float,
    of: str,
    dtype: str = "float64",
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
    return pullback(parameters, x, h_0, c_0, y_hat, cotangents, dtype)
