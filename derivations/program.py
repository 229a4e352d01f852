"""A derivation as a program over time, run in any arithmetic.

The forward equations run from t = 1 to T and keep every named value; the adjoint equations run back from T to
1. What joins the steps is data (`Backward`), so that a mistake in it can be written down as easily as the
right thing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Generic, TypeVar

from derivations.cell import Cell, prev
from derivations.derive import Derivation
from derivations.expression import Adjoint, Arithmetic, Expr, Name, Shift, TimeSum, evaluate, walk

V = TypeVar("V")
Values = dict[str, V]
_ZERO, _ONE = Fraction(0), Fraction(1)
# Of a step (0 is t = 1; None for what is over time), an id and the value just computed: what later equations read.
Read = Callable[[int | None, str, V], V]


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
        late: forward name -> the steps, as a slice of 0..T-1, at which the adjoint equations read it one step late (at
            T, one step early).
        averaged: the parameters whose gradient is a mean over the batch instead of a sum.
        onward: the steps are taken from 1 to T instead of from T to 1.
    """

    cell: Cell
    adjoints: tuple[tuple[str, Expr], ...]
    carry: Mapping[str, Expr]
    gradients: Mapping[str, Expr]
    initial: Mapping[str, Expr]
    summed: Mapping[str, slice] = field(default_factory=dict)
    final: frozenset[str] = frozenset()
    horizon: int | None = None
    late: Mapping[str, slice] = field(default_factory=dict)
    averaged: frozenset[str] = frozenset()
    onward: bool = False

    @property
    def reach(self) -> int:
        """How many steps show whatever is wrong in how they are joined.

        Three are a first, a middle and a last one. What is cut or picked at a step that is named needs one step more.
        """
        picked = (*self.summed.values(), *self.late.values())
        ends = [abs(end) + 1 for when in picked for end in (when.start, when.stop) if end is not None]
        return max(3, *ends, (self.horizon or 0) + 1)


@dataclass(frozen=True)
class Run(Generic[V]):
    """A backward pass that was run.

    Attributes:
        values: one dictionary a step, t = 1 first, of all that the adjoint equations read and gave.
        gradients: as `run_backward` returns them.
    """

    program: Backward
    trace: Sequence[Values[V]]
    values: Sequence[Values[V]]
    gradients: dict[str, V]

    @property
    def adjoints(self) -> list[Values[V]]:
        """Every adjoint at every step, as `run_backward` returns them."""
        return [
            {id_: values[id_] for id_ in values if id_ not in before}
            for values, before in zip(self.values, self.trace, strict=True)
        ]

    @cached_property
    def equations(self) -> dict[str, tuple[Expr, tuple[str, ...]]]:
        """Every adjoint equation by its id, with the names that it reads."""
        return {id_: (rhs, _reads(rhs)) for id_, rhs in self.program.adjoints}


def _reads(rhs: Expr) -> tuple[str, ...]:
    return tuple(dict.fromkeys(node.id for node in walk(rhs) if isinstance(node, (Name, Adjoint))))


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
    read: Read[V] | None = None,
) -> list[Values[V]]:
    """Every named value at every step.

    Args:
        parameters: by name.
        inputs: by name (targets included), one value a step.
        initial: by state.
        read: puts another value in the place of one just computed; it sees the previous states, then every equation.

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
        if read is not None:
            values |= {name: read(t, name, values[name]) for name in cell.previous}
        for equation in cell.equations:
            value = evaluate(equation.rhs, values, arithmetic)
            values[equation.target] = value if read is None else read(t, equation.target, value)
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
    run = backward_run(program, trace, cotangents, final, arithmetic)
    return run.gradients, run.adjoints


def backward_run(
    program: Backward,
    trace: Sequence[Values[V]],
    cotangents: Mapping[str, Sequence[V]],
    final: Mapping[str, V],
    arithmetic: Arithmetic[V],
    known: Run[V] | None = None,
    read: Read[V] | None = None,
    gathered: Callable[[list[V]], V] | None = None,
) -> Run[V]:
    """What `run_backward` gives, with all that came up on the way.

    Args:
        known: another program's run on the same trace and cotangents, in the same arithmetic. An equation that both
            programs share, and that reads the same objects, is not evaluated again: a program with one changed
            equation costs what that change touches. What comes out is the same, and so are the objects themselves
            wherever nothing changed.
        read: puts another value in the place of one just computed; it sees what is carried, then every adjoint, and
            last the gradients by parameter and by initial state (`h_0`). It does not see what `known` shares.
        gathered: the sum over steps and batch of what each step adds to a parameter's gradient; over the batch first,
            where not given.
    """

    def batch_first(terms: list[V]) -> V:
        return arithmetic.add([arithmetic.over_batch(term) for term in terms])

    gather = gathered or batch_first
    cell = program.cell
    steps = len(trace)
    nothing = arithmetic.number(_ZERO)
    zero = {name: arithmetic.spread(nothing, trace[0][name]) for name in (*cell.defined, *cell.previous)}
    carried = {
        state: final[state] if state in final and state in program.final else zero[state] for state in cell.states
    }

    def as_known(names: Iterable[str], values: Values[V], t: int) -> bool:
        return known is not None and all(values[name] is known.values[t][name] for name in names)

    every: list[Values[V]] = [{}] * steps
    order = range(steps) if program.onward else range(steps - 1, -1, -1)
    for t in order:
        values = dict(trace[t])
        for name, when in program.late.items():
            if steps > 1 and t in range(steps)[when]:
                values[name] = trace[t + 1 if t + 1 < steps else t - 1][name]
        for name in cell.seeded:
            values[f"d{name}_out"] = cotangents[name][t] if name in cotangents else zero[name]
        for state in cell.states:
            after = f"d{state}_next"
            values[after] = carried[state] if read is None else read(t, after, carried[state])
        for id_, rhs in program.adjoints:
            if known is not None:
                same, reads = known.equations[id_]
                if rhs is same and as_known(reads, values, t):
                    values[id_] = known.values[t][id_]
                    continue
            value = arithmetic.spread(evaluate(rhs, values, arithmetic), trace[t][id_[1:]])
            values[id_] = value if read is None else read(t, id_, value)
        cut = program.horizon is not None and (steps - t) % program.horizon == 0
        carried = {
            state: zero[state] if cut else evaluate(program.carry[state], values, arithmetic) for state in cell.states
        }
        every[t] = values

    gradients: dict[str, V] = {}
    for name, rhs in program.gradients.items():
        if (
            known is not None
            and rhs is known.program.gradients[name]
            and name not in program.summed
            and name not in program.averaged
            and all(as_known(_reads(rhs), values, t) for t, values in enumerate(every))
        ):
            gradients[name] = known.gradients[name]
            continue
        chosen = every[program.summed.get(name, slice(None))]
        terms = [evaluate(rhs, values, arithmetic) for values in chosen]
        total = gather(terms) if terms else arithmetic.spread(nothing, trace[0][name])
        if name in program.averaged:
            total = arithmetic.divide(total, _batch(trace[0], cell, arithmetic))
        gradients[name] = total if read is None else read(None, name, total)
    for state in cell.states:
        value = evaluate(program.initial[state], every[order[-1]], arithmetic)
        gradients[f"{state}_0"] = value if read is None else read(None, f"{state}_0", value)
    for name in cell.inputs:
        for t in range(steps):
            gradients[f"{name}_{t + 1}"] = every[t][f"d{name}"]
    return Run(program, trace, every, gradients)


def _batch(values: Values[V], cell: Cell, arithmetic: Arithmetic[V]) -> V:
    """The number of sequences: a one for each, summed over the batch."""
    of_each = arithmetic.sum(arithmetic.multiply([arithmetic.number(_ZERO), values[(*cell.previous, *cell.inputs)[0]]]))
    return arithmetic.over_batch(arithmetic.add([arithmetic.number(_ONE), of_each]))
