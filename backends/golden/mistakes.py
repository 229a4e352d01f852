"""Which mistake explains numbers that are wrong: each mutant of the derivation, run on the dump's own inputs.

A mistake explains a quantity if every number of it is what the derivation with that mistake gives, in the same
measure in which it is not what the derivation gives; and if nothing that was right becomes wrong. Most mutants are
told apart in plain floating point, and only those that come near are judged.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.golden.judge import Bench, Broken, Judged, Passes, Tested, sketched
from backends.golden.layout import Kind
from backends.golden.own_inputs import Place
from derivations.mutants import Mutant

NEAR = 64  # times the bound and the rounding of the number itself: what a sketch may be off
MOST_JUDGED = 16
MOST_NAMED = 3
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
        if not failed - set(wrong) and (fixed := repairs - failed):
            result.append(Explanation(mutant.mistake, mutant.of, fixed))
    return sorted(result, key=lambda one: -len(one.repairs))


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
        result.append(replace(one, mistakes=said, hint="" if said else next(_hints(found, one, sketch), "")))
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
    ratios = np.concatenate([(test.got / test.right)[test.right != 0].ravel() for test in mine.values()])
    if ratios.size > 1 and np.ptp(ratios) <= 1e-6 * np.abs(ratios).max() and abs(ratios[0] - 1) > 1e-3:
        yield f"it is {float(np.median(ratios)):.6g} times what is right, in every entry"
