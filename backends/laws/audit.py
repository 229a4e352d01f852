"""The laws held on a cell, for one command: on exact numbers, and on every backend's."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from math import inf, isnan, nan
from typing import Any

import numpy as np
from flint import arb

from backends.backend import Backend
from backends.balls import smallest
from backends.check import CLEAR
from backends.laws.every import LAWS
from backends.laws.law import Arrays, Claim, Law, Machine, on_a_grid
from backends.laws.machines import Memory, Programs, derived, exactly, in_floats
from backends.laws.residue_arrays import vanish
from backends.points import Point, decidable, draw
from backends.ways import ready
from derivations.cell import Cell
from derivations.derive import Derivation
from derivations.program import backward_program
from derivations.reports.laws import Held, InNumbers, Lawful

MOST_POINTS = 16
Progress = Callable[[str], None] | None
_finite = np.frompyfunc(arb.is_finite, 1, 1)


def point_for(cell: Cell, seed: int, **sizes: Any) -> Point:
    """A hard point whose cotangents can be added without rounding."""
    point = draw(cell, seed, **sizes)

    def rough(arrays: Arrays) -> dict[str, Any]:
        return {name: on_a_grid(array) for name, array in arrays.items()}

    return replace(point, cotangents=rough(point.cotangents), final=rough(point.final))


def audit_laws(derivation: Derivation, *, seed: int = 1, progress: Progress = None) -> Lawful:
    """Every law, modulo a prime and on every backend; in the vector view, where units can change places."""
    cell, (backends, missing) = derivation.cell, ready()
    own = backward_program(derivation)

    def programs(other: Cell) -> Any:
        return own if other is cell else derived(other)

    fit = {law.name: law for law in LAWS if not law.unfit(cell)}
    if progress:
        progress("laws modulo a prime")
    broken = {name: exact_faults(law, cell, programs, seed) for name, law in fit.items() if law.needs != "mapped"}
    numbers: dict[str, list[InNumbers]] = {name: [] for name in fit}
    memory = Memory()
    for backend, dtype, autograd in _ways(backends):
        machine = in_floats(backend, dtype, memory, autograd=autograd, programs=programs)
        if progress:
            progress(f"laws on {machine.name} in {dtype}")
        for name, law in fit.items():
            if not law.needs or getattr(machine, law.needs) is not None:
                numbers[name].append(in_numbers(law, cell, machine, seed))
    held = []
    for law in LAWS:
        if why := law.unfit(cell):
            held.append(Held(law.name, law.sentence, unfit=why))
            continue
        faults = broken.get(law.name)
        exact = None if faults is None else not faults
        held.append(Held(law.name, law.sentence, "", exact, faults or (), tuple(numbers[law.name])))
    return Lawful(tuple(held), missing)


def _ways(backends: Iterable[Backend]) -> Iterable[tuple[Backend, str, bool]]:
    for backend in backends:
        for dtype in ("float64", "float32"):
            if backend.library and dtype in backend.dtypes:
                yield backend, dtype, False
                if backend.autograd:
                    yield backend, dtype, True


def exact_faults(law: Law, cell: Cell, programs: Programs, seed: int) -> tuple[str, ...]:
    """The quantities that break a law modulo a prime, at the first point where nothing divides by zero.

    Raises:
        ArithmeticError: something does at every point.
    """
    for number in range(seed, seed + MOST_POINTS):  # the numbers that stand for functions are drawn anew, too
        try:
            return faults(law, exactly(programs, number), point_for(cell, number, steps=3, batch=2))
        except ZeroDivisionError:
            continue
    raise ArithmeticError(f"{law.name}: something is divided by zero at each of {MOST_POINTS} points")


def faults(law: Law, machine: Machine, point: Point) -> tuple[str, ...]:
    """The quantities that break a law on exact numbers; what does not even fit in shape breaks it."""
    return tuple(claim.quantity for claim in law.claims(machine, point) if not _equal(claim))


def _equal(claim: Claim) -> bool:
    left, right = np.asarray(claim.left), np.asarray(claim.right)
    return left.shape == right.shape and bool(np.all(vanish(np.asarray(left - right))))


def in_numbers(law: Law, cell: Cell, machine: Machine, seed: int) -> InNumbers:
    """A law on floating-point numbers, at the first point that is on no kink."""
    draws = (point_for(cell, number) for number in range(seed, seed + MOST_POINTS))
    (found,) = decidable(lambda point: judged(machine, law.claims(machine, point)), draws, 1)
    return found


def judged(machine: Machine, claims: Iterable[Claim]) -> InNumbers:
    """The verdict on the claims of a law: no two sides may be further apart than rounding can bring them."""
    worst, broken, telling, entries, unbounded = 0.0, "", 0, 0, 0
    for claim in claims:
        left, right = np.asarray(claim.left), np.asarray(claim.right)
        bound = np.asarray(claim.bound, dtype=np.float64)
        if left.shape != right.shape:
            worst, broken, entries = inf, broken or claim.quantity, entries + 1
            continue
        finite = np.asarray(_finite(left), dtype=bool) & np.asarray(_finite(right), dtype=bool)
        nothing = np.full(left.shape, arb(0), dtype=object)
        apart = smallest(np.where(finite, left - right, nothing))
        size = np.maximum(smallest(np.where(finite, left, nothing)), smallest(np.where(finite, right, nothing)))
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.where(apart > 0, apart / bound, 0.0)
        error = np.where(finite, error, inf)
        known = np.isfinite(bound)
        most = float(np.max(error[known], initial=0.0))
        if most > 1 and not broken:
            broken = claim.quantity
        worst = max(worst, most)
        telling += int(np.sum(known & (bound * CLEAR < size)))
        entries += bound.size
        unbounded += int(np.sum(~known))
    if entries == unbounded:
        worst = nan
    verdict = "FAIL" if broken else "PASS" if telling and not isnan(worst) else "NO INFORMATION"
    return InNumbers(machine.name, machine.dtype, worst, verdict, telling, entries, broken)
