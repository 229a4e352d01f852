"""Points of the scalar walkthroughs, and how far programs that are both right may differ there.

Two programs that are both right differ by rounding, and how far is known: each of about 75 rounded
operations at a step (30 forward, 45 backward) errs by a unit roundoff u, relative, and the errors
of T steps add up. What multiplies them is the cancellation in the slopes s*(1 - s) and 1 - t**2, by
which autograd differentiates: a relative error u in s becomes u/(1 - s) in 1 - s. So

    |got - expected| <= 75 * T * u * amplification * |expected|

with amplification = 1/(the smallest 1 - s or 1 - t**2 of the point), at most 40 at random points.
The files in plain Python form their slopes from preactivations and cancel nothing; theirs is the
largest preactivation, since a relative error u in a is |a|*u in exp(a).

The bound makes no allowance for paths that cancel one another. Among 200 seeds that takes the worst
right gradient to 33 times the bound, where the median is at a hundredth of it; the seeds used here
stay below a tenth. The planted mistakes exceed a thousand times the bound.
"""

import importlib
import math
import os
import random
from functools import cache
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from backends.walkthrough import plain, rnn_plain

ROUNDED_OPERATIONS = 75
UNIT_ROUNDOFF = {"float64": 2.0**-53, "float32": 2.0**-24}


def needs(name: str) -> ModuleType:
    """The module; where it is not installed the test is skipped, and where CI=true it fails."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is not installed, and with CI=true nothing may be skipped for it")
        pytest.skip(f"{name} is not installed")


def walkthrough(name: str) -> ModuleType:
    """The walkthrough in that file, if the framework that it is named after is installed."""
    needs(name.rpartition("_")[2])
    return importlib.import_module(f"backends.walkthrough.{name}")


class Point(NamedTuple):
    """The arguments of a scalar walkthrough but for the cotangents, which `cotangents` holds."""

    parameters: dict[str, float]
    x: list[float]
    states: dict[str, float]  # h_0, and c_0 where there is one
    y_hat: float
    cotangents: dict[str, Any]

    def forward(self, module: ModuleType, *dtype: str) -> list[dict[str, float]]:
        return module.forward(self.parameters, self.x, *self.states.values(), *dtype)

    def pullback(self, module: ModuleType, *dtype: str) -> dict[str, float]:
        arguments = (self.parameters, self.x, *self.states.values(), self.y_hat, self.cotangents)
        return module.pullback(*arguments, *dtype)

    def gradients(self, module: ModuleType, of: str, *dtype: str) -> dict[str, float]:
        arguments = (self.parameters, self.x, *self.states.values(), self.y_hat, of)
        return module.gradients(*arguments, *dtype)

    def slopes(self) -> list[float]:
        """1 - s for each sigmoid s, and 1 - t**2 for each tanh t, at every step."""
        if "c_0" not in self.states:
            steps = self.forward(rnn_plain)
            return [slope for v in steps for slope in (1 - v["h"] ** 2, 1 - v["y"])]
        steps = self.forward(plain)
        return [
            slope
            for v in steps
            for slope in (
                *(1 - v[sigmoid] for sigmoid in ("f", "i", "o", "y")),
                1 - v["c_tilde"] ** 2,
                1 - math.tanh(v["c"]) ** 2,
            )
        ]

    def bound(self, dtype: str = "float64") -> float:
        """The relative difference that rounding may make between autograd and a right gradient."""
        return ROUNDED_OPERATIONS * len(self.x) * UNIT_ROUNDOFF[dtype] / min(self.slopes())


def notebook(module: ModuleType, cotangents: dict[str, Any]) -> Point:
    """The notebook's numbers, from the plain walkthrough that holds them."""
    numbers = module.NUMBERS
    states = {name: numbers[name] for name in ("h_0", "c_0") if name in numbers}
    return Point(numbers["parameters"], numbers["x"], states, numbers["y_hat"], cotangents)


def random_cotangents(seed: int, steps: int, names: tuple[str, ...]) -> dict[str, Any]:
    """Draws from N(0, 1): one for each step of h, y and loss, and one for each final state."""
    draw = random.Random(f"cotangents {seed}")  # else they repeat the numbers of the point
    each_step = {name: [draw.gauss(0, 1) for _ in range(steps)] for name in ("h", "y", "loss")}
    return {**each_step, **{name: draw.gauss(0, 1) for name in names}}


@cache
def random_point(module: ModuleType, seed: int, steps: int) -> Point:
    """Draws from N(0, 1) for everything, and again until no sigmoid and no tanh is saturated."""
    draw = random.Random(seed)
    numbers = module.NUMBERS
    while True:
        states = {name: draw.gauss(0, 1) for name in ("h_0", "c_0") if name in numbers}
        point = Point(
            {name: draw.gauss(0, 1) for name in numbers["parameters"]},
            [draw.gauss(0, 1) for _ in range(steps)],
            states,
            draw.gauss(0, 1),
            random_cotangents(seed, steps, ("h_T", "c_T")[: len(states)]),
        )
        if min(point.slopes()) > 1 / 40:
            return point


RANDOM = [(1, 1), (2, 3), (3, 5)]  # (seed, T)


def disagreements(got: dict[str, float], expected: dict[str, float], bound: float) -> dict[str, float]:
    """The names whose relative difference exceeds the bound, with that difference."""
    assert got.keys() == expected.keys()
    differences = {
        name: abs(got[name] - expected[name]) / abs(expected[name]) if expected[name] else abs(got[name])
        for name in expected
    }
    # Written with `not <=`, so that a NaN disagrees.
    return {name: d for name, d in differences.items() if not d <= bound}
