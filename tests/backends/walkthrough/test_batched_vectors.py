"""The walkthroughs in batched vectors against one another, and at one entry against those in scalars."""

from typing import Any

import pytest

from backends.walkthrough import plain, rnn_plain
from tests.backends.walkthrough.scalar_points import disagreements, needs, random_point, walkthrough
from tests.backends.walkthrough.vector_points import (
    BATCH,
    STEPS,
    UNITS,
    VECTOR_GATES,
    vector_bound,
    vector_disagreements,
    vector_point,
)

vector_cells = pytest.mark.parametrize("cell", VECTOR_GATES)


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
