"""What is true, in two layers.

`exact` holds a derivation against forward-mode jets of the forward equations, in balls so small that only what is
equal agrees. `truth` gives what a floating-point program is judged by: the true value of every quantity at the
numbers that the program received, and how far a right program may be from it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from flint import ctx
from numpy.typing import NDArray

from backends.balls import BallArithmetic, Balls, balls, exactly_zero, precision, radius, until
from backends.dtypes import Format, format_of
from backends.jets import gradients_by_jets
from backends.ledger import Rounded
from backends.over_spellings import bound_over
from backends.points import Point, arguments, own_shape, rounded
from backends.rounding import RoundedArithmetic
from backends.spellings import spellings
from derivations.program import Backward, Run, backward_run, run_backward, run_forward

Array = NDArray[Any]

# --- the exact layer --------------------------------------------------------------------------------------------

CLOSE = 100  # bits
Independent = Callable[[Point], tuple[Mapping[str, Balls], Sequence[Mapping[str, Balls]]]]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An entry of which the derivation says one thing and the jets another.

    Attributes:
        quantity: a gradient (`W_xf`, `h_0`, `x_1`), or a forward value and its step (`c at t = 2`).
        index: of the entry, in the quantity's own shape; empty for a scalar, and where the shapes differ.
        derivation, jets: both values, to 20 digits.
    """

    quantity: str
    index: tuple[int, ...]
    derivation: str
    jets: str

    def __str__(self) -> str:
        where = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        return f"{self.quantity}{where}: the derivation gives {self.derivation}, the jets {self.jets}"


def exact(program: Backward, point: Point, independent: Independent = gradients_by_jets) -> list[Disagreement]:
    """Where a derivation and forward-mode jets differ at a point; empty if it is right there.

    Every entry of every gradient is compared, and every forward value, whose functions the jets take from the value
    column of `functions.py` and the derivation from Arb. Two entries agree if their balls overlap, with radii below
    2^-100 of the value; where both hold zero, below 2^-100.

    Args:
        independent: every gradient at the point, and the values of each step that are to be compared.
    """

    def both() -> list[tuple[str, Balls, Balls]]:
        arithmetic, given = BallArithmetic(), arguments(point, balls)
        trace = run_forward(program.cell, given.parameters, given.inputs, given.initial, arithmetic)
        derived, _ = run_backward(program, trace, given.cotangents, given.final, arithmetic)
        gradients, values = independent(point)
        pairs = [(name, derived[name], gradients[name]) for name in gradients]
        for t, (ours, theirs) in enumerate(zip(trace, values, strict=True), 1):
            pairs += [(f"{name} at t = {t}", ours[name], theirs[name]) for name in theirs]
        return pairs

    def sharp(pairs: list[tuple[str, Balls, Balls]]) -> bool:
        return all(_sharp(x, y) for _, a, b in pairs if a.shape[1:] == b.shape[1:] for x, y in np.broadcast(a, b))

    found = []
    for quantity, a, b in until(sharp, both):
        if a.shape[1:] != b.shape[1:]:
            found.append(Disagreement(quantity, (), f"a matrix {a.shape[1:]}", f"a matrix {b.shape[1:]}"))
            continue
        own = partial(own_shape, point, quantity.partition(" at ")[0])
        a, b = own(a), own(b)
        for index in np.ndindex(a.shape):
            x: Any = a[index]
            y: Any = b[index]
            if not x.overlaps(y):
                shown = [ball.str(20, radius=False) for ball in (x, y)]
                found.append(Disagreement(quantity, index, shown[0], shown[1]))
    return found


def _sharp(a: Any, b: Any) -> bool:
    if a.contains(0) and b.contains(0):
        return float(a.rad()) <= 2.0**-CLOSE and float(b.rad()) <= 2.0**-CLOSE
    return min(a.rel_accuracy_bits(), b.rel_accuracy_bits()) >= CLOSE


# --- the rounded layer ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """The true value of one quantity, and how far off a right program of one format may be.

    Attributes:
        value: true values, as balls far smaller than the bound; all three arrays have the quantity's shape.
        relative: S, which u multiplies.
        flushed: N, which eta multiplies.
    """

    value: Balls
    relative: NDArray[np.float64]
    flushed: NDArray[np.float64]
    format: Format

    @property
    def nearest(self) -> NDArray[np.float64]:
        """The true values, rounded to float64."""
        return self.value.astype(np.float64)

    @property
    def bound(self) -> NDArray[np.float64]:
        """u*S + eta*N; infinite where a right program may overflow or divide by zero."""
        return self.format.unit * self.relative + self.format.smallest * self.flushed

    @property
    def zero(self) -> NDArray[np.bool_]:
        """Which entries are zero by exact arithmetic alone."""
        return exactly_zero(self.value)


@dataclass(frozen=True)
class Truth:
    """Everything that is true at a point, for programs of one format.

    Attributes:
        point: rounded to the format.
        gradients: by the names that `run_backward` gives them: parameters of their own shape, `h_0` and `x_1` of
            (B, *shape).
        trace, adjoints: every named value and every adjoint of every step, as the program has them.
        others: the same of its other spellings, values and adjoints together.
        bits: the precision that was enough.
    """

    point: Point
    dtype: str
    backend: str
    bits: int
    gradients: Mapping[str, Known]
    trace: Sequence[Mapping[str, Rounded]] = field(repr=False)
    adjoints: Sequence[Mapping[str, Rounded]] = field(repr=False)
    others: Sequence[Sequence[Mapping[str, Rounded]]] = field(repr=False)

    def value(self, name: str) -> Known:
        """A defined name at every step, (T, B, *shape)."""
        return self._over_time(self.trace, name, name)

    def adjoint(self, name: str) -> Known:
        """The adjoint of a name at every step, (T, B, *shape); of a parameter, (T, *shape), summed over the batch."""
        return self._over_time(self.adjoints, f"d{name}", name)

    def _over_time(self, series: Sequence[Mapping[str, Rounded]], id_: str, name: str) -> Known:
        arithmetic, shaped = RoundedArithmetic(self.dtype, self.backend), partial(own_shape, self.point, name)
        shared = id_[1:] == name and name in self.point.cell.parameters

        def of(step: Mapping[str, Rounded]) -> Rounded:
            return arithmetic.over_batch(step[id_]) if shared else step[id_]

        with precision(self.bits), np.errstate(all="ignore"):
            each = [
                _known(of(step), [of(other[t]) for other in self.others if id_ in other[t]], arithmetic.format, shaped)
                for t, step in enumerate(series)
            ]
        return Known(
            np.stack([known.value for known in each]),
            np.stack([known.relative for known in each]),
            np.stack([known.flushed for known in each]),
            arithmetic.format,
        )


MARGIN = 2.0**-10  # how small a ball must be beside the bound


def truth(program: Backward, point: Point, dtype: str, backend: str = "") -> Truth:
    """What is true of every quantity at a point, and how far off a right program may be.

    Args:
        program: a derivation that the exact layer has passed.
        point: is rounded to `dtype` first, as it is when a backend receives it.
        dtype: a name in `dtypes.FORMATS`.
        backend: whose functions are known to be worse than most; "" for any other.
    """
    received, format_ = rounded(point, dtype), format_of(dtype)
    programs = spellings(program)

    def run(spelled: Backward) -> Run[Rounded]:
        arithmetic = RoundedArithmetic(dtype, backend)
        given = arguments(received, arithmetic.ledger.given)
        trace = run_forward(spelled.cell, given.parameters, given.inputs, given.initial, arithmetic)
        sent = given.cotangents, given.final
        return backward_run(spelled, trace, *sent, arithmetic, gathered=arithmetic.gathered)

    def compute() -> Truth:
        runs = [run(spelled) for spelled in programs]
        known = {}
        for name in runs[0].gradients:
            shaped = partial(own_shape, received, name)
            first, *others = (run.gradients[name] for run in runs)
            known[name] = _known(first, others, format_, shaped)
        first_run, *other_runs = runs
        return Truth(
            received,
            dtype,
            backend,
            ctx.prec,
            known,
            first_run.trace,
            first_run.adjoints,
            [other.values for other in other_runs],
        )

    def sharp(found: Truth) -> bool:
        return all((radius(known.value) <= MARGIN * known.bound).all() for known in found.gradients.values())

    with np.errstate(all="ignore"):  # an overflow ends as an infinite bound, which says what it should
        return until(sharp, compute)


def _known(
    number: Rounded, others: Sequence[Rounded], format_: Format, shaped: Callable[[NDArray[Any]], NDArray[Any]]
) -> Known:
    bound = bound_over(number, others, format_)
    return Known(shaped(number.value), shaped(bound[0]), shaped(bound[1]), format_)
