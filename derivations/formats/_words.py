"""What a reader must be told beside the equations: shapes, what an adjoint means, conventions."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from derivations.boxes import Frac, Glyph, joined, latex
from derivations.cell import Shape, kinks, prev
from derivations.derive import Rule
from derivations.expression import Adjoint, Detach, Expr, Name, Total, walk
from derivations.formats._shown import Shown
from derivations.notation import Notation
from derivations.typeset import typeset


def inline(expr: Expr, notation: Notation) -> str:
    """An expression within a sentence; a derivative is written with a slash."""
    box = typeset(expr, notation)
    if isinstance(box, Frac):
        box = joined(box.above, Glyph("/", "mark"), box.below)
    return f"${latex(box)}$"


def quantities(what: Shown) -> Iterator[tuple[str, str, Shape]]:
    """What the names are: (kind, name, shape) for inputs, states, targets, parameters and computed values."""
    cell = what.cell
    computed = tuple(name for name in cell.defined if name not in cell.states)
    groups = (
        ("input", cell.inputs),
        ("state", cell.states),
        ("value", computed),
        ("target", cell.targets),
        ("parameter", cell.parameters),
    )
    for kind, names in groups:
        for name in names:
            yield kind, name, cell.shapes[name]


def by_shape(what: Shown) -> Iterator[tuple[str, Shape, list[str]]]:
    """The quantities of one kind and shape together, in order."""
    grouped: dict[tuple[str, Shape], list[str]] = {}
    for kind, name, shape in quantities(what):
        grouped.setdefault((kind, shape if what.vector else ()), []).append(name)
    for (kind, shape), names in grouped.items():
        yield kind, shape, names


def space(shape: Shape) -> str:
    """The space of a shape in LaTeX."""
    sizes = (re.sub(r"d(\d+)", r"d_{\1}", size) for size in shape)
    sizes = (f"({size})" if "+" in size and len(shape) > 1 else size for size in sizes)
    times = r" \times "
    return rf"\mathbb{{R}}^{{{times.join(sizes)}}}" if shape else r"\mathbb{R}"


def meaning(what: Shown, escaped: Callable[[str], str]) -> Iterator[str]:
    """How to read the equations that are shown, with mathematics between dollar signs.

    Args:
        escaped: makes plain text fit for the document.
    """
    rules = {section.rule for section in what.sections}
    if what.vector:
        yield (
            r"Vectors are columns; $\odot$, quotients, powers and functions act entry by entry, and a number "
            "added to a vector is added to each entry."
        )
    if Rule.PARTIAL in rules and what.vector:
        yield (
            "The derivative of a vector with respect to a vector is a matrix, $1$ standing for the identity; "
            "with respect to a matrix, as for $a = W v$, it is written as $v$: "
            r"$\partial a_i / \partial W_{ij} = v_j$."
        )
    if rules & {Rule.ADJOINT, Rule.RECURRENCE}:
        yield _adjoints(what)
    if any(isinstance(node, Detach) for e in what.cell.equations for node in walk(e.rhs)):
        yield r"What stands in $\operatorname{detach}$ is held constant."
    if conventions := kinks(what.cell):
        yield f"Where a derivative does not exist: {escaped('; '.join(conventions))}."


def _adjoints(what: Shown) -> str:
    """What the adjoints mean, told of the first state, output and parameter of the cell."""
    n, cell = what.notation, what.cell
    state, output = cell.states[0], cell.outputs[0]

    def said(expr: Expr) -> str:
        return inline(expr, n)

    long = "" if n.adjoint == "leibniz" else f" {inline(Adjoint(state), replace(n, adjoint='leibniz'))},"
    words = [
        rf"Here {said(Adjoint(state))} is{long} the derivative of the loss",
        rf"$\mathcal{{L}} = \ell_1 + \dots + \ell_T$ along every path that starts at {said(Name(state))}.",
        f"{said(Adjoint(output, 'out'))} is what the loss of step $t$ sends to {said(Name(output))}",
        f"directly, {said(Adjoint(state, 'next'))} what comes back to {said(Name(state))} from later steps",
        "(at $t = T$: what the loss takes from the final state, or $0$),",
        f"and {said(Adjoint(prev(state)))} what step $t$ sends back in turn.",
    ]
    for one in cell.parameters[:1]:
        words.append(f"{said(Adjoint(one))} is the share of step $t$ in the gradient {said(Total(one))}.")
    return " ".join(words)


def plain_meaning(what: Shown) -> Iterator[str]:
    """The same in the names of plain text."""
    rules = {section.rule for section in what.sections}
    state, output = what.cell.states[0], what.cell.outputs[0]
    if rules & {Rule.ADJOINT, Rule.RECURRENCE}:
        yield (
            f"d{state} is the derivative of the loss along every path that starts at {state} of step t. "
            f"d{output}_out is what the loss of this step sends to {output} directly, d{state}_next comes "
            f"back from step t+1, and d{prev(state)} goes to step t-1."
        )
        for one in what.cell.parameters[:1]:
            yield f"d{one} is the share of step t in the gradient grad_{one}."
    if Rule.PARTIAL in rules and what.vector:
        yield (
            "The derivative of a vector with respect to a vector is a matrix, where 1 is the identity; that "
            "of W @ v with respect to W is written as v."
        )
    if conventions := kinks(what.cell):
        yield f"Where a derivative does not exist: {'; '.join(conventions)}."
