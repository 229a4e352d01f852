"""The walkthroughs in frameworks against those in plain Python and the notebook's printed numbers."""

import math
from types import ModuleType

import pytest

from backends.walkthrough import plain, rnn_plain
from tests.backends.walkthrough.scalar_points import (
    RANDOM,
    disagreements,
    notebook,
    random_cotangents,
    random_point,
    walkthrough,
)

SCALAR = [(plain, "with_torch"), (plain, "with_jax"), (rnn_plain, "rnn_torch"), (rnn_plain, "rnn_jax")]
scalar = pytest.mark.parametrize(("by_hand", "name"), SCALAR, ids=[name for _, name in SCALAR])


@pytest.mark.parametrize("name", ["plain", "with_torch", "with_jax"])
def test_reproduces_the_notebook(name: str) -> None:
    module = plain if name == "plain" else walkthrough(name)
    steps = notebook(plain, {}).forward(module)
    assert len(steps) == 4
    assert all(list(v) == ["f", "i", "c_tilde", "c", "o", "h", "y"] for v in steps)
    # A few units in the last place: libraries round exp and tanh differently.
    assert math.isclose(steps[-1]["h"], 0.7355480552797364, rel_tol=2**-50)
    assert math.isclose(steps[-1]["y"], 0.9996446998328253, rel_tol=2**-50)


@pytest.mark.parametrize("name", ["with_torch", "with_jax"])
def test_prints_what_the_notebook_prints_in_float32(name: str) -> None:
    last = notebook(plain, {}).forward(walkthrough(name), "float32")[-1]
    assert (f"{last['h']:.4f}", f"{last['y']:.4f}") == ("0.7355", "0.9996")


@scalar
@pytest.mark.parametrize(("seed", "steps", "dtype"), [(*drawn, "float64") for drawn in RANDOM] + [(2, 3, "float32")])
def test_frameworks_agree_at_random_points(by_hand: ModuleType, name: str, seed: int, steps: int, dtype: str) -> None:
    point = random_point(by_hand, seed, steps)
    module = walkthrough(name)
    bound = point.bound(dtype)
    for got, expected in zip(point.forward(module, dtype), point.forward(by_hand), strict=True):
        assert disagreements(got, expected, bound) == {}
    assert disagreements(point.pullback(module, dtype), point.pullback(by_hand), bound) == {}


@pytest.mark.parametrize("name", ["with_torch", "with_jax"])
def test_frameworks_agree_at_the_notebook(name: str) -> None:
    module = walkthrough(name)
    point = notebook(plain, random_cotangents(0, 4, ("h_T", "c_T")))
    bound = point.bound()
    for got, expected in zip(point.forward(module), point.forward(plain), strict=True):
        assert disagreements(got, expected, bound) == {}
    assert disagreements(point.pullback(module), point.pullback(plain), bound) == {}
    for of in ("h", "c", "y", "loss"):
        expected = point.gradients(plain, of)
        assert disagreements(point.gradients(module, of), expected, bound) == {}


@pytest.mark.parametrize("name", ["with_torch", "with_jax"])
def test_exchanged_output_weights_are_caught(name: str) -> None:
    """The notebook's W_ho multiplies x and its W_hh multiplies h, against every reader's habit."""
    point = random_point(plain, seed=2, steps=3)
    exchanged = {"W_ho": point.parameters["W_hh"], "W_hh": point.parameters["W_ho"]}
    mistaken = point._replace(parameters={**point.parameters, **exchanged})
    got = mistaken.pullback(walkthrough(name))
    assert disagreements(got, point.pullback(plain), 1000 * point.bound())


@pytest.mark.parametrize("name", ["rnn_torch", "rnn_jax"])
def test_frameworks_lose_the_gradient_of_the_notebook_rnn(name: str) -> None:
    """h rounds to -1 at every step, and autograd's 1 - h**2 to zero; by hand it is 1e-17 and less.

    No relative bound can hold there: what reaches h_0 is 1e-180, and autograd says zero.
    """
    module = walkthrough(name)
    point = notebook(rnn_plain, {})
    assert [v["h"] for v in point.forward(module)] == [-1.0] * 4
    for of in ("h", "y", "loss"):
        got, expected = point.gradients(module, of), point.gradients(rnn_plain, of)
        assert got["h_0"] == 0.0
        assert 0.0 < abs(expected["h_0"]) < 1e-150
        # The readout does not saturate: its own gradients are right.
        for readout in ("W_hy", "b_y"):
            assert math.isclose(got[readout], expected[readout], rel_tol=2**-48)
