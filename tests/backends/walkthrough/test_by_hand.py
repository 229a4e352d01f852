"""The backward passes by hand, in plain Python, against central differences in 250 digits."""

import importlib.util
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import mpmath
import pytest

from backends.walkthrough import plain, rnn_plain
from tests.backends.walkthrough.scalar_points import (
    RANDOM,
    ROUNDED_OPERATIONS,
    UNIT_ROUNDOFF,
    Point,
    disagreements,
    notebook,
    random_cotangents,
    random_point,
)

plain_modules = pytest.mark.parametrize("by_hand", [plain, rnn_plain], ids=["lstm", "rnn"])
at_random = pytest.mark.parametrize(("seed", "steps"), RANDOM)


def one_hot(of: str, steps: int, final: tuple[str, ...]) -> dict[str, Any]:
    """The cotangents of one target at the last step."""
    cotangents: dict[str, Any] = {name: [0.0] * steps for name in ("h", "y", "loss")}
    cotangents.update(dict.fromkeys(final, 0.0))
    if f"{of}_T" in final:
        cotangents[f"{of}_T"] = 1.0
    else:
        cotangents[of][-1] = 1.0
    return cotangents


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
