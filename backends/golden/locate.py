"""`derive locate`: a file of someone's numbers, point by point, and what is to be said of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from backends.golden.dumped import Ready, dtype_of, ready
from backends.golden.dumps import DumpError, dump_of, read_dump
from backends.golden.judge import Broken, bench, broken, judged, silent_in, untested, wrong_in
from backends.golden.mistakes import explained
from derivations.derive import Derivation
from derivations.mutants import Mutant, mutants
from derivations.program import backward_program


@dataclass(frozen=True)
class AtPoint:
    """One point of a dump, tested.

    Attributes:
        broken: what breaks on its own inputs, in the order in which it is computed.
        right: the keys of what does not, and says something; `silent`, of what says nothing.
        through: of what is right, what the dump does not have and was computed on the way.
        untested: what the dump has and could not be tested, with the inputs that are nowhere.
    """

    dump: Ready
    broken: tuple[Broken, ...]
    right: tuple[str, ...]
    silent: tuple[str, ...]
    through: tuple[str, ...]
    untested: tuple[tuple[str, tuple[str, ...]], ...]
    worst: float


@dataclass(frozen=True)
class Located:
    """A whole dump."""

    derivation: Derivation
    path: str
    dtype: str
    points: tuple[AtPoint, ...]

    @property
    def wrong(self) -> bool:
        return any(point.broken for point in self.points)

    @property
    def first(self) -> tuple[AtPoint, Broken] | None:
        """The first quantity that breaks, at the first point at which one does."""
        return next(((point, point.broken[0]) for point in self.points if point.broken), None)

    @property
    def tested(self) -> bool:
        """Whether any number of it was shown to be right or wrong."""
        return any(point.broken or point.right for point in self.points)


def locate(
    derivation: Derivation,
    source: Path | Mapping[str, Any],
    *,
    golden: Path | None = None,
    dtype: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Located:
    """The first quantity that a file of numbers gets wrong, and the rest.

    Args:
        source: an .npz or .json file, or arrays by their names.
        golden: golden numbers, from which the inputs are taken that the file does not have.
        dtype: the file's, where neither it nor its arrays say.

    Raises:
        DumpError: the file cannot be read, or does not fit the cell.
        ArithmeticError: its numbers lie on a kink or at a pole.
    """
    dump = read_dump(source) if isinstance(source, Path) else dump_of(source)
    chosen = dtype_of(dump, dtype)
    inputs = None if golden is None else read_dump(golden)

    @cache
    def wrong_programs() -> tuple[Mutant, ...]:
        return mutants(derivation)

    found = []
    for one in ready(derivation.cell, dump, chosen, inputs):
        if progress:
            progress(f"point {one.number}")
        found.append(examined(derivation, one, chosen, wrong_programs))
    located = Located(derivation, dump.path, chosen, tuple(found))
    if not located.tested and not any(point.silent for point in found):
        raise DumpError(_nothing(located))
    return located


def _nothing(found: Located) -> str:
    """Why nothing could be tested."""
    lacking = dict.fromkeys(name for point in found.points for _, names in point.untested for name in names)
    if not lacking:
        return f"{found.path} holds only inputs, and nothing that was computed from them"
    return (
        f"{found.path}: nothing in it can be tested without {', '.join(lacking)}: add them, or name the golden point"
        " that they are from, as about/point or by --golden"
    )


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
