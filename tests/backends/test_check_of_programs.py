"""Programs that are checked: a right one never fails, a wrong one does at a single random point."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from backends.backend import find
from backends.check import Verdict, judge, judge_all, over_points, worst
from backends.points import Point, draw, draw_scalar
from backends.truth import truth
from derivations.catalogue import cell_names
from derivations.derive import derive
from derivations.language import read
from derivations.mutants import mutants
from derivations.program import backward_program
from tests.backends.programs import computed, program_of

PASS, FAIL, NO_INFORMATION = Verdict.PASS, Verdict.FAIL, Verdict.NO_INFORMATION


# --- what is right ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.long] if n == "lnlstm" else []) for n in cell_names()]
)
def test_a_right_program_passes_and_the_bound_is_not_idle(name, dtype):
    """No error above 1 at any draw, and one in [0.05, 1] among them: a bound that is too wide catches nothing."""
    program, largest = program_of(name), 0.0
    for seed in range(60):
        entry = truth(program, draw(program.cell, seed), dtype, "numpy")
        checks = judge_all(computed(program, dtype, entry.point), entry, "numpy")
        assert all(check.verdict is not FAIL for check in checks)
        largest = max([largest, *(check.error for check in checks)])
        if seed >= 2 and largest >= 0.05:
            break
    assert 0.05 <= largest <= 1


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_other_right_programs_pass(needs, backend, dtype):
    """Automatic differentiation orders its operations as it likes."""
    needs(backend)
    autograd = find()[backend].autograd
    for name in ("rnn", "lstm", "gru"):
        program = program_of(name)
        drawn = partial(draw, program.cell)
        found = over_points(backend, lambda p, c=program.cell: autograd(c, p, dtype), program, drawn, dtype)
        assert {check.verdict for check in found} == {PASS}
        assert 0 < worst(found).error < 1


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("view", [draw, draw_scalar])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_saturation_is_no_failure(name, view, dtype):
    """Weights of 10 drive gates to 0 and 1, where their complements are all rounding."""
    program = program_of(name)
    verdicts = set()
    for seed in range(4):
        entry = truth(program, view(program.cell, seed, scale=10.0), dtype, "numpy")
        checks = judge_all(computed(program, dtype, entry.point), entry, "numpy")
        verdicts |= {check.verdict for check in checks}
    assert FAIL not in verdicts
    assert NO_INFORMATION in verdicts


def notebook() -> Point:
    """The scalar walkthrough's numbers: a forget gate of 1e-17, an output gate of 1 - 1e-15, c_0 = 0."""
    cell = program_of("lstm").cell
    numbers = dict.fromkeys(cell.parameters, 0.5) | {"W_xf": -10.0, "W_ho": 10.0}
    shaped = {name: np.full((1,) * len(cell.shapes[name]), x) for name, x in numbers.items()}
    one, zero = np.ones((1, 1)), np.zeros((1, 1))
    cotangents = {"h": np.zeros((4, 1, 1))}
    cotangents["h"][3] = 1
    inputs = {"x": np.array([1.0, 5.0, 7.0, 4.0]).reshape(4, 1, 1)}
    return Point(cell, "notebook", shaped, inputs, {"h": -one, "c": zero}, cotangents, {"h": zero, "c": zero})


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_notebook_passes_and_what_is_wrong_there_does_not(dtype):
    """Right float32 gradients are off by 1e-3 here, and 60 of 143 wrong ones pass `gradcheck`."""
    program = program_of("lstm")
    entry = truth(program, notebook(), dtype, "numpy")
    checks = judge_all(computed(program, dtype, entry.point), entry, "numpy")
    assert {check.verdict for check in checks} == {PASS}
    gross = [m for m in mutants(derive(program.cell)) if m.of in ("da_f", "df", "dc") and "1 + 1e-" not in m.mistake]
    assert len(gross) > 8
    caught = 0
    for mutant in gross:
        got = computed(mutant.program, dtype, entry.point)
        caught += any(check.verdict is FAIL for check in judge_all(got, entry, "numpy"))
    assert caught >= 0.8 * len(gross)  # some are nothing at one point: c_0 = 0


@pytest.mark.parametrize("cube", ["h_prev**3", "h_prev*h_prev*h_prev"])
def test_a_library_may_collect_an_adjoint_use_by_use(cube: str, needs) -> None:
    """Each use of h_prev is an addition of its own in autograd, where our equations have one term for all three."""
    torch = needs("torch")
    assert torch
    from backends.on_torch import BACKEND

    derivation = derive(read(f"cell cube\ninput x\nstate h\nh = W @ x + {cube}\n"))
    program = backward_program(derivation)
    for seed in range(1, 30):
        known = truth(program, draw_scalar(derivation.cell, seed), "float64")
        checks = judge_all(BACKEND.autograd(derivation.cell, known.point, "float64"), known, "torch")
        assert all(check.verdict is not Verdict.FAIL for check in checks), seed


# --- what is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rnn", *(pytest.param(name, marks=pytest.mark.long) for name in ("gru", "lstm"))])
def test_every_mistake_fails_at_one_random_point(name):
    """In float64, down to a factor of 1 + 1e-10."""
    program = program_of(name)
    entry = truth(program, draw(program.cell, 0), "float64", "numpy")
    for mutant in mutants(derive(program.cell)):
        try:
            got = computed(mutant.program, "float64", entry.point)
        except ValueError:  # its shapes do not fit, which is a failure too
            continue
        assert any(c.verdict is FAIL for c in judge_all(got, entry, "numpy")), mutant.mistake


def test_an_unstable_sigmoid_fails():
    """1/(1 + exp(-x)): its automatic derivative is not a number below -89 in float32, where a right one is."""
    cell = read("cell gate\ninput x\nstate h\nh = sigmoid(W @ x) * h_prev\n")
    program = backward_program(derive(cell))
    point = draw_scalar(cell, 0, steps=3)
    point = replace(point, parameters={"W": np.full((1, 1), -100.0)}, inputs={"x": np.ones((3, 3, 1))})
    entry = truth(program, point, "float32", "numpy")
    right = computed(program, "float32", entry.point)
    assert judge("x_3", right["x_3"], entry.gradients["x_3"], "numpy").verdict is not FAIL
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(np.full((3, 1), 100, dtype=np.float32))
        naive = right["x_3"] * (e / (1 + e) ** 2)
    assert judge("x_3", naive, entry.gradients["x_3"], "numpy").note == "not finite"


def test_a_gradient_that_is_not_given_fails():
    program = program_of("rnn")
    entry = truth(program, draw(program.cell, 0), "float64", "numpy")
    got = computed(program, "float64", entry.point)
    del got["b_h"]
    failed = [check for check in judge_all(got, entry, "numpy") if check.verdict is FAIL]
    assert [(check.quantity, check.note) for check in failed] == [("b_h", "not given")]
