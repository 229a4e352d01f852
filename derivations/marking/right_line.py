"""The right line for a quantity, at the level of what was said: what is not named there is written out."""

from collections.abc import Collection

from derivations.cell import prev
from derivations.expression import (
    ONE,
    ZERO,
    Add,
    Adjoint,
    Derivative,
    Diag,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Shift,
    TimeSum,
    Total,
    Transpose,
    names,
    product,
    rewrite,
    total,
    walk,
)
from derivations.marking.course import Course
from derivations.marking.world import OVER_TIME, leaves


def written_out(
    course: Course,
    quantity: Expr,
    said: Expr | None,
    step: int,
    *,
    nearest: bool = False,
    lost: Collection[tuple[str, int]] = (),
    opening: list[str] | None = None,
) -> Expr:
    """The right line for a quantity, at the level of what was said: adjoints that are not named there are written out.

    With `nearest`, those of the states are not, whether they are named or not. Of what is written out, the terms that
    are `lost` are left out, each by the name of the adjoint and its number there; `opening` gathers those names.
    """
    derivation, cell = course.derivation, course.cell
    spoken = {id_ for id_, at in leaves(said, step) if at == step} if said is not None else set()
    if nearest:
        spoken |= {f"d{state}" for state in cell.states}
    later = {id_ for id_, at in leaves(said, step) if at == step + 1} if said is not None else set()
    reach: dict[str, bool] = {}

    def reaches(of: str) -> bool:
        """Whether what was said names something that this adjoint is made of."""
        if of not in reach:
            reach[of] = False
            inner = {n for n in walk(derivation.adjoint_of[of].rhs) if isinstance(n, Adjoint)}
            reach[of] = any(n.id in spoken or (not n.part and reaches(n.of)) or carried(n) for n in inner)
        return reach[of]

    def carried(node: Expr) -> bool:
        return isinstance(node, Adjoint) and node.part == "next" and node.id not in spoken and bool(later)

    def rule(node: Expr) -> Expr | None:
        match node:
            case Adjoint(of, "") if node.id not in spoken and of in derivation.adjoint_of and reaches(of):
                return opened(of)
            case Adjoint(of, "next") if carried(node) and f"d{prev(of)}" not in later:
                inner = rewrite(derivation.adjoint_of[prev(of)].rhs, rule_later)
                speaks = {n.id for n in walk(inner) if isinstance(n, (Adjoint, Name))}
                if speaks & later:
                    return moved(inner, 1, cell.parameters)
        return None

    def rule_later(node: Expr) -> Expr | None:
        """What is said a step later is written out there, where its parts are named there."""
        if isinstance(node, Adjoint) and not node.part and node.id not in later and node.of in derivation.adjoint_of:
            inner = derivation.adjoint_of[node.of].rhs
            if any(isinstance(n, Adjoint) and n.id in later for n in walk(inner)):
                return inner
        return None

    def opened(of: str) -> Expr:
        if opening is not None and of not in opening:
            opening.append(of)
        known = derivation.adjoint_of[of]
        kept = [term.expr for k, term in enumerate(known.terms) if (of, k) not in lost]
        rhs = known.rhs if len(kept) == len(known.terms) else total(*kept)
        return joined(rewrite(rhs, rule))

    match quantity:
        case Shift(arg, by):
            return Shift(written_out(course, arg, None, step), by)
        case Adjoint(of, "") if of in derivation.adjoint_of:
            return opened(of)
        case Total(of):
            return TimeSum(opened(of))
        case Transpose(arg):
            return Transpose(written_out(course, arg, said, step))
        case Name(id_) if id_ in cell.defined:
            own = {Name(e.target): e.rhs for e in cell.equations if e.auto and e.target not in spoken}
            rhs = cell.equation(id_).rhs
            for _ in range(3):
                rhs = rewrite(rhs, own.get)  # type: ignore[arg-type]  # a Name is an Expr
            return rhs
        case Derivative(of, wrt, kind) if kind == OVER_TIME:
            before = [
                MatMul(chain(course, of, name), Shift(Derivative(state, wrt, OVER_TIME), -1))
                for name, state in zip(cell.previous, cell.states, strict=True)
            ]
            return total(chain(course, of, wrt), *before)
        case Derivative(of, wrt, _):
            return chain(course, of, wrt)
        case MatMul() if any(isinstance(node, Derivative) for node in walk(quantity)):

            def chained(node: Expr) -> Expr | None:
                match node:
                    case Shift(Derivative(of, wrt), by):
                        return moved(chain(course, of, wrt), by, cell.parameters)
                    case Derivative(of, wrt):
                        return chain(course, of, wrt)
                return None

            return rewrite(quantity, chained)
    return joined(rewrite(quantity, rule)) if not isinstance(quantity, (Name, Adjoint)) else quantity


def joined(expr: Expr) -> Expr:
    """Products within products made flat, where an adjoint was written out."""

    def rule(node: Expr) -> Expr | None:
        match node:
            case Mul(factors) if any(isinstance(f, (Mul, Neg)) for f in factors):
                return product(*(rewrite(f, rule) for f in factors))
            case Add(terms) if any(isinstance(t, Add) for t in terms):
                return total(*(rewrite(t, rule) for t in terms))
        return None

    return rewrite(expr, rule)


def moved(expr: Expr, by: int, still: Collection[str] = ()) -> Expr:
    """An expression some steps later, with the step on every name but those that are `still`."""

    def rule(node: Expr) -> Expr | None:
        match node:
            case Shift(Name() | Adjoint(), _):
                return node
            case Name(id_) if id_ in still:
                return node
            case Name() | Adjoint():
                return Shift(node, by)
        return None

    return rewrite(expr, rule)


def distributed(expr: Expr) -> Expr:
    """A product of sums as a sum of products, where that is short: so people write it who put one line into another."""
    match expr:
        case Mul(factors):
            sums = [k for k, f in enumerate(factors) if isinstance(f, Add) and not isinstance(f.terms[0], Num)]
            if len(sums) != 1 or len(factors[sums[0]].terms) > 4:  # type: ignore[attr-defined]  # a sum, by the line above
                return expr
            k = sums[0]
            inner = factors[k]
            assert isinstance(inner, Add)  # chosen so
            return total(*(product(*factors[:k], term, *factors[k + 1 :]) for term in inner.terms))
        case Add(terms):
            return total(*map(distributed, terms))
    return expr


def chain(course: Course, of: str, wrt: str) -> Expr:
    """d(of)/d(wrt) within the step, by the chain rule along every path."""
    cell, derivation = course.cell, course.derivation
    known: dict[str, Expr] = {wrt: ONE}

    def slope(name: str) -> Expr:
        if name not in known:
            known[name] = ZERO
            if name in cell.defined:
                terms = []
                for read in names(cell.equation(name).rhs):
                    inner = slope(read)
                    if inner != ZERO:
                        local = derivation.partial(name, read)
                        terms.append(local if inner == ONE else inner if local == ONE else _after(local, inner))
                known[name] = total(*terms)
        return known[name]

    return slope(of)


def _after(local: Expr, inner: Expr) -> Expr:
    match local, inner:
        case Diag(a), Diag(b):
            return Diag(product(a, b))
        case Diag(a), MatMul(Diag(b), w):
            return MatMul(Diag(product(a, b)), w)
    return MatMul(local, inner) if inner != ONE else local
