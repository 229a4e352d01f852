"""A derivation as a program over time, run in any arithmetic.

The forward equations run from t = 1 to T and keep every named value; the adjoint equations run back from T to
1. What joins the steps is data (`Backward`), so that a mistake in it can be written down as easily as the
right thing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

from derivations.cell import Cell, prev
from derivations.derive import Derivation
from derivations.expression import Adjoint, Arithmetic, Expr, Shift, TimeSum, evaluate

V = TypeVar("V")
Values = dict[str, V]
_ZERO = Fraction(0)


@dataclass(frozen=True)
class Backward:
    """The backward pass of one cell as equations.

    Attributes:
        adjoints: per step, (id of the adjoint, its right-hand side), each speaking only of earlier ones.
        carry: state -> what is carried from step t+1 as `d{state}_next`, in the adjoints of step t+1.
        gradients: parameter -> what is summed over the steps.
        initial: state -> the gradient of the initial state, in the adjoints of step 1.
        summed: parameter -> the steps that its sum takes, as a slice of 0..T-1; all of them where it is not
            named.
        final: the states whose final cotangent enters at T.
        horizon: the carry is cut every so many steps (truncated backpropagation); None is never.
    """

    cell: Cell
    adjoints: tuple[tuple[str, Expr], ...]
    carry: Mapping[str, Expr]
    gradients: Mapping[str, Expr]
    initial: Mapping[str, Expr]
    summed: Mapping[str, slice] = field(default_factory=dict)
    final: frozenset[str] = frozenset()
    horizon: int | None = None


def backward_program(derivation: Derivation) -> Backward:
    """The program that the steps of a derivation are."""
    cell = derivation.cell
    carry: dict[str, Expr] = {}
    gradients: dict[str, Expr] = {}
    for step in derivation.recurrences:
        match step.rhs:
            case Shift(arg, 1):
                carry[step.wrt] = arg
            case TimeSum(arg):
                gradients[step.wrt] = arg
    return Backward(
        cell=cell,
        adjoints=tuple((f"d{step.wrt}", step.rhs) for step in derivation.adjoints),
        carry=carry,
        gradients=gradients,
        initial={state: Adjoint(prev(state)) for state in cell.states},
        final=frozenset(cell.states),
    )


def run_forward(
    cell: Cell,
    parameters: Mapping[str, V],
    inputs: Mapping[str, Sequence[V]],
    initial: Mapping[str, V],
    arithmetic: Arithmetic[V],
) -> list[Values[V]]:
    """Every named value at every step.

    Args:
        parameters: by name.
        inputs: by name (targets included), one value a step.
        initial: by state.

    Returns:
        One dictionary a step, t = 1 first; each holds the parameters, this step's inputs, the previous states
        under their `_prev` names and every defined name.
    """
    trace: list[Values[V]] = []
    states = dict(initial)
    for t in range(len(next(iter(inputs.values())))):
        values: Values[V] = dict(parameters)
        values |= {name: series[t] for name, series in inputs.items()}
        values |= {prev(state): states[state] for state in cell.states}
        for equation in cell.equations:
            values[equation.target] = evaluate(equation.rhs, values, arithmetic)
        states = {state: values[state] for state in cell.states}
        trace.append(values)
    return trace


def run_backward(
    program: Backward,
    trace: Sequence[Values[V]],
    cotangents: Mapping[str, Sequence[V]],
    final: Mapping[str, V],
    arithmetic: Arithmetic[V],
) -> tuple[dict[str, V], list[Values[V]]]:
    """Every gradient, and every adjoint at every step.

    Args:
        trace: what `run_forward` gave.
        cotangents: for outputs, readouts and the loss, what the loss sends to each at every step; zero where
            absent.
        final: for states, the cotangent of the final state; zero where absent.

    Returns:
        gradients: by parameter, summed over steps and batch; by initial state as `h_0`; by input and step as
            `x_1`.
        adjoints: one dictionary a step, t = 1 first, by id (`da_f`).
    """
    cell = program.cell
    steps = len(trace)
    nothing = arithmetic.number(_ZERO)
    zero = {name: arithmetic.spread(nothing, trace[0][name]) for name in (*cell.defined, *cell.previous)}
    carried = {
        state: final[state] if state in final and state in program.final else zero[state] for state in cell.states
    }
    every: list[Values[V]] = [{}] * steps
    for t in reversed(range(steps)):
        values = dict(trace[t])
        for name in cell.seeded:
            values[f"d{name}_out"] = cotangents[name][t] if name in cotangents else zero[name]
        for state in cell.states:
            values[f"d{state}_next"] = carried[state]
        for id_, rhs in program.adjoints:
            values[id_] = arithmetic.spread(evaluate(rhs, values, arithmetic), trace[t][id_[1:]])
        cut = program.horizon is not None and (steps - t) % program.horizon == 0
        carried = {
            state: zero[state] if cut else evaluate(program.carry[state], values, arithmetic) for state in cell.states
        }
        every[t] = values
    gradients: dict[str, V] = {}
    for name, rhs in program.gradients.items():
        chosen = every[program.summed.get(name, slice(None))]
        terms = [arithmetic.over_batch(evaluate(rhs, values, arithmetic)) for values in chosen]
        gradients[name] = arithmetic.add(terms) if terms else arithmetic.spread(nothing, trace[0][name])
    for state in cell.states:
        gradients[f"{state}_0"] = evaluate(program.initial[state], every[0], arithmetic)
    for name in cell.inputs:
        for t in range(steps):
            gradients[f"{name}_{t + 1}"] = every[t][f"d{name}"]
    return gradients, [
        {id_: values[id_] for id_ in values if id_ not in before} for values, before in zip(every, trace, strict=True)
    ]
