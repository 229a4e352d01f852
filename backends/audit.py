"""Everything that is held against something, for one command: proofs, the exact layer, and every backend's numbers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from backends.backend import Backend, find
from backends.by_hand import BY_HAND, by_hand
from backends.check import Check, judge, over_points
from backends.lambdified import gradients_lambdified, lambdified
from backends.points import Array, Point, draw, draw_scalar, letters, shape_in
from backends.truth import exact, truth
from derivations.cell import Cell, prev
from derivations.derive import Derivation, derive
from derivations.equality import Status
from derivations.facts import prove_fact
from derivations.over_time import vanishing
from derivations.plain import code
from derivations.program import Backward, backward_program
from derivations.prove import prove_all
from derivations.reports.checks import Checked
from derivations.reports.diff import Difference
from derivations.walkthrough import Walkthrough, read_walkthrough

DTYPES = ("float64", "float32")
MOST_DRAWS = 16
Progress = Callable[[str], None] | None
Compute = Callable[[Point, str], Mapping[str, Array]]


@dataclass(frozen=True)
class Computer:
    """One way to compute every gradient: `name` in reports, `backend` for what is known of its functions."""

    name: str
    backend: str
    compute: Compute
    formats: tuple[str, ...] = DTYPES


def ready() -> tuple[list[Backend], tuple[tuple[str, str], ...]]:
    """The backends that can run here, and those that cannot with what installs them."""
    every = find().values()
    return (
        [backend for backend in every if backend.available()],
        tuple((backend.name, backend.install) for backend in every if not backend.available()),
    )


def computers(derivation: Derivation, backends: list[Backend], *, scalar: bool) -> Iterator[Computer]:
    """Every way to compute a derivation's gradients: its equations, the library's own, and the lambdified formulas."""
    program = backward_program(derivation)
    for backend in backends:
        derived = partial(backend.gradients, program)
        yield Computer(f"{backend.name}, derived", backend.name, derived)
        if backend.autograd:
            yield Computer(f"{backend.name}, autograd", backend.name, partial(backend.autograd, derivation.cell))
        if scalar and backend.lambdify:
            table = lambdified(derivation, backend)
            formulas = partial(gradients_lambdified, derivation, backend, table=table)
            yield Computer(f"{backend.name}, lambdified", backend.name, formulas)


def audit(derivation: Derivation, *, seed: int = 1, points: int = 3, progress: Progress = None) -> Checked:
    """Every gradient of a cell, scalar and vector, at hard points."""
    backends, missing = ready()
    checks: list[Check] = []
    exactly: list[tuple[str, int]] = []
    program = backward_program(derivation)
    views = {"vector": draw} if derivation.cell.stacked else {"scalar": draw_scalar, "vector": draw}
    for view, drawing in views.items():
        draws = (_named(drawing(derivation.cell, seed + number), view) for number in range(MOST_DRAWS))
        _say(progress, f"the exact layer, {view}")
        exactly += _exactly(program, draws, points)
        checks += _at_hard_points(
            derivation,
            list(computers(derivation, backends, scalar=view == "scalar")),
            drawing,
            view,
            seed,
            points,
            progress,
        )
    return Checked(tuple(checks), exact=tuple(exactly), missing=missing, **_proofs(derivation))


def _named(point: Point, view: str) -> Point:
    return replace(point, name=f"{view}, {point.name}")


def _at_hard_points(
    derivation: Derivation,
    ways: list[Computer],
    drawing: Callable[..., Point],
    view: str,
    seed: int,
    points: int,
    progress: Progress,
) -> list[Check]:
    program, checks = backward_program(derivation), []
    steps = drawing(derivation.cell, seed).steps
    zero = vanishing(program, steps=steps, vector=view == "vector")
    for way in ways:
        _say(progress, f"{way.name}, {view}")
        for dtype in way.formats:

            def compute(point: Point, way: Computer = way, dtype: str = dtype) -> Mapping[str, Array]:
                return way.compute(point, dtype)

            def drawn(number: int) -> Point:
                return drawing(derivation.cell, seed + number)

            found = over_points(way.backend, compute, program, drawn, dtype, points, proved_zero=zero)
            checks += [replace(check, backend=way.name, point=f"{view} hard points") for check in found]
    return checks


def audit_walkthrough(walkthrough: Walkthrough, *, seed: int = 1, progress: Progress = None) -> Checked:
    """Every gradient of a walkthrough at its own numbers, and at hard points, also by the code written by hand."""
    backends, missing = ready()
    derivation, cell = walkthrough.derivation, walkthrough.cell
    ways = list(computers(derivation, backends, scalar=True))
    here = {"python", *(backend.name for backend in backends)}
    for name, backend, file in BY_HAND.get(walkthrough.name, ()):
        if backend in here and _is_the_source(walkthrough):
            formats = ("float64",) if backend == "python" else DTYPES
            ways.append(Computer(name, backend, by_hand(cell, file), formats))
    program = backward_program(derivation)
    checks: list[Check] = []
    exactly = []
    for of, point in one_hot(walkthrough).items():
        exactly += _exactly(program, [replace(point, name=f"{walkthrough.name} (d{of})")], 1)
        _say(progress, f"every gradient of {of} at {walkthrough.name}")
        for way in ways:
            for dtype in way.formats:
                known = truth(program, point, dtype, way.backend)
                got = way.compute(known.point, dtype)
                checks += [
                    replace(judge(name, got[name], entry, way.name, walkthrough.name), quantity=f"d{of}/d{name}")
                    for name, entry in known.gradients.items()
                ]

    def drawing(cell: Cell, seed: int) -> Point:
        """A hard point with one target for all steps, as the walkthrough has it."""
        point = draw_scalar(cell, seed)
        steady = {name: np.broadcast_to(point.inputs[name][:1], point.inputs[name].shape) for name in cell.targets}
        return replace(point, inputs={**point.inputs, **steady})

    exactly += _exactly(program, (drawing(cell, seed + number) for number in range(MOST_DRAWS)), 3)
    checks += _at_hard_points(derivation, ways, drawing, "scalar", seed, 3, progress)
    return Checked(tuple(checks), exact=tuple(exactly), missing=missing, **_proofs(derivation))


def _is_the_source(walkthrough: Walkthrough) -> bool:
    """Whether this is the catalogue's walkthrough, for which the code written by hand was written."""
    shipped = read_walkthrough(walkthrough.name)
    return (
        shipped.cell == walkthrough.cell
        and shipped.inputs.keys() == walkthrough.inputs.keys()
        and all(len(set(walkthrough.inputs[name])) == 1 for name in walkthrough.cell.targets)
    )


def one_hot(walkthrough: Walkthrough) -> dict[str, Point]:
    """The walkthrough's point, once for every quantity that is differentiated: its cotangent is 1, all others 0."""
    cell, steps = walkthrough.cell, walkthrough.steps
    ones = dict.fromkeys(letters(cell), 1)

    def full(name: str, values: list[float], *outer: int) -> Array:
        return np.array(values).reshape(*outer, *shape_in(cell, name, ones))

    zeros = {name: full(name, [0.0] * steps, steps, 1) for name in cell.seeded}
    at_rest = {state: full(state, [0.0], 1) for state in cell.states}
    point = Point(
        cell=cell,
        name=walkthrough.name,
        parameters={name: full(name, [float(value)]) for name, value in walkthrough.parameters.items()},
        inputs={name: full(name, list(map(float, series)), steps, 1) for name, series in walkthrough.inputs.items()},
        initial={name: full(name, [float(value)], 1) for name, value in walkthrough.initial.items()},
        cotangents=zeros,
        final=at_rest,
    )
    points = {state: replace(point, final={**at_rest, state: full(state, [1.0], 1)}) for state in cell.states}
    for name in cell.readouts:
        last = full(name, [0.0] * (steps - 1) + [1.0], steps, 1)
        points[name] = replace(point, cotangents={**zeros, name: last})
    if cell.loss:
        seeds = full(cell.loss, [float(t + 1 in walkthrough.loss_steps) for t in range(steps)], steps, 1)
        points["loss"] = replace(point, cotangents={**zeros, cell.loss: seeds})
    return points


def audit_derivative(found: Difference) -> Difference:
    """One derivative held against every backend at the numbers it was asked at, in float64.

    The cell is cut so that the derivative asked for is one of its gradients: what is differentiated is an output, and
    what it is differentiated by is given.
    """
    total = found.total
    if not found.values or total.step is None:
        return found
    backends, missing = ready()
    cell = _cut(found.derivation.cell, total.of.name, None if total.through_time else total.wrt.name)
    point = _at(
        cell,
        found.values[: total.step] if total.through_time else found.values[total.step - 1 : total.step],
        total.of.name,
    )
    derivation = derive(cell)
    program = backward_program(derivation)
    name = total.wrt.id if total.through_time else _gradient_name(cell, total.wrt.name)
    checks: list[Check] = []
    digits: dict[str, int] = {}
    own = truth(program, point, "float64")
    if name in own.gradients and total.value is not None:
        entry = own.gradients[name]
        check = judge(name, np.full(entry.relative.shape, total.value), entry, "the sum over paths", found.where)
        checks.append(replace(check, quantity=f"d{total.of.id}/d{total.wrt.id}"))
        if check.digits is not None:
            digits["the sum over paths"] = check.digits
    for way in computers(derivation, backends, scalar=False):
        known = truth(program, point, "float64", way.backend)
        if name not in known.gradients:
            return replace(found, checked=Checked(missing=missing))
        check = judge(name, way.compute(known.point, "float64")[name], known.gradients[name], way.name, found.where)
        checks.append(replace(check, quantity=f"d{total.of.id}/d{total.wrt.id}"))
        if check.digits is not None:
            digits[way.backend] = min(check.digits, digits.get(way.backend, check.digits))
    return replace(found, checked=Checked(tuple(checks), missing=missing), digits=digits)


def _cut(cell: Cell, of: str, wrt: str | None) -> Cell:
    """The cell with `of` as an output, and `wrt` given from outside where it is not already."""
    equations, parameters = cell.equations, cell.parameters
    if wrt is not None and wrt in cell.defined:
        equations = tuple(e for e in equations if e.target != wrt)
        parameters = (*parameters, wrt)
    return replace(
        cell,
        outputs=(of,) if of in cell.defined else cell.outputs,
        equations=equations,
        parameters=parameters,
    )


def _gradient_name(cell: Cell, wrt: str) -> str:
    """What `run_backward` calls the gradient by a name within one step, a run of one step."""
    if wrt in cell.previous:
        return f"{wrt.removesuffix('_prev')}_0"
    return f"{wrt}_1" if wrt in cell.inputs else wrt


def _at(cell: Cell, values: Sequence[Mapping[str, float]], of: str) -> Point:
    """The point of a run that has been replayed, with the cotangent 1 on `of` at its last step."""
    steps, ones = len(values), dict.fromkeys(letters(cell), 1)

    def full(name: str, numbers: list[float], *outer: int) -> Array:
        return np.array(numbers).reshape(*outer, *shape_in(cell, name, ones))

    return Point(
        cell=cell,
        name="here",
        parameters={name: full(name, [values[0][name]]) for name in cell.parameters},
        inputs={name: full(name, [v[name] for v in values], steps, 1) for name in (*cell.inputs, *cell.targets)},
        initial={s: full(s, [values[0][prev(s)]], 1) for s in cell.states},
        cotangents={name: full(name, [0.0] * (steps - 1) + [float(name == of)], steps, 1) for name in cell.seeded},
        final={s: full(s, [0.0], 1) for s in cell.states},
    )


def _proofs(derivation: Derivation) -> dict[str, Any]:
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


def _exactly(program: Backward, draws: Iterable[Point], wanted: int) -> list[tuple[str, int]]:
    """How many entries disagree at each point of the exact layer; a point that it cannot decide is passed over.

    Raises:
        ArithmeticError: it decides at none of them.
    """
    found: list[tuple[str, int]] = []
    problem: ArithmeticError | None = None
    for point in draws:
        try:
            found.append((point.name, len(exact(program, point))))
        except ArithmeticError as error:
            problem = error
        if len(found) == wanted:
            break
    if not found and problem is not None:
        raise problem
    return found


def _say(progress: Progress, message: str) -> None:
    if progress:
        progress(message)
