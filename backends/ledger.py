"""A number that knows its rounding errors, each followed to the end.

Every rounding makes an error of its own, of unknown sign and at most u times what is rounded. A number's error is
kept as a linear form in all of them (as in affine arithmetic: de Figueiredo & Stolfi, Numer. Algorithms 37, 2004), so
that errors which cancel on their way, as in the mean that layer normalisation takes off, are seen to cancel.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backends.balls import Balls, balls
from backends.dtypes import Format

Floats = NDArray[np.float64]
Weight = Floats | NDArray[np.bool_] | Literal[True]
MOST_FORMS = 2048  # later errors are added up in size alone: still a bound, and large programs stay within memory
LOOSE = 2  # how many rows of `errors` are sizes: S and N


class Rounded(NamedTuple):
    """A number and what rounding may have done to it; arrays are (batch, rows, columns) as in `balls.py`.

    Attributes:
        value: exact; `middle` is it in float64.
        errors: (2 + forms, batch, rows, columns), and empty for a number that is exact. First S and N of what no form
            tells, which are sizes; then the effect on the number of each rounding error so far, in units of u, which
            has a sign. Sequences do not meet: each has its own errors, under the same numbers. Later errors are not
            listed.
        error: u*S + eta*N in all.
        terms, gross: of how many terms it is a flat sum, 1 for anything else, and the sum of their sizes.
        open: of a flat sum, `errors` without its own rounding, which a sum that takes these terms for its own leaves
            out; of anything else, `errors`.
    """

    value: Balls
    middle: Floats
    errors: Floats
    error: Floats
    terms: int
    gross: Floats
    open: Floats

    @property
    def size(self) -> Floats:
        """The largest absolute value that the computed number may have."""
        return np.abs(self.middle) + self.error

    @property
    def bound(self) -> Floats:
        """S and N, (2, batch, rows, columns); infinite where a right program may overflow or divide by 0."""
        if not len(self.errors):
            return np.zeros((LOOSE, *self.value.shape))
        total = in_size(self.errors)
        return np.where(np.isfinite(total), total, np.inf)


def in_size(errors: Floats) -> Floats:
    """S and N of all errors: of those with a sign, the sizes."""
    total = errors[:LOOSE].copy()
    total[0] += np.add.reduce(np.abs(errors[LOOSE:]))
    return total


def padded(number: Rounded, length: int) -> Floats:
    """Its errors, and no effect of later ones."""
    longer = np.zeros((length, *number.value.shape))
    longer[: len(number.errors)] = number.errors
    return longer


class Ledger:
    """The rounding errors of one run of a program in one format, counted as they are made."""

    def __init__(self, format_: Format) -> None:
        self.unit, self.eta, self.most = format_.unit, format_.smallest, format_.largest
        self.errors = 0
        self._weights = self._weigh(256)

    def _weigh(self, count: int) -> Floats:
        weights = np.full(count, self.unit)
        weights[1] = self.eta
        return weights

    def exact(self, value: Balls) -> Rounded:
        """A number that the program has exactly."""
        middle = value.astype(np.float64)
        nothing = np.zeros((0, *middle.shape))
        return Rounded(value, middle, nothing, np.zeros(middle.shape), 1, np.abs(middle), nothing)

    def given(self, numbers: NDArray[np.floating]) -> Rounded:
        """Numbers that the program receives."""
        return self.exact(balls(numbers))

    def inherited(self, shape: tuple[int, ...], *parts: tuple[Weight, Floats], listed: bool = True) -> Floats:
        """The sum of weight * errors over the parts, in the shape of a result, with room for what is its own.

        Args:
            parts: the weight is True for a number that is passed on as it is.
            listed: as `computed` has it.
        """
        length = LOOSE
        if listed and self.errors < MOST_FORMS:
            length += self.errors + shape[-2] * shape[-1]
        else:
            for _, errors in parts:
                length = max(length, len(errors))
        total = np.zeros((length, *shape))
        for weight, errors in parts:
            if some := len(errors):
                if weight is not True:
                    errors = weight * errors
                    sizes = errors[:LOOSE]
                    np.absolute(sizes, sizes)
                first = total[:some]
                np.add(first, errors, first)
        return total

    def computed(
        self,
        value: Balls,
        errors: Floats,
        k: float,
        more: Floats | None = None,
        flush: bool = True,
        flat: tuple[int, Floats] | None = None,
        listed: bool = True,
    ) -> Rounded:
        """The result of one operation.

        Args:
            errors: what it inherits, an array of its own, which is taken and changed.
            k: how many units of rounding it makes itself, times the size of what is rounded.
            more: S of what else it adds: terms of higher order, or the rounding of a flat sum.
            flush: whether it may be flushed to zero.
            flat: of a flat sum, how many terms it has and the sum of their sizes.
            listed: whether its own rounding gets a form. That pays where a number is read more than once. Without
                one, every reader of it counts that rounding anew.
        """
        open_ = errors if flat is None else errors[: LOOSE + self.errors].copy()
        return self._rounded(value, errors, self._total(errors), k, more, flush, flat, listed, open_)

    def scaled(self, a: Rounded, exact: Rounded, listed: bool) -> Rounded:
        """The product with a number that is exact."""
        value, weight = a.value * exact.value, exact.middle
        error = np.absolute(weight) * a.error
        if (listed and self.errors < MOST_FORMS) or not len(a.errors):
            errors = self.inherited(value.shape, (weight, a.errors), listed=listed)
        else:
            errors = weight * a.errors
            sizes = errors[:LOOSE]
            np.absolute(sizes, sizes)
        return self._rounded(value, errors, error, 1, None, True, None, listed, errors)

    def _rounded(
        self,
        value: Balls,
        errors: Floats,
        error: Floats,
        k: float,
        more: Floats | None,
        flush: bool,
        flat: tuple[int, Floats] | None,
        listed: bool,
        open_: Floats,
    ) -> Rounded:
        middle = value.astype(np.float64)
        size = np.absolute(middle)
        reach = size + error
        own = k * reach if k != 1 else reach
        if more is not None:
            own = own + more
        relative, flushed = errors[:LOOSE]
        relative += own
        error = error + self.unit * own
        if flush:
            some = 1.0 if np.minimum.reduce(reach, None) > 0 else (reach > 0).astype(float)
            flushed += some
            error += self.eta * some
        reach = size + error
        if not np.maximum.reduce(reach, None) <= self.most:  # where a right program may have got infinity
            error = np.where(reach <= self.most, error, np.inf)
            relative[np.isinf(error)] = np.inf
            reach = size + error
        if listed and self.errors < MOST_FORMS:
            errors = self._listed(errors)
        if flat is None:
            return Rounded(value, middle, errors, error, 1, reach, errors)
        return Rounded(value, middle, errors, error, *flat, open_)

    def off_by(self, a: Rounded, k: float, more: Floats | None = None, listed: bool = True) -> Rounded:
        """A number that may be off by more than it is: k units of rounding, and S of what else."""
        errors = self.inherited(a.value.shape, (True, a.errors), listed=listed)
        return self.computed(a.value, errors, k, more, listed=listed)

    def summed(
        self,
        value: Balls,
        errors: Floats,
        terms: int,
        gross: Floats,
        listed: bool = True,
    ) -> Rounded:
        """A flat sum in any order: (n - 1) times the sizes of its n terms; of two terms, the size of the result."""
        more = (terms - 1) * gross if terms > 2 else None
        return self.computed(value, errors, int(terms == 2), more, False, (terms, gross), listed)

    def _total(self, errors: Floats) -> Floats:
        """u*S + eta*N."""
        if len(errors) > len(self._weights):
            self._weights = self._weigh(2 * len(errors))
        flat: Floats = np.absolute(errors).reshape(len(errors), -1)
        return (self._weights[: len(errors)] @ flat).reshape(errors.shape[1:])

    def _listed(self, errors: Floats) -> Floats:
        """S of what is loose as new forms, one for every entry; N stays as it is."""
        _, batch, rows, columns = errors.shape
        count, first = rows * columns, LOOSE + self.errors
        if len(errors) < first + count:
            longer = np.zeros((first + count, batch, rows, columns))
            longer[: len(errors)] = errors
            errors = longer
        if count == 1:
            errors[first] = errors[0]
        else:
            entries = np.arange(count)
            own = errors.reshape(-1, batch, count)
            own[first + entries, :, entries] = errors[0].reshape(batch, count).T
        errors[0] = 0.0
        self.errors += count
        return errors
