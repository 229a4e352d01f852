"""Input that is wrong or means harm, case by case: what must become of each is in `bad_inputs.json`.

What is rejected is rejected at once, with one line that says where and what; nothing that a text holds is run.
"""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from derivations.catalogue import WALKTHROUGHS, read_cell
from derivations.cell import CellError, kinks
from derivations.derive import derive
from derivations.expression import evaluate
from derivations.floats import FLOATS
from derivations.functions import FUNCTIONS
from derivations.language import read
from derivations.reading import reading
from derivations.walkthrough import parse, replay
from tests.test_output import OLD, start

CASES = json.loads(Path(__file__).with_name("bad_inputs.json").read_text(encoding="utf-8"))
HEAD = "cell bad\ninput x\nstate h, c\n"
NOTEBOOK = (WALKTHROUGHS / "notebook.toml").read_text()
PATIENCE = 0.5  # seconds


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


def rejected(attempt: Callable[[], object]) -> str:
    """The message of a rejection: one line, at once."""
    began = time.process_time()
    with pytest.raises(CellError) as wrong:
        attempt()
    assert time.process_time() - began < PATIENCE
    message = str(wrong.value)
    assert message.strip()
    assert "\n" not in message
    assert "Traceback" not in message
    assert len(message) < 300
    assert message.isprintable()
    return message


@pytest.fixture(autouse=True)
def nothing_is_run(tmp_path, monkeypatch):
    """Each case runs in an empty folder, which stays empty but for what the case itself puts there."""
    read(HEAD + "c = x\nh = c")  # the parser is built once a process; its time is not the input's
    monkeypatch.chdir(tmp_path)
    yield
    assert {path.name for path in tmp_path.iterdir()} <= {"file.txt"}


def test_every_case_is_tried():
    tried = {"equations", "name", "names_pair", "cell_name_in_file", "toml", "values", "title", "tie", "crash"}
    assert {case["surface"] for case in CASES} == tried
    assert len({case["id"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("text", cases("equations", outcome="reject"))
def test_equations_are_rejected(text):
    assert rejected(lambda: read(HEAD + spelled(text))).startswith("line ")


@pytest.mark.parametrize("text", cases("equations", outcome="accept"))
def test_equations_are_accepted(text):
    began = time.process_time()
    derivation = derive(read(HEAD + spelled(text)))
    assert time.process_time() - began < PATIENCE
    assert derivation.adjoint_of["x"].terms


@pytest.mark.parametrize("name", cases("name", outcome="reject"))
def test_names_are_rejected(name):
    rejected(lambda: read(f"{HEAD}c = x * {spelled(name)}\nh = c"))
    rejected(lambda: read(f"{HEAD}param {spelled(name)}\nc = x\nh = c"))


@pytest.mark.parametrize("name", cases("name", outcome="accept"))
def test_ordinary_names_are_accepted(name):
    cell = read(f"{HEAD}c = x * {name}\nh = c")
    assert cell.parameters == (name,)
    assert derive(cell).adjoint_of[name].terms


@pytest.mark.parametrize("pair", cases("names_pair"))
def test_names_that_look_alike_are_kept_apart(pair):
    one, other = pair
    derivation = derive(read(f"{HEAD}c = {one} @ x\nh = {other} @ h_prev + c"))
    assert derivation.cell.parameters == (one, other)
    assert derivation.adjoint_of[one].rhs != derivation.adjoint_of[other].rhs
    assert derivation.cell.shapes[one] != derivation.cell.shapes[other]


@pytest.mark.parametrize("name", cases("cell_name_in_file"))
def test_a_cell_is_not_called_like_a_path(name):
    rejected(lambda: read(f"cell {name}\ninput x\nstate h\nh = x"))
    rejected(lambda: read_cell(name))


@pytest.mark.parametrize("text", cases("toml"))
def test_a_walkthrough_is_rejected(text):
    rejected(lambda: parse(spelled(text), "bad"))
    rejected(lambda: parse(NOTEBOOK + spelled(text), "bad"))


@pytest.mark.parametrize("value", cases("values", outcome="reject"))
def test_a_value_that_is_no_number_is_rejected(value):
    assert "parameters.b_o: " in rejected(lambda: parse(NOTEBOOK.replace("b_o = 0.5", f"b_o = {value}"), "bad"))
    assert "inputs.x[0]: " in rejected(lambda: parse(NOTEBOOK.replace("x = [1.0,", f"x = [{value},"), "bad"))


@pytest.mark.parametrize("value", cases("values", outcome="accept"))
def test_a_value_that_saturates_is_accepted_and_said(value):
    series = ", ".join([value] * 4)
    run = replay(parse(NOTEBOOK.replace("[1.0, 5.0, 7.0, 4.0]", f"[{series}]"), "saturated"))
    said = " ".join(reading(run))
    assert "at every step" in said


@pytest.mark.parametrize("title", cases("title"))
def test_a_title_is_text_and_no_more(title):
    plain = read(f"{HEAD}c = x\nh = c")
    titled = read(HEAD.replace("cell bad", f'cell bad "{title}"') + "c = x\nh = c")
    assert titled.title == title  # to escape it is for each format
    assert titled.equations == plain.equations


@pytest.mark.parametrize("pair", cases("tie"))
def test_a_tie_is_accepted_and_its_convention_stated(pair):
    for text in pair:
        cell = read(f"{HEAD}c = {text}\nh = c")
        (convention,) = kinks(cell)
        assert convention in (FUNCTIONS["relu"].kink, FUNCTIONS["max"].kink)
        derivation = derive(cell)
        values = dict.fromkeys(cell.shapes, 0.0) | {"dc": 1.0, "dh": 1.0}
        for step in derivation.adjoints:
            if step.wrt not in ("h", "c"):
                values[f"d{step.wrt}"] = evaluate(step.rhs, values | {"dh_prev": 0.0, "dc_prev": 0.0}, FLOATS)
        assert values["dx"] == {"relu(0 * x)": 0.0, "max(x, x)": 1.0}[text]  # one half twice


@pytest.mark.parametrize("stop", cases("crash"))
def test_a_kill_in_the_middle_leaves_a_whole_file(stop, tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(OLD)
    writer = start(stop, path)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    assert path.read_bytes() == OLD
    for beside in tmp_path.glob(".file.txt.*"):  # what a kill leaves is hidden, and in nobody's way
        beside.unlink()
