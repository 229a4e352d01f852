"""`derive explore`: one page that a person can walk through."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from derivations.__main__ import WRONG, Missing, backends
from derivations.commands._options import ForceOption
from derivations.commands._saying import note, progress

if TYPE_CHECKING:
    from derivations.derive import Derivation
    from derivations.reports.checks import Checked


def command(
    cells: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CELL]...", help="Cells to show; lstm, gru and rnn by default."),
    ] = None,
    walkthrough: Annotated[
        str | None, typer.Option("--walkthrough", metavar="NAME", help="Its cell comes first, with its numbers.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Hold every derivative against NumPy, torch and JAX first.")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A .html file; explorer.html by default, - for stdout.")
    ] = None,
    force: ForceOption = False,
) -> None:
    """One offline page to walk through: graph, derivation, paths, time and sliders, computed as one looks."""
    from derivations.output import OutputError
    from derivations.output import write as save
    from derivations.page import font
    from derivations.page.explore import explorer

    target = out or Path("explorer.html")
    if str(target) != "-" and target.suffix.lower() not in (".html", ".htm"):
        raise OutputError(f"{target}: a page is a .html file")
    wrong = False

    def audit(derivation: "Derivation") -> "Checked":
        nonlocal wrong
        checked: Checked = backends("audit").audit(derivation, progress=progress())
        wrong = wrong or checked.wrong
        return checked

    try:
        text = explorer(tuple(cells or ()), walkthrough=walkthrough, audit=audit if check else None)
    except ModuleNotFoundError as error:
        raise Missing(f"a page needs {error.name}: {font.INSTALL}") from None
    if not font.available():
        note(f"the page has no mathematics font of its own: {font.INSTALL}")
    if str(target) == "-":
        sys.stdout.write(text)
    else:
        save(target, text.encode("utf-8"), force=force)
        note(f"wrote {target}")
    if open_ and str(target) != "-":
        typer.launch(target.resolve().as_uri())
    if wrong:
        raise typer.Exit(WRONG)
