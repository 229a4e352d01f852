r"""Sums over components in a row of LaTeX: `\sum_k W_{kj} \delta_k` is the j-th entry of W^T delta.

A row that sums over a letter is of components. The letter, and one that stands beside it on a matrix, are indices of
components there: they are left out of the names. A matrix whose first index is summed over is transposed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SUM = re.compile(r"\\sum\s*(?:\\limits\s*)?_\s*\{?\s*([ijklmnpq])\s*(?:=\s*1\s*)?\}?(?:\s*\^\s*(?:\{[^{}]*\}|\w))?")
_OVER_STEPS = re.compile(r"\^\s*\{?\s*[tT](?![a-z])")
# `W_{kj}`, `W_{hh,kj}`, `W_{k,j}`; a gate's letter with an index behind it, as in `\gamma_{o,j}`, is no such pair
_PAIR = re.compile(
    r"(?<=[_^{,\s])([ijklmnpq])\s*([ijklmnpq])(?=\s*[},])|(?<=[{,])\s*([jklmpq])\s*,\s*([jklmpq])\s*(?=\})"
)
ENTRY = "\u00b7"  # in a name: behind it stands the index of an entry
NO_GATES = frozenset("jklmpq")


@dataclass(frozen=True)
class Indices:
    """The letters that are indices of components in a row.

    Attributes:
        summed: those that are summed over.
        free: those beside them on matrices.
        absorbed: those whose sum is a matrix product.
        pair: those that say an entry of a matrix on the left, where no sum stands.
    """

    summed: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    absorbed: frozenset[str] = frozenset()
    pair: frozenset[str] = frozenset()

    def entry(self, labels: list[str]) -> tuple[list[str], str]:
        """The labels of a name that say no entry, and the letters of those that do."""
        here = [label for label in labels if len(label) <= 2 and set(label) <= self.pair]
        return [label for label in labels if label not in here], "".join(here)

    def without(self, labels: list[str]) -> tuple[list[str], bool]:
        """The labels of a name that are none of these, and whether the name is a matrix that stands transposed."""
        left: list[str] = []
        here: list[str] = []
        for label in labels:
            letters = list(label)
            if 0 < len(letters) <= 2 and all(letter in self.summed | self.free for letter in letters):
                here += letters
            else:
                left.append(label)
        return left, len(here) == 2 and here[0] in self.summed

    def __bool__(self) -> bool:
        return bool(self.summed)


def indices(row: str) -> Indices:
    """The indices of components in a row."""
    summed = {match[1] for match in _SUM.finditer(row) if not _OVER_STEPS.search(match[0])}
    pairs = [(m[1] or m[3], m[2] or m[4]) for m in _PAIR.finditer(row)]
    beside = [pair for pair in pairs if summed & set(pair) and pair[0] != pair[1]]
    free = {letter for pair in beside for letter in pair} - summed
    absorbed = {letter for pair in beside for letter in pair} & summed
    return Indices(frozenset(summed), frozenset(free), frozenset(absorbed))


def everywhere(rows: Iterable[str]) -> Indices:
    """The letters that are indices somewhere, and are so on rows without a sum as well."""
    found = [indices(row) for row in rows]
    letters = frozenset(letter for one in found for letter in one.summed | one.free)
    return Indices(free=letters & NO_GATES)


def passed(text: str, at: int) -> re.Match[str] | None:
    """The sign of a sum over components that stands at a place."""
    match = _SUM.match(text, at)
    return match if match and not _OVER_STEPS.search(match[0]) else None
