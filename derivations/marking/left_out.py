"""What of a backward pass a sheet leaves out."""

from derivations.cell import prev
from derivations.expression import Adjoint, Total, walk
from derivations.marking.understanding import Understanding


def left_out(reading: Understanding) -> tuple[str, ...]:
    """The quantities of a backward pass that the sheet leaves out."""
    cell = reading.course.cell
    given: set[str] = set()
    for judged in reading.judged:
        quantity = judged.of if judged.of is not None else judged.quantity
        for node in walk(quantity) if quantity is not None else ():
            if isinstance(node, (Adjoint, Total)):
                given.add(node.of)
    pres = reading.course.vocabulary.preactivation
    due = [a for f, a in pres.items() if f not in cell.states or a]
    due += [prev(state) for state in cell.states]
    due += (*cell.inputs, *cell.parameters)
    return tuple(f"d{name}" for name in due if name not in given)
