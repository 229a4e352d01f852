"""A run that is compiled: the same gradients, in the dtype asked for, and no less checked."""

import dataclasses
import threading
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

from backends import arrays, audit
from backends.backend import find, get
from backends.check import Verdict, judge_all, once, over_points
from backends.dtypes import ERRORS, error_of
from backends.points import draw, draw_scalar
from backends.steps import Steps
from backends.truth import truth
from backends.ways import DTYPES, Computer, computers
from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.expression import Num
from derivations.language import read
from derivations.program import backward_program
from tests.samples import EVERYTHING

RNN = derive(read_cell("rnn"))
PROGRAM = backward_program(RNN)


@pytest.fixture(scope="module")
def jax():
    return pytest.importorskip("jax")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("drawing", [draw_scalar, draw])
def test_what_is_compiled_is_right_and_of_its_dtype(jax, dtype, drawing):
    ways = [way for way in computers(RNN, [get("jax")], scalar=drawing is draw_scalar) if way.compiles]
    assert len(ways) == (3 if drawing is draw_scalar else 2)
    for way in ways:
        for seed in (1, 2):
            known = truth(PROGRAM, drawing(RNN.cell, seed), dtype, "jax")
            found = way.compute(known.point, dtype)
            assert {array.dtype for array in found.values()} == {np.dtype(dtype)}
            assert {check.verdict for check in judge_all(found, known, "jax")} == {Verdict.PASS}


def test_jax_arrays_are_of_the_dtype_themselves(jax):
    """float64 within its scope and float32 within its own, and what was computed in another is refused by name."""
    seen = {}

    def run(on, given):
        found = arrays.by_equations(PROGRAM)(on, given)
        seen[on.dtype] = {str(array.dtype) for array in found.values()} | {
            str(x.dtype) for series in given.inputs.values() for x in series
        }
        return found

    point = draw(RNN.cell, 1)
    for dtype in ("float64", "float32"):
        with get("jax").library(dtype) as on:
            found = run(on, arrays.given(on, point))
            assert {str(array.dtype) for array in found.values()} == {dtype}
            assert all(isinstance(array, on.array_type) for array in found.values())
        get("jax").compiled(run)(point, dtype)
    assert seen == {"float64": {"float64"}, "float32": {"float32"}}

    def narrowed(on, given):
        found = arrays.by_equations(PROGRAM)(on, given)
        return {**found, "b_h": found["b_h"].astype("float32")}

    with pytest.raises(TypeError, match=r"jax computed the gradient of b_h in float32 where float64 was asked for"):
        get("jax").compiled(narrowed)(point, "float64")


def test_a_version_of_xla_without_our_options_compiles_all_the_same(jax, monkeypatch):
    from backends import on_jax

    run, point = arrays.by_equations(PROGRAM), draw(RNN.cell, 1)
    before = get("jax").compiled(run)(point, "float64")
    monkeypatch.setattr(on_jax, "FEWER_PASSES", {"xla_no_such_option": 1})
    after = get("jax").compiled(run)(point, "float64")
    for name, array in before.items():
        np.testing.assert_allclose(after[name], array, rtol=1e-13)


def test_a_program_is_compiled_once_for_all_points_of_a_shape(jax):
    traced = []

    def run(on, given):
        traced.append(on.dtype)
        return arrays.by_equations(PROGRAM)(on, given)

    compute = get("jax").compiled(run)
    for seed in (1, 2, 3):
        for dtype in ("float64", "float32"):
            compute(draw(RNN.cell, seed), dtype)
    assert traced == ["float64", "float32"]
    compute(draw_scalar(RNN.cell, 1), "float64")
    assert traced == ["float64", "float32", "float64"]


# --- one step, and not T ----------------------------------------------------------------------------------


AWAY = "cell away\ninput x\nstate h, k\nh = tanh(b)\nk = b * sigmoid(k_prev + W @ x)\n"
CELLS = {name: read_cell(name) for name in cell_names()}
CELLS |= {"everything": read(EVERYTHING), "a state that forgets": read(AWAY)}


@pytest.mark.parametrize("name", CELLS)
def test_steps_taken_one_by_one_are_the_whole_run(name):
    program, backend = backward_program(derive(CELLS[name])), get("numpy")
    assert program.initial == program.carry  # of which the first step makes use
    point = draw(program.cell, 1)
    with backend.library("float64") as on:
        found = arrays.gradients(on, Steps(program), point)
    due = backend.gradients(program, point, "float64")
    assert found.keys() == due.keys()
    for key, array in due.items():
        np.testing.assert_allclose(found[key], array, rtol=1e-12, atol=1e-14)


def test_steps_that_are_joined_in_another_way_are_no_such_run():
    for other in ({"horizon": 2}, {"onward": True}, {"initial": {"h": Num(Fraction(0))}}):
        with pytest.raises(ValueError, match="joined in a way of its own"):
            Steps(dataclasses.replace(PROGRAM, **other))


@pytest.mark.parametrize("name", ["lstm", "everything", "a state that forgets"])
def test_what_is_compiled_by_steps_and_by_scan_is_right(jax, name):
    derivation = derive(CELLS[name])
    program, point = backward_program(derivation), draw(CELLS[name], 1)
    known = truth(program, point, "float64", "jax")
    for way in computers(derivation, [get("jax")], scalar=False):
        assert [
            str(c) for c in judge_all(way.compute(point, "float64"), known, "jax") if c.verdict is Verdict.FAIL
        ] == []


@pytest.mark.parametrize("steps", [4, 9])
def test_one_step_is_traced_however_many_there_are(jax, monkeypatch, steps):
    """A forward and a backward step of the derived equations; of the library's own, a step of `jax.lax.scan`."""
    from derivations import program as module

    traced = []
    honest = module.evaluate
    monkeypatch.setattr(module, "evaluate", lambda *given: traced.append(given[0]) or honest(*given))
    point = draw(RNN.cell, 1, steps=steps)
    counts = []
    for way in computers(RNN, [get("jax")], scalar=False):
        traced.clear()
        way.compute(point, "float64")
        counts.append(len(traced))
    derived, autograd = counts
    once = len(PROGRAM.adjoints) + len(PROGRAM.carry) + len(PROGRAM.gradients) + len(PROGRAM.initial)
    assert derived == len(RNN.cell.equations) + once
    assert autograd <= 2 * len(RNN.cell.equations)


# --- beside other work ------------------------------------------------------------------------------------


def test_every_way_is_checked_in_every_view_and_format(jax, needs):
    """Whatever is compiled ahead or shared: each quantity has its verdict from each way, and in order."""
    needs("torch")
    checked = audit.audit(RNN)
    found = {(c.backend, c.point, c.dtype) for c in checked.checks}
    ways = [f"{b}, {way}" for b in ("jax", "torch") for way in ("derived", "autograd")] + ["numpy, derived"]
    due = {(way, f"{view} hard points", d) for way in ways for view in ("scalar", "vector") for d in DTYPES}
    due |= {(f"{b}, lambdified", "scalar hard points", d) for b in find() for d in DTYPES}
    assert found == due
    assert len(checked.checks) == len(due) * 8
    assert {c.verdict for c in checked.checks} == {Verdict.PASS}
    order = list(dict.fromkeys(c.backend for c in checked.checks if c.point.startswith("scalar")))
    assert order == sorted(order, key=lambda name: name.partition(",")[0])


def test_what_fails_to_compile_is_told(monkeypatch):
    """It is found on another thread, and told on this one."""

    def broken(point, dtype):
        raise ValueError(f"broken in {'this' if threading.current_thread() is threading.main_thread() else 'another'}")

    way = Computer("broken", "numpy", broken, ("float64",), compiles=True)
    monkeypatch.setattr(audit, "computers", lambda *_, scalar: [way])
    with pytest.raises(ValueError, match="broken in this"):
        audit.audit(RNN)


def test_truth_is_found_once_for_all_that_share_a_table_of_errors(monkeypatch):
    from backends import check

    asked = []
    monkeypatch.setattr(check, "truth", lambda *given: asked.append(given[2:]) or truth(*given))
    find_truth, point = once(), draw(RNN.cell, 1)
    for backend in ("numpy", "torch", "jax", "numpy"):
        for dtype in ("float64", "float32"):
            found = find_truth(PROGRAM, point, dtype, backend)
            plain = truth(PROGRAM, point, dtype, backend)
            for name, entry in plain.gradients.items():
                assert (found.gradients[name].bound == entry.bound).all()
    tables = {(dtype, *(error_of(f, dtype, backend) for f in ERRORS)) for backend in find() for dtype in DTYPES}
    assert len(asked) == len(tables) < len(find()) * len(DTYPES)
    find_truth(PROGRAM, draw(RNN.cell, 1), "float64", "numpy")  # equal, and another point
    assert len(asked) == len(tables) + 1


def test_a_point_without_truth_says_so_to_all_that_share_it(monkeypatch):
    cell = read("cell kinked\ninput x\nstate h\nh = relu(x/3 - 1/3) * h_prev\n")
    program = backward_program(derive(cell))

    def drawn(number):
        usual = draw(cell, number, steps=3)
        return dataclasses.replace(usual, inputs={"x": np.ones_like(usual.inputs["x"])})

    points = [drawn(0), drawn(1)]
    compute = partial(get("numpy").gradients, program, dtype="float64")
    shared = once()
    for _ in range(2):
        with pytest.raises(ArithmeticError, match="on a kink or at a pole"):
            over_points("numpy", compute, program, points.__getitem__, "float64", at_most=2, find=shared)
