"""Someone else's file of numbers, read without trust: npz or JSON, plain arrays only.

Nothing in it is run or unpickled, nothing is decompressed beyond a limit, and whatever is wrong is said in one
sentence that names the place. A name from the file is printed with everything but ASCII letters escaped.
"""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 1 << 28  # of the file, and of all its arrays together
PIECE = 1 << 20
MOST_ARRAYS = 10_000
MOST_TEXT = 1 << 16
DEEPEST = 8  # lists within one another
SPOKEN = ("cell", "dtype", "point", "text")  # texts that are heeded
_NUMBERED = re.compile(r"([1-9]\d{0,3})/(.+)")


class DumpError(ValueError):
    """Why a file of numbers cannot be read, and where."""


@dataclass
class Numbers:
    """One point of a file: arrays and texts by their names there."""

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dump:
    """A file: its points by number (1 where it numbers none), and what is said of all of them."""

    path: str
    points: Mapping[int, Numbers]
    texts: Mapping[str, str]
    numbered: bool = True


def read_dump(path: Path) -> Dump:
    """The numbers in a file: npz where it starts like a zip archive, else JSON.

    Raises:
        DumpError: what is wrong with it.
    """
    name = str(path)
    if "\0" in name:
        raise DumpError(f"{name!a} is not a file name")
    try:
        if path.is_dir():
            raise DumpError(f"{name} is a folder; give an .npz or a .json file")
        with path.open("rb") as file:
            # In pieces: to ask for as much as is allowed would reserve it.
            pieces = islice(iter(lambda: file.read(PIECE), b""), MOST_BYTES // PIECE + 1)
            data = b"".join(pieces)
    except OSError as error:
        raise DumpError(f"cannot read {name}: {error.strerror or error}") from None
    if len(data) > MOST_BYTES:
        raise DumpError(f"{name} is larger than {MOST_BYTES >> 20} MiB")
    try:
        if data.startswith(b"PK"):
            return Dump(name, *_of_archive(data))
        if data.startswith(b"\x93NUMPY"):
            _refuse("it is a single array (.npy); save several by their names, with numpy.savez")
        if data.startswith(b"\x80"):
            _refuse("it looks like a pickle, which is never loaded; save arrays with numpy.savez")
        return Dump(name, *_of_json(data))
    except DumpError as error:
        raise DumpError(f"{name}: {error}") from None


def dump_of(arrays: Mapping[str, Any], path: str = "the dump") -> Dump:
    """Arrays that are here already, as if they came from a file; what has a text for its value says what they are.

    Raises:
        DumpError: a value is no array of floats.
    """
    found = []
    if not (isinstance(arrays, Mapping) and all(isinstance(name, str) for name in arrays)):
        _refuse(f"{path} is of type {type(arrays).__name__}; a path to a file is due, or arrays by their names")
    for name, value in arrays.items():
        array = value if isinstance(value, str) else np.asarray(value)
        if not isinstance(array, str) and "about/" in name:  # as it stands in a file that was loaded
            array = array.item().decode("utf-8", "replace") if array.dtype.kind == "S" and array.size == 1 else ""
        if not isinstance(array, str):
            if np.ma.is_masked(value):
                _refuse(f"{shown(name)} has masked entries: there are no numbers to look at")
            _hold_kind(name, array.dtype)
        found.append((name, array))
    return Dump(path, *_sorted_out(found))


def shown(name: str) -> str:
    """A name from a file, fit for a terminal."""
    text = name if len(name) <= 60 else name[:60] + "..."
    return text if re.fullmatch(r"[\w./+-]+", text, re.ASCII) else ascii(text)


def _refuse(why: str) -> NoReturn:
    raise DumpError(why)


Parts = tuple[dict[int, Numbers], dict[str, str], bool]


def _sorted_out(found: Iterable[tuple[str, Any]]) -> Parts:
    """Names as `layout.py` has them, with the number of a point in front or without."""
    points: dict[int, Numbers] = {}
    said: dict[str, str] = {}
    for name, value in found:
        match = _NUMBERED.fullmatch(name)
        number, key = (int(match[1]), match[2]) if match else (0, name)
        if isinstance(value, str):
            word = key.removeprefix("about/")
            if word in SPOKEN and key != word:
                (points.setdefault(number, Numbers()).texts if word == "point" else said)[word] = value
            elif key == word:
                _refuse(f"{shown(name)} holds text where numbers are due")
        elif not key.startswith(("about/", "bound/")):
            points.setdefault(number, Numbers()).arrays[key] = value
    if 0 in points and len(points) > 1:
        mixed = shown(next(iter({**points[0].arrays, **points[0].texts})))
        _refuse(f"some names have the number of a point in front, as in 1/f, and {mixed} has none")
    return ({1: points[0]} if 0 in points else dict(sorted(points.items()))), said, 0 not in points


# --- npz --------------------------------------------------------------------------------------------------------------


def _of_archive(data: bytes) -> Parts:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _sorted_out(_members(archive))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, DumpError):
            raise
        raise DumpError(f"not a whole npz file: {ascii(str(error))[:120]}") from None


def _members(archive: zipfile.ZipFile) -> Iterable[tuple[str, Any]]:
    members = archive.infolist()
    if len(members) > MOST_ARRAYS:
        _refuse(f"{len(members):,} arrays; {MOST_ARRAYS:,} is the most")
    if sum(member.file_size for member in members) > MOST_BYTES:
        _refuse(f"its arrays are larger than {MOST_BYTES >> 20} MiB")
    seen: set[str] = set()
    for member in members:
        if member.is_dir():
            continue
        name = member.filename.removesuffix(".npy")
        if name in seen:
            _refuse(f"{shown(name)} is there twice")
        seen.add(name)
        if not member.filename.endswith(".npy"):
            _refuse(f"{shown(member.filename)} is no .npy array")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            _refuse(f"{shown(name)} is compressed in a way that npz files are not")
        if member.flag_bits & 1:
            _refuse(f"{shown(name)} is encrypted")
        with archive.open(member) as file:
            yield name, _array(name, file.read(member.file_size))


def _array(name: str, data: bytes) -> Any:
    """A .npy file: text as str, numbers as an array; its size is known before anything is made of it."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, dtype = header(file)
    except Exception as error:  # whatever a header that means harm can bring about
        raise DumpError(f"{shown(name)} is no array that can be read: {ascii(str(error))[:120]}") from None
    if dtype.hasobject:
        _refuse(f"{shown(name)} holds Python objects, which are never loaded; save plain arrays")
    if prod(shape) * dtype.itemsize != len(data) - file.tell():
        _refuse(f"{shown(name)} says that its shape is {_short(shape)}, and has {len(data) - file.tell():,} bytes")
    if dtype.kind in "SU" and prod(shape) == 1 and dtype.itemsize <= MOST_TEXT:
        text = np.frombuffer(data, dtype, 1, file.tell())[0]
        return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    if name.rpartition("about/")[1]:
        return ""
    _hold_kind(name, dtype)
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False).astype(dtype.newbyteorder("="))


_KINDS = {"i": "integers", "u": "integers", "b": "truth values", "c": "complex numbers", "V": "records"}


def _hold_kind(name: str, dtype: np.dtype[Any]) -> None:
    if dtype.kind == "f" and dtype.itemsize in (4, 8):
        return
    kind = _KINDS.get(dtype.kind, "floats of another size" if dtype.kind == "f" else "no numbers")
    _refuse(f"{shown(name)} holds {kind} ({ascii(str(dtype))[1:-1][:40]}); float64 or float32 is due")


def _short(shape: tuple[int, ...]) -> str:
    inner = ", ".join(str(size) if size < 10**12 else f"{float(min(size, 10**300)):.0e}" for size in shape[:8])
    return f"({inner}{', ...' if len(shape) > 8 else ',' if len(shape) == 1 else ''})"


# --- JSON -------------------------------------------------------------------------------------------------------------


def _of_json(data: bytes) -> Parts:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            _refuse(f"{shown(next(name for name in names if names.count(name) > 1))} is there twice")
        return found

    try:
        whole = json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise DumpError(f"neither npz nor JSON: not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise DumpError(f"neither npz nor JSON: {error.msg}, line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise DumpError("its brackets are nested too deeply") from None
    if not isinstance(whole, dict):
        _refuse('an object is due, as in {"f": [[[0.5]]]}')
    return _sorted_out(_named(whole))


def _integer(digits: str) -> float:
    return float(digits)  # a whole number in JSON is a number like any other


def _named(whole: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """Names and arrays: of our own layout, whose points have tables, or of one flat table."""
    for word in SPOKEN:
        if isinstance(whole.get(word), str):
            yield f"about/{word}", whole[word]
    points = whole.get("points")
    if not (isinstance(points, list) and all(isinstance(point, dict) for point in points)):
        for name, value in whole.items():
            about = "about/" in name or name in (*SPOKEN, "schema", "title")
            if not (about and isinstance(value, str)):
                yield name, _numbers(name, value)
            elif "about/" in name:
                yield name, value
        return
    for number, point in enumerate(points, 1):
        if isinstance(point.get("point"), str):
            yield f"{number}/about/point", point["point"]
        seen: set[str] = set()
        for table in ("given", "right", "values"):
            if not isinstance(point.get(table, {}), dict):
                _refuse(f"{table} of point {number} is no table of arrays")
            for name, value in point.get(table, {}).items():
                if name in seen:
                    _refuse(f"{shown(name)} of point {number} is there twice")
                seen.add(name)
                yield f"{number}/{name}", _numbers(name, value)


def _numbers(name: str, value: Any) -> NDArray[Any]:
    """Nested lists of one shape, as an array; null is a number that is not finite."""
    shape: list[int] = []
    level = [value]
    while level and isinstance(level[0], list):
        if len(shape) == DEEPEST:
            _refuse(f"{shown(name)} has more than {DEEPEST} axes")
        sizes = {len(inner) if isinstance(inner, list) else -1 for inner in level}
        if len(sizes) > 1:
            _refuse(f"{shown(name)} is ragged: its lists are not of one length")
        shape += sizes
        level = [entry for inner in level for entry in inner]
    for entry in level:
        if entry is not None and not isinstance(entry, float):
            kind = {str: "text", bool: "truth values", dict: "a table", list: "lists of different depth"}[type(entry)]
            _refuse(f"{shown(name)} holds {kind} where numbers are due")
    return np.array([np.nan if entry is None else entry for entry in level], dtype=np.float64).reshape(shape)
