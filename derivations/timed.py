"""Names at a step of time: which quantity `h_prev` at step 3 is, and how it is written.

A quantity of a run is a name and a step. `h_prev` at step 3 is `h` at step 2, not a quantity of its own;
parameters are shared by all steps and have none. Written as one leaf, f at step 2 is `Name("f_2")`, the
initial state is `Name("h_0")`, and a parameter stays as it is. Adjoints follow: `Adjoint("f_2")`; what
comes back to h_2 from step 3 is `Adjoint("h_2", "next")`, which is what the derivation calls the adjoint of
h_prev at step 3; the share of step 2 in the gradient of a parameter is `Adjoint("W_xf_2")`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from derivations.cell import Cell
from derivations.expression import Adjoint, Expr, Name, Ones, Part, Size, rewrite
from derivations.names import one_edit_apart


class UnknownName(ValueError):
    """A name that the cell does not have, or not at that step, and what may have been meant."""


@dataclass(frozen=True)
class Node:
    """A name at a step; `step` is None for parameters, and for all names where there is one step only."""

    name: str
    step: int | None = None

    @property
    def id(self) -> str:
        return self.name if self.step is None else f"{self.name}_{self.step}"


def node_at(cell: Cell, name: str, step: int) -> Node:
    """The quantity that `name` is at `step`."""
    if name in cell.parameters:
        return Node(name)
    if name in cell.previous:
        return Node(cell.states[cell.previous.index(name)], step - 1)
    return Node(name, step)


def at_step(expr: Expr, cell: Cell, step: int) -> Expr:
    """An expression of one step, written in the quantities of step number `step`.

    Raises:
        ValueError: a parameter is called what a name at a step is written as.
    """

    def timed(name: str) -> str:
        node = node_at(cell, name, step)
        if node.step is not None and node.id in cell.parameters:
            raise ValueError(f"the parameter {node.id} would read as {node.name} at step {node.step}; rename it first")
        return node.id

    def rule(node: Expr) -> Expr | None:
        match node:
            case Name(id):
                return Name(timed(id))
            case Adjoint(of, part) if of in cell.previous:
                return Adjoint(timed(of), "next")
            case Adjoint(of, part):
                return Adjoint(f"{of}_{step}", part)
            case Size(of):
                return Size(timed(of))
            case Ones(of):
                return Ones(timed(of))
            case Part(arg, of, index):
                return Part(rewrite(arg, rule), tuple(map(timed, of)), index)
        return None

    return rewrite(expr, rule)


def find(cell: Cell, text: str, last: int, step: int | None = None, otherwise: int | None = None) -> Node:
    """The quantity of a run of `last` steps that a reader means: `W_xf`, `h_0`, `x_2`, or `f` with a step
    beside it.

    Args:
        step: of a name that has a value at every step.
        otherwise: the step that is meant where neither the text nor `step` says one.

    Raises:
        UnknownName: there is no such name, or not at that step, or no step is said.
    """
    if text in cell.parameters:
        return Node(text)
    each = (*cell.inputs, *cell.targets, *cell.defined, *cell.previous)
    base, _, tail = text.rpartition("_")
    if text not in each and base in each and tail.isascii() and tail.isdigit() and len(tail) <= 6:
        if step not in (None, int(tail)):
            raise UnknownName(f"{text} is {base} at step {int(tail)}, not at step {step}")
        text, step = base, int(tail)
    if text not in each:
        initial = (f"{state}_0" for state in cell.states)
        raise unknown(cell, text, (*cell.defined, *cell.inputs, *cell.targets, *cell.parameters, *initial))
    step = otherwise if step is None else step
    if step is None:
        example = node_at(cell, text, 1).id
        raise UnknownName(f"{text} has a value at every step; say at which, as in {example}")
    first = 0 if text in cell.states else 1
    if not first <= step <= last:
        raise UnknownName(f"{text} has values at the steps {first} to {last}, not at step {step}")
    return node_at(cell, text, step)


def find_within(cell: Cell, text: str) -> Node:
    """The name of one step that a reader means.

    Raises:
        UnknownName: the cell has no such name.
    """
    known = (*cell.defined, *cell.leaves)
    if text in known:
        return Node(text)
    base, _, tail = text.rpartition("_")
    if base in known and tail.isascii() and tail.isdigit():
        alone = f"{base}_prev" if base in cell.states and int(tail) == 0 else base
        raise UnknownName(f"within one step it is called {alone}; {text} is asked for through time")
    raise unknown(cell, text, known)


def unknown(cell: Cell, text: str, known: Iterable[str]) -> UnknownName:
    """The error for a name that is not there, with the nearest that is."""
    folded = {name.lower(): name for name in known}
    near = [name for name in (text.lower(),) if name in folded]
    near += [name for name in folded if one_edit_apart(name, text.lower())]
    near += get_close_matches(text.lower(), folded, n=1)
    shown = text if len(text) <= 40 else text[:40] + "..."
    hint = f"did you mean {folded[near[0]]}?" if near else f"it has {', '.join(list(folded.values())[:40])}"
    return UnknownName(f"{cell.name} has no name {shown!r}; {hint}")
