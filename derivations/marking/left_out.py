"""What of a backward pass a sheet leaves out."""

from derivations.expression import Adjoint, Call, Expr, Total, walk
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
    inner = [pre for gate, pre in pres.items() if not _is_root(cell.equation(gate).rhs)]
    due = (*inner, *cell.previous, *cell.inputs, *cell.parameters)
    return tuple(f"d{name}" for name in due if name not in given)


def _is_root(rhs: Expr) -> bool:
    """Whether an equation is a standard deviation, whose argument nobody names."""
    return isinstance(rhs, Call) and rhs.function == "sqrt"
