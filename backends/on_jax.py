"""JAX, with `jax.grad` as the other opinion. float64 lives inside a scope, never in JAX's configuration."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from backends.arrays import Library, Run, array_backend, shaped
from backends.elementwise import jumps, lambdified, with_numbers

if TYPE_CHECKING:
    from backends.arrays import Arrays
    from backends.points import Point

# What XLA is asked to leave out where a program runs for a handful of points: it takes most of the time to compile,
# and nothing but the speed and the grouping of operations depends on it.
FEWER_PASSES: Mapping[str, int | bool] = {
    "xla_backend_optimization_level": 0,
    "xla_cpu_parallel_codegen_split_count": 1,
    "xla_cpu_use_fusion_emitters": False,
}


@cache
def softplus() -> Callable[[Any], Any]:
    """JAX's own value, with the slope that it has."""
    import jax

    function = jax.custom_jvp(jax.nn.softplus)
    function.defjvps(lambda slope, value, x: slope * jax.nn.sigmoid(x))
    return function


def functions() -> Mapping[str, Callable[..., Any]]:
    """The table of functions, by JAX's own where they are right.

    The slope of its `softplus` is not: exp(x - softplus(x)) is off by as many units as |x| says, up to 37 in float64.
    """
    import jax
    import jax.numpy as jnp

    table: dict[str, Callable[..., Any]] = {
        "sigmoid": jax.nn.sigmoid,
        "tanh": jnp.tanh,
        "exp": jnp.exp,
        "log": jnp.log,
        "sqrt": jnp.sqrt,
        "softplus": softplus(),
        "logsigmoid": lambda x: -softplus()(-x),
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


def compiled(run: Run[Any]) -> "Callable[[Point, str], Arrays]":
    """A run over all steps as one program of XLA, by `jax.jit`, as people run JAX.

    Every number of the point is an argument of that program, so that nothing is computed while it is compiled. XLA
    may group and order the operations otherwise than they are written, and so keeps within the bounds on rounding,
    which allow for any order of a sum.
    """
    import jax
    import numpy as np

    from backends.points import Arguments, arguments

    programs: dict[str, tuple[Callable[..., Any], ...]] = {}

    def whole(dtype: str, *parts: Any) -> Any:
        with library(dtype) as on:
            return run(on, Arguments(*parts))

    def at(point: "Point", dtype: str) -> "Arrays":
        jit = partial(jax.jit, partial(whole, dtype))
        quick, full = programs.setdefault(dtype, (jit(compiler_options=dict(FEWER_PASSES)), jit()))
        with library(dtype) as on:
            numbers = arguments(point, partial(np.asarray, dtype=dtype))
            parts = numbers.parameters, numbers.inputs, numbers.initial, numbers.cotangents, numbers.final
            try:
                found = quick(*parts)
            except jax.errors.JaxRuntimeError:  # another version of XLA may lack such an option
                found = full(*parts)
            return shaped(on, point, found)

    return at


def vmap(function: Callable[..., Any]) -> Callable[..., Any]:
    """`jax.vmap` over the first axis of every array: of an input or a cotangent at one step, of an initial state."""
    import jax

    return jax.vmap(function)


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
    compiled=compiled,
    vmap=vmap,
    lambdify=lambdify,
    own_slopes={"abs": (1.0,), "clip": (0.5, 0.5)},
)
