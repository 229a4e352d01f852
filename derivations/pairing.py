"""Pairs of parameters of two steps that are written out: which stand in the same places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

from derivations.cell import Cell
from derivations.spelled import Atom, Monomial, Sum

MOST_TRIES = 3000
MOST_FOUND = 8  # correspondences, for one order of states
MOST_ORDERS = 24  # of states, and of alike terms


@dataclass
class Pairs:
    """What is paired so far: left name -> (right name, transposed), and sums of biases."""

    right_of: dict[str, tuple[str, bool]]
    left_of: dict[str, str]
    sums: dict[tuple[str, ...], tuple[str, ...]]

    def copy(self) -> Pairs:
        return Pairs(dict(self.right_of), dict(self.left_of), dict(self.sums))

    def pair(self, left: str, right: str, transposed: bool = False) -> bool:
        if left in self.right_of or right in self.left_of:
            return self.right_of.get(left) == (right, transposed)
        self.right_of[left] = (right, transposed)
        self.left_of[right] = left
        return True


class Matcher:
    """Pairs the parameters of two cells, given what their inputs and states are."""

    def __init__(self, left: Cell, right: Cell, shared: Mapping[str, str]) -> None:
        self.shared = shared
        self.free = {*left.parameters}, {*right.parameters}
        self.tries = 0
        self.signs: dict[tuple[int, Atom], str] = {}

    def sums(self, a: Sum, b: Sum, pairs: Pairs) -> Iterator[Pairs]:
        """Every way to pair the names of two sums."""
        self.tries += 1
        if self.tries > MOST_TRIES:
            return
        lone_a, rest_a = self._lone(a, 0)
        lone_b, rest_b = self._lone(b, 1)
        groups_a, groups_b = self._by_sign(rest_a, 0), self._by_sign(rest_b, 1)
        if {k: len(v) for k, v in groups_a.items()} != {k: len(v) for k, v in groups_b.items()}:
            return
        after = pairs.copy()
        if bool(lone_a) == bool(lone_b) and (not lone_a or self._biases(lone_a, lone_b, after)):
            yield from self._groups([(groups_a[k], groups_b[k]) for k in groups_a], after)

    def nearly(self, a: Sum, b: Sum, pairs: Pairs) -> None:
        """Pair what looks alike in two sums that are not the same: terms with most in common first."""
        (lone_a, rest_a), (lone_b, rest_b) = self._lone(a, 0), self._lone(b, 1)
        if lone_a and lone_b:
            self._biases(lone_a, lone_b, pairs)
        rows = [(mine, yours) for mine in rest_a for yours in rest_b]
        rows.sort(key=lambda row: -self._in_common(*row))
        used: set[tuple[int, Monomial]] = set()
        for mine, yours in rows:
            if (0, mine) in used or (1, yours) in used or not self._in_common(mine, yours):
                continue
            used |= {(0, mine), (1, yours)}
            left = [atom for atom, _ in yours]
            for atom, _ in mine:
                other = next(
                    (one for one in left if _kind(one) == _kind(atom) and self._may_pair(atom, one, pairs)), None
                )
                if other is not None:
                    left.remove(other)
                    self._nearly_atoms(atom, other, pairs)

    def _in_common(self, mine: Monomial, yours: Monomial) -> int:
        """How many atoms look alike; those that look alike inside count double."""
        left = [atom for atom, _ in yours]
        score = 0
        for atom, _ in mine:
            alike = [
                one
                for one in left
                if _kind(one) == _kind(atom) and (_kind(one) != "name" or self._looks_shared(atom, one))
            ]
            if alike:
                best = max(alike, key=lambda one: self._sign(one, 1) == self._sign(atom, 0))
                score += 2 + (self._sign(best, 1) == self._sign(atom, 0))
                left.remove(best)
        return score

    def _looks_shared(self, a: Atom, b: Atom) -> bool:
        return (a[1] in self.free[0]) == (b[1] in self.free[1]) and (
            a[1] in self.free[0] or self.shared.get(a[1]) == b[1]
        )

    def _may_pair(self, a: Atom, b: Atom, pairs: Pairs) -> bool:
        if _kind(a) == "name":
            return self._looks_shared(a, b)
        return a[0] != "map" or (a[1] not in pairs.right_of and b[1] not in pairs.left_of)

    def _nearly_atoms(self, a: Atom, b: Atom, pairs: Pairs) -> None:
        match a, b:
            case ("name", one), ("name", other) if one in self.free[0]:
                pairs.pair(one, other)
            case ("map", one, turned, inner), ("map", other, turned_too, its) if one in self.free[0]:
                pairs.pair(one, other, turned != turned_too)
                self.nearly(inner, its, pairs)
            case ("call", _, args), ("call", _, others):
                for mine, yours in zip(args, others, strict=True):
                    self.nearly(mine, yours, pairs)

    def _groups(self, groups: list[tuple[list[Monomial], list[Monomial]]], pairs: Pairs) -> Iterator[Pairs]:
        if not groups:
            yield pairs
            return
        (mine, yours), *rest = groups
        for order in _orders(yours):
            for found in self._rows(list(zip(mine, order, strict=False)), pairs):
                yield from self._groups(rest, found)
            if self.tries > MOST_TRIES:
                return

    def _rows(self, rows: list[tuple[Monomial, Monomial]], pairs: Pairs) -> Iterator[Pairs]:
        if not rows:
            yield pairs
            return
        (mine, yours), *rest = rows
        for found in self._atoms(list(mine), list(yours), pairs):
            yield from self._rows(rest, found)

    def _atoms(self, mine: list[tuple[Atom, int]], yours: list[tuple[Atom, int]], pairs: Pairs) -> Iterator[Pairs]:
        if not mine:
            yield pairs
            return
        (atom, power), *rest = mine
        for k, (other, exponent) in enumerate(yours):
            if power == exponent and self._sign(atom, 0) == self._sign(other, 1):
                for found in self._one(atom, other, pairs):
                    yield from self._atoms(rest, yours[:k] + yours[k + 1 :], found)

    def _one(self, a: Atom, b: Atom, pairs: Pairs) -> Iterator[Pairs]:
        after = pairs.copy()
        match a, b:
            case ("name", one), ("name", other):
                if one in self.free[0]:
                    if after.pair(one, other):
                        yield after
                elif self.shared.get(one) == other:
                    yield after
            case ("map", one, turned, inner), ("map", other, turned_too, its):
                if one in self.free[0] and after.pair(one, other, turned != turned_too):
                    yield from self.sums(inner, its, after)
            case ("call", _, args), ("call", _, others):
                yield from self.args(list(zip(args, others, strict=True)), after)

    def args(self, args: list[tuple[Sum, Sum]], pairs: Pairs) -> Iterator[Pairs]:
        if not args:
            yield pairs
            return
        (mine, yours), *rest = args
        for found in self.sums(mine, yours, pairs):
            yield from self.args(rest, found)

    def _lone(self, a: Sum, side: int) -> tuple[tuple[str, ...], dict[Monomial, Fraction]]:
        """The parameters that stand alone as terms: biases. Of several only the sum matters."""
        lone, rest = [], {}
        for monomial, value in a.terms.items():
            match monomial:
                case ((("name", str(name)), 1),) if value == 1 and name in self.free[side]:
                    lone.append(name)
                case _:
                    rest[monomial] = value
        return tuple(sorted(lone)), rest

    def _biases(self, mine: tuple[str, ...], yours: tuple[str, ...], pairs: Pairs) -> bool:
        if len(mine) == len(yours):
            return all(pairs.pair(a, b) for a, b in zip(mine, yours, strict=True))
        if len(mine) > 1 and len(yours) > 1:
            return False
        known = {name for group in pairs.sums.items() for side in group for name in side}
        if pairs.sums.get(mine) == yours:
            return True
        if known & {*mine, *yours} or {*mine} & pairs.right_of.keys() or {*yours} & pairs.left_of.keys():
            return False
        pairs.sums[mine] = yours
        return True

    def _by_sign(self, terms: Mapping[Monomial, Fraction], side: int) -> dict[str, list[Monomial]]:
        found: dict[str, list[Monomial]] = {}
        for monomial, value in terms.items():
            signs = sorted(f"{self._sign(atom, side)}^{power}" for atom, power in monomial)
            found.setdefault(f"{value} {' '.join(signs)}", []).append(monomial)
        return dict(sorted(found.items(), key=lambda pair: len(pair[1])))

    def _sign(self, atom: Atom, side: int) -> str:
        """What an atom looks like without the names of parameters."""
        key = (side, atom)
        if key not in self.signs:
            self.signs[key] = self._looks(atom, side)
        return self.signs[key]

    def _looks(self, atom: Atom, side: int) -> str:
        match atom:
            case ("name", name):
                if name in self.free[side]:
                    return "?"
                return str(self.shared.get(name, name) if side == 0 else name)
            case ("map", name, _, inner):
                own = "?" if name in self.free[side] else name
                return f"{own}@({self._inside(inner, side)})"
            case ("call", function, args):
                return f"{function}({';'.join(self._inside(arg, side) for arg in args)})"
        return repr(atom)

    def _inside(self, a: Sum, side: int) -> str:
        lone, rest = self._lone(a, side)
        return ("+b" if lone else "") + "+".join(
            sorted(
                f"{value} {' '.join(sorted(f'{self._sign(atom, side)}^{power}' for atom, power in monomial))}"
                for monomial, value in rest.items()
            )
        )


def _kind(atom: Atom) -> str:
    """What an atom is: a name, a map of something, or which function."""
    return str(atom[1]) if atom[0] == "call" else str(atom[0])


def _orders(items: list[Monomial]) -> Iterator[tuple[Monomial, ...]]:
    for count, order in enumerate(permutations(items)):
        if count >= MOST_ORDERS:
            return
        yield order


def by_name_first(mine: tuple[str, ...], yours: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The orders of names to try: equal names in equal places first."""
    orders = [order for order, _ in zip(permutations(yours), range(MOST_ORDERS), strict=False)]
    return sorted(orders, key=lambda order: -sum(_alike(a, b) for a, b in zip(mine, order, strict=True)))


def _alike(a: str, b: str) -> int:
    return 3 if a == b else 1 if a[0].lower() == b[0].lower() else 0
