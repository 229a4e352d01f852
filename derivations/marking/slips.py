"""The right line with one change, as people make them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import combinations
from typing import Any

from derivations.cell import Cell, prev
from derivations.derive import Term
from derivations.expression import (
    ZERO,
    Add,
    Adjoint,
    Call,
    Diag,
    Div,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Outer,
    Pow,
    Shift,
    Transpose,
    names,
    negative,
    operations,
    product,
    substitute,
    total,
    walk,
)
from derivations.marking.course import Course
from derivations.marking.gates import Gates
from derivations.mistakes import in_an_expression, places, spelled

MOST_SPELLED = 6  # operations in a term that is written out in a sentence


@dataclass(frozen=True)
class Slip:
    """A change of the right line, in words; the less it costs, the likelier."""

    words: str
    expr: Expr
    cost: float = 1.0


def slips(expr: Expr, course: Course, quantity: Expr, terms: tuple[Term, ...] = ()) -> Iterator[Slip]:
    """The right line with one change, as people make them."""
    cell = course.cell
    yield Slip("the sign is flipped", negative(expr))
    yield Slip("it is set to zero", ZERO, 0.6)
    for put, node in places(expr):
        match node:
            case Add(parts):
                yield from _of_sum(put, node, parts, expr, quantity, terms, cell)
            case Mul(factors):
                yield from _of_product(put, factors)
            case Div(above, below):
                yield Slip(f"the division by {spelled(below)} is missing", put(above))
                yield Slip(f"{spelled(below)} multiplies where it divides", put(product(above, below)))
            case Pow(base, exponent):
                yield Slip(f"{spelled(base)} where {spelled(base)}**{exponent} is due", put(base), 0.9)
            case MatMul(left, right):
                if isinstance(left, Transpose):
                    yield Slip(f"{spelled(left.arg)} must be transposed", put(MatMul(left.arg, right)), 0.8)
                yield Slip(f"the factor {spelled(left)} is missing", put(right))
            case Outer(left, right):
                yield Slip("the outer product is the wrong way round", put(Outer(right, left)), 0.8)
            case Call("tanh", (Name() as inner,)):
                yield Slip(f"{inner.id} where tanh({inner.id}) is due", put(inner))
                yield Slip(
                    f"the slope of tanh, 1 - tanh({inner.id})**2, where tanh({inner.id}) is due", put(1 - node**2)
                )
                yield Slip(f"sigmoid({inner.id}) where tanh({inner.id}) is due", put(Call("sigmoid", (inner,))))
            case Name() | Adjoint() | Shift(Name() | Adjoint(), _):
                yield from _of_name(put, node, cell)
                if isinstance(node, Name) and expr in (node, Diag(node)):
                    yield Slip(f"1 - {node.id} where {node.id} is due", put(1 - node), 0.9)
    leaves = [node for node in walk(expr) if isinstance(node, (Name, Adjoint))]
    for leaf in dict.fromkeys(leaves):
        if leaves.count(leaf) > 1:  # the same slip at every place
            throughout = partial(_throughout, expr, leaf)
            yield from (replace(slip, cost=slip.cost + 0.05) for slip in _of_name(throughout, leaf, cell))
    yield from _swapped(expr, list(dict.fromkeys(leaves)), cell)
    for words, wrong in in_an_expression(expr, cell, lambda *_: ()):
        if "is missing" not in words:
            yield Slip(words, wrong, 0.9)
    divisors = [
        factor
        for node in walk(expr)
        if isinstance(node, Div)
        for factor in (node.denominator, *names(node.denominator))
    ]
    for factor in _slopes(cell):
        divides = factor in divisors or (isinstance(factor, Name) and factor.id in divisors)
        words = (
            f"the division by {spelled(factor)} is missing" if divides else f"the factor {spelled(factor)} is too much"
        )
        yield Slip(words, product(expr, factor), 1.4)
    for more in (2, Fraction(1, 2)):
        yield Slip(f"off by a factor {more}", product(Num(Fraction(more)), expr), 1.3)


def _throughout(expr: Expr, leaf: Expr, new: Expr) -> Expr:
    return substitute(expr, {leaf: new})


def _swapped(expr: Expr, leaves: list[Expr], cell: Cell) -> Iterator[Slip]:
    """Two names of a kind, each in the place of the other."""
    for a, b in combinations(leaves, 2):
        match a, b:
            case Name(x), Name(y):
                alike = (x in cell.parameters) == (y in cell.parameters) and cell.shapes.get(x) == cell.shapes.get(y)
            case Adjoint(x, ""), Adjoint(y, ""):
                alike = cell.shapes[x] == cell.shapes[y]
            case _:
                alike = False
        if alike:
            yield Slip(f"{spelled(a)} and {spelled(b)} are swapped", substitute(expr, {a: b, b: a}), 1.0)


def _of_sum(
    put: Any, node: Add, parts: tuple[Expr, ...], expr: Expr, quantity: Expr, terms: tuple[Term, ...], cell: Cell
) -> Iterator[Slip]:
    whole = node is expr
    for k, part in enumerate(parts):
        rest = total(*parts[:k], *parts[k + 1 :])
        flipped = total(*parts[:k], negative(part), *parts[k + 1 :])
        bare = part.arg if isinstance(part, Neg) else part
        if whole and len(terms) == len(parts):
            via = terms[k].via
            yield Slip(lost_words(via, bare, quantity, cell), put(rest), 0.7)
            which = f"the term through {via}" if via not in ("loss", "t+1") else f"the term {spelled(bare)}"
            yield Slip(f"the sign of {which} is flipped", put(flipped), 0.8)
        elif len(parts) == 2 and isinstance(parts[0], Num):  # 1 - f, 1 - g**2
            if k == 1:
                yield Slip(f"{spelled(flipped)} for {spelled(node)}", put(flipped), 0.8)
            else:
                yield Slip(f"{spelled(bare)} is missing in {spelled(node)}", put(rest), 1.1)
                yield Slip(
                    f"{spelled(negative(node))} for {spelled(node)}: a sign is flipped", put(negative(node)), 1.1
                )
                yield Slip(f"{spelled(negative(parts[1]))} for {spelled(node)}", put(negative(parts[1])), 1.0)
        else:
            via = "t+1" if isinstance(bare, Adjoint) and bare.part == "next" else ""
            if operations(bare) <= MOST_SPELLED:
                yield Slip(lost_words(via, bare, quantity, cell), put(rest), 0.8)
            yield Slip(f"the sign of the term {spelled(bare)} is flipped", put(flipped), 0.9)
    yield from _without_brackets(put, parts)
    match node:
        case Add((Num(one), Neg(Pow(Call("tanh", (Name() as c,)) as u, 2)))) if one == 1:
            yield Slip(f"tanh({c.id}) for its slope {spelled(node)}", put(u))
            yield Slip(f"the slope of the sigmoid at tanh({c.id}) where that of tanh is due", put(u * (1 - u)), 1.1)
            twice = Call("tanh", (u,))
            yield Slip(f"tanh' at tanh({c.id}), not at {c.id}", put(1 - twice**2), 0.9)
            s = Call("sigmoid", (c,))
            yield Slip(f"the slope of the sigmoid at {c.id} where that of tanh is due", put(s * (1 - s)), 1.1)
        case Add((Num(one), Neg(Pow(Name() as g, 2)))) if one == 1:
            yield Slip(
                f"the slope of the sigmoid, {g.id}*(1 - {g.id}), where that of tanh is due", put(g * (1 - g)), 0.9
            )
            yield Slip(f"{g.id} for its slope {spelled(node)}", put(g), 1.0)
            words = f"tanh is applied twice: 1 - tanh({g.id})**2 where {spelled(node)} is due"
            yield Slip(words, put(1 - Call("tanh", (g,)) ** 2), 0.8)


def lost_words(via: str, bare: Expr, quantity: Expr, cell: Cell) -> str:
    """What is said of a term that is missing."""
    if via == "t+1":
        return f"what comes back from step t+1, {spelled(bare)}, is missing: the carry"
    if via == "loss":
        return f"what the loss sends directly, {spelled(bare)}, is missing"
    if via and isinstance(quantity, Adjoint):
        states = (*cell.states, *cell.previous)
        weights = [n for n in names(bare) if n in cell.parameters and len(cell.shapes[n]) == 1]
        through = f", through the peephole {weights[0]}" if weights and quantity.of in states else ""
        term = f": the term {spelled(bare)}" if operations(bare) <= MOST_SPELLED else ""
        called = _called(via, cell)
        label = cell.equation(called).label if called in cell.defined and Gates(cell).families else ""
        what = f" ({label})" if label in ("mean", "variance", "standard deviation") else ""
        return f"the path {quantity.of} -> {called}{what} is missing{through}{term}"
    return f"the term {spelled(bare)} is missing"


def _called(via: str, cell: Cell) -> str:
    """A name on a path, or, where we have named it ourselves and it is no preactivation, the one that reads it."""
    if via in cell.defined and cell.equation(via).auto and via not in Gates(cell).activation:
        return next((e.target for e in cell.equations if via in names(e.rhs)), via)
    return via


def _without_brackets(put: Any, parts: tuple[Expr, ...]) -> Iterator[Slip]:
    """What all terms have in common stands with the last alone: `a - b*d` for `(a - b)*d`."""
    products = [part.arg if isinstance(part, Neg) else part for part in parts]
    each = [one.factors for one in products if isinstance(one, Mul)]
    for common in each[0] if len(each) == len(parts) > 1 else ():
        if all(common in factors for factors in each):
            bare = [_without(part, common) for part in parts]
            for last in range(len(parts)):
                loose = total(*(part if k == last else bare[k] for k, part in enumerate(parts)))
                words = f"the brackets are missing: all of {spelled(total(*bare))} is multiplied by {spelled(common)}"
                yield Slip(words, put(loose), 0.6)


def _without(part: Expr, factor: Expr) -> Expr:
    """A term without one factor."""
    match part:
        case Neg(arg):
            return negative(_without(arg, factor))
        case Mul(factors):
            at = factors.index(factor)
            return product(*factors[:at], *factors[at + 1 :])
    return part


def _of_product(put: Any, factors: tuple[Expr, ...]) -> Iterator[Slip]:
    for k, factor in enumerate(factors):
        rest = product(*factors[:k], *factors[k + 1 :])
        cost = 1.05 if isinstance(factor, Adjoint) else 0.7
        yield Slip(f"the factor {spelled(factor)} is missing", put(rest), cost)
        yield Slip(f"{spelled(factor)} is squared", put(product(*factors[: k + 1], *factors[k:])), 1.1)
        yield Slip(f"{spelled(factor)} divides where it multiplies", put(Div(rest, factor)), 1.3)
        plus = put(total(factor, rest))
        yield Slip(f"{spelled(factor)} is added where it must be multiplied", plus, 1.2)
        if isinstance(factor, Add) and not isinstance(factor.terms[0], Num):
            *first, last = factor.terms
            loose = put(total(*first, product(last, rest)))
            yield Slip(
                f"the brackets are missing: all of {spelled(factor)} is multiplied, not its last term", loose, 0.6
            )
        if isinstance(factor, Name):
            other = (*factors[:k], 1 - factor, *factors[k + 1 :])
            yield Slip(f"1 - {factor.id} where {factor.id} is due", put(product(*other)), 0.95)
        match factor:
            case Add((Num(one), Neg(Name() as gate))) if one == 1:
                swapped = product(*factors[:k], gate, *factors[k + 1 :])
                of = k > 0 and factors[k - 1] == gate
                why = f": the slope of the sigmoid is {gate.id}*(1 - {gate.id})" if of else ""
                yield Slip(f"{gate.id} where 1 - {gate.id} is due{why}", put(swapped), 0.9)
                if of:
                    before, after = factors[: k - 1], factors[k + 1 :]
                    slope = f"{gate.id}*(1 - {gate.id})"
                    yield Slip(f"the slope of the sigmoid, {slope}, is missing", put(product(*before, *after)), 0.75)
                    yield Slip(
                        f"the slope of tanh, 1 - {gate.id}**2, where that of the sigmoid, {slope}, is due",
                        put(product(*before, 1 - gate**2, *after)),
                        0.9,
                    )
                    yield Slip(
                        f"1 - {gate.id} is squared, and {gate.id} is missing: {slope} is due",
                        put(product(*before, (1 - gate) ** 2, *after)),
                        1.0,
                    )
                    inner = Call("sigmoid", (gate,))
                    yield Slip(f"sigmoid({gate.id}) for its slope {slope}", put(product(*before, inner, *after)), 1.2)


def _of_name(put: Any, node: Expr, cell: Cell) -> Iterator[Slip]:
    """Another name where one is due: of another step, of another gate."""
    leaf, by = (node.arg, node.by) if isinstance(node, Shift) else (node, 0)

    def other_step(more: int, cost: float) -> Slip:
        there = _at(leaf, by + more)
        return Slip(f"{spelled(there)} where {spelled(node)} is due: the step is wrong", put(there), cost)

    match leaf:
        case Name(id_):
            shape = cell.shapes.get(id_)
            known = Gates(cell).activation
            named = [e.target for e in cell.equations if not e.auto or e.target in known]  # not by us alone
            group: Iterable[str] = cell.parameters if id_ in cell.parameters else (*named, *cell.inputs)
            state = id_.removesuffix("_prev") if id_ in cell.previous else ""
            if state and not by:
                yield Slip(f"{state} of this step where {id_} is due", put(_at(Name(state), by)), 0.7)
                yield other_step(-1, 1.1)
            elif id_ in cell.states and not by:
                yield Slip(f"{prev(id_)} where {id_} of this step is due", put(_at(Name(prev(id_)), by)), 0.7)
            if not state and id_ not in cell.parameters:
                yield other_step(1, 1.0)
                if id_ not in cell.states or by:
                    yield other_step(-1, 1.0)
            for other in (*group, *(cell.previous if id_ not in cell.parameters else ())):
                if other not in (id_, state) and len(cell.shapes[other]) == len(shape or ()):
                    cost = 1.1 if other in cell.previous or id_ in cell.previous else 0.95
                    if other.startswith("a_") != id_.startswith("a_"):
                        cost += 0.3
                    yield Slip(
                        f"{spelled(_at(Name(other), by))} where {spelled(node)} is due", put(_at(Name(other), by)), cost
                    )
        case Adjoint(of, ""):
            shape = cell.shapes[of]
            for other in (*cell.defined, *cell.previous):
                if other != of and cell.shapes[other] == shape:
                    yield Slip(
                        f"{spelled(_at(Adjoint(other), by))} where {spelled(node)} is due",
                        put(_at(Adjoint(other), by)),
                        0.95,
                    )
            if of in cell.states:
                yield Slip(f"only what comes back from step t+1 where the whole d{of} is due",
                           put(_at(Adjoint(of, "next"), by)), 1.0)  # fmt: skip
            if of in cell.seeded:
                yield Slip(f"only what the loss sends directly where the whole d{of} is due",
                           put(_at(Adjoint(of, "out"), by)), 1.0)  # fmt: skip
            yield other_step(1, 1.1)
            if by:
                yield other_step(-1, 1.0)
        case Adjoint(of, "next"):
            yield Slip(
                f"the whole d{of} where only what comes back from step t+1 is due", put(_at(Adjoint(of), by)), 1.0
            )


def _at(leaf: Expr, by: int) -> Expr:
    return Shift(leaf, by) if by else leaf


def _slopes(cell: Cell) -> Iterator[Expr]:
    """What people multiply by too often."""
    for equation in cell.equations:
        match equation.rhs:
            case Call("sigmoid", _):
                value = Name(equation.target)
                yield from (value, 1 - value, value * (1 - value))
            case Call("tanh", _):
                yield 1 - Name(equation.target) ** 2
        for node in walk(equation.rhs):
            if isinstance(node, Call) and node.function == "tanh" and not equation.auto:
                yield 1 - node**2
    for state in cell.states:
        yield Name(prev(state))
    for name in cell.defined:
        if not name.startswith("a_"):
            yield Name(name)
