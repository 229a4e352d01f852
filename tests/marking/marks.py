"""What marking says of a text, against a cell of the catalogue or an LSTM with peepholes."""

from functools import cache
from pathlib import Path

from derivations.catalogue import read_cell
from derivations.language import read
from derivations.marking.course import Course, course_of
from derivations.marking.mark import mark_sheet
from derivations.marking.marked import Mark, Marked, Verdict
from derivations.marking.sheets import read_sheet

SHEETS = Path(__file__).with_name("sheets")
CELLS = ("lstm", "gru", "rnn")
PEEPHOLE = """cell peephole
input x
state h, c
f = sigmoid(W_xf @ x + W_hf @ h_prev + p_f * c_prev + b_f)
i = sigmoid(W_xi @ x + W_hi @ h_prev + p_i * c_prev + b_i)
g = tanh(W_xg @ x + W_hg @ h_prev + b_g)
c = f * c_prev + i * g
o = sigmoid(W_xo @ x + W_ho @ h_prev + p_o * c + b_o)
h = o * tanh(c)
"""


@cache
def course_for(cell: str) -> Course:
    return course_of(read(PEEPHOLE) if cell == "peephole" else read_cell(cell))


def marked(text: str, cell: str = "lstm", notation: str = "") -> Marked:
    return mark_sheet(read_sheet(text, notation), course_for(cell))


def only(text: str, cell: str = "lstm", notation: str = "") -> Mark:
    """What is said of a text of one line."""
    (found,) = marked(text, cell, notation).marks
    return found


def wrong(found: Marked) -> dict[int, str]:
    """Line -> what is wrong there."""
    return {mark.line: mark.mistake for mark in found.marks if mark.verdict is Verdict.WRONG}


# The same with the cell in front, where many texts are marked against it.


def marks(cell: str, text: str, notation: str = "") -> tuple[Mark, ...]:
    return marked(text, cell, notation).marks


def verdicts(cell: str, text: str, notation: str = "") -> list[Verdict]:
    return [mark.verdict for mark in marks(cell, text, notation)]


def mistakes(cell: str, text: str, notation: str = "") -> dict[int, str]:
    return wrong(marked(text, cell, notation))
