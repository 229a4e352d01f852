"""The cell that is read computes what the code computes when it is run: the samples are ours, so here they are run.

Every value that goes in is drawn, rows of a batch of one for the code, columns for the cell.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from derivations.cell import Cell, prev
from derivations.components import defined
from derivations.precise import Precise
from derivations.source import read_source

CODE = Path(__file__).parents[1] / "code"
N, M = 3, 2


@pytest.fixture(scope="module")
def torch_cells(needs):
    """The sample file as a module."""
    needs("torch")
    spec = importlib.util.spec_from_file_location("torch_cells_run", CODE / "torch_cells.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("torch_cells_run", None)


def computed(cell: Cell, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The new states, from values by name: vectors as rows, matrices as the cell has them."""
    columns = {name: (value.reshape(-1, 1) if value.ndim == 1 else value).tolist() for name, value in values.items()}
    sized = {e.target: columns[prev(cell.states[0])] for e in cell.equations}
    found = defined(cell, cell.defined, {**sized, **columns}, Precise())
    return {name: np.array(found[name], dtype=float).reshape(-1) for name in cell.states}


def drawn(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("name", ["gru_before", "swapped", "held"])
def test_rows_times_matrices(torch_cells, name):
    import torch

    cell = read_source(f"{CODE / 'torch_cells.py'}:{name}")
    values = {"x": drawn(1, M), "h_prev": drawn(2, N)}
    for k, parameter in enumerate(cell.parameters, 3):
        shape = cell.shapes[parameter]
        sizes = [{"n": N, "m": M}[letter] for letter in shape]
        values[parameter] = drawn(k, *sizes)
    given = {key.removesuffix("_prev"): torch.tensor(value) for key, value in values.items()}
    given = {key: value.reshape(1, -1) if value.ndim == 1 else value for key, value in given.items()}
    result = getattr(torch_cells, name)(**given)
    assert np.allclose(result.numpy().reshape(-1), computed(cell, values)["h"], rtol=1e-13, atol=1e-13)


def test_packed_weights_are_cut_where_the_code_cuts_them(torch_cells):
    """Against torch's own LSTMCell too: the order of the gates is i, f, g, o."""
    import torch

    cell = read_source(f"{CODE / 'torch_cells.py'}:lstm_cell")
    module = torch.nn.LSTMCell(M, N, dtype=torch.float64)
    x, h, c = drawn(1, M), drawn(2, N), drawn(3, N)
    packed = {
        "w_ih": module.weight_ih.detach().numpy(),
        "w_hh": module.weight_hh.detach().numpy(),
        "b_ih": module.bias_ih.detach().numpy(),
        "b_hh": module.bias_hh.detach().numpy(),
    }
    values = {"input": x, "h_prev": h, "c_prev": c}
    for k, gate in enumerate(("ingate", "forgetgate", "cellgate", "outgate")):
        values |= {f"{name}_{gate}": whole[k * N : (k + 1) * N] for name, whole in packed.items()}
    rows = [torch.tensor(value).reshape(1, -1) for value in (x, h, c)]
    hy, cy = module(rows[0], (rows[1], rows[2]))
    own = torch_cells.lstm_cell(rows[0], (rows[1], rows[2]), **{k: torch.tensor(v) for k, v in packed.items()})
    found = computed(cell, values)
    for state, theirs, ours in (("h", hy, own[0]), ("c", cy, own[1])):
        assert np.allclose(theirs.detach().numpy().reshape(-1), found[state], rtol=1e-13, atol=1e-13)
        assert np.allclose(ours.numpy().reshape(-1), found[state], rtol=1e-13, atol=1e-13)


def test_slices_of_columns_and_a_loop_over_time(torch_cells):
    import torch

    cell = read_source(f"{CODE / 'torch_cells.py'}:OverTime")
    module = torch_cells.OverTime(M, N).double()
    x = drawn(1, M)
    with torch.no_grad():
        _, (h, c) = module(torch.tensor(x).reshape(1, 1, -1), (torch.zeros(1, N).double(), torch.zeros(1, N).double()))
    values = {"x": x, "h_prev": np.zeros(N), "c_prev": np.zeros(N)}
    for k, gate in enumerate(("i_t", "f_t", "g_t", "o_t")):
        here = slice(k * N, (k + 1) * N)
        values[f"W_{gate}"] = module.W.detach().numpy()[:, here]
        values[f"U_{gate}"] = module.U.detach().numpy()[:, here]
        values[f"bias_{gate}"] = module.bias.detach().numpy()[here]
    found = computed(cell, values)
    assert np.allclose(h.numpy().reshape(-1), found["h"], rtol=1e-13, atol=1e-13)
    assert np.allclose(c.numpy().reshape(-1), found["c"], rtol=1e-13, atol=1e-13)


def test_the_check_can_fail(torch_cells):
    """The gates in another order give other numbers."""
    cell = read_source(f"{CODE / 'torch_cells.py'}:swapped")
    values = {"x": drawn(1, M), "h_prev": drawn(2, N)}
    for k, parameter in enumerate(cell.parameters, 3):
        values[parameter] = drawn(k, *[{"n": N, "m": M}[letter] for letter in cell.shapes[parameter]])
    other = read_source(f"{CODE / 'torch_cells.py'}:gru_cell")
    assert other.states == cell.states
    wrong = {**values, "b_r": values["b_z"], "b_z": values["b_r"]}
    assert not np.allclose(computed(cell, values)["h"], computed(cell, wrong)["h"])
