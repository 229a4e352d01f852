"""What the words of a sheet say of its letters: of which errors they are, in total or not, and of which losses."""

import pytest

from derivations.marking.marked import Verdict
from derivations.marking.sheets import read_sheet
from tests.marking.marks import marks, mistakes, verdicts

W, R = Verdict.WRONG, Verdict.RIGHT
AT_ARGUMENTS = "Let delta_k = dL/da_k for every gate k.\n"
LETTER = "We write gk = dL/dk.\n"
STEP = "h_t = tanh(w x_t + u h_{t-1} + b)\n"


def sheet(words):
    return read_sheet(f"{words}\ndo = dh*tanh(c)")


@pytest.mark.parametrize(
    ("words", "prefix"),
    [
        ("delta_k = dL/da_k", "delta"),
        ("let eps_k denote dL/dnet_k", "eps"),
        ("errors e_k = dL/dz_k", "e"),
        (r"$\delta_k = \frac{\partial L}{\partial a_k}$", "delta"),
        ("δ_f is the gradient at the pre-activation", "delta"),
    ],
)
def test_letters_of_errors_at_the_arguments(words, prefix):
    assert sheet(words).at_arguments == {prefix}


@pytest.mark.parametrize("words", ["delta_h = dL/dh", "delta_k = dL/dk", "the pre-activations are a_k"])
def test_other_letters_are_not_at_the_arguments(words):
    assert not sheet(words).at_arguments


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("dh*tanh(c)*o*(1-o)", "dh*tanh(c)"), ("dh*o*(1-o)*tanh(c)", "dh*tanh(c)*o")],
)
def test_an_error_at_the_argument_has_the_slope_of_its_gate(right, wrong):
    assert verdicts("lstm", f"{AT_ARGUMENTS}delta_o = {right}")[-1] is R
    found = marks("lstm", f"{AT_ARGUMENTS}delta_o = {wrong}")[-1]
    assert (found.verdict, found.quantity) == (W, "da_o")


@pytest.mark.parametrize(
    ("words", "notation", "line"),
    [
        (
            r"Let $\delta_k = \frac{\partial L}{\partial a_k}$ for every gate.",
            "latex",
            r"$\delta_o = dh \odot \tanh(c)$",
        ),
        (r"Here $\delta_k$ are the gradients at the preactivations.", "latex", r"$\delta_o = dh \odot \tanh(c)$"),
        ("# delta_k = dL/da_k", "python", "delta_o = dh * np.tanh(c)"),
        ("delta_k is the error at the preactivation of gate k.", "text", "delta_o = dh*tanh(c)"),
    ],
)
def test_such_words_count_in_every_notation(words, notation, line):
    found = marks("lstm", f"{words}\n{line}", notation)[-1]
    assert (found.verdict, found.quantity) == (W, "da_o")
    assert found.mistake == "the slope of the sigmoid, o*(1 - o), is missing"


def test_without_such_words_it_may_be_the_error_of_the_gate():
    assert verdicts("lstm", "delta_o = dh*tanh(c)") == [R]
    assert marks("lstm", "delta_o = dh*tanh(c)")[0].quantity == "do"


@pytest.mark.parametrize(
    ("words", "letters"),
    [("We write gk = dL/dk.", {"g"}), ("gx = dL/dx throughout", {"g"}), ("b* is dL/d*", {"b"}), ("dy is dL/dy", set())],
)
def test_a_letter_before_a_name_is_its_error(words, letters):
    assert sheet(words).error_letters == letters


def test_errors_under_a_letter_are_judged():
    right, wrong = "go = gh*tanh(c)", "go = gh*c"
    assert verdicts("lstm", LETTER + right)[-1] is R
    assert mistakes("lstm", LETTER + wrong) == {2: "c where tanh(c) is due"}
    assert verdicts("lstm", wrong) == [Verdict.UNSURE]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [("(1 - h_t^2) (x_t + u J_{t-1})", R), ("(1 - h_t^2) x_t", W), ("(1 - h_t^2) (x_t + w J_{t-1})", W)],
)
def test_a_derivative_in_total_is_through_all_steps(line, verdict):
    assert verdicts("rnn", f"Let J = dh_t/dw in total.\n{STEP}J = {line}")[-1] is verdict


def test_a_derivative_that_is_not_said_to_be_in_total_is_within_its_step():
    assert not sheet("Let J = dh_t/dw.").in_total
    assert verdicts("rnn", f"Let J = dh_t/dw.\n{STEP}J = (1 - h_t^2) x_t")[-1] is R


@pytest.mark.parametrize(
    ("words", "every"),
    [
        ("The loss is on every h_t.", True),
        ("a loss at each time step", True),
        (r"$L = \sum_t L_t$", True),
        ("The loss is on the last h alone.", False),
        ("L = L_T", False),
    ],
)
def test_a_loss_of_every_step(words, every):
    assert sheet(words).every_loss is every


LOOP = """# the loss is on {} h
def back(dh, xs, hs, W, T):
    dW = np.zeros_like(W)
    for t in reversed(range(T)):
        da = dh * (1 - hs[t]**2)
        dW += np.outer(da, hs[t-1])
        dh = W.T @ da
    return dW
"""


def test_a_loop_hears_the_loss_of_every_step_where_there_is_one():
    assert verdicts("rnn", LOOP.format("the last"), "python") == [R, R, R]
    assert mistakes("rnn", LOOP.format("every"), "python") == {5: "the term dh_out is missing"}
