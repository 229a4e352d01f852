"""Truth: the exact layer refutes what is wrong, and the rounded layer bounds what is right."""

from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import inf
from pathlib import Path

import numpy as np
import pytest
from flint import arb, ctx

import derivations
from backends.balls import (
    FUNCTIONS_OF_BALLS,
    BallArithmetic,
    Undecided,
    balls,
    precision,
    radius,
    sign,
    until,
)
from backends.curvature import BENDS
from backends.dtypes import ERRORS, error_of
from backends.jets import Jet, JetArithmetic
from backends.ledger import Rounded
from backends.points import Point, arguments, draw, draw_scalar
from backends.rounding import RoundedArithmetic
from backends.truth import exact, truth
from derivations.cell import prev
from derivations.derive import derive
from derivations.expression import ZERO, Call, Name, evaluate
from derivations.functions import FUNCTIONS, WRITABLE, Y
from derivations.language import expression, read
from derivations.mutants import mutants
from derivations.program import backward_program

CELLS = sorted((Path(derivations.__file__).parent / "cells").glob("*.cell"))
BY_NAME = {path.stem: path for path in CELLS}

# Reductions, stacks, transposes, kinks, a readout and a loss: what the catalogue's first cells leave out.
EVERYTHING = """
cell everything
input x
state h, k
scalar alpha, eps
positive alpha, eps
target y

s = [h_prev; x]
u = W_us @ s + b
a = relu(u) * hard_sigmoid(W_h @ h_prev) - abs(u)/3 + max(u, b) * min(u, h_prev)
v = sqrt(mean((a - mean(a))**2) + eps)
k = softplus(a / v) + alpha * logsigmoid(k_prev) + clip(W_x @ x, -1, 1)
h = 0.3 * tanh(V.T @ k) ** 3 + dot(k, h_prev) * exp(-log(1 + k**2)) + detach(k)
readout
    p = W_p @ h
    q = exp(p - logsumexp(p))
loss
    miss = sum((q - y)**2)/2
"""


@cache
def program_of(name: str):
    text = EVERYTHING if name == "everything" else BY_NAME[name].read_text(encoding="utf-8")
    return backward_program(derive(read(text)))


# --- the exact layer ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*BY_NAME, "everything"])
@pytest.mark.parametrize("view", [draw, draw_scalar])
def test_a_derivation_agrees_with_jets(name, view):
    program = program_of(name)
    assert exact(program, view(program.cell, 0, steps=3, batch=4)) == []


def test_every_function_was_among_them():
    calls = {name for name in WRITABLE if f"{name}(" in EVERYTHING}
    gates = {"sigmoid"}  # in every cell of the catalogue
    assert calls | gates == set(WRITABLE)


@pytest.mark.parametrize(("name", "every"), [("rnn", 1), ("gru", 16), ("lstm", 24)])
def test_what_is_wrong_is_refuted(name, every):
    """The mistakes that can be named, and the least factor; n = m, so that no shape gives one away."""
    program = program_of(name)
    wrong = mutants(derive(program.cell))
    named = [mutant for mutant in wrong if "off by a factor" not in mutant.mistake]
    least = [mutant for mutant in wrong if "1 + 1e-10" in mutant.mistake]
    point = draw(program.cell, 0, steps=3, batch=4, sizes={"n": 2, "m": 2})
    for mutant in named[::every] + least[:2]:
        assert exact(mutant.program, point), mutant.mistake


def test_a_disagreement_says_where_and_what():
    program = program_of("rnn")
    mutant = next(m for m in mutants(derive(program.cell)) if m.of == "db_h" and "1 + 1e-2" in m.mistake)
    first, *others = exact(mutant.program, draw(program.cell, 0))
    assert (first.quantity, first.index) == ("b_h", (0,))
    assert float(first.derivation) == pytest.approx(1.01 * float(first.jets), rel=1e-15)
    assert str(first) == f"b_h[0]: the derivation gives {first.derivation}, the jets {first.jets}"
    assert {other.quantity for other in others} == {"b_h"}


def test_a_gradient_of_a_wrong_shape_is_a_disagreement():
    program = program_of("rnn")
    (only,) = exact(replace(program, initial={"h": ZERO}), draw(program.cell, 0))
    assert str(only) == "h_0: the derivation gives a matrix (1, 1), the jets a matrix (2, 1)"


def test_jets_read_no_derivative_column(monkeypatch):
    """A wrong derivative of tanh: the derivation follows it, the jets do not."""
    monkeypatch.setitem(FUNCTIONS, "tanh", replace(FUNCTIONS["tanh"], derivatives=(1 - Y,)))
    program = backward_program(derive(program_of("rnn").cell))
    found = exact(program, draw(program.cell, 0))
    assert {"W_xh", "W_hh", "b_h", "h_0", "x_1"} <= {one.quantity for one in found}


def test_a_wrong_value_column_is_refuted(monkeypatch):
    """The values that the jets take apart are held against Arb's own."""
    wrong = FUNCTIONS["sigmoid"].value
    monkeypatch.setitem(FUNCTIONS, "tanh", replace(FUNCTIONS["tanh"], value=wrong))
    program = program_of("rnn")
    assert "h at t = 1" in {one.quantity for one in exact(program, draw(program.cell, 0))}


def test_a_hidden_mistake_is_found_at_any_precision():
    """sigmoid(2000) is 1 to 2800 bits: 256 bits cannot tell its slope from zero, and more are taken."""
    text = "cell gate\ninput x\nstate h\nh = h_prev * sigmoid(W @ x)\n"
    program = backward_program(derive(read(text)))
    point = draw_scalar(program.cell, 0, steps=3)
    point = replace(point, parameters={"W": np.full((1, 1), 2000.0)}, inputs={"x": np.ones((3, 3, 1))})
    assert exact(program, point) == []
    twice = replace(program, adjoints=tuple((i, e + e if i == "da_h" else e) for i, e in program.adjoints))
    assert {one.quantity for one in exact(twice, point)} == {"W", "x_1", "x_2", "x_3"}


def kinked(function: str) -> Point:
    """A point at which the argument of a function lies on its kink, exactly, at the first step."""
    arg = {"relu": "x", "abs": "x", "max": "x, h_prev", "min": "x, h_prev", "clip": "x, -1, 1", "hard_sigmoid": "x"}
    cell = read(f"cell kinked\ninput x\nstate h\nh = {function}({arg[function]}) * w\n")
    point = draw(cell, 0, steps=3, batch=4)
    at = {"clip": 1.0, "hard_sigmoid": -3.0, "max": point.initial["h"], "min": point.initial["h"]}
    inputs = point.inputs["x"].copy()
    inputs[0] = at.get(function, 0.0)
    return replace(point, inputs={"x": inputs})


@pytest.mark.parametrize("function", ["relu", "abs", "max", "min", "clip", "hard_sigmoid"])
def test_a_kink_is_crossed_by_its_convention(function):
    point = kinked(function)
    program = backward_program(derive(point.cell))
    assert exact(program, point) == []
    slope = truth(program, point, "float64").gradients["x_1"].nearest
    if function in ("max", "min"):
        assert (slope != 0).all()  # half of it
    else:
        assert (slope == 0).all()


def test_precision_is_given_back():
    before = ctx.prec

    def fail() -> None:
        with precision(999):
            assert ctx.prec == 999
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ctx.prec == before
    exact(program_of("rnn"), draw(program_of("rnn").cell, 0))
    truth(program_of("rnn"), draw(program_of("rnn").cell, 0), "float32")
    assert ctx.prec == before


def test_what_no_precision_decides_is_an_error():
    def equal() -> int:
        return sign(arb(2).sqrt() ** 2 - 2)

    with pytest.raises(Undecided), precision(100):
        equal()
    with pytest.raises(ArithmeticError, match="on a kink or at a pole"):
        until(lambda found: True, equal)


# --- the two arithmetics --------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(WRITABLE) - {"max", "min", "clip"}))
def test_a_jet_has_the_slope_of_its_function(name):
    """Against a difference quotient with steps of 2^-100."""
    with precision(400):
        for at in (0.37, 2.5, *(() if name in ("log", "sqrt") else (-0.83, -2.9))):
            one = np.array([[[arb(1)]]], dtype=object)
            jet = JetArithmetic().call(name, [Jet(balls(np.full((1, 1, 1), at)), one[None])])
            step = arb(2) ** -100
            function = FUNCTIONS_OF_BALLS[name]
            quotient = (function(arb(at) + step) - function(arb(at) - step)) / (2 * step)
            assert jet.value[0, 0, 0].overlaps(function(arb(at)))
            assert abs(jet.slope[0, 0, 0, 0] - quotient) < arb(2) ** -150


@pytest.mark.parametrize(
    "text",
    [
        "W @ (a * b) + W @ a",
        "(V.T @ a) / (1 + dot(a, b))",
        "sum(outer(a, b) @ a) * a",
        "[a; b]",
        "W @ detach(a * b)",
        "a - mean(b) * logsumexp(a) ** 2",
        "max(a, b) * min(a, 0.25) + detach(b)",
    ],
)
def test_three_arithmetics_have_one_value(text):
    rng = np.random.default_rng(0)
    given = {
        "a": rng.standard_normal((3, 2, 1)),
        "b": rng.standard_normal((3, 2, 1)),
        "W": rng.standard_normal((1, 2, 2)),
        "V": rng.standard_normal((1, 2, 2)),
    }
    rounded = RoundedArithmetic("float64")
    with precision(256):
        exactly = evaluate(expression(text), {k: balls(v) for k, v in given.items()}, BallArithmetic())
        jets = {k: Jet(balls(v), balls(np.zeros((1, *v.shape)))) for k, v in given.items()}
        jet = evaluate(expression(text), jets, JetArithmetic())
        number = evaluate(expression(text), {k: rounded.ledger.given(v) for k, v in given.items()}, rounded)
    assert exactly.shape == jet.value.shape == number.value.shape == number.middle.shape
    for other in (jet.value, number.value):
        assert all(x.overlaps(y) for x, y in zip(exactly.flat, other.flat, strict=True))
    assert (number.bound[0] > 0).any() == (text != "[a; b]")  # which is not computed


@pytest.mark.parametrize("name", sorted(BENDS))
def test_a_bend_is_as_steep_and_as_curved_as_it_says(name):
    rng = np.random.default_rng(0)
    function, bend = FUNCTIONS_OF_BALLS[name], BENDS[name]
    positive = name in ("log", "sqrt")
    low = rng.uniform(0.1, 4, 60) if positive else rng.uniform(-6, 6, 60)
    high = low + rng.exponential(1, 60)
    at = low + (high - low) * rng.uniform(0, 1, 60)
    with precision(400):
        step = arb(2) ** -90
        for a, lo, hi in zip(at, low, high, strict=True):
            before, here, after = (function(arb(a) + d * step) for d in (-1, 0, 1))
            first = float((after - before) / (2 * step))
            second = float((after - 2 * here + before) / step**2)
            one, other = np.array(lo), np.array(hi)
            assert bend.slope(np.array(a)) == pytest.approx(first, rel=1e-12)
            steepest, most_curved = bend.within(one, other)
            assert abs(first) <= steepest * (1 + 1e-12)
            assert abs(second) <= most_curved * (1 + 1e-12)


def test_a_bend_has_no_bound_beyond_its_domain():
    with np.errstate(all="ignore"):
        for name in ("log", "sqrt"):
            assert BENDS[name].within(np.array(-0.1), np.array(1.0)) == (inf, inf)


# --- the bound, by hand -----------------------------------------------------------------------------


def bound_of(text: str, dtype: str = "float64", **given: float | list[float]) -> tuple[float, float]:
    """S and N of an expression whose names are exact numbers, or columns of them."""
    arithmetic = RoundedArithmetic(dtype)
    values = {
        name: arithmetic.ledger.given(np.asarray(x, dtype=np.float64).reshape(1, -1, 1)) for name, x in given.items()
    }
    with precision(256), np.errstate(all="ignore"):
        relative, flushed = evaluate(expression(text), values, arithmetic).bound
    return float(relative.max()), float(flushed.max())


@pytest.mark.parametrize(
    ("text", "relative", "flushed"),
    [
        ("a", 0, 0),
        ("-a", 0, 0),
        ("a + b", 8, 0),
        ("a - a", 0, 0),
        ("a + b + d", 2 * (3 + 5 + 7), 0),
        ("a * b", 15, 1),
        ("a / b", 3 / 5, 1),
        ("a ** 2", 9, 1),
        ("a ** 3", 2 * 27, 1),
        ("a * b + d", 15 + 22, 1),
        ("a * b * d", 2 * 105, 1 + 7),
        ("(a + b) * d", 8 * 7 + 56, 1),
        ("0.5 * a", 3 / 2, 1),
        ("0.1 * a", 2 * 0.3, 1),
        ("sigmoid(a)", 6 / (1 + np.exp(-3)), 1),
        ("tanh(a * b)", 4 * np.tanh(15) + 15 * (1 - np.tanh(15) ** 2), 1 + (1 - np.tanh(15) ** 2)),
        ("max(a, b)", 0, 0),
        ("relu(a * b)", 15, 1),
        ("relu(-a * b)", 0, 0),
        ("detach(a * b)", 15, 1),
    ],
)
def test_a_bound_is_what_section_3_of_higham_says(text, relative, flushed):
    got = bound_of(text, a=3, b=5, d=7)
    assert got == pytest.approx((relative, flushed), rel=1e-9, abs=1e-12)


def test_a_sum_has_no_order():
    flat = bound_of("a + b + d + e", a=3, b=5, d=7, e=11)
    for text in ("(a + b) + (d + e)", "a + (b + (d + e))", "(a + b + d) + e", "-(-a - b) + d + e"):
        assert bound_of(text, a=3, b=5, d=7, e=11) == flat
    assert bound_of("dot(a, b)", a=[1, 2, 3], b=[4, 5, 6])[0] == pytest.approx(3 * 32)
    assert bound_of("sum(a * b) + d", a=[1, 2, 3], b=[4, 5, 6], d=1)[0] == pytest.approx(32 + 3 * 33)
    assert bound_of("outer(a, b) @ a", a=[1, 2], b=[4, 5])[0] > 0


def given(arithmetic: RoundedArithmetic, *numbers: float) -> Rounded:
    """A column of exact numbers."""
    return arithmetic.ledger.given(np.array(numbers).reshape(1, -1, 1))


def test_a_named_error_is_one_error():
    """q v - q w with v = w: the error of q takes itself away. Of q computed twice, it does not."""
    arithmetic = RoundedArithmetic("float64")
    with precision(256):
        q = arithmetic.multiply([given(arithmetic, 3), given(arithmetic, 5)])
        v = given(arithmetic, 7)
        once = arithmetic.add([arithmetic.multiply([q, v]), arithmetic.negative(arithmetic.multiply([q, v]))])
    assert once.bound[0].item() == pytest.approx(2 * 105)
    assert bound_of("a * b * d - a * b * d", a=3, b=5, d=7)[0] == pytest.approx(4 * 105)


def test_errors_that_cancel_in_a_mean_are_seen_to_cancel():
    """All entries of v are off together by u * 1e6, and their mean is: v - mean(v) is not."""
    arithmetic = RoundedArithmetic("float64")
    centred = expression("v - mean(v)")
    with precision(256):
        far = arithmetic.multiply([given(arithmetic, 1e3), given(arithmetic, 1e3)])
        v = arithmetic.add([far, given(arithmetic, 1, 2, 4)])
        off = evaluate(centred, {"v": v}, arithmetic).bound[0].max()
        alone = arithmetic.add([given(arithmetic, 1e6, 1e6, 1e6), given(arithmetic, 1, 2, 4)])
        own = evaluate(centred, {"v": alone}, arithmetic).bound[0].max()
    assert v.bound[0].max() == pytest.approx(2e6, rel=1e-5)
    assert off == pytest.approx(own, rel=1e-6)


def test_an_error_in_both_is_no_error_in_their_quotient():
    arithmetic = RoundedArithmetic("float64")
    with precision(256):
        q = arithmetic.multiply([given(arithmetic, 3), given(arithmetic, 5)])
        assert arithmetic.divide(q, q).bound[0].item() == pytest.approx(1)  # its own
    assert bound_of("(a * b) / (a * b)", a=3, b=5)[0] == pytest.approx(3)


def test_a_linear_map_counts_its_products_and_its_sum():
    arithmetic = RoundedArithmetic("float64")
    matrix = np.array([[[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]]])
    vector = np.array([[[7.0], [8.0], [9.0]], [[1.0], [0.0], [1.0]]])
    with precision(256):
        exact_map, v = arithmetic.ledger.given(matrix), arithmetic.ledger.given(vector)
        straight = arithmetic.matmul(exact_map, v)
        rounded_map = arithmetic.multiply([exact_map, given(arithmetic, 1)])  # every entry off by u of itself
        both = arithmetic.matmul(rounded_map, arithmetic.multiply([v, given(arithmetic, 1)]))
    gross = np.abs(matrix) @ np.abs(vector)
    assert np.allclose(straight.bound[0], gross + 2 * gross)
    assert straight.bound[1].ravel().tolist() == [3, 3, 2, 2]  # what is times zero is not flushed
    assert np.allclose(both.bound[0], gross + 2 * gross + 2 * gross)


def test_the_batch_is_a_sum_too():
    """B numbers in any order, and errors of different sequences that do not cancel."""
    arithmetic = RoundedArithmetic("float64")
    numbers = arithmetic.ledger.given(np.array([3.0, -5.0, 7.0]).reshape(3, 1, 1))
    with precision(256):
        assert arithmetic.over_batch(numbers).bound[0].item() == pytest.approx(2 * 15)
        products = arithmetic.multiply([numbers, given(arithmetic, 2)])
        total = arithmetic.over_batch(products)
        steps = arithmetic.add([total, total])
    assert total.bound[0].item() == pytest.approx(30 + 2 * 30)
    assert steps.bound[0].item() == pytest.approx(2 * 30 + 5 * 60)


def test_later_errors_need_no_form(monkeypatch):
    """Beyond the most forms that are kept, errors are added up in size: still a bound, and no smaller."""
    program = program_of("lnlstm")
    point = draw(program.cell, 0, steps=3)
    listed = truth(program, point, "float64").gradients
    monkeypatch.setattr("backends.ledger.MOST_FORMS", 100)
    added = truth(program, point, "float64").gradients
    for name, entry in listed.items():
        assert (added[name].bound >= entry.bound * (1 - 1e-9)).all()
    assert (added["W_xf"].bound > 2 * listed["W_xf"].bound).all()


def test_the_complement_of_a_saturated_gate_is_all_rounding():
    """1 - sigmoid(40) is 4e-18, and 0 in float64: the bound must cover that, and more than cover the truth."""
    relative, _ = bound_of("1 - sigmoid(a)", a=40)
    assert relative * 2.0**-53 > 4.2e-18
    relative, _ = bound_of("1 - sigmoid(a)", dtype="float32", a=20)
    assert relative * 2.0**-24 > 2.0e-9


def test_a_bound_covers_every_order():
    """x + y cancels to its own rounding error: what is divided by it may be anything."""
    near = {"a": 1.0, "b": -1.0 + 2.0**-53}
    assert bound_of("1 / (a / 3 + b / 3)", **near)[0] == inf
    assert bound_of("log(a / 3 + b / 3)", **near)[0] == inf
    half = {"a": 1.0, "b": -1.0 + 2.0**-21}  # in float32, a divisor that may be off by more than half
    first_order = bound_of("1 / (a / 3 + b / 3)", **half)[0]
    assert bound_of("1 / (a / 3 + b / 3)", "float32", **half)[0] > 1.05 * first_order


def test_errors_multiply():
    """A product of two numbers that are mostly rounding may be off by the product of their errors."""
    near = {"a": 1.0, "b": -1.0 + 2.0**-52}
    x = 2.0**-52 / 3
    error = bound_of("a / 3 + b / 3", **near)[0] * 2.0**-53
    assert error > 0.9 * x
    product = bound_of("(a / 3 + b / 3) * (a / 3 + b / 3)", **near)[0] * 2.0**-53
    assert product >= (2 * x + error) * error


def test_rounding_may_decide_which_is_larger():
    near = {"a": 1.0, "b": -1.0 + 2.0**-53}
    alone = bound_of("a / 3 + b / 3", **near)[0]
    assert bound_of("max(a / 3 + b / 3, 0)", **near)[0] == pytest.approx(alone)
    assert bound_of("max(0, a / 3 + b / 3)", **near)[0] == pytest.approx(alone)
    assert bound_of("min(a / 3 + b / 3, 1)", **near)[0] == pytest.approx(alone)
    assert bound_of("max(a / 3 + b / 3, 1)", **near)[0] == 0
    assert bound_of("clip(a / 3 + b / 3, 1, 2)", **near)[0] == 0


def test_logsumexp_is_bounded_where_its_sum_overflows():
    relative, _ = bound_of("logsumexp(a)", a=[1000, 999, 2])
    assert 1000 < relative < 10_000
    one, _ = bound_of("logsumexp(a)", a=[1e-3, 0, 0])
    assert one < 30


def test_where_a_right_program_may_overflow_there_is_no_bound():
    assert bound_of("exp(a)", "float32", a=89)[0] == inf
    assert bound_of("exp(a)", "float64", a=89)[0] < inf
    assert bound_of("1 / exp(a)", "float32", a=89)[0] == inf
    assert bound_of("sigmoid(-a)", "float32", a=1000)[0] < inf


def test_a_jump_is_bounded_by_its_height():
    """a/3 + b/3 is 2^-52/3, and rounding may put it on either side of zero; 1/6 and an exact 2^-52 stay there."""
    arithmetic = RoundedArithmetic("float64")
    a, b = given(arithmetic, 1, 1), given(arithmetic, -1 + 2.0**-52, -0.5)
    with precision(256):
        third = arithmetic.number(Fraction(3))
        x = arithmetic.add([arithmetic.divide(a, third), arithmetic.divide(b, third)])
        unsure, sure = arithmetic.call("_step", [x]), arithmetic.call("_step", [b])
        two_sided, between = arithmetic.call("_sign", [x]), arithmetic.call("_inside", [x, third, a])
    assert unsure.error.ravel().tolist() == [1, 0]
    assert two_sided.error.ravel().tolist() == [2, 0]
    assert sure.error.ravel().tolist() == between.error.ravel().tolist() == [0, 0]


def test_a_function_without_a_row_is_taken_apart(monkeypatch):
    """What the table of errors does not know is bounded through its value column."""
    arithmetic = RoundedArithmetic("float64")
    with precision(256):
        known = arithmetic.call("sigmoid", [given(arithmetic, 0.5)])
        monkeypatch.delitem(ERRORS, "sigmoid")
        apart = arithmetic.call("sigmoid", [given(arithmetic, 0.5)])
    assert known.value[0, 0, 0].overlaps(apart.value[0, 0, 0])
    assert known.bound[0].item() == pytest.approx(6 / (1 + np.exp(-0.5)))
    e = np.exp(-0.5)  # off by 4; then 1 + e and the quotient, each by one
    assert apart.bound[0].item() == pytest.approx((4 * e / (1 + e) + 1 + 1) / (1 + e))


def test_worse_functions_are_known_by_their_backend():
    assert error_of("tanh", "float64", "jax") == 16
    assert error_of("tanh", "float64", "torch") == error_of("tanh", "float64") == 4
    assert error_of("relu", "float64") is None


# --- the bound, at points ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*BY_NAME, "everything"])
def test_truth_is_complete_and_in_its_own_shapes(name):
    program = program_of(name)
    cell, point = program.cell, draw(program.cell, 0)
    known = truth(program, point, "float32")
    shapes = {name: entry.relative.shape for name, entry in known.gradients.items()}
    assert {name: shapes[name] for name in cell.parameters} == {n: a.shape for n, a in point.parameters.items()}
    assert {s: shapes[f"{s}_0"] for s in cell.states} == {s: a.shape for s, a in point.initial.items()}
    for x in cell.inputs:
        for t in range(point.steps):
            assert shapes[f"{x}_{t + 1}"] == point.inputs[x][t].shape
    assert len(shapes) == len(cell.parameters) + len(cell.states) + len(cell.inputs) * point.steps
    assert (known.point.inputs["x"] == point.inputs["x"].astype(np.float32)).all()
    for entry in known.gradients.values():
        assert entry.value.shape == entry.relative.shape == entry.flushed.shape == entry.nearest.shape
        assert (entry.bound >= 0).all()
        assert (radius(entry.value) <= entry.bound / 1000).all()


def test_values_and_adjoints_are_known_at_every_step():
    program = program_of("lstm")
    known = truth(program, draw(program.cell, 0), "float64")
    point = known.point
    c, h, o = known.value("c").nearest, known.value("h").nearest, known.value("o").nearest
    assert c.shape == (point.steps, point.batch, 2)
    assert np.allclose(h, o * np.tanh(c), rtol=1e-14)
    db = known.adjoint("b_f")
    assert db.relative.shape == (point.steps, 2)
    assert np.allclose(db.nearest.sum(0), known.gradients["b_f"].nearest, rtol=1e-13)
    assert np.allclose(known.adjoint("a_f").nearest.sum((0, 1)), db.nearest.sum(0), rtol=1e-13)
    assert (db.bound > 0).all()
    for state in program.cell.states:
        first = known.adjoint(prev(state)).nearest[0]
        assert (first == known.gradients[f"{state}_0"].nearest).all()


def test_a_value_that_no_sequence_changes_has_a_batch():
    text = "cell shared\ninput x\nstate h\nw = softplus(v)\nh = tanh(w * h_prev + U @ x)\nreadout\n    r = 2 * w\n"
    program = backward_program(derive(read(text)))
    point = draw(program.cell, 0)
    assert exact(program, point) == []
    known = truth(program, point, "float64")
    assert known.value("w").relative.shape == (point.steps, point.batch, 2)


def test_truth_is_exact_at_the_numbers_received():
    """Against the notebook's way: one step of a scalar RNN, by Arb itself."""
    program = program_of("rnn")
    point = draw_scalar(program.cell, 3, steps=1, batch=1)
    known = truth(program, point, "float32")
    given = {k: float(v.item()) for k, v in known.point.parameters.items()}
    with precision(300):
        x, h = arb(float(known.point.inputs["x"].item())), arb(float(known.point.initial["h"].item()))
        y = (given["W_xh"] * x + given["W_hh"] * h + given["b_h"]).tanh()
        weight = arb(float(known.point.cotangents["h"].item())) + arb(float(known.point.final["h"].item()))
        assert known.gradients["W_hh"].value[0, 0].overlaps(weight * (1 - y**2) * h)
        assert known.gradients["h_0"].value[0, 0].overlaps(weight * (1 - y**2) * given["W_hh"])
    assert float(point.inputs["x"].item()) != float(known.point.inputs["x"].item())


def test_a_coarser_format_has_a_wider_bound():
    program = program_of("lstm")
    point = draw(program.cell, 0)
    fine, coarse = truth(program, point, "float64"), truth(program, point, "float32")
    jax = truth(program, point, "float64", "jax")
    for name, entry in fine.gradients.items():
        assert (coarse.gradients[name].bound > 1e7 * entry.bound).all()
        assert (jax.gradients[name].relative > entry.relative).all()


def test_the_table_speaks_of_functions_of_cells():
    assert set(ERRORS) == set(BENDS)
    assert set(ERRORS) <= set(WRITABLE)
    assert evaluate(Call("exp", (Name("x"),)), {"x": balls(np.zeros((1, 1, 1)))}, BallArithmetic())[0, 0, 0] == 1


def test_arguments_of_truth_are_exact():
    point = draw(program_of("rnn").cell, 0)
    given = arguments(point, RoundedArithmetic("float64").ledger.given)
    assert all((number.error == 0).all() for number in given.parameters.values())
