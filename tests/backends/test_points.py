"""Points: hard enough that nothing hides, the same for the same seed, and rounded once."""

from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import derivations
from backends.dtypes import FORMATS, format_of
from backends.points import (
    Point,
    arguments,
    decidable,
    draw,
    draw_scalar,
    letters,
    of_numbers,
    own_shape,
    rounded,
)
from derivations.catalogue import read_cell
from derivations.language import read

LSTM = read_cell("lstm")
CELLS = sorted((Path(derivations.__file__).parent / "cells").glob("*.cell"))

EVERYTHING = read("""
cell everything
input x
state h, c
output h
target y
scalar gain
positive gain, w, c

s = [h_prev; x]
c = softplus(W_s @ s) * w + c_prev
h = gain * tanh(c)
readout
    p = W_p @ h
loss
    miss = sum((p - y)**2)/2
""")


def arrays(point):
    for kind in ("parameters", "inputs", "initial", "cotangents", "final"):
        for name, array in getattr(point, kind).items():
            yield f"{kind} {name}", array


@pytest.mark.parametrize("path", CELLS, ids=lambda path: path.stem)
def test_a_point_leaves_a_mistake_no_place_to_hide(path):
    cell = read(path.read_text(encoding="utf-8"))
    point = draw(cell, 0)
    sizes = {size for array in (*point.parameters.values(), *point.initial.values()) for size in array.shape}
    outer = {point.steps, point.batch}
    assert point.steps >= 3
    assert point.batch >= 3
    assert len(outer) == 2
    for name in cell.previous:
        assert not outer & set(point.initial[name.removesuffix("_prev")].shape[1:])
    assert min(sizes) >= 2
    for name, array in arrays(point):
        assert np.isfinite(array).all(), name
        assert (array != 0).all(), name
    assert set(point.cotangents) == set(cell.seeded)
    assert set(point.final) == set(cell.states)
    assert set(point.parameters) == set(cell.parameters)


def test_all_sizes_differ():
    point = draw(EVERYTHING, 0)
    n, m = point.initial["h"].shape[1], point.inputs["x"].shape[2]
    p = point.parameters["W_p"].shape[0]
    assert len({n, m, p, point.steps, point.batch}) == 5
    assert point.parameters["W_s"].shape == (n, n + m)
    assert point.inputs["y"].shape == (point.steps, point.batch, p)
    assert point.cotangents["miss"].shape == (point.steps, point.batch)
    assert point.parameters["gain"].shape == ()
    assert letters(EVERYTHING)[:2] == ("n", "m")


def test_what_is_declared_positive_is():
    for seed in range(50):
        point = draw(EVERYTHING, seed, scale=10)
        for array in (point.parameters["gain"], point.parameters["w"], point.initial["c"]):
            assert (array > 0.05).all()
    assert (point.final["c"] < 0).any()  # a cotangent has no domain


def test_a_seed_is_a_point():
    once, again, other = draw(EVERYTHING, 7), draw(EVERYTHING, 7), draw(EVERYTHING, 8)
    for (name, a), (_, b), (_, c) in zip(arrays(once), arrays(again), arrays(other), strict=True):
        assert (a == b).all(), name
        assert (a != c).any(), name
    assert once.name == "seed 7"
    assert draw(EVERYTHING, 7, scale=10).name == "seed 7, scale 10"


def test_the_scale_is_the_spread():
    wide = draw(EVERYTHING, 0, sizes={"n": 40, "m": 30, "p": 20}, scale=10)
    assert 9 < wide.parameters["W_s"].std() < 11
    assert 9 < wide.cotangents["p"].std() < 11


def test_the_scalar_view_is_one_by_one():
    point = draw_scalar(EVERYTHING, 0, steps=5)
    assert point.parameters["W_p"].shape == (1, 1)
    assert point.parameters["W_s"].shape == (1, 2)
    assert point.inputs["x"].shape == (5, 3, 1)


# --- rounding to a format -----------------------------------------------------------------------------


def test_every_number_is_rounded_once():
    point = draw(EVERYTHING, 0)
    single = rounded(point, "float32")
    for (name, a), (_, b) in zip(arrays(point), arrays(single), strict=True):
        assert b.dtype == np.float64
        assert (b == a.astype(np.float32)).all(), name
    assert rounded(single, "float32").parameters["W_s"].tolist() == single.parameters["W_s"].tolist()
    assert rounded(point, "float64").parameters["W_s"].tolist() == point.parameters["W_s"].tolist()


def test_nearest_is_numpys_float32_everywhere():
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal(20_000) * 10.0 ** rng.uniform(-46, 39, 20_000)
    ties = (1 + 2.0**-24) * 2.0 ** np.arange(-140.0, 120.0)
    special = np.array([0.0, -0.0, np.inf, -np.inf, 2.0**-149, 2.0**-150, 3 * 2.0**-150, 3.4028235677973366e38])
    for given in (numbers, ties, special):
        with np.errstate(over="ignore"):
            due = given.astype(np.float32).astype(np.float64)
        got = format_of("float32").nearest(given)
        assert (got == due).all()
        assert (np.signbit(got) == np.signbit(due)).all()
    assert np.isnan(format_of("float32").nearest(np.array([np.nan]))).all()


@pytest.mark.parametrize(("name", "kind"), [("float64", np.float64), ("float32", np.float32)])
def test_a_format_is_what_numpy_says(name, kind):
    row, info = FORMATS[name], np.finfo(kind)
    assert row.unit == info.eps / 2
    assert row.smallest == info.tiny
    assert row.largest == info.max


def test_which_numbers_a_format_holds():
    single = format_of("float32")
    assert all(single.holds(Fraction(v)) for v in (0, 1, -3, Fraction(1, 2), 2**24, Fraction(5, 2**30)))
    assert not any(single.holds(Fraction(v)) for v in (Fraction(1, 10), Fraction(1, 3), 2**24 + 1, 2**200))
    assert format_of("float64").holds(Fraction(2**24 + 1))


def test_an_unknown_dtype_is_named():
    with pytest.raises(ValueError, match="no rounding is known for int8; known: float64, float32"):
        format_of("int8")


# --- as a program takes it ------------------------------------------------------------------------


def test_arguments_are_batches_of_matrices():
    point = draw(EVERYTHING, 0)
    given = arguments(point, np.asarray)
    n, p = point.initial["h"].shape[1], point.inputs["y"].shape[2]
    assert given.parameters["gain"].shape == (1, 1, 1)
    assert given.parameters["w"].shape == (1, n, 1)
    assert given.parameters["W_p"].shape == (1, p, n)
    assert given.initial["h"].shape == (point.batch, n, 1)
    assert len(given.inputs["y"]) == point.steps
    assert given.inputs["y"][2].shape == (point.batch, p, 1)
    assert given.cotangents["miss"][0].shape == (point.batch, 1, 1)
    assert (given.inputs["y"][2][1, :, 0] == point.inputs["y"][2, 1]).all()


def test_points_that_cannot_be_decided_are_passed_over():
    points = [draw(LSTM, seed) for seed in range(5)]

    def seed_of(point: Point, odd: bool) -> int:
        seed = int(point.name.removeprefix("seed "))
        if odd and seed % 2 == 0:
            raise ArithmeticError(f"a kink at {seed}")
        return seed

    assert decidable(partial(seed_of, odd=True), points, 2) == [1, 3]
    assert decidable(partial(seed_of, odd=True), points, 9) == [1, 3]
    drawn = iter(points)
    assert decidable(partial(seed_of, odd=False), drawn, 2) == [0, 1]
    assert len(list(drawn)) == 3  # no more were drawn than were needed
    with pytest.raises(ArithmeticError, match="a kink at 4"):
        decidable(partial(seed_of, odd=True), points[::2], 1)


def test_a_batch_of_matrices_in_its_own_shape():
    point = draw(LSTM, 1)
    (n, m), batch = point.parameters["W_xf"].shape, point.batch
    matrices = np.arange(batch * n, dtype=float).reshape(batch, n, 1)
    for key in ("h", "h_0"):
        assert own_shape(point, key, matrices).tolist() == matrices[..., 0].tolist()
        assert own_shape(point, key, matrices[:1]).tolist() == [matrices[0, :, 0].tolist()] * batch
    assert own_shape(point, "W_xf", np.zeros((1, n, m))).shape == (n, m)
    for key, shape in (("h_0", (batch, n, m)), ("b_f", (batch, n, 1)), ("W_xf", (batch, n, m))):
        with pytest.raises(ValueError, match="reshape"):  # not summed over the batch, or of too many numbers
            own_shape(point, key, np.zeros(shape))


def test_a_point_of_plain_numbers_sends_nothing_but_what_it_is_told_to():
    cell = read("cell c\ninput x\nstate h\nh = tanh(W @ x + h_prev)\n")
    point = of_numbers(cell, "here", {"W": Fraction(1, 2)}, {"x": [1, 2, 3]}, {"h": 4}, {"h": [0, 0, 1]})
    assert (point.steps, point.batch) == (3, 1)
    assert (point.parameters["W"].tolist(), point.initial["h"].tolist()) == ([[0.5]], [[4.0]])
    assert (point.cotangents["h"].ravel().tolist(), point.final["h"].tolist()) == ([0, 0, 1], [[0.0]])
