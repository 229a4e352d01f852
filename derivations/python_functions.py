"""The functions of torch, jax, numpy, keras and math that a cell can say, one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from derivations.expression import (
    ONE,
    ZERO,
    Call,
    Detach,
    Expr,
    MatMul,
    Neg,
    Num,
    Outer,
    Pow,
    Reduce,
    Stack,
)
from derivations.python_operators import (
    Product,
    Unreadable,
    Value,
    added,
    divided,
    multiplied,
    quantity,
    raised,
    transposed,
)


@dataclass(frozen=True)
class Row:
    """A library's function: what it makes of its arguments, and what libraries call these."""

    make: Callable[..., Expr]
    arguments: tuple[str, ...] = ("x",)  # the names of each, with spaces between


def library(name: str, args: Sequence[Value], keywords: Mapping[str, Value], matmul: Product = MatMul) -> Expr:
    """What a library's function is of its arguments; a method is the function of its object.

    Raises:
        Unreadable: it is not among the functions of a cell, or its arguments are not what it takes.
    """
    if name in SHAPES_ONLY and args:
        if _makes_column(name, args[1:], keywords):
            raise Unreadable(
                "this makes a column, and what it meets makes a matrix; leave the vector, or write outer(a, b)"
            )
        return quantity(args[0])
    if name in CONSTANTS:
        return CONSTANTS[name]
    row = FUNCTION_ROWS.get(name)
    if row is None:
        near = name.rstrip("_")
        if name.endswith("_") and near in FUNCTION_ROWS:
            raise Unreadable(f"{name} changes its object in place; write x = x.{near}()")
        raise Unreadable(f"{name[:60]} is not among the functions that are read; write what it computes")
    bound: list[Value] = [None] * len(row.arguments)
    if not all(arg is None or isinstance(arg, (str, bool)) for arg in args[len(bound) :]):
        raise Unreadable(f"{name} takes {len(bound)} arguments, not {len(args)}")
    bound[: len(args)] = args[: len(bound)]
    for key, value in keywords.items():
        at = next((k for k, known in enumerate(row.arguments) if key in known.split()), None)
        if at is not None:
            bound[at] = value
        elif key not in WITHOUT_MEANING:
            raise Unreadable(f"the argument {key[:40]} of {name} is not read; leave it out")
    try:
        return row.make(*bound) if name not in PRODUCTS else row.make(matmul, *bound)
    except (AttributeError, TypeError):
        raise Unreadable(f"the arguments of {name} are not read; write what it computes") from None


def _makes_column(name: str, args: Sequence[Value], keywords: Mapping[str, Value]) -> bool:
    """Whether a vector gets an axis behind its features: `x.reshape(-1, 1)`, `x.unsqueeze(-1)`."""
    if name in ("reshape", "view") and args:
        shape = args[-1] if isinstance(args[-1], (list, tuple)) else args
        return len(shape) > 1 and shape[-1] == ONE
    if name in ("unsqueeze", "expand_dims"):
        axis = args[0] if args else keywords.get("axis", keywords.get("dim"))
        return axis not in (None, ZERO)
    return False


def _call(function: str) -> Row:
    return Row(lambda x: Call(function, (quantity(x),)), ("x input a self",))


def _reduction(kind: str) -> Row:
    def make(x: Value, axis: Value) -> Expr:
        along = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
        if along is not None and along not in (Num(Fraction(-1)), ONE):
            raise Unreadable(f"{kind} is read over the last axis; write axis=-1")
        return Reduce(kind, (quantity(x),))

    return Row(make, ("x input a", "axis dim"))


def _binary(operator: Callable[[Expr, Expr], Expr]) -> Row:
    return Row(lambda a, b: operator(quantity(a), quantity(b)), ("x x1 input a", "y x2 other b"))


def _clip(x: Value, low: Value, high: Value) -> Expr:
    inner = quantity(x)
    if low is None or high is None:
        return Call("max", (inner, quantity(low))) if high is None else Call("min", (inner, quantity(high)))
    return Call("clip", (inner, quantity(low), quantity(high)))


def _stacked(parts: Value, axis: Value = None) -> Expr:
    if not isinstance(parts, (list, tuple)) or not parts:
        raise Unreadable("concatenate takes a list of vectors")
    return Stack(tuple(map(quantity, parts)))


def _log_softmax(x: Value, axis: Value) -> Expr:
    inner = quantity(x)
    return added(inner, Neg(Reduce("logsumexp", (inner,))))


def _softmax(x: Value, axis: Value) -> Expr:
    return Call("exp", (_log_softmax(x, axis),))


def _scaled(a: Value, b: Value, alpha: Value, sign: int) -> Expr:
    right = quantity(b) if alpha in (None, ONE) else multiplied(quantity(alpha), quantity(b))
    return added(quantity(a), right if sign > 0 else Neg(right))


def _addmm(matmul: Product, b: Value, x: Value, w: Value, beta: Value, alpha: Value) -> Expr:
    if beta not in (None, ONE) or alpha not in (None, ONE):
        raise Unreadable("beta and alpha are not read; write b + x @ W")
    return added(quantity(b), matmul(quantity(x), quantity(w)))


def _linear(matmul: Product, x: Value, w: Value, b: Value) -> Expr:
    mapped = matmul(quantity(x), transposed(quantity(w)))
    return mapped if b is None else added(mapped, quantity(b))


def _times(matmul: Product, a: Value, b: Value) -> Expr:
    return matmul(quantity(a), quantity(b))


def _lerp(a: Value, b: Value, w: Value) -> Expr:
    return added(quantity(a), multiplied(quantity(w), added(quantity(b), Neg(quantity(a)))))


def _axes(x: Value, *axes: Value) -> Expr:
    given = axes[0] if axes and isinstance(axes[0], (list, tuple)) else [axis for axis in axes if axis is not None]
    if given and sorted(quantity(axis) != ZERO and axis != Num(Fraction(-2)) for axis in given) != [False, True]:
        raise Unreadable("only the two axes of a matrix are swapped")
    return transposed(quantity(x))


_PAIR = ("x x1 input a mat1 tensor1", "y x2 other b mat2 vec tensor2")
FUNCTION_ROWS: Mapping[str, Row] = {
    **{name: _call(name) for name in ("sigmoid", "tanh", "exp", "log", "sqrt", "softplus", "relu", "abs")},
    **{name: _call("sigmoid") for name in ("expit", "logistic")},
    **{name: _call("logsigmoid") for name in ("logsigmoid", "log_sigmoid")},
    **{name: _call("hard_sigmoid") for name in ("hard_sigmoid", "hardsigmoid")},
    **{name: _call("abs") for name in ("absolute", "fabs")},
    **{name: _reduction(name) for name in ("sum", "mean", "logsumexp")},
    "add": Row(lambda a, b, k: _scaled(a, b, k, +1), (*_PAIR, "alpha")),
    **{name: Row(lambda a, b, k: _scaled(a, b, k, -1), (*_PAIR, "alpha")) for name in ("sub", "subtract")},
    **{name: _binary(multiplied) for name in ("mul", "multiply")},
    **{name: _binary(divided) for name in ("div", "divide", "true_divide")},
    **{name: _binary(raised) for name in ("pow", "power", "float_power")},
    **{name: _binary(lambda a, b: Call("max", (a, b))) for name in ("maximum", "fmax")},
    **{name: _binary(lambda a, b: Call("min", (a, b))) for name in ("minimum", "fmin")},
    **{name: Row(_clip, ("x input a", "min a_min x_min", "max a_max x_max")) for name in ("clip", "clamp")},
    **{name: Row(_times, _PAIR) for name in ("matmul", "dot", "mm", "mv", "bmm", "vdot", "inner")},
    "outer": Row(lambda a, b: Outer(quantity(a), quantity(b)), ("x input a", "y other b vec2")),
    "linear": Row(_linear, ("x input", "w weight kernel", "b bias")),
    **{name: Row(_addmm, ("input b", "mat1 x mat", "mat2 w vec", "beta", "alpha")) for name in ("addmm", "addmv")},
    "lerp": Row(_lerp, ("input start a", "end b", "weight w")),
    "softmax": Row(_softmax, ("x input a", "axis dim")),
    "log_softmax": Row(_log_softmax, ("x input a", "axis dim")),
    **{name: Row(_stacked, ("tensors arrays xs values", "axis dim")) for name in ("concatenate", "cat", "concat")},
    "hstack": Row(_stacked, ("tensors tup", "axis")),
    **{name: Row(lambda x: Neg(quantity(x)), ("x input a",)) for name in ("neg", "negative")},
    "square": Row(lambda x: Pow(quantity(x), 2), ("x input a",)),
    "reciprocal": Row(lambda x: divided(ONE, quantity(x)), ("x input a",)),
    "rsqrt": Row(lambda x: divided(ONE, Call("sqrt", (quantity(x),))), ("x input a",)),
    "log1p": Row(lambda x: Call("log", (added(ONE, quantity(x)),)), ("x input a",)),
    "expm1": Row(lambda x: added(Call("exp", (quantity(x),)), Neg(ONE)), ("x input a",)),
    **{
        name: Row(lambda x: multiplied(quantity(x), Call("sigmoid", (quantity(x),))), ("x input",))
        for name in ("silu", "swish")
    },
    **{name: Row(lambda x: Detach(quantity(x)), ("x input",)) for name in ("detach", "stop_gradient")},
    **{name: Row(_axes, ("x input a", "axes dim0", "dim1")) for name in ("t", "transpose", "swapaxes")},
}
CONSTANTS: Mapping[str, Expr] = {
    **dict.fromkeys(("zeros", "zeros_like", "new_zeros"), ZERO),
    **dict.fromkeys(("ones", "ones_like", "new_ones"), ONE),
}
PRODUCTS = {"matmul", "dot", "mm", "mv", "bmm", "vdot", "inner", "linear", "addmm", "addmv"}
SHAPES_ONLY = {
    "to", "float", "double", "half", "bfloat16", "type", "astype", "contiguous", "clone", "copy", "squeeze",
    "unsqueeze", "view", "reshape", "expand", "expand_as", "expand_dims", "broadcast_to", "flatten", "ravel", "cuda",
    "cpu", "asarray", "array", "tensor", "as_tensor", "convert_to_tensor", "cast", "atleast_1d", "atleast_2d",
    "type_as", "requires_grad_", "with_sharding_constraint", "checkpoint_name", "optimization_barrier", "numpy",
    "float32", "float64", "device_put", "view_as", "reshape_as", "from_numpy", "Tensor", "item", "tolist",
}  # fmt: skip
# Of arguments that change no value: `relu(x, inplace=False)`.
WITHOUT_MEANING = {
    "axis", "dim", "keepdims", "keepdim", "dtype", "device", "name", "precision", "inplace", "requires_grad",
    "preferred_element_type", "copy", "order", "promote_integers", "shape", "non_blocking", "ndmin", "memory_format",
}  # fmt: skip
BUILT_IN = {"abs": "abs", "max": "maximum", "min": "minimum", "pow": "pow"}
