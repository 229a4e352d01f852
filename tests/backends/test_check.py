"""A number or an array against its truth: the verdict, the digits that agree, and both in words."""

from dataclasses import replace
from math import inf, isnan, nan

import numpy as np
import pytest

from backends.balls import balls
from backends.check import Verdict, errors, in_words, judge
from backends.dtypes import format_of
from backends.truth import Known

PASS, FAIL, NO_INFORMATION = Verdict.PASS, Verdict.FAIL, Verdict.NO_INFORMATION
U = 2.0**-53


def known(value, relative=1.0, flushed=0.0, dtype="float64") -> Known:
    """A quantity whose S and N are given."""
    value = np.asarray(value, dtype=np.float64)
    ones = np.ones(value.shape)
    return Known(balls(value), relative * ones, flushed * ones, format_of(dtype))


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
