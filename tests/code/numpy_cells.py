"""Cells as people write them for numpy, jax and plain floats: read as text by the tests, never run or imported."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


def sigm(z):
    return 1 / (1 + np.exp(-z))


def characters(inputs, hprev):
    """A walk over time by an index, with dictionaries of steps and global weights."""
    xs, hs, ys = {}, {}, {}
    hs[-1] = np.copy(hprev)
    for t in range(len(inputs)):
        xs[t] = inputs[t]
        hs[t] = np.tanh(np.dot(Wxh, inputs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
    return ys


def floats(x, h, c, p):
    """One unit, plain products, a dictionary of weights."""
    f = sigm(p["wf"] * x + p["uf"] * h + p["bf"])
    i = sigm(p["wi"] * x + p["ui"] * h + p["bi"])
    g = np.tanh(p["wg"] * x + p["ug"] * h + p["bg"])
    o = sigm(p["wo"] * x + p["uo"] * h + p["bo"])
    c = f * c + i * g
    h = o * np.tanh(c)
    return h, c


def scanned(params, xs, h0):
    W, U, b = params

    def cell(h, x):
        h = jnp.tanh(W @ x + U @ h + b)
        return h, h

    return jax.lax.scan(cell, h0, xs)


def course(xt, a_prev, c_prev, parameters):
    """As an online course has it: concatenation, names of its own, a prediction and a cache."""
    Wf = parameters["Wf"]
    bf = parameters["bf"]
    Wi = parameters["Wi"]
    bi = parameters["bi"]
    Wc = parameters["Wc"]
    bc = parameters["bc"]
    Wo = parameters["Wo"]
    bo = parameters["bo"]
    Wy = parameters["Wy"]
    by = parameters["by"]
    n_x, m = xt.shape
    n_y, n_a = Wy.shape
    concat = np.concatenate((a_prev, xt), axis=0)
    ft = sigm(np.dot(Wf, concat) + bf)
    it = sigm(np.dot(Wi, concat) + bi)
    cct = np.tanh(np.dot(Wc, concat) + bc)
    c_next = ft * c_prev + it * cct
    ot = sigm(np.dot(Wo, concat) + bo)
    a_next = ot * np.tanh(c_next)
    yt_pred = np.dot(Wy, a_next) + by
    cache = (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters)
    return a_next, c_next, yt_pred, cache


class P(NamedTuple):
    w: jnp.ndarray
    u: jnp.ndarray
    b: jnp.ndarray


@jax.jit
def fields(p: P, h, x):
    return jnp.tanh(jnp.dot(p.w, x) + p.u @ h + p.b)


class Keeps:
    """The state is kept in the object."""

    def __init__(self, W, U, b):
        self.W, self.U, self.b = W, U, b
        self.h = np.zeros(3)

    def step(self, x):
        self.h = np.tanh(np.dot(self.W, x) + np.dot(self.U, self.h) + self.b)
        return self.h
