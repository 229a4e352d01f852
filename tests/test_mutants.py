"""Every single mistake of a backward pass has a name of its own, and none of them passes."""

from dataclasses import replace

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.equality import Status
from derivations.expression import Adjoint, Name
from derivations.language import read
from derivations.mutants import SCALES, mutants
from derivations.over_time import over_time
from derivations.program import backward_program
from tests.samples import EVERYTHING, cell_text

MUTANTS = {name: mutants(derive(read_cell(name))) for name in ("rnn", "gru", "lstm")}
OF_EVERYTHING = mutants(derive(read(EVERYTHING)))
MISTAKES = {name: [mutant.mistake for mutant in found] for name, found in MUTANTS.items()}


def of_words(name: str) -> list[str]:
    """The mistakes that are not one of a series of small factors."""
    return [mistake for mistake in MISTAKES[name] if "1e-" not in mistake]


@pytest.mark.parametrize(("name", "least"), [("rnn", 40), ("gru", 150), ("lstm", 200)])
def test_there_are_many_and_every_name_is_its_own(name, least):
    assert len(of_words(name)) >= least
    assert len(set(MISTAKES[name])) == len(MISTAKES[name])


# What people get wrong, in the words of the mutants.
COMMON = {
    "lstm": [
        "di: o where g is due",
        "da_g: tanh' at g, not at its argument",
        "da_f: sigmoid' at f, not at its argument",
        "da_f: the factor (1 - f) is missing",
        "da_f: f**2 for f*(1 - f)",
        "dc: 1 - c**2 for 1 - tanh(c)**2",
        "da_g: 1 - g for 1 - g**2",
        "df: c of this step where c_prev is due",
        "dW_hf: h of this step where h_prev is due",
        "dc: what comes back from step t+1 is missing",
        "dh_prev: the path h_prev -> a_i is missing",
        "dc_prev: the path c_prev -> c is missing",
        "dh_prev: the sign of the term through a_f is flipped",
        "da_f: di where df is due",
        "dh_prev: W_hf must be transposed",
        "dh_prev: W_hi where W_hf is due",
        "dW_hf: the outer product is the wrong way round",
        "dW_xf: the sum over time leaves out the first step",
        "dW_xf: the sum over time leaves out the last step",
        "dW_xf: the sum over time is overwritten at each step where it must accumulate",
        "db_f: the gradient of b_i is returned",
        "db_f: divided by 2",
        "dh_next: the carry from step t+1 is not carried",
        "dc_next: the sign of the carry is flipped",
        "dh at t = T: the cotangent of the final state is ignored",
        "dh_0: the gradient of the initial state is returned as zero",
        "dh_0: the adjoint of h_1 where that of h_0 is due",
        "the carry is cut at every step (truncated backpropagation)",
    ],
    "gru": [
        "dz: the factor (-n + h_prev) is missing",
        "da_z: q where z is due",
        "da_z: q where z is due (occurrence 2)",
        "dh_prev: the path h_prev -> q is missing",
        "db_hn: the gradient of b_n is returned",
    ],
    "rnn": [
        "da_h: 1 - h for 1 - h**2",
        "dW_hh: h of this step where h_prev is due",
        "dh_prev: W_hh must be transposed",
    ],
}


@pytest.mark.parametrize(("name", "mistake"), [(name, each) for name, group in COMMON.items() for each in group])
def test_the_common_mistakes_are_among_them(name, mistake):
    assert mistake in MISTAKES[name]


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_the_derivation_with_one_change(name):
    right = backward_program(derive(read_cell(name)))
    for mutant in MUTANTS[name]:
        fields = ("adjoints", "carry", "gradients", "initial", "summed", "final", "horizon")
        changed = [field for field in fields if getattr(mutant.program, field) != getattr(right, field)]
        assert len(changed) == 1, mutant.mistake
        if changed == ["adjoints"]:
            pairs = zip(mutant.program.adjoints, right.adjoints, strict=True)
            different = [wrong[0] for wrong, own in pairs if wrong != own]
            assert different == [mutant.of], mutant.mistake


@pytest.mark.parametrize("name", [*MUTANTS, "everything"])
def test_no_two_mutants_are_one_program(name):
    programs = [
        (m.program.adjoints, *map(str, (m.program.carry, m.program.gradients, m.program.initial, m.program.summed,
                                        sorted(m.program.final), m.program.horizon)))
        for m in MUTANTS.get(name, OF_EVERYTHING)
    ]  # fmt: skip
    assert len(set(programs)) == len(programs)


def test_every_adjoint_of_every_size_has_small_factors():
    adjoints = derive(read_cell("lstm")).adjoints
    small = [mistake for mistake in MISTAKES["lstm"] if "off by a factor 1 + 1e-" in mistake]
    assert len(small) == len(SCALES) * len(adjoints)
    assert "db_f: off by a factor 1 + 1e-10" in small


@pytest.mark.parametrize("name", MUTANTS)
def test_a_sample_of_mistakes_is_refuted_over_time(name):
    """Every 9th: another kind and another quantity each time, the joints of the steps among them."""
    for mutant in (*MUTANTS[name][::9], *MUTANTS[name][-12:]):
        proof = over_time(mutant.program, vector=True)
        assert proof.status is Status.REFUTED, mutant.mistake


@pytest.mark.long
@pytest.mark.parametrize("name", cell_names())
def test_every_mistake_is_refuted_over_time(name):
    for mutant in mutants(derive(read_cell(name))):
        assert over_time(mutant.program, vector=True).status is Status.REFUTED, mutant.mistake


def test_a_cell_of_everything_has_mutants_with_names_of_their_own():
    found = [mutant.mistake for mutant in OF_EVERYTHING]
    assert len(set(found)) == len(found) > 400
    assert all("\n" not in mistake and len(mistake) < 200 for mistake in found)


def test_what_only_looks_different_is_not_refuted():
    """That a mutant is refuted says that its numbers differ, not its text."""
    program = backward_program(derive(read(cell_text("h = h_prev * x * x"))))
    otherwise = {"dh_prev": Adjoint("h") * Name("x") ** 2}
    adjoints = tuple((id_, otherwise.get(id_, rhs)) for id_, rhs in program.adjoints)
    assert adjoints != program.adjoints
    assert over_time(replace(program, adjoints=adjoints), vector=True)
