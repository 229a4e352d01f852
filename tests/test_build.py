"""A draft becomes a cell: what nothing defines is a parameter, and every compound argument has a name."""

import pytest

from derivations.build import build, rename, renamed_draft
from derivations.catalogue import cell_names, read_cell
from derivations.cell import CellError, kinks
from derivations.derive import derive
from derivations.expression import Add, Call, Name, names, walk
from derivations.language import draft, expression, read
from derivations.prove import prove_all
from derivations.same import compare
from tests.samples import EVERYTHING, cell_text

LSTM = read_cell("lstm")


def equations(text: str, declared: str = "input x\nstate h") -> list[tuple[str, str]]:
    """The equations with the names that we gave, as (target, right-hand side read as text)."""
    return [(e.target, e.rhs) for e in read(cell_text(text, declared)).equations]


def trees(*lines: str) -> list[tuple[str, object]]:
    return [(target, expression(rhs)) for target, rhs in (line.split(" = ") for line in lines)]


# --- the names that we give ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "flat"),
    [
        ("h = tanh(W @ x + b)", ["a_h = W @ x + b", "h = tanh(a_h)"]),
        ("h = tanh(x)", ["h = tanh(x)"]),
        ("h = tanh(x) * sigmoid(x + 1)", ["a_h = x + 1", "h = tanh(x) * sigmoid(a_h)"]),
        ("h = tanh(x + 1) * sigmoid(x - 1)", ["a_h = x + 1", "a_h2 = x - 1", "h = tanh(a_h) * sigmoid(a_h2)"]),
        ("h = tanh(x + 1) * sigmoid(x + 1)", ["a_h = x + 1", "h = tanh(a_h) * sigmoid(a_h)"]),
        ("h = tanh(sigmoid(x + 1))", ["a_h = x + 1", "a_h2 = sigmoid(a_h)", "h = tanh(a_h2)"]),
        ("h = clip(x, -1, 2)", ["h = clip(x, -1, 2)"]),
        ("h = max(-x, 0)", ["a_h = -x", "h = max(a_h, 0)"]),
        ("h = W @ (r * x)", ["u_h = r * x", "h = W @ u_h"]),
        ("h = W @ x + V @ (x * x)", ["u_h = x * x", "h = W @ x + V @ u_h"]),
        ("h = W @ V @ x", ["u_h = V @ x", "h = W @ u_h"]),
        ("h = (W + V).T @ x", ["u_h = W + V", "h = u_h.T @ x"]),
        ("h = x * sum(x * x)", ["u_h = x * x", "h = x * sum(u_h)"]),
        ("h = x * dot(x + 1, x)", ["u_h = x + 1", "h = x * dot(u_h, x)"]),
        ("h = x * detach(x * x)", ["u_h = x * x", "h = x * detach(u_h)"]),
        ("h = W @ [x; 2 * x]", ["u_h = 2 * x", "u_h2 = [x; u_h]", "h = W @ u_h2"]),
        ("h = [x; x]", ["h = [x; x]"]),
        ("k = logsumexp(x)\nh = x * k", ["k = logsumexp(x)", "h = x * k"]),
        ("h = x * logsumexp(2 * x)", ["u_h = 2 * x", "u_h2 = logsumexp(u_h)", "h = x * u_h2"]),
    ],
)
def test_compound_arguments_are_named(text, flat):
    assert equations(text) == trees(*flat)


def test_a_row_times_a_matrix_becomes_a_matrix_times_a_column():
    assert equations("h = x @ W") == trees("h = W.T @ x")
    assert equations("h = x @ W.T") == trees("h = W @ x")
    assert equations("h = (r * x) @ W + x @ V") == trees("u_h = r * x", "h = W.T @ u_h + V.T @ x")


def test_names_of_ours_carry_the_block_and_line_of_their_equation():
    cell = read(cell_text("h = x\nreadout\n    label: y = tanh(V @ h + b)"))
    ours, theirs = cell.equations[1:]
    assert (ours.target, ours.block, ours.line, ours.auto, ours.label) == ("a_y", "readout", 6, True, "")
    assert (theirs.target, theirs.block, theirs.line, theirs.auto, theirs.label) == ("y", "readout", 6, False, "label")
    assert [e.target for e in cell.written] == ["h", "y"]


@pytest.mark.parametrize("text", [*map(str, cell_names()), EVERYTHING])
def test_every_right_hand_side_is_of_atoms(text):
    """An application takes names and numbers; so do linear maps, reductions and the rest."""
    cell = read_cell(text) if text in cell_names() else read(text)
    simple = ("Name", "Num", "Transpose")
    for equation in cell.equations:
        for node in walk(equation.rhs):
            if type(node).__name__ in ("Call", "MatMul", "Reduce", "Outer", "Stack", "Detach"):
                inner = [type(child).__name__ for child in walk(node)][1:]
                assert set(inner) <= set(simple), equation


# --- what is in a cell --------------------------------------------------------------------------------------------


def test_what_nothing_defines_is_a_parameter_in_order_of_appearance():
    cell = read(cell_text("f = sigmoid(W @ x + b)\nh = f * V + W @ x"))
    assert cell.parameters == ("W", "b", "V")
    assert cell.leaves == ("x", "h_prev", "W", "b", "V")


def test_outputs_are_the_first_state_unless_declared():
    assert read(cell_text("c = x\nh = c", "input x\nstate h, c")).outputs == ("h",)
    assert read(cell_text("c = x\nh = c", "input x\nstate h, c\noutput c, h")).outputs == ("c", "h")


def test_cotangents_enter_at_outputs_readouts_and_the_loss():
    cell = read(EVERYTHING)
    assert (cell.outputs, cell.readouts, cell.loss) == (("h",), ("y",), "L")
    assert cell.seeded == ("h", "y", "L")
    assert LSTM.seeded == ("h",)
    assert LSTM.loss is None


def test_the_loss_is_the_last_equation_of_its_block():
    cell = read(cell_text("h = x\nloss\n    e = h - x\n    L = sum(e * e)"))
    assert cell.loss == "L"
    assert [e.target for e in cell.equations if e.block == "loss" and not e.auto] == ["e", "L"]


def test_a_cell_finds_its_equations():
    assert LSTM.equation("a_f").rhs == expression("W_xf @ x + W_hf @ h_prev + b_f")
    assert LSTM.previous == ("h_prev", "c_prev")
    with pytest.raises(KeyError):
        LSTM.equation("W_xf")


def test_stacks_are_known():
    assert read(EVERYTHING).stacked
    assert not LSTM.stacked


def test_kinks_are_listed_once():
    cell = read(cell_text("h = relu(x) + relu(W @ x) + max(x, h_prev)"))
    assert kinks(cell) == ("relu'(0) = 0", "a tie in max gives one half to each")
    assert kinks(LSTM) == ()


# --- other names --------------------------------------------------------------------------------------------------

NOTEBOOK = {
    "W_xf": "W_xh",
    "W_xo": "W_ho",
    "W_ho": "W_hh",
    "g": "c_tilde",
    "W_xg": "W_xc",
    "W_hg": "W_hc",
    "b_g": "b_c",
}


def test_names_change_all_at_once():
    cell = rename(LSTM, NOTEBOOK)
    assert cell.equation("a_o").rhs == expression("W_ho @ x + W_hh @ h_prev + b_o")
    assert cell.equation("a_f").rhs == expression("W_xh @ x + W_hf @ h_prev + b_f")
    assert cell.equation("c").rhs == expression("f * c_prev + i * c_tilde")
    assert cell.equation("c_tilde").rhs == expression("tanh(a_c_tilde)")  # ours follow
    assert cell.equation("c_tilde").label == "candidate"


def test_names_change_back():
    there = rename(LSTM, NOTEBOOK)
    back = rename(there, {new: old for old, new in NOTEBOOK.items()})
    assert [(e.target, e.rhs) for e in back.equations] == [(e.target, e.rhs) for e in LSTM.equations]
    assert back.parameters == LSTM.parameters
    assert compare(back, LSTM)


def test_a_state_takes_its_previous_value_along():
    cell = rename(LSTM, {"h": "s", "c": "m", "x": "u"})
    assert (cell.states, cell.previous, cell.inputs, cell.outputs) == (("s", "m"), ("s_prev", "m_prev"), ("u",), ("s",))
    assert all(prove_all(derive(cell)))


def test_everything_else_of_a_cell_is_kept():
    cell = read(EVERYTHING)
    same = rename(cell, {"eps": "tiny", "y_hat": "y_true"})
    assert same.positive == {"tiny"}
    assert same.targets == ("y_true",)
    assert (same.title, same.comment, same.loss) == (cell.title, cell.comment, cell.loss)
    assert same.shapes == {{"eps": "tiny", "y_hat": "y_true"}.get(name, name): s for name, s in cell.shapes.items()}
    assert [e.block for e in same.equations] == [e.block for e in cell.equations]


def test_facts_are_renamed_with_their_adjoints():
    gru = rename(read_cell("gru"), {"b_n": "b_c", "r": "g", "b_hn": "b_hc"})
    (fact,) = gru.facts
    assert (fact.left, fact.right) == (Name("db_hc"), expression("g * db_c"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"W_zz": "W"}, "lstm has no name W_zz"),
        ({"W_xff": "W"}, "lstm has no name W_xff; did you mean W_xf?"),
        ({"h_prev": "s_prev"}, "lstm has no name h_prev"),
        ({"f": "i"}, "f and i would both be called i"),
        ({"f": "lambda"}, "renaming f: lambda is a keyword of a language that the cell may be emitted in; choose another "
         "name"),
        ({"f": "df2", "g": "f2"}, "df2 would read as the adjoint of f2; rename one of the two"),
        ({"b_f": "a_f"}, "a_f would print like the preactivation of f; rename one of the two"),
        ({"b_f": "h_0"}, "h_0 would read as h at step 0; rename it"),
        ({"b_f": "q_prev"}, "q_prev is the previous value of q, which is not a state; declare `state q` if it is carried "
         "over time"),
    ],
)  # fmt: skip
def test_new_names_are_checked_like_all_names(table, message):
    with pytest.raises(CellError) as wrong:
        rename(LSTM, table)
    assert wrong.value.message == message


def test_a_cell_is_its_own_draft_again():
    cell = read(EVERYTHING)
    again = build(renamed_draft(cell, {}))
    assert again.equations == cell.equations
    assert again.shapes == cell.shapes
    assert again.outputs == cell.outputs


def test_a_draft_says_only_what_the_text_says():
    found = draft(cell_text("h = tanh(W @ x + b)"))
    assert found.equations[0].rhs == Call("tanh", (Add((expression("W @ x"), Name("b"))),))
    assert names(found.equations[0].rhs) == ("W", "x", "b")
