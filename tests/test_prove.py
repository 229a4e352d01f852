"""Every step of a right derivation is proved, in whatever words it is written."""

from dataclasses import replace

import pytest

from derivations import by_sympy
from derivations.derive import Rule, derive
from derivations.equality import Status
from derivations.expression import Adjoint, Call, Name, negative, walk
from derivations.language import expression, read
from derivations.over_time import over_time
from derivations.program import backward_program
from derivations.prove import equal, prove, prove_all
from tests.derived import DERIVED, LSTM, step
from tests.patience import in_time
from tests.samples import cell_text


@pytest.mark.parametrize("name", DERIVED)
def test_every_step_is_proved(name):
    derivation = DERIVED[name]
    unproved = [
        (step.rule.value, step.of, step.wrt, proof)
        for step, proof in zip(derivation.steps, prove_all(derivation), strict=True)
        if proof.status is not Status.PROVED
    ]
    assert unproved == []


# Each atom beside itself, beside others, and under slopes that are vectors, scalars, and matrices.
BESIDE_ONE_ANOTHER = [
    "h = r * (W @ h_prev)",
    "h = s * (W @ h_prev) + h_prev",
    "h = s * h_prev + W @ h_prev + dot(h_prev, h_prev) * sum(x) * h_prev",
    "h = W @ h_prev + r * (W @ h_prev) + W.T @ (r * h_prev)",
    "h = (r * h_prev) @ W + (V @ x) @ W",
    "h = mean(h_prev) * h_prev + logsumexp(x) + softplus(h_prev) * mean(x)",
    "h = [x; x; h_prev; x] @ W",
    "M = s * outer(h_prev, x)\nh = M @ x",
    "M = outer(h_prev, x) * K + K * s\nh = (M @ x) * (M @ x) + K @ x",
    "M = outer(h_prev, h_prev) + s * outer(h_prev, r)\nh = M @ h_prev + M.T @ r",
    "h = relu(h_prev) * abs(h_prev) + max(h_prev, 0) * max(0, h_prev) - min(h_prev, r) * max(r, h_prev)",
    "h = clip(h_prev, -1, 1) * hard_sigmoid(h_prev) + clip(h_prev, 0, r) * clip(h_prev, -1, 1)",
    "h = h_prev * exp(1) + sqrt(2) * log(2) * h_prev + sigmoid(0) * x_w",
    "h = detach(h_prev * r) * h_prev + detach(h_prev)",
    "h = (h_prev + 1)**8 / (1 + h_prev**2)**3 - h_prev**0",
]  # fmt: skip


@pytest.mark.parametrize("equations", BESIDE_ONE_ANOTHER)
def test_atoms_beside_one_another_are_proved(equations):
    scalar = "\nscalar s" if "s *" in equations or "* s" in equations else ""
    derivation = derive(read(cell_text(equations, "input x\nstate h" + scalar)))
    assert [proof for proof in prove_all(derivation) if not proof] == []
    assert over_time(backward_program(derivation), vector=True)


def test_one_term_of_a_sum_is_not_the_sum():
    """The slope of `sigmoid(h_prev)` in a sum is in its own argument, also where the rest does not read h_prev."""
    cell = read(cell_text("i = (h_prev @ f) + 1 + sigmoid(g)\nh = tanh(sigmoid(h_prev) + sigmoid(k))"))
    assert len(cell.shapes["h"]) == 2
    derivation = derive(cell)
    assert all(proof.status is Status.PROVED for proof in prove_all(derivation))


def test_a_right_step_in_other_words_is_proved():
    right = step(LSTM, Rule.ADJOINT, "a_f")
    other = Adjoint("f") * (Name("f") - Name("f") ** 2)
    assert prove(replace(right, rhs=other, terms=()), LSTM)
    by_hand = Adjoint("f") * Call("sigmoid", (Name("a_f"),)) * Call("sigmoid", (negative(Name("a_f")),))
    assert prove(replace(right, rhs=by_hand, terms=()), LSTM)


def test_two_expressions_are_equal_in_the_cells_names():
    assert equal(expression("f * (1 - f)"), expression("f - f**2"), LSTM.cell)
    assert not equal(expression("f * (1 - f)"), expression("f - i**2"), LSTM.cell)
    assert not equal(expression("W_hf @ h_prev"), expression("W_hf.T @ h_prev"), LSTM.cell)
    assert equal(expression("o * c"), expression("o * f"), LSTM.cell, {"c": Name("f")})


def test_names_in_a_proof_do_not_clash_with_a_cells():
    text = "h = (_ * h_prev) * (W @ h_prev)".replace("_ ", "moved ")
    derivation = derive(read(cell_text(text)))
    assert all(prove_all(derivation))
    assert "_moved" not in {node.id for s in derivation.steps for node in walk(s.rhs) if isinstance(node, Name)}


def test_the_lstm_is_proved_in_a_quarter_of_a_second():
    """The figure that the command line is built on."""

    def prove_it() -> None:
        by_sympy._proved_once.cache_clear()
        prove_all(LSTM)

    in_time(0.25, prove_it)
