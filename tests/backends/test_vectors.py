"""Golden numbers: correctly rounded, bounded, the same bytes on every run, and readable without us."""

import ast
import hashlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
from fractions import Fraction
from pathlib import Path

import flint
import mpmath
import numpy as np
import pytest
from typer.testing import CliRunner

from backends.backend import get
from backends.balls import Undecided, precision, radius, smallest
from backends.check import Verdict, judge
from backends.dtypes import ANY, ERRORS, WORSE, error_of, format_of
from backends.golden import vectors as module
from backends.golden.layout import Kind, layout
from backends.golden.named_points import asked, drawn, parsed
from backends.golden.values import nearest
from backends.golden.vectors import as_json, as_npz, record, vectors
from backends.points import rounded
from backends.truth import truth
from derivations import api
from derivations.__main__ import app
from derivations.canonical import same_equations
from derivations.catalogue import cell_names, read_cell
from derivations.cell import CellError
from derivations.derive import derive
from derivations.language import read
from derivations.output import ours
from derivations.program import backward_program
from tests.samples import EVERYTHING, cell_text

ROOT = Path(__file__).parents[2]
LSTM = derive(read_cell("lstm"))


def loaded(found) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(as_npz(found)), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


# --- the numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=pytest.mark.long)])
@pytest.mark.parametrize("name", [*cell_names(), "everything"])
def test_numbers_and_bounds_are_those_of_truth(name, dtype):
    cell = read(EVERYTHING) if name == "everything" else read_cell(name)
    derivation = derive(cell)
    (point,) = vectors(derivation, points=1, dtype=dtype).points
    known = truth(backward_program(derivation), drawn(cell, parsed(cell, point.name)), dtype, ANY)
    values = {name: known.value(name) for name in (*cell.defined, *cell.previous)}
    adjoints = {f"d{name}": known.adjoint(name) for name in (*cell.defined, *cell.previous, *cell.inputs)}
    gradients = {f"grad_{name}": known.gradients[name] for name in (*cell.parameters, *(f"{s}_0" for s in cell.states))}
    assert {*values, *adjoints, *gradients} < {*point.right}
    for key, true in {**values, **adjoints, **gradients}.items():
        got, sharp = (
            point.right[key],
            radius(true.value) <= 2.0**-70 * smallest(true.value),
        )  # there asked of gradients only
        assert np.array_equal(got[sharp], true.format.nearest(true.nearest)[sharp]), key  # no number lies near a tie
        bounded = (true.bound > 0) & np.isfinite(true.bound) & sharp
        ratio = point.bound[key][bounded] / true.bound[bounded]
        assert (ratio >= 1).all()
        assert (ratio < 2.001).all(), key  # at most one rounding more: that of the number itself
        assert np.isinf(point.bound[key][np.isinf(true.bound) & sharp]).all()
        assert (point.bound[key][true.bound == 0] <= true.format.unit * np.abs(got[true.bound == 0])).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["numpy", "torch", "jax"])
def test_backends_lie_within_the_bounds(needs, name, dtype):
    needs(name)
    program, worst = backward_program(LSTM), 0.0
    for point in vectors(LSTM, dtype=dtype).points:
        at = rounded(drawn(LSTM.cell, parsed(LSTM.cell, point.name)), dtype)
        found = get(name).forward(LSTM.cell, at, dtype) | get(name).adjoints(program, at, dtype)
        gradients = get(name).gradients(program, at, dtype)
        found |= {f"grad_{key}": gradients[key] for key in (*LSTM.cell.parameters, "h_0", "c_0")}
        for key, got in found.items():
            off = np.abs(np.asarray(got, np.float64) - point.right[key])
            assert (off <= point.bound[key]).all(), key
            worst = max(worst, float((off / point.bound[key]).max()))
    assert 0.02 < worst <= 1


def test_a_factor_of_a_ten_billionth_lies_beyond_the_bounds():
    for point in vectors(LSTM).points:
        for key, right in point.right.items():
            off = np.abs(right * (1 + 1e-10) - right)
            assert (off > point.bound[key]).any() or not right.any(), key


def test_shapes_are_those_of_the_layout():
    found = vectors(LSTM, points=1, steps=2, batch=1, sizes={"n": 3, "m": 4})
    (point,) = found.points
    for key, entry in layout(LSTM.cell).items():
        arrays = point.given if entry.kind is Kind.GIVEN else point.right
        assert arrays[key].shape == entry.shape({"T": 2, "B": 1, "n": 3, "m": 4}), key
    assert point.right["dW_xf"].shape == (2, 3, 4)
    assert np.array_equal(point.right["dh_next"][-1], point.given["dh_final"])
    assert np.array_equal(point.right["h_prev"], np.stack([point.given["h_0"], point.right["h"][0]]))
    assert np.array_equal(point.right["grad_c_0"], point.right["dc_prev"][0])


def test_a_walkthrough_is_a_point():
    shown = api.vectors("lstm", at="notebook", points=2)
    first, second = shown["points"]
    assert (first["point"], first["sizes"]) == ("at=notebook seed=1", {"n": 1, "m": 1, "p": 1, "T": 4, "B": 1})
    assert f"{first['right']['f'][1][0][0]:.4e}" == "3.1800e-22"  # as its source printed
    assert second["point"] == "seed=1 T=4 B=3 n=1 m=1 p=1"
    assert "c_tilde" in first["right"]
    with pytest.raises(CellError, match="the walkthrough notebook is of the cell lstm; gru as it is given is another"):
        api.vectors("gru", at="notebook")


# --- correct rounding ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "dtype", "due"),
    [
        (Fraction(1, 3), "float64", 1 / 3),
        (Fraction(1, 3), "float32", float(np.float32(1 / 3))),
        (1 + Fraction(1, 2**53), "float64", 1.0),  # a tie goes to even
        (1 + Fraction(3, 2**53), "float64", 1 + 2.0**-51),
        (-1 - Fraction(1, 2**24), "float32", -1.0),
        (1 + Fraction(1, 2**24) + Fraction(1, 2**60), "float32", 1 + 2.0**-23),  # by way of float64, it would be 1
        (Fraction(3, 2**1075), "float64", 1e-323),  # a tie among subnormal numbers
        (Fraction(1, 2**1076), "float64", 0.0),
        (Fraction(2) ** 1024, "float64", float("inf")),
        (-(Fraction(2) ** 128), "float32", float("-inf")),
        (Fraction(2) ** 128 - Fraction(2) ** 104, "float32", float(np.finfo("float32").max)),
        (Fraction(0), "float64", 0.0),
    ],
)
def test_a_number_is_rounded_once_to_the_nearest(value, dtype, due):
    with precision(3000):
        ball = flint.arb(flint.fmpq(value.numerator, value.denominator))
        assert nearest(ball, format_of(dtype)) == due


def test_what_the_ball_does_not_decide_is_not_rounded():
    with precision(200):
        assert nearest(flint.arb(1, 2.0**-60), format_of("float64")) == 1
        for ball in (flint.arb(1, 2.0**-60) + flint.arb(2) ** -53, flint.arb("nan")):
            with pytest.raises(Undecided):
                nearest(ball, format_of("float64"))
        beyond = flint.arb(50).exp().exp()  # no fraction has so many digits
        assert [nearest(x, format_of("float64")) for x in (beyond, -beyond, 1 / beyond)] == [np.inf, -np.inf, 0.0]


def test_numbers_agree_with_another_arithmetic_of_many_digits():
    """A scalar Elman network over two steps, written out with mpmath."""
    (point,) = vectors(derive(read_cell("rnn")), points=1, steps=2, batch=1, scalar=True).points
    with mpmath.workdps(60):
        g = {key: [mpmath.mpf(float(x)) for x in array.ravel()] for key, array in point.given.items()}
        h1 = mpmath.tanh(g["W_xh"][0] * g["x"][0] + g["W_hh"][0] * g["h_0"][0] + g["b_h"][0])
        h2 = mpmath.tanh(g["W_xh"][0] * g["x"][1] + g["W_hh"][0] * h1 + g["b_h"][0])
        da2 = (g["dh_out"][1] + g["dh_final"][0]) * (1 - h2**2)
        da1 = (g["dh_out"][0] + g["W_hh"][0] * da2) * (1 - h1**2)
        assert float(h2) == point.right["h"][1, 0, 0]
        assert float(da1 * g["h_0"][0] + da2 * h1) == point.right["grad_W_hh"][0, 0]


def test_of_a_backend_of_which_nothing_is_known_the_worst_is_held_possible():
    for dtype in ("float64", "float32"):
        for function in ERRORS:
            known = [k for (_, d, f), k in WORSE.items() if (d, f) == (dtype, function)]
            assert error_of(function, dtype, ANY) == max([ERRORS[function], *known])
    assert error_of("relu", "float64", ANY) is None


def test_a_point_on_a_kink_is_passed_over(monkeypatch):
    calls = []

    def first_fails(*args):
        calls.append(args[1].name)
        if len(calls) == 1:
            raise ArithmeticError("on a kink")
        return golden(*args)

    golden = module.golden
    monkeypatch.setattr(module, "golden", first_fails)
    found = vectors(derive(read_cell("rnn")), points=2)
    assert [point.name[:6] for point in found.points] == ["seed=2", "seed=3"]
    monkeypatch.setattr(module, "golden", lambda *args: (_ for _ in ()).throw(ArithmeticError("a pole")))
    with pytest.raises(ArithmeticError, match="a pole"):
        vectors(derive(read_cell("rnn")), points=1)


def test_what_overflows_is_null_and_noted():
    derivation = derive(read(cell_text("h = exp(exp(W * x)) * h_prev", "input x\nstate h\nscalar W, x")))
    found = vectors(derivation, points=1, sizes={}, seed=7, dtype="float32")
    clean = json.loads(as_json(found))
    assert found.notes == tuple(clean["notes"])
    if found.notes:
        assert "null" in as_json(found).decode()
    assert all(np.isfinite(x) or x is None for x in np.ravel(np.array(clean["points"][0]["right"]["h"], dtype=float)))


# --- the files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_npz_and_json_hold_the_same(dtype):
    found = vectors(LSTM, points=2, dtype=dtype)
    arrays, data = loaded(found), json.loads(as_json(found))
    assert all(array.dtype.kind in "fSi" for array in arrays.values())
    for number, point in enumerate(data["points"], 1):
        assert arrays[f"{number}/about/point"].item().decode() == point["point"]
        for key, value in (*point["given"].items(), *point["right"].items()):
            assert arrays[f"{number}/{key}"].dtype == dtype
            assert np.array_equal(arrays[f"{number}/{key}"], np.array(value)), key
        for key, value in point["bound"].items():
            assert arrays[f"{number}/bound/{key}"].dtype == "float64"
            assert np.array_equal(arrays[f"{number}/bound/{key}"], np.array(value)), key
    for word in ("schema", "cell", "text", "dtype", "check"):
        assert arrays[f"about/{word}"].item().decode() == data[word]
    assert arrays["about/unit"] == data["metric"]["unit"] == format_of(dtype).unit
    assert same_equations(read(data["text"]), LSTM.cell)
    assert data == json.loads(json.dumps(record(found)))


def test_json_numbers_are_the_shortest_that_read_back():
    text = as_json(vectors(derive(read_cell("rnn")), points=1)).decode()
    numbers = [word for word in text.replace("[", ",").replace("]", ",").split(",") if word[:1].isdigit()]
    assert len(numbers) > 200
    assert all(len(repr(float(word))) >= len(word) for word in numbers)


def test_a_program_without_numpy_reads_a_file():
    """The .npy header and the numbers, as a C programmer would: an unzipped file, and its length from the header."""
    found = vectors(LSTM, points=1)
    with zipfile.ZipFile(io.BytesIO(as_npz(found))) as file:
        assert file.testzip() is None
        assert all(info.compress_type == zipfile.ZIP_STORED for info in file.infolist())
        data = file.read("1/grad_W_xf.npy")
        text = file.read("about/text.npy")
    (length,) = struct.unpack("<H", data[8:10])
    header = ast.literal_eval(data[10 : 10 + length].decode())
    assert header == {"descr": "<f8", "fortran_order": False, "shape": (2, 5)}
    numbers = struct.unpack("<10d", data[10 + length :])
    assert list(numbers) == found.points[0].right["grad_W_xf"].ravel().tolist()
    assert text[10 + struct.unpack("<H", text[8:10])[0] :].startswith(b'cell lstm "Long short-term memory"\n')


@pytest.mark.parametrize("seeds", [("1",), pytest.param(("0", "2", "4242"), marks=pytest.mark.long)])
def test_the_bytes_are_the_same_on_every_run_and_under_every_hash_seed(seeds):
    program = (
        "import sys, hashlib; from derivations.derive import derive; from derivations.catalogue import read_cell;"
        "from backends.golden.vectors import *; found = vectors(derive(read_cell('rnn')), points=1);"
        "print(hashlib.sha256(as_npz(found) + as_json(found)).hexdigest())"
    )
    found = vectors(derive(read_cell("rnn")), points=1)
    here = hashlib.sha256(as_npz(found) + as_json(found)).hexdigest()
    for seed in seeds:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"}
        run = [sys.executable, "-c", program]
        answer = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert answer.stdout.strip() == here


# --- the command --------------------------------------------------------------------------------------------------------


def run(*args: str):
    return CliRunner().invoke(app, ["vectors", *args])


@pytest.mark.parametrize("name", ["x.npz", "x.json"])
def test_a_file_is_written_over_if_it_is_ours_and_not_if_it_is_not(tmp_path, name):
    path = tmp_path / name
    answer = run("rnn", "-o", str(path), "--points", "1")
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert ours(path)
    first = path.read_bytes()
    assert run("rnn", "-o", str(path), "--points", "1", "--seed", "2").exit_code == 0
    assert path.read_bytes() != first
    if name == "x.npz":
        np.savez(path, h=np.zeros(1))
    else:
        path.write_text('{"h": [0]}')
    theirs = path.read_bytes()
    answer = run("rnn", "-o", str(path))
    assert answer.exit_code == 2
    assert "was not written by this tool" in answer.stderr
    assert path.read_bytes() == theirs
    assert run("rnn", "-o", str(path), "--points", "1", "--force").exit_code == 0
    assert ours(path)


def test_json_goes_to_stdout_and_npz_does_not():
    answer = run("rnn", "--points", "1", "--scalar", "--steps", "2", "--batch", "1", "--dtype", "float32")
    data = json.loads(answer.stdout)
    assert (data["schema"], data["cell"], data["dtype"]) == ("derivations/vectors/1", "rnn", "float32")
    assert data["points"][0]["point"] == "seed=1 T=2 B=1 n=1 m=1"
    answer = run("rnn", "--format", "npz")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "name a file, as in -o numbers.npz" in answer.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--sizes", "n=3,k=2"), "rnn has no size 'k'; it has n, m"),
        (("--sizes", "n=3,n=2"), "write n=3,m=2, each letter once"),
        (("--sizes", "n"), "write n=3,m=2, each letter once"),
        (("--sizes", "n=-3"), "write n=3,m=2, each letter once"),
        (("--sizes", "n=0"), "n = 0 is out of range; it goes from 1 to 512"),
        (("--sizes", "n=3", "--scalar"), "in the scalar view every size is 1"),
        (("--steps", "201"), "T = 201 is out of range; it goes from 1 to 200"),
        (("--steps", "200", "--batch", "200", "--sizes", "n=512"), "numbers is too large; 500,000 is the most"),
        (("--seed", str(2**63)), "is out of range"),
        (("--at", "none"), "there is no walkthrough 'none'"),
        (("-o", "x.txt"), "golden numbers are written as .npz or .json"),
        (("-o", "missing/x.npz", "--points", "1"), "No such file or directory"),
    ],
)
def test_wrong_usage_is_said(tmp_path, monkeypatch, args, message):
    monkeypatch.chdir(tmp_path)
    answer = run("rnn", *args)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert message in answer.stderr
    assert not list(tmp_path.iterdir())


def test_a_cell_whose_names_would_clash_in_a_file_is_refused():
    cell = read(cell_text("h = grad_W * x + W * h_prev", "input x\nstate h\nscalar x, h"))
    with pytest.raises(CellError, match=r"grad_W would be both the parameter grad_W and the gradient of W in a file"):
        layout(cell)


def test_names_of_points_read_back():
    for which in (asked(LSTM.cell, 3, 5, 2, {"n": 4}, False), asked(LSTM.cell, 3, 5, 2, {}, True)):
        assert parsed(LSTM.cell, str(which)) == which


def test_judging_golden_numbers_by_the_metric_says_pass():
    """The file's numbers, held against the truth as any backend's: right, but where a point says nothing."""
    (point,) = vectors(LSTM, points=1).points
    known = truth(backward_program(LSTM), drawn(LSTM.cell, parsed(LSTM.cell, point.name)), "float64", ANY)
    checks = [judge(key, point.right[f"grad_{key}"], known.gradients[key], "golden") for key in LSTM.cell.parameters]
    assert {check.verdict for check in checks} <= {Verdict.PASS, Verdict.NO_INFORMATION}
    assert max(check.error for check in checks) < 0.5


def test_the_page_on_golden_numbers_names_what_is_there(tmp_path):
    page = (ROOT / "docs" / "vectors.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(named) > 20
    assert named <= {*layout(LSTM.cell)}
    golden = loaded(vectors(LSTM, points=1))
    point = re.search(r'"about/point": "([^"]*)"', page)
    assert point
    assert golden["1/about/point"].item().decode() == point[1]
    f = golden["1/f"]
    (checked,) = re.findall(r"^assert (\(abs.*)$", page, re.MULTILINE)
    assert checked == '(abs(f - golden["1/f"]) <= golden["1/bound/f"]).all()'
    assert (abs(f - golden["1/f"]) <= golden["1/bound/f"]).all()
