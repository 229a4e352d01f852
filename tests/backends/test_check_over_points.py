"""Verdicts at several points: how they are combined, and how many points are drawn until each entry says something."""

from dataclasses import replace
from functools import partial
from math import isnan, nan

import numpy as np
import pytest

from backends.check import Check, Verdict, combine, over_points, worst
from backends.points import Point, draw
from derivations.derive import derive
from derivations.language import read
from derivations.mutants import mutants
from derivations.program import backward_program
from tests.backends.programs import computed, program_of

PASS, FAIL, NO_INFORMATION = Verdict.PASS, Verdict.FAIL, Verdict.NO_INFORMATION


# --- several points in one verdict ------------------------------------------------------------------


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


# --- as many points as it takes ---------------------------------------------------------------------


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
