"""What is true, in two layers.

`exact` holds a derivation against forward-mode jets of the forward equations, in balls so small that only what is
equal agrees. `truth` gives what a floating-point program is judged by: the true value of every quantity at the
numbers that the program received, and how far a right program may be from it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import count
from typing import Any

import numpy as np
from flint import ctx
from numpy.typing import NDArray

from backends.balls import BallArithmetic, Balls, balls, exactly_zero, precision, radius, until
from backends.dtypes import Format, format_of
from backends.jets import gradients_by_jets
from backends.ledger import Rounded
from backends.points import Point, arguments, own_shape, rounded
from backends.rounding import RoundedArithmetic
from derivations.cell import Equation
from derivations.derive import ATOMS, atoms, contribution, uses_in
from derivations.derive import partial as slope_by
from derivations.expression import ONE, ZERO, Add, Expr, Mul, Name, Neg, Num, Pow, children, rewrite, substitute
from derivations.program import Backward, run_backward, run_forward

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
        bits: the precision that was enough.
    """

    point: Point
    dtype: str
    backend: str
    bits: int
    gradients: Mapping[str, Known]
    trace: Sequence[Mapping[str, Rounded]] = field(repr=False)
    adjoints: Sequence[Mapping[str, Rounded]] = field(repr=False)

    def value(self, name: str) -> Known:
        """A defined name at every step, (T, B, *shape)."""
        return self._over_time([step[name] for step in self.trace], partial(own_shape, self.point, name))

    def adjoint(self, name: str) -> Known:
        """The adjoint of a name at every step, (T, B, *shape); of a parameter, (T, *shape), summed over the batch."""
        series, shaped = [step[f"d{name}"] for step in self.adjoints], partial(own_shape, self.point, name)
        if name not in self.point.cell.parameters:
            return self._over_time(series, shaped)
        with precision(self.bits), np.errstate(all="ignore"):
            sum_ = RoundedArithmetic(self.dtype, self.backend).over_batch
            return self._over_time([sum_(step) for step in series], shaped)

    def _over_time(self, steps: Sequence[Rounded], shaped: Callable[[Array], Array]) -> Known:
        each = [_known(step, format_of(self.dtype), shaped) for step in steps]
        return Known(
            np.stack([known.value for known in each]),
            np.stack([known.relative for known in each]),
            np.stack([known.flushed for known in each]),
            each[0].format,
        )


def use_by_use(program: Backward) -> Backward:
    """The same program where every adjoint is a sum of as many terms as there are uses of its name.

    A library may collect an adjoint use by use, and each addition rounds: of `h*x - h*x` the slope is zero, and what it
    adds and takes away again leaves its rounding. `h**3` is three uses of h: zero terms stand for the uses that a power
    joins. The slope 1 - h**2 may be spelled otherwise, too.
    """
    counts: Counter[str] = Counter()
    for equation in program.cell.equations:
        _count(equation.rhs, 1, counts)
    apart: dict[str, dict[Expr, tuple[Expr, ...]]] = {}
    for equation in program.cell.equations:
        for use in uses_in(equation):
            if len(each := slopes_apart(equation, use.atom)) > 1:
                terms = tuple(contribution(replace(use, slope=slope), program.cell) for slope in each)
                apart.setdefault(f"d{use.name}", {})[contribution(use, program.cell)] = terms

    def padded(id_: str, rhs: Expr) -> Expr:
        joined = rhs.terms if isinstance(rhs, Add) else (rhs,)
        found = [each for term in joined for each in apart.get(id_, {}).get(term, (term,))]
        terms = [in_any_spelling(term) for term in found]
        terms += [ZERO] * (counts[id_[1:]] - len(terms))
        return Add(tuple(terms)) if len(terms) > 1 else terms[0]

    return replace(program, adjoints=tuple((id_, padded(id_, rhs)) for id_, rhs in program.adjoints))


def slopes_apart(equation: Equation, atom: Expr) -> tuple[Expr, ...]:
    """The slope of a right-hand side through each place in which an atom stands, in reading order."""
    here = Name("_here")  # as no name of a cell is called

    def slope(number: int) -> Expr:
        place = count()

        def rule(node: Expr) -> Expr | None:
            if node == atom:
                return here if next(place) == number else node
            return node if isinstance(node, ATOMS) else None

        moved = rewrite(equation.rhs, rule)
        own = None if isinstance(moved, Add) else Name(equation.target)
        return substitute(slope_by(moved, here, own), {here: atom})

    return tuple(map(slope, range(sum(each == atom for each in atoms(equation.rhs)))))


def in_any_spelling(slope: Expr) -> Expr:
    """A slope as it may be off where 1 - y**2 is computed as (1 - y)*(1 + y), which is rounded twice more."""

    def rule(node: Expr) -> Expr | None:
        match node:
            case Add((Num(), Neg(Pow(_, 2)))):
                return Mul((node, ONE, ONE))
        return None

    return rewrite(slope, rule)


def _count(expr: Expr, times: int, uses: Counter[str]) -> None:
    if isinstance(expr, Name):
        uses[expr.id] += times
    for child in children(expr):
        _count(child, times * expr.exponent if isinstance(expr, Pow) else times, uses)


class _Itself:
    """A program told apart from others by being itself."""

    def __init__(self, program: Backward) -> None:
        self.program = program

    def __hash__(self) -> int:
        return id(self.program)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other.program is self.program


@lru_cache(maxsize=16)
def _use_by_use(program: _Itself) -> Backward:
    return use_by_use(program.program)


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
    collected = _use_by_use(_Itself(program))

    def compute() -> Truth:
        arithmetic = RoundedArithmetic(dtype, backend)
        given = arguments(received, arithmetic.ledger.given)
        trace = run_forward(program.cell, given.parameters, given.inputs, given.initial, arithmetic)
        gradients, adjoints = run_backward(collected, trace, given.cotangents, given.final, arithmetic)
        known = {
            name: _known(number, format_, partial(own_shape, received, name)) for name, number in gradients.items()
        }
        return Truth(received, dtype, backend, ctx.prec, known, trace, adjoints)

    def sharp(found: Truth) -> bool:
        return all((radius(known.value) <= MARGIN * known.bound).all() for known in found.gradients.values())

    with np.errstate(all="ignore"):  # an overflow ends as an infinite bound, which says what it should
        return until(sharp, compute)


def _known(number: Rounded, format_: Format, shaped: Callable[[Array], Array]) -> Known:
    bound = number.bound
    return Known(shaped(number.value), shaped(bound[0]), shaped(bound[1]), format_)
