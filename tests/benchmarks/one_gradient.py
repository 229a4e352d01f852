"""The gradient of h_T of a scalar LSTM, once, in a process of its own: numbers on stdin, findings on stdout.

    python tests/benchmarks/one_gradient.py derivations|sympy|casadi < numbers.json

A process of its own, since SymPy remembers what it has differentiated, and we remember our grammar. All is
imported before the clock starts, and sizes are counted after it has stopped.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

Numbers = dict[str, float]
Found = dict[str, dict[str, Any]]

LSTM = Path(__file__).resolve().parents[2] / "derivations" / "cells" / "lstm.cell"


class Clock:
    """Seconds from one mark to the next, by what was done between them."""

    def __init__(self) -> None:
        self.phases: dict[str, float] = {}
        self.last = time.perf_counter()

    def mark(self, phase: str) -> None:
        now = time.perf_counter()
        self.phases[phase], self.last = now - self.last, now


def by_derivations(parameters: Numbers, states: Numbers, inputs: list[float]) -> Found:
    """The cell's text is read and derived, and its equations are run over T steps in plain floats."""
    from derivations.derive import derive
    from derivations.expression import operations
    from derivations.floats import FLOATS
    from derivations.language import read
    from derivations.program import backward_program, run_backward, run_forward

    text = LSTM.read_text(encoding="utf-8")

    clock = Clock()
    cell = read(text)
    clock.mark("read")
    derivation = derive(cell)
    clock.mark("differentiate")
    program = backward_program(derivation)
    trace = run_forward(cell, parameters, {"x": inputs}, {"h": states["h_0"], "c": states["c_0"]}, FLOATS)
    gradient, _ = run_backward(program, trace, {}, {"h": 1.0}, FLOATS)
    clock.mark("run")

    equations = sum(operations(step.rhs) for step in (*derivation.definitions, *derivation.adjoints))
    summed = (len(inputs) - 1) * len(cell.parameters)
    return {
        "phases": clock.phases,
        "gradient": {name: gradient[name] for name in (*parameters, *states)},
        "size": {"equations": equations, "done": len(inputs) * equations + summed},
    }


def by_sympy(parameters: Numbers, states: Numbers, inputs: list[float]) -> Found:
    """`sympy.diff` of the unrolled closed form by each name, one `lambdify`, one evaluation."""
    import sympy

    clock = Clock()
    wanted = {name: sympy.Symbol(name) for name in (*parameters, *states)}
    xs = sympy.symbols(f"x_1:{len(inputs) + 1}")
    h = unrolled(wanted, xs, sympy.exp, sympy.tanh)
    clock.mark("build")
    derivatives = [sympy.diff(h, name) for name in wanted.values()]
    clock.mark("differentiate")
    function = sympy.lambdify([*wanted.values(), *xs], derivatives, modules="math")
    clock.mark("compile")
    gradient = function(*parameters.values(), *states.values(), *inputs)
    clock.mark("run")

    shared, rest = sympy.cse(derivatives)
    size = {
        "tree": sum(int(expr.count_ops()) for expr in derivatives),
        "nodes": distinct(derivatives),
        "cse": sum(int(expr.count_ops()) for expr in (*(expr for _, expr in shared), *rest)),
    }
    return {"phases": clock.phases, "gradient": dict(zip(wanted, gradient, strict=True)), "size": size}


def distinct(exprs: Iterable[Any]) -> int:
    """How many different nodes there are in SymPy expressions, leaves included."""
    seen, waiting = set(), list(exprs)
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += node.args
    return len(seen)


def by_casadi(parameters: Numbers, states: Numbers, inputs: list[float]) -> Found:
    """The closed form as an SX graph, its gradient, a function of it, one evaluation."""
    import casadi

    clock = Clock()
    wanted = {name: casadi.SX.sym(name) for name in (*parameters, *states)}
    xs = [casadi.SX.sym(f"x_{t}") for t in range(1, len(inputs) + 1)]
    h = unrolled(wanted, xs, casadi.exp, casadi.tanh)
    clock.mark("build")
    together = casadi.vertcat(*wanted.values())
    derivatives = casadi.gradient(h, together)
    clock.mark("differentiate")
    function = casadi.Function("gradient", [together, casadi.vertcat(*xs)], [derivatives])
    clock.mark("compile")
    gradient = function([*parameters.values(), *states.values()], inputs).nonzeros()
    clock.mark("run")

    moves = {casadi.OP_INPUT, casadi.OP_OUTPUT, casadi.OP_CONST, casadi.OP_PARAMETER}
    instructions = function.n_instructions()
    done = sum(function.instruction_id(k) not in moves for k in range(instructions))
    size = {"instructions": instructions, "done": done}
    return {"phases": clock.phases, "gradient": dict(zip(wanted, gradient, strict=True)), "size": size}


def unrolled(wanted: dict[str, Any], xs: Sequence[Any], exp: Callable[[Any], Any], tanh: Callable[[Any], Any]) -> Any:
    """h_T as one expression in any library's arithmetic, written by hand."""
    h, c = wanted["h_0"], wanted["c_0"]
    for x in xs:
        f, i, g, o = (wanted[f"W_x{k}"] * x + wanted[f"W_h{k}"] * h + wanted[f"b_{k}"] for k in "figo")
        f, i, g, o = 1 / (1 + exp(-f)), 1 / (1 + exp(-i)), tanh(g), 1 / (1 + exp(-o))
        c = f * c + i * g
        h = o * tanh(c)
    return h


if __name__ == "__main__":
    find = {"derivations": by_derivations, "sympy": by_sympy, "casadi": by_casadi}[sys.argv[1]]
    print(json.dumps(find(**json.load(sys.stdin))))
