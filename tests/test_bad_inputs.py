"""Input that is wrong or means harm, record by record: `bad_inputs.json` says where each comes in and what must become
of it. Each goes through every command that takes it, as it would be typed.

What is rejected is rejected at once, with one line that says where and what, and exit status 2; nothing that a text
holds is run, and nothing is written.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from derivations.__main__ import app
from derivations.catalogue import WALKTHROUGHS
from derivations.functions import FUNCTIONS
from tests.fuzz.inert import latex_faults, markdown_faults, text_faults
from tests.patience import in_time
from tests.test_output import NO_ROOM, OLD, ROOT, kill, start

CASES = json.loads(Path(__file__).with_name("bad_inputs.json").read_text(encoding="utf-8"))
HEAD = "cell bad\ninput x\nstate h, c\n"
NOTEBOOK = (WALKTHROUGHS / "notebook.toml").read_text(encoding="utf-8")
FORMATS = ("text", "latex", "markdown", "json")
SUFFIXES = (".txt", ".tex", ".md", ".json")
PATIENCE = 0.5  # seconds of processor time

# Every command that reads a cell; `walkthrough` reads the one that its file names.
COMMANDS: dict[str, tuple[str, ...]] = {
    "show": ("show", "bad.cell", "--no-prove"),
    "show it vectorised": ("show", "bad.cell", "--vector"),
    "show its closed form": ("show", "bad.cell", "--closed", "h"),
    "show it unrolled": ("show", "bad.cell", "--unroll", "3"),
    "show its Jacobian": ("show", "bad.cell", "--jacobian"),
    "diff": ("diff", "bad.cell", "h", "--wrt", "x"),
    "check": ("check", "bad.cell"),
    "same, first": ("same", "bad.cell", "rnn"),
    "same, second": ("same", "rnn", "bad.cell"),
    "flow": ("flow", "bad.cell"),
    "flow beside another": ("flow", "rnn", "bad.cell"),
    "walkthrough": ("walkthrough", "bad.toml", "--no-check"),
}


def spelled(part: object) -> str:
    """An input as it stands, or with parts of it repeated."""
    if isinstance(part, dict):
        return "".join(piece if isinstance(piece, str) else piece[0] * piece[1] for piece in part["repeat"])
    assert isinstance(part, str)
    return part


def cases(*surfaces: str, outcome: str = "") -> list[object]:
    chosen = [case for case in CASES if case["surface"] in surfaces and case["outcome"].startswith(outcome)]
    assert chosen
    return [pytest.param(case["input"], id=case["id"]) for case in chosen]


def derive(*args: str) -> Result:
    """The command, which must not take long."""
    return in_time(PATIENCE, lambda: CliRunner().invoke(app, args))


def rejected(*args: str) -> str:
    """The message of a command that stops with status 2, having said nothing else and written nothing."""
    before = sorted(Path.cwd().iterdir())
    result = derive(*args)
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stdout == ""
    assert sorted(Path.cwd().iterdir()) == before
    message = result.stderr.removesuffix("\n")
    assert message.startswith("error: ")
    assert message.isprintable()  # in one line, and nothing in it moves a cursor
    assert "Traceback" not in message
    assert len(message) < 400
    return message.removeprefix("error: ")


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """The grammar is built, and modules are loaded, once a process; their time is not the input's."""
    for args in (("show", "rnn"), ("show", "rnn", "--jacobian"), ("same", "rnn", "rnn"), ("flow", "rnn"),
                 ("diff", "rnn", "h", "--wrt", "x", "--no-check"), ("walkthrough", "rnn-notebook", "--no-check")):  # fmt: skip
        assert CliRunner().invoke(app, args).exit_code == 0


@pytest.fixture(autouse=True)
def nothing_is_run(tmp_path, monkeypatch):
    """Each case runs in an empty folder, in which nothing appears but what the case itself puts there."""
    monkeypatch.chdir(tmp_path)
    yield
    expected = {"bad.cell", "bad.toml", "mine.py", "file.txt", "link.tex", "out", *(f"out{end}" for end in SUFFIXES)}
    assert {path.name for path in tmp_path.iterdir()} <= expected


def put(text: str, name: str = "bad.cell") -> None:
    Path(name).write_text(text, encoding="utf-8", newline="")


def test_every_record_is_tried():
    tried = {
        "equations", "name", "names_pair", "cell_name_in_file", "cell_py", "cli", "toml", "values", "title", "tie", "crash",
    }  # fmt: skip
    assert {case["surface"] for case in CASES} == tried
    assert len({case["id"] for case in CASES}) == len(CASES) == 56


# --- equations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", cases("equations", outcome="reject"))
def test_equations_are_rejected_by_every_command(text):
    put(HEAD + spelled(text))
    put(NOTEBOOK.replace('cell = "lstm"', 'cell = "bad.cell"'), "bad.toml")
    messages = {command: rejected(*args) for command, args in COMMANDS.items()}
    where = r"bad\.cell(: line \d+(, column \d+)?: \S| is longer than 200 kB)"
    assert all(re.match(where, message.removeprefix("bad.toml: cell: ")) for message in messages.values()), messages
    assert len({message.removeprefix("bad.toml: cell: ") for message in messages.values()}) == 1


@pytest.mark.parametrize("text", cases("equations", outcome="reject"))
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_rejected_is_not_written(text, suffix):
    put(HEAD + spelled(text))
    rejected("show", "bad.cell", "-o", f"out{suffix}")
    Path(f"out{suffix}").write_bytes(OLD)
    rejected("show", "bad.cell", "--force", "-o", f"out{suffix}")
    assert Path(f"out{suffix}").read_bytes() == OLD


@pytest.mark.parametrize("text", cases("equations", outcome="accept"))
def test_equations_are_accepted(text):
    put(HEAD + spelled(text))
    assert CliRunner().invoke(app, ["show", "bad.cell", "--no-prove"]).exit_code == 0
    for suffix in SUFFIXES:
        assert derive("show", "bad.cell", "--no-prove", "--only", "definition", "-o", f"out{suffix}").exit_code == 0
        assert Path(f"out{suffix}").stat().st_size > 3800  # 1900 terms


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", cases("name", outcome="reject"))
def test_names_are_rejected_wherever_they_are_given(name):
    name = spelled(name)
    put(f"{HEAD}c = x * {name}\nh = c")
    assert rejected("show", "bad.cell").startswith("bad.cell: line 4")
    put(f"{HEAD}param {name}\nc = x\nh = c")
    assert rejected("show", "bad.cell").startswith("bad.cell: line 4")
    assert rejected("show", "rnn", "--rename", f"b_h={name}").startswith("renaming b_h: ")
    assert rejected("same", "rnn", "rnn", "--rename", f"b_h={name}").startswith("renaming b_h: ")
    put(NOTEBOOK.replace('W_xf = "W_xh"', f'W_xf = "{name}"'), "bad.toml")
    assert rejected("walkthrough", "bad.toml").startswith("bad.toml: renaming W_xf: ")
    assert rejected("diff", "rnn", "h", "--wrt", name)
    assert rejected("diff", "rnn", name, "--wrt", "x")


@pytest.mark.parametrize("name", cases("name", outcome="accept"))
@pytest.mark.parametrize("format_", FORMATS)
def test_ordinary_names_are_accepted(name, format_):
    put(f"{HEAD}c = x * {name}\nh = c")
    for extra in ((), ("--vector",), ("--fragment",), ("--notation", "bar")):
        result = derive("show", "bad.cell", "--no-prove", "--format", format_, *extra)
        assert result.exit_code == 0
        assert re.search(rf"\\gamma\b|\b{name}\b" if name == "gamma" else "y" if name == "y0" else name, result.stdout)
    assert derive("show", "rnn", "--no-prove", "--rename", f"b_h={name}", "--format", format_).exit_code == 0
    assert derive("diff", "bad.cell", "h", "--wrt", name, "--no-check", "--format", format_).exit_code == 0


@pytest.mark.parametrize("pair", cases("names_pair"))
@pytest.mark.parametrize("format_", FORMATS)
def test_names_that_look_alike_are_kept_apart(pair, format_):
    one, other = pair
    put(f"{HEAD}c = {one} * x\nh = {other} * h_prev + c")
    swapped = f"{HEAD}c = {other} * x\nh = {one} * h_prev + c"
    first = derive("show", "bad.cell", "--no-prove", "--format", format_)
    put(swapped)
    second = derive("show", "bad.cell", "--no-prove", "--format", format_)
    assert first.exit_code == second.exit_code == 0
    assert first.stdout != second.stdout  # they do not look the same on the page
    if format_ in ("latex", "markdown"):
        assert {"W_{h,f}", "W_{hf}"} <= set(re.findall(r"W_\{[^}]*\}", first.stdout))


@pytest.mark.parametrize("name", cases("cell_name_in_file"))
def test_a_cell_is_not_called_like_a_path(name):
    put(f"cell {name}\ninput x\nstate h\nh = x")
    assert rejected("show", "bad.cell").startswith("bad.cell: line 1")
    rejected("show", name)
    put(NOTEBOOK.replace('cell = "lstm"', f"cell = {json.dumps(name)}"), "bad.toml")
    assert rejected("walkthrough", "bad.toml").startswith("bad.toml: ")


def test_a_link_to_somebody_elses_file_is_not_written_through(tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "passwd"
    elsewhere.write_bytes(OLD)
    Path("link.tex").symlink_to(elsewhere)
    for force in ([], ["--force"]):
        assert "link.tex is a link to " in rejected("show", "rnn", "-o", "link.tex", *force)
    assert elsewhere.read_bytes() == OLD


@pytest.mark.parametrize("what", cases("cell_py"))
def test_a_python_file_is_read_as_text_and_never_run(what):
    assert "Python file" in what
    put("open('HARMED', 'w')\ndef cell(x, h): return x", "mine.py")
    for name in ("mine.py", "mine.py:cell"):
        for args in (
            ("show", name),
            ("check", name),
            ("same", name, "rnn"),
            ("flow", name),
            ("diff", name, "h", "--wrt", "x"),
        ):
            assert rejected(*args).startswith("mine.py: line 2, column 1: no state is carried: ")
    put("open('HARMED', 'w')\nfrom math import tanh\ndef cell(x, h_prev): return tanh(x + h_prev)", "mine.py")
    shown = derive("show", "mine.py:cell")
    assert shown.exit_code == 0
    assert "Read from mine.py; it was not run." in shown.stdout
    assert not Path("HARMED").exists()


# --- options and walkthroughs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", cases("cli"))
def test_options_beyond_reason_are_rejected(typed):
    option, number = typed.split()
    assert option == "--steps"
    for args in (("flow", option, number), ("show", "rnn", "--unroll", number),
                 ("diff", "rnn", "h", "--wrt", "x", "--at", "notebook", "--step", number)):  # fmt: skip
        result = derive(*args)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert number in result.stderr
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize("text", cases("toml"))
def test_a_walkthrough_is_rejected(text):
    for whole in (spelled(text), NOTEBOOK + spelled(text), spelled(text) + "\n" + NOTEBOOK):
        put(whole, "bad.toml")
        said = rejected("walkthrough", "bad.toml")
        assert re.match(r"bad\.toml(: (line \d+: )?\S| is longer than 200 kB)", said)
        assert rejected("diff", "lstm", "h", "--wrt", "x", "--at", "bad.toml") == said
        assert rejected("flow", "--at", "bad.toml") == said


def test_a_mistake_in_toml_is_told_in_a_line_that_fits():
    """A key of any length may be declared twice: what TOML's reader says of it is cut, and where it stands is not."""
    put(f"[0.{'9' * 5000}]\n[0.{'9' * 5000}]\n", "bad.toml")
    said = rejected("walkthrough", "bad.toml")
    assert said.startswith("bad.toml: not TOML: Cannot declare ('0', '99")
    assert said.endswith("... (at line 2, column 5004)")
    assert len(said) < 200


@pytest.mark.parametrize("value", cases("values", outcome="reject"))
def test_a_value_that_is_no_number_is_rejected(value):
    put(NOTEBOOK.replace("b_o = 0.5", f"b_o = {value}"), "bad.toml")
    assert rejected("walkthrough", "bad.toml").startswith(("bad.toml: parameters.b_o: ", "bad.toml: not TOML: "))
    put(NOTEBOOK.replace("b_o = 0.5", f'b_o = "{value}"'), "bad.toml")
    assert rejected("walkthrough", "bad.toml") == f"bad.toml: parameters.b_o: the text '{value}' is not a number"
    put(NOTEBOOK.replace("x = [1.0,", f"x = [{value},"), "bad.toml")
    assert rejected("walkthrough", "bad.toml").startswith(("bad.toml: inputs.x[0]: ", "bad.toml: not TOML: "))


@pytest.mark.parametrize("what", cases("values", outcome="accept"))
@pytest.mark.parametrize("format_", FORMATS)
def test_a_value_that_saturates_is_accepted_and_said(what, format_):
    value = what.split()[0].removeprefix("x=")
    put(NOTEBOOK.replace("[1.0, 5.0, 7.0, 4.0]", f"[{', '.join([value] * 4)}]"), "bad.toml")
    result = derive("walkthrough", "bad.toml", "--no-check", "--format", format_)
    assert result.exit_code == 0
    assert "beyond 100 at every step: these gates are saturated" in result.stderr
    assert "at every step" in result.stdout


# --- titles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", cases("title"))
def test_a_title_is_text_and_no_more_in_every_format(title):
    put(HEAD.replace("cell bad", f'cell bad "{title}"') + "gate: c = x\nh = c")
    put(NOTEBOOK.replace("A scalar LSTM in four steps", json.dumps(title)[1:-1]), "bad.toml")
    checks: dict[str, Callable[[str], list[str]]] = {
        "text": text_faults, "latex": latex_faults, "markdown": markdown_faults, "json": lambda text: json.loads(text) and [],
    }  # fmt: skip
    commands = [("show", "bad.cell"), ("show", "bad.cell", "--fragment"), ("walkthrough", "bad.toml", "--no-check"),
                ("show", "bad.cell", "--jacobian"), ("diff", "bad.cell", "h", "--wrt", "x", "--no-check"),
                ("same", "bad.cell", "bad.cell"), ("flow", "bad.cell", "--steps", "5")]  # fmt: skip
    for args in commands:
        for format_, faults in checks.items():
            result = derive(*args, "--format", format_)
            assert result.exit_code == 0, (args, format_, result.output)
            assert faults(result.stdout) == [], (args, format_)
            assert result.stdout.isascii() or format_ in ("text", "markdown")
    assert json.loads(derive("show", "bad.cell", "--format", "json").stdout)["title"] == title


# --- kinks, and a kill in the middle ------------------------------------------------------------------------------


@pytest.mark.parametrize("what", cases("tie"))
@pytest.mark.parametrize("format_", ["text", "latex", "markdown"])
def test_a_tie_is_accepted_and_its_convention_stated(what, format_):
    assert what == "relu(0), max(a,a)"
    for text, function in (("relu(0 * x)", "relu"), ("max(x, x)", "max"), ("relu(0)", "relu")):
        put(f"{HEAD}c = {text} + x\nh = c")
        result = derive("show", "bad.cell", "--format", format_)
        assert result.exit_code == 0
        stated = FUNCTIONS[function].kink.split(",")[0]
        plain = re.sub(r"\\ensuremath\{(.)\}|[$\\]", r"\1", result.stdout)
        assert stated in " ".join(plain.split()), (stated, plain)


@pytest.mark.parametrize("what", cases("crash"))
def test_a_kill_or_a_full_disk_in_the_middle_leaves_the_old_file(what, tmp_path):
    assert what == "kill -9 or disk full in the middle of writing"
    path = tmp_path / "file.txt"
    path.write_bytes(OLD)
    kill(start("halves", path))
    assert path.read_bytes() == OLD
    full = subprocess.run(
        [sys.executable, "-c", NO_ROOM, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert full.returncode == 2
    assert "cannot write" in full.stderr
    assert path.read_bytes() == OLD  # and what the killed one left is gone: the folder is looked at below
