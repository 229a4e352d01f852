"""Batches of matrices modulo a 61-bit prime: exact, quick, and with nothing to choose.

Every value is a numpy array (B or 1, rows, columns) of `Residue`. A float is a fraction with a power of two below,
so a point's numbers go in as they are. Functions are the tables of `residues.py`, kinked ones too: what follows from
the chain rule alone holds for any table.
"""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.balls import BallArithmetic
from derivations.residues import PRIME, Residue, Residues

ResidueArray = NDArray[np.object_]


def _residue(x: Any) -> Residue:
    if isinstance(x, Residue):
        return x
    above, below = float(x).as_integer_ratio()
    return Residue(above * pow(below, -1, PRIME))


_each = np.frompyfunc(_residue, 1, 1)
_value = np.frompyfunc(lambda x: x.value, 1, 1)


def residues(numbers: NDArray[Any]) -> ResidueArray:
    """Floats as residues; what is a residue stays."""
    return np.asarray(_each(numbers), dtype=object)


def vanish(array: ResidueArray) -> NDArray[np.bool_]:
    """Which entries are zero."""
    return np.asarray(_value(array) == 0, dtype=np.bool_)


class ResidueArrays(BallArithmetic):
    """The `Arithmetic` of `expression.evaluate` on arrays of residues, which move as arrays of balls do.

    Functions are drawn by the seed; so is logsumexp, whose value does not hang on the order of the entries.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.tables = Residues(seed)

    def number(self, value: Fraction) -> ResidueArray:
        return np.full((1, 1, 1), self.tables.scalar(value), dtype=object)

    def call(self, function: str, args: list[ResidueArray]) -> ResidueArray:
        apply = np.frompyfunc(lambda *scalars: self.tables.apply(function, scalars), len(args), 1)
        return np.asarray(apply(*args))

    def diagonal(self, a: ResidueArray) -> ResidueArray:
        return np.where(np.eye(a.shape[-2], dtype=bool), a, self.number(Fraction(0)))

    def logsumexp(self, a: ResidueArray) -> ResidueArray:
        ordered = [sorted(x.value for x in entries.flat) for entries in a]
        found = [self.tables.drawn(f"logsumexp({','.join(map(str, values))})") for values in ordered]
        return np.array(found, dtype=object).reshape(-1, 1, 1)
