"""What marking needs to know of a cell, worked out once and kept: its vocabulary, its values at random points, proofs.

A course serves any number of sheets. Two expressions that differ at a random point differ; that is how a search over
readings and edits is cheap. What agrees there is then proved, each claim once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import isfinite
from typing import Any

from derivations.cell import Cell
from derivations.derive import Derivation, derive
from derivations.equality import Entry, Proof, Status, decided, same
from derivations.expression import Derivative, Expr, Shift
from derivations.floats import FloatMatrices
from derivations.marking.meanings import Vocabulary
from derivations.marking.sheet import Written
from derivations.marking.world import NO_VALUE, STEPS, Key, World, leaves
from derivations.matrices import Matrix, MatrixArithmetic, ShapeError
from derivations.residues import PRIME, Residues

COLUMNS, ROWS, TURNED, DENOMINATOR, SCALAR = "columns", "rows", "rows, weights as in torch", "denominators", "scalars"
CLOSE = 1e-9
MOST_KEPT = 50_000  # values that are kept at a time


@dataclass(frozen=True)
class View:
    """How a sheet writes vectors and matrices, and how many steps it walks.

    Attributes:
        layout: column vectors; row vectors with weights transposed, or not; derivatives by columns; or scalars.
        strict: products follow NumPy's rules.
        zero: what from outside is zero: an initial state, a final cotangent.
    """

    layout: str = COLUMNS
    strict: bool = False
    steps: int = STEPS
    zero: frozenset[Key] = frozenset()

    @property
    def one(self) -> bool:
        return self.layout == SCALAR

    def turns(self, value: Matrix[Any], quantity: Expr) -> bool:
        """Whether a quantity with this value, as the derivation has it, stands transposed on the sheet."""
        if len(value[0]) == 1:
            return self.layout in (ROWS, TURNED) and len(value) > 1
        if _is_slope(quantity):
            return self.layout == DENOMINATOR
        return self.layout == ROWS


def _is_slope(quantity: Expr) -> bool:
    return isinstance(quantity, Derivative) or (isinstance(quantity, Shift) and _is_slope(quantity.arg))


@dataclass
class Course:
    """One cell, as marking knows it."""

    derivation: Derivation
    vocabulary: Vocabulary
    worlds: dict[Any, World] = field(default_factory=dict)
    proofs: dict[Any, Proof] = field(default_factory=dict)
    values: dict[Any, Matrix[float]] = field(default_factory=dict)
    found: dict[Any, Any] = field(default_factory=dict)  # mistakes that were found before

    @property
    def cell(self) -> Cell:
        return self.derivation.cell

    def vocabulary_with(self, learned: tuple[tuple[str, str], ...]) -> Vocabulary:
        """The vocabulary with a sheet's own words in it."""
        if not learned:
            return self.vocabulary
        known = self.found.setdefault("vocabularies", {})
        if learned not in known:
            known[learned] = replace(self.vocabulary, learned=learned)
        found: Vocabulary = known[learned]
        return found

    def world(self, view: View, seed: int = 1) -> World:
        key = (view.one, view.steps, view.zero, seed)
        if key not in self.worlds:
            self.worlds[key] = World(
                self.derivation,
                FloatMatrices(),
                lambda name: small(name, seed, self.cell),
                steps=view.steps,
                one=view.one,
                zero=view.zero,
            )
        return self.worlds[key]

    def value(self, theirs: Expr, view: View, step: int, seed: int = 1) -> Matrix[float]:
        """The value of what stands on a sheet, in quantities.

        Raises:
            Unnamed, ShapeError: it has none.
        """
        world = self.world(view, seed)
        return self._kept(world, theirs, step, Written(world.arithmetic, view.strict), str(view.strict))

    def right(self, quantity: Expr, view: View, step: int, seed: int = 1) -> Matrix[float]:
        """The value of a quantity, as the derivation has it.

        Raises:
            Unnamed, ShapeError: it has none.
        """
        world = self.world(view, seed)
        return self._kept(world, quantity, step, world.arithmetic, "")

    def _kept(
        self, world: World, expr: Expr, step: int, arithmetic: MatrixArithmetic[Any], rules: str
    ) -> Matrix[float]:
        """The value of an expression; readings of one sheet ask for the same ones again and again."""
        key = (id(world), expr, step, rules)
        value = self.values.get(key)
        if value is None:
            if len(self.values) >= MOST_KEPT:
                self.values.clear()
            value = self.values[key] = world.read(expr, step, arithmetic)
        return value

    def agrees(self, theirs: Matrix[float], quantity: Expr, view: View, step: int) -> bool:
        """Whether a value is that of a quantity, as a sheet of this layout would have it."""
        try:
            right = self.right(quantity, view, step)
        except NO_VALUE:
            return False
        fitted = fit(theirs, right, quantity, view)
        return fitted is not None and close(fitted, right)

    def proof(self, theirs: Expr, quantity: Expr, view: View, step: int) -> Proof:
        """Whether what stands on a sheet is the quantity, modulo the definitions of the cell."""
        key = (theirs, quantity, view, step)
        if key not in self.proofs:
            self.proofs[key] = self._prove(theirs, quantity, view, step)
        return self.proofs[key]

    def _prove(self, theirs: Expr, quantity: Expr, view: View, step: int) -> Proof:
        mentioned = frozenset(leaves(theirs, step, view.steps))
        errors = frozenset(key for key in mentioned if key[0].startswith("d") and key[0] not in self.cell.shapes)
        result = Proof(Status.AGREES)
        values = mentioned - errors
        named = {f"d{state}" for state in self.cell.states}
        upper = frozenset(
            key for key in mentioned if key in values or key[0] in named
        )  # errors written out, values not
        for opaque in dict.fromkeys((mentioned, upper, errors, frozenset())):
            result = decided(partial(self._claim, theirs, quantity, view, step, opaque))
            if result:
                break
        return result

    def _claim(
        self,
        theirs: Expr,
        quantity: Expr,
        view: View,
        step: int,
        opaque: frozenset[Key],
        arithmetic: MatrixArithmetic[Any],
        scalar: Any,
    ) -> Iterator[Entry]:
        world = World(
            self.derivation, arithmetic, scalar, steps=view.steps, one=view.one, opaque=opaque, zero=view.zero
        )
        right = world.read(quantity, step, arithmetic)
        given = world.read(theirs, step, Written(arithmetic, view.strict))
        fitted = fit(given, right, quantity, view)
        if fitted is None:
            raise ShapeError("the shapes differ")
        yield from same("", fitted, right)


def course_of(cell: Cell) -> Course:
    """What marking knows of a cell."""
    derivation = derive(cell)
    return Course(derivation, Vocabulary(derivation))


def small(name: str, seed: int, cell: Cell) -> float:
    """A number for a name, by the seed and the name alone: 0.2 to 0.9, of either sign unless declared positive."""
    point = Residues(seed)
    size = float(point.drawn(name).value) / PRIME * 0.7 + 0.2
    positive = name.partition("[")[0].partition("@")[0] in cell.positive
    return -size if point.drawn(f"sign of {name}").value % 2 and not positive else size


def fit(given: Matrix[Any], right: Matrix[Any], quantity: Expr, view: View) -> Matrix[Any] | None:
    """A value of a sheet turned as the derivation has it; None where its shape is another."""
    if len(right[0]) == 1 or len(right) == 1:  # a vector is a vector, standing or lying
        if (len(given), len(given[0])) == (len(right), len(right[0])):
            return given
        return _turned(given) if (len(given[0]), len(given)) == (len(right), len(right[0])) else None
    if _is_slope(quantity) and len(right) == len(right[0]) == len(given) and len(given[0]) == 1:
        zero = given[0][0] - given[0][0]  # a diagonal Jacobian, written as its diagonal
        return [[given[i][0] if i == j else zero for j in range(len(given))] for i in range(len(given))]
    if view.turns(right, quantity):
        given = _turned(given)
    return given if (len(given), len(given[0])) == (len(right), len(right[0])) else None


def _turned(a: Matrix[Any]) -> Matrix[Any]:
    return [list(column) for column in zip(*a, strict=True)]


def close(a: Matrix[float], b: Matrix[float]) -> bool:
    """Whether two values agree but for rounding."""
    if len(a) != len(b) or len(a[0]) != len(b[0]):
        return False
    return all(near(x, y) for p, q in zip(a, b, strict=True) for x, y in zip(p, q, strict=True))


def near(x: float, y: float) -> bool:
    return isfinite(x) and isfinite(y) and abs(x - y) <= CLOSE * max(abs(x), abs(y)) + 1e-13


def totals(values: Sequence[Matrix[float]]) -> Mapping[frozenset[int], Matrix[float]]:
    """The sum of every choice among a few values of one shape."""
    found: dict[frozenset[int], Matrix[float]] = {}
    for k, value in enumerate(values):
        for chosen, before in [(frozenset[int](), None), *found.items()]:
            joined = value if before is None else [[x + y for x, y in zip(p, q, strict=True)]
                                                   for p, q in zip(before, value, strict=True)]  # fmt: skip
            found[chosen | {k}] = joined
    return found
