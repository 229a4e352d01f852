"""A cell written out reads back as the same cell."""

from dataclasses import replace

import pytest

from derivations.build import rename
from derivations.canonical import canonical, same_equations
from derivations.catalogue import cell_names, read_cell, walkthrough_names
from derivations.language import read
from derivations.walkthrough import read_walkthrough
from tests.samples import EVERYTHING, EVERYTHING_BUT_STACKS, cell_text

DECLARED = """cell declared "Names one edit apart, scalars, and several outputs"
input x, clock
state h, c
output c, h
scalar clock, c, gain
positive gain
param h_prv

c = gain * clock * c_prev
h = tanh(W @ x + h_prv * h_prev) * c - (x @ V - 1/3) / 2
readout
    y = h * h**2
facts
    dy/dh = 3 * h**2
"""

CELLS = {name: read_cell(name) for name in cell_names()}
CELLS |= {f"the walkthrough {name}": read_walkthrough(name).cell for name in walkthrough_names()}
CELLS |= {
    "everything": read(EVERYTHING),
    "everything but stacks": read(EVERYTHING_BUT_STACKS),
    "declared": read(DECLARED),
    "renamed": rename(read_cell("lstm"), {"g": "c_tilde", "h": "s"}),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_written_out_reads_back(name):
    cell = CELLS[name]
    again = read(canonical(cell))
    assert same_equations(again, cell)
    assert (again.shapes, again.outputs, again.positive) == (cell.shapes, cell.outputs, cell.positive)
    assert canonical(again) == canonical(cell)


def test_it_reads_like_a_paper():
    assert canonical(read_cell("rnn")).splitlines() == [
        'cell rnn "Elman network"',
        "input x",
        "state h",
        "",
        "hidden state: h = tanh(W_xh @ x + W_hh @ h_prev + b_h)",
    ]


def test_what_the_equations_do_not_say_is_declared():
    text = canonical(CELLS["declared"])
    assert "\noutput c, h\n" in text
    assert "\nparam gain, W, h_prv, V\n" in text
    assert "\nscalar clock, c, gain\n" in text


def test_that_other_equations_are_other_cells():
    cell = read_cell("rnn")
    assert not same_equations(cell, read(cell_text("h = tanh(W_xh @ x + W_hh @ h_prev)")))
    assert not same_equations(cell, replace(cell, outputs=()))
    assert same_equations(cell, read("# another comment\n\n\n" + canonical(cell)))
