"""The language keeps what its grammar promises."""

import re
from fractions import Fraction

import pytest

from derivations.by_sympy import whole_step
from derivations.catalogue import CELLS, cell_names
from derivations.cell import Cell, CellError
from derivations.derive import derive
from derivations.expression import (
    Add,
    Call,
    Detach,
    Div,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Outer,
    Pow,
    Reduce,
    Stack,
    Transpose,
)
from derivations.language import draft, exact, expression, read
from derivations.over_time import over_time
from derivations.program import backward_program
from derivations.prove import prove_all
from tests.samples import cell_text

a, b, c, W, V, h, x = (Name(id) for id in ("a", "b", "c", "W", "V", "h", "x"))


def number(text: str) -> Num:
    return Num(Fraction(text))


# --- expressions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", a),
        ("a + b - c", Add((a, b, Neg(c)))),
        ("a - (b - c)", Add((a, Neg(Add((b, Neg(c))))))),
        ("a * b * c", Mul((a, b, c))),
        ("a * (b * c)", Mul((a, Mul((b, c))))),
        ("a / b / c", Div(Div(a, b), c)),
        ("a / b * c", Mul((Div(a, b), c))),
        ("a * b / c", Div(Mul((a, b)), c)),
        ("a / (b * c)", Div(a, Mul((b, c)))),
        ("a + b * c", Add((a, Mul((b, c))))),
        ("(a + b) * c", Mul((Add((a, b)), c))),
        ("a**2 * b", Mul((Pow(a, 2), b))),
        ("(a * b)**3", Pow(Mul((a, b)), 3)),
        ("a**0", Pow(a, 0)),
        # A minus belongs to the whole product behind it, as on paper, and binds less than a power.
        ("-a**2", Neg(Pow(a, 2))),
        ("-a * b", Neg(Mul((a, b)))),
        ("-a + b", Add((Neg(a), b))),
        ("a * -b", Mul((a, Neg(b)))),
        ("a - -b", Add((a, Neg(Neg(b))))),
        ("-2 * a", Neg(Mul((number("2"), a)))),
        ("-2", number("-2")),
        ("+a", a),
        ("-W @ a", Neg(MatMul(W, a))),
        # linear maps
        ("W @ a", MatMul(W, a)),
        ("a @ W", MatMul(a, W)),
        ("W.T @ a", MatMul(Transpose(W), a)),
        ("a @ W.T", MatMul(a, Transpose(W))),
        ("W @ V @ a", MatMul(W, MatMul(V, a))),
        ("(W @ V) @ a", MatMul(MatMul(W, V), a)),
        ("W @ a + V @ b", Add((MatMul(W, a), MatMul(V, b)))),
        ("a * (W @ b)", Mul((a, MatMul(W, b)))),
        ("W @ (a * b)", MatMul(W, Mul((a, b)))),
        ("(W + V).T @ a", MatMul(Transpose(Add((W, V))), a)),
        # stacks, reductions, outer, detach, functions
        ("[a; b]", Stack((a, b))),
        ("[a; b + c; x]", Stack((a, Add((b, c)), x))),
        ("sum(a)", Reduce("sum", (a,))),
        ("mean(a)", Reduce("mean", (a,))),
        ("logsumexp(a)", Reduce("logsumexp", (a,))),
        ("dot(a, b)", Reduce("dot", (a, b))),
        ("outer(a, b)", Outer(a, b)),
        ("detach(a * b)", Detach(Mul((a, b)))),
        ("sigmoid(a + b)", Call("sigmoid", (Add((a, b)),))),
        ("max(a, 0)", Call("max", (a, number("0")))),
        ("clip(a, -1, 1)", Call("clip", (a, number("-1"), number("1")))),
        # blanks and line breaks
        ("a*b+c", Add((Mul((a, b)), c))),
        ("  a\t*  b ", Mul((a, b))),
        ("sigmoid (a)", Call("sigmoid", (a,))),
        ("(a +\n    b\n)", Add((a, b))),
        ("[a;\nb]", Stack((a, b))),
        ("sigmoid(\n  a # the argument\n)", Call("sigmoid", (a,))),
    ],
)
def test_expressions_are_read_as_they_stand(text, tree):
    assert expression(text) == tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Fraction(1, 10)),
        (".5", Fraction(1, 2)),
        ("2.", Fraction(2)),
        ("1e3", Fraction(1000)),
        ("1E-3", Fraction(1, 1000)),
        ("2.5e+1", Fraction(25)),
        ("0.30000000000000000004", Fraction(30000000000000000004, 10**20)),
        ("12345678901234567890", Fraction(12345678901234567890)),
        ("1e30", Fraction(10**30)),
        ("1e-30", Fraction(1, 10**30)),
        ("007", Fraction(7)),
    ],
)
def test_decimals_are_exact(text, value):
    if len(text.replace(".", "")) <= 20:
        assert expression(text) == Num(value)
    else:
        with pytest.raises(CellError, match="more than 20 digits"):
            expression(text)


def test_exact_is_exact():
    assert exact("0.1") == Fraction(1, 10)
    assert exact("0.1") != Fraction(0.1)


@pytest.mark.parametrize("text", ["a\nb = c", "a\nstate h", "a\ninput x", "a\nfacts\n    a = b", "a\nloss\n    b = a"])
def test_one_expression_is_not_two_lines(text):
    with pytest.raises(CellError, match="is not one expression"):
        expression(text)


def test_a_wrong_expression_is_placed_in_its_own_text():
    with pytest.raises(CellError) as wrong:
        expression("a + % b")
    assert str(wrong.value) == "line 1, column 5: '%' is not part of the cell language"


# --- lines --------------------------------------------------------------------------------------------------------

WHOLE = """# The paper, and
#   what it says.

cell whole "A # is no comment, nor is (this [bracket"  # but this is one
input x, u
state h, c
target y_hat
scalar s
positive s # a remark
param h_prv

forget gate (of Gers et al., 2000):  f = sigmoid(W_f @ x + s * h_prv)
  # a remark, indented
cell state:   c = f * c_prev + u
h's value - a/b:	h = tanh(c)
"""


def test_a_text_has_a_header_declarations_labels_and_blocks():
    found = draft(WHOLE)
    assert (found.name, found.title) == ("whole", "A # is no comment, nor is (this [bracket")
    assert found.comment == "The paper, and\nwhat it says."
    assert found.declared == {
        "input": ("x", "u"),
        "state": ("h", "c"),
        "target": ("y_hat",),
        "scalar": ("s",),
        "positive": ("s",),
        "param": ("h_prv",),
    }
    assert [(e.target, e.label, e.block) for e in found.equations] == [
        ("f", "forget gate (of Gers et al., 2000)", ""),
        ("c", "cell state", ""),
        ("h", "h's value - a/b", ""),
    ]
    assert [e.line for e in found.equations] == [12, 14, 15]
    assert found.places["f"] == (12, 38)
    assert found.places["h_prv"] == (10, 7)


def test_blocks_hold_readouts_losses_and_facts():
    found = draft(
        cell_text(
            "h = W @ x\nreadout\n\n    y = V @ h\n    # remark\n    prediction: z = y\nloss\n\tL = sum(z)\nfacts\n"
            "  dh/dm = 0\n  a name: db = r * dc\nk = h"
        )
    )
    assert [(e.target, e.block) for e in found.equations] == [
        ("h", ""), ("y", "readout"), ("z", "readout"), ("L", "loss"), ("k", ""),
    ]  # fmt: skip
    assert [(fact.left, fact.right, fact.label) for fact in found.facts] == [
        (Div(Name("dh"), Name("dm")), number("0"), ""),
        (Name("db"), Mul((Name("r"), Name("dc"))), "a name"),
    ]


@pytest.mark.parametrize("name", cell_names())
@pytest.mark.parametrize(
    "otherwise",
    [
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(str.rstrip, id="no newline at the end"),
        pytest.param(lambda text: text + "\n\n  \n# the end", id="blank lines at the end"),
        pytest.param(lambda text: "\ufeff" + text, id="a byte order mark"),
        pytest.param(lambda text: text.replace("\n", "  \t\n"), id="blanks at the ends of lines"),
        pytest.param(lambda text: re.sub(r"(?<=[a-z])\(", "(\\n\\n  ", text), id="line breaks in brackets"),
        pytest.param(lambda text: text.replace(" = ", "="), id="no blanks"),
        pytest.param(lambda text: text.replace("\n\n", "\n\n# a remark\n\n"), id="remarks"),
    ],
)
def test_line_ends_blanks_and_remarks_do_not_matter(name, otherwise):
    text = (CELLS / f"{name}.cell").read_text()
    assert otherwise(text) != text
    plain, other = read(text), read(otherwise(text))
    assert [(e.target, e.rhs, e.label) for e in other.equations] == [
        (e.target, e.rhs, e.label) for e in plain.equations
    ]


def test_the_words_of_declarations_and_blocks_are_names_elsewhere():
    cell = read(cell_text("input = x\nloss = input * readout\nh = loss + cell\nreadout\n    facts = h"))
    assert cell.defined == ("input", "loss", "h", "facts")
    assert cell.parameters == ("readout", "cell")


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["I", "E", "S", "N", "Q", "beta", "gamma", "zeta", "y0", "x2", "T", "pi", "lamda"])
def test_what_sympy_takes_for_its_own_is_an_ordinary_name(name):
    derivation = derive(read(cell_text(f"h = tanh({name} * h_prev + x)")))
    assert derivation.cell.parameters == (name,)
    assert all(prove_all(derivation))
    assert all(whole_step(derivation).values())


@pytest.mark.parametrize("name", ["unknown", "atom0", "x1", "y", "own", "moved"])
def test_no_name_is_taken_by_a_proof(name):
    derivation = derive(read(cell_text(f"h = sigmoid({name}) * (W @ h_prev) * (V @ h_prev) * {name} + max(x, {name})")))
    assert all(prove_all(derivation))
    assert over_time(backward_program(derivation), vector=True)


def test_names_that_differ_in_an_underscore_are_kept_apart():
    cell = read(cell_text("h = tanh(W_hf @ h_prev + W_h_f @ x)"))
    assert cell.parameters == ("W_hf", "W_h_f")
    assert cell.shapes["W_hf"] == ("n", "n")
    assert cell.shapes["W_h_f"] == ("n", "m")


@pytest.mark.parametrize(
    ("equations", "accepted"),
    [
        ("h = h_prv + x", False),
        ("param h_prv\nh = h_prv + x", True),
        ("gate = x\nh = gates + gate", False),
        ("gate = x\nh = agte + gate", False),
        ("gate = x\nh = gote + gate", False),
        ("gate = x\nh = goat + gate", True),
        ("f = x\nh = g + f", True),  # short names are all near one another
        ("h = W_xf @ x + W_xi @ x", True),  # parameters are not held against each other
    ],
)
def test_a_name_one_edit_from_a_known_one_is_a_slip_unless_declared(equations, accepted):
    if accepted:
        assert isinstance(read(cell_text(equations)), Cell)
    else:
        with pytest.raises(CellError, match="did you mean"):
            read(cell_text(equations))
