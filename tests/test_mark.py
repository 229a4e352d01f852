"""Hand derivations, marked: right lines are never called wrong, wrong ones never right, and the mistake is named."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from derivations import mark
from derivations import quiz as quiz_of
from derivations.__main__ import app
from derivations.catalogue import read_cell
from derivations.cell import CellError
from derivations.expression import Adjoint, walk
from derivations.language import read
from derivations.marking.course import course_of
from derivations.marking.mark import mark_sheet
from derivations.marking.marked import Verdict
from derivations.marking.quiz import Quiz, quiz
from derivations.marking.sheets import read_sheet
from derivations.mutants import mutants
from derivations.notation import for_names
from derivations.plain import code
from derivations.program import backward_program
from derivations.reports import mark as report
from derivations.reports import quiz as quizzes
from derivations.typeset import to_latex
from tests.fuzz.inert import csv_faults, markdown_faults, markdown_with_code_faults
from tests.patience import in_time

SHEETS = Path(__file__).with_name("sheets")
COURSES = {name: course_of(read_cell(name)) for name in ("lstm", "gru", "rnn")}
PEEPHOLE = """cell peephole
input x
state h, c
f = sigmoid(W_xf @ x + W_hf @ h_prev + p_f * c_prev + b_f)
i = sigmoid(W_xi @ x + W_hi @ h_prev + p_i * c_prev + b_i)
g = tanh(W_xg @ x + W_hg @ h_prev + b_g)
c = f * c_prev + i * g
o = sigmoid(W_xo @ x + W_ho @ h_prev + p_o * c + b_o)
h = o * tanh(c)
"""


def rows(name):
    text = (SHEETS / name).read_text(encoding="utf-8")
    return [[part.strip() for part in row.split(" | ")] for row in text.splitlines() if not row.startswith("#")]


def marked(text, cell="lstm", notation=""):
    return mark_sheet(read_sheet(text, notation), COURSES[cell])


def only(text, cell="lstm", notation=""):
    (found,) = marked(text, cell, notation).marks
    return found


def wrong(found):
    return {m.line: m.mistake for m in found.marks if m.verdict is Verdict.WRONG}


# --- lines as people write them --------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell", "line"), rows("right.txt"))
def test_a_right_line_is_never_called_wrong(cell, line):
    verdicts = {found.verdict for found in marked(line, cell).marks}
    assert verdicts <= {Verdict.RIGHT, Verdict.UNSURE}


def test_nearly_every_right_line_is_called_right():
    found = [marked(line, cell).marks[-1].verdict for cell, line in rows("right.txt")]
    assert len(found) >= 120
    assert found.count(Verdict.RIGHT) >= 0.95 * len(found)


@pytest.mark.parametrize(("cell", "line", "verdict", "mistake"), rows("wrong.txt"))
def test_the_mistake_of_a_wrong_line_is_named(cell, line, verdict, mistake):
    found = only(line, cell)
    assert (found.verdict.value, found.mistake) == (verdict, mistake)


@pytest.mark.parametrize("cell", [*COURSES, "peephole"])
def test_what_the_derivation_says_is_right_in_text_and_in_latex(cell):
    course = COURSES.get(cell) or course_of(read(PEEPHOLE))
    notation = for_names(course.cell.parameters, course.cell.shapes, view="vector")
    for step in course.derivation.adjoints:
        for text, kind in (
            (f"d{step.wrt} = {code(step.rhs)}", "text"),
            (f"{to_latex(step.lhs, notation)} = {to_latex(step.rhs, notation)}", "latex"),
        ):
            (found,) = mark_sheet(read_sheet(text, kind), course).marks
            assert found.verdict is Verdict.RIGHT, text


@pytest.mark.parametrize("cell", [*COURSES, pytest.param("peephole", marks=pytest.mark.long)])
def test_no_mutant_of_a_line_is_called_right_and_each_is_explained(cell):
    course = COURSES.get(cell) or course_of(read(PEEPHOLE))
    right = dict(backward_program(course.derivation).adjoints)
    count = 0
    for mutant in mutants(course.derivation):
        expr = dict(mutant.program.adjoints).get(mutant.of)
        if expr is None or expr == right[mutant.of] or "off by" in mutant.mistake or "ones(" in code(expr):
            continue
        (found,) = mark_sheet(read_sheet(f"{mutant.of} = {code(expr)}", "text"), course).marks
        assert found.verdict in (Verdict.WRONG, Verdict.TRUNCATED, Verdict.UNSURE), mutant.mistake
        # What holds no adjoint may be meant as a slope, and what is but a part of one may be cut on purpose.
        slope = not any(isinstance(node, Adjoint) for node in walk(expr))
        assert found.verdict is not Verdict.UNSURE or slope or mutant.of in ("dh", "dL"), mutant.mistake
        assert found.mistake
        assert "no single change" not in found.mistake
        count += 1
    assert count > 20


# --- readings ----------------------------------------------------------------------------------------------------


def test_the_meaning_of_a_name_is_decided_by_proof():
    at_gate = marked("df = dc*c_prev\nda_f = df*f*(1-f)")
    before_it = marked("df = dc*c_prev*f*(1-f)\ndb_f = df")
    assert [m.quantity for m in at_gate.marks] == ["df", "da_f"]
    assert [m.quantity for m in before_it.marks] == ["da_f", "db_f"]
    assert not wrong(at_gate)
    assert not wrong(before_it)
    assert "df is da_f" in before_it.reading


def test_a_mistake_is_charged_once_where_it_was_made():
    found = marked("df = dc*c\nda_f = df*f*(1-f)\ndW_hf = outer(da_f, h_prev)\ndW_xf = outer(da_f, x)")
    assert list(wrong(found)) == [1]
    assert (found.right, found.of) == (3, 4)


def test_an_intermediate_of_their_own_is_no_quantity_and_may_be_used():
    found = marked("s = 1 - f\nk = dc*c_prev\nda_f = k*f*s")
    assert [m.verdict for m in found.marks] == [Verdict.OTHER, Verdict.OTHER, Verdict.RIGHT]


def test_a_slope_under_the_name_of_an_error_is_no_mistake():
    found = marked("df = f*(1-f)\nda_f = dc*c_prev*df")
    assert not wrong(found)
    assert found.marks[1].verdict is Verdict.RIGHT


def test_an_unknown_helper_makes_unsure_unless_one_reading_is_right():
    assert only("da_f = dc*c_prev*dsigmoid(f)").verdict is Verdict.RIGHT
    assert only("da_f = dc*c_prev*dsigmoid(a_f)").verdict is Verdict.RIGHT
    assert only("da_f = dc*c*dsigmoid(f)").verdict is Verdict.UNSURE


def test_a_name_that_nobody_knows_makes_unsure_and_a_names_section_settles_it():
    line = "da_f = dc*qux*f*(1-f)*zap"
    assert only(line).verdict is Verdict.UNSURE
    assert only(f"names: qux = c_prev, zap = f\n{line}").verdict is Verdict.WRONG
    assert only("names: qux = c_prev\nda_f = dc*qux*f*(1-f)").verdict is Verdict.RIGHT


def test_a_names_section_that_names_nothing_of_the_cell_is_an_error():
    with pytest.raises(CellError, match="zzz"):
        marked("names: df = zzz\ndf = dc")


def test_a_transposition_does_not_hide_in_another_layout():
    assert only("dh_prev = W_hh @ da_h", "rnn").verdict is Verdict.WRONG
    assert only("dh_prev = da_h @ W_hh.T", "rnn").verdict is Verdict.UNSURE  # right for rows


def test_a_gradient_without_what_comes_back_is_truncated_unless_the_sheet_speaks_of_it():
    line = "dc = dh*o*(1-tanh(c)**2)"
    assert only(line).verdict is Verdict.TRUNCATED
    assert list(wrong(marked(f"{line}\ndh = dh_out + dh_next"))) == [1]


def test_what_has_three_indices_is_unsure():
    found = marked("dc/dW_xf = c_prev*f*(1-f)*0.3\ndh_t/dc_{t-1} = o*(1-tanh(c)^2)*f")
    assert [m.verdict for m in found.marks] == [Verdict.UNSURE, Verdict.RIGHT]
    assert found.marks[0].mistake == "dc/dW_xf has more than two indices"


@pytest.mark.parametrize("item", ["1) ", "(2) ", "3. ", "(a) ", "- ", "* ", "• "])
def test_lines_may_be_numbered(item):
    found = only(f"{item}da_f = dc*c_prev*f*(1-f)")
    assert (found.verdict, found.quantity) == (Verdict.RIGHT, "da_f")


@pytest.mark.parametrize(
    ("line", "notation"),
    [("da_f = ____", "text"), ("da_f =", "text"), ("da_f = ...", "text"), (r"$\delta f = \underline{\hspace{4cm}}$", "latex"),
     (r"$\delta f = $", "latex"), (r"$\delta f = \dots$", "latex")],
)  # fmt: skip
def test_what_is_left_blank_is_said_to_be(line, notation):
    found = only(line, notation=notation)
    assert (found.verdict, found.mistake) == (Verdict.UNREADABLE, "this is left blank")


def test_two_mistakes_get_a_counter_example_in_numbers():
    found = only("da_f = dc*c*f")
    assert found.mistake.count(";") == 1
    assert "is right" in found.example


def test_what_no_change_explains_says_so_with_numbers():
    found = only("da_f = dc*c_prev*f*(1-f) + 7*o*dc")
    assert found.verdict is Verdict.WRONG
    assert "too much" in found.mistake or "no single change" in found.mistake


def test_the_right_line_is_in_their_names():
    assert only("dft = dct*c_prev*ft*(1+ft)").correct == "dft = dct*c_prev*ft*(1 - ft)"


def test_quantities_that_are_left_out_are_listed():
    assert "dW_xf" in marked("da_f = dc*c_prev*f*(1-f)").not_given


# --- programs ----------------------------------------------------------------------------------------------------

PROGRAMS = {"lstm_time": "lstm", "lstm_cell": "lstm", "cs231n": "lstm", "rnn": "rnn", "gru": "gru"}


def program(name, *edits):
    text = (SHEETS / f"{name}.txt").read_text(encoding="utf-8")
    where = []
    for old, new in edits:
        assert text.count(old) >= 1, old
        where.append(text[: text.index(old)].count("\n") + 1)
        text = text.replace(old, new, 1)
    return marked(text, PROGRAMS[name], "python"), where


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_right_program_is_right_in_every_line(name):
    found, _ = program(name)
    counted = [m.verdict for m in found.marks if m.verdict is not Verdict.OTHER]
    assert len(counted) >= 6
    assert set(counted) == {Verdict.RIGHT}


WITHOUT_FAULT = {"karpathy": "rnn", "coursera_rnn": "rnn", "gru_class": "gru", "lstm_rows": "lstm"}


@pytest.mark.parametrize("name", WITHOUT_FAULT)
def test_a_program_that_also_does_other_things_has_no_wrong_line(name):
    text = (SHEETS / f"{name}.txt").read_text(encoding="utf-8")
    found = marked(text, WITHOUT_FAULT[name], "python")
    assert not wrong(found)
    assert found.right >= 6


@pytest.mark.parametrize(("name", "cell"), [("paper.tex", "lstm"), ("other_way.txt", "gru")])
def test_a_sheet_in_the_convention_of_another_paper_is_right(name, cell):
    found = marked((SHEETS / name).read_text(encoding="utf-8"), cell)
    assert {m.verdict for m in found.marks} == {Verdict.RIGHT}


def test_one_line_the_other_way_round_is_a_mistake_and_no_convention():
    assert only("dn = dh*z", "gru").mistake == "z where 1 - z is due"


PLANTED = [
    ("lstm_time", "dh = dh_out[t] + dh_next", "dh = dh_out[t]", "the carry"),
    ("lstm_time", "dc = dc_next + dh", "dc = dh", "the carry"),
    ("lstm_time", "df = dc * c_prev", "df = dc * c", "c of this step"),
    ("lstm_time", "di = dc * g", "di = dc * i", "i where g is due"),
    ("lstm_time", "da_f = df * f * (1 - f)", "da_f = df * f", "(1 - f) is missing"),
    ("lstm_time", "da_g = dg * (1 - g**2)", "da_g = dg * (1 - np.tanh(g)**2)", "tanh' at g"),
    ("lstm_time", "np.outer(da_f, hs[t-1])", "np.outer(da_f, hs[t])", "of this step where hs[t-1] is due"),
    ("lstm_time", "np.outer(da_f, hs[t-1])", "np.outer(hs[t-1], da_f)", "the wrong way round"),
    ("lstm_time", "dW_xf += np.outer(da_f, xs[t])", "dW_xf = np.outer(da_f, xs[t])", "must accumulate"),
    ("lstm_time", "db_i += da_i", "db_i += da_f", "da_f where da_i is due"),
    ("lstm_time", "db_i += da_i", "db_i = da_i", "must accumulate"),
    ("lstm_time", " + W_ho.T @ da_o", "", "-> a_o is missing"),
    ("lstm_time", "W_hf.T @ da_f", "W_hf @ da_f", "W_hf must be transposed"),
    ("lstm_time", "dc_next = dc * f", "dc_next = dc", "the factor f is missing"),
    ("lstm_time", "do = dh * np.tanh(c)", "do = dh * c", "tanh(c) is due"),
    ("cs231n", "dprev_c = dnext_c * f", "dprev_c = dnext_c * i", "i where f is due"),
    ("cs231n", "dx = da.dot(Wx.T)", "dx = da.dot(Wx)", "must be transposed"),
    ("cs231n", "dnext_c += dnext_h * o", "dnext_c += dnext_h", "the factor o is missing"),
    ("lstm_cell", "dcct = (dc_next * it", "dcct = (dc_next * ot", "ot where it is due"),
    ("lstm_cell", "* cct * da_next) * it * (1 - it)", "* cct * da_next) * it", "(1 - it) is missing"),
    ("lstm_cell", "dbf = np.sum(dft", "dbf = np.sum(dit", "dit where dft is due"),
    ("rnn", " + dhnext", "", "the carry"),
    ("rnn", "(1 - hs[t] * hs[t]) * dh", "(1 - hs[t]) * dh", "hs[t]**2 is due"),
    ("rnn", "np.dot(Whh.T, dhraw)", "np.dot(Whh, dhraw)", "Whh must be transposed"),
    ("rnn", "dbh += dhraw", "dbh += dh", "(1 - hs[t]**2) is missing"),
    ("gru", "dz = dh * (h_prev - ns[t])", "dz = dh * (ns[t] - h_prev)", "the sign is flipped"),
    ("gru", "dn = dh * (1 - zs[t])", "dn = dh * zs[t]", "where 1 - z"),
    ("gru", "dh_next = dh * zs[t]", "dh_next = dh * (1 - zs[t])", "1 - z"),
    ("gru", "dh_next += W_hr.T @ dar", "dh_next += W_hr @ dar", "W_hr must be transposed"),
    ("gru", "dq = dan * rs[t]", "dq = dan", "the factor rs[t] is missing"),
]


@pytest.mark.parametrize(("name", "old", "new", "words"), PLANTED)
def test_a_planted_mistake_is_found_and_charged_once(name, old, new, words):
    found, where = program(name, (old, new))
    assert list(wrong(found)) == where
    assert words in wrong(found)[where[0]]


def test_two_planted_mistakes_are_both_found():
    found, where = program(
        "lstm_time", ("df = dc * c_prev", "df = dc * c"), ("da_o = do * o * (1 - o)", "da_o = do * o")
    )
    assert list(wrong(found)) == where


def test_a_loop_that_leaves_out_a_step_is_one_mistake():
    found, _ = program("lstm_time", ("reversed(range(T))", "reversed(range(1, T))"))
    words = "the loop over time is too short: the first step is left out of the sum over time"
    assert list(wrong(found).values()) == [words]


def test_a_path_that_is_never_added_is_charged_to_the_last_line_of_the_sum():
    found, _ = program("gru", ("        dh_next += W_hn.T @ dq\n", ""))
    assert [words.split()[-3:] for words in wrong(found).values()] == [["qs[t]", "is", "missing"]]


def test_a_whole_backward_pass_is_marked_in_time():
    program("lstm_time")
    in_time(3, lambda: program("lstm_time", ("df = dc * c_prev", "df = dc * c * o")))


def test_the_body_of_a_function_without_its_head_is_marked():
    found = marked("import numpy as np\ndf = dc * c_prev\nreturn df")
    assert [m.verdict for m in found.marks] == [Verdict.RIGHT]


def test_the_place_of_what_cannot_be_read_is_said_once():
    (found,) = marked("import numpy as np\ndf = f[k:] * dc[:n]").marks
    assert found.mistake == "the ends of this part are not known numbers"
    assert (found.line, found.column) == (2, 8)


def test_code_is_never_run(tmp_path):
    trace = tmp_path / "trace"
    text = (
        f"import os\ndef f(dc, c_prev):\n    os.system('touch {trace}')\n    df = dc * c_prev\n    return eval('1')\n"
    )
    marked(text, notation="python")
    assert not trace.exists()


# --- hostile texts -------------------------------------------------------------------------------------------------

HOSTILE = {
    "empty": "",
    "long": "a" * 300_000,
    "unprintable": "\0\1\2 = 3",
    "lines": "x = 1\n" * 3000,
    "brackets": "df = " + "(" * 5000 + "f" + ")" * 5000,
    "towers": "df = ((f^8)^8)^8",
    "juxtaposed": "df = " + " ".join(["f"] * 1400),
    "minuses": "df = " + "-" * 1400 + "f",
    "exponent": "df = 1e999999",
    "digits": "df = " + "9" * 500,
    "zero": "df = 1/0",
    "equals": "=" * 10_000,
    "latex macro": r"\newcommand{\a}{\a\a} $x=\a\delta$",
    "latex doubling": r"\newcommand{\a}{xx}"
    + "".join(rf"\newcommand{{\{chr(98 + k)}}}{{\{chr(97 + k)}\{chr(97 + k)}}}" for k in range(20))
    + r"$\delta=\u$",
    "latex depth": "$df=" + r"\frac{" * 2000 + "f" + "}{2}" * 2000 + "$",
    "latex brace": r"$\delta={{{{{$",
    "latex environments": r"\begin{align}" * 1000,
    "python depth": "import np\nx = " + "(" * 5000 + "f" + ")" * 5000,
    "python loop": "def f(x):\n  for t in range(10**9):\n    x = x + 1",
    "python loops": "def b(x):\n" + "".join("  " * (k + 1) + f"for i{k} in range(9):\n" for k in range(8)) + "  " * 9 + "x = x*x",
    "python recursion": "def f(x):\n  y = f(x)\n  return y\nz = f(3)",
    "python squaring": "import numpy as np\nx0 = h\n" + "\n".join(f"x{k + 1} = x{k}*x{k}" for k in range(60)),
    "python power": "import numpy as np\ndf = f**100000000",
    "python text": "import numpy as np\ndf = 'a'*10**9",
    "of itself": "df = df",
    "a circle": "a = b\nb = a\ndf = a*b",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_refused_or_marked_in_half_a_second(name):
    try:
        found = in_time(0.5, lambda: marked(HOSTILE[name]))
    except CellError:
        found = None
    assert found is None or all(m.verdict is not Verdict.RIGHT for m in found.marks)


# --- reports -------------------------------------------------------------------------------------------------------

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
    hostile = report.Sheet(
        "<img src=x>`*a*`$x$", replace(mark_sheet(read_sheet("da_f = dc*f"), COURSES["lstm"]), reading=("`<b>`",))
    )
    written = report.feedback(hostile, 1)
    assert not markdown_with_code_faults(written)
    assert "&lt;img src=x&gt;" in written
    assert markdown_with_code_faults("# <img src=x> $x$ *a*")


def test_the_title_of_a_quiz_is_no_markup():
    cell = replace(read_cell("rnn"), title=r"}\input{x} <b> *a* & 50% of_it")
    made = quiz(cell, blank=1)
    assert not markdown_faults(quizzes.markdown(made).partition("\n")[0])
    assert r"\textbackslash{}input\{x\}" in quizzes.latex(made)


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


# --- quizzes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [*COURSES, "lnlstm"])
@pytest.mark.parametrize("kind", ["markdown", "latex"])
def test_a_sheet_that_is_filled_from_its_key_is_all_right(cell, kind):
    made = quiz(read_cell(cell), blank=4, seed=3)
    filled = Quiz(made.cell, tuple(replace(q, shown=q.step.rhs) for q in made.questions), made.seed)
    write = quizzes.markdown if kind == "markdown" else quizzes.latex
    notation = "text" if kind == "markdown" else "latex"
    course = COURSES.get(cell) or course_of(made.cell)
    empty = mark_sheet(read_sheet(write(made), notation), course)
    found = mark_sheet(read_sheet(write(filled), notation), course)
    assert sum(m.verdict is Verdict.UNREADABLE for m in empty.marks) >= 4
    if cell != "lnlstm":  # whose lines speak of sizes, which a sheet has no words for
        assert {m.verdict for m in found.marks} == {Verdict.RIGHT}
    assert not found.wrong
    assert len(found.marks) == len(made.questions)


@pytest.mark.parametrize("cell", COURSES)
def test_planted_mistakes_are_found_where_they_were_planted(cell):
    made = quiz(read_cell(cell), mistakes=3, seed=5)
    found = mark_sheet(read_sheet(quizzes.markdown(made), "text"), COURSES[cell])
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


def test_the_command_writes_a_sheet_and_its_key(tmp_path):
    sheet, answers = tmp_path / "sheet.md", tmp_path / "key.md"
    args = ["quiz", "lstm", "--blank", "3", "-o", str(sheet), "--key", str(answers)]
    assert CliRunner().invoke(app, args).exit_code == 0
    assert sheet.read_text().count("____") == 3
    assert answers.read_text().count("\n- ") == 3
    assert quiz_of("lstm", blank=3)["lines"]
