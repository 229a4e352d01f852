"""Arguments and options that several commands take."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    text = "text"
    latex = "latex"
    markdown = "markdown"
    json = "json"
    svg = "svg"


class Adjoints(StrEnum):
    leibniz = "leibniz"
    bar = "bar"
    delta = "delta"


CellArgument = Annotated[
    str,
    typer.Argument(
        metavar="CELL", help="A cell of the catalogue, a path to a .cell file, or Python: file.py:function."
    ),
]
FormatOption = Annotated[
    Format | None, typer.Option("--format", "-f", help="How to write it; by default as -o's suffix says.")
]
OutOption = Annotated[
    Path | None, typer.Option("-o", "--out", help="A file instead of stdout; written whole or not at all.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Write over a file that this tool did not make.")]
RenameOption = Annotated[
    list[str] | None,
    typer.Option("--rename", metavar="OLD=NEW", help="Another name for a quantity; repeatable, all at once."),
]
NotationOption = Annotated[Adjoints, typer.Option("--notation", help="How adjoints are written.")]
FragmentOption = Annotated[bool, typer.Option("--fragment", help="LaTeX to paste into a paper, without a preamble.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="The error of every check.")]
WidthOption = Annotated[int | None, typer.Option("--width", min=60, max=400, help="Columns of plain text.")]
