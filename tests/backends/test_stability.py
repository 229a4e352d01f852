"""Far out on the flanks of sigmoid and tanh: every gradient is finite and right where the truth is representable."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from backends.backend import Backend, find, get
from backends.check import Verdict, judge_all, once
from backends.dtypes import format_of
from backends.lambdified import lambdified
from backends.points import Point, draw, draw_scalar
from backends.ways import DTYPES, computers
from derivations.catalogue import cell_names, read_cell
from derivations.cell import Cell
from derivations.derive import Derivation, derive
from derivations.expression import Call, Name, walk
from derivations.language import read
from derivations.over_time import vanishing
from derivations.program import backward_program
from tests.backends.test_lambdified import formula_checks

REACHES = (1.0, 20.0, 100.0, 750.0, 1e4)  # exp overflows beyond 88 in float32, beyond 709 in float64
VIEWS = {"scalar": draw_scalar, "vector": draw}
WITH_SCALAR_VIEW = [name for name in cell_names() if not read_cell(name).stacked]
CASES = [(name, view) for name in cell_names() for view in VIEWS if view == "vector" or name in WITH_SCALAR_VIEW]


@cache
def derivation_of(name: str) -> Derivation:
    return derive(read_cell(name))


def preactivations(cell: Cell, point: Point) -> np.ndarray:
    """Every argument of sigmoid and tanh at every step, in one row."""
    calls = (node for e in cell.equations for node in walk(e.rhs) if isinstance(node, Call))
    names = {c.args[0].id for c in calls if c.function in ("sigmoid", "tanh") and isinstance(c.args[0], Name)}
    values = get("numpy").forward(cell, point, "float64")
    return np.concatenate([np.ravel(values[name]) for name in sorted(names & values.keys())])


def reaching(cell: Cell, drawing, far: float) -> Point:
    """The first point drawn whose preactivations, its parameters being scaled, reach far on one side and almost on the
    other: the larger end within a tenth of far, the smaller at least 0.7 of it."""
    for seed in range(1, 200):
        original = point = drawing(cell, seed)
        scale = 1.0
        for _ in range(12):
            found = preactivations(cell, point)
            smaller, larger = sorted((-float(found.min()), float(found.max())))
            if 0.9 * far <= larger <= 1.1 * far:
                break
            scale *= (far / larger) ** 0.8
            scaled = {n: array if n in cell.positive else scale * array for n, array in original.parameters.items()}
            point = replace(original, parameters=scaled)
        if 0.9 * far <= larger <= 1.1 * far and smaller >= 0.7 * far:
            return replace(point, name=f"{original.name}, reaching {far:g}")
    raise AssertionError(f"no preactivations of {cell.name} reach {far} on both sides")


def wrong_at(name: str, view: str, far: float, backends: tuple[str, ...]) -> list[str]:
    """What is wrong in any gradient by any way, in both formats, at one point; not finite where it might be, too."""
    derivation, drawing = derivation_of(name), VIEWS[view]
    program, cell = backward_program(derivation), derivation.cell
    point, known_at = reaching(cell, drawing, far), once()
    zero = vanishing(program, steps=point.steps, vector=view == "vector")
    wrong = []
    for way in ways_of(name, view, backends):
        for dtype in DTYPES:
            known = known_at(program, point, dtype, way.backend)
            found = way.compute(known.point, dtype)
            wrong += [
                f"{way.name}: {c}" for c in judge_all(found, known, way.backend, zero) if c.verdict is Verdict.FAIL
            ]
            for quantity, true in known.gradients.items():
                there = np.abs(true.nearest) <= format_of(dtype).largest
                if not np.isfinite(found[quantity][there]).all():
                    wrong.append(f"{way.name}: {quantity} in {dtype} is not finite where the truth is")
    return wrong


@cache
def ways_of(name: str, view: str, backends: tuple[str, ...]) -> list:
    """Every way that `derive check` has; compiled once for all points of a shape."""
    return list(computers(derivation_of(name), list(map(get, backends)), scalar=view == "scalar"))


def on_each(cases: list[tuple]) -> list:
    """Each case on each backend; a large cell takes long, and so does compiling any but the smallest."""

    def long(cell: str, view: str, backend: Backend) -> bool:
        compiled = backend.compiled is not None
        return len(read_cell(cell).equations) > 30 or (compiled and (cell, view) != ("rnn", "scalar"))

    return [
        pytest.param(*case, name, marks=[pytest.mark.long] if long(case[0], case[-1], backend) else [])
        for case in cases
        for name, backend in find().items()
        if backend.lambdify
    ]


@pytest.mark.parametrize(("name", "view", "backend"), on_each(CASES))
def test_every_gradient_is_finite_and_right_far_out(name, view, backend, needs):
    for package in find()[backend].packages:
        needs(package)
    assert [one for far in REACHES for one in wrong_at(name, view, far, (backend,))] == []


@pytest.mark.parametrize(("name", "view", "backend"), on_each([(name, "scalar") for name in WITH_SCALAR_VIEW]))
def test_every_lambdified_formula_is_finite_and_right_far_out(name, view, backend, needs):
    """Closed forms and their derivatives as well, which SymPy wrote out and differentiated in one piece."""
    for package in find()[backend].packages:
        needs(package)
    derivation, table = derivation_of(name), lambdified(derivation_of(name), get(backend))
    for far in REACHES:
        point = reaching(derivation.cell, VIEWS[view], far)
        checks = formula_checks(derivation, get(backend), point, table)
        assert [str(check) for check in checks if check.verdict is Verdict.FAIL] == [], far


def test_a_sigmoid_written_out_is_found():
    """1/(1 + exp(-a)) has a value everywhere, and no derivative of its own beyond 709: there it is not a number."""
    cell = read("cell gate\ninput x\nstate h\na = W @ x + b\nh = h_prev / (1 + exp(-a)) + 0 * sigmoid(a)\n")
    program = backward_program(derive(cell))
    for far, finite in ((100.0, True), (1500.0, False)):
        found = get("numpy").gradients(program, reaching(cell, draw_scalar, far), "float64")
        assert all(np.isfinite(array).all() for array in found.values()) is finite
