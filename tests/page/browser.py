"""A page in a real browser, and the numbers that it ought to show, in ball arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backends.balls import BallArithmetic, balls, precision
from derivations.cell import Cell
from derivations.derive import derive
from derivations.program import backward_program, run_backward, run_forward


@dataclass(frozen=True)
class Expected:
    """What is true of a run: values and adjoints by step, and the sizes of the terms that make up each adjoint."""

    values: Sequence[Mapping[str, float]]
    adjoints: Sequence[Mapping[str, float]]


def expected(cell: Cell, numbers: Mapping, inputs: Mapping, target: str, loss_steps: Sequence[int]) -> Expected:
    """A scalar run at 300 bits, each number rounded once."""

    def ball(x: float):
        return balls(np.array([[[float(x)]]]))

    def rounded(steps):
        return [
            {name: float(np.asarray(value, dtype=object).reshape(-1)[0].mid()) for name, value in s.items()}
            for s in steps
        ]

    steps = len(next(iter(inputs.values())))
    with precision(300):
        arithmetic = BallArithmetic()
        trace = run_forward(
            cell,
            {name: ball(x) for name, x in numbers["parameters"].items()},
            {name: [ball(x) for x in xs] for name, xs in inputs.items()},
            {name: ball(x) for name, x in numbers["initial"].items()},
            arithmetic,
        )
        enters = {name: [0.0] * steps for name in cell.seeded}
        if target == cell.loss:
            enters[target] = [float(t + 1 in loss_steps) for t in range(steps)]
        elif target not in cell.states:
            enters[target][-1] = 1.0
        cotangents = {name: [ball(x) for x in xs] for name, xs in enters.items()}
        final = {state: ball(float(state == target)) for state in cell.states}
        _, adjoints = run_backward(backward_program(derive(cell)), trace, cotangents, final, arithmetic)
        return Expected(rounded(trace), rounded(adjoints))
