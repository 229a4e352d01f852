"""`derive mark`: hand derivations, marked line by line."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from derivations.__main__ import USAGE, WRONG
from derivations.cell import CellError
from derivations.commands._options import ForceOption, Format, FormatOption, OutOption, RenameOption, WidthOption
from derivations.commands._saying import Made, as_json, cell_from, note, progress, width_of, write, written
from derivations.version import __version__


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILES", help="Sheets: plain text, .py, .ipynb or .tex.")],
    cell: Annotated[str, typer.Option("--cell", metavar="CELL", help="The cell that they derive.")],
    points: Annotated[float | None, typer.Option("--points", min=0, help="For every right line.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="A table, one row a file.")] = None,
    feedback: Annotated[
        Path | None, typer.Option("--feedback", metavar="FOLDER", help="Markdown for each file, in a folder.")
    ] = None,
    gradescope: Annotated[
        Path | None, typer.Option("--gradescope", metavar="FILE", help="Gradescope's results.json, of one file.")
    ] = None,
    rename: RenameOption = None,
    format_: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    width: WidthOption = None,
) -> None:
    """Is this hand derivation right, and if not, which factor was lost?"""
    from derivations.marking.course import course_of
    from derivations.marking.mark import mark_sheet
    from derivations.marking.sheets import read_sheet_file
    from derivations.output import write as save
    from derivations.reports import mark as report

    found = cell_from(cell, rename)
    if gradescope is not None and len(files) != 1:
        raise CellError("--gradescope takes one file: Gradescope runs once for each submission")
    course, tell = course_of(found), progress()
    sheets: list[report.Sheet] = []
    for path in files:
        if tell:
            tell(str(path))
        try:
            sheets.append(report.Sheet(str(path), mark_sheet(read_sheet_file(path), course)))
        except CellError as error:
            sheets.append(report.Sheet(str(path), None, str(error).removeprefix(f"{path}: ")))

    def make(chosen: Format) -> Made:
        if chosen is Format.json:
            return as_json(report.record(found, sheets, points))
        return written(report.document(found, sheets, points), chosen, width=width_of(width, out))

    write(make, format_, out, force)
    if csv is not None:
        save(csv, report.table(sheets, points).encode("utf-8"), force=force or _ours(csv))
        note(f"wrote {csv}")
    if gradescope is not None:
        text = json.dumps(report.gradescope(sheets[0], 1.0 if points is None else points), indent=2)
        save(gradescope, f"{text}\n".encode(), force=force)
        note(f"wrote {gradescope}")
    if feedback is not None:
        _feedback(feedback, sheets, points, force)
    if any(sheet.marked is None for sheet in sheets):
        raise typer.Exit(USAGE)
    if any(sheet.marked is not None and sheet.marked.wrong for sheet in sheets):
        raise typer.Exit(WRONG)


def _ours(path: Path) -> bool:
    """Whether an existing table is one of ours: it starts with our header."""
    try:
        return path.read_bytes()[:20].startswith(b"file,right,of,wrong")
    except OSError:
        return False


def _feedback(folder: Path, sheets: list[Any], points: float | None, force: bool) -> None:
    """Markdown for each file, under names that stay apart."""
    from derivations.output import SIGNATURE
    from derivations.output import write as save
    from derivations.reports import mark as report

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CellError(f"cannot make the folder {folder}: {error.strerror}") from None
    taken: set[str] = set()
    for sheet in sheets:
        stem, number = Path(sheet.file).stem, 1
        while stem in taken:
            number += 1
            stem = f"{Path(sheet.file).stem}-{number}"
        taken.add(stem)
        head = f"<!-- {SIGNATURE} {__version__} -->\n"
        save(folder / f"{stem}.md", (head + report.feedback(sheet, points)).encode("utf-8"), force=force)
    note(f"wrote {len(sheets)} {'file' if len(sheets) == 1 else 'files'} into {folder}")
