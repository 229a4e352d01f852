"""Every equation of a run on numbers that someone gives: each is computed from what stands in the file, not from ours.

A run goes forward and backward as always, but wherever the file has a value, that value takes the place of the
computed one as soon as it is computed. So one early mistake does not spread over what follows, and what the file does
not have is computed from the nearest values that it has.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, TypeVar

from backends.golden.layout import BATCH, Entry, Kind, by_id, layout
from backends.points import Arguments
from derivations.cell import Cell
from derivations.expression import Arithmetic
from derivations.program import Backward, Read, Run, backward_run, run_forward

V = TypeVar("V")
Place = tuple[str, int | None]  # a key, and the step (0 is t = 1); None for what is over time


@dataclass(frozen=True)
class Forward(Generic[V]):
    """The forward pass, which every backward program of a cell shares: `computed` is what each equation gave."""

    entries: Mapping[str, Entry]
    trace: Sequence[dict[str, V]]
    computed: Mapping[Place, V]


def forward(
    cell: Cell,
    entries: Mapping[str, Entry],
    given: Arguments[V],
    arithmetic: Arithmetic[V],
    own: Mapping[Place, V],
) -> Forward[V]:
    """Every forward equation.

    Args:
        entries: the layout of the cell.
        own: what stands in the place of computed values.
    """
    computed: dict[Place, V] = {}
    read = _reader(by_id(entries), arithmetic, own, computed)
    trace = run_forward(cell, given.parameters, given.inputs, given.initial, arithmetic, read)
    return Forward(entries, trace, computed)


def backward(
    program: Backward,
    passed: Forward[V],
    given: Arguments[V],
    arithmetic: Arithmetic[V],
    own: Mapping[Place, V],
    known: Run[V] | None = None,
    gathered: Callable[[list[V]], V] | None = None,
) -> tuple[Run[V], dict[Place, V]]:
    """Every backward equation, and what each gave; of those that `known` has already evaluated, nothing.

    `known` and `gathered` are as `backward_run` has them.
    """
    computed: dict[Place, V] = {}
    read = _reader(by_id(passed.entries), arithmetic, own, computed)
    run = backward_run(program, passed.trace, given.cotangents, given.final, arithmetic, known, read, gathered)
    return run, computed


def _reader(
    entries: Mapping[tuple[bool, str], Entry],
    arithmetic: Arithmetic[V],
    own: Mapping[Place, V],
    computed: dict[Place, V],
) -> Read[V]:
    """What later equations read: the file's own number where it has one."""

    def read(step: int | None, id_: str, value: V) -> V:
        entry = entries[step is None, id_]
        place = (entry.key, step)
        computed[place] = value if BATCH in entry.axes else arithmetic.over_batch(value)
        return own.get(place, value)

    return read


# --- what a value hangs on ------------------------------------------------------------------------------------------


Needs = frozenset[str]
NOTHING: Needs = frozenset()


class NeedsArithmetic:
    """The `Arithmetic` in which a value is the set of names that it was computed from: every operation joins sets."""

    def number(self, value: Fraction) -> Needs:
        return NOTHING

    def add(self, terms: list[Needs]) -> Needs:
        return NOTHING.union(*terms)

    multiply = stack = add

    def call(self, function: str, args: list[Needs]) -> Needs:
        return NOTHING.union(*args)

    def divide(self, a: Needs, b: Needs) -> Needs:
        return a | b

    matmul = divide

    def negative(self, a: Needs) -> Needs:
        return a

    transpose = diagonal = sum = logsumexp = detach = over_batch = negative

    def power(self, a: Needs, exponent: int) -> Needs:
        return a

    def rows(self, a: Needs, start: int, stop: int) -> Needs:
        return a

    def shape(self, a: Needs) -> tuple[int, int]:
        return 1, 1

    def spread(self, a: Needs, like: Needs) -> Needs:
        return a


def needs(program: Backward, given: Arguments[Needs], own: Mapping[Place, Needs]) -> dict[Place, Needs]:
    """Of every value, the names of all that was computed on the way to it, and whatever sets were put in.

    What stands in the place of a computed value (`own`) is the set that is given for it: the way back ends there.
    """
    cell, arithmetic = program.cell, NeedsArithmetic()
    keys = by_id(layout(cell))
    found: dict[Place, Needs] = {}

    def read(step: int | None, id_: str, value: Needs) -> Needs:
        place = (keys[step is None, id_].key, step)
        found[place] = value
        return own[place] if place in own else value | {place[0]}

    trace = run_forward(cell, given.parameters, given.inputs, given.initial, arithmetic, read)
    backward_run(program, trace, given.cotangents, given.final, arithmetic, None, read)
    return found


def places(every: Mapping[str, Entry], steps: int) -> list[Place]:
    """Everything that is computed, in order: forward from t = 1, backward from T, then what is over time."""
    values = [key for key, entry in every.items() if entry.kind is Kind.VALUE]
    adjoints = [key for key, entry in every.items() if entry.kind is Kind.ADJOINT]
    over_time = [key for key, entry in every.items() if entry.kind is Kind.GRADIENT]
    found: list[Place] = [(key, t) for t in range(steps) for key in values]
    found += [(key, t) for t in reversed(range(steps)) for key in adjoints]
    return found + [(key, None) for key in over_time]


def as_arguments(cell: Cell, given: Mapping[str, Any], steps: int) -> Arguments[Any]:
    """The arguments of a run whose values are one for each key, the same at every step."""
    return Arguments(
        parameters={name: given[name] for name in cell.parameters},
        inputs={name: [given[name]] * steps for name in (*cell.inputs, *cell.targets)},
        initial={state: given[f"{state}_0"] for state in cell.states},
        cotangents={name: [given[f"d{name}_out"]] * steps for name in cell.seeded},
        final={state: given[f"d{state}_final"] for state in cell.states},
    )
