"""What is wrong with a line: the edits of the right line that make it theirs, in a sentence.

The right line is written at the level of theirs: an adjoint that they do not name is written out. Single edits are
tried first, then pairs of them. A candidate is compared at a random point before it is believed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from derivations.course import ROWS, SCALAR, Course, View, close, fit, totals
from derivations.derive import Term
from derivations.expression import (
    Add,
    Adjoint,
    Derivative,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Outer,
    Shift,
    TimeSum,
    Total,
    Transpose,
    evaluate,
    names,
    scalar_view,
    total,
)
from derivations.floats import FLOATS
from derivations.matrices import Matrix, ShapeError
from derivations.mistakes import places, spelled
from derivations.packing import factored
from derivations.parts import part_words
from derivations.slips import Slip, distributed, lost_words, slips, written_out
from derivations.slips_over_steps import at_one_step, immediate_words, summand
from derivations.world import Unnamed

MOST_SLIPS = 600
MOST_PAIRED = 60
MOST_TURNED = 200
MOST_TRIED = 6_000
_TURNED = {"must be": "must not be", "must not be": "must be"}
_FAULTS = (Unnamed, ShapeError, KeyError, ZeroDivisionError, OverflowError, TypeError, ValueError, ArithmeticError)


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a line, and the right one in the names of the derivation; `made` is the wrong one in them."""

    words: str
    correct: Expr
    count: int = 1
    cost: float = 1.0
    made: Expr | None = None


# --- the search -------------------------------------------------------------------------------------------------


def explain(
    course: Course,
    quantity: Expr,
    said: Expr,
    value: Matrix[float] | None,
    view: View,
    step: int,
    *,
    pairs: bool = True,
) -> Mistake | None:
    """The likeliest mistake that turns the right line for a quantity into what was said; None where none is found.

    With `pairs`, two mistakes in one line are looked for as well.
    """
    key = ("mistake", quantity, said, view, step, pairs)
    if key not in course.found:
        course.found[key] = _explain(course, quantity, said, value, view, step, pairs)
    found: Mistake | None = course.found[key]
    return found


def _explain(
    course: Course, quantity: Expr, said: Expr, value: Matrix[float] | None, view: View, step: int, pairs: bool
) -> Mistake | None:
    right = factored(course.vocabulary.gates, quantity) or written_out(course, quantity, said, step)
    if inner := summand(quantity, said):
        try:
            found = _explain(course, *inner, course.value(inner[1], view, step), view, step, pairs)
        except _FAULTS:
            found = None
        if found is not None:
            return replace(found, correct=TimeSum(found.correct), made=None)
    real, theirs = view, value
    words = part_words(course, quantity, said, value, view, step)
    if words := words or immediate_words(course, quantity, value, view, step):
        return Mistake(words, right)
    shaped = value is not None and fit(value, course.right(quantity, view, step), quantity, view) is not None
    if not shaped:  # what does not fit is looked at in the scalar view
        if mended := turned(course, quantity, said, right, view, step):
            return mended
        view = replace(view, layout=SCALAR)
        try:
            value = None if course.cell.stacked else course.value(said, view, step)
        except _FAULTS:
            value = None
        if value is None or course.agrees(value, quantity, view, step):
            return None  # nothing is wrong but the shapes, and no turn mends them: they may be read wrongly
    assert value is not None  # asked above
    levels = dict.fromkeys((right, written_out(course, quantity, said, step, nearest=True), distributed(right)))
    levels[written_out(course, quantity, None, step)] = None  # as the derivation has it
    best: Mistake | None = None
    for level in levels:
        found = _one(course, quantity, level, value, view, step)
        if found is not None and (best is None or found.cost < best.cost):
            best = replace(found, correct=right)
    if not shaped and (best is None or best.made is None or not _alike(course, best.made, real, theirs, step)):
        return None
    if best is not None:
        return best
    if extra := _too_much(course, quantity, value, view, step, said):
        return Mistake(extra, right)
    if mended := turned(course, quantity, said, right, view, step):
        return mended
    for level in levels if pairs else ():
        if pair := _pair(course, quantity, said, level, value, view, step):
            return replace(pair, correct=right)
    return None


def _alike(course: Course, made: Expr, view: View, theirs: Matrix[float] | None, step: int) -> bool:
    """Whether a wrong line has the shape of theirs, or has none just as theirs."""
    try:
        value = course.right(made, view, step)
    except _FAULTS:
        return theirs is None
    return theirs is not None and (len(value), len(value[0])) == (len(theirs), len(theirs[0]))


def _one(course: Course, quantity: Expr, right: Expr, value: Matrix[float], view: View, step: int) -> Mistake | None:
    """A single change of the right line, or terms that it lost, or another quantity."""
    terms = _terms(course, quantity, right)
    found = [
        s for s in _bounded(slips(right, course, quantity, terms)) if _fits(course, s.expr, quantity, value, view, step)
    ]
    if found:
        likeliest = min(found, key=lambda slip: slip.cost)
        return Mistake(likeliest.words, right, cost=likeliest.cost, made=likeliest.expr)
    if lost := _some_terms(course, quantity, right, value, view, step):
        return Mistake(lost, right, cost=0.9)
    for slip in _other_quantities(course, quantity, view, step):
        if _fits(course, slip.expr, quantity, value, view, step):
            return Mistake(slip.words, right, cost=1.2)
    return None


def _some_terms(course: Course, quantity: Expr, right: Expr, value: Matrix[float], view: View, step: int) -> str:
    """Several terms lost at once."""
    terms = _terms(course, quantity, right)
    if not terms or len(terms) > 8 or not isinstance(right, Add):
        return ""
    full = course.right(quantity, view, step)
    spread = course.world(view).arithmetic.spread
    values = [spread(course.right(term, view, step), full) for term in right.terms]
    for some, summed in totals(values).items():
        fitted = fit(value, summed, quantity, view)
        if fitted is not None and close(fitted, summed):
            lost = [k for k in range(len(terms)) if k not in some]
            said = [lost_words(terms[k].via, right.terms[k], quantity) for k in lost]
            return "; ".join(said)
    return ""


def _bounded(found: Iterable[Slip]) -> Iterator[Slip]:
    seen: set[Expr] = set()
    for slip in found:
        if slip.expr not in seen:
            seen.add(slip.expr)
            yield slip
        if len(seen) >= MOST_SLIPS:
            return


def _terms(course: Course, quantity: Expr, right: Expr) -> tuple[Term, ...]:
    if isinstance(quantity, Adjoint) and not quantity.part and quantity.of in course.derivation.adjoint_of:
        terms = course.derivation.adjoint_of[quantity.of].terms
        if isinstance(right, Add) and len(right.terms) == len(terms):
            return terms
    return ()


def _fits(course: Course, expr: Expr, quantity: Expr, value: Matrix[float], view: View, step: int) -> bool:
    try:
        wrong = course.right(expr, view, step)
        if len(wrong) * len(wrong[0]) == 1:
            world = course.world(view)
            wrong = world.arithmetic.spread(wrong, course.right(quantity, view, step))
    except _FAULTS:
        return False
    fitted = fit(value, wrong, quantity, view)
    return fitted is not None and close(fitted, wrong)


def _other_quantities(course: Course, quantity: Expr, view: View, step: int) -> Iterator[Slip]:
    """Another quantity altogether."""
    cell = course.cell
    yield from at_one_step(course, quantity, view, step)
    match quantity:
        case Adjoint(of, "") | Total(of):
            if isinstance(quantity, Total):
                yield Slip(f"d{of} is overwritten at each step where it must accumulate over time", Adjoint(of))
                each = [Shift(Adjoint(of), s - step) for s in range(1, view.steps + 1)]
                yield Slip("the first step is left out of the sum over time", total(*each[1:]))
                yield Slip("the last step is left out of the sum over time", total(*each[:-1]))
                yield Slip("the first and the last step are left out of the sum over time", total(*each[1:-1]))
            shape = cell.shapes[of]
            for other in course.derivation.adjoint_of:
                if other != of and cell.shapes[other] == shape:
                    for same in (Adjoint(other),) if isinstance(quantity, Adjoint) else (Total(other), Adjoint(other)):
                        yield Slip(f"this is d{other}, where d{of} is due", same)
        case TimeSum(share):
            yield Slip("it is overwritten at each step where it must accumulate over time", share)
            each = [Shift(share, s - step) for s in range(1, view.steps + 1)]
            yield Slip("the first step is left out of the sum over time", total(*each[1:]))
            yield Slip("the last step is left out of the sum over time", total(*each[:-1]))
        case Derivative(of, wrt, "total"):
            yield Slip(
                f"this is the immediate partial; the total has {_paths(course, of, wrt)} more paths",
                Derivative(of, wrt, "local"),
            )
            yield Slip("this is the derivative the other way round", Transpose(quantity))


def _paths(course: Course, of: str, wrt: str) -> int:
    """How many paths lead from `wrt` to `of` within the step, beside the direct one."""
    counts = {wrt: 1}
    for equation in course.cell.equations:
        if equation.target != wrt:
            counts[equation.target] = sum(counts.get(name, 0) for name in names(equation.rhs))
    return counts.get(of, 0) - 1


def _too_much(course: Course, quantity: Expr, value: Matrix[float], view: View, step: int, said: Expr) -> str:
    """A term of the line that is no term of the quantity."""
    if not isinstance(said, Add):
        return ""
    for term in said.terms:
        rest = total(*(t for t in said.terms if t is not term))
        try:
            if course.agrees(course.value(rest, view, step), quantity, view, step):
                return f"the term {spelled(term.arg if isinstance(term, Neg) else term)} is too much"
        except _FAULTS:
            continue
    return ""


def turned(course: Course, quantity: Expr, said: Expr, right: Expr, view: View, step: int) -> Mistake | None:
    """A line that one transposition, or the order of one product, makes right."""
    tries = [(cost, words, put(other)) for put, node in places(said) for cost, words, other in _turnings(node)]
    for _, words, other in sorted(tries, key=lambda one: one[0])[:MOST_TURNED]:
        try:
            value = course.value(other, view, step)
        except _FAULTS:
            continue
        if course.agrees(value, quantity, view, step):
            if view.layout == ROWS:  # their weights are ours transposed
                words = re.sub("must (?:not )?be", lambda m: _TURNED[m[0]], words)
            return Mistake(words, right)
    return None


def _turnings(node: Expr) -> Iterator[tuple[int, str, Expr]]:
    match node:
        case Transpose(arg):
            yield 0, f"{spelled(arg)} must not be transposed", arg
        case Name():
            yield 1 if node.id[0].isupper() else 4, f"{node.id} must be transposed", Transpose(node)
        case Outer(a, b):
            yield 0, "the outer product is the wrong way round", Outer(b, a)
        case MatMul(a, b):
            match a, b:
                case Transpose(x), y:
                    yield 2, "the outer product is the wrong way round", MatMul(Transpose(y), x)
                case x, Transpose(y):
                    yield 2, "the outer product is the wrong way round", MatMul(y, Transpose(x))
            yield 3, "the factors of the matrix product are in the wrong order", MatMul(b, a)
            yield 3, "a matrix product stands where an elementwise one is due", Mul((a, b))
            yield 3, "an outer product is due", Outer(a, b)
        case Mul((a, b)):
            yield 3, "an outer product is due where an elementwise one stands", Outer(a, b)
            yield 3, "an outer product is due where an elementwise one stands", Outer(b, a)
            yield 3, "a matrix product is due where an elementwise one stands", MatMul(a, b)


def _pair(
    course: Course,
    quantity: Expr,
    said: Expr,
    right: Expr,
    value: Matrix[float],
    view: View,
    step: int,
) -> Mistake | None:
    """Two mistakes in one line, looked for among numbers and then compared in the view of the sheet."""
    if course.cell.stacked or isinstance(quantity, (Derivative, Total)):
        return None
    flat = View(SCALAR, view.strict, view.steps, view.zero)
    try:
        theirs = course.value(said, flat, step)[0][0]
    except _FAULTS:
        return None
    here = _Numbers(course, flat, step)
    single = _bounded(slips(right, course, quantity, _terms(course, quantity, right)))
    first = sorted((s for s in single if s.cost <= 1.05), key=lambda s: s.cost)[:MOST_PAIRED]
    best: tuple[float, str] | None = None
    tries = 0
    for one in first:
        for two in slips(one.expr, course, quantity):
            tries += 1
            if tries > MOST_TRIED:
                break
            cost = one.cost + two.cost
            if two.cost > 1.05 or (best and cost >= best[0]):
                continue
            number = here.value(two.expr)
            near = number is not None and abs(number - theirs) <= 1e-9 * max(abs(number), abs(theirs))
            if near and _fits(course, two.expr, quantity, value, view, step):
                best = (cost, f"{one.words}; {two.words}")
    if best and (swapped := re.fullmatch(r"(\S+) where (\S+) is due; \2 where \1 is due", best[1])):
        return Mistake(f"{swapped[1]} and {swapped[2]} are swapped", right, 2, best[0])
    return Mistake(best[1], right, 2, best[0] + 0.5) if best else None


class _Numbers(Mapping[str, float]):
    """The scalar view as plain numbers."""

    def __init__(self, course: Course, view: View, step: int) -> None:
        self.world, self.step = course.world(view), step

    def __getitem__(self, id_: str) -> float:
        name, _, by = id_.partition("@")
        number: float = self.world.named(name, self.step + int(by or 0))[0][0]
        return number

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def value(self, expr: Expr) -> float | None:
        from derivations.world import on_leaves

        try:
            number: float = evaluate(on_leaves(scalar_view(expr)), self, FLOATS)
        except _FAULTS:
            return None
        return number
