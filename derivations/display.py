"""What people see of an object: text at a prompt, a typeset formula in a notebook (one rich type, never two).

The core types know nothing of printing. Here they are given `__repr__` and `_repr_latex_`, once, when the package
loads; the formats are reached for when something is shown.
"""

from typing import Any

from derivations.cell import Cell
from derivations.derive import Derivation, Step


def _latex(shown: Any) -> str:
    from derivations.formats import latex_display

    return latex_display(shown)


def _step(step: Step) -> str:
    from derivations.plain import Style, text

    return f"{text(step.lhs, Style())} = {text(step.rhs, Style())}"


def _cell(cell: Cell) -> str:
    from derivations.plain import Style, text

    lines = [f"{e.target} = {text(e.rhs, Style())}" for e in cell.written]
    return "\n".join([f"cell {cell.name}", *lines])


def _derivation(derivation: Derivation) -> str:
    from derivations.formats import load

    return str(load("text").render(derivation)).rstrip()


def wire() -> None:
    """Give the core types their looks."""
    looks: tuple[tuple[Any, Any], ...] = ((Step, _step), (Cell, _cell), (Derivation, _derivation))
    for kind, plain in looks:
        kind.__repr__ = plain
        kind._repr_latex_ = _latex


class Shown:
    """The result of a command: its record for programs in `data`, and the document that a reader sees."""

    def __init__(self, data: dict[str, Any], document: Any) -> None:
        self.data = data
        self.document = document

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __repr__(self) -> str:
        from derivations.formats._text_document import pieces

        return "".join(text for _, text in pieces(self.document)).rstrip()

    def _repr_latex_(self) -> str:
        from derivations.formats._latex_document import notebook

        return notebook(self.document)
