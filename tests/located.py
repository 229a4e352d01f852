"""Dumps looked at in memory, and what must hold of one that is right."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from backends.golden.dumped import ready
from backends.golden.dumps import dump_of
from backends.golden.layout import Kind, layout
from backends.golden.locate import AtPoint, examined
from derivations.catalogue import read_cell
from derivations.derive import Derivation, derive
from derivations.mutants import Mutant, mutants

GATES = "figo"


@cache
def derived(name: str) -> Derivation:
    """One derivation a cell: its mutants share its equations, and what they share is computed once."""
    return derive(read_cell(name))


LSTM = derived("lstm")


@cache
def wrong_programs(name: str) -> tuple[Mutant, ...]:
    return mutants(derived(name))


def look(arrays: Mapping[str, Any], derivation: Derivation = LSTM, dtype: str = "float64") -> AtPoint:
    """What is found in one point of a dump."""
    (one,) = ready(derivation.cell, dump_of(arrays), dtype)
    return examined(derivation, one, dtype, lambda: wrong_programs(derivation.cell.name))


def assert_right(arrays: Mapping[str, Any], derivation: Derivation = LSTM, dtype: str = "float64") -> AtPoint:
    found = look(arrays, derivation, dtype)
    assert not found.broken, found.broken[0]
    assert not found.untested
    assert 0 < found.worst <= 1
    given = {key for key, entry in layout(derivation.cell).items() if entry.kind is Kind.GIVEN}
    assert {*found.right, *found.silent} == {*arrays} - given - {"about/point"}
    return found
