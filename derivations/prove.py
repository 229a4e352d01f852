"""Each step of a derivation proved again, by other means than those that made it.

Definition: with our names substituted back, it is the equation that the user wrote.
Local partial: SymPy differentiates the equation, its functions spelled out in exp, log and sqrt; and the
    Jacobian is compared, entry by entry, with forward mode on the equation in components.
Adjoint: in components, d(name)_i is what enters from outside and the sum over every consumer entry j of
    d(consumer)_j times the derivative of consumer_j by name_i, found by forward mode.
Recurrence: `s_prev` at t+1 is `s` at t, and a parameter is one at every step.

Sizes are small and all different, so that a transposition cannot hide. Equality is decided among ratios of
polynomials; where those outgrow their limit, residues modulo a prime refute, or agree without proving.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import product as combinations
from typing import Any

from derivations.cell import Cell, prev
from derivations.components import columns, defined, opaque, reading
from derivations.derive import Derivation, Rule, Step, Use, entries, jacobian, stand_apart, uses_in
from derivations.equality import Claim, Entry, Proof, Status, decided, same, weakest
from derivations.expression import (
    ONE,
    ZERO,
    Adjoint,
    Derivative,
    Detach,
    Expr,
    MatMul,
    Mul,
    Name,
    Outer,
    Part,
    Reduce,
    Shift,
    Stack,
    TimeSum,
    Total,
    Transpose,
    children,
    evaluate,
    names,
    rebuild,
    rewrite,
    substitute,
    total,
    walk,
)
from derivations.matrices import Matrix, MatrixArithmetic


def prove(step: Step, derivation: Derivation) -> Proof:
    """The step proved again alone, against the cell's equations."""
    cell = derivation.cell
    match step.rule, step.lhs:
        case Rule.DEFINITION, Name(step.of) if step.of in cell.defined:
            return _definition(step, cell)
        case Rule.PARTIAL, Derivative(step.of, step.wrt) if step.of in cell.defined:
            return _partial(step, cell)
        case Rule.ADJOINT, Adjoint(step.wrt, "") if step.wrt in cell.shapes:
            return decided(_adjoint_claim(step, cell))
        case Rule.RECURRENCE, _:
            return _recurrence(step, cell)
    return Proof(Status.REFUTED, f"{step.lhs} is not what a {step.rule.value} of this cell defines")


def prove_all(derivation: Derivation) -> tuple[Proof, ...]:
    """One proof a step, in their order."""
    return tuple(prove(step, derivation) for step in derivation.steps)


def equal(left: Expr, right: Expr, cell: Cell, given: Mapping[str, Expr] | None = None) -> Proof:
    """Whether two expressions in the cell's names are equal in every entry; `given` defines some of them."""

    def claim(arithmetic: MatrixArithmetic[Any], scalar: Callable[[str], Any]) -> Iterator[Entry]:
        values = opaque(cell, scalar)
        for name, expr in (given or {}).items():
            values[name] = arithmetic.spread(evaluate(expr, values, arithmetic), values[name])
        yield from same("", evaluate(left, values, arithmetic), evaluate(right, values, arithmetic))

    return decided(claim)


def _definition(step: Step, cell: Cell) -> Proof:
    own: Mapping[Expr, Expr] = {Name(e.target): e.rhs for e in cell.equations if e.auto}

    def back(expr: Expr) -> Expr:
        """Our names replaced by what they name, until none is left."""
        while any(node in own for node in walk(expr)):
            expr = substitute(expr, own)
        return expr

    if cell.equation(step.of).rhs != step.rhs:
        return Proof(Status.REFUTED, step.of)
    written = next((e.rhs for e in cell.written if e.target == step.of), None)
    if written is None or back(step.rhs) == written:
        return Proof(Status.PROVED)
    return equal(back(step.rhs), _rows_turned(written, cell), cell)  # `v @ W` became `W.T @ v`


def _rows_turned(expr: Expr, cell: Cell) -> Expr:
    """`v @ W` as a row times a matrix, turned: (v.T @ W).T, since every vector here is a column."""

    def is_vector(node: Expr) -> bool:
        match node:
            case Name(id):
                return len(cell.shapes[id]) == 1
            case MatMul() | Stack():
                return True
            case Reduce() | Outer() | Transpose():
                return False
        return any(map(is_vector, children(node)))

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, MatMul) and is_vector(node.left):
            return Transpose(MatMul(Transpose(rewrite(node.left, rule)), rewrite(node.right, rule)))
        return None

    return rewrite(expr, rule)


def _partial(step: Step, cell: Cell) -> Proof:
    from derivations.by_sympy import slope_proof  # SymPy loads when a proof asks for it

    equation = reading(cell.equation(step.of), step.wrt)
    parallel = [use for use in uses_in(equation) if use.name == step.wrt]
    apart = bool(parallel) and stand_apart(parallel[0], cell)
    if apart:  # each use is a step of its own
        parallel = [use for use in parallel if jacobian(use, cell) == step.rhs]
    if not parallel:
        return Proof(Status.REFUTED, f"d{step.of}/d{step.wrt}")
    # A matrix that a reduction of a vector scales has a partial with three indices: its slope says all that there is.
    three = [use for use in parallel if len(cell.shapes[step.of]) == 2 and isinstance(use.atom, Reduce)]
    shown = [use for use in (parallel if apart else parallel[:1]) if use not in three]
    claims = [_jacobian_claim(step, cell, use) for use in shown]
    by_hand = (decided(claim) for claim in claims)
    return weakest((*by_hand, *(slope_proof(use.slope, equation, use.atom) for use in parallel)))


MOVED = "_moved"  # no name of a cell starts with an underscore
Reader = Callable[[int, int, int, int], Any]


def _jacobian_claim(step: Step, cell: Cell, use: Use) -> Claim:
    """Every entry of d(of)/d(wrt), through all uses or through one that stands apart."""
    equation, moved = cell.equation(step.of), step.wrt
    if stand_apart(use, cell):
        equation, moved = replace(equation, rhs=_alone(use)), MOVED

    def claim(arithmetic: MatrixArithmetic[Any], scalar: Callable[[str], Any]) -> Iterator[Entry]:
        values = _spelled_out(cell, (step.of,), (step.rhs, equation.rhs, Name(step.wrt)), scalar, arithmetic)
        values[MOVED] = values[step.wrt]
        entry = _reader(step, cell, use, values, arithmetic)
        for p, q, column in columns(equation, moved, values, arithmetic):
            for i, j in combinations(range(len(column)), range(len(column[0]))):
                yield f"d{step.of}[{i},{j}]/d{step.wrt}[{p},{q}]", entry(i, j, p, q), column[i][j]

    return claim


def _spelled_out(
    cell: Cell,
    targets: Collection[str],
    exprs: Iterable[Expr],
    scalar: Callable[[str], Any],
    arithmetic: MatrixArithmetic[Any],
) -> dict[str, Matrix[Any]]:
    """The values that expressions speak of, with those targets written out that the first of them names."""
    first, *others = exprs
    named = [target for target in targets if target in names(first)]
    spoken = (first, *others, *map(Name, targets), *(cell.equation(target).rhs for target in named))
    return defined(cell, named, opaque(cell, scalar, of=spoken), arithmetic)


def _alone(use: Use) -> Expr:
    """The part of an equation through which one use moves the target; all else in it is held constant."""
    parts = children(use.atom) or (use.atom,)
    moving = substitute(parts[use.slot], {Name(use.name): Name(MOVED)})
    if children(use.atom):
        moving = rebuild(use.atom, (*parts[: use.slot], moving, *parts[use.slot + 1 :]))
    return moving if use.slope == ONE else Mul((Detach(use.slope), moving))


def _reader(
    step: Step, cell: Cell, use: Use, values: Mapping[str, Matrix[Any]], arithmetic: MatrixArithmetic[Any]
) -> Reader:
    """How a local partial is read, as `derive.jacobian` writes it: its entry d(of)_ij / d(wrt)_pq."""
    zero, one = arithmetic.scalar(Fraction(0)), arithmetic.scalar(Fraction(1))
    if isinstance(step.rhs, Stack):  # 1 stands for an identity block, 0 for a block of zeros
        heights = [len(values[part.id]) for part in children(use.atom) if isinstance(part, Name)]
        start = sum(heights[: use.slot])
        return lambda i, j, p, q: one if i == start + p else zero
    if isinstance(use.atom, Part):  # the same, lying down
        before = sum(len(values[name]) for name in use.atom.of[: use.atom.index])
        return lambda i, j, p, q: one if before + i == p else zero
    ours = evaluate(step.rhs, values, arithmetic)
    rows, width = arithmetic.shape(ours)

    def at(i: int, j: int) -> Any:
        return ours[i if rows > 1 else 0][j if width > 1 else 0]

    def of_matrix(i: int, j: int, p: int, q: int) -> Any:
        """a_i = W_iq v_q, or W_pi v_p where W is transposed; the slope of a_i may stand in front."""
        row, column = (q, p) if isinstance(children(use.atom)[0], Transpose) else (p, q)
        return zero if i != row else at(i, column) if width > 1 else at(column, 0)

    def of_outer(i: int, j: int, p: int, q: int) -> Any:
        """C_ij = a_i b_j."""
        bound, free = (i, j) if use.slot == 0 else (j, i)
        return zero if bound != p else at(i, j) if width > 1 else at(free, 0)

    match len(cell.shapes[step.of]), len(cell.shapes[step.wrt]):
        case _, 0:
            return lambda i, j, p, q: at(i, j)
        case 0, 2:
            return lambda i, j, p, q: at(q, p)
        case 2, 2:
            return lambda i, j, p, q: at(i, j) if (i, j) == (p, q) else zero
        case 1, 2:
            return of_matrix
        case 2, 1:
            return of_outer
        case 1, 1 if (rows, width) == (1, 1):  # a multiple of the identity
            return lambda i, j, p, q: at(0, 0) if i == p else zero
    return lambda i, j, p, q: at(i, p)


def _adjoint_claim(step: Step, cell: Cell) -> Claim:
    """In components: what enters from outside, and every consumer's adjoint times its derivative.

    Each consumer is held against the terms that are said to come from it, and their sum against the whole.
    """
    name = step.wrt
    consumers = tuple(reading(e, name) for e in cell.equations if name in names(e.rhs))
    speaking = (step.rhs, Name(name), *(e.rhs for e in consumers))

    def claim(arithmetic: MatrixArithmetic[Any], scalar: Callable[[str], Any]) -> Iterator[Entry]:
        values = _spelled_out(cell, [e.target for e in consumers], speaking, scalar, arithmetic)

        def value(expr: Expr) -> Matrix[Any]:
            return arithmetic.spread(evaluate(expr, values, arithmetic), values[name])

        theirs = {term.via: value(term.expr) for term in entries(cell, name)}
        for equation in consumers:
            sent, gathered = values[f"d{equation.target}"], value(ZERO)
            for p, q, column in columns(equation, name, values, arithmetic):
                gathered[p][q] = arithmetic.sum(arithmetic.multiply([sent, column]))[0][0]
            theirs[equation.target] = gathered
        if step.terms:
            for via in dict.fromkeys((*theirs, *(term.via for term in step.terms))):
                ours = total(*(term.expr for term in step.terms if term.via == via))
                yield from same(f"d{name} through {via}", value(ours), theirs.get(via, value(ZERO)))
        yield from same(f"d{name}", value(step.rhs), arithmetic.add([value(ZERO), *theirs.values()]))

    return claim


def _recurrence(step: Step, cell: Cell) -> Proof:
    """The two forms that follow from what `_prev` and a parameter are, and no others."""
    match step.lhs, step.rhs:
        case Adjoint(step.wrt, "next"), Shift(Adjoint(before, ""), 1):
            fits = step.wrt in cell.states and before == prev(step.wrt)
        case Total(step.wrt), TimeSum(Adjoint(each, "")):
            fits = step.wrt in cell.parameters and each == step.wrt
        case _:
            fits = False
    return Proof(Status.PROVED) if fits else Proof(Status.REFUTED, step.wrt)
