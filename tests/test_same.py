"""Equal cells are equal however they are written, and of different ones the term that differs is named."""

import pytest

from derivations.build import rename
from derivations.catalogue import CELLS, cell_names, read_cell
from derivations.equality import Status
from derivations.expression import Name
from derivations.language import expression, read
from derivations.same import compare
from tests.samples import EVERYTHING, cell_text

LSTM_TEXT = (CELLS / "lstm.cell").read_text()
LSTM = read(LSTM_TEXT)


def lstm(*changes: tuple[str, str]):
    text = LSTM_TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return read(text)


FORGET = "sigmoid(W_xf @ x + W_hf @ h_prev + b_f)"
CANDIDATE = "W_xg @ x + W_hg @ h_prev + b_g"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([("f * c_prev + i * g", "g * i + c_prev * f")], id="order"),
        pytest.param([("f * c_prev + i * g", "f * (c_prev + i * g / f)")], id="factored"),
        pytest.param([(FORGET, "1 - sigmoid(-(b_f + W_hf @ h_prev) - W_xf @ x)")], id="1 - sigmoid(-a)"),
        pytest.param([(FORGET, "1 / (1 + exp(-(W_xf @ x + W_hf @ h_prev + b_f)))")], id="sigmoid spelled out"),
        pytest.param([("tanh(c)", "(2 * sigmoid(2 * c) - 1)")], id="tanh as a sigmoid"),
        pytest.param([("tanh(c)", "((exp(c) - exp(-c)) / (exp(c) + exp(-c)))")], id="tanh spelled out"),
        pytest.param([("W_xf @ x", "x @ W_xf.T")], id="a row times a matrix"),
        pytest.param([("W_hf @ h_prev", "(W_hf @ h_prev + h_prev - h_prev)")], id="nothing added"),
        pytest.param([("h = o * tanh(c)", "u = tanh(c)\nhidden state: h = o * u")], id="cut differently"),
        pytest.param([("cell lstm", "cell other")], id="another name"),
        pytest.param([("forget gate", "gate of forgetting"), ("input x\n", "# remark\n\ninput x\n")], id="words"),
        pytest.param([("state h, c", "state c, h")], id="the order of states"),
    ],
)
def test_cells_in_other_words_are_the_same(changes):
    found = compare(LSTM, lstm(*changes))
    assert found
    assert {proof.status for proof in found.proofs.values()} == {Status.PROVED}
    assert set(found.proofs) == {"h", "c"}
    assert found.differences == ()


@pytest.mark.parametrize("text", [*cell_names(), EVERYTHING], ids=lambda text: text[:12].strip())
def test_a_cell_is_the_same_as_itself(text):
    cell = read(text) if "\n" in text else read_cell(text)
    assert compare(cell, cell)
    assert compare(cell, read(text) if "\n" in text else read_cell(text))


@pytest.mark.parametrize(
    ("old", "new", "target", "only_left", "only_right"),
    [
        ("i * g", "i * f", "c", "i * g", "i * f"),
        ("f * c_prev + i * g", "f * c_prev - i * g", "c", "i * g", "-i * g"),
        ("f * c_prev + i * g", "c_prev + i * g", "c", "f * c_prev", "c_prev"),
        ("o * tanh(c)", "o * c", "h", "o * tanh(c)", "o * c"),
        ("W_hf @ h_prev", "W_hf.T @ h_prev", "a_f", "W_hf @ h_prev", "W_hf.T @ h_prev"),
        ("W_hf @ h_prev", "W_hf @ c_prev", "a_f", "W_hf @ h_prev", "W_hf @ c_prev"),
        (" + b_f", "", "a_f", "b_f", ""),
        (" + b_f", " + b_f + b_f", "a_f", "", "b_f"),
        (" + b_f", " + b_f + 1", "a_f", "", "1"),
        (FORGET, "tanh(W_xf @ x + W_hf @ h_prev + b_f)", "f", "sigmoid(a_f)", "tanh(a_f)"),
        (CANDIDATE, f"({CANDIDATE}) * 1.0000000001", "a_g", "", ""),
    ],
)  # fmt: skip
def test_what_differs_is_named(old, new, target, only_left, only_right):
    found = compare(LSTM, lstm((old, new)))
    assert not found
    assert found.proofs["h"].status is Status.REFUTED
    (difference,) = found.differences
    assert difference.target == target
    if only_left or only_right:
        assert difference.only_left == ((expression(only_left),) if only_left else ())
        assert difference.only_right == ((expression(only_right),) if only_right else ())
    else:
        assert difference.left != difference.right


def test_every_equation_that_differs_is_named():
    found = compare(LSTM, lstm((" + b_f", ""), (" + b_o", ""), ("i * g", "i")))
    assert [difference.target for difference in found.differences] == ["a_f", "a_o", "c"]
    assert found.differences[0].only_left == (Name("b_f"),)


def test_terms_of_equal_value_are_no_difference():
    found = compare(LSTM, lstm(("f * c_prev + i * g", "c_prev * f + (g - 1) * i")))
    (difference,) = found.differences
    assert (difference.only_left, difference.only_right) == ((expression("i * g"),), (expression("(g - 1) * i"),))


def test_a_renamed_cell_is_the_same_when_it_is_renamed_back():
    table = {"W_xo": "W_ho", "W_ho": "W_hh", "g": "c_tilde"}
    other = rename(LSTM, table)
    assert not compare(LSTM, other)
    assert compare(LSTM, rename(other, {new: old for old, new in table.items()}))


@pytest.mark.parametrize(
    ("left", "right", "why"),
    [
        ("lstm", "rnn", "lstm has states c, h, rnn has h"),
        (
            "rnn",
            cell_text("s = tanh(W_xh @ x + W_hh @ s_prev + b_h)", "input x\nstate s"),
            "rnn has states h, sample has s (if they are the same, rename one: --rename s=h)",
        ),
        (
            "rnn",
            cell_text("h = tanh(W_xh @ u + W_hh @ h_prev + b_h)", "input u\nstate h"),
            "rnn has inputs x, sample has u (if they are the same, rename one: --rename u=x)",
        ),
        ("rnn", cell_text("h = tanh(W_xh * x + W_hh @ h_prev + b_h)"), "W_xh is a matrix in rnn and a vector in sample"),
        (
            "rnn",
            cell_text("h = tanh(W_xh @ x + W_hh @ h_prev + b_h)\nreadout\n    y = V @ h"),
            "only one of them has the readout or loss y",
        ),
        (
            "rnn",
            cell_text("h = tanh(W_xh @ [x; x] + W_hh @ h_prev + b_h)"),
            "the sizes of W_xh differ: in one cell, not in the other, they are sums of sizes",
        ),
    ],
)  # fmt: skip
def test_cells_with_other_names_or_shapes_are_apart(left, right, why):
    found = compare(read_cell(left), read(right) if "\n" in right else read_cell(right))
    assert not found
    assert found.apart == why
    assert found.proofs == {}


def test_sizes_are_matched_by_what_they_are_of_not_by_their_letters():
    """The first equation with a size of its own takes the next letter: other orders, other letters."""
    one = cell_text("k = K @ x\nv = V @ x\nh = A @ k + B @ v")
    two = cell_text("v = V @ x\nk = K @ x\nh = B @ v + A @ k")
    left, right = read(one), read(two)
    assert left.shapes["k"] == right.shapes["v"] == ("p",)
    assert compare(left, right)
    assert not compare(left, read(two.replace("B @ v", "B @ v - A @ k")))


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("x + x", "2 * x", True),
        ("W @ (V @ x)", "W @ V @ x", True),
        ("sum(x) * h_prev", "dot(x, x / x) * h_prev", True),
        ("mean(x) * 3", "sum(x)", False),
        ("W @ x", "x @ W", False),
        ("outer(h_prev, x) @ x", "dot(x, x) * h_prev", True),
        ("outer(h_prev, x).T @ h_prev + 0 * h_prev", "dot(h_prev, h_prev) * x + 0 * h_prev", True),
        ("W @ [h_prev; x]", "W @ [x; h_prev]", False),
        ("max(h_prev, x)", "max(x, h_prev)", True),
        ("h_prev / (1 + exp(-h_prev))", "h_prev * sigmoid(h_prev)", True),
        ("h_prev * sigmoid(h_prev)", "h_prev * sigmoid(1.702 * h_prev)", False),
        ("detach(h_prev)", "h_prev", True),  # the same values
        ("logsumexp(x) * h_prev", "log(sum(exp(x))) * h_prev", True),
    ],
)
def test_expressions_are_compared_in_components(left, right, equal):
    sides = (read(cell_text(f"h = {text} + h_prev * 0")) for text in (left, right))
    assert bool(compare(*sides)) is equal


def test_two_thousand_terms_are_compared():
    long = " + ".join(f"p{k} * x" for k in range(300))
    left = read(cell_text(f"h = h_prev + {long}"))
    right = read(cell_text(f"h = {long} + h_prev"))
    other = read(cell_text(f"h = {long.replace('p7 * x', 'p7 * x * x')} + h_prev"))
    assert compare(left, right)
    found = compare(left, other)
    assert not found
    assert found.differences[0].only_right == (expression("p7 * x * x"),)
