"""What is wrong with a text that is no cell is said, with its place and a remedy."""

import pytest

from derivations.cell import CellError
from derivations.language import read
from tests.samples import cell_text

DUE = "stands where a value (a name, a number, a bracket) is due"
FOLLOWS = "follows a value; put *, @, + or - between them"
MIXED = "@ is mixed with * or /; say what is meant with parentheses, as in r * (W @ h)"
KNOWN = (
    "known: abs, clip, detach, dot, exp, hard_sigmoid, log, logsigmoid, logsumexp, max, mean, min, outer, relu, "
    "sigmoid, softplus, sqrt, sum, tanh"
)

WRONG_TEXTS = {
    "": "line 1: the text is empty; a cell starts with `cell NAME`",
    "# only a remark": "line 1: the text is empty; a cell starts with `cell NAME`",
    "h = x": "line 1, column 1: a cell starts with `cell NAME`, as in `cell lstm`",
    "cell": "line 1, column 5: the first line is `cell NAME`, and a title in quotes may follow",
    "cell a b": "line 1, column 8: the first line is `cell NAME`, and a title in quotes may follow",
    'cell a "b': "line 1, column 8: '\"' is not part of the cell language; a title stands in quotes on the line of "
    "`cell NAME`",
    "cell a\ninput x": "line 1: the cell has no state; declare one, as in `state h`",
    "cell a\nstate h\nh = h_prev": "line 1: the cell has no input; declare one, as in `input x`",
    "cell lambda\ninput x\nstate h\nh = x": "line 1: cell name: lambda is a keyword of a language that the cell may be "
    "emitted in; choose another name",
    'cell a "\x1b[2J"': "line 1, column 9: an unprintable character ('\\x1b')",
    "cell a # \x07": "line 1, column 10: an unprintable character ('\\x07')",
    "cell a\rinput x": "line 1, column 7: an unprintable character ('\\r')",
    "cell a\ninput x\nstate h\n  h = x": "line 4: only the lines of a readout, loss or facts block are indented",
}

WRONG_EQUATIONS = {
    # values
    "h =": f"line 4, column 4: the end of the line {DUE}",
    "h = x +": f"line 4, column 8: the end of the line {DUE}",
    "h = * x": f"line 4, column 5: '*' {DUE}",
    "h = x h": f"line 4, column 7: 'h' {FOLLOWS}",
    "h = 2 x": f"line 4, column 7: 'x' {FOLLOWS}",
    "h = 2(x)": f"line 4, column 6: '(' {FOLLOWS}",
    "h = x if h else x": f"line 4, column 7: 'if' {FOLLOWS}",
    "h = (x": "line 4, column 5: this bracket is not closed",
    "h = [x; (h_prev]": "line 4, column 16: ']' is not expected here",
    "h = (x +\n h_prev\nc = x": f"line 6, column 1: 'c' {FOLLOWS} (the bracket on line 4 is still open)",
    "h = x)": "line 4, column 6: ')' closes no bracket",
    "h = x // 2": f"line 4, column 8: '/' {DUE}",
    "h = x % 2": "line 4, column 7: '%' is not part of the cell language",
    "h = x ^ 2": "line 4, column 7: '^' is not part of the cell language; a power is written x**2",
    "h = x'": "line 4, column 6: \"'\" is not part of the cell language",
    "h = x.y": "line 4, column 6: '.' is not part of the cell language; the only thing written with a dot is a "
    "transpose, W.T",
    "h = \u210e": "line 4, column 5: '\\u210e' is outside ASCII; write names in letters, as in c_tilde or theta",
    "h = \u0663 * x": "line 4, column 5: '\\u0663' is outside ASCII; write names in letters, as in c_tilde or theta",
    "h = x \u2212 h_prev": "line 4, column 7: '\\u2212' is outside ASCII; write names in letters, as in c_tilde or theta",
    "h = x\0": "line 4, column 6: an unprintable character ('\\x00')",
    # functions
    "h = sigmod(x)": "line 4, column 5: there is no function sigmod; did you mean sigmoid?",
    "h = eval(x)": f"line 4, column 5: there is no function eval; {KNOWN}",
    "h = _step(x)": f"line 4, column 5: there is no function _step; {KNOWN}",
    "h = sigmoid(x, x)": "line 4, column 5: sigmoid takes 1 argument, not 2",
    "h = clip(x)": "line 4, column 5: clip takes 3 arguments, not 1",
    "h = dot(x)": "line 4, column 5: dot takes 2 arguments, not 1",
    "h = sigmoid()": f"line 4, column 13: ')' {DUE}",
    # operators
    "h = r * W @ x": f"line 4, column 7: {MIXED}",
    "h = W @ x * r": f"line 4, column 7: {MIXED}",
    "h = x / W @ x": f"line 4, column 7: {MIXED}",
    "h = x / 0": "line 4, column 7: division by zero",
    "h = x / 0.00": "line 4, column 7: division by zero",
    "h = x**h_prev": "line 4, column 8: a power is one whole number from 0 to 8",
    "h = x**": "line 4, column 8: a power is one whole number from 0 to 8",
    "h = x**-1": "line 4, column 8: powers are whole numbers from 0 to 8",
    "h = x**9": "line 4, column 8: powers are whole numbers from 0 to 8",
    "h = x**2.5": f"line 4, column 9: '.5' {FOLLOWS}",
    "h = W.T.T @ x": "line 4, column 5: .T.T is the matrix itself; leave both out",
    "h = W.T": "line 4: a transpose stands beside @, as in W.T @ v, and nowhere else",
    "h = x + 2 * W.T": "line 4: a transpose stands beside @, as in W.T @ v, and nowhere else",
    # lines
    "h": "line 4, column 2: an equation is `name = expression`, one to a line",
    "h == x": "line 4, column 4: an equation is `name = expression`, one to a line",
    "h = x = x": "line 4, column 7: an equation is `name = expression`, one to a line",
    "h + x = x": "line 4, column 1: the left-hand side of an equation is one name",
    "1 = 2": "the left-hand side of an equation is one name",
    "gate & more: h = x": "line 4, column 6: '&' is not part of the cell language",
    "a gate [1]: h = x": "line 4, column 3: 'gate' is not expected here; a label is letters, digits, spaces and ( ) ' / . , -",
    "a: b: h = x": "line 4, column 5: ':' is not part of the cell language; a label is letters, digits, spaces and "
    "( ) ' / . , -",
    "input": "line 4, column 6: a declaration is names with commas between them, as in `input a, b`",
    "input a b": "line 4, column 9: a declaration is names with commas between them, as in `input a, b`",
    "h = x\nreadout": "line 5, column 8: the lines of a block are indented below its name",
    "h = x\nreadout\ny = x": "line 6, column 1: the lines of a block are indented below its name",
    "h = x\nreadout:\n    y = x": "line 5, column 9: `readout` stands alone on its line, without a colon",
    "h = x\nreadout\n    y = x\n  z = x": "line 7: the lines of a block start in one column",
    "h = x\n  c = x": "line 5: only the lines of a readout, loss or facts block are indented",
    # order
    "h = h + x": "line 4: h is used before it is defined; write h_prev for its previous value",
    "c = h\nh = c": "line 4: h is used before it is defined; write h_prev for its previous value",
    "h = c\nc = x": "line 4, column 5: c is used before it is defined; move its equation up",
    "c = c + x\nh = c": "line 4, column 1: c is defined by itself; for its previous value declare `state c` and write "
    "c_prev",
    "h = x\nh = x": "line 5: h is defined twice, first on line 4",
    "x = 3\nh = x": "line 4: x is given from outside; an equation cannot define it",
    "h_prev = x\nh = x": "line 4: h_prev is given from outside; an equation cannot define it",
    "c = x": "line 3, column 7: the state h has no equation; write one, as in `h = ...`",
    "readout\n    h = x": "line 5: the state h cannot be defined in a block",
    # declarations
    "input x\nh = x": "line 2, column 7: x is declared twice",
    "state x\nh = x": "line 2, column 7: x is declared twice",
    "scalar s, s\nh = s * x": "line 4, column 8: s is declared twice",
    "scalar s\nh = x": "line 4, column 8: s is declared, but no equation uses it",
    "positive s\nh = x": "line 4, column 10: s is declared, but no equation uses it",
    "param p\nh = x": "line 4, column 7: p is declared as a parameter, but no equation reads it as one",
    "param h\nh = x": "line 3, column 7: h is declared as a parameter, but no equation reads it as one",
    "output y\nh = x": "line 4, column 8: output y is not defined by an equation",
    # names
    "h = h_prv + x": "line 4, column 5: h_prv is not defined; did you mean h_prev? (if it is a parameter: `param h_prv`)",
    "h = c_prev + x": "line 4, column 5: c_prev is the previous value of c, which is not a state; declare `state c` if it "
    "is carried over time",
    "state carry\ncarry = x\nh = cary_prev": "line 6, column 5: cary_prev is the previous value of cary, which is not a "
    "state; did you mean carry_prev?",
    "h = x_prev": "line 4, column 5: x_prev is the previous value of x, which is not a state; declare `state x` if it is "
    "carried over time",
    "h = dt * x": "line 4, column 5: dt would read as the adjoint of t, the time step; choose another name",
    "h = t * x": "line 4, column 5: t is the time step; choose another name",
    "h = h_0 + x": "line 4, column 5: h_0 would read as h at step 0; rename it",
    "h = x_1 + x": "line 4, column 5: x_1 would read as x at step 1; rename it",
    "f = x\nh = f * df": "line 5, column 9: df would read as the adjoint of f; rename one of the two",
    "h_next = x\nh = h_next": "line 4, column 1: its adjoint dh_next would read as a part of that of h; rename h_next",
    "h = x * h_out": "line 4, column 9: its adjoint dh_out would read as a part of that of h; rename h_out",
    "h = x\nreadout\n    y = h * y_out": "line 6, column 13: its adjoint dy_out would read as a part of that of y; "
    "rename y_out",
    "h = x * dh_out": "line 4, column 9: dh_out would read as a part of the adjoint of h; rename it",
    "h = a_h + tanh(x + h_prev)": "line 4, column 5: a_h would print like the preactivation of h; rename one of the two",
    "u_h = x\nh = W @ (x * u_h)": "line 4, column 1: u_h would print like the argument of h; rename one of the two",
    "h = da_h * tanh(x + h_prev)": "line 4, column 5: da_h would read as the adjoint of a_h, the preactivation of h; "
    "rename it",
    "f = tanh(x + x) + exp(-x)\nf2 = tanh(x / 2)\nh = f * f2": "line 5: the preactivation of f2 and the preactivation of f "
    "would both be called a_f2; rename f2",
    "h = x\nfacts\n    dq/dx": "line 6, column 10: an equation is `name = expression`, one to a line",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG_TEXTS)
def test_what_is_wrong_with_a_text_is_said(text):
    with pytest.raises(CellError) as wrong:
        read(text)
    assert str(wrong.value) == WRONG_TEXTS[text]


@pytest.mark.parametrize("equations", WRONG_EQUATIONS)
def test_what_is_wrong_with_an_equation_is_said(equations):
    with pytest.raises(CellError) as wrong:
        read(cell_text(equations))
    assert str(wrong.value) == WRONG_EQUATIONS[equations]


def test_an_error_names_the_text_that_it_is_in():
    with pytest.raises(CellError) as wrong:
        read("cell a\nh = %", "mine.cell")
    assert str(wrong.value).startswith("mine.cell: line 2, column 5: ")
    assert (wrong.value.source, wrong.value.line, wrong.value.column) == ("mine.cell", 2, 5)
