"""Another quantity altogether where one is due: that of one step, of another name, of one path."""

from collections.abc import Iterator

from derivations.expression import Adjoint, Derivative, Shift, TimeSum, Total, Transpose, names, total
from derivations.marking.attempt import Attempt
from derivations.marking.course import Course
from derivations.marking.slips import Slip


def other_quantities(attempt: Attempt) -> Iterator[Slip]:
    """What else of the derivation may have been written in the place of a quantity."""
    cell = attempt.course.cell
    each: list[int] = [s - attempt.step for s in range(1, attempt.view.steps + 1)]
    match attempt.quantity:
        case Adjoint(of, "") | Total(of) as quantity:
            if isinstance(quantity, Total):
                yield Slip(f"d{of} is overwritten at each step where it must accumulate over time", Adjoint(of))
                yield from _too_short([Shift(Adjoint(of), by) for by in each])
            shape = cell.shapes[of]
            for other in attempt.course.derivation.adjoint_of:
                if other != of and cell.shapes[other] == shape:
                    for same in (Adjoint(other),) if isinstance(quantity, Adjoint) else (Total(other), Adjoint(other)):
                        yield Slip(f"this is d{other}, where d{of} is due", same)
        case TimeSum(share):
            yield Slip("it is overwritten at each step where it must accumulate over time", share)
            yield from _too_short([Shift(share, by) for by in each])
        case Derivative(of, wrt, "total") as quantity:
            yield Slip(
                f"this is the immediate partial; the total has {_paths(attempt.course, of, wrt)} more paths",
                Derivative(of, wrt, "local"),
            )
            yield Slip("this is the derivative the other way round", Transpose(quantity))


def _too_short(each: list[Shift]) -> Iterator[Slip]:
    yield Slip("the first step is left out of the sum over time", total(*each[1:]))
    yield Slip("the last step is left out of the sum over time", total(*each[:-1]))
    yield Slip("the first and the last step are left out of the sum over time", total(*each[1:-1]))


def _paths(course: Course, of: str, wrt: str) -> int:
    """How many paths lead from `wrt` to `of` within the step, beside the direct one."""
    counts = {wrt: 1}
    for equation in course.cell.equations:
        if equation.target != wrt:
            counts[equation.target] = sum(counts.get(name, 0) for name in names(equation.rhs))
    return counts.get(of, 0) - 1
