"""A number that knows its rounding errors, each followed to the end.

Every rounding makes an error of its own, of unknown sign and at most u times what is rounded. A number's error is
kept as a linear form in all of them (as in affine arithmetic: de Figueiredo & Stolfi, Numer. Algorithms 37, 2004), so
that errors which cancel on their way, as in the mean that layer normalisation takes off, are seen to cancel.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backends.balls import Balls, balls
from backends.dtypes import Format

Floats = NDArray[np.float64]
MOST_FORMS = 2048  # later errors are added up in size alone: still a bound, and large programs stay within memory


class Rounded(NamedTuple):
    """A number and what rounding may have done to it; arrays are (batch, rows, columns) as in `balls.py`.

    Attributes:
        value: exact; `middle` is it in float64.
        forms: the effect on it of each rounding error so far, in units of u: (errors, batch, rows, columns).
            Sequences do not meet: each has its own errors, under the same numbers. Later errors are not listed.
        loose: S and N of what no form tells, (2, batch, rows, columns).
        error: u*S + eta*N in all.
        terms, gross: of how many terms it is a flat sum, 1 for anything else, and the sum of their sizes.
        fresh, kept: of a flat sum, how many of the last forms are its own rounding, and `loose` without it. A
            sum that takes these terms for its own leaves that rounding out.
    """

    value: Balls
    middle: Floats
    forms: Floats
    loose: Floats
    error: Floats
    terms: int
    gross: Floats
    fresh: int
    kept: Floats

    @property
    def size(self) -> Floats:
        """The largest absolute value that the computed number may have."""
        return np.abs(self.middle) + self.error

    @property
    def open_forms(self) -> Floats:
        return self.forms[: len(self.forms) - self.fresh]

    @property
    def bound(self) -> Floats:
        """S and N, (2, batch, rows, columns); infinite where a right program may overflow or divide by 0."""
        total = self.loose + 0.0
        total[0] += np.abs(self.forms).sum(0)
        return np.where(np.isfinite(total), total, np.inf)


class Ledger:
    """The rounding errors of one run of a program in one format, counted as they are made."""

    def __init__(self, format_: Format) -> None:
        self.unit, self.eta, self.most = format_.unit, format_.smallest, format_.largest
        self.errors = 0

    def exact(self, value: Balls) -> Rounded:
        """A number that the program has exactly."""
        middle = value.astype(np.float64)
        nothing = np.zeros((2, *middle.shape))
        return Rounded(value, middle, nothing[:0], nothing, nothing[0], 1, np.abs(middle), 0, nothing)

    def given(self, numbers: NDArray[np.floating]) -> Rounded:
        """Numbers that the program receives."""
        return self.exact(balls(numbers))

    def computed(
        self,
        value: Balls,
        forms: Floats,
        loose: Floats,
        k: float,
        more: Floats | None = None,
        flush: bool = True,
        flat: tuple[int, Floats] | None = None,
        listed: bool = True,
    ) -> Rounded:
        """The result of one operation.

        Args:
            forms, loose: what it inherits, in the shape of the result.
            k: how many units of rounding it makes itself, times the size of what is rounded.
            more: S of what else it adds: terms of higher order, or the rounding of a flat sum.
            flush: whether it may be flushed to zero.
            flat: of a flat sum, how many terms it has and the sum of their sizes.
            listed: whether its own rounding gets a form. That pays where a number is read more than once. Without
                one, every reader of it counts that rounding anew.
        """
        middle = value.astype(np.float64)
        size = np.abs(middle)
        kept, loose = loose, loose.copy()
        relative, flushed = loose
        error = self.unit * (np.add.reduce(np.abs(forms)) + relative if len(forms) else relative)
        error += self.eta * flushed
        reach = size + error
        own = k * reach
        if more is not None:
            own += more
        relative += own
        error += self.unit * own
        if flush:
            some = 1.0 if np.minimum.reduce(reach, axis=None) > 0 else reach > 0
            flushed += some
            error += self.eta * some
        reach = size + error
        if not np.maximum.reduce(reach, axis=None) <= self.most:  # where a right program may have got infinity
            error = np.where(reach <= self.most, error, np.inf)
            relative[np.isinf(error)] = np.inf
            reach = size + error
        inherited = len(forms)
        if listed and self.errors < MOST_FORMS:
            forms = self._listed(forms, loose)
        if flat is None:
            return Rounded(value, middle, forms, loose, error, 1, reach, 0, loose)
        return Rounded(value, middle, forms, loose, error, *flat, len(forms) - inherited, kept)

    def summed(
        self,
        value: Balls,
        forms: Floats,
        loose: Floats,
        terms: int,
        gross: Floats,
        listed: bool = True,
    ) -> Rounded:
        """A flat sum in any order: (n - 1) times the sizes of its n terms; of two terms, the size of the result."""
        more = (terms - 1) * gross if terms > 2 else None
        return self.computed(value, forms, loose, int(terms == 2), more, False, (terms, gross), listed)

    def _listed(self, forms: Floats, loose: Floats) -> Floats:
        """The forms, and S of what is loose as new ones, one for every entry; `loose` keeps N."""
        _, batch, rows, columns = loose.shape
        count = rows * columns
        longer = np.zeros((self.errors + count, batch, rows, columns))
        longer[: len(forms)] = forms
        if count == 1:
            longer[self.errors] = loose[0]
        else:
            entries = np.arange(count)
            own = longer.reshape(-1, batch, count)
            own[self.errors + entries, :, entries] = loose[0].reshape(batch, count).T
        loose[0] = 0.0
        self.errors += count
        return longer


def _length(part: tuple[Any, Floats]) -> int:
    return len(part[1])


def combined(shape: tuple[int, ...], *parts: tuple[Any, Floats]) -> Floats:
    """The sum of weight * forms over the parts, in the shape of a result."""
    some = [part for part in parts if len(part[1])]
    if not some:
        return np.zeros((0, *shape))
    if len(some) > 1:
        some.sort(key=_length, reverse=True)
    (weight, longest), *others = some
    total: Floats = weight * longest
    if total.shape[1:] != shape:  # the others are wider: a parameter beside a batch
        total = np.broadcast_to(total, (len(total), *shape)).copy()
    for weight, forms in others:
        total[: len(forms)] += weight * forms
    return total
