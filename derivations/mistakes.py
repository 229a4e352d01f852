"""Mistakes in one adjoint equation, each named in words.

Every mistake is the right-hand side of one equation with one change: a term or a factor lost, a sign flipped, a slope
taken at the wrong place, another name, a transposition. What they are comes from what people get wrong on paper and in
code.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from derivations.cell import Cell, Equation, prev
from derivations.derive import Step, Term, contribution, uses_in
from derivations.expression import (
    ONE,
    ZERO,
    Add,
    Adjoint,
    Call,
    Detach,
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
    Transpose,
    children,
    negative,
    product,
    rebuild,
    rewrite,
    total,
    walk,
)
from derivations.plain import code

SCALES = tuple(range(2, 11))  # factors 1 + 1e-2 to 1 + 1e-10
Mistake = tuple[str, Expr]
Beside = Callable[[str, Cell], Iterable[str]]


def in_an_equation(step: Step, cell: Cell) -> Iterator[Mistake]:
    """Every mistake in the adjoint equation of a step, with the right-hand side that it leaves."""
    id_ = f"d{step.wrt}"
    for equation in cell.equations:
        for mistake, terms in (*_one_use_held(step, equation, cell), *_detached_use(step, equation, cell)):
            yield f"{id_}: {mistake}", total(*(term.expr for term in terms))
    for k, term in enumerate(step.terms):
        for mistake, expr in _in_a_term(term, step, cell):
            yield f"{id_}: {mistake}", _instead(step.terms, k, expr)
    if len(step.terms) > 1:
        yield f"{id_}: the sign of the whole sum is flipped", negative(step.rhs)
    if len(step.terms) > 2:
        for term in step.terms:
            if term.via in cell.states:
                said = f"only the direct path {step.wrt} -> {term.via} is kept (the immediate partial for the total)"
                yield f"{id_}: {said}", term.expr
    for scale in SCALES:
        factor = Num(1 + Fraction(1, 10**scale))
        yield f"{id_}: off by a factor 1 + 1e-{scale}", product(factor, step.rhs)


def _instead(terms: Sequence[Term], k: int, expr: Expr) -> Expr:
    """The sum with one term replaced."""
    each = [term.expr for term in terms]
    return total(*each[:k], expr, *each[k + 1 :])


# --- one term -----------------------------------------------------------------------------------------------


def _in_a_term(term: Term, step: Step, cell: Cell) -> Iterator[Mistake]:
    path = {"loss": "what the loss sends directly", "t+1": "what comes back from step t+1"}
    yield f"{path.get(term.via, f'the path {step.wrt} -> {term.via}')} is missing", ZERO
    yield f"the sign of the term through {term.via} is flipped", negative(term.expr)
    yield from in_an_expression(term.expr, cell)


def in_an_expression(expr: Expr, cell: Cell, beside: Beside | None = None) -> Iterator[Mistake]:
    """Mistakes anywhere inside an expression; `beside` says to which other names a pen could slip."""
    for put, node in places(expr):
        for mistake, wrong in _at(node, cell, beside or neighbours):
            yield mistake, put(wrong)


def _at(node: Expr, cell: Cell, beside: Beside) -> Iterator[Mistake]:
    """What can be wrong with one node, and the node that stands there then."""
    match node:
        case Mul(factors):
            for k, factor in enumerate(factors):
                rest = product(*factors[:k], *factors[k + 1 :])
                chain = " (the chain rule stops here)" if isinstance(factor, Adjoint) else ""
                yield f"the factor {spelled(factor)} is missing{chain}", rest
            yield from _slopes(factors)
        case Div(above, below):
            yield f"the division by {spelled(below)} is missing", above
            yield f"multiplied by {spelled(below)} where divided is due", product(above, below)
        case Add():
            yield from _sum(node)
        case Pow(base, exponent):
            yield f"{spelled(base)} for {spelled(base)}**{exponent}", base
        case MatMul(left, right):
            yield from _linear(left, right, cell)
        case Outer(left, right):
            if _size_of(left, cell) == _size_of(right, cell):
                yield "the outer product is the wrong way round", Outer(right, left)
            if isinstance(right, Name):
                yield f"the factor {right.id} is missing", Outer(left, Ones(right.id))
        case Reduce("sum", (arg,)):
            yield "the sum over the entries is missing", arg
        case Part(arg, of, index) if len(of) > 1:
            said = f"{spelled(arg)} is split into its parts in the wrong order"
            yield said, Part(arg, tuple(reversed(of)), len(of) - 1 - index)
            yield f"{spelled(arg)} is not split into its parts", arg
        case Name(id):
            yield from _other_name(id, cell, beside)
        case Adjoint(of, ""):
            for other in beside(of, cell):
                yield f"d{other} where d{of} is due", Adjoint(other)
        case Adjoint(of, "next"):
            for other in cell.states:
                if other != of and cell.shapes[other] == cell.shapes[of]:
                    yield f"d{other}_next where d{of}_next is due", Adjoint(other, "next")


def _slopes(factors: Sequence[Expr]) -> Iterator[Mistake]:
    """f*(1 - f) as people get it wrong."""
    for k in range(len(factors) - 1):
        match factors[k], factors[k + 1]:
            case Name(id) as value, Add((Num(one), Neg(Name(again)))) if id == again and one == 1:
                before, after = factors[:k], factors[k + 2 :]
                due = f"{id}*(1 - {id})"
                yield f"{id}**2 for {due}", product(*before, value**2, *after)
                yield f"(1 - {id})**2 for {due}", product(*before, (1 - value) ** 2, *after)
                yield f"{id}*(1 + {id}) for {due}", product(*before, value, 1 + value, *after)
                applied = Call("sigmoid", (value,))
                yield f"sigmoid' at {id}, not at its argument", product(*before, applied, 1 - applied, *after)


def _sum(node: Add) -> Iterator[Mistake]:
    """1 - g**2 and 1 - z as people get them wrong; of another sum, a summand."""
    match node.terms:
        case (Num(), Neg(Pow(Name(id) as value, 2))):
            yield f"tanh' at {id}, not at its argument", 1 - Call("tanh", (value,)) ** 2
            yield f"{id} for 1 - {id}**2 (tanh for its slope)", value
            yield f"1 - {id} for 1 - {id}**2", 1 - value
            yield f"1 + {id}**2 for 1 - {id}**2", 1 + value**2
        case (Num(), Neg(Pow(Call("tanh", (Name(id) as value,)), 2))):
            yield f"tanh({id}) for 1 - tanh({id})**2 (tanh for its slope)", Call("tanh", (value,))
            yield f"1 - {id}**2 for 1 - tanh({id})**2", 1 - value**2
            yield f"1 + tanh({id})**2 for 1 - tanh({id})**2", 1 + Call("tanh", (value,)) ** 2
        case (Num(), Neg(Name(id) as value)):
            yield f"{id} where 1 - {id} is due", value
            yield f"1 + {id} for 1 - {id}", 1 + value
        case terms:
            for k, term in enumerate(terms):
                rest = (*terms[:k], *terms[k + 1 :])
                yield f"the summand {code(term)} is missing", total(*rest)
                yield f"the sign of {code(term)} is flipped", total(*terms[:k], negative(term), *terms[k + 1 :])


def _linear(left: Expr, right: Expr, cell: Cell) -> Iterator[Mistake]:
    """A linear map: transposed, or lost; one that is not square has no place for either."""
    matrix = left.arg if isinstance(left, Transpose) else left
    if not isinstance(matrix, Name) or not _square(matrix.id, cell):
        return
    if isinstance(left, Transpose):
        yield f"{matrix.id} must be transposed", MatMul(matrix, right)
    else:
        yield f"{matrix.id} must not be transposed", MatMul(Transpose(matrix), right)
    yield f"the factor {spelled(left)} is missing", right


def _other_name(id: str, cell: Cell, beside: Beside) -> Iterator[Mistake]:
    state = id.removesuffix("_prev")
    if id in cell.previous:
        yield f"{state} of this step where {id} is due", Name(state)
    if id in cell.states:
        yield f"{prev(id)} where {id} is due", Name(prev(id))
    for other in beside(id, cell):
        yield f"{other} where {id} is due", Name(other)
    if _has_complement(id, cell):
        yield f"1 - {id} where {id} is due", 1 - Name(id)


def _has_complement(id: str, cell: Cell) -> bool:
    """Whether the cell itself speaks of 1 - z, so that z and 1 - z are easily swapped."""
    complement = Add((ONE, Neg(Name(id))))
    return any(node == complement for equation in cell.equations for node in walk(equation.rhs))


# --- a name that an equation reads more than once -----------------------------------------------------------


def _one_use_held(step: Step, equation: Equation, cell: Cell) -> Iterator[tuple[str, tuple[Term, ...]]]:
    """One of the several places where an equation reads a name, held constant as by `detach`."""
    wrt, target, rhs = step.wrt, equation.target, equation.rhs
    terms = rhs.terms if isinstance(rhs, Add) else (rhs,)
    found = [
        (code(term), total(*terms[:k], put(Detach(Name(wrt))), *terms[k + 1 :]))
        for k, term in enumerate(terms)
        for put, node in places(_written_out(term))
        if node == Name(wrt)
    ]
    if len(found) < 2 or target not in {term.via for term in step.terms}:
        return
    for said, held in found:
        if any(isinstance(node, (MatMul, Outer, Reduce)) and _holds(node) for node in walk(held)):
            continue  # an atom reads names, and nothing else
        sent = rewrite(_sent(wrt, replace(equation, rhs=held), cell), _let_go)
        instead = tuple(replace(term, expr=sent) if term.via == target else term for term in step.terms)
        yield f"{wrt} in {said} is held constant (detach on one use)", instead


def _detached_use(step: Step, equation: Equation, cell: Cell) -> Iterator[tuple[str, tuple[Term, ...]]]:
    """What the cell holds constant, differentiated."""
    wrt, target = step.wrt, equation.target
    if Detach(Name(wrt)) in walk(equation.rhs):
        rhs = rewrite(equation.rhs, lambda node: Name(wrt) if node == Detach(Name(wrt)) else None)
        others = tuple(term for term in step.terms if term.via != target)
        sent = Term(target, _sent(wrt, replace(equation, rhs=rhs), cell))
        yield f"detach({wrt}) in {target} is differentiated, where it is held constant", (*others, sent)


def _sent(name: str, equation: Equation, cell: Cell) -> Expr:
    """What the adjoint of an equation's target sends to a name that it reads."""
    return total(*(contribution(use, cell) for use in uses_in(equation) if use.name == name))


def _let_go(node: Expr) -> Expr | None:
    return node.arg if isinstance(node, Detach) else None


def _written_out(expr: Expr) -> Expr:
    """Powers of a name as products, so that every factor is a use of its own."""

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Pow) and isinstance(node.base, Name) and node.exponent > 1:
            return Mul((node.base,) * node.exponent)
        return None

    return rewrite(expr, rule)


def _holds(node: Expr) -> bool:
    return any(isinstance(inner, Detach) for inner in walk(node))


# --- walking ------------------------------------------------------------------------------------------------


def places(expr: Expr) -> Iterator[tuple["_Put", Expr]]:
    """Every node with the function that puts another in its place."""

    def visit(node: Expr, put: "_Put") -> Iterator[tuple[_Put, Expr]]:
        yield put, node
        for k, part in enumerate(children(node)):
            yield from visit(part, _Put(put, node, k))

    yield from visit(expr, _Put(None, expr, 0))


@dataclass(frozen=True)
class _Put:
    """Puts another node in the place of one child, all the way up."""

    above: "_Put | None"
    node: Expr
    index: int

    def __call__(self, new: Expr) -> Expr:
        if self.above is None:
            return new
        parts = children(self.node)
        return self.above(rebuild(self.node, (*parts[: self.index], new, *parts[self.index + 1 :])))


def neighbours(name: str, cell: Cell) -> tuple[str, ...]:
    """What a slip of the pen could put: the next name of the same kind and shape in the cell, cyclically."""
    autos = {e.target for e in cell.equations if e.auto}
    for group in (
        tuple(e.target for e in cell.equations if e.auto),
        tuple(e.target for e in cell.equations if not e.auto and e.target not in cell.states),
        cell.parameters,
    ):
        if name in group:
            same = [n for n in group if cell.shapes[n] == cell.shapes[name] and (n in autos) == (name in autos)]
            at = same.index(name)
            return (same[(at + 1) % len(same)],) if len(same) > 1 else ()
    return ()


def _square(matrix: str, cell: Cell) -> bool:
    shape = cell.shapes[matrix]
    return len(shape) == 2 and shape[0] == shape[1]


def _size_of(expr: Expr, cell: Cell) -> tuple[str, ...]:
    found = next(node for node in walk(expr) if isinstance(node, (Name, Adjoint)))
    return cell.shapes[found.id if isinstance(found, Name) else found.of]


def spelled(expr: Expr) -> str:
    return f"({code(expr)})" if isinstance(expr, Add) else code(expr)
