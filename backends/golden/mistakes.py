"""Which mistake explains numbers that are wrong: each mutant of the derivation, run on the dump's own inputs.

A mistake explains a quantity if every number of it is what the derivation with that mistake gives, in the same
measure in which it is not what the derivation gives; if its effect is more than rounding; and if nothing that was
right becomes wrong. Most mutants are told apart in plain floating point, and only those that come near are judged.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.golden.judge import Bench, Broken, Judged, Passes, Tested, sketched
from backends.golden.layout import BATCH, Kind
from backends.golden.own_inputs import Place
from derivations.expression import Call
from derivations.mutants import Mutant

NEAR = 64  # times the bound and the rounding of the number itself: what a sketch may be off
MOST_JUDGED = 16
MOST_NAMED = 3
SMALL = 1e4  # E of a function that is less accurate, rather than wrong
ROOM = 0.005  # the bound, of the distance: where a multiple is seen to be constant
Sketch = Passes[NDArray[np.float64]]


@dataclass(frozen=True)
class Explanation:
    """One mistake and the quantities that break because of it."""

    mistake: str
    of: str
    repairs: frozenset[str]


def explanations(found: Judged, wrong: list[str], mutants: tuple[Mutant, ...], sketch: Sketch) -> list[Explanation]:
    """Every mistake that explains something, the one that explains most first."""
    likely = []
    for mutant in mutants:
        if _possible(found, mutant, wrong) and (repairs := _repairs(found.tests, wrong, sketch, mutant)):
            likely.append((mutant, repairs))
    likely.sort(key=lambda pair: -len(pair[1]))
    result = []
    for mutant, repairs in likely[:MOST_JUDGED]:
        again = found.with_mistake(mutant.program)
        failed = {place[0] for place, test in again.items() if test.failed.any()}
        fixed = frozenset(key for key in repairs - failed if _shows(key, found.tests, again))
        if fixed and not failed - set(wrong):
            result.append(Explanation(mutant.mistake, mutant.of, fixed))
    return sorted(result, key=lambda one: -len(one.repairs))


def _shows(key: str, tests: Mapping[Place, Tested], again: Mapping[Place, Tested]) -> bool:
    """Whether a mistake moves what is wrong by more than rounding does: one more rounding is no explanation."""
    for place, test in tests.items():
        if place[0] == key and place in again:
            with np.errstate(invalid="ignore"):  # two infinities
                far = np.abs(again[place].right - test.right)
            if (far > test.bound)[test.failed].any():
                return True
    return False


def key_of(on: Bench, of: str) -> str | None:
    """What a file calls the quantity in which a mistake is made; None for one that is in no single quantity."""
    if of in on.entries and on.entries[of].kind is Kind.ADJOINT:
        return of
    return f"grad_{of}" if f"grad_{of}" in on.entries else None


def _possible(found: Judged, mutant: Mutant, wrong: list[str]) -> bool:
    """Whether the mistake could make anything wrong that is: there, or on the way to it."""
    on = found.on
    key = key_of(on, mutant.of)
    return key is None or key in wrong or any(key in on.hangs[place] for place in on.order if place[0] in wrong)


def _repairs(tests: Mapping[Place, Tested], wrong: list[str], sketch: Sketch, mutant: Mutant) -> frozenset[str]:
    """The quantities that a mistake may explain: none if it makes another wrong."""
    try:
        with np.errstate(all="ignore"):
            computed = sketch.with_mistake(mutant.program)
    except (ValueError, IndexError):  # its shapes do not fit these sizes
        return frozenset()
    explains = {place for place in computed if place in tests and _near(computed[place], tests[place])}
    if any(place[0] not in wrong for place in computed.keys() - explains if place in tests):
        return frozenset()
    still = {place[0] for place, test in tests.items() if test.failed.any() and place not in explains}
    return frozenset(wrong) - still


def _near(predicted: Any, test: Tested) -> bool:
    with np.errstate(all="ignore"):
        room = NEAR * (test.bound + 2.0**-50 * np.abs(test.got))
        near = (np.abs(predicted - test.got) <= room) | np.isnan(test.error) | ~np.isfinite(room)
        return bool(near.all())


def explained(found: Judged, breaks: list[Broken], mutants: Callable[[], tuple[Mutant, ...]]) -> list[Broken]:
    """What breaks, each with the mistakes that explain it: those that explain most beside it."""
    if not breaks:
        return []
    sketch, entries = sketched(found.on), found.on.entries
    wrong = [one.key for one in breaks]
    backward = any(entries[key].kind is not Kind.VALUE for key in wrong)
    known = explanations(found, wrong, mutants(), sketch) if backward else []
    result = []
    for one in breaks:
        named = [e for e in known if one.key in e.repairs]
        most = max((len(e.repairs) for e in named), default=0)
        said = tuple(e.mistake for e in named if len(e.repairs) == most)[:MOST_NAMED]
        with np.errstate(all="ignore"):  # zeros divided by zeros look like nothing
            hint = "" if said else next(_hints(found, one, sketch), "")
        result.append(replace(one, mistakes=said, hint=hint))
    return result


# --- what numbers look like, where no mutant explains them ------------------------------------------------------------


def _hints(found: Judged, one: Broken, sketch: Sketch) -> Iterator[str]:
    mine = {place[1]: test for place, test in found.tests.items() if place[0] == one.key}
    steps, entries = found.on.dump.point.steps, found.on.entries

    def are(key: str, at: Callable[[int], int] = lambda t: t) -> bool:
        """Whether these are the numbers of `key`, at the step that each step is sent to; steps beyond do not count."""
        there = {t: None if t is None else at(t) for t in mine}
        due = {t: sketch.computed[key, to] for t, to in there.items() if to is None or 0 <= to < steps}
        return bool(due) and all(near(value, mine[t]) for t, value in due.items())

    def near(value: Any, test: Tested) -> bool:
        return value.shape == test.got.shape and _near(value, test)

    if all(not test.got.any() for test in mine.values()):
        yield "it is zero throughout: is it never written?"
    if any(not np.isfinite(test.got).all() for test in mine.values()):
        return
    if one.step is not None:
        if are(one.key, lambda t: steps - 1 - t):
            yield "its steps are in reverse order"
        if are(one.key, lambda t: t + 1):
            yield "each step has the numbers of the step after"
        if are(one.key, lambda t: t - 1):
            yield "each step has the numbers of the step before"
    for key, entry in entries.items():
        alike = entry.axes == entries[one.key].axes and entry.kind is not Kind.GIVEN
        if key != one.key and alike and are(key):
            yield f"these are the numbers of {key}"
    yield from _moved(found.on, mine)
    yield from _multiple(found.on, mine)
    call = found.on.cell.equation(one.key).rhs if one.key in found.on.cell.defined else None
    if isinstance(call, Call) and one.error < SMALL:
        yield f"it is nearly right: is your {call.function} less accurate than any that is known?"


def _moved(on: Bench, mine: Mapping[int | None, Tested]) -> Iterator[str]:
    """Right numbers at wrong places of one array."""

    def are(move: Callable[[Any], Any], axis: int) -> bool:
        return all(
            test.got.shape[axis] > 1 and (moved := move(test.right)).shape == test.got.shape and _near(moved, test)
            for test in mine.values()
        )

    if are(lambda a: np.swapaxes(a, 1, 2), 2):
        yield "it is transposed"
    if are(lambda a: a[::-1], 0):
        yield "its sequences are in reverse order"
    tests = list(mine.values())
    last = all(test.got.shape[1] > 1 and not test.got[:, -1].any() for test in tests)
    if last and not any(test.failed[:, :-1].any() for test in tests):
        yield "its last unit is 0 throughout: does the loop end one early?"


def _multiple(on: Bench, mine: Mapping[int | None, Tested]) -> Iterator[str]:
    """A constant multiple of what is right, as far as rounding lets it be seen."""
    usable = [(t.got / t.right)[(t.right != 0) & (t.bound < ROOM * np.abs(t.got - t.right))] for t in mine.values()]
    off = np.concatenate([one.ravel() for one in usable]) - 1
    whole = sum(int((test.right != 0).sum()) for test in mine.values())
    if off.size < max(2, 0.9 * whole) or np.ptp(off) > 0.01 * np.abs(off).max():
        return
    ratio = 1 + float(np.median(off))
    said = f"{ratio:.6g}" if abs(ratio - 1) > 1e-3 else f"1 {'-' if ratio < 1 else '+'} {abs(ratio - 1):.2g}"
    batch, steps = on.dump.sizes.get(BATCH, 1), on.dump.point.steps
    sizes = {"the batch size": batch, "the number of steps": steps}
    means = [f": divided by {what}, {n}?" for what, n in sizes.items() if n > 1 and abs(ratio * n - 1) < 1e-3]
    yield f"it is {said} times what is right, in every entry{''.join(means[:1])}"
