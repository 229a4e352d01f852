"""The names and axes of a cell's numbers in a file: what is given, every value, every adjoint, every gradient.

    W_xf                  a parameter, of its own shape
    x, y_hat              inputs and targets, (T, B, m)
    h_0                   initial states, (B, n)
    dh_out                the cotangent of an output, readout or loss at every step, (T, B, n)
    dh_final              the cotangent of the final state, (B, n)
    h_prev, a_f, f, h     every named value at every step, (T, B, n)
    dh_next               what comes back to a state from the step after; at T, dh_final
    df, da_f, dh_prev, dx every adjoint at every step
    dW_xf                 the adjoint of a parameter at every step, summed over the batch, (T, n, m)
    grad_W_xf             the gradient of a parameter: that, summed over the steps, (n, m)
    grad_h_0              the gradient of an initial state, (B, n)

A scalar has no axes of its own: at every step it is (T, B).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from backends.points import Array, Point
from derivations.cell import Cell, CellError, prev

TIME, BATCH = "T", "B"


class Kind(Enum):
    GIVEN = "given"
    VALUE = "value"
    ADJOINT = "adjoint"
    GRADIENT = "gradient"


@dataclass(frozen=True)
class Entry:
    """One array.

    Attributes:
        id: what the program calls it (`W_xf` for `grad_W_xf`).
        axes: T, B, and the letters of the cell's shapes; "n+m" for a stacked vector.
        what: it is, in words.
    """

    key: str
    kind: Kind
    id: str
    axes: tuple[str, ...]
    what: str

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Its shape in numbers, where all sizes are known."""
        return tuple(sum(sizes[part] for part in axis.split("+")) for axis in self.axes)


def layout(cell: Cell) -> dict[str, Entry]:
    """Every array of a cell by its key: what is given first, then in the order in which it is computed.

    Raises:
        CellError: two of them would have one name.
    """
    found: dict[str, Entry] = {}
    for entry in _entries(cell):
        if entry.key in found:
            clash = f"{entry.key} would be both {found[entry.key].what} and {entry.what}"
            raise CellError(f"{clash} in a file of numbers; rename the former (--rename)")
        found[entry.key] = entry
    return found


def _entries(cell: Cell) -> Iterator[Entry]:
    def entry(kind: Kind, key: str, name: str, outer: str, what: str, id_: str | None = None) -> Entry:
        return Entry(key, kind, key if id_ is None else id_, (*outer, *cell.shapes[name]), what)

    for name in cell.parameters:
        yield entry(Kind.GIVEN, name, name, "", f"the parameter {name}")
    for name in (*cell.inputs, *cell.targets):
        yield entry(Kind.GIVEN, name, name, TIME + BATCH, f"the {'input' if name in cell.inputs else 'target'} {name}")
    for state in cell.states:
        yield entry(Kind.GIVEN, f"{state}_0", state, BATCH, f"the initial state {state}")
    for name in cell.seeded:
        yield entry(Kind.GIVEN, f"d{name}_out", name, TIME + BATCH, f"what the loss sends to {name} at every step")
    for state in cell.states:
        yield entry(Kind.GIVEN, f"d{state}_final", state, BATCH, f"the cotangent of the final state {state}")
    for state in cell.states:
        yield entry(Kind.VALUE, prev(state), state, TIME + BATCH, f"the state {state} before every step")
    for equation in cell.equations:
        what = equation.label or f"the value {equation.target}"
        yield entry(Kind.VALUE, equation.target, equation.target, TIME + BATCH, what)
    for state in cell.states:
        what = f"what comes back to {state} from the step after"
        yield entry(Kind.ADJOINT, f"d{state}_next", state, TIME + BATCH, what)
    for name in (*reversed(cell.defined), *cell.previous, *cell.inputs):
        yield entry(Kind.ADJOINT, f"d{name}", name, TIME + BATCH, f"the adjoint of {name}")
    for name in cell.parameters:
        yield entry(Kind.ADJOINT, f"d{name}", name, TIME, f"the adjoint of {name} at every step, summed over the batch")
    for name in cell.parameters:
        yield entry(Kind.GRADIENT, f"grad_{name}", name, "", f"the gradient of {name}", name)
    for state in cell.states:
        key = f"{state}_0"
        yield entry(Kind.GRADIENT, f"grad_{key}", state, BATCH, f"the gradient of the initial state {state}", key)


def by_id(entries: Mapping[str, Entry]) -> dict[tuple[bool, str], Entry]:
    """The entry of what a program computes, by whether it is over time and its id there."""
    return {
        (entry.kind is Kind.GRADIENT, entry.id): entry for entry in entries.values() if entry.kind is not Kind.GIVEN
    }


def given_arrays(point: Point) -> dict[str, Array]:
    """What a point gives, by key."""
    return {
        **point.parameters,
        **point.inputs,
        **{f"{state}_0": array for state, array in point.initial.items()},
        **{f"d{name}_out": array for name, array in point.cotangents.items()},
        **{f"d{state}_final": array for state, array in point.final.items()},
    }


def point_of(cell: Cell, name: str, arrays: Mapping[str, Array]) -> Point:
    """The point that these arrays give, by key."""
    return Point(
        cell=cell,
        name=name,
        parameters={key: arrays[key] for key in cell.parameters},
        inputs={key: arrays[key] for key in (*cell.inputs, *cell.targets)},
        initial={state: arrays[f"{state}_0"] for state in cell.states},
        cotangents={key: arrays[f"d{key}_out"] for key in cell.seeded},
        final={state: arrays[f"d{state}_final"] for state in cell.states},
    )
