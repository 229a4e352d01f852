"""A quantity that a name may mean, with its cost."""

from collections.abc import Iterable
from dataclasses import dataclass

from derivations.expression import Expr, Shift


@dataclass(frozen=True)
class Meaning:
    """A quantity that a name may mean; the less it costs, the more people call it so."""

    quantity: Expr
    cost: float


def cheapest(found: Iterable[Meaning]) -> list[Meaning]:
    """Each quantity once, by cost."""
    best: dict[Expr, float] = {}
    for one in found:
        best[one.quantity] = min(one.cost, best.get(one.quantity, one.cost))
    return [Meaning(quantity, cost) for quantity, cost in sorted(best.items(), key=lambda pair: pair[1])]


def moved(quantity: Expr, by: int) -> Expr:
    """A quantity at another step."""
    return Shift(quantity, by) if by else quantity
