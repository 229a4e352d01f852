"""Slips in a sum over numbered steps: the term of one step is written with what is of another, or is left out."""

from collections.abc import Iterator
from dataclasses import replace

from derivations.expression import Adjoint, Derivative, Expr, MatMul, Name, Neg, Shift, TimeSum, Total, rewrite, total
from derivations.marking.addends import at_step
from derivations.marking.attempt import Attempt
from derivations.marking.course import Course
from derivations.marking.slips import Slip
from derivations.marking.world import OVER_TIME

MOST_STEPS = 6


def at_one_step(attempt: Attempt) -> Iterator[Slip]:
    """A gradient that is gathered over the steps, wrong at one of them."""
    course, quantity, view, step = attempt.course, attempt.quantity, attempt.view, attempt.step
    factors = _factors(quantity)
    if len(factors) > 1 and all(isinstance(factor, Derivative | Shift) for factor in factors):
        yield Slip("the Jacobians are multiplied in forward order", _product(factors[::-1]))
    if not isinstance(quantity, Total | TimeSum) or view.steps > MOST_STEPS:
        return
    share = Adjoint(quantity.of) if isinstance(quantity, Total) else quantity.arg
    written = rewrite(share, lambda node: course.derivation.adjoint_of[node.of].rhs
                      if isinstance(node, Adjoint) and node.of in course.cell.parameters else None)  # fmt: skip
    each = [at_step(share, s - step) for s in range(1, view.steps + 1)]
    for s in range(1, view.steps + 1):
        others = (*each[: s - 1], *each[s:])
        if 1 < s < view.steps:
            yield Slip(f"step {s} is left out of the sum over time", total(*others))
        for words, wrong in _of_other_steps(course, written, s, view.steps):
            yield Slip(words, total(*others, at_step(wrong, s - step)), 1.1)


def immediate_words(attempt: Attempt) -> str:
    """What is wrong with a derivative that is through all steps, where it is taken within one; empty for nothing."""
    match attempt.quantity:
        case Derivative(of, wrt, kind) if kind == OVER_TIME:
            if replace(attempt, quantity=Derivative(of, wrt, "total")).agrees(attempt.value):
                paths = " and ".join(attempt.course.cell.previous)
                return f"this is the immediate partial where the total is due: the path through {paths} is missing"
    return ""


def _of_other_steps(course: Course, share: Expr, s: int, steps: int) -> Iterator[tuple[str, Expr]]:
    """The share of a step with a value of the step before or after in it."""
    cell = course.cell
    at = "at the first step" if s == 1 else "at the last step" if s == steps else f"at step {s}"
    for before, state in zip(cell.previous, cell.states, strict=True):
        for by, wrong in ((0, Name(state)), (-2, Shift(Name(before), -1))):
            if s + by >= 0:
                moved = _put(share, before, wrong)
                yield f"{state}_{s + by} where {state}_{s - 1} is due {at}", moved
    for name in cell.inputs:
        for by in (-1, 1):
            if 1 <= s + by <= steps:
                yield f"{name}_{s + by} where {name}_{s} is due {at}", _put(share, name, Shift(Name(name), by))


def _put(share: Expr, name: str, other: Expr) -> Expr:
    return rewrite(share, lambda node: other if node == Name(name) else None)


def _factors(expr: Expr) -> tuple[Expr, ...]:
    return (*_factors(expr.left), *_factors(expr.right)) if isinstance(expr, MatMul) else (expr,)


def _product(factors: tuple[Expr, ...]) -> Expr:
    result = factors[0]
    for factor in factors[1:]:
        result = MatMul(result, factor)
    return result


def summand(quantity: Expr, said: Expr) -> tuple[Expr, Expr] | None:
    """The share of one step on both sides, where both are sums over time; None elsewhere."""
    if not isinstance(quantity, Total):
        return None
    match said:
        case TimeSum(arg):
            return Adjoint(quantity.of), arg
        case Neg(TimeSum(arg)):
            return Adjoint(quantity.of), Neg(arg)
    return None
