"""What SymPy finds, against what we derived: its derivative of an equation, and of a whole step inlined."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from functools import cache, partial
from itertools import islice
from itertools import product as combinations
from typing import Any

import sympy

from derivations.algebra import Algebra, Ratio, TooLarge, constant, indeterminate, limited
from derivations.cell import Equation
from derivations.derive import ATOMS, Derivation, atoms, entries
from derivations.equality import POINTS, Proof, Status, drawn, weakest
from derivations.expression import (
    Add,
    Adjoint,
    Call,
    Detach,
    Div,
    Expr,
    Name,
    Num,
    Pow,
    children,
    evaluate,
    rewrite,
    substitute,
    walk,
)
from derivations.functions import FUNCTIONS
from derivations.over_time import over_time
from derivations.precise import CONTEXT, Precise, differ
from derivations.program import backward_program
from derivations.symbolic import symbol, to_sympy

MOST_REGIONS = 81
MOST_OPERATIONS = 6_000

Region = Callable[[Expr], Expr]
Place = tuple[Expr, ...]  # what decides a region: a value and a threshold, or a value and two bounds


def from_sympy(expr: sympy.Expr, algebra: Algebra) -> Ratio:
    """A SymPy expression as a ratio of polynomials; a square root is an indeterminate, like any function.

    Raises:
        TooLarge: the polynomials outgrow their limit.
        ValueError: the expression is no real number, such as 1/0 or the root of -1.
    """

    def convert(node: sympy.Expr) -> Ratio:
        if node.is_Rational:
            return constant(Fraction(int(node.p), int(node.q)))
        if node.is_Symbol:
            return indeterminate(node.name)
        if node.is_Add:
            return algebra.add([[[convert(arg)]] for arg in node.args])[0][0]
        if node.is_Mul:
            return algebra.multiply([[[convert(arg)]] for arg in node.args])[0][0]
        if node.is_Pow and node.exp.is_Rational and node.exp.q in (1, 2):
            base = convert(node.base)
            root = base if node.exp.q == 1 else algebra.apply("sqrt", (base,))
            return root.to_the(int(node.exp.p))
        if node is sympy.E:
            return algebra.apply("exp", (constant(Fraction(1)),))
        if node.is_Function:
            return algebra.apply(node.func.__name__, tuple(convert(arg) for arg in node.args))
        raise ValueError(f"{node} is outside what a proof reads")

    return convert(expr)


def equal(ours: sympy.Expr, theirs: sympy.Expr, what: str) -> Proof:
    """Whether two SymPy expressions are equal, decided among ratios of polynomials."""
    algebra = Algebra()
    try:
        with limited():
            same = algebra.equal(from_sympy(ours, algebra), from_sympy(theirs, algebra))
    except TooLarge:
        return Proof(Status.AGREES)
    except (ValueError, ZeroDivisionError) as error:
        return Proof(Status.REFUTED, f"{what}: {error}")
    return Proof(Status.PROVED) if same else Proof(Status.REFUTED, f"{what}: SymPy finds {theirs}")


def slope_proof(slope: Expr, equation: Equation, atom: Expr) -> Proof:
    """`slope` against SymPy's derivative of an equation by one atom.

    Equations that are one but for their names (the gates of a cell) are proved once.
    """
    order = dict.fromkeys((*atoms(equation.rhs), *atoms(slope), atom))
    names: dict[Expr, Expr] = {node: Name(f"_{k}") for k, node in enumerate(order) if node != Name(equation.target)}
    names[Name(equation.target)] = Name("_own")
    if _proved_once(substitute(slope, names), substitute(equation.rhs, names), names[atom]):
        return Proof(Status.PROVED)
    return _slope_proof(slope, equation, atom)


@cache
def _proved_once(slope: Expr, rhs: Expr, atom: Expr) -> bool:
    return bool(_slope_proof(slope, Equation("_own", rhs), atom))


def _slope_proof(slope: Expr, equation: Equation, atom: Expr) -> Proof:
    """`slope` against SymPy's derivative of an equation by one atom, in each region between its kinks.

    Functions are spelled out in exp, log and sqrt, so that the rows of `functions.py` are proved with it.
    """
    rhs = equation.rhs
    kept = [node for node in walk(rhs) if isinstance(node, ATOMS) and not isinstance(node, Name)]
    stands: dict[Expr, sympy.Expr] = {node: symbol(f"_{k}") for k, node in enumerate(kept)}
    stands[atom] = unknown = symbol("_unknown")  # as no name of a cell is called

    def read(expr: Expr) -> sympy.Expr:
        return to_sympy(expr, spelled_out=True, atoms=stands)

    whole = substitute(slope, {Name(equation.target): rhs})
    choices = tuple(islice(regions(rhs, atom), MOST_REGIONS + 1))
    if len(choices) > MOST_REGIONS:
        return _by_differences(whole, rhs, atom, f"d{equation.target}")
    found = []
    for region in choices:
        ours, here = region(whole), region(rhs)
        try:
            proof = equal(read(ours), sympy.diff(read(here), unknown), f"d{equation.target}")
        except RecursionError:  # SymPy takes some ten calls for each operation within an operation
            proof = Proof(Status.AGREES, f"d{equation.target}")
        found.append(proof or _by_differences(ours, here, atom, proof.where))
    return weakest(found)


def _by_differences(slope: Expr, rhs: Expr, atom: Expr, said: str) -> Proof:
    """A slope against central differences with 60 digits at random points; refuted, and `said` why, or not proved."""
    names = {node: Name(f"_{k}") for k, node in enumerate(dict.fromkeys((atom, *atoms(rhs), *atoms(slope))))}
    step, moved = CONTEXT.mpf(10) ** -20, names[atom].id
    slope, rhs = substitute(slope, names), substitute(rhs, names)
    for seed in range(POINTS):
        here = {name.id: [[drawn(name.id, seed)]] for name in names.values()}

        def at(by: Any, here: dict[str, Any] = here) -> Any:
            return evaluate(rhs, {**here, moved: [[here[moved][0][0] + by]]}, Precise())[0][0]

        try:
            if differ(evaluate(slope, here, Precise())[0][0], (at(step) - at(-step)) / (2 * step)):
                return Proof(Status.REFUTED, said)
        except ZeroDivisionError:
            continue
    return Proof(Status.AGREES)


def regions(expr: Expr, atom: Expr) -> Iterator[Region]:
    """For every region between the kinks that `atom` crosses, the rewriting that puts their pieces in place.

    Functions that compare the same values share their region: where relu(a) is a, its slope is 1.
    """
    places: list[Place] = []
    for node in walk(expr):
        if isinstance(node, Call) and FUNCTIONS[node.function].pieces and atom in node.args:
            place = _place(node)
            if place not in places and place[::-1] not in places and not _tie(place):
                places.append(place)
    for choice in combinations(*(range(len(place)) for place in places)):
        yield _pieces(dict(zip(places, choice, strict=True)))


def _pieces(chosen: Mapping[Place, int]) -> Region:
    """The rewriting that puts the chosen piece of every kinked function in its place."""

    def piece(node: Expr) -> Expr | None:
        if not isinstance(node, Call) or not FUNCTIONS[node.function].pieces:
            return None
        row, place = FUNCTIONS[node.function], _place(node)
        here: dict[Expr, Expr] = dict(zip(row.args, node.args, strict=True))
        if _tie(place):
            return substitute(Div(Add(row.pieces), Num(Fraction(2))), here)
        if place in chosen:
            index = chosen[place]
        elif len(place) == 2 and place[::-1] in chosen:  # the same pair, the other way round
            index = 1 - chosen[place[::-1]]
        else:
            return None
        return substitute(row.pieces[index], here)

    return partial(rewrite, rule=piece)


def _tie(place: Place) -> bool:
    """Whether a value is compared with itself, as in max(x, x): there is no region, and each piece counts one half."""
    return len(place) == 2 and place[0] == place[1]


def _place(node: Call) -> Place:
    row = FUNCTIONS[node.function]
    here: dict[Expr, Expr] = dict(zip(row.args, node.args, strict=True))
    return tuple(substitute(compared, here) for compared in row.compared)


def whole_step(derivation: Derivation) -> Mapping[str, Proof]:
    """The adjoint of every leaf with all names substituted, against `sympy.diff` of the inlined step.

    The objective is the sum of the states and outputs, each times its own cotangent, in the scalar view. A
    step that is too long to be inlined is run at random points modulo a prime.

    Raises:
        ValueError: vectors are stacked, which has no scalar view.
    """
    cell = derivation.cell
    leaves = (*cell.previous, *cell.inputs, *cell.parameters)
    if _inlined_size(derivation, leaves) <= MOST_OPERATIONS:
        with suppress(RecursionError):
            inlined, objective = _inlined(derivation)
            slopes = {leaf: sympy.diff(objective, symbol(leaf)) for leaf in leaves}
            return {leaf: equal(inlined[f"d{leaf}"], slopes[leaf], f"d{leaf}") for leaf in leaves}
    return dict.fromkeys(leaves, _at_points(derivation))


def _inlined(derivation: Derivation) -> tuple[dict[str, sympy.Expr], sympy.Expr]:
    """Every value and adjoint of a step in its leaves, and the objective."""
    cell = derivation.cell
    inlined: dict[str, sympy.Expr] = {}

    def look(id_: str) -> sympy.Expr:
        return inlined.get(id_, symbol(id_))

    for step in (*derivation.definitions, *derivation.adjoints):
        assert isinstance(step.lhs, (Name, Adjoint))
        detached = (node for node in walk(step.rhs) if isinstance(node, Detach))
        held: dict[Expr, sympy.Expr] = {node: _Held(to_sympy(node, lookup=look)) for node in detached}
        inlined[step.lhs.id] = to_sympy(step.rhs, lookup=look, atoms=held)
    weighted = (
        symbol(term.expr.id) * inlined[name]
        for name in cell.defined
        for term in entries(cell, name)
        if isinstance(term.expr, Adjoint)
    )
    return inlined, sympy.Add(*weighted)


class _Held(sympy.Function):
    """A value that is held constant: it has no derivative."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.Integer(0)


def _inlined_size(derivation: Derivation, leaves: Iterable[str]) -> int:
    """The size of the adjoints of all leaves, once names are substituted and powers written out."""
    sizes: dict[str, int] = {}

    def size(expr: Expr) -> int:
        match expr:
            case Name(id) | Adjoint(id=id):
                return sizes.get(id, 1)
            case Pow(base, exponent):
                return max(exponent, 1) * size(base)
        return 1 + sum(map(size, children(expr)))

    for step in (*derivation.definitions, *derivation.adjoints):
        assert isinstance(step.lhs, (Name, Adjoint))
        sizes[step.lhs.id] = size(step.rhs)
    return sum(sizes[f"d{leaf}"] for leaf in leaves)


def _at_points(derivation: Derivation) -> Proof:
    program = backward_program(derivation)
    found = (over_time(program, steps=1, seed=seed) for seed in range(POINTS))
    return next((proof for proof in found if not proof), Proof(Status.AGREES))
