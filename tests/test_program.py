"""The derivation as a program over time: equal to forward mode and to finite sums done by hand, exactly."""

from dataclasses import replace
from fractions import Fraction

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.derive import Derivation, derive
from derivations.equality import Status
from derivations.expression import Adjoint
from derivations.floats import FLOATS
from derivations.language import read
from derivations.mutants import mutants
from derivations.over_time import over_time, vanishing
from derivations.program import backward_program, backward_run, run_backward, run_forward
from tests.samples import EVERYTHING, EVERYTHING_BUT_STACKS, Exact, cell_text

LSTM = derive(read_cell("lstm"))
ONE = [[Fraction(1)]]


def number(value: object) -> list[list[Fraction]]:
    return [[Fraction(value)]]


# --- by hand ------------------------------------------------------------------------------------------------------

# h_t = w h_{t-1} + u x_t, so h_3 = w^3 h_0 + w^2 u x_1 + w u x_2 + u x_3, with w = 2, u = 3, h_0 = 5, x = 7, 11, 13.
LINEAR = derive(read(cell_text("h = w * h_prev + u * x", "input x\nstate h\nscalar x, h, w, u")))
TRACE = run_forward(
    LINEAR.cell,
    {"w": number(2), "u": number(3)},
    {"x": [number(7), number(11), number(13)]},
    {"h": number(5)},
    Exact(),
)


def backward(cotangents=None, final=None, **changes):
    program = replace(backward_program(LINEAR), **changes)
    gradients, adjoints = run_backward(program, TRACE, cotangents or {}, final or {}, Exact())
    return {name: value[0][0] for name, value in gradients.items()}, adjoints


def test_values_run_forward_in_time():
    assert [step["h"][0][0] for step in TRACE] == [31, 95, 229]
    assert [step["h_prev"][0][0] for step in TRACE] == [5, 31, 95]
    assert [step["x"][0][0] for step in TRACE] == [7, 11, 13]
    assert all(step["w"] == number(2) for step in TRACE)


def test_the_gradients_of_the_final_state():
    gradients, _ = backward(final={"h": ONE})
    assert gradients == {
        "h_0": 2**3,
        "w": 3 * 2**2 * 5 + 2 * 2 * 3 * 7 + 3 * 11,
        "u": 2**2 * 7 + 2 * 11 + 13,
        "x_1": 2**2 * 3,
        "x_2": 2 * 3,
        "x_3": 3,
    }


def test_cotangents_enter_at_every_step():
    gradients, adjoints = backward(cotangents={"h": [number(1), number(10), number(100)]})
    assert gradients["h_0"] == 1 * 2 + 10 * 4 + 100 * 8
    assert gradients["x_1"] == 3 * (1 + 10 * 2 + 100 * 4)
    assert [step["dh"][0][0] for step in adjoints] == [1 + 20 + 400, 10 + 200, 100]
    assert [step["dh_next"][0][0] for step in adjoints] == [20 + 400, 200, 0]
    assert [step["dh_out"][0][0] for step in adjoints] == [1, 10, 100]


def test_cotangents_of_both_kinds_add_up():
    both, _ = backward(cotangents={"h": [ONE, ONE, ONE]}, final={"h": number(7)})
    outputs, _ = backward(cotangents={"h": [ONE, ONE, ONE]})
    final, _ = backward(final={"h": number(7)})
    assert both == {name: outputs[name] + final[name] for name in both}


def test_without_cotangents_every_gradient_is_zero():
    assert set(backward()[0].values()) == {0}


def test_adjoints_are_given_by_id_and_values_are_not():
    assert set(backward()[1][0]) == {"dh", "dh_out", "dh_next", "dh_prev", "dx", "dw", "du"}


# --- how the steps are joined is data -----------------------------------------------------------------------------


def test_the_carry_is_cut_at_the_horizon():
    ones = {"h": [ONE, ONE, ONE]}
    assert backward(cotangents=ones, horizon=1)[0]["h_0"] == 2  # what step 1 alone sends back
    assert [step["dh"][0][0] for step in backward(cotangents=ones, horizon=1)[1]] == [1, 1, 1]
    assert [step["dh"][0][0] for step in backward(cotangents=ones, horizon=2)[1]] == [1, 3, 1]
    assert [step["dh"][0][0] for step in backward(cotangents=ones)[1]] == [7, 3, 1]


def test_a_sum_over_time_takes_the_steps_it_is_told():
    final = {"h": ONE}
    whole, first = backward(final=final)[0], backward(final=final, summed={"w": slice(0, 1)})[0]
    assert first["w"] == 2**2 * 5
    assert backward(final=final, summed={"w": slice(1, None)})[0]["w"] == whole["w"] - first["w"]
    assert backward(final=final, summed={"w": slice(3, None)})[0]["w"] == 0
    assert first["u"] == whole["u"]


def test_final_cotangents_enter_where_they_are_let_in():
    program = replace(backward_program(LINEAR), final=frozenset())
    gradients, _ = run_backward(program, TRACE, {}, {"h": ONE}, Exact())
    assert all(value == number(0) for value in gradients.values())


def test_the_program_is_the_derivation():
    program = backward_program(LSTM)
    assert program.adjoints == tuple((f"d{step.wrt}", step.rhs) for step in LSTM.adjoints)
    assert program.carry == {"h": Adjoint("h_prev"), "c": Adjoint("c_prev")}
    assert program.gradients == {name: Adjoint(name) for name in LSTM.cell.parameters}
    assert program.initial == {"h": Adjoint("h_prev"), "c": Adjoint("c_prev")}
    assert program.final == {"h", "c"}


# --- against forward mode, modulo a prime -------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*cell_names(), EVERYTHING, EVERYTHING_BUT_STACKS], ids=lambda text: text[:12].strip())
@pytest.mark.parametrize("vector", [False, True])
def test_every_gradient_is_that_of_forward_mode(text, vector):
    derivation = derive(read(text) if "\n" in text else read_cell(text))
    proof = over_time(backward_program(derivation), vector=vector)
    assert proof.status is Status.PROVED, proof.where


def wrong_in(name: str, derivation: Derivation = LSTM):
    """The program with twice the adjoint of one name."""
    program = backward_program(derivation)
    adjoints = tuple((id_, 2 * rhs if id_ == f"d{name}" else rhs) for id_, rhs in program.adjoints)
    return replace(program, adjoints=adjoints)


@pytest.mark.parametrize("name", ["h", "c", "a_f", "W_xf", "b_o", "x", "h_prev", "c_prev"])
@pytest.mark.parametrize("vector", [False, True])
def test_a_wrong_adjoint_is_found_over_time(name, vector):
    proof = over_time(wrong_in(name), vector=vector)
    assert proof.status is Status.REFUTED
    assert "over 3 steps" in proof.where


def test_the_first_step_alone_does_not_show_a_wrong_carry():
    """Why T is at least 3: at T = 1 a carry that is lost makes no difference."""
    lost = replace(backward_program(LSTM), carry={"h": 0 * Adjoint("h_prev"), "c": Adjoint("c_prev")})
    assert over_time(lost, steps=1)
    assert not over_time(lost, steps=2)


def test_division_by_zero_is_refuted():
    derivation = derive(read(cell_text("h = h_prev / (x - x)")))
    assert over_time(backward_program(derivation)).status is Status.REFUTED


def test_gradients_that_vanish_whatever_the_numbers_are_known():
    text = cell_text("c = f * c_prev\nh = x + c - detach(c) * u", "input x\nstate h, c")
    program = backward_program(derive(read(text)))
    assert vanishing(program, steps=3, vector=True) == {"h_0"}


# --- sharing what two programs have in common ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rnn", "gru"])
def test_a_run_that_shares_another_gives_the_same_numbers(name):
    """Bit by bit, for every mutant; and what a mistake does not touch is the very object."""
    derivation = derive(read_cell(name))
    cell, right = derivation.cell, backward_program(derivation)
    ones = iter(range(1, 10_000))

    def draw() -> float:
        return next(ones) * 41 % 97 / 97 - 0.4

    parameters = {p: draw() for p in cell.parameters}
    inputs = {x: [draw() for _ in range(3)] for x in cell.inputs}
    trace = run_forward(cell, parameters, inputs, {s: draw() for s in cell.states}, FLOATS)
    cotangents = {q: [draw() for _ in range(3)] for q in cell.seeded}
    given = (trace, cotangents, {s: draw() for s in cell.states}, FLOATS)
    known = backward_run(right, *given)
    found = mutants(derivation)
    for mutant in found:
        alone, shared = backward_run(mutant.program, *given), backward_run(mutant.program, *given, known)
        assert alone.gradients == shared.gradients, mutant.mistake
        assert alone.adjoints == shared.adjoints, mutant.mistake
    again = backward_run(right, *given, known)
    assert all(again.gradients[key] is known.gradients[key] for key in known.gradients)
