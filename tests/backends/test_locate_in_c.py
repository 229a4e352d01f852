"""`derive locate` on an LSTM written by hand in C, right and with every mistake that it can be told to make."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.golden.layout import Kind, layout
from tests.filled import hard, inputs
from tests.located import GATES, LSTM, assert_right, look


@pytest.fixture(scope="module")
def compiled(needs_tool, tmp_path_factory):
    """`compiled(dtype)` is the program in that precision."""
    compiler, folder = needs_tool("gcc"), tmp_path_factory.mktemp("lstm")

    @cache
    def program(dtype: str) -> Path:
        path = folder / dtype
        kind = {"float64": "double", "float32": "float"}[dtype]
        source = Path(__file__).with_name("lstm.c")
        line = [compiler, "-O3", "-Wall", "-Wextra", "-Werror", f"-DREAL={kind}", "-o", path, source, "-lm"]
        subprocess.run(line, check=True)
        return path

    return program


@cache
def written(folder: Path) -> tuple[Path, dict[str, int], dict[str, Any]]:
    """The golden inputs, as the C program reads them."""
    _, point, sizes = hard(LSTM.cell)
    given = inputs(point)
    order = [name for k in GATES for name in (f"W_x{k}", f"W_h{k}", f"b_{k}")]
    order += ["x", "h_0", "c_0", "dh_out", "dh_final", "dc_final"]
    lines = [" ".join(["sizes", *(str(sizes[letter]) for letter in "TBnm")])]
    lines += [" ".join([key, *(float(v).hex() for v in given[key].ravel())]) for key in order]
    path = folder / "inputs.txt"
    path.write_text("\n".join(lines) + "\n")
    return path, sizes, given


@pytest.fixture
def in_c(compiled, tmp_path_factory):
    """`in_c(mistake, dtype)` is a dump of the C program's numbers."""
    path, sizes, given = written(tmp_path_factory.getbasetemp())
    entries = layout(LSTM.cell)

    def run(mistake: int = 0, dtype: str = "float64") -> dict[str, Any]:
        said = subprocess.run([compiled(dtype), path, str(mistake)], capture_output=True, text=True, check=True)
        dump = {key: array.astype(dtype) for key, array in given.items()}
        for line in said.stdout.splitlines():
            key, *numbers = line.split()
            dump[key] = np.array([float(v) for v in numbers], dtype).reshape(entries[key].shape(sizes))
        return dump

    return run


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_lstm_in_c_is_right(in_c, dtype):
    assert assert_right(in_c(0, dtype), dtype=dtype).through  # it has no preactivations


# What MISTAKE is in lstm.c: the quantity at which it must be found, the step, and the mistake in words.
MISTAKES = {
    1: ("dh", 4, "dh: what comes back from step t+1 is missing"),
    2: ("dh", 4, "dh: the sign of the term through loss is flipped"),
    3: ("dc", 4, "dc: 1 - c**2 for 1 - tanh(c)**2"),
    4: ("dc", 4, "dc: the factor o is missing"),
    5: ("dc", 4, "dc: what comes back from step t+1 is missing"),
    6: ("dc", 4, "dc: the path c -> h is missing"),
    7: ("do", 4, "do: the factor tanh(c) is missing"),
    8: ("da_o", 4, "da_o: sigmoid' at o, not at its argument"),
    9: ("da_o", 4, "da_o: f where o is due"),
    10: ("dg", 4, "dg: g where i is due"),
    11: ("da_g", 4, "da_g: tanh' at g, not at its argument"),
    12: ("da_g", 4, "da_g: 1 - g for 1 - g**2"),
    13: ("di", 4, "di: the factor g is missing"),
    14: ("di", 4, "di: o where g is due"),
    15: ("da_i", 4, "da_i: i**2 for i*(1 - i)"),
    16: ("da_i", 4, "da_i: the factor (1 - i) is missing"),
    17: ("df", 4, "df: c of this step where c_prev is due"),
    18: ("da_f", 4, "da_f: f*(1 + f) for f*(1 - f)"),
    19: ("da_f", 4, "da_f: (1 - f)**2 for f*(1 - f)"),
    20: ("da_f", 4, "da_f: di where df is due"),
    21: ("dh_prev", 4, "dh_prev: the path h_prev -> a_f is missing"),
    22: ("dh_prev", 4, "dh_prev: W_hg must be transposed"),
    23: ("dh_prev", 4, "dh_prev: the sign of the term through a_o is flipped"),
    24: ("dc_prev", 4, "dc_prev: the path c_prev -> c is missing"),
    25: ("dc_prev", 4, "dc_prev: i where f is due"),
    26: ("dx", 4, "dx: W_xi where W_xf is due"),
    27: ("dx", 4, "dx: the path x -> a_g is missing"),
    28: ("dh_next", 3, "dh_next: the carry from step t+1 is not carried"),
    29: ("dc_next", 3, "dc_next: the carry from step t+1 is not carried"),
    30: ("dh_next", 4, "dh at t = T: the cotangent of the final state is ignored"),
    31: ("dc_next", 4, "dc at t = T: the cotangent of the final state is ignored"),
    32: ("grad_h_0", None, "dh_0: the gradient of the initial state is returned as zero"),
    33: ("grad_c_0", None, "dc_0: the adjoint of c_1 where that of c_0 is due"),
    34: ("grad_W_xf", None, "dW_xf: the sum over time is overwritten at each step where it must accumulate"),
    35: ("grad_W_hi", None, "dW_hi: the sum over time leaves out the first step"),
    36: ("grad_b_g", None, "db_g: the sum over time leaves out the last step"),
    37: ("grad_b_o", None, "db_o: divided by the batch size (a mean where the sum is due)"),
    38: ("grad_b_i", None, "db_i: the gradient of b_g is returned"),
    39: ("grad_W_hf", None, "dW_hf: the outer product is the wrong way round"),
    40: ("grad_W_hg", None, "dW_hg: h of this step where h_prev is due"),
    41: ("grad_W_hf", None, "h_1 where h_0 is due at the first step"),
    42: ("dh_next", 3, "the carry is cut at every step (truncated backpropagation"),
    43: ("dh_next", 2, "the carry is cut at every second step (truncated backpropagation"),
    44: ("grad_W_xf", None, "the gradients of all parameters are divided by the batch size"),
    45: ("grad_W_xf", None, "the gradients of all parameters have the wrong sign"),
    46: ("da_i", 4, "da_i: off by a factor 1 + 1e-10"),
    47: ("da_f", 4, "da_f: off by a factor 1 + 1e-6"),
    48: ("dx", 4, "dx: off by a factor 1 + 1e-10"),
    49: ("grad_b_f", None, "db_f: off by a factor 1 + 1e-10"),
    50: ("grad_W_xi", None, "dW_xi and dW_xg are swapped"),
    51: ("dc_next", 3, "dc_next: the sign of the carry is flipped"),
    52: ("dc", 4, "dc: the sign of the whole sum is flipped"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_c_is_found_where_it_is_and_named(in_c, mistake):
    key, step, words = MISTAKES[mistake]
    found = look(in_c(mistake))
    first = found.broken[0]
    assert (first.key, first.step) == (key, step)
    assert any(said.startswith(words) for said in first.mistakes), (first.mistakes, first.hint)
    assert len(first.mistakes) == 1, first.mistakes  # and nothing else gives these numbers


FEW = ("h", "c", "dx", "grad_h_0", "grad_c_0", *(f"grad_{name}" for name in LSTM.cell.parameters))


@pytest.mark.parametrize(
    ("mistake", "key", "step"),
    [(3, "dx", 4), (17, "dx", 4), (28, "dx", 3), (31, "dx", 4), (34, "grad_W_xf", None), (40, "grad_W_hg", None)],
)
def test_of_few_numbers_the_mistake_is_found_all_the_same(in_c, mistake, key, step):
    """States and gradients only, as a kernel gives them: the mistake lies in what is not in the dump."""
    whole = in_c(mistake)
    given = [name for name, entry in layout(LSTM.cell).items() if entry.kind is Kind.GIVEN]
    first = look({name: whole[name] for name in (*given, *FEW)}).broken[0]
    assert (first.key, first.step) == (key, step)
    assert any(said.startswith(MISTAKES[mistake][2]) for said in first.mistakes), (first.mistakes, first.hint)
    assert first.through


def test_a_mistake_in_single_precision_is_found(in_c):
    first = look(in_c(17, "float32"), dtype="float32").broken[0]
    assert (first.key, first.step, first.mistakes) == ("df", 4, (MISTAKES[17][2],))
