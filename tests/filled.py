"""Dumps filled by programs, right and wrong, as someone else would fill them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from backends.arrays import ArrayArithmetic, given
from backends.golden.layout import BATCH, TIME, Entry, Kind, given_arrays, layout
from backends.golden.named_points import Asked, asked, drawn
from backends.golden.own_inputs import backward, forward
from backends.on_numpy import library
from backends.points import Point, rounded
from derivations.cell import Cell
from derivations.program import Backward


def hard(cell: Cell, seed: int = 1, **sizes: int) -> tuple[Asked, Point, dict[str, int]]:
    """A point, its name, and its sizes."""
    which = asked(cell, seed, sizes.pop("T", 4), sizes.pop("B", 3), sizes, False)
    return which, drawn(cell, which), {**which.sizes, TIME: which.steps, BATCH: which.batch}


def inputs(point: Point, dtype: str = "float64") -> dict[str, Any]:
    return {key: np.asarray(array, dtype) for key, array in given_arrays(rounded(point, dtype)).items()}


def filled(program: Backward, point: Point, sizes: Mapping[str, int], dtype: str = "float64") -> dict[str, Any]:
    """Every array of a dump, computed by a program in NumPy."""
    received, entries = rounded(point, dtype), layout(point.cell)
    with library(dtype) as numpy:
        arithmetic, arguments = ArrayArithmetic(numpy), given(numpy, received)
        passed = forward(point.cell, entries, arguments, arithmetic, {})
        found = {**passed.computed, **backward(program, passed, arguments, arithmetic, {})[1]}

    def own(entry: Entry, array: Any) -> Any:
        shape = entry.shape(sizes)[TIME in entry.axes :]
        full = (*shape, *(1,) * (2 + (BATCH in entry.axes) - len(shape)))
        return np.broadcast_to(array if BATCH in entry.axes else array[0], full).reshape(shape)

    result = inputs(point, dtype)
    for key, entry in entries.items():
        if entry.kind is Kind.GRADIENT:
            result[key] = own(entry, found[key, None])
        elif entry.kind is not Kind.GIVEN:
            result[key] = np.stack([own(entry, found[key, t]) for t in range(point.steps)])
    return {key: np.asarray(array, dtype) for key, array in result.items()}
