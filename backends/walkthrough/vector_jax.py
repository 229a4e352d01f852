"""LSTM, RNN and GRU on batched vectors, written out in jnp: `lax.scan` and `jax.grad`.

Shapes: T steps, B sequences, n units, m inputs. The batch comes first, so W @ v for each sequence
is v @ W.T for all.

    lstm   W_xf, W_xi, W_xg, W_xo (n, m); W_hf, W_hi, W_hg, W_ho (n, n); b_f, b_i, b_g, b_o (n,)
    rnn    W_xh (n, m); W_hh (n, n); b_h (n,)
    gru    W_xr, W_xz, W_xn (n, m); W_hr, W_hz, W_hn (n, n); b_r, b_z, b_n, b_hn (n,)
    x (T, B, m); states "h" and, for the lstm, "c" (B, n)

float64 lives inside an x64 scope, never in JAX's global configuration, and every result's dtype is
asserted.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.nn import sigmoid

Arrays = Mapping[str, Array]


def lstm(p: Arrays, prev: Arrays, x_t: Array) -> dict[str, Array]:
    """One step of the long short-term memory; x_t is (B, m), the states are (B, n)."""
    h_prev, c_prev = prev["h"], prev["c"]
    f = sigmoid(x_t @ p["W_xf"].T + h_prev @ p["W_hf"].T + p["b_f"])
    i = sigmoid(x_t @ p["W_xi"].T + h_prev @ p["W_hi"].T + p["b_i"])
    g = jnp.tanh(x_t @ p["W_xg"].T + h_prev @ p["W_hg"].T + p["b_g"])
    o = sigmoid(x_t @ p["W_xo"].T + h_prev @ p["W_ho"].T + p["b_o"])
    c = f * c_prev + i * g
    h = o * jnp.tanh(c)
    return {"h": h, "c": c}


def rnn(p: Arrays, prev: Arrays, x_t: Array) -> dict[str, Array]:
    """One step of Elman's network; x_t is (B, m), the state is (B, n)."""
    return {"h": jnp.tanh(x_t @ p["W_xh"].T + prev["h"] @ p["W_hh"].T + p["b_h"])}


def gru(p: Arrays, prev: Arrays, x_t: Array) -> dict[str, Array]:
    """One step of the gated recurrent unit; x_t is (B, m), the state is (B, n).

    As in torch and cuDNN, the reset gate acts after the recurrent product, bias included, and the
    update gate z keeps. (Cho et al. 2014 reset h_prev before the product.)
    """
    h_prev = prev["h"]
    r = sigmoid(x_t @ p["W_xr"].T + h_prev @ p["W_hr"].T + p["b_r"])
    z = sigmoid(x_t @ p["W_xz"].T + h_prev @ p["W_hz"].T + p["b_z"])
    n = jnp.tanh(x_t @ p["W_xn"].T + p["b_n"] + r * (h_prev @ p["W_hn"].T + p["b_hn"]))
    return {"h": (1 - z) * n + z * h_prev}


STEPS = {"lstm": lstm, "rnn": rnn, "gru": gru}
STATES = {"lstm": ("h", "c"), "rnn": ("h",), "gru": ("h",)}


def run(cell: str, parameters: Arrays, x: Array, states: Arrays) -> dict[str, Array]:
    """The states after each step: "h" and, for the lstm, "c", of shape (T, B, n)."""

    def step(prev: Arrays, x_t: Array) -> tuple[dict[str, Array], dict[str, Array]]:
        now = STEPS[cell](parameters, prev, x_t)
        return now, now

    outputs: dict[str, Array]
    _, outputs = lax.scan(step, states, x)
    return outputs


def weighted_sum(arguments: dict[str, Any], cotangents: Arrays, cell: str) -> Array:
    """sum(cotangent*output) over the h of every step and the final states; shape ()."""
    outputs = run(cell, **arguments)
    total = jnp.sum(cotangents["h"] * outputs["h"])
    for name in STATES[cell]:
        total = total + jnp.sum(cotangents[f"{name}_T"] * outputs[name][-1])
    return total


# Compiled once for each cell, shape and dtype, not at each call.
compiled_run = jax.jit(run, static_argnames="cell")
compiled_gradient = jax.jit(jax.grad(weighted_sum), static_argnames="cell")


def arrays(
    cell: str,
    parameters: Mapping[str, np.ndarray],
    x: np.ndarray,
    states: Mapping[str, np.ndarray],
    dtype: str,
) -> dict[str, Any]:
    """The arguments of `run`, but for the cell, as JAX arrays."""
    return {
        "parameters": {name: jnp.asarray(array, dtype) for name, array in parameters.items()},
        "x": jnp.asarray(x, dtype),
        "states": {name: jnp.asarray(states[name], dtype) for name in STATES[cell]},
    }


def as_numpy(results: Arrays, dtype: str) -> dict[str, np.ndarray]:
    """The results as numpy arrays; holds that JAX computed in the dtype that was asked for."""
    for name, result in results.items():
        assert result.dtype == dtype, f"{name}: asked for {dtype}, JAX computed in {result.dtype}"
    return {name: np.array(result) for name, result in results.items()}


def forward(
    cell: str,
    parameters: Mapping[str, np.ndarray],
    x: np.ndarray,
    states: Mapping[str, np.ndarray],
    dtype: str = "float64",
) -> dict[str, np.ndarray]:
    """The states after each step: "h" and, for the lstm, "c", of shape (T, B, n)."""
    with jax.enable_x64(True):
        return as_numpy(compiled_run(cell, **arrays(cell, parameters, x, states, dtype)), dtype)


def pullback(
    cell: str,
    parameters: Mapping[str, np.ndarray],
    x: np.ndarray,
    states: Mapping[str, np.ndarray],
    cotangents: Mapping[str, np.ndarray],
    dtype: str = "float64",
) -> dict[str, np.ndarray]:
    """The gradient of sum(cotangent*output), by `jax.grad`.

    `cotangents` has "h" (T, B, n) on the output of every step, "h_T" (B, n) on the final state and,
    for the lstm, "c_T" (B, n).

    Returns an array for every parameter, for "h_0", for the lstm's "c_0", and for "x", each of the
    shape of what it is the gradient of.
    """
    with jax.enable_x64(True):
        weights = {name: jnp.asarray(w, dtype) for name, w in cotangents.items()}
        arguments = arrays(cell, parameters, x, states, dtype)
        gradient = compiled_gradient(arguments, weights, cell)
        named = {name: gradient["parameters"][name] for name in parameters}
        named.update({f"{name}_0": gradient["states"][name] for name in STATES[cell]})
        named["x"] = gradient["x"]
        return as_numpy(named, dtype)
