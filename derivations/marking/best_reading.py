"""The reading of a sheet that is marked: the likeliest, after what its names and its lines say of one another."""

from dataclasses import replace

from derivations.marking.course import Course
from derivations.marking.interpretation import understood
from derivations.marking.introduced import with_own_quantities
from derivations.marking.no_biases import without_biases
from derivations.marking.one_gate import of_one_gate
from derivations.marking.readout import with_readout
from derivations.marking.settled import as_wholes, rounds, settled
from derivations.marking.sheet import Sheet
from derivations.marking.understanding import Understanding

MOST_CONTRADICTED = 2  # lines that are no longer right once no two of them contradict one another


def best_reading(course: Course, sheet: Sheet) -> Understanding:
    """A sheet as it is marked against a cell, or against the cell with what the sheet adds to it."""
    best = _read(course, sheet)
    for extended in (with_readout, with_own_quantities):
        wider = extended(best)
        if wider is not None:
            other = _read(wider, best.sheet)
            best = other if other.score >= best.score else best
    return _without_contradictions(best)


def _read(course: Course, sheet: Sheet) -> Understanding:
    return of_one_gate(without_biases(_with_wholes(understood(course, sheet))))


def _with_wholes(best: Understanding) -> Understanding:
    """The same with what comes back taken for the whole error, where that makes more of the sheet right."""
    if whole := as_wholes(best):
        sheet = replace(best.sheet, names={**best.sheet.names, **whole})
        other = understood(best.course, sheet)
        return other if other.score > best.score + 0.5 else best
    return best


def _without_contradictions(best: Understanding) -> Understanding:
    """The same with one meaning for every name, as long as that costs few lines."""
    meanings = settled(best)
    if not meanings:
        return best
    sheet = replace(best.sheet, names={**best.sheet.names, **meanings})
    chosen = {name: meaning for name, meaning in best.chosen.items() if name not in meanings}
    other = Understanding(replace(best.glossary, sheet=sheet, chosen=chosen))
    lost = (best.score - other.score) / rounds(sheet)
    return other if lost < MOST_CONTRADICTED + 0.5 else best  # else it is this reading that is at fault
