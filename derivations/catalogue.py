"""What ships: cells and walkthroughs, found by their file names. A path to one's own file works as well."""

from difflib import get_close_matches
from pathlib import Path

from derivations.cell import Cell, CellError
from derivations.language import LONGEST_TEXT, read

HERE = Path(__file__).parent
CELLS = HERE / "cells"
WALKTHROUGHS = HERE / "walkthroughs"


def cell_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in CELLS.glob("*.cell")))


def walkthrough_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in WALKTHROUGHS.glob("*.toml")))


def read_cell(name: str) -> Cell:
    """A cell of the catalogue by its name, or a `.cell` file by its path.

    Raises:
        CellError: there is no such cell or file, or the file is not a cell.
    """
    return read(*find(name, CELLS, ".cell", "cell"))


def find(name: str, folder: Path, suffix: str, kind: str) -> tuple[str, str]:
    """The text of a catalogue entry or of a file, and what to call it in errors."""
    if "\0" in name:
        raise CellError(f"{name!a} is not a file name")
    if name in {path.stem for path in folder.glob(f"*{suffix}")}:
        return (folder / f"{name}{suffix}").read_text(encoding="utf-8"), f"{name}{suffix}"
    path = Path(name)
    if path.suffix == suffix:
        return text_of(path), str(path)
    if ".py" in name or ".ipynb" in name:
        raise CellError(f"{name}: Python is code, and is not read as a cell; write its equations in a {suffix} file")
    known = sorted(path.stem for path in folder.glob(f"*{suffix}"))
    near = get_close_matches(name.lower(), known, 1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    raise CellError(f"there is no {kind} {name[:80]!r}; {hint} (a file of your own ends in {suffix})")


def text_of(path: Path) -> str:
    """A user's text file, with a sentence for everything that can be wrong with it."""
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST_TEXT + 1)
        if len(data) > LONGEST_TEXT:
            raise CellError(f"{path} is longer than {LONGEST_TEXT // 1000} kB")
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CellError(f"{path} is not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise CellError(f"cannot read {path}: {error.strerror or error}") from None
