"""The state-to-state Jacobian of a step, and its product over time: the object that vanishes or explodes.

In the scalar view its entries are total derivatives within the step, dc/dc_prev = f for the LSTM. In the
vector view the same paths are products of matrices, the one nearest to the response on the left. Its
numbers come from the adjoint equations: the adjoints of h_prev and c_prev for a unit cotangent on one new
state are one row. That holds in every size and for every cell, stacks and means included.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from derivations.cell import Cell
from derivations.derive import Derivation
from derivations.expression import (
    ONE,
    Add,
    Diag,
    Div,
    Expr,
    MatMul,
    Name,
    Neg,
    Num,
    Ones,
    Outer,
    Part,
    Reduce,
    Stack,
    Transpose,
    children,
    negative,
    product,
    total,
)
from derivations.floats import FloatMatrices
from derivations.matrices import Matrix, MatrixArithmetic, S
from derivations.paths import Path, step_paths, total_within_step
from derivations.program import Backward, backward_program, run_backward

Value = float | Sequence[Sequence[float]]  # a scalar, or a matrix by rows; a vector is a column


# --- in symbols -----------------------------------------------------------------------------------


def state_jacobian(derivation: Derivation, *, vector: bool = False) -> dict[tuple[str, str], Expr]:
    """d(state)/d(previous state) for every pair of states, as ("c", "h_prev"), in named values.

    Args:
        vector: as sums of products of diagonal matrices and weights; otherwise in the scalar view.

    Raises:
        ValueError: the cell has no such view.
    """
    entry = vector_total if vector else total_within_step
    return {
        (state, before): entry(derivation, state, before)
        for state in derivation.cell.states
        for before in derivation.cell.previous
    }


def vector_total(derivation: Derivation, of: str, wrt: str) -> Expr:
    """d(of)/d(wrt) within one step in the vector view: a sum over paths, each a product of matrices.

    Raises:
        UnknownName: a name that the cell does not have.
        ValueError: a path leads through a stack, or from or to a matrix.
    """
    return total(*(vector_product(derivation, path) for path in step_paths(derivation, of, wrt)))


def vector_product(derivation: Derivation, path: Path) -> Expr:
    """The product of matrices that a path within one step stands for, its last factor on the left.

    Vectors are columns: d(vector)/d(scalar) is a column, d(scalar)/d(vector) a row.
    """
    edges = [(factor.of.name, factor.wrt.name) for factor in reversed(path.factors)]
    chain, positive = _flattened([local_matrix(derivation, of, wrt) for of, wrt in edges])
    of = path.nodes[-1].name
    result = chain.pop() if chain else Diag(Ones(of)) if derivation.cell.shapes[of] else ONE
    while chain:
        result = MatMul(chain.pop(), result)
    return result if positive else negative(result)


def local_matrix(derivation: Derivation, of: str, wrt: str) -> Expr:
    """The local partial as a matrix of its full size: what the derivation lets spread is written out.

    Raises:
        ValueError: the partial has three indices, or takes part of a stack.
    """
    cell = derivation.cell
    ranks = len(cell.shapes[of]), len(cell.shapes[wrt])
    if max(ranks) == 2:
        raise ValueError(
            f"d{of}/d{wrt} has three indices in the vector view; ask for its scalar view, or for d{of} "
            f"by something that is a vector"
        )

    def full(slope: Expr) -> Expr:
        return product(slope, Ones(of)) if ranks[0] and _is_scalar(slope, cell) else slope

    def matrix(expr: Expr) -> Expr:
        match expr:
            case Add(terms):
                return total(*map(matrix, terms))
            case Neg(arg):
                return negative(matrix(arg))
            case Diag(arg):
                return Diag(full(arg))
            case MatMul(left, right):
                return MatMul(matrix(left), right)
            case Outer(left, right):
                return Outer(full(left), right)
            case Div(above, below):
                return Div(matrix(above), below)
            case Num():
                return Diag(full(expr))
            case Stack():
                raise ValueError(f"{of} stacks vectors; ask for numbers, which need no blocks of matrices")
        return expr

    expr = derivation.partial(of, wrt)
    return matrix(expr) if ranks == (1, 1) else full(expr)


def _is_scalar(expr: Expr, cell: Cell) -> bool:
    match expr:
        case Name(id):
            return cell.shapes[id] == ()
        case Ones() | Transpose() | Diag() | Outer() | MatMul() | Stack() | Part():
            return False
        case Reduce():
            return True
    return all(_is_scalar(child, cell) for child in children(expr))


def _flattened(maps: Sequence[Expr]) -> tuple[list[Expr], bool]:
    """The factors of a product and whether its sign is plus, identities left out and diagonals joined."""
    positive = True
    chain: list[Expr] = []
    waiting = list(reversed(maps))
    while waiting:
        match waiting.pop():
            case MatMul(left, right):
                waiting += [right, left]
            case Neg(arg):
                positive = not positive
                waiting.append(arg)
            case Diag(Neg(arg)):
                positive = not positive
                waiting.append(Diag(arg))
            case Diag(Ones()) | Num(Fraction(numerator=1, denominator=1)):
                pass
            case Diag(arg) if chain and isinstance(chain[-1], Diag):
                chain[-1] = Diag(product(chain[-1].arg, arg))
            case map_:
                chain.append(map_)
    return chain, positive


# --- in numbers -----------------------------------------------------------------------------------


def state_program(derivation: Derivation) -> Backward:
    """The backward pass of the states alone, without the loss and what reaches it by readouts only."""
    cell = derivation.cell
    program = backward_program(derivation)
    reach: set[str] = set()
    lines = []
    for step in derivation.adjoints:
        entering = step.wrt in cell.states
        terms = [term.expr for term in step.terms if term.via in reach or (entering and term.via == "t+1")]
        if step.wrt in cell.defined and terms:
            reach.add(step.wrt)
        if step.wrt in reach or step.wrt in (*cell.previous, *cell.inputs):
            lines.append((f"d{step.wrt}", total(*terms)))
    return replace(program, adjoints=tuple(lines), gradients={})


def as_matrix(value: Value) -> Matrix[float]:
    """A number as a 1x1 matrix, a matrix as lists of rows."""
    return [[float(value)]] if isinstance(value, (int, float)) else [[float(x) for x in row] for row in value]


def jacobian_values(derivation: Derivation, values: Sequence[Mapping[str, Value]]) -> list[Matrix[float]]:
    """The Jacobian of every step, t = 1 first.

    Rows are the entries of the new states in the cell's order (h, then c), columns those of the previous
    ones.

    Args:
        values: every named value at every step, as `run_forward` gives them: numbers, or matrices by rows.
    """
    cell, program, arithmetic = derivation.cell, state_program(derivation), FloatMatrices()
    found = []
    for step in values:
        trace = [{name: as_matrix(value) for name, value in step.items()}]
        rows = []
        for _, final in units(cell, trace[0], arithmetic):
            back, _ = run_backward(program, trace, {}, final, arithmetic)
            rows.append([x for state in cell.states for row in back[f"{state}_0"] for x in row])
        found.append(rows)
    return found


def units(
    cell: Cell, values: Mapping[str, Matrix[S]], arithmetic: MatrixArithmetic[S]
) -> Iterator[tuple[str, dict[str, Matrix[S]]]]:
    """Each state in turn, with a cotangent for all states that is 1 on one entry of it and 0 elsewhere."""
    zero, one = arithmetic.scalar(Fraction(0)), arithmetic.scalar(Fraction(1))
    places = [(state, i, j) for state in cell.states for i, row in enumerate(values[state]) for j, _ in enumerate(row)]
    for here in places:
        yield (
            here[0],
            {
                name: [
                    [one if (name, i, j) == here else zero for j, _ in enumerate(row)]
                    for i, row in enumerate(values[name])
                ]
                for name in cell.states
            },
        )


def jacobian_product(jacobians: Sequence[Matrix[float]], since: int, until: int) -> Matrix[float]:
    """d(states at `until`)/d(states at `since`) = J_until ... J_(since+1), the last step on the left.

    Args:
        jacobians: of the steps 1, 2, ..., as `jacobian_values` gives them.
        since, until: steps, 0 <= since <= until; the identity where they are one.

    Raises:
        ValueError: steps that are not there, or in the wrong order.
    """
    if not 0 <= since <= until <= len(jacobians):
        raise ValueError(f"steps {since} to {until}: a product runs forward, within 0 to {len(jacobians)}")
    size = len(jacobians[0]) if jacobians else 0
    result = [[float(i == j) for j in range(size)] for i in range(size)]
    for jacobian in reversed(jacobians[since:until]):
        result = FloatMatrices().matmul(result, jacobian)
    return result
