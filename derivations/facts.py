"""The facts block of a cell, proved: statements about its derivation.

`dh/dm = 0` speaks of the total derivative within a step; `db_hn = r * db_n` of adjoints, for every cotangent.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from derivations.cell import Cell, CellError, Fact
from derivations.components import defined, opaque
from derivations.derive import Derivation
from derivations.equality import Claim, Entry, Proof, decided, same
from derivations.expression import Adjoint, Div, Expr, Name, evaluate, names, rewrite
from derivations.matrices import MatrixArithmetic
from derivations.total import prove_total


def prove_fact(fact: Fact, derivation: Derivation) -> Proof:
    """A fact proved, or refuted, in components.

    Raises:
        CellError: the fact speaks of a name that the cell does not have.
    """
    cell = derivation.cell
    for name in (*names(fact.left), *names(fact.right)):
        if name not in cell.shapes and not (name.startswith("d") and name[1:] in cell.shapes):
            raise CellError(f"a fact speaks of {name}, which the cell does not have", fact.line)
    match fact.left:
        case Div(Name(of), Name(wrt)) if of[:1] == wrt[:1] == "d" and {of[1:], wrt[1:]} <= set(cell.shapes):
            return prove_total(cell, of[1:], wrt[1:], fact.right, vector=True)
    left, right = _read(fact.left, cell), _read(fact.right, cell)
    proof = decided(_adjoints(left, right, derivation, ()))
    if proof:
        return proof
    return decided(_adjoints(left, right, derivation, cell.defined))  # it may rest on what the values are


def _read(expr: Expr, cell: Cell) -> Expr:
    """`db` is the adjoint of b in a fact."""

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Name) and node.id not in cell.shapes:
            return Adjoint(node.id[1:])
        return None

    return rewrite(expr, rule)


def _adjoints(left: Expr, right: Expr, derivation: Derivation, written_out: Collection[str]) -> Claim:
    """Both sides with every adjoint, and these values, written out by their equations."""

    def claim(arithmetic: MatrixArithmetic[Any], scalar: Callable[[str], Any]) -> Iterator[Entry]:
        values = defined(derivation.cell, written_out, opaque(derivation.cell, scalar), arithmetic)
        for step in derivation.adjoints:
            values[f"d{step.wrt}"] = arithmetic.spread(evaluate(step.rhs, values, arithmetic), values[step.wrt])
        yield from same("", evaluate(left, values, arithmetic), evaluate(right, values, arithmetic))

    return claim
