"""Python expressions are read as ours: operators in their order, functions by whatever name a library has for them."""

import ast

import pytest

from derivations.expression import Call, Expr, Name
from derivations.plain import code
from derivations.pythonic import Unreadable, expression, imported

IMPORTS = """
import jax.numpy as jnp, torch, numpy
from jax import nn as jnn
from torch import tanh as th, lerp
import torch.nn.functional as F
from keras.src import ops
"""
ALIASES = imported(ast.parse(IMPORTS))


def leaf(node: ast.expr) -> Expr | None:
    match node:
        case ast.Name(id=id) if id not in ALIASES:
            return Name(id)
        case ast.Subscript(value=ast.Name(id=id)):
            return Name(f"{id}_t")
        case ast.Attribute(value=ast.Name(id="self"), attr=attr):
            return Name(attr)
        case ast.Call(func=ast.Name(id="dsigmoid"), args=[arg]):
            return Call("sigmoid", (expression(arg, leaf, ALIASES),))
    return None


def read(text: str) -> str:
    return code(expression(ast.parse(text, mode="eval").body, leaf, ALIASES))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dc*c_prev*ft*(1-ft)", "dc*c_prev*ft*(1 - ft)"),
        ("a - b + c - (d - e)", "a - b + c - (d - e)"),
        ("-a * b / c", "(-a)*b/c"),
        ("x ** 2", "x**2"),
        ("x ** -1", "1/x"),
        ("x ** 0.5", "sqrt(x)"),
        ("0.1 * x", "0.1*x"),
        ("W @ x", "W @ x"),
        ("W.T @ x", "W.T @ x"),
        ("W.t() @ x", "W.T @ x"),
        ("jnp.dot(W.T, x)", "W.T @ x"),
        ("torch.matmul(x, W)", "x @ W"),
        ("x.matmul(W)", "x @ W"),
        ("F.linear(x, W)", "x @ W.T"),
        ("F.linear(x, W, bias=b)", "x @ W.T + b"),
        ("torch.addmm(b, x, W)", "b + x @ W"),
        ("jnn.sigmoid(x)", "sigmoid(x)"),
        ("th(x)", "tanh(x)"),
        ("x.sigmoid()", "sigmoid(x)"),
        ("ops.add(x, y)", "x + y"),
        ("torch.add(x, y, alpha=2)", "x + 2*y"),
        ("torch.sub(x, y)", "x - y"),
        ("F.softplus(x)", "softplus(x)"),
        ("F.logsigmoid(x)", "logsigmoid(x)"),
        ("F.hardsigmoid(x)", "hard_sigmoid(x)"),
        ("F.silu(x)", "x*sigmoid(x)"),
        ("F.relu(x, inplace=True)", "relu(x)"),
        ("numpy.clip(x, -1, 1)", "clip(x, -1, 1)"),
        ("x.clamp(max=1)", "min(x, 1)"),
        ("jnp.maximum(x, 0)", "max(x, 0)"),
        ("max(x, y)", "max(x, y)"),
        ("torch.where(x > 0, x, -x)", "abs(x)"),
        ("torch.where(x < y, y, x)", "max(y, x)"),
        ("jnp.where(x <= 0, 0, x)", "max(0, x)"),
        ("numpy.where(x >= 0, 1 / (1 + numpy.exp(-x)), numpy.exp(x) / (1 + numpy.exp(x)))", "sigmoid(x)"),
        ("F.log_softmax(x, dim=1)", "x - logsumexp(x)"),
        ("lerp(a, b, w)", "a + w*(b - a)"),
        ("numpy.outer(a, b)", "outer(a, b)"),
        ("numpy.concatenate([a, b], axis=0)", "[a; b]"),
        ("torch.cat((a, b), dim=-1)", "[a; b]"),
        ("x.sum(axis=-1) * y", "sum(x)*y"),
        ("jnp.mean(x)", "mean(x)"),
        ("x.detach()", "detach(x)"),
        ("jnp.asarray(x).astype(jnp.float32)", "x"),
        ("x.to(torch.float64).contiguous()", "x"),
        ("torch.zeros_like(x) + y", "y"),
        ("dsigmoid(f) * df", "sigmoid(f)*df"),
        ("self.W @ x[t]", "W @ x_t"),
        ("sigmoid(x)", "sigmoid(x)"),
        ("numpy.log1p(x)", "log(1 + x)"),
    ],
)
def test_what_is_read(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a + mystery(b)", "column 5: the function mystery is not known here"),
        ("numpy.fft(x)", "column 1: fft is not among the functions that are read"),
        ("x.sigmoid_()", "column 1: sigmoid_ changes its object in place; write x = x.sigmoid()"),
        ("x.sum(axis=0)", "sum is read over the last axis; write axis=-1"),
        ("F.softplus(x, 2)", "softplus takes 1 arguments, not 2"),
        ("F.softplus(x, beta=2)", "the argument beta of softplus is not read"),
        ("torch.tanh(x, out=h)", "the argument out of tanh is not read"),
        ("x.reshape(-1, 1)", "this makes a column"),
        ("x.unsqueeze(-1)", "this makes a column"),
        ("a if b else c", "this is a choice by if; write max, min"),
        ("a > b", "this is a comparison"),
        ("[a for a in b]", "this is a comprehension"),
        ("lambda a: a", "this is a lambda"),
        ("a // b", "there is no // among the operations"),
        ("a ^ 2", "a power is written x**2"),
        ("a ** b", "a power is one whole number"),
        ("a ** 9", "powers are whole numbers from 0 to 8"),
        ("(a ** 8) ** 8", "powers of powers beyond 8"),
        ("a / 0", "division by zero"),
        ("1e400 * a", "this number is too large"),
        ("3j * a", "is no number"),
        ("True * a", "is no number"),
        ("'s' * a", "is no number"),
        ("jnp.where(a > 1, b, c)", "this where is none of max, min, relu and abs"),
        ("torch.addmm(b, x, W, beta=2)", "beta and alpha are not read"),
        ("f'{a}'", "this is a string"),
    ],
)
def test_what_is_not_read_is_said_with_its_place(text, complaint):
    with pytest.raises(Unreadable) as wrong:
        read(text)
    assert complaint in str(wrong.value)
    assert str(wrong.value).startswith("line 1, column ")


def test_a_long_sum_is_no_deep_one():
    assert read(" + ".join(["a"] * 900)) == " + ".join(["a"] * 900)


def test_a_deep_one_is_refused():
    with pytest.raises(Unreadable, match="nested deeper than 64"):
        read("-" * 80 + "a")
