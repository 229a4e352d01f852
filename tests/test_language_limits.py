"""However long, deep or odd a text is, it is read or refused at once."""

import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from derivations.catalogue import CELLS, cell_names
from derivations.cell import Cell, CellError
from derivations.derive import derive
from derivations.expression import (
    operations,
)
from derivations.language import read
from derivations.over_time import over_time
from derivations.program import backward_program
from derivations.prove import prove_all
from derivations.same import compare
from tests.patience import in_time
from tests.samples import EVERYTHING, cell_text, few_calls_deep

# --- limits -------------------------------------------------------------------------------------------------------


def brackets(depth: int) -> str:
    return f"h = {'(' * depth}x{')' * depth}"


AT_THE_LIMIT = {
    "text": ("h = x" + " " * (200_000 - len(cell_text("h = x"))), "h = x" + " " * (200_001 - len(cell_text("h = x"))), "the text is longer than 200 kB"),
    "brackets": (brackets(64), brackets(65), "line 4, column 69: brackets are nested deeper than 64; name a part of this"),
    "calls": (
        "h = " + "tanh(" * 64 + "x" + ")" * 64,
        "h = " + "tanh(" * 65 + "x" + ")" * 65,
        "line 4, column 329: brackets are nested deeper than 64; name a part of this",
    ),
    "minus signs": (
        "h = x * " + "-" * 64 + "h_prev",
        "h = x * " + "-" * 65 + "h_prev",
        "line 4, column 9: a long chain of minus signs; write one or none",
    ),
    "operations": (
        "h = " + "(x + 2 * " * 63 + "x" + ")" * 63,
        "h = " + "(x - 2 * " * 63 + "x" + ")" * 63,
        "line 4, column 1: operations are nested deeper than 128; name a part of this",
    ),
    "labels": ("a" * 199 + ": h = x", "a" * 200 + ": h = x", "line 4, column 1: a label of more than 200 characters"),
    "factors": (
        "h = x" + " * x" * 63,
        "h = x" + " * x" * 64,
        "line 4, column 7: a product of more than 64 factors; name a part of it",
    ),
    "divisors": (
        "h = x" + " / x" * 63,
        "h = x" + " / x" * 64,
        "line 4, column 7: a product of more than 64 factors; name a part of it",
    ),
    "linear maps": (
        "h = " + "W @ " * 63 + "h_prev + W @ h_prev",
        "h = " + "W @ " * 64 + "h_prev + W @ h_prev",
        "line 4, column 7: a product of more than 64 factors; name a part of it",
    ),
    "digits": (
        "h = x * 1.2345678901234567890",
        "h = x * 1.23456789012345678901",
        "line 4, column 9: a number of more than 20 digits",
    ),
    "exponents": ("h = x * 1e30", "h = x * 1e31", "line 4, column 9: an exponent beyond 30"),
    "negative exponents": ("h = x * 1e-30", "h = x * 1e-31", "line 4, column 9: an exponent beyond 30"),
    "powers": ("h = x**8", "h = x**9", "line 4, column 8: powers are whole numbers from 0 to 8"),
    "powers of powers": (
        "h = ((x**8)**8)**8",
        "h = (((x**8)**8)**8)**2",
        "line 4, column 23: powers of powers beyond 512; name an inner one",
    ),
    "stacks": (
        "h = W @ [x" + "; x" * 63 + "] + V @ x",
        "h = W @ [x" + "; x" * 64 + "] + V @ x",
        "line 4: more than 64 vectors are stacked into one",
    ),
    "stacks of stacks": (
        "v = [x; x]\nw = [v; v]\nh = W @ w",
        "".join(f"s{k + 1} = [s{k}; s{k}]\n" for k in range(30)).replace("s0", "x") + "h = W @ s30",
        "line 10: more than 64 vectors are stacked into one",
    ),
    "equations": (
        "b = x\n" + "".join(f"c{k} = x\n" for k in range(498)) + "h = x",
        "b = x\n" + "".join(f"c{k} = x\n" for k in range(499)) + "h = x",
        "line 504: 501 equations; 500 is the most",
    ),
}  # fmt: skip


@pytest.mark.parametrize("limit", AT_THE_LIMIT)
def test_a_limit_is_held_and_said(limit):
    within, beyond, message = AT_THE_LIMIT[limit]
    assert isinstance(read(cell_text(within)), Cell)
    with pytest.raises(CellError) as wrong:
        read(cell_text(beyond))
    assert str(wrong.value) == message


BOMBS = {
    "minus signs": "h = " + "-" * 190_000 + "x",
    "minus signs in brackets": "h = " + ("-" * 60 + "(") * 60 + "x" + ")" * 60,
    "divisions in brackets": "h = " + "(" * 60 + "x" + ("/2" * 60 + ")") * 60,
    "brackets": "h = " + "(" * 95_000 + "x" + ")" * 95_000,
    "brackets on lines": "h = " + "(\n" * 60_000,
    "open brackets": "h = " + "[" * 190_000,
    "powers": "h = " + "(" * 60 + "2" + "**8)" * 60,
    "products": "h = " + "(" * 3 + "x" + ("*x" * 30_000 + ")") * 3,
    "a long name": "h = " + "a" * 190_000,
    "a long number": "h = " + "9" * 190_000,
    "a long title": "h = x\n" + '"' * 190_000,
    "equations": "h = x\n" * 30_000,
    "declarations": "input a" + ", a" * 60_000,
    "labels": "a " * 90_000 + ": h = x",
    "dots": "h = x" + ".T" * 90_000,
    "colons": "a:" * 90_000,
    "digits of another script": "h = " + "\u0663" * 60_000,
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_at_once(bomb):
    text = cell_text(BOMBS[bomb])
    with pytest.raises(CellError):
        in_time(5, lambda: read(text))  # what passes the parser first takes 2 s, and without the limits no end


# --- long sums ----------------------------------------------------------------------------------------------------


def test_a_sum_of_2000_terms_is_flat_from_the_text_to_the_proof():
    text = cell_text("h = tanh(" + " + ".join(["x * h_prev", "x"] * 1000) + ")")
    with few_calls_deep(150):  # SymPy itself needs some of them, the parser too
        cell = read(text)
        derivation = derive(cell)
        assert operations(cell.equation("a_h").rhs) == 1999 + 1000
        assert all(prove_all(derivation))
        program = backward_program(derivation)
        assert over_time(program)
        assert over_time(program, vector=True)
        assert compare(cell, read(text.replace("tanh(", "tanh(0 + ")))


def test_a_sum_of_2000_parameters_is_derived_in_linear_time():
    def seconds(terms: int) -> float:
        text = cell_text("h = tanh(" + " + ".join(f"p{k} * x" for k in range(terms)) + ")")
        took = []
        for _ in range(3):  # a collection of others' garbage may fall into one
            start = time.thread_time()
            assert len(derive(read(text)).partials) == terms + 2
            took.append(time.thread_time() - start)
        return min(took)

    # Quadratic, 2000 terms take a hundred times as long as 200; linear, ten times. Half-way between the two, in
    # logarithms, leaves room for a machine that is busy.
    assert seconds(2000) < 31 * max(seconds(200), 0.01)


# --- any text at all ----------------------------------------------------------------------------------------------

PIECES = [
    *"()[];,=+-*/@.:#\"'\n\t _\\{}%^~$&|<>?!",
    "**", ".T", "\n    ", "\n  ", "0", "1", "2.5", "1e9", "1e-400", "99999999999999999999999",
    "cell", "input", "state", "output", "target", "scalar", "positive", "param", "readout", "loss", "facts",
    "x", "h", "h_prev", "h_prv", "c", "c_prev", "W", "W_xf", "b_f", "t", "dt", "dh", "a_h", "h_0", "lambda", "__x__",
    "sigmoid", "tanh", "max", "clip", "sum", "dot", "outer", "detach", "logsumexp", "eval", "gate:", "cell a\n",
    "input x\n", "state h\n", "h = x\n", "h = tanh(W @ x + h_prev)\n", "\u210e", "\u2028", "\0", "\x1b", "\ud800", "\r",
]  # fmt: skip
jumbled = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
mended = jumbled.map(lambda text: cell_text(f"h = {text}"))
damaged = st.tuples(
    st.sampled_from([EVERYTHING, *((CELLS / f"{name}.cell").read_text() for name in cell_names())]),
    st.floats(0, 1),
    st.integers(0, 12),
    jumbled,
).map(lambda parts: _damaged(*parts))


def _damaged(text: str, where: float, gone: int, new: str) -> str:
    at = int(where * len(text))
    return text[:at] + new + text[at + gone :]


def is_read_or_refused(text: str) -> None:
    try:
        found = in_time(0.5, lambda: read(text))
    except CellError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 500
    else:
        assert isinstance(found, Cell)
        in_time(0.5, lambda: derive(found))


@settings(max_examples=150, deadline=None)
@given(st.text() | jumbled | mended | damaged)
@example("cell a\ninput x\nstate h\nh = x\nreadout\n        y = x\n    z = x")
@example("cell a\ninput x\nstate h\nh = (x\n")
@example("cell a\ninput x\nstate h\nh = 1 / (x - x)")
def test_any_text_is_a_cell_or_an_error_with_one_line(text):
    is_read_or_refused(text)


@pytest.mark.long
@settings(max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text() | jumbled | mended | damaged)
def test_any_text_at_length(text):
    is_read_or_refused(text)
