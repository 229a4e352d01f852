"""The derivation: local partials, adjoints, and recurrences over time, as an ordered list of named equations.

Read it from top to bottom. A right-hand side is an elementwise expression of *atoms*: names, linear maps of
names (`W @ v`), reductions of names. `partial` differentiates it with respect to one atom. `uses` pairs every
name with the atoms it stands in. `contribution` sends the adjoint of a target back through one such use; the
adjoint of a name is the sum of its contributions; the recurrence carries the adjoint of `h_prev` to the step
before as `dh_next`. Nothing is substituted: values are named, and adjoints are written in these names, as in
`da_f = df*f*(1 - f)`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import cached_property

from derivations.cell import Cell, Equation, prev
from derivations.expression import (
    ONE,
    ZERO,
    Add,
    Adjoint,
    Call,
    Derivative,
    Detach,
    Diag,
    Div,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Ones,
    Outer,
    Part,
    Pow,
    Reduce,
    Shift,
    Size,
    Stack,
    TimeSum,
    Total,
    Transpose,
    children,
    names,
    power,
    product,
    quotient,
    substitute,
    total,
)
from derivations.functions import FUNCTIONS, Y


class Rule(Enum):
    DEFINITION = "definition"
    PARTIAL = "local partial"
    ADJOINT = "adjoint"
    RECURRENCE = "recurrence"


@dataclass(frozen=True)
class Term:
    """One summand of an adjoint, and the name through which it comes: a consumer, "loss" or "t+1"."""

    via: str
    expr: Expr


@dataclass(frozen=True)
class Step:
    """One line of a derivation, with all that is needed to prove it again alone.

    `lhs = rhs`, the derivative of `of` with respect to `wrt`; in an adjoint `rhs` is the sum of `terms`.
    """

    rule: Rule
    of: str
    wrt: str
    lhs: Expr
    rhs: Expr
    label: str = ""
    terms: tuple[Term, ...] = ()


@dataclass(frozen=True)
class Use:
    """One occurrence of a name in an equation: `target` reads `name` through `atom`.

    `slope` is d(target)/d(atom). `slot` says which argument of the atom the name is; 0 for the name itself.
    """

    target: str
    name: str
    atom: Expr
    slot: int
    slope: Expr


@dataclass(frozen=True)
class Derivation:
    """The derivation of a cell: `steps` in the order definition, local partial, adjoint, recurrence."""

    cell: Cell
    steps: tuple[Step, ...]

    def of_rule(self, rule: Rule) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.rule is rule)

    @property
    def definitions(self) -> tuple[Step, ...]:
        return self.of_rule(Rule.DEFINITION)

    @property
    def partials(self) -> tuple[Step, ...]:
        return self.of_rule(Rule.PARTIAL)

    @property
    def adjoints(self) -> tuple[Step, ...]:
        """In reverse order: each speaks only of adjoints above it."""
        return self.of_rule(Rule.ADJOINT)

    @property
    def recurrences(self) -> tuple[Step, ...]:
        return self.of_rule(Rule.RECURRENCE)

    @cached_property
    def adjoint_of(self) -> dict[str, Step]:
        return {step.wrt: step for step in self.adjoints}

    def partial(self, of: str, wrt: str) -> Expr:
        """The local partial d(of)/d(wrt); zero where there is no edge."""
        return total(*(step.rhs for step in self.partials if (step.of, step.wrt) == (of, wrt)))


# --- local partials -----------------------------------------------------------------------------------------

ATOMS = (Name, MatMul, Reduce, Outer, Stack, Part, Detach)


def atoms(expr: Expr) -> Iterator[Expr]:
    """The atoms of a right-hand side, in reading order."""
    if isinstance(expr, ATOMS):
        yield expr
        return
    for child in children(expr):
        yield from atoms(child)


def partial(expr: Expr, atom: Expr, own: Expr | None = None) -> Expr:
    """d(expr)/d(atom), elementwise, factors in the order in which they stand.

    `own` is the name of the whole expression, if it has one: the derivative of `f = sigmoid(a_f)` is
    `f*(1 - f)`. A held-constant atom (`detach`) and every other atom have derivative zero.
    """
    if expr == atom:
        return ZERO if isinstance(atom, Detach) else ONE
    match expr:
        case Add(terms):
            return total(*(partial(term, atom) for term in terms))
        case Neg(arg):
            return -partial(arg, atom)
        case Mul(factors):
            return total(
                *(product(*factors[:k], partial(factor, atom), *factors[k + 1 :]) for k, factor in enumerate(factors))
            )
        case Div(above, below):
            return total(
                quotient(partial(above, atom), below),
                -quotient(product(above, partial(below, atom)), power(below, 2)),
            )
        case Pow(base, exponent):
            return product(Num(Fraction(exponent)), power(base, exponent - 1), partial(base, atom))
        case Call(function, args):
            row = FUNCTIONS[function]
            here: dict[Expr, Expr] = {Y: own or expr}
            here.update(zip(row.args, args, strict=True))
            return total(
                *(
                    product(substitute(slope, here), partial(arg, atom))
                    for slope, arg in zip(row.derivatives, args, strict=True)
                )
            )
    return ZERO


def slopes(equation: Equation) -> dict[Expr, Expr]:
    """d(target)/d(atom) for every atom of the right-hand side, in reading order; a sum goes term by term."""
    rhs = equation.rhs
    if not isinstance(rhs, Add):
        return {atom: partial(rhs, atom, Name(equation.target)) for atom in atoms(rhs)}
    found: dict[Expr, list[Expr]] = {}
    for term in rhs.terms:
        for atom in dict.fromkeys(atoms(term)):
            found.setdefault(atom, []).append(partial(term, atom))
    return {atom: total(*parts) for atom, parts in found.items()}


def uses(cell: Cell) -> tuple[Use, ...]:
    """Every way in which an equation reads a name, equation by equation, in reading order."""
    return tuple(use for equation in cell.equations for use in uses_in(equation))


def uses_in(equation: Equation) -> Iterator[Use]:
    """Every way in which one equation reads a name."""
    for atom, slope in slopes(equation).items():
        if slope != ZERO:
            for slot, reader in enumerate(children(atom) or (atom,)):
                for name in names(reader):
                    yield Use(equation.target, name, atom, slot, slope)


def jacobian(use: Use, cell: Cell) -> Expr:
    """The local partial of one use, as the linear map from a change of the name to a change of the target.

    Vectors are columns, so d(vector)/d(vector) is a matrix, and 1 stands for the identity;
    d(scalar)/d(vector) is a row, and in d(scalar)/d(matrix) the entry ji is that by W_ij. For a matrix that multiplies
    a vector it is that vector: of a_i by W_ij it is v_j.
    """
    shape, slope = cell.shapes, use.slope
    wide = len(shape[use.target]) == 1
    one_number = is_scalar(slope, cell)  # the same slope for every entry of the target

    def row(vector: Expr) -> Expr:
        """The target's slope times a row: what a reduction of a vector gives (for a matrix, slope_ij vector_k)."""
        if len(shape[use.target]) == 2:
            return Outer(slope, vector)
        if not wide:
            return product(slope, Transpose(vector))
        return product(slope, Outer(Ones(use.target), vector)) if one_number else Outer(slope, vector)

    match use.atom, use.slot:
        case Name(id), _:
            return Diag(slope) if wide and shape[id] == shape[use.target] and slope != ONE else slope
        case MatMul(matrix, _), 1:
            return product(slope, matrix) if one_number else MatMul(Diag(slope), matrix)
        case MatMul(_, vector), 0:
            return product(slope, vector) if one_number else Outer(slope, vector)
        case Reduce("sum", (Name(id),)), _:
            return row(Ones(id))
        case Reduce("mean", (Name(id),)), _:
            return quotient(row(Ones(id)), Size(id))
        case Reduce("dot", args), slot:
            return row(args[1 - slot])
        case Reduce("logsumexp", (Name(id),)), _:
            return row(Call("exp", (total(Name(id), -Name(use.target)),)))
        case Outer(a, b), slot if one_number:
            return product(slope, b if slot == 0 else a)
        case Outer(Name(a), b), 0:
            return product(slope, Outer(Ones(a), b))
        case Outer(a, Name(b)), 1:
            return product(slope, Outer(a, Ones(b)))
        case Stack(parts), slot:  # the identity in one block, zero in the others
            return Stack(tuple(ONE if k == slot else ZERO for k in range(len(parts))))
        case Part(_, of, index), _:
            return product(slope, Transpose(Stack(tuple(ONE if k == index else ZERO for k in range(len(of))))))
    raise AssertionError(f"an equation was not flattened: {use.atom}")


def is_scalar(expr: Expr, cell: Cell) -> bool:
    """Whether an expression is one number, whatever the sizes of the cell."""
    if isinstance(expr, (Num, Size, Reduce)):
        return True
    if isinstance(expr, Name):
        return cell.shapes[expr.id] == ()
    return not isinstance(expr, (MatMul, Outer)) and all(is_scalar(part, cell) for part in children(expr))


def local_partials(parallel: Sequence[Use], cell: Cell) -> tuple[Expr, ...]:
    """The local partial through all uses of one name in one equation.

    They are summed, and beside other matrices the identity is written out.
    """
    each = tuple(jacobian(use, cell) for use in parallel)
    if len(each) == 1 or stand_apart(parallel[0], cell):
        return each
    target = parallel[0].target
    if len(cell.shapes[target]) == len(cell.shapes[parallel[0].name]) == 1:
        each = tuple(_on_the_diagonal(slope, target, cell) for slope in each)
    return (total(*each),)


def stand_apart(use: Use, cell: Cell) -> bool:
    """Whether each use of a name is a partial of its own.

    The vectors that stand for the partials by a matrix mean different entries in `C @ k` and in `C.T @ q`.
    """
    ranks = (len(cell.shapes[use.target]), len(cell.shapes[use.name]))
    return 2 in ranks or isinstance(use.atom, (Stack, Part))


def _on_the_diagonal(slope: Expr, target: str, cell: Cell) -> Expr:
    """A multiple of the identity, written out as a matrix."""
    match slope:
        case Num(value) if value == 1:
            return Diag(Ones(target))
        case Diag(arg) if is_scalar(arg, cell):
            return Diag(product(arg, Ones(target)))
    return slope


# --- adjoints -----------------------------------------------------------------------------------------------


def contribution(use: Use, cell: Cell) -> Expr:
    """What the adjoint of `use.target` sends to the adjoint of `use.name`."""
    shape = cell.shapes
    back = product(Adjoint(use.target), use.slope)  # the adjoint of the atom
    wide = shape[use.target] != ()

    def gathered(expr: Expr) -> Expr:
        """A scalar that was spread over a wider target collects from all its entries."""
        return Reduce("sum", (expr,)) if wide else expr

    match use.atom, use.slot:
        case Name(id), _:
            return gathered(back) if shape[id] == () else back
        case MatMul(matrix, vector), 1:
            return MatMul(_transposed(matrix), back)
        case MatMul(matrix, vector), 0:
            return Outer(vector, back) if isinstance(matrix, Transpose) else Outer(back, vector)
        case Reduce("sum", _), _:
            return gathered(back)
        case Reduce("mean", (Name(id),)), _:
            return quotient(gathered(back), Size(id))
        case Reduce("dot", args), slot:
            return product(gathered(back), args[1 - slot])
        case Reduce("logsumexp", (Name(id),)), _:
            return product(gathered(back), Call("exp", (total(Name(id), -Name(use.target)),)))
        case Outer(_, b), 0:
            return MatMul(back, b)
        case Outer(a, _), 1:
            return MatMul(_transposed(back), a)
        case Stack(parts), slot:
            return Part(back, tuple(p.id for p in parts if isinstance(p, Name)), slot)
        case Part(_, of, index), _:  # nothing in the other blocks
            return Stack(tuple(back if k == index else Mul((ZERO, Ones(name))) for k, name in enumerate(of)))
    raise AssertionError(f"an equation was not flattened: {use.atom}")


def _transposed(matrix: Expr) -> Expr:
    return matrix.arg if isinstance(matrix, Transpose) else Transpose(matrix)


def entries(cell: Cell, name: str) -> tuple[Term, ...]:
    """The cotangents that reach a name from outside the step: from the loss, and from step t+1."""
    found = []
    if name in cell.seeded:
        found.append(Term("loss", Adjoint(name, "out")))
    if name in cell.states:
        found.append(Term("t+1", Adjoint(name, "next")))
    return tuple(found)


def adjoint(cell: Cell, name: str, consumers: Sequence[Use]) -> tuple[Term, ...]:
    """The terms of the adjoint of a name: what enters from outside, then one per consumer, in order."""
    return entries(cell, name) + tuple(Term(use.target, contribution(use, cell)) for use in consumers)


# --- the whole ----------------------------------------------------------------------------------------------


def derive(cell: Cell) -> Derivation:
    """The derivation of a cell: definitions, local partials and adjoints of one step, and the recurrences."""
    labels = _labels(cell)
    steps = [Step(Rule.DEFINITION, e.target, "", Name(e.target), e.rhs, labels[e.target]) for e in cell.equations]

    edges: dict[tuple[str, str], list[Use]] = {}
    consumers: dict[str, list[Use]] = {}
    for use in uses(cell):
        edges.setdefault((use.target, use.name), []).append(use)
        consumers.setdefault(use.name, []).append(use)
    for (of, wrt), parallel in edges.items():
        for rhs in local_partials(parallel, cell):
            steps.append(Step(Rule.PARTIAL, of, wrt, Derivative(of, wrt), rhs, labels[of]))

    given = {e.target: e.label for e in cell.equations}
    for name in (*reversed(cell.defined), *cell.previous, *cell.inputs, *cell.parameters):
        terms = adjoint(cell, name, consumers.get(name, ()))
        rhs = total(*(term.expr for term in terms))
        steps.append(Step(Rule.ADJOINT, cell.loss or "", name, Adjoint(name), rhs, given.get(name, ""), terms))
    return Derivation(cell, (*steps, *recurrences(cell)))


def recurrences(cell: Cell) -> tuple[Step, ...]:
    """How the steps join: the carry's adjoint to the step before, parameter gradients summed over time."""
    steps = []
    for state in cell.states:
        lhs, rhs = Adjoint(state, "next"), Shift(Adjoint(prev(state)), 1)
        steps.append(Step(Rule.RECURRENCE, "", state, lhs, rhs, "carried from step t+1"))
    for name in cell.parameters:
        steps.append(Step(Rule.RECURRENCE, "", name, Total(name), TimeSum(Adjoint(name)), "summed over time"))
    return tuple(steps)


def _labels(cell: Cell) -> dict[str, str]:
    """The label of every equation; a name of ours says what it belongs to: the next written equation."""
    found: dict[str, str] = {}
    owner = ""
    for equation in reversed(cell.equations):
        if equation.auto:
            kind = "preactivation" if equation.target.startswith("a_") else "argument"
            found[equation.target] = f"{owner}: {kind}"
        else:
            found[equation.target] = equation.label
            owner = equation.label or equation.target
    return found
