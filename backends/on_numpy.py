"""NumPy: no differentiation of its own, so all that it runs is the derivation."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from backends.arrays import Library, array_backend
from backends.elementwise import jumps, lambdified, with_numbers


def functions() -> Mapping[str, Callable[..., Any]]:
    """The table of functions; none overflows where its value does not."""
    import numpy as np

    def sigmoid(x: Any) -> Any:
        decay = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, decay) / (1 + decay)

    table: dict[str, Callable[..., Any]] = {
        "sigmoid": sigmoid,
        "tanh": np.tanh,
        "exp": np.exp,
        "log": np.log,
        "sqrt": np.sqrt,
        "softplus": lambda x: np.logaddexp(x, x.dtype.type(0)),
        "logsigmoid": lambda x: -np.logaddexp(-x, x.dtype.type(0)),
        "relu": lambda x: np.maximum(x, 0),
        "abs": np.abs,
        "max": np.maximum,
        "min": np.minimum,
        "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
        "clip": np.clip,
        **jumps(lambda condition, like: condition.astype(like.dtype)),
    }
    return with_numbers(table, lambda x, like: np.asarray(x, np.float64 if like is None else like.dtype))


@contextmanager
def library(dtype: str) -> Iterator[Library[Any]]:
    """A scope in which what overflows or divides by zero says so by its result, never by a warning."""
    import numpy as np

    def logsumexp(a: Any) -> Any:
        largest = a.max((-2, -1), keepdims=True)
        largest = np.where(np.isfinite(largest), largest, 0)
        return np.log(np.exp(a - largest).sum((-2, -1), keepdims=True)) + largest

    with np.errstate(all="ignore"):
        yield Library(
            name="numpy",
            dtype=dtype,
            array_type=np.ndarray,
            array=lambda numbers: np.asarray(numbers, dtype),
            numpy=np.array,
            functions=functions(),
            where=np.where,
            concatenate=np.concatenate,
            logsumexp=logsumexp,
            broadcast=np.broadcast_to,
            detach=lambda a: a,
        )


def lambdify(symbols: Any, expression: Any) -> Callable[..., Any]:
    """SymPy's `lambdify` for NumPy, with the table above for what its printer does not know."""
    return lambdified(symbols, expression, modules=[functions(), "numpy"])


BACKEND = array_backend(
    library,
    name="numpy",
    packages=("numpy",),
    install="pip install derivations",
    dtypes=("float64", "float32"),
    functions=functions,
    lambdify=lambdify,
)
