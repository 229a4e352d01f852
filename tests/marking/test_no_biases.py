"""Sheets that have no biases are read so, and a sheet that speaks of one has lost it."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import marked, wrong

R = Verdict.RIGHT
WITHOUT = "read without biases"
RNN = "h = tanh(W x + U h_prev)\nda = dh*(1 - h^2)\ndW = da x^T\ndU = da h_prev^T"
LSTM = "f = sigmoid(W_f x + U_f h_prev)\ni = sigmoid(W_i x + U_i h_prev)\nda_f = dc*c_prev*f*(1-f)\nda_i = dc*g*i*(1-i)"
GRU = (
    "z = sigmoid(W_z x + U_z h_prev)\nr = sigmoid(W_r x + U_r h_prev)\nn = tanh(W_n x + r*(U_n h_prev))\n"
    "dr = da_n*(U_n h_prev)\nda_z = dh*(h_prev - n)*z*(1-z)"
)


@pytest.mark.parametrize(("cell", "text"), [("rnn", RNN), ("lstm", LSTM), ("gru", GRU)])
def test_a_sheet_without_biases_is_right_and_says_how_it_is_read(cell, text):
    found = marked(text, cell)
    assert {mark.verdict for mark in found.marks} == {R}
    assert WITHOUT in found.reading


@pytest.mark.parametrize(
    ("cell", "text", "old", "new", "line", "mistake"),
    [
        ("rnn", RNN, "(1 - h^2)", "(1 - h)", 2, "h where h**2 is due"),
        ("rnn", RNN, "da h_prev^T", "da h^T", 4, "h of this step where h_prev is due"),
        ("lstm", LSTM, "dc*g*i", "dc*i*i", 4, "i where g is due"),
        ("gru", GRU, "(h_prev - n)", "(n - h_prev)", 5, "the sign is flipped"),
    ],
)
def test_a_mistake_in_one_is_charged_once(cell, text, old, new, line, mistake):
    assert text.count(old) == 1
    assert wrong(marked(text.replace(old, new), cell)) == {line: mistake}


def test_a_sheet_that_speaks_of_a_bias_has_forgotten_it():
    found = marked("h = tanh(W x + U h_prev)\nda = dh*(1 - h^2)\ndb = da", "rnn")
    assert wrong(found) == {1: "the term b_h is missing"}
    assert WITHOUT not in found.reading


def test_a_sheet_with_its_biases_is_not_read_without_them():
    found = marked("h = tanh(W x + U h_prev + b)\nda = dh*(1 - h^2)", "rnn")
    assert not wrong(found)
    assert WITHOUT not in found.reading
