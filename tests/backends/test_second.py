"""The double backward on every cell: against jets of power series, torch and JAX; and its mutants, every one found."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest
from typer.testing import CliRunner

from backends.arrays import ArrayArithmetic, given, gradients, shaped
from backends.audit_second import STEPS, audit_second
from backends.backend import get
from backends.check import Verdict, judge, judge_all
from backends.points import Point, draw, draw_scalar
from backends.second import Second, by_differentiating_twice, doubled, draw_second, jets_of_series, key_of, second
from backends.truth import exact, truth
from derivations.__main__ import app
from derivations.api import check
from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.functions import FUNCTIONS
from derivations.language import read
from derivations.mutants import Mutant, mutants
from derivations.over_time import vanishing
from derivations.program import Backward, backward_program, backward_run, run_forward
from derivations.reports.checks import Checked
from derivations.twice import leaves
from tests.samples import EVERYTHING, cell_text

VIEWS = {"scalar": draw_scalar, "vector": draw}
SMALL = {  # what the cells that ship have none of
    "stack": "h = tanh(W @ [h_prev; x] + b)",
    "held": "m = detach(W @ h_prev)\nh = tanh(V @ x + m * detach(h_prev)) * h_prev",
    "nothing moves": "h = detach(W @ x + h_prev)",
    "kinks": "a = W @ x + h_prev\nh = relu(a) * h_prev + abs(a)**2 + max(a, b) * min(a**2, h_prev) + clip(a, -1, 1)**3 * b"
    " + hard_sigmoid(a) * h_prev",
    "reductions": "a = W @ x\nh = a * logsumexp(h_prev) + mean(a**2) * h_prev * sum(h_prev) + dot(a, h_prev)**2 * b",
}


@cache
def second_of(name: str) -> Second:
    text = {"everything": EVERYTHING} | {key: cell_text(body) for key, body in SMALL.items()}
    return second(derive(read(text[name]) if name in text else read_cell(name)), STEPS)


@cache
def program_of(name: str) -> Backward:
    return backward_program(derive(second_of(name).twice))


def views(name: str) -> list[str]:
    return ["vector"] if second_of(name).cell.stacked else list(VIEWS)


CASES = [(name, view) for name in (*cell_names(), *SMALL, "everything") for view in views(name)]


# Every mutant of the scalar rnn is tried by default; a layer of one number is normalised to zero, whatever is computed.
NOT_LONG = [("rnn", "scalar"), ("lnlstm", "scalar")]

# --- against opinions of other kinds --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "view"), CASES)
def test_the_double_backward_is_jets_of_power_series(name, view):
    """Of the forward equations alone: no adjoint equation is read, neither once nor twice."""
    of = second_of(name)
    assert exact(program_of(name), draw_second(of, 1, VIEWS[view]), partial(jets_of_series, of)) == []


@pytest.mark.parametrize(("name", "view"), CASES)
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_every_second_derivative_is_right(needs, library, name, view):
    """By the derived equations, and by the library's own double backward of the forward equations."""
    needs(library)
    of, program, backend = second_of(name), program_of(name), get(library)
    zero = vanishing(program, steps=1, vector=view == "vector")
    for dtype in ("float64", "float32") if name in cell_names() else ("float64",):
        known = truth(program, draw_second(of, 1, VIEWS[view]), dtype, library)
        found = [backend.gradients(program, known.point, dtype)]
        if backend.differentiate:
            with backend.library(dtype) as on:
                found.append(gradients(on, by_differentiating_twice(of, backend.differentiate), known.point))
        for got in found:
            checks = judge_all(got, known, library, zero)
            assert [str(check) for check in checks if check.verdict is Verdict.FAIL] == []
            if name in cell_names() and dtype == "float64":
                assert all(check.verdict is Verdict.PASS for check in checks)


@pytest.mark.parametrize("name", ["rnn", pytest.param("lstm", marks=pytest.mark.long)])
def test_everything_at_once(needs, name):
    """What `derive check --second` says, JAX included: all right, and the bound is tight."""
    needs("torch")
    needs("jax")
    checked = audit_second(derive(read_cell(name)), points=1)
    assert not checked.wrong
    assert checked.proved == (len(derive(second_of(name).twice).steps),) * 2
    ways = {"derived twice", "autograd twice"}
    assert {check.backend for check in checked.checks} == {f"{b}, {w}" for b in ("jax", "torch") for w in ways} | {
        "numpy, derived twice"
    }
    assert {check.quantity for check in checked.checks} == {str(leaf) for leaf in second_of(name).leaves}
    assert {check.verdict for check in checked.checks} == {Verdict.PASS}
    assert 0.05 <= max(check.error for check in checked.checks) <= 1


def test_it_is_reached_from_the_command_line_and_from_python(monkeypatch):
    """`derive check CELL --second` and `check(CELL, second=True)`: one audit, one report, and its exit status."""
    asked = []

    def audit(derivation, *, seed, points, progress=None):
        asked.append((derivation.cell.name, seed, points))
        return Checked(exact=(("seed 7", 2),), proved=(166, 166))

    monkeypatch.setattr("backends.audit_second.audit_second", audit)
    answer = CliRunner().invoke(app, ["check", "rnn", "--second", "--seed", "7", "--points", "2"])
    assert (answer.exit_code, asked) == (1, [("rnn", 7, 2)])
    assert "DISAGREES in 2 entries" in answer.output
    assert check("rnn", second=True, seed=7, points=2)["exact"] == [{"point": "seed 7", "disagreements": 2}]
    assert asked[1:] == [("rnn", 7, 2)]


def test_the_series_drop_what_is_held_constant_and_cross_a_kink_by_its_convention():
    of = second_of("kinks")
    point, along = draw(of.cell, 1, steps=3, batch=4), draw(of.cell, 2, steps=3, batch=4)
    inputs = {"x": np.zeros_like(point.inputs["x"])}
    initial = {"h": np.zeros_like(point.initial["h"])}
    still = {"x": np.zeros_like(along.inputs["x"])}
    kink = doubled(of, replace(point, inputs=inputs, initial=initial), replace(along, inputs=still))
    assert exact(program_of("kinks"), kink, partial(jets_of_series, of)) == []


def test_a_wrong_second_derivative_is_refuted(monkeypatch):
    """softplus' is right, and the derivative of what it is made of is not: only the double backward shows it."""
    text = cell_text("h = softplus(W @ x + h_prev)")
    monkeypatch.setitem(
        FUNCTIONS, "sigmoid", replace(FUNCTIONS["sigmoid"], derivatives=(FUNCTIONS["tanh"].derivatives))
    )
    once = derive(read(text))
    assert exact(backward_program(once), draw(once.cell, 1)) == []
    of = second(once, STEPS)
    found = exact(backward_program(derive(of.twice)), draw_second(of, 1), partial(jets_of_series, of))
    assert {one.quantity for one in found} >= {"W", "x@1_1"}


def test_the_gradient_by_a_direction_is_the_gradient():
    """And by a cotangent it is the tangent: along W, dh_1 = (1 - h_1^2) (V_W @ x_1 + ...)."""
    of = second_of("rnn")
    point, along = draw(of.cell, 1, steps=STEPS, batch=4), draw(of.cell, 2, steps=STEPS, batch=4)
    found = get("numpy").gradients(program_of("rnn"), doubled(of, point, along), "float64")
    first = get("numpy").gradients(backward_program(derive(of.cell)), point, "float64")
    for leaf in leaves(of.cell, STEPS):
        if leaf.kind == "direction":
            assert found[key_of(leaf)] == pytest.approx(first[str(replace(leaf, kind="leaf"))], rel=1e-12)
    h = get("numpy").forward(of.cell, point, "float64")["h"][0]
    p, v = point.parameters, along.parameters
    moved = along.inputs["x"][0] @ p["W_xh"].T + point.inputs["x"][0] @ v["W_xh"].T
    moved += along.initial["h"] @ p["W_hh"].T + point.initial["h"] @ v["W_hh"].T + v["b_h"]
    assert found["~h@1:out_1"] == pytest.approx((1 - h**2) * moved, rel=1e-12)


# --- every mistake of the double backward ---------------------------------------------------------------------------


def survivors(wrong: Sequence[Mutant], of: Second, program: Backward, point: Point) -> list[Mutant]:
    """The mutants that float64 does not show to be wrong at a point."""
    known = truth(program, point, "float64", "numpy")
    with get("numpy").library("float64") as on:
        at, arithmetic = given(on, known.point), ArrayArithmetic(on)
        trace = run_forward(program.cell, at.parameters, at.inputs, at.initial, arithmetic)
        right = backward_run(program, trace, at.cotangents, at.final, arithmetic)

        def caught(mutant: Mutant) -> bool:
            try:
                run = backward_run(mutant.program, trace, at.cotangents, at.final, arithmetic, right)
                other = {key: g for key, g in run.gradients.items() if g is not right.gradients[key]}
                got = shaped(on, known.point, other)
            except ValueError:  # shapes that do not fit
                return True
            return any(judge(key, got[key], known.gradients[key], "numpy").verdict is Verdict.FAIL for key in got)

        return [mutant for mutant in wrong if not caught(mutant)]


@pytest.mark.parametrize(
    ("name", "view", "every"),
    [("rnn", "scalar", 1), ("rnn", "vector", 12)]
    + [pytest.param(n, v, 1, marks=pytest.mark.long) for n in cell_names() for v in VIEWS if (n, v) not in NOT_LONG],
)
def test_every_mutant_of_the_double_backward_is_found(name, view, every):
    """Three points, as `derive check` draws them; what is right in ball arithmetic is no mutant."""
    of, program = second_of(name), program_of(name)
    wrong = left = list(mutants(derive(of.twice)))[::every]
    for seed in (1, 2, 3):
        left = survivors(left, of, program, draw_second(of, seed, VIEWS[view]))
    independent = partial(jets_of_series, of)
    assert [m.mistake for m in left if exact(m.program, draw_second(of, 1, VIEWS[view]), independent)] == []
    assert len(left) < len(wrong) / 4  # most of them are wrong
