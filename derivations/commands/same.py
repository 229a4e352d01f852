"""`derive same`: are two cells equal?"""

from typing import Annotated

import typer

from derivations.__main__ import WRONG
from derivations.commands._options import ForceOption, Format, FormatOption, OutOption, WidthOption
from derivations.commands._saying import Made, as_json, cell_from, width_of, write, written


def command(
    a: Annotated[str, typer.Argument(metavar="A", help="A cell: by name, a .cell file, or Python: file.py:function.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another cell.")],
    rename: Annotated[
        list[str] | None,
        typer.Option("--rename", metavar="OLD=NEW", help="Another name for a quantity of B; repeatable."),
    ] = None,
    format_: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    width: WidthOption = None,
) -> None:
    """Are two cells equal? If not, which term differs. Names that are not shared are matched by structure."""
    from derivations.correspondence import matched
    from derivations.reports import same as report

    found, under = matched(cell_from(a), cell_from(b, rename))

    def make(chosen: Format) -> Made:
        if chosen is Format.json:
            return as_json(report.record(found, under))
        return written(report.document(found, under), chosen, width=width_of(width, out))

    write(make, format_, out, force)
    if not found:
        raise typer.Exit(WRONG)
