"""Definitions that stand behind what reads them are put before it, as far as they can be."""

import pytest

from derivations.marking.marked import Verdict
from derivations.marking.sheets import read_sheet
from tests.marking.marks import verdicts

R, W = Verdict.RIGHT, Verdict.WRONG


def targets(text):
    return [line.target for line in read_sheet(text).lines]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("do = dh*u, where u = tanh(c)", ["u", "do"]),
        ("do = dh*u\nwhere u = tanh(c) is the squashed cell", ["u", "do"]),
        ("dk = dh*q, where q = o*(1-u^2), where u = tanh(k)", ["u", "q", "dk"]),
        ("df = dc*c_prev\ndo = dh*u, where u = tanh(c)", ["df", "u", "do"]),
    ],
)
def test_a_definition_stands_before_its_first_reader(text, order):
    lines = read_sheet(text).lines
    assert [line.target for line in lines] == order
    version = {line.target: line.version for line in lines if line.defines}
    assert version
    for name, defined in version.items():
        assert any(defined in line.uses for line in lines)
        assert not any(name in line.uses for line in lines)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("u = c\ndo = dh*u, where u = tanh(c)", ["u", "do", "u"]),  # it has been said before
        ("k = f*u, where u = k*o", ["k", "u"]),  # it is made of what reads it
        ("do = dh*tanh(c), where u = tanh(c)", ["do", "u"]),  # nobody reads it
        ("do = dh*u\nu = tanh(c)", ["do", "u"]),  # a claim, and no definition
    ],
)
def test_what_cannot_be_put_first_stays(text, order):
    assert targets(text) == order


def test_the_formula_before_its_definition_is_judged_with_it():
    line = "dc = dc_next + dh*o*{}, where q = 1 - tanh(c)^2"
    assert R in verdicts("lstm", line.format("q"))
    assert W not in verdicts("lstm", line.format("q"))
    assert W in verdicts("lstm", line.format("q*f"))
