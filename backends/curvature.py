"""How a function passes an error on: its slope, and how steep and how curved it can be between two arguments.

For an argument a that is off by d, with |d| <= e, f(a + d) = f(a) + f'(a) d + r, where |r| is at most half the
greatest |f''| within e of a, times e**2, and at most twice the steepest |f'| there, times e. All functions here work
on arrays of floats; none has to be sharper than a bound needs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bend:
    """One function: `slope(a)` has its sign; the others are bounds on |f'| and |f''| in an interval [low, high]."""

    slope: Callable[[Floats], Floats]
    steepest: Callable[[Floats, Floats], Floats]
    most_curved: Callable[[Floats, Floats], Floats]


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


def _positive(low: Floats, value: Floats) -> Floats:
    """`value` where the whole interval is in the domain x > 0."""
    return np.where(low > 0, value, np.inf)


BENDS: Mapping[str, Bend] = {
    "sigmoid": Bend(_bell, _bell_within, _bell_within),
    "tanh": Bend(  # tanh(a) = 2 sigmoid(2a) - 1
        lambda a: 4 * _bell(2 * a),
        lambda low, high: 4 * _bell_within(2 * low, 2 * high),
        lambda low, high: 8 * _bell_within(2 * low, 2 * high),
    ),
    "exp": Bend(np.exp, lambda low, high: np.exp(high), lambda low, high: np.exp(high)),
    "log": Bend(
        lambda a: 1 / a,
        lambda low, high: _positive(low, 1 / low),
        lambda low, high: _positive(low, low**-2.0),
    ),
    "sqrt": Bend(
        lambda a: 0.5 / np.sqrt(a),
        lambda low, high: _positive(low, 0.5 / np.sqrt(low)),
        lambda low, high: _positive(low, 0.25 * low**-1.5),
    ),
    "softplus": Bend(_sigmoid, lambda low, high: _sigmoid(high), _bell_within),
    "logsigmoid": Bend(lambda a: _sigmoid(-a), lambda low, high: _sigmoid(-low), _bell_within),
}
