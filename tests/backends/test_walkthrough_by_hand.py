"""The hand-written walkthroughs against one another, and against differences in high precision.

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

import ast
import contextlib
import importlib
import importlib.util
import math
import os
import random
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import mpmath
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


# ---- Points: numbers, and a cotangent for every quantity ----


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


def one_hot(of: str, steps: int, final: tuple[str, ...]) -> dict[str, Any]:
    """The cotangents of one target at the last step."""
    cotangents: dict[str, Any] = {name: [0.0] * steps for name in ("h", "y", "loss")}
    cotangents.update(dict.fromkeys(final, 0.0))
    if f"{of}_T" in final:
        cotangents[f"{of}_T"] = 1.0
    else:
        cotangents[of][-1] = 1.0
    return cotangents


RANDOM = [(1, 1), (2, 3), (3, 5)]  # (seed, T)
SCALAR = [(plain, "with_torch"), (plain, "with_jax"), (rnn_plain, "rnn_torch")]
SCALAR += [(rnn_plain, "rnn_jax")]
scalar = pytest.mark.parametrize(("by_hand", "name"), SCALAR, ids=[name for _, name in SCALAR])
plain_modules = pytest.mark.parametrize("by_hand", [plain, rnn_plain], ids=["lstm", "rnn"])
at_random = pytest.mark.parametrize(("seed", "steps"), RANDOM)


# ---- Comparing ----


def disagreements(got: dict[str, float], expected: dict[str, float], bound: float) -> dict[str, float]:
    """The names whose relative difference exceeds the bound, with that difference."""
    assert got.keys() == expected.keys()
    differences = {
        name: abs(got[name] - expected[name]) / abs(expected[name]) if expected[name] else abs(got[name])
        for name in expected
    }
    # Written with `not <=`, so that a NaN disagrees.
    return {name: d for name, d in differences.items() if not d <= bound}


# ---- The notebook's printed numbers ----


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


# ---- The backward pass by hand, against central differences in 250 digits ----


def exact_sum(numbers: dict[str, Any], y_hat: float, cotangents: dict[str, Any]) -> Any:
    """sum(cotangent*quantity) in mpmath; `numbers` has parameters, states and x_1, x_2, ..."""
    v = numbers

    def sigmoid(a: Any) -> Any:
        return 1 / (1 + mpmath.exp(-a))

    total = mpmath.mpf(0)
    h, c = v["h_0"], v.get("c_0")
    for t, (on_h, on_y, on_loss) in enumerate(
        zip(cotangents["h"], cotangents["y"], cotangents["loss"], strict=True), start=1
    ):
        x = v[f"x_{t}"]
        if c is None:
            h = mpmath.tanh(v["W_xh"] * x + v["W_hh"] * h + v["b_h"])
        else:
            keep = sigmoid(v["W_xh"] * x + v["W_hf"] * h + v["b_f"])
            write = sigmoid(v["W_xi"] * x + v["W_hi"] * h + v["b_i"])
            show = sigmoid(v["W_ho"] * x + v["W_hh"] * h + v["b_o"])
            c = keep * c + write * mpmath.tanh(v["W_xc"] * x + v["W_hc"] * h + v["b_c"])
            h = show * mpmath.tanh(c)
        y = sigmoid(v["W_hy"] * h + v["b_y"])
        total += on_h * h + on_y * y + on_loss * (y - y_hat) ** 2 / 2
    total += cotangents["h_T"] * h
    return total if c is None else total + cotangents["c_T"] * c


def exact_gradient(point: Point) -> dict[str, float]:
    """Central differences; at step 1e-40 in 250 digits, right to more digits than a float holds.

    The smallest gradient here is near 1e-180 (the notebook's RNN), where 250 digits leave
    250 - 180 - 40 = 30.
    """
    inputs = {f"x_{t}": x_t for t, x_t in enumerate(point.x, start=1)}
    with mpmath.workdps(250):
        step = mpmath.mpf("1e-40")
        at = {k: mpmath.mpf(v) for k, v in {**point.parameters, **point.states, **inputs}.items()}

        def shifted(name: str, by: Any) -> Any:
            return exact_sum({**at, name: at[name] + by}, point.y_hat, point.cotangents)

        return {name: float((shifted(name, step) - shifted(name, -step)) / (2 * step)) for name in at}


def plain_bound(steps: int, largest_preactivation: float) -> float:
    """The relative difference that rounding may make between the plain files and the truth."""
    return ROUNDED_OPERATIONS * steps * UNIT_ROUNDOFF["float64"] * largest_preactivation


@plain_modules
@at_random
def test_backward_by_hand_at_random_points(by_hand: ModuleType, seed: int, steps: int) -> None:
    point = random_point(by_hand, seed, steps)
    got = point.pullback(by_hand)
    assert disagreements(got, exact_gradient(point), plain_bound(steps, 5)) == {}


@plain_modules
def test_backward_by_hand_at_the_notebook(by_hand: ModuleType) -> None:
    final = ("h_T", "c_T") if by_hand is plain else ("h_T",)
    for seed in range(3):
        point = notebook(by_hand, random_cotangents(seed, 4, final))
        got = point.pullback(by_hand)
        assert disagreements(got, exact_gradient(point), plain_bound(4, 80)) == {}


@pytest.mark.parametrize(
    ("by_hand", "of"),
    [(plain, of) for of in ("h", "c", "y", "loss")] + [(rnn_plain, of) for of in ("h", "y", "loss")],
)
def test_each_target_at_the_notebook(by_hand: ModuleType, of: str) -> None:
    final = ("h_T", "c_T") if by_hand is plain else ("h_T",)
    point = notebook(by_hand, one_hot(of, 4, final))
    got = point.gradients(by_hand, of)
    assert disagreements(got, exact_gradient(point), plain_bound(4, 80)) == {}


# ---- The frameworks against the plain walkthroughs ----


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


@pytest.mark.parametrize("name", ["plain", "with_torch", "with_jax"])
@pytest.mark.parametrize("prefix", ["", "rnn_"])
def test_an_unknown_target_is_an_error(name: str, prefix: str) -> None:
    if prefix:
        name = prefix + name.removeprefix("with_")
    by_hand = rnn_plain if prefix else plain
    module = by_hand if name.endswith("plain") else walkthrough(name)
    with pytest.raises(ValueError, match="no target 'o'"):
        notebook(by_hand, {}).gradients(module, "o")


# ---- Batched vectors ----

UNITS, INPUTS, BATCH, STEPS = 4, 2, 3, 5
VECTOR_GATES = {"lstm": "figo", "rnn": "h", "gru": "rzn"}
vector_cells = pytest.mark.parametrize("cell", VECTOR_GATES)


def vector_point(cell: str, seed: int) -> dict[str, Any]:
    """The arguments of a vector `pullback`, drawn from N(0, 1); the weights at half that scale."""
    draw = needs("numpy").random.default_rng(seed).standard_normal
    parameters = {}
    for gate in VECTOR_GATES[cell]:
        parameters[f"W_x{gate}"] = draw((UNITS, INPUTS)) / 2
        parameters[f"W_h{gate}"] = draw((UNITS, UNITS)) / 2
        parameters[f"b_{gate}"] = draw(UNITS) / 2
    if cell == "gru":
        parameters["b_hn"] = draw(UNITS) / 2
    states = ("h", "c") if cell == "lstm" else ("h",)
    return {
        "parameters": parameters,
        "x": draw((STEPS, BATCH, INPUTS)),
        "states": {name: draw((BATCH, UNITS)) for name in states},
        "cotangents": {
            "h": draw((STEPS, BATCH, UNITS)),
            **{f"{name}_T": draw((BATCH, UNITS)) for name in states},
        },
    }


def vector_bound(dtype: str) -> float:
    """As for scalars, of an array's largest entry: an entry alone may be a sum that cancels.

    The operations at a step grow by the terms of the sums over units, inputs and the batch. The
    slopes amplify nothing here: their absolute error is u, and the largest entries are made of
    slopes of order one. Right programs use a tenth of this bound.
    """
    operations = ROUNDED_OPERATIONS + UNITS + INPUTS + BATCH
    return operations * STEPS * UNIT_ROUNDOFF[dtype]


def vector_disagreements(got: dict[str, Any], expected: dict[str, Any], bound: float) -> dict[str, float]:
    """The names whose largest difference, of the largest entry expected, exceeds the bound."""
    assert got.keys() == expected.keys()
    differences = {name: float(abs(got[name] - expected[name]).max() / abs(expected[name]).max()) for name in expected}
    return {name: d for name, d in differences.items() if not d <= bound}


@vector_cells
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_vector_walkthroughs_agree(cell: str, seed: int, dtype: str) -> None:
    by_torch, by_jax = walkthrough("vector_torch"), walkthrough("vector_jax")
    point = vector_point(cell, seed)
    bound = vector_bound(dtype)

    run = {name: point[name] for name in ("parameters", "x", "states")}
    outputs = by_torch.forward(cell, **run, dtype=dtype)
    assert outputs.keys() == point["states"].keys()
    assert {o.shape for o in outputs.values()} == {(STEPS, BATCH, UNITS)}
    assert vector_disagreements(by_jax.forward(cell, **run, dtype=dtype), outputs, bound) == {}

    gradient = by_torch.pullback(cell, **point, dtype=dtype)
    other = by_jax.pullback(cell, **point, dtype=dtype)
    assert vector_disagreements(other, gradient, bound) == {}

    states = {f"{name}_0": state for name, state in point["states"].items()}
    shapes = {k: v.shape for k, v in {**point["parameters"], **states, "x": point["x"]}.items()}
    for result in (gradient, other):
        assert {name: g.shape for name, g in result.items()} == shapes
        assert {str(g.dtype) for g in result.values()} == {dtype}


@pytest.mark.parametrize(
    ("cell", "mistake"),
    [
        ("lstm", {"W_hf": lambda p: p["W_hf"].T}),
        ("lstm", {"b_i": lambda p: p["b_g"], "b_g": lambda p: p["b_i"]}),
        ("rnn", {"W_hh": lambda p: p["W_hh"].T}),
        ("gru", {"W_hn": lambda p: p["W_hn"].T}),
        ("gru", {"b_n": lambda p: p["b_hn"], "b_hn": lambda p: p["b_n"]}),
        ("gru", {"b_n": lambda p: p["b_n"] + p["b_hn"], "b_hn": lambda p: 0 * p["b_hn"]}),
        ("gru", {"W_xz": lambda p: -p["W_xz"], "W_hz": lambda p: -p["W_hz"]}),
    ],
)
def test_vector_comparison_can_fail(cell: str, mistake: dict[str, Any]) -> None:
    by_torch, by_jax = walkthrough("vector_torch"), walkthrough("vector_jax")
    point = vector_point(cell, seed=1)
    right = by_torch.pullback(cell, **point)
    wrong = {name: change(point["parameters"]) for name, change in mistake.items()}
    point["parameters"] = {**point["parameters"], **wrong}
    assert vector_disagreements(by_jax.pullback(cell, **point), right, 1000 * vector_bound("float64"))


@pytest.mark.parametrize("name", ["vector_torch", "vector_jax"])
@pytest.mark.parametrize("cell", ["lstm", "rnn"])
def test_vectors_of_one_entry_are_the_scalar_walkthrough(cell: str, name: str) -> None:
    numpy = needs("numpy")
    by_hand = plain if cell == "lstm" else rnn_plain
    notebook_names = {
        "lstm": {"W_xf": "W_xh", "W_hf": "W_hf", "b_f": "b_f"}
        | {"W_xi": "W_xi", "W_hi": "W_hi", "b_i": "b_i"}
        | {"W_xg": "W_xc", "W_hg": "W_hc", "b_g": "b_c"}
        | {"W_xo": "W_ho", "W_ho": "W_hh", "b_o": "b_o"},
        "rnn": {"W_xh": "W_xh", "W_hh": "W_hh", "b_h": "b_h"},
    }[cell]
    drawn = random_point(by_hand, seed=2, steps=3)
    # The vector walkthrough has no readout.
    point = drawn._replace(cotangents={**drawn.cotangents, "y": [0.0] * 3, "loss": [0.0] * 3})

    def array(numbers: Any, *shape: int) -> Any:
        return numpy.reshape(numpy.array(numbers), shape)

    got = walkthrough(name).pullback(
        cell,
        {
            ours: array(point.parameters[theirs], *((1, 1) if ours.startswith("W") else (1,)))
            for ours, theirs in notebook_names.items()
        },
        array(point.x, 3, 1, 1),
        {state[0]: array(number, 1, 1) for state, number in point.states.items()},
        {
            output: array(number, *((3, 1, 1) if output == "h" else (1, 1)))
            for output, number in point.cotangents.items()
            if output in ("h", "h_T", "c_T")
        },
    )
    expected = point.pullback(by_hand)
    in_scalars = {theirs: got[ours].item() for ours, theirs in notebook_names.items()}
    in_scalars.update({state: got[state].item() for state in point.states})
    in_scalars.update({f"x_{t}": got["x"][t - 1].item() for t in (1, 2, 3)})
    expected = {k: v for k, v in expected.items() if k not in ("W_hy", "b_y")}
    assert disagreements(in_scalars, expected, point.bound()) == {}


# ---- The comparison can fail: one mistake at a time, in the plain walkthroughs ----

LSTM_MISTAKES = [
    ("dc = dc_next + dh * o * tanh_slope(c)", "dc = dh * o * tanh_slope(c)"),
    ("dc = dc_next + dh * o * tanh_slope(c)", "dc = dc_next + dh * tanh_slope(c)"),
    ("do = dh * math.tanh(c)", "do = dh * c"),
    ("df = dc * c_prev", "df = dc * c"),
    ("di = dc * c_tilde", "di = dc * i"),
    ("dc_tilde = dc * i", "dc_tilde = dc * f"),
    ("da_c_tilde = dc_tilde * tanh_slope", "da_c_tilde = dc_tilde * sigmoid_slope"),
    ("da_o = do * sigmoid_slope(a_o)", "da_o = do * sigmoid(a_o)"),
    ("da_i = di * sigmoid_slope(a_i)", "da_i = di * sigmoid_slope(a_f)"),
    ("dW_hh += da_o * h_prev", "dW_hh += da_o * h"),
    ("dW_xh += da_f * x[t]", "dW_xh = da_f * x[t]"),
    ("dc_next = dc * f", "dc_next = dc * i"),
    (' + da_o * p["W_hh"]\n', "\n"),
    (' + da_o * p["W_ho"]\n', ' + da_o * p["W_hh"]\n'),
    ('dh = dh_next + cotangents["h"][t]', 'dh = cotangents["h"][t]'),
    ("* (y - y_hat)", "* (y_hat - y)"),
    ("return 4.0 * sigmoid_slope", "return 2.0 * sigmoid_slope"),
    ('"W_hi": dW_hi', '"W_hi": dW_hf'),
]
RNN_MISTAKES = [
    ('dh_next = da_h * p["W_hh"]', 'dh_next = dh * p["W_hh"]'),
    ("dW_hh += da_h * h_prev", "dW_hh += da_h * h"),
    ("db_h += da_h", "db_h = da_h"),
    ('dh = dh_next + cotangents["h"][t]', 'dh = cotangents["h"][t]'),
    ("return 4.0 * decay", "return 2.0 * decay"),
]
MISTAKES = [(plain, *m) for m in LSTM_MISTAKES] + [(rnn_plain, *m) for m in RNN_MISTAKES]


@pytest.mark.parametrize(
    ("by_hand", "right", "wrong"),
    MISTAKES,
    ids=[wrong.strip() or right for _, right, wrong in MISTAKES],
)
def test_comparison_can_fail(by_hand: ModuleType, right: str, wrong: str, tmp_path: Path) -> None:
    source = Path(by_hand.__file__).read_text(encoding="utf-8")
    assert source.count(right) == 1, f"{right!r} is no longer one place of {by_hand.__name__}"
    file = tmp_path / "mistaken.py"
    file.write_text(source.replace(right, wrong), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("mistaken", file)
    assert spec is not None
    assert spec.loader is not None
    mistaken = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mistaken)

    point = random_point(by_hand, seed=2, steps=3)
    expected = exact_gradient(point)
    # A thousand times the bound in use: no mistake is caught by a hair.
    assert disagreements(point.pullback(by_hand), expected, plain_bound(3, 5)) == {}
    assert disagreements(point.pullback(mistaken), expected, 1000 * plain_bound(3, 5))


def test_nan_is_a_disagreement() -> None:
    assert disagreements({"h_0": math.nan}, {"h_0": 1.0}, 1.0)
    assert disagreements({"h_0": 1e-300}, {"h_0": 0.0}, 0.0)


# ---- What the walkthroughs promise beside their numbers ----


@pytest.mark.parametrize(
    "file",
    sorted(Path(plain.__file__).parent.glob("*.py")),
    ids=lambda file: file.name,
)
def test_walkthroughs_are_independent(file: Path) -> None:
    allowed = {"math", "collections", "typing", "numpy", "torch", "jax"}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name.partition(".")[0] for alias in node.names} <= allowed
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module.partition(".")[0] in allowed


@pytest.mark.parametrize("name", ["with_jax", "rnn_jax"])
def test_jax_is_left_in_its_own_precision(name: str) -> None:
    module = walkthrough(name)
    jax = needs("jax")
    before = jax.config.jax_enable_x64
    random_point(plain if name == "with_jax" else rnn_plain, 2, 3).pullback(module)
    assert jax.config.jax_enable_x64 == before


@pytest.mark.parametrize("name", ["with_jax", "rnn_jax", "vector_jax"])
def test_jax_never_answers_in_float32_for_float64(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = walkthrough(name)
    pullback = {
        "with_jax": lambda: random_point(plain, 2, 3).pullback(module),
        "rnn_jax": lambda: random_point(rnn_plain, 2, 3).pullback(module),
        "vector_jax": lambda: module.pullback("rnn", **vector_point("rnn", seed=1)),
    }[name]
    monkeypatch.setattr(needs("jax"), "enable_x64", lambda _: contextlib.nullcontext())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX warns that it truncates.
        with pytest.raises(AssertionError, match="asked for float64, JAX computed in float32"):
            pullback()


def test_a_missing_framework_skips_but_fails_where_ci_is_true(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no_such_framework is not installed"):
        needs("no_such_framework")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="nothing may be skipped"):
        needs("no_such_framework")
