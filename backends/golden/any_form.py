"""The arithmetic in which someone else's numbers are judged: of a program of which nothing is known.

It may write its sigmoid as 0.5*tanh(a/2) + 0.5, it may have more digits than it stored, and it may compute a stored
number of a function anew.
"""

import numpy as np

from backends.dtypes import ANY, error_of
from backends.golden.values import follow_in_size
from backends.ledger import Ledger, Rounded
from backends.points import Array, Point
from backends.rounding import RoundedArithmetic
from derivations.cell import Cell
from derivations.expression import Call


class AnyForm(RoundedArithmetic):
    """The arithmetic of a program that may write its sigmoid as 0.5*tanh(a/2) + 0.5, as many kernels do."""

    def __init__(self, dtype: str, point: Point) -> None:
        super().__init__(dtype, ANY)
        follow_in_size(self, point)

    def call(self, function: str, args: list[Rounded]) -> Rounded:
        found = super().call(function, args)
        if function != "sigmoid":
            return found
        more = np.full(found.value.shape, _by_tanh(self.dtype))
        return self.ledger.off_by(found, 0, more, listed=False)


def stored(ledger: Ledger, array: Array, k: float = 1.0, beside: float = 0.0) -> Rounded:
    """Numbers that may have been rounded after they were used: inputs too, of which a program may have more digits."""
    exact = ledger.given(array)
    more = np.full(exact.value.shape, beside) if beside else None
    return ledger.off_by(exact, k, more, listed=False)


def stored_k(cell: Cell, key: str, dtype: str) -> tuple[float, float]:
    """In units of u, how far off a stored number may be: times its size, and beside that."""
    match cell.equation(key).rhs if key in cell.defined else None:
        case Call(function, _):
            k = max(1.0, error_of(function, dtype, ANY) or 1.0)
            return k, _by_tanh(dtype) if function == "sigmoid" else 0.0
    return 1.0, 0.0


def _by_tanh(dtype: str) -> float:
    """How far off 0.5*tanh(a/2) + 0.5 may be, in units of u: near 0 that is not times the sigmoid's size."""
    return (error_of("tanh", dtype, ANY) or 0.0) / 2
