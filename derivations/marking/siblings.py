"""The errors of all gates beside one another: what a wrong one among them was meant to be, by elimination."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import permutations

from derivations.expression import Adjoint, Expr, Name, Stack, Transpose, walk
from derivations.marking.gates import Gates
from derivations.marking.sheet import free
from derivations.marking.understanding import Understanding, gate_of_error

MOST_WRONG = 3
_PIECE = re.compile(r"(?P<array>.+)\[\d*:\d*\]")


def by_elimination(reading: Understanding) -> Iterator[tuple[str, Expr]]:
    """Names of lines that stand for the one gate, or the few, that none of their siblings is of."""
    gates = reading.course.vocabulary.gates
    for group in _groups(reading):
        known = {k: gate_of_error(reading.sayings, Name(reading.sheet.lines[k].version), reading.sheet.lines[k].step)
                 for k in group}  # fmt: skip
        left = [gate for gate in gates.names if gate not in known.values()]
        wrong = [k for k, gate in known.items() if gate is None]
        if len(group) != len(gates.names) or not 1 <= len(wrong) == len(left) <= MOST_WRONG:
            continue
        if any(reading.judged[k].right for k in wrong):
            continue  # it is right as something else: what joins them is wrong
        for k, gate in zip(wrong, _assigned(reading, gates, wrong, left), strict=False):
            yield reading.sheet.lines[k].target, Adjoint(gates.preactivation[gate])


def _groups(reading: Understanding) -> Iterator[tuple[int, ...]]:
    """Lines that are put beside one another: parts of one array, or names that one line joins."""
    sheet = reading.sheet
    pieces: dict[tuple[str, int], dict[str, int]] = {}
    for k, line in enumerate(sheet.lines):
        if match := _PIECE.fullmatch(line.target):
            pieces.setdefault((match["array"], line.step), {})[line.target] = k
    yield from (tuple(group.values()) for group in pieces.values())
    for line in sheet.lines:
        for node in walk(line.rhs) if line.rhs is not None else ():
            if isinstance(node, Stack):
                bare = [part.arg if isinstance(part, Transpose) else part for part in node.parts]  # standing or lying
                each = [sheet.place.get(p.id) if isinstance(p, Name) and not free(p.id) else None for p in bare]
                if None not in each:
                    yield tuple(k for k in each if k is not None)


def _assigned(reading: Understanding, gates: Gates, wrong: list[int], left: list[str]) -> tuple[str, ...]:
    """The gates that are left, one for each wrong line: that which a line speaks of most; none where that is open."""
    if len(wrong) == 1:
        return tuple(left)
    spoken = [_names(reading.judged[k].said) for k in wrong]
    ranked = sorted(
        (sum(counts[gate] for counts, gate in zip(spoken, order, strict=True)), order) for order in permutations(left)
    )[::-1]
    return ranked[0][1] if ranked[0][0] > ranked[1][0] else ()


def _names(said: Expr | None) -> Counter[str]:
    return Counter(node.id for node in walk(said) if isinstance(node, Name)) if said is not None else Counter()
