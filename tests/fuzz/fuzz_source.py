"""Python files and notebooks, as `derive show file.py:function` reads them; what is accepted is also written out.

The first line is what is asked for, `file.py:function` or `notebook.ipynb:function`; the rest is the file.
"""

import ast
import json
from functools import partial
from pathlib import Path
from zlib import crc32

from derivations.cell import Cell, CellError
from derivations.derive import derive
from derivations.expression import operations
from derivations.formats import load
from derivations.formats._markdown_document import render as markdown
from derivations.reports.same import document
from derivations.same import Comparison
from derivations.source import read_file
from derivations.source.text import of_bytes, split
from tests.fuzz.inert import latex_faults, markdown_faults, text_faults

COMPLAINTS = CellError
HARMLESS = ("compile",)  # a tree is made of the text; to run anything of it would be `exec`
LARGEST = 40  # operations; larger cells differ in nothing but the time they take to be written
CODE = Path(__file__).parents[1] / "code"

STEP = """import torch
from torch import nn

def step(x, h, W, U, b, act=torch.tanh, gate="on"):
    \"\"\"A step: what it "says".\"\"\"
    z = x @ W + h @ U + b  # a remark
    if gate == "on":
        z = torch.sigmoid(z) * z
    return act(z)
"""
PACKED = """import numpy as np
def lstm(x, state, W, U, b):
    h, c = state
    i, f, g, o = np.split(W @ x + U @ h + b, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, c
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
"""
OVER_TIME = """import numpy as np
hs = {-1: h0}
for t in range(len(xs)):
    hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
"""
LAYERS = """import torch, torch.nn as nn
class Cell(nn.Module):
    def __init__(self, n_in, n):
        super().__init__()
        self.i2h, self.h2h = nn.Linear(n_in, n), nn.Linear(n, n, bias=False)
        self.scale = nn.Parameter(torch.ones(n))
    def forward(self, x, hidden=None):
        if hidden is None:
            hidden = torch.zeros(self.n)
        z, r = (self.i2h(x) + self.h2h(hidden)).chunk(2, -1)
        new = (1 - z.sigmoid()) * hidden + z.sigmoid() * r.tanh() * self.scale
        return new, new
"""


def _definitions(name: str) -> list[str]:
    """Each function of a file with what the file has at its top: short texts find more than long ones."""
    text = (CODE / name).read_text(encoding="utf-8")
    tree, found = ast.parse(text), []
    helpers = [node for node in tree.body if not isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            parts = [ast.unparse(one) for one in (*helpers, node)]
            found.append(f"a.py:{node.name}\n" + "\n".join(parts))
    return found


def notebook(*cells: str) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": cell.splitlines(True)} for cell in cells]})


SEEDS = [
    f"a.py:step\n{STEP}",
    f"a.py:lstm\n{PACKED}",
    f"a.py\n{OVER_TIME}",
    f"a.py:Cell\n{LAYERS}",
    f"a.py:Cell.forward\n{LAYERS}",
    f"n.ipynb:step\n{notebook('%matplotlib inline', STEP, '!ls')}",
    f"n.ipynb\n{notebook('%%time', OVER_TIME)}",
    *_definitions("torch_cells.py"),
    *_definitions("numpy_cells.py"),
    f"a.py:lstm_cell\n{(CODE / 'torch_cells.py').read_text(encoding='utf-8')}",
]
WORDS = (
    "def step(x, h, W):\n    ", "return ", "lambda x: ", "for t in range(len(xs)):\n        ", "for k in range(3):\n        ",
    "while True:\n        ", "if h is None:\n        ", "else:\n        ", "with torch.no_grad():\n        ", "class Cell(nn.Module):\n    ",
    "def __init__(self):\n        ", "super().__init__()", "self.", "self.W", "nn.Linear(3, 4)", "nn.Parameter(", "nn.LSTMCell(3, 4)",
    ".chunk(4, -1)", ".split(n, dim=1)", "np.split(", "np.concatenate(", "torch.cat([x, h], -1)", "torch.stack(", "np.einsum(", ".T", ".t()",
    ".sum(", ".mean()", ".view(", ".reshape(-1)", ".unsqueeze(0)", ".size(0)", ".shape[0]", "[0]", "[:, :n]", "[..., n:]", "[t]", "[t - 1]",
    "[-1]", "[::2]", "[None]", "h, c = state", "hs.append(h)", "hs[t] = ", "xs", "x", "h", "c", "W", "U", "b", "state", "hidden", "params",
    "torch.sigmoid(", "torch.tanh(", "F.relu(", "np.exp(", "np.maximum(0, ", "np.where(", "jax.nn.", "jax.lax.scan(step, h, xs)",
    "np.zeros(3)", "torch.zeros_like(h)", "None", "True", "1e400", "9**9**9", "'x' * 10**9", "10**10**6", "range(10**9)", "-1", "0.5",
    " if h > 0 else ", " and ", " not ", " is None", " == ", "*args", "**kwargs", "@property\n", "@staticmethod\n", "@jax.jit\n", "global h\n",
    "import os\n", "from os import system\n", "__import__('os')", "open('harmed', 'w')", "eval('1')", "exec('')", "getattr(x, 'y')", "f'{x}'",
    "print(x)", "assert x", "raise ValueError", "try:\n        ", "yield h", "async ", "await ", "del h\n", "h += ", "h.add_(x)", "a = b = ",
    "[h for h in xs]", "{'h': h}", "dict(h=h)", "(x, h)", "zip(xs, hs)", "enumerate(xs)", "reversed(range(T))", "len(xs)", "...", "pass\n",
    "a.py:step\n", "n.ipynb:step\n", '{"cells": []}', '"cell_type": "code"', '"source": ["h = x"]', "%%bash\\n", "%time ", "!ls", "?", "\\n",
    "step(x, h, W)", "# remark", '"""doc"""', ": float", " -> Tensor", "match h:\n        case _: ", "type X = int\n", ":=", "\t",
)  # fmt: skip


def fuzz(text: str) -> None:
    asked, _, code = text.partition("\n")
    name, function = split(asked.strip()) or ("a.py", "step")
    file = "n.ipynb" if name.endswith(".ipynb") else "a.py"
    cell = read_file(of_bytes(code.encode("utf-8", "surrogatepass"), file), function)
    if sum(operations(equation.rhs) for equation in cell.equations) > LARGEST:
        return
    choice = crc32(text.encode("utf-8", "replace"))
    written, faults = WRITTEN[choice % len(WRITTEN)]
    assert not (found := faults(written(cell))), (faults.__name__, found[:3])


def _shown(form: str, cell: Cell) -> str:
    """What `derive show` writes."""
    return str(load(form).render(derive(cell)))


def _compared(cell: Cell) -> str:
    """What `derive same` says of how the code was read."""
    return markdown(document(Comparison(cell, cell, {})))


WRITTEN = (
    (partial(_shown, "text"), text_faults),
    (partial(_shown, "latex"), latex_faults),
    (partial(_shown, "markdown"), markdown_faults),
    (_compared, markdown_faults),
)
