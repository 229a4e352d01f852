"""How far a right program may be off: a running bound on rounding, beside exact values.

With one error for every rounding (`ledger.py`), a program's result g is off, to first order, by at most u*S + eta*N:

    S = sum of k(v) |v| |dg/dv| over all roundings v,
    N = sum of |dg/dv| over products, quotients and functions,

where u is the unit roundoff, and eta, the smallest normal number, is what a result may lose when it is flushed to
zero (running error analysis: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., ch. 3). What is of
higher order in u is added to S as it arises, so that this is a bound near saturation too, where a gate's complement
is all rounding. The bound is itself computed in float64; its own relative error, some 1e-12, is of no consequence.

Other right programs add in another order. So a sum of sums is one flat sum of n terms, whatever their order, and
counts n - 1 times the sum of their sizes: linear maps beside their bias, the consumers of a name, steps, the batch.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.balls import BallArithmetic, Balls, diagonal, spread, stacked, transposed
from backends.curvature import BENDS
from backends.dtypes import error_of, format_of
from backends.ledger import LOOSE, Floats, Ledger, Rounded, in_size, padded
from derivations.expression import evaluate
from derivations.functions import FUNCTIONS

_OF = BallArithmetic()


class RoundedArithmetic:
    """The `Arithmetic` of `expression.evaluate` on numbers that know their rounding errors.

    One object serves one run of a program.

    Args:
        dtype: the format that a program computes in.
        backend: whose functions it calls, where they are worse than most (`dtypes.WORSE`).
    """

    def __init__(self, dtype: str, backend: str = "") -> None:
        self.dtype, self.backend, self.format = dtype, backend, format_of(dtype)
        self.ledger = Ledger(self.format)
        self.unit = self.format.unit
        self._exact: dict[int, tuple[Fraction, Rounded]] = {}  # the constants that the format has, by identity
        self._called: dict[tuple[str, int], tuple[Rounded, Rounded]] = {}

    def number(self, value: Fraction) -> Rounded:
        if (known := self._exact.get(id(value))) is not None:
            return known[1]
        exact = self.ledger.exact(_OF.number(value))
        if self.format.holds(value):
            self._exact[id(value)] = value, exact
            return exact
        return self.ledger.computed(exact.value, self.ledger.inherited(exact.value.shape), 1, flush=False)

    def add(self, terms: list[Rounded]) -> Rounded:
        if len(terms) == 1:
            return terms[0]
        value = _OF.add([term.value for term in terms])
        errors = self.ledger.inherited(value.shape, *[(True, term.open) for term in terms])
        gross = reduce(add, [term.gross for term in terms])
        return self.ledger.summed(value, errors, sum([term.terms for term in terms]), gross)

    def negative(self, a: Rounded) -> Rounded:
        errors = _opposite(a.errors)
        open_ = errors if a.open is a.errors else _opposite(a.open)
        return a._replace(value=-a.value, middle=-a.middle, errors=errors, open=open_)

    def multiply(self, factors: list[Rounded]) -> Rounded:
        result = factors[0]
        for number, factor in enumerate(factors[1:], 2):
            result = self._product(result, factor, listed=number == len(factors))
        return result

    def _product(self, a: Rounded, b: Rounded, listed: bool) -> Rounded:
        if not len(b.errors):
            return self.ledger.scaled(a, b, listed)
        if not len(a.errors):
            return self.ledger.scaled(b, a, listed)
        value = a.value * b.value
        errors = self.ledger.inherited(value.shape, (b.middle, a.errors), (a.middle, b.errors), listed=listed)
        return self.ledger.computed(value, errors, 1, a.error * b.error / self.unit, listed=listed)

    def divide(self, a: Rounded, b: Rounded) -> Rounded:
        value = a.value / b.value
        ratio, divisor = value.astype(np.float64), np.abs(b.middle)
        least = divisor - b.error  # that the computed divisor may be
        errors = self.ledger.inherited(value.shape, (1 / b.middle, a.errors), (-ratio / b.middle, b.errors))
        second = (a.error + np.abs(ratio) * b.error) * b.error / (divisor * least)
        more = np.where(least > 0, second, np.inf) / self.unit
        return self.ledger.computed(value, errors, 1, more)

    def power(self, a: Rounded, exponent: int) -> Rounded:
        if exponent < 2:
            return a if exponent else self.number(Fraction(1))
        if exponent == 2:
            return self._bent(a, _OF.power(a.value, 2), 2 * a.middle, a.error * a.error, 1)
        slope = exponent * a.middle ** (exponent - 1)
        second = exponent * (exponent - 1) / 2 * a.size ** (exponent - 2) * a.error**2
        return self._bent(a, _OF.power(a.value, exponent), slope, second, exponent - 1)

    def call(self, function: str, args: list[Rounded]) -> Rounded:
        if function in CHOOSING:
            return CHOOSING[function](self, *args)
        if function in JUMPING:
            return self._jump(function, args)
        k = error_of(function, self.dtype, self.backend)
        if k is not None and function in BENDS:
            return self._smooth(function, args[0], k)
        row = FUNCTIONS[function]
        if row.value is None:
            raise NotImplementedError(f"no rounding error is known for {function}; add it to ERRORS")
        return evaluate(row.value, dict(zip((x.id for x in row.args), args, strict=True)), self)

    def _smooth(self, function: str, a: Rounded, k: float) -> Rounded:
        """A function of one number: of the same number, the same result, as wherever it is not a form of its own."""
        known = self._called.get((function, id(a)))
        if known is not None:
            return known[1]
        bend, value = BENDS[function], _OF.call(function, [a.value])
        slope = bend.slope(a.middle)
        beyond = bend.beyond(a.middle, a.error, slope) if len(a.errors) else None
        found = self._bent(a, value, slope, beyond, k)
        self._called[function, id(a)] = a, found  # the argument is kept, so that no other takes its identity
        return found

    def _bent(self, a: Rounded, value: Balls, slope: Floats, beyond: Floats | None, k: float) -> Rounded:
        """A function of one argument: `slope` passes on what the argument inherited, `beyond` is the rest.

        Its own rounding gets no form: other right programs compute a gate's complement, or its slope, anew.
        """
        errors = self.ledger.inherited(value.shape, (slope, a.errors), listed=False)
        if len(a.errors) and not np.isfinite(slope).all():
            errors[:LOOSE][a.errors[:LOOSE] == 0] = 0.0  # what is nothing, times an infinite slope
        more = None if beyond is None else beyond / self.unit
        return self.ledger.computed(value, errors, k, more, listed=False)

    def larger(self, a: Rounded, b: Rounded) -> Rounded:
        """max(a, b), unrounded: the error of the larger, or of either where rounding decides which it is."""
        value = _OF.call("max", [a.value, b.value])
        gap, doubt = a.middle - b.middle, a.error + b.error
        first, second = gap > doubt, gap < -doubt
        either = np.where(first | second, 0.0, np.maximum(a.error, b.error)) / self.unit
        errors = self.ledger.inherited(value.shape, (first, a.errors), (second, b.errors))
        return self.ledger.computed(value, errors, 0, either, False)

    def smaller(self, a: Rounded, b: Rounded) -> Rounded:
        return self.negative(self.larger(self.negative(a), self.negative(b)))

    def absolute(self, a: Rounded) -> Rounded:
        return self.larger(a, self.negative(a))

    def hard_sigmoid(self, a: Rounded) -> Rounded:
        """clip(x/6 + 1/2, 0, 1), with the rounding of every way to write it, as relu6(x + 3)/6."""
        line = evaluate(FUNCTIONS["hard_sigmoid"].pieces[0], {"x": a}, self)
        more = 2 * a.size / 6 + 2 * line.size
        line = self.ledger.off_by(line, 0, more)
        return self.smaller(self.larger(line, self.number(Fraction(0))), self.number(Fraction(1)))

    def _jump(self, function: str, args: list[Rounded]) -> Rounded:
        """A piecewise constant: right to the digit, unless rounding can carry the argument over a corner."""
        value = _OF.call(function, [arg.value for arg in args])
        corners = args[1:] or [self.number(Fraction(0))]
        over = np.zeros(value.shape, dtype=bool)
        for corner in corners:
            doubt = args[0].error + corner.error
            over |= (np.abs(args[0].middle - corner.middle) <= doubt) & (doubt > 0)
        jump = np.where(over, 2.0 if function == "_sign" else 1.0, 0.0) / self.unit
        return self.ledger.computed(value, self.ledger.inherited(value.shape), 0, jump, False)

    def matmul(self, a: Rounded, b: Rounded) -> Rounded:
        inner = a.value.shape[-1]
        if inner == 1:
            return self._product(a, b, listed=False)
        value, gross = a.value @ b.value, a.size @ b.size
        errors = np.zeros((max(LOOSE, len(a.errors), len(b.errors)), *value.shape))
        if len(a.errors):
            errors[LOOSE : len(a.errors)] = a.errors[LOOSE:] @ b.middle
            errors[:LOOSE] = a.errors[:LOOSE] @ np.abs(b.middle)
        if len(b.errors):
            errors[LOOSE : len(b.errors)] += a.middle @ b.errors[LOOSE:]
            errors[:LOOSE] += np.abs(a.middle) @ b.errors[:LOOSE]
        errors[0] += gross + a.error @ b.error / self.unit  # the products
        errors[1] += (a.size > 0).astype(float) @ (b.size > 0).astype(float)
        return self.ledger.summed(value, errors, inner, gross, listed=False)

    def sum(self, a: Rounded) -> Rounded:
        terms = a.terms * a.value.shape[-1] * a.value.shape[-2]
        value, errors, gross = (part.sum((-1, -2), keepdims=True) for part in (a.value, a.open, a.gross))
        return self.ledger.summed(value, self.ledger.inherited(value.shape, (True, errors)), terms, gross)

    def over_batch(self, a: Rounded) -> Rounded:
        """The errors of different sequences are different errors: their sizes add up."""
        sizes = in_size(a.open) if len(a.open) else np.zeros((LOOSE, *a.value.shape))
        value, errors, gross = (np.add.reduce(part, axis=-3, keepdims=True) for part in (a.value, sizes, a.gross))
        return self.ledger.summed(value, errors, a.terms * len(a.value), gross, listed=False)

    def gathered(self, terms: list[Rounded]) -> Rounded:
        """The sum over steps and batch: over the steps first, where errors of one sequence meet and may cancel."""
        return self.over_batch(self.add(terms))

    def logsumexp(self, a: Rounded) -> Rounded:
        """m + log(sum(exp(x - m))) with the largest entry m; any m would do, so its own error does no harm."""
        m = self.ledger.given(a.middle.max((-1, -2), keepdims=True))
        parts = self.call("exp", [self.add([a, self.negative(m)])])
        return self.add([m, self.call("log", [self.sum(parts)])])

    # --- what moves numbers and leaves them as they are

    def _moved(self, a: Rounded, move: Callable[[NDArray[Any]], NDArray[Any]]) -> Rounded:
        value, middle, errors, error = move(a.value), move(a.middle), move(a.errors), move(a.error)
        return Rounded(value, middle, errors, error, a.terms, move(a.gross), move(a.open))

    def transpose(self, a: Rounded) -> Rounded:
        return a if a.value.shape[-2:] == (1, 1) else self._moved(a, transposed)

    def rows(self, a: Rounded, start: int, stop: int) -> Rounded:
        return self._moved(a, lambda array: array[..., start:stop, :])

    def spread(self, a: Rounded, like: Rounded) -> Rounded:
        own, other = a.value.shape, like.value.shape
        if own == other or (own[1:] == other[1:] and other[0] == 1):
            return a
        if not len(a.errors):
            return self.ledger.exact(spread(a.value, like.value))
        return self._moved(a, lambda array: spread(array, like.value))

    def diagonal(self, a: Rounded) -> Rounded:
        errors = padded(a, max(LOOSE, len(a.errors)))
        return self.ledger.computed(_OF.diagonal(a.value), diagonal(errors, 0.0), 0, flush=False)

    def stack(self, parts: list[Rounded]) -> Rounded:
        longest = max(LOOSE, *(len(part.errors) for part in parts))
        errors = [padded(part, longest) for part in parts]
        return self.ledger.computed(_OF.stack([part.value for part in parts]), stacked(errors), 0, flush=False)

    def shape(self, a: Rounded) -> tuple[int, int]:
        return a.value.shape[-2:]

    def detach(self, a: Rounded) -> Rounded:
        return a


def _opposite(errors: Floats) -> Floats:
    errors = -errors
    np.absolute(errors[:LOOSE], errors[:LOOSE])
    return errors


# Functions whose result is one of their arguments, unrounded.
CHOOSING: Mapping[str, Callable[..., Rounded]] = {
    "relu": lambda on, x: on.larger(x, on.number(Fraction(0))),
    "abs": RoundedArithmetic.absolute,
    "max": RoundedArithmetic.larger,
    "min": RoundedArithmetic.smaller,
    "clip": lambda on, x, low, high: on.smaller(on.larger(x, low), high),
    "hard_sigmoid": RoundedArithmetic.hard_sigmoid,
}
JUMPING = ("_step", "_sign", "_above", "_inside")
