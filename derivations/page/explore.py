"""The explorer of some cells: what `derive explore` writes and `explore` shows in a notebook."""

from collections.abc import Callable, Sequence
from html import escape

from derivations.catalogue import read_cell
from derivations.cell import Cell, CellError
from derivations.derive import Derivation, derive
from derivations.page.presets import presets
from derivations.page.write import page
from derivations.reports.checks import Checked, verdict
from derivations.walkthrough import read_walkthrough

USUAL = ("lstm", "gru", "rnn")
MOST_CELLS = 8

Audit = Callable[[Derivation], Checked]


def explorer(
    cells: Sequence[Cell | str] = (),
    *,
    walkthrough: str | None = None,
    audit: Audit | None = None,
) -> str:
    """The page of some cells, as one HTML text.

    Args:
        cells: names of the catalogue, paths of `.cell` files, or cells; the usual three where none is named.
        walkthrough: its cell, in its source's names and with its readout and loss, comes first, with its numbers.
        audit: holds a cell's derivatives against libraries; the page says with what success, and nothing without it.

    Raises:
        CellError: there is no such cell or walkthrough, one stacks vectors, which has no scalar view, or there are more
            than eight.
        ModuleNotFoundError: Jinja is not installed.
    """
    chosen = read_walkthrough(walkthrough) if walkthrough else None
    given = tuple(cells) or (() if chosen else USUAL)
    found: dict[str, Cell] = {}
    if chosen:
        found[_key(chosen.name, found)] = chosen.cell
    for cell in given:
        own = read_cell(cell) if isinstance(cell, str) else cell
        found[_key(own.name, found)] = own
    if len(found) > MOST_CELLS:
        raise CellError(f"{len(found)} cells on one page; {MOST_CELLS} is the most")
    for key, cell in found.items():
        if cell.stacked:
            raise CellError(f"{key} stacks vectors, as in [h_prev; x]: the page shows the scalar view, which it lacks")
        if not cell.inputs:
            raise CellError(f"{key} has no input: there is nothing to walk through")
    derivations = {key: derive(cell) for key, cell in found.items()}
    return page(
        derivations,
        presets(found, chosen),
        title=_title(list(found.values())),
        loss_steps=chosen.loss_steps if chosen else (),
        checks={key: badges(audit(derivation)) for key, derivation in derivations.items()} if audit else None,
    )


def _key(name: str, taken: dict[str, Cell]) -> str:
    """What to call a cell on the page: its name, and a number where two have the same."""
    key = plain = name.replace("-", "_")
    number = 2
    while key in taken:
        key, number = f"{plain}_{number}", number + 1
    return key


def _title(cells: Sequence[Cell]) -> str:
    first = cells[0].title or cells[0].name
    return f"{first}: the derivation explorer" if len(cells) == 1 else "The derivation explorer"


def badges(checked: Checked) -> tuple[str, ...]:
    """What a cell's derivatives were held against, and with what success, a few words for each."""
    found = []
    if checked.exact:
        wrong = sum(count for _, count in checked.exact)
        found.append(f"exact arithmetic: {'agrees' if not wrong else f'{wrong} entries DISAGREE'}")
    for library in dict.fromkeys(check.backend.partition(",")[0] for check in checked.checks):
        own = [verdict(check) for check in checked.checks if check.backend.partition(",")[0] == library]
        wrong = own.count("FAIL")
        found.append(f"{library}: {own.count('PASS')} of {len(own)} right{f', {wrong} WRONG' if wrong else ''}")
    return tuple(found)


HEIGHT = 900


class Page:
    """A page that shows itself in a notebook, in a frame that can run its own script and reach nothing else.

    Attributes:
        html: the whole page.
        height: of the frame, in points of the screen.
    """

    def __init__(self, html: str, height: int = HEIGHT) -> None:
        self.html = html
        self.height = height

    def __repr__(self) -> str:
        return f"a page of {len(self.html.encode('utf-8')) // 1000} kB; write it with .save('explorer.html')"

    def _repr_html_(self) -> str:
        return (
            f'<iframe sandbox="allow-scripts" title="The derivation explorer" width="100%" height="{self.height}"'
            f' style="border:0" srcdoc="{escape(self.html, quote=True)}"></iframe>'
        )

    def save(self, path: str, *, force: bool = False) -> None:
        """Write the page to a file, whole or not at all.

        Raises:
            OutputError: it cannot be written, or would overwrite what this package did not make (`force` allows it).
        """
        from pathlib import Path as File

        from derivations.output import write

        write(File(path), self.html.encode("utf-8"), force=force)
