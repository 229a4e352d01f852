"""The command line: what it says, in which format, with which exit status, and what it leaves behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from derivations.__main__ import app

MINE = """\
# A light gated unit, of somebody's own.
cell mine "Mine: 100% of $5 & #1"
input x
state h, c

gate:       f = sigmoid(W_xf @ x + W_hf @ h_prev + b_f)
candidate:  c_tilde = tanh(W_xc @ x + W_hc @ (f * h_prev) + b_c)
cell:       c = f * c_prev + (1 - f) * c_tilde
hidden:     h = tanh(c) * beta
"""


def derive(*args: str | Path) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def record(*args: str | Path, status: int = 0) -> dict:
    result = derive(*args, "--format", "json")
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.cell"
    path.write_text(MINE)
    return path


# --- the contract of the records ----------------------------------------------------------------------------------


def test_walkthrough_as_json() -> None:
    found = record("walkthrough", "--no-check")
    assert found["name"] == "notebook"
    assert [step["t"] for step in found["steps"]] == [1, 2, 3, 4]
    assert [step["x"] for step in found["steps"]] == [1, 5, 7, 4]
    assert {"f", "i", "c_tilde", "o", "c", "h"} <= set(found["steps"][0]["values"])
    assert found["steps"][3]["values"]["h"] == 0.7355480552797364
    assert found["readout"] == {"y": 0.9996446998328253}
    assert set(found["gradients"]) == {"h", "c", "y", "loss"}
    one = found["gradients"]["h"]["W_xh"]
    assert "da_f*x" in one["expression"]
    assert r"\sum_{t=1}^{T}" in one["latex"]
    wrt = {
        "W_xh",
        "W_hf",
        "b_f",
        "W_xi",
        "W_hi",
        "b_i",
        "W_xc",
        "W_hc",
        "b_c",
        "W_ho",
        "W_hh",
        "b_o",
        "W_hy",
        "b_y",
    }
    assert set(found["gradients"]["loss"]) == wrt | {"h_0", "c_0", "x_1", "x_2", "x_3", "x_4"}
    assert found["gradients"]["h"]["c_0"]["value"] == pytest.approx(7.650903671008994e-14, rel=2**-40)
    assert all(entry["agrees"] for entry in found["printed"])
    assert found["asides"]["f_t"] == pytest.approx(2.0611536181902037e-09, rel=2**-50)


def test_show_as_json() -> None:
    found = record("show", "lstm")
    assert found["cell"] == "lstm"
    rules = [step["rule"] for step in found["steps"]]
    assert [rule for k, rule in enumerate(rules) if k == 0 or rules[k - 1] != rule] == [
        "definition",
        "partial",
        "adjoint",
        "recurrence",
    ]
    assert {"rule", "of", "wrt", "lhs", "rhs", "latex", "label", "proved"} <= set(found["steps"][0])
    assert all(step["proved"] is True for step in found["steps"])
    lines = {step["lhs"]: step["rhs"] for step in found["steps"] if step["rule"] == "adjoint"}
    assert lines["da_f"] == "df*f*(1 - f)"
    assert lines["dc"] == "dc_next + dh*o*(1 - tanh(c)**2)"


def test_diff_as_json() -> None:
    found = record("diff", "lstm", "h", "--wrt", "W_xh", "--at", "notebook", "--step", "2", "--no-check")
    (path,) = found["paths"]
    assert path["nodes"] == ["W_xh", "a_f", "f", "c", "h"]
    assert [factor["expression"] for factor in path["factors"]] == [
        "x",
        "f*(1 - f)",
        "c_prev",
        "o*(1 - tanh(c)**2)",
    ]
    assert path["value"] == found["total"]["value"] == pytest.approx(1.978706e-22, rel=1e-6)
    assert found["immediate"] == {"expression": "0", "value": 0}


def test_diff_through_time_counts_its_paths() -> None:
    found = record("diff", "lstm", "h", "--wrt", "W_xf", "--through-time", "--step", "4", "--no-check")
    assert found["count"] == 145
    assert len(found["paths"]) == 20


def test_diff_takes_either_set_of_names() -> None:
    args = ("--at", "notebook", "--step", "3", "--no-check")
    theirs = record("diff", "lstm", "c", "--wrt", "W_xc", *args)
    ours = record("diff", "lstm", "c", "--wrt", "W_xg", *args)
    assert theirs["total"] == ours["total"]


def test_list_as_json() -> None:
    found = record("list")
    assert {"lstm", "rnn", "gru", "lnlstm"} <= set(found["cells"])
    assert {"notebook", "rnn-notebook"} <= set(found["walkthroughs"])
    assert {"numpy", "torch", "jax"} <= set(found["backends"])
    assert {"text", "latex", "markdown", "json"} <= set(found["formats"])


def test_same_as_json() -> None:
    assert record("same", "lstm", "lstm")["same"] is True
    assert record("same", "lstm", "rnn", status=1)["same"] is False


def test_flow_as_json() -> None:
    rnn, lstm = record("flow", "--steps", "30")["flows"]
    vanished, kept = (
        next(row["log10"][0] for row in flow["rows"] if row["name"] == "dh_T/dh_k") for flow in (rnn, lstm)
    )
    assert vanished < -8 < -3 < kept


# --- every command with a cell of one's own -----------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["text", "latex", "markdown", "json"])
@pytest.mark.parametrize("view", [(), ("--vector",)])
def test_a_cell_of_ones_own_is_shown(mine: Path, format_: str, view: tuple[str, ...]) -> None:
    result = derive("show", mine, "--format", format_, *view)
    assert result.exit_code == 0, result.output
    assert "c_tilde" in result.stdout or r"\tilde" in result.stdout


@pytest.mark.parametrize("format_", ["text", "latex", "markdown", "json"])
def test_a_cell_of_ones_own_is_differentiated_compared_and_flows(mine: Path, format_: str) -> None:
    for args in (
        ("diff", mine, "h", "--wrt", "W_hc", "--closed"),
        ("same", mine, mine),
        ("flow", mine, "--steps", "5"),
        ("show", mine, "--jacobian"),
        ("show", mine, "--unroll", "2", "--vector"),
        ("show", mine, "--closed", "c"),
    ):
        result = derive(*args, "--format", format_)
        assert result.exit_code == 0, (args, result.output)


def test_a_cell_of_ones_own_is_checked(mine: Path, needs) -> None:
    needs("torch"), needs("jax")
    found = record("check", mine)
    assert {check["verdict"] for check in found["checks"]} == {"PASS"}
    assert 0 < found["worst"] <= 1


def test_renaming_is_simultaneous_and_checked() -> None:
    found = record("show", "lstm", "--rename", "W_xo=W_ho", "--rename", "W_ho=W_hh", "--rename", "g=c_tilde")
    lines = {step["lhs"]: step["rhs"] for step in found["steps"] if step["rule"] == "definition"}
    assert lines["a_o"] == "W_ho*x + W_hh*h_prev + b_o"
    assert derive("show", "lstm", "--rename", "g=f").exit_code == 2
    assert derive("show", "lstm", "--rename", "g=\\write18{x}").exit_code == 2


# --- exit status, and what goes where -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("show", "lstn"), "did you mean lstm"),
        (("show", "nothing.cell"), "cannot read nothing.cell"),
        (("show", "mine.py:step"), "cannot read mine.py"),
        (("show", "lstm", "--only", "adjoints"), "there is no rule 'adjoints'"),
        (("show", "lstm", "--rename", "zz=y"), "has no name zz"),
        (("show", "lstm", "--closed", "hh"), "hh"),
        (("diff", "lstm", "h", "--wrt", "W_xff"), "W_xf"),
        (("diff", "lstm", "h", "--wrt", "W_xf", "--at", "rnn-notebook"), "rnn"),
        (("diff", "lstm", "h", "--wrt", "W_xf", "--through-time"), "--step"),
        (("diff", "lstm", "h", "--wrt", "W_xf", "--at", "notebook", "--step", "9"), "9"),
        (("walkthrough", "nobook"), "did you mean notebook"),
        (("flow", "--steps", "1000000"), "200"),
        (("show", "a\0b.cell"), "file name"),
    ],
)
def test_wrong_input_is_one_message(args: tuple[str, ...], said: str) -> None:
    result = derive(*args)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not result.stdout


def test_no_traceback_from_the_real_process() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "derivations", "show", "lstn"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")


def test_a_refuted_claim_exits_with_1(tmp_path: Path) -> None:
    path = tmp_path / "wrong.cell"
    path.write_text(MINE + "\nfacts\n    db_f = db_c\n")
    assert derive("show", path).exit_code == 1
    path.write_text(MINE + "\nfacts\n    dc/dc_prev = f\n")
    assert derive("show", path).exit_code == 0


def test_what_is_written_is_whole_ours_and_never_over_anothers(tmp_path: Path) -> None:
    out = tmp_path / "rnn.tex"
    assert derive("show", "rnn", "-o", out).exit_code == 0
    first = out.read_bytes()
    assert first.startswith(b"%")
    assert b"\\end{document}" in first
    assert derive("show", "rnn", "-o", out).exit_code == 0, "our own file is written again"
    out.write_text("my thesis")
    result = derive("show", "rnn", "-o", out)
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert out.read_text() == "my thesis"
    assert derive("show", "rnn", "-o", out, "--force").exit_code == 0
    assert out.read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["rnn.tex"]


@pytest.mark.parametrize(("suffix", "start"), [(".md", "<!--"), (".json", "{"), (".txt", "Elman"), (".tex", "%")])
def test_the_suffix_chooses_the_format(tmp_path: Path, suffix: str, start: str) -> None:
    out = tmp_path / f"rnn{suffix}"
    assert derive("show", "rnn", "-o", out).exit_code == 0
    assert out.read_text().startswith(start)
    assert derive("show", "rnn", "-o", out).exit_code == 0, "it is known as ours"


def test_a_suffix_that_no_format_has(tmp_path: Path) -> None:
    result = derive("show", "rnn", "-o", tmp_path / "rnn.docx")
    assert result.exit_code == 2
    assert ".docx" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_flow_draws_pictures(tmp_path: Path, suffix: str, needs) -> None:
    needs("matplotlib")
    out = tmp_path / f"flow{suffix}"
    assert derive("flow", "-o", out, "--steps", "12").exit_code == 0
    first = out.read_bytes()
    assert len(first) > 2000
    assert derive("flow", "-o", out, "--steps", "12").exit_code == 0, "our own picture is drawn again"
    assert out.read_bytes() == first


def test_plain_text_has_no_colours_and_fits_80_columns() -> None:
    env = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    for args in (
        ["show", "lstm", "--width", "80"],
        ["walkthrough", "--no-check", "--width", "80"],
        ["flow", "--width", "80"],
    ):
        result = subprocess.run(
            [sys.executable, "-m", "derivations", *args], capture_output=True, text=True, env=env, check=True
        )
        assert "\x1b" not in result.stdout
        assert max(map(len, result.stdout.splitlines())) <= 80, args


def test_an_ascii_terminal_gets_ascii() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    for args in (["show", "gru", "--vector"], ["flow", "--steps", "8"], ["walkthrough", "--no-check"]):
        result = subprocess.run([sys.executable, "-m", "derivations", *args], capture_output=True, env=env, check=True)
        assert result.stdout.isascii()
        assert b"?" not in result.stdout, args


# --- names that other languages keep for themselves ---------------------------------------------------------------

NAMES = (
    "E",
    "I",
    "S",
    "N",
    "Q",
    "beta",
    "gamma",
    "zeta",
    "y0",
    "numpy",
    "torch",
    "jax",
    "np",
    "re",
    "W_h_f",
    "W_hf",
)


def test_an_accepted_name_works_in_every_format_and_backend(tmp_path: Path, needs) -> None:
    needs("torch"), needs("jax")
    path = tmp_path / "names.cell"
    terms = " + ".join(f"{name} * x" for name in NAMES)
    path.write_text(f"cell names\ninput x\nstate h\nh = tanh({terms} + h_prev)\n")
    written = {format_: derive("show", path, "--format", format_) for format_ in ("text", "latex", "markdown", "json")}
    assert {result.exit_code for result in written.values()} == {0}
    assert "W_{h,f}" in written["latex"].stdout
    assert "W_{hf}" in written["latex"].stdout
    assert {check["verdict"] for check in record("check", path, "--points", "1")["checks"]} == {"PASS"}
