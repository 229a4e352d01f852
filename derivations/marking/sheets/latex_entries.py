r"""Entries in LaTeX: `\frac{\partial L}{\partial W_{ij}} = \delta_i h_j` is an outer product.

Where a row says an entry of a matrix by two letters, the names in it keep theirs until the formula is read; what then
goes by the first letter is one vector, what goes by the second the other.
"""

import re
from dataclasses import replace

from derivations.cell import CellError
from derivations.expression import (
    ONE,
    Add,
    Div,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Outer,
    TimeSum,
    Transpose,
    names,
    rewrite,
)
from derivations.marking.sheets.latex_indices import ENTRY, Indices

_LETTERS = r"[ijklmnpq]"
_INDEX = re.compile(rf"\s*_\s*(?:\{{\s*({_LETTERS})\s*,?\s*({_LETTERS})?\s*\}}|({_LETTERS})(?![A-Za-z]))")
_ONE = re.compile(r",\s*([jklmnpq])\s*\}")
_CLOSING = {")": "(", "]": "["}
_PAIR = re.compile(rf"[_,{{\s]({_LETTERS})\s*,?\s*({_LETTERS})\s*\}}")


def with_entries(row: str) -> str:
    r"""The row with `(x)_i` as a command of its own, `\entry{x}{i}`."""
    for k in range(len(row) - 1, -1, -1):
        if row[k] in _CLOSING and (index := _INDEX.match(row, k + 1)) and (start := _opened(row, k)) >= 0:
            letters = (index[1] or index[3]) + (index[2] or "")
            row = rf"{row[:start]}\entry{{{row[start + 1 : k]}}}{{{letters}}}{row[index.end() :]}"
            return with_entries(row)
    return row


def pair_on_the_left(row: str) -> str:
    """The two letters that say an entry of a matrix on the left, where both go over something on the right as well."""
    left, sign, right = row.partition("=")
    found = _PAIR.search(left)
    if (
        not sign
        or not found
        or r"\sum_" in right.replace(r"\sum_t", "").replace(r"\sum_{t", "")
        or found[1] == found[2]
    ):
        return ""
    letters = found[1], found[2]
    used = all(re.search(rf"[_,{{(\s^]{letter}(?![A-Za-z])", right) for letter in letters)
    return "".join(letters) if used else ""


def entry_on_the_left(row: str) -> Indices:
    """The letter that says an entry of all vectors of a row without a sum, `\\delta_{t,j} = c_{t-1,j} f_{t,j}`."""
    found = _ONE.search(row.partition("=")[0])
    return Indices(free=frozenset(found[1]) if found and r"\sum" not in row else frozenset())


def as_entries(indices: Indices, pair: str) -> Indices:
    """The indices of a row whose left-hand side is an entry by two letters."""
    return replace(indices, pair=frozenset(pair)) if pair else indices


def assembled(expr: Expr, of: str) -> Expr:
    """What a right-hand side in entries is as a whole; `of` are the letters on the left.

    Raises:
        CellError: its entries are not those of the left.
    """
    spoken = {entry for name in names(expr) if (entry := name.partition(ENTRY)[2])}
    if len(of) == 2 and spoken:
        return _matrix(expr, of)
    if spoken - {of} and spoken:
        raise CellError("the entries on both sides are not the same")
    return _whole(expr)


def _matrix(expr: Expr, of: str) -> Expr:
    match expr:
        case Add(terms):
            return Add(tuple(_matrix(term, of) for term in terms))
        case Neg(arg):
            return Neg(_matrix(arg, of))
        case TimeSum(arg):
            return TimeSum(_matrix(arg, of))
    groups: dict[str, list[Expr]] = {}
    for factor in _factors(expr):
        groups.setdefault(_letters(factor), []).append(_whole(factor))
    if set(groups) - {"", *of, of, of[::-1]}:
        raise CellError("the entries on both sides are not the same")
    parts = groups.get("", [])
    parts += groups.get(of, []) + [Transpose(factor) for factor in groups.get(of[::-1], [])]
    if set(of) <= set(groups):
        parts.append(Outer(_product(groups[of[0]]), _product(groups[of[1]])))
    elif set(of) & set(groups) or not parts:
        raise CellError("the entries on both sides are not the same")
    return _product(parts)


def _product(factors: list[Expr]) -> Expr:
    return factors[0] if len(factors) == 1 else Mul(tuple(factors))


def _factors(expr: Expr) -> list[Expr]:
    match expr:
        case Mul(factors):
            return [part for factor in factors for part in _factors(factor)]
        case MatMul(left, right):
            return [*_factors(left), *_factors(right)]
        case Div(above, Num() as below):
            return [*_factors(above), Div(ONE, below)]
        case Transpose(arg):
            return _factors(arg)
    return [expr]


def _letters(expr: Expr) -> str:
    found = {entry for name in names(expr) if (entry := name.partition(ENTRY)[2])}
    if len(found) > 1:
        raise CellError("the entries on both sides are not the same")
    return found.pop() if found else ""


def _whole(expr: Expr) -> Expr:
    """The same without the letters that say entries."""
    return rewrite(
        expr, lambda node: Name(node.id.partition(ENTRY)[0]) if isinstance(node, Name) and ENTRY in node.id else None
    )


def _opened(row: str, at: int) -> int:
    """Where the bracket that closes at a place opens; -1 where it does not."""
    depth, closes = 0, row[at]
    for k in range(at, -1, -1):
        depth += (row[k] == closes) - (row[k] == _CLOSING[closes])
        if depth == 0:
            return k
    return -1
