"""What is wrong with a line: the edits of the right line that make it theirs, in a sentence.

The right line is written at the level of theirs: an adjoint that they do not name is written out. Single edits are
tried first; then both are laid side by side, term by term. A candidate is compared at a random point before it is
believed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain

from derivations.expression import Add, Adjoint, Expr, Neg, TimeSum, rewrite, total
from derivations.marking.attempt import Attempt, Mistake
from derivations.marking.course import Course, totals
from derivations.marking.differences import difference, right_terms
from derivations.marking.lost_paths import lost_paths
from derivations.marking.normalised import as_people_write
from derivations.marking.other_quantities import other_quantities
from derivations.marking.packing import factored
from derivations.marking.parts import part_words
from derivations.marking.products import as_product
from derivations.marking.right_line import distributed, written_out
from derivations.marking.slips import Slip, lost_words, slips
from derivations.marking.slips_over_steps import at_one_step, immediate_words, summand
from derivations.marking.turnings import turned
from derivations.marking.world import NO_VALUE
from derivations.mistakes import spelled

MOST_SLIPS = 600


def explain(attempt: Attempt, *, several: bool = True) -> Mistake | None:
    """The likeliest mistake that turns the right line for a quantity into what was said; None where none is found.

    With `several`, more than one mistake in the line is looked for as well.
    """
    key = ("mistake", attempt.quantity, attempt.said, attempt.view, attempt.step, several)
    known = attempt.course.found
    if key not in known:
        known[key] = _explain(attempt, several)
    found: Mistake | None = known[key]
    return found


def unexplained(attempt: Attempt) -> str:
    """What is said of a wrong line of which no mistake was found: what of it is right."""
    found = right_terms(attempt, _levels(attempt))
    rest = f"; right of it {'are the terms' if len(found) > 1 else 'is the term'} {', '.join(found)}" if found else ""
    return f"no single change and no few changes of the right line explain this{rest}"


def _levels(attempt: Attempt) -> tuple[Expr, ...]:
    """The right line as it may be written: at the level of what was said, and as the derivation has it."""
    course, quantity, said, step = attempt.course, attempt.quantity, attempt.said, attempt.step
    right = factored(course.vocabulary.gates, quantity) or written_out(course, quantity, said, step)
    nearest = written_out(course, quantity, said, step, nearest=True)
    plain = written_out(course, quantity, None, step)
    usual = as_people_write(course, quantity)
    return tuple(dict.fromkeys((*usual, right, nearest, distributed(right), plain, rewrite(plain, _opened(course)))))


def _opened(course: Course) -> Callable[[Expr], Expr | None]:
    """Puts the equation of a parameter's gradient in its place, where several are packed."""
    known = course.derivation.adjoint_of
    shares = {Adjoint(name): known[name].rhs for name in course.cell.parameters if name in known}
    return lambda node: shares.get(node) if isinstance(node, Adjoint) else None


def _explain(attempt: Attempt, several: bool) -> Mistake | None:
    levels = _levels(attempt)
    right, shaped = levels[0], attempt.shaped
    if (inner := summand(attempt.quantity, attempt.said)) and (found := _within(attempt, *inner)):
        return replace(found, correct=TimeSum(found.correct), made=None)
    if words := part_words(attempt) or immediate_words(attempt):
        return Mistake(words, right)
    looked = attempt
    if not shaped:  # what does not fit is looked at in the scalar view
        if mended := turned(attempt, right):
            return mended
        if found := difference(attempt, levels):
            return found
        if attempt.value is not None and (single := _likeliest(attempt, levels)):
            return single
        flat = attempt.in_scalars()
        if flat is None or flat.agrees(flat.value):
            return None  # nothing is wrong but the shapes, and no turn mends them: they may be read wrongly
        looked = flat
    best = _likeliest(looked, levels)
    if not shaped and (best is None or best.made is None or not _alike(attempt, best.made)):
        return None
    if best is not None:
        return best
    if extra := _too_much(attempt):
        return Mistake(extra, right)
    if mended := turned(attempt, right):
        return mended
    if not several:
        return None
    return difference(attempt, levels)


def _within(attempt: Attempt, share: Expr, said: Expr) -> Mistake | None:
    """What is wrong with the share of one step in a sum over time."""
    inner = replace(attempt, quantity=share, said=said, value=attempt.theirs(said))
    try:
        return _explain(inner, True)
    except NO_VALUE:
        return None


def _alike(attempt: Attempt, made: Expr) -> bool:
    """Whether a wrong line has the shape of theirs, or has none just as theirs."""
    value, theirs = attempt.ours(made), attempt.value
    if value is None or theirs is None:
        return value is None and theirs is None
    return (len(value), len(value[0])) == (len(theirs), len(theirs[0]))


def _likeliest(attempt: Attempt, levels: Iterable[Expr]) -> Mistake | None:
    """The single mistake that costs least, at whatever level the right line is written."""
    found = [single for level in levels if (single := _one(attempt, level)) is not None]
    return min(found, key=lambda single: single.cost, default=None)


def _one(attempt: Attempt, right: Expr) -> Mistake | None:
    """A single change of the right line, or terms that it lost, or another quantity."""
    terms = attempt.terms(right)
    if extra := _factor_too_much(attempt.said, right):
        return Mistake(f"the factor {spelled(extra)} is too much", right, cost=0.75)
    found = [s for s in _bounded(slips(right, attempt.course, attempt.quantity, terms)) if attempt.is_said(s.expr)]
    if found:
        likeliest = min(found, key=lambda slip: slip.cost)
        return Mistake(likeliest.words, right, cost=likeliest.cost, made=likeliest.expr)
    if lost := _some_terms(attempt, right):
        return Mistake(lost, right, cost=0.9)
    for slip in chain(lost_paths(attempt), at_one_step(attempt), other_quantities(attempt)):
        if attempt.is_said(slip.expr):
            return Mistake(slip.words, right, cost=1.2)
    return None


def _factor_too_much(said: Expr, right: Expr) -> Expr | None:
    """The one factor that what was said has beside all those of the right line, as they stand."""
    theirs, ours = as_product(said), as_product(right)
    if theirs is None or ours is None or theirs.number != ours.number or len(ours.factors) < 2:
        return None
    left = list(theirs.factors)
    for factor in ours.factors:
        if factor not in left:
            return None
        left.remove(factor)
    again = len(left) == 1 and left[0] in ours.factors  # it is squared
    return left[0] if len(left) == 1 and not again else None


def _some_terms(attempt: Attempt, right: Expr) -> str:
    """Several terms lost at once."""
    terms = attempt.terms(right)
    if not terms or len(terms) > 8 or not isinstance(right, Add) or attempt.value is None:
        return ""
    course, view, step = attempt.course, attempt.view, attempt.step
    full = course.right(attempt.quantity, view, step)
    spread = course.world(view).arithmetic.spread
    values = [spread(course.right(term, view, step), full) for term in right.terms]
    for some, summed in totals(values).items():
        if attempt.same(attempt.value, summed):
            lost = [k for k in range(len(terms)) if k not in some]
            return "; ".join(lost_words(terms[k].via, right.terms[k], attempt.quantity, course.cell) for k in lost)
    return ""


def _bounded(found: Iterable[Slip]) -> Iterator[Slip]:
    seen: set[Expr] = set()
    for slip in found:
        if slip.expr not in seen:
            seen.add(slip.expr)
            yield slip
        if len(seen) >= MOST_SLIPS:
            return


def _too_much(attempt: Attempt) -> str:
    """A term of the line that is no term of the quantity."""
    said = attempt.said
    if not isinstance(said, Add):
        return ""
    for term in said.terms:
        rest = total(*(t for t in said.terms if t is not term))
        if attempt.agrees(attempt.theirs(rest)):
            return f"the term {spelled(term.arg if isinstance(term, Neg) else term)} is too much"
    return ""
