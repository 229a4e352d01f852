"""`derive locate`: a file of someone's numbers, point by point, and what is to be said of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from backends.golden.dumped import Ready, ready
from backends.golden.dumps import Dump, DumpError, dump_of, read_dump
from backends.golden.judge import Broken, bench, broken, judged, silent_in, untested, wrong_in
from backends.golden.layout import Kind, layout
from backends.golden.mistakes import explained
from backends.golden.precision import choose, in_dtype
from derivations.derive import Derivation
from derivations.mutants import Mutant, mutants
from derivations.program import backward_program
from derivations.walkthrough import Walkthrough

COARSE = ("float32", "float64")  # of the golden numbers, and of those that are held against them
ADD = "add them, or name the golden point that they are from, as about/point or by --golden"


@dataclass(frozen=True)
class AtPoint:
    """One point of a dump, tested.

    Attributes:
        broken: what breaks on its own inputs, in the order in which it is computed.
        right: the keys of what does not, and says something; `silent`, of what says nothing.
        through: of what is right, what the dump does not have and was computed on the way.
        untested: what the dump has and could not be tested, at some step at least, with the inputs that are nowhere.
    """

    dump: Ready
    broken: tuple[Broken, ...]
    right: tuple[str, ...]
    silent: tuple[str, ...]
    through: tuple[str, ...]
    untested: tuple[tuple[str, tuple[str, ...]], ...]
    worst: float

    @property
    def tested(self) -> frozenset[str]:
        """The keys whose equations were tested: by a number of the dump itself, or on the way to one."""
        broken = {name for one in self.broken for name in (one.key, *one.through)}
        return frozenset(broken.union(self.right, self.through))


@dataclass(frozen=True)
class Located:
    """A whole dump.

    Attributes:
        why: the reason for the dtype, where nobody said it.
    """

    derivation: Derivation
    path: str
    dtype: str
    points: tuple[AtPoint, ...]
    why: str = ""

    @property
    def wrong(self) -> bool:
        return any(point.broken for point in self.points)

    @property
    def equations(self) -> tuple[int, int]:
        """How many equations were tested, at the point at which the fewest were, and how many there are."""
        computed = [entry for entry in layout(self.derivation.cell).values() if entry.kind is not Kind.GIVEN]
        return min((len(point.tested) for point in self.points), default=0), len(computed)

    @property
    def incomplete(self) -> tuple[str, ...]:
        """The inputs for want of which some number of the dump was not tested."""
        return tuple(dict.fromkeys(name for point in self.points for _, names in point.untested for name in names))

    @property
    def first(self) -> tuple[AtPoint, Broken] | None:
        """The first quantity that breaks, at the first point at which one does."""
        return next(((point, point.broken[0]) for point in self.points if point.broken), None)


def locate(
    derivation: Derivation,
    source: Path | Mapping[str, Any],
    *,
    golden: Path | Mapping[str, Any] | None = None,
    dtype: str | None = None,
    at: Walkthrough | None = None,
    progress: Callable[[str], None] | None = None,
) -> Located:
    """The first quantity that a file of numbers gets wrong, and the rest.

    Args:
        source: an .npz or .json file, or arrays by their names.
        golden: golden numbers, from which the inputs are taken that the file does not have: a file, or arrays.
        at: the walkthrough whose derivation this is.
        dtype: the file's, where neither it nor its arrays say.

    Raises:
        DumpError: the file cannot be read, or does not fit the cell.
        ArithmeticError: its numbers lie on a kink or at a pole.
    """
    dump = _dump(source)
    inputs = None if golden is None else _dump(golden, "the golden numbers")
    chosen = choose(dump, layout(derivation.cell), dtype)

    @cache
    def wrong_programs() -> tuple[Mutant, ...]:
        return mutants(derivation)

    found = []
    for one in ready(derivation.cell, in_dtype(dump, chosen), chosen.name, inputs, at):
        if inputs is not None and one.golden and (inputs.texts.get("dtype", chosen.name), chosen.name) == COARSE:
            mend = "make the golden numbers in float64, or have yours measured in float32 (--dtype float32)"
            raise DumpError(f"{dump.path} is in float64, and its inputs from {inputs.path} in float32; {mend}")
        if progress:
            progress(f"point {one.number}")
        found.append(examined(derivation, one, chosen.name, wrong_programs))
    located = Located(derivation, dump.path, chosen.name, tuple(found), chosen.why)
    if not any(point.tested or point.silent for point in found):
        raise DumpError(_nothing(located))
    return located


def _dump(source: Path | Mapping[str, Any], name: str = "the dump") -> Dump:
    return read_dump(source) if isinstance(source, Path) else dump_of(source, name)


def _nothing(found: Located) -> str:
    """Why nothing could be tested."""
    if not found.incomplete:
        return f"{found.path} holds only inputs, and nothing that was computed from them"
    return f"{found.path}: nothing in it can be tested without {', '.join(found.incomplete)}: {ADD}"


def examined(
    derivation: Derivation, one: Ready, dtype: str, wrong_programs: Callable[[], tuple[Mutant, ...]]
) -> AtPoint:
    """One point of a dump, tested; `wrong_programs` are asked for where something breaks."""
    on = bench(backward_program(derivation), one, dtype)
    found = judged(on)
    wrong = wrong_in(found.tests)
    silent = silent_in(on, found.tests)
    tested = dict.fromkeys(key for key, _ in on.order)
    right = [key for key in tested if key not in wrong and key not in silent]
    through = {name for place in on.order if place[0] in right for name in on.hangs[place] if name.isidentifier()}
    errors = [np.nanmax(t.error, initial=0.0) for (key, _), t in found.tests.items() if key not in wrong]
    return AtPoint(
        dump=one,
        broken=tuple(explained(found, [broken(on, found.tests, key) for key in wrong], wrong_programs)),
        right=tuple(right),
        silent=tuple(silent),
        through=tuple(sorted(through)),
        untested=tuple(untested(on).items()),
        worst=float(max(errors, default=0.0)),
    )
