"""Expressions in LaTeX: what is printed, that it means what the tree means, and how wide it is."""

import re
import subprocess
from fractions import Fraction

import pytest
from hypothesis import given

from derivations.boxes import latex, width
from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.expression import (
    ONE,
    ZERO,
    Add,
    Adjoint,
    Call,
    Derivative,
    Diag,
    Div,
    Expr,
    Mul,
    Name,
    Neg,
    Num,
    Ones,
    Part,
    Pow,
    Reduce,
    Shift,
    Size,
    Stack,
    TimeSum,
    Transpose,
    scalar_view,
    walk,
)
from derivations.functions import FUNCTIONS
from derivations.language import expression
from derivations.notation import ADJOINTS, VIEWS, Notation, for_names
from derivations.typeset import to_latex, typeset
from tests.trees import scalar_trees

LSTM = derive(read_cell("lstm"))
SCALAR = for_names(LSTM.cell.parameters, LSTM.cell.shapes)
VECTOR = for_names(LSTM.cell.parameters, LSTM.cell.shapes, view="vector")
BARS = for_names(LSTM.cell.parameters, LSTM.cell.shapes, view="vector", adjoint="bar")


@pytest.mark.parametrize(
    ("text", "scalar"),
    [
        ("sigmoid(a_f)", r"\sigma(a_{f,t})"),
        ("W_xf*x + b_f", "W_{xf} x_t + b_f"),
        ("f*(1 - f)", r"f_t\, (1 - f_t)"),
        ("1 - tanh(c)**2", r"1 - \tanh^2(c_t)"),
        ("o*tanh(c)", r"o_t\, \tanh(c_t)"),
        ("x - (a_f - f)", "x_t - (a_{f,t} - f_t)"),
        ("-(x*f)", "-x_t f_t"),
        ("a_f/(2*o)", r"\frac{a_{f,t}}{2 o_t}"),
        ("(f/o)*x", r"\frac{f_t}{o_t}\, x_t"),
        ("x*2", r"x_t \cdot 2"),
        ("f**2", "f_t^2"),
        ("(f*o)**2", r"(f_t o_t)^2"),
        ("(f/o)**2", r"\left( \frac{f_t}{o_t} \right)^2"),
        ("sigmoid(f/o)", r"\sigma\left( \frac{f_t}{o_t} \right)"),
        ("log(f)**2", r"(\log(f_t))^2"),
        ("sqrt(f + o)", r"\sqrt{f_t + o_t}"),
        ("abs(f)", r"\left|f_t\right|"),
        ("max(f, o)", r"\max(f_t,o_t)"),
        ("0.5*f", "0.5 f_t"),
        ("1e-12*f", r"10^{-12} f_t"),
        ("2.5e-20*f", r"(2.5 \times 10^{-20}) f_t"),
        ("detach(f)", r"\operatorname{detach}(f_t)"),
        ("softplus(f)", r"\operatorname{softplus}(f_t)"),
    ],
)
def test_the_scalar_view(text, scalar):
    assert to_latex(expression(text), SCALAR) == scalar


@pytest.mark.parametrize(
    ("text", "vector"),
    [
        ("f*c_prev + i*g", r"f_t \odot c_{t-1} + i_t \odot g_t"),
        ("2*f*g", r"2 f_t \odot g_t"),
        ("mean(f)*g*f", r"\operatorname{mean}(f_t)\, g_t \odot f_t"),
        ("W_xf @ x", "W_{xf} x_t"),
        ("W_xf.T @ x", r"W_{xf}^{\top}\, x_t".replace(r"\, ", " ")),
        ("W_xf.T @ (f*g)", r"W_{xf}^{\top}\, (f_t \odot g_t)"),
        ("f*(W_xf @ x)", r"f_t \odot (W_{xf} x_t)"),
        ("W_hf @ W_hi @ x", "W_{hf}\\, W_{hi} x_t"),
        ("outer(f, x)", r"f_t\, x_t^{\top}"),
        ("dot(f, g)", r"f_t^{\top}\, g_t"),
        ("sum(f)", r"\operatorname{sum}(f_t)"),
        ("f**2", r"f_t^{\odot 2}"),
        ("tanh(f)**2", r"\tanh^2(f_t)"),
        ("[h_prev; x]", r"\begin{bmatrix} h_{t-1} \\ x_t \end{bmatrix}"),
    ],
)
def test_the_vector_view(text, vector):
    assert to_latex(expression(text), VECTOR) == vector


def test_scalars_stand_beside_vectors_without_a_circled_dot():
    n = Notation(view="vector", scalars=frozenset({"s"}))
    assert to_latex(expression("s*f"), n) == "s_t f_t"
    assert to_latex(expression("f*s*g"), n) == r"f_t s_t \odot g_t"
    assert to_latex(expression("s**2"), n) == "s_t^2"


def test_derivatives_do_not_pile_up_in_fractions():
    df = Adjoint("f")
    loss = r"\frac{\partial\mathcal{L}}{\partial f_t}"
    assert to_latex(Div(df * Name("g"), Name("o")), SCALAR) == loss + r"\, \frac{g_t}{o_t}"
    assert to_latex(Div(df, Name("o")), VECTOR) == loss + r" \odot \frac{1}{o_t}"
    assert to_latex(Div(df * Name("g"), Name("o")), BARS) == r"\frac{\bar{f}_t \odot g_t}{o_t}"


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (Derivative("f", "a_f"), r"\frac{\partial f_t}{\partial a_{f,t}}"),
        (Derivative("h", "W", "immediate"), r"\frac{\partial^+h_t}{\partial^+W_t}"),
        (Derivative("h", "h_prev", "total"), r"\frac{\mathrm{d}h_t}{\mathrm{d}h_{t-1}}"),
        (Diag(ONE - Name("f")), r"\operatorname{diag}(1 - f_t)"),
        (Diag(Ones("f")), "I"),
        (Div(Transpose(Ones("f")), Size("f")), r"\frac{\mathbf{1}^{\top}}{\dim(f)}"),
        (Stack((ONE, ZERO)), r"\begin{bmatrix} 1 \\ 0 \end{bmatrix}"),
        (Part(Adjoint("u"), ("h_prev", "x"), 0), r"[\bar{u}_t]_{h_{t-1}}"),
        (Part(Adjoint("u"), ("x", "x"), 1), r"[\bar{u}_t]_2"),
        (Shift(Adjoint("h_prev"), 1), r"\bar{h}_t^{\ge t+1}"),
        (Shift(Name("f"), -1), "f_{t-1}"),
        (TimeSum(Adjoint("W_xf")), r"\sum_{t=1}^{T} \bar{W}_{xf}^{(t)}"),
        (Num(Fraction(1, 3)), r"\frac{1}{3}"),
        (Num(Fraction(-2)), "-2"),
        (Name("f") * Num(Fraction(-2)), "-2 f_t"),
        (Call("_step", (Name("f"),)), r"\mathbf{1}\left[f_t>0\right]"),
        (
            Reduce("sum", (Div(Adjoint("f"), Name("o")),)),
            r"\operatorname{sum}\left( \frac{\bar{f}_t}{o_t} \right)",
        ),
    ],
)
def test_what_only_derivations_say(expr, expected):
    assert to_latex(expr, BARS) == expected


def test_the_lines_of_an_lstm_as_a_textbook_has_them():
    rhs = {step.wrt: to_latex(step.rhs, BARS) for step in LSTM.adjoints}
    assert rhs["a_f"] == r"\bar{f}_t \odot f_t \odot (1 - f_t)"
    assert rhs["c"] == r"\bar{c}_t^{>t} + \bar{h}_t \odot o_t \odot (1 - \tanh^2(c_t))"
    assert rhs["h_prev"].startswith(r"W_{hf}^{\top} \bar{a}_{f,t} + W_{hi}^{\top} \bar{a}_{i,t}")
    assert rhs["W_xf"] == r"\bar{a}_{f,t}\, x_t^{\top}"
    assert to_latex(scalar_view(LSTM.adjoint_of["a_f"].rhs), SCALAR) == (
        r"\frac{\partial\mathcal{L}}{\partial f_t}\, f_t\, (1 - f_t)"
    )


# --- the LaTeX means what the tree means ------------------------------------------------------------------

PRIME = 2**61 - 1
VALUES = {"a_t": 3, "b_t": 5, "f_t": 7, "x_{1,t}": 11, "W_{hf,t}": 13, r"\tilde{c}_t": 17, "h_{t-1}": 19}
VALUES[r"\theta_t"] = 23
NAMES = dict(zip(("a", "b", "f", "x_1", "W_hf", "c_tilde", "h_prev", "theta"), VALUES.values(), strict=True))
COMMANDS = {row.latex: row.name for row in FUNCTIONS.values() if "{0}" not in row.latex}
TOKEN = re.compile(
    r"\\(?:tilde\{c\}|theta)_t|\w_(?:\{[\w,-]+\}|\w)|\d+(?:\.\d+)?|\\operatorname\{\w+\}|\\log\\sigma|\\[A-Za-z]+"
    r"|\\,|[-+^(){},|\[\]]"
)


def applied(function: str, args: list[int]) -> int:
    """A stand-in for a function: any number that tells functions and arguments apart."""
    seed = sum(ord(letter) * 31**k for k, letter in enumerate(function))
    return sum(pow(seed + k, 3, PRIME) * pow(arg + k, 5, PRIME) for k, arg in enumerate(args, 1)) % PRIME


def value(expr: Expr) -> int:
    """The tree's value, modulo a prime."""
    match expr:
        case Name(id):
            return NAMES[id]
        case Num(number):
            return number.numerator * pow(number.denominator, -1, PRIME) % PRIME
        case Add(terms):
            return sum(map(value, terms)) % PRIME
        case Neg(arg):
            return -value(arg) % PRIME
        case Mul(factors):
            result = 1
            for factor in factors:
                result = result * value(factor) % PRIME
            return result
        case Div(above, below):
            return value(above) * pow(value(below), PRIME - 2, PRIME) % PRIME
        case Pow(base, exponent):
            return pow(value(base), exponent, PRIME)
        case Call(function, args):
            return applied(function, list(map(value, args)))
    raise AssertionError(expr)


class Reader:
    """Reads LaTeX as a person does: products side by side, powers before them, sums last."""

    def __init__(self, text: str) -> None:
        text = text.replace(r"\left|", "|").replace(r"\right|", "|")
        text = text.replace(r"\left", "").replace(r"\right", "")
        self.tokens = TOKEN.findall(text)
        assert "".join(self.tokens).replace(r"\,", "") == re.sub(r"\s|\\,", "", text), text
        self.tokens = [token for token in self.tokens if token != r"\,"] + ["end"]

    def next(self, *wanted: str) -> str:
        token = self.tokens.pop(0)
        assert not wanted or token in wanted, (token, wanted, self.tokens)
        return token

    def sum(self) -> int:
        sign = self.tokens[0] == "-" and self.next() == "-"
        result = -self.product() if sign else self.product()
        while self.tokens[0] in ("+", "-"):
            result += self.product() if self.next() == "+" else -self.product()
        return result % PRIME

    def product(self) -> int:
        result, bars = self.factor(), 0
        while self.tokens[0] not in ("+", "-", ")", "}", ",", "end", "]"):
            if self.tokens[0] in (r"\cdot", r"\times"):
                self.next()
            elif self.tokens[0] == "|" and self.inside_bars:
                break
            result = result * self.factor() % PRIME
        assert bars == 0
        return result

    inside_bars = False

    def factor(self) -> int:
        base = self.base()
        return pow(base, self.exponent(), PRIME) if self.tokens[0] == "^" else base

    def exponent(self) -> int:
        self.next("^")
        if self.tokens[0] != "{":
            return int(self.next())
        self.next("{")
        sign = -1 if self.tokens[0] == "-" and self.next() else 1
        size = int(self.next())
        self.next("}")
        return sign * size

    def braced(self) -> int:
        self.next("{")
        result = self.sum()
        self.next("}")
        return result

    def base(self) -> int:
        token = self.next()
        if token == r"\frac":
            return self.braced() * pow(self.braced(), PRIME - 2, PRIME) % PRIME
        if token == "(":
            result = self.sum()
            self.next(")")
            return result
        if token in VALUES:
            return VALUES[token]
        if token == r"\sqrt":
            return applied("sqrt", [self.braced()])
        if token == "|":
            outer, self.inside_bars = self.inside_bars, True
            result = self.sum()
            self.inside_bars = outer
            self.next("|")
            return applied("abs", [result])
        if token[0].isdigit():
            number = Fraction(token)
            return number.numerator * pow(number.denominator, -1, PRIME) % PRIME
        function = COMMANDS[token]
        power = self.exponent() if self.tokens[0] == "^" else 1
        self.next("(")
        outer, self.inside_bars = self.inside_bars, False
        args = [self.sum()]
        while self.next(",", ")") == ",":
            args.append(self.sum())
        self.inside_bars = outer
        return pow(applied(function, args), power, PRIME)


@given(scalar_trees)
def test_latex_means_what_the_tree_means(tree):
    assert Reader(to_latex(tree, Notation())).sum() == value(tree)


def test_a_lost_bracket_is_found():
    tree = expression("a*(b + f)")
    wrong = to_latex(tree, Notation()).replace("(", "").replace(")", "")
    assert Reader(wrong).sum() != value(tree)


@given(scalar_trees)
def test_names_stand_in_the_order_of_the_tree(tree):
    wanted = [symbol for symbol in map(_symbol, _leaves(tree)) if symbol]
    assert [token for token in TOKEN.findall(to_latex(tree, Notation())) if token in VALUES] == wanted


def _leaves(tree: Expr) -> list[Name]:
    return [node for node in walk(tree) if isinstance(node, Name)]


def _symbol(leaf: Name) -> str:
    return dict(zip(NAMES, VALUES, strict=True))[leaf.id]


# --- widths -----------------------------------------------------------------------------------------------


def test_no_box_is_narrower_than_tex_makes_it(needs_tool, tmp_path):
    """Every formula of every cell, measured by TeX: the estimate is an upper bound, and a near one."""
    boxes = dict.fromkeys(
        typeset(side, for_names(cell.parameters, cell.shapes, view=view, adjoint=adjoint))
        for cell in map(read_cell, cell_names())
        for step in derive(cell).steps
        for view, adjoint in zip((*VIEWS, "vector"), ADJOINTS, strict=True)
        for side in (step.lhs, step.rhs)
    )
    lines = [rf"\setbox0\hbox{{$\displaystyle {latex(box)}$}}\typeout{{<\the\wd0>}}" for box in boxes]
    head = r"\documentclass[10pt]{article}\usepackage{amsmath}\begin{document}"
    (tmp_path / "widths.tex").write_text("\n".join([head, *lines, r"\end{document}"]), encoding="ascii")
    command = [needs_tool("pdflatex"), "-interaction=nonstopmode", "-halt-on-error", "widths.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    measured = [float(found) / 10 for found in re.findall(r"<([\d.]+)pt>", run.stdout)]
    assert len(measured) == len(boxes), run.stdout[-2000:]
    for box, true in zip(boxes, measured, strict=True):
        assert true <= width(box) + 0.001, latex(box)
        assert width(box) <= 1.3 * true + 1.4, latex(box)
