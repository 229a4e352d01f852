"""`derive walkthrough`: a cell with numbers, replayed, derived and checked."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from derivations.__main__ import WRONG, backends
from derivations.commands._options import (
    Adjoints,
    ForceOption,
    Format,
    FormatOption,
    FragmentOption,
    NotationOption,
    OutOption,
    VerboseOption,
    WidthOption,
)
from derivations.commands._saying import Made, as_json, note, progress, width_of, write, written


def command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A walkthrough of the catalogue, or a .toml file.")
    ] = "notebook",
    full: Annotated[bool, typer.Option("--full", help="With every local partial.")] = False,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Hold every gradient against NumPy, torch and JAX.")
    ] = True,
    format_: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    notation: NotationOption = Adjoints.leibniz,
    fragment: FragmentOption = False,
    verbose: VerboseOption = False,
    width: WidthOption = None,
) -> None:
    """Replay a walkthrough: equations, values, every gradient, and how they agree with torch and JAX."""
    from derivations.reports import walkthrough as report
    from derivations.reports.checks import Checked
    from derivations.walkthrough import read_walkthrough, replay

    found = read_walkthrough(name)
    run = replay(found)
    for warning in _warnings(run):
        note(warning)
    checked = backends("audit_walkthrough").audit_walkthrough(found, progress=progress()) if check else Checked()

    def make(chosen: Format) -> Made:
        if chosen is Format.json:
            return as_json(report.record(run, checked))
        document = report.document(run, checked, full=full, verbose=verbose, adjoint=notation.value)
        return written(document, chosen, fragment=fragment, width=width_of(width, out))

    write(make, format_, out, force)
    if checked.wrong:
        raise typer.Exit(WRONG)


def _warnings(run: Any) -> Iterator[str]:
    """What a reader of numbers should know before reading them."""
    bad = [
        (t, name)
        for t, values in enumerate(run.values, 1)
        for name, value in values.items()
        if value != value or abs(value) == float("inf")
    ]
    if bad:
        yield f"{bad[0][1]} is not finite at step {bad[0][0]}, and all that follows from it"
    saturated = [
        e.target
        for e in run.walkthrough.cell.equations
        if all(abs(values[e.target]) > 100 for values in run.values) and e.target.startswith("a_")
    ]
    if saturated:
        yield f"{', '.join(saturated)} beyond 100 at every step: these gates are saturated"
