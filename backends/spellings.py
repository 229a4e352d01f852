"""The right programs that one derivation stands for: how a library may spell and collect what is mathematically one.

A bound on rounding holds for a program. What is right may be written in more than one way, each with errors of its own,
and none of them may be accused: so a bound is taken over the spellings that are given here.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import count

from derivations.cell import Cell, Equation
from derivations.derive import ATOMS, atoms, contribution, derive, uses_in
from derivations.derive import partial as slope_by
from derivations.expression import (
    ONE,
    ZERO,
    Add,
    Call,
    Expr,
    Mul,
    Name,
    Neg,
    Num,
    Pow,
    children,
    names,
    negative,
    rewrite,
    substitute,
)
from derivations.program import Backward, backward_program


def spellings(program: Backward) -> tuple[Backward, ...]:
    """The program as it is, and one for each gate whose complement may be spelled otherwise; each use by use."""
    return _spellings(_Itself(program))


# --- the complement of a gate -------------------------------------------------------------------------------


def respelled(cell: Cell) -> Iterator[Cell]:
    """The same cell with the complement of one gate computed the other way, for each gate that has one.

    With z = sigmoid(a), 1 - z is sigmoid(-a). They are off by different amounts, 1 - z by a rounding of the larger of z
    and 1 - z, and sigmoid(-a) by one of itself; and a library's own differentiation takes from sigmoid(-a) the slope
    s*(1 - s) with s near 1, where 1 - s is all rounding. People write both.
    """
    arguments = {
        e.target: e.rhs.args[0] for e in cell.equations if isinstance(e.rhs, Call) and e.rhs.function == "sigmoid"
    }
    written = {gate: _flat(_written(cell, argument)) for gate, argument in arguments.items()}
    for gate, argument in arguments.items():
        complement = Add((ONE, Neg(Name(gate))))
        own = Equation(f"_not_{gate}", Call("sigmoid", (negative(argument),)))  # as no name of a cell is called
        named: dict[Expr, Expr] = dict.fromkeys((complement, Add((Neg(Name(gate)), ONE))), Name(own.target))
        yield from _after(cell, gate, named, own)
        opposite = _flat(negative(_written(cell, argument)))
        twins = [twin for twin in arguments if written[twin] == opposite]
        yield from _after(cell, gate, {cell.equation(twin).rhs: complement for twin in twins})
    yield from _inline(cell)


def _after(cell: Cell, gate: str, table: dict[Expr, Expr], defined: Equation | None = None) -> Iterator[Cell]:
    """The cell with a table of expressions replaced after a gate; none where that changes nothing.

    Args:
        defined: an equation to stand behind that of the gate.
    """
    place = cell.defined.index(gate) + 1
    after = tuple(replace(e, rhs=substitute(e.rhs, table)) for e in cell.equations[place:])
    if after != cell.equations[place:]:
        before = (*cell.equations[:place], *([defined] if defined else ()))
        read = {name for equation in after for name in names(equation.rhs)}
        kept = tuple(e for e in after if e.target in read or not e.auto)  # the argument of what is no longer called
        shapes = cell.shapes if defined is None else {**cell.shapes, defined.target: cell.shapes[gate]}
        yield replace(cell, equations=(*before, *kept), shapes=shapes, facts=())


def _written(cell: Cell, argument: Expr) -> Expr:
    """The argument of a gate as its user wrote it, where we have named it."""
    match argument:
        case Neg(inner):
            return negative(_written(cell, inner))
        case Name(id) if id in cell.defined and cell.equation(id).auto:
            return cell.equation(id).rhs
    return argument


def _flat(expr: Expr) -> Expr:
    """-(a + b) as -a - b."""
    match expr:
        case Neg(Add(terms)):
            return Add(tuple(map(negative, terms)))
    return expr


def _inline(cell: Cell) -> Iterator[Cell]:
    """The cell with every 1 - sigmoid(a) as sigmoid(-a)."""

    def rule(node: Expr) -> Expr | None:
        match node:
            case Add((Num(value), Neg(Call("sigmoid", (a,))))) | Add((Neg(Call("sigmoid", (a,))), Num(value))):
                return Call("sigmoid", (negative(a),)) if value == 1 else None
        return None

    equations = tuple(replace(e, rhs=rewrite(e.rhs, rule)) for e in cell.equations)
    if equations != cell.equations:
        yield replace(cell, equations=equations, facts=())


# --- the uses of a name ---------------------------------------------------------------------------------------


def use_by_use(program: Backward) -> Backward:
    """The same program where every adjoint is a sum of as many terms as there are uses of its name.

    A library may collect an adjoint use by use, and each addition rounds: of `h*x - h*x` the slope is zero, and what it
    adds and takes away again leaves its rounding. `h**3` is three uses of h: zero terms stand for the uses that a power
    joins. The slope 1 - h**2 may be spelled otherwise, too.
    """
    counts: Counter[str] = Counter()
    for equation in program.cell.equations:
        _count(equation.rhs, 1, counts)
    apart: dict[str, dict[Expr, tuple[Expr, ...]]] = {}
    for equation in program.cell.equations:
        for use in uses_in(equation):
            if len(each := slopes_apart(equation, use.atom)) > 1:
                terms = tuple(contribution(replace(use, slope=slope), program.cell) for slope in each)
                apart.setdefault(f"d{use.name}", {})[contribution(use, program.cell)] = terms

    def padded(id_: str, rhs: Expr) -> Expr:
        joined = rhs.terms if isinstance(rhs, Add) else (rhs,)
        found = [each for term in joined for each in apart.get(id_, {}).get(term, (term,))]
        terms = [in_any_spelling(term) for term in found]
        terms += [ZERO] * (counts[id_[1:]] - len(terms))
        return Add(tuple(terms)) if len(terms) > 1 else terms[0]

    return replace(program, adjoints=tuple((id_, padded(id_, rhs)) for id_, rhs in program.adjoints))


def slopes_apart(equation: Equation, atom: Expr) -> tuple[Expr, ...]:
    """The slope of a right-hand side through each place in which an atom stands, in reading order."""
    here = Name("_here")  # as no name of a cell is called

    def slope(number: int) -> Expr:
        place = count()

        def rule(node: Expr) -> Expr | None:
            if node == atom:
                return here if next(place) == number else node
            return node if isinstance(node, ATOMS) else None

        moved = rewrite(equation.rhs, rule)
        own = None if isinstance(moved, Add) else Name(equation.target)
        return substitute(slope_by(moved, here, own), {here: atom})

    return tuple(map(slope, range(sum(each == atom for each in atoms(equation.rhs)))))


def in_any_spelling(slope: Expr) -> Expr:
    """A slope as it may be off where 1 - y**2 is computed as (1 - y)*(1 + y), which is rounded twice more."""

    def rule(node: Expr) -> Expr | None:
        match node:
            case Add((Num(), Neg(Pow(_, 2)))):
                return Mul((node, ONE, ONE))
        return None

    return rewrite(slope, rule)


def _count(expr: Expr, times: int, uses: Counter[str]) -> None:
    if isinstance(expr, Name):
        uses[expr.id] += times
    for child in children(expr):
        _count(child, times * expr.exponent if isinstance(expr, Pow) else times, uses)


class _Itself:
    """A program told apart from others by being itself."""

    def __init__(self, program: Backward) -> None:
        self.program = program

    def __hash__(self) -> int:
        return id(self.program)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other.program is self.program


@lru_cache(maxsize=16)
def _spellings(program: _Itself) -> tuple[Backward, ...]:
    others = [backward_program(derive(cell)) for cell in respelled(program.program.cell)]
    return tuple(map(use_by_use, (program.program, *others)))
