"""A dump made ready: which of its arrays are which, of what sizes, and where what it does not give comes from."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import permutations
from math import prod

import numpy as np

from backends.golden.dumps import Dump, DumpError, Numbers, shown
from backends.golden.layout import BATCH, TIME, Entry, Kind, given_arrays, layout, point_of
from backends.golden.named_points import MOST_ENTRIES, drawn, parsed
from backends.points import Array, Point, rounded
from derivations.cell import Cell, CellError

DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Ready:
    """One point of a dump.

    Attributes:
        number: of the point in the file, from 1.
        point: what the equations are given, rounded to the dtype; zeros stand for what is missing.
        own: by key, what the dump says of everything that is computed.
        golden: the keys of `point` that come from the golden point `source`, and not from the dump.
        missing: the keys of `point` that are nowhere.
        unknown: names that the cell does not have, as they may be printed, each with what may be meant.
        off_format: the given arrays whose numbers the dtype does not have; they were rounded.
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


def dtype_of(dump: Dump, asked: str | None) -> str:
    """The dtype that a dump was computed in: as it is asked for, as the file says, or that of its narrowest array."""
    said = asked or dump.texts.get("dtype")
    if said:
        if said not in DTYPES:
            raise DumpError(f"{dump.path}: the dtype {shown(said)} has no metric; known: {', '.join(DTYPES)}")
        return said
    kinds = {array.dtype.itemsize for numbers in dump.points.values() for array in numbers.arrays.values()}
    return "float32" if 4 in kinds else "float64"


def ready(cell: Cell, dump: Dump, dtype: str, golden: Dump | None = None) -> list[Ready]:
    """Every point of a dump.

    Args:
        golden: a file of golden numbers, from which what is missing is taken, point by point.

    Raises:
        DumpError: it is of another cell, says nothing of this one, or has an array of a wrong shape.
    """
    for one in filter(None, (dump, golden)):
        if one.texts.get("cell", cell.name) != cell.name:
            raise DumpError(f"{one.path} is of the cell {shown(one.texts['cell'])}, and not of {cell.name}")
    if not dump.points:
        raise DumpError(f"{dump.path} holds no numbers")
    try:
        return [_ready(cell, number, numbers, dtype, golden) for number, numbers in dump.points.items()]
    except (DumpError, CellError) as error:
        raise DumpError(f"{dump.path}: {error}") from None


def _ready(cell: Cell, number: int, numbers: Numbers, dtype: str, golden: Dump | None) -> Ready:
    entries = layout(cell)
    source, from_golden = _golden(cell, numbers, number, golden)
    known = {key: array for key, array in numbers.arrays.items() if key in entries}
    if not known:
        near = "".join(f"; {name}" for name in _unknown(numbers, entries)[:3])
        raise DumpError(f"none of its names is one of {cell.name}, such as f, df, grad_{cell.parameters[0]}{near}")
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
    nearest = rounded(point, dtype)
    exact = given_arrays(point)
    return Ready(
        number=number,
        point=nearest,
        sizes=sizes,
        own={key: np.asarray(a, dtype=np.float64) for key, a in known.items() if key not in given},
        golden=tuple(key for key in given if key in outside),
        source=source,
        missing=missing,
        unknown=tuple(_unknown(numbers, entries)),
        off_format=tuple(
            key for key, array in given_arrays(nearest).items() if key in known and (array != exact[key]).any()
        ),
    )


def _golden(cell: Cell, numbers: Numbers, number: int, golden: Dump | None) -> tuple[str, dict[str, Array]]:
    """What may stand in for inputs that are missing, and where it is from."""
    if golden is not None:
        if number not in golden.points:
            raise DumpError(f"{golden.path} has no point {number}")
        entries = layout(cell)
        given = golden.points[number].arrays
        return golden.path, {k: a for k, a in given.items() if k in entries and entries[k].kind is Kind.GIVEN}
    if "point" not in numbers.texts:
        return "", {}
    which = parsed(cell, numbers.texts["point"])
    if which.at:
        raise DumpError(f"the inputs of a walkthrough ({which}) are in its file of golden numbers: name it (--golden)")
    return str(which), given_arrays(drawn(cell, which))


def _unknown(numbers: Numbers, entries: Mapping[str, Entry]) -> list[str]:
    found = []
    for name in numbers.arrays:
        if name not in entries:
            near = get_close_matches(name[:60], entries, 1)
            found.append(f"{shown(name)} (did you mean {near[0]}?)" if near else shown(name))
    return found


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
    return said


def _moved(array: Array, order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(array.shape[axis] for axis in order)
