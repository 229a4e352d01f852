"""Names of two cells are matched by structure; equal is said only of what is proved, under what is stated on top."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from derivations.__main__ import app
from derivations.api import same
from derivations.build import rename
from derivations.catalogue import CELLS, cell_names, read_cell
from derivations.correspondence import matched
from derivations.equality import Status
from derivations.language import read
from derivations.plain import code
from derivations.source import read_file
from derivations.source.text import parsed
from tests.samples import cell_text

TORCH = Path(__file__).parent / "code" / "torch_cells.py"
NUMPY = TORCH.with_name("numpy_cells.py")
LSTM_TEXT = (CELLS / "lstm.cell").read_text()


def anonymous(name: str):
    """A cell of the catalogue with names that say nothing, in another order."""
    cell = read_cell(name)
    known = [*cell.inputs, *cell.states, *cell.parameters, *(e.target for e in cell.written if not e.block)]
    fresh = {old: f"q{len(known) - k}z" for k, old in enumerate(dict.fromkeys(known))}
    return rename(cell, fresh), fresh


@pytest.mark.parametrize("name", [n for n in cell_names() if n != "lnlstm"])
def test_a_cell_is_found_again_under_other_names(name):
    other, fresh = anonymous(name)
    found, under = matched(read_cell(name), other)
    assert found
    assert {proof.status for proof in found.proofs.values()} == {Status.PROVED}
    assert under
    assert under.complete
    assert under.names == {old: fresh[old] for old in under.names}
    assert {*under.names} == {*read_cell(name).inputs, *read_cell(name).states, *read_cell(name).parameters}


def test_equal_names_are_taken_as_they_are():
    found, under = matched(read_cell("lstm"), read_cell("lstm"))
    assert found
    assert under is None


def test_two_biases_are_one_as_far_as_their_sum_goes():
    _, under = matched(read_cell("lstm"), read_cell(f"{TORCH}:lstm_cell"))
    assert under
    assert (("b_f",), ("b_hh_forgetgate", "b_ih_forgetgate")) in under.sums
    _, under = matched(read_cell(f"{TORCH}:lstm_cell"), read_cell("lstm"))
    assert under
    assert (("b_hh_forgetgate", "b_ih_forgetgate"), ("b_f",)) in under.sums


def test_one_bias_where_it_is_read_elsewhere_too_is_no_sum():
    """b1 + b2 in one place and b1 in another: no two free biases, and not the same family unless it is proved."""
    left = read(cell_text("f = sigmoid(W @ x + b)\nh = f * h_prev + tanh(V @ x + d)"))
    right = read(cell_text("f = sigmoid(W @ x + p + q)\nh = f * h_prev + tanh(V @ x + p)"))
    found, under = matched(left, right)
    assert not (found and under and under.sums)


@pytest.mark.parametrize(
    ("cell", "source"),
    [
        ("lstm", f"{TORCH}:forgotten_tanh"),
        ("gru", f"{TORCH}:swapped"),
        ("lstm", f"{TORCH}:tied"),
        ("lstm", f"{TORCH}:crossed"),
        ("gru", f"{TORCH}:gru_before"),
        ("rnn", "lstm"),
    ],
)
def test_what_is_another_cell_is_not_the_same(cell, source):
    for one, other in ((cell, source), (source, cell)):
        found, _ = matched(read_cell(one), read_cell(other))
        assert not found


@pytest.mark.parametrize(
    ("cell", "source", "target", "left", "right"),
    [
        ("lstm", f"{TORCH}:forgotten_tanh", "h", ["sigmoid(a_o)*tanh(c)"], ["sigmoid(a_o)*c"]),
        ("gru", f"{TORCH}:swapped", "h", ["(1 - z)*n", "z*h_prev"], ["z*n", "(1 - z)*h_prev"]),
        ("gru", f"{TORCH}:gru_before", "a_n", ["r*(W_hn @ h_prev + b_hn)"], ["W_hn @ (r*h_prev)"]),
    ],
)
def test_the_term_that_differs_is_named_in_the_names_of_the_first(cell, source, target, left, right):
    found, _ = matched(read_cell(cell), read_cell(source))
    (difference,) = found.differences
    assert difference.target == target
    assert [code(term) for term in difference.only_left] == left
    assert [code(term) for term in difference.only_right] == right


MISTAKES = [
    ("f * c_prev + i * g", "f * c_prev - i * g"),
    ("f * c_prev + i * g", "c_prev + i * g"),
    ("f * c_prev + i * g", "f * c_prev + i * i"),
    ("o * tanh(c)", "o * tanh(c_prev)"),
    ("o * tanh(c)", "o * sigmoid(c)"),
    ("o * tanh(c)", "2 * o * tanh(c)"),
    ("W_hf @ h_prev", "W_hf @ c_prev"),
    ("W_hf @ h_prev", "W_hi @ h_prev"),
    ("W_hf @ h_prev + ", ""),
    (" + b_f", ""),
    (" + b_f", " - 2 * b_f * b_f"),
    (" + b_f", " + b_i"),
    (" + b_f", " + 1"),
    ("tanh(W_xg", "sigmoid(W_xg"),
    ("sigmoid(W_xo", "hard_sigmoid(W_xo"),
    ("W_xo @ x", "W_xo @ (x * x)"),
    ("W_xo @ x", "W_xo @ x + p_o * c"),
]


@pytest.mark.parametrize(("old", "new"), MISTAKES)
def test_no_mistake_is_ever_the_same(old, new):
    """Each changes what the cell can compute; anonymous names hide nothing."""
    equations = LSTM_TEXT
    if "p_o * c" in new:  # the output gate may read the new cell state only once that is defined
        lines = equations.splitlines()
        at = next(k for k, line in enumerate(lines) if line.startswith("output gate"))
        lines.insert(at + 1, lines.pop(at))
        equations = "\n".join(lines) + "\n"
    assert old in equations
    wrong = read(equations.replace(old, new))
    other, _ = anonymous("lstm")
    for one, two in ((wrong, other), (other, wrong)):
        found, _ = matched(one, two)
        assert not found


def test_gates_whose_names_are_swapped_are_the_same_gates():
    """Not where all names are equal: equal names are meant."""
    swapped = read(LSTM_TEXT.replace("f * c_prev + i * g", "i * c_prev + f * g"))
    assert not matched(read_cell("lstm"), swapped)[0]
    found, under = matched(anonymous("lstm")[0], swapped)
    assert found
    assert under


CODE_MISTAKES = [
    ("(forgetgate * c) + (ingate * cellgate)", "(forgetgate * c) - (ingate * cellgate)"),
    ("(forgetgate * c) + (ingate * cellgate)", "(forgetgate * cellgate) + (ingate * cellgate)"),
    ("(forgetgate * c) + (ingate * cellgate)", "(forgetgate * h) + (ingate * cellgate)"),
    ("outgate * torch.tanh(cy)", "outgate * torch.tanh(c)"),
    ("outgate * torch.tanh(cy)", "outgate + torch.tanh(cy)"),
    ("outgate * torch.tanh(cy)", "outgate * torch.sigmoid(cy)"),
    ("cellgate = torch.tanh(cellgate)", "cellgate = torch.sigmoid(cellgate)"),
    ("cellgate = torch.tanh(cellgate)", "cellgate = torch.tanh(torch.tanh(cellgate))"),
    ("F.linear(h, w_hh, b_hh)", "F.linear(c, w_hh, b_hh)"),
    ("F.linear(h, w_hh, b_hh)", "F.linear(h, w_hh)"),  # one bias is enough: this one is the same cell
    ("F.linear(h, w_hh, b_hh)", "F.linear(h * h, w_hh, b_hh)"),
    ("F.linear(input, w_ih, b_ih) +", "F.linear(input, w_ih, b_ih) *"),
    ("gates = ", "gates = 2 * "),
    ("return hy, cy", "return cy, hy"),
    ("    gates = ", "    h = torch.relu(h)\n    gates = "),
]


@pytest.mark.parametrize(("old", "new"), CODE_MISTAKES)
def test_no_mistake_in_code_is_ever_the_same(old, new):
    text = TORCH.read_text().partition("def gru_cell")[0]
    assert old in text
    found, _ = matched(read_cell("lstm"), read_file(parsed(text.replace(old, new), "mine.py"), "lstm_cell"))
    assert bool(found) is (new == "F.linear(h, w_hh)")


def test_one_unit_is_compared_as_one_unit():
    found, under = matched(read_cell("lstm"), read_cell(f"{NUMPY}:floats"))
    assert found
    assert under
    assert under.scalar
    text = str(same("lstm", f"{NUMPY}:floats"))
    assert "in the scalar view, with one unit" in text


def test_matrices_side_by_side_and_readouts_are_said():
    shown = same("lstm", f"{NUMPY}:course")
    assert shown["same"] is True
    assert shown["correspondence"]["side_by_side"]["Wf"] == ["Wf_a", "Wf_x"]
    assert shown["correspondence"]["left_out"] == ["yt_pred"]
    assert shown["correspondence"]["names"]["h"] == "a"


def test_the_command_says_what_is_what_on_top():
    result = CliRunner().invoke(app, ["same", "lstm", f"{TORCH}:lstm_cell"])
    assert result.exit_code == 0
    top, _, below = result.stdout.partition("What of lstm is what of lstm_cell")
    assert "are the same cell, in other names" in top
    assert "b_f  = b_hh_forgetgate + b_ih_forgetgate" in below
    assert "only the sum counts" in below


def test_the_command_fails_where_they_differ():
    result = CliRunner().invoke(app, ["same", "lstm", f"{TORCH}:forgotten_tanh"])
    assert result.exit_code == 1
    assert "are not the same: h differs in the names below" in result.stdout


@pytest.mark.parametrize("format_", ["text", "latex", "markdown", "json"])
def test_every_format_can_say_it(format_):
    result = CliRunner().invoke(app, ["same", "gru", f"{TORCH}:gru_cell", "--format", format_])
    assert result.exit_code == 0
    assert "W_ir" in result.stdout or r"W_{ir}" in result.stdout
