"""JAX, with `jax.grad` as the other opinion. float64 lives inside a scope, never in JAX's configuration."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from backends.arrays import Library, Run, array_backend, shaped
from backends.elementwise import jumps, lambdified, with_numbers
from backends.steps import Steps

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
    """A run by `jax.jit`, as people run JAX: a forward and a backward step, or all steps by `jax.lax.scan`.

    So one step is compiled, however many there are. Every number of the point is an argument of what is compiled, so
    that nothing is computed meanwhile. XLA may group and order the operations otherwise than they are written, and so
    keeps within the bounds on rounding, which allow for any order of a sum.
    """
    import numpy as np

    from backends.points import Arguments, arguments

    programs: dict[str, Callable[[Arguments[Any]], Any]] = {}

    def program(dtype: str) -> Callable[[Arguments[Any]], Any]:
        if isinstance(run, Steps):
            forward, backward = (_jitted(partial(_within, dtype, one)) for one in (run.forward, run.backward))
            return lambda numbers: run.over(numbers, forward, backward)
        whole = _jitted(partial(_within, dtype, lambda on, *parts: run(on, Arguments(*parts))))
        return lambda on: whole(on.parameters, on.inputs, on.initial, on.cotangents, on.final)

    def at(point: "Point", dtype: str) -> "Arrays":
        compute = programs.setdefault(dtype, program(dtype))
        with library(dtype) as on:
            return shaped(on, point, compute(arguments(point, partial(np.asarray, dtype=dtype))))

    return at


def _within(dtype: str, function: Callable[..., Any], *given: Any) -> Any:
    """A function of a library's arrays while it is traced."""
    with library(dtype) as on:
        return function(replace(on, fold=_scan), *given)


def _jitted(function: Callable[..., Any]) -> Callable[..., Any]:
    """`jax.jit`, with fewer passes where this version of XLA knows how."""
    import jax

    quick, full = jax.jit(function, compiler_options=dict(FEWER_PASSES)), jax.jit(function)

    def call(*given: Any) -> Any:
        try:
            return quick(*given)
        except jax.errors.JaxRuntimeError:  # another version may lack such an option
            return full(*given)

    return call


def _scan(step: Callable[..., Any], states: Any, series: Any) -> tuple[Any, Any]:
    """As `arrays.fold`, by `jax.lax.scan`."""
    import jax
    import jax.numpy as jnp

    stacked = tuple({name: jnp.stack(each) for name, each in part.items()} for part in series)
    states, given = jax.lax.scan(step, states, stacked)
    return states, given.sum()


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
