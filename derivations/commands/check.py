"""`derive check`: every derivative of a cell, held against everything."""

from importlib import import_module
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
    laws: Annotated[
        bool, typer.Option("--laws", help="Laws that every right gradient obeys, instead of the truth.")
    ] = False,
    second: Annotated[
        bool, typer.Option("--second", help="The double backward: second derivatives through three steps.")
    ] = False,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="How many wrong derivations this check would let pass, instead.")
    ] = False,
    rename: RenameOption = None,
    format_: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    verbose: VerboseOption = False,
    width: WidthOption = None,
) -> None:
    """Every derivative of a cell against truth, NumPy, torch and JAX, scalar and vector, at hard points."""
    from derivations.derive import derive
    from derivations.reports.check import kind

    chosen = kind(laws=laws, second=second, mutants=mutants)
    report = import_module(f"derivations.reports.{chosen.report}")
    found = cell_from(cell, rename)
    options = chosen.asked(seed=seed, points=points)
    checked = getattr(backends(chosen.module), chosen.function)(derive(found), progress=progress(), **options)

    def make(format_: Format) -> Made:
        if format_ is Format.json:
            return as_json(report.record(found, checked))
        return written(report.document(found, checked, verbose=verbose), format_, width=width_of(width, out))

    write(make, format_, out, force)
    if checked.wrong:
        raise typer.Exit(WRONG)
