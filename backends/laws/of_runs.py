"""Laws of runs: time that is split or goes on, sequences one by one, cotangents that add."""

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np

from backends.laws.law import Array, Arrays, Claim, Machine, alike
from backends.points import Point, over_steps

# --- time -----------------------------------------------------------------------------------------------------------


def split(on: Machine, point: Point) -> Iterator[Claim]:
    cell, half = point.cell, point.steps // 2
    late = replace(over_steps(point, slice(half, None)), initial=on.states(point, half))
    second = on.gradients(late)
    carry = {state: second[f"{state}_0"] for state in cell.states}
    first = on.gradients(replace(over_steps(point, slice(half)), final=carry))
    joined = {name: on.exact(first[name]) + on.exact(second[name]) for name in cell.parameters}
    joined |= {f"{state}_0": on.exact(first[f"{state}_0"]) for state in cell.states}
    for name in cell.inputs:
        for t in range(point.steps):
            part, own = (first, t + 1) if t < half else (second, t + 1 - half)
            joined[f"{name}_{t + 1}"] = on.exact(part[f"{name}_{own}"])
    yield from alike(on, point, joined)


def idle(on: Machine, point: Point) -> Iterator[Claim]:
    short = replace(point, final={state: 0 * array for state, array in point.final.items()})
    longer = replace(
        short,
        inputs={name: np.concatenate([series, series[:1]]) for name, series in point.inputs.items()},
        cotangents={name: np.concatenate([series, 0 * series[:1]]) for name, series in point.cotangents.items()},
    )
    before, after = on.gradients(short), on.gradients(longer)
    here, there = on.bounds(short), on.bounds(longer)
    for key, array in before.items():
        yield Claim(key, on.exact(array), on.exact(after[key]), here[key] + there[key])
    for name in point.cell.inputs:
        key = f"{name}_{longer.steps}"
        yield Claim(key, on.exact(after[key]), on.exact(np.zeros(after[key].shape)), there[key])


# --- the batch ------------------------------------------------------------------------------------------------------


def sequence(point: Point, b: int) -> Point:
    """One sequence of a batch, as a batch of one."""

    def one(arrays: Arrays, *before: slice) -> dict[str, Array]:
        return {name: array[(*before, slice(b, b + 1))] for name, array in arrays.items()}

    every = slice(None)
    return replace(
        point,
        inputs=one(point.inputs, every),
        initial=one(point.initial),
        cotangents=one(point.cotangents, every),
        final=one(point.final),
    )


def one_by_one(on: Machine, point: Point) -> Iterator[Claim]:
    alone = [on.gradients(sequence(point, b)) for b in range(point.batch)]
    joined = {
        key: reduce(add, (on.exact(each[key]) for each in alone))
        if key in point.cell.parameters
        else np.concatenate([on.exact(each[key]) for each in alone])
        for key in alone[0]
    }
    yield from alike(on, point, joined)


def mapped(on: Machine, point: Point) -> Iterator[Claim]:
    assert on.mapped
    yield from alike(on, point, {key: on.exact(array) for key, array in on.mapped(point).items()})


# --- cotangents -----------------------------------------------------------------------------------------------------

TWICE, LESS = 2.0, -3.0


def linear(on: Machine, point: Point) -> Iterator[Claim]:
    """G(2 w - 3 v) = 2 G(w) - 3 G(v), where v is w with time and batch turned round."""

    def turned(arrays: Arrays) -> dict[str, Array]:
        return {name: array[::-1] + 0.5 for name, array in arrays.items()}

    def both(mine: Arrays, theirs: Arrays) -> dict[str, Array]:
        return {name: TWICE * mine[name] + LESS * theirs[name] for name in mine}

    other = replace(point, cotangents=turned(point.cotangents), final=turned(point.final))
    mixed = replace(point, cotangents=both(point.cotangents, other.cotangents), final=both(point.final, other.final))
    parts = [(TWICE, on.gradients(point), on.bounds(point)), (LESS, on.gradients(other), on.bounds(other))]
    whole, bounds = on.gradients(mixed), on.bounds(mixed)
    for key, array in whole.items():
        joined = [on.exact(np.full(array.shape, weight)) * on.exact(own[key]) for weight, own, _ in parts]
        bound = bounds[key] + sum(abs(weight) * own[key] for weight, _, own in parts)
        yield Claim(key, on.exact(array), joined[0] + joined[1], bound)
