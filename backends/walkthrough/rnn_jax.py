"""The notebook's short-term-memory snippet as a scalar Elman RNN in JAX: `lax.scan` and `jax.grad`.

The notebook gives this snippet's numbers but no update equation. Elman's with tanh is **assumed**:
h = tanh(W_xh*x + W_hh*h_prev + b_h), read out as y = sigmoid(W_hy*h + b_y), with the loss
(y - y_hat)**2/2.

`jax.grad` forms the slope of tanh from h itself, so it is zero where h rounds to -1 or 1, as it
does at every step with the notebook's numbers.

float64 lives inside an x64 scope, never in JAX's global configuration, and every result's dtype is
asserted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax


def run(parameters: Mapping[str, Array], x: Array, h_0: Array) -> tuple[Array, dict[str, Array]]:
    """The scan over x, of shape (T,): h_T, and h and y of shape (T,)."""
    p = parameters

    def step(h_prev: Array, x_t: Array) -> tuple[Array, dict[str, Array]]:
        h = jnp.tanh(p["W_xh"] * x_t + p["W_hh"] * h_prev + p["b_h"])
        y = jax.nn.sigmoid(p["W_hy"] * h + p["b_y"])
        return h, {"h": h, "y": y}

    h_T: Array
    h_T, values = lax.scan(step, h_0, x)
    return h_T, values


def weighted_sum(arguments: dict[str, Any], y_hat: Array, cotangents: dict[str, Array]) -> Array:
    """sum(cotangent*quantity) over every step's h, y and loss, and the final h; shape ()."""
    h_T, values = run(**arguments)
    loss = (values["y"] - y_hat) ** 2 / 2
    return (
        jnp.sum(cotangents["h"] * values["h"])
        + jnp.sum(cotangents["y"] * values["y"])
        + jnp.sum(cotangents["loss"] * loss)
        + cotangents["h_T"] * h_T
    )


# Compiled once for each T and dtype, not at each call.
compiled_run = jax.jit(run)
compiled_gradient = jax.jit(jax.grad(weighted_sum))


def arrays(parameters: Mapping[str, float], x: Sequence[float], h_0: float, dtype: str) -> dict[str, Any]:
    """The arguments of `run` as arrays: x of shape (T,), all else of shape ()."""
    return {
        "parameters": {name: jnp.asarray(v, dtype) for name, v in parameters.items()},
        "x": jnp.asarray(x, dtype),
        "h_0": jnp.asarray(h_0, dtype),
    }


def assert_dtype(results: Mapping[str, Array], dtype: str) -> None:
    """Holds that JAX computed in the dtype that was asked for."""
    for name, result in results.items():
        assert result.dtype == dtype, f"{name}: asked for {dtype}, JAX computed in {result.dtype}"


def forward(
    parameters: Mapping[str, float], x: Sequence[float], h_0: float, dtype: str = "float64"
) -> list[dict[str, float]]:
    """The named values of every step: a dict of h, y for each of x_1..x_T."""
    with jax.enable_x64(True):
        _, values = compiled_run(**arrays(parameters, x, h_0, dtype))
        assert_dtype(values, dtype)
        return [{name: float(v[t]) for name, v in values.items()} for t in range(len(x))]


def pullback(
    parameters: Mapping[str, float],
    x: Sequence[float],
    h_0: float,
    y_hat: float,
    cotangents: Mapping[str, Any],
    dtype: str = "float64",
) -> dict[str, float]:
    """The gradient of sum(cotangent*quantity), by `jax.grad`.

    `cotangents` has "h", "y" and "loss", each a sequence of T floats (one for each step), and
    "h_T", a float on the final state.

    Returns a float for every parameter, for "h_0", and "x_1".."x_T".
    """
    with jax.enable_x64(True):
        weights = {name: jnp.asarray(v, dtype) for name, v in cotangents.items()}
        arguments = arrays(parameters, x, h_0, dtype)
        gradient = compiled_gradient(arguments, jnp.asarray(y_hat, dtype), weights)
        named = {name: gradient["parameters"][name] for name in parameters}
        named["h_0"] = gradient["h_0"]
        named.update({f"x_{t}": dx_t for t, dx_t in enumerate(gradient["x"], start=1)})
        assert_dtype(named, dtype)
        return {name: float(g) for name, g in named.items()}


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
