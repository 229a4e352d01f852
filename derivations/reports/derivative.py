"""From what a user asks of one derivative to what is known of it: its names, numbers, paths, closed form and proof."""

from derivations.cell import Cell, CellError
from derivations.derive import Derivation, derive
from derivations.expression import Expr
from derivations.paths import TotalDerivative, total_derivative
from derivations.reports.checks import Checked
from derivations.reports.diff import Difference
from derivations.same import compare
from derivations.total import prove_total
from derivations.unroll import TooLarge, closed_derivative
from derivations.walkthrough import Walkthrough, read_walkthrough, replay


def derivative(
    cell: Cell,
    of: str,
    wrt: str,
    *,
    at: str | None = None,
    step: int | None = None,
    through_time: bool = False,
    most: int = 20,
    closed: bool = False,
    prove: bool = True,
) -> Difference:
    """One derivative of a cell, with a walkthrough's numbers if `at` names one.

    Raises:
        CellError, ValueError: a name, step or walkthrough that there is not.
    """
    walkthrough = read_walkthrough(at) if at else None
    if walkthrough and not compare(walkthrough.base, cell):
        raise CellError(
            f"the walkthrough {at} is of the cell {walkthrough.base.name}; {cell.name} as it is given here is another"
        )
    derivation = walkthrough.derivation if walkthrough else derive(cell)
    if walkthrough:
        of, wrt = _in_source(of, walkthrough), _in_source(wrt, walkthrough)
    if cell.stacked:
        raise CellError(f"{cell.name} stacks vectors, so it has no scalar view to differentiate in")
    values = replay(walkthrough).values if walkthrough else None
    if through_time and values is None and step is None:
        raise CellError("--through-time needs the step of OF: give --step T, or numbers with --at WALKTHROUGH")
    total = total_derivative(derivation, of, wrt, through_time=through_time, values=values, step=step, most=most)
    return Difference(
        derivation=derivation,
        total=total,
        closed=_closed(derivation, total) if closed and not through_time else None,
        proof=_proof(derivation, total) if prove else None,
        where=at or "",
        checked=Checked(),
        digits={},
        values=values or (),
    )


def _in_source(name: str, walkthrough: Walkthrough) -> str:
    """Either set of names is taken: the source's reading comes first, then ours; steps stay (`h_0`, `f_2`)."""
    known = set(walkthrough.cell.shapes)
    base, _, tail = name.rpartition("_")
    if name in known or (tail.isdigit() and base in known):
        return name
    if tail.isdigit() and base in walkthrough.names:
        return f"{walkthrough.names[base]}_{tail}"
    if name.startswith("a_") and name[2:] in walkthrough.names:
        return f"a_{walkthrough.names[name[2:]]}"
    return walkthrough.names.get(name, name)


def _closed(derivation: Derivation, total: TotalDerivative) -> Expr | str:
    try:
        return closed_derivative(derivation, total.of.name, total.wrt.name)
    except TooLarge as error:
        return str(error)


def _proof(derivation: Derivation, total: TotalDerivative) -> str | None:
    """The sum over paths within a step, against forward mode on the equations; through time no sum is written out."""
    if total.through_time or total.expression is None:
        return None
    return prove_total(derivation.cell, total.of.name, total.wrt.name, total.expression).status.value
