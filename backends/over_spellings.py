"""The bound on a number over all spellings of its program, of which none may be accused."""

from collections.abc import Sequence

import numpy as np

from backends.balls import largest
from backends.dtypes import Format
from backends.ledger import Floats, Rounded


def bound_over(number: Rounded, others: Sequence[Rounded], format_: Format) -> Floats:
    """S and N of a number that other spellings compute otherwise: what each adds to the errors adds up.

    Where each computes from what it has, they may end elsewhere, within rounding, and that far off counts as S. What
    ends farther off is another number, as the adjoint of a gate is by which a complement does not go, and no excuse.
    """
    bound = number.bound
    if not others:
        return bound
    unit, eta = format_.unit, format_.smallest
    own = unit * bound[0] + eta * bound[1]
    more = np.zeros(own.shape)
    for other in others:
        relative, flushed = other.bound
        theirs = unit * relative + eta * flushed
        apart = largest(other.value - number.value)
        excess = np.where(np.isfinite(own) & (apart <= own + theirs), apart + theirs - own, 0.0)
        more = more + np.maximum(excess, 0.0)
    return np.stack([bound[0] + more / unit, np.broadcast_to(bound[1], more.shape)])
