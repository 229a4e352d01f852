"""torch on the CPU, with autograd as the other opinion. Its defaults and threads stay as they are."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from backends.arrays import Library, array_backend
from backends.elementwise import jumps, lambdified, with_numbers


def functions() -> Mapping[str, Callable[..., Any]]:
    """The table of functions, by torch's own where they are right.

    In float64 two are not: `softplus` is the identity above its threshold of 20, off by 5.8e5 ulp there, and the
    slope of `hardsigmoid` is 1/6 in float32.
    """
    import torch
    from torch.nn.functional import logsigmoid, relu6

    def number(x: float, like: Any) -> Any:
        if like is None:
            return torch.tensor(x, dtype=torch.float64, device="cpu")
        return torch.tensor(x, dtype=like.dtype, device=like.device)

    table: dict[str, Callable[..., Any]] = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "exp": torch.exp,
        "log": torch.log,
        "sqrt": torch.sqrt,
        "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        "logsigmoid": logsigmoid,
        "relu": torch.relu,
        "abs": torch.abs,
        "max": torch.maximum,
        "min": torch.minimum,
        "hard_sigmoid": lambda x: relu6(x + 3) / 6,
        "clip": lambda x, low, high: torch.clamp(x, low.detach(), high.detach()),
        **jumps(lambda condition, like: condition.to(like.dtype)),
    }
    return with_numbers(table, number)


@contextmanager
def library(dtype: str) -> Iterator[Library[Any]]:
    """A scope in which nothing is recorded for autograd but by `differentiate`."""
    import torch

    with torch.no_grad():
        yield Library(
            name="torch",
            dtype=dtype,
            array_type=torch.Tensor,
            array=lambda numbers: torch.tensor(numbers, dtype=getattr(torch, dtype), device="cpu"),
            numpy=lambda a: a.detach().cpu().numpy().copy(),
            functions=functions(),
            where=torch.where,
            concatenate=torch.concatenate,
            logsumexp=lambda a: torch.logsumexp(a, (-2, -1), keepdim=True),
            broadcast=torch.broadcast_to,
            detach=torch.detach,
        )


def differentiate(function: Callable[[dict[str, Any]], tuple[Any, Any]], leaves: dict[str, Any]) -> tuple[Any, Any]:
    """By `torch.autograd.grad`; within another call, of that call's leaves, the slopes can be differentiated again."""
    import torch

    again = any(leaf.requires_grad for leaf in leaves.values())
    with torch.enable_grad():
        at = leaves if again else {key: leaf.detach().requires_grad_() for key, leaf in leaves.items()}
        total, rest = function(at)
        if not total.requires_grad:  # everything is held constant
            return rest, dict.fromkeys(at)
        found = torch.autograd.grad(total, list(at.values()), create_graph=again, allow_unused=True)
        return rest, dict(zip(at, found, strict=True))


def vmap(function: Callable[..., Any]) -> Callable[..., Any]:
    """`torch.vmap` over the first axis of every array: of an input or a cotangent at one step, of an initial state."""
    import torch

    return torch.vmap(function)


def lambdify(symbols: Any, expression: Any) -> Callable[..., Any]:
    """SymPy's `lambdify` for torch, with the table above for what its printer does not know."""
    from sympy.printing.pytorch import TorchPrinter

    table = functions()

    class Printer(TorchPrinter):
        """SymPy's, which refuses a function that it does not know, even one that `lambdify` was given."""

        def _print_Function(self, expr: Any) -> str:
            name = type(expr).__name__
            if name in table:
                return f"{name}({', '.join(self._print(arg) for arg in expr.args)})"
            return super()._print_Function(expr)

    printer = Printer({"fully_qualified_modules": False, "inline": True})
    return lambdified(symbols, expression, modules=[table, "torch"], printer=printer)


BACKEND = array_backend(
    library,
    differentiate,
    name="torch",
    packages=("torch",),
    install="pip install 'derivations[torch]'",
    dtypes=("float64", "float32"),
    functions=functions,
    vmap=vmap,
    lambdify=lambdify,
    own_slopes={"clip": (1.0, 1.0)},
)
