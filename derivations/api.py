"""The commands as Python functions: the same names, the same meaning, returning data that displays itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derivations.build import rename as renamed
from derivations.catalogue import cell_names, read_cell
from derivations.cell import Cell
from derivations.derive import Derivation
from derivations.derive import derive as derive_cell
from derivations.display import Shown
from derivations.language import read

if TYPE_CHECKING:
    from derivations.page.explore import Page

__all__ = [
    "cells", "check", "derive", "diff", "explore", "flow", "locate", "mark", "quiz", "read", "same", "show", "vectors",
    "walkthrough",
]  # fmt: skip


class _Cells(Mapping[str, Cell]):
    """The catalogue by name: `cells["lstm"]`; each is read when it is asked for."""

    def __getitem__(self, name: str) -> Cell:
        if name not in cell_names():
            raise KeyError(name)
        return read_cell(name)

    def __iter__(self) -> Iterator[str]:
        return iter(cell_names())

    def __len__(self) -> int:
        return len(cell_names())

    def __repr__(self) -> str:
        return f"cells: {', '.join(self)}"


cells: Mapping[str, Cell] = _Cells()


def _cell(cell: Cell | str | Path, rename: Mapping[str, str] | None = None) -> Cell:
    found = read_cell(str(cell)) if isinstance(cell, str | Path) else cell
    if not isinstance(found, Cell):
        raise TypeError(f"a cell is due, its name, or a path to its file, and not {type(cell).__name__}")
    return renamed(found, rename) if rename else found


def derive(cell: Cell | str, rename: Mapping[str, str] | None = None) -> Derivation:
    """The derivation of a cell: of the catalogue by its name, of a `.cell` file by its path, or one that was read.

    Raises:
        CellError: there is no such cell, or what is wrong with it.
    """
    return derive_cell(_cell(cell, rename))


def show(cell: Cell | str, rename: Mapping[str, str] | None = None) -> Derivation:
    """What `derive show` shows: the derivation, which displays itself."""
    return derive(cell, rename)


def same(a: Cell | str, b: Cell | str, rename: Mapping[str, str] | None = None) -> Shown:
    """Whether two cells are equal (`["same"]`), and which terms differ.

    Names that differ are matched by structure, and what is matched with what is said; `rename` changes names of `b`.
    """
    from derivations.correspondence import matched
    from derivations.reports import same as report

    found, under = matched(_cell(a), _cell(b, rename))
    return Shown(report.record(found, under), report.document(found, under))


def diff(cell: Cell | str, of: str, wrt: str, *, check: bool = True, **options: Any) -> Shown:
    """One derivative as a sum over paths, as `derive diff`.

    Args:
        options: `at` (a walkthrough), `step`, `through_time`, `most`, `closed`, as on the command line.
    """
    from derivations.notation import for_names
    from derivations.reports import diff as report
    from derivations.reports.derivative import derivative

    found = derivative(_cell(cell), of, wrt, prove=check, **options)
    if check:
        found = _backends("audit_derivative").audit_derivative(found)
    inner = found.derivation.cell
    notation = for_names(inner.parameters, inner.shapes, time=not found.total.through_time)
    return Shown(report.record(found, notation), report.document(found, notation))


def walkthrough(name: str = "notebook", *, check: bool = True) -> Shown:
    """A walkthrough replayed, as `derive walkthrough`: of the catalogue by its name, or a `.toml` file by its path."""
    from derivations.reports import walkthrough as report
    from derivations.reports.checks import Checked
    from derivations.walkthrough import read_walkthrough, replay

    found = read_walkthrough(name)
    run = replay(found)
    checked = _backends("audit_walkthrough").audit_walkthrough(found) if check else Checked()
    return Shown(report.record(run, checked), report.document(run, checked))


def check(
    cell: Cell | str,
    *,
    seed: int = 1,
    points: int = 3,
    laws: bool = False,
    second: bool = False,
    mutants: bool = False,
) -> Shown:
    """Every derivative of a cell against truth, NumPy, torch and JAX, as `derive check`.

    Args:
        laws, second, mutants: as its `--laws`, `--second` and `--mutants`; one at a time.

    Raises:
        CellError: there is no such cell, or not 1 to 16 points.
        ValueError: two kinds at a time.
    """
    from importlib import import_module

    from derivations.reports.check import kind

    chosen = kind(laws=laws, second=second, mutants=mutants)
    report = import_module(f"derivations.reports.{chosen.report}")
    found, options = _cell(cell), chosen.asked(seed=seed, points=points)
    checked = getattr(_backends(chosen.module), chosen.function)(derive_cell(found), **options)
    return Shown(report.record(found, checked), report.document(found, checked))


def flow(*cells_: str, at: str | None = None, steps: int = 40) -> Shown:
    """How gradient flows through T steps, cell beside cell, as `derive flow`."""
    from derivations.reports import flow as report

    found = report.flows(cells_ or (() if at else ("rnn", "lstm")), at=at, steps=steps)
    return Shown(report.record(found), report.document(found))


def explore(*cells_: Cell | str, walkthrough: str | None = None, check: bool = False) -> Page:
    """A page to walk through, as `derive explore`; it shows itself in a notebook, and `.save(path)` writes it."""
    from derivations.page.explore import Page, explorer

    return Page(explorer(cells_, walkthrough=walkthrough, audit=_backends("audit").audit if check else None))


def vectors(
    cell: Cell | str | Path,
    out: str | Path | None = None,
    *,
    at: str | None = None,
    rename: Mapping[str, str] | None = None,
    force: bool = False,
    **options: Any,
) -> Shown:
    """Golden numbers of a cell, as `derive vectors`; with `out`, written to an .npz or .json file as well.

    Args:
        at: a walkthrough of the cell, whose numbers are the first point.
        force: write over a file that this tool did not make.
        options: `seed`, `points`, `steps`, `batch`, `sizes` (a dictionary), `scalar`, `dtype` (float64 or float32).

    Raises:
        CellError: there is no such cell, walkthrough, size or dtype.
    """
    from derivations.output import write
    from derivations.reports import vectors as report

    made = _backends("golden.vectors")
    if options.get("sizes") is not None:
        options["sizes"] = report.sizes_from(options["sizes"])
    if "dtype" in options:
        options["dtype"] = _dtype(options["dtype"])
    derivation, walkthrough_ = report.derivation_at(_cell(cell, rename), at)
    found = made.vectors(derivation, at=walkthrough_, **options)
    if out is not None:
        write(Path(out), made.as_file(found, str(out)), force=force)
    return Shown(made.record(found), report.document(found))


def locate(
    cell: Cell | str | Path,
    dump: str | Path | Mapping[str, Any],
    *,
    golden: str | Path | Mapping[str, Any] | None = None,
    dtype: str | None = None,
    at: str | None = None,
    rename: Mapping[str, str] | None = None,
    verbose: bool = False,
) -> Shown:
    """The first equation that someone's numbers break, as `derive locate`.

    Args:
        dump: an .npz or .json file, or the arrays themselves by their names.
        golden: what `derive vectors` wrote, for the inputs that the dump does not have: a file, or what was loaded.
        at: the walkthrough in whose names the dump is.
        verbose: name all that is right, and all that is wrong.

    Raises:
        ValueError: the dump cannot be read, does not fit the cell, or cannot be tested at all.
    """
    from derivations.reports import locate as report
    from derivations.reports.vectors import derivation_at

    derivation, walkthrough_ = derivation_at(_cell(cell, rename), at)
    source = Path(golden) if isinstance(golden, str) else golden
    given = Path(dump) if isinstance(dump, str) else dump
    chosen = None if dtype is None else _dtype(dtype)
    found = _backends("golden.locate").locate(derivation, given, golden=source, dtype=chosen, at=walkthrough_)
    return Shown(report.record(found), report.document(found, verbose=verbose))


def _dtype(given: Any) -> str:
    """The name of a dtype: `numpy.float32` is a class, and `numpy.dtype("float32")` has a name."""
    return given if isinstance(given, str) else str(getattr(given, "name", None) or getattr(given, "__name__", given))


def mark(text: str, cell: Cell | str, *, notation: str = "", points: float | None = None) -> Shown:
    """A hand derivation, marked line by line, as `derive mark`.

    Args:
        text: the derivation itself; `notation` is "text", "python" or "latex", told by the text where it is empty.
        points: for every right line.

    Raises:
        CellError: the text is beyond the limits, or cannot be read at all.
    """
    from derivations.marking.mark import mark_sheet
    from derivations.marking.sheets import read_sheet
    from derivations.reports import mark as report

    found = _cell(cell)
    sheets = (report.Sheet("sheet", mark_sheet(read_sheet(text, notation), found)),)
    return Shown(report.record(found, sheets, points), report.document(found, sheets, points))


def quiz(cell: Cell | str, *, blank: int = 0, mistakes: int = 0, seed: int = 1) -> Shown:
    """A sheet with blanks or planted mistakes, and its key (`["lines"]`), as `derive quiz`."""
    from derivations.marking.quiz import quiz as make
    from derivations.reports import quiz as report

    found = make(_cell(cell), blank=blank, mistakes=mistakes, seed=seed)
    return Shown(report.record(found), report.document(found))


def _backends(module: str) -> Any:
    """The one way from here to the backends: through the command line's module, when something is checked."""
    from derivations.__main__ import backends

    return backends(module)
