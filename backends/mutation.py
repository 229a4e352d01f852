"""Every mutant of a derivation before every layer of checking: how many are killed, and which would pass.

Mutants share nearly everything with the right program. So the forward pass, the truth and the right backward pass are
computed once for each point, and of a mutant only what its mistake touches (`program.backward_run`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from backends.arrays import ArrayArithmetic, Library, given, shaped
from backends.balls import BallArithmetic, Balls, balls, precision, until
from backends.check import Verdict, errors, judge
from backends.jets import gradients_by_jets
from backends.on_numpy import library
from backends.points import Array, Point, arguments, decidable, draw, draw_scalar
from backends.truth import CLOSE, Truth, exact, truth
from derivations.derive import Derivation
from derivations.equivalent import Equality
from derivations.mutants import Mutant, mutants
from derivations.over_time import unrolled
from derivations.program import Backward, Run, backward_program, backward_run, run_forward
from derivations.reports.mutants import Fate, Mutation

VISIBLE = 4  # times the bound: a smaller effect may hide behind rounding
MOST_DRAWS = 16
BACKEND = "numpy"
Progress = Callable[[str], None] | None


def mutation(
    derivation: Derivation,
    *,
    seed: int = 1,
    points: int = 3,
    chosen: Iterable[Mutant] | None = None,
    progress: Progress = None,
) -> Mutation:
    """Every mutant of a cell, scalar and vector, before every layer.

    Args:
        seed, points: of the hard points, as `audit` draws them.
        chosen: of all mutants, those to look at.
    """
    every = tuple(mutants(derivation) if chosen is None else chosen)
    views = {"vector": draw} if derivation.cell.stacked else {"scalar": draw_scalar, "vector": draw}
    fates: list[Fate] = []
    alarms: list[str] = []
    looked: dict[str, tuple[str, ...]] = {}
    for view, drawing in views.items():
        if progress:
            progress(f"{len(every)} mutants, {view}")
        layers = Layers(backward_program(derivation), drawing, view, seed, points)
        alarms += layers.alarms()
        fates += [layers.fate(mutant) for mutant in every]
        looked[view] = layers.points
    return Mutation(tuple(fates), looked, tuple(alarms), BACKEND)


class Layers:
    """Every layer of checking in one view, ready to be shown one program after another."""

    def __init__(self, right: Backward, drawing: Callable[..., Point], view: str, seed: int, points: int) -> None:
        self.right, self.view = right, view
        vector = view == "vector"
        self.proof = unrolled(right.cell, vector=vector)
        self.equality = Equality(right, vector=vector)

        def draws() -> Iterator[Point]:
            return (drawing(right.cell, seed + number) for number in range(MOST_DRAWS))

        (self.exact,) = decidable(partial(Exact, right), draws(), 1)
        self.rounded = {
            dtype: decidable(partial(Rounded, right, dtype), draws(), points) for dtype in ("float64", "float32")
        }

    @property
    def points(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(layer.known.point.name for each in self.rounded.values() for layer in each))

    def alarms(self) -> list[str]:
        """What is said against the right program."""
        said = []
        if not self.proof.proof(self.right):
            said.append(f"the proof over time refutes the right program ({self.view})")
        if exact(self.right, self.exact.point):
            said.append(f"the exact layer refutes the right program ({self.view})")
        for dtype, each in self.rounded.items():
            said += [f"{dtype} fails the right program at {r.known.point.name}" for r in each if r.kills(self.right)]
        return said

    def fate(self, mutant: Mutant) -> Fate:
        """What every layer says of one mutant."""
        program = mutant.program
        refuted, dead = not self.proof.proof(program), self.exact.kills(program)
        # Modulo a prime two functions may differ that are one: what the balls do not part is still to be proved.
        equivalent = not (refuted and dead) and bool(self.equality.proof(program))
        killed: dict[str, bool | None] = {"proof": refuted and not equivalent, "exact": dead}
        for dtype, each in self.rounded.items():  # of one that is right, one point shows whether it is accused
            killed[dtype] = any(layer.kills(program) for layer in each[: 1 if equivalent else None])
        if (
            not killed["float32"]
            and not equivalent
            and not any(layer.shows(program) for layer in self.rounded["float32"])
        ):
            killed["float32"] = None
        return Fate(mutant.mistake, mutant.of, self.view, equivalent, killed)


# --- the exact layer ----------------------------------------------------------------------------------------


class Exact:
    """The exact layer at one point: the gradients of jets, and the right program's run, in balls that are sharp."""

    def __init__(self, right: Backward, point: Point) -> None:
        self.right, self.point = right, point
        self.bits, self.due, self.known = until(
            lambda found: all(_sharp(x) for due in found[1].values() for x in due.flat), self._both
        )

    def _both(self) -> tuple[int, Mapping[str, Balls], Run[Balls]]:
        from flint import ctx

        arithmetic, at = BallArithmetic(), arguments(self.point, balls)
        trace = run_forward(self.right.cell, at.parameters, at.inputs, at.initial, arithmetic)
        self.cotangents, self.final = at.cotangents, at.final
        run = backward_run(self.right, trace, at.cotangents, at.final, arithmetic)
        return ctx.prec, gradients_by_jets(self.point)[0], run

    def kills(self, program: Backward) -> bool:
        """Whether some gradient surely differs from that of the jets."""
        with precision(self.bits):
            try:
                run = backward_run(program, self.known.trace, self.cotangents, self.final, BallArithmetic(), self.known)
            except ValueError:  # its shapes do not fit
                return True
            changed = {name: a for name, a in run.gradients.items() if a is not self.known.gradients[name]}
            if any(_apart(ours, self.due[name]) for name, ours in changed.items()):
                return True
            if all(_sharp(x) for ours in changed.values() for x in ours.flat):
                return False
        return bool(exact(program, self.point))  # with as many bits as it takes


def _sharp(x: Any) -> bool:
    """Whether a ball is as small as the exact layer asks for."""
    if x.contains(0):
        return bool(float(x.rad()) <= 2.0**-CLOSE)
    return bool(x.rel_accuracy_bits() >= CLOSE)


def _apart(ours: Balls, due: Balls) -> bool:
    """Whether two batches of matrices of balls have an entry that cannot be equal."""
    if ours.shape[1:] != due.shape[1:]:
        return True
    return any(not x.overlaps(y) for x, y in np.broadcast(ours, due))


# --- the rounded layers -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Shared:
    """A run of the right program in one dtype, and what every other program is given."""

    library: Library[Any]
    known: Run[Any]
    cotangents: Mapping[str, list[Any]]
    final: Mapping[str, Any]


class Rounded:
    """The rounded layer at one point in one dtype: the truth, and the right program's run on NumPy."""

    def __init__(self, right: Backward, dtype: str, point: Point) -> None:
        self.right = right
        self.known: Truth = truth(right, point, dtype, BACKEND)
        self._shared = {format_: self._run(format_) for format_ in dict.fromkeys((dtype, "float64"))}
        self.dtype = dtype

    def _run(self, dtype: str) -> _Shared:
        with library(dtype) as on:
            at, arithmetic = given(on, self.known.point), ArrayArithmetic(on)
            trace = run_forward(self.right.cell, at.parameters, at.inputs, at.initial, arithmetic)
            run = backward_run(self.right, trace, at.cotangents, at.final, arithmetic)
            return _Shared(on, run, at.cotangents, at.final)

    def _changed(self, program: Backward, dtype: str) -> dict[str, Array] | None:
        """The gradients that are not the right program's own; None where shapes do not fit."""
        shared = self._shared[dtype]
        right = shared.known.gradients
        with np.errstate(all="ignore"):
            try:
                run = backward_run(
                    program,
                    shared.known.trace,
                    shared.cotangents,
                    shared.final,
                    ArrayArithmetic(shared.library),
                    shared.known,
                )
                every = program is self.right
                changed = {name: a for name, a in run.gradients.items() if every or a is not right[name]}
                return shaped(shared.library, self.known.point, changed)
            except ValueError:
                return None

    def kills(self, program: Backward) -> bool:
        """Whether the check fails some gradient of a program."""
        changed = self._changed(program, self.dtype)
        if changed is None:
            return True
        return any(
            judge(name, array, self.known.gradients[name], BACKEND).verdict is Verdict.FAIL
            for name, array in changed.items()
        )

    def shows(self, program: Backward) -> bool:
        """Whether a program's effect, computed in float64, is more than `VISIBLE` times the bound at some entry."""
        changed = self._changed(program, "float64")
        if changed is None:
            return True
        effects = (errors(array, self.known.gradients[name]) for name, array in changed.items())
        return any(bool((effect > VISIBLE).any()) for effect in effects)
