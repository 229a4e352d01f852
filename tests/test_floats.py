"""Arithmetic on floats: every function at both ends, at its kinks and outside of its domain."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import mpmath
import pytest

from derivations.expression import Name, evaluate, substitute
from derivations.floats import FLOATS, VALUES, WIDE, FloatMatrices, WideMatrices, magnitude
from derivations.functions import FUNCTIONS, Y

INF, NAN = math.inf, math.nan
SMOOTH = ["sigmoid", "tanh", "exp", "log", "sqrt", "softplus", "logsigmoid"]


def test_every_row_of_the_table_has_a_value():
    assert set(VALUES) == set(FUNCTIONS)


def true_value(function: str, x: float) -> mpmath.mpf:
    """The value column's own formula with 400 digits: enough for 1 - exp(-1000)."""
    with mpmath.workdps(400):
        x = mpmath.mpf(x)
        return {
            "sigmoid": lambda: 1 / (1 + mpmath.exp(-x)),
            "tanh": lambda: mpmath.tanh(x),
            "exp": lambda: mpmath.exp(x),
            "log": lambda: mpmath.log(x),
            "sqrt": lambda: mpmath.sqrt(x),
            "softplus": lambda: mpmath.log1p(mpmath.exp(x)),
            "logsigmoid": lambda: -mpmath.log1p(mpmath.exp(-x)),
        }[function]()


@pytest.mark.parametrize("function", SMOOTH)
@pytest.mark.parametrize("x", [-700.0, -89.0, -37.0, -5.5, -1e-9, 1e-9, 0.3, 2.5, 37.0, 89.0, 700.0])
def test_smooth_functions_are_accurate_from_end_to_end(function, x):
    if FUNCTIONS[function].domain and x < 0:
        assert math.isnan(VALUES[function](x))
        return
    true = true_value(function, x)
    assert abs(VALUES[function](x) - true) <= 4 * 2.0**-53 * abs(true)


@pytest.mark.parametrize("function", SMOOTH)
def test_the_derivative_column_is_the_slope_of_the_value(function):
    row, x, h = FUNCTIONS[function], 0.7, 1e-6
    value = VALUES[function]
    own = {"x": x, "y": value(x)}
    slope = evaluate(substitute(row.derivatives[0], {Y: Name("y")}), own, FLOATS)
    assert slope == pytest.approx((value(x + h) - value(x - h)) / (2 * h), rel=1e-8)


@pytest.mark.parametrize(
    ("function", "args", "value"),
    [
        ("sigmoid", (-1000.0,), 0.0),
        ("sigmoid", (1000.0,), 1.0),
        ("softplus", (1000.0,), 1000.0),
        ("softplus", (-1000.0,), 0.0),
        ("logsigmoid", (-1000.0,), -1000.0),
        ("exp", (1000.0,), INF),
        ("exp", (-1000.0,), 0.0),
        ("log", (0.0,), -INF),
        ("log", (-1.0,), NAN),
        ("sqrt", (0.0,), 0.0),
        ("sqrt", (-1.0,), NAN),
        ("relu", (-2.0,), 0.0),
        ("relu", (2.0,), 2.0),
        ("abs", (-2.0,), 2.0),
        ("max", (1.0, 2.0), 2.0),
        ("min", (1.0, 2.0), 1.0),
        ("clip", (3.0, -1.0, 1.0), 1.0),
        ("clip", (-3.0, -1.0, 1.0), -1.0),
        ("clip", (0.25, -1.0, 1.0), 0.25),
        ("hard_sigmoid", (3.0,), 1.0),
        ("hard_sigmoid", (-4.0,), 0.0),
        ("hard_sigmoid", (1.5,), 0.75),
        # the slopes at the kinks, as functions.py states them
        ("_step", (0.0,), 0.0),
        ("_step", (1e-300,), 1.0),
        ("_step", (-1.0,), 0.0),
        ("_sign", (0.0,), 0.0),
        ("_sign", (-3.0,), -1.0),
        ("_sign", (3.0,), 1.0),
        ("_above", (2.0, 1.0), 1.0),
        ("_above", (1.0, 1.0), 0.5),
        ("_above", (1.0, 2.0), 0.0),
        ("_inside", (0.0, -3.0, 3.0), 1.0),
        ("_inside", (3.0, -3.0, 3.0), 0.0),
        ("_inside", (-3.0, -3.0, 3.0), 0.0),
        ("_inside", (4.0, -3.0, 3.0), 0.0),
    ],
)
def test_ends_and_kinks(function, args, value):
    got = FLOATS.call(function, list(args))
    assert got == value or (math.isnan(got) and math.isnan(value))


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_nothing_raises_and_nan_stays_nan(function):
    count = len(FUNCTIONS[function].args)
    for extreme in (INF, -INF, 0.0, -0.0, 1e308, 5e-324):
        assert isinstance(VALUES[function](*[extreme] * count), float)
    for place in range(count):
        args = [1.0] * count
        args[place] = NAN
        assert math.isnan(VALUES[function](*args))


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [
        (6.0, 3.0, 2.0),
        (1.0, 0.0, INF),
        (-1.0, 0.0, -INF),
        (1.0, -0.0, -INF),
        (0.0, 0.0, NAN),
        (NAN, 0.0, NAN),
    ],
)
def test_division_gives_what_ieee_gives(a, b, value):
    got = FLOATS.divide(a, b)
    assert got == value or (math.isnan(got) and math.isnan(value))
    [[entry]] = FloatMatrices().divide([[a]], [[b]])
    assert entry == got or math.isnan(entry)


def test_powers_and_exact_numbers_overflow_to_infinity():
    assert FLOATS.power(1e200, 2) == INF
    assert FLOATS.power(-1e200, 3) == -INF
    assert FLOATS.power(3.0, 2) == 9.0
    assert FLOATS.power(7.0, 0) == 1.0
    assert FLOATS.power(0.0, -1) == INF
    assert FLOATS.number(Fraction(1, 10)) == 0.1
    assert FLOATS.number(-(Fraction(10) ** 400)) == -INF


def test_stacked_vectors_have_no_scalar_view():
    with pytest.raises(ValueError, match="no scalar view"):
        FLOATS.stack([1.0, 2.0])
    with pytest.raises(ValueError, match="no scalar view"):
        FLOATS.rows(1.0, 0, 1)


def test_logsumexp_of_large_entries_does_not_overflow():
    [[value]] = FloatMatrices().logsumexp([[1000.0], [1000.0]])
    assert value == pytest.approx(1000 + math.log(2), rel=1e-15)
    assert FloatMatrices().logsumexp([[INF], [1.0]]) == [[INF]]


def test_wide_decimals_tell_zero_from_small():
    arithmetic = WideMatrices()
    with localcontext(WIDE):
        tiny = arithmetic.multiply([[[Decimal.from_float(1e-300)]]] * 20)[0][0]
        assert float(tiny) == 0.0
        assert magnitude(tiny) == pytest.approx(-6000, abs=1e-9)
        assert magnitude(tiny * 0) == -INF
        assert magnitude(Decimal(-1000)) == pytest.approx(3)
        assert magnitude(Decimal("inf")) == INF
        assert math.isnan(magnitude(Decimal("nan")))
        assert arithmetic.divide([[Decimal(1)]], [[Decimal(0)]])[0][0].is_infinite()
        assert arithmetic.call("sigmoid", [[[Decimal(0)]]]) == [[Decimal("0.5")]]
