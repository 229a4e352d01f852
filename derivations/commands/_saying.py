"""How a command says what it found: data to stdout or whole into a file, notes to stderr."""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from derivations.catalogue import read_cell
from derivations.cell import Cell, CellError
from derivations.commands._options import Format
from derivations.terminal import Terminal
from derivations.version import __version__

Made = str | list[tuple[str, str]]  # text, or pieces of text with their styles


def note(message: str) -> None:
    Terminal(sys.stderr).write([("quiet", f"note: {message}\n")])


def progress() -> Callable[[str], None] | None:
    """Who is told how far a long command has come: the person before the terminal, and no log file."""
    return note if sys.stderr.isatty() else None


def cell_from(name: str, rename: list[str] | None = None) -> Cell:
    """A cell with its `--rename`s."""
    from derivations.build import rename as renamed

    cell = read_cell(name)
    table: dict[str, str] = {}
    for pair in rename or ():
        old, sign, new = pair.partition("=")
        if not sign or old in table:
            raise CellError(f"--rename {pair}: write OLD=NEW, each OLD once")
        table[old] = new
    return renamed(cell, table) if table else cell


def write(make: Callable[[Format], Made], format_: Format | None, out: Path | None, force: bool) -> None:
    """What `make` gives for the format that is asked for, to stdout or to a file."""
    chosen = format_ or _by_suffix(out)
    made = make(chosen)
    if out is None:
        Terminal(sys.stdout).write(made if isinstance(made, list) else [("plain", made)])
        return
    from derivations.output import SIGNATURE
    from derivations.output import write as save

    plain = made if isinstance(made, str) else "".join(text for _, text in made)
    signature = f"{SIGNATURE} {__version__}"
    comment = {Format.latex: f"% {signature}\n", Format.json: ""}
    comment |= dict.fromkeys((Format.markdown, Format.svg), f"<!-- {signature} -->\n")
    head = comment.get(chosen, "")
    tail = f"\n{signature}\n" if chosen is Format.text else ""
    save(out, (head + plain + tail).encode("utf-8"), force=force)
    note(f"wrote {out}")


def _by_suffix(out: Path | None) -> Format:
    if out is None:
        return Format.text
    from derivations.formats import for_file

    return Format(for_file(out))


def as_json(record: dict[str, Any]) -> str:
    """JSON without NaN or infinities: a number that is not finite is null."""

    def clean(value: Any) -> Any:
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            return None
        if isinstance(value, dict):
            return {key: clean(inner) for key, inner in value.items()}
        return [clean(inner) for inner in value] if isinstance(value, (list, tuple)) else value

    return json.dumps(clean(record), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def written(document: Any, format_: Format, *, width: int, fragment: bool = False) -> Made:
    """A document in text (in coloured pieces), LaTeX or Markdown.

    Raises:
        ValueError: a picture is asked for, which is of a cell's step alone.
    """
    if format_ is Format.svg:
        raise ValueError("svg is the picture of one step: derive show CELL --format svg")
    module = import_module(f"derivations.formats._{format_.value}_document")
    if format_ is Format.text:
        return list(module.pieces(document, width=width, ascii=in_ascii()))
    return str(module.render(document, fragment=fragment))


def in_ascii() -> bool:
    """Whether stdout can print no mathematical signs."""
    return not Terminal(sys.stdout).unicode


def width_of(asked: int | None, out: Path | None) -> int:
    return asked or (100 if out else Terminal(sys.stdout).width)
