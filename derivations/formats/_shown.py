"""What every format shows of a derivation: the lines that were asked for, in sections, with their labels."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from derivations.cell import Cell
from derivations.derive import Derivation, Rule, Step
from derivations.expression import Expr, Part, Stack, scalar_view, walk
from derivations.notation import ADJOINTS, VIEWS, Notation, for_names

RULES: Mapping[str, Rule] = {rule.name.lower(): rule for rule in Rule}
HEADINGS = {
    Rule.DEFINITION: "Forward equations",
    Rule.PARTIAL: "Local partials",
    Rule.ADJOINT: "Adjoints",
    Rule.RECURRENCE: "Recurrences over time",
}
PARAMETERS = "parameters"
PROVED = "proved"
ONLY_VECTORS = "This cell stacks vectors, so it has no scalar view; the vector view is shown."


@dataclass(frozen=True, slots=True)
class Options:
    """What a reader asks for.

    Attributes:
        only: the rules to show (definition, partial, adjoint, recurrence); all of them where none is named.
        view: scalar or vector.
        notation: how adjoints are written in mathematics: leibniz, bar or delta.
        proofs: by the number of the step: "proved", "agrees at 64 points, not proved" or "refuted".
        fragment: only the equations, to be pasted.
        style: of plain text: code or math.
        width: of plain text, in characters.
        ascii: plain text without any other character.

    Raises:
        ValueError: a choice that there is not, with those there are.
    """

    only: Collection[str] = ()
    view: str = "scalar"
    notation: str = "leibniz"
    proofs: Mapping[int, str] = field(default_factory=dict)
    fragment: bool = False
    style: str = "code"
    width: int = 100
    ascii: bool = False

    def __post_init__(self) -> None:
        chosen = [("rule", one, tuple(RULES)) for one in self.only]
        chosen += [("view", self.view, VIEWS), ("notation", self.notation, ADJOINTS)]
        for what, one, known in [*chosen, ("style", self.style, ("code", "math"))]:
            if one not in known:
                raise ValueError(f"there is no {what} {one!r}; choose {' or '.join(known)}")


@dataclass(frozen=True, slots=True)
class Line:
    """One equation of a derivation.

    Attributes:
        number: of the step in the derivation.
        label: the field's name for the quantity.
        group: what the line is shown under: the label of a gate for its preactivation too.
        row: what it is shown beside: the partials of one equation, the parameters of one.
    """

    number: int
    rule: Rule
    of: str
    wrt: str
    lhs: Expr
    rhs: Expr
    label: str
    group: str
    row: str
    proof: str | None

    @property
    def proved(self) -> bool | None:
        """True, False, or None where it is not known."""
        return {None: None, PROVED: True, "refuted": False}.get(self.proof)


@dataclass(frozen=True, slots=True)
class Section:
    rule: Rule
    lines: tuple[Line, ...]

    @property
    def heading(self) -> str:
        return HEADINGS[self.rule]


@dataclass(frozen=True, slots=True)
class Shown:
    """A derivation as one reader asked for it; `remark` says where it is not what was asked for."""

    cell: Cell
    notation: Notation
    sections: tuple[Section, ...]
    remark: str

    @property
    def title(self) -> str:
        return self.cell.title or self.cell.name

    @property
    def vector(self) -> bool:
        return self.notation.view == "vector"


def shown(derivation: Derivation, options: Options) -> Shown:
    """What is to be written of a derivation."""
    cell = derivation.cell
    stacked = has_stacks(cell)
    view = "vector" if stacked else options.view
    notation = for_names(cell.parameters, cell.shapes, adjoint=options.notation, view=view)
    rules = [RULES[name] for name in options.only] or list(Rule)
    lines = [
        _line(number, step, derivation, view == "scalar", options.proofs.get(number))
        for number, step in enumerate(derivation.steps)
        if step.rule in rules
    ]
    sections = tuple(
        Section(rule, tuple(line for line in lines if line.rule is rule)) for rule in Rule if rule in rules
    )
    return Shown(cell, notation, sections, ONLY_VECTORS if stacked and options.view == "scalar" else "")


def has_stacks(cell: Cell) -> bool:
    """Whether the cell has the vector view only."""
    return any(isinstance(node, Stack | Part) for e in cell.equations for node in walk(e.rhs))


def _line(number: int, step: Step, derivation: Derivation, scalar: bool, proof: str | None) -> Line:
    rhs = scalar_view(step.rhs) if scalar else step.rhs
    group, row = _group(step, derivation), step.of
    if group == PARAMETERS:
        row = next((term.via for term in derivation.adjoint_of[step.wrt].terms), "")
    return Line(number, step.rule, step.of, step.wrt, step.lhs, rhs, step.label, group, row, proof)


def _group(step: Step, derivation: Derivation) -> str:
    cell = derivation.cell
    name = step.of if step.rule in (Rule.DEFINITION, Rule.PARTIAL) else step.wrt
    if step.rule is not Rule.RECURRENCE and name in cell.defined:
        label = next(one.label for one in derivation.definitions if one.of == name).partition(": ")[0]
        return "" if label in cell.defined else label  # where there is no label, its owner's name stands for it
    if step.wrt in cell.parameters:
        return PARAMETERS
    if step.rule is Rule.RECURRENCE:
        return next((one.label for one in derivation.definitions if one.of == step.wrt), "")
    return "to the step before" if step.wrt in cell.previous else "input"


def runs(lines: Collection[Line]) -> Iterator[tuple[str, list[Line]]]:
    """Neighbouring lines of one group together."""
    for group, found in groupby(lines, key=lambda line: line.group):
        yield group, list(found)


def proof_summary(sections: Collection[Section]) -> str:
    """How many of the lines are proved; empty where nothing is known."""
    proofs = [line.proof for section in sections for line in section.lines if line.proof is not None]
    done = sum(proof == PROVED for proof in proofs)
    if not proofs:
        return ""
    if done == len(proofs):
        return f"All {done} steps are proved." if done > 1 else "The step is proved."
    return f"{done} of {len(proofs)} steps are proved."
