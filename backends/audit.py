"""Every derivative of a cell, held against everything: proofs, the exact layer, and every backend's numbers."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import wait
from dataclasses import replace
from functools import cache
from typing import Any

from backends.check import Check, once, over_points
from backends.jets import gradients_by_jets
from backends.points import Array, Point, decidable, draw, draw_scalar
from backends.truth import Independent, exact
from backends.ways import Compiling, Computer, compiling, computers, ready
from derivations.derive import Derivation, derive
from derivations.equality import Status
from derivations.facts import prove_fact
from derivations.over_time import vanishing
from derivations.plain import code
from derivations.program import Backward, backward_program
from derivations.prove import prove_all
from derivations.reports.checks import Checked

MOST_DRAWS = 16
Progress = Callable[[str], None] | None


def audit(derivation: Derivation, *, seed: int = 1, points: int = 3, progress: Progress = None) -> Checked:
    """Every gradient of a cell, scalar and vector, at hard points."""
    backends, missing = ready()
    checks: list[Check] = []
    exactly: list[tuple[str, int]] = []
    program = backward_program(derivation)
    views = {"vector": draw} if derivation.cell.stacked else {"scalar": draw_scalar, "vector": draw}
    ways = {view: list(computers(derivation, backends, scalar=view == "scalar")) for view in views}
    with compiling((ways[view], [draw(derivation.cell, seed)]) for view, draw in views.items()) as begun:
        for view, drawing in views.items():
            draws = (_named(drawing(derivation.cell, seed + number), view) for number in range(MOST_DRAWS))
            say(progress, f"the exact layer, {view}")
            exactly += agreeing(program, draws, points)
            checks += at_hard_points(derivation, ways[view], drawing, view, seed, points, progress, begun)
    return Checked(tuple(checks), exact=tuple(exactly), missing=missing, **proofs(derivation))


def _named(point: Point, view: str) -> Point:
    return replace(point, name=f"{view}, {point.name}")


def at_hard_points(
    derivation: Derivation,
    ways: list[Computer],
    drawing: Callable[..., Point],
    view: str,
    seed: int,
    points: int,
    progress: Progress,
    begun: Compiling,
) -> list[Check]:
    program = backward_program(derivation)
    found: dict[str, list[Check]] = {way.name: [] for way in ways}
    truth_once = once()

    @cache
    def drawn(number: int) -> Point:
        return drawing(derivation.cell, seed + number)

    zero = vanishing(program, steps=drawn(0).steps, vector=view == "vector")
    for way in sorted(ways, key=lambda way: way.compiles):  # those that are still compiling come last
        say(progress, f"{way.name}, {view}")
        for dtype in way.formats:
            wait([begun[key] for key in [(id(way.compute), dtype)] if key in begun])

            def compute(point: Point, way: Computer = way, dtype: str = dtype) -> Mapping[str, Array]:
                return way.compute(point, dtype)

            checks = over_points(
                way.backend,
                compute,
                program,
                drawn,
                dtype,
                points,
                proved_zero=zero,
                find=truth_once,
            )
            found[way.name] += [replace(check, backend=way.name, point=f"{view} hard points") for check in checks]
    return [check for way in ways for check in found[way.name]]


def proofs(derivation: Derivation) -> dict[str, Any]:
    """How many steps are proved, what is refuted, and what came of the cell's own facts."""
    proofs = prove_all(derivation)
    refuted = [
        f"{step.rule.value} {code(step.lhs)} = {code(step.rhs)} ({proof.where})"
        for step, proof in zip(derivation.steps, proofs, strict=True)
        if proof.status is Status.REFUTED
    ]
    steps = {(step.rule, step.of, step.wrt) for step in derivation.steps}
    lost = [step for step in derive(derivation.cell).steps if (step.rule, step.of, step.wrt) not in steps]
    refuted += [f"{step.rule.value} {code(step.lhs)} is missing" for step in lost]
    facts = []
    for fact in derivation.cell.facts:
        said, proof = f"{code(fact.left)} = {code(fact.right)}", prove_fact(fact, derivation)
        facts.append((said, proof.status.value))
        if proof.status is Status.REFUTED:
            refuted.append(f"the fact {said} on line {fact.line}")
    return {"proved": (sum(map(bool, proofs)), len(proofs)), "refuted": tuple(refuted), "facts": tuple(facts)}


def agreeing(
    program: Backward, draws: Iterable[Point], wanted: int, independent: Independent = gradients_by_jets
) -> list[tuple[str, int]]:
    """How many entries disagree at each point of the exact layer; a point that it cannot decide is passed over.

    Raises:
        ArithmeticError: it decides at none of them.
    """
    return decidable(lambda point: (point.name, len(exact(program, point, independent))), draws, wanted)


def say(progress: Progress, message: str) -> None:
    if progress:
        progress(message)
