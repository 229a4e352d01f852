"""Balls, jets and rounded numbers have one value; jets and the table of bends have the slopes of their functions."""

from math import inf

import numpy as np
import pytest
from flint import arb

from backends.balls import FUNCTIONS_OF_BALLS, BallArithmetic, balls, precision
from backends.curvature import BENDS
from backends.jets import Jet, JetArithmetic
from backends.rounding import RoundedArithmetic
from derivations.expression import evaluate
from derivations.functions import WRITABLE
from derivations.language import expression


@pytest.mark.parametrize("name", sorted(set(WRITABLE) - {"max", "min", "clip"}))
def test_a_jet_has_the_slope_of_its_function(name):
    """Against a difference quotient with steps of 2^-100."""
    with precision(400):
        for at in (0.37, 2.5, *(() if name in ("log", "sqrt") else (-0.83, -2.9))):
            one = np.array([[[arb(1)]]], dtype=object)
            jet = JetArithmetic().call(name, [Jet(balls(np.full((1, 1, 1), at)), one[None])])
            step = arb(2) ** -100
            function = FUNCTIONS_OF_BALLS[name]
            quotient = (function(arb(at) + step) - function(arb(at) - step)) / (2 * step)
            assert jet.value[0, 0, 0].overlaps(function(arb(at)))
            assert abs(jet.slope[0, 0, 0, 0] - quotient) < arb(2) ** -150


@pytest.mark.parametrize(
    "text",
    [
        "W @ (a * b) + W @ a",
        "(V.T @ a) / (1 + dot(a, b))",
        "sum(outer(a, b) @ a) * a",
        "[a; b]",
        "W @ detach(a * b)",
        "a - mean(b) * logsumexp(a) ** 2",
        "max(a, b) * min(a, 0.25) + detach(b)",
    ],
)
def test_three_arithmetics_have_one_value(text):
    rng = np.random.default_rng(0)
    given = {
        "a": rng.standard_normal((3, 2, 1)),
        "b": rng.standard_normal((3, 2, 1)),
        "W": rng.standard_normal((1, 2, 2)),
        "V": rng.standard_normal((1, 2, 2)),
    }
    rounded = RoundedArithmetic("float64")
    with precision(256):
        exactly = evaluate(expression(text), {k: balls(v) for k, v in given.items()}, BallArithmetic())
        jets = {k: Jet(balls(v), balls(np.zeros((1, *v.shape)))) for k, v in given.items()}
        jet = evaluate(expression(text), jets, JetArithmetic())
        number = evaluate(expression(text), {k: rounded.ledger.given(v) for k, v in given.items()}, rounded)
    assert exactly.shape == jet.value.shape == number.value.shape == number.middle.shape
    for other in (jet.value, number.value):
        assert all(x.overlaps(y) for x, y in zip(exactly.flat, other.flat, strict=True))
    assert (number.bound[0] > 0).any() == (text != "[a; b]")  # which is not computed


@pytest.mark.parametrize("name", sorted(BENDS))
def test_a_bend_is_as_steep_and_as_curved_as_it_says(name):
    rng = np.random.default_rng(0)
    function, bend = FUNCTIONS_OF_BALLS[name], BENDS[name]
    positive = name in ("log", "sqrt")
    low = rng.uniform(0.1, 4, 60) if positive else rng.uniform(-6, 6, 60)
    high = low + rng.exponential(1, 60)
    at = low + (high - low) * rng.uniform(0, 1, 60)
    with precision(400):
        step = arb(2) ** -90
        for a, lo, hi in zip(at, low, high, strict=True):
            before, here, after = (function(arb(a) + d * step) for d in (-1, 0, 1))
            first = float((after - before) / (2 * step))
            second = float((after - 2 * here + before) / step**2)
            one, other = np.array(lo), np.array(hi)
            assert bend.slope(np.array(a)) == pytest.approx(first, rel=1e-12)
            steepest, most_curved = bend.within(one, other)
            assert abs(first) <= steepest * (1 + 1e-12)
            assert abs(second) <= most_curved * (1 + 1e-12)


def test_a_bend_has_no_bound_beyond_its_domain():
    with np.errstate(all="ignore"):
        for name in ("log", "sqrt"):
            assert BENDS[name].within(np.array(-0.1), np.array(1.0)) == (inf, inf)
