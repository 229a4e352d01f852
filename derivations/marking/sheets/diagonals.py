"""Diagonal matrices beside the identity: `I - diag(z)` is `diag(1 - z)`."""

from derivations.expression import (
    ONE,
    Add,
    Diag,
    Div,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Pow,
    Transpose,
    rewrite,
    walk,
)  # fmt: skip

_IDENTITY = frozenset(("I", "Id", "I_n", "I_d", "I_N", "I_m", "I_h", "I_H", "I_D", "I_n_n"))


def without_identity(expr: Expr) -> Expr:
    """The same without the identity, where it stands beside diagonal matrices or multiplies."""
    if not any(_is_identity(node) or isinstance(node, Pow) for node in walk(expr)):
        return expr
    return rewrite(expr, _plain)


def _plain(node: Expr) -> Expr | None:
    match node:
        case Add(terms) if any(map(_has_identity, terms)) and (vector := _vector(node)) is not None:
            return Diag(vector)
        case Pow(Diag(), _) if (vector := _vector(node)) is not None:
            return Diag(vector)
        case MatMul(left, right) if _is_identity(left) or _is_identity(right):
            return rewrite(right if _is_identity(left) else left, _plain)
    return None


def _is_identity(node: Expr) -> bool:
    return isinstance(node, Name) and node.id in _IDENTITY


def _has_identity(node: Expr) -> bool:
    return any(map(_is_identity, walk(node)))


def _vector(expr: Expr) -> Expr | None:
    """The diagonal of a matrix that is diagonal; None where it is not known to be."""
    match expr:
        case Diag(arg):
            return arg
        case Name() if _is_identity(expr):
            return ONE
        case Transpose(arg):
            return _vector(arg)
        case Neg(arg):
            inner = _vector(arg)
            return None if inner is None else Neg(inner)
        case Pow(base, exponent):
            inner = _vector(base)
            return None if inner is None else Pow(inner, exponent)
        case Add(terms):
            found = [_vector(term) for term in terms]
            return None if None in found else Add(tuple(v for v in found if v is not None))
        case Mul(factors):
            found = [factor if isinstance(factor, Num) else _vector(factor) for factor in factors]
            return None if None in found else Mul(tuple(v for v in found if v is not None))
        case MatMul(left, right):
            return _vector(Mul((left, right)))
        case Div(above, Num() as below):
            inner = _vector(above)
            return None if inner is None else Div(inner, below)
    return None
