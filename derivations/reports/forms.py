"""Views that are made on request: closed forms, the steps written out, the state-to-state Jacobian."""

from dataclasses import dataclass
from typing import Any

from derivations.derive import Derivation, Step
from derivations.document import Block, Document, Heading, Line, Lines, Paragraph
from derivations.expression import Derivative, Expr, Name, operations, scalar_view
from derivations.jacobian import state_jacobian
from derivations.notation import Notation, for_names
from derivations.plain import Style, text
from derivations.typeset import to_latex
from derivations.unroll import closed as closed_form
from derivations.unroll import unroll, unroll_backward


@dataclass(frozen=True)
class Forms:
    """What was asked for, as equations in groups.

    Attributes:
        timed: whether names already carry their step, as in f_2.
    """

    derivation: Derivation
    groups: tuple[tuple[str, tuple[Line, ...]], ...]
    timed: bool
    view: str


def forms(
    derivation: Derivation, *, closed: tuple[str, ...], unroll: int | None, jacobian: bool, vector: bool
) -> Forms:
    """The views of one derivation.

    Raises:
        ValueError: a name that the cell does not have, or a form that would be too large to read.
    """
    cell = derivation.cell
    groups: list[tuple[str, tuple[Line, ...]]] = []
    if closed:
        lines = []
        for name in closed:
            form = closed_form(cell, name)
            form = form if vector or cell.stacked else scalar_view(form)
            lines.append(Line(Name(name), form, f"{operations(form)} operations"))
        groups.append(("Closed forms within one step", tuple(lines)))
    if jacobian:
        entries = state_jacobian(derivation, vector=vector)
        lines = [Line(Derivative(of, wrt, "total"), expr) for (of, wrt), expr in entries.items()]
        groups.append(("The Jacobian of the new states by the previous ones", tuple(lines)))
    if unroll:
        groups += _unrolled(derivation, unroll, vector or derivation.cell.stacked)
    return Forms(derivation, tuple(groups), bool(unroll), "vector" if vector else "scalar")


def _unrolled(derivation: Derivation, steps: int, vector: bool) -> list[tuple[str, tuple[Line, ...]]]:
    def seen(expr: Expr) -> Expr:
        return expr if vector else scalar_view(expr)

    forward = unroll(derivation.cell, steps)
    per_step = len(forward) // steps
    groups = [
        (
            f"Forward, step {t}",
            tuple(Line(Name(e.target), seen(e.rhs), e.label) for e in forward[(t - 1) * per_step : t * per_step]),
        )
        for t in range(1, steps + 1)
    ]
    backward: list[Step] = list(unroll_backward(derivation, steps))
    per_step = len(derivation.adjoints)
    for k, t in enumerate(range(steps, 0, -1)):
        lines = tuple(Line(s.lhs, seen(s.rhs), s.label) for s in backward[k * per_step : (k + 1) * per_step])
        groups.append((f"Backward, step {t}", lines))
    rest = tuple(Line(s.lhs, seen(s.rhs)) for s in backward[steps * per_step :])
    return [*groups, ("Summed over time", rest)]


def record(found: Forms) -> dict[str, Any]:
    """The views for programs."""
    notation = _notation(found)

    def line(one: Line) -> dict[str, Any]:
        return {
            "lhs": text(one.lhs, Style()),
            "rhs": text(one.rhs, Style()),
            "latex": f"{to_latex(one.lhs, notation)} = {to_latex(one.rhs, notation)}",
            "label": one.label,
            "operations": operations(one.rhs),
        }

    return {
        "schema": "derivations/forms/1",
        "cell": found.derivation.cell.name,
        "groups": [{"title": title, "lines": [line(one) for one in lines]} for title, lines in found.groups],
    }


def _notation(found: Forms, **choices: Any) -> Notation:
    cell = found.derivation.cell
    return for_names(cell.parameters, cell.shapes, view=found.view, time=not found.timed, **choices)


def document(found: Forms, **choices: Any) -> Document:
    """The views for readers."""
    blocks: list[Block] = []
    for title, lines in found.groups:
        blocks += [Heading(title), Lines(lines)]
        if lines and isinstance(lines[0].lhs, Derivative):
            product: Expr | str = (
                "Over time these matrices are multiplied, J_T ... J_(k+1): the product that vanishes or explodes."
            )
            blocks.append(Paragraph((product,), "quiet"))
    cell = found.derivation.cell
    return Document(cell.title or cell.name, _notation(found, **choices), tuple(blocks), f"{found.view} view")
