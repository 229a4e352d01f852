"""`derive locate`: someone's own numbers, and the first equation that they break."""

from pathlib import Path
from typing import Annotated

import typer

from derivations.__main__ import USAGE, WRONG, backends
from derivations.commands._options import (
    CellArgument,
    ForceOption,
    Format,
    FormatOption,
    OutOption,
    RenameOption,
    WidthOption,
)
from derivations.commands._saying import Made, as_json, cell_from, note, progress, width_of, write, written
from derivations.commands.vectors import Dtype


def command(
    cell: CellArgument,
    dump: Annotated[str, typer.Argument(metavar="DUMP", help="Numbers as `derive vectors` names them: .npz or .json.")],
    golden: Annotated[
        str | None,
        typer.Option("--golden", metavar="FILE", help="What `derive vectors` wrote, for inputs that DUMP lacks."),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="WALKTHROUGH", help="The walkthrough in whose names DUMP is.")
    ] = None,
    dtype: Annotated[Dtype | None, typer.Option("--dtype", help="In which they were computed.")] = None,
    rename: RenameOption = None,
    format_: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name all that is right, or breaks.")] = False,
    width: WidthOption = None,
) -> None:
    """Test someone's own numbers: the first equation that they break, where, and by which mistake."""
    from derivations.reports import locate as report
    from derivations.reports.vectors import derivation_at

    derivation, walkthrough = derivation_at(cell_from(cell, rename), at)
    chosen = dtype.value if dtype else None
    source = Path(golden) if golden is not None else None
    found = backends("golden.locate").locate(
        derivation, Path(dump), golden=source, dtype=chosen, at=walkthrough, progress=progress()
    )

    def make(chosen: Format) -> Made:
        if chosen is Format.json:
            return as_json(report.record(found))
        return written(report.document(found, verbose=verbose), chosen, width=width_of(width, out))

    write(make, format_, out, force)
    if found.wrong:
        raise typer.Exit(WRONG)
    if found.incomplete:
        note("not all of these numbers could be tested: exit status 2")
        raise typer.Exit(USAGE)
