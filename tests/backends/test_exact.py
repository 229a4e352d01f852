"""The exact layer of truth: a derivation agrees with jets at every point, and what is wrong is refuted."""

from dataclasses import replace

import numpy as np
import pytest
from flint import arb, ctx

from backends.balls import Undecided, precision, sign, until
from backends.points import Point, draw, draw_scalar
from backends.truth import exact, truth
from derivations.catalogue import cell_names
from derivations.derive import derive
from derivations.expression import ZERO
from derivations.functions import FUNCTIONS, WRITABLE, Y
from derivations.language import read
from derivations.mutants import mutants
from derivations.program import backward_program
from tests.backends.programs import EVERYTHING, program_of


@pytest.mark.parametrize("name", [*cell_names(), "everything"])
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
