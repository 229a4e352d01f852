"""Every single mistake of a backward pass, made on purpose and named in words.

A check that lets one of these pass is not a check. Each mutant is the derived program with one change: in an
adjoint equation (`mistakes.py`), or in how the steps are joined (`mistakes_in_time.py`). No two mutants are one
program, however they are written.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from derivations.components import opaque
from derivations.derive import Derivation
from derivations.expression import Adjoint, Expr, evaluate, walk
from derivations.matrices import ShapeError
from derivations.mistakes import SCALES, in_an_equation
from derivations.mistakes_in_time import over_time
from derivations.program import Backward, backward_program
from derivations.residues import Residues

__all__ = ["SCALES", "Mutant", "mutants"]


@dataclass(frozen=True)
class Mutant:
    """A wrong backward pass: `mistake` in a sentence, `of` the adjoint or gradient in which it is made."""

    mistake: str
    of: str
    program: Backward


def mutants(derivation: Derivation) -> tuple[Mutant, ...]:
    """Every single mistake, in the order of the derivation; some may compute the right numbers (`w**2` for `w*w`)."""
    program = backward_program(derivation)
    in_equations = (
        Mutant(mistake, id_, replace(program, adjoints=tuple((i, rhs if i == id_ else e) for i, e in program.adjoints)))
        for mistake, id_, rhs in _in_equations(derivation)
    )
    in_time = (Mutant(*found) for found in over_time(program))
    found = _different((*in_time, *in_equations), program)  # "the gradient of b_i" says more than "da_i for da_f"
    return tuple(_named_apart(sorted(found, key=lambda mutant: mutant.program.adjoints is program.adjoints)))


def _in_equations(derivation: Derivation) -> Iterator[tuple[str, str, Expr]]:
    known: set[str] = set()  # the adjoints that a line may speak of
    for step in derivation.adjoints:
        for mistake, rhs in in_an_equation(step, derivation.cell):
            spoken = {node.of for node in walk(rhs) if isinstance(node, Adjoint) and not node.part}
            if rhs != step.rhs and spoken <= known:
                yield mistake, Adjoint(step.wrt).id, rhs
        known.add(step.wrt)


def _different(found: Iterable[Mutant], right: Backward) -> list[Mutant]:
    """The mutants without those that are another one in other words: `f*f` beside `f**2`.

    What an equation gives is told by its value at a random point modulo a prime. In place of the adjoint of a
    parameter, of which nothing but its gradient is made, stands that gradient.
    """
    point = Residues(1)
    values: dict[str, Any] = opaque(right.cell, point.drawn)
    shapes = dict(values)
    for id_, rhs in right.adjoints:
        values[id_] = _value(id_, rhs, values, shapes, point)
    own, seen, kept = dict(right.adjoints), set(), []
    for mutant in found:
        equations = dict(mutant.program.adjoints)
        changed = {id_: rhs for id_, rhs in equations.items() if rhs is not own[id_]}
        changed |= {
            Adjoint(name).id: rhs for name, rhs in mutant.program.gradients.items() if rhs is not right.gradients[name]
        }
        key = tuple((id_, _printed(_value(id_, rhs, values, shapes, point))) for id_, rhs in changed.items())
        if not changed or key not in seen:
            kept.append(mutant)
        seen.add(key)
    return kept


def _value(id_: str, rhs: Expr, values: dict[str, Any], shapes: dict[str, Any], point: Residues) -> Any:
    try:
        return point.spread(evaluate(rhs, values, point), shapes[id_])
    except ShapeError as error:
        return str(error)


def _printed(value: Any) -> str:
    return value if isinstance(value, str) else str([[entry.value for entry in row] for row in value])


def _named_apart(found: Iterable[Mutant]) -> Iterator[Mutant]:
    """The same mistake at another place gets a name of its own: `da_f: i where f is due (occurrence 2)`."""
    times: Counter[str] = Counter()
    for mutant in found:
        times[mutant.mistake] += 1
        again = times[mutant.mistake]
        yield mutant if again == 1 else replace(mutant, mistake=f"{mutant.mistake} (occurrence {again})")
