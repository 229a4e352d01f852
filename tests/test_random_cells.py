"""Cells that nobody thought of: each is derived, proved, and held against the truth on every backend.

The few of every run are always the same ones. `pytest -m long tests/test_random_cells.py` takes a thousand.
"""

import time
from collections import Counter
from dataclasses import replace
from importlib import import_module
from itertools import count
from math import isnan
from statistics import median

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings

from backends.arrays import ArrayArithmetic, leaves, objective, shaped
from backends.arrays import given as arrays_of
from backends.backend import get
from backends.check import Verdict, judge_all
from backends.laws.audit import exact_faults
from backends.laws.every import LAWS
from backends.laws.machines import derived
from backends.points import Point, draw
from backends.spellings import use_by_use
from backends.truth import exact, truth
from derivations.build import rename
from derivations.canonical import canonical, same_equations
from derivations.cell import Cell, CellError
from derivations.derive import Use, contribution, derive
from derivations.equality import Status
from derivations.expression import Expr, MatMul, Name, Transpose
from derivations.facts import prove_fact
from derivations.formats import find, load
from derivations.functions import FUNCTIONS, Y
from derivations.language import read
from derivations.plain import code
from derivations.program import Backward, backward_program, run_backward, run_forward
from derivations.prove import prove_all
from derivations.same import compare
from tests.random_cells import AMBIGUOUS, NAMES, random_cells, random_texts

FEW, MANY = 25, 1000
SLOW = list(HealthCheck)
ALWAYS_THE_SAME = settings(derandomize=True, database=None, deadline=None, suppress_health_check=SLOW)


class Found:
    """What came of all cells so far."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.worst = 0.0

    def __str__(self) -> str:
        said = ", ".join(f"{name}: {number}" for name, number in sorted(self.counts.items()))
        return f"{said}; worst E {self.worst:.3g}"


# --- what must hold of a cell ---------------------------------------------------------------------------------------


def hold(text: str, found: Found, *, full: bool) -> None:
    """Everything that is asserted of one cell; `full` with float32, with JAX, which takes long to compile, and laws."""
    note(text)
    cell = read(text)
    derivation = derive(cell)
    for step, proof in zip(derivation.steps, prove_all(derivation), strict=True):
        found.counts[proof.status.name.lower()] += 1
        assert proof.status is not Status.REFUTED, (step.rule, step.lhs, step.rhs, proof.where)
    for fact in cell.facts:
        assert prove_fact(fact, derivation).status is not Status.REFUTED, fact
    hold_numbers(backward_program(derivation), found, full=full)
    for name in find():
        assert load(name).render(derivation)
    assert same_equations(read(canonical(cell)), cell)
    hold_renaming(cell)
    if full:
        for law in (law for law in LAWS if not law.unfit(cell) and law.needs != "mapped"):
            assert exact_faults(law, cell, derived, 1) == (), law.name
    found.counts["cells"] += 1


def decided_point(program: Backward) -> Point | None:
    """A point at which the exact layer agrees; None where every point is on a kink, as of max(x, x)."""
    for seed in range(1, 5):
        point = draw(program.cell, seed, steps=3, batch=2)
        try:
            assert exact(program, point) == []
        except ArithmeticError:
            continue
        return point
    return None


def hold_numbers(program: Backward, found: Found, *, full: bool) -> None:
    """The truth, and every backend in its metric."""
    point = decided_point(program)
    if point is None:
        found.counts["kinks everywhere"] += 1
        return
    for dtype in ("float64", "float32") if full else ("float64",):
        known = truth(program, point, dtype)
        for name in ("numpy", "torch"):
            backend = get(name)
            judge_each(backend.gradients(program, known.point, dtype), known, name, found)
            if backend.autograd:
                judge_each(backend.autograd(program.cell, known.point, dtype), known, name, found)
    if full:
        known = truth(program, point, "float64", "jax")
        for gradients in on_jax(program, known.point):
            judge_each(gradients, known, "jax", found)
        found.counts["cells on JAX"] += 1


def judge_each(gradients, known, backend: str, found: Found) -> None:
    for check in judge_all(gradients, known, backend):
        assert check.verdict is not Verdict.FAIL, str(check)
        found.counts[check.verdict.value] += 1
        found.worst = found.worst if isnan(check.error) else max(found.worst, check.error)


def on_jax(program: Backward, point: Point):
    """The derived gradients and those of `jax.grad`, in one compiled program, as one runs JAX."""
    import jax

    backend = get("jax")
    with backend.library("float64") as on:
        arguments, over = arrays_of(on, point), ArrayArithmetic(on)
        at = leaves(program.cell, arguments)

        def both(at):
            by_jax = jax.grad(lambda at: objective(on, program.cell, at, arguments))(at)
            inner = {name: at[name] for name in program.cell.parameters}
            trace = run_forward(program.cell, inner, arguments.inputs, arguments.initial, over)
            return run_backward(program, trace, arguments.cotangents, arguments.final, over)[0], by_jax

        # Compiling takes longer than running: what it could make faster is not worth it.
        quick = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
        found = jax.jit(both).lower(at).compile(compiler_options=quick)(at)
        return [shaped(on, point, gradients) for gradients in found]


def hold_renaming(cell: Cell) -> None:
    """In other names and back, a cell is the same."""
    written = (equation.target for equation in cell.written)
    free = (f"r{'e' * 3}{k}n" for k in count())
    table = dict(zip((*cell.states, *cell.inputs, *cell.parameters, *cell.targets, *written), free, strict=False))
    other = rename(cell, table)
    assert other.equations != cell.equations
    assert compare(rename(other, {new: old for old, new in table.items()}), cell)


# --- the cells ------------------------------------------------------------------------------------------------------


def test_the_few_cells_of_every_run(needs):
    needs("torch"), needs("jax")
    found = Found()

    @settings(ALWAYS_THE_SAME, max_examples=FEW)
    @given(random_cells())
    def each(text: str) -> None:
        hold(text, found, full=found.counts["cells"] % 8 == 0)

    each()
    assert found.counts["cells"] >= FEW
    assert found.counts["cells on JAX"] >= 2
    assert 0.01 < found.worst <= 1
    assert found.counts["PASS"] > 9 * found.counts["NO INFORMATION"]


@pytest.mark.long
def test_a_thousand_cells(needs, capsys):
    needs("torch"), needs("jax")
    found, began = Found(), time.process_time()

    @settings(ALWAYS_THE_SAME, max_examples=MANY)
    @given(random_cells())
    def each(text: str) -> None:
        hold(text, found, full=True)

    each()
    with capsys.disabled():
        print(f"\n{found}; {time.process_time() - began:.0f} s of processor time")
    assert found.counts["cells"] >= MANY
    assert 0.05 < found.worst <= 1
    assert found.counts["kinks everywhere"] <= MANY / 50
    assert found.counts["PASS"] > 9 * found.counts["NO INFORMATION"]


# --- what is drawn --------------------------------------------------------------------------------------------------


def drawn(strategy, most: int) -> list[str]:
    texts: list[str] = []
    settings(ALWAYS_THE_SAME, max_examples=most, phases=[Phase.generate])(
        given(strategy)(lambda text: texts.append(text))
    )()
    return texts


def test_the_cells_are_large_and_of_every_kind():
    texts = drawn(random_texts(), 200)
    cells, refused = [], 0
    for text in texts:
        try:
            cells.append(read(text))
        except CellError as error:
            assert any(words in error.message for words in AMBIGUOUS), text
            refused += 1
    assert refused <= len(texts) / 12
    assert median(len(cell.written) for cell in cells) >= 6
    assert sum("@" in text for text in texts) >= len(texts) / 2
    assert sum(len(cell.states) >= 2 for cell in cells) >= len(cells) / 3
    together = "\n".join(texts)
    words = [*FUNCTIONS, "detach", "sum", "mean", "dot", "logsumexp", "outer"]
    marks = (".T @", "; ", "**", "readout", "loss", "facts", "target", "scalar", "positive", "param", "output", "#")
    due = [*marks, *(f"{word}(" for word in words if not word.startswith("_"))]
    assert [word for word in due if word not in together] == []
    # The corners: no parameters, no matrices, a constant equation, a loss alone, a matrix that is carried.
    assert any(not cell.parameters for cell in cells)
    assert any("@" not in text for text in texts)
    assert any(cell.loss and not cell.readouts for cell in cells)
    assert any(len(cell.shapes[state]) == 2 for cell in cells for state in cell.states)
    used = {name for cell in cells for name in cell.shapes}
    assert len(used & set(NAMES)) == len(NAMES)


# --- it can fail ----------------------------------------------------------------------------------------------------


def wrong(text: str) -> bool:
    """Whether a proof refutes a step, or the exact layer a gradient."""
    derivation = derive(read(text))
    if any(proof.status is Status.REFUTED for proof in prove_all(derivation)):
        return True
    try:
        return bool(exact(backward_program(derivation), draw(derivation.cell, 1, steps=2, batch=1)))
    except ArithmeticError:
        return False


def slope_of_tanh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FUNCTIONS, "tanh", replace(FUNCTIONS["tanh"], derivatives=(1 - Y,)))


def slope_of_sqrt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FUNCTIONS, "sqrt", replace(FUNCTIONS["sqrt"], derivatives=(1 / Y,)))


def map_not_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    """`W.T @ v` sends its adjoint back through W.T again."""

    def mistaken(use: Use, cell: Cell) -> Expr:
        right = contribution(use, cell)
        match use.atom, right:
            case MatMul(Transpose(), _), MatMul(Name() as matrix, back) if use.slot == 1:
                return MatMul(Transpose(matrix), back)
        return right

    # Not `derivations.derive`, which is the function of that name.
    monkeypatch.setattr(import_module("derivations.derive"), "contribution", mistaken)


PLANTED = pytest.mark.parametrize(
    ("plant", "most", "shown"),
    [(slope_of_tanh, 8, "tanh("), (slope_of_sqrt, 40, "sqrt("), (map_not_turned, 40, "@ ")],
)


@PLANTED
def test_a_planted_mistake_is_found_in_few_cells(monkeypatch, plant, most, shown):
    texts = [text for text in drawn(random_cells(), most) if shown in text]
    assert not wrong(texts[0])
    plant(monkeypatch)
    assert any(wrong(text) for text in texts)


@pytest.mark.long
@PLANTED
def test_a_planted_mistake_shrinks_to_a_small_cell(monkeypatch, plant, most, shown):
    plant(monkeypatch)
    few = settings(ALWAYS_THE_SAME, max_examples=most, phases=[Phase.generate, Phase.shrink])
    smallest = hypothesis.find(random_cells(), wrong, settings=few)
    assert shown in smallest
    assert len(read(smallest).written) <= 4, smallest


def test_a_cell_that_fails_is_shown_as_text():
    @settings(ALWAYS_THE_SAME, max_examples=5, phases=[Phase.generate])
    @given(random_cells())
    def each(text: str) -> None:
        note(text)
        assert "cell sample" not in text

    with pytest.raises(AssertionError) as failure:
        each()
    assert "\nstate " in "\n".join(failure.value.__notes__)


def test_no_two_names_are_taken_for_one_another():
    assert len(set(NAMES)) == len(NAMES)
    for name in NAMES:
        read(f"cell sample\ninput x\nstate h\nh = h_prev + {name} * x\n")


def test_what_cancels_in_a_slope_is_still_rounded():
    """Found by a random cell: autograd adds what it takes away again, and may be off by what that rounds."""
    cell = read("cell sample\ninput x\nstate h\nf = h_prev * x - h_prev * x + x\nh = tanh(W @ f)\n")
    program = backward_program(derive(cell))
    before, after = dict(program.adjoints)["dh_prev"], dict(use_by_use(program).adjoints)["dh_prev"]
    assert code(before) == "df*(x - x)"
    assert code(after) == "df*x - df*x"
