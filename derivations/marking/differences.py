"""What was said beside what is due, term by term and factor by factor.

It needs no guess at what went wrong: the terms of both are put in pairs, and what is left of each pair is the mistake.
What is said of a term is confirmed by its value.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from derivations.expression import (
    ONE,
    Add,
    Adjoint,
    Div,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Outer,
    Part,
    Shift,
    TimeSum,
    Total,
    Transpose,
    negative,
    product,
    total,
    walk,
)
from derivations.marking.attempt import Attempt, Mistake
from derivations.marking.factors import Gap, gap
from derivations.marking.naming import worded
from derivations.marking.products import Product, as_product, factor_places, lying, with_factors
from derivations.marking.slips import lost_words
from derivations.marking.turnings import turnings
from derivations.matrices import Matrix
from derivations.mistakes import spelled

MOST_TERMS = 8
MOST_MENDED = 60
MOST_FAULTS = 4
LOST, MORE = 1.3, 1.8  # what a term costs that is lost, and one that is too much: together more than any change of one


@dataclass(frozen=True)
class Fault:
    """One difference: its kind, what it is about, and the path on which it is; empty where there is but one."""

    kind: str
    about: tuple[Expr, ...] = ()
    words: str = ""
    via: str = ""


def difference(attempt: Attempt, levels: Iterable[Expr]) -> Mistake | None:
    """The fewest differences between what was said and the right line, at the level that has fewest."""
    best: tuple[float, Expr, list[Fault]] | None = None
    for right in levels:
        for said in dict.fromkeys((attempt.said, spread(attempt.said))):
            found = _between(attempt, said, right)
            if found is not None and (best is None or found[0] < best[0]):
                best = (found[0], right, found[1])
    if best is None:
        return None
    cost, right, faults = best
    if not attempt.shaped and any(fault.kind == "more" for fault in faults):
        return None  # what has another shape is no sum of these terms, and may be read wrongly
    said_ = list(_merged(faults, attempt))
    if not said_ or len(said_) > MOST_FAULTS:
        return None
    return Mistake("; ".join(said_), right, len(said_), cost)


def right_terms(attempt: Attempt, levels: Iterable[Expr]) -> tuple[str, ...]:
    """The paths, or the terms, that a wrong line has right all the same; none where the right line is no sum."""
    best: tuple[str, ...] = ()
    for right in levels:
        ours = _terms_of(right)
        paths = [term.via for term in attempt.terms(right)] or [""] * len(ours)
        values = [value for term in _terms_of(spread(attempt.said)) if (value := attempt.theirs(term)) is not None]
        here = []
        for term, via in zip(ours, paths, strict=True):
            due = attempt.ours(term)
            if len(ours) > 1 and due is not None and any(attempt.same(value, due) for value in values):
                here.append(f"through {via}" if via not in ("", "loss", "t+1") else spelled(term))
        best = max(best, tuple(here), key=len)
    return best


def spread(expr: Expr) -> Expr:
    """A product with one sum as the sum of its products, the slopes 1 - f left as they are."""
    match expr:
        case Add(terms):
            return total(*map(spread, terms))
        case Neg(arg):
            found = spread(arg)
            return total(*map(negative, found.terms)) if isinstance(found, Add) else expr
        case Mul(factors):
            for k, factor in enumerate(factors):
                inner = spread(factor)
                if _sums(inner):
                    before, after = factors[:k], factors[k + 1 :]
                    return total(*(spread(product(*before, term, *after)) for term in inner.terms))  # type: ignore[attr-defined]  # a sum, by the line above
        case MatMul(a, b) | Outer(a, b):
            kind = type(expr)
            if _sums(inner := spread(b)):
                return total(*(_joined(kind, a, term) for term in inner.terms))  # type: ignore[attr-defined]  # as above
            if _sums(inner := spread(a)):
                return total(*(_joined(kind, term, b) for term in inner.terms))  # type: ignore[attr-defined]  # as above
        case Transpose(arg) if _sums(inner := spread(arg)):
            return total(*map(Transpose, inner.terms))  # type: ignore[attr-defined]  # as above
    return expr


def _sums(expr: Expr) -> bool:
    return isinstance(expr, Add) and not isinstance(expr.terms[0], Num) and len(expr.terms) <= MOST_TERMS


def _joined(kind: type[Expr], a: Expr, b: Expr) -> Expr:
    """A product of two, with the sign in front."""
    sign = isinstance(a, Neg) != isinstance(b, Neg)
    bare = kind(*(x.arg if isinstance(x, Neg) else x for x in (a, b)))
    return Neg(bare) if sign else bare


# --- pairs of terms ---------------------------------------------------------------------------------------------


def _between(attempt: Attempt, said: Expr, right: Expr) -> tuple[float, list[Fault]] | None:
    """The differences of two sums and what they cost; None where no pairing explains what was said."""
    if isinstance(said, TimeSum) and isinstance(right, TimeSum):
        said, right = said.arg, right.arg
        attempt = replace(attempt, quantity=_share(attempt.quantity))
    ours = _terms_of(right)
    theirs = _terms_of(said)
    if not 1 <= len(theirs) <= MOST_TERMS or not 1 <= len(ours) <= MOST_TERMS:
        return None
    products = [as_product(term) for term in theirs]
    due = [as_product(term) for term in ours]
    paths = [term.via for term in attempt.terms(right)] or [""] * len(ours)
    if any(p is None for p in (*products, *due)):
        return None
    pairs: dict[tuple[int, int], tuple[float, list[Fault]]] = {}
    for i, p in enumerate(products):
        for j, q in enumerate(due):
            assert p is not None  # asked above
            assert q is not None
            found = _pair(attempt, p, q, len(ours) == len(theirs) == 1)
            if found is not None:
                pairs[i, j] = found
    chosen = _assigned(len(theirs), len(ours), {key: cost for key, (cost, _) in pairs.items()})
    if not chosen:
        return None
    faults: list[Fault] = []
    cost = 0.0
    for i, j in chosen:
        cost += pairs[i, j][0]
        faults += [replace(fault, via=paths[j] if len(ours) > 1 else "") for fault in pairs[i, j][1]]
    used = {j for _, j in chosen}
    for j, term in enumerate(ours):
        if j not in used:
            cost += LOST
            faults.append(Fault("path", (term,), via=paths[j]))
    for i, term in enumerate(theirs):
        if i not in {i for i, _ in chosen}:
            cost += MORE
            faults.append(Fault("more", (term,)))
    return cost, faults


def _share(quantity: Expr) -> Expr:
    match quantity:
        case Total(of):
            return Adjoint(of)
        case TimeSum(arg):
            return arg
    return quantity


def _terms_of(expr: Expr) -> tuple[Expr, ...]:
    return expr.terms if isinstance(expr, Add) else (expr,)


def _assigned(rows: int, columns: int, costs: dict[tuple[int, int], float]) -> list[tuple[int, int]]:
    """The pairs of rows and columns that cost least, those that are left alone included."""

    @cache
    def least(row: int, free: int) -> tuple[float, tuple[tuple[int, int], ...]]:
        if row == rows:
            return free.bit_count() * LOST, ()
        best = least(row + 1, free)
        best = (best[0] + MORE, best[1])
        for column in range(columns):
            if free >> column & 1 and (row, column) in costs:
                rest = least(row + 1, free & ~(1 << column))
                cost = rest[0] + costs[row, column]
                if cost < best[0]:
                    best = (cost, ((row, column), *rest[1]))
        return best

    return list(least(0, (1 << columns) - 1)[1])


# --- one pair ---------------------------------------------------------------------------------------------------


def _pair(attempt: Attempt, said: Product, due: Product, alone: bool) -> tuple[float, list[Fault]] | None:
    """What makes one term another, confirmed by its value; None where they have nothing in common."""
    found = gap(attempt, said, due)
    replaced = alone and found.instead and not found.lost and not found.extra
    if not (found.shared or replaced) or found.count > (3 if alone else 2):
        return None
    value = attempt.ours(due.expr)
    if value is None:
        return None
    faults = [Fault(kind, about) for kind, about in found.faults()]
    wrong_path = any(isinstance(_bare(b), Adjoint) for _, b in found.instead)  # through another gate
    cost = len(faults) + 0.1 * wrong_path
    for mended in _mended(said, found):
        if _is(attempt, mended, value):
            return cost, faults
    for mended in list(_mended(said, found))[: 1 + 12 // (1 + len(faults))]:
        for words, other in turnings(attempt, mended):
            if _is(attempt, other, value):
                cut = any(
                    isinstance(node, Part) for a, _ in found.instead for node in walk(a)
                )  # a part lies as it is cut
                return (cost, faults) if cut else (cost + 1, [*faults, Fault("turned", (), words)])
    return None


def _bare(expr: Expr) -> Expr:
    return expr.arg if isinstance(expr, Shift) else expr


def _is(attempt: Attempt, expr: Expr, due: Matrix[float]) -> bool:
    value = attempt.theirs(expr)
    if value is None:
        return False
    spread_ = attempt.course.world(attempt.view).arithmetic.spread
    if len(due) * len(due[0]) == 1 and len(value) * len(value[0]) > 1:
        due = spread_(due, value)
    return attempt.same(value, due)


def _mended(said: Product, found: Gap) -> Iterator[Expr]:
    """The term with what a gap says put right, with what is lost at every place where it may stand."""
    base = with_factors(said.expr, [*found.instead, *((factor, ONE) for factor, _ in found.extra)])
    if found.number != 1:
        base = product(Div(ONE, Num(found.number)), base)
    tries: list[Expr] = [base]
    for factor in found.lost:
        tries = [put(new) for one in tries for put, node in factor_places(one) for new in _times(node, factor)]
    yield from tries[:MOST_MENDED]


def _times(node: Expr, factor: Expr) -> Iterator[Expr]:
    match factor:
        case Name(id_) if id_[0].isupper():
            yield MatMul(Transpose(factor), node)
            yield MatMul(factor, node)
        case Div(_, below):
            yield Div(node, below)
        case _:
            yield product(node, factor)
            yield product(node, lying(factor))
            yield Outer(node, factor)


# --- words ------------------------------------------------------------------------------------------------------


def _merged(faults: Sequence[Fault], attempt: Attempt) -> Iterator[str]:
    """The sentences: a swap is one, and what is wrong in several terms is said once."""
    instead = [fault.about for fault in faults if fault.kind == "instead"]
    swapped = [(a, b) for a, b in instead if (b, a) in instead]
    said: list[str] = []
    for fault in faults:
        if fault.kind == "instead" and fault.about in swapped:
            a, b = sorted(fault.about, key=spelled)
            words = f"{spelled(a)} and {spelled(b)} are swapped"
        else:
            words = _worded(fault, attempt)
        if words not in said:
            said.append(words)
    order = sorted(said, key=lambda words: "where" in words)
    yield from order


def _worded(fault: Fault, attempt: Attempt) -> str:
    match fault:
        case Fault("path", (term,)):
            bare = term.arg if isinstance(term, Neg) else term
            return lost_words(fault.via, bare, attempt.quantity, attempt.course.cell)
        case Fault("more", (term,)):
            return f"the term {spelled(term.arg if isinstance(term, Neg) else term)} is too much"
        case Fault("turned"):
            return fault.words
        case Fault("sign") if fault.via:
            return f"the sign of the term through {fault.via} is flipped"
    return worded(fault.kind, fault.about, attempt.course.cell)
