"""A dump made ready: which of its arrays are which, of what sizes, and where what it does not give comes from."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import permutations
from math import prod

import numpy as np

from backends.dtypes import format_of
from backends.golden.dumps import Dump, DumpError, Numbers, shown
from backends.golden.layout import BATCH, TIME, Entry, Kind, given_arrays, layout, point_of
from backends.golden.named_points import MOST_ENTRIES, at_walkthrough, drawn, parsed
from backends.points import Array, Point
from derivations.canonical import same_equations
from derivations.cell import Cell, CellError
from derivations.language import read
from derivations.walkthrough import Walkthrough

NEAR = 0.7  # how alike two names are, one of which may be meant for the other (difflib's ratio)


@dataclass(frozen=True)
class Ready:
    """One point of a dump.

    Attributes:
        number: of the point in the file, from 1.
        point: what the equations are given, as it stands in the file; zeros stand for what is missing.
        own: by key, what the dump says of everything that is computed.
        golden: the keys of `point` that come from the golden point `source`, and not from the dump.
        missing: the keys of `point` that are nowhere.
        unknown: names that the cell does not have, as they may be printed.
        off_format: the arrays that have numbers which the dtype does not have.
    """

    number: int
    point: Point
    sizes: Mapping[str, int]
    own: Mapping[str, Array]
    golden: tuple[str, ...]
    source: str
    missing: frozenset[str]
    unknown: tuple[str, ...]
    off_format: tuple[str, ...]


def ready(cell: Cell, dump: Dump, dtype: str, golden: Dump | None = None, at: Walkthrough | None = None) -> list[Ready]:
    """Every point of a dump.

    Args:
        golden: a file of golden numbers, from which what is missing is taken, point by point.
        at: the walkthrough of which `cell` is, in its source's names.

    Raises:
        DumpError: it is of another cell, has a name that is nearly one of this cell, says nothing of this one, or
            has an array of a wrong shape.
    """
    for one in filter(None, (dump, golden)):
        _hold_cell(cell, one, at)
    if not dump.points:
        raise DumpError(f"{dump.path} holds no numbers")
    try:
        return [
            _ready(cell, number if dump.numbered else 0, numbers, dtype, golden, at)
            for number, numbers in dump.points.items()
        ]
    except (DumpError, CellError) as error:
        raise DumpError(f"{dump.path}: {error}") from None


def _hold_cell(cell: Cell, dump: Dump, at: Walkthrough | None) -> None:
    """A file that says of which cell it is must be of this one: in its names, and with its readouts and loss."""
    if dump.texts.get("cell", cell.name) != cell.name:
        raise DumpError(f"{dump.path} is of the cell {shown(dump.texts['cell'])}, and not of {cell.name}")
    points = [text for numbers in dump.points.values() if (text := numbers.texts.get("point"))]
    which = next((parsed(cell, text).at for text in points if text.startswith("at=")), "")
    if which and (at is None or which != at.name):
        raise DumpError(f"{dump.path} is in the names of the walkthrough {which}: say so (--at {which})")
    if "text" in dump.texts:
        try:
            said = read(dump.texts["text"])
        except CellError as error:
            raise DumpError(f"{dump.path}: its text is of no cell: {error}") from None
        if not same_equations(replace(said, title=""), replace(cell, title="")):
            other = f"{dump.path} is of another {cell.name}: its equations or its names differ from those given here"
            raise DumpError(f"{other} (--rename and --at must be as when it was made)")


def _ready(cell: Cell, number: int, numbers: Numbers, dtype: str, golden: Dump | None, at: Walkthrough | None) -> Ready:
    entries = layout(cell)
    known = {key: array for key, array in numbers.arrays.items() if key in entries}
    unknown = _unknown(cell, numbers, entries)
    if not known:
        such = ", ".join(key for key in (cell.defined[0], f"d{cell.defined[0]}", f"grad_{cell.parameters[0]}"))
        raise DumpError(f"none of its names is one of {cell.name}, such as {such}")
    kinds = {entries[key].kind for key in known}
    if len(unknown) > sum(entries[key].kind is not Kind.GIVEN for key in known) > 0:
        raise DumpError(f"most of its names are none of {cell.name}: {_few(unknown)}; is it a dump of another cell?")
    lacks = any(entry.kind is Kind.GIVEN and key not in known for key, entry in entries.items())
    source = ""
    from_golden: dict[str, Array] = {}
    if lacks and kinds != {Kind.GIVEN}:
        source, from_golden = _golden(cell, numbers, number, golden, at)
        _hold_alike(known, from_golden, source, dtype)
    outside = {key: array for key, array in from_golden.items() if key not in known}
    sizes = _sizes({**from_golden, **known}, entries, from_golden)
    numbers_in_all = sum(prod(entry.shape(sizes)) for entry in entries.values())
    if numbers_in_all > MOST_ENTRIES:
        most = f"{MOST_ENTRIES:,} is the most: smaller sizes, fewer steps or sequences do"
        raise DumpError(f"a run of these sizes has {numbers_in_all:,} numbers, which are tested exactly; {most}")
    given = {key: entry for key, entry in entries.items() if entry.kind is Kind.GIVEN}
    arrays = {**outside, **{key: known[key] for key in given if key in known}}
    missing = frozenset(given) - set(arrays)
    arrays |= {key: np.zeros(given[key].shape(sizes)) for key in missing}
    point = point_of(cell, f"point {number}", {key: np.asarray(a, dtype=np.float64) for key, a in arrays.items()})
    for key, array in given_arrays(point).items():
        if not np.isfinite(array).all():
            raise DumpError(f"{key} is given, and has {int((~np.isfinite(array)).sum())} entries that are not finite")
    nearest = format_of(dtype).nearest
    return Ready(
        number=number or 1,
        point=point,
        sizes=sizes,
        own={key: np.asarray(a, dtype=np.float64) for key, a in known.items() if key not in given},
        golden=tuple(key for key in given if key in outside),
        source=source,
        missing=missing,
        unknown=tuple(unknown),
        off_format=tuple(
            key for key, a in known.items() if not np.array_equal(nearest(a), np.asarray(a, "f8"), equal_nan=True)
        ),
    )


def _golden(
    cell: Cell, numbers: Numbers, number: int, golden: Dump | None, at: Walkthrough | None
) -> tuple[str, dict[str, Array]]:
    """What may stand in for inputs that are missing, and where it is from; number 0 where the dump has none."""
    said = numbers.texts.get("point", "")
    if golden is not None:
        named = {k: one.texts.get("point", "") for k, one in golden.points.items()}
        if said and said not in named.values():
            raise DumpError(f"it says that it is from the point {shown(said)}, which {golden.path} does not have")
        if not said and not number and len(named) > 1:
            which = "put its number in front of every name, as in 2/f, or say it as about/point"
            raise DumpError(f"from which of the {len(named)} points of {golden.path} is it? {which}")
        chosen = next(k for k, text in named.items() if text == said) if said else number or min(named, default=0)
        if chosen not in golden.points:
            raise DumpError(f"{golden.path} has no point {chosen}")
        entries = layout(cell)
        given = golden.points[chosen].arrays
        source = f"{chosen} of {golden.path}{f' ({named[chosen]})' if named[chosen] else ''}"
        return source, {k: a for k, a in given.items() if k in entries and entries[k].kind is Kind.GIVEN}
    if not said:
        return "", {}
    which_point = parsed(cell, said)
    if which_point.at and at is not None:
        return said, given_arrays(at_walkthrough(at, which_point.seed))
    return said, given_arrays(drawn(cell, which_point))


def _hold_alike(known: Mapping[str, Array], golden: Mapping[str, Array], source: str, dtype: str) -> None:
    """Inputs that the dump has, and that are other inputs than those of the golden point, are of another point."""
    nearest = format_of(dtype).nearest
    for key in known.keys() & golden.keys():
        if known[key].shape == golden[key].shape and not np.array_equal(nearest(known[key]), nearest(golden[key])):
            raise DumpError(f"its {key} is not that of the golden point {source}: is it from another point?")


def _unknown(cell: Cell, numbers: Numbers, entries: Mapping[str, Entry]) -> list[str]:
    """The names that the cell does not have.

    Raises:
        DumpError: one is nearly a name that the cell has: it would go untested by mistake.
    """
    folded = {_folded(key): key for key in reversed(list(entries))}
    found, near = [], []
    for name in numbers.arrays:
        if name not in entries:
            found.append(shown(name))
            if meant := get_close_matches(_folded(name[:60]), folded, 1, NEAR):
                near.append(f"{shown(name)} (did you mean {folded[meant[0]]}?)")
    if near:
        rest = "; what is no number of the cell may stand under about/, as in about/mine"
        raise DumpError(f"{cell.name} has no {_few(near)}{rest}")
    return found


def _folded(name: str) -> str:
    return name.replace("_", "").casefold()


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


# --- sizes ------------------------------------------------------------------------------------------------------------


def _sizes(arrays: Mapping[str, Array], entries: Mapping[str, Entry], sure: Mapping[str, Array]) -> dict[str, int]:
    """T, B and the letters, as most arrays have them; every array is held to them.

    Raises:
        DumpError: an array of another shape: it says which is due, and whether a transposition would fit.
    """
    votes: dict[str, Counter[int]] = {}
    for key, array in arrays.items():
        axes = entries[key].axes
        if len(axes) == array.ndim:
            for axis, size in zip(axes, array.shape, strict=True):
                if "+" not in axis:  # what comes from a golden point is right
                    votes.setdefault(axis, Counter())[size] += 1000 if key in sure else 1
    letters = dict.fromkeys(part for entry in entries.values() for axis in entry.axes for part in axis.split("+"))
    sizes = {axis: votes[axis].most_common(1)[0][0] if axis in votes else 1 for axis in letters}
    for key, array in arrays.items():
        due = entries[key].shape(sizes)
        if array.shape != due:
            if not sure and _batch_first(arrays, entries):
                swap = "swap their first two axes, as numpy.swapaxes(h, 0, 1) does"
                raise DumpError(f"its arrays over time are (B, T, ...), where (T, B, ...) is due: {swap}")
            raise DumpError(_misshapen(key, array, entries[key], due, sizes))
    for axis, size in sizes.items():
        if size < 1:
            raise DumpError(f"{axis} is {size}: there are no numbers to look at")
    return sizes


def _misshapen(key: str, array: Array, entry: Entry, due: tuple[int, ...], sizes: Mapping[str, int]) -> str:
    axes = f"({', '.join(entry.axes)}{',' if len(entry.axes) == 1 else ''})"
    known = ", ".join(f"{axis} = {sizes[axis]}" for axis in (TIME, BATCH, *sorted(set(sizes) - {TIME, BATCH})))
    said = f"{key} has shape {array.shape}, where {axes} = {due} is due ({known})"
    fits = [order for order in permutations(range(min(array.ndim, 5))) if _moved(array, order) == due]
    if fits and array.ndim <= 5:
        return f"{said}; transpose({key}, {fits[0]}) would fit"
    if array.size == int(np.prod(due)):
        return f"{said}; it has as many numbers: is it flattened, or reshaped?"
    if TIME in entry.axes and array.shape == due[1:]:
        return f"{said}; it has no axis of steps: is it the last step alone?"
    if TIME in entry.axes and array.shape == (due[0] + 1, *due[1:]):
        return f"{said}; it is one step longer: does it begin with the initial state? {key}[1:] would fit"
    if BATCH in entry.axes and array.ndim == len(due) - 1:
        return f"{said}; it has no axis of the batch, which is due even for one sequence"
    return said


def _batch_first(arrays: Mapping[str, Array], entries: Mapping[str, Entry]) -> bool:
    """Whether all shapes would agree if the batch came before the steps."""
    sizes: dict[str, int] = {}
    for key, array in arrays.items():
        axes = entries[key].axes
        axes = (BATCH, TIME, *axes[2:]) if axes[:2] == (TIME, BATCH) else axes
        if len(axes) != array.ndim:
            return False
        if any(sizes.setdefault(axis, size) != size for axis, size in zip(axes, array.shape, strict=True)):
            return False
    return True


def _moved(array: Array, order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(array.shape[axis] for axis in order)
