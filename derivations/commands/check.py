"""`derive check`: every derivative of a cell, held against everything."""

from typing import Annotated

import typer

from derivations.__main__ import WRONG, backends
from derivations.commands._options import (
    CellArgument,
    ForceOption,
    Format,
    FormatOption,
    OutOption,
    RenameOption,
    VerboseOption,
    WidthOption,
)
from derivations.commands._saying import Made, as_json, cell_from, progress, width_of, write, written


def command(
    cell: CellArgument,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the points that are drawn.")] = 1,
    points: Annotated[int, typer.Option("--points", min=1, max=16, help="How many points at least.")] = 3,
    rename: RenameOption = None,
    format_: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    verbose: VerboseOption = False,
    width: WidthOption = None,
) -> None:
    """Every derivative of a cell against truth, NumPy, torch and JAX, scalar and vector, at hard points."""
    from derivations.derive import derive
    from derivations.reports import check as report

    found = cell_from(cell, rename)
    checked = backends("audit").audit(derive(found), seed=seed, points=points, progress=progress())

    def make(chosen: Format) -> Made:
        if chosen is Format.json:
            return as_json(report.record(found, checked))
        return written(report.document(found, checked, verbose=verbose), chosen, width=width_of(width, out))

    write(make, format_, out, force)
    if checked.wrong:
        raise typer.Exit(WRONG)
