"""Are two cells equal? If not, which equation differs first, and in which term.

Both cells are evaluated in components over one set of unknowns, so names that are meant to be one must be one
(rename a cell first where they are not). Intermediate values may be cut differently: only the new states,
readouts and the loss are compared.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

from derivations.cell import Cell
from derivations.components import SIZES, defined, opaque
from derivations.equality import Entry, Proof, Status, decided, same
from derivations.expression import Add, Expr, evaluate
from derivations.matrices import Matrix, MatrixArithmetic

MOST_PAIRS = 100  # of terms, compared with one another


@dataclass(frozen=True, slots=True)
class Difference:
    """An equation that is not the same in both; the terms that only one of them has, in their order."""

    target: str
    left: Expr
    right: Expr
    only_left: tuple[Expr, ...]
    only_right: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether two cells compute the same, quantity by quantity, and where their equations differ if not."""

    left: Cell
    right: Cell
    proofs: Mapping[str, Proof]
    differences: tuple[Difference, ...] = ()
    apart: str = ""

    def __bool__(self) -> bool:
        return not self.apart and all(proof.status is not Status.REFUTED for proof in self.proofs.values())


def compare(left: Cell, right: Cell) -> Comparison:
    """The comparison of two cells in shared names."""
    given = left, right
    left, right = _in_shared_sizes(left, right)
    if apart := _apart(left, right):
        return Comparison(*given, {}, apart=apart)
    targets = [*left.states, *(name for name in left.seeded if name in right.seeded and name not in left.states)]
    mine, yours = ([(e.target, e.rhs) for e in cell.equations] for cell in given)
    if mine == yours:
        return Comparison(*given, dict.fromkeys(targets, Proof(Status.PROVED)))
    proofs = {name: decided(_claim(left, right, name)) for name in targets}
    if all(proofs.values()):
        return Comparison(*given, proofs)
    differences = tuple(d for d in _differences(left, right) if not proofs.get(d.target))  # equal in the end is equal
    return Comparison(*given, proofs, differences)


def _apart(left: Cell, right: Cell) -> str:
    for kind in ("inputs", "states"):
        mine, theirs = sorted(getattr(left, kind)), sorted(getattr(right, kind))
        lacking, extra = sorted({*mine} - {*theirs}), sorted({*theirs} - {*mine})
        if lacking or extra:
            what = f"{left.name} has {kind} {', '.join(mine)}, {right.name} has {', '.join(theirs)}"
            if lacking and extra:
                what += f" (if they are the same, rename one: --rename {extra[0]}={lacking[0]})"
            return what
    own, others = set(left.seeded) - {*left.states}, set(right.seeded) - {*right.states}
    if own != others:
        lone = ", ".join(sorted(own ^ others))
        return f"only one of them has the readout or loss {lone}"
    for name in (n for n in left.leaves if n in right.leaves):
        here, there = len(left.shapes[name]), len(right.shapes[name])
        if here != there:
            kinds = ("a scalar", "a vector", "a matrix")
            return f"{name} is {kinds[here]} in {left.name} and {kinds[there]} in {right.name}"
        if any(sorted(a) != sorted(b) for a, b in zip(left.shapes[name], right.shapes[name], strict=True)):
            return f"the sizes of {name} differ: in one cell, not in the other, they are sums of sizes"
    return ""


def _in_shared_sizes(left: Cell, right: Cell) -> tuple[Cell, Cell]:
    """Both cells with their sizes called alike: letters go by the order of equations, and may differ."""
    above: dict[str, str] = {}  # sizes that are one, as a forest

    def root(size: str) -> str:
        while size in above:
            size = above[size]
        return size

    for name in (n for n in left.leaves if n in right.leaves):
        for mine, theirs in zip(left.shapes[name], right.shapes[name], strict=False):
            ours, other = root(f"left {mine}"), root(f"right {theirs}")
            if ours != other and "+" not in mine + theirs:
                above[other] = ours
    letters: dict[str, str] = {}
    more = chain(SIZES, (f"d{k}" for k in count(1)))

    def renamed(cell: Cell, side: str) -> Cell:
        def size(dim: str) -> str:
            parts = (root(f"{side} {letter}") for letter in dim.split("+"))
            return "+".join(
                letters[part] if part in letters else letters.setdefault(part, next(more)) for part in parts
            )

        return replace(cell, shapes={name: tuple(map(size, shape)) for name, shape in cell.shapes.items()})

    return renamed(left, "left"), renamed(right, "right")


def _claim(left: Cell, right: Cell, name: str) -> Callable[..., Iterator[Entry]]:
    def claim(arithmetic: MatrixArithmetic[Any], scalar: Callable[[str], Any]) -> Iterator[Entry]:
        sides = []
        for cell in (left, right):
            sides.append(defined(cell, cell.defined, opaque(cell, scalar), arithmetic)[name])
        yield from same(name, *sides)

    return claim


def _differences(left: Cell, right: Cell) -> Iterator[Difference]:
    """The equations of the left cell that the right cell writes otherwise, names taken as they stand."""
    theirs = {e.target: e.rhs for e in right.equations}
    for equation in left.equations:
        other = theirs.get(equation.target)
        if other is None or _equal(equation.rhs, other, left, right):
            continue
        mine, yours = _unpaired(_terms(equation.rhs), _terms(other), left, right)
        yield Difference(equation.target, equation.rhs, other, mine, yours)


def _unpaired(
    mine: tuple[Expr, ...], yours: tuple[Expr, ...], left: Cell, right: Cell
) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """The terms that are left over on either side when equal ones have been paired off."""

    def written_alike(a: Expr, b: Expr) -> bool:
        return a == b

    def of_equal_value(a: Expr, b: Expr) -> bool:
        return _equal(a, b, left, right)

    for alike in (written_alike, of_equal_value):
        rest = list(yours)
        over = []
        for term in mine:
            twin = next((k for k, other in enumerate(rest) if alike(term, other)), None)
            if twin is None:
                over.append(term)
            else:
                del rest[twin]
        mine, yours = tuple(over), tuple(rest)
        if len(mine) * len(yours) > MOST_PAIRS:
            break
    return mine, yours


def _terms(expr: Expr) -> tuple[Expr, ...]:
    return expr.terms if isinstance(expr, Add) else (expr,)


def _equal(a: Expr, b: Expr, left: Cell, right: Cell) -> bool:
    def claim(arithmetic: MatrixArithmetic[Any], scalar: Callable[[str], Any]) -> Iterator[Entry]:
        values: dict[str, Matrix[Any]] = opaque(right, scalar) | opaque(left, scalar)
        yield from same("", evaluate(a, values, arithmetic), evaluate(b, values, arithmetic))

    return bool(decided(claim))
