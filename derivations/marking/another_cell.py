"""Whether a sheet seems to be for another cell: its forward equations are not the cell's, or it names no gate of it.

Such a sheet proves nothing. What is right by chance is not called so, and what is not right may be so for its own cell.
"""

import re
from collections.abc import Iterator

from derivations.expression import Adjoint, Derivative, Expr, Name, Total, names, walk
from derivations.marking.judged import Judged
from derivations.marking.name_marks import bare
from derivations.marking.sheet import free
from derivations.marking.understanding import Understanding

_ANY = re.compile(r"[Wabz]_k$")
PLAIN = 1.0  # the cost up to which a name says by itself what it means
FEWEST = 2


def another_cell(reading: Understanding) -> str:
    """Why a sheet seems to be for another cell; empty where it does not."""
    cell = reading.course.cell
    claims = [judged for judged in reading.judged if judged.line.rhs is not None]
    forward = [
        j for j in claims if isinstance(j.quantity, Name) and j.quantity.id in cell.defined and _known(reading, j)
    ]
    wrong = [j for j in forward if not j.right]
    if len(wrong) >= FEWEST and 2 * len(wrong) > len(forward):
        return f"{len(wrong)} of its {len(forward)} forward equations are not those of {cell.name}"
    if len(claims) < FEWEST:
        return ""
    gates = _gates(reading)
    if gates:
        if any(_ANY.search(bare(name)) for line in reading.sheet.lines for name in (line.target, *line.uses)):
            return ""  # of any of its gates
        spoken = set(_spoken(reading))
        owners = {gate for gate, own in _own_parameters(reading).items() if own & spoken}
        return "" if gates & spoken or len(owners) >= FEWEST else f"it names none of the gates of {cell.name}"
    unknown = sum(bool(judged.why) for judged in claims)
    right = sum(judged.right for judged in claims)
    return f"most of its names are unknown to {cell.name}" if unknown > max(FEWEST, right) else ""


def _known(reading: Understanding, judged: Judged) -> bool:
    """Whether a line reads no line of which nothing is known."""
    earlier = [reading.judged[reading.place[name]] for name in judged.line.uses if not free(name)]
    return all(not one.why and _known(reading, one) for one in earlier)


def _gates(reading: Understanding) -> set[str]:
    """What a cell has beside its states and inputs: what is a function of its own, and the preactivations."""
    cell = reading.course.cell
    inner = {gate: pre for gate, pre in reading.course.vocabulary.preactivation.items() if gate not in cell.states}
    families = reading.course.vocabulary.gates.families.values()  # of what it normalises
    return {*inner, *inner.values(), *(name for family in families for name in family.values())}


def _own_parameters(reading: Understanding) -> dict[str, set[str]]:
    """The parameters that one preactivation alone reads, as W_xf: who names those names the gate."""
    cell = reading.course.cell
    read = {
        pre: set(names(cell.equation(pre).rhs)) & set(cell.parameters)
        for gate, pre in reading.course.vocabulary.preactivation.items()
        if gate not in cell.states and pre in cell.defined
    }
    return {
        pre: own - {name for other, theirs in read.items() if other != pre for name in theirs}
        for pre, own in read.items()
    }


def _spoken(reading: Understanding) -> Iterator[str]:
    """The quantities that the names of a sheet say by themselves."""
    lines = reading.sheet.lines
    spoken = dict.fromkeys(name for line in lines for name in (line.target, *line.uses) if name and free(name))
    for name in spoken:
        for meaning in reading.readings(name)[:1]:
            if meaning.cost <= PLAIN:
                yield from _ids(meaning.quantity)


def _ids(quantity: Expr) -> Iterator[str]:
    for node in walk(quantity):
        match node:
            case Name(id_) | Adjoint(id_) | Total(id_):
                yield id_
            case Derivative(of, wrt):
                yield from (of, wrt)


def holds_anyway(reading: Understanding, judged: Judged) -> bool:
    """Whether a right line of such a sheet is right all the same: it speaks of the states alone."""
    states = {*reading.course.cell.states, *reading.course.cell.previous}
    quantity = judged.of if judged.of is not None else judged.quantity
    said = judged.said
    return quantity is not None and said is not None and {*_ids(quantity), *_ids(said)} <= states
