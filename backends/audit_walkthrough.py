"""Every gradient of a walkthrough, at its own numbers and at hard points, also by the code written by hand."""

from dataclasses import replace
from functools import partial

import numpy as np

from backends.audit import MOST_DRAWS, Progress, agreeing, at_hard_points, proofs, say
from backends.by_hand import BY_HAND, by_hand
from backends.check import Check, judge, once
from backends.points import Point, draw_scalar, of_numbers
from backends.ways import DTYPES, Computer, compiling, computers, ready
from derivations.cell import Cell
from derivations.program import backward_program
from derivations.reports.checks import Checked
from derivations.walkthrough import Walkthrough, read_walkthrough


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
    points, truth_once = one_hot(walkthrough), once()

    def drawing(cell: Cell, seed: int) -> Point:
        """A hard point with one target for all steps, as the walkthrough has it."""
        point = draw_scalar(cell, seed)
        steady = {name: np.broadcast_to(point.inputs[name][:1], point.inputs[name].shape) for name in cell.targets}
        return replace(point, inputs={**point.inputs, **steady})

    with compiling([(ways, [next(iter(points.values())), drawing(cell, seed)])]) as begun:
        for of, point in points.items():
            exactly += agreeing(program, [replace(point, name=f"{walkthrough.name} (d{of})")], 1)
        exactly += agreeing(program, (drawing(cell, seed + number) for number in range(MOST_DRAWS)), 3)
        for of, point in points.items():
            say(progress, f"every gradient of {of} at {walkthrough.name}")
            for way in ways:
                for dtype in way.formats:
                    known = truth_once(program, point, dtype, way.backend)
                    got = way.compute(known.point, dtype)
                    checks += [
                        replace(judge(name, got[name], entry, way.name, walkthrough.name), quantity=f"d{of}/d{name}")
                        for name, entry in known.gradients.items()
                    ]
        checks += at_hard_points(derivation, ways, drawing, "scalar", seed, 3, progress, begun)
    return Checked(tuple(checks), exact=tuple(exactly), missing=missing, **proofs(derivation))


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
    at = partial(of_numbers, cell, walkthrough.name, walkthrough.parameters, walkthrough.inputs, walkthrough.initial)
    last = [0.0] * (steps - 1) + [1.0]
    points = {state: at(final={state: 1.0}) for state in cell.states}
    points |= {name: at(cotangents={name: last}) for name in cell.readouts}
    if cell.loss:
        points["loss"] = at(cotangents={cell.loss: [float(t in walkthrough.loss_steps) for t in range(1, steps + 1)]})
    return points
