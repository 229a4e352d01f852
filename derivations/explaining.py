"""What is wrong with a line: the edits of the right line that make it theirs, in a sentence.

The right line is written at the level of theirs: an adjoint that they do not name is written out. Single edits are
tried first; then both are laid side by side, term by term; then pairs of edits are tried. A candidate is compared at a
random point before it is believed.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from derivations.attempt import Attempt, Mistake, Numbers
from derivations.course import SCALAR, View, totals
from derivations.differences import difference
from derivations.expression import Add, Derivative, Expr, Neg, Total, total
from derivations.mistakes import spelled
from derivations.other_quantities import other_quantities
from derivations.right_line import distributed, written_out
from derivations.slips import Slip, lost_words, slips
from derivations.turnings import turned

MOST_SLIPS = 600
MOST_PAIRED = 60
MOST_TRIED = 1_500


def explain(attempt: Attempt, *, pairs: bool = True) -> Mistake | None:
    """The likeliest mistake that turns the right line for a quantity into what was said; None where none is found.

    With `pairs`, several mistakes in one line are looked for as well.
    """
    key = ("mistake", attempt.quantity, attempt.said, attempt.view, attempt.step, pairs)
    known = attempt.course.found
    if key not in known:
        known[key] = _explain(attempt, pairs)
    found: Mistake | None = known[key]
    return found


def _explain(attempt: Attempt, pairs: bool) -> Mistake | None:
    course, quantity, said, step = attempt.course, attempt.quantity, attempt.said, attempt.step
    right = written_out(course, quantity, said, step)
    levels = dict.fromkeys((right, written_out(course, quantity, said, step, nearest=True), distributed(right)))
    levels[written_out(course, quantity, None, step)] = None  # as the derivation has it
    shaped = attempt.shaped
    looked = attempt
    if not shaped:  # what does not fit is looked at in the scalar view
        if mended := turned(attempt, right):
            return mended
        if found := difference(attempt, levels):
            return replace(found, correct=right)
        if attempt.value is not None and (single := _likeliest(attempt, levels)):
            return replace(single, correct=right)
        flat = attempt.in_scalars()
        if flat is None or flat.agrees(flat.value):
            return None  # nothing is wrong but the shapes, and no turn mends them: they may be read wrongly
        looked = flat
    best = _likeliest(looked, levels)
    if not shaped and (best is None or best.made is None or not _alike(attempt, best.made)):
        return None
    if best is not None:
        return replace(best, correct=right)
    if extra := _too_much(attempt):
        return Mistake(extra, right)
    if mended := turned(attempt, right):
        return mended
    if not pairs:
        return None
    if found := difference(attempt, levels):
        return replace(found, correct=right)
    for level in levels:
        if pair := _pair(attempt, level):
            return replace(pair, correct=right)
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
    found = [s for s in _bounded(slips(right, attempt.course, attempt.quantity, terms)) if attempt.is_said(s.expr)]
    if found:
        likeliest = min(found, key=lambda slip: slip.cost)
        return Mistake(likeliest.words, right, cost=likeliest.cost, made=likeliest.expr)
    if lost := _some_terms(attempt, right):
        return Mistake(lost, right, cost=0.9)
    for slip in other_quantities(attempt):
        if attempt.is_said(slip.expr):
            return Mistake(slip.words, right, cost=1.2)
    return None


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


def _pair(attempt: Attempt, right: Expr) -> Mistake | None:
    """Two mistakes in one line, looked for among numbers and then compared in the view of the sheet."""
    course, quantity = attempt.course, attempt.quantity
    if course.cell.stacked or isinstance(quantity, (Derivative, Total)):
        return None
    flat = replace(attempt, view=View(SCALAR, attempt.view.strict, attempt.view.steps, attempt.view.zero))
    value = flat.theirs(attempt.said)
    if value is None:
        return None
    theirs = value[0][0]
    here = Numbers(course.world(flat.view), attempt.step)
    single = _bounded(slips(right, course, quantity, attempt.terms(right)))
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
            if near and attempt.is_said(two.expr):
                best = (cost, f"{one.words}; {two.words}")
    if best and (swapped := re.fullmatch(r"(\S+) where (\S+) is due; \2 where \1 is due", best[1])):
        return Mistake(f"{swapped[1]} and {swapped[2]} are swapped", right, 2, best[0])
    return Mistake(best[1], right, 2, best[0] + 0.5) if best else None
