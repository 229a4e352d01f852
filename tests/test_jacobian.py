"""The state-to-state Jacobian: in symbols, in matrices, in numbers, and its product over time."""

import math
from random import Random

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.cell import prev
from derivations.derive import derive
from derivations.expression import (
    Call,
    Diag,
    MatMul,
    Name,
    Ones,
    evaluate,
    product,
)
from derivations.floats import FLOATS, FloatMatrices
from derivations.jacobian import (
    jacobian_product,
    jacobian_values,
    state_jacobian,
    state_program,
    vector_total,
)
from derivations.language import read
from derivations.paths import total_within_step
from derivations.program import run_forward
from derivations.runs import drawn_run

LSTM = derive(read_cell("lstm"))
F, OUT, C = Name("f"), Name("o"), Name("c")
SCALAR = [name for name in cell_names() if not read_cell(name).stacked]
MATRICES = FloatMatrices()

# A stack, a mean, a dot product, a scalar state and a readout whose slope is infinite where h is 0.
MIXED = """cell mixed
input x
state h, s
scalar s, eps
u = [h_prev; x]
h = (1 - eps) * h_prev + eps * tanh(W @ u + s_prev * b)
s = mean(h) * s_prev + dot(h, h_prev)
readout
    y = sqrt(h - h)
"""

# The same without a stack, and with every reduction both on its own and within a vector.
REDUCED = """cell reduced
input x
state h, s
scalar s, eps
h = (1 - eps) * h_prev + eps * tanh(W @ x + s_prev * b - mean(h_prev)) - h_prev * sum(h_prev)
w = 1 - h
k = w - logsumexp(h)
s = mean(k) * s_prev + dot(k, h_prev) - sum(h) / 2 + eps
"""


def states_after(cell, values, start):
    """The states after one step from other previous states, as one list."""
    parameters = {name: values[name] for name in cell.parameters}
    inputs = {name: [values[name]] for name in (*cell.inputs, *cell.targets)}
    after = run_forward(cell, parameters, inputs, start, MATRICES)[0]
    return [x for state in cell.states for row in after[state] for x in row]


def by_differences(cell, values, h=1e-6):
    """The Jacobian of one step, column by column, from central differences."""
    columns = []
    start = {state: values[prev(state)] for state in cell.states}
    for state in cell.states:
        for i in range(len(start[state])):

            def moved(by, state=state, i=i):
                rows = [[x + by * (k == i) for x in row] for k, row in enumerate(start[state])]
                return states_after(cell, values, start | {state: rows})

            ahead, behind = moved(h), moved(-h)
            columns.append([(a - b) / (2 * h) for a, b in zip(ahead, behind, strict=True)])
    return [list(row) for row in zip(*columns, strict=True)]


def flat(matrix):
    return [x for row in matrix for x in row]


# --- in symbols -----------------------------------------------------------------------------------


def test_the_lstm_carries_its_cell_state_by_the_forget_gate():
    entries = state_jacobian(LSTM)
    slope = OUT * (1 - Call("tanh", (C,)) ** 2)
    assert set(entries) == {(s, p) for s in ("h", "c") for p in ("h_prev", "c_prev")}
    assert entries["c", "c_prev"] == F
    assert entries["h", "c_prev"] == product(F, slope)
    assert entries["c", "h_prev"] == total_within_step(LSTM, "c", "h_prev")


def test_the_lstm_in_matrices():
    entries = state_jacobian(LSTM, vector=True)
    i, g = Name("i"), Name("g")
    slope = OUT * (1 - Call("tanh", (C,)) ** 2)
    assert entries["c", "c_prev"] == Diag(F)
    assert entries["h", "c_prev"] == Diag(product(slope, F))
    assert entries["c", "h_prev"] == (
        MatMul(Diag(product(Name("c_prev"), F, 1 - F)), Name("W_hf"))
        + MatMul(Diag(product(g, i, 1 - i)), Name("W_hi"))
        + MatMul(Diag(product(i, 1 - g**2)), Name("W_hg"))
    )


def test_an_identity_is_written_out():
    keep = derive(read("cell keep\ninput x\nstate h\nh = h_prev + x\n"))
    assert state_jacobian(keep, vector=True) == {("h", "h_prev"): Diag(Ones("h"))}
    residual = derive(read("cell residual\ninput x\nstate h\nh = h_prev - W @ h_prev + x\n"))
    # one edge, two uses: the identity and -W
    entry = vector_total(residual, "h", "h_prev")
    values = drawn_run(residual.cell, size=2, steps=1)[0]
    (a, b), (c, d) = values["W"]
    assert flat(evaluate(entry, values, MATRICES)) == [1 - a, -b, -c, 1 - d]


@pytest.mark.parametrize("cell", [*(read_cell(name) for name in SCALAR), read(REDUCED)], ids=lambda c: c.name)
def test_matrices_multiply_to_the_numbers_of_the_adjoints(cell):
    derivation = derive(cell)
    values = drawn_run(cell, size=3, steps=2)
    entries = state_jacobian(derivation, vector=True)
    for step, jacobian in zip(values, jacobian_values(derivation, values), strict=True):
        blocks = [[evaluate(entries[s, p], step, MATRICES) for p in cell.previous] for s in cell.states]
        rows = [[x for block in row for x in block[i]] for row in blocks for i in range(len(row[0]))]
        assert [len(row) for row in rows] == [len(rows)] * len(rows)
        assert flat(rows) == pytest.approx(flat(jacobian), rel=1e-11, abs=1e-14)


@pytest.mark.parametrize(
    ("cell", "of", "wrt", "message"),
    [
        (LSTM.cell, "h", "W_xf", "da_f/dW_xf has three indices in the vector view"),
        (read(MIXED), "h", "h_prev", "u of mixed stacks vectors"),
    ],
)
def test_what_is_no_product_of_matrices_is_refused(cell, of, wrt, message):
    with pytest.raises(ValueError, match=message):
        vector_total(derive(cell), of, wrt)


# --- in numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCALAR)
def test_sums_over_paths_and_adjoints_give_one_jacobian(name):
    derivation = derive(read_cell(name))
    cell = derivation.cell
    values = [{k: v[0][0] for k, v in step.items()} for step in drawn_run(cell, size=1, steps=3)]
    entries = state_jacobian(derivation)
    for step, jacobian in zip(values, jacobian_values(derivation, values), strict=True):
        expected = [[evaluate(entries[s, p], step, FLOATS) for p in cell.previous] for s in cell.states]
        assert flat(jacobian) == pytest.approx(flat(expected), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    "cell", [*(read_cell(name) for name in cell_names()), read(MIXED), read(REDUCED)], ids=lambda c: c.name
)
def test_jacobians_are_those_of_differences(cell):
    values = drawn_run(cell, size=3, steps=2)
    for step, jacobian in zip(values, jacobian_values(derive(cell), values), strict=True):
        assert flat(jacobian) == pytest.approx(flat(by_differences(cell, step)), rel=1e-6, abs=1e-7)


def test_readouts_are_left_out_so_that_their_slopes_cannot_spoil_it():
    mixed = derive(read(MIXED))
    program = state_program(mixed)
    assert not {"dy", "da_y"} & {id_ for id_, _ in program.adjoints}
    values = drawn_run(mixed.cell, size=2, steps=1)
    assert values[0]["y"] == [[0.0], [0.0]]
    assert all(map(math.isfinite, flat(jacobian_values(mixed, values)[0])))


def test_the_product_multiplies_the_last_step_on_the_left():
    random = Random(5)
    jacobians = [[[random.gauss(0, 1) for _ in range(2)] for _ in range(2)] for _ in range(4)]
    expected = MATRICES.matmul(jacobians[3], MATRICES.matmul(jacobians[2], jacobians[1]))
    assert flat(jacobian_product(jacobians, 1, 4)) == pytest.approx(flat(expected), rel=1e-14)
    assert jacobian_product(jacobians, 2, 2) == [[1.0, 0.0], [0.0, 1.0]]
    assert jacobian_product(jacobians, 2, 3) == jacobians[2]
    for since, until in ((3, 2), (0, 5), (-1, 2)):
        with pytest.raises(ValueError, match="a product runs forward, within 0 to 4"):
            jacobian_product(jacobians, since, until)


def test_the_product_is_the_derivative_over_several_steps():
    cell, h = LSTM.cell, 1e-6
    values = [{k: v[0][0] for k, v in step.items()} for step in drawn_run(cell, size=1, steps=4)]
    parameters = {name: values[0][name] for name in cell.parameters}

    def last(h_0, c_0):
        inputs = {"x": [step["x"] for step in values]}
        final = run_forward(cell, parameters, inputs, {"h": h_0, "c": c_0}, FLOATS)[-1]
        return final["h"], final["c"]

    h_0, c_0 = values[0]["h_prev"], values[0]["c_prev"]
    by_h = [(a - b) / (2 * h) for a, b in zip(last(h_0 + h, c_0), last(h_0 - h, c_0), strict=True)]
    by_c = [(a - b) / (2 * h) for a, b in zip(last(h_0, c_0 + h), last(h_0, c_0 - h), strict=True)]
    product_ = jacobian_product(jacobian_values(LSTM, values), 0, 4)
    assert flat(product_) == pytest.approx([by_h[0], by_c[0], by_h[1], by_c[1]], rel=1e-6)
