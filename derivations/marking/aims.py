"""What a line may have been meant to be: the meanings of its name, as its place on the sheet narrows them."""

from derivations.cell import prev
from derivations.expression import ZERO, Adjoint, Expr, Name, Shift, TimeSum, Total, rewrite, walk
from derivations.marking.glossary import FAINT, OF_STEP
from derivations.marking.meaning import Meaning
from derivations.marking.sayings import Sayings
from derivations.marking.sheet import Line
from derivations.matrices import Matrix

SAME_AS_BEFORE = 1.0  # how much less a meaning costs that the line has had in the round before


def aims(sayings: Sayings, line: Line, value: Matrix[float] | None) -> list[Meaning]:
    """What a line that has this value may have been meant to be."""
    found = sayings.readings(line.target, True)
    if line.target in sayings.sheet.names:
        return found
    parameters = [Name(name) for name in sayings.course.cell.parameters]
    found = [m for m in found if m.quantity not in parameters]  # no line says what a parameter is
    if line.rhs == ZERO and sayings.sheet.notation == "python":  # other gradients start so
        carried = (*sayings.course.cell.states, *sayings.course.cell.previous)
        errors = [Adjoint(of) for of in carried]
        return [m for m in found if m.quantity in errors]
    if value is not None:  # another kind of thing under a name that may be an alias
        before = [Adjoint(name) for name in sayings.course.cell.previous]  # no other alias says a step before
        least = {m: FAINT if m.quantity in before else 1.5 for m in found}
        found = [m for m in found if m.cost < least[m] or sayings.fits(value, m.quantity, line.step)]
    found = _not_taken(sayings, line, found)
    if line.share is not None and any(isinstance(m.quantity, Adjoint) for m in found):
        return [m for m in found if not isinstance(m.quantity, Total | TimeSum)]
    if _over_all(sayings, line) and any(isinstance(m.quantity, Total) for m in found):
        found = [m for m in found if not (isinstance(m.quantity, Adjoint) and parameter_of(m.quantity))]
    return found if line.loop is None else _in_loop(sayings, line, found)


def assumption(sayings: Sayings, line: Line) -> Expr | None:
    """What a line on paper takes to be zero, as an initial state or what comes after the last step; else None."""
    if line.rhs != ZERO or sayings.sheet.notation == "python":
        return None
    for meaning in sayings.readings(line.target, True)[:1]:
        inner = meaning.quantity
        while isinstance(inner, Shift):
            inner = inner.arg
        last = isinstance(inner, Adjoint) and inner.part == "next"
        if last or "[T+" in line.target or (isinstance(inner, Name) and inner.id in sayings.course.cell.previous):
            return meaning.quantity
    return None


def _over_all(sayings: Sayings, line: Line) -> bool:
    """Whether a gradient is over all steps: it is a sum over them, they are numbers, or the last one is spoken of."""
    if OF_STEP.match(line.target):
        return False
    if line.rhs is not None and any(isinstance(node, TimeSum) for node in walk(line.rhs)):
        return True
    return sayings.sheet.numbered or (
        sayings.sheet.notation != "python"
        and any("[T" in name or name.endswith("_T") for name in line.uses)
        and "[" not in line.target
    )


def _in_loop(sayings: Sayings, line: Line, found: list[Meaning]) -> list[Meaning]:
    """What a name in a loop over time may mean: what is assigned there goes to the step before."""
    sheet, states = sayings.sheet, sayings.course.cell.states
    handed_on = any(sheet.lines[k].step != line.step for k in sheet.users.get(line.version, ()))
    before = sayings.progress.rounds.get((line.number, line.column, line.target))
    previous = [Adjoint(name) for name in sayings.course.cell.previous]
    handed_on = handed_on or before in previous
    if handed_on or sheet.again.get((line.target, line.step)) == line.version:  # dh, carried on under its own name
        whole = [(m.quantity.of, m.cost) for m in found if isinstance(m.quantity, Adjoint)
                 and m.quantity in [Adjoint(state) for state in states]]  # fmt: skip
        found = [*found, *(Meaning(Adjoint(prev(of)), cost + 0.6) for of, cost in whole)]
    found = [m for m in found if not (isinstance(m.quantity, Adjoint) and m.quantity.part == "next")]
    found = [Meaning(m.quantity, m.cost - SAME_AS_BEFORE) if m.quantity == before else m for m in found]
    if line.increment is None and not sheet.users.get(line.version):
        gathered = [m for m in found if isinstance(m.quantity, Total | TimeSum)]
        found = gathered or found  # a gradient that the next round overwrites
    return found


def _not_taken(sayings: Sayings, line: Line, found: list[Meaning]) -> list[Meaning]:
    """Without what another line has given under another name, where the name may mean something else."""
    if isinstance(line.rhs, Name):
        return found
    taken = {q for q, name in sayings.progress.taken.items() if name != line.target}
    rest = [m for m in found if parameter_of(m.quantity) not in taken or not parameter_of(m.quantity)]
    return rest if rest and rest[0].cost < FAINT + 0.5 else found


def parameter_of(quantity: Expr) -> str:
    """What a gradient is by, where it is a parameter's; empty otherwise."""
    match quantity:
        case Total(of) | Adjoint(of, "") if of[:1].isupper() or of.startswith("b_"):
            return of
    return ""


def share_of(quantity: Expr) -> Expr:
    """The share of one step in a gradient that is gathered over time."""
    if isinstance(quantity, TimeSum):
        return quantity.arg
    return rewrite(quantity, lambda node: Adjoint(node.of) if isinstance(node, Total) else None)
