"""Cells that several tests share, and arithmetic in which they can be evaluated exactly."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

from derivations.matrices import MatrixArithmetic

# Every atom and every function that a cell can write.
EVERYTHING = """
cell everything "Every atom and every function"
input x
target y_hat
state h, c, k, M
scalar k, eps
positive eps

a stack:           z = W_z @ [h_prev; x] + b_z
a gate:            f = sigmoid(z) * hard_sigmoid(U @ c_prev)
kinks:             r = relu(z) - abs(c_prev) / 2 + max(z, c_prev) * min(z, f) - clip(c_prev, -1, 1)
exponentials:      e = exp(-z) + softplus(z) * logsigmoid(c_prev)
logarithm:         p = log(e**2 + eps) / sqrt(f**2 + eps)
a row:             n = tanh((p * z) @ V) - detach(r * f) * r
reductions:        m = logsumexp(n) + mean(f) * sum(n) - dot(f, n)
a scalar state:    k = k_prev * sigmoid(m) + 1 / 3
a matrix state:    M = k * M_prev + m * outer(n, x)
a cell state:      c = f * c_prev + (1 - f) * n + 0.25 * r**3
the hidden state:  h = (M @ x) * tanh(c) + W_h.T @ (c - n) - k * h_prev + W_h @ c

readout
    prediction:     y = W_y @ h + b_y
loss
    squared error:  L = sum((y - y_hat)**2) / 2
"""
EVERYTHING_BUT_STACKS = EVERYTHING.replace("[h_prev; x]", "h_prev").replace("cell everything", "cell nearly")


def cell_text(equations: str, declared: str = "input x\nstate h") -> str:
    """The text of a cell with these equations."""
    return f"cell sample\n{declared}\n{equations}\n"


class Exact(MatrixArithmetic[Fraction]):
    """Matrices of fractions. Of the functions it has those that keep fractions fractions."""

    def scalar(self, value: Fraction) -> Fraction:
        return value

    def apply(self, function: str, args: tuple[Fraction, ...]) -> Fraction:
        return {"relu": lambda x: max(x, Fraction(0)), "max": max, "min": min, "abs": abs}[function](*args)


@contextmanager
def few_calls_deep(frames: int) -> Iterator[None]:
    """Python's stack cut down to so many more calls: what walks a sum term by term does not notice."""
    frame, depth = sys._getframe(), 0
    while frame:
        frame, depth = frame.f_back, depth + 1
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + frames)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
