"""A cell's names written out in components, with small sizes that are all different."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import product as combinations
from typing import Any

from derivations.cell import Cell, Equation, Shape
from derivations.duals import Duals
from derivations.expression import ZERO, Add, Adjoint, Expr, Name, Ones, Part, Size, evaluate, names, walk
from derivations.matrices import Matrix, MatrixArithmetic
from derivations.shapes import LETTERS

SIZES = {letter: size for size, letter in enumerate(("n", "m", *LETTERS[1:]), 2)}


@cache
def size(shape: Shape) -> tuple[int, int]:
    """The rows and columns in which a name is written out."""
    rows = [sum(_extent(letter) for letter in dim.split("+")) for dim in shape]
    return (rows[0] if rows else 1, rows[1] if len(rows) > 1 else 1)


def _extent(letter: str) -> int:
    return SIZES[letter] if letter in SIZES else len(SIZES) + 1 + int(letter[1:])  # d1, d2, ... come next


def matrix(id_: str, shape: Shape, scalar: Callable[[str], Any], *, one: bool = False) -> Matrix[Any]:
    """A name as a matrix of scalars, `f[0,0]` and so on; 1x1 if `one`."""
    rows, columns = (1, 1) if one else size(shape)
    return [[scalar(f"{id_}[{i},{j}]") for j in range(columns)] for i in range(rows)]


def opaque(
    cell: Cell, scalar: Callable[[str], Any], *, one: bool = False, of: Iterable[Expr] | None = None
) -> dict[str, Matrix[Any]]:
    """Every name and every adjoint as a matrix of unknowns.

    Args:
        one: in the scalar view, 1x1.
        of: only the names that these expressions speak of.
    """
    known = cell.shapes if of is None else _mentioned(of) & cell.shapes.keys()
    ids = {form.format(name): cell.shapes[name] for name in known for form in ("{}", "d{}", "d{}_out", "d{}_next")}
    return {id_: matrix(id_, shape, scalar, one=one) for id_, shape in ids.items()}


def _mentioned(exprs: Iterable[Expr]) -> set[str]:
    found: set[str] = set()
    for node in (node for expr in exprs for node in walk(expr)):
        match node:
            case Name(name) | Adjoint(of=name) | Size(name) | Ones(name):
                found.add(name)
            case Part(_, group, _):
                found.update(group)
    return found


def reading(equation: Equation, name: str) -> Equation:
    """An equation with only those terms of its sum that read a name: the slope of the others is zero.

    One term that is left stays a sum: it is not the target, and its slope is not to be written in the target's name.
    """
    if not isinstance(equation.rhs, Add):
        return equation
    terms = tuple(term for term in equation.rhs.terms if name in names(term))
    return replace(equation, rhs=Add(terms) if terms else ZERO)


def columns(
    equation: Equation, wrt: str, values: Mapping[str, Matrix[Any]], arithmetic: MatrixArithmetic[Any]
) -> Iterator[tuple[int, int, Matrix[Any]]]:
    """For every entry (row, column) of `wrt`, the derivative of the whole target by forward mode."""
    duals, rhs = Duals(arithmetic), reading(equation, wrt).rhs
    read = {name: duals.constant(values[name]) for name in _mentioned((rhs,))}
    for row, column in combinations(*(range(extent) for extent in arithmetic.shape(values[wrt]))):
        moved = {**read, wrt: duals.seeded(values[wrt], row, column)}
        slopes = duals.slopes(evaluate(rhs, moved, duals))
        yield row, column, arithmetic.spread(slopes, values[equation.target])


def defined(
    cell: Cell, targets: Collection[str], values: dict[str, Matrix[Any]], arithmetic: MatrixArithmetic[Any]
) -> dict[str, Matrix[Any]]:
    """The values with these targets written out by their equations, so that f and sigmoid(a_f) are one."""
    here = dict(values)
    for equation in cell.equations:
        if equation.target in targets:
            here[equation.target] = arithmetic.spread(evaluate(equation.rhs, here, arithmetic), values[equation.target])
    return here
