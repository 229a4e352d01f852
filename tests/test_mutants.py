"""Every single mistake of a backward pass has a name of its own, and none of them passes."""

from dataclasses import replace

import pytest

from derivations.batched import Batched
from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.equality import Status
from derivations.expression import Adjoint, Name
from derivations.language import read
from derivations.matrices import ShapeError
from derivations.mutants import SCALES, mutants
from derivations.over_time import over_time, unrolled
from derivations.program import backward_program, backward_run
from tests.samples import EVERYTHING, cell_text

MUTANTS = {name: mutants(derive(read_cell(name))) for name in ("rnn", "gru", "lstm")}
OF_EVERYTHING = mutants(derive(read(EVERYTHING)))

# A gate of stacked vectors, a peephole, a stabiliser that is held constant at one place.
STACKED = """
cell stacked "A gate of stacked vectors"
input x
state h, c

a gate:     f = sigmoid(W_f @ [h_prev; x] + p_f * c_prev + b_f)
new state:  c = f * c_prev + (1 - f) * tanh(W_c @ x)
hidden:     h = c / (abs(c) + detach(c) * c + 2)
"""
MUTANTS["stacked"] = mutants(derive(read(STACKED)))
MISTAKES = {name: [mutant.mistake for mutant in found] for name, found in MUTANTS.items()}


def of_words(name: str) -> list[str]:
    """The mistakes that are not one of a series of small factors."""
    return [mistake for mistake in MISTAKES[name] if "1e-" not in mistake]


@pytest.mark.parametrize(("name", "least"), [("rnn", 50), ("gru", 200), ("lstm", 250)])
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
        "db_f: divided by the batch size (a mean where the sum is due)",
        "db_f and db_i are swapped",
        "the gradients of all parameters have the wrong sign (ascent for descent)",
        "the gradients of all parameters are divided by the batch size (means where sums are due)",
        "da_f: the factor df is missing (the chain rule stops here)",
        "da_f: (1 - f)**2 for f*(1 - f)",
        "da_g: g for 1 - g**2 (tanh for its slope)",
        "do: the factor tanh(c) is missing",
        "dh_prev: the factor W_hf.T is missing",
        "dW_xf: the factor x is missing",
        "dc: c_prev where c is due",
        "dh: dc_next where dh_next is due",
        "h_1 where h_0 is due at the first step",
        "c_1 where c_0 is due at the first step",
        "x of another step where that of step t is due",
        "dh_next: the carry from step t+1 is not carried",
        "dc_next: the sign of the carry is flipped",
        "dh at t = T: the cotangent of the final state is ignored",
        "dh_0: the gradient of the initial state is returned as zero",
        "dh_0: the adjoint of h_1 where that of h_0 is due",
        "the carry is cut at every step (truncated backpropagation: immediate partials for totals)",
        "the carry is cut at every second step (truncated backpropagation)",
        "the steps are taken from 1 to T (the Jacobians are multiplied in forward order)",
    ],
    "gru": [
        "dz: the factor (-n + h_prev) is missing",
        "dz: z in (1 - z)*n is held constant (detach on one use)",
        "dz: z in z*h_prev is held constant (detach on one use)",
        "dn: z where 1 - z is due",
        "dh_prev: 1 - z where z is due",
        "dr: the path r -> a_n is missing",
        "dh_prev: only the direct path h_prev -> h is kept (the immediate partial for the total)",
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
    "stacked": [
        "dh_prev: du_f is split into its parts in the wrong order",
        "dh_prev: du_f is not split into its parts",
        "dc_prev: the path c_prev -> a_f is missing",
        "dc: detach(c) in h is differentiated, where it is held constant",
        "dc: the division by (abs(c) + detach(c)*c + 2) is missing",
    ],
}


@pytest.mark.parametrize(("name", "mistake"), [(name, each) for name, group in COMMON.items() for each in group])
def test_the_common_mistakes_are_among_them(name, mistake):
    assert mistake in MISTAKES[name]


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_the_derivation_with_one_change(name):
    right = backward_program(derive(MUTANTS[name][0].program.cell))
    for mutant in MUTANTS[name]:
        fields = ("adjoints", "carry", "gradients", "initial", "summed", "final", "horizon", "late", "averaged",
                  "onward")  # fmt: skip
        changed = [field for field in fields if getattr(mutant.program, field) != getattr(right, field)]
        assert len(changed) == 1, mutant.mistake
        if changed == ["adjoints"]:
            pairs = zip(mutant.program.adjoints, right.adjoints, strict=True)
            different = [wrong[0] for wrong, own in pairs if wrong != own]
            assert different == [mutant.of], mutant.mistake


def numbers_of(name: str) -> list[tuple]:
    """What every mutant gives elsewhere than the right program: adjoints and gradients that are not its own."""
    derivation = derive(read(EVERYTHING) if name == "everything" else read_cell(name))
    found = OF_EVERYTHING if name == "everything" else MUTANTS.get(name) or mutants(derivation)
    at = unrolled(derivation.cell, vector=True)
    assert at.proof(backward_program(derivation))
    right, given = at.known[0], at.given

    def value(batch) -> tuple:
        return tuple(entry.value for matrix in batch for row in matrix for entry in row)

    def numbers(mutant) -> tuple:
        try:
            run = backward_run(mutant.program, at.trace, given.cotangents, given.final, Batched(at.point), right)
        except ShapeError as error:
            return (mutant.of, str(error), mutant.mistake)
        pairs = [
            (f"{id_} at {t}", own, due[id_])
            for t, (values, due) in enumerate(zip(run.adjoints, right.adjoints, strict=True))
            for id_, own in values.items()
        ]
        pairs += [(id_, own, right.gradients[id_]) for id_, own in run.gradients.items()]
        return tuple((what, value(own)) for what, own, due in pairs if own is not due and value(own) != value(due))

    return [different for mutant in found if (different := numbers(mutant))]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.long] if name not in ("rnn", "gru") else [])
        for name in (*cell_names(), "everything")
    ],
)
def test_no_two_mutants_are_one_program(name):
    """Not in other words either: over three steps of two sequences, no two give the same adjoints and gradients."""
    given = numbers_of(name)
    assert len(set(given)) == len(given) > 60


def test_one_program_in_two_texts_would_be_noticed():
    cell = read(cell_text("h = h_prev * x * x + b * h_prev"))
    program = backward_program(derive(cell))
    texts = (Name("x") * Name("x"), Name("x") ** 2)
    at = unrolled(cell, vector=True)
    for text in texts:
        adjoints = tuple((i, Adjoint("h") * text if i == "dh_prev" else e) for i, e in program.adjoints)
        assert at.proof(replace(program, adjoints=adjoints)).status is Status.REFUTED
    found = mutants(derive(cell))
    assert len({m.mistake for m in found}) == len(found)


def test_every_adjoint_of_every_size_has_small_factors():
    adjoints = derive(read_cell("lstm")).adjoints
    small = [mistake for mistake in MISTAKES["lstm"] if "off by a factor 1 + 1e-" in mistake]
    assert len(small) == len(SCALES) * len(adjoints)
    assert "db_f: off by a factor 1 + 1e-10" in small


@pytest.mark.parametrize("name", MUTANTS)
def test_a_sample_of_mistakes_is_refuted_over_time(name):
    """Every 9th: another kind and another quantity each time, the joints of the steps among them."""
    at = unrolled(MUTANTS[name][0].program.cell, vector=True)
    for mutant in (*MUTANTS[name][::9], *MUTANTS[name][-12:]):
        assert at.proof(mutant.program).status is Status.REFUTED, mutant.mistake


@pytest.mark.long
@pytest.mark.parametrize("name", cell_names())
def test_every_mistake_is_refuted_over_time(name):
    derivation = derive(read_cell(name))
    at = unrolled(derivation.cell, vector=True)
    assert at.proof(backward_program(derivation))
    for mutant in mutants(derivation):
        assert at.proof(mutant.program).status is Status.REFUTED, mutant.mistake


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
