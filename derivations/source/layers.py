"""Layers of libraries, `nn.Linear(m, n)` and their kin, as what they compute and the parameters that they hold."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from derivations.expression import Add, Call, Div, Expr, MatMul, Mul, Name, Neg, Num, Pow, Reduce
from derivations.python_operators import Unreadable, quantity
from derivations.source.values import Layer, Library

Parameter = Callable[[str], Name]  # a parameter of the layer by the library's name for it

# Layers that are a function and hold nothing.
FUNCTIONS = {
    "Sigmoid": "sigmoid", "Tanh": "tanh", "ReLU": "relu", "Softplus": "softplus", "Hardsigmoid": "hard_sigmoid",
    "LogSigmoid": "logsigmoid", "SiLU": "silu", "Softmax": "softmax", "LogSoftmax": "log_softmax",
}  # fmt: skip
LINEAR = ("Linear", "Dense", "LazyLinear")
NORMS = ("LayerNorm", "LayerNormalization", "RMSNorm")
IDENTITIES = ("Identity", "Dropout", "AlphaDropout")
LAYERS = (*LINEAR, *NORMS, *IDENTITIES, "DenseParams")
ROOTS = ("torch", "flax", "equinox", "keras", "haiku", "tensorflow", "jax")


def is_layer(kind: Library) -> bool:
    return kind.last in LAYERS and kind.root in ROOTS


def applied(layer: Layer, x: Any, parameter: Parameter) -> Expr:
    """What the layer makes of its input.

    `torch.nn.Linear` and equinox hold `weight` (outputs by inputs), flax and keras `kernel` (inputs by outputs).
    """
    inner, kind = quantity(x), layer.kind.last
    if kind in IDENTITIES:
        return inner
    if kind in LINEAR:
        if layer.kind.root in ("flax", "keras", "tensorflow"):
            mapped: Expr = MatMul(inner, parameter("kernel"))
        else:
            mapped = MatMul(parameter("weight"), inner)
        return Add((mapped, parameter("bias"))) if has_bias(layer) else mapped
    if kind in NORMS:
        return _normalised(layer, inner, parameter)
    raise Unreadable(f"the layer {kind} is not read; write what it computes")


def has_bias(layer: Layer) -> bool:
    """By `bias=` or `use_bias=`; a linear layer has one by default."""
    for word in ("bias", "use_bias"):
        if word in layer.keywords:
            given = layer.keywords[word]
            if not isinstance(given, bool):
                raise Unreadable(f"it is not known whether {layer.name or layer.kind.last} has a bias; give a default")
            return given
    third = layer.args[2] if len(layer.args) > 2 and layer.kind.root in ("torch", "equinox") else True
    return third if isinstance(third, bool) else True


def _normalised(layer: Layer, x: Expr, parameter: Parameter) -> Expr:
    """gamma (x - mean) / sqrt(variance + eps) + beta; without the mean and beta for RMSNorm."""
    eps = layer.keywords.get("eps", layer.keywords.get("epsilon", _EPSILON.get(layer.kind.root)))
    if not isinstance(eps, Num):
        raise Unreadable(f"the eps of {layer.kind.last} is not known; give it as a number")
    centred = x if layer.kind.last == "RMSNorm" else Add((x, Neg(Reduce("mean", (x,)))))
    spread = Call("sqrt", (Add((Reduce("mean", (Pow(centred, 2),)), eps)),))
    scale, shift = ("scale", "bias") if layer.kind.root == "flax" else ("weight", "bias")
    if layer.kind.root == "keras":
        scale, shift = "gamma", "beta"
    scaled = Div(Mul((parameter(scale), centred)), spread)
    if layer.kind.last == "RMSNorm" or layer.keywords.get("bias") is False or layer.keywords.get("use_bias") is False:
        return scaled
    return Add((scaled, parameter(shift)))


_EPSILON = {
    "torch": Num(Fraction(1, 10**5)),
    "equinox": Num(Fraction(1, 10**5)),
    "flax": Num(Fraction(1, 10**6)),
    "keras": Num(Fraction(1, 10**3)),
}
