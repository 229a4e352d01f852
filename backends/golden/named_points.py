"""Points by a line of text, so that a file of numbers can say where its inputs came from.

seed=1 T=4 B=3 n=2 m=5        drawn, as `points.draw` does
at=notebook seed=1            a walkthrough's own numbers, with cotangents drawn
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from backends.golden.layout import BATCH, TIME
from backends.points import Point, draw, draw_scalar, letters, of_numbers, shape_in, small_sizes
from derivations.cell import Cell, CellError
from derivations.walkthrough import Walkthrough

MOST_STEPS, MOST_BATCH, MOST_SIZE, MOST_SEED = 200, 256, 512, 2**63 - 1
MOST_ENTRIES = 500_000  # of all arrays of a point together: balls are exact, and slow
_WORD = re.compile(r"([A-Za-z]\w{0,9})=([\w.-]{1,80})", re.ASCII)


@dataclass(frozen=True)
class Asked:
    """Which point: `at` is a walkthrough of the catalogue, whose sizes are 1."""

    seed: int
    steps: int = 4
    batch: int = 3
    sizes: Mapping[str, int] = field(default_factory=dict)
    at: str = ""

    def __str__(self) -> str:
        if self.at:
            return f"at={self.at} seed={self.seed}"
        sizes = {TIME: self.steps, BATCH: self.batch, **self.sizes}
        return " ".join([f"seed={self.seed}", *(f"{letter}={size}" for letter, size in sizes.items())])


def asked(cell: Cell, seed: int, steps: int, batch: int, sizes: Mapping[str, int], scalar: bool) -> Asked:
    """Which point is meant: sizes that are not given are small and all different, or all 1 in the scalar view.

    Raises:
        CellError: a size that the cell does not have, or that is too large or too small.
    """
    known = letters(cell)
    for letter in sizes:
        if letter not in known:
            raise CellError(f"{cell.name} has no size {letter[:40]!a}; it has {', '.join(known) or 'none'}")
    if scalar and cell.stacked:
        raise CellError(f"{cell.name} stacks vectors, so it has no scalar view; leave --scalar out")
    if scalar and any(size != 1 for size in sizes.values()):
        raise CellError("in the scalar view every size is 1; leave --sizes out")
    chosen = {**(dict.fromkeys(known, 1) if scalar else small_sizes(cell, steps, batch)), **sizes}
    found = Asked(seed, steps, batch, {letter: chosen[letter] for letter in known})
    _hold(cell, found)
    return found


def _hold(cell: Cell, found: Asked) -> None:
    for what, value, most in (
        ("seed", found.seed, MOST_SEED),
        ("T", found.steps, MOST_STEPS),
        ("B", found.batch, MOST_BATCH),
        *((letter, size, MOST_SIZE) for letter, size in found.sizes.items()),
    ):
        least = 0 if what == "seed" else 1
        if not least <= value <= most:
            raise CellError(f"{what} = {value} is out of range; it goes from {least} to {most}")
    outer = found.steps * found.batch
    entries = sum(
        int(np.prod(shape_in(cell, name, found.sizes))) * (found.steps if name in cell.parameters else outer)
        for name in cell.shapes
    )
    if entries > MOST_ENTRIES:
        raise CellError(f"a point of {entries:,} numbers is too large; {MOST_ENTRIES:,} is the most: smaller sizes do")


def parsed(cell: Cell, text: str) -> Asked:
    """Which point a line of text means.

    Raises:
        CellError: it is no such line, or not of this cell.
    """
    words = text.split(" ")
    found = {match[1]: match[2] for match in map(_WORD.fullmatch, words) if match}
    if len(found) != len(words) or "seed" not in found:
        raise CellError(f"{text[:80]!a} names no point; it reads like seed=1 T=4 B=3 n=2 m=5")
    at = found.pop("at", "")
    try:
        numbers = {word: int(value) for word, value in found.items()}
    except ValueError:
        raise CellError(f"{text[:80]!a} names no point: sizes are whole numbers") from None
    if at:
        if set(numbers) != {"seed"}:
            raise CellError(f"{text[:80]!a} names no point: a walkthrough has its own sizes")
        return Asked(numbers["seed"], at=at)
    if not {TIME, BATCH} <= numbers.keys():
        raise CellError(f"{text[:80]!a} names no point: it says no T or no B")
    seed, steps, batch = numbers.pop("seed"), numbers.pop(TIME), numbers.pop(BATCH)
    if set(numbers) != set(letters(cell)):
        raise CellError(f"{text[:80]!a} is no point of {cell.name}, whose sizes are {', '.join(letters(cell))}")
    return asked(cell, seed, steps, batch, numbers, scalar=False)


def drawn(cell: Cell, which: Asked) -> Point:
    """The point that is drawn: hard enough, as `points.py` says."""
    return draw(cell, which.seed, steps=which.steps, batch=which.batch, sizes=which.sizes)


def at_walkthrough(walkthrough: Walkthrough, seed: int) -> Point:
    """A walkthrough's numbers, in its source's names: one sequence, and drawn cotangents on every output."""
    cell = walkthrough.cell
    sent = draw_scalar(cell, seed, steps=walkthrough.steps, batch=1)
    name = f"at={walkthrough.name} seed={seed}"
    point = of_numbers(cell, name, walkthrough.parameters, walkthrough.inputs, walkthrough.initial)
    return replace(point, cotangents=sent.cotangents, final=sent.final)
