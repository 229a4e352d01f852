"""How a function passes an error on: its slope, and how steep and how curved it can be between two arguments.

For an argument a that is off by d, with |d| <= e, f(a + d) = f(a) + f'(a) d + r, where |r| is at most half the
greatest |f''| within e of a, times e**2, and at most twice the steepest |f'| there, times e. All functions here work
on arrays of floats; none has to be sharper than a bound needs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SMALL = 2.0**-10  # an error of which the square hardly counts


@dataclass(frozen=True, slots=True)
class Bend:
    """One function.

    Attributes:
        slope: f'(a), with its sign.
        within: bounds on |f'| and on |f''| in an interval [low, high].
        growth: where |f''| <= growth |f'| everywhere, so that |f'(a + d)| <= |f'(a)| exp(growth |d|).
    """

    slope: Callable[[Floats], Floats]
    within: Callable[[Floats, Floats], tuple[Floats, Floats]]
    growth: float | None = None

    def beyond(self, a: Floats, error: Floats, slope: Floats) -> Floats:
        """The most that |r| can be where |d| <= error."""
        if self.growth and np.maximum.reduce(error, None) <= SMALL / self.growth:
            return np.absolute(slope) * error * error * (self.growth / 2 * exp(SMALL))
        steepest, most_curved = self.within(a - error, a + error)
        second = np.minimum(2 * steepest * error, most_curved * error**2 / 2)
        return np.where(error > 0, second, 0.0)


def _sigmoid(a: Floats) -> Floats:
    return np.exp(-np.logaddexp(0.0, -a))


def _bell(a: Floats) -> Floats:
    """sigmoid'(a), without cancellation."""
    decay = np.exp(-np.abs(a))
    return decay / (1 + decay) ** 2


def _nearest_zero(low: Floats, high: Floats) -> Floats:
    return np.maximum(0.0, np.maximum(low, -high))


def _bell_within(low: Floats, high: Floats) -> Floats:
    """The greatest sigmoid' in [low, high]; |sigmoid''| is never greater than sigmoid'."""
    return _bell(_nearest_zero(low, high))


def _sigmoid_within(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    bell = _bell_within(low, high)
    return bell, bell


def _tanh_within(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """tanh(a) = 2 sigmoid(2a) - 1."""
    bell = _bell_within(2 * low, 2 * high)
    return 4 * bell, 8 * bell


def _exp_within(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    top = np.exp(high)
    return top, top


def _positive(low: Floats, value: Floats) -> Floats:
    """`value` where the whole interval is in the domain x > 0."""
    return np.where(low > 0, value, np.inf)


BENDS: Mapping[str, Bend] = {
    "sigmoid": Bend(_bell, _sigmoid_within, 1),
    "tanh": Bend(lambda a: 4 * _bell(2 * a), _tanh_within, 2),
    "exp": Bend(np.exp, _exp_within, 1),
    "log": Bend(
        lambda a: 1 / a,
        lambda low, high: (_positive(low, 1 / low), _positive(low, low**-2.0)),
    ),
    "sqrt": Bend(
        lambda a: 0.5 / np.sqrt(a),
        lambda low, high: (_positive(low, 0.5 / np.sqrt(low)), _positive(low, 0.25 * low**-1.5)),
    ),
    "softplus": Bend(_sigmoid, lambda low, high: (_sigmoid(high), _bell_within(low, high)), 1),
    "logsigmoid": Bend(lambda a: _sigmoid(-a), lambda low, high: (_sigmoid(-low), _bell_within(low, high)), 1),
}
