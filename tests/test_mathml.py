"""Formulas as MathML: well-formed, one element where one is due, and the same formula as in LaTeX."""

import re
from xml.etree import ElementTree

import pytest

from derivations.boxes import Applied, Glyph
from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.expression import Call, Name
from derivations.functions import FUNCTIONS
from derivations.language import expression, read
from derivations.mathml import mathml
from derivations.notation import Notation, for_names
from derivations.typeset import typeset
from tests.samples import EVERYTHING

DUE = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "mover": 2, "munderover": 3}
CELLS = {name: read_cell(name) for name in cell_names()} | {"everything": read(EVERYTHING)}


def tree(text):
    return ElementTree.fromstring(re.sub(r"&#x([0-9a-f]+);", lambda m: chr(int(m[1], 16)), text))


def as_text(text):
    return "".join(tree(text).itertext())


@pytest.mark.parametrize("view", ["scalar", "vector"])
@pytest.mark.parametrize("adjoint", ["leibniz", "bar", "delta"])
@pytest.mark.parametrize("name", CELLS)
def test_every_formula_is_well_formed(name, adjoint, view):
    cell = CELLS[name]
    notation = for_names(cell.parameters, cell.shapes, adjoint=adjoint, view=view, tagged=True)
    for step in derive(cell).steps:
        for side in (step.lhs, step.rhs):
            for element in tree(mathml(typeset(side, notation))).iter():
                assert len(element) == DUE.get(element.tag, len(element)), element.tag


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_its_signs(name):
    row = FUNCTIONS[name]
    shown = as_text(mathml(typeset(Call(name, tuple(Name(n) for n in "abc"[: len(row.args)])), Notation(time=False))))
    assert all(letter in shown for letter in "abc"[: len(row.args)])
    assert "\\" not in shown
    assert "{" not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("f * c_prev + i * g", "ft\u2062ct−1+it\u2062gt"),
        ("1 - tanh(c)**2", "1−tanh2\u2061(ct)"),
        ("-a", "−at"),
        ("c_tilde", "c\N{SMALL TILDE}t"),
        ("a / b", "atbt"),
    ],
)
def test_some_formulas(text, shown):
    assert as_text(mathml(typeset(expression(text), Notation()))) == shown


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("logsigmoid(x)", "<mrow><mi>log</mi><mi>σ</mi></mrow><mo>&#x2061;</mo>"),
        ("sigmoid(x)", "<mrow><mi>σ</mi><mo>&#x2061;</mo>"),
        ("abs(x)", '<mo stretchy="false">|</mo><mi>x</mi><mo stretchy="false">|</mo>'),
        ("abs(x/c)", "<mo>|</mo><mfrac><mi>x</mi><mi>c</mi></mfrac><mo>|</mo>"),
        ("sqrt(x)", "<msqrt><mi>x</mi></msqrt>"),
        ("max(x, 2)", '<mi>x</mi><mo lspace="0" rspace="0">,</mo><mn>2</mn>'),
    ],
)
def test_the_elements_of_functions(text, elements):
    assert elements in mathml(typeset(expression(text), Notation(time=False)))


def test_an_upright_letter_says_so_and_an_upright_word_is_upright_anyway():
    assert mathml(Glyph("T", "upright")) == '<math><mi mathvariant="normal">T</mi></math>'
    assert mathml(Glyph("model", "upright")) == "<math><mi>model</mi></math>"


def test_names_are_tagged_and_only_when_asked_for():
    tagged = mathml(typeset(expression("f * c_prev"), Notation(tagged=True)))
    assert re.findall(r'data-q="(\w+)"', tagged) == ["f", "c_prev"]
    assert "data-q" not in mathml(typeset(expression("f * c_prev"), Notation()))


def test_a_template_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="no MathML yet"):
        mathml(Applied(r"\oint{0}", (Glyph("x"),)))
