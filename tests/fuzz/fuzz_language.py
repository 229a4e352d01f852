"""Texts of cells. What is accepted is written out again in the cell language and reads as the same."""

import json
import re
from pathlib import Path

from derivations.catalogue import CELLS
from derivations.cell import CellError
from derivations.expression import Expr, Neg, Num, rewrite
from derivations.functions import WRITABLE
from derivations.language import expression, read
from derivations.plain import code
from tests.samples import EVERYTHING, cell_text

COMPLAINTS = CellError
GRAMMAR = CELLS.parent / "cell.lark"
BAD = Path(__file__).parents[1] / "bad_inputs.json"
HEAD = "cell bad\ninput x\nstate h, c\n"


def _bad() -> list[str]:
    records = json.loads(BAD.read_text(encoding="utf-8"))
    return [HEAD + one["input"] for one in records if one["surface"] == "equations" and isinstance(one["input"], str)]


SEEDS = [
    *(path.read_text(encoding="utf-8") for path in sorted(CELLS.glob("*.cell"))),
    EVERYTHING,
    cell_text("h = x"),
    cell_text('gate: h = sigmoid(W @ x + V @ h_prev)  # a remark "x"'),
    cell_text("h = (x * 2 - h_prev / 3)**2"),
    cell_text("m = W @ [h_prev; x]\nh = relu(-m.T @ m) + outer(x, x) @ x"),
    cell_text("h = tanh(a * x)\nreadout\n  y = V @ h\nloss\n  L = sum((y - y_hat)**2)", "input x\nstate h\ntarget y_hat"),
    cell_text("h = g * h_prev + x\nfacts\n  dh_prev = g * dh\n  dx = dh", "input x\nstate h\nscalar g\npositive g"),
    'cell named "A title # with (signs)"\ninput x, y\nstate h\noutput h\nparam W\n\nh = W @ x * 1 + y',
    *_bad(),
]  # fmt: skip

# The words of the grammar itself, and the functions.
WORDS = tuple(
    sorted(
        {
            *re.findall(r'"([^"\s]+)"', GRAMMAR.read_text(encoding="utf-8")),
            *re.findall(r"input|state|output|target|scalar|positive|param|readout|loss|facts|cell", GRAMMAR.read_text()),
            *(f"{name}(" for name in WRITABLE),
            "sum(", "mean(", "dot(", "logsumexp(", "outer(", "detach(", "x", "h", "c", "h_prev", "c_prev", "W", "W @ x",
            "U @ h_prev", "a: ", "\nloss\n  L = ", "\nreadout\n  y = ", "\nfacts\n  dx = ", "\ninput ", "\nstate ",
        }
    )
)  # fmt: skip


def fuzz(text: str) -> None:
    cell = read(text)
    for equation in cell.written:
        shown = code(equation.rhs)
        assert rewrite(expression(shown), _signed) == rewrite(equation.rhs, _signed), shown


def _signed(node: Expr) -> Expr | None:
    """Minus two is written in two ways, which read as a minus and 2 and as the number -2; minuses may follow others."""
    sign = 1
    while isinstance(node, Neg):
        node, sign = node.arg, -sign
    return Num(sign * node.value) if isinstance(node, Num) else None
