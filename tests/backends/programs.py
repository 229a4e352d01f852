"""Backward programs that several tests judge, and what NumPy computes by them."""

from functools import cache

import numpy as np

from backends.backend import get
from backends.points import Point
from derivations.catalogue import read_cell
from derivations.derive import derive
from derivations.language import read
from derivations.program import Backward, backward_program

# Reductions, stacks, transposes, kinks, a readout and a loss: what the catalogue's first cells leave out.
EVERYTHING = """
cell everything
input x
state h, k
scalar alpha, eps
positive alpha, eps
target y

s = [h_prev; x]
u = W_us @ s + b
a = relu(u) * hard_sigmoid(W_h @ h_prev) - abs(u)/3 + max(u, b) * min(u, h_prev)
v = sqrt(mean((a - mean(a))**2) + eps)
k = softplus(a / v) + alpha * logsigmoid(k_prev) + clip(W_x @ x, -1, 1)
h = 0.3 * tanh(V.T @ k) ** 3 + dot(k, h_prev) * exp(-log(1 + k**2)) + detach(k)
readout
    p = W_p @ h
    q = exp(p - logsumexp(p))
loss
    miss = sum((q - y)**2)/2
"""


@cache
def program_of(name: str) -> Backward:
    """The program of a cell of the catalogue, or of `everything`."""
    return backward_program(derive(read(EVERYTHING) if name == "everything" else read_cell(name)))


def computed(program: Backward, dtype: str, point: Point) -> dict[str, np.ndarray]:
    """Its gradients by NumPy."""
    return get("numpy").gradients(program, point, dtype)
