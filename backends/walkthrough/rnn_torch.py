"""The notebook's short-term-memory snippet as a scalar Elman RNN in torch; gradients by autograd.

The notebook gives this snippet's numbers but no update equation. Elman's with tanh is **assumed**:
h = tanh(W_xh*x + W_hh*h_prev + b_h), read out as y = sigmoid(W_hy*h + b_y), with the loss
(y - y_hat)**2/2.

Autograd forms the slope of tanh as 1 - h**2, which is zero where h rounds to -1 or 1, as it does at
every step with the notebook's numbers.

Every tensor has shape (1,).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


def run(parameters: Mapping[str, Tensor], x: Sequence[Tensor], h_0: Tensor) -> list[dict[str, Tensor]]:
    """The loop over the inputs: the values of h, y at each step."""
    p = parameters
    h_prev = h_0
    steps = []
    for x_t in x:
        a_h = torch.matmul(x_t, p["W_xh"]) + torch.matmul(h_prev, p["W_hh"]) + p["b_h"]
        h_t = torch.tanh(a_h)
        y_t = torch.sigmoid(p["W_hy"] * h_t + p["b_y"])
        steps.append({"h": h_t, "y": y_t})
        h_prev = h_t
    return steps


def leaf(number: float, dtype: str) -> Tensor:
    """A tensor of shape (1,) that collects a gradient."""
    return torch.tensor([number], dtype=getattr(torch, dtype), requires_grad=True)


def forward(
    parameters: Mapping[str, float], x: Sequence[float], h_0: float, dtype: str = "float64"
) -> list[dict[str, float]]:
    """The named values of every step: a dict of h, y for each of x_1..x_T."""
    steps = run(
        {name: leaf(number, dtype) for name, number in parameters.items()},
        [leaf(x_t, dtype) for x_t in x],
        leaf(h_0, dtype),
    )
    return [{name: value.item() for name, value in step.items()} for step in steps]


def pullback(
    parameters: Mapping[str, float],
    x: Sequence[float],
    h_0: float,
    y_hat: float,
    cotangents: Mapping[str, Any],
    dtype: str = "float64",
) -> dict[str, float]:
    """The gradient of sum(cotangent*quantity), by one call of autograd.

    `cotangents` has "h", "y" and "loss", each a sequence of T floats (one for each step), and
    "h_T", a float on the final state.

    Returns a float for every parameter, for "h_0", and "x_1".."x_T".
    """
    leaves = {name: leaf(number, dtype) for name, number in parameters.items()}
    leaves["h_0"] = leaf(h_0, dtype)
    inputs = {f"x_{t}": leaf(x_t, dtype) for t, x_t in enumerate(x, start=1)}

    steps = run(leaves, list(inputs.values()), leaves["h_0"])
    weighted_sum = cotangents["h_T"] * steps[-1]["h"]
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
    y_hat: float,
    of: str,
    dtype: str = "float64",
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
    return pullback(parameters, x, h_0, y_hat, cotangents, dtype)
