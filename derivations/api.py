"""The commands as Python functions: the same names, the same meaning, returning data that displays itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from derivations.build import rename as renamed
from derivations.catalogue import cell_names, read_cell
from derivations.cell import Cell
from derivations.derive import Derivation
from derivations.derive import derive as derive_cell
from derivations.display import Shown
from derivations.language import read

__all__ = ["cells", "check", "derive", "diff", "flow", "read", "same", "show", "walkthrough"]


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


def _cell(cell: Cell | str, rename: Mapping[str, str] | None = None) -> Cell:
    found = read_cell(cell) if isinstance(cell, str) else cell
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
    """Whether two cells are equal (`["same"]`), and which terms differ; `rename` changes names of `b`."""
    from derivations.reports import same as report
    from derivations.same import compare

    found = compare(_cell(a), _cell(b, rename))
    return Shown(report.record(found), report.document(found))


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
        found = _backends().audit_derivative(found)
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
    checked = _backends().audit_walkthrough(found) if check else Checked()
    return Shown(report.record(run, checked), report.document(run, checked))


def check(cell: Cell | str, *, seed: int = 1, points: int = 3) -> Shown:
    """Every derivative of a cell against truth, NumPy, torch and JAX, as `derive check`."""
    from derivations.reports import check as report

    found = _cell(cell)
    checked = _backends().audit(derive_cell(found), seed=seed, points=points)
    return Shown(report.record(found, checked), report.document(found, checked))


def flow(*cells_: str, at: str | None = None, steps: int = 40) -> Shown:
    """How gradient flows through T steps, cell beside cell, as `derive flow`."""
    from derivations.reports import flow as report

    found = report.flows(cells_ or (() if at else ("rnn", "lstm")), at=at, steps=steps)
    return Shown(report.record(found), report.document(found))


def _backends() -> Any:
    """The one way from here to the backends: through the command line's module, when something is checked."""
    from derivations.__main__ import backends

    return backends("audit")
