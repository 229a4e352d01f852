"""The double backward of a cell held against everything: proofs, the exact layer, and every backend's numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from backends.arrays import Run, by_equations, gradients
from backends.audit import MOST_DRAWS, Progress, agreeing, at_hard_points, proofs
from backends.backend import Backend
from backends.points import Array, Point, draw, draw_scalar
from backends.second import Second, by_differentiating_twice, draw_second, jets_of_series, key_of, second
from backends.ways import Computer, compiling, ready
from derivations.cell import Cell
from derivations.derive import Derivation, derive
from derivations.program import Backward, backward_program
from derivations.reports.checks import Checked

STEPS = 3


def audit_second(derivation: Derivation, *, seed: int = 1, points: int = 3, progress: Progress = None) -> Checked:
    """Every gradient of the double backward of a run of three steps, scalar and vector, at hard points.

    These are the Hessian-vector products (`W_xf`, `h_0`, `x_1`), the tangents of all outputs (`dh_1_out`, `dh_3_next`),
    and the first derivatives once more (`v_W_xf`).
    """
    backends, missing = ready()
    of = second(derivation, STEPS)
    derived = derive(of.twice)
    program = backward_program(derived)
    views = {"vector": draw} if of.cell.stacked else {"scalar": draw_scalar, "vector": draw}
    ways = {view: list(computers(of, program, backends)) for view in views}
    checks, exact = [], []

    def drawn(view: str, cell: Cell, number: int) -> Point:
        return replace(draw_second(of, number, views[view]), name=f"{view}, seed {number}")

    with compiling((ways[view], [drawn(view, of.twice, seed)]) for view in views) as begun:
        for view in views:
            drawing = partial(drawn, view)
            if progress:
                progress(f"the exact layer, {view}")
            draws = (drawing(of.twice, seed + number) for number in range(MOST_DRAWS))
            exact += agreeing(program, draws, points, partial(jets_of_series, of))
            checks += at_hard_points(derived, ways[view], drawing, view, seed, points, progress, begun)
    said = {key_of(leaf): str(leaf) for leaf in of.leaves}
    named = (replace(check, quantity=said[check.quantity]) for check in checks)
    return Checked(tuple(named), exact=tuple(exact), missing=missing, **proofs(derived))


def computers(of: Second, program: Backward, backends: Iterable[Backend]) -> Iterable[Computer]:
    """Every way to compute the double backward: its equations, and what a library differentiates twice by itself."""
    for backend in backends:
        runs = {"derived twice": by_equations(program)}
        if backend.differentiate:
            runs["autograd twice"] = by_differentiating_twice(of, backend.differentiate)
        for way, run in runs.items():
            compiled = backend.compiled(run) if backend.compiled else None
            compute = compiled or partial(_at_once, backend, run)
            yield Computer(f"{backend.name}, {way}", backend.name, compute, compiles=compiled is not None)


def _at_once(backend: Backend, run: Run[Any], point: Point, dtype: str) -> Mapping[str, Array]:
    """One operation after the other."""
    assert backend.library
    with backend.library(dtype) as on:
        return gradients(on, run, point)
