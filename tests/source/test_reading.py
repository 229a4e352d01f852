"""Python code is read as the cell that it computes: equal, by proof, to the catalogue's."""

import json
import subprocess
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

import pytest

from derivations.api import same
from derivations.build import rename
from derivations.catalogue import read_cell
from derivations.correspondence import matched
from derivations.equality import Status
from derivations.plain import code
from derivations.source import read_file, read_source
from derivations.source.text import parsed
from derivations.walkthrough import read_walkthrough

CODE = Path(__file__).parents[1] / "code"
TORCH, NUMPY, NOTEBOOK = CODE / "torch_cells.py", CODE / "numpy_cells.py", CODE / "notebook.ipynb"


def of(text: str, function: str = "step"):
    return read_file(parsed(text, "mine.py"), function)


def equations(cell) -> list[str]:
    return [f"{e.target} = {code(e.rhs)}" for e in cell.written]


def proved(cell: str, source: str) -> None:
    found, under = matched(read_cell(cell), read_source(source))
    assert found
    assert under
    assert under.complete
    assert {proof.status for proof in found.proofs.values()} == {Status.PROVED}


@pytest.mark.parametrize(
    ("cell", "source"),
    [
        ("lstm", f"{TORCH}:lstm_cell"),
        ("gru", f"{TORCH}:gru_cell"),
        ("lstm", f"{TORCH}:Gates"),
        ("lstm", f"{TORCH}:Gates.forward"),
        ("lstm", f"{TORCH}:OverTime"),
        ("lstm", f"{TORCH}:sized"),
        ("rnn", f"{TORCH}:Outer"),
        ("rnn", f"{TORCH}:Inner"),
        ("rnn", f"{NUMPY}:characters"),
        ("rnn", f"{NUMPY}:scanned"),
        ("rnn", f"{NUMPY}:fields"),
        ("rnn", f"{NUMPY}:Keeps"),
        ("lstm", f"{NUMPY}:course"),
        ("lstm", f"{NUMPY}:floats"),
        ("lstm", f"{NOTEBOOK}"),
    ],
)
def test_code_is_the_cell_that_it_computes(cell, source):
    proved(cell, source)


INSTALLED = [
    ("lstm", "flax/linen/recurrent.py", "LSTMCell"),
    ("gru", "flax/linen/recurrent.py", "GRUCell"),
    ("rnn", "flax/linen/recurrent.py", "SimpleCell"),
    ("lstm", "flax/nnx/nn/recurrent.py", "LSTMCell"),
    ("lstm", "flax/nnx/nn/recurrent.py", "OptimizedLSTMCell"),
    ("rnn", "flax/nnx/nn/recurrent.py", "SimpleCell"),
    ("lstm", "equinox/nn/_rnn.py", "LSTMCell"),
    ("gru", "equinox/nn/_rnn.py", "GRUCell"),
    ("lstm", "keras/src/layers/rnn/lstm.py", "LSTMCell"),
    ("gru", "keras/src/layers/rnn/gru.py", "GRUCell"),
    ("rnn", "keras/src/layers/rnn/simple_rnn.py", "SimpleRNNCell"),
]


def installed(file: str) -> Path:
    """A file of a library, which is found without being imported."""
    spec = find_spec(file.partition("/")[0])
    if spec is None or spec.origin is None:
        pytest.skip(f"{file.partition('/')[0]} is not installed")
    return Path(spec.origin).parent.parent / file


@pytest.mark.parametrize(("cell", "file", "name"), INSTALLED)
def test_a_library_as_installed_is_the_catalogues_cell(cell, file, name):
    proved(cell, f"{installed(file)}:{name}")


def test_flax_has_no_bias_within_the_reset():
    """nnx's GRUCell documents b_hn and has none: the difference is named."""
    found, under = matched(read_cell("gru"), read_source(f"{installed('flax/nnx/nn/recurrent.py')}:GRUCell"))
    assert not found
    assert under
    assert under.lone_left == ("b_hn",)
    assert [d.target for d in found.differences] == ["a_n"]
    assert [code(term) for term in found.differences[0].only_left] == ["r*(W_hn @ h_prev + b_hn)"]
    assert [code(term) for term in found.differences[0].only_right] == ["r*(W_hn @ h_prev)"]


def test_flaxs_minimal_gated_unit():
    cell = read_source(f"{installed('flax/linen/recurrent.py')}:MGUCell")
    assert equations(cell) == [
        "f = sigmoid(inputs @ if_kernel + if_bias + h_prev @ hf_kernel)",
        "x = (h_prev @ hn_kernel + hn_bias)*f",
        "n = tanh(inputs @ in_kernel + in_bias + x)",
        "h = (1 - f)*n + f*h_prev",
    ]


# --- the notebook -------------------------------------------------------------------------------------------------


def test_the_notebooks_loop_is_read_as_it_stands():
    """Its gate functions are called by position, its output gate reads the global ct_prev."""
    cell = read_source(str(NOTEBOOK))
    assert equations(cell) == [
        "f = sigmoid(x @ W_xh + h_prev @ W_hf + b_f)",
        "i = sigmoid(x @ W_xi + h_prev @ W_hi + b_i)",
        "c_tilde = tanh(x @ W_xc + h_prev @ W_hc + b_c)",
        "c = c_prev*f + i*c_tilde",
        "o = sigmoid(x @ W_ho + h_prev @ W_hh + b_o)",
        "h = o*tanh(c)",
    ]
    assert (cell.inputs, set(cell.states)) == (("x",), {"h", "c"})


def test_what_was_decided_is_said_where_cells_are_compared():
    text = str(same("lstm", f"{TORCH}:Gates"))
    assert "How Gates was read" in text
    assert "`state is None` is taken as false" in text


def test_the_code_reader_is_loaded_when_code_is_read():
    """Not for a cell of the catalogue."""
    text = "import sys; from derivations.catalogue import read_cell; read_cell('lstm'); "
    text += "assert not any(name.startswith('derivations.source') for name in sys.modules)"
    run = [sys.executable, "-c", text]
    assert subprocess.run(run, cwd=CODE.parents[1], capture_output=True, check=False).returncode == 0
    run[2] = text.replace("'lstm'", repr(f"{TORCH}:gru_cell"))
    assert subprocess.run(run, cwd=CODE.parents[1], capture_output=True, check=False).returncode == 1


def test_the_notebook_is_the_walkthroughs_cell_under_its_names():
    """Name by name: the row x_t times W is W.T times the column, so the matrices are each other's transposes."""
    base = read_cell("lstm")
    ours = rename(base, read_walkthrough("notebook").names)
    found, under = matched(ours, read_source(str(NOTEBOOK)))
    assert found
    assert all(found.proofs.values())
    assert under
    assert all(mine == theirs for mine, theirs in under.names.items())
    assert under.transposed == {name for name in ours.parameters if name.startswith("W")}


@pytest.mark.parametrize("function", ["forget_gate", "output_gate", "input_gate"])
def test_a_gate_alone_is_no_step(function):
    with pytest.raises(ValueError, match=r"notebook\.ipynb, cell \d+: line .*(returns its new state|is no new state)"):
        read_source(f"{NOTEBOOK}:{function}")


# --- what stands in the cell --------------------------------------------------------------------------------------


def test_local_names_are_kept_and_packed_weights_named_by_their_gates():
    cell = read_source(f"{TORCH}:lstm_cell")
    assert equations(cell)[0] == (
        "ingate = sigmoid(input @ w_ih_ingate.T + b_ih_ingate + (h_prev @ w_hh_ingate.T + b_hh_ingate))"
    )
    assert [e.target for e in cell.written] == ["ingate", "forgetgate", "cellgate", "outgate", "c", "h"]
    assert "w_ih is packed: w_ih_ingate (part 1 of 4), w_ih_forgetgate (part 2 of 4)" in cell.comment
    assert "h_prev is hx[0] in the code, h is hy." in cell.comment


def test_what_is_held_constant_is_detached():
    assert equations(read_source(f"{TORCH}:held")) == [
        "k = detach(2*h_prev)",
        "h = tanh(x @ W + k @ U + detach(h_prev))",
    ]


def test_a_value_returned_besides_the_states_is_a_readout():
    cell = read_source(f"{TORCH}:Outer")
    assert cell.readouts == ("y",)
    assert equations(cell)[-1] == "y = out_weight @ h + out_bias"
    assert "cell_i_weight" in cell.parameters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def step(x, h, W):\n return F.hardsigmoid(x @ W) * h", ["h = hard_sigmoid(x @ W)*h_prev"]),
        ("def step(x, h, W):\n return (x @ W).relu() - h.clamp(0, 1)", ["h = relu(x @ W) - clip(h_prev, 0, 1)"]),
        ("def step(x, h, W):\n return np.maximum(W @ x, h) / 2", ["h = max(W @ x, h_prev)/2"]),
        ("def step(x, h, W):\n return jnp.where(h > 0, h, 0) + W @ x", ["h = relu(h_prev) + W @ x"]),
        ("def step(x, h, W):\n return torch.addmm(h, x, W)**2", ["h = (h_prev + x @ W)**2"]),
        ("def step(x, h, W):\n a, b = (W @ x).chunk(2)\n return a * h + b", ["h = (W_a @ x)*h_prev + W_b @ x"]),
        ("EPS = 0.1\ndef step(x, h):\n return x * EPS + h", ["h = x*0.1 + h_prev"]),
        ("def step(x, h, beta=0.5):\n h = beta * h + x\n return h", ["h = 0.5*h_prev + x"]),
        ("def step(x, h, lam, W):\n return lam * h + W @ x", ["h = lam*h_prev + W @ x"]),
        ("def step(x, h, λ):\n return λ * h + x", ["h = lamda*h_prev + x"]),
        ("def step(x, h, lambda_, W__a):\n return lambda_ * h + W__a @ x", ["h = lambda_v*h_prev + W_a @ x"]),
        # the adjoint of h_out would read as what the loss sends to h
        (
            "def step(x, h, U):\n h_out = tanh(U @ h + x)\n h_next = h_out * 2\n return h_next",
            ["h_out_v = tanh(U @ h_prev + x)", "h = h_out_v*2"],
        ),
        ("def step(x, h, W, b):\n out = W @ x\n out += b\n out *= h\n return out", ["h = (W @ x + b)*h_prev"]),
        ("from jax.nn import sigmoid as s\ndef step(x, h):\n return s(x) * h", ["h = sigmoid(x)*h_prev"]),
        ("def step(x, h):\n for _ in range(2):\n  h = h + x\n return h", ["h = h_prev + x + x"]),
        ("def step(x, h, W):\n return tanh(W @ x) * h", ["h = tanh(W @ x)*h_prev"]),
        ("def step(x, hs):\n return [h + x for h in [hs]][0]", ["h = h_prev + x"]),
        (
            "def step(x, h, W):\n d = dict(a=W @ x)\n d['b'] = d['a'] * 2\n return d['b'] + h",
            ["h = (W @ x)*2 + h_prev"],
        ),
        ("def step(x, h):\n m = jnp.mean(x, axis=-1)\n return h * m", ["m = mean(x)", "h = h_prev*m"]),
        ("def step(x, h):\n return torch.softmax(h, -1) + x", ["h = exp(h_prev - logsumexp(h_prev)) + x"]),
    ],
)
def test_spellings(text, expected):
    assert equations(of(text)) == expected


def test_a_number_in_a_list_is_itself():
    assert equations(of("for x in X:\n  u = torch.tensor([float(x)])\n  h = h * 2 + u", "")) == ["h = h_prev*2 + x"]


def test_the_last_of_two_definitions_is_read_and_that_is_said():
    cell = of("def step(x, h):\n return x\ndef step(x, h):\n return x + h")
    assert equations(cell) == ["h = x + h_prev"]
    assert "Of the definitions of step the last is read." in cell.comment


def test_two_submodules_of_one_class_have_weights_of_their_own():
    text = """
class Part:
    def __init__(self, m, n):
        self.lin = nn.Linear(m, n)
    def forward(self, x):
        return self.lin(x)
class Cell:
    def __init__(self, m, n):
        self.a = Part(m, n)
        self.b = Part(m, n)
    def forward(self, x, h):
        return torch.sigmoid(self.a(x)) * h + self.b(x)
"""
    assert of(text, "Cell").parameters == ("a_lin_weight", "a_lin_bias", "b_lin_weight", "b_lin_bias")


def test_magics_are_skipped_and_errors_count_from_their_cell(tmp_path):
    cells = ["%matplotlib inline\n!ls\nimport torch", "def step(x, h):\n    %time\n    return x + open(h)"]
    file = tmp_path / "a.ipynb"
    file.write_text(json.dumps({"cells": [{"cell_type": "code", "source": text} for text in cells]}))
    with pytest.raises(ValueError, match=r"a\.ipynb, cell 2: line 3, column 16: open\(\.\.\.\) would run"):
        read_source(f"{file}:step")


def test_reading_imports_nothing_of_what_it_reads():
    assert PathFinder.find_spec("numpy_cells", [str(CODE)]) is not None  # it could be imported
    read_source(f"{NUMPY}:floats")
    assert "numpy_cells" not in sys.modules
