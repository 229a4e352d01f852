"""Someone's own numbers: the first equation that they break, tested on their own inputs to it.

Each number of a dump is held against what its equation gives from the numbers that the dump itself has, forward from
t = 1, backward from T, then over time. What the dump does not have is computed from the nearest that it has, and such
a test is of several equations at once. The measure is that of `check.py`, for a backend of which nothing is known: a
number that was stored counts as rounded once, and one that is a function's value as often as that function may be
off, because the next equation may have computed it anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Generic, TypeVar

import numpy as np
from flint import ctx
from numpy.typing import NDArray

from backends.arrays import ArrayArithmetic
from backends.balls import precision, radius, smallest, until
from backends.check import CLEAR, errors
from backends.dtypes import format_of
from backends.golden.any_form import AnyForm, stored, stored_k
from backends.golden.dumped import Ready
from backends.golden.layout import Entry, Kind, given_arrays, layout
from backends.golden.own_inputs import Forward, Needs, Place, as_arguments, backward, forward, needs, places
from backends.golden.respelled import otherwise
from backends.golden.values import bound_of
from backends.ledger import Ledger, Rounded
from backends.on_numpy import library
from backends.over_spellings import bound_over
from backends.points import Arguments, Array, arguments
from backends.spellings import use_by_use
from backends.truth import MARGIN, Known
from derivations.cell import Cell
from derivations.expression import Arithmetic
from derivations.program import Backward, Run

V = TypeVar("V")

MISSING = "!"  # in front of what a number hangs on: an input that is nowhere
BAD = "~"  # and a number of the dump that is not finite


@dataclass(frozen=True)
class Broken:
    """A quantity that does not follow from its own inputs.

    Attributes:
        key: as in `layout.py`.
        step: the first at which it breaks, in the order in which it is computed, from 1; None where it has none.
        steps: all of them.
        index: of the worst entry there, in the quantity's shape without time: the batch first, where it has one.
        given, right, error: there; E is infinite for what is not finite.
        through: what the dump does not have, and was computed on the way from its own numbers.
        mistakes: in words, each of which explains all that is wrong here; none where no single mistake does.
        hint: what the numbers look like.
    """

    key: str
    step: int | None
    steps: tuple[int, ...]
    index: tuple[int, ...]
    given: float
    right: float
    error: float
    through: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True)
class Tested:
    """One place of a dump, judged.

    Attributes:
        right: by the equation, in float64; with `bound`, as matrices (B or 1, rows, columns).
        failed, passed: entry by entry; an entry that neither failed nor passed says nothing.
    """

    got: NDArray[np.float64]
    right: NDArray[np.float64]
    bound: NDArray[np.float64]
    error: NDArray[np.float64]
    failed: NDArray[np.bool_]
    passed: NDArray[np.bool_]


@dataclass(frozen=True)
class Bench:
    """One point of a dump with everything that its tests need.

    Attributes:
        own: what the dump has of each place, as a matrix.
        hangs: of each place, what it was computed through: keys, and with a mark what is missing or not finite.
    """

    program: Backward
    entries: Mapping[str, Entry]
    dump: Ready
    dtype: str
    own: Mapping[Place, NDArray[np.float64]]
    hangs: Mapping[Place, Needs]

    @property
    def cell(self) -> Cell:
        return self.program.cell

    @cached_property
    def order(self) -> list[Place]:
        """The places that can be tested, in the order in which they are computed."""
        every = places(self.entries, self.dump.point.steps)
        return [place for place in every if place in self.own and not missing_for(self.hangs[place])]

    @cached_property
    def follows(self) -> Mapping[Place, NDArray[np.float64]]:
        """What hangs on a number of the dump that is not finite, in plain floating point: it is no number either."""
        hanging = [place for place in self.order if any(name.startswith(BAD) for name in self.hangs[place])]
        if not hanging:
            return {}
        found = sketched(self).computed
        return {place: np.broadcast_to(found[place], self.own[place].shape) for place in hanging}

    def stored(self, ledger: Ledger) -> dict[Place, Rounded]:
        """The dump's numbers, as numbers that were computed and stored."""
        return {
            (key, t): stored(ledger, np.where(np.isfinite(array), array, 0.0), *stored_k(self.cell, key, self.dtype))
            for (key, t), array in self.own.items()
        }


def missing_for(hangs: Needs) -> tuple[str, ...]:
    """The inputs that are nowhere."""
    return tuple(sorted(name[1:] for name in hangs if name.startswith(MISSING)))


def bench(program: Backward, dump: Ready, dtype: str) -> Bench:
    """One point, ready to be tested."""
    cell, steps = program.cell, dump.point.steps
    entries = layout(cell)
    own: dict[Place, NDArray[np.float64]] = {}
    for key, array in dump.own.items():
        if entries[key].kind is Kind.GRADIENT:
            own[key, None] = _matrix(array, entries[key].axes)
        else:
            own |= {(key, t): _matrix(array[t], entries[key].axes[1:]) for t in range(steps)}
    ends = {
        place: frozenset() if np.isfinite(array).all() else frozenset({f"{BAD}{place[0]}"})
        for place, array in own.items()
    }
    given = {key: frozenset({f"{MISSING}{key}"} if key in dump.missing else ()) for key in given_arrays(dump.point)}
    hangs = needs(program, as_arguments(cell, given, steps), ends)
    return Bench(program, entries, dump, dtype, own, hangs)


def _matrix(array: Array, axes: tuple[str, ...]) -> NDArray[np.float64]:
    """An array of a file without time, as a program has it: (B or 1, rows, columns)."""
    batched = array if "B" in axes else array[None]
    return np.asarray(batched.reshape(*batched.shape, *(1,) * (3 - batched.ndim)), dtype=np.float64)


# --- running ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Passes(Generic[V]):
    """The derivation's own equations on a dump's numbers, in one arithmetic; what one of them gave is in `computed`."""

    arithmetic: Arithmetic[V]
    given: Arguments[V]
    own: Mapping[Place, V]
    passed: Forward[V]
    run: Run[V]
    computed: Mapping[Place, V]

    def with_mistake(self, program: Backward) -> dict[Place, V]:
        """What the equations give where one of them is another; those that the change does not reach are left out."""
        return backward(program, self.passed, self.given, self.arithmetic, self.own, self.run)[1]


def passes(
    on: Bench, program: Backward, arithmetic: Arithmetic[V], convert: Callable[[Array], V], own: Mapping[Place, V]
) -> Passes[V]:
    """Both passes; `convert` takes what the point gives, `own` is what the dump has."""
    given = arguments(on.dump.point, convert)
    passed = forward(on.cell, on.entries, given, arithmetic, own)
    run, computed = backward(program, passed, given, arithmetic, own)
    return Passes(arithmetic, given, own, passed, run, {**passed.computed, **computed})


def sketched(on: Bench) -> Passes[NDArray[np.float64]]:
    """In plain floating point: fast, to find out which mistake is worth judging."""
    with library("float64") as numpy:
        return passes(on, on.program, ArrayArithmetic(numpy), numpy.array, on.own)


# --- judging ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """Every place of a dump that can be tested, judged by the derivation's equations; in `bits` that are enough."""

    on: Bench
    tests: Mapping[Place, Tested]
    passes: Passes[Rounded]
    bits: int

    def with_mistake(self, program: Backward) -> dict[Place, Tested]:
        """The places that a change of the program reaches, judged by its equations."""
        with precision(self.bits), np.errstate(all="ignore"):
            computed = self.passes.with_mistake(use_by_use(program))
            return {place: _tested(self.on, place, computed[place]) for place in self.tests if place in computed}


def judged(on: Bench) -> Judged:
    """A dump, judged.

    Raises:
        ArithmeticError: a number that the dump does not have lies on a kink or at a pole.
    """
    format_ = format_of(on.dtype)
    spelled = [on, *(bench(program, dump, on.dtype) for program, dump in otherwise(on.program, on.dump))]

    def run(one: Bench) -> Passes[Rounded]:
        arithmetic = AnyForm(one.dtype, one.dump.point)
        ledger = arithmetic.ledger
        return passes(one, use_by_use(one.program), arithmetic, partial(stored, ledger), one.stored(ledger))

    def compute() -> tuple[list[Passes[Rounded]], int]:
        return [run(one) for one in spelled], ctx.prec

    def sharp(found: tuple[list[Passes[Rounded]], int]) -> bool:
        numbers = (found[0][0].computed[place] for place in on.order)
        return all((radius(x.value) <= MARGIN * bound_of(x, format_)).all() for x in numbers)

    with np.errstate(all="ignore"):
        (found, *others), bits = until(sharp, compute)
        tests = {
            place: _tested(
                on, place, found.computed[place], [one.computed[place] for one in others if place in one.computed]
            )
            for place in on.order
        }
    return Judged(on, tests, found, bits)


def _tested(on: Bench, place: Place, number: Rounded, others: Sequence[Rounded] = ()) -> Tested:
    got, bound = on.own[place], bound_over(number, others, format_of(on.dtype))
    known = Known(
        np.broadcast_to(number.value, got.shape),
        np.broadcast_to(bound[0], got.shape),
        np.broadcast_to(bound[1], got.shape),
        format_of(on.dtype),
    )
    error = errors(got, known)
    if place in on.follows:
        error = np.where(np.isfinite(on.follows[place]), error, np.nan)
    clear = known.zero | (known.bound * CLEAR < smallest(known.value))
    return Tested(got, known.nearest, known.bound, error, error > 1, (error <= 1) & clear)


def wrong_in(tests: Mapping[Place, Tested]) -> list[str]:
    """The keys of what breaks, in order."""
    return list(dict.fromkeys(key for (key, _), test in tests.items() if test.failed.any()))


def broken(on: Bench, tests: Mapping[Place, Tested], key: str) -> Broken:
    """What is to be said of one quantity that breaks: its first step, and the worst entry there."""
    failed = [(place, test) for place, test in tests.items() if place[0] == key and test.failed.any()]
    (_, t), test = failed[0]
    flat = int(np.argmax(np.where(test.failed, np.nan_to_num(test.error, nan=-1.0, posinf=np.inf), -1.0)))
    index = tuple(int(i) for i in np.unravel_index(flat, test.error.shape))
    axes = on.entries[key].axes
    inner = len(axes) - ("T" in axes) - ("B" in axes)
    through = sorted(name for place, _ in failed for name in on.hangs[place] if name[0] not in MISSING + BAD)
    return Broken(
        key=key,
        step=None if t is None else t + 1,
        steps=tuple(t + 1 for (_, t), _ in failed if t is not None),
        index=(index[0], *index[1 : 1 + inner]) if "B" in axes else index[1 : 1 + inner],
        given=float(test.got[index]),
        right=float(test.right[index]),
        error=float(test.error[index]),
        through=tuple(dict.fromkeys(through)),
    )


def silent_in(on: Bench, tests: Mapping[Place, Tested]) -> list[str]:
    """The quantities of which not one entry says anything."""
    keys = dict.fromkeys(key for key, _ in on.order)
    of = {key: [test for (k, _), test in tests.items() if k == key] for key in keys}
    return [key for key, each in of.items() if not any(test.passed.any() or test.failed.any() for test in each)]


def untested(on: Bench) -> dict[str, tuple[str, ...]]:
    """What the dump has and cannot be tested at every step, each with the inputs that are nowhere."""
    found: dict[str, set[str]] = {}
    for place in places(on.entries, on.dump.point.steps):
        if place in on.own and (lacking := missing_for(on.hangs[place])):
            found.setdefault(place[0], set()).update(lacking)
    return {key: tuple(sorted(lacking)) for key, lacking in found.items()}
