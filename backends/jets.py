"""Every gradient again, by forward mode: jets of the forward equations, in ball arithmetic.

A jet is a value and its slopes along K directions at once. Its only rules are those of + - * / exp log sqrt and of
choosing between pieces; every other function is taken apart by the *value* column of `functions.py`. Nothing here
reads a derivative column, an adjoint or anything of `derive.py`: what agrees with this is right, or wrong twice in
unlike ways.

The quantity differentiated is Phi, the sum of every cotangent times its output over all steps, and of every final
cotangent times its state: its gradients are what the backward pass returns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import arb

from backends.balls import BallArithmetic, Balls, balls, diagonal, spread, stacked, transposed
from backends.points import Arguments, Point, arguments
from derivations.cell import Cell
from derivations.expression import Call, evaluate
from derivations.functions import FUNCTIONS, WRITABLE
from derivations.program import run_forward

_OF = BallArithmetic()


@dataclass(frozen=True, slots=True)
class Jet:
    """A value (B or 1, rows, columns) and its slopes (K or 1, B or 1, rows, columns)."""

    value: Balls
    slope: Balls


def _constant(value: Balls) -> Jet:
    return Jet(value, np.full((1, *value.shape), arb(0), dtype=object))


class JetArithmetic:
    """The `Arithmetic` of `expression.evaluate` on jets.

    Args:
        of: the arithmetic of their values and slopes.
    """

    def __init__(self, of: BallArithmetic = _OF) -> None:
        self.of = of

    def number(self, value: Fraction) -> Jet:
        return _constant(self.of.number(value))

    def add(self, terms: list[Jet]) -> Jet:
        return Jet(self.of.add([term.value for term in terms]), self.of.add([term.slope for term in terms]))

    def negative(self, a: Jet) -> Jet:
        return Jet(-a.value, -a.slope)

    def multiply(self, factors: list[Jet]) -> Jet:
        result = factors[0]
        for b in factors[1:]:
            result = Jet(result.value * b.value, result.slope * b.value + result.value * b.slope)
        return result

    def divide(self, a: Jet, b: Jet) -> Jet:
        ratio = a.value / b.value
        return Jet(ratio, (a.slope - ratio * b.slope) / b.value)

    def power(self, a: Jet, exponent: int) -> Jet:
        return self.multiply([a] * exponent) if exponent else self.number(Fraction(1))

    def call(self, function: str, args: list[Jet]) -> Jet:
        values = [arg.value for arg in args]
        row = FUNCTIONS[function]
        match function:
            case _ if function not in WRITABLE:  # a jump: piecewise constant
                return _constant(self.of.call(function, values))
            case "exp":
                value = self.of.call("exp", values)
                return Jet(value, value * args[0].slope)
            case "log":
                return Jet(self.of.call("log", values), args[0].slope / values[0])
            case "sqrt":
                value = self.of.call("sqrt", values)
                return Jet(value, args[0].slope / (2 * value))
            case "relu":
                weights = [self.of.call("_step", values)]
            case "abs":
                weights = [self.of.call("_sign", values)]
            case "max":
                weights = [self.of.call("_above", values), self.of.call("_above", values[::-1])]
            case "min":
                weights = [self.of.call("_above", values[::-1]), self.of.call("_above", values)]
            case "clip":
                weights = [self.of.call("_inside", values)]  # its bounds are held constant
            case "hard_sigmoid":
                inner = dict(zip((x.id for x in row.args), args, strict=True))
                return evaluate(Call("clip", row.pieces), inner, self)
            case _ if row.value is not None:
                inner = dict(zip((x.id for x in row.args), args, strict=True))
                return evaluate(row.value, inner, self)
            case _:
                raise NotImplementedError(f"{function} has no jet; give its row a value column")
        chosen = [weight * arg.slope for weight, arg in zip(weights, args, strict=False)]
        return Jet(self.of.call(function, values), self.of.add(chosen))

    def matmul(self, a: Jet, b: Jet) -> Jet:
        return Jet(a.value @ b.value, a.slope @ b.value + a.value @ b.slope)

    def transpose(self, a: Jet) -> Jet:
        return Jet(transposed(a.value), transposed(a.slope))

    def diagonal(self, a: Jet) -> Jet:
        return Jet(diagonal(a.value, arb(0)), diagonal(a.slope, arb(0)))

    def stack(self, parts: list[Jet]) -> Jet:
        return Jet(stacked([part.value for part in parts]), stacked([part.slope for part in parts]))

    def rows(self, a: Jet, start: int, stop: int) -> Jet:
        return Jet(a.value[..., start:stop, :], a.slope[..., start:stop, :])

    def sum(self, a: Jet) -> Jet:
        return Jet(self.of.sum(a.value), self.of.sum(a.slope))

    def logsumexp(self, a: Jet) -> Jet:
        return self.call("log", [self.sum(self.call("exp", [a]))])

    def shape(self, a: Jet) -> tuple[int, int]:
        return a.value.shape[-2:]

    def detach(self, a: Jet) -> Jet:
        return _constant(self.of.detach(a.value))

    def spread(self, a: Jet, like: Jet) -> Jet:
        return Jet(spread(a.value, like.value), spread(a.slope, like.value))

    def over_batch(self, a: Jet) -> Jet:
        return Jet(self.of.over_batch(a.value), self.of.over_batch(spread(a.slope, a.value)))


def gradients_by_jets(point: Point) -> tuple[dict[str, Balls], list[dict[str, Balls]]]:
    """Every gradient of Phi, and every named value at every step, at the precision in force; see `jets_of_run`."""
    return jets_of_run(point.cell, arguments(point, balls), point.batch)


def jets_of_run(
    cell: Cell, given: Arguments[Balls], batch: int, of: BallArithmetic = _OF
) -> tuple[dict[str, Balls], list[dict[str, Balls]]]:
    """Every gradient of Phi, and every named value at every step, where the entries are of any kind.

    Returns:
        gradients: by parameter (1, rows, columns), initial state `h_0` and input `x_1` (B, rows, columns).
        values: one dictionary a step, t = 1 first, of every name that the cell defines.
    """
    seeded, places = _seeds(cell, given)
    trace = run_forward(cell, seeded.parameters, seeded.inputs, seeded.initial, JetArithmetic(of))
    phi: list[Balls] = []  # slopes of the terms of Phi, each (K or 1, B or 1)
    for t, values in enumerate(trace):
        phi += [_paired(series[t], values[name]) for name, series in given.cotangents.items()]
    phi += [_paired(weight, trace[-1][state]) for state, weight in given.final.items()]
    count = max(place.stop for place in places.values())
    slope = of.add(phi) + np.full((count, batch), arb(0), dtype=object)

    gradients: dict[str, Balls] = {}
    for name in cell.parameters:
        rows, columns = given.parameters[name].shape[-2:]
        gradients[name] = slope[places[name]].sum(1).reshape(1, rows, columns)
    for state in cell.states:
        gradients[f"{state}_0"] = slope[places[f"{state}_0"]].T.reshape(given.initial[state].shape)
    for name in cell.inputs:
        for t, step in enumerate(given.inputs[name], 1):
            gradients[f"{name}_{t}"] = slope[places[f"{name}_{t}"]].T.reshape(step.shape)
    return gradients, [{name: values[name].value for name in cell.defined} for values in trace]


def _paired(weight: Balls, output: Jet) -> Balls:
    """The slopes of sum(weight * output), one sum for every sequence."""
    return (weight * output.slope).sum((-1, -2))


def _seeds(cell: Cell, given: Arguments[Balls]) -> tuple[Arguments[Jet], Mapping[str, slice]]:
    """Every leaf as a jet, and which directions are its own.

    One direction per entry of a leaf. Sequences do not meet, so one direction serves an entry of a state or an input
    in all of them at once, and Phi is kept apart by sequence.
    """
    leaves = dict(given.parameters)
    leaves |= {f"{state}_0": value for state, value in given.initial.items()}
    leaves |= {f"{name}_{t}": x for name in cell.inputs for t, x in enumerate(given.inputs[name], 1)}
    places: dict[str, slice] = {}
    count = 0
    for name, value in leaves.items():
        places[name] = slice(count, count + value[0].size)
        count += value[0].size

    def seeded(name: str) -> Jet:
        value, place = leaves[name], places[name]
        slope = np.full((count, value[0].size), arb(0), dtype=object)
        slope[range(place.start, place.stop), range(value[0].size)] = arb(1)
        return Jet(value, slope.reshape(count, 1, *value.shape[1:]))

    inputs = {
        name: [seeded(f"{name}_{t}") if name in cell.inputs else _constant(value) for t, value in enumerate(series, 1)]
        for name, series in given.inputs.items()
    }
    parameters = {name: seeded(name) for name in given.parameters}
    initial = {state: seeded(f"{state}_0") for state in given.initial}
    return Arguments(parameters, inputs, initial, {}, {}), places
