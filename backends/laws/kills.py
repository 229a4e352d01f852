"""Which mistakes each law sees: the laws, held on purpose on backward passes that are wrong.

Held modulo a prime, where a mistake shows or does not, whatever its size. A mutant is one mistake in the derivation;
a slip is one in how arrays are handled, which no equation shows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from backends.laws.audit import faults, point_for
from backends.laws.every import LAWS
from backends.laws.law import Array, Arrays, Law, Machine
from backends.laws.machines import Memory, derived, exactly
from backends.laws.of_cells import tied, ties
from backends.points import Point, letters
from derivations.cell import Cell
from derivations.derive import Derivation, derive
from derivations.matrices import ShapeError
from derivations.mutants import Mutant, mutants
from derivations.program import Backward


@dataclass(frozen=True)
class Seen:
    """A mistake, and the laws that it breaks."""

    mistake: str
    laws: tuple[str, ...]


def laws_of(cell: Cell) -> tuple[Law, ...]:
    """The laws that a cell's mistakes can be held against modulo a prime."""
    return tuple(law for law in LAWS if not law.unfit(cell) and law.needs != "mapped")


def seen(derivation: Derivation, wrong: Iterable[Mutant]) -> Iterator[Seen]:
    """Which laws each mutant breaks, alone.

    Of a cell with tied weights the same mistake is made; where it has no such mistake, that law is not asked.
    """
    cell, memory = derivation.cell, Memory()
    point = small_point(cell)
    again: Mapping[str, Backward] = {}
    if ties(cell):
        again = {mutant.mistake: mutant.program for mutant in mutants(derive(tied(cell)))}
    for mutant in wrong:
        own, same = mutant.program, again.get(mutant.mistake)

        def programs(other: Cell, own: Backward = own, same: Backward | None = same) -> Backward:
            return own if other is cell else same or derived(other)

        machine = _asked_once(exactly(programs, memory=memory))
        fit = (law for law in laws_of(cell) if same or law.name != "tied weights")
        yield Seen(mutant.mistake, tuple(law.name for law in fit if _broken(law, machine, point)))


def one_of_each_size(found: Iterable[Mutant]) -> tuple[Mutant, ...]:
    """The mutants without those that differ from one another only in the size of a factor: here all sizes are one."""
    return tuple(m for m in found if "off by a factor" not in m.mistake or m.mistake.endswith("1e-10"))


def small_point(cell: Cell) -> Point:
    """The smallest point whose sizes are three and more, so that no order of the entries is every order."""
    return point_for(cell, 1, steps=3, batch=2, sizes={letter: k for k, letter in enumerate(letters(cell), 3)})


def _asked_once(machine: Machine) -> Machine:
    """The same machine, which computes the gradients at a point only once."""
    known: dict[int, tuple[Point, Arrays]] = {}

    def gradients(point: Point) -> Arrays:
        if id(point) not in known:
            known[id(point)] = (point, machine.gradients(point))  # the point is kept, so that its id stays its own
        return known[id(point)][1]

    return replace(machine, gradients=gradients)


def _broken(law: Law, machine: Machine, point: Point) -> bool:
    try:
        return bool(faults(law, machine, point))
    except (ValueError, ShapeError):  # shapes that do not even fit
        return True


# --- slips ----------------------------------------------------------------------------------------------------------


def _of_entries(change: Callable[[Array], Array]) -> Callable[[Point, Arrays], Arrays]:
    """A change of every gradient along its last axis."""
    return lambda point, found: {key: change(np.array(array)) for key, array in found.items()}


def _left_out(array: Array) -> Array:
    array[..., 0] = array[..., 0] - array[..., 0]
    return array


def _first_alone(point: Point, found: Arrays) -> Arrays:
    """Of all sequences only the first gets its gradient."""

    def one(array: Array) -> Array:
        array[1:] = array[1:] - array[1:]
        return array

    return {key: array if key in point.cell.parameters else one(np.array(array)) for key, array in found.items()}


def _never_cleared() -> Callable[[Point, Arrays], Arrays]:
    """Parameter gradients that start from what the last call left, as without `zero_grad`."""
    left: dict[str, Array] = {}

    def change(point: Point, found: Arrays) -> Arrays:
        changed = {
            key: array + left[key] if key in point.cell.parameters and key in left else array
            for key, array in found.items()
        }
        left.update(changed)
        return changed

    return change


SLIPS: Mapping[str, Callable[[], Callable[[Point, Arrays], Arrays]]] = {
    "the first unit is left out": lambda: _of_entries(_left_out),
    "units are off by one": lambda: _of_entries(lambda array: np.roll(array, 1, axis=-1)),
    "only the first sequence gets its gradient": lambda: _first_alone,
    "gradients are not cleared between calls": _never_cleared,
}


def slips_seen(derivation: Derivation) -> Iterator[Seen]:
    """Which laws each slip breaks, alone."""
    cell, memory = derivation.cell, Memory()
    point = small_point(cell)
    for mistake, make in SLIPS.items():
        broken = []
        for law in laws_of(cell):
            right, change = exactly(memory=memory), make()

            def gradients(
                at: Point, right: Machine = right, change: Callable[[Point, Arrays], Arrays] = change
            ) -> Arrays:
                return change(at, right.gradients(at))

            if _broken(law, replace(right, gradients=gradients), point):
                broken.append(law.name)
        yield Seen(mistake, tuple(broken))
