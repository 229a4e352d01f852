"""What ships: cells and walkthroughs, found by their file names. A path to one's own file works as well."""

import os
import re
import stat
from difflib import get_close_matches
from pathlib import Path

from derivations.cell import Cell, CellError
from derivations.language import LONGEST_TEXT, read
from derivations.names import LONGEST
from derivations.visible import clipped

LONGEST_PATH = 200  # characters of it that an error shows
HERE = Path(__file__).parent
CELLS = HERE / "cells"
WALKTHROUGHS = HERE / "walkthroughs"


def cell_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in CELLS.glob("*.cell")))


def walkthrough_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in WALKTHROUGHS.glob("*.toml")))


def read_cell(name: str) -> Cell:
    """A cell of the catalogue by its name, a `.cell` file by its path, or Python code as `file.py:function`.

    Raises:
        CellError: there is no such cell or file, or the file is not a cell.
    """
    if is_source(name):
        from derivations.source import read_source

        return read_source(name)
    return read(*find(name, CELLS, ".cell", "cell"))


def is_source(name: str) -> bool:
    """Whether a name is one of Python code: `file.py:function`, `notebook.ipynb:function`."""
    return re.search(r"\.(py|ipynb)(:[^/]*)?$", name) is not None


def find(name: str, folder: Path, suffix: str, kind: str) -> tuple[str, str]:
    """The text of a catalogue entry or of a file, and what to call it in errors.

    Raises:
        CellError: there is none, or what is wrong with the file.
    """
    if "\0" in name:
        raise CellError(f"{clipped(name)} is not a file name")
    known = sorted(path.stem for path in folder.glob(f"*{suffix}"))
    if name in known:
        return (folder / f"{name}{suffix}").read_text(encoding="utf-8"), f"{name}{suffix}"
    path = Path(name)
    if path.suffix == suffix:
        return text_of(path), clipped(name, LONGEST_PATH)
    shown = clipped(name, LONGEST_PATH)
    if re.search(r"\.(py|ipynb)\b", name):
        raise CellError(f"{shown}: Python is code, and is not read as a {kind}; write it in a {suffix} file")
    mode = _mode(path)
    if name and stat.S_ISDIR(mode):
        raise CellError(f"{shown} is a folder; give a {suffix} file in it")
    if name and mode:
        raise CellError(f"{shown} does not end in {suffix}; a file that does is read as a {kind}: rename it")
    if os.sep in name or "/" in name or path.suffix:
        raise CellError(f"there is no file {shown}; a {kind} of your own is a file that ends in {suffix}")
    near = get_close_matches(name.lower()[:LONGEST], known, 1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    raise CellError(f"there is no {kind} '{shown}'; {hint} (a file of your own ends in {suffix})")


def _mode(path: Path) -> int:
    """What stands at a path, as `stat` has it; 0 for nothing, or nothing that can be looked at."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):  # ValueError: a character that no file's name can have
        return 0


def text_of(path: Path) -> str:
    """A user's text file, with a sentence for everything that can be wrong with it."""
    shown = clipped(str(path), LONGEST_PATH)
    try:
        mode = _mode(path)
        if stat.S_ISDIR(mode):
            raise CellError(f"{shown} is a folder; give a {path.suffix} file in it")
        if mode and not stat.S_ISREG(mode):  # a pipe would never end
            raise CellError(f"{shown} is not a plain file; copy what it gives to one")
        with path.open("rb") as file:
            data = file.read(LONGEST_TEXT + 1)
        if len(data) > LONGEST_TEXT:
            raise CellError(f"{shown} is longer than {LONGEST_TEXT // 1000} kB")
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CellError(f"{shown} is not UTF-8 text (byte {error.start}, on line {line}); save it as UTF-8") from None
    except OSError as error:
        raise CellError(f"cannot read {shown}: {error.strerror or error}") from None
    except UnicodeEncodeError:
        raise CellError(f"{shown} is not a file name") from None
