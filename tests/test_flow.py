"""How gradient flows back, against sums over paths, products of Jacobians, and what is known."""

import dataclasses
import math

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.floats import FLOATS, FloatMatrices
from derivations.flow import flow
from derivations.jacobian import jacobian_product, jacobian_values
from derivations.paths import total_derivative
from derivations.program import backward_program, run_backward, run_forward
from derivations.runs import alternating_run, drawn_run

RNN, LSTM = derive(read_cell("rnn")), derive(read_cell("lstm"))
OPEN = {"b_f": 6.0, "b_i": -3.0}
SCALAR = [name for name in cell_names() if not read_cell(name).stacked]


def frobenius(matrix):
    return math.sqrt(math.fsum(x * x for row in matrix for x in row))


def scalars(run):
    return [{name: value[0][0] for name, value in step.items()} for step in run]


@pytest.mark.parametrize("name", SCALAR)
def test_every_magnitude_is_that_of_the_sum_over_paths(name):
    derivation = derive(read_cell(name))
    values = scalars(drawn_run(derivation.cell, size=1, steps=3, seed=2))
    for row in flow(derivation, values).rows:
        if not row.of:
            continue
        for k in range(4):
            if k == 0 and row.wrt not in derivation.cell.states:
                assert (row.log10[k], row.sign[k]) == (None, None)
                continue
            path_sum = total_derivative(
                derivation, row.of, row.wrt, through_time=True, values=values, wrt_step=k, most=0
            )
            if abs(path_sum.value) < 1e-12:  # what cancels: the layer norm of a single number is constant
                assert row.log10[k] < -12
                continue
            assert row.log10[k] == pytest.approx(path_sum.log10, abs=1e-6)
            assert row.sign[k] == math.copysign(1, path_sum.value)


@pytest.mark.parametrize("name", cell_names())
def test_the_jacobian_row_is_the_norm_of_the_product(name):
    derivation = derive(read_cell(name))
    values = drawn_run(derivation.cell, size=2, steps=4)
    jacobians = jacobian_values(derivation, values)
    row = flow(derivation, values).jacobian
    for k in range(5):
        assert 10 ** row.log10[k] == pytest.approx(frobenius(jacobian_product(jacobians, k, 4)), rel=1e-10)
    assert row.sign == (1, 1, 1, 1, 1)


def test_vectors_give_the_norm_over_all_entries():
    values, arithmetic = drawn_run(LSTM.cell, size=3, steps=4), FloatMatrices()
    zero = [[0.0], [0.0], [0.0]]
    squares = {"a_g": 0.0, "c": 0.0, "x": 0.0}
    for i in range(3):
        unit = [[float(k == i)] for k in range(3)]
        _, adjoints = run_backward(backward_program(LSTM), values, {}, {"h": unit, "c": zero}, arithmetic)
        for name in squares:
            squares[name] += sum(x * x for row in adjoints[1][f"d{name}"] for x in row)
    found = flow(LSTM, values)
    for name, square in squares.items():
        assert 10 ** found.row("h", name).log10[2] == pytest.approx(math.sqrt(square), rel=1e-12)


def test_the_gradient_of_an_rnn_vanishes_and_that_of_an_open_lstm_does_not():
    rnn = flow(RNN, alternating_run(RNN.cell))
    lstm = flow(LSTM, alternating_run(LSTM.cell, OPEN))
    assert rnn.steps == lstm.steps == 40
    assert rnn.row("h", "h").log10[0] < -12
    assert -0.3 < lstm.row("h", "c").log10[0] < 0
    assert -0.1 < lstm.jacobian.log10[0] < 0.5
    shut = flow(LSTM, alternating_run(LSTM.cell, {"b_f": -6.0}))
    assert shut.row("h", "c").log10[0] < -35


def test_the_gradient_of_an_rnn_with_a_large_weight_explodes():
    values = alternating_run(RNN.cell, {"W_hh": 1.5, "x": 0.0})
    assert flow(RNN, values).row("h", "h").log10[0] == pytest.approx(40 * math.log10(1.5), abs=1e-9)


def test_an_exact_zero_is_told_from_a_small_number():
    found = flow(LSTM, alternating_run(LSTM.cell, OPEN, steps=5))
    gate = found.row("h", "f")
    assert (gate.log10[1], gate.sign[1]) == (-math.inf, 0)  # it multiplies c_0 = 0
    assert math.isfinite(gate.log10[2])
    assert found.row("c", "h").log10[5] == -math.inf  # c_T does not depend on h_T
    tiny = flow(RNN, alternating_run(RNN.cell, {"W_hh": 1e-8}, steps=200)).row("h", "h")
    assert tiny.log10[0] == pytest.approx(-1600, abs=10)
    assert tiny.sign[0] == 1
    cut = flow(RNN, alternating_run(RNN.cell, {"W_hh": 0.0}, steps=200)).row("h", "h")
    assert cut.log10[:200] == (-math.inf,) * 200
    assert (cut.log10[200], cut.sign[200]) == (0.0, 1)


def test_signs_follow_the_weights():
    values = alternating_run(RNN.cell, {"W_hh": -0.5}, steps=4)
    assert flow(RNN, values).row("h", "h").sign == (1, -1, 1, -1, 1)


def test_overflow_is_shown_as_such():
    values = run_forward(RNN.cell, {"W_xh": 0.0, "W_hh": math.inf, "b_h": 0.0}, {"x": [1.0]}, {"h": 1.0}, FLOATS)
    assert not math.isfinite(flow(RNN, values).row("h", "h").log10[0])


def test_rows_are_in_a_stated_order():
    found = flow(LSTM, alternating_run(LSTM.cell, steps=2), of="c")
    pairs = [(row.of, row.wrt) for row in found.rows]
    assert pairs[:5] == [("h", "h"), ("h", "c"), ("c", "h"), ("c", "c"), ("", "")]
    assert [wrt for _, wrt in pairs[5:]] == ["x", "a_f", "f", "a_i", "i", "a_g", "g", "a_o", "o"]
    assert {of for of, _ in pairs[5:]} == {"c"}
    assert found.row("c", "o").log10[2] == -math.inf
    with pytest.raises(KeyError):
        found.row("h", "o")
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.steps = 3


@pytest.mark.parametrize(
    ("of", "steps", "message"),
    [
        ("f", 2, "f is not a state of lstm; its states are h, c"),
        ("C", 2, "did you mean c?"),
        ("h", 0, "0 steps"),
    ],
)
def test_what_cannot_be_asked_for_is_said(of, steps, message):
    values = alternating_run(LSTM.cell, steps=2)[:steps]
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        flow(LSTM, values, of)
