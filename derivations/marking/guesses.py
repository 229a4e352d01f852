"""What a line may have been meant to be whose name hardly says so, and which of several options it was."""

import re

from derivations.expression import Adjoint, Expr, Name, Stack, Total, walk
from derivations.marking.glossary import FAINT
from derivations.marking.name_marks import timed
from derivations.marking.sayings import Sayings
from derivations.marking.sheet import Line
from derivations.marking.sheets.definitions import is_error
from derivations.matrices import Matrix

_ERROR_LIKE = re.compile(r"d|delta|grad|eps|err")
_GRADIENT_LIKE = re.compile(r"(?:d|delta|grad)_?(?:L/d_?)?(?:[WUVRKb](?![a-z]{3})|bias|weight)")
FEWEST_USERS = 2  # lines that say what a name means that says nothing
MOST_USERS = 6


def anything(sayings: Sayings, line: Line, value: Matrix[float] | None) -> list[tuple[Expr, bool, float]]:
    """The errors that have this value, for a name that hardly says what it is."""
    if not _ERROR_LIKE.match(line.target) or value is None or ("/" in line.target and isinstance(line.rhs, Name)):
        return []  # that two derivatives are one says nothing of what they are by
    errors: list[Expr] = [Adjoint(name) for name in sayings.course.derivation.adjoint_of]
    if _GRADIENT_LIKE.match(line.target):  # of a weight or a bias, and of nothing else
        errors = [Adjoint(name) for name in sayings.course.cell.parameters]
    if any(by == -1 for _, by, _ in timed(line.target)):  # of the step before, only states have one
        errors = [Adjoint(name) for name in sayings.course.cell.previous]
    return [(q, True, 2.0) for q in errors if sayings.is_(value, q, line.step)][:1]


def by_users(sayings: Sayings, line: Line, value: Matrix[float] | None) -> list[tuple[Expr, bool, float]]:
    """The error that a line was meant to be whose name says nothing: several lines that read it are right with it."""
    users = sayings.sheet.users.get(line.version, [])[:MOST_USERS]
    if value is None or not is_error(line.target) or len(users) < FEWEST_USERS:
        return []
    cell = sayings.course.cell
    errors = [Adjoint(name) for name in sayings.course.derivation.adjoint_of if name not in cell.parameters]
    before = sayings.progress.rounds.get((line.number, line.column, line.target))
    if isinstance(before, Adjoint):  # as in the round before
        errors = [before]
    best, most = None, FEWEST_USERS - 1
    for error in errors:
        if not sayings.fits(value, error, line.step):
            continue
        bound, right = sayings.bound(error, value), 0
        for k, user in enumerate(users):
            right += sayings.right_after(user, {line.version: bound})
            if right + len(users) - k - 1 <= most:
                break  # the rest cannot make it the best
        if right > most:
            best, most = error, right
    return [] if best is None else [(best, False, FAINT + 0.1)]


def error_of_their_own(sayings: Sayings, line: Line, said: Expr, value: Matrix[float] | None) -> Expr | None:
    """The error that a line gives under a name that is none for an error, as `y = dk*gamma`."""
    if value is None or _ERROR_LIKE.match(line.target) or not any(isinstance(node, Adjoint) for node in walk(said)):
        return None
    known = (
        Adjoint(name) for name in sayings.course.derivation.adjoint_of if name not in sayings.course.cell.parameters
    )
    return next((error for error in known if sayings.is_(value, error, line.step)), None)


def value_of_cell(
    sayings: Sayings, line: Line, said: Expr, value: Matrix[float] | None
) -> list[tuple[Expr, bool, float]]:
    """The quantity of the cell that a line of values gives a name of its own."""
    if value is None or isinstance(line.rhs, Name) or any(isinstance(node, Adjoint | Total) for node in walk(said)):
        return []
    defined: list[Expr] = [Name(name) for name in sayings.course.cell.defined]
    return [(name, True, FAINT) for name in defined if sayings.is_(value, name, line.step)][:1]


def best(
    sayings: Sayings,
    line: Line,
    options: list[tuple[Expr, bool, float]],
    said: Expr,
    value: Matrix[float] | None,
) -> tuple[Expr, bool, float] | None:
    """The option under which this line and those that use it are right; None for an intermediate of their own."""
    if not options:
        return None
    users = sayings.sheet.users.get(line.version, [])[:MOST_USERS]
    if not users and sayings.progress.rounds.get((line.number, line.column, line.target), line) is None:
        return None  # an intermediate of their own in the round before, where it was used
    if len(options) == 1 and options[0][1]:
        return options[0]  # whatever the lines say that use it
    ranked = []
    for order, option in enumerate(options):
        quantity, right, cost = option
        bound = sayings.bound(quantity, value)
        after = sum(sayings.right_after(j, {line.version: bound}) for j in users)
        again = isinstance(quantity, Stack) and bound in sayings.progress.given.values()  # nobody joins the same twice
        ranked.append((right + after - again / 2, right, -cost - order / 1000, option))
    top = max(ranked, key=lambda one: one[:3])
    if users and not any(right for _, right, _ in options):  # their own intermediate under the name of an error
        own = sum(sayings.right_after(j, {line.version: said}) for j in users)
        if own > top[0]:
            return None
    return top[3]
