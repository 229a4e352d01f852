"""`derive diff`: one derivative."""

from typing import Annotated

import typer

from derivations.__main__ import WRONG, backends
from derivations.commands._options import (
    Adjoints,
    CellArgument,
    ForceOption,
    Format,
    FormatOption,
    FragmentOption,
    NotationOption,
    OutOption,
    RenameOption,
    VerboseOption,
    WidthOption,
)
from derivations.commands._saying import Made, as_json, cell_from, width_of, write, written


def command(
    cell: CellArgument,
    of: Annotated[str, typer.Argument(metavar="OF", help="What is differentiated.")],
    wrt: Annotated[str, typer.Option("--wrt", metavar="NAME", help="By what: a name, or h_0, x_2 through time.")],
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="WALKTHROUGH", help="Numbers: a walkthrough or a .toml file."),
    ] = None,
    step: Annotated[int | None, typer.Option("--step", min=1, max=200, help="The step of OF.")] = None,
    through_time: Annotated[
        bool, typer.Option("--through-time", help="Through all earlier steps, not within one.")
    ] = False,
    most: Annotated[int, typer.Option("--most", min=0, max=1000, help="How many paths to list.")] = 20,
    closed: Annotated[bool, typer.Option("--closed", help="The closed form too, in leaf names.")] = False,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Prove it, and hold it against the backends.")
    ] = True,
    rename: RenameOption = None,
    notation: NotationOption = Adjoints.leibniz,
    format_: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    fragment: FragmentOption = False,
    verbose: VerboseOption = False,
    width: WidthOption = None,
) -> None:
    """One derivative: immediate and total, as a sum over paths, with numbers, and checked."""
    from derivations.notation import for_names
    from derivations.reports import diff as report
    from derivations.reports.derivative import derivative

    found = derivative(
        cell_from(cell, rename),
        of,
        wrt,
        at=at,
        step=step,
        through_time=through_time,
        most=most,
        closed=closed,
        prove=check,
    )
    if check:
        found = backends("audit_derivative").audit_derivative(found)
    shapes = found.derivation.cell.shapes
    chosen_notation = for_names(found.derivation.cell.parameters, shapes, adjoint=notation.value, time=not through_time)

    def make(chosen: Format) -> Made:
        if chosen is Format.json:
            return as_json(report.record(found, chosen_notation))
        document = report.document(found, chosen_notation, most=most, verbose=verbose)
        return written(document, chosen, fragment=fragment, width=width_of(width, out))

    write(make, format_, out, force)
    if found.wrong:
        raise typer.Exit(WRONG)
