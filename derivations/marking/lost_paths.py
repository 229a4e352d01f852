"""Paths that a line loses on its way: what it does not name is written out, and there a term may be missing."""

from collections.abc import Iterator
from itertools import chain, combinations

from derivations.expression import Adjoint, Neg
from derivations.marking.attempt import Attempt
from derivations.marking.right_line import written_out
from derivations.marking.slips import Slip, lost_words

MOST_TERMS = 12
MOST_LOST = 2


def lost_paths(attempt: Attempt) -> Iterator[Slip]:
    """The right line without a path, or two, of the errors that it writes out."""
    course, quantity, said, step = attempt.course, attempt.quantity, attempt.said, attempt.step
    opened: list[str] = []
    written_out(course, quantity, said, step, opening=opened)
    known = course.derivation.adjoint_of
    every = [(of, k) for of in opened for k in range(len(known[of].terms)) if len(known[of].terms) > 1]
    if len(every) > MOST_TERMS:
        return
    for lost in chain.from_iterable(combinations(every, count) for count in range(1, MOST_LOST + 1)):
        words = []
        for of, k in lost:
            term = known[of].terms[k]
            bare = term.expr.arg if isinstance(term.expr, Neg) else term.expr
            words.append(lost_words(term.via, bare, Adjoint(of), course.cell))
        yield Slip("; ".join(words), written_out(course, quantity, said, step, lost=lost), len(lost) - 0.2)
