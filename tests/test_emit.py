"""Emitted JavaScript: run as it stands by Node, and held against ball arithmetic."""

import json
import re
import subprocess
from dataclasses import replace
from fractions import Fraction
from math import inf, isnan

import mpmath
import numpy as np
import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.emit import FUNCTIONS, TAKEN, javascript, javascript_expression, stable
from derivations.expression import Call, Mul, Name, Num, Pow, scalar_view
from derivations.functions import FUNCTIONS as ROWS
from derivations.language import expression, read
from derivations.names import JAVASCRIPT_WORDS, fault
from tests.page.browser import expected
from tests.samples import cell_text

CELLS = {name: read_cell(name) for name in cell_names()}
GRID = sorted(
    {
        s * x
        for s in (-1.0, 1.0)
        for x in (0.0, 1e-300, 1e-17, 1e-9, 0.3, 1.0, 2.5, 3.0, 17.0, 19.0, 37.0, 88.0, 709.0, 745.0, 1e4)
    }
)


@pytest.fixture(scope="module")
def node(needs_tool):
    """Run a program and read what it prints, as JSON."""
    program = needs_tool("node")

    def run(text, given=None):
        tail = "\nconst show = (_, x) => typeof x === 'number' && !Number.isFinite(x) ? String(x) : x;\n"
        whole = (
            f'"use strict";\nconst input = {json.dumps(given)};\n{text}{tail}console.log(JSON.stringify(output, show));'
        )
        answer = subprocess.run([program, "-"], input=whole, capture_output=True, text=True, timeout=60)
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    return run


def source(derivation):
    emitted = javascript(derivation, "cell")
    return "\n".join(emitted.functions.values()) + "\n" + emitted.text


def run_text(derivation):
    """The whole program over one step, with what enters it."""
    return (
        source(derivation)
        + """
const values = cell.forward(input.given);
const output = {values, partials: cell.partials(values), ...cell.back(values, input.d)};
"""
    )


# --- functions ----------------------------------------------------------------------------------------------------


def test_every_function_is_spelled():
    assert set(FUNCTIONS) == {*ROWS, "sech2"}


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if len(row.args) == 1] + ["sech2"])
def test_functions_are_right_over_their_whole_range(node, name):
    called, text = FUNCTIONS[name]
    got = node(f"{text}\nconst output = input.map(x => {called}(x));", GRID)
    with mpmath.workdps(60):
        for x, value in zip(GRID, got, strict=True):
            true = TRUE[name](mpmath.mpf(x))
            if isinstance(value, str):
                value = {"Infinity": inf, "-Infinity": -inf, "NaN": float("nan")}[value]
            if true is None:
                assert isnan(value), x
            elif abs(true) > mpmath.mpf(2) ** 1024:
                assert value == (inf if true > 0 else -inf), x
            else:
                assert abs(value - true) <= 4 * 2.0**-53 * abs(true) + 2.0**-1022, x


def _domain(function, low):
    return lambda x: (
        function(x)
        if x > low
        else (-mpmath.inf if x == low and function is mpmath.log else mpmath.mpf(0) if x == low else None)
    )


TRUE = {
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh": mpmath.tanh,
    "exp": mpmath.exp,
    "log": _domain(mpmath.log, 0),
    "sqrt": _domain(mpmath.sqrt, 0),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)) if x < 300 else x + mpmath.exp(-x),
    "logsigmoid": lambda x: -(mpmath.log1p(mpmath.exp(-x)) if x > -300 else -x + mpmath.exp(x)),
    "relu": lambda x: max(x, mpmath.mpf(0)),
    "abs": abs,
    "hard_sigmoid": lambda x: min(max(x / 6 + mpmath.mpf("0.5"), mpmath.mpf(0)), mpmath.mpf(1)),
    "_step": lambda x: mpmath.mpf(x > 0),
    "_sign": mpmath.sign,
    "sech2": lambda x: mpmath.sech(x) ** 2,
}


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("above_(1, 2)", 0), ("above_(2, 1)", 1), ("above_(1, 1)", 0.5), ("above_(NaN, 1)", "NaN"),
        ("inside_(0, -1, 1)", 1), ("inside_(1, -1, 1)", 0), ("inside_(-2, -1, 1)", 0), ("inside_(NaN, -1, 1)", "NaN"),
        ("clip(3, -1, 1)", 1), ("clip(-3, -1, 1)", -1), ("clip(0.5, -1, 1)", 0.5), ("step_(0)", 0), ("step_(NaN)", "NaN"),
    ],
)  # fmt: skip
def test_choices_at_their_corners(node, call, value):
    functions = "\n".join(text for _, text in FUNCTIONS.values())
    assert node(f"{functions}\nconst output = {call};") == value


# --- expressions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("a - (b - c)", "a - (b - c)"),
        ("-(a + b) * c", "-((a + b)*c)"),
        ("a / (b * c)", "a/(b*c)"),
        ("(a / b) * c", "a/b*c"),
        ("a * (b / c)", "a*(b/c)"),
        ("(a + 1)**3", "(a + 1)*(a + 1)*(a + 1)"),
        ("0.1 * a", "0.1*a"),
        ("a / 3", "a/3"),
    ],
)
def test_expressions_keep_their_order(text, spelled):
    assert javascript_expression(expression(text)).replace(" ", "") == spelled.replace(" ", "")


@pytest.mark.parametrize(
    ("value", "factor", "base"),
    [
        (0, "x*0", "0*0"),
        (-3, "x*-3", "(-3)*(-3)"),
        (Fraction(-1, 2), "x*-0.5", "(-0.5)*(-0.5)"),
        (2**53 - 1, "x*9007199254740991", "9007199254740991*9007199254740991"),
        (2**53, "x*9007199254740992.0", "9007199254740992.0*9007199254740992.0"),  # what no longer is exact, says so
    ],
)
def test_numbers_within_operations(value, factor, base):
    assert javascript_expression(Mul((Name("x"), Num(Fraction(value))))) == factor
    assert javascript_expression(Pow(Num(Fraction(value)), 2)) == base


def test_complements_are_written_so_that_they_do_not_cancel():
    cell = read_cell("lstm")
    f = derive(cell).adjoint_of["a_f"].rhs
    assert javascript_expression(stable(scalar_view(f), cell)) == "df*f*sigmoid(-a_f)"
    c = derive(cell).adjoint_of["c"].rhs
    assert javascript_expression(stable(scalar_view(c), cell)) == "dc_next + dh*o*sech2(c)"
    assert stable(1 - Name("x"), cell) == 1 - Name("x")
    assert stable(1 - Call("tanh", (Name("x"),)), cell) == 1 - Call("tanh", (Name("x"),))


# --- programs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_a_step_is_the_derivation(node, name, scale):
    cell, rng = CELLS[name], np.random.default_rng(7)
    draw = {
        n: float(abs(x) if n in cell.positive else x)
        for n, x in zip(cell.leaves, scale * rng.standard_normal(len(cell.leaves)), strict=True)
    }
    target = cell.states[-1]
    got = node(run_text(derive(cell)), {"given": draw, "d": {f"d{target}_next": 1.0}})
    numbers = {
        "parameters": {n: draw[n] for n in cell.parameters},
        "initial": {s: draw[f"{s}_prev"] for s in cell.states},
    }
    true = expected(cell, numbers, {n: [draw[n]] for n in (*cell.inputs, *cell.targets)}, target, ())
    for kind, found, known in (
        ("value", got["values"], true.values[0]),
        ("adjoint", got["adjoints"], true.adjoints[0]),
    ):
        for key, value in found.items():
            assert value == pytest.approx(known[key], rel=1e-12, abs=0), (kind, key)
    for key, terms in got["terms"].items():
        assert sum(terms) == pytest.approx(got["adjoints"][f"d{key}"], rel=1e-15)


def test_names_that_mean_something_in_the_language_are_told_apart(node):
    """The adjoint of o is a keyword of JavaScript, and so on; each keeps its own value."""
    text = "o = tanh(a * x)\nelete = o * h_prev\nefault = elete + Math * values\nh = o * efault"
    cell = read(cell_text(text))
    assert {"do", "delete", "default"} <= TAKEN
    draw = dict.fromkeys(cell.leaves, 0.5)
    got = node(run_text(derive(cell)), {"given": draw, "d": {"dh_next": 1.0}})
    numbers = {"parameters": dict.fromkeys(cell.parameters, 0.5), "initial": {"h": 0.5}}
    true = expected(cell, numbers, {"x": [0.5]}, "h", ())
    assert {k: pytest.approx(v, rel=1e-14) for k, v in got["adjoints"].items()} == {
        k: true.adjoints[0][k] for k in got["adjoints"]
    }


def test_no_name_and_no_adjoint_can_hurt_the_program():
    """What the language lets pass, alone or behind a d, is no reserved word unless the emitter knows it."""
    for word in JAVASCRIPT_WORDS:
        assert fault(word)
        if word.startswith("d") and not fault(word[1:]):
            assert word in TAKEN, word
    for called, text in FUNCTIONS.values():
        own = called.partition(".")[0]
        assert own in TAKEN or fault(own), f"a cell may use the name {own}, which {text or called} needs"


@pytest.mark.parametrize("label", ["*/ alert(1) //", "a\u2028b", "</script>", "x\ny"])
def test_a_label_stays_in_its_comment(label):
    cell = read_cell("rnn")
    hostile = replace(cell, equations=tuple(replace(e, label=label) for e in cell.equations))
    text = javascript(derive(hostile), "cell").text
    assert not re.search(r"[<>\u2028*]/|</", text)
    assert len(text.splitlines()) == len(javascript(derive(cell), "cell").text.splitlines())


def test_a_stacked_cell_is_refused():
    with pytest.raises(ValueError, match="scalar view"):
        javascript(derive(read(cell_text("h = tanh(W @ [h_prev; x])", "input x\nstate h"))), "cell")
