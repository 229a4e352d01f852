"""What the page holds of one cell: its formulas as MathML, its graph in points, and what the script needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from derivations.boxes import Box, Glyph, joined
from derivations.cell import Cell, kinks, prev
from derivations.derive import Derivation, Rule, Step
from derivations.drawing import LYING, STANDING
from derivations.emit import javascript
from derivations.equality import Status
from derivations.expression import Adjoint, Derivative, Detach, Expr, Name, product, scalar_view, total, walk
from derivations.layout import Layout, layout
from derivations.mathml import mathml
from derivations.notation import Notation, for_names
from derivations.plain import code
from derivations.prove import prove_all
from derivations.typeset import to_latex, typeset, typeset_term

EQUALS = Glyph("=", "sign")


@dataclass(frozen=True)
class Line:
    """One line of a derivation on the page: the rule that it is by, and its formula.

    `key` finds it from the script: "eq f", "partial c,f", "chain f", "adjoint f", "time h".
    """

    rule: str
    key: str
    math: str
    proof: str = ""


@dataclass(frozen=True)
class Quantity:
    """One name of a cell: its label, its symbol, and the lines in which it is defined and differentiated."""

    name: str
    label: str
    symbol: str
    kind: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Node:
    """A quantity in the graph, lying and standing: the centre of its box in points."""

    name: str
    kind: str
    symbol: str
    label: str
    parameters: tuple[str, ...]
    lying: tuple[float, float]
    standing: tuple[float, float]


@dataclass(frozen=True)
class Edge:
    """A wire of the graph, as paths of an SVG, and where its number stands."""

    of: str
    wrt: str
    rail: bool
    lying: str
    standing: str
    lying_at: tuple[float, float]
    standing_at: tuple[float, float]


@dataclass(frozen=True)
class Content:
    """One cell of a page; `key` is what it is called there, `script` its emitted source."""

    key: str
    title: str
    comment: str
    quantities: tuple[Quantity, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    lying: tuple[float, float]
    standing: tuple[float, float]
    kinks: tuple[str, ...]
    detached: tuple[str, ...]
    proved: tuple[int, int]
    data: Mapping[str, Any]
    functions: Mapping[str, str]
    script: str


def content(derivation: Derivation, key: str) -> Content:
    """Everything that a page holds of one cell.

    Raises:
        ValueError: the cell stacks vectors, so that it has no scalar view to compute.
    """
    cell = derivation.cell
    notation = for_names(cell.parameters, cell.shapes, tagged=True)
    proofs = {id(step): proof.status for step, proof in zip(derivation.steps, prove_all(derivation), strict=True)}
    drawn = layout(cell)
    labels = {e.target: e.label for e in cell.equations}
    emitted = javascript(derivation, "cell")
    return Content(
        key=key,
        title=cell.title or cell.name,
        comment=cell.comment,
        quantities=tuple(
            Quantity(
                name,
                _label(cell, name, labels),
                _symbol(name, notation),
                _kind(cell, name),
                tuple(_lines(derivation, name, notation, proofs)),
            )
            for name in (*cell.defined, *cell.previous, *cell.inputs, *cell.parameters)
        ),
        nodes=tuple(
            Node(
                place.name,
                place.kind,
                _symbol(place.name, notation),
                _label(cell, place.name, labels),
                place.parameters,
                LYING.centre(place.column, place.lane),
                STANDING.centre(place.column, place.lane),
            )
            for place in drawn.places
        ),
        edges=_edges(drawn),
        lying=LYING.size(drawn),
        standing=STANDING.size(drawn),
        kinks=kinks(cell),
        detached=_detached(cell),
        proved=(sum(status is Status.PROVED for status in proofs.values()), len(proofs)),
        data=_data(derivation, labels),
        functions=emitted.functions,
        script=emitted.text,
    )


def _edges(drawn: Layout) -> tuple[Edge, ...]:
    return tuple(
        Edge(
            wire.of,
            wire.wrt,
            wire.rail,
            LYING.curve(wire),
            STANDING.curve(wire),
            lying,
            standing,
        )
        for wire, lying, standing in zip(drawn.wires, LYING.marks(drawn), STANDING.marks(drawn), strict=True)
    )


def _detached(cell: Cell) -> tuple[str, ...]:
    """What is held constant, and in which equation, as text."""
    return tuple(
        f"{code(scalar_view(node))} in {equation.target}"
        for equation in cell.equations
        for node in walk(equation.rhs)
        if isinstance(node, Detach)
    )


# --- formulas -----------------------------------------------------------------------------------------------------


def _lines(derivation: Derivation, name: str, n: Notation, proofs: Mapping[int, Status]) -> list[Line]:
    """The derivation of one quantity, line by line, each by a named rule."""
    found: list[Line] = []

    def add(rule: str, key: str, box: Box, *steps: Step) -> None:
        statuses = {proofs[id(step)].value for step in steps}
        found.append(Line(rule, key, mathml(box, block=True), " and ".join(sorted(statuses))))

    for step in derivation.definitions:
        if step.of == name:
            add("definition", f"eq {name}", _equation(step.lhs, step.rhs, n), step)
    consumers: dict[str, list[Step]] = {}
    for step in derivation.partials:
        if step.wrt == name:
            consumers.setdefault(step.of, []).append(step)
    for of, steps in consumers.items():
        slope = total(*(scalar_view(step.rhs) for step in steps))
        add("local partial", f"partial {of},{name}", _equation(Derivative(of, name), slope, n), *steps)
    adjoint = derivation.adjoint_of[name]
    chain = [term.expr for term in adjoint.terms if term.via not in consumers]
    chain += [product(Adjoint(of), Derivative(of, name)) for of in consumers]
    if consumers:
        add("chain rule", f"chain {name}", _equation(adjoint.lhs, total(*chain), n))
    terms = [(term.via, scalar_view(term.expr)) for term in adjoint.terms]
    add("collect", f"adjoint {name}", joined(typeset(adjoint.lhs, n), EQUALS, _terms(terms, n)), adjoint)
    for step in derivation.recurrences:
        if step.wrt == name:
            add("recurrence", f"time {name}", _equation(step.lhs, scalar_view(step.rhs), n), step)
    return found


def _equation(left: Expr, right: Expr, n: Notation) -> Box:
    return joined(typeset(left, n), EQUALS, typeset(scalar_view(right), n))


def _terms(terms: list[tuple[str, Expr]], n: Notation) -> Box:
    """A sum whose terms remember through which consumer they come."""
    if not terms:
        return Glyph("0", "number")
    return joined(*(typeset_term(expr, n, first=k == 0, tag=f"term {via}") for k, (via, expr) in enumerate(terms)))


def _symbol(name: str, n: Notation) -> str:
    return mathml(typeset(Name(name), n))


def _label(cell: Cell, name: str, labels: Mapping[str, str]) -> str:
    """What a quantity is, in words."""
    if name in labels:
        label = labels[name]
        if not label and cell.equation(name).auto:
            reader = next((e.label or e.target for e in cell.equations if Name(name) in _arguments(e.rhs)), "")
            return f"{reader}: preactivation" if reader else "preactivation"
        return label or name
    if name in cell.previous:
        state = name.removesuffix("_prev")
        return f"{labels.get(state) or state}, step before"
    return "input" if name in cell.inputs else "target" if name in cell.targets else "parameter"


def _arguments(expr: Expr) -> tuple[Expr, ...]:
    return getattr(expr, "args", ())


def _kind(cell: Cell, name: str) -> str:
    if name in cell.parameters:
        return "parameter"
    return "given" if name in cell.inputs or name in cell.previous else "defined"


# --- for the script -----------------------------------------------------------------------------------------------


def _data(derivation: Derivation, labels: Mapping[str, str]) -> dict[str, Any]:
    """What the script needs to know of a cell, apart from what it computes."""
    cell = derivation.cell
    n = for_names(cell.parameters, cell.shapes)
    owner = ""
    group_of: dict[str, str] = {}
    for equation in reversed(cell.equations):
        if not equation.auto:
            owner = labels[equation.target] or equation.target
        for step in derivation.partials:
            if step.of == equation.target and step.wrt in cell.parameters:
                group_of[step.wrt] = owner
    return {
        "name": cell.name,
        "inputs": cell.inputs,
        "targets": cell.targets,
        "states": cell.states,
        "defined": cell.defined,
        "auto": [e.target for e in cell.equations if e.auto],
        "gates": {e.target: _gate(e.rhs) for e in cell.equations if _gate(e.rhs)},
        "seeded": cell.seeded,
        "loss": cell.loss,
        "readouts": cell.readouts,
        "parameters": [
            {"name": name, "group": group_of.get(name, ""), "positive": name in cell.positive}
            for name in cell.parameters
        ],
        "consumers": _consumers(derivation),
        "via": {step.wrt: [term.via for term in step.terms] for step in derivation.adjoints},
        "carry": {state: prev(state) for state in cell.states},
        "code": {
            **{e.target: f"{e.target} = {code(scalar_view(e.rhs))}" for e in cell.equations},
            **{f"d{s.wrt}": f"d{s.wrt} = {code(scalar_view(s.rhs))}" for s in derivation.adjoints},
        },
        "latex": {
            **{e.target: f"{to_latex(Name(e.target), n)} = {to_latex(scalar_view(e.rhs), n)}" for e in cell.equations},
            **{f"d{s.wrt}": f"{to_latex(s.lhs, n)} = {to_latex(scalar_view(s.rhs), n)}" for s in derivation.adjoints},
        },
    }


def _gate(rhs: Expr) -> str:
    return getattr(rhs, "function", "")


def _consumers(derivation: Derivation) -> dict[str, list[str]]:
    """Who reads each name, in the order of the derivation."""
    found: dict[str, list[str]] = {}
    for step in derivation.of_rule(Rule.PARTIAL):
        readers = found.setdefault(step.wrt, [])
        if step.of not in readers:
            readers.append(step.of)
    return found
