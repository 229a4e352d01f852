"""Sheets for `derive mark`: read, marked against a cell, and told in every format, with whatever is in them.

The first line is the cell and the notation (`lstm text`, `gru`, `rnn python`); the rest is the sheet.
"""

import csv
import io
import json
import time
from collections.abc import Callable
from functools import cache
from zlib import crc32

from derivations.catalogue import read_cell
from derivations.cell import CellError
from derivations.document import Document
from derivations.formats._latex_document import render as latex
from derivations.formats._markdown_document import render as markdown
from derivations.formats._text_document import pieces
from derivations.marking.course import Course, course_of
from derivations.marking.mark import mark_sheet
from derivations.marking.sheets import NOTATIONS, read_sheet
from derivations.reports import mark as report
from tests.fuzz.guard import PATIENCE as READING
from tests.fuzz.inert import csv_faults, latex_faults, markdown_faults, markdown_with_code_faults, text_faults
from tests.marking.marks import SHEETS

COMPLAINTS = CellError
HARMLESS = ("compile",)  # a tree is made of Python; to run anything of it would be `exec`
PATIENCE = 3.0  # seconds: a wrong line is searched for its mistake, each line of a sheet in turn
MOST_MARKED = 8  # lines; longer sheets are read, and differ in nothing but the time it takes to mark them
MOST_KEPT = 1_000
CELLS = ("lstm", "gru", "rnn")


def _lines(name: str) -> list[str]:
    """Single lines of a table, `cell | line | ...`, each a sheet."""
    rows = [row.split(" | ") for row in (SHEETS / name).read_text(encoding="utf-8").splitlines() if row[:1] != "#"]
    return [f"{row[0].strip()} text\n{row[1]}" for row in rows]


def _pairs(sheets: list[str]) -> list[str]:
    """Sheets of two lines, which may speak of one another."""
    return [f"{one}\n{two.partition(chr(10))[2]}" for one, two in zip(sheets[::2], sheets[1::2], strict=False)]


def _parts(name: str, cell: str) -> list[str]:
    """A few lines at a time of a long sheet in LaTeX."""
    rows = [row for row in (SHEETS / name).read_text(encoding="utf-8").splitlines() if "&=" in row]
    return [
        f"{cell} latex\n\\begin{{align}}\n" + "\n".join(rows[k : k + 3]) + "\n\\end{align}"
        for k in range(0, len(rows), 3)
    ]


PROGRAMS = (
    "import numpy as np\ndef backward(dh, dc_next, cache):\n    f, i, g, o, c, c_prev = cache\n"
    "    dc = dc_next + dh * o * (1 - np.tanh(c)**2)\n    df = dc * c_prev\n    da_f = df * f * (1 - f)\n    return da_f",
    "def backward(dhs, xs, hs):\n    dhnext = np.zeros_like(hs[0])\n    for t in reversed(range(len(xs))):\n"
    "        dh = dhs[t] + dhnext\n        dhraw = (1 - hs[t] * hs[t]) * dh\n        dWxh += np.dot(dhraw, xs[t].T)\n"
    "        dhnext = np.dot(Whh.T, dhraw)\n    return dWxh",
    "class GRU:\n    def backward(self, dh):\n        x, h_prev, r, z, n, q = self.cache\n        dn = dh * (1 - z)\n"
    "        da_n = dn * (1 - n ** 2)\n        self.dW_xn += torch.outer(da_n, x)",
)
SEEDS = [
    *_lines("right.txt")[::3],
    *_lines("wrong.txt")[::3],
    *_pairs(_lines("right.txt"))[::6],
    *_pairs(_lines("wrong.txt"))[::6],
    *_parts("paper.tex", "lstm"),
    *(f"{cell} python\n{text}" for cell, text in zip(("lstm", "rnn", "gru"), PROGRAMS, strict=True)),
    *(f"{cell}\n{(SHEETS / name).read_text(encoding='utf-8')}" for name, cell in
      (("lstm_time.txt", "lstm"), ("rnn.txt", "rnn"), ("gru.txt", "gru"), ("paper.tex", "lstm"), ("other_way.txt", "gru"))),
    "lstm\nnames: qux = c_prev, zap = da_f\nzap = dc*qux*f*(1-f)",
    "rnn latex\n\\newcommand{\\e}{\\odot}\n$\\delta a = \\delta h \\e (1 - h^2)$",
    "rnn latex\n\\[\\frac{\\partial L}{\\partial W_{xh}} = \\sum_t \\delta_t x_t^\\top\\]",
]  # fmt: skip
WORDS = (
    *(f"{cell} {notation}\n" for cell in CELLS for notation in NOTATIONS), "names: ", "names:\n", " = c_prev", "df = da_f",
    "dh", "dc", "dx", "da_f", "df", "da_h", "dW_hf", "dWhh", "db_f", "dh_next", "dc_next", "dh_out", "dc_prev", "dh_prev", "f", "i", "g",
    "o", "c", "h", "x", "z", "r", "n", "c_prev", "h_prev", "c_{t-1}", "h_{t-1}", "f_{t+1}", "c_t", "h[t-1]", "hs[t]", "W_hf.T @ ", "U^T",
    "tanh(c)", "tanh'(c)", "sigmoid'(a_f)", "dsigmoid(f)", "dtanh(", "(1 - f)", "f*(1-f)", "(1-h^2)", "1 - tanh²(c_t)", "outer(da_f, h_prev)",
    "sum_t ", "Σ_t", "⊙", "·", "∂L/∂", "dL/d", "δ", "δ_c^t", "²", "ᵀ", "×", "−", "^2", "**2", "^-1", "^(1/2)", "diag(", "[h_prev; x]", "+=", " = ",
    "\\delta ", "\\odot ", "\\partial ", "\\frac{", "\\frac{\\partial L}{\\partial h}", "\\sigma(", "\\tanh^2(", "_{t-1}", "^{(t)}", "^\\top", "\\sum_t",
    "\\left(", "\\right)", "&=", "\\\\\n", "\\begin{align}\n", "\\end{align}", "\\[", "\\]", "$", "\\mathrm{", "\\text{", "\\newcommand{\\a}{\\a\\a}", "\\def\\a{b}",
    "\\hat{", "\\tilde c", "\\label{eq}", "\\cdot", "\\circ", "\\!", "\\,", "% remark\n",
    "import numpy as np\n", "def backward(dh, cache):\n    ", "for t in reversed(range(T)):\n        ", "for k in range(10**9):\n    ", "return ",
    "np.outer(", "np.dot(", "np.tanh(", "np.sum(", ", axis=0)", ".dot(", ".T", "[:, :n]", "[::2]", "np.zeros_like(", "self.", "lambda x: ", "10**10**6",
    "'a' * 10**9", "np.hstack((", "np.concatenate((", "np.einsum('i,j->ij', ", "__import__('os')", "open('harmed', 'w')", "=1+1", "@SUM(1)", "+1", "-1",
    "____", "\\underline{\\hspace{4cm}}", "7", "0.5", "1/2", "1e400", "0", "-", "--", "(", ")", ",", ";", "...",
)  # fmt: skip


@cache
def course(name: str) -> Course:
    return course_of(read_cell(name))


def fuzz(text: str) -> None:
    head, _, body = text.partition("\n")
    cell, _, notation = head.strip().partition(" ")
    known = course(cell if cell in CELLS else "lstm")
    began = time.process_time()
    sheet = read_sheet(body, notation if notation in NOTATIONS else "")
    assert time.process_time() - began < READING, "reading takes too long"
    if len(sheet.lines) > MOST_MARKED:
        return
    if len(known.found) > MOST_KEPT:  # what was found before is kept, as for a class, but not for ever
        known.proofs.clear(), known.found.clear()
    marked = mark_sheet(sheet, known)
    assert 0 <= marked.right <= marked.of <= len(marked.marks)
    told(report.Sheet(body[:20], marked), crc32(text.encode("utf-8", "replace")))


def told(sheet: report.Sheet, choice: int) -> None:
    """One of the reports on a sheet, whose file has whatever name, does nothing."""
    write, faults = REPORTS[choice % len(REPORTS)]
    assert not (wrong := faults(write(sheet))), (faults.__name__, wrong[:3])


def _document(sheet: report.Sheet) -> Document:
    return report.document(read_cell("rnn"), [sheet, sheet], 0.5)


def _records(sheet: report.Sheet) -> str:
    """What programs get: JSON without NaN; and a table that has as many cells in each row as in its head."""
    head, row = csv.reader(io.StringIO(report.table([sheet])))
    assert len(head) == len(row)
    return "".join(map(json.dumps, (report.record(read_cell("rnn"), [sheet]), report.gradescope(sheet))))


REPORTS: tuple[tuple[Callable[[report.Sheet], str], Callable[[str], list[str]]], ...] = (
    (lambda sheet: "".join(piece for _, piece in pieces(_document(sheet))), text_faults),
    (lambda sheet: latex(_document(sheet)), latex_faults),
    (lambda sheet: markdown(_document(sheet)), markdown_faults),
    (lambda sheet: report.feedback(sheet, 0.5), markdown_with_code_faults),
    (lambda sheet: report.table([sheet], 0.5), csv_faults),
    (_records, text_faults),
)
