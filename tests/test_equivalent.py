"""What is the right program in other words is proved so, for all numbers; what is wrong never is."""

from dataclasses import replace

import pytest

from derivations.catalogue import read_cell
from derivations.derive import derive
from derivations.equality import Status
from derivations.equivalent import Equality
from derivations.expression import Adjoint, Call, Expr, MatMul, Name, Transpose, negative, product
from derivations.language import read
from derivations.mutants import mutants
from derivations.over_time import over_time
from derivations.program import Backward, backward_program
from tests.samples import cell_text


def program_of(text: str) -> Backward:
    return backward_program(derive(read(cell_text(text))))


def otherwise(program: Backward, id_: str, rhs: Expr) -> Backward:
    assert id_ in dict(program.adjoints)
    return replace(program, adjoints=tuple((i, rhs if i == id_ else e) for i, e in program.adjoints))


SQUARE = program_of("h = h_prev * x * x")
TANH = program_of("n = tanh(x)\nh = n + h_prev")
GATE = program_of("f = sigmoid(W @ x)\nh = f * h_prev")
BIASES = program_of("h = tanh(W @ x + b_x + U @ h_prev + b_h)")
NO_CARRY = program_of("h = tanh(W @ x + detach(h_prev))")
f, n, x = Name("f"), Name("n"), Name("x")
tanh = Call("tanh", (x,))

OTHER_WORDS = {
    "w**2 for w*w": (SQUARE, otherwise(SQUARE, "dh_prev", Adjoint("h") * x**2)),
    "(1 - n)(1 + n) for 1 - n**2": (TANH, otherwise(TANH, "dx", product(Adjoint("n"), 1 - n, 1 + n))),
    "1 - tanh(x)**2, n written out": (TANH, otherwise(TANH, "dx", Adjoint("n") * (1 - tanh**2))),
    "f - f**2 for f*(1 - f)": (GATE, otherwise(GATE, "da_f", Adjoint("f") * (f - f**2))),
    "the gradient of another bias that enters alike": (
        BIASES,
        replace(BIASES, gradients={**BIASES.gradients, "b_x": Adjoint("b_h")}),
    ),
    "a carry of nothing, cut": (NO_CARRY, replace(NO_CARRY, horizon=1)),
    "a carry of nothing, flipped": (NO_CARRY, replace(NO_CARRY, carry={"h": negative(NO_CARRY.carry["h"])})),
    "the initial state's gradient, counted twice and taken off once": (
        GATE,
        replace(GATE, initial={"h": 2 * Adjoint("h_prev") - Adjoint("h_prev")}),
    ),
}

WRONG = {
    "1 + n**2": (TANH, otherwise(TANH, "dx", Adjoint("n") * (1 + n**2))),
    "f for its slope": (GATE, otherwise(GATE, "da_f", Adjoint("f") * f)),
    "right at one sequence only": (BIASES, replace(BIASES, averaged=frozenset({"b_x"}))),
    "right at one step only": (BIASES, replace(BIASES, summed={"W": slice(1, None)})),
    "right but for the last step": (BIASES, replace(BIASES, horizon=2)),
    "right for the first three steps": (BIASES, replace(BIASES, summed={"W": slice(0, 3)})),
    "right for the last three steps": (BIASES, replace(BIASES, summed={"W": slice(-3, None)})),
    "right but for the fourth step": (GATE, replace(GATE, late={"x": slice(3, 4)})),
    "right for one step, whose initial state hides what is carried": (
        BIASES,
        replace(
            otherwise(BIASES, "dh_prev", 2 * dict(BIASES.adjoints)["dh_prev"]),
            initial={"h": dict(BIASES.adjoints)["dh_prev"]},
        ),
    ),
    "right up to four steps": (BIASES, replace(BIASES, horizon=4)),
    "a bias that enters otherwise": (GATE, replace(GATE, gradients={"W": negative(GATE.gradients["W"])})),
}


@pytest.mark.parametrize("vector", [False, True])
@pytest.mark.parametrize("name", OTHER_WORDS)
def test_the_right_program_in_other_words_is_proved(name, vector):
    right, other = OTHER_WORDS[name]
    assert other != right
    assert Equality(right, vector=vector).proof(other)


@pytest.mark.parametrize("vector", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refuted(name, vector):
    right, wrong = WRONG[name]
    assert Equality(right, vector=vector).proof(wrong).status is Status.REFUTED
    assert over_time(wrong, vector=vector).status is Status.REFUTED


def test_a_transposed_matrix_is_the_matrix_in_the_scalar_view_only():
    right = program_of("h = tanh(W @ h_prev + x)")
    wrong = otherwise(right, "dh_prev", MatMul(Name("W"), Adjoint("a_h")))
    assert dict(right.adjoints)["dh_prev"] == MatMul(Transpose(Name("W")), Adjoint("a_h"))
    assert Equality(right, vector=False).proof(wrong)
    assert Equality(right, vector=True).proof(wrong).status is Status.REFUTED


def test_only_transpositions_of_the_lstm_are_right_in_the_scalar_view():
    derivation = derive(read_cell("lstm"))
    equality = Equality(backward_program(derivation), vector=False)
    of_words = [m for m in mutants(derivation) if "transposed" in m.mistake or "wrong way round" in m.mistake]
    assert len(of_words) == 8
    assert all(equality.proof(mutant.program) for mutant in of_words)
    for mutant in mutants(derivation)[::200]:
        assert bool(equality.proof(mutant.program)) == (mutant in of_words), mutant.mistake
