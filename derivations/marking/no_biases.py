"""Sheets that have no biases: `h = tanh(W x + U h_prev)` is the cell with its biases zero."""

from dataclasses import replace

from derivations.expression import Name, names
from derivations.marking.interpretation import varied
from derivations.marking.name_marks import canonical
from derivations.marking.understanding import Understanding
from derivations.marking.world import NEVER


def without_biases(best: Understanding) -> Understanding:
    """The reading with the biases zero, where the sheet speaks of none and its equations are right so."""
    cell = best.course.cell
    biases = {p for p, (_, vector) in best.course.vocabulary.gates.roles.items() if not vector}
    forward = [j for j in best.judged if not j.right and j.line.rhs is not None and _is_of_a_step(best, j.line.target)]
    spoken = {canonical(name) for line in best.sheet.lines for name in (line.target, *line.uses)}
    if not biases or not forward or any(name.lstrip("d").startswith(("b", "beta")) for name in spoken):
        return best
    zero = best.view.zero | {(bias, NEVER) for bias in biases if bias in cell.parameters}
    other = varied(Understanding(replace(best.glossary, view=replace(best.view, zero=zero), chosen={})))
    return other if other.score > best.score + 0.5 else best


def _is_of_a_step(reading: Understanding, target: str) -> bool:
    """Whether a line says a value of the cell that biases enter."""
    cell = reading.course.cell
    values = [m.quantity.id for m in reading.readings(target, True)[:2] if isinstance(m.quantity, Name)]
    return any(name in cell.defined and names(cell.equation(name).rhs) for name in values)
