"""The quantities of a cell over a few steps, evaluated on demand in any arithmetic.

A quantity is an expression in the names of the derivation: `f`, `da_f`, `dc_next`, a `Shift` of one to another
step, the sum over time of a parameter's gradient, a derivative of one name by another. Its value at a step
follows from the equations; what the equations need from outside (inputs, parameters, initial states, cotangents)
is asked of `scalar`, entry by entry. A quantity that is named `opaque` is asked for as well: a proof that holds
for it as an unknown holds for its value.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from derivations.algebra import Ratio, TooLarge
from derivations.components import defined as written_out
from derivations.components import matrix
from derivations.derive import Derivation
from derivations.duals import Duals
from derivations.expression import (
    Adjoint,
    Derivative,
    Expr,
    Name,
    Reduce,
    Shift,
    TimeSum,
    Total,
    Transpose,
    children,
    evaluate,
    rewrite,
    walk,
)
from derivations.matrices import Matrix, MatrixArithmetic, ShapeError

MOST_TERMS = 20_000
STEPS = 4  # before, now, after, and one more after that
NOW = 2
NEVER = 0  # the step of what has none: `("b_h", NEVER)` among what is zero is a cell without that bias
ROWS = "rows "  # `Reduce("rows -2:", (v,))` is the last two rows of v
HEIGHT = "height:"  # `Part(v, ("height:2", "height:3"), 1)` is three rows of v, after the first two
OVER_TIME = "over time"  # the kind of a derivative through all steps
Key = tuple[str, int]  # the id of a quantity, and a step from 1 to STEPS


class Unnamed(KeyError):
    """A name that is no quantity of the cell at that step."""


# what is raised where an expression has no value: a name that is none, shapes that do not fit, numbers out of range
NO_VALUE = (KeyError, ValueError, TypeError, ArithmeticError)


class World:
    """Every quantity of a cell at steps 1 to `steps`.

    Args:
        scalar: one entry of what comes from outside, by its name.
        one: in the scalar view.
        opaque: quantities that stand for themselves.
        zero: what comes from outside and is zero: an initial state (`("h", 0)`), a final cotangent
            (`("dh_next", steps)`).
    """

    def __init__(
        self,
        derivation: Derivation,
        arithmetic: MatrixArithmetic[Any],
        scalar: Callable[[str], Any],
        *,
        steps: int = STEPS,
        one: bool = False,
        opaque: Collection[Key] = (),
        zero: Collection[Key] = (),
    ) -> None:
        self.derivation, self.cell = derivation, derivation.cell
        self.arithmetic, self.scalar = arithmetic, scalar
        self.steps, self.one = steps, one
        self.opaque, self.zero = frozenset(opaque), frozenset(zero)
        self._known: dict[Key, Matrix[Any]] = {}
        self._terms = 0

    def value(self, expr: Expr, step: int = NOW) -> Matrix[Any]:
        """The value of a quantity at a step.

        Raises:
            Unnamed: a name in it is no quantity of the cell.
            ShapeError: it has no value in this view.
        """
        match expr:
            case Shift(arg, by):
                return self.value(arg, step + by)
            case Transpose(arg):
                return self.arithmetic.transpose(self.value(arg, step))
            case Total(of):
                return self.value(TimeSum(Adjoint(of)), step)
            case TimeSum(arg):
                return self.arithmetic.add([self.value(arg, s) for s in range(1, self.steps + 1)])
            case Derivative(of, wrt, kind):
                return self.derivative(of, wrt, kind, step)
        return evaluate(on_leaves(expr), _At(self, step), self.arithmetic)

    def read(self, expr: Expr, step: int, arithmetic: MatrixArithmetic[Any]) -> Matrix[Any]:
        """The value of any expression in quantities, put together by the rules of another arithmetic."""
        views: dict[str, Matrix[Any]] = {}

        def rule(node: Expr) -> Expr | None:
            match node:
                case TimeSum(arg):
                    found = arithmetic.add([self.read(arg, s, arithmetic) for s in range(1, self.steps + 1)])
                case Reduce("down", (arg,)):  # as NumPy sums along its first axis
                    found = [[_sum(column) for column in zip(*self.read(arg, step, arithmetic), strict=True)]]
                case Reduce("across", (arg,)):
                    found = [[_sum(row)] for row in self.read(arg, step, arithmetic)]
                case Reduce(kind, (arg,)) if kind.startswith(ROWS):  # as NumPy cuts, also from the end
                    start, stop = (int(end) if end else None for end in kind.removeprefix(ROWS).split(":"))
                    found = self.read(arg, step, arithmetic)[start:stop]
                    if not found:
                        raise ShapeError("a part of nothing")
                case Total() | Derivative():
                    found = self.value(node, step)
                case Shift(arg, by) if any(_is_view(n) for n in walk(arg)):
                    found = self.read(arg, step + by, arithmetic)
                case _:
                    return None
            views[f"view {len(views)}"] = found
            return Name(f"view {len(views) - 1}")

        plain = rewrite(expr, rule)
        return evaluate(on_leaves(plain), _At(self, step, views), arithmetic)

    def named(self, id_: str, step: int) -> Matrix[Any]:
        """The value of a leaf by its id: `f`, `df`, `dc_next`, `dh_out`."""
        key = (id_, step)
        if key not in self._known:
            found = self._find(id_, step)
            self._weigh(found)
            self._known[key] = found
        return self._known[key]

    def _weigh(self, value: Matrix[Any]) -> None:
        """Polynomials that grow beyond what a proof may take end it.

        Raises:
            TooLarge: in exact arithmetic, when all that was worked out has too many terms.
        """
        if value and isinstance(value[0][0], Ratio):
            self._terms += sum(len(entry.above) + len(entry.below) for row in value for entry in row)
            if self._terms > MOST_TERMS:
                raise TooLarge

    def _find(self, id_: str, step: int) -> Matrix[Any]:
        cell, key = self.cell, (id_, step)
        if id_.startswith(HEIGHT):
            return [[self.arithmetic.scalar(Fraction(0))]] * int(id_.removeprefix(HEIGHT))
        if id_ in cell.parameters:
            return self._nothing(id_) if (id_, NEVER) in self.zero else self._outside(id_, id_)
        if id_ in cell.previous:
            return self.named(cell.states[cell.previous.index(id_)], step - 1)
        if id_ in cell.defined:
            if key in self.zero:
                return self._nothing(id_)
            if key in self.opaque or not 1 <= step <= self.steps:
                return self._outside(f"{id_}@{step}", id_)
            rhs = cell.equation(id_).rhs
            return self._spread(evaluate(rhs, _At(self, step), self.arithmetic), id_)
        if id_ in cell.inputs or id_ in cell.targets:
            return self._outside(f"{id_}@{step}", id_)
        of = id_[1:] if id_.startswith("d") else ""
        for state in cell.states:
            if id_ == f"d{state}_next":
                if key in self.zero:
                    return self._nothing(state)
                if step < self.steps and key not in self.opaque:
                    return self.named(f"d{state}_prev", step + 1)
                # what is carried to step t is the adjoint of s_prev at step t+1: one unknown, one name
                return self._outside(f"d{state}_prev@{step + 1}", state)
            if id_ == f"d{state}_prev" and key in self.opaque:
                return self._outside(f"{id_}@{step}", state)
        for name in cell.seeded:
            if id_ == f"d{name}_out":
                if key in self.zero:
                    return self._nothing(name)
                return self._outside(f"{id_}@{step}", name)
        if of in cell.shapes and of in self.derivation.adjoint_of:
            if key in self.opaque or not 1 <= step <= self.steps:
                return self._outside(f"{id_}@{step}", of)
            rhs = self.derivation.adjoint_of[of].rhs
            return self._spread(evaluate(rhs, _At(self, step), self.arithmetic), of)
        raise Unnamed(id_)

    def derivative(self, of: str, wrt: str, kind: str, step: int) -> Matrix[Any]:
        """d(of)/d(wrt), a row for every entry of `of`.

        It is through one equation where `kind` is "local", within the step where it is "total", and through all steps
        since the initial state where it is "over time".
        """
        cell = self.cell
        if any(len(cell.shapes[name]) > 1 for name in (of, wrt)) and not self.one:
            raise ShapeError(f"d{of}/d{wrt} has more than two indices")
        duals = Duals(self.arithmetic)
        names = (*cell.defined, *cell.leaves)
        here = {name: self.named(name, step) for name in names}
        if wrt not in here or of not in here:
            raise Unnamed(f"d{of}/d{wrt}")
        columns = []
        for row in range(len(here[wrt])):
            moving = {name: duals.constant(value) for name, value in here.items()}
            moving[wrt] = duals.seeded(here[wrt], row, 0)
            if kind == "local":
                moved = evaluate(cell.equation(of).rhs, moving, duals)
            elif kind == OVER_TIME:
                moved = self._moved_over_time(of, wrt, row, step, duals)
            else:
                after = cell.defined.index(wrt) + 1 if wrt in cell.defined else 0
                moved = written_out(cell, cell.defined[after:], moving, duals)[of]
            slope = self.arithmetic.spread(duals.slopes(moved), here[of])
            columns.append([line[0] for line in slope])
        return [list(row) for row in zip(*columns, strict=True)]

    def _moved_over_time(self, of: str, wrt: str, row: int, step: int, duals: Duals[Any]) -> Any:
        """What a quantity is at a step as one entry of a parameter moves at all steps up to it."""
        cell = self.cell
        before = {name: duals.constant(self.named(name, 1)) for name in cell.previous}
        moved: dict[str, Any] = {}
        for s in range(1, step + 1):
            here = {name: self.named(name, s) for name in (*cell.defined, *cell.leaves)}
            moving = {name: duals.constant(value) for name, value in here.items()} | before
            moving[wrt] = duals.seeded(here[wrt], row, 0)
            moved = written_out(cell, cell.defined, moving, duals)
            before = {name: moved[state] for name, state in zip(cell.previous, cell.states, strict=True)}
        return moved[of]

    def _outside(self, name: str, like: str) -> Matrix[Any]:
        return matrix(name, self.cell.shapes[like], self.scalar, one=self.one)

    def _nothing(self, like: str) -> Matrix[Any]:
        nothing = self.arithmetic.scalar(Fraction(0))
        return [[nothing for _ in row] for row in matrix("0", self.cell.shapes[like], str, one=self.one)]

    def _spread(self, value: Matrix[Any], like: str) -> Matrix[Any]:
        return self.arithmetic.spread(value, matrix("0", self.cell.shapes[like], str, one=self.one))


class _At(Mapping[str, Matrix[Any]]):
    """The world at one step, by id; `f@+1` is f a step later."""

    def __init__(self, world: World, step: int, views: Mapping[str, Matrix[Any]] | None = None) -> None:
        self.world, self.step, self.views = world, step, views or {}

    def __getitem__(self, id_: str) -> Matrix[Any]:
        if id_ in self.views:
            return self.views[id_]
        name, _, by = id_.partition("@")
        return self.world.named(name, self.step + int(by or 0))

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _is_view(node: Expr) -> bool:
    return isinstance(node, (Total, Derivative, TimeSum)) or (
        isinstance(node, Reduce) and (node.kind in ("down", "across") or node.kind.startswith(ROWS))
    )


def _sum(entries: Iterable[Any]) -> Any:
    first, *others = entries
    for entry in others:
        first = first + entry
    return first


def on_leaves(expr: Expr, by: int = 0) -> Expr:
    """The expression with every shift on the names that it is of, as `f@+1`."""
    if not by and not any(isinstance(node, Shift) for node in walk(expr)):
        return expr

    def rule(node: Expr) -> Expr | None:
        match node:
            case Shift(arg, more):
                return on_leaves(arg, by + more)
            case Name(id_) | Adjoint(id=id_) if by:
                return Name(f"{id_}@{by:+d}")
        return None

    return rewrite(expr, rule)


def leaves(expr: Expr, step: int = NOW, steps: int = STEPS) -> Iterator[Key]:
    """The quantities that an expression speaks of, each with its step."""
    waiting: list[tuple[Expr, int, bool]] = [(expr, step, False)]
    while waiting:
        node, here, always = waiting.pop()
        match node:
            case Name(id_) | Adjoint(id=id_):
                yield from ((id_, s) for s in (range(1, steps + 1) if always else (here,)))
            case Total(of):
                yield from ((f"d{of}", s) for s in range(1, steps + 1))
        more = node.by if isinstance(node, Shift) else 0
        always = always or isinstance(node, TimeSum)
        waiting.extend((child, here + more, always) for child in children(node))
