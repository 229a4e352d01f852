"""Walkthrough files: TOML, the names and numbers in it, and the expressions and blocks in its strings."""

import json
from pathlib import Path

from derivations.catalogue import WALKTHROUGHS
from derivations.cell import CellError
from derivations.walkthrough import KEYS, parse

COMPLAINTS = CellError
BAD = Path(__file__).parents[1] / "bad_inputs.json"

SMALL = """schema = "derivations/walkthrough/1"
cell = "rnn"
title = "Small"
[names]
h = "s"
[parameters]
W_xh = 1.5
W_hh = -2
b_h = 0.25
[inputs]
x = [1.0, 2, 0.5]
[initial]
h = 0
[[notes]]
about = ["h"]
text = "a note on W_xh"
[[unused]]
name = "q"
text = "nothing reads it"
[[asides]]
name = "a"
text = "tanh(W_xh * x)"
step = 2
note = "beside the run"
[[printed]]
of = "h"
step = 3
value = "-0.5"
""".replace('[names]\nh = "s"\n', '[names]\nb_h = "b"\n').replace("b_h = 0.25", "b = 0.25")

WITH_BLOCKS = SMALL.replace(
    "[parameters]",
    '[blocks]\ntargets = ["z"]\ntext = """\nreadout\n  y = V * h\nloss\n  L = (y - z)**2 / 2\n"""\nloss_steps = [1, 3]\n'
    "[descent]\nrate = 0.1\n[targets]\nz = 1.0\n[parameters]\nV = 3",
)

SEEDS = [
    *(path.read_text(encoding="utf-8") for path in sorted(WALKTHROUGHS.glob("*.toml"))),
    SMALL,
    WITH_BLOCKS,
    *(
        one["input"]
        for one in json.loads(BAD.read_text(encoding="utf-8"))
        if one["surface"] == "toml" and isinstance(one["input"], str)
    ),
]

WORDS = (
    *(f"{key} = " for key in KEYS), *(f"[{key}]\n" for key in KEYS), *(f"[[{key}]]\n" for key in KEYS),
    "true", "false", "1979-05-27T07:32:00Z", "07:32:00", "0b11", "0o7", "0xff", "1_000", "inf", "-nan", "+1", "1e5", '"h"',
    "[]", "{}", "{a = 1}", '"""', "'''", "\\u0000", "\\n", '"a.b"', "a.b.c = 1\n", "[a.b]\n", "# remark", "''", '""',
    "step = 1\n", "step = 200\n", "value = \"1\"\n", "of = \"h\"\n", "loss_steps = [1]\n", 'text = "', 'cell = "lstm"\n',
    'cell = "../x.cell"\n', "9" * 5000, "0." + "9" * 5000, "1e999999999", "-1e-999999999", "a." * 300,
)  # fmt: skip


def fuzz(text: str) -> None:
    found = parse(text, "fuzzed")
    assert 1 <= found.steps <= 200
    assert set(found.parameters) == set(found.cell.parameters)
