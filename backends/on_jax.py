"""JAX, with `jax.grad` as the other opinion. float64 lives inside a scope, never in JAX's configuration."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from backends.arrays import Library, array_backend
from backends.elementwise import jumps, lambdified, with_numbers


def functions() -> Mapping[str, Callable[..., Any]]:
    """The table of functions, by JAX's own."""
    import jax
    import jax.numpy as jnp

    table: dict[str, Callable[..., Any]] = {
        "sigmoid": jax.nn.sigmoid,
        "tanh": jnp.tanh,
        "exp": jnp.exp,
        "log": jnp.log,
        "sqrt": jnp.sqrt,
        "softplus": jax.nn.softplus,
        "logsigmoid": jax.nn.log_sigmoid,
        "relu": jax.nn.relu,
        "abs": jnp.abs,
        "max": jnp.maximum,
        "min": jnp.minimum,
        "hard_sigmoid": jax.nn.hard_sigmoid,
        "clip": lambda x, low, high: jnp.clip(x, jax.lax.stop_gradient(low), jax.lax.stop_gradient(high)),
        **jumps(lambda condition, like: condition.astype(like.dtype)),
    }
    return with_numbers(table, lambda x, like: jnp.asarray(x, None if like is None else like.dtype))


@contextmanager
def library(dtype: str) -> Iterator[Library[Any]]:
    """A scope in which a dtype is what it says, matrix products on an accelerator included.

    x64 is off for float32, as it is where people compute in float32.
    """
    import jax
    import jax.numpy as jnp
    import numpy as np

    with jax.enable_x64(dtype == "float64"), jax.default_matmul_precision("highest"):
        yield Library(
            name="jax",
            dtype=dtype,
            array_type=jax.Array,
            array=lambda numbers: jnp.asarray(numbers, dtype),
            numpy=np.array,
            functions=functions(),
            where=jnp.where,
            concatenate=jnp.concatenate,
            logsumexp=lambda a: jax.nn.logsumexp(a, (-2, -1), keepdims=True),
            broadcast=jnp.broadcast_to,
            detach=jax.lax.stop_gradient,
        )


def differentiate(function: Callable[[dict[str, Any]], tuple[Any, Any]], leaves: dict[str, Any]) -> tuple[Any, Any]:
    """By `jax.grad`."""
    import jax

    found, rest = jax.grad(function, has_aux=True)(leaves)
    return rest, found


def lambdify(symbols: Any, expression: Any) -> Callable[..., Any]:
    """SymPy's `lambdify` for JAX, with the table above for what its printer does not know."""
    return lambdified(symbols, expression, modules=[functions(), "jax"])


BACKEND = array_backend(
    library,
    differentiate,
    name="jax",
    packages=("jax",),
    install="pip install 'derivations[jax]'",
    dtypes=("float64", "float32"),
    functions=functions,
    lambdify=lambdify,
    own_slopes={"abs": (1.0,), "clip": (0.5, 0.5)},
)
