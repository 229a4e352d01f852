"""Hand derivations, marked: right lines are never called wrong, wrong ones never right, and the mistake is named."""

import pytest

from derivations.expression import Adjoint, walk
from derivations.marking.marked import Verdict
from derivations.mutants import mutants
from derivations.notation import for_names
from derivations.plain import code
from derivations.program import backward_program
from derivations.typeset import to_latex
from tests.marking.marks import CELLS, SHEETS, course_for, marked, only


def rows(name):
    text = (SHEETS / name).read_text(encoding="utf-8")
    return [[part.strip() for part in row.split(" | ")] for row in text.splitlines() if not row.startswith("#")]


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


@pytest.mark.parametrize("cell", [*CELLS, "peephole"])
def test_what_the_derivation_says_is_right_in_text_and_in_latex(cell):
    course = course_for(cell)
    notation = for_names(course.cell.parameters, course.cell.shapes, view="vector")
    for step in course.derivation.adjoints:
        for text, kind in (
            (f"d{step.wrt} = {code(step.rhs)}", "text"),
            (f"{to_latex(step.lhs, notation)} = {to_latex(step.rhs, notation)}", "latex"),
        ):
            (found,) = marked(text, cell, kind).marks
            assert found.verdict is Verdict.RIGHT, text


@pytest.mark.parametrize("cell", [*CELLS, pytest.param("peephole", marks=pytest.mark.long)])
def test_no_mutant_of_a_line_is_called_right_and_each_is_explained(cell):
    course = course_for(cell)
    right = dict(backward_program(course.derivation).adjoints)
    count = 0
    for mutant in mutants(course.derivation):
        expr = dict(mutant.program.adjoints).get(mutant.of)
        if expr is None or expr == right[mutant.of] or "off by" in mutant.mistake or "ones(" in code(expr):
            continue
        (found,) = marked(f"{mutant.of} = {code(expr)}", cell, "text").marks
        assert found.verdict in (Verdict.WRONG, Verdict.TRUNCATED, Verdict.UNSURE), mutant.mistake
        # What holds no adjoint may be meant as a slope, and what is but a part of one may be cut on purpose.
        slope = not any(isinstance(node, Adjoint) for node in walk(expr))
        assert found.verdict is not Verdict.UNSURE or slope or mutant.of in ("dh", "dL"), mutant.mistake
        assert found.mistake
        assert "no single change" not in found.mistake
        count += 1
    assert count > 20


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


def test_a_definition_may_be_written_with_a_colon():
    text = "do {0} dh*tanh(c)\ndc {0} dc_next + dh*o*(1 - tanh(c)^2)\ndi {0} dc*i"
    with_colon, plain = (marked(text.format(sign)).marks for sign in (":=", " ="))
    assert [(m.verdict, m.mistake) for m in with_colon] == [(m.verdict, m.mistake) for m in plain]
    assert [m.verdict for m in with_colon] == [Verdict.RIGHT, Verdict.RIGHT, Verdict.WRONG]
