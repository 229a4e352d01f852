"""Ratios of polynomials: what they prove equal is equal, what they tell apart differs, and neither takes for ever."""

from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.algebra import Algebra, Ratio, Spelled, TooLarge, constant, indeterminate
from derivations.duals import Duals
from derivations.equality import Proof, Status, decided, same, weakest
from derivations.expression import Add, Call, Div, Mul, Name, Neg, Num, Pow, evaluate, names
from derivations.functions import WRITABLE
from derivations.language import expression
from derivations.matrices import ShapeError
from derivations.residues import PRIME, Residue, Residues
from derivations.symbolic import symbol, to_sympy
from tests.patience import in_time


def equal(left: str, right: str, algebra: Algebra | None = None) -> bool:
    """Whether two expressions of scalars are equal in one algebra."""
    algebra = algebra or Algebra()
    values = {name: [[indeterminate(name)]] for text in (left, right) for name in names(expression(text))}
    sides = [evaluate(expression(text), values, algebra)[0][0] for text in (left, right)]
    return algebra.equal(*sides)


EQUAL = [
    ("a + b", "b + a"),
    ("a * (b + c)", "a * b + c * a"),
    ("(a + b)**2", "a**2 + 2 * a * b + b**2"),
    ("(a - b) * (a + b)", "a**2 - b**2"),
    ("a - a", "0"),
    ("a / b * b", "a"),
    ("a / (b + c) + b / (b + c) + c / (b + c)", "(a + b + c) / (b + c)"),
    ("1 / (1 / a + 1 / b)", "a * b / (a + b)"),
    ("(a**2 - b**2) / (a - b)", "a + b"),
    ("0.1 * a + 0.2 * a", "0.3 * a"),
    ("sigmoid(a + b)", "sigmoid(b + a)"),
    ("sigmoid(-a)", "1 - sigmoid(a)"),
    ("sigmoid(b - a)", "1 - sigmoid(a - b)"),
    ("tanh(-a)", "-tanh(a)"),
    ("tanh(a / (b + c))", "-tanh(a * b / (-b * b - b * c))"),
    ("exp(a + b)", "exp(a) * exp(b)"),
    ("exp(3 * a - b)", "exp(a)**3 / exp(b)"),
    ("exp(a / 2)**2 * exp(-a / 2)", "exp(a / 2)"),
    ("exp(a / 2)**2", "exp(a)"),
    ("exp(a / 3) * exp(a / 6)", "exp(a / 2)"),
    ("exp(-a / (b + c))", "1 / exp(a / (b + c))"),
    ("exp(a / (b + c))", "exp(a / (2 * b + 2 * c))**2"),
    ("exp(3 * a / (b + c))", "exp(a * b / (b**2 + b * c))**3"),
    ("exp(log(a) + b)", "a * exp(b)"),
    ("exp(0)", "1"),
    ("log(exp(a))", "a"),
    ("log(exp(a) + exp(a + b))", "a + log(1 + exp(b))"),
    ("log(a / (b + 1))", "-log((b + 1) / a)"),
    ("sqrt(a + b)**2", "a + b"),
    ("a / sqrt(b)", "a * sqrt(b) / b"),
    ("sqrt(a)**5 / sqrt(a)", "a**2"),
    ("max(a, b)", "max(a + 0, 1 * b)"),
]  # fmt: skip

# True of the functions, and not seen while they are only names.
EQUAL_SPELLED_OUT = [
    ("tanh(a)", "2 * sigmoid(2 * a) - 1"),
    ("sigmoid(a)", "1 / (1 + exp(-a))"),
    ("sigmoid(a)", "exp(a) / (exp(a) + 1)"),
    ("tanh(a)", "(exp(a) - exp(-a)) / (exp(a) + exp(-a))"),
    ("tanh(a / (b + 1))", "(exp(a / (b + 1)) - exp(-a / (b + 1))) / (exp(a / (b + 1)) + exp(-a / (b + 1)))"),
    ("tanh(a / 2)", "2 * sigmoid(a) - 1"),
    ("softplus(a)", "log(1 + exp(a))"),
    ("softplus(a)", "a + softplus(-a)"),
    ("logsigmoid(a)", "log(sigmoid(a))"),
    ("logsigmoid(a)", "-softplus(-a)"),
    ("max(a, b)", "max(b, a)"),
    ("max(a, b)", "-min(-a, -b)"),
    ("max(a, b) + min(a, b)", "a + b"),
    ("abs(a - b)", "max(a, b) - min(b, a)"),
    ("relu(a)", "max(0, a)"),
    ("relu(3 * a)", "3 * relu(a)"),
    ("relu(-a)", "relu(a) - a"),
    ("abs(a)", "abs(-a)"),
    ("hard_sigmoid(a)", "clip(a / 6 + 0.5, 0, 1)"),
    ("relu(2)", "2"),
    ("relu(-2)", "0"),
]

DIFFERENT = [
    ("a", "b"),
    ("a - b", "b - a"),
    ("a / b", "b / a"),
    ("a**2", "a**3"),
    ("a * 1.0000000001", "a"),
    ("sigmoid(a)", "tanh(a)"),
    ("sigmoid(a)", "sigmoid(b)"),
    ("sigmoid(a)", "1 - sigmoid(a)"),
    ("tanh(2 * a)", "2 * tanh(a)"),
    ("exp(a * b)", "exp(a) * exp(b)"),
    ("exp(2 * a)", "exp(a)"),
    ("exp(a / 7)**7", "exp(2 * a)"),
    ("exp(a / (b + c))", "exp(a / (b + 2 * c))"),
    ("log(a * b)", "log(a) * log(b)"),
    ("sqrt(a)", "a"),
    ("sqrt(a**2)", "a"),  # it is |a|
    ("sqrt(a + b)", "sqrt(a) + sqrt(b)"),
    ("max(a, b)", "min(a, b)"),
    ("relu(a)", "a"),
    ("relu(a - b)", "relu(b - a)"),
    ("abs(a)", "a"),
    ("clip(a, -1, 1)", "clip(a, -1, 2)"),
    ("softplus(a)", "relu(a)"),
    ("logsigmoid(a)", "logsigmoid(-a)"),
    ("tanh(a)", "2 * sigmoid(a) - 1"),
]


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal_ratios_are_equal(left, right):
    assert equal(left, right)
    assert equal(right, left)
    assert equal(left, right, Spelled())


@pytest.mark.parametrize(("left", "right"), EQUAL_SPELLED_OUT)
def test_some_are_equal_once_functions_are_spelled_out(left, right):
    assert equal(left, right, Spelled())
    assert equal(right, left, Spelled())


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
@pytest.mark.parametrize("kind", [Algebra, Spelled])
def test_different_ratios_are_told_apart(left, right, kind):
    assert not equal(left, right, kind())
    assert not equal(right, left, kind())


# --- against SymPy, over random expressions -----------------------------------------------------------------------

a, b, c = (Name(id) for id in "abc")
leaves = st.sampled_from([a, b, c]) | st.fractions(-3, 3, max_denominator=4).map(Num)
rational = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(lambda items: Add(tuple(items)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda items: Mul(tuple(items)))
        | inner.map(Neg)
        | st.builds(Div, inner, inner)
        | st.builds(Pow, inner, st.integers(0, 3))
    ),
    max_leaves=7,
)


def ratio(expr: object, algebra: Algebra) -> Ratio:
    return evaluate(expr, {name: [[indeterminate(name)]] for name in "abc"}, algebra)[0][0]


@settings(deadline=None)
@given(rational, rational)
def test_rational_expressions_are_equal_where_sympy_says_so(left, right):
    algebra = Algebra()
    try:
        ours = algebra.equal(ratio(left, algebra), ratio(right, algebra))
        alone = algebra.equal(ratio(left, algebra), ratio(Add((left, right, Neg(right))), algebra))
    except ZeroDivisionError:
        return
    assert alone
    assert ours is (sympy.cancel(to_sympy(left) - to_sympy(right)) == 0)


@settings(deadline=None)
@given(rational)
def test_forward_mode_finds_sympys_derivative(expr):
    algebra = Algebra()
    duals = Duals(algebra)
    values = {name: duals.seeded([[indeterminate(name)]], 0, 0 if name == "a" else 1) for name in "abc"}
    try:
        slope = duals.slopes(evaluate(expr, values, duals))[0][0]
        theirs = sympy.cancel(sympy.diff(to_sympy(expr), symbol("a")))
        expected = ratio_of_sympy(theirs)
    except ZeroDivisionError:
        return
    assert algebra.equal(slope, expected)


def ratio_of_sympy(expr: sympy.Expr) -> Ratio:
    """A cancelled SymPy expression term by term; it shares nothing with our reader of SymPy."""
    above, below = (sympy.Poly(part, *sympy.symbols("a b c")) for part in sympy.fraction(expr))

    def polynomial(poly: sympy.Poly) -> Ratio:
        result = constant(Fraction(0))
        for powers, coefficient in poly.terms():
            term = constant(Fraction(int(coefficient.p), int(coefficient.q)))
            for name, power in zip("abc", powers, strict=True):
                term = term * indeterminate(name).to_the(power)
            result = result + term
        return result

    return polynomial(above) / polynomial(below)


def test_division_by_zero_has_no_value():
    with pytest.raises(ZeroDivisionError):
        equal("a / (b - b)", "a")


# --- limits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "(a + b + c + d + e + f + g)**8 * (a - b + c - d + e - f + g)**8",
        "(((2 * a)**8)**8)**8 * (((2 * a)**8)**8)**8",
    ],
)
def test_what_grows_too_large_stops_at_once(text):
    expr = expression(text)
    algebra = Algebra()
    values = {name: [[indeterminate(name)]] for name in names(expr)}

    def grow() -> None:
        value = evaluate(expr, values, algebra)[0][0]
        for _ in range(20):
            value = value * value

    with pytest.raises(TooLarge):
        in_time(1, grow)


def test_nested_functions_do_not_double_with_every_level():
    algebra, value = Algebra(), indeterminate("a")
    for _ in range(200):
        value = algebra.apply("sigmoid", (value,)) * algebra.apply("tanh", (value,))
    assert len(algebra.applications) == 400
    assert max(map(len, algebra.applications)) < 20


def test_a_power_is_taken_by_squaring():
    value = indeterminate("a").to_the(8**40)
    assert value.above == {(("a", 8**40),): 1}
    assert value.to_the(-1).equals(constant(Fraction(1)) / value)
    assert indeterminate("a").to_the(0).equals(constant(Fraction(1)))


# --- residues -----------------------------------------------------------------------------------------------------


def test_residues_are_a_field():
    x, y = Residue(12345), Residue(-7)
    assert (x / y * y).value == 12345
    assert (x + -x).value == 0
    assert (x - y).value == 12352
    assert Residue(PRIME).value == 0
    with pytest.raises(ZeroDivisionError):
        x / Residue(0)


@pytest.mark.parametrize("function", ["sigmoid", "tanh", "exp", "relu", "log"])
def test_a_function_is_a_table_that_depends_on_its_argument_and_the_seed(function):
    point, other = Residues(1), Residues(2)
    x = point.drawn("x")
    assert point.apply(function, (x,)).value == point.apply(function, (Residue(x.value),)).value
    assert point.apply(function, (x,)).value != point.apply(function, (x + Residue(1),)).value
    assert point.apply(function, (x,)).value != other.apply(function, (x,)).value


@pytest.mark.parametrize("name", ["x", "y", "z"])
def test_the_tables_keep_the_symmetries_of_the_functions(name):
    point = Residues(3)
    x = point.drawn(name)
    assert (point.apply("sigmoid", (x,)) + point.apply("sigmoid", (-x,))).value == 1
    assert (point.apply("tanh", (x,)) + point.apply("tanh", (-x,))).value == 0
    assert (point.apply("exp", (x,)) * point.apply("exp", (-x,))).value == 1


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_residues_tell_apart_what_differs(left, right):
    point = Residues(5)
    values = {name: [[point.drawn(name)]] for name in "abc"}
    sides = [evaluate(expression(text), values, point)[0][0] for text in (left, right)]
    assert not sides[0].equals(sides[1])


# --- decisions ----------------------------------------------------------------------------------------------------


def claimed(left: str, right: str) -> Proof:
    def claim(arithmetic, scalar):
        values = {name: [[scalar(name)]] for text in (left, right) for name in names(expression(text))}
        yield from same("it", *(evaluate(expression(text), values, arithmetic) for text in (left, right)))

    return decided(claim)


BIG = "(a + b + c + d + e + f + g)**8 * (a - b + c - d + e - f + g)**8"


@pytest.mark.parametrize(
    ("left", "right", "status", "where"),
    [
        *((left, right, Status.PROVED, "") for left, right in EQUAL + EQUAL_SPELLED_OUT),
        *((left, right, Status.REFUTED, "it[0,0]") for left, right in DIFFERENT),
        (BIG, BIG, Status.AGREES, ""),
        (BIG, f"{BIG} + a", Status.REFUTED, "it[0,0]"),
        ("a / (b - b)", "a", Status.REFUTED, "division by zero"),
    ],
)
def test_a_claim_is_decided(left, right, status, where):
    assert claimed(left, right) == Proof(status, where)


@pytest.mark.parametrize("function", WRITABLE)
def test_a_function_equals_itself_and_no_other(function):
    args = ", ".join(["a", "b", "c"][: 3 if function == "clip" else 2 if function in ("max", "min") else 1])
    assert claimed(f"{function}({args})", f"{function}({args})")
    assert not claimed(f"{function}({args})", f"{function}({args}) + a / 1000000")


def test_what_has_no_value_is_refuted_and_said():
    def unknown(arithmetic, scalar):
        yield "it", evaluate(Name("nowhere"), {}, arithmetic)[0][0], scalar("a")

    def shapes(arithmetic, scalar):
        yield from same("it", [[scalar("a")]], [[scalar("a")], [scalar("b")]])

    assert decided(unknown) == Proof(Status.REFUTED, "nowhere has no value")
    assert decided(shapes) == Proof(Status.REFUTED, "it: shapes 1x1 and 2x1")
    with pytest.raises(ShapeError):
        list(same("it", [[1]], [[1, 2]]))


def test_a_mistake_of_ours_is_no_refutation():
    def broken(arithmetic, scalar):
        raise ValueError("not about shapes")
        yield

    with pytest.raises(ValueError, match="not about shapes"):
        decided(broken)


def test_the_weakest_of_several_proofs_is_kept():
    proved, agrees, refuted = Proof(Status.PROVED), Proof(Status.AGREES), Proof(Status.REFUTED, "x")
    assert weakest([]) == weakest([proved, proved]) == proved
    assert weakest([proved, agrees, proved]) == agrees
    assert weakest([agrees, refuted, proved]) == refuted
    assert not agrees
    assert not refuted


# --- dual numbers -------------------------------------------------------------------------------------------------


def test_only_what_moves_has_a_slope():
    algebra = Algebra()
    duals = Duals(algebra)
    values = {"a": duals.seeded([[indeterminate("a")]], 0, 0), "b": duals.constant([[indeterminate("b")]])}
    moving = evaluate(Call("tanh", (Mul((a, b)),)), values, duals)[0][0]
    still = evaluate(Call("tanh", (Mul((b, b)),)), values, duals)[0][0]
    assert moving.slope is not None
    assert still.slope is None
    assert duals.slopes([[still]])[0][0].is_zero()


def test_what_is_detached_does_not_move():
    algebra = Algebra()
    duals = Duals(algebra)
    values = {"a": duals.seeded([[indeterminate("a")]], 0, 0)}
    slope = duals.slopes(evaluate(expression("a * detach(a)"), values, duals))[0][0]
    assert slope.equals(indeterminate("a"))


def test_the_slope_of_logsumexp_is_a_softmax():
    algebra = Algebra()
    duals = Duals(algebra)
    vector = [[indeterminate("a")], [indeterminate("b")]]
    moved = duals.seeded(vector, 0, 0)
    slope = duals.slopes(duals.logsumexp(moved))[0][0]
    value = algebra.logsumexp(vector)[0][0]
    assert algebra.equal(slope, algebra.apply("exp", (vector[0][0] - value,)))
