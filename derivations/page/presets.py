"""Numbers that teach something without a click: each preset is inputs that all cells of a page share, and each cell's
own parameters and initial states."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from derivations.catalogue import walkthrough_names
from derivations.cell import Cell
from derivations.runs import plain_parameters
from derivations.walkthrough import Walkthrough, read_walkthrough

STEPS = 40


@dataclass(frozen=True)
class Numbers:
    """What one cell is given: numbers by name."""

    parameters: Mapping[str, float]
    initial: Mapping[str, float]


@dataclass(frozen=True)
class Preset:
    """Numbers for every cell of a page, by the cell's key there.

    Attributes:
        says: what there is to see.
        inputs: by position among a cell's inputs and targets: one number a step.
        select: the quantity, the step and the target that are looked at first, where a cell has them.
    """

    name: str
    title: str
    says: str
    inputs: Mapping[str, Mapping[str, Sequence[float]]]
    numbers: Mapping[str, Numbers]
    select: Mapping[str, str | int] = field(default_factory=dict)


def presets(cells: Mapping[str, Cell], walkthrough: Walkthrough | None = None) -> tuple[Preset, ...]:
    """The presets of a page: the walkthrough's numbers first, then runs of forty steps."""
    alternating = [0.5 if t % 2 == 0 else -0.5 for t in range(STEPS)]
    return (
        _from_walkthroughs(cells, walkthrough),
        _run(
            cells,
            "vanishing",
            "Vanishing",
            "Every weight is 0.5. Step by step back, the gradient of the simple network halves; forty steps leave 10⁻¹²"
            " of it. A gate that is half open does no better.",
            alternating,
            {},
        ),
        _run(
            cells,
            "exploding",
            "Exploding",
            "At rest, h = 0, where tanh is steepest: with a recurrent weight of 1.5 each step back multiplies the"
            " simple network's gradient by 1.5. Gates below 1 keep it from growing.",
            [0.0] * STEPS,
            {"W_hh": 1.5, "W_hg": 1.5, "W_hn": 1.5},
        ),
        _run(
            cells,
            "memory",
            "A memory kept",
            "The forget gate is open (b_f = 6) and the input gate nearly shut (b_i = -3): the product of forty forget"
            " gates is near 1, and so the gradient of the cell state arrives at step 1.",
            alternating,
            {"b_f": 6.0, "b_i": -3.0, "b_z": 6.0},
            {"q": "c", "t": 1, "target": "c"},
        ),
    )


def _run(
    cells: Mapping[str, Cell],
    name: str,
    title: str,
    says: str,
    inputs: Sequence[float],
    given: Mapping[str, float],
    select: Mapping[str, str | int] | None = None,
) -> Preset:
    return Preset(
        name,
        title,
        says,
        {key: {x: list(inputs) for x in (*cell.inputs, *cell.targets)} for key, cell in cells.items()},
        {key: _plain(cell, given) for key, cell in cells.items()},
        select or {"t": 1},
    )


def _plain(cell: Cell, given: Mapping[str, float]) -> Numbers:
    """The plain parameters, with what is `given` by name, and states at rest."""
    return Numbers(plain_parameters(cell, given), dict.fromkeys(cell.states, 0.0))


def _from_walkthroughs(cells: Mapping[str, Cell], chosen: Walkthrough | None) -> Preset:
    """The walkthrough's own numbers, and those of shipped walkthroughs for other cells that read as many inputs."""
    first = chosen or read_walkthrough("notebook")
    shipped = [read_walkthrough(name) for name in walkthrough_names()]
    series = {name: list(map(float, values)) for name, values in first.inputs.items()}
    x = next(series[name] for name in first.cell.inputs)
    inputs, numbers = {}, {}
    for key, cell in cells.items():
        inputs[key] = {name: series.get(name, x) for name in (*cell.inputs, *cell.targets)}
        numbers[key] = _plain(cell, {})
        for walkthrough in (*shipped, first):
            own = _in_names_of(cell, walkthrough)
            if own is not None and walkthrough.steps == first.steps:
                numbers[key] = own
    return Preset(
        first.name,
        first.title,
        f"{first.steps} steps, small enough to follow by hand. Step through time, and choose a quantity to see where"
        " its gradient comes from.",
        inputs,
        numbers,
        {"t": first.steps},
    )


def _in_names_of(cell: Cell, walkthrough: Walkthrough) -> Numbers | None:
    """The numbers of a walkthrough for its own cell, or for the cell that it puts numbers to, in that one's names."""
    if cell == walkthrough.cell:
        parameters = {name: float(value) for name, value in walkthrough.parameters.items()}
    elif cell == walkthrough.base:
        parameters = {
            name: float(walkthrough.parameters[walkthrough.names.get(name, name)]) for name in cell.parameters
        }
    else:
        return None
    initial = {
        name: float(walkthrough.initial[walkthrough.names.get(name, name) if cell == walkthrough.base else name])
        for name in cell.states
    }
    return Numbers(parameters, initial)
