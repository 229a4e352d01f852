"""What a cell is: its equations, in the order in which they stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from derivations.expression import Call, Expr, Stack, walk
from derivations.functions import FUNCTIONS
from derivations.visible import visible

Shape = tuple[str, ...]  # () a scalar, ("n",) a vector, ("n", "m") a matrix


class CellError(ValueError):
    """What is wrong with a cell, where, and how to mend it.

    Attributes:
        line, column: the place in the text, counted from 1; 0 where there is none.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0, source: str = "") -> None:
        message = visible(message)  # it may quote what a user wrote
        place = f"line {line}, column {column}: " if column else f"line {line}: " if line else ""
        super().__init__((f"{visible(source)}: " if source else "") + place + message)
        self.message, self.line, self.column, self.source = message, line, column, source

    def at(self, source: str) -> "CellError":
        """The same error with the name of the text it is in."""
        return CellError(self.message, self.line, self.column, source)


@dataclass(frozen=True)
class Equation:
    """`target = rhs`, with the field's name for the quantity and the place where it was written."""

    target: str
    rhs: Expr
    label: str = ""
    block: str = ""  # "", "readout" or "loss"
    line: int = 0
    auto: bool = False  # named by us: a preactivation, or the argument of a linear map


@dataclass(frozen=True)
class Fact:
    """A statement about the derivation that is proved: `dh/dm = 0`, `db_h = r * db_n`."""

    left: Expr
    right: Expr
    label: str = ""
    line: int = 0


@dataclass(frozen=True)
class Cell:
    """A recurrent cell: one step from the inputs and the previous states to the new states.

    Attributes:
        written: the equations as the user wrote them.
        equations: the same with every preactivation and every argument of a linear map named; each right-hand
            side is an elementwise expression of names, linear maps of names and reductions of names.
        parameters: the names that nothing defines, in order of appearance; `targets` are not among them.
        outputs: the quantities to which a loss may send a cotangent at every step: by default the first
            state.
        shapes: of every name, previous states included.
    """

    name: str
    title: str
    comment: str
    inputs: tuple[str, ...]
    states: tuple[str, ...]
    outputs: tuple[str, ...]
    targets: tuple[str, ...]
    parameters: tuple[str, ...]
    positive: frozenset[str]
    written: tuple[Equation, ...]
    equations: tuple[Equation, ...]
    shapes: Mapping[str, Shape]
    facts: tuple[Fact, ...] = ()
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)

    def equation(self, target: str) -> Equation:
        """The equation that defines `target`; KeyError where nothing does."""
        return self._by_target[target]

    @cached_property
    def _by_target(self) -> dict[str, Equation]:
        return {equation.target: equation for equation in self.equations}

    @property
    def previous(self) -> tuple[str, ...]:
        return tuple(prev(state) for state in self.states)

    @cached_property
    def defined(self) -> tuple[str, ...]:
        return tuple(equation.target for equation in self.equations)

    @cached_property
    def readouts(self) -> tuple[str, ...]:
        return tuple(e.target for e in self.equations if e.block == "readout" and not e.auto)

    @cached_property
    def loss(self) -> str | None:
        """The last equation of the loss block."""
        found = [e.target for e in self.equations if e.block == "loss"]
        return found[-1] if found else None

    @cached_property
    def seeded(self) -> tuple[str, ...]:
        """Where a loss may send a cotangent at every step: outputs, readouts, and the loss itself."""
        return tuple(dict.fromkeys((*self.outputs, *self.readouts, *([self.loss] if self.loss else ()))))

    @cached_property
    def stacked(self) -> bool:
        """Whether vectors are stacked, so that there is no scalar view."""
        return any(isinstance(node, Stack) for e in self.equations for node in walk(e.rhs))

    @property
    def leaves(self) -> tuple[str, ...]:
        """What a step is given: inputs, previous states, parameters and targets."""
        return self.inputs + self.previous + self.parameters + self.targets


def prev(state: str) -> str:
    return f"{state}_prev"


@dataclass(frozen=True)
class Draft:
    """What a text says before it is known to make sense: declarations and equations with their places."""

    name: str
    title: str = ""
    comment: str = ""
    declared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    equations: tuple[Equation, ...] = ()
    facts: tuple[Fact, ...] = ()
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def error(self, message: str, name: str) -> CellError:
        return CellError(message, *self.places.get(name, (0, 0)))


def kinks(cell: Cell) -> tuple[str, ...]:
    """The conventions at kinks that this cell's derivatives rely on, each once."""
    used = (node.function for e in cell.equations for node in walk(e.rhs) if isinstance(node, Call))
    return tuple(dict.fromkeys(FUNCTIONS[name].kink for name in used if FUNCTIONS[name].kink))
