"""The graph of local partials over a run: its paths counted, ranked and summed without being listed.

The quantities of a run are the nodes, and every local partial of the derivation, in the scalar view, is an
edge. A path stands for the product of its slopes. Each node needs to be visited once only:

    count(node) = sum of count(below) over its edges        sum(node) = sum of slope * sum(below)

and the k largest paths of a node are among those that extend the k largest of the nodes below it. What is
not among the listed paths is summed by itself, as all that branches off from them, so that nothing is lost
to a subtraction. Numbers are decimals, within `localcontext(WIDE)`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from derivations.derive import Derivation
from derivations.expression import ZERO, Expr, evaluate, scalar_view, total
from derivations.floats import FLOATS, WIDE
from derivations.timed import Node, node_at


@dataclass(frozen=True, slots=True)
class Edge:
    """A local partial between two nodes, and its number.

    Where no numbers are given every slope is 1/2, so that of two paths the shorter is the larger.
    """

    of: Node
    wrt: Node
    expression: Expr
    slope: Decimal = Decimal("0.5")


Graph = dict[Node, tuple[Edge, ...]]  # the edges to what a node reads; each node before all that it reads
Size = tuple[int, int, Decimal]
Ranked = tuple[Size, Edge | None, int]  # of a path: its size, its first edge, the rank of what follows


def edges_between(
    derivation: Derivation, start: Node, end: Node, values: Sequence[Mapping[str, float]] | None
) -> Graph:
    """The edges that lie on a path from `end` to `start`."""
    cell = derivation.cell
    partials: dict[str, dict[str, Expr]] = {}
    for line in derivation.partials:
        of = partials.setdefault(line.of, {})
        of[line.wrt] = total(of.get(line.wrt, ZERO), line.rhs)  # a weight read twice is one edge

    @cache
    def slopes(name: str) -> list[tuple[str, Expr]]:
        try:
            scalar = [(wrt, scalar_view(expr)) for wrt, expr in partials.get(name, {}).items()]
        except ValueError:
            what = f"{name} of {cell.name} stacks vectors"
            raise ValueError(f"{what}: it has no scalar view, in which paths are listed") from None
        return [(wrt, expr) for wrt, expr in scalar if expr != ZERO]

    graph: Graph = {}
    reached = {start}
    for step in [None] if start.step is None else range(start.step, max(end.step or 1, 1) - 1, -1):
        for name in reversed(cell.defined):
            node = Node(name, step)
            if node in reached and node != end:
                graph[node] = tuple(
                    Edge(node, Node(wrt) if step is None else node_at(cell, wrt, step), expr)
                    for wrt, expr in slopes(name)
                )
                reached.update(edge.wrt for edge in graph[node])
    counts = count_paths(graph, end)
    return {
        node: tuple(edge if values is None else _valued(edge, values) for edge in edges if counts.get(edge.wrt))
        for node, edges in graph.items()
        if counts[node]
    }


def _valued(edge: Edge, values: Sequence[Mapping[str, float]]) -> Edge:
    step = edge.of.step or 1
    try:
        slope = evaluate(edge.expression, values[step - 1], FLOATS)
    except KeyError as missing:
        raise ValueError(f"no value of {missing.args[0]} is given at step {step}") from None
    return replace(edge, slope=WIDE.create_decimal(slope))


def count_paths(graph: Graph, end: Node) -> dict[Node, int]:
    """The number of paths from `end` to each node, exactly."""
    counts = {end: 1}
    for node, edges in reversed(graph.items()):
        counts[node] = sum(counts.get(edge.wrt, 0) for edge in edges)
    return counts


def sum_paths(graph: Graph, end: Node) -> dict[Node, Decimal]:
    """The sum over all paths from `end` to each node: its total derivative."""
    sums = {end: Decimal(1)}
    for node, edges in reversed(graph.items()):
        sums[node] = sum((edge.slope * sums[edge.wrt] for edge in edges), Decimal(0))
    return sums


def _longer(size: Size, slope: Decimal) -> Size:
    """The size of a path with one more edge.

    A size is (factors that are not finite, minus the factors that are zero, |product of the others|). Of
    two paths the larger stays the larger whatever edge both are extended by; |product| alone fails where
    zero meets infinity.
    """
    odd, zeros, rest = size
    if not slope.is_finite():
        return odd + 1, zeros, rest
    return (odd, zeros, rest * abs(slope)) if slope else (odd, zeros - 1, rest)


def largest_paths(graph: Graph, start: Node, end: Node, most: int) -> list[tuple[Edge, ...]]:
    """The `most` largest paths, the largest first, each as its edges from `start` down."""
    best: dict[Node, list[Ranked]] = {end: [((0, 0, Decimal(1)), None, 0)]}
    for node, edges in reversed(graph.items()):
        ways: list[Ranked] = [
            (_longer(size, edge.slope), edge, rank)
            for edge in edges
            for rank, (size, _, _) in enumerate(best[edge.wrt])
        ]
        best[node] = sorted(ways, key=lambda way: way[0], reverse=True)[:most]

    def followed(node: Node, rank: int) -> tuple[Edge, ...]:
        edges = []
        while edge := best[node][rank][1]:
            edges.append(edge)
            node, rank = edge.wrt, best[node][rank][2]
        return tuple(edges)

    return [followed(start, rank) for rank in range(min(most, len(best.get(start, ()))))]


def sum_of_rest(graph: Graph, start: Node, sums: Mapping[Node, Decimal], listed: Sequence[tuple[Edge, ...]]) -> Decimal:
    """The sum over all paths but the listed ones: wherever listed paths go one way, all the other ways."""
    if not listed:
        return sums.get(start, Decimal(0))
    result = Decimal(0)
    waiting = [(start, Decimal(1), 0, listed)]
    while waiting:
        node, above, depth, group = waiting.pop()
        for edge in graph.get(node, ()):
            along = [edges for edges in group if edges[depth] is edge]
            if along:
                waiting.append((edge.wrt, above * edge.slope, depth + 1, along))
            else:
                result += above * edge.slope * sums[edge.wrt]
    return result
