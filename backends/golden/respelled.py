"""A dump whose program computes a gate's complement the other way: how much further off its numbers may be."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backends.balls import largest
from backends.dtypes import Format
from backends.golden.dumped import Ready
from backends.golden.layout import layout
from backends.ledger import Rounded
from backends.spellings import respelled
from derivations.derive import derive
from derivations.program import Backward, backward_program


def otherwise(program: Backward, dump: Ready) -> list[tuple[Backward, Ready]]:
    """The derivation of each other spelling of a cell, and what the dump has of its names."""
    found = []
    for cell in respelled(program.cell):
        known = layout(cell)
        own = {key: array for key, array in dump.own.items() if key in known}
        found.append((backward_program(derive(cell)), replace(dump, point=replace(dump.point, cell=cell), own=own)))
    return found


def bound_over(number: Rounded, others: Sequence[Rounded], format_: Format) -> NDArray[np.float64]:
    """S and N of a number that other spellings compute from other numbers of the same dump.

    They end elsewhere, within rounding, and that far off counts as S. A number that ends farther off is computed from
    what this spelling has otherwise, as the adjoint of a gate is, and gives no excuse.
    """
    bound = number.bound
    for other in others:
        relative, flushed = other.bound
        own = format_.unit * bound[0] + format_.smallest * bound[1]
        theirs = format_.unit * relative + format_.smallest * flushed
        apart = largest(other.value - number.value)
        more = np.where(apart <= own + theirs, np.maximum(apart + theirs - own, 0.0), 0.0)
        bound = np.stack([bound[0] + more / format_.unit, np.broadcast_to(bound[1], more.shape)])
    return bound
