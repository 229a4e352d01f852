"""Both columns of every row are proved against one another by SymPy, and a wrong row is refuted."""

from fractions import Fraction

import pytest
import sympy

from derivations.by_sympy import slope_proof
from derivations.cell import Equation
from derivations.equality import Status
from derivations.expression import ONE, ZERO, Call, Expr, Name, Num, evaluate, names, negative, substitute, walk
from derivations.floats import FLOATS
from derivations.functions import FUNCTIONS, ROWS, WRITABLE, Function, X, Y
from derivations.language import read
from derivations.symbolic import to_sympy
from tests.samples import cell_text

SMOOTH = [row for row in ROWS if not row.pieces]
KINKED = [row for row in ROWS if row.pieces]
WRITABLE_KINKED = [row for row in KINKED if row.name in WRITABLE]
PRIMITIVE = {"exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt}

# Written by hand, in SymPy: what each function is.
x, x1, x2, x3 = sympy.symbols("x x1 x2 x3", real=True)
VALUES = {
    "sigmoid": sympy.exp(x) / (sympy.exp(x) + 1),
    "tanh": sympy.tanh(x),
    "softplus": sympy.log(1 + sympy.exp(x)),
    "logsigmoid": sympy.log(1 / (1 + sympy.exp(-x))),
}


def by_name(row: Function) -> str:
    return row.name


def in_sympy(expr: Expr, row: Function) -> sympy.Expr:
    """An entry of a row in SymPy; y is the row's own value."""
    own = PRIMITIVE[row.name](x) if row.name in PRIMITIVE else None
    lookup = {"x": x, "x1": x1, "x2": x2, "x3": x3}
    if own is None and row.value is not None:
        own = to_sympy(row.value, lookup=lookup.__getitem__)
    return to_sympy(expr, spelled_out=True, lookup=(lookup | {"y": own}).__getitem__)


def is_derivative(slope: Expr, row: Function) -> bool:
    """Whether a derivative column is SymPy's derivative of the value column."""
    value = in_sympy(Y, row)
    return sympy.simplify((in_sympy(slope, row) - sympy.diff(value, x)).rewrite(sympy.exp)) == 0


# --- smooth rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", SMOOTH, ids=by_name)
def test_the_derivative_column_is_sympys_derivative_of_the_value_column(row):
    (slope,) = row.derivatives
    assert is_derivative(slope, row)


@pytest.mark.parametrize("row", SMOOTH, ids=by_name)
@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(negative, id="sign"),
        pytest.param(lambda slope: 2 * slope, id="factor"),
        pytest.param(lambda slope: slope + 1, id="term"),
        pytest.param(lambda slope: substitute(slope, {X: Y, Y: X}), id="x for y"),
    ],
)
def test_a_wrong_derivative_column_is_refuted(row, mistake):
    (slope,) = row.derivatives
    assert not is_derivative(mistake(slope), row)


@pytest.mark.parametrize("row", [row for row in SMOOTH if row.value is not None], ids=by_name)
def test_the_value_column_is_the_function(row):
    difference = in_sympy(Y, row) - VALUES[row.name]
    assert sympy.simplify(sympy.expand_log(difference.rewrite(sympy.exp), force=True)) == 0


def test_only_primitive_and_piecewise_rows_have_no_value_column():
    assert {row.name for row in ROWS if row.value is None} == {*PRIMITIVE, *(row.name for row in KINKED)}


# --- kinked rows --------------------------------------------------------------------------------------------------

ABOVE_AND_BELOW = [(Fraction(5, 2), Fraction(1, 3)), (Fraction(1, 3), Fraction(5, 2))]
INSIDE_BELOW_ABOVE = [
    (Fraction(1, 2), Fraction(-3), Fraction(3)),
    (Fraction(-7), Fraction(-3), Fraction(3)),
    (Fraction(7), Fraction(-3), Fraction(3)),
]


def regions(row: Function) -> list[dict[str, Fraction]]:
    """Arguments in each region, in the order of the pieces."""
    if len(row.pieces) == 3:
        return [dict(zip((arg.id for arg in row.args), args, strict=False)) for args in INSIDE_BELOW_ABOVE]
    if len(row.args) == 1:  # right and left of 0
        return [{"x": Fraction(5, 2)}, {"x": Fraction(-5, 2)}]
    return [dict(zip(("x1", "x2"), args, strict=True)) for args in ABOVE_AND_BELOW]


def at(expr: Expr, arguments: dict[str, Fraction]) -> float:
    """The value of an entry of a kinked row: a constant or linear, exact in floats at these arguments."""
    return evaluate(expr, {name: float(value) for name, value in arguments.items()}, FLOATS)


@pytest.mark.parametrize("row", KINKED, ids=by_name)
def test_in_each_region_the_derivative_is_that_of_the_piece(row):
    for piece, arguments in zip(row.pieces, regions(row), strict=True):
        for arg, slope in zip(row.args, row.derivatives, strict=True):
            if row.name == "clip" and arg.id != "x1":
                assert slope == ZERO  # its bounds are held constant
                continue
            expected = sympy.diff(in_sympy(piece, row), sympy.Symbol(arg.id, real=True))
            assert at(slope, arguments) == float(expected)


@pytest.mark.parametrize("row", [row for row in KINKED if not row.name.startswith("_")], ids=by_name)
def test_in_each_region_the_value_is_that_of_the_piece(row):
    for piece, arguments in zip(row.pieces, regions(row), strict=True):
        assert at(Call(row.name, row.args), arguments) == at(piece, arguments)


@pytest.mark.parametrize("row", [row for row in KINKED if row.name in WRITABLE], ids=by_name)
def test_the_pieces_meet_at_the_kinks(row):
    value, *thresholds = row.compared
    for k, threshold in enumerate(thresholds):
        neighbour = row.pieces[k + 1]  # the piece below the first threshold, or above the second
        there = {value: threshold}
        assert (
            sympy.simplify(
                in_sympy(substitute(row.pieces[0], there), row) - in_sympy(substitute(neighbour, there), row)
            )
            == 0
        )


@pytest.mark.parametrize(
    ("name", "arguments", "slopes"),
    [
        ("relu", (0.0,), (0.0,)),
        ("abs", (0.0,), (0.0,)),
        ("max", (2.0, 2.0), (0.5, 0.5)),
        ("min", (2.0, 2.0), (0.5, 0.5)),
        ("hard_sigmoid", (-3.0,), (0.0,)),
        ("hard_sigmoid", (3.0,), (0.0,)),
        ("hard_sigmoid", (0.0,), (1 / 6,)),
        ("clip", (-1.0, -1.0, 1.0), (0.0, 0.0, 0.0)),
        ("clip", (1.0, -1.0, 1.0), (0.0, 0.0, 0.0)),
    ],
)
def test_at_a_kink_the_slope_is_the_stated_convention(name, arguments, slopes):
    row = FUNCTIONS[name]
    here = dict(zip((arg.id for arg in row.args), arguments, strict=True))
    assert tuple(at(slope, here) for slope in row.derivatives) == slopes
    assert row.kink


def test_the_conventions_are_stated():
    assert {row.name: row.kink for row in ROWS if row.kink} == {
        "relu": "relu'(0) = 0",
        "abs": "|x|' = 0 at 0",
        "max": "a tie in max gives one half to each",
        "min": "a tie in min gives one half to each",
        "hard_sigmoid": "hard sigmoid has slope 0 at its corners -3 and 3",
        "clip": "clip has slope 0 at its corners; its bounds are held constant",
    }


# --- the prover that the project uses sees the same ---------------------------------------------------------------


def slopes_proved(row: Function) -> list[Status]:
    """`slope_proof` of every argument of `h = row(v1, v2, v3)`."""
    args = tuple(Name(f"v{k}") for k, _ in enumerate(row.args, 1))
    equation = Equation("h", Call(row.name, args))
    table = {**dict(zip(row.args, args, strict=True)), Y: Name("h")}
    slopes = [substitute(slope, table) for slope in row.derivatives]
    return [
        slope_proof(slope, equation, arg).status
        for arg, slope in zip(args, slopes, strict=True)
        if slope != ZERO or not row.kink  # what is held constant has no use
    ]


@pytest.mark.parametrize("row", [FUNCTIONS[name] for name in WRITABLE], ids=by_name)
def test_the_prover_proves_every_row(row):
    assert set(slopes_proved(row)) == {Status.PROVED}


@pytest.mark.parametrize("row", [FUNCTIONS[name] for name in WRITABLE], ids=by_name)
@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(negative, id="sign"),
        pytest.param(lambda slope: slope + 1, id="term"),
        pytest.param(lambda slope: slope * Num(Fraction(1001, 1000)), id="factor"),
    ],
)
def test_the_prover_refutes_a_wrong_row(row, mistake):
    args = tuple(Name(f"v{k}") for k, _ in enumerate(row.args, 1))
    slope = substitute(row.derivatives[0], {**dict(zip(row.args, args, strict=True)), Y: Name("h")})
    proof = slope_proof(mistake(slope), Equation("h", Call(row.name, args)), args[0])
    assert proof.status is Status.REFUTED
    assert proof.where.startswith("dh: ")


@pytest.mark.parametrize(
    ("slope", "right"),
    [
        (Call("_inside", (X, Num(Fraction(-3)), Num(Fraction(3)))) / 6, True),
        (Call("_inside", (X, Num(Fraction(-2)), Num(Fraction(3)))) / 6, False),  # another corner
        (Call("_step", (X,)) / 6, False),
    ],
)
def test_a_kink_at_another_place_is_refuted(slope, right):
    assert bool(slope_proof(slope, Equation("h", Call("hard_sigmoid", (X,))), X)) is right


# --- what the rows are --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_a_row_is_whole(row):
    assert len(row.derivatives) == len(row.args)
    assert row.latex
    assert len(row.pieces) == len(row.compared)
    allowed = {arg.id for arg in row.args}
    for slope in row.derivatives:
        assert set(names(slope)) <= allowed | {"y"}
    for expr in (*row.pieces, *row.compared, *((row.value,) if row.value else ())):
        assert set(names(expr)) <= allowed


def test_a_value_column_is_made_of_exp_and_log():
    spelled = {node.function for row in ROWS if row.value for node in walk(row.value) if isinstance(node, Call)}
    assert spelled == {"exp", "log"}


def test_names_are_unique_and_those_with_an_underscore_are_ours():
    assert len(FUNCTIONS) == len(ROWS)
    assert {name for name in FUNCTIONS if name not in WRITABLE} == {"_step", "_sign", "_above", "_inside"}


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_a_cell_can_write_the_rows_without_an_underscore(row):
    arguments = ", ".join(["x", "-1", "1"][: len(row.args)])
    text = cell_text(f"h = {row.name}({arguments})")
    if row.name in WRITABLE:
        assert read(text).equation("h").rhs == Call(row.name, (X, -ONE, ONE)[: len(row.args)])
    else:
        with pytest.raises(ValueError, match=f"there is no function {row.name}"):
            read(text)
