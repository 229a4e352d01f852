"""One derivative held against every backend, at the numbers that it was asked at."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from backends.check import Check, judge
from backends.points import Point, of_numbers
from backends.truth import truth
from backends.ways import computers, ready
from derivations.cell import Cell, prev
from derivations.derive import derive
from derivations.program import backward_program
from derivations.reports.checks import Checked
from derivations.reports.diff import Difference


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
    return of_numbers(
        cell,
        "here",
        parameters={name: values[0][name] for name in cell.parameters},
        inputs={name: [v[name] for v in values] for name in (*cell.inputs, *cell.targets)},
        initial={state: values[0][prev(state)] for state in cell.states},
        cotangents={name: [0.0] * (len(values) - 1) + [1.0] for name in cell.seeded if name == of},
    )
