"""Files of numbers from anywhere: what is read, and one clear sentence for everything that is not."""

import io
import json
import pickle
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from backends.golden.dumped import ready
from backends.golden.dumps import MOST_BYTES, DumpError, dump_of, read_dump
from backends.golden.layout import layout
from backends.golden.precision import choose
from derivations.__main__ import app
from derivations.catalogue import read_cell
from derivations.derive import derive
from derivations.program import backward_program
from tests.filled import filled, hard
from tests.patience import in_time

RNN = read_cell("rnn")


@pytest.fixture(scope="module")
def right() -> dict[str, Any]:
    _, point, sizes = hard(RNN)
    return filled(backward_program(derive(RNN)), point, sizes)


def saved(path: Path, arrays: dict[str, Any], **options: Any) -> Path:
    np.savez(path, **arrays, **options)
    return path


def refused(path: Path, *args: str) -> str:
    """What the command says of a file that cannot be read: one line, exit status 2, in half a second."""
    answer = in_time(0.5, lambda: CliRunner().invoke(app, ["locate", "rnn", str(path), *args]))
    assert answer.exit_code == 2, (answer.stdout, answer.exception)
    assert not answer.stdout
    message = answer.stderr.strip().removeprefix("error: ")
    assert message != answer.stderr.strip()
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 500
    return message


# --- what is read -----------------------------------------------------------------------------------------------------


def test_npz_compressed_or_not_json_nested_or_flat_are_read_alike(right, tmp_path):
    np.savez_compressed(tmp_path / "small.npz", **right)
    lists = {key: array.tolist() for key, array in right.items()}
    (tmp_path / "flat.json").write_text(json.dumps(lists))
    (tmp_path / "nested.json").write_text(json.dumps({"points": [{"given": {}, "values": lists}]}))
    for path in (saved(tmp_path / "plain.npz", right), *tmp_path.glob("*.json"), tmp_path / "small.npz"):
        (numbers,) = read_dump(path).points.values()
        assert numbers.arrays.keys() == right.keys()
        assert all((numbers.arrays[key] == array).all() for key, array in right.items())
        answer = CliRunner().invoke(app, ["locate", "rnn", str(path)])
        assert answer.exit_code == 0, answer.output


def test_big_endian_and_fortran_order_are_numbers_like_any_other(right, tmp_path):
    other = {key: np.asfortranarray(array.astype(">f8")) for key, array in right.items()}
    (numbers,) = read_dump(saved(tmp_path / "other.npz", other)).points.values()
    assert all((numbers.arrays[key] == array).all() for key, array in right.items())


def dtype_of(dump: Any, asked: str | None) -> str:
    return choose(dump, layout(RNN), asked).name


def test_the_dtype_is_as_said_or_that_of_the_narrowest_array(right):
    assert dtype_of(dump_of(right), None) == "float64"
    assert dtype_of(dump_of(right | {"h": right["h"].astype("float32")}), None) == "float32"
    assert dtype_of(dump_of(right | {"about/dtype": "float32"}), None) == "float32"
    assert dtype_of(dump_of(right | {"about/dtype": "float32"}), "float64") == "float64"
    with pytest.raises(DumpError, match="the dtype float16 has no metric; known: float64, float32"):
        dtype_of(dump_of({"about/dtype": "float16"}), None)


def test_json_null_is_a_number_that_is_not_finite(right, tmp_path):
    path = tmp_path / "dump.json"
    lists = {key: array.tolist() for key, array in right.items()}
    lists["dh"][1][0][1] = None
    path.write_text(json.dumps(lists))
    answer = CliRunner().invoke(app, ["locate", "rnn", str(path)])
    assert answer.exit_code == 1
    assert "dh[1, 0, 1], which is t = 2: nan is given" in answer.stdout
    assert "not finite" in answer.stdout


# --- wrong shapes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: {"h": d["h"].transpose(1, 0, 2)},
            "h has shape (3, 4, 2), where (T, B, n) = (4, 3, 2) is due (T = 4, B = 3, m = 5, n = 2); "
            "transpose(h, (1, 0, 2)) would fit",
        ),
        (
            lambda d: {"grad_W_xh": d["grad_W_xh"].T},
            "grad_W_xh has shape (5, 2), where (n, m) = (2, 5) is due (T = 4, B = 3, m = 5, n = 2); "
            "transpose(grad_W_xh, (1, 0)) would fit",
        ),
        (
            lambda d: {"x": d["x"].reshape(12, 5)},
            "x has shape (12, 5), where (T, B, m) = (4, 3, 5) is due (T = 4, B = 3, m = 5, n = 2); "
            "it has as many numbers: is it flattened, or reshaped?",
        ),
        (
            lambda d: {"h": d["h"][0]},
            "h has shape (3, 2), where (T, B, n) = (4, 3, 2) is due (T = 4, B = 3, m = 5, n = 2); "
            "it has no axis of steps: is it the last step alone?",
        ),
    ],
)
def test_a_wrong_shape_says_which_is_due_and_what_would_fit(right, tmp_path, change, message):
    assert refused(saved(tmp_path / "d.npz", right | change(right))).endswith(f"d.npz: {message}")


# --- files that are wrong or mean harm ---------------------------------------------------------------------------------


class Harm:
    def __reduce__(self):
        return (Path.touch, (Path("PWNED"),))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([Harm()], dtype=object), "h holds Python objects, which are never loaded; save plain arrays"),
        (np.zeros((4, 3, 2), dtype=int), "h holds integers (int64); float64 or float32 is due"),
        (np.zeros((4, 3, 2), dtype=bool), "h holds truth values (bool); float64 or float32 is due"),
        (np.zeros((4, 3, 2), dtype=complex), "h holds complex numbers (complex128); float64 or float32 is due"),
        (np.zeros((4, 3, 2), dtype="f2"), "h holds floats of another size (float16); float64 or float32 is due"),
        (
            np.zeros((4, 3, 2), dtype=np.longdouble),
            "h holds floats of another size (float128); float64 or float32 is due",
        ),
        (np.zeros((4, 3), dtype=[("a", "f8"), ("b", "f8")]), "float64 or float32 is due"),
        (np.full((4, 3, 2), "1.0"), "h holds no numbers (<U3); float64 or float32 is due"),
        (np.array("text"), "h holds text where numbers are due"),
        (np.zeros((0, 3, 2)), "h has shape (0, 3, 2), where (T, B, n) = (4, 3, 2) is due"),
        (np.zeros((1,) * 20), "h has shape (1, 1, 1, 1"),
    ],
)
def test_what_are_no_floats_is_refused(right, tmp_path, monkeypatch, array, message):
    monkeypatch.chdir(tmp_path)
    assert message in refused(saved(tmp_path / "d.npz", right | {"h": array}))
    assert not (tmp_path / "PWNED").exists()


def test_a_pickle_is_not_loaded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "d.npz"
    path.write_bytes(pickle.dumps(Harm()))
    assert "looks like a pickle, which is never loaded" in refused(path)
    assert not (tmp_path / "PWNED").exists()


def member(header: bytes, data: bytes = b"", name: str = "h.npy") -> bytes:
    """An archive with one .npy file whose header is anything."""
    padded = header + b" " * (-len(header) - 11 & 63) + b"\n"
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + data)
    return whole.getvalue()


def npy(shape: str, dtype: str = "<f8") -> bytes:
    return f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()


HUGE = "(" + "9" * 30 + ",)"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "neither npz nor JSON: Expecting value, line 1, column 1"),
        (b"PK\x03\x04 and no more", "not a whole npz file"),
        (member(npy("(4, 3, 2)"), bytes(192))[:-40], "not a whole npz file"),
        (member(npy("(4, 3, 2)"), bytes(192)).replace(b"h.npy", b"h.txt"), "h.txt is no .npy array"),
        (member(npy(HUGE)), "h says that its shape is (1e+30,), and has 0 bytes"),
        (member(npy("(1000000, 1000000)")), "h says that its shape is (1000000, 1000000), and has 0 bytes"),
        (member(npy("(-1, 3)"), bytes(24)), "h says that its shape is (-1, 3), and has 24 bytes"),
        (member(b"__import__('os').system('touch PWNED')"), "h is no array that can be read"),
        (member(npy("(4,)", "|O"), bytes(32)), "h holds Python objects"),
        (member(b"{" * 5000), "h is no array that can be read"),
        (member(npy("(1,)"), bytes(8), "\x1b[31mred\u202e.npy"), "none of its names is one of rnn"),
        (member(npy("(1,)"), bytes(8), "../../etc/passwd.npy"), "none of its names is one of rnn"),
        (b"\x93NUMPY\x01\x00", "it is a single array (.npy); save several by their names, with numpy.savez"),
        (b"\xff\xfe", "neither npz nor JSON: not UTF-8 text (byte 0)"),
        (b"[" * 100_000, "its brackets are nested too deeply"),
        (b'{"h": ' + b"[" * 50 + b"1" + b"]" * 50 + b"}", "h has more than 8 axes"),
        (b"[1]", 'an object is due, as in {"f": [[[0.5]]]}'),
        (b'{"h": [[1], [1, 2]]}', "h is ragged: its lists are not of one length"),
        (b'{"h": [[1], 1]}', "h is ragged: its lists are not of one length"),
        (b'{"h": [true]}', "h holds truth values where numbers are due"),
        (b'{"h": ["1"]}', "h holds text where numbers are due"),
        (b'{"h": {"a": 1}}', "h holds a table where numbers are due"),
        (b'{"h": "text"}', "h holds text where numbers are due"),
        (b'{"h": [1], "h": [2]}', "h is there twice"),
        (b'{"points": [{"given": {"x": [1]}, "right": {"x": [1]}}]}', "x of point 1 is there twice"),
        (b'{"points": [{"given": 3}]}', "given of point 1 is no table of arrays"),
        (b'{"points": []}', "holds no numbers"),
        (b'{"cell": "gru", "h": [1]}', "is of the cell gru, and not of rnn"),
        (b'{"point": "seed=1; rm -rf /", "h": [1]}', "names no point; it reads like seed=1 T=4 B=3 n=2 m=5"),
        (
            b'{"point": "seed=1 T=4 B=3 n=99999999 m=5", "h": [1]}',
            "n = 99999999 is out of range; it goes from 1 to 512",
        ),
        (
            b'{"point": "at=notebook seed=1", "h": [1]}',
            "is in the names of the walkthrough notebook: say so (--at notebook)",
        ),
        (b'{"point": "seed=1 T=4 B=3", "h": [1]}', "is no point of rnn, whose sizes are n, m"),
        (b'{"1/h": [1], "dh": [1]}', "some names have the number of a point in front, as in 1/f, and dh has none"),
        (b'{"x": [[[NaN]]], "h": [[[1]]]}', "x is given, and has 1 entries that are not finite"),
        (b'{"h": [[[1]]]}', "nothing in it can be tested without W_hh, W_xh, b_h, h_0, x: add them"),
        (b'{"x": [[[1]]]}', "holds only inputs, and nothing that was computed from them"),
        (b'{"dh_final": [[1e999]], "h": [[[1]]]}', "dh_final is given, and has 1 entries that are not finite"),
        (b'{"hh": [[[1]]]}', "rnn has no hh (did you mean W_hh?)"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, monkeypatch, data, message):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "dump"
    path.write_bytes(data)
    assert message in refused(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["dump"]


def test_what_is_no_file_is_said(tmp_path):
    assert refused(tmp_path).endswith("is a folder; give an .npz or a .json file")
    assert "No such file or directory" in refused(tmp_path / "missing.npz")
    assert "is not a file name" in refused(Path("a\0b"))


def test_a_bomb_is_refused_by_its_sizes_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("h.npy", "w", force_zip64=True) as one:
        for _ in range(MOST_BYTES // (1 << 20) + 1):
            one.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        assert "its arrays are larger than 256 MiB" in refused(path)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_too_many_arrays_and_names_that_are_there_twice_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.npz", "w") as file:
        for number in range(10_001):
            file.writestr(f"{number}.npy", b"")
    assert "10,001 arrays; 10,000 is the most" in refused(tmp_path / "many.npz")
    array = io.BytesIO()
    np.save(array, np.zeros(1))
    with zipfile.ZipFile(tmp_path / "twice.npz", "w") as file:
        file.writestr("h.npy", array.getvalue())
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("h.npy", b"")
    assert "h is there twice" in refused(tmp_path / "twice.npz")


def test_a_dump_that_would_take_minutes_is_refused_at_once(tmp_path):
    path = saved(tmp_path / "d.npz", {"x": np.zeros((2, 2, 700)), "h": np.zeros((2, 2, 700))})
    assert "numbers, which are tested exactly; 500,000 is the most: smaller sizes, fewer steps" in refused(path)


def test_names_that_the_cell_does_not_have_are_named_and_escaped(right, tmp_path):
    path = saved(tmp_path / "d.npz", right | {"zzz": right["h"], "\x1b[31m\u202e": right["h"], "a" * 500: right["h"]})
    answer = CliRunner().invoke(app, ["locate", "rnn", str(path)])
    assert answer.exit_code == 0
    assert "Not names of the cell, and not looked at: zzz, " in answer.stdout
    assert r"'\x1b[31m\u202e'" in answer.stdout
    assert "a" * 61 not in answer.stdout
    assert "\x1b" not in answer.stdout


def test_given_numbers_that_the_dtype_does_not_have_are_named(right):
    (one,) = ready(RNN, dump_of(right), "float32")
    assert "x" in one.off_format
    (one,) = ready(RNN, dump_of({key: array.astype("float32") for key, array in right.items()}), "float32")
    assert one.off_format == ()
