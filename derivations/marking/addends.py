"""The terms that a quantity is the sum of, and which of them a value is."""

from collections.abc import Mapping, Sequence

from derivations.expression import Adjoint, Expr, Num, Shift, TimeSum, Total
from derivations.marking.course import Course, View, close, fit, totals
from derivations.marking.world import leaves
from derivations.matrices import Matrix

MOST_TERMS = 8


def at_step(expr: Expr, by: int) -> Expr:
    """An expression a few steps later; a number is the same at all."""
    return Shift(expr, by) if by and not isinstance(expr, Num) else expr


def terms(course: Course, view: View, quantity: Expr, step: int, walked: bool) -> tuple[Expr, ...]:
    """The terms of a quantity: its paths, or its steps where it is gathered over a time that is walked."""
    by = 0
    while isinstance(quantity, Shift):
        by += quantity.by
        quantity = quantity.arg
    match quantity:
        case TimeSum(share) if walked:
            return tuple(at_step(share, s - step) for s in range(1, view.steps + 1))
        case Total(of) if walked:
            return tuple(at_step(Adjoint(of), s - step) for s in range(1, view.steps + 1))
        case Adjoint(of, "") if of in course.derivation.adjoint_of:
            return tuple(at_step(term.expr, by) for term in course.derivation.adjoint_of[of].terms)
    return ()


def are_few(found: Sequence[Expr]) -> bool:
    """Whether there are several terms, and not too many to try every sum of them."""
    return 1 < len(found) <= MOST_TERMS


def which(
    course: Course,
    view: View,
    quantity: Expr,
    addends: tuple[Expr, ...],
    value: Matrix[float] | None,
    step: int,
    had: frozenset[int] = frozenset(),
) -> frozenset[int]:
    """The terms, not had before, whose sum a value is; none where it is no such sum."""
    if value is None:
        return frozenset()
    for some, summed in _sums(course, view, quantity, addends, step).items():
        fitted = fit(value, summed, quantity, view)
        if not some & had and fitted is not None and close(fitted, summed):
            return some
    return frozenset()


def _sums(
    course: Course, view: View, quantity: Expr, addends: tuple[Expr, ...], step: int
) -> Mapping[frozenset[int], Matrix[float]]:
    key = ("sums", addends, view, step)
    if key not in course.found:
        right = course.right(quantity, view, step)
        spread = course.world(view).arithmetic.spread
        course.found[key] = totals([spread(course.right(t, view, step), right) for t in addends])
    found: Mapping[frozenset[int], Matrix[float]] = course.found[key]
    return found


def nearest(addends: tuple[Expr, ...], left: Sequence[int], said: Expr, step: int, steps: int) -> int | None:
    """The term, of those that are left, that a wrong part was probably meant to be: it shares most names with it."""
    spoken = set(leaves(said, step, steps))
    shared = {n: len(spoken & set(leaves(addends[n], step, steps))) for n in left}
    return max(left, key=lambda n: shared[n]) if left else None
