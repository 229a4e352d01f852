"""A sheet is read in its notation: which one that is, what its names are, and what a loop over time walks through."""

import json

import pytest

from derivations.cell import CellError
from derivations.marking.sheets import read_sheet, read_sheet_file
from derivations.plain import code


def lines(text, notation=""):
    """Each line of a sheet as `target = right-hand side`, in the text of a cell; what is unreadable as its reason."""
    return [f"{one.target} = {code(one.rhs)}" if one.rhs else one.why for one in read_sheet(text, notation).lines]


@pytest.mark.parametrize(
    ("text", "notation"),
    [
        ("df = dc*c_prev", "text"),
        (r"\delta f_t = \delta c_t \odot c_{t-1}", "latex"),
        ("import numpy as np\ndf = dc*c_prev\n", "python"),
        ("def f(:\n  dh = np.tanh(c)", "text"),  # it looks like Python, and is none
    ],
)
def test_the_notation_is_told_by_the_text(text, notation):
    assert read_sheet(text).notation == notation


def test_a_notation_that_is_not_there_is_said():
    with pytest.raises(CellError, match="no notation 'word'; there are text, python, latex"):
        read_sheet("df = dc", "word")


@pytest.mark.parametrize(
    ("formula", "read"),
    [
        (r"\delta c_t = f_t", "delta_c = f"),
        (r"dc_{t-1} = \tilde{c}_t", "dc[t-1] = c_tilde"),
        (r"\frac{\partial L}{\partial c_t} = o^{(t)}", "dL/dc = o"),
        (r"\frac{\partial}{\partial c_t} L = o", "dL/dc = o"),
        (r"\partial L / \partial c_t = o", "dL/dc = o"),
        (r"\nabla_{c_t} \mathcal{L} = o", "dL/dc = o"),
        (r"g = W^\top \mathbf{h}", "g = W.T @ h"),
        (r"g = \sigma(a)^2", "g = sigmoid(a)**2"),
        (r"g = \frac{a}{b + c}", "g = a/(b + c)"),
        (r"g = \tanh[a + b]", "g = tanh(a + b)"),
        (r"g = \begin{bmatrix} a \\ b \end{bmatrix}", "g = [a; b]"),
    ],
)
def test_a_name_in_latex_takes_its_accents_indices_and_step_along(formula, read):
    assert lines(formula, "latex") == [read]


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        (r"g = \foo a", r"the command \foo is not read in a formula"),
        (r"g = \sum_{k=1}^{t} a_k", "only a sum over t is read"),
        (r"g = \frac{\partial a + b}{\partial c}", "a derivative is of one name by one name"),
        (r"g = a^{1.5}", "the index '1.5' is not read"),
        (r"g = " + r"\sqrt{" * 60 + "a" + "}" * 60, "braces are nested deeper than 40"),
    ],
)
def test_what_is_no_formula_says_why(formula, why):
    assert lines(formula, "latex") == [why]


@pytest.mark.parametrize(
    ("program", "read"),
    [
        ("da, db = dc*a, dc*b", ["da = dc*a", "db = dc*b"]),
        ("dW = 0\ndW += np.outer(da, h)\n", ["dW = outer(da, h)"]),
        ("dz = np.concatenate((da, db))", ["dz = [da; db]"]),
        ("da = np.sum(dc, axis=0)", ["da = down(dc)"]),
        (
            "def slope(a):\n    return 1 - a**2\n\ndef back(da, a):\n    return da\n\ndb = da*slope(a)",
            ["db = da*(1 - a**2)"],
        ),
    ],
)
def test_python_is_walked_statement_by_statement(program, read):
    assert lines(program, "python") == read


@pytest.mark.parametrize(
    ("loop", "why"),
    [
        ("while True:", "a while loop is not walked; write `for t in range(T)`"),
        ("for k in range(1000):", "a loop that is longer than the walk over time"),
        ("for k in range(unknown):", "how often this runs is not known"),
    ],
)
def test_a_loop_that_is_not_walked_says_why(loop, why):
    (found,) = read_sheet(f"{loop}\n    da = dc\n", "python").lines
    assert found.rhs is None
    assert found.why.endswith(why)


def test_a_loop_over_time_is_walked_step_by_step():
    sheet = read_sheet("for t in reversed(range(T)):\n    dc = dh[t] * o[t]\n    dh_prev = c[t-1] * dc\n", "python")
    assert sheet.steps == 3
    assert [(one.step, one.target, code(one.rhs)) for one in sheet.lines[:3]] == [
        (3, "dc", "dh*o"),
        (3, "dh_prev", "c[t-1]*dc#1"),
        (2, "dc", "dh*o"),
    ]
    assert sheet.series == {"dh", "o", "c"}


@pytest.mark.parametrize(("notation", "sign"), [("python", "#"), ("latex", "%")])
def test_a_comment_says_what_names_mean(notation, sign):
    sheet = read_sheet(f"{sign} names: u = h_prev\n{sign} namespaces: v = c\ndu = dc\n", notation)
    assert {theirs: code(ours) for theirs, ours in sheet.names.items()} == {"u": "h_prev"}


def test_a_notebook_is_read_without_what_only_a_notebook_understands(tmp_path):
    cells = [
        ("markdown", "da = dc"),
        ("code", ["%matplotlib inline\n", "da = dc*a"]),
        ("code", "%%bash\nls"),
        ("code", "db = dc*b"),
    ]
    file = tmp_path / "mine.ipynb"
    file.write_text(json.dumps({"cells": [{"cell_type": kind, "source": source} for kind, source in cells]}))
    assert [one.target for one in read_sheet_file(file).lines] == ["da", "db"]
    file.write_text("{}")
    with pytest.raises(CellError, match="not a notebook") as error:
        read_sheet_file(file)
    assert error.value.source == str(file)
