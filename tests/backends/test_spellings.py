"""A complement may be written as 1 - z or as sigmoid(-a): right programs of both kinds pass, and wrong ones do not."""

from dataclasses import replace

import numpy as np
import pytest

from backends import truth as truth_module
from backends.backend import find
from backends.check import Verdict, judge_all
from backends.golden import judge as judge_module
from backends.golden.layout import layout
from backends.golden.values import golden
from backends.ledger import Rounded
from backends.over_spellings import bound_over
from backends.points import draw, draw_scalar
from backends.rounding import RoundedArithmetic
from backends.spellings import respelled, spellings
from backends.truth import truth
from backends.ways import DTYPES, computers
from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.language import read
from derivations.plain import code
from derivations.program import backward_program
from tests.benchmarks.right_gradients import REGIMES, near_the_notebook
from tests.filled import filled, hard
from tests.located import derived, look
from tests.samples import cell_text

GRU = read_cell("gru")
(OTHER,) = respelled(GRU)
TWO_WAYS = {"1 - z": GRU, "sigmoid(-a)": OTHER}
PROGRAMS = {name: backward_program(derive(cell)) for name, cell in TWO_WAYS.items()}


def equations(cell) -> list[str]:
    return [f"{equation.target} = {code(equation.rhs)}" for equation in cell.equations]


# --- which spellings there are ------------------------------------------------------------------------------


def test_a_complement_is_the_gate_of_the_opposite():
    assert set(equations(OTHER)) - set(equations(GRU)) == {"_not_z = sigmoid(-a_z)", "h = _not_z*n + z*h_prev"}
    (back,) = respelled(OTHER)
    assert "_not_z = 1 - z" in equations(back)
    assert [name for name in cell_names() if list(respelled(read_cell(name)))] == ["gru"]


@pytest.mark.parametrize(
    ("text", "each"),
    [
        ("z = sigmoid(x)\nh = (1 - z) * h_prev", [["_not_z = sigmoid(-x)", "h = _not_z*h_prev"]]),
        ("z = sigmoid(x)\nh = (-z + 1) * h_prev", [["_not_z = sigmoid(-x)", "h = _not_z*h_prev"]]),
        ("z = sigmoid(W @ x)\nu = sigmoid(-(W @ x))\nh = z*h_prev + u*x", [["u = 1 - z"]]),
        ("z = sigmoid(W @ x + b)\nu = sigmoid(-W @ x - b)\nh = z*h_prev + u*x", [["u = 1 - z"]]),
        ("u = sigmoid(-x)\nz = sigmoid(x)\nh = z*h_prev + u*x", [["z = 1 - u"]]),
        ("h = (1 - sigmoid(x)) * h_prev", [["h = sigmoid(-x)*h_prev"]]),
        ("z = sigmoid(x)\nf = sigmoid(2*x)\nh = z*f*h_prev - 1", []),
        ("z = tanh(x)\nh = (1 - z) * h_prev", []),
    ],
)
def test_what_is_spelled_otherwise(text, each):
    cell = read(cell_text(text))
    found = [[line for line in equations(other) if line not in equations(cell)] for other in respelled(cell)]
    assert found == each


def test_every_spelling_is_the_same_function():
    text = "z = sigmoid(W @ x + b)\nu = sigmoid(-W @ x - b)\nh = z*h_prev*(1 - u) + u*(1 - z)*(1 - sigmoid(x))"
    cell = read(cell_text(text, "input x\nstate h"))
    program, point = backward_program(derive(cell)), draw_scalar(cell, 1)
    numpy = find()["numpy"]
    due = numpy.gradients(program, point, "float64")
    others = spellings(program)[1:]
    assert len(others) == 4
    for other in others:
        found = numpy.gradients(other, replace(point, cell=other.cell), "float64")
        for name, array in due.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-11, atol=1e-14)


# --- check --------------------------------------------------------------------------------------------------


def verdicts(seeds: int, written: str, spelled: str, backends, dtypes=DTYPES, drawings=(draw, draw_scalar)):
    """Of gradients by a program in one spelling, held against a cell in another: every check, by its regime."""
    for drawing in drawings:
        ways = list(computers(derive(TWO_WAYS[spelled]), backends, scalar=False))
        for name, regime in REGIMES.items():
            for seed in range(1, seeds + 1):
                point = regime(TWO_WAYS[written], seed, drawing)
                for way in ways:
                    for dtype in dtypes:
                        known = truth(PROGRAMS[written], point, dtype, way.backend)
                        got = way.compute(replace(known.point, cell=TWO_WAYS[spelled]), dtype)
                        for check in judge_all(got, known, way.name):
                            yield name, check


@pytest.mark.parametrize("written", TWO_WAYS)
@pytest.mark.parametrize("spelled", TWO_WAYS)
def test_a_right_program_in_either_spelling_is_not_accused(needs, written, spelled, capsys):
    """By the equations and by the library's own differentiation, in every regime."""
    needs("torch")
    backends = [backend for backend in find().values() if backend.compiled is None]
    found = list(verdicts(2, written, spelled, backends))
    worst = max((check for _, check in found), key=lambda check: check.error)
    with capsys.disabled():
        print(f"\nwritten {written}, computed {spelled}: {len(found)} gradients, worst E = {worst.error:.3f}")
    assert [str(check) for _, check in found if check.verdict is Verdict.FAIL] == []
    assert 0.05 <= worst.error <= 1
    usual = [check for regime, check in found if regime == "N(0, 1)"]
    assert {check.verdict for check in usual} == {Verdict.PASS}


def test_nor_is_it_by_jax(needs):
    needs("jax")
    for written, spelled in (("1 - z", "sigmoid(-a)"), ("sigmoid(-a)", "1 - z")):
        found = [check for _, check in verdicts(1, written, spelled, [find()["jax"]], drawings=[draw])]
        assert [str(check) for check in found if check.verdict is Verdict.FAIL] == []


@pytest.mark.parametrize(("written", "spelled"), [("1 - z", "sigmoid(-a)"), ("sigmoid(-a)", "1 - z")])
def test_without_the_other_spelling_it_would_be(needs, monkeypatch, written, spelled):
    needs("torch")
    only = {name: (spellings(program)[0],) for name, program in PROGRAMS.items()}
    monkeypatch.setattr(truth_module, "spellings", lambda program: only[written])
    found = [check for _, check in verdicts(2, written, spelled, [find()["torch"]], ["float64"])]
    assert any(check.verdict is Verdict.FAIL for check in found)


def test_a_cell_without_complements_has_the_bound_that_it_had():
    program = backward_program(derive(read_cell("lstm")))
    assert len(spellings(program)) == 1
    assert spellings(program) is spellings(program)  # found once


def test_the_errors_of_several_gates_add_up():
    """A program may spell one gate in one way and the next in the other: each adds what it adds alone."""
    text = "y = sigmoid(x + h_prev)\nz = sigmoid(x - h_prev)\nh = (1 - y)*x + (1 - z)*h_prev"
    cell = read(cell_text(text))
    program = backward_program(derive(cell))
    each, point = spellings(program), draw_scalar(cell, 2, scale=3)
    assert len(each) == 3
    numpy = find()["numpy"]
    known = truth(program, point, "float64", "numpy")
    both = next(iter(respelled(next(iter(respelled(cell))))))
    got = numpy.gradients(backward_program(derive(both)), replace(known.point, cell=both), "float64")
    assert {check.verdict for check in judge_all(got, known, "numpy")} == {Verdict.PASS}
    alone = [truth_of(one, known.point) for one in each]
    for name, entry in known.gradients.items():
        first, *others = (bounds[name] for bounds in alone)
        due = first + sum(np.maximum(other - first, 0) for other in others)
        np.testing.assert_allclose(entry.relative, due.reshape(entry.relative.shape), rtol=1e-12)


def truth_of(program, point) -> dict[str, np.ndarray]:
    """S of every gradient of one spelling alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(truth_module, "spellings", lambda _: (program,))
        found = truth(program, replace(point, cell=program.cell), "float64", "numpy")
    return {name: entry.relative for name, entry in found.gradients.items()}


# --- locate -------------------------------------------------------------------------------------------------


def dumped(spelled: str, seed: int, scale: float | None, dtype: str):
    """What a program in one spelling dumps of the names that the cell has."""
    _, point, sizes = hard(GRU, seed)
    if scale is None:
        point = near_the_notebook(GRU, seed, lambda cell, seed: point)
    else:
        larger = {name: scale * array for name, array in point.parameters.items()}
        point = replace(point, parameters=larger)
    found = filled(PROGRAMS[spelled], replace(point, cell=TWO_WAYS[spelled]), sizes, dtype)
    known = layout(GRU)
    # The adjoint of z itself is another number in the other spelling: it lacks what goes through sigmoid(-a).
    return {key: array for key, array in found.items() if key in known and key != "dz"}


SCALES = [1.0, 3.0, None]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spelled", TWO_WAYS)
def test_a_dump_in_either_spelling_is_right(spelled, dtype):
    for seed in (1, 2):
        for scale in SCALES:
            found = look(dumped(spelled, seed, scale, dtype), derived("gru"), dtype)
            assert not found.broken, found.broken[0]
            assert 0 < found.worst <= 1


def test_it_was_accused_without_the_other_spelling(monkeypatch):
    monkeypatch.setattr(judge_module, "otherwise", lambda program, dump: [])
    found = look(dumped("sigmoid(-a)", 1, 3.0, "float64"), derived("gru"))
    assert found.broken[0].key == "da_z"


@pytest.mark.parametrize("spelled", TWO_WAYS)
def test_a_wrong_number_in_either_spelling_is_found(spelled):
    for key in ("da_z", "h", "z", "grad_W_hz"):
        arrays = dumped(spelled, 1, 1.0, "float64")
        arrays[key] = arrays[key] * (1 + 1e-9)
        found = look(arrays, derived("gru"))
        assert key in [one.key for one in found.broken]


def test_what_ends_farther_off_than_rounding_is_no_excuse():
    arithmetic = RoundedArithmetic("float64")

    def about(number: float) -> Rounded:
        return arithmetic.multiply([arithmetic.ledger.given(np.full((1, 1, 1), x)) for x in (number, 1.0)])

    number, near, far = about(1.0), about(1.0 + 2.0**-52), about(1.0 + 2.0**-50)
    assert bound_over(number, [], arithmetic.format)[0] == 1
    assert bound_over(number, [near], arithmetic.format)[0] == pytest.approx(3)
    assert bound_over(number, [far], arithmetic.format)[0] == 1


# --- golden numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_golden_numbers_hold_for_either_spelling(dtype):
    """|got - right| <= bound, as kernels in other languages are judged; the adjoint of z itself is another number."""
    for seed in (1, 2):
        _, point, sizes = hard(GRU, seed)
        point = replace(point, parameters={name: 3 * array for name, array in point.parameters.items()})
        due = golden(PROGRAMS["1 - z"], point, dtype, sizes)
        for spelled, program in PROGRAMS.items():
            found = filled(program, replace(point, cell=program.cell), sizes, dtype)
            off = {key for key, right in due.right.items() if (abs(found[key] - right) > due.bound[key]).any()}
            assert off == ({"dz"} if spelled == "sigmoid(-a)" else set())
