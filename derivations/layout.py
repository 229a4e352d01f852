"""Where the quantities of one time step stand in a drawing: columns by dependency, gates as lanes, a rail on top.

A column is how far a quantity is from what the step is given; a lane is a row. The state that is passed on
elementwise (`c = f*c_prev + i*g`) runs along the top from its previous value to its new one: the rail. Wires that pass
other columns get a lane of their own there, so that they go around what they do not touch. Orders within columns come
from the means of neighbours (Sugiyama, Tagawa & Toda, IEEE Trans. SMC 11, 1981), and so do lanes, as far as the order
lets them. Parameters are no nodes; each stands at the quantities that read it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from math import inf
from statistics import fmean

from derivations.cell import Cell, prev
from derivations.derive import uses
from derivations.expression import Name

SWEEPS = 40


@dataclass(frozen=True, slots=True)
class Place:
    """One quantity: its column and lane (0 on top), what it is, and the parameters that its equation reads.

    `kind` is previous, input, target, linear (a preactivation or another name of ours), state, readout, loss or gate
    (anything else).
    """

    name: str
    column: float
    lane: float
    kind: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wire:
    """`of` reads `wrt`: through these (column, lane) points, from the one to the other."""

    of: str
    wrt: str
    points: tuple[tuple[float, float], ...]
    rail: bool = False


@dataclass(frozen=True)
class Layout:
    """The drawing of one step of a cell; `columns` and `lanes` say how large it is."""

    places: tuple[Place, ...]
    wires: tuple[Wire, ...]
    columns: float
    lanes: float

    @cached_property
    def place(self) -> Mapping[str, Place]:
        return {place.name: place for place in self.places}


Slot = str | tuple[str, str, int]  # a quantity, or where a wire (of, wrt) passes a column


def layout(cell: Cell) -> Layout:
    """The drawing of one step of a cell."""
    reads: dict[str, list[str]] = {name: [] for name in cell.defined}
    parameters: dict[str, list[str]] = {name: [] for name in cell.defined}
    for use in uses(cell):
        found = parameters if use.name in cell.parameters else reads
        if use.name not in found[use.target]:
            found[use.target].append(use.name)
    column = _columns(cell, reads)
    rail = _rail(cell)
    top: set[Slot] = set(rail)
    columns: list[list[Slot]] = [[] for _ in range(max(column.values()) + 1)]
    for name in _reading_order(cell, reads):
        columns[column[name]].append(name)
    links: list[tuple[Slot, Slot]] = []  # between neighbouring columns
    routes: dict[tuple[str, str], list[Slot]] = {}
    for of, sources in reads.items():
        for wrt in sources:
            passed: list[Slot] = [(of, wrt, k) for k in range(column[wrt] + 1, column[of])]
            for slot in passed:
                columns[slot[2] if isinstance(slot, tuple) else 0].append(slot)
                if rail == (of, wrt):
                    top.add(slot)
            routes[of, wrt] = [wrt, *passed, of]
            links += pairwise(routes[of, wrt])
    neighbours = _neighbours(columns, links)
    _ordered(columns, neighbours, top)
    lane = _lanes(columns, neighbours, top)
    at = {slot: (float(k), lane[slot]) for k, slots in enumerate(columns) for slot in slots}
    return Layout(
        places=tuple(
            Place(name, *at[name], _kind(cell, name), tuple(parameters.get(name, ())))
            for name in (*cell.previous, *cell.inputs, *cell.targets, *cell.defined)
            if name in at
        ),
        wires=tuple(
            Wire(of, wrt, tuple(at[slot] for slot in route), rail == (of, wrt)) for (of, wrt), route in routes.items()
        ),
        columns=float(len(columns) - 1),
        lanes=max(lane.values()),
    )


def _kind(cell: Cell, name: str) -> str:
    for kind, names in (
        ("previous", cell.previous),
        ("input", cell.inputs),
        ("target", cell.targets),
        ("state", cell.states),
        ("loss", (cell.loss,)),
        ("readout", cell.readouts),
    ):
        if name in names:
            return kind
    return "linear" if cell.equation(name).auto else "gate"


def _columns(cell: Cell, reads: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How far each quantity is from what is given; what is given late (a target) stands just before its reader."""
    found = dict.fromkeys((*cell.previous, *cell.inputs), 0)
    for name in cell.defined:
        found[name] = 1 + max((found.get(source, 0) for source in reads[name]), default=0)
    for target in cell.targets:
        readers = [found[name] for name in cell.defined if target in reads[name]]
        if readers:
            found[target] = min(readers) - 1
    return found


def _rail(cell: Cell) -> tuple[str, ...]:
    """The state that its own previous value enters elementwise, and that value; nothing where there is none.

    Of two, the one that is no output: the memory behind what is shown.
    """
    direct = [
        state
        for state in cell.states
        if any(use.target == state and use.name == prev(state) and isinstance(use.atom, Name) for use in uses(cell))
    ]
    hidden = [state for state in direct if state not in cell.outputs]
    return next(((state, prev(state)) for state in hidden or direct), ())


def _reading_order(cell: Cell, reads: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What is given, then what is defined, in the order of the equations."""
    read = {name for sources in reads.values() for name in sources}
    yield from (name for name in (*cell.previous, *cell.inputs, *cell.targets) if name in read)
    yield from cell.defined


def _neighbours(
    columns: Sequence[Sequence[Slot]], links: Sequence[tuple[Slot, Slot]]
) -> dict[Slot, tuple[list[Slot], list[Slot]]]:
    """What stands before and behind each slot, along its wires; what reads and is read by parameters alone has none."""
    found: dict[Slot, tuple[list[Slot], list[Slot]]] = {slot: ([], []) for slots in columns for slot in slots}
    for before, behind in links:
        found[before][1].append(behind)
        found[behind][0].append(before)
    return found


# --- the order within a column ----------------------------------------------------------------------------------


def _ordered(
    columns: list[list[Slot]], neighbours: Mapping[Slot, tuple[list[Slot], list[Slot]]], top: set[Slot]
) -> None:
    """Reorder every column so that few wires cross: the best of some sweeps forward and back."""
    best, fewest = [list(slots) for slots in columns], _crossings(columns, neighbours)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for k in range(len(columns)) if forward else reversed(range(len(columns))):
            beside = columns[k - 1 if forward else k + 1] if 0 <= (k - 1 if forward else k + 1) < len(columns) else []
            row = {slot: number for number, slot in enumerate(beside)}
            old = {slot: number for number, slot in enumerate(columns[k])}

            def key(
                slot: Slot, row: Mapping[Slot, int] = row, old: Mapping[Slot, int] = old
            ) -> tuple[bool, float, int]:
                near = [row[other] for other in (*neighbours[slot][0], *neighbours[slot][1]) if other in row]
                middle = fmean(near) if near else old[slot]
                return slot not in top, middle, old[slot]

            columns[k].sort(key=key)
        if (now := _crossings(columns, neighbours)) < fewest:
            best, fewest = [list(slots) for slots in columns], now
    columns[:] = best


def _crossings(columns: Sequence[Sequence[Slot]], neighbours: Mapping[Slot, tuple[list[Slot], list[Slot]]]) -> int:
    crossed = 0
    for left, right in pairwise(columns):
        row = {slot: number for number, slot in enumerate(right)}
        ends = [(a, row[other]) for a, slot in enumerate(left) for other in neighbours[slot][1] if other in row]
        crossed += sum(a < c and b > d for k, (a, b) in enumerate(ends) for c, d in ends[k + 1 :])
        crossed += sum(a > c and b < d for k, (a, b) in enumerate(ends) for c, d in ends[k + 1 :])
    return crossed


# --- lanes ------------------------------------------------------------------------------------------------------

NARROW = 0.55  # the height of a lane in which only a wire runs


def _lanes(
    columns: Sequence[Sequence[Slot]], neighbours: Mapping[Slot, tuple[list[Slot], list[Slot]]], top: set[Slot]
) -> dict[Slot, float]:
    """The lane of every slot: the rail at 0, all else below it, in each column's order.

    What follows on one another alone, as a_f and f, or the passages of one wire, keeps one lane. Each such run moves to
    the mean of what it is wired to, as far as those above and below let it.
    """
    run = _runs(columns, neighbours, top)
    above: dict[Slot, dict[Slot, float]] = {one: {} for one in run.values()}
    below: dict[Slot, dict[Slot, float]] = {one: {} for one in run.values()}
    for slots in columns:
        for upper, lower in pairwise(slots):
            apart = 1.0 if upper in top else (_height(upper) + _height(lower)) / 2
            above[run[lower]][run[upper]] = max(apart, above[run[lower]].get(run[upper], 0.0))
            below[run[upper]][run[lower]] = above[run[lower]][run[upper]]
    lane: dict[Slot, float] = {}
    for one in TopologicalSorter(above).static_order():
        lane[one] = max((lane[upper] + apart for upper, apart in above[one].items()), default=0.0)
    wired: dict[Slot, list[Slot]] = {one: [] for one in lane}
    for slot, (before, behind) in neighbours.items():
        wired[run[slot]] += [run[other] for other in (*before, *behind) if run[other] != run[slot]]
    highest = 1.0 if top else 0.0
    for sweep in range(SWEEPS):
        for one in lane if sweep % 2 else reversed(lane):
            if one in top or not wired[one]:
                continue
            least = max([highest, *(lane[upper] + apart for upper, apart in above[one].items())])
            most = min((lane[lower] - apart for lower, apart in below[one].items()), default=inf)
            lane[one] = max(least, min(most, fmean(lane[other] for other in wired[one])))
    return {slot: 0.0 if slot in top else lane[run[slot]] for slots in columns for slot in slots}


def _runs(
    columns: Sequence[Sequence[Slot]], neighbours: Mapping[Slot, tuple[list[Slot], list[Slot]]], top: set[Slot]
) -> dict[Slot, Slot]:
    """For every slot the first one of its run; a run that would stand above and below another is not made."""
    first = {slot: slot for slots in columns for slot in slots}
    for slots in columns:
        for slot in slots:
            behind = neighbours[slot][1]
            if slot in top or len(behind) != 1 or behind[0] in top or len(neighbours[behind[0]][0]) != 1:
                continue
            joined = {**first, behind[0]: first[slot]}
            if _has_an_order(columns, joined):
                first = joined
    return first


def _has_an_order(columns: Sequence[Sequence[Slot]], run: Mapping[Slot, Slot]) -> bool:
    above: dict[Slot, set[Slot]] = {one: set() for one in run.values()}
    for slots in columns:
        for upper, lower in pairwise(slots):
            above[run[lower]].add(run[upper])
    try:
        return bool(tuple(TopologicalSorter(above).static_order()))
    except CycleError:
        return False


def _height(slot: Slot) -> float:
    return 1.0 if isinstance(slot, str) else NARROW
