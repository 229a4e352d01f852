"""The total derivative of anything with respect to anything, as a sum over paths.

A path from `wrt` to `of` stands for the product of the local partials along it, and the total derivative is
the sum over all paths. Within a step there are few. Through time their number grows exponentially
(dh_T/dW_xf of the LSTM has 145 at T = 4 and 40 million at T = 12): the largest are listed, and the rest is
one sum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache
from math import prod

from derivations.cell import Cell
from derivations.derive import Derivation
from derivations.expression import ONE, ZERO, Expr, product, scalar_view, total
from derivations.floats import WIDE, magnitude
from derivations.graph import Edge, count_paths, edges_between, largest_paths, sum_of_rest, sum_paths
from derivations.timed import Node, at_step, find, find_within

LONGEST_RUN = 200
MOST_LISTED = 1000


class TooManyPaths(ValueError):
    """More paths than can be listed or written as one sum."""


@dataclass(frozen=True)
class Factor:
    """The local partial d(of)/d(wrt); its expression is in the names of the step of `of`."""

    of: Node
    wrt: Node
    expression: Expr
    value: float | None = None


@dataclass(frozen=True)
class Path:
    """One path, from what is varied to what responds.

    Attributes:
        nodes: `wrt` first, `of` last.
        factors: one between each node and the next.
        expression: their product; through time its leaves carry their steps, as in f_2.
        value, log10: of the product, where numbers were given; `value` is 0 also where |product| is below
            the range of a float, `log10` is minus infinity for a true zero only.
    """

    nodes: tuple[Node, ...]
    factors: tuple[Factor, ...]
    expression: Expr
    value: float | None = None
    log10: float | None = None


@dataclass(frozen=True)
class Rest:
    """All paths that are not listed: how many, and their sum."""

    count: int
    value: float | None = None
    log10: float | None = None


@dataclass(frozen=True)
class TotalDerivative:
    """d(of)/d(wrt) as a sum over paths.

    Attributes:
        of, wrt: without steps where one step is looked at alone (its previous states are held fixed).
        step: the step of `of`, if there is one: its numbers are those of this step.
        through_time: whether paths run through earlier steps.
        count: the number of paths, exactly.
        paths: the largest in |value| first, those that are not finite before all; the shortest first
        without numbers.
        rest: the other paths; None where all are listed.
        value, log10: of the whole sum.
        immediate: the local partial: the explicit dependence, everything that `of` reads held fixed.
        expression: the whole sum within one step, in named values; None through time, or beyond 1,000 paths.
    """

    of: Node
    wrt: Node
    step: int | None
    through_time: bool
    count: int
    paths: tuple[Path, ...]
    rest: Rest | None
    value: float | None
    log10: float | None
    immediate: Expr
    immediate_value: float | None
    expression: Expr | None


def total_derivative(
    derivation: Derivation,
    of: str,
    wrt: str,
    *,
    through_time: bool = False,
    values: Sequence[Mapping[str, float]] | None = None,
    step: int | None = None,
    wrt_step: int | None = None,
    most: int = 20,
) -> TotalDerivative:
    """The total derivative d(of)/d(wrt) in the scalar view, with its largest paths.

    Args:
        through_time: from `of` at `step` back to step 1; otherwise within one step.
        values: every named value at every step, t = 1 first, as `run_forward` gives them.
        step: of `of`; the last step of `values` where it is not said.
        wrt_step: for a `wrt` that has a value at every step; `h_0`, `x_1`, `f_2` say it themselves.
        most: how many paths to list.

    Raises:
        UnknownName: a name or a step that is not there.
        ValueError: more than 200 steps, no step at all, a value missing, or a cell without a scalar view.
    """
    cell = derivation.cell
    if not 0 <= most <= MOST_LISTED:
        raise ValueError(f"{most} paths cannot be listed; from 0 to {MOST_LISTED} can")
    if through_time:
        last = step if values is None else len(values)
        start = find(cell, of, LONGEST_RUN if last is None else last, step, otherwise=last)
        end = find(cell, wrt, last or start.step or LONGEST_RUN, wrt_step)
        checked_length(1 if start.step is None else max(start.step, 1), LONGEST_RUN)
    else:
        start, end = find_within(cell, of), find_within(cell, wrt)
        if values is not None:
            step = len(values) if step is None else step
            if not 1 <= step <= len(values):
                raise ValueError(f"there are values for the steps 1 to {len(values)}, none for step {step}")
            values = values[step - 1 : step]
    with localcontext(WIDE):
        graph = edges_between(derivation, start, end, values)
        count = count_paths(graph, end).get(start, 0)
        listed = largest_paths(graph, start, end, most)
        sums = {} if values is None else sum_paths(graph, end)
        value = None if values is None else sums.get(start, Decimal(0))
        rest = None if values is None else sum_of_rest(graph, start, sums, listed)
        paths = _paths(cell, end, listed, values is not None)
    explicit = next((edge for edge in graph.get(start, ()) if edge.wrt == end), None)
    at_once = not through_time and count <= MOST_LISTED
    return TotalDerivative(
        of=start,
        wrt=end,
        step=start.step if through_time else step,
        through_time=through_time,
        count=count,
        paths=paths,
        rest=Rest(count - len(paths), *_shown(rest)) if count > len(paths) else None,
        value=_shown(value)[0],
        log10=_shown(value)[1],
        immediate=explicit.expression if explicit else ONE if start == end else ZERO,
        immediate_value=None if values is None else float(explicit.slope if explicit else start == end),
        expression=total_within_step(derivation, of, wrt) if at_once else None,
    )


def step_paths(derivation: Derivation, of: str, wrt: str) -> tuple[Path, ...]:
    """All paths from `wrt` to `of` within one step, the shortest first; h_prev and c_prev are held fixed.

    Raises:
        UnknownName: a name that the cell does not have.
        TooManyPaths: more than 1,000; `total_derivative` lists the largest and sums the rest.
    """
    start, end = find_within(derivation.cell, of), find_within(derivation.cell, wrt)
    graph = edges_between(derivation, start, end, None)
    count = count_paths(graph, end).get(start, 0)
    if count > MOST_LISTED:
        raise TooManyPaths(f"d{of}/d{wrt} has {count:,} paths within one step; at most {MOST_LISTED:,} are listed")
    return _paths(derivation.cell, end, largest_paths(graph, start, end, count), valued=False)


def total_within_step(derivation: Derivation, of: str, wrt: str) -> Expr:
    """d(of)/d(wrt) with h_prev and c_prev held fixed: the sum over the paths of one step, in named values."""
    return total(*(path.expression for path in step_paths(derivation, of, wrt)))


def immediate(derivation: Derivation, of: str, wrt: str) -> Expr:
    """The local partial d(of)/d(wrt): the explicit dependence, all else that `of` reads held fixed."""
    start, end = find_within(derivation.cell, of), find_within(derivation.cell, wrt)
    return ONE if start == end else scalar_view(derivation.partial(of, wrt))


def checked_length(steps: int, longest: int) -> None:
    if not 1 <= steps <= longest:
        raise ValueError(f"{steps} steps; a run of 1 to {longest} steps can be asked for here")


# --- as data --------------------------------------------------------------------------------------


def _paths(cell: Cell, end: Node, listed: Sequence[tuple[Edge, ...]], valued: bool) -> tuple[Path, ...]:
    @cache
    def timed(expr: Expr, step: int | None) -> Expr:
        return expr if step is None else at_step(expr, cell, step)

    def path(edges: Sequence[Edge]) -> Path:
        value = prod((edge.slope for edge in edges), start=Decimal(1)) if valued else None
        return Path(
            (end, *(edge.of for edge in edges)),
            tuple(Factor(e.of, e.wrt, e.expression, float(e.slope) if valued else None) for e in edges),
            product(ONE, *(timed(edge.expression, edge.of.step) for edge in edges)),
            *_shown(value),
        )

    return tuple(path(edges[::-1]) for edges in listed)


def _shown(value: Decimal | None) -> tuple[float | None, float | None]:
    """A number as a float, and the logarithm of its magnitude."""
    return (None, None) if value is None else (float(value), magnitude(value))
