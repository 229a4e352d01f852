"""Lines that a transposition or the order of a product makes right."""

import re
from collections.abc import Iterator

from derivations.expression import Expr, MatMul, Mul, Name, Outer, Stack, Transpose, product, rewrite, walk
from derivations.marking.attempt import Attempt, Mistake
from derivations.marking.course import ROWS, SCALAR
from derivations.mistakes import places, spelled

MOST_TURNED = 200
_TURNED = {"must be": "must not be", "must not be": "must be"}


def turned(attempt: Attempt, right: Expr) -> Mistake | None:
    """The likeliest turning that makes a line right."""
    for words, other in turnings(attempt, attempt.said):
        if attempt.agrees(attempt.theirs(other)):
            return Mistake(words, right)
    return None


def turnings(attempt: Attempt, expr: Expr) -> Iterator[tuple[str, Expr]]:
    """An expression with one product turned, the likeliest first, in words; or with all of its matrices."""
    if attempt.view.layout == SCALAR:
        return
    tries = [(cost, words, put(other)) for put, node in places(expr) for cost, words, other in _at(node)]
    tries += _throughout(expr)
    for _, words, other in sorted(tries, key=lambda one: one[0])[:MOST_TURNED]:
        if attempt.view.layout == ROWS:  # their weights are ours transposed
            words = re.sub("must (?:not )?be", lambda m: _TURNED[m[0]], words)
        yield words, other


def _at(node: Expr) -> Iterator[tuple[float, str, Expr]]:
    match node:
        case Stack():
            yield 1, "the packed matrices must be transposed", Transpose(node)
        case Transpose(Stack() as arg):
            yield 0, "the packed matrices must not be transposed", arg
        case Transpose(arg):
            yield 0, f"{spelled(arg)} must not be transposed", arg
        case Name():
            yield 1 if node.id[0].isupper() else 4, f"{node.id} must be transposed", Transpose(node)
        case Outer(a, b):
            yield 0, "the outer product is the wrong way round", Outer(b, a)
        case MatMul(a, b):
            match a, b:
                case Transpose(x), y:
                    yield 2, "the outer product is the wrong way round", MatMul(Transpose(y), x)
                case x, Transpose(y):
                    yield 2, "the outer product is the wrong way round", MatMul(y, Transpose(x))
            yield 3, "the factors of the matrix product are in the wrong order", MatMul(b, a)
            yield 3, "a matrix product stands where an elementwise one is due", Mul((a, b))
            yield 3, "an outer product is due", Outer(a, b)
        case Mul((a, b)):
            yield 3, "an outer product is due where an elementwise one stands", Outer(a, b)
            yield 3, "an outer product is due where an elementwise one stands", Outer(b, a)
            yield 3, "a matrix product is due where an elementwise one stands", MatMul(a, b)


def _throughout(expr: Expr) -> Iterator[tuple[float, str, Expr]]:
    """Every matrix turned at once: those that stand before a vector plainly, and those that stand there transposed."""

    def plain(node: Expr) -> Expr | None:
        match node:
            case MatMul(Name() as w, x):
                return MatMul(Transpose(w), rewrite(x, plain))
            case Mul((Name(id_) as w, *others)) if id_[0].isupper():
                return MatMul(Transpose(w), rewrite(product(*others), plain))
        return None

    def upright(node: Expr) -> Expr | None:
        match node:
            case MatMul(Transpose(Name() as w), x):
                return MatMul(w, rewrite(x, upright))
        return None

    for rule, words in ((plain, "must be"), (upright, "must not be")):
        turned_ = [node for node in walk(expr) if rule(node) is not None]
        if len(turned_) > 1:
            yield 0.5, f"the matrices {words} transposed", rewrite(expr, rule)
