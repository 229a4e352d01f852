"""Runs to look at: a cell's values at every step, for numbers that nobody has to choose.

Both kinds are what `paths`, `jacobian` and `flow` take: every named value at every step, t = 1 first.
"""

from collections.abc import Mapping
from math import sqrt
from random import Random

from derivations.cell import Cell
from derivations.derive import uses
from derivations.expression import ONE, Name
from derivations.floats import FLOATS, FloatMatrices
from derivations.matrices import Matrix
from derivations.paths import LONGEST_RUN, checked_length
from derivations.program import run_forward
from derivations.timed import unknown


def alternating_run(
    cell: Cell, given: Mapping[str, float] | None = None, steps: int = 40, *, size: float = 0.5
) -> list[dict[str, float]]:
    """The scalar run of the simplest numbers: every weight is `size`, every bias 0, inputs alternate in sign.

    States begin at 0; an input is `size` at odd steps and -`size` at even ones. The gradient of an RNN then
    dies, by a factor of 2 at every step. With `{"b_f": 6, "b_i": -3}` an LSTM remembers, its forget gate open
    and its input gate nearly shut, and its gradient lives. (With `b_f` alone its cell state fills up to 4
    within 40 steps, where tanh is flat.)

    Args:
        given: what differs, by name: parameters, inputs and targets (at every step), or initial states
        (`h_0`).

    Raises:
        UnknownName: `given` has a name that is none of these.
        ValueError: not 1 to 200 steps, or vectors are stacked, which has no scalar view.
    """
    checked_length(steps, LONGEST_RUN)
    given = dict(given or {})
    known = (*cell.parameters, *cell.inputs, *cell.targets, *(f"{state}_0" for state in cell.states))
    for name in given:
        if name not in known:
            raise unknown(cell, name, known)
    if cell.stacked:
        raise ValueError(f"{cell.name} stacks vectors, which has no scalar view; `drawn_run` draws vectors for it")
    return run_forward(
        cell,
        plain_parameters(cell, given, size=size),
        {
            name: [given.get(name, size if t % 2 else -size) for t in range(1, steps + 1)]
            for name in (*cell.inputs, *cell.targets)
        },
        {state: given.get(f"{state}_0", 0.0) for state in cell.states},
        FLOATS,
    )


def plain_parameters(cell: Cell, given: Mapping[str, float], *, size: float = 0.5) -> dict[str, float]:
    """Every weight `size`, every bias 0, and what is `given` by name."""
    return {name: given.get(name, 0.0 if _is_bias(cell, name) else size) for name in cell.parameters}


def _is_bias(cell: Cell, name: str) -> bool:
    """Whether a parameter is only ever added to something, and may be 0."""
    return name not in cell.positive and all(
        use.atom == Name(name) and use.slope == ONE for use in uses(cell) if use.name == name
    )


def drawn_run(cell: Cell, size: int = 4, steps: int = 40, seed: int = 1) -> list[dict[str, Matrix[float]]]:
    """A seeded run in vectors of `size` entries: weights from N(0, 1/size), all else from N(0, 1).

    What is declared positive is the exponential of such a draw. Matrices are lists of rows.

    Raises:
        ValueError: not 1 to 200 steps, or not 1 to 32 entries.
    """
    checked_length(steps, LONGEST_RUN)
    if not 1 <= size <= 32:
        raise ValueError(f"vectors of {size} entries; from 1 to 32 can be drawn here")
    random, arithmetic = Random(seed), FloatMatrices()

    def drawn(name: str) -> Matrix[float]:
        shape = [size * len(extent.split("+")) for extent in cell.shapes[name]]
        rows, columns = (*shape, 1, 1)[:2]
        scale = 1 / sqrt(columns) if len(shape) == 2 else 1.0
        draws = [[scale * random.gauss(0, 1) for _ in range(columns)] for _ in range(rows)]
        return arithmetic.call("exp", [draws]) if name in cell.positive else draws

    return run_forward(
        cell,
        {name: drawn(name) for name in cell.parameters},
        {name: [drawn(name) for _ in range(steps)] for name in (*cell.inputs, *cell.targets)},
        {state: drawn(state) for state in cell.states},
        arithmetic,
    )
