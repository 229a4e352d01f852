"""LSTM, RNN and GRU on batched vectors, by torch's own cells and autograd.

Our parameters are one matrix for each gate; torch stacks the gates' matrices by rows, the LSTM's in
the order i, f, g, o and the GRU's in the order r, z, n. Torch gives each gate two biases, of which
only the sum matters: ours goes to `bias_ih`, and `bias_hh` is zero. The one exception is b_hn, the
GRU's bias inside r*(W_hn @ h_prev + b_hn).

Shapes: T steps, B sequences, n units, m inputs.

    lstm   W_xf, W_xi, W_xg, W_xo (n, m); W_hf, W_hi, W_hg, W_ho (n, n); b_f, b_i, b_g, b_o (n,)
    rnn    W_xh (n, m); W_hh (n, n); b_h (n,)
    gru    W_xr, W_xz, W_xn (n, m); W_hr, W_hz, W_hn (n, n); b_r, b_z, b_n, b_hn (n,)
    x (T, B, m); states "h" and, for the lstm, "c" (B, n)

The GRU's update gate keeps: h = (1 - z)*n + z*h_prev.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

CELLS = {"lstm": torch.nn.LSTMCell, "rnn": torch.nn.RNNCell, "gru": torch.nn.GRUCell}
GATES = {"lstm": "ifgo", "rnn": "h", "gru": "rzn"}  # in the order of torch's rows
STATES = {"lstm": ("h", "c"), "rnn": ("h",), "gru": ("h",)}


def pack(cell: str, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our parameters in torch's layout, differentiably: gradients come back by our names."""
    gates = GATES[cell]
    hidden_biases = [torch.zeros_like(parameters[f"b_{gate}"]) for gate in gates]
    if cell == "gru":
        hidden_biases[gates.index("n")] = parameters["b_hn"]
    return {
        "weight_ih": torch.cat([parameters[f"W_x{gate}"] for gate in gates]),
        "weight_hh": torch.cat([parameters[f"W_h{gate}"] for gate in gates]),
        "bias_ih": torch.cat([parameters[f"b_{gate}"] for gate in gates]),
        "bias_hh": torch.cat(hidden_biases),
    }


def run(cell: str, parameters: Mapping[str, Tensor], x: Tensor, states: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The states after each step: "h" and, for the lstm, "c", of shape (T, B, n)."""
    packed = pack(cell, parameters)
    inputs, units = x.shape[-1], states["h"].shape[-1]
    # The module lends only its forward pass. On the meta device it draws no random weights.
    module = CELLS[cell](inputs, units, device="meta", dtype=x.dtype)

    # Torch's LSTM takes and gives a pair of states, the other two cells a single tensor.
    state = (states["h"], states["c"]) if cell == "lstm" else states["h"]
    steps = []
    for x_t in x:
        state = torch.func.functional_call(module, packed, (x_t, state))
        steps.append(state)
    if cell == "lstm":
        return {"h": torch.stack([h for h, _ in steps]), "c": torch.stack([c for _, c in steps])}
    return {"h": torch.stack(steps)}


def leaves(arrays: Mapping[str, np.ndarray], dtype: str) -> dict[str, Tensor]:
    """A copy of each array as a tensor that collects a gradient."""
    return {
        name: torch.tensor(array, dtype=getattr(torch, dtype), requires_grad=True) for name, array in arrays.items()
    }


def forward(
    cell: str,
    parameters: Mapping[str, np.ndarray],
    x: np.ndarray,
    states: Mapping[str, np.ndarray],
    dtype: str = "float64",
) -> dict[str, np.ndarray]:
    """The states after each step: "h" and, for the lstm, "c", of shape (T, B, n)."""
    outputs = run(cell, leaves(parameters, dtype), leaves({"x": x}, dtype)["x"], leaves(states, dtype))
    return {name: output.detach().numpy() for name, output in outputs.items()}


def pullback(
    cell: str,
    parameters: Mapping[str, np.ndarray],
    x: np.ndarray,
    states: Mapping[str, np.ndarray],
    cotangents: Mapping[str, np.ndarray],
    dtype: str = "float64",
) -> dict[str, np.ndarray]:
    """The gradient of sum(cotangent*output), by one call of autograd.

    `cotangents` has "h" (T, B, n) on the output of every step, "h_T" (B, n) on the final state and,
    for the lstm, "c_T" (B, n).

    Returns an array for every parameter, for "h_0", for the lstm's "c_0", and for "x", each of the
    shape of what it is the gradient of.
    """
    leaf_parameters = leaves(parameters, dtype)
    leaf_x = leaves({"x": x}, dtype)["x"]
    leaf_states = leaves({name: states[name] for name in STATES[cell]}, dtype)
    weights = {name: torch.tensor(w, dtype=leaf_x.dtype) for name, w in cotangents.items()}

    outputs = run(cell, leaf_parameters, leaf_x, leaf_states)
    weighted_sum = (weights["h"] * outputs["h"]).sum()
    for name, output in outputs.items():
        weighted_sum = weighted_sum + (weights[f"{name}_T"] * output[-1]).sum()

    wanted = {
        **leaf_parameters,
        **{f"{name}_0": state for name, state in leaf_states.items()},
        "x": leaf_x,
    }
    gradient = torch.autograd.grad(weighted_sum, list(wanted.values()))
    return {name: g.numpy() for name, g in zip(wanted, gradient, strict=True)}
