"""`derive flow`: how gradient flows through time."""

from pathlib import Path
from typing import Annotated, Any

import typer

from derivations.__main__ import Missing
from derivations.commands._options import ForceOption, Format, WidthOption
from derivations.commands._saying import Made, as_json, in_ascii, note, width_of, write, written


def command(
    cells: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CELL]...", help="Cells to show beside one another; rnn and lstm by default."),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="WALKTHROUGH", help="The numbers of a walkthrough instead.")
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, max=200, help="T.")] = 40,
    format_: Annotated[Format | None, typer.Option("--format", "-f", help="text or json.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="A picture (.png, .svg, .pdf), or a .txt or .json file."),
    ] = None,
    force: ForceOption = False,
    width: WidthOption = None,
) -> None:
    """How gradient flows through T steps: Jacobian products, cell beside cell."""
    from derivations.reports import flow as report

    flows = report.flows(tuple(cells or ("rnn", "lstm")) if at is None else tuple(cells or ()), at=at, steps=steps)
    if out is not None and out.suffix.lower() in report.PICTURES and format_ is None:
        from derivations.output import write as save

        save(out, _picture(report, flows, out.suffix.lower()), force=force)
        note(f"wrote {out}")
        return

    def make(chosen: Format) -> Made:
        if chosen is Format.json:
            return as_json(report.record(flows))
        if chosen is Format.text:
            return report.text(flows, width=width_of(width, out), ascii=in_ascii())
        return written(report.document(flows), chosen, width=width_of(width, out))

    write(make, format_, out, force)


def _picture(report: Any, flows: Any, suffix: str) -> bytes:
    try:
        return bytes(report.picture(flows, suffix))
    except ModuleNotFoundError as error:
        raise Missing(f"a picture needs {error.name}: pip install 'derivations[plot]'") from None
