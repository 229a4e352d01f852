"""Laws of cells: their symmetries, and weights that are made one."""

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from backends.laws.law import Array, Claim, Machine
from backends.points import Point, mapped
from derivations.build import build, renamed_draft
from derivations.cell import Cell
from derivations.expression import Expr, MatMul, Name, Stack, Transpose, children, substitute, walk

# --- symmetries -----------------------------------------------------------------------------------------------------


def _orders(point: Point) -> dict[str, Array]:
    """The entries of every size of a cell in the opposite order; a stacked vector's follows from those of its parts."""
    cell = point.cell
    extents: dict[str, int] = {}
    for name, array in _leaves(point):
        shape = cell.shapes[name]
        extents |= dict(zip(shape, array.shape[array.ndim - len(shape) :], strict=True))
    parts: dict[str, set[tuple[str, ...]]] = {}
    for equation in cell.equations:
        for node in walk(equation.rhs):
            if isinstance(node, Stack):
                made = tuple(cell.shapes[part.id][0] for part in node.parts if isinstance(part, Name))
                parts.setdefault(cell.shapes[equation.target][0], set()).add(made)
    unclear = {dim for dim in extents if "+" in dim and len(parts.get(dim, ())) != 1}
    fixed = {letter for dim in unclear for letter in dim.split("+")}
    orders: dict[str, Array] = {}

    def order(dim: str) -> Array:
        if dim not in orders and "+" in dim and dim not in unclear:
            (made,) = parts[dim]
            starts = np.cumsum([0, *(len(order(part)) for part in made)])
            orders[dim] = np.concatenate([start + order(part) for start, part in zip(starts, made, strict=False)])
        elif dim not in orders:
            natural = np.arange(extents.get(dim, 1))
            # Not a shift, which would agree with a slip by one.
            orders[dim] = natural if dim in fixed or dim in unclear else natural[::-1]
        return orders[dim]

    return {dim: order(dim) for dim in extents}


def _leaves(point: Point) -> Iterator[tuple[str, Array]]:
    for group in (point.parameters, point.inputs, point.initial, point.cotangents):
        yield from group.items()


def permuted(on: Machine, point: Point) -> Iterator[Claim]:
    cell, orders = point.cell, _orders(point)

    def one(name: str, array: Array) -> Array:
        shape = cell.shapes[name]
        for axis, dim in enumerate(shape, array.ndim - len(shape)):
            array = np.take(array, orders[dim], axis)
        return array

    whole, bounds, moved = on.gradients(point), on.bounds(point), on.gradients(mapped(point, one))
    for key, array in whole.items():
        name = key if key in cell.parameters else key.rpartition("_")[0]
        yield Claim(key, one(name, on.exact(array)), on.exact(moved[key]), 2 * one(name, bounds[key]))


def _maps_of(cell: Cell) -> dict[str, tuple[str, ...]]:
    """The inputs that are read by linear maps alone, with the matrices that read nothing else."""
    readers: dict[str, set[str]] = {name: set() for name in cell.inputs}
    others: set[str] = set()

    def visit(node: Expr) -> None:
        match node:
            case MatMul(Name(matrix) | Transpose(Name(matrix)), Name(vector)) if (
                vector in readers and matrix in cell.parameters
            ):
                readers[vector].add(matrix)
            case Name(id):
                others.add(id)
            case _:
                for child in children(node):
                    visit(child)

    for equation in cell.equations:
        visit(equation.rhs)
    shared = {m for x, mine in readers.items() for y, theirs in readers.items() if x != y for m in mine & theirs}
    tangled = others | shared
    return {x: tuple(sorted(mine)) for x, mine in readers.items() if mine and not {x, *mine} & tangled}


def units_unfit(cell: Cell) -> str:
    return "" if _maps_of(cell) else "no input is read by linear maps alone"


def units(on: Machine, point: Point) -> Iterator[Claim]:
    """By powers of two, so that nothing is rounded anew; a factor of its own for every input."""
    factors: dict[str, float] = {}
    for k, (name, matrices) in enumerate(_maps_of(point.cell).items(), 1):
        factors |= {name: 2.0**k} | dict.fromkeys(matrices, 2.0**-k)
    other = replace(
        point,
        parameters={name: array * factors.get(name, 1.0) for name, array in point.parameters.items()},
        inputs={name: series * factors.get(name, 1.0) for name, series in point.inputs.items()},
    )
    whole, scaled = on.gradients(point), on.gradients(other)
    here, there = on.bounds(point), on.bounds(other)
    for key, array in whole.items():
        factor = factors.get(key if key in point.cell.parameters else key.rpartition("_")[0], 1.0)
        right = on.exact(np.full(array.shape, factor)) * on.exact(scaled[key])
        yield Claim(key, on.exact(array), right, here[key] + factor * there[key])


# --- tied weights ---------------------------------------------------------------------------------------------------


def ties(cell: Cell) -> dict[str, str]:
    """Pairs of parameters that could be one, having one shape: the second to the first."""
    kinds: dict[Any, list[str]] = {}
    for name in cell.parameters:
        kinds.setdefault((cell.shapes[name], name in cell.positive), []).append(name)
    return {b: a for group in kinds.values() for a, b in zip(group[::2], group[1::2], strict=False)}


def tied(cell: Cell) -> Cell:
    """The cell in which every such pair is one parameter."""
    table = ties(cell)
    draft = renamed_draft(cell, {})
    names: dict[Expr, Expr] = {Name(b): Name(a) for b, a in table.items()}
    declared = {kind: tuple(n for n in group if n not in table) for kind, group in draft.declared.items()}
    equations = tuple(replace(e, rhs=substitute(e.rhs, names)) for e in draft.equations)
    return build(replace(draft, declared=declared, equations=equations, facts=()))


def tied_unfit(cell: Cell) -> str:
    return "" if ties(cell) else "no two parameters have one shape"


def tied_apart(on: Machine, point: Point) -> Iterator[Claim]:
    table = ties(point.cell)
    equal = replace(point, parameters={**point.parameters, **{b: point.parameters[a] for b, a in table.items()}})
    kept = {name: array for name, array in point.parameters.items() if name not in table}
    one = replace(point, cell=tied(point.cell), parameters=kept)
    apart, together = on.gradients(equal), on.gradients(one)
    wide, narrow = on.bounds(equal), on.bounds(one)
    twins = {a: b for b, a in table.items()}
    for key, array in together.items():
        parts = [key, twins[key]] if key in twins else [key]
        joined = reduce(add, (on.exact(apart[part]) for part in parts))
        yield Claim(key, on.exact(array), joined, narrow[key] + sum(wide[part] for part in parts))
