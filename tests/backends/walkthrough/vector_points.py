"""Batched points for the vector walkthroughs, and how far two right programs may differ at them."""

from typing import Any

from tests.backends.walkthrough.scalar_points import ROUNDED_OPERATIONS, UNIT_ROUNDOFF, needs

UNITS, INPUTS, BATCH, STEPS = 4, 2, 3, 5
VECTOR_GATES = {"lstm": "figo", "rnn": "h", "gru": "rzn"}


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
