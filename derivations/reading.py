"""What happened in a walkthrough, read off its numbers in a few sentences."""

import math
from collections.abc import Iterator, Mapping

from derivations.expression import Add, Call, Expr, Name, evaluate, names
from derivations.floats import FLOATS
from derivations.walkthrough import Replay

SHUT, OPEN = 0.01, 0.99
GATES = ("sigmoid", "hard_sigmoid")


def reading(replay: Replay) -> tuple[str, ...]:
    """Sentences on gates that stay shut or open, memory that is kept or lost, and what training would do."""
    return (*_gates(replay), *_memory(replay), *_flat(replay), *_loss(replay))


def number(value: float) -> str:
    """Three significant digits, for prose."""
    return f"{value:.3g}"


def _gates(replay: Replay) -> Iterator[str]:
    cell = replay.walkthrough.cell
    for equation in cell.equations:
        if equation.block or not isinstance(equation.rhs, Call) or equation.rhs.function not in GATES:
            continue
        values = [step[equation.target] for step in replay.values]
        label = f"the {equation.label}" if equation.label else equation.target
        cause, name = _cause(equation.rhs.args[0], replay), f"{equation.target}_t"
        said = f"{label[0].upper()}{label[1:]}"
        if max(values) < SHUT:
            yield f"{said} is shut at every step ({name} <= {number(max(values))}){cause}."
        elif min(values) > OPEN:
            yield f"{said} is open at every step ({name} >= {number(min(values))}){cause}."


def _cause(preactivation: Expr, replay: Replay) -> str:
    """The term that is most of the preactivation at every step, if one is."""
    if not isinstance(preactivation, Name):
        return ""
    cell = replay.walkthrough.cell
    rhs = next((e.rhs for e in cell.equations if e.target == preactivation.id), None)
    if not isinstance(rhs, Add):
        return ""
    for term in rhs.terms:
        parameters = [name for name in names(term) if name in cell.parameters]
        others = [name for name in names(term) if name not in cell.parameters]
        if len(parameters) != 1 or not others:
            continue
        if all(_size(term, step) > 0.8 * sum(_size(t, step) for t in rhs.terms) for step in replay.values):
            value = replay.values[0][parameters[0]]
            return f" by {parameters[0]} = {value:g} on {' and '.join(others)}"
    return ""


def _size(expr: Expr, step: Mapping[str, float]) -> float:
    value: float = evaluate(expr, step, FLOATS)
    return abs(value)


def _memory(replay: Replay) -> Iterator[str]:
    cell, last = replay.walkthrough.cell, len(replay.values)
    output = cell.outputs[0]
    for state in cell.states:
        if output not in replay.gradients:
            continue
        gradient = replay.gradients[output][f"{state}_0"]
        if abs(gradient) < 1e-6 and math.isfinite(gradient):
            kept = "No long-term memory" if abs(gradient) < 1e-10 else "Hardly any long-term memory"
            yield f"{kept}: of {state}_0 next to nothing reaches {output}_{last}, " + (
                f"d{output}_{last}/d{state}_0 = {number(gradient)}."
            )


def _flat(replay: Replay) -> Iterator[str]:
    """Values of tanh so near to 1 that their slope is lost in float64."""
    cell = replay.walkthrough.cell
    for equation in cell.equations:
        if isinstance(equation.rhs, Call) and equation.rhs.function == "tanh":
            values = [abs(step[equation.target]) for step in replay.values]
            if min(values) == 1.0:
                yield (
                    f"{equation.target} is -1 or 1 to the last digit at every step: the slope of tanh rounds to zero,"
                    " and every gradient through it is lost."
                )


def _loss(replay: Replay) -> Iterator[str]:
    if replay.descended and replay.loss is not None:
        before, after = replay.descended
        rate = replay.walkthrough.rate
        assert rate is not None
        change = "falls" if after < before else "rises" if after > before else "stays"
        yield (
            f"One step of gradient descent with rate {float(rate):g}:"
            f" the loss {change} from {before:.6g} to {after:.6g}."
        )
