"""The command line, `derive`. Data goes to stdout, notes to stderr; the only file here that reaches for backends.

Exit status: 0 all well; 1 a check failed or a claim is wrong; 2 wrong usage or input; 3 a package or tool is missing.
"""

import gc
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from derivations.catalogue import read_cell
from derivations.cell import Cell, CellError
from derivations.terminal import Terminal
from derivations.version import __version__

WRONG, USAGE, MISSING = 1, 2, 3

app = typer.Typer(
    name="derive",
    help="Derivations of recurrent cells: printed, proved, checked, typeset.",
    no_args_is_help=True,
    rich_markup_mode=None,
    suggest_commands=False,  # Click suggests already
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    text = "text"
    latex = "latex"
    markdown = "markdown"
    json = "json"


class Adjoints(StrEnum):
    leibniz = "leibniz"
    bar = "bar"
    delta = "delta"


class Missing(Exception):
    """A package or tool that a command needs; the message holds the command that installs it."""


CellArgument = Annotated[
    str, typer.Argument(metavar="CELL", help="A cell of the catalogue, or a path to a .cell file.")
]
FormatOption = Annotated[
    Format | None, typer.Option("--format", "-f", help="How to write it; by default as -o's suffix says.")
]
OutOption = Annotated[
    Path | None, typer.Option("-o", "--out", help="A file instead of stdout; written whole or not at all.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Write over a file that this tool did not make.")]
RenameOption = Annotated[
    list[str] | None,
    typer.Option("--rename", metavar="OLD=NEW", help="Another name for a quantity; repeatable, all at once."),
]
NotationOption = Annotated[Adjoints, typer.Option("--notation", help="How adjoints are written.")]
FragmentOption = Annotated[bool, typer.Option("--fragment", help="LaTeX to paste into a paper, without a preamble.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="The error of every check.")]
WidthOption = Annotated[int | None, typer.Option("--width", min=60, max=400, help="Columns of plain text.")]


@contextmanager
def complaints() -> Iterator[None]:
    """Every mistake of a user as one message and an exit status; a traceback is a mistake of ours."""
    from derivations.output import OutputError

    try:
        yield
    except Missing as error:
        _stop(str(error), MISSING)
    except (CellError, OutputError, ValueError) as error:
        _stop(str(error), USAGE)
    except ArithmeticError as error:
        _stop(f"no number can be given here: {error} (declare what must be positive, as in `positive x`)", USAGE)
    except RecursionError:
        _stop("the input is nested too deeply", USAGE)
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(0) from None


def _stop(message: str, status: int) -> NoReturn:
    Terminal(sys.stderr).write([("bad", "error: "), ("plain", message + "\n")])
    raise typer.Exit(status)


def note(message: str) -> None:
    Terminal(sys.stderr).write([("quiet", f"note: {message}\n")])


def cell_from(name: str, rename: list[str] | None = None) -> Cell:
    """A cell with its `--rename`s."""
    from derivations.build import rename as renamed

    cell = read_cell(name)
    table: dict[str, str] = {}
    for pair in rename or ():
        old, sign, new = pair.partition("=")
        if not sign or old in table:
            raise CellError(f"--rename {pair}: write OLD=NEW, each OLD once")
        table[old] = new
    return renamed(cell, table) if table else cell


def write(
    make: Callable[[Format], str | list[tuple[str, str]]],
    format_: Format | None,
    out: Path | None,
    force: bool,
) -> None:
    """What `make` gives for the format that is asked for, to stdout or to a file."""
    chosen = format_ or _by_suffix(out)
    made = make(chosen)
    if out is None:
        Terminal(sys.stdout).write(made if isinstance(made, list) else [("plain", made)])
        return
    from derivations.output import SIGNATURE
    from derivations.output import write as save

    plain = made if isinstance(made, str) else "".join(text for _, text in made)
    signature = f"{SIGNATURE} {__version__}"
    comment = {Format.latex: f"% {signature}\n", Format.markdown: f"<!-- {signature} -->\n", Format.json: ""}
    head = comment.get(chosen, "")
    tail = f"\n{signature}\n" if chosen is Format.text else ""
    save(out, (head + plain + tail).encode("utf-8"), force=force)
    note(f"wrote {out}")


def _by_suffix(out: Path | None) -> Format:
    if out is None:
        return Format.text
    from derivations.formats import for_file

    return Format(for_file(out))


def as_json(record: dict[str, Any]) -> str:
    """JSON without NaN or infinities: a number that is not finite is null."""

    def clean(value: Any) -> Any:
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            return None
        if isinstance(value, dict):
            return {key: clean(inner) for key, inner in value.items()}
        return [clean(inner) for inner in value] if isinstance(value, (list, tuple)) else value

    return json.dumps(clean(record), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def written(document: Any, format_: Format, *, width: int, fragment: bool = False) -> str | list[tuple[str, str]]:
    """A document in text (in coloured pieces), LaTeX or Markdown."""
    module = import_module(f"derivations.formats._{format_.value}_document")
    if format_ is Format.text:
        return list(module.pieces(document, width=width, ascii=not Terminal(sys.stdout).unicode))
    return str(module.render(document, fragment=fragment))


def width_of(asked: int | None, out: Path | None) -> int:
    return asked or (100 if out else Terminal(sys.stdout).width)


# --- commands -----------------------------------------------------------------------------------------------------


@app.command()
def walkthrough(
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
    with complaints():
        from derivations.reports import walkthrough as report
        from derivations.reports.checks import Checked
        from derivations.walkthrough import read_walkthrough, replay

        found = read_walkthrough(name)
        run = replay(found)
        for warning in _warnings(run):
            note(warning)
        if check:
            checked = backends_audit().audit_walkthrough(found, progress=note if sys.stderr.isatty() else None)
        else:
            checked = Checked()

        def make(chosen: Format) -> str | list[tuple[str, str]]:
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


@app.command("list")
def list_(
    format_: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    width: WidthOption = None,
) -> None:
    """Cells, walkthroughs, backends, libraries and formats."""
    with complaints():
        from derivations.reports import listing

        found = listing.listing(_backends())

        def make(chosen: Format) -> str | list[tuple[str, str]]:
            if chosen is Format.json:
                return as_json(listing.record(found))
            return written(listing.document(found), chosen, width=width_of(width, out))

        write(make, format_, out, force)


def backends_audit() -> Any:
    """The checks of `backends`, or whose file is in its place: the name is a crowded one.

    Raises:
        Missing: another package called `backends` comes first on the path, or a package is not installed.
    """
    _ours()
    try:
        return import_module("backends.audit")
    except ModuleNotFoundError as error:
        raise Missing(f"checking needs {error.name}: pip install 'derivations[all]'") from None


def _ours() -> None:
    import backends

    where = Path(getattr(backends, "__file__", None) or "?")
    if where.resolve().parent.parent != Path(__file__).resolve().parent.parent:
        raise Missing(f"another package called backends is in the way: {where}; run from another folder, or rename it")


def _backends() -> list[tuple[str, bool, str]]:
    _ours()
    from backends.backend import find

    return [(backend.name, backend.available(), backend.install) for backend in find().values()]


@app.command()
def show(
    cell: CellArgument,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="definition, partial, adjoint or recurrence; repeatable."),
    ] = None,
    vector: Annotated[
        bool, typer.Option("--vector", help="The vector view: W @ v, transposes, outer products.")
    ] = False,
    closed: Annotated[
        list[str] | None,
        typer.Option("--closed", metavar="NAME", help="The closed form of a quantity within one step; repeatable."),
    ] = None,
    unroll: Annotated[
        int | None,
        typer.Option("--unroll", min=1, max=64, help="The equations of T steps, forward and backward."),
    ] = None,
    jacobian: Annotated[
        bool, typer.Option("--jacobian", help="The state-to-state Jacobian, and its product over time.")
    ] = False,
    prove: Annotated[bool, typer.Option("--prove/--no-prove", help="Prove every step again.")] = True,
    rename: RenameOption = None,
    notation: NotationOption = Adjoints.leibniz,
    fragment: FragmentOption = False,
    format_: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    width: WidthOption = None,
) -> None:
    """The derivation of a cell: forward equations, local partials, adjoints, recurrences over time."""
    refuted = False
    with complaints():
        from derivations.derive import derive
        from derivations.formats import load

        found = cell_from(cell, rename)
        derivation = derive(found)
        proofs: dict[int, str] = {}
        facts: list[dict[str, str]] = []
        if closed or unroll or jacobian:
            from derivations.reports import forms

            def make_form(chosen: Format) -> str | list[tuple[str, str]]:
                shown = forms.forms(
                    derivation, closed=tuple(closed or ()), unroll=unroll, jacobian=jacobian, vector=vector
                )
                if chosen is Format.json:
                    return as_json(forms.record(shown))
                document = forms.document(shown, adjoint=notation.value)
                return written(document, chosen, fragment=fragment, width=width_of(width, out))

            write(make_form, format_, out, force)
            return
        if prove:
            from derivations.equality import Status
            from derivations.facts import prove_fact
            from derivations.plain import code
            from derivations.prove import prove_all

            statuses = [proof.status for proof in prove_all(derivation)]
            proofs = {number: status.value for number, status in enumerate(statuses)}
            refuted = Status.REFUTED in statuses
            for fact in found.facts:
                status = prove_fact(fact, derivation).status
                facts.append({"fact": f"{code(fact.left)} = {code(fact.right)}", "verdict": status.value})
                if status is not Status.PROVED:
                    refuted = refuted or status is Status.REFUTED
                    note(f"the fact {facts[-1]['fact']} on line {fact.line}: {status.value}")

        def make(chosen: Format) -> str | list[tuple[str, str]]:
            module = load(chosen.value)
            options: dict[str, Any] = {
                "only": tuple(only or ()),
                "view": "vector" if vector else "scalar",
                "notation": notation.value,
                "proofs": proofs,
                "fragment": fragment,
                "width": width_of(width, out),
            }
            if chosen is Format.text:
                return list(module.pieces(derivation, **options, ascii=not Terminal(sys.stdout).unicode))
            if chosen is Format.json:
                return as_json({**json.loads(module.render(derivation, **options)), "facts": facts})
            return str(module.render(derivation, **options))

        write(make, format_, out, force)
    if refuted:
        raise typer.Exit(WRONG)


@app.command()
def diff(
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
    with complaints():
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
            found = backends_audit().audit_derivative(found)
        shapes = found.derivation.cell.shapes
        chosen_notation = for_names(
            found.derivation.cell.parameters, shapes, adjoint=notation.value, time=not through_time
        )

        def make(chosen: Format) -> str | list[tuple[str, str]]:
            if chosen is Format.json:
                return as_json(report.record(found, chosen_notation))
            document = report.document(found, chosen_notation, most=most, verbose=verbose)
            return written(document, chosen, fragment=fragment, width=width_of(width, out))

        write(make, format_, out, force)
    if found.wrong:
        raise typer.Exit(WRONG)


@app.command()
def check(
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
    with complaints():
        from derivations.derive import derive
        from derivations.reports import check as report

        found = cell_from(cell, rename)
        checked = backends_audit().audit(
            derive(found), seed=seed, points=points, progress=note if sys.stderr.isatty() else None
        )

        def make(chosen: Format) -> str | list[tuple[str, str]]:
            if chosen is Format.json:
                return as_json(report.record(found, checked))
            return written(report.document(found, checked, verbose=verbose), chosen, width=width_of(width, out))

        write(make, format_, out, force)
    if checked.wrong:
        raise typer.Exit(WRONG)


@app.command()
def same(
    a: Annotated[str, typer.Argument(metavar="A", help="A cell.")],
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
    """Are two cells equal? If not, which equation and which term differs."""
    with complaints():
        from derivations.reports import same as report
        from derivations.same import compare

        found = compare(cell_from(a), cell_from(b, rename))

        def make(chosen: Format) -> str | list[tuple[str, str]]:
            if chosen is Format.json:
                return as_json(report.record(found))
            return written(report.document(found), chosen, width=width_of(width, out))

        write(make, format_, out, force)
    if not found:
        raise typer.Exit(WRONG)


@app.command()
def flow(
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
    with complaints():
        from derivations.reports import flow as report

        flows = report.flows(tuple(cells or ("rnn", "lstm")) if at is None else tuple(cells or ()), at=at, steps=steps)
        if out is not None and out.suffix.lower() in report.PICTURES and format_ is None:
            from derivations.output import write as save

            save(out, _picture(report, flows, out.suffix.lower()), force=force)
            note(f"wrote {out}")
            return

        def make(chosen: Format) -> str | list[tuple[str, str]]:
            if chosen is Format.json:
                return as_json(report.record(flows))
            if chosen is Format.text:
                return report.text(flows, width=width_of(width, out), ascii=not Terminal(sys.stdout).unicode)
            return written(report.document(flows), chosen, width=width_of(width, out))

        write(make, format_, out, force)


def _picture(report: Any, flows: Any, suffix: str) -> bytes:
    try:
        return bytes(report.picture(flows, suffix))
    except ModuleNotFoundError as error:
        raise Missing(f"a picture needs {error.name}: pip install 'derivations[plot]'") from None


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"derivations {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")] = False,
) -> None:
    """Derivations of recurrent cells."""


def main() -> None:
    """The `derive` command."""
    gc.set_threshold(200_000)  # SymPy makes 100,000 objects that stay; looking for garbage among them takes a tenth
    app()


if __name__ == "__main__":
    main()
