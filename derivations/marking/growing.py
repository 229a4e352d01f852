"""Sums that grow over several lines: what each line adds is a term of them, or several."""

from derivations.expression import Adjoint, Expr, TimeSum, Total, Transpose, total
from derivations.marking.addends import are_few, nearest, which
from derivations.marking.aims import share_of
from derivations.marking.judged import Judged, Reached, Unknown
from derivations.marking.meaning import Meaning
from derivations.marking.sayings import Sayings
from derivations.marking.sheet import Line, free
from derivations.matrices import Matrix


def summed(sayings: Sayings, line: Line, targets: list[Meaning]) -> Reached | None:
    """A line that adds a part to a sum, or starts one; None for any other line."""
    grows = line.version in sayings.sheet.added_to
    if line.increment is None and not grows:
        return _given_up(sayings, line, targets)
    if line.increment is None and _is_carried_on(sayings, line, targets):
        return None
    if line.increment is not None and line.before and (free(line.before) or line.before in sayings.progress.opened):
        return _added(sayings, line, targets)
    if (carried := _carried_on(sayings, line, targets)) is not None:
        return carried
    if line.increment is not None and line.before and line.before not in sayings.progress.included:
        return None  # it adds to what is no sum of ours
    more = line.increment if line.increment is not None else line.rhs
    assert more is not None  # an unreadable line is not judged
    said = sayings.said(more, line.step)
    value = sayings.value_of(said, line.step)
    quantity, had = sayings.progress.included.get(line.before, (None, frozenset[int]()))
    if quantity is not None and had == frozenset(range(len(sayings.terms(quantity, line)))):
        return None  # that sum is complete: this is something else
    options = [quantity] if quantity is not None else [m.quantity for m in targets]
    fallback: tuple[Expr, tuple[Expr, ...]] | None = None
    fitting = False  # whether what is added has the shape of that
    for option in options:
        addends = sayings.terms(option, line)
        if not are_few(addends):
            continue
        shaped = value is not None and sayings.fits(value, option, line.step)
        if fallback is None or (shaped and not fitting):
            fallback, fitting = (option, addends), shaped
        some = which(sayings.course, sayings.view, option, addends, value, line.step, had)
        if some:
            return _grown(sayings, line, option, addends, had, some, said, value, True)
    if fallback is None or (line.increment is None and sayings.is_any(value, targets, line.step)):
        return None
    option, addends = fallback
    last = line.loop is not None and sayings.sheet.again.get((line.target, line.step)) == line.version
    if last and line.before and option in [Adjoint(state) for state in sayings.course.cell.states]:
        return None  # what is carried to the step before, under the name of the sum
    if line.rhs is not None and _ends_right(sayings, line, option):
        whole = sayings.said(line.rhs, line.step)
        return Reached(Judged(line, said=whole, value=sayings.value_of(whole, line.step)), whole)
    left = [n for n in range(len(addends)) if n not in had]
    here = line.step - 1 if isinstance(option, Total | TimeSum) else None
    guess = here if here in left else nearest(addends, left, said, line.step, sayings.view.steps)
    some = frozenset({guess} if guess is not None else ())
    return _grown(sayings, line, option, addends, had, some, said, value, False)


def _given_up(sayings: Sayings, line: Line, targets: list[Meaning]) -> Reached | None:
    """A term of a sum under a name that the next line gives another value before anyone has read it."""
    later = sayings.sheet.lines[sayings.sheet.place[line.version] + 1 :]
    again = any((one.target, one.step) == (line.target, line.step) for one in later)
    if not again or sayings.sheet.users.get(line.version) or line.rhs is None:
        return None
    said = sayings.said(line.rhs, line.step)
    value = sayings.value_of(said, line.step)
    if sayings.is_any(value, targets, line.step):
        return None
    for meaning in targets:
        addends = sayings.terms(meaning.quantity, line)
        some = (
            which(sayings.course, sayings.view, meaning.quantity, addends, value, line.step) if are_few(addends) else ()
        )
        if some:
            part = total(*(addends[n] for n in sorted(some)))
            return Reached(Judged(line, True, part, True, meaning.quantity, said, value), sayings.glossary.laid(part))
    return None


def _nothing(sayings: Sayings, addends: tuple[Expr, ...], step: int) -> frozenset[int]:
    """The terms that are zero, as what comes back to the last step."""
    values = [sayings.value_of(term, step) for term in addends]
    return frozenset(k for k, value in enumerate(values) if value is not None and not any(map(any, value)))


def _ends_right(sayings: Sayings, line: Line, quantity: Expr) -> bool:
    """Whether a sum is right in the end, although what is added to it by and by are no terms of ours."""
    last = line
    for k in range(sayings.sheet.place[line.version] + 1, len(sayings.sheet.lines)):
        more = sayings.sheet.lines[k]
        last = more if more.before == last.version and more.step == line.step else last
    if last is line or last.rhs is None:
        return False
    try:
        value = sayings.value_of(sayings.said(last.rhs, last.step), last.step)
    except Unknown:
        return False
    return sayings.is_(value, quantity, last.step)


def _is_carried_on(sayings: Sayings, line: Line, targets: list[Meaning]) -> bool:
    """Whether a line says the whole of what goes to the step before, to which the next round adds."""
    assert line.rhs is not None  # an unreadable line is not judged
    previous = sayings.course.cell.previous
    value = sayings.value_of(sayings.said(line.rhs, line.step), line.step)
    carried = [m for m in targets if isinstance(m.quantity, Adjoint) and m.quantity.of in previous]
    return sayings.is_any(value, carried, line.step)


def _carried_on(sayings: Sayings, line: Line, targets: list[Meaning]) -> Reached | None:
    """A line that adds to what the round before has carried, where what it adds is all that is to be carried."""
    place = sayings.sheet.place
    if line.loop is None or line.rhs is None:
        return None
    adds = line.increment if line.increment is not None else line.rhs
    if line.before in place and sayings.sheet.lines[place[line.before]].step == line.step:
        return None
    more = sayings.value_of(sayings.said(adds, line.step), line.step)
    for meaning in targets:
        quantity = meaning.quantity
        carried = isinstance(quantity, Adjoint) and quantity.of in sayings.course.cell.previous
        if carried and sayings.is_(more, quantity, line.step):
            said = sayings.said(line.rhs, line.step)
            value = sayings.value_of(said, line.step)
            judged = Judged(line, sayings.is_(value, quantity, line.step), quantity, said=said, value=value)
            return Reached(judged, sayings.bound(quantity, more))
    return None


def _added(sayings: Sayings, line: Line, targets: list[Meaning]) -> Reached | None:
    """What is added to a name of outside: the share of this step in a parameter's gradient, or a term."""
    assert line.increment is not None  # asked before
    said = sayings.said(line.increment, line.step)
    value = sayings.value_of(said, line.step)
    laid = sayings.glossary.laid
    shares = [share_of(meaning.quantity) for meaning in targets if sayings.is_share(meaning.quantity)]
    if shares:
        right = [share for share in shares if sayings.is_(value, share, line.step)]
        fitting = [share for share in shares if value is not None and sayings.fits(value, share, line.step)]
        share = (right or fitting or shares)[0]
        judged = Judged(line, bool(right), share, of=share, said=said, value=value)
        return Reached(judged, laid(TimeSum(share)), opened=True)
    if line.rhs is None:
        return None
    whole = sayings.value_of(sayings.said(line.rhs, line.step), line.step)
    if sayings.is_any(whole, targets, line.step):
        return None
    for meaning in targets:
        addends = sayings.terms(meaning.quantity, line)
        if not are_few(addends):
            continue
        if some := which(sayings.course, sayings.view, meaning.quantity, addends, value, line.step):
            part = total(*(addends[n] for n in sorted(some)))
            return Reached(Judged(line, True, part, True, meaning.quantity, said, value), laid(meaning.quantity))
    return None


def _grown(
    sayings: Sayings,
    line: Line,
    quantity: Expr,
    addends: tuple[Expr, ...],
    had: frozenset[int],
    some: frozenset[int],
    said: Expr,
    value: Matrix[float] | None,
    right: bool,
) -> Reached:
    """The judgement of a part, and what the sum is from here on."""
    now = had | some | _nothing(sayings, addends, line.step)
    whole = len(now) == len(addends)
    turned = isinstance(sayings.glossary.laid(quantity), Transpose)
    last = line.version not in sayings.sheet.added_to
    sum_ = quantity if whole or last else total(*(addends[n] for n in sorted(now)))
    part = total(*(addends[n] for n in sorted(some))) if some else quantity
    judged = Judged(line, right, part, not (whole and last), quantity, said, value)
    if right and last and not whole:  # each part is right, and some are missing at the end
        assert line.rhs is not None  # an unreadable line is not judged
        everything = sayings.said(line.rhs, line.step) if line.before else said
        value = sayings.value_of(everything, line.step)
        judged = Judged(line, False, quantity, of=quantity, said=everything, value=value)
    return Reached(judged, Transpose(sum_) if turned else sum_, (quantity, now))
