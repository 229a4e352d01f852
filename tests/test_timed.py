"""Names at a step of time."""

import pytest

from derivations.catalogue import read_cell
from derivations.expression import Adjoint, MatMul, Name, Ones, Part, Size
from derivations.timed import Node, UnknownName, at_step, find, find_within, node_at

LSTM = read_cell("lstm")


def test_what_a_name_is_at_a_step():
    assert node_at(LSTM, "f", 3) == Node("f", 3)
    assert node_at(LSTM, "h_prev", 3) == Node("h", 2)
    assert node_at(LSTM, "c_prev", 1) == Node("c", 0)
    assert node_at(LSTM, "W_xf", 3) == Node("W_xf")
    assert [node.id for node in (Node("f", 3), Node("h", 0), Node("W_xf"))] == ["f_3", "h_0", "W_xf"]


def test_expressions_at_a_step():
    expr = Name("f") * Name("c_prev") + MatMul(Name("W_xf"), Name("x"))
    assert at_step(expr, LSTM, 2) == Name("f_2") * Name("c_1") + MatMul(Name("W_xf"), Name("x_2"))
    assert at_step(Adjoint("h_prev"), LSTM, 2) == Adjoint("h_1", "next")
    assert at_step(Adjoint("h", "next"), LSTM, 2) == Adjoint("h_2", "next")
    assert at_step(Adjoint("h", "out"), LSTM, 2) == Adjoint("h_2", "out")
    assert at_step(Adjoint("W_xf"), LSTM, 2) == Adjoint("W_xf_2")
    part = Part(Adjoint("f"), ("h_prev", "x"), 1)
    assert at_step(part, LSTM, 2) == Part(Adjoint("f_2"), ("h_1", "x_2"), 1)
    assert at_step(Size("f") * Ones("h_prev"), LSTM, 2) == Size("f_2") * Ones("h_1")


@pytest.mark.parametrize(
    ("text", "step", "node"),
    [
        ("W_xf", None, Node("W_xf")),
        ("W_xf", 3, Node("W_xf")),
        ("h_0", None, Node("h", 0)),
        ("a_f_4", None, Node("a_f", 4)),
        ("f", 2, Node("f", 2)),
        ("f_2", 2, Node("f", 2)),
        ("x", None, Node("x", 4)),
        ("h", 0, Node("h", 0)),
        ("h_prev", 2, Node("h", 1)),
    ],
)
def test_what_a_reader_means(text, step, node):
    assert find(LSTM, text, 4, step, otherwise=4) == node


@pytest.mark.parametrize(
    ("text", "step", "message"),
    [
        ("f", None, "f has a value at every step; say at which, as in f_1"),
        ("c_prev", None, "as in c_0"),
        ("f_0", None, "f has values at the steps 1 to 4, not at step 0"),
        ("f", 5, "steps 1 to 4, not at step 5"),
        ("h", -1, "steps 0 to 4, not at step -1"),
        ("f_2", 3, "f_2 is f at step 2, not at step 3"),
        ("h_²", None, "no name 'h_²'"),
        ("h_99999999999", None, "no name"),
        ("q" * 500, None, "no name '" + "q" * 40 + r"\.\.\.'"),
    ],
)
def test_what_no_reader_can_mean(text, step, message):
    with pytest.raises(UnknownName, match=message):
        find(LSTM, text, 4, step)


def test_names_within_a_step():
    assert find_within(LSTM, "h_prev") == Node("h_prev")
    with pytest.raises(UnknownName, match="within one step it is called x; x_3 is asked for through time"):
        find_within(LSTM, "x_3")
    with pytest.raises(UnknownName, match=r"did you mean W_ho\?"):
        find_within(LSTM, "W_oh")
