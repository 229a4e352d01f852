"""Every command in every format, run in this process; `python -m tests.every_command` prints a digest of each output.

With `--long`, what takes longer: pictures, and checks against torch and JAX.
"""

import hashlib
import json
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

from typer.testing import CliRunner

from derivations.__main__ import app

FORMATS = ("text", "latex", "markdown", "json")
Written = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
WRITTEN: Written = (
    (("show", "rnn", "--no-prove"), (".txt", ".tex", ".md", ".json", ".svg")),
    (("explore", "rnn"), (".html",)),
    (("flow", "rnn", "--steps", "4"), (".svg",)),
    (("vectors", "rnn"), (".json", ".npz")),
)
LONG_WRITTEN: Written = ((("flow", "rnn", "lstm"), (".svg", ".png", ".pdf")), (("vectors", "lstm"), (".json", ".npz")))

# Command lines without a format: each is run in all four.
RUNS: tuple[tuple[str, ...], ...] = (
    ("list",),
    ("show", "rnn"),
    ("show", "lstm", "--no-prove"),
    ("show", "lstm", "--vector", "--no-prove", "--notation", "bar"),
    ("show", "lnlstm", "--vector", "--no-prove", "--fragment", "--notation", "delta"),
    ("show", "gru", "--no-prove", "--rename", "h=s", "--only", "adjoint", "--only", "partial"),
    ("show", "rnn", "--closed", "h", "--unroll", "2", "--jacobian"),
    ("diff", "lstm", "h", "--wrt", "W_xf", "--at", "notebook", "--step", "3", "--through-time", "--no-check"),
    ("diff", "rnn", "h", "--wrt", "x", "--closed", "--no-check"),
    ("same", "rnn", "rnn"),
    ("same", "lstm", "gru"),
    ("flow", "rnn", "lstm", "--steps", "8"),
    ("quiz", "lstm", "--blank", "3"),
    ("walkthrough", "notebook", "--no-check"),
    ("walkthrough", "rnn-notebook", "--no-check", "--full"),
    ("show", "nothing"),
    ("show", "rnn", "--rename", "W=V"),
)
LONG: tuple[tuple[str, ...], ...] = (
    ("check", "rnn"),
    ("check", "rnn", "--verbose"),
    ("diff", "rnn", "h", "--wrt", "W_xh"),
    ("walkthrough", "rnn-notebook"),
)


def digests(runs: tuple[tuple[str, ...], ...]) -> dict[str, str]:
    """By command line: the status, and a digest of what was said and written."""
    found = {}
    for args in runs:
        for format_ in FORMATS:
            result = CliRunner().invoke(app, [*args, "--format", format_])
            found[" ".join((*args, "--format", format_))] = said(result.exit_code, result.output.encode())
    return found


def files(runs: Written) -> dict[str, str]:
    """The same for what `-o` writes, pictures and numbers among it, and for what reads those numbers."""
    found = {}
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for args, ends in runs:
            for end in ends:
                result = CliRunner().invoke(app, [*args, "-o", f"out{end}", "--force"])
                found[" ".join((*args, "-o", f"out{end}"))] = said(result.exit_code, Path(f"out{end}").read_bytes())
        found |= digests((("locate", runs[-1][0][1], "out.npz"),))
        Path("sheet.txt").write_text("da_h = dh*(1 - h**2)\ndU = da_h*h\n")
        found |= digests((("mark", "sheet.txt", "--cell", "rnn"),))
    return found


def said(status: int, output: bytes) -> str:
    return f"{status} {len(output)} {hashlib.sha256(output).hexdigest()}"


if __name__ == "__main__":
    long = "--long" in sys.argv
    print(json.dumps(digests(LONG if long else RUNS) | files(LONG_WRITTEN if long else WRITTEN)))
