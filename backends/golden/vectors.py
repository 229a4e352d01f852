"""Golden numbers of a cell as a file: at hard points, with bounds, for tests in any language.

The file is npz (a zip of .npy arrays, none of them pickled) or JSON. Both are made of the same text and numbers, byte
for byte alike from run to run.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backends.dtypes import ANY, ERRORS, error_of, format_of
from backends.golden.layout import BATCH, TIME, Entry, layout
from backends.golden.named_points import Asked, asked, at_walkthrough, drawn
from backends.golden.precision import DTYPES
from backends.golden.values import Golden, golden
from backends.points import Point, letters
from derivations.canonical import canonical
from derivations.cell import Cell, CellError
from derivations.derive import Derivation
from derivations.output import SIGNATURE
from derivations.program import backward_program
from derivations.version import __version__
from derivations.walkthrough import Walkthrough

SCHEMA = "derivations/vectors/1"
MOST_DRAWS, MOST_POINTS = 16, 100
CHECK = (
    "A program is right where |got - right| <= bound, entry by entry, and wrong where not; got is computed in the"
    " dtype from the given arrays. The bound is u*S + eta*N, what rounding can do to a right program (u is the unit"
    " roundoff, eta the smallest normal number, k the error of a function in units of u), and the rounding of the"
    " number here. Arrays run over time, batch, and the quantity's own shape: (T, B, n). An infinite bound says"
    " nothing."
)


@dataclass(frozen=True)
class Vectors:
    """What goes into one file."""

    cell: Cell
    dtype: str
    points: tuple[Golden, ...]

    @property
    def entries(self) -> Mapping[str, Entry]:
        return layout(self.cell)

    @property
    def metric(self) -> dict[str, Any]:
        """u, eta, and k of every function."""
        format_ = format_of(self.dtype)
        k = {name: error_of(name, self.dtype, ANY) for name in sorted(ERRORS)}
        return {"unit": format_.unit, "smallest": format_.smallest, "k": k}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of single numbers."""
        bad = [
            f"point {number}: {key} has {count} of {array.size} {what}"
            for number, point in enumerate(self.points, 1)
            for what, arrays in (("beyond the dtype", point.right), ("without a bound", point.bound))
            for key, array in arrays.items()
            if (count := int((~np.isfinite(array)).sum()))
        ]
        return tuple(bad)


def vectors(
    derivation: Derivation,
    *,
    seed: int = 1,
    points: int = 3,
    steps: int = 4,
    batch: int = 3,
    sizes: Mapping[str, int] | None = None,
    scalar: bool = False,
    dtype: str = "float64",
    at: Walkthrough | None = None,
    progress: Callable[[str], None] | None = None,
) -> Vectors:
    """Golden numbers at so many points.

    Args:
        sizes: by letter of the cell's shapes; small and all different where not given.
        scalar: every size is 1.
        at: a walkthrough of the cell, whose numbers are the first point; the others are drawn.

    Raises:
        CellError: a size that the cell does not have, a point that is too large, no points at all or more than 100,
            or a dtype in which no file is written.
        ArithmeticError: of 16 points more than were asked for, too few lie off all kinks and poles.
    """
    cell = derivation.cell
    if not 1 <= points <= MOST_POINTS:
        raise CellError(f"points = {points} is out of range; it goes from 1 to {MOST_POINTS}")
    if dtype not in DTYPES:
        raise CellError(f"golden numbers are of no dtype {dtype}; known: {', '.join(DTYPES)}")
    program = backward_program(derivation)
    found: list[Golden] = []
    problem: ArithmeticError | None = None
    for name, point, named in _points(cell, seed, points, steps, batch, sizes or {}, scalar, at):
        if len(found) == points:
            break
        if progress:
            progress(f"golden numbers at {name}")
        try:
            found.append(golden(program, replace(point, name=name), dtype, named))
        except ArithmeticError as error:  # on a kink or at a pole
            problem = error
    if problem is not None and len(found) < points:
        raise problem
    return Vectors(cell, dtype, tuple(found))


def _points(
    cell: Cell,
    seed: int,
    points: int,
    steps: int,
    batch: int,
    sizes: Mapping[str, int],
    scalar: bool,
    at: Walkthrough | None,
) -> Iterator[tuple[str, Point, dict[str, int]]]:
    if at is not None:
        ones = dict.fromkeys(letters(cell), 1)
        yield str(Asked(seed, at=at.name)), at_walkthrough(at, seed), {**ones, TIME: at.steps, BATCH: 1}
    for number in range(points + MOST_DRAWS):
        which = asked(cell, seed + number, steps, batch, sizes, scalar or at is not None)
        yield str(which), drawn(cell, which), {**which.sizes, TIME: steps, BATCH: batch}


# --- npz --------------------------------------------------------------------------------------------------------------


def as_npz(found: Vectors) -> bytes:
    """The file as npz: `1/f` is f at the first point, `1/bound/f` its bound, `about/text` the cell."""
    about = {
        "schema": SCHEMA,
        "cell": found.cell.name,
        "text": canonical(found.cell),
        "dtype": found.dtype,
        "points": len(found.points),
        "unit": found.metric["unit"],
        "smallest": found.metric["smallest"],
        "k": _spoken(found.metric["k"]),
        "check": CHECK,
        "notes": "\n".join(found.notes),
    }
    arrays: dict[str, Any] = {f"about/{key}": _plain(value) for key, value in about.items()}
    kind = {"float64": "<f8", "float32": "<f4"}[found.dtype]
    for number, point in enumerate(found.points, 1):
        arrays[f"{number}/about/point"] = _plain(point.name)
        for key, array in (*point.given.items(), *point.right.items()):
            arrays[f"{number}/{key}"] = _cast(array, kind)
        for key, array in point.bound.items():
            arrays[f"{number}/bound/{key}"] = _cast(array, "<f8")
    return zipped(arrays)


def _cast(array: Any, kind: str) -> Any:
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=kind).reshape(np.shape(array))


def _plain(value: str | int | float) -> Any:
    """Text as bytes in UTF-8, which C reads as they are."""
    if isinstance(value, str):
        return np.array(value.encode("utf-8") or b" ")
    return np.array(value, dtype="<i8" if isinstance(value, int) else "<f8")


def _spoken(table: Mapping[str, float]) -> str:
    return " ".join(f"{name}={value:g}" for name, value in table.items())


def zipped(arrays: Mapping[str, Any]) -> bytes:
    """Arrays as npz, the same bytes whenever and wherever: no clock, no compression, one order."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as file:
        for name, array in arrays.items():
            one = io.BytesIO()
            np.lib.format.write_array(one, np.asanyarray(array), version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            file.writestr(info, one.getvalue())
        file.comment = f"{SIGNATURE} {__version__}".encode()
    return whole.getvalue()


# --- JSON -------------------------------------------------------------------------------------------------------------


def record(found: Vectors) -> dict[str, Any]:
    """The file as data; a number that is not finite is None, and there is a note of it."""
    return {
        "schema": SCHEMA,
        "cell": found.cell.name,
        "title": found.cell.title,
        "text": canonical(found.cell),
        "dtype": found.dtype,
        "metric": found.metric,
        "check": CHECK,
        "notes": list(found.notes),
        "layout": {key: {"axes": list(entry.axes), "is": entry.what} for key, entry in found.entries.items()},
        "points": [
            {
                "point": point.name,
                "sizes": dict(point.sizes),
                "given": {key: nested(array) for key, array in point.given.items()},
                "right": {key: nested(array) for key, array in point.right.items()},
                "bound": {key: nested(array) for key, array in point.bound.items()},
            }
            for point in found.points
        ],
    }


def as_json(found: Vectors) -> bytes:
    """The file as JSON: every number in the shortest decimals that read back as the same double."""
    lines = json.dumps(record(found), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    head = f'{{"schema":"{SCHEMA}",'
    assert lines.startswith(head)
    return f'{{\n"schema": "{SCHEMA}",\n{lines.removeprefix(head)}\n'.encode()


def as_file(found: Vectors, name: str) -> bytes:
    """The file that its name asks for.

    Raises:
        CellError: it ends in neither .npz nor .json.
    """
    kinds = {".npz": as_npz, ".json": as_json}
    make = next((make for suffix, make in kinds.items() if name.lower().endswith(suffix)), None)
    if make is None:
        raise CellError(f"{name}: golden numbers are written as .npz or .json; name such a file")
    return make(found)


def nested(array: Any) -> Any:
    """An array as lists of numbers; None for what is not finite."""
    if np.ndim(array):
        return [nested(inner) for inner in array]
    return float(array) if np.isfinite(array) else None
