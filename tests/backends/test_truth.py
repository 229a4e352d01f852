"""Truth at points: the gradients, values and adjoints of a program, each with its bound."""

import numpy as np
import pytest
from flint import arb

from backends.balls import BallArithmetic, balls, precision, radius
from backends.curvature import BENDS
from backends.dtypes import ERRORS
from backends.points import arguments, draw, draw_scalar
from backends.rounding import RoundedArithmetic
from backends.truth import exact, truth
from derivations.catalogue import cell_names
from derivations.cell import prev
from derivations.derive import derive
from derivations.expression import Call, Name, evaluate
from derivations.functions import WRITABLE
from derivations.language import read
from derivations.program import backward_program
from tests.backends.programs import program_of


@pytest.mark.parametrize("name", [*cell_names(), "everything"])
def test_truth_is_complete_and_in_its_own_shapes(name):
    program = program_of(name)
    cell, point = program.cell, draw(program.cell, 0)
    known = truth(program, point, "float32")
    shapes = {name: entry.relative.shape for name, entry in known.gradients.items()}
    assert {name: shapes[name] for name in cell.parameters} == {n: a.shape for n, a in point.parameters.items()}
    assert {s: shapes[f"{s}_0"] for s in cell.states} == {s: a.shape for s, a in point.initial.items()}
    for x in cell.inputs:
        for t in range(point.steps):
            assert shapes[f"{x}_{t + 1}"] == point.inputs[x][t].shape
    assert len(shapes) == len(cell.parameters) + len(cell.states) + len(cell.inputs) * point.steps
    assert (known.point.inputs["x"] == point.inputs["x"].astype(np.float32)).all()
    for entry in known.gradients.values():
        assert entry.value.shape == entry.relative.shape == entry.flushed.shape == entry.nearest.shape
        assert (entry.bound >= 0).all()
        assert (radius(entry.value) <= entry.bound / 1000).all()


def test_values_and_adjoints_are_known_at_every_step():
    program = program_of("lstm")
    known = truth(program, draw(program.cell, 0), "float64")
    point = known.point
    c, h, o = known.value("c").nearest, known.value("h").nearest, known.value("o").nearest
    assert c.shape == (point.steps, point.batch, 2)
    assert np.allclose(h, o * np.tanh(c), rtol=1e-14)
    db = known.adjoint("b_f")
    assert db.relative.shape == (point.steps, 2)
    assert np.allclose(db.nearest.sum(0), known.gradients["b_f"].nearest, rtol=1e-13)
    assert np.allclose(known.adjoint("a_f").nearest.sum((0, 1)), db.nearest.sum(0), rtol=1e-13)
    assert (db.bound > 0).all()
    for state in program.cell.states:
        first = known.adjoint(prev(state)).nearest[0]
        assert (first == known.gradients[f"{state}_0"].nearest).all()


def test_a_value_that_no_sequence_changes_has_a_batch():
    text = "cell shared\ninput x\nstate h\nw = softplus(v)\nh = tanh(w * h_prev + U @ x)\nreadout\n    r = 2 * w\n"
    program = backward_program(derive(read(text)))
    point = draw(program.cell, 0)
    assert exact(program, point) == []
    known = truth(program, point, "float64")
    assert known.value("w").relative.shape == (point.steps, point.batch, 2)


def test_truth_is_exact_at_the_numbers_received():
    """Against the notebook's way: one step of a scalar RNN, by Arb itself."""
    program = program_of("rnn")
    point = draw_scalar(program.cell, 3, steps=1, batch=1)
    known = truth(program, point, "float32")
    given = {k: float(v.item()) for k, v in known.point.parameters.items()}
    with precision(300):
        x, h = arb(float(known.point.inputs["x"].item())), arb(float(known.point.initial["h"].item()))
        y = (given["W_xh"] * x + given["W_hh"] * h + given["b_h"]).tanh()
        weight = arb(float(known.point.cotangents["h"].item())) + arb(float(known.point.final["h"].item()))
        assert known.gradients["W_hh"].value[0, 0].overlaps(weight * (1 - y**2) * h)
        assert known.gradients["h_0"].value[0, 0].overlaps(weight * (1 - y**2) * given["W_hh"])
    assert float(point.inputs["x"].item()) != float(known.point.inputs["x"].item())


def test_later_errors_need_no_form(monkeypatch):
    """Beyond the most forms that are kept, errors are added up in size: still a bound, and no smaller."""
    program = program_of("lnlstm")
    point = draw(program.cell, 0, steps=3)
    listed = truth(program, point, "float64").gradients
    monkeypatch.setattr("backends.ledger.MOST_FORMS", 100)
    added = truth(program, point, "float64").gradients
    for name, entry in listed.items():
        assert (added[name].bound >= entry.bound * (1 - 1e-9)).all()
    assert (added["W_xf"].bound > 2 * listed["W_xf"].bound).all()


def test_a_coarser_format_has_a_wider_bound():
    program = program_of("lstm")
    point = draw(program.cell, 0)
    fine, coarse = truth(program, point, "float64"), truth(program, point, "float32")
    jax = truth(program, point, "float64", "jax")
    for name, entry in fine.gradients.items():
        assert (coarse.gradients[name].bound > 1e7 * entry.bound).all()
        assert (jax.gradients[name].relative > entry.relative).all()


def test_the_table_speaks_of_functions_of_cells():
    assert set(ERRORS) == set(BENDS)
    assert set(ERRORS) <= set(WRITABLE)
    assert evaluate(Call("exp", (Name("x"),)), {"x": balls(np.zeros((1, 1, 1)))}, BallArithmetic())[0, 0, 0] == 1


def test_arguments_of_truth_are_exact():
    point = draw(program_of("rnn").cell, 0)
    given = arguments(point, RoundedArithmetic("float64").ledger.given)
    assert all((number.error == 0).all() for number in given.parameters.values())
