"""What `derive mark` writes of sheets: records, tables, feedback, and what it says at the terminal."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from derivations import mark
from derivations.__main__ import app
from derivations.reports import mark as report
from tests.fuzz.inert import csv_faults, markdown_with_code_faults
from tests.marking.marks import marked

HOMEWORK = "do = dh*tanh(c)\ndf = dc*c_prev\nda_f = df*f\n"


def test_the_record_has_what_programs_rely_on():
    data = mark(HOMEWORK, "lstm", points=2).data
    (file,) = data["files"]
    assert data["schema"] == "derivations/mark/1"
    assert (file["right"], file["of"], file["points"]) == (2, 3, 4)
    assert file["lines"][2]["verdict"] == "WRONG"
    assert file["lines"][2]["correct"] == "da_f = df*f*(1 - f)"
    assert {"line", "text", "quantity", "verdict", "mistake", "correct"} <= file["lines"][0].keys()
    assert file["not_given"]


def test_the_command_marks_a_class(tmp_path):
    (tmp_path / "anna.txt").write_text(HOMEWORK)
    (tmp_path / "ben.tex").write_text(r"\[ \delta c_{t-1} = \delta c_t \odot f_t \]")
    (tmp_path / "bad.py").write_text("def (")
    runner = CliRunner()
    files = [str(tmp_path / name) for name in ("anna.txt", "ben.tex")]
    table, folder = tmp_path / "t.csv", tmp_path / "feedback"
    args = ["mark", *files, "--cell", "lstm", "--points", "2", "--csv", str(table), "--feedback", str(folder)]
    found = runner.invoke(app, args)
    assert found.exit_code == 1
    assert "the factor (1 - f) is missing" in found.output
    assert table.read_text().splitlines()[1].startswith(f"{files[0]},2,3,1,")
    assert "right is `da_f = df*f*(1 - f)`" in (folder / "anna.md").read_text()
    assert runner.invoke(app, ["mark", files[1], "--cell", "lstm"]).exit_code == 0
    assert runner.invoke(app, ["mark", str(tmp_path / "bad.py"), "--cell", "lstm"]).exit_code == 2
    results = tmp_path / "results.json"
    assert runner.invoke(app, ["mark", files[0], "--cell", "lstm", "--gradescope", str(results)]).exit_code == 1
    tests = json.loads(results.read_text())["tests"]
    assert [test["status"] for test in tests] == ["passed", "passed", "failed"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", " =1", "\r=1"])
def test_a_table_holds_no_formula_of_a_spreadsheet(name):
    written = report.table([report.Sheet(name, None, name)])
    assert not csv_faults(written)
    assert csv_faults(f"file\n{name}\n")  # what would be found


def test_feedback_shows_what_a_name_holds_and_does_nothing_of_it():
    hostile = report.Sheet("<img src=x>`*a*`$x$", replace(marked("da_f = dc*f"), reading=("`<b>`",)))
    written = report.feedback(hostile, 1)
    assert not markdown_with_code_faults(written)
    assert "&lt;img src=x&gt;" in written
    assert markdown_with_code_faults("# <img src=x> $x$ *a*")


def test_a_file_that_cannot_be_read_has_no_numbers_and_names_itself_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bad.py").write_text("def (")
    Path("good.txt").write_text("df = dc*c_prev\ndc = dh*o*(1-tanh(c)^2)")
    said = CliRunner().invoke(app, ["mark", "bad.py", "good.txt", "--cell", "lstm"]).output
    assert "\nline 1, column 5: this is not Python: invalid syntax\n" in said
    assert "bad.py        -   -" in said
    assert "2 of 2 right (1 of them truncated)." in said


def test_a_notebook_is_read_as_its_code(tmp_path):
    source = ["%matplotlib inline\n", "import numpy as np\n", "df = dc * c_prev"]
    cells = {"cells": [{"cell_type": "code", "source": source}]}
    (tmp_path / "n.ipynb").write_text(json.dumps(cells))
    found = CliRunner().invoke(app, ["mark", str(tmp_path / "n.ipynb"), "--cell", "lstm"])
    assert found.exit_code == 0
    assert "1 of 1 right" in found.output


def test_marking_is_shown_in_80_columns(capsys):
    text = repr(mark(HOMEWORK, "lstm"))
    assert all(len(line) <= 100 for line in text.splitlines())
