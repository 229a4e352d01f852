"""The double backward as a cell: its names, its equations, and its derivation, proved like any other."""

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.derive import Part, derive
from derivations.equality import Status
from derivations.expression import Adjoint, Call, walk
from derivations.functions import FUNCTIONS
from derivations.language import read
from derivations.names import fault
from derivations.over_time import over_time, vanishing
from derivations.plain import code
from derivations.program import backward_program
from derivations.prove import prove_all
from derivations.twice import PHI, Leaf, leaves, twice
from tests.samples import EVERYTHING, cell_text

RNN = derive(read_cell("rnn"))


def test_the_whole_of_it_for_one_step():
    """Every equation of a scalar gate, forward and backward, as it stands on paper."""
    cell = twice(derive(read(cell_text("scalar w\nh = sigmoid(w * x) * h_prev", "input x\nstate h\nscalar x, h"))), 1)
    assert [f"{e.target} = {code(e.rhs)}" for e in cell.equations] == [
        "a_h@1 = w*x@1",
        "h@1 = sigmoid(a_h@1)*h@0",
        "~h@1 = ~h@1:out + ~h@1:next",
        "~a_h@1 = ~h@1*sigmoid(a_h@1)*(1 - sigmoid(a_h@1))*h@0",
        "~h@0 = ~h@1*sigmoid(a_h@1)",
        "~x@1 = ~a_h@1*w",
        "~w@1 = ~a_h@1*x@1",
        "~w = ~w@1",
        "<v, g> = >w*~w + >h@0*~h@0 + >x@1*~x@1",
    ]
    assert (cell.parameters, cell.inputs) == (("w", ">w"), ("h@0", "x@1", ">h@0", ">x@1", "~h@1:out", "~h@1:next"))
    assert (cell.states, cell.outputs) == ((), (PHI,))


def test_the_steps_are_joined():
    equations = {e.target: code(e.rhs) for e in twice(RNN, 3).equations}
    assert equations["a_h@2"] == "W_xh @ x@2 + W_hh @ h@1 + b_h"
    assert equations["~h@2"] == "~h@2:out + ~h@2:next"
    assert equations["~h@2:next"] == "W_hh.T @ ~a_h@3"
    assert equations["~h@0"] == "W_hh.T @ ~a_h@1"
    assert equations["~W_hh"] == "~W_hh@1 + ~W_hh@2 + ~W_hh@3"
    assert "~h@3:next" not in equations  # the cotangent of the final state is given
    assert list(equations)[-1] == PHI


def test_no_name_can_be_a_name_of_a_cell():
    """`f_2` beside f, and `df` beside f at step 2, stay what they are."""
    cell = twice(derive(read(cell_text("f = tanh(f_2 * x + w)\nh = f * h_prev"))), 2)
    own = {"f_2", "w"}
    assert all(fault(name) for name in cell.shapes if name not in own)
    derived = derive(cell)
    assert not {Adjoint(name).id for name in cell.shapes} & set(cell.shapes)
    assert all(prove_all(derived))


def test_leaves_are_said_as_readers_know_them():
    said = [str(leaf) for leaf in leaves(RNN.cell, 2)]
    assert said == [
        *("W_xh", "W_hh", "b_h", "h_0", "x_1", "x_2"),
        *("v_W_xh", "v_W_hh", "v_b_h", "v_h_0", "v_x_1", "v_x_2"),
        *("dh_1_out", "dh_2_out", "dh_2_next"),
    ]
    assert {leaf.id for leaf in leaves(RNN.cell, 2)} == set(twice(RNN, 2).leaves)
    assert Leaf("x", 2, "direction").id == ">x@2"


@pytest.mark.parametrize("steps", [0, 65])
def test_a_run_that_cannot_be_written_out_is_refused(steps):
    with pytest.raises(ValueError, match=f"a run of {steps} steps; 1 to 64"):
        twice(RNN, steps)


@pytest.mark.parametrize(
    "name",
    ["rnn", *(pytest.param(n, marks=pytest.mark.long) for n in (*cell_names(), "everything") if n != "rnn")],
)
def test_every_step_of_the_double_backward_is_proved(name):
    cell = read(EVERYTHING) if name == "everything" else read_cell(name)
    derived = derive(twice(derive(cell), 2))
    assert [step for step, proof in zip(derived.steps, prove_all(derived), strict=True) if not proof] == []
    assert over_time(backward_program(derived), steps=1, vector=True).status is Status.PROVED


def test_a_piece_of_a_stack_is_sent_back_to_its_place():
    """The adjoint of a stack is cut up; so its own adjoint is put together again."""
    cell = twice(derive(read(cell_text("h = tanh(W @ [h_prev; x; h_prev] + b)"))), 2)
    assert any(isinstance(node, Part) for e in cell.equations for node in walk(e.rhs))
    derived = derive(cell)
    assert all(prove_all(derived))
    assert over_time(backward_program(derived), steps=1).status is Status.PROVED


def test_an_affine_cell_has_no_second_derivative_by_its_inputs():
    cell = read(cell_text("h = W @ x + U @ h_prev"))
    program = backward_program(derive(twice(derive(cell), 1)))
    assert {"x@1_1", "h@0_1"} & vanishing(program, steps=1, vector=True) == set()  # W and U move as well
    still = read(cell_text("h = x + h_prev"))
    program = backward_program(derive(twice(derive(still), 2)))
    assert {"x@1_1", "x@2_1", "h@0_1"} <= vanishing(program, steps=1, vector=True)


def test_every_derivative_has_a_derivative():
    """A row for every function that a derivative column speaks of; those of jumps are 0."""
    for row in FUNCTIONS.values():
        for slope in row.derivatives:
            called = {node.function for node in walk(slope) if isinstance(node, Call)}
            assert called <= set(FUNCTIONS)
        if row.name.startswith("_"):
            assert {code(slope) for slope in row.derivatives} == {"0"}
