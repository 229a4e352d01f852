"""`derive locate` gives no false verdict: nothing right is accused, and nothing untested is called right."""

import json
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backends.golden.dumped import ready
from backends.golden.dumps import DumpError, dump_of
from backends.golden.layout import Kind, layout
from backends.golden.locate import examined, locate
from backends.golden.precision import choose
from derivations import api
from derivations.__main__ import app
from derivations.canonical import canonical
from derivations.catalogue import read_cell
from derivations.derive import derive
from derivations.language import read
from derivations.mutants import mutants
from derivations.program import backward_program
from derivations.reports.locate import document
from derivations.reports.vectors import derivation_at
from tests.filled import filled, hard
from tests.located import LSTM, look
from tests.samples import cell_text

ENTRIES = layout(LSTM.cell)
GIVEN = [key for key, entry in ENTRIES.items() if entry.kind is Kind.GIVEN]


@pytest.fixture(scope="module")
def dump():
    _, point, sizes = hard(LSTM.cell)
    return filled(backward_program(LSTM), point, sizes)


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    path = tmp_path_factory.mktemp("golden") / "lstm.npz"
    api.vectors("lstm", path)
    return path


def run(*args: str):
    return CliRunner().invoke(app, ["locate", *map(str, args)])


def computed(arrays, number=""):
    return {f"{number}{key}": array for key, array in arrays.items() if key not in GIVEN}


# --- whose numbers they are -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell", "at"), [("lstm", "notebook"), ("rnn", "rnn-notebook")])
def test_a_walkthroughs_numbers_are_right_in_its_names_and_refused_in_ours(tmp_path, cell, at):
    path = tmp_path / "golden.npz"
    api.vectors(cell, path, at=at, points=2)
    for more in ((), ("--golden", path)):
        answer = run(cell, path, "--at", at, *more)
        assert answer.exit_code == 0, answer.output
        answer = run(cell, path, *more)
        assert (answer.exit_code, answer.stdout) == (2, "")
        assert f"is in the names of the walkthrough {at}: say so (--at {at})" in answer.stderr
    with np.load(path) as file:
        arrays = {key: file[key] for key in file.files}
    known = layout(derivation_at(read_cell(cell), at)[0].cell)
    few = {
        k[2:]: a for k, a in arrays.items() if k[2:] in known and k[0] == "1" and known[k[2:]].kind is not Kind.GIVEN
    }
    shown = api.locate(cell, few | {"about/point": f"at={at} seed=1"}, at=at)
    assert not shown["wrong"]
    assert not shown["missing"]


def test_numbers_of_other_equations_or_names_are_refused(tmp_path):
    path = tmp_path / "golden.json"
    api.vectors("lstm", path, points=1, rename={"W_xf": "U_f"})
    assert "its equations or its names differ" in run("lstm", path).stderr
    assert run("lstm", path, "--rename", "W_xf=U_f").exit_code == 0


def test_the_point_that_a_dump_names_counts_and_no_point_is_guessed(golden, tmp_path):
    with np.load(golden) as file:
        second = {key[2:]: file[key] for key in file.files if key.startswith("2/") and key[2:] in ENTRIES}
        text = file["2/about/point"].item().decode()
        loaded = {key: file[key] for key in file.files}
    mine = computed(second)
    shown = api.locate("lstm", mine | {"about/point": text}, golden=golden)
    assert not shown["wrong"]
    assert shown["points"][0]["golden"]["source"] == f"2 of {golden} ({text})"
    assert not api.locate("lstm", computed(second, "2/"), golden=loaded)["wrong"]
    with pytest.raises(DumpError, match="from which of the 3 points of"):
        api.locate("lstm", mine, golden=golden)
    with pytest.raises(DumpError, match=r"seed=9 T=4 B=3 n=2 m=5., which .* does not have"):
        api.locate("lstm", mine | {"about/point": "seed=9 T=4 B=3 n=2 m=5"}, golden=golden)
    with pytest.raises(DumpError, match="its x is not that of the golden point 1"):
        api.locate("lstm", computed(second, "1/") | {"1/x": second["x"]}, golden=golden)


# --- how much was tested ----------------------------------------------------------------------------------------------


def test_the_headline_says_no_more_than_was_tested(dump):
    every = len(ENTRIES) - len(GIVEN)
    assert f"every number follows from its inputs ({every} of {every} equations tested)" in repr(
        api.locate("lstm", dump)
    )
    some = repr(api.locate("lstm", {key: dump[key] for key in (*GIVEN, "h", "c")}))
    assert "every number" not in some
    assert f"nothing wrong in what was tested (12 of {every} equations tested)" in some
    extra = repr(api.locate("lstm", dump | {"zzz9": dump["x"]}))
    assert "every number" not in extra
    assert "1 are no names of the cell" in extra


def test_without_inputs_the_exit_status_is_not_0(dump, tmp_path):
    np.savez(tmp_path / "d.npz", **computed(dump))
    answer = run("lstm", tmp_path / "d.npz")
    assert answer.exit_code == 2
    assert "every number" not in answer.stdout
    assert "could not be tested" in answer.stdout
    assert "for want of " in answer.stdout
    assert "exit status 2" in answer.stderr
    np.savez(tmp_path / "d.npz", **{key: array for key, array in dump.items() if key != "h_0"})
    answer = run("lstm", tmp_path / "d.npz")  # only the first step cannot be tested
    assert answer.exit_code == 2
    assert "for want of h_0, which the dump lacks: h_prev" in answer.stdout


@pytest.mark.parametrize(
    ("name", "meant"), [("grad_Wxf", "grad_W_xf"), ("H", "h"), ("Grad_W_xf", "grad_W_xf"), ("dW_fx", "dW_xf")]
)
def test_a_name_that_is_nearly_one_of_the_cell_is_an_error(dump, name, meant):
    with pytest.raises(DumpError, match=f"lstm has no {name} .did you mean "):
        api.locate("lstm", dump | {name: 3 * dump[meant]})
    assert not api.locate("lstm", dump | {f"about/{name}": dump[meant]})["wrong"]


def test_a_dump_of_another_cell_is_an_error(dump):
    with pytest.raises(DumpError, match=r"gru has no .* and [0-9]+ more"):
        api.locate("gru", dump)
    strange = {f"zzz{k}": dump["x"] for k in range(9)}
    with pytest.raises(DumpError, match="most of its names are none of lstm: zzz0, zzz1, zzz2 and 6 more"):
        api.locate("lstm", strange | {key: dump[key] for key in (*GIVEN, "h")})


# --- in which dtype ---------------------------------------------------------------------------------------------------


def test_what_was_stored_in_fewer_digits_is_right(dump):
    single = {key: array.astype("f4") for key, array in dump.items()}
    assert not look(single, dtype="float32").broken  # computed in float64, and all of it stored
    for key in ("f", "h", "x", "dh_final"):
        shown = api.locate("lstm", dump | {key: single[key]})
        assert (shown["wrong"], shown["dtype"]) == (False, "float32"), key
        assert f"in float32, as {key} are stored; the others are wider" in repr(shown)


def test_numbers_just_beyond_rounding_are_named_by_no_mistake_of_its_size(dump):
    single = {key: array.astype("f4") for key, array in dump.items()}
    dh = np.nextafter(single["dh"], np.float32(np.inf))
    for _ in range(30):
        dh = np.nextafter(dh, np.float32(np.inf))
    found = look(single | {"dh": dh}, dtype="float32")
    assert "dh" in {one.key for one in found.broken}
    assert not [name for one in found.broken for name in one.mistakes if "1e-" in name]


@pytest.mark.parametrize("form", ["f8", "%.9g"])
def test_numbers_of_float32_in_wider_clothes_are_known(tmp_path, form):
    _, point, sizes = hard(LSTM.cell)
    single = filled(backward_program(LSTM), point, sizes, "float32")
    wide = {key: array.astype("f8") for key, array in single.items()}
    if form != "f8":
        wide = {key: np.vectorize(lambda x: float(form % x))(array) for key, array in wide.items()}
    (tmp_path / "d.json").write_text(json.dumps({key: array.tolist() for key, array in wide.items()}))
    answer = run("lstm", tmp_path / "d.json")
    assert answer.exit_code == 0, answer.output
    assert "Measured in float32 (in float32: " in answer.stdout
    assert run("lstm", tmp_path / "d.json", "--dtype", "float64").exit_code == (1 if form == "f8" else 2)


def test_numbers_in_too_few_digits_are_refused_and_not_accused(dump):
    for digits in (6, 12):
        few = {key: np.vectorize(lambda x, digits=digits: float(f"{x:.{digits}g}"))(a) for key, a in dump.items()}
        with pytest.raises(DumpError, match=f"no number has more than {digits} significant digits"):
            api.locate("lstm", few)
    assert choose(dump_of(dump), ENTRIES, None).name == "float64"


def test_golden_inputs_of_another_dtype_are_said(dump, tmp_path):
    api.vectors("lstm", tmp_path / "g.npz", points=1, dtype="float32")
    with pytest.raises(DumpError, match=r"the dump is in float64, and its inputs from .* in float32; make the golden"):
        api.locate("lstm", computed(dump), golden=tmp_path / "g.npz")
    for kind in (np.float32, "float32", np.dtype("float32")):
        assert not api.locate("lstm", computed(dump), golden=tmp_path / "g.npz", dtype=kind)["wrong"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_sigmoid_by_tanh_is_right(dtype):
    """Written as 0.5*tanh(a/2) + 0.5 in every gate, at gates that are nearly shut: h and c say so as f does."""
    text = re.sub(r"(?m)\b([fio]) = sigmoid(\(.*\))$", r"\1 = 0.5*tanh(0.5*\2) + 0.5", canonical(LSTM.cell))
    assert text.count("0.5*tanh") == 3
    half = derive(read(text))
    _, point, sizes = hard(LSTM.cell)
    point.parameters["b_f"][:] = -9
    point.parameters["b_i"][:] = -6
    program = backward_program(half)
    mine = filled(program, replace(point, cell=half.cell), sizes, dtype)
    halves = {f"{d}a_{gate}" for d in ("", "d") for gate in "fio"}  # of their arguments
    mine = {key: array for key, array in mine.items() if key in ENTRIES and key not in halves}
    exact = filled(backward_program(LSTM), point, sizes, dtype)
    assert (mine["f"] != exact["f"]).any()
    for keys in (ENTRIES, (*GIVEN, "h", "c", "grad_W_xf")):
        found = look({key: mine[key] for key in keys if key in mine}, dtype=dtype)
        assert not found.broken, found.broken[0]
    off = exact["f"] * np.asarray(1 + (3e-2 if dtype == "float32" else 1e-9), dtype)
    assert look(exact | {"f": off}, dtype=dtype).broken[0].key == "f"


# --- what is said of what is wrong --------------------------------------------------------------------------------------


def test_zeros_warn_of_nothing_and_no_inner_name_leaks():
    derivation = derive(read(cell_text("h = relu(W * x + U * h_prev)", "input x\nstate h")))
    _, point, sizes = hard(derivation.cell)
    right = filled(backward_program(derivation), point, sizes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for wrong in (right | {"h": right["h"] + 1.0}, right | {"grad_W": right["grad_W"] * 0}):
            (one,) = ready(derivation.cell, dump_of(wrong), "float64")
            assert examined(derivation, one, "float64", lambda: mutants(derivation)).broken
        for mutant in mutants(derivation):
            if "_step(" in mutant.mistake:
                said = repr(api.locate(derivation.cell, filled(mutant.program, point, sizes)))
                assert "> 0] is missing" in said
                assert "_step" not in said
                return
    raise AssertionError("no mutant speaks of the slope of relu")


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        (lambda d: {"a_f": d["a_f"][:, ::-1].copy()}, "its sequences are in reverse order"),
        (lambda d: {"a_f": d["a_f"] * (1 + 1e-9)}, "it is 1 + 1e-09 times what is right, in every entry"),
        (
            lambda d: {"db_f": d["db_f"] / 3},
            "it is 0.333333 times what is right, in every entry: divided by the batch size, 3?",
        ),
        (lambda d: {"a_f": d["a_f"] * [1, 0]}, "its last unit is 0 throughout: does the loop end one early?"),
        (lambda d: {"grad_W_hf": d["grad_W_hf"].T.copy()}, "it is transposed"),
        (
            lambda d: {"f": d["f"] * (1 + 1e-13)},
            "it is nearly right: is your sigmoid less accurate than any that is known?",
        ),
    ],
)
def test_common_cases_say_what_they_look_like(dump, change, hint):
    found = look(dump | change(dump))
    assert (found.broken[0].hint or found.broken[0].mistakes[0]) == hint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: {k: np.swapaxes(a, 0, 1) if ENTRIES[k].axes[:2] == ("T", "B") else a for k, a in d.items()},
            r"its arrays over time are \(B, T, ...\), where \(T, B, ...\) is due",
        ),
        (
            lambda d: d | {"h": np.concatenate([d["h_0"][None], d["h"]])},
            r"does it begin with the initial state\? h\[1:\]",
        ),
        (lambda d: d | {"h": d["h"][:, 0]}, "it has no axis of the batch"),
        (lambda d: d | {"h": d["h"][-1]}, "is it the last step alone"),
    ],
)
def test_common_wrong_shapes_say_what_they_look_like(dump, change, message):
    with pytest.raises(DumpError, match=message):
        api.locate("lstm", change(dump))


def test_a_gradient_is_spoken_of_by_its_own_name(dump):
    shown = api.locate("lstm", dump | {"grad_b_f": dump["grad_b_f"] / 3})
    assert shown["first"]["mistakes"] == ["grad_b_f: divided by the batch size (a mean where the sum is due)"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_long_report_keeps_to_its_width_and_verbose_says_all(dump, tmp_path, width):
    wrong = dump | {key: -array for key, array in dump.items() if key.startswith("dW_")}
    wrong |= {key: 2 * array for key, array in dump.items() if key.startswith("grad_")}
    np.savez(tmp_path / "d.npz", **wrong)
    answer = run("lstm", tmp_path / "d.npz", "--width", str(width))
    lines = answer.stdout.splitlines()[1:]  # after the title
    assert max(map(len, lines)) <= width
    assert "more (--verbose)" in answer.stdout
    everything = run("lstm", tmp_path / "d.npz", "--width", str(width), "--verbose").stdout
    assert "more" not in everything
    assert all(f"{key}[" in everything for key in wrong if key.startswith("grad_"))


def test_several_points_are_named_in_the_headline(dump):
    both = {f"{k}/{key}": array for k in (1, 2) for key, array in dump.items()} | {"2/dg": dump["di"]}
    title = document(locate(LSTM, both)).title
    assert "dg is the first that breaks at t = 4, point 2 (" in title


# --- in Python, and in JSON ---------------------------------------------------------------------------------------------


def test_about_point_stands_in_json_as_in_npz(dump, tmp_path):
    which, _, _ = hard(LSTM.cell)
    lists = {key: array.tolist() for key, array in computed(dump).items()}
    for name in ("about/point", "point"):
        (tmp_path / "d.json").write_text(json.dumps(lists | {name: str(which)}))
        assert run("lstm", tmp_path / "d.json").exit_code == 0
    (tmp_path / "d.json").write_text(
        json.dumps({f"1/{k}": a for k, a in lists.items()} | {"1/about/point": str(which)})
    )
    assert run("lstm", tmp_path / "d.json").exit_code == 0


def test_python_takes_paths_and_says_what_it_cannot_take(dump, tmp_path):
    path = tmp_path / "mine.cell"
    path.write_text("cell mine\ninput x\nstate h\n\nh = tanh(W @ x + U @ h_prev)\n")
    shown = api.vectors(path, tmp_path / "v.npz", points=1, sizes="n=3,m=2", dtype=np.float32)
    assert shown["dtype"] == "float32"
    assert not api.locate(path, tmp_path / "v.npz")["wrong"]
    for call in (lambda: api.locate("lstm", 3), lambda: api.locate("lstm", dump, golden=3)):
        with pytest.raises(DumpError, match="is of type int; a path to a file is due, or arrays by their names"):
            call()
    with pytest.raises(TypeError, match="a cell is due, its name, or a path to its file, and not int"):
        api.locate(3, dump)
    for options, message in (
        ({"points": 0}, "points = 0 is out of range; it goes from 1 to 100"),
        ({"sizes": {"n": "3"}}, "sizes: 'n' is '3', where a letter and a whole number are due"),
        ({"sizes": 3}, "a dictionary is due"),
        ({"dtype": "float16"}, "golden numbers are of no dtype float16; known: float64, float32"),
        ({"dtype": "bfloat16"}, "known: float64, float32"),
    ):
        with pytest.raises(ValueError, match=message):
            api.vectors("rnn", **options)
    renamed = {"U_f" if key == "W_xf" else key.replace("W_xf", "U_f"): array for key, array in dump.items()}
    assert not api.locate("lstm", renamed, rename={"W_xf": "U_f"})["wrong"]


def test_every_function_is_found_by_tab():
    import derivations

    assert set(derivations.FUNCTIONS) <= set(dir(derivations))


def test_a_suffix_and_a_format_that_differ_are_refused(tmp_path):
    answer = CliRunner().invoke(app, ["vectors", "rnn", "-f", "npz", "-o", str(tmp_path / "v.json")])
    assert answer.exit_code == 2
    assert "its suffix says one format, and --format npz another" in answer.stderr
    assert not list(Path(tmp_path).iterdir())
