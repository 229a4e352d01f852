"""What is written of a cell that was accepted, with whatever its titles, labels and remarks hold, in every format."""

import json
from zlib import crc32

from derivations.cell import CellError
from derivations.derive import derive
from derivations.expression import operations
from derivations.formats import load
from derivations.language import read
from tests.fuzz import fuzz_language
from tests.fuzz.inert import latex_faults, markdown_faults, text_faults
from tests.samples import cell_text

COMPLAINTS = CellError
LARGEST = 120  # operations; larger cells differ in nothing but the time they take
FAULTS = {"text": text_faults, "latex": latex_faults, "markdown": markdown_faults}

SEEDS = [
    '# A remark: of "someone" (1990), <b>.\ncell a "A title"\ninput x\nstate h\nhidden state:  h = tanh(W_xh @ x + b)',
    '# A remark.\ncell a "A title"\ninput x\nstate h\nthe (first): f = W @ x * 0.5\nthe second, a-b: h = f * h_prev - x / 3',
    'cell a "A title"\ninput x\nstate h, c\na/b: c = relu(x) + abs(c_prev)\nh = max(c, x) - 2**2 * clip(x, 0, 1)',
    'cell a "T"\ninput x\ntarget z\nstate h\nh = x + h_prev\nreadout\n  r: y = V @ h\nloss\n  s: L = sum((y - z)**2)',
    'cell a "T"\ninput x\nstate h\nh = W @ [h_prev; x] + outer(x, x) @ x + detach(x)',
    cell_text("c_tilde = theta_f * x\nh = -c_tilde @ c_tilde + h_prev"),
    *(seed for seed in fuzz_language.SEEDS if len(seed) < 300),
]
WORDS = fuzz_language.WORDS


def fuzz(text: str) -> None:
    cell = read(text)
    if sum(operations(equation.rhs) for equation in cell.equations) > LARGEST:
        return
    derivation = derive(cell)
    choice = crc32(text.encode("utf-8", "replace"))
    options = {
        "view": ("scalar", "vector")[choice % 2],
        "notation": ("leibniz", "bar", "delta")[choice // 2 % 3],
        "fragment": choice // 6 % 4 == 0,
    }
    for name, faults in FAULTS.items():
        written = load(name).render(derivation, **options)
        assert not (found := faults(written)), (name, found[:3])
    record = json.loads(load("json").render(derivation, **options))
    assert record["title"] == cell.title
