"""Views made only on request: closed forms within one step, and all the steps of a run in full.

A closed form within one step speaks of inputs, previous states and parameters only. It grows quickly, so
its size is known before it is built, and what nobody could read is refused. The unrolled run substitutes
nothing: it is the cell's equations and the derivation's adjoints, once per step, each name with its step
(`timed.py` says how).
"""

from dataclasses import replace

from derivations.cell import Cell, Equation
from derivations.derive import Derivation, Step, Term
from derivations.expression import Adjoint, Expr, Name, Total, children, operations, rewrite, total, walk
from derivations.paths import TooManyPaths, checked_length, total_within_step
from derivations.timed import at_step, find_within

MOST_OPERATIONS = 2_000
DEEPEST = 250  # operations within operations
MOST_STEPS = 64


class TooLarge(ValueError):
    """A closed form that nobody could read.

    Attributes:
        operations: how many it would have; None where even that is beyond counting.
    """

    def __init__(self, message: str, operations: int | None = None) -> None:
        super().__init__(message)
        self.operations = operations


# --- closed forms ---------------------------------------------------------------------------------


def closed(cell: Cell, name: str, most: int = MOST_OPERATIONS) -> Expr:
    """The value of a name within one step, in inputs, previous states and parameters only.

    Raises:
        UnknownName: the cell has no such name.
        TooLarge: more than `most` operations.
    """
    find_within(cell, name)
    return _closed(cell, Name(name), most, f"the closed form of {name}", f"the named equations of {cell.name}")


def closed_derivative(derivation: Derivation, of: str, wrt: str, most: int = MOST_OPERATIONS) -> Expr:
    """The total derivative d(of)/d(wrt) within one step, in inputs, previous states and parameters only.

    Where `wrt` is a value that the cell defines (dh/df), what it stands for is written out as well.

    Raises:
        UnknownName: a name that the cell does not have.
        TooLarge: more than `most` operations, or more than 1,000 paths.
    """
    what = f"the closed form of d{of}/d{wrt}"
    try:
        named = total_within_step(derivation, of, wrt)
    except TooManyPaths as fault:
        raise TooLarge(f"{what} cannot be written: {fault}") from None
    return _closed(derivation.cell, named, most, what, "its paths, in named values")


def _closed(cell: Cell, expr: Expr, most: int, what: str, instead: str) -> Expr:
    counts: dict[str, tuple[int, int]] = {}  # of the closed form of each name: operations, depth

    def measured(expr: Expr) -> tuple[int, int]:
        reads = [counts[node.id][0] for node in walk(expr) if isinstance(node, Name) and node.id in counts]
        return operations(expr) + sum(reads), deep(expr)

    def deep(expr: Expr) -> int:
        if isinstance(expr, Name) and expr.id in counts:
            return counts[expr.id][1]
        return 1 + max(map(deep, children(expr)), default=0)

    for equation in cell.equations:
        counts[equation.target] = measured(equation.rhs)
    count, depth = measured(expr)
    if count > most or depth > DEEPEST:
        size = f"{count:,}" if count < 10**12 else f"about 10^{len(str(count)) - 1}"
        limit = f"{most:,} are the most" if count > most else f"one within another, {depth:,} deep"
        raise TooLarge(f"{what} would have {size} operations ({limit}); read {instead} instead", count)
    forms: dict[Expr, Expr] = {}
    for equation in cell.equations:
        if counts[equation.target][0] <= most and counts[equation.target][1] <= DEEPEST:
            forms[Name(equation.target)] = rewrite(equation.rhs, forms.get)
    return rewrite(expr, forms.get)


# --- every step in full ---------------------------------------------------------------------------


def unroll(cell: Cell, steps: int) -> tuple[Equation, ...]:
    """The forward equations of a run of `steps` steps, each name with its step: f_1, c_1, ... from h_0,
    c_0, x_1.

    Raises:
        ValueError: not 1 to 64 steps, or a parameter that would read as a name at a step.
    """
    checked_length(steps, MOST_STEPS)
    return tuple(
        replace(equation, target=f"{equation.target}_{t}", rhs=at_step(equation.rhs, cell, t))
        for t in range(1, steps + 1)
        for equation in cell.equations
    )


def unroll_backward(derivation: Derivation, steps: int) -> tuple[Step, ...]:
    """The adjoint equations of a run, from the last step to the first, and the sums over time at the end.

    Given are the values of `unroll`, what the loss sends to each output at each step
    (`Adjoint("h_2", "out")`), and the cotangents of the final states (`Adjoint("h_4", "next")` where `steps`
    is 4). What step 3 sends back to step 2 is `Adjoint("h_2", "next")`; what step 1 sends back is the
    gradient of the initial state, `Total("h_0")`. The gradient of an input is `Total("x_2")`, and
    `Total("W_xf")` is the sum of the parameter's adjoints `Adjoint("W_xf_1")`, `Adjoint("W_xf_2")`, ...

    Raises:
        ValueError: not 1 to 64 steps, or a parameter that would read as a name at a step.
    """
    checked_length(steps, MOST_STEPS)
    cell = derivation.cell
    lines = []
    for t in range(steps, 0, -1):
        for line in derivation.adjoints:
            lhs = at_step(line.lhs, cell, t)
            wrt = lhs.of if isinstance(lhs, Adjoint) else line.wrt
            if line.wrt in cell.inputs or (t == 1 and line.wrt in cell.previous):
                lhs = Total(wrt)
            terms = tuple(_term_at(term, cell, t) for term in line.terms)
            lines.append(replace(line, wrt=wrt, lhs=lhs, rhs=at_step(line.rhs, cell, t), terms=terms))
    for line in derivation.recurrences:
        if isinstance(line.lhs, Total):
            shares = (Adjoint(f"{line.wrt}_{t}") for t in range(1, steps + 1))
            lines.append(replace(line, rhs=total(*shares)))
    return tuple(lines)


def _term_at(term: Term, cell: Cell, step: int) -> Term:
    """A summand at a step, via a consumer at that step; what enters from outside keeps saying so."""
    entered = isinstance(term.expr, Adjoint) and term.expr.part
    return Term(term.via if entered else f"{term.via}_{step}", at_step(term.expr, cell, step))
