"""What is typed after a command: a cell's name on the first line, then `--rename` pairs, one a line."""

from derivations.catalogue import cell_names
from derivations.cell import CellError
from derivations.commands._saying import cell_from

COMPLAINTS = CellError

SEEDS = [
    *cell_names(),
    "rnn\nh=s",
    "rnn\nx=h\nh=x",
    "rnn\nW_xh=U\nW_hh=W\nb_h=b",
    "gru\nh=s\nz=u\nr=q",
    "rnn\nh = s",
    "rnn\n=",
    "rnn\nh==s",
    "rnn\nh=h\nx=x",
    "rnn\nh=h_prev",
    "missing.cell\nh=s",
    "cell.py:f",
]
WORDS = (*cell_names(), "=", "h=", "x=", "=h", "=x", "W_xh", "a_h", "h_prev", "/etc/passwd", "~", "..", "../rnn.cell", ".cell",
         "-", "--rename", "\n", "\nh=", "\nx=", "theta", "c_tilde", "W_h_f", "dx", "x_1", "s" * 40)  # fmt: skip


def fuzz(text: str) -> None:
    name, *pairs = text.split("\n")
    renamed = cell_from(name, pairs)
    for pair in pairs:
        old, _, new = pair.partition("=")
        assert new in renamed.shapes, pair
        assert old in renamed.shapes if old in dict(p.split("=", 1)[::-1] for p in pairs) else True
