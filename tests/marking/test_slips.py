"""Slips that a line is read for: brackets left out, a sum where a product is due, tanh applied twice."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import only


def slip(cell, line):
    found = only(line, cell)
    assert found.verdict is Verdict.WRONG
    assert not found.example  # one change explains it
    return found.mistake


@pytest.mark.parametrize(
    "line", ["dz = dh*h_prev - n", "dz = h_prev*dh - n", "dz = h_prev - n*dh", "dz = h_prev - dh*n"]
)
def test_brackets_that_are_missing(line):
    assert slip("gru", line).startswith("the brackets are missing: all of (-n + h_prev) is multiplied")
    assert only(line, "gru").correct in ("dz = dh*(-n + h_prev)", "dz = -dh*n + dh*h_prev")


@pytest.mark.parametrize("line", ["dz = (h_prev - n)*dh", "dz = dh*h_prev - dh*n"])
def test_brackets_that_are_there_or_multiplied_out(line):
    assert only(line, "gru").verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    ("cell", "line", "factor", "right"),
    [
        ("lstm", "df = dc + c_prev", "dc", "df = dc*c_prev"),
        ("lstm", "dc_prev = dc + f", "dc", "dc_prev = dc*f"),
        ("lstm", "da_o = do + o*(1-o)", "do", "da_o = do*o*(1 - o)"),
        ("gru", "dn = dh + (1-z)", "dh", "dn = dh*(1 - z)"),
        ("gru", "dr = da_n + q", "da_n", "dr = da_n*q"),
    ],
)
def test_a_sum_where_a_product_is_due(cell, line, factor, right):
    assert slip(cell, line) == f"{factor} is added where it must be multiplied"
    assert only(line, cell).correct == right


@pytest.mark.parametrize(
    ("cell", "line", "value"),
    [
        ("rnn", "da_h = dh*(1 - tanh(h)^2)", "h"),
        ("lstm", "da_g = dc*i*(1 - tanh(g)^2)", "g"),
        ("gru", "da_n = dh*(1-z)*(1 - tanh(n)^2)", "n"),
    ],
)
def test_tanh_of_what_has_had_its_tanh(cell, line, value):
    assert slip(cell, line) == f"tanh is applied twice: 1 - tanh({value})**2 where (1 - {value}**2) is due"


def test_tanh_twice_at_the_cell_state():
    assert slip("lstm", "dc = dc_next + dh*o*(1 - tanh(tanh(c))^2)") == "tanh' at tanh(c), not at c"
