"""Hold a step function of torch or JAX against a cell, inside the pytest of the project that it belongs to.

    from backends.testing import assert_agrees

    def test_our_lstm():
        def step(x, h_prev, c_prev, **weights):
            return our_lstm(packed(weights), x, (h_prev, c_prev))  # h, c

        assert_agrees("lstm", step)

The step is run over time, and differentiated by its own library, at points that are hard enough; every value
and every gradient is held against the truth. No tolerance is picked: wrong is what rounding cannot explain
(`check.py`). The failure names the first quantity that is wrong, in the order in which one would look for it:
forward, step by step; then the gradients over a single step, from the last equation back to the first; then
those over all steps, from the last step back to the first.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backends.calling import Convention, convention, library_of, run
from backends.check import Check, Verdict, combine, errors, judge
from backends.points import Point, draw, over_steps, rounded, small_sizes
from backends.truth import Known, truth
from derivations.catalogue import read_cell
from derivations.cell import Cell, prev
from derivations.derive import derive
from derivations.expression import names as names_in
from derivations.program import Backward, backward_program

AT_MOST = 16  # points, before a quantity that never says anything is given up
LOUD = 64.0  # a power of two: nothing is rounded otherwise, and a gradient that is clipped shows


def assert_agrees(
    cell: Cell | str,
    step: Callable[..., Any],
    names: Mapping[str, str] | None = None,
    *,
    backend: str | None = None,
    dtype: str = "float64",
    points: int = 3,
    outputs: Sequence[str] = (),
    batched: bool = True,
    steps: int = 4,
    batch: int = 3,
    sizes: Mapping[str, int] | None = None,
) -> None:
    """Assert that a step function computes a cell, forward and in every gradient.

    The step is called with keyword arguments and returns the new states:

        def step(x, h_prev, c_prev, W_xf, W_hf, b_f, ...):
            return h, c

    It is given the inputs, the previous states (`h_prev`) and the parameters that matter to what it returns,
    as arrays of its own library: x (B, m), h_prev (B, n), W_xf (n, m), b_f (n,). It returns the new states in
    the order in which the cell declares them, and after them the quantities in `outputs`: one as it is, more
    as a tuple, or all in a dictionary by its own names.

    Args:
        cell: a cell, the name of one in the catalogue, or the path of a `.cell` file.
        names: what the step calls a quantity, by the cell's name for it, changed all at once; a state's
            `_prev` follows its state. What is called the same is left out.
        backend: "torch" or "jax". If None, the one that is imported; where both are, the first that the step
            runs on.
        dtype: "float64", or "float32" (in JAX, without x64).
        points: at how many seeded points of N(0, 1); at more, up to 16, while some quantity has said nothing yet. At
            every second one the cotangents are 64 times as large, where a gradient that is clipped shows. What is
            clamped beyond the numbers of N(0, 1) does not show.
        outputs: what the step returns besides the states. A loss sends a cotangent to every final state, and
            at every step to those outputs, readouts and losses of the cell that the step returns.
        batched: False for a step of one sequence: x (m,), h_prev (n,).
        steps, batch: T and B. A mistake that is made for a single sequence alone shows with batch=1.
        sizes: by letter of the cell's shapes (n, m, ...); small and all different where not given.

    A function that loses digits is wrong where they matter: (1 + tanh(a/2))/2 is no sigmoid where a gate is nearly
    closed, and neither is log(1 + exp(a)) a softplus.

    Raises:
        AssertionError: it does not; the message names the first quantity that is wrong, the step, the entry,
            what it gives, what is right, and E. Also where some quantity said nothing at 16 points.
        TypeError: the step cannot be called so, or returns something else.
        ValueError: `names` or `outputs` speaks of what the cell does not have.
        CellError: there is no such cell. Unavailable: there is no such library here.
    """
    held = read_cell(cell) if isinstance(cell, str) else cell
    call = convention(held, step, names or {}, outputs, batched)
    program = backward_program(derive(held))
    drawn_sizes = small_sizes(held, steps, batch) if sizes is None else dict(sizes)
    seen: dict[str, list[Check]] = {}
    for seed in range(1, AT_MOST + 1):
        if seed > points and not _silent(seen):
            break
        drawn = draw(held, seed, steps=steps, batch=batch, sizes=drawn_sizes)
        loud = 1.0 if seed % 2 else LOUD
        sent = {name: loud * series for name, series in drawn.cotangents.items() if name in call.returned}
        final = {state: loud * array for state, array in drawn.final.items()}
        point = rounded(replace(drawn, cotangents=sent, final=final), dtype)
        if backend is None:
            backend = library_of(call, point, dtype, drawn_sizes)
        for stage in _stages(call, program, point, dtype, backend, drawn_sizes):
            for quantity, check in _judged(call, stage, backend, point).items():
                seen.setdefault(quantity, []).append(check)
    if silent := _silent(seen):
        raise AssertionError(
            f"{call.name} cannot be held against {held.name}: at none of {AT_MOST} points is rounding small "
            f"enough beside {', '.join(silent)}"
        )


def _silent(seen: Mapping[str, list[Check]]) -> list[str]:
    """The quantities that have not passed yet."""
    return [quantity for quantity, checks in seen.items() if combine(checks).verdict is not Verdict.PASS]


# --- what is held against the truth, in order ---------------------------------------------------------------


@dataclass(frozen=True)
class _Stage:
    """Quantities of one kind, in order: what the step gave (None: no gradient at all), and what is true.

    Attributes:
        of: what the quantities are, as in "the gradient of W_xf over one step".
    """

    of: tuple[str, str]
    found: Mapping[str, tuple[Any, Known]]

    def named(self, quantity: str) -> str:
        return f"{self.of[0]}{quantity}{self.of[1]}"


def _stages(
    call: Convention, program: Backward, point: Point, dtype: str, backend: str, sizes: Mapping[str, int]
) -> Iterator[_Stage]:
    values, over_all = run(call, point, dtype, backend, sizes)
    known = truth(program, point, dtype, backend)
    defined = {name: known.value(name) for name in call.cell.defined if name in call.returned}
    forward = {
        f"{call.shown(name)} at step {t + 1}": (values[name][t], _at(true, t))
        for t in range(point.steps)
        for name, true in defined.items()
    }
    yield _Stage(("", ""), forward)

    first = over_steps(point, slice(1))
    _, over_one = run(call, first, dtype, backend, sizes)
    of_one = truth(program, first, dtype, backend)
    for steps, gradients, true in ((1, over_one, of_one), (point.steps, over_all, known)):
        over = " over one step" if steps == 1 else f" over {steps} steps"
        pairs = {_of(call, key): (gradients[key], true.gradients[key]) for key in _in_order(call, steps)}
        yield _Stage(("the gradient of ", over), pairs)


def _at(known: Known, t: int) -> Known:
    return replace(known, value=known.value[t], relative=known.relative[t], flushed=known.flushed[t])


def _in_order(call: Convention, steps: int) -> list[str]:
    """The keys of the gradients, as they come to be known on the way back.

    Over one step, what the last equations read comes first. Over more, inputs lead, the last step's first:
    where that of step 4 is right and that of step 3 wrong, what step 4 sends back to step 3 is lost.
    """
    cell = call.cell
    place = dict.fromkeys(cell.leaves, len(cell.equations))
    for k, equation in reversed(list(enumerate(cell.equations))):
        place |= dict.fromkeys((name for name in names_in(equation.rhs) if name in place), k)
    keys = {name: name for name in cell.parameters} | {prev(state): f"{state}_0" for state in cell.states}
    leaves = sorted((leaf for leaf in keys if leaf in call.given), key=lambda leaf: -place[leaf])
    inputs = [f"{name}_{t}" for t in range(steps, 0, -1) for name in cell.inputs if name in call.given]
    others = [keys[leaf] for leaf in leaves]
    return others + inputs if steps == 1 else inputs + others


def _of(call: Convention, key: str) -> str:
    """What to call the leaf with this key."""
    if key in call.cell.parameters:
        return call.shown(key)
    name, _, step = key.rpartition("_")
    return f"the initial {call.shown(name)}" if step == "0" else f"{call.shown(name)} at step {step}"


def _judged(call: Convention, stage: _Stage, backend: str, point: Point) -> dict[str, Check]:
    """The check of every quantity of a stage.

    Raises:
        AssertionError: one is wrong; the message is of the first.
    """
    checks = {}
    for quantity, (got, known) in stage.found.items():
        numbers = np.zeros(known.relative.shape) if got is None else got
        checks[quantity] = judge(stage.named(quantity), numbers, known, backend, point.name)
    wrong = [quantity for quantity, check in checks.items() if check.verdict is Verdict.FAIL]
    if not wrong:
        return {check.quantity: check for check in checks.values()}

    got, known = stage.found[wrong[0]]
    numbers = np.zeros(known.relative.shape) if got is None else got
    error = errors(numbers, known)
    entry = np.unravel_index(int(np.argmax(np.where(np.isnan(error), -1.0, error))), error.shape)
    where = f", entry [{', '.join(map(str, entry))}]" if entry else ""
    lines = [
        f"{call.name} is not {call.cell.name}: the first quantity that is wrong is {stage.named(wrong[0])}",
        f"  {point.name}{where}: it gives {numbers[entry]!s} where {known.nearest[entry]!s} is right;",
        f"  E = {error[entry]:.3g}, and rounding explains no E above 1",
    ]
    if not np.any(numbers):
        lines.append("  it is zero throughout: is something detached, or left out?")
    if others := wrong[1:]:
        lines.append(f"  wrong as well: {', '.join(others)}")
    if right := [quantity for quantity in checks if quantity not in wrong]:
        lines.append(f"  not wrong: {', '.join(right)}")
    raise AssertionError("\n".join(lines))
