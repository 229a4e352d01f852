"""The notebook's scalar LSTM in JAX: one `lax.scan` over the inputs, gradients by `jax.grad`.

In the notebook `W_xh` multiplies x in the forget gate, and in the output gate `W_ho` multiplies x
and `W_hh` multiplies h. Its `W_oh` and `b_h` are defined and never read: they are not parameters
here.

JAX makes float32 of float64 without a word unless told otherwise, and telling it globally would
change the caller's program: here float64 lives inside an x64 scope, and every result's dtype is
asserted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax


def run(
    parameters: Mapping[str, Array], x: Array, h_0: Array, c_0: Array
) -> tuple[tuple[Array, Array], dict[str, Array]]:
    """The scan over x, of shape (T,): (h_T, c_T), and f, i, c_tilde, c, o, h, y of shape (T,)."""
    p = parameters

    def step(carry: tuple[Array, Array], x_t: Array) -> tuple[tuple[Array, Array], dict[str, Array]]:
        h_prev, c_prev = carry
        f = jax.nn.sigmoid(p["W_xh"] * x_t + p["W_hf"] * h_prev + p["b_f"])
        i = jax.nn.sigmoid(p["W_xi"] * x_t + p["W_hi"] * h_prev + p["b_i"])
        c_tilde = jnp.tanh(p["W_xc"] * x_t + p["W_hc"] * h_prev + p["b_c"])
        c = f * c_prev + i * c_tilde
        o = jax.nn.sigmoid(p["W_ho"] * x_t + p["W_hh"] * h_prev + p["b_o"])
        h = o * jnp.tanh(c)
        y = jax.nn.sigmoid(p["W_hy"] * h + p["b_y"])
        return (h, c), {"f": f, "i": i, "c_tilde": c_tilde, "c": c, "o": o, "h": h, "y": y}

    final: tuple[Array, Array]
    final, values = lax.scan(step, (h_0, c_0), x)
    return final, values


def weighted_sum(arguments: dict[str, Any], y_hat: Array, cotangents: dict[str, Array]) -> Array:
    """sum(cotangent*quantity) over every step's h, y and loss, and the final h and c; shape ()."""
    (h_T, c_T), values = run(**arguments)
    loss = (values["y"] - y_hat) ** 2 / 2
    return (
        jnp.sum(cotangents["h"] * values["h"])
        + jnp.sum(cotangents["y"] * values["y"])
        + jnp.sum(cotangents["loss"] * loss)
        + cotangents["h_T"] * h_T
        + cotangents["c_T"] * c_T
    )


# Compiled once for each T and dtype, not at each call.
compiled_run = jax.jit(run)
compiled_gradient = jax.jit(jax.grad(weighted_sum))


def arrays(parameters: Mapping[str, float], x: Sequence[float], h_0: float, c_0: float, dtype: str) -> dict[str, Any]:
    """The arguments of `run` as arrays: x of shape (T,), all else of shape ()."""
    return {
        "parameters": {name: jnp.asarray(v, dtype) for name, v in parameters.items()},
        "x": jnp.asarray(x, dtype),
        "h_0": jnp.asarray(h_0, dtype),
        "c_0": jnp.asarray(c_0, dtype),
    }


def assert_dtype(results: Mapping[str, Array], dtype: str) -> None:
    """Holds that JAX computed in the dtype that was asked for."""
    for name, result in results.items():
        assert result.dtype == dtype, f"{name}: asked for {dtype}, JAX computed in {result.dtype}"


def forward(
    parameters: Mapping[str, float],
    x: Sequence[float],
    h_0: float,
    c_0: float,
    dtype: str = "float64",
) -> list[dict[str, float]]:
    """The named values of every step: a dict of f, i, c_tilde, c, o, h, y for each of x_1..x_T."""
    with jax.enable_x64(True):
        _, values = compiled_run(**arrays(parameters, x, h_0, c_0, dtype))
        assert_dtype(values, dtype)
        # JAX returns a dict sorted by its keys; this is the order of computation.
        names = ("f", "i", "c_tilde", "c", "o", "h", "y")
        return [{name: float(values[name][t]) for name in names} for t in range(len(x))]


def pullback(
    parameters: Mapping[str, float],
    x: Sequence[float],
    h_0: float,
    c_0: float,
    y_hat: float,
    cotangents: Mapping[str, Any],
    dtype: str = "float64",
) -> dict[str, float]:
    """The gradient of sum(cotangent*quantity), by `jax.grad`.

    `cotangents` has "h", "y" and "loss", each a sequence of T floats (one for each step), and "h_T"
    and "c_T", floats on the final states.

    Returns a float for every parameter, for "h_0", "c_0", and "x_1".."x_T".
    """
    with jax.enable_x64(True):
        weights = {name: jnp.asarray(v, dtype) for name, v in cotangents.items()}
        arguments = arrays(parameters, x, h_0, c_0, dtype)
        gradient = compiled_gradient(arguments, jnp.asarray(y_hat, dtype), weights)
        named = {name: gradient["parameters"][name] for name in parameters}
        named["h_0"] = gradient["h_0"]
        named["c_0"] = gradient["c_0"]
        named.update({f"x_{t}": dx_t for t, dx_t in enumerate(gradient["x"], start=1)})
        assert_dtype(named, dtype)
        return {name: float(g) for name, g in named.items()}


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
