"""How gradient flows through the steps of a run: where it vanishes, where it explodes, and what carries it.

For a run of T steps with its numbers, the adjoint equations are run back from a unit cotangent on a state
at the last step. What they give at step k is the total derivative d(state at T)/d(name at k), and what they
carry from step to step is the product of Jacobians J_T ... J_(k+1). Only magnitudes are kept, as
logarithms, computed in decimals wide enough that an exact zero is never mistaken for a small number, nor a
small number for zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from derivations.derive import Derivation
from derivations.floats import WIDE, WideMatrices, magnitude
from derivations.jacobian import Value, as_matrix, state_program, units
from derivations.matrices import Matrix
from derivations.paths import LONGEST_RUN, checked_length
from derivations.program import run_backward
from derivations.timed import UnknownName, unknown

JACOBIAN = ("", "")


@dataclass(frozen=True, slots=True)
class Row:
    """The magnitude of d(of at T)/d(wrt at k) for k = 0..T; of several entries the Frobenius norm.

    Attributes:
        of, wrt: names; both empty for the product of the state-to-state Jacobians, J_T ... J_(k+1).
        log10: by step k; None where the name has no value (at k = 0 only states have one), minus infinity
            for an exact zero.
        sign: by step k; 1 or -1 for a single number, 1 for a norm, 0 for an exact zero; None as in log10.
    """

    of: str
    wrt: str
    log10: tuple[float | None, ...]
    sign: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """How the gradient of the states at the last step flows back through a run.

    Attributes:
        cell: the name of the cell, `title` in words.
        of: the state whose derivative by every named value is among the rows.
        steps: T.
        rows: states by states, the Jacobian product, then `of` by inputs and by values in the cell's order.
    """

    cell: str
    title: str
    of: str
    steps: int
    rows: tuple[Row, ...]

    def row(self, of: str, wrt: str) -> Row:
        """The row d(of at T)/d(wrt at k); KeyError where there is none."""
        for row in self.rows:
            if (row.of, row.wrt) == (of, wrt):
                return row
        raise KeyError(f"d{of}/d{wrt}")

    @property
    def jacobian(self) -> Row:
        return self.row(*JACOBIAN)


def flow(derivation: Derivation, values: Sequence[Mapping[str, Value]], of: str = "") -> Flow:
    """How gradient flows back through a run.

    Args:
        values: every named value at every step, as `run_forward` gives them: numbers, or matrices by rows.
        of: a state; the first one where it is not said.

    Raises:
        UnknownName: `of` is not a state.
        ValueError: not 1 to 200 steps.
    """
    cell = derivation.cell
    of = of or cell.states[0]
    if of in cell.defined and of not in cell.states:
        raise UnknownName(f"{of} is not a state of {cell.name}; its states are {', '.join(cell.states)}")
    if of not in cell.states:
        raise unknown(cell, of, cell.states)
    checked_length(len(values), LONGEST_RUN)
    program, arithmetic = state_program(derivation), WideMatrices()
    reached = {id_ for id_, _ in program.adjoints}
    names = [*cell.inputs, *(n for n in cell.defined if f"d{n}" in reached and n not in cell.states)]
    states = [(state, wrt) for state in cell.states for wrt in cell.states]
    pairs = [*states, JACOBIAN, *((of, name) for name in names)]
    found: dict[tuple[str, str, int], list[Decimal]] = {}  # entries by pair and step
    with localcontext(WIDE):
        trace = [{name: _wide(value) for name, value in step.items()} for step in values]
        for state, final in units(cell, trace[0], arithmetic):
            initial, adjoints = run_backward(program, trace, {}, final, arithmetic)
            for wrt in cell.states:
                found.setdefault((state, wrt, 0), []).extend(_flat(initial[f"{wrt}_0"]))
                found.setdefault((*JACOBIAN, 0), []).extend(_flat(initial[f"{wrt}_0"]))
            for k, step in enumerate(adjoints, 1):
                for wrt in cell.states:
                    found.setdefault((state, wrt, k), []).extend(_flat(step[f"d{wrt}"]))
                    found.setdefault((*JACOBIAN, k), []).extend(_flat(step[f"d{wrt}_next"]))
                for name in names if state == of else ():
                    found.setdefault((of, name, k), []).extend(_flat(step[f"d{name}"]))
        rows = tuple(_row(*pair, [found.get((*pair, k), []) for k in range(len(trace) + 1)]) for pair in pairs)
    return Flow(cell.name, cell.title, of, len(trace), rows)


def _wide(value: Value) -> Matrix[Decimal]:
    return [[Decimal(x) for x in row] for row in as_matrix(value)]


def _flat(matrix: Matrix[Decimal]) -> list[Decimal]:
    return [x for row in matrix for x in row]


def _row(of: str, wrt: str, by_step: Sequence[Sequence[Decimal]]) -> Row:
    log10: list[float | None] = []
    sign: list[int | None] = []
    for entries in by_step:
        norm = sum((x * x for x in entries), Decimal(0)).sqrt()
        log10.append(magnitude(norm) if entries else None)
        sign.append((-1 if len(entries) == 1 and entries[0] < 0 else int(norm != 0)) if entries else None)
    return Row(of, wrt, tuple(log10), tuple(sign))
