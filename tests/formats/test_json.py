"""JSON for programs."""

import json

from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.formats.json import render

LSTM = derive(read_cell("lstm"))


def test_the_derivation_of_an_lstm():
    text = render(LSTM, view="vector", proofs={10: "proved", 11: "refuted", 12: "agrees at 64 points, not proved"})
    data = json.loads(text)
    assert data["schema"] == "derivations/show/1"
    assert (data["cell"], data["title"], data["view"]) == ("lstm", "Long short-term memory", "vector")
    assert data["inputs"] == [{"name": "x", "shape": ["m"]}]
    assert data["states"] == [{"name": "h", "shape": ["n"]}, {"name": "c", "shape": ["n"]}]
    assert {"name": "W_xf", "shape": ["n", "m"]} in data["parameters"]
    assert len(data["steps"]) == len(LSTM.steps)
    assert [step["proved"] for step in data["steps"][9:14]] == [None, True, False, None, None]
    assert next(step for step in data["steps"] if step["lhs"] == "da_f") == {
        "rule": "adjoint",
        "of": "",
        "wrt": "a_f",
        "lhs": "da_f",
        "rhs": "df*f*(1 - f)",
        "latex": r"\frac{\partial\mathcal{L}}{\partial a_{f,t}} = "
        r"\frac{\partial\mathcal{L}}{\partial f_t} \odot f_t \odot (1 - f_t)",
        "label": "",
        "group": "forget gate",
        "proved": None,
        "proof": None,
    }


def test_the_scalar_view_is_the_default():
    steps = json.loads(render(LSTM))["steps"]
    assert next(step["rhs"] for step in steps if step["lhs"] == "dW_xf") == "da_f*x"
    assert {step["rule"] for step in steps} == {"definition", "partial", "adjoint", "recurrence"}


def test_it_is_ascii():
    for name in cell_names():
        assert render(derive(read_cell(name)), view="vector").isascii()
