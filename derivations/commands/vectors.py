"""`derive vectors`: golden numbers of a cell, for tests in any language."""

from enum import StrEnum
from typing import Annotated

import typer

from derivations.__main__ import backends
from derivations.cell import CellError
from derivations.commands._options import CellArgument, ForceOption, OutOption, RenameOption
from derivations.commands._saying import cell_from, note, progress


class Kind(StrEnum):
    npz = "npz"
    json = "json"


class Dtype(StrEnum):
    float64 = "float64"
    float32 = "float32"


def command(
    cell: CellArgument,
    out: OutOption = None,
    format_: Annotated[Kind | None, typer.Option("--format", "-f", help="By default as -o's suffix says.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the first point; the next has the next.")] = 1,
    points: Annotated[int, typer.Option("--points", min=1, max=100, help="How many points.")] = 3,
    steps: Annotated[int, typer.Option("--steps", min=1, help="T.")] = 4,
    batch: Annotated[int, typer.Option("--batch", min=1, help="B.")] = 3,
    sizes: Annotated[str, typer.Option("--sizes", metavar="n=3,m=2", help="By default small, all different.")] = "",
    scalar: Annotated[bool, typer.Option("--scalar", help="Every size is 1.")] = False,
    dtype: Annotated[Dtype, typer.Option("--dtype", help="In which a program under test computes.")] = Dtype.float64,
    at: Annotated[
        str | None, typer.Option("--at", metavar="WALKTHROUGH", help="A walkthrough's numbers as the first point.")
    ] = None,
    rename: RenameOption = None,
    force: ForceOption = False,
) -> None:
    """Golden numbers: every value, adjoint and gradient at hard points, with bounds, as .npz or .json."""
    from derivations.output import write as save
    from derivations.reports.vectors import derivation_at, parsed

    kind = format_ or _by_suffix(out)
    if format_ and str(out).lower().endswith(tuple(f".{other}" for other in Kind if other is not format_)):
        raise CellError(f"{out}: its suffix says one format, and --format {format_} another")
    if out is None and kind is Kind.npz:
        raise CellError("an npz file is no text: name a file, as in -o numbers.npz")
    derivation, walkthrough = derivation_at(cell_from(cell, rename), at)
    made = backends("golden.vectors")
    found = made.vectors(
        derivation,
        seed=seed,
        points=points,
        steps=steps,
        batch=batch,
        sizes=parsed(sizes, "--sizes"),
        scalar=scalar,
        dtype=dtype.value,
        at=walkthrough,
        progress=progress(),
    )
    for said in found.notes:
        note(said)
    data: bytes = made.as_npz(found) if kind is Kind.npz else made.as_json(found)
    if out is None:
        typer.echo(data.decode("ascii"), nl=False)
        return
    save(out, data, force=force)
    note(f"wrote {out}")


def _by_suffix(out: object) -> Kind:
    suffix = "" if out is None else str(out).lower().rpartition(".")[2]
    if suffix in ("npz", "json"):
        return Kind(suffix)
    if out is None:
        return Kind.json
    raise CellError(f"{out}: golden numbers are written as .npz or .json; name such a file, or say --format")
