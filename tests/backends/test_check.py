"""Verdicts: what is wrong fails, what is right never does, and a point that says nothing is not a pass."""

from dataclasses import replace
from functools import cache, partial
from math import inf, isnan, nan
from pathlib import Path

import numpy as np
import pytest

import derivations
from backends.backend import find, get
from backends.balls import balls
from backends.check import (
    Check,
    Verdict,
    combine,
    errors,
    in_words,
    judge,
    judge_all,
    over_points,
    worst,
)
from backends.dtypes import format_of
from backends.points import Point, draw, draw_scalar
from backends.truth import Known, truth
from derivations.derive import derive
from derivations.language import read
from derivations.mutants import mutants
from derivations.program import backward_program

PASS, FAIL, NO_INFORMATION = Verdict.PASS, Verdict.FAIL, Verdict.NO_INFORMATION
CELLS = sorted((Path(derivations.__file__).parent / "cells").glob("*.cell"))
BY_NAME = {path.stem: path for path in CELLS}


@cache
def program_of(name: str):
    return backward_program(derive(read(BY_NAME[name].read_text(encoding="utf-8"))))


def computed(program, dtype, point):
    return get("numpy").gradients(program, point, dtype)


def known(value, relative=1.0, flushed=0.0, dtype="float64") -> Known:
    """A quantity whose S and N are given."""
    value = np.asarray(value, dtype=np.float64)
    ones = np.ones(value.shape)
    return Known(balls(value), relative * ones, flushed * ones, format_of(dtype))


U = 2.0**-53


# --- one number -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("got", "verdict"),
    [
        (1.0, PASS),
        (1.0 + 4 * U, PASS),
        (1.0 - 4 * U, PASS),
        (1.0 + 6 * U, FAIL),
        (1.0 - 6 * U, FAIL),
        (-1.0, FAIL),
        (0.0, FAIL),
        (nan, FAIL),
        (inf, FAIL),
        (-inf, FAIL),
    ],
)
def test_a_number_is_judged_by_its_rounding(got, verdict):
    check = judge("W", got, known(1.0, relative=5), "numpy", "here")
    assert check.verdict is verdict
    assert (check.quantity, check.backend, check.dtype, check.point) == ("W", "numpy", "float64", "here")
    if np.isfinite(got):
        assert check.error == pytest.approx(abs(got - 1) / (5 * U))
    else:
        assert (check.error, check.note) == (inf, "not finite")


def test_the_unit_is_the_formats():
    assert judge("W", 1.0 + 2.0**-24, known(1.0, 2, dtype="float32"), "numpy").error == 0.5
    assert judge("W", 1.0 + 2.0**-24, known(1.0, 2), "numpy").verdict is FAIL
    tiny = known(1e-30, relative=1e-30, flushed=3, dtype="float32")
    assert judge("W", 1e-30, tiny, "numpy").verdict is PASS
    lost = known(1e-38, relative=1e-38, flushed=3, dtype="float32")  # below the smallest normal number
    assert judge("W", 0.0, lost, "numpy").verdict is NO_INFORMATION


@pytest.mark.parametrize(
    ("relative", "verdict"), [(1 / U / 16.1, PASS), (1 / U / 15.9, NO_INFORMATION), (1 / U * 9, NO_INFORMATION)]
)
def test_a_number_that_rounding_may_hide_says_nothing(relative, verdict):
    entry = known(1.0, relative)
    assert judge("W", 1.0, entry, "numpy").verdict is verdict
    assert judge("W", 1.0 + 2 * relative * U, entry, "numpy").verdict is FAIL


def test_zero_proved_is_a_pass():
    entry = known(0.0, relative=8)
    for proved in (False, True):  # zero by exact arithmetic needs no other proof
        check = judge("W", 7 * U, entry, "numpy", proved_zero=proved)
        assert (check.verdict, check.note, check.digits) == (PASS, "zero, proved", None)
        assert judge("W", 9 * U, entry, "numpy", proved_zero=proved).verdict is FAIL
    nothing = known(0.0, relative=0)
    assert judge("W", 0.0, nothing, "numpy").verdict is PASS
    assert judge("W", 5e-324, nothing, "numpy").error == inf
    part = judge("W", [0.0, 1.0], known([0.0, 1.0]), "numpy")
    assert (part.verdict, part.note) == (PASS, "1 of 2 entries zero, proved")


def test_what_is_too_small_for_a_float_is_not_proved_zero():
    entry = known(0.0, relative=8)
    almost = replace(entry, value=balls(np.array(2.0**-1000)) * balls(np.array(2.0**-1000)))
    assert judge("W", 0.0, almost, "numpy").verdict is NO_INFORMATION
    assert judge("W", 0.0, almost, "numpy", proved_zero=True).verdict is PASS


def test_without_a_bound_nothing_is_evidence():
    for got in (1.0, 7.0, nan, inf):
        check = judge("W", got, known(1.0, relative=inf), "numpy")
        assert check.verdict is NO_INFORMATION
        assert isnan(check.error)
    both = judge("W", [nan, 2.0], replace(known([1.0, 1.0]), relative=np.array([inf, 1.0])), "numpy")
    assert (both.verdict, both.error) == (FAIL, 1 / U)


# --- an array ---------------------------------------------------------------------------------------


def test_one_wrong_entry_is_enough():
    right = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert judge("W", right, known(right), "numpy").verdict is PASS
    assert judge("W", right.T, known(right), "numpy").verdict is FAIL
    one_off = right + np.array([[0, 0], [0, 1e-12]])
    check = judge("W", one_off, known(right), "numpy")
    assert check.verdict is FAIL
    assert check.error == pytest.approx(1e-12 / U, rel=1e-2)
    assert errors(one_off, known(right)).tolist() == [[0, 0], [0, check.error]]
    assert check.passed.tolist() == [[True, True], [True, False]]


@pytest.mark.parametrize("got", [np.ones((3, 2)), np.ones((2, 3, 1)), np.ones(3), 1.0])
def test_a_wrong_shape_is_not_spread(got):
    check = judge("W", got, known(np.ones((2, 3))), "numpy")
    assert (check.verdict, check.error) == (FAIL, inf)
    assert check.note == f"its shape is {np.shape(got)}, where (2, 3) is due"


@pytest.mark.parametrize(
    ("got", "note"),
    [
        (np.array([1.0, 1 + 1e-3j]), "it holds complex128, where real numbers are due"),
        (np.array(["1.0", "1.0"]), "it holds str96, where real numbers are due"),
        (np.array([1.0, None]), "it holds object, where real numbers are due"),
        (np.ma.masked_array([1.0, 1.0], mask=[False, True]), "some of its entries are masked"),
    ],
)
def test_what_would_have_to_be_dropped_is_no_number(got, note):
    """Made an array of floats, each of these but one would be right."""
    check = judge("W", got, known([1.0, 1.0]), "numpy")
    assert (check.verdict, check.error, check.note) == (FAIL, inf, note)


def test_an_array_passes_only_when_every_entry_says_something():
    entry = replace(known([1.0, 1.0, 1.0]), relative=np.array([1, 1 / U, 1]))
    check = judge("W", [1.0, 1.0, 1.0], entry, "numpy")
    assert check.verdict is NO_INFORMATION
    assert check.note == "1 of 3 entries say nothing here"
    assert check.passed.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("got", "dtype", "digits"),
    [
        (1.0, "float64", 15),
        (1.0, "float32", 7),
        (1 + 3e-13, "float64", 12),
        (1 + 9e-13, "float64", 12),
        (1.2e-3, "float64", 0),
        (-1.0, "float64", 0),
        (nan, "float64", 0),
    ],
)
def test_digits_are_those_that_agree(got, dtype, digits):
    assert judge("W", got, known(1.0, dtype=dtype), "numpy").digits == digits


def test_digits_are_those_of_the_worst_entry_that_says_anything():
    entry = replace(known([1.0, 1.0, 0.0, 3.0]), relative=np.array([1e4, 1 / U, 1, 1e4]))
    check = judge("W", [1 + 2e-13, 1.4, 0.0, 3.0], entry, "numpy")
    assert check.digits == 12
    assert judge("W", 1.0, known(1.0, relative=1 / U), "numpy").digits is None


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (judge("W", 1.0, known(1.0), "numpy"), "agrees to 15 digits"),
        (judge("W", 1.0 + 3e-2, known(1.0, 4e14), "numpy"), "agrees to 1 digit"),
        (judge("W", 2.0, known(1.0), "numpy"), "wrong: off by 9e+15 times what rounding can do"),
        (judge("W", nan, known(1.0), "numpy"), "wrong: not finite"),
        (judge("W", 0.0, known(0.0), "numpy"), "zero, proved"),
        (judge("W", 1.0, known(1.0, 1 / U), "numpy"), "says nothing: rounding may be as large as the number"),
    ],
)
def test_a_verdict_in_words(check, words):
    assert in_words(check) == words


def test_a_check_is_one_line():
    assert str(judge("W", 2.0, known(1.0, 4), "numpy", "seed 0")) == (
        "W on numpy in float64, seed 0: FAIL, E = 2.25e+15"
    )
    assert str(judge("W", 0.0, known(0.0), "jax", "seed 0")).endswith("PASS, E = 0 (zero, proved)")


# --- several points ---------------------------------------------------------------------------------


def at(point: str, verdict: Verdict, passed: list[bool], error: float = 0.1, **more) -> Check:
    return Check("W", "numpy", "float64", point, error, verdict, passed=np.array(passed), **more)


def test_every_entry_must_pass_somewhere():
    first, second = at("a", NO_INFORMATION, [True, False]), at("b", NO_INFORMATION, [False, True], error=0.3)
    both = combine([first, second])
    assert (both.verdict, both.error, both.point) == (PASS, 0.3, "2 points")
    never = combine([first, at("b", NO_INFORMATION, [True, False])])
    assert (never.verdict, never.note) == (NO_INFORMATION, "1 of 2 entries never said anything")
    assert combine([first]) == first


def test_one_failure_is_final():
    checks = [at("a", PASS, [True]), at("b", FAIL, [False], error=9, note="not finite"), at("c", PASS, [True])]
    assert (combine(checks).verdict, combine(checks).error, combine(checks).note) == (FAIL, 9, "not finite")


def test_combining_keeps_the_least_digits_and_the_largest_error():
    checks = [at("a", PASS, [True], error=nan), at("b", PASS, [True], error=0.2, digits=14)]
    checks.append(at("c", PASS, [True], error=0.1, digits=12))
    assert (combine(checks).error, combine(checks).digits) == (0.2, 12)
    assert isnan(combine([replace(check, error=nan) for check in checks]).error)


def test_points_of_other_sizes_do_not_mix():
    small, large = at("a", NO_INFORMATION, [True, False]), at("b", NO_INFORMATION, [False, True, True])
    assert combine([small, large]).verdict is NO_INFORMATION
    assert combine([small, large, at("c", PASS, [True, True])]).verdict is PASS


def test_what_is_not_one_quantity_is_not_combined():
    for other in (
        replace(at("a", PASS, [True]), quantity="U"),
        replace(at("a", PASS, [True]), backend="jax"),
        replace(at("a", PASS, [True]), dtype="float32"),
    ):
        with pytest.raises(ValueError, match="one quantity, one backend and one dtype"):
            combine([at("a", PASS, [True]), other])
    with pytest.raises(ValueError, match="one quantity"):
        combine([])


def test_the_worst_check_has_the_largest_error():
    checks = [at("a", PASS, [True], error=e) for e in (0.1, nan, 0.4, 0.2)]
    found = worst(checks)
    assert found is not None
    assert found.error == 0.4
    assert worst([checks[1]]) is None


# --- what is right ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.long] if n == "lnlstm" else []) for n in BY_NAME])
def test_a_right_program_passes_and_the_bound_is_not_idle(name, dtype):
    """No error above 1 at any draw, and one in [0.05, 1] among them: a bound that is too wide catches nothing."""
    program, largest = program_of(name), 0.0
    for seed in range(60):
        entry = truth(program, draw(program.cell, seed), dtype, "numpy")
        checks = judge_all(computed(program, dtype, entry.point), entry, "numpy")
        assert all(check.verdict is not FAIL for check in checks)
        largest = max([largest, *(check.error for check in checks)])
        if seed >= 2 and largest >= 0.05:
            break
    assert 0.05 <= largest <= 1


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_other_right_programs_pass(needs, backend, dtype):
    """Automatic differentiation orders its operations as it likes."""
    needs(backend)
    autograd = find()[backend].autograd
    for name in ("rnn", "lstm", "gru"):
        program = program_of(name)
        drawn = partial(draw, program.cell)
        found = over_points(backend, lambda p, c=program.cell: autograd(c, p, dtype), program, drawn, dtype)
        assert {check.verdict for check in found} == {PASS}
        assert 0 < worst(found).error < 1


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("view", [draw, draw_scalar])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_saturation_is_no_failure(name, view, dtype):
    """Weights of 10 drive gates to 0 and 1, where their complements are all rounding."""
    program = program_of(name)
    verdicts = set()
    for seed in range(4):
        entry = truth(program, view(program.cell, seed, scale=10.0), dtype, "numpy")
        checks = judge_all(computed(program, dtype, entry.point), entry, "numpy")
        verdicts |= {check.verdict for check in checks}
    assert FAIL not in verdicts
    assert NO_INFORMATION in verdicts


def notebook() -> Point:
    """The scalar walkthrough's numbers: a forget gate of 1e-17, an output gate of 1 - 1e-15, c_0 = 0."""
    cell = program_of("lstm").cell
    numbers = dict.fromkeys(cell.parameters, 0.5) | {"W_xf": -10.0, "W_ho": 10.0}
    shaped = {name: np.full((1,) * len(cell.shapes[name]), x) for name, x in numbers.items()}
    one, zero = np.ones((1, 1)), np.zeros((1, 1))
    cotangents = {"h": np.zeros((4, 1, 1))}
    cotangents["h"][3] = 1
    inputs = {"x": np.array([1.0, 5.0, 7.0, 4.0]).reshape(4, 1, 1)}
    return Point(cell, "notebook", shaped, inputs, {"h": -one, "c": zero}, cotangents, {"h": zero, "c": zero})


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_notebook_passes_and_what_is_wrong_there_does_not(dtype):
    """Right float32 gradients are off by 1e-3 here, and 60 of 143 wrong ones pass `gradcheck`."""
    program = program_of("lstm")
    entry = truth(program, notebook(), dtype, "numpy")
    checks = judge_all(computed(program, dtype, entry.point), entry, "numpy")
    assert {check.verdict for check in checks} == {PASS}
    gross = [m for m in mutants(derive(program.cell)) if m.of in ("da_f", "df", "dc") and "1 + 1e-" not in m.mistake]
    assert len(gross) > 8
    caught = 0
    for mutant in gross:
        got = computed(mutant.program, dtype, entry.point)
        caught += any(check.verdict is FAIL for check in judge_all(got, entry, "numpy"))
    assert caught >= 0.8 * len(gross)  # some are nothing at one point: c_0 = 0


# --- what is wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rnn", *(pytest.param(name, marks=pytest.mark.long) for name in ("gru", "lstm"))])
def test_every_mistake_fails_at_one_random_point(name):
    """In float64, down to a factor of 1 + 1e-10."""
    program = program_of(name)
    entry = truth(program, draw(program.cell, 0), "float64", "numpy")
    for mutant in mutants(derive(program.cell)):
        try:
            got = computed(mutant.program, "float64", entry.point)
        except ValueError:  # its shapes do not fit, which is a failure too
            continue
        assert any(c.verdict is FAIL for c in judge_all(got, entry, "numpy")), mutant.mistake


def test_an_unstable_sigmoid_fails():
    """1/(1 + exp(-x)): its automatic derivative is not a number below -89 in float32, where a right one is."""
    cell = read("cell gate\ninput x\nstate h\nh = sigmoid(W @ x) * h_prev\n")
    program = backward_program(derive(cell))
    point = draw_scalar(cell, 0, steps=3)
    point = replace(point, parameters={"W": np.full((1, 1), -100.0)}, inputs={"x": np.ones((3, 3, 1))})
    entry = truth(program, point, "float32", "numpy")
    right = computed(program, "float32", entry.point)
    assert judge("x_3", right["x_3"], entry.gradients["x_3"], "numpy").verdict is not FAIL
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(np.full((3, 1), 100, dtype=np.float32))
        naive = right["x_3"] * (e / (1 + e) ** 2)
    assert judge("x_3", naive, entry.gradients["x_3"], "numpy").note == "not finite"


def test_a_gradient_that_is_not_given_fails():
    program = program_of("rnn")
    entry = truth(program, draw(program.cell, 0), "float64", "numpy")
    got = computed(program, "float64", entry.point)
    del got["b_h"]
    failed = [check for check in judge_all(got, entry, "numpy") if check.verdict is FAIL]
    assert [(check.quantity, check.note) for check in failed] == [("b_h", "not given")]


# --- as many points as it takes -------------------------------------------------------------------------


def test_three_points_are_enough_where_all_say_something():
    program, drawn = program_of("rnn"), []

    def point(number: int) -> Point:
        drawn.append(number)
        return draw(program.cell, number)

    found = over_points("numpy", partial(computed, program, "float64"), program, point, "float64")
    assert drawn == [0, 1, 2]
    assert {check.quantity for check in found} == {"W_xh", "W_hh", "b_h", "h_0", "x_1", "x_2", "x_3", "x_4"}
    assert all(check.verdict is PASS and check.point == "3 points" for check in found)


def test_a_saturated_point_is_drawn_again():
    """Every second point says nothing of most entries; no more are drawn than it takes."""
    program, drawn = program_of("rnn"), []

    def point(number: int) -> Point:
        drawn.append(number)
        return draw(program.cell, number, scale=20.0 if number < 4 else 1.0)

    found = over_points("numpy", partial(computed, program, "float32"), program, point, "float32")
    assert {check.verdict for check in found} == {PASS}
    assert 4 < len(drawn) < 16


def test_sixteen_points_that_say_nothing_are_no_pass():
    program = program_of("rnn")
    found = over_points(
        "numpy",
        partial(computed, program, "float32"),
        program,
        lambda number: draw(program.cell, number, scale=100.0),
        "float32",
        at_most=5,
    )
    by_name = {check.quantity: check for check in found}
    assert by_name["x_1"].verdict is NO_INFORMATION
    assert by_name["x_1"].point == "5 points"
    assert "never said anything" in by_name["x_1"].note


def test_a_failure_needs_no_more_points():
    program, drawn = program_of("rnn"), []
    wrong = next(m for m in mutants(derive(program.cell)) if m.of == "db_h")

    def point(number: int) -> Point:
        drawn.append(number)
        return draw(program.cell, number)

    found = over_points("numpy", partial(computed, wrong.program, "float64"), program, point, "float64")
    assert drawn == [0, 1, 2]
    assert {check.quantity for check in found if check.verdict is FAIL} == {"b_h"}


def test_a_point_on_a_kink_that_rounding_hides_is_drawn_again():
    """x/3 - 1/3 is zero at x = 1, which no precision shows."""
    cell = read("cell kinked\ninput x\nstate h\nh = relu(x/3 - 1/3) * h_prev\n")
    program, drawn = backward_program(derive(cell)), []

    def point(number: int, kinked: int) -> Point:
        drawn.append(number)
        usual = draw(cell, number, steps=3)
        return replace(usual, inputs={"x": np.ones_like(usual.inputs["x"])}) if number < kinked else usual

    compute = partial(computed, program, "float64")
    found = over_points("numpy", compute, program, partial(point, kinked=2), "float64")
    assert len(drawn) >= 5
    assert {check.verdict for check in found} == {PASS}
    with pytest.raises(ArithmeticError, match="on a kink or at a pole"):
        over_points("numpy", compute, program, partial(point, kinked=9), "float64", at_most=4)


def test_what_is_proved_zero_passes_by_its_name():
    """Softmax does not feel a shift of all its entries: its gradient is zero, and computed as rounding noise."""
    cell = read(
        "cell soft\ninput x\nstate h\nscalar shift\np = W @ x + U @ h_prev + shift\nh = exp(p - logsumexp(p))\n"
    )
    program = backward_program(derive(cell))
    check = partial(over_points, "numpy", partial(computed, program, "float64"), program, partial(draw, cell))
    unproved = {one.quantity: one for one in check("float64", at_most=3)}
    assert unproved["shift"].verdict is NO_INFORMATION
    proved = {one.quantity: one for one in check("float64", proved_zero={"shift"})}
    assert (proved["shift"].verdict, proved["shift"].note) == (PASS, "zero, proved")
    assert proved["W"].verdict is PASS


@pytest.mark.parametrize("cube", ["h_prev**3", "h_prev*h_prev*h_prev"])
def test_a_library_may_collect_an_adjoint_use_by_use(cube: str, needs) -> None:
    """Each use of h_prev is an addition of its own in autograd, where our equations have one term for all three."""
    torch = needs("torch")
    assert torch
    from backends.on_torch import BACKEND

    derivation = derive(read(f"cell cube\ninput x\nstate h\nh = W @ x + {cube}\n"))
    program = backward_program(derivation)
    for seed in range(1, 30):
        known = truth(program, draw_scalar(derivation.cell, seed), "float64")
        checks = judge_all(BACKEND.autograd(derivation.cell, known.point, "float64"), known, "torch")
        assert all(check.verdict is not Verdict.FAIL for check in checks), seed
