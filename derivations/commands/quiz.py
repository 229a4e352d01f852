"""`derive quiz`: sheets with blanks or planted mistakes, and their keys."""

from pathlib import Path
from typing import Annotated

import typer

from derivations.cell import CellError
from derivations.commands._options import CellArgument, ForceOption, Format, FormatOption, OutOption, RenameOption
from derivations.commands._saying import Made, as_json, cell_from, note, write
from derivations.version import __version__


def command(
    cell: CellArgument,
    blank: Annotated[int, typer.Option("--blank", min=0, help="How many lines are left blank.")] = 0,
    mistakes: Annotated[int, typer.Option("--mistakes", min=0, help="How many lines get a mistake.")] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which lines, and which mistakes.")] = 1,
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="The right lines, as Markdown.")] = None,
    rename: RenameOption = None,
    format_: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
) -> None:
    """A sheet to fill in, or to correct; `derive mark` marks it."""
    from derivations.marking.quiz import quiz
    from derivations.output import SIGNATURE
    from derivations.output import write as save
    from derivations.reports import quiz as report

    made = quiz(cell_from(cell, rename), blank=blank, mistakes=mistakes, seed=seed)

    def make(chosen: Format) -> Made:
        if chosen is Format.json:
            return as_json(report.record(made))
        if chosen is Format.svg:
            raise CellError("a sheet is written in text, Markdown, LaTeX or JSON")
        return report.latex(made) if chosen is Format.latex else report.markdown(made)

    if key is not None and out is not None and key.resolve() == out.resolve():
        raise CellError("the sheet and its key cannot be one file")
    write(make, format_, out, force)
    if key is not None:
        head = f"<!-- {SIGNATURE} {__version__} -->\n"
        save(key, (head + report.key(made)).encode("utf-8"), force=force)
        note(f"wrote {key}")
