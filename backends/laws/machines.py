"""What the laws are held on: exact numbers modulo a prime, and every backend's floating-point numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backends.arrays import ArrayArithmetic
from backends.backend import Backend
from backends.balls import balls
from backends.dtypes import WORSE, format_of
from backends.laws.law import Array, Arrays, Machine
from backends.laws.residue_arrays import ResidueArrays, residues
from backends.laws.tangents import Tangent, Tangents, lifted
from backends.points import Arguments, Point, arguments, own_shape, rounded
from backends.rounding import RoundedArithmetic
from backends.truth import truth
from derivations.cell import Cell
from derivations.derive import derive
from derivations.matrices import ShapeError
from derivations.program import Backward, backward_program, run_backward, run_forward

Programs = Callable[[Cell], Backward]


def derived(cell: Cell) -> Backward:
    """The program that the derivation of a cell is."""
    return backward_program(derive(cell))


PHI = ""  # the key of the objective, which is one number


def shaped(point: Point, key: str, array: Array) -> Array:
    return array.reshape(()) if key == PHI else own_shape(point, key, array)


# --- forward mode ---------------------------------------------------------------------------------------------------


def _lifted(given: Arguments[Any], moved: Arguments[Any]) -> Arguments[Any]:
    """A point that moves: cotangents stand still."""
    return Arguments(
        lifted(given.parameters, moved.parameters),
        lifted(given.inputs, moved.inputs),
        lifted(given.initial, moved.initial),
        lifted(given.cotangents, None),
        lifted(given.final, None),
    )


def _slope(trace: list[dict[str, Any]], at: Arguments[Any], over: Tangents[Any]) -> Any:
    """The slope of Phi: the sum over all sequences, (1, 1, 1)."""
    weighted = [(w, trace[t][name]) for name, series in at.cotangents.items() for t, w in enumerate(series)]
    weighted += [(w, trace[-1][state]) for state, w in at.final.items()]
    parts = [over.sum(over.multiply([w, value])) for w, value in weighted]
    return over.slope(over.over_batch(over.add(parts)))


def _turning(program: Backward, trace: list[dict[str, Any]], at: Arguments[Any], over: Tangents[Any]) -> dict[str, Any]:
    """How fast every gradient changes."""
    found: dict[str, Tangent[Any]] = run_backward(program, trace, at.cotangents, at.final, over)[0]
    return {key: over.slope(tangent) for key, tangent in found.items()}


# --- what was computed before ---------------------------------------------------------------------------------------


class Memory:
    """What was computed at a point: laws ask for the same point again, and so do other programs and backends."""

    def __init__(self) -> None:
        self.known: dict[Any, Any] = {}

    def once(self, what: str, groups: Sequence[Arrays], cell: Cell, compute: Callable[[], Any]) -> Any:
        """`compute()`, or what it gave for the same numbers; numbers modulo a prime are not looked up."""
        arrays = [(name, array) for group in groups for name, array in group.items()]
        if any(array.dtype == object for _, array in arrays):
            return compute()
        key = (what, cell.equations, *((name, array.shape, array.tobytes()) for name, array in arrays))
        if key not in self.known:
            self.known[key] = compute()
        return self.known[key]


def _all(point: Point) -> Sequence[Arrays]:
    return (*_start(point), point.cotangents, point.final)


def _start(point: Point) -> Sequence[Arrays]:
    """What a run forward starts from."""
    return (point.parameters, point.inputs, point.initial)


# --- exact numbers --------------------------------------------------------------------------------------------------


def exactly(programs: Programs = derived, seed: int = 1, memory: Memory | None = None) -> Machine:
    """Residues modulo a prime: a law that holds here holds for the derivation, whatever the numbers.

    Its gradients raise ShapeError where they do not have the shapes of what they are gradients of.

    Args:
        memory: of another such machine with this seed: what does not hang on the programs is taken from it.
    """
    over, seen = ResidueArrays(seed), memory or Memory()
    moving = Tangents(over)

    def trace(point: Point) -> list[dict[str, Array]]:
        def run() -> list[dict[str, Array]]:
            given = arguments(point, residues)
            return run_forward(point.cell, given.parameters, given.inputs, given.initial, over)

        found: list[dict[str, Array]] = seen.once("trace", _start(point), point.cell, run)
        return found

    def gradients(point: Point) -> Arrays:
        given = arguments(point, residues)
        found, _ = run_backward(programs(point.cell), trace(point), given.cotangents, given.final, over)
        own = {key: own_shape(point, key, array) for key, array in found.items()}
        for key, due in nowhere_off(point).items():
            if own[key].shape != due.shape:
                raise ShapeError(f"the gradient of {key} has the shape {own[key].shape} where {due.shape} is due")
        return own

    def states(point: Point, after: int) -> Arrays:
        last = trace(point)[after - 1]
        return {state: own_shape(point, state, last[state]) for state in point.cell.states}

    def trace_moved(point: Point, moved: Point) -> list[dict[str, Any]]:
        def run() -> list[dict[str, Any]]:
            at = _lifted(arguments(point, residues), arguments(moved, residues))
            return run_forward(point.cell, at.parameters, at.inputs, at.initial, moving)

        found: list[dict[str, Any]] = seen.once("moved", (*_start(point), *_start(moved)), point.cell, run)
        return found

    def slope(point: Point, moved: Point) -> tuple[Array, Array]:
        at = _lifted(arguments(point, residues), arguments(moved, residues))
        return _slope(trace_moved(point, moved), at, moving).reshape(()), np.zeros(())

    def turning(point: Point, moved: Point) -> tuple[Arrays, Arrays]:
        at = _lifted(arguments(point, residues), arguments(moved, residues))
        found = _turning(programs(point.cell), trace_moved(point, moved), at, moving)
        return {key: own_shape(point, key, array) for key, array in found.items()}, nowhere_off(point)

    return Machine("modulo 2^61 - 1", "", residues, gradients, states, nowhere_off, slope, turning)


def nowhere_off(point: Point) -> Arrays:
    """A bound of zero for every gradient."""
    found = {name: np.zeros(array.shape) for name, array in point.parameters.items()}
    found |= {f"{state}_0": np.zeros(array.shape) for state, array in point.initial.items()}
    for name in point.cell.inputs:
        found |= {f"{name}_{t}": np.zeros(array.shape) for t, array in enumerate(point.inputs[name], 1)}
    return found


# --- floating-point numbers -----------------------------------------------------------------------------------------


def in_floats(
    backend: Backend,
    dtype: str,
    memory: Memory,
    *,
    autograd: bool = False,
    programs: Programs = derived,
) -> Machine:
    """A backend's numbers in one format, by the derived equations or by the library's own differentiation.

    Args:
        memory: what right programs may be off by is the same for all machines of a backend and a format; it may be
            shared by more.
    """
    own = Memory()

    def right(cell: Cell) -> Backward:
        found: Backward = memory.once("program", (), cell, lambda: derived(cell))
        return found

    def gradients(point: Point) -> Arrays:
        def run() -> Arrays:
            if autograd and backend.autograd:
                return backend.autograd(point.cell, point, dtype)
            return backend.gradients(programs(point.cell), point, dtype)

        found: Arrays = own.once("gradients", _all(point), point.cell, run)
        return found

    def states(point: Point, after: int) -> Arrays:
        values = backend.forward(point.cell, point, dtype)
        return {state: values[state][after - 1] for state in point.cell.states}

    def bounds(point: Point) -> Arrays:
        def run() -> Arrays:
            known = truth(right(point.cell), point, dtype, backend.name)
            return {key: entry.bound for key, entry in known.gradients.items()}

        found: Arrays = memory.once(_rounding(dtype, backend), _all(point), point.cell, run)
        return found

    def both(
        what: str, point: Point, moved: Point, compute: Callable[[Any, Any], Any]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """What `compute` gives on the library's arrays, and on numbers that know their rounding errors."""
        assert backend.library
        with backend.library(dtype) as on:
            at = _lifted(arguments(point, on.array), arguments(moved, on.array))
            computed = compute(at, Tangents(ArrayArithmetic(on)))
            values = {key: shaped(point, key, on.checked(key, array)) for key, array in computed.items()}

        def run() -> dict[str, Array]:
            over = RoundedArithmetic(dtype, backend.name)
            given = over.ledger.given
            with np.errstate(all="ignore"):  # an overflow ends as an infinite bound, which says what it should
                at = _lifted(
                    arguments(rounded(point, dtype), given),
                    arguments(rounded(moved, dtype), given),
                )
                found = compute(at, Tangents(over))
            unit, smallest = format_of(dtype).unit, format_of(dtype).smallest
            off = {key: unit * number.bound[0] + smallest * number.bound[1] for key, number in found.items()}
            return {key: shaped(point, key, array) for key, array in off.items()}

        spoken = (*_all(point), *_start(moved))
        return values, memory.once(f"{what}, {_rounding(dtype, backend)}", spoken, point.cell, run)

    def slope(point: Point, moved: Point) -> tuple[Array, Array]:
        def compute(at: Arguments[Any], over: Tangents[Any]) -> dict[str, Any]:
            trace = run_forward(point.cell, at.parameters, at.inputs, at.initial, over)
            return {PHI: _slope(trace, at, over)}

        values, off = both("slope", point, moved, compute)
        return values[PHI], off[PHI]

    def turning(point: Point, moved: Point) -> tuple[Arrays, Arrays]:
        def compute(at: Arguments[Any], over: Tangents[Any]) -> dict[str, Any]:
            trace = run_forward(point.cell, at.parameters, at.inputs, at.initial, over)
            return _turning(programs(point.cell), trace, at, over)

        return both("turning", point, moved, compute)

    def mapped(point: Point) -> Arrays:
        return by_vmap(backend, programs(point.cell), point, dtype)

    return Machine(
        name=f"{backend.name}, {'autograd' if autograd else 'derived'}",
        dtype=dtype,
        exact=balls,
        gradients=gradients,
        states=states,
        bounds=bounds,
        slope=slope,
        turning=None if autograd else turning,
        mapped=mapped if backend.vmap and not autograd else None,
    )


def _rounding(dtype: str, backend: Backend) -> str:
    """What a bound hangs on besides the numbers: the format, and a backend whose functions are worse than most."""
    worse = any(name == backend.name and format_ == dtype for name, format_, _ in WORSE)
    return f"{dtype} on {backend.name}" if worse else dtype


def by_vmap(backend: Backend, program: Backward, point: Point, dtype: str) -> Arrays:
    """The gradients of a batch by the library's own vmap over a program for one sequence, which has no batch axis."""
    assert backend.library
    assert backend.vmap
    with backend.library(dtype) as on:
        over = ArrayArithmetic(on)
        given = arguments(point, on.array)
        shared = given.parameters

        def alone(inputs: Any, initial: Any, cotangents: Any, final: Any) -> Any:
            """One sequence: matrices (rows, columns), as a batch of one."""

            def batch_of_one(series: Any) -> Any:
                if isinstance(series, dict):
                    return {name: batch_of_one(each) for name, each in series.items()}
                return [batch_of_one(each) for each in series] if isinstance(series, list) else series[None]

            steps = run_forward(point.cell, shared, batch_of_one(inputs), batch_of_one(initial), over)
            return run_backward(program, steps, batch_of_one(cotangents), batch_of_one(final), over)[0]

        found = backend.vmap(alone)(given.inputs, given.initial, given.cotangents, given.final)
        summed = {key: array.sum(0) if key in point.cell.parameters else array[:, 0] for key, array in found.items()}
        return {key: own_shape(point, key, on.checked(key, array)) for key, array in summed.items()}
