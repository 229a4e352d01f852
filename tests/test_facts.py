"""Statements about a derivation: what is true of it is proved, what is not is refuted."""

import pytest

from derivations.catalogue import read_cell
from derivations.cell import CellError, Fact
from derivations.derive import derive
from derivations.equality import Status
from derivations.facts import prove_fact
from derivations.language import read
from tests.samples import cell_text

# The stabilised exponential gating of xLSTM (Beck et al., 2024): h does not depend on the new m.
SLSTM = """
cell slstm "sLSTM with its stabiliser"
input x
state h, c, n, m

input gate:   r = W_i @ x + R_i @ h_prev + b_i
forget gate:  s = W_f @ x + R_f @ h_prev + b_f
stabiliser:   m = max(r, logsigmoid(s) + m_prev)
input:        i = exp(r - m)
forget:       f = exp(logsigmoid(s) + m_prev - m)
candidate:    z = tanh(W_z @ x + R_z @ h_prev + b_z)
output gate:  o = sigmoid(W_o @ x + R_o @ h_prev + b_o)
cell state:   c = f * c_prev + i * z
normaliser:   n = f * n_prev + i
hidden state: h = o * (c / n)
"""

CELLS = {
    "small": cell_text(
        "f = sigmoid(W @ x + b_f)\nm = f * m_prev\nh = f * tanh(h_prev) + b * s", "input x\nstate h, m\nscalar s"
    ),
    "two biases": cell_text("h = tanh(W @ x + b_i + U @ h_prev + b_h)"),
    "slstm": SLSTM,
}


def proved(cell: str, fact: str):
    text = CELLS.get(cell) or cell
    derivation = derive(read(f"{text}\nfacts\n    a name: {fact}\n"))
    (found,) = derivation.cell.facts
    return prove_fact(found, derivation)


@pytest.mark.parametrize(
    ("cell", "fact"),
    [
        # total derivatives within the step
        ("small", "dm/dm_prev = f"),
        ("small", "dh/dm_prev = 0"),
        ("small", "dh/dm = 0"),
        ("small", "dh/dh_prev = f * (1 - tanh(h_prev)**2)"),
        ("small", "dm/df = m_prev"),
        ("small", "dh/ds = b"),
        ("small", "dm/da_f = m_prev * f * (1 - f)"),  # through f
        ("slstm", "dh/dm = 0"),
        ("slstm", "dc/dc_prev = f"),
        ("slstm", "dm/dc_prev = 0"),
        # adjoints, for every cotangent
        ("small", "db = s * dh"),
        ("small", "ds = dot(dh, b)"),
        ("small", "db_f = da_f"),
        ("small", "db_f = df * f * (1 - f)"),
        ("small", "df = dm * m_prev + dh * tanh(h_prev)"),
        ("small", "dW = outer(db_f, x)"),
        ("small", "dx = W.T @ da_f"),
        ("small", "2 * db - db = dh * s"),
        ("small", "da_f = df * sigmoid(a_f) * (1 - f)"),  # true because f is sigmoid(a_f)
        ("two biases", "db_i = db_h"),
    ],
)
def test_what_is_true_is_proved(cell, fact):
    assert proved(cell, fact).status is Status.PROVED


@pytest.mark.parametrize(
    ("cell", "fact", "where"),
    [
        ("small", "dm/dm_prev = 1 - f", "dm[0,0]/dm_prev[0,0]"),
        ("small", "dm/df = 0", "dm[0,0]/df[0,0]"),
        ("small", "dh/ds = 0", "dh[0,0]/ds[0,0]"),
        ("small", "dh/dm_prev = 1", "dh[0,0]/dm_prev[0,0]"),
        ("slstm", "dh/dm_prev = 0", "dh[0,0]/dm_prev[0,0]"),  # at fixed c_prev and n_prev it does depend
        ("small", "db = dh", "[0,0]"),
        ("small", "db = 2 * s * dh", "[0,0]"),
        ("small", "ds = sum(dh)", "[0,0]"),
        ("small", "dW = outer(x, db_f)", ": shapes 2x3 and 3x2"),
        ("small", "dx = W @ da_f", "2x3 @ 2x1 has no value"),
        ("small", "da_f = df * sigmoid(a_f) * f", "[0,0]"),
        ("two biases", "db_i = -db_h", "[0,0]"),
    ],
)
def test_what_is_not_true_is_refuted(cell, fact, where):
    proof = proved(cell, fact)
    assert (proof.status, proof.where) == (Status.REFUTED, where)


def test_a_fact_keeps_its_label_and_line():
    (fact,) = read(f"{CELLS['two biases']}\nfacts\n    a name: db_i = db_h\n").facts
    assert isinstance(fact, Fact)
    assert (fact.label, fact.line) == ("a name", 7)


@pytest.mark.parametrize("fact", ["dq = 0", "db = q", "dh/dq = 0", "db = dq * dh"])
def test_a_fact_about_nothing_is_an_error(fact):
    name = "q" if fact.endswith("= q") else "dq"
    with pytest.raises(CellError) as wrong:
        proved("small", fact)
    assert str(wrong.value) == f"line 10: a fact speaks of {name}, which the cell does not have"


def test_the_fact_of_the_gru_is_proved():
    derivation = derive(read_cell("gru"))
    assert [prove_fact(fact, derivation).status for fact in derivation.cell.facts] == [Status.PROVED]
