"""Plain text that reads at any width."""

from dataclasses import replace

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.formats.text import pieces, render, wrapped
from derivations.language import expression
from derivations.plain import Style

LSTM = derive(read_cell("lstm"))

ADJOINTS = """
Adjoints
  hidden state        dh      = dh_out + dh_next
  cell state          dc      = dc_next + dh*o*(1 - tanh(c)**2)
  output gate         do      = dh*tanh(c)
                      da_o    = do*o*(1 - o)
  candidate           dg      = dc*i
                      da_g    = dg*(1 - g**2)
  input gate          di      = dc*g
                      da_i    = di*i*(1 - i)
  forget gate         df      = dc*c_prev
                      da_f    = df*f*(1 - f)
  to the step before  dh_prev = W_hf.T @ da_f + W_hi.T @ da_i
                                  + W_hg.T @ da_g + W_ho.T @ da_o
                      dc_prev = dc*f
  input               dx      = W_xf.T @ da_f + W_xi.T @ da_i
                                  + W_xg.T @ da_g + W_xo.T @ da_o
  parameters          dW_xf   = outer(da_f, x)
"""


def test_the_adjoints_of_an_lstm():
    assert render(LSTM, only=("adjoint",), view="vector", width=76, fragment=True).startswith(ADJOINTS)


def test_the_recurrences_of_an_elman_network():
    text = render(derive(read_cell("rnn")), only=("recurrence",), fragment=True)
    assert text == (
        "\nRecurrences over time\n"
        "  hidden state  dh_next   = dh_prev[t+1]\n"
        "  parameters    grad_W_xh = Σ_t dW_xh\n"
        "                grad_W_hh = Σ_t dW_hh\n"
        "                grad_b_h  = Σ_t db_h\n"
    )


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("style", ["code", "math"])
@pytest.mark.parametrize("cell", cell_names())
def test_no_line_is_longer_than_the_terminal(cell, style, width):
    for view in ("scalar", "vector"):
        lines = render(derive(read_cell(cell)), view=view, style=style, width=width).splitlines()
        assert [line for line in lines if len(line) > width] == []
        assert [line for line in lines if line != line.rstrip()] == []


def test_ascii_where_nothing_else_can_be_shown():
    text = render(derive(read_cell("lnlstm")), view="vector", ascii=True)
    assert text.isascii()
    assert "df/da_f" in text
    assert "sum_t dW_xf" in text
    assert "∂f/∂a_f" in render(LSTM)


def test_pieces_say_what_they_are():
    found = list(pieces(LSTM, proofs={0: "proved", 1: "refuted"}))
    assert "".join(text for _, text in found) == render(LSTM, proofs={0: "proved", 1: "refuted"})
    kinds = {kind for kind, _ in found}
    assert kinds == {"title", "note", "space", "heading", "label", "name", "sign", "expression", "proof"}
    assert ("proof", "1 of 2 steps are proved.\n") in found


def test_proofs_stand_in_a_column_where_there_is_room():
    rnn = derive(read_cell("rnn"))
    proofs = {8: "proved", 9: "proved", 11: "agrees at 64 points, not proved"}
    text = render(rnn, only=("adjoint",), fragment=True, proofs=proofs, width=80)
    assert text.splitlines()[2:6] == [
        "  hidden state        dh      = dh_out + dh_next  proved",
        "                      da_h    = dh*(1 - h**2)     proved",
        "  to the step before  dh_prev = W_hh*da_h",
        "  input               dx      = W_xh*da_h  agrees at 64 points, not proved",
    ]


def test_a_title_does_not_move_the_cursor():
    cell = replace(LSTM.cell, title="\x1b[2J\u2028x\ty", comment="\x1b]0;title\x07")
    text = render(replace(LSTM, cell=cell), ascii=True)
    assert text.startswith("[2J x y  (lstm, scalar view)\n")
    assert set(text) & {"\x1b", "\x07", "\t", "\u2028"} == set()


def test_a_long_sum_hangs_under_its_first_term():
    rows = wrapped(expression("+".join(f"a_{k}*b_{k}" for k in range(6))), 24, Style())
    assert rows == ["a_0*b_0 + a_1*b_1", "  + a_2*b_2 + a_3*b_3", "  + a_4*b_4 + a_5*b_5"]
    long = wrapped(expression("*".join(f"a_{k}" for k in range(20))), 24, Style())
    assert max(map(len, long)) <= 24
    assert "".join(row.strip() for row in long).count("*") == 19
