"""Right gradients by the ten thousand: none may be called wrong, and most must be called right.

    python -m tests.benchmarks.right_gradients [--seeds N] [--json FILE]

Every cell of the catalogue, scalar and vector, in float64 and float32, by every way to compute a gradient that
`derive check` has: the derived equations and the lambdified formulas on NumPy, torch and JAX, and the libraries' own
differentiation. The points are drawn in three regimes:

    N(0, 1)            every number from the standard normal distribution
    N(0, 3^2)          three times as large: many gates are shut or open
    near the notebook  the numbers of the notebook's walkthrough, each times 1 + N(0, 1)/10: a gate of 1e-17

What is counted are entries of gradients, each a number that has a verdict of its own, and the arrays that they lie in.
An array passes if every entry does. Exit 1 if one fails, or fewer than nine in ten entries pass.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from math import isnan
from pathlib import Path

import numpy as np

from backends.backend import Backend
from backends.check import Check, Verdict, judge_all, once
from backends.points import Array, Point, draw, draw_scalar
from backends.ways import DTYPES, Computer, computers, ready
from derivations.catalogue import cell_names, read_cell
from derivations.cell import Cell
from derivations.derive import derive
from derivations.over_time import vanishing
from derivations.program import backward_program
from derivations.walkthrough import read_walkthrough

SEEDS = 12
LEAST = 0.9  # of all entries


@dataclass(frozen=True)
class Judged:
    """One array of one gradient, by one way, at one point."""

    cell: str
    view: str
    regime: str
    way: str
    dtype: str
    quantity: str
    error: float
    verdict: str
    entries: int
    passed: int


# --- the regimes --------------------------------------------------------------------------------------------


def near_the_notebook(cell: Cell, seed: int, drawing: Callable[..., Point] = draw_scalar) -> Point:
    """A point with the notebook's numbers, each moved by a tenth of itself.

    A name that the notebook's cell has keeps its number; any other takes one of the notebook's parameters. A matrix of
    m columns has an m-th of it in every entry, so that its gate is shut as far as the scalar one. (Near the walkthrough
    of its own, the RNN's preactivations are beyond -19, where tanh is flat: of 13,296 entries judged there, none was
    called wrong, and 3 in 1,000 said anything at all.)
    """
    notebook, point, rng = read_walkthrough("notebook"), drawing(cell, seed), np.random.default_rng(seed)
    some = sorted(float(value) for value in notebook.parameters.values())

    def moved(numbers: Array) -> Array:
        return np.asarray(numbers * (1 + rng.standard_normal(np.shape(numbers)) / 10))

    def parameter(name: str, array: Array) -> Array:
        if name in cell.positive:
            return array
        number = float(notebook.parameters[name]) if name in notebook.parameters else rng.choice(some)
        return moved(np.full(array.shape, number / (array.shape[1] if array.ndim == 2 else 1)))

    x = np.array([float(value) for value in notebook.inputs["x"]])
    steps = x.reshape(-1, 1, 1)
    return replace(
        point,
        name=f"near the notebook, seed {seed}",
        parameters={name: parameter(name, array) for name, array in point.parameters.items()},
        inputs={name: moved(np.broadcast_to(steps, array.shape)) for name, array in point.inputs.items()},
        initial={
            state: moved(np.full(array.shape, float(notebook.initial.get(state, 0))))
            for state, array in point.initial.items()
        },
    )


REGIMES: dict[str, Callable[..., Point]] = {
    "N(0, 1)": lambda cell, seed, drawing: drawing(cell, seed),
    "N(0, 3^2)": lambda cell, seed, drawing: drawing(cell, seed, scale=3.0),
    "near the notebook": near_the_notebook,
}
VIEWS: dict[str, Callable[..., Point]] = {"scalar": draw_scalar, "vector": draw}


# --- the sweep ----------------------------------------------------------------------------------------------


def sweep(
    cells: Iterable[str],
    seeds: int,
    backends: list[Backend] | None = None,
    regimes: Iterable[str] = REGIMES,
    dtypes: Iterable[str] = DTYPES,
    spoiled: float = 1.0,
) -> Iterator[Judged]:
    """Every gradient of these cells, judged.

    Args:
        seeds: how many points a cell, view and regime has.
        spoiled: what every gradient is multiplied by, 1 for right ones.
    """
    backends = ready()[0] if backends is None else backends
    for name in cells:
        cell = read_cell(name)
        derivation = derive(cell)
        program = backward_program(derivation)
        for view, drawing in VIEWS.items():
            if view == "scalar" and cell.stacked:
                continue
            ways = list(computers(derivation, backends, scalar=view == "scalar"))
            zero = vanishing(program, steps=drawing(cell, 1).steps, vector=view == "vector")
            for regime in regimes:
                for seed in range(1, seeds + 1):
                    point, find = REGIMES[regime](cell, seed, drawing), once()
                    for way in ways:
                        for dtype in dtypes:
                            known = find(program, point, dtype, way.backend)
                            found = way.compute(known.point, dtype)
                            found = {key: array * array.dtype.type(spoiled) for key, array in found.items()}
                            for check in judge_all(found, known, way.backend, zero):
                                yield judged(check, name, view, regime, way)


def judged(check: Check, cell: str, view: str, regime: str, way: Computer) -> Judged:
    return Judged(
        cell=cell,
        view=view,
        regime=regime,
        way=way.name,
        dtype=check.dtype,
        quantity=check.quantity,
        error=check.error,
        verdict=check.verdict.value,
        entries=check.passed.size,
        passed=int(check.passed.sum()),
    )


# --- what is said of it ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tally:
    """How many arrays and entries there are, how many of each pass, how many arrays fail, and the largest E."""

    arrays: int
    arrays_passed: int
    entries: int
    entries_passed: int
    failed: int
    worst: float

    @property
    def share(self) -> float:
        """The share of the entries that pass."""
        return self.entries_passed / self.entries


def tally(found: Iterable[Judged]) -> Tally:
    every = list(found)
    return Tally(
        arrays=len(every),
        arrays_passed=sum(one.verdict == Verdict.PASS.value for one in every),
        entries=sum(one.entries for one in every),
        entries_passed=sum(one.passed for one in every),
        failed=sum(one.verdict == Verdict.FAIL.value for one in every),
        worst=max((one.error for one in every if not isnan(one.error)), default=float("nan")),
    )


def table(found: list[Judged]) -> str:
    """A line for every regime, cell, way and format, and one for all together."""
    lines = [f"{'':<27}{'arrays':>8}{'PASS':>8}{'entries':>9}{'PASS':>8}{'FAIL':>6}{'worst E':>9}"]

    def line(what: str, part: list[Judged]) -> None:
        own = tally(part)
        arrays = f"{own.arrays:>8}{own.arrays_passed / own.arrays:>8.1%}"
        lines.append(f"{what:<27}{arrays}{own.entries:>9}{own.share:>8.1%}{own.failed:>6}{own.worst:>9.3f}")

    for field in ("regime", "cell", "view", "way", "dtype"):
        for value in dict.fromkeys(getattr(one, field) for one in found):
            line(value, [one for one in found if getattr(one, field) == value])
        if field == "regime":
            for value in dict.fromkeys((one.regime, one.dtype) for one in found):
                line(f"  {value[0]}, {value[1]}", [one for one in found if (one.regime, one.dtype) == value])
    line("all", found)
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Judge right gradients by the ten thousand.")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="points a cell, view and regime")
    parser.add_argument("--json", type=Path, help="every verdict, to a file")
    options = parser.parse_args(argv)
    started = time.process_time()
    found = list(sweep(cell_names(), options.seeds))
    print(table(found))
    print(f"{time.process_time() - started:.0f} s of processor time, {options.seeds} seeds")
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in found]), encoding="utf-8")
    every = tally(found)
    return int(every.failed > 0 or every.share < LEAST)


if __name__ == "__main__":
    sys.exit(main())
