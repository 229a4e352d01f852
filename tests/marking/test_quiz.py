"""Sheets to fill in or to correct: what is right in them, what is planted, and what their key says."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from derivations import quiz as quiz_of
from derivations.__main__ import app
from derivations.catalogue import read_cell
from derivations.cell import CellError
from derivations.marking.marked import Verdict
from derivations.marking.quiz import Quiz, quiz
from derivations.reports import quiz as quizzes
from tests.fuzz.inert import markdown_faults
from tests.marking.marks import CELLS, marked


@pytest.mark.parametrize("cell", [*CELLS, "lnlstm"])
@pytest.mark.parametrize("kind", ["markdown", "latex"])
def test_a_sheet_that_is_filled_from_its_key_is_all_right(cell, kind):
    made = quiz(read_cell(cell), blank=4, seed=3)
    filled = Quiz(made.cell, tuple(replace(q, shown=q.step.rhs) for q in made.questions), made.seed)
    write = quizzes.markdown if kind == "markdown" else quizzes.latex
    notation = "text" if kind == "markdown" else "latex"
    empty = marked(write(made), cell, notation)
    found = marked(write(filled), cell, notation)
    assert sum(m.verdict is Verdict.UNREADABLE for m in empty.marks) >= 4
    if cell != "lnlstm":  # whose lines speak of sizes, which a sheet has no words for
        assert {m.verdict for m in found.marks} == {Verdict.RIGHT}
    assert not found.wrong
    assert len(found.marks) == len(made.questions)


@pytest.mark.parametrize("cell", CELLS)
def test_planted_mistakes_are_found_where_they_were_planted(cell):
    made = quiz(read_cell(cell), mistakes=3, seed=5)
    found = marked(quizzes.markdown(made), cell, "text")
    planted = [f"d{q.step.wrt}" for q in made.questions if q.mistake]
    assert [m.text.split(" = ")[0] for m in found.marks if m.verdict is Verdict.WRONG] == planted
    assert len(planted) == 3


def test_a_quiz_is_the_same_for_the_same_seed():
    first, again, other = (quizzes.record(quiz(read_cell("lstm"), blank=5, seed=s)) for s in (1, 1, 2))
    assert first == again
    assert first["lines"] != other["lines"]


@pytest.mark.parametrize("asked", [{}, {"blank": 1, "mistakes": 1}, {"blank": 100}, {"mistakes": 100}])
def test_what_no_sheet_can_be_made_of_is_said(asked):
    with pytest.raises(CellError):
        quiz(read_cell("rnn"), **asked)


def test_the_title_of_a_quiz_is_no_markup():
    cell = replace(read_cell("rnn"), title=r"}\input{x} <b> *a* & 50% of_it")
    made = quiz(cell, blank=1)
    assert not markdown_faults(quizzes.markdown(made).partition("\n")[0])
    assert r"\textbackslash{}input\{x\}" in quizzes.latex(made)


def test_the_command_writes_a_sheet_and_its_key(tmp_path):
    sheet, answers = tmp_path / "sheet.md", tmp_path / "key.md"
    args = ["quiz", "lstm", "--blank", "3", "-o", str(sheet), "--key", str(answers)]
    assert CliRunner().invoke(app, args).exit_code == 0
    assert sheet.read_text().count("____") == 3
    assert answers.read_text().count("\n- ") == 3
    assert quiz_of("lstm", blank=3)["lines"]
