"""Expressions as plain text: code that reads back as the same tree, and mathematics for a terminal."""

import ast
import re

import pytest
from hypothesis import given

from derivations.catalogue import read_cell
from derivations.derive import derive
from derivations.expression import (
    Adjoint,
    Derivative,
    Diag,
    Div,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Ones,
    Part,
    Shift,
    Size,
    TimeSum,
    Total,
    Transpose,
    children,
    product,
    rebuild,
    scalar_view,
)
from derivations.language import expression
from derivations.notation import Notation, for_names
from derivations.plain import Style, code, math, terms
from tests.trees import scalar_trees, trees

LSTM = derive(read_cell("lstm"))
NOTATION = for_names(LSTM.cell.parameters, LSTM.cell.shapes)


def minus_first(expr: Expr) -> Expr:
    """The tree with a leading minus around its product, and a minus before a number in the number."""
    expr = rebuild(expr, tuple(map(minus_first, children(expr))))
    match expr:
        case Neg(Num(value)):
            return Num(-value)
        case Mul((Num(value), *rest)) if value < 0:
            return Neg(Mul((Num(-value), *rest)))
        case Div(Num(value), rest) if value < 0:
            return Neg(Div(Num(-value), rest))
        case Mul((Neg(first), *rest)):
            return Neg(minus_first(Mul((first, *rest))))
        case Div(Neg(first), rest):
            return Neg(minus_first(Div(first, rest)))
        case MatMul(Neg(first), rest):
            return Neg(minus_first(MatMul(first, rest)))
    return expr


# --- code -------------------------------------------------------------------------------------------------


@given(trees)
def test_code_reads_back_as_the_same_tree(tree):
    assert minus_first(expression(code(tree))) == minus_first(tree)


def test_the_property_can_fail():
    wrong = code(expression("a*(b + f)")).replace("(", "").replace(")", "")
    assert minus_first(expression(wrong)) != minus_first(expression("a*(b + f)"))


@pytest.mark.parametrize(
    "text",
    [
        "a + b - f",
        "a - (b - f)",
        "(a + b) + f",
        "a*(b + f)*2",
        "(a*b)*f",
        "a/b*f",
        "a*(b/f)",
        "a/(b*f)",
        "a/b/f",
        "a/(b/f)",
        "(a + b)/2",
        "(-a)**2",
        "-a**2",
        "(a**2)**3",
        "a*(-b)",
        "a - 0.5",
        "2.5e-20*a",
        "1e30*a",
        "W @ x + b",
        "(A @ B) @ v",
        "A @ B @ v",
        "r*(W @ h)",
        "(W @ h)/s",
        "W.T @ (a*b)",
        "(a + b).T",
        "[a; b + f]",
        "clip(a, 0, 1)",
        "dot(a, b)*outer(a, b)",
        "detach(max(a, b))",
    ],
)
def test_brackets_stand_where_they_must_and_nowhere_else(text):
    assert code(expression(text)) == text


def adjoint_line(wrt: str, scalar: bool = False) -> str:
    step = LSTM.adjoint_of[wrt]
    return f"{code(step.lhs)} = {code(scalar_view(step.rhs) if scalar else step.rhs)}"


def test_the_lines_of_an_lstm_as_a_textbook_has_them():
    assert adjoint_line("h") == "dh = dh_out + dh_next"
    assert adjoint_line("c") == "dc = dc_next + dh*o*(1 - tanh(c)**2)"
    assert adjoint_line("o") == "do = dh*tanh(c)"
    assert adjoint_line("a_f") == "da_f = df*f*(1 - f)"
    assert adjoint_line("a_g") == "da_g = dg*(1 - g**2)"
    assert adjoint_line("h_prev") == ("dh_prev = W_hf.T @ da_f + W_hi.T @ da_i + W_hg.T @ da_g + W_ho.T @ da_o")
    assert adjoint_line("h_prev", scalar=True) == "dh_prev = W_hf*da_f + W_hi*da_i + W_hg*da_g + W_ho*da_o"
    assert adjoint_line("c_prev") == "dc_prev = dc*f"
    assert adjoint_line("W_xf") == "dW_xf = outer(da_f, x)"
    assert adjoint_line("W_xf", scalar=True) == "dW_xf = da_f*x"


def test_what_the_language_has_no_words_for():
    x, h = Name("x"), Name("h")
    assert code(Shift(Adjoint("h_prev"), 1)) == "dh_prev[t+1]"
    assert code(Total("W")) == "grad_W"
    assert code(TimeSum(Adjoint("W"))) == "sum_t dW"
    assert code(TimeSum(Adjoint("W")), ascii=False) == "Σ_t dW"
    assert code(Derivative("f", "a_f")) == "df/da_f"
    assert code(Derivative("f", "a_f"), ascii=False) == "∂f/∂a_f"
    assert code(Diag(x * h)) == "diag(x*h)"
    assert code(Diag(Ones("f"))) == "I"
    assert code(Div(Transpose(Ones("f")), Size("f"))) == "ones(f).T/size(f)"
    assert code(Part(Adjoint("u"), ("h_prev", "x"), 1)) == "du[x]"
    assert code(Part(Adjoint("u"), ("x", "x"), 1)) == "du[x 2]"
    assert code(Num(-(expression("2").value))) == "-2"
    assert code(Num(expression("1").value / 3) * x) == "x/3"


def test_terms_of_a_sum_carry_their_signs():
    assert terms(expression("a - b*f + 2"), Style()) == ["a", " - b*f", " + 2"]
    assert terms(expression("a*b"), Style()) == ["a*b"]


# --- math -------------------------------------------------------------------------------------------------


def test_the_terminal_shows_mathematics():
    assert math(scalar_view(LSTM.partial("h", "c")), NOTATION) == "o_t (1 - tanh^2 c_t)"
    assert math(scalar_view(LSTM.partial("f", "a_f")), NOTATION) == "f_t (1 - f_t)"
    assert math(scalar_view(LSTM.partial("c", "f")), NOTATION) == "c_{t-1}"
    path = [("a_f", "W_xf"), ("f", "a_f"), ("c", "f"), ("h", "c")]
    whole = product(*(scalar_view(LSTM.partial(*edge)) for edge in path))
    assert math(whole, NOTATION) == "x_t f_t (1 - f_t) c_{t-1} o_t (1 - tanh^2 c_t)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("W_xf*x", "W_xf x_t"),
        ("a_f", "a_f"),
        ("c_tilde", "c_tilde"),
        ("x*2", "x_t * 2"),
        ("2*x", "2 x_t"),
        ("x/(2*f)", "x_t / (2 f_t)"),
        ("x/f*a", "(x_t / f_t) a_t"),
        ("tanh(x)*f", "tanh(x_t) f_t"),
        ("f*tanh(x)", "f_t tanh x_t"),
        ("f*tanh(x)/a", "f_t tanh(x_t) / a_t"),
        ("tanh(x)**2*f", "tanh^2(x_t) f_t"),
        ("tanh(x + a)", "tanh(x_t + a_t)"),
        ("sigmoid(x)**2", "sigmoid(x_t)^2"),
    ],
)
def test_factors_stand_side_by_side(text, shown):
    assert math(expression(text), NOTATION) == shown


def test_the_vector_view_says_which_product():
    vectors = for_names(LSTM.cell.parameters, LSTM.cell.shapes, view="vector")
    assert math(LSTM.adjoint_of["a_f"].rhs, vectors) == "df_t * f_t * (1 - f_t)"
    assert math(LSTM.adjoint_of["h_prev"].terms[0].expr, vectors) == "W_hf^T da_f"


@given(scalar_trees)
def test_no_line_of_mathematics_is_ambiguous(tree):
    """Trees that print alike are alike; brackets are what keeps them apart."""
    shown = math(tree, Notation(time=False, view="vector"))
    assert minus_first(expression(_as_code(shown))) == minus_first(tree)


def _as_code(shown: str) -> str:
    """A line of mathematics in the cell language: powers of tanh behind its argument, brackets around it."""
    while match := re.search(r"tanh\^(\d+)\(", shown):
        shown = shown[: match.start()] + "tanh(" + _closed(shown[match.end() :], match[1])
    shown = re.sub(r"tanh\^(\d+) (\w+)", r"tanh(\2)**\1", shown)
    shown = re.sub(r"tanh (\w+)", r"tanh(\1)", shown)
    return shown.replace("^", "**")


def _closed(rest: str, power: str) -> str:
    """The text after an opening bracket, with the power behind the bracket that closes it."""
    depth = 1
    for place, letter in enumerate(rest):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return f"{rest[: place + 1]}**{power}{rest[place + 1 :]}"
    raise AssertionError(rest)


def test_ascii_is_ascii():
    for step in LSTM.steps:
        assert code(step.lhs).isascii()
        assert math(step.rhs, NOTATION).isascii()


def test_code_of_the_scalar_view_is_python():
    for step in LSTM.adjoints:
        ast.parse(code(scalar_view(step.rhs)), mode="eval")
