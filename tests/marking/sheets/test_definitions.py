"""Definitions among words: in a sentence, or in a comment, they say what a name is and claim nothing."""

import pytest

from derivations.marking.marked import Verdict
from derivations.marking.sheets.definitions import definitions, is_error, is_prose
from tests.marking.marks import verdicts

W, R, OTHER = Verdict.WRONG, Verdict.RIGHT, Verdict.OTHER


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("Notation: u = tanh(c), the squashed cell", ["u = tanh(c)"]),
        ("q = 1 - g^2 is the slope", ["q = 1 - g^2"]),
        ("with k = i*g and p = f*c_prev as usual", ["k = i*g", "p = f*c_prev"]),
        ("the slope s = f*(1-f).", ["s = f*(1-f)"]),
        ("we set m = (f + i)/2; then", ["m = (f + i)/2"]),
        ("where y = m/s (normalised by its deviation)", ["y = m/s"]),
        ("so a_f(t) = W*x, at each step", ["a_f(t) = W*x"]),
        ("the error dh = o is given", []),
        ("so that c => h", []),
        ("delta_f = 3 of them", []),
    ],
)
def test_a_definition_ends_where_its_sentence_goes_on(sentence, said):
    found = list(definitions(sentence))
    assert [one.text for one in found] == said
    assert all(one.defines and sentence[one.start :].startswith(one.text) for one in found)


@pytest.mark.parametrize("name", ["dh", "delta_f", "∂L", "grad_W", "err", "eps_f"])
def test_an_error_is_no_definition(name):
    assert is_error(name)
    assert not list(definitions(f"the error {name} = k*q is given"))


@pytest.mark.parametrize("name", ["u", "s", "gate", "diag", "y"])
def test_a_value_is_no_error(name):
    assert not is_error(name)


def test_a_sentence_that_claims_an_error_is_no_prose():
    assert is_prose("the slope of the gate")
    assert not is_prose("dh = the slope of the gate")
    assert not is_prose("f = g")


@pytest.mark.parametrize(
    ("words", "line", "wrong"),
    [
        ("Notation: u = tanh(c), the squashed cell", "do = dh*u", "do = dh*u*c"),
        ("# u = tanh(c): the squashed cell state", "do = dh*u", "do = dh*u^2"),
        ("with u = tanh(c) and q = 1 - u^2 as usual", "dc = dc_next + dh*o*q", "dc = dc_next + dh*o*u"),
        ("where s = f*(1-f);", "da_f = dc*c_prev*s", "da_f = dc*c*s"),
    ],
)
def test_what_a_sentence_defines_is_read_below_and_is_no_claim(words, line, wrong):
    for formula, verdict in ((line, R), (wrong, W)):
        *defined, last = verdicts("lstm", f"{words}\n{formula}")
        assert set(defined) == {OTHER}
        assert last is verdict


def test_a_definition_that_is_not_right_is_no_mistake():
    assert verdicts("lstm", "Notation: u = 2*c, twice the cell\ndf = dc*c_prev") == [OTHER, R]
