"""Runs to look at: simple and drawn, each a true run of its cell."""

from itertools import pairwise

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.expression import evaluate
from derivations.floats import FLOATS, FloatMatrices
from derivations.language import read
from derivations.runs import alternating_run, drawn_run
from derivations.timed import UnknownName

STACKED = read("cell s\ninput x\nstate h\nscalar e\npositive e\nu = [h_prev; x]\nh = e * tanh(W @ u)\n")


@pytest.mark.parametrize("name", cell_names())
def test_runs_hold_every_name_at_every_step(name):
    cell = read_cell(name)
    runs = [(drawn_run(cell, size=2, steps=3), FloatMatrices())]
    if not cell.stacked:
        runs.append((alternating_run(cell, steps=3), FLOATS))
    for run, arithmetic in runs:
        assert len(run) == 3
        for step in run:
            assert set(step) == {*cell.leaves, *cell.defined}
            for equation in cell.equations:
                assert step[equation.target] == evaluate(equation.rhs, step, arithmetic)
        for before, after in pairwise(run):
            assert [after[f"{s}_prev"] for s in cell.states] == [before[s] for s in cell.states]


def test_an_alternating_run_is_the_simplest():
    lstm = alternating_run(read_cell("lstm"), {"b_f": 6, "h_0": 0.25, "W_xo": 2}, 4)
    assert [step["x"] for step in lstm] == [0.5, -0.5, 0.5, -0.5]
    first = lstm[0]
    assert (first["h_prev"], first["c_prev"]) == (0.25, 0.0)
    assert (first["b_f"], first["b_i"], first["W_xo"], first["W_hi"]) == (6, 0.0, 2, 0.5)
    constant = alternating_run(read_cell("rnn"), {"x": 1.5}, 3)
    assert [step["x"] for step in constant] == [1.5] * 3


def test_what_multiplies_is_no_bias():
    layer_norm = alternating_run(read_cell("lnlstm"), steps=1)[0]
    assert (layer_norm["gamma_f"], layer_norm["beta_f"], layer_norm["eps"]) == (0.5, 0.0, 0.5)


def test_a_drawn_run_is_the_same_for_the_same_seed():
    cell = read_cell("gru")
    assert drawn_run(cell, 3, 2, seed=4) == drawn_run(cell, 3, 2, seed=4)
    assert drawn_run(cell, 3, 2, seed=4) != drawn_run(cell, 3, 2, seed=5)


def test_a_drawn_run_has_the_shapes_of_stacks_and_the_signs_of_domains():
    for seed in range(8):
        step = drawn_run(STACKED, 3, 1, seed)[0]
        assert (len(step["W"]), len(step["W"][0]), len(step["u"])) == (3, 6, 6)
        assert step["e"][0][0] > 0


def test_what_cannot_be_run_is_said():
    lstm = read_cell("lstm")
    with pytest.raises(UnknownName, match=r"no name 'b_ff'; did you mean b_f\?"):
        alternating_run(lstm, {"b_ff": 6})
    with pytest.raises(ValueError, match="s stacks vectors, which has no scalar view"):
        alternating_run(STACKED)
    with pytest.raises(ValueError, match="201 steps; a run of 1 to 200"):
        alternating_run(lstm, steps=201)
    with pytest.raises(ValueError, match="0 steps"):
        drawn_run(lstm, steps=0)
    with pytest.raises(ValueError, match="vectors of 33 entries"):
        drawn_run(lstm, size=33)
