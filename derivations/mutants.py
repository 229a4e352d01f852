"""Every single mistake of a backward pass, made on purpose and named in words.

A check that lets one of these pass is not a check. Each mutant is the derived program with one change: in an
adjoint equation (a term or factor dropped, a sign flipped, sigma for sigma', a neighbour's name, a
transposition), or in how the steps are joined (a step lost, a carry not carried, overwriting for
accumulating).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from derivations.cell import Cell
from derivations.derive import Derivation, Step
from derivations.expression import (
    ZERO,
    Add,
    Adjoint,
    Call,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Outer,
    Pow,
    Transpose,
    children,
    negative,
    product,
    rebuild,
    substitute,
    total,
    walk,
)
from derivations.plain import code
from derivations.program import Backward, backward_program

SCALES = tuple(range(2, 11))  # factors 1 + 1e-2 to 1 + 1e-10


@dataclass(frozen=True)
class Mutant:
    """A wrong backward pass: `mistake` in a sentence, `of` the adjoint or gradient in which it is made."""

    mistake: str
    of: str
    program: Backward


def mutants(derivation: Derivation) -> tuple[Mutant, ...]:
    """Every single mistake, in the order of the derivation; some may compute the same numbers (`w**2` for `w*w`)."""
    program = backward_program(derivation)
    found: list[Mutant] = []
    seen: set[tuple[str, Expr]] = set()
    known: set[str] = set()  # the adjoints that a line may speak of
    for step in derivation.adjoints:
        for mistake, rhs in _wrong(step, derivation.cell):
            id_ = Adjoint(step.wrt).id
            spoken = {n.of for n in walk(rhs) if isinstance(n, Adjoint) and not n.part}
            if rhs != step.rhs and (id_, rhs) not in seen and spoken <= known:
                seen.add((id_, rhs))
                adjoints = tuple((i, rhs if i == id_ else e) for i, e in program.adjoints)
                found.append(Mutant(mistake, id_, replace(program, adjoints=adjoints)))
        known.add(step.wrt)
    return tuple(_named_apart((*found, *_in_time(program))))


def _named_apart(found: Iterable[Mutant]) -> Iterator[Mutant]:
    """The same mistake at another place gets a name of its own: `da_f: i where f is due (occurrence 2)`."""
    times: Counter[str] = Counter()
    for mutant in found:
        times[mutant.mistake] += 1
        again = times[mutant.mistake]
        yield mutant if again == 1 else replace(mutant, mistake=f"{mutant.mistake} (occurrence {again})")


# --- mistakes in one adjoint equation -----------------------------------------------------------------------


def _wrong(step: Step, cell: Cell) -> Iterator[tuple[str, Expr]]:
    id_ = f"d{step.wrt}"
    terms = [term.expr for term in step.terms]
    for k, term in enumerate(step.terms):

        def instead(expr: Expr, k: int = k) -> Expr:
            return total(*terms[:k], expr, *terms[k + 1 :])

        path = {"loss": "what the loss sends directly", "t+1": "what comes back from step t+1"}
        what = path.get(term.via, f"the path {step.wrt} -> {term.via}")
        yield f"{id_}: {what} is missing", instead(ZERO)
        yield f"{id_}: the sign of the term through {term.via} is flipped", instead(negative(term.expr))
        for mistake, expr in _wrong_term(term.expr, cell):
            yield f"{id_}: {mistake}", instead(expr)
    for scale in SCALES:
        factor = Num(1 + Fraction(1, 10**scale))
        yield f"{id_}: off by a factor 1 + 1e-{scale}", product(factor, step.rhs)


def _wrong_term(term: Expr, cell: Cell) -> Iterator[tuple[str, Expr]]:
    """Mistakes anywhere inside one term."""
    for put, node in _places(term):
        match node:
            case Mul(factors):
                for k, factor in enumerate(factors):
                    if not isinstance(factor, (Adjoint, Num)):
                        rest = product(*factors[:k], *factors[k + 1 :])
                        yield f"the factor {_said(factor)} is missing", put(rest)
                yield from ((m, put(e)) for m, e in _wrong_slope(factors))
            case Add((Num(), Neg(Pow(Name(id) as value, 2)))):
                yield f"tanh' at {id}, not at its argument", put(1 - Call("tanh", (value,)) ** 2)
                yield f"1 - {id} for 1 - {id}**2", put(1 - value)
                yield f"1 + {id}**2 for 1 - {id}**2", put(1 + value**2)
            case Add((Num(), Neg(Pow(Call("tanh", (Name(id) as value,)), 2)))):
                yield f"1 - {id}**2 for 1 - tanh({id})**2", put(1 - value**2)
            case MatMul(Transpose(matrix), back) if _square(matrix, cell):
                yield f"{_said(matrix)} must be transposed", put(MatMul(matrix, back))
            case MatMul(Name() as matrix, back) if _square(matrix, cell):
                yield f"{_said(matrix)} must not be transposed", put(MatMul(Transpose(matrix), back))
            case Outer(left, right) if _same_size(left, right, cell):
                yield "the outer product is the wrong way round", put(Outer(right, left))
            case Name(id) if id.endswith("_prev") and id.removesuffix("_prev") in cell.states:
                state = id.removesuffix("_prev")
                yield f"{state} of this step where {id} is due", put(Name(state))
            case Name(id):
                for other in _neighbours(id, cell):
                    yield f"{other} where {id} is due", put(Name(other))
            case Adjoint(of, ""):
                for other in _neighbours(of, cell):
                    yield f"d{other} where d{of} is due", put(Adjoint(other))


def _wrong_slope(factors: Sequence[Expr]) -> Iterator[tuple[str, Expr]]:
    """f*(1 - f) as people get it wrong."""
    for k in range(len(factors) - 1):
        match factors[k], factors[k + 1]:
            case Name(id) as value, Add((Num(one), Neg(Name(again)))) if id == again and one == 1:
                before, after = factors[:k], factors[k + 2 :]
                yield f"{id}**2 for {id}*(1 - {id})", product(*before, value**2, *after)
                yield f"sigmoid' at {id}, not at its argument", product(*before, _twice(value), *after)
                yield f"{id}*(1 + {id}) for {id}*(1 - {id})", product(*before, value, 1 + value, *after)


def _twice(value: Expr) -> Expr:
    applied = Call("sigmoid", (value,))
    return product(applied, 1 - applied)


def _places(expr: Expr) -> Iterator[tuple["_Put", Expr]]:
    """Every node with the function that puts another in its place."""

    def visit(node: Expr, put: "_Put") -> Iterator[tuple[_Put, Expr]]:
        yield put, node
        parts = children(node)
        for k, part in enumerate(parts):
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


def _neighbours(name: str, cell: Cell) -> tuple[str, ...]:
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


def _square(matrix: Expr, cell: Cell) -> bool:
    if not isinstance(matrix, Name):
        return False
    shape = cell.shapes[matrix.id]
    return len(shape) == 2 and shape[0] == shape[1]


def _same_size(left: Expr, right: Expr, cell: Cell) -> bool:
    def size(expr: Expr) -> tuple[str, ...]:
        found = next(node for node in walk(expr) if isinstance(node, (Name, Adjoint)))
        return cell.shapes[found.id if isinstance(found, Name) else found.of]

    return size(left) == size(right)


def _said(expr: Expr) -> str:
    return f"({code(expr)})" if isinstance(expr, Add) else code(expr)


# --- mistakes over time -------------------------------------------------------------------------------------


def _in_time(program: Backward) -> Iterator[Mutant]:
    for state in program.cell.states:
        carried = program.carry[state]
        yield Mutant(
            f"d{state}_next: the carry from step t+1 is not carried",
            f"d{state}_next",
            replace(program, carry={**program.carry, state: product(ZERO, carried)}),
        )
        yield Mutant(
            f"d{state}_next: the sign of the carry is flipped",
            f"d{state}_next",
            replace(program, carry={**program.carry, state: negative(carried)}),
        )
        yield Mutant(
            f"d{state} at t = T: the cotangent of the final state is ignored",
            f"d{state}_next",
            replace(program, final=program.final - {state}),
        )
        yield Mutant(
            f"d{state}_0: the gradient of the initial state is returned as zero",
            f"{state}_0",
            replace(program, initial={**program.initial, state: product(ZERO, carried)}),
        )
        yield Mutant(
            f"d{state}_0: the adjoint of {state}_1 where that of {state}_0 is due",
            f"{state}_0",
            replace(program, initial={**program.initial, state: Adjoint(state)}),
        )
    for name, own in program.gradients.items():
        for mistake, steps in (
            ("is overwritten at each step where it must accumulate", slice(0, 1)),
            ("leaves out the first step", slice(1, None)),
            ("leaves out the last step", slice(None, -1)),
        ):
            yield Mutant(f"d{name}: the sum over time {mistake}", name, replace(program, summed={name: steps}))
        for other in _neighbours(name, program.cell):
            wrong = substitute(own, {Adjoint(name): Adjoint(other)})
            yield Mutant(
                f"d{name}: the gradient of {other} is returned",
                name,
                replace(program, gradients={**program.gradients, name: wrong}),
            )
        half = product(Num(Fraction(1, 2)), own)
        yield Mutant(f"d{name}: divided by 2", name, replace(program, gradients={**program.gradients, name: half}))
    for horizon, often in ((1, "at every step"), (2, "at every second step")):
        yield Mutant(
            f"the carry is cut {often} (truncated backpropagation)",
            "carry",
            replace(program, horizon=horizon),
        )
