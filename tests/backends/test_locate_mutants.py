"""`derive locate` on every mutant of a derivation: found in the equation in which it is made, and named."""

import pytest

from backends.golden.layout import Kind, layout
from derivations.expression import Adjoint, Name, walk
from derivations.mutants import Mutant
from derivations.program import backward_program
from tests.filled import filled, hard
from tests.located import derived, look, wrong_programs


def reached(mutant: Mutant) -> set[str]:
    """The quantities at which a mutant may be found: that in which it is made, or those that it changes at once."""
    right = backward_program(derived(mutant.program.cell.name))
    entries = layout(mutant.program.cell)
    if mutant.of in entries and entries[mutant.of].kind is Kind.ADJOINT:
        return {mutant.of}
    if f"grad_{mutant.of}" in entries:
        return {f"grad_{mutant.of}"}
    if mutant.program.late:
        late = set(mutant.program.late)
        return {
            id_
            for id_, rhs in right.adjoints
            if any(isinstance(node, (Name, Adjoint)) and getattr(node, "id", "") in late for node in walk(rhs))
        }
    if mutant.of == "gradients":
        return {f"grad_{name}" for name in right.gradients}
    assert mutant.of == "carry"
    return {f"d{state}_next" for state in mutant.program.cell.states}


def assert_located(name: str, chosen: tuple[Mutant, ...]) -> None:
    derivation = derived(name)
    _, point, sizes = hard(derivation.cell)
    for mutant in chosen:
        found = look(filled(mutant.program, point, sizes), derivation)
        assert found.broken, mutant.mistake
        first = found.broken[0]
        assert first.key in reached(mutant), (mutant.mistake, first)
        assert mutant.mistake in first.mistakes, (mutant.mistake, first.mistakes)


@pytest.mark.parametrize(("name", "every"), [("rnn", 9), ("gru", 60), ("lstm", 60)])
def test_mutants_are_located_and_named(name, every):
    assert_located(name, wrong_programs(name)[::every])


@pytest.mark.long
@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_every_mutant_is_located_and_named(name):
    assert_located(name, wrong_programs(name))


@pytest.mark.parametrize("name", ["rnn", "gru", "lnlstm"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numbers_by_the_derivation_itself_are_right(name, dtype):
    derivation = derived(name)
    for seed in (1, 2, 3):
        _, point, sizes = hard(derivation.cell, seed)
        assert not look(filled(backward_program(derivation), point, sizes, dtype), derivation, dtype).broken
