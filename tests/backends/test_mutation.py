"""No wrong derivation passes a layer that could see it; a layer that is made blind lets some pass, and is named."""

import json
from dataclasses import replace

import numpy as np
import pytest
import typer

from backends import mutation as module
from backends.check import Check, Verdict
from backends.mutation import Exact, Rounded, mutation
from backends.points import draw, draw_scalar
from backends.truth import Known
from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.equality import Proof, Status
from derivations.language import read
from derivations.mutants import Mutant, mutants
from derivations.program import backward_program
from derivations.reports.mutants import LAYERS, Mutation
from tests.samples import cell_text

SAMPLE = 12  # mutants of a large cell in the default run, besides those of how steps are joined


def sample(name: str) -> tuple[Mutant, ...]:
    """All mutants of a small cell; of a large one, every so many."""
    every = mutants(derive(read_cell(name)))
    return every if len(every) < 150 else every[:: len(every) // SAMPLE]


def hold(found: Mutation) -> None:
    """The whole promise: every layer kills all that it owes an answer, and no layer refuses what is right."""
    assert found.alarms == ()
    assert [(fate.mistake, fate.view, fate.survives) for fate in found.survivors] == []
    real = [fate for fate in found.fates if not fate.equivalent]
    for layer in ("proof", "exact", "float64"):
        assert all(fate.killed[layer] is True for fate in real), layer
    assert all(fate.killed["float32"] in (True, None) for fate in real)
    owed = sum(fate.killed["float32"] is True for fate in real)
    assert owed >= 0.6 * len(real)  # at least: factors of 1 + 1e-7 and less are not seen in float32
    assert not found.wrong


@pytest.mark.parametrize("name", cell_names())
def test_no_mutant_of_a_sample_passes(name):
    hold(mutation(derive(read_cell(name)), chosen=sample(name), points=2))


@pytest.mark.long
@pytest.mark.parametrize("name", cell_names())
def test_no_mutant_passes(name):
    derivation = derive(read_cell(name))
    found = mutation(derivation)
    hold(found)
    for view in found.views:
        assert len(found.of(view)) == len(mutants(derivation)) > 100
    assert not any(fate.equivalent for fate in found.of("vector"))


def test_what_is_right_in_other_words_is_proved_and_not_accused():
    found = mutation(derive(read_cell("rnn")))
    same = [(fate.mistake, fate.view) for fate in found.fates if fate.equivalent]
    assert same == [
        ("dh_prev: W_hh must be transposed", "scalar"),
        ("dW_hh: the outer product is the wrong way round", "scalar"),
    ]
    assert not any(any(fate.killed.values()) for fate in found.fates if fate.equivalent)


# --- that it can fail ---------------------------------------------------------------------------------------


@pytest.fixture
def of_rnn() -> tuple[Mutant, ...]:
    return mutants(derive(read_cell("rnn")))


def counted(chosen: tuple[Mutant, ...]) -> Mutation:
    return mutation(derive(read_cell("rnn")), chosen=chosen, points=2)


def test_a_bound_that_is_too_wide_lets_mutants_pass_and_the_count_says_so(monkeypatch, of_rnn):
    honest = Known.bound.fget
    monkeypatch.setattr(Known, "bound", property(lambda self: 1e9 * honest(self)))
    found = counted(of_rnn)
    assert found.wrong
    assert len(found.survivors) > 40
    assert {fate.survives for fate in found.survivors} == {("float64",)}
    assert {"db_h: off by a factor 1 + 1e-10"} <= {fate.mistake for fate in found.survivors}
    assert "dh_prev: the path h_prev -> a_h is missing" not in {fate.mistake for fate in found.survivors}


def test_a_bound_that_is_too_tight_is_a_false_alarm(monkeypatch, of_rnn):
    honest = Known.bound.fget
    monkeypatch.setattr(Known, "bound", property(lambda self: 1e-3 * honest(self)))
    found = counted(of_rnn[:1])
    assert found.wrong
    assert len(found.alarms) == 8


def test_a_checker_that_skips_a_gradient_is_noticed(monkeypatch, of_rnn):
    honest = module.judge

    def blind(name, *args) -> Check:
        return replace(honest(name, *args), verdict=Verdict.PASS) if name == "b_h" else honest(name, *args)

    monkeypatch.setattr(module, "judge", blind)
    found = counted(tuple(mutant for mutant in of_rnn if mutant.of in ("b_h", "db_h", "dh", "dW_hh")))
    assert {fate.of for fate in found.survivors} == {"b_h", "db_h"}
    assert all("float64" in fate.survives for fate in found.survivors)


def test_an_exact_layer_that_sees_nothing_is_named(monkeypatch, of_rnn):
    monkeypatch.setattr(module, "_apart", lambda ours, due: False)
    found = counted(of_rnn[:6])
    assert [fate.survives for fate in found.survivors] == [("exact",)] * 12


def test_a_proof_that_proves_anything_is_noticed(monkeypatch, of_rnn):
    """A mutant that is called right is refused by the other layers, which says that one of them is wrong."""

    class Credulous:
        def __init__(self, right, vector):
            pass

        def proof(self, program):
            return Proof(Status.PROVED)

    class Blind:
        proof = Credulous.proof

    monkeypatch.setattr(module, "unrolled", lambda cell, vector: Blind())
    monkeypatch.setattr(module, "Equality", Credulous)
    found = counted(of_rnn[:4])
    assert len(found.survivors) == 8
    assert all(fate.equivalent and "exact" in fate.survives for fate in found.survivors)


def test_what_is_neither_refuted_nor_proved_survives(monkeypatch):
    """A transposition in the scalar view, with no proof that it is right."""

    class Unsure:
        def __init__(self, right, vector):
            pass

        def proof(self, program):
            return Proof(Status.AGREES)

    monkeypatch.setattr(module, "Equality", Unsure)
    chosen = tuple(m for m in mutants(derive(read_cell("rnn"))) if "transposed" in m.mistake)
    found = counted(chosen)
    assert [(fate.mistake, fate.view) for fate in found.survivors] == [("dh_prev: W_hh must be transposed", "scalar")]
    assert set(found.survivors[0].survives) >= {"proof", "exact", "float64"}


# --- the layers ---------------------------------------------------------------------------------------------


def test_a_cell_of_stacked_vectors_has_no_scalar_view():
    cell = read(cell_text("h = tanh(W @ [h_prev; x])"))
    found = mutation(derive(cell), points=1)
    assert found.views == ("vector",)
    assert not found.survivors
    assert any("split" in fate.mistake for fate in found.fates)


def test_an_effect_below_four_bounds_owes_no_answer():
    cell = read_cell("rnn")
    right = backward_program(derive(cell))
    layer = Rounded(right, "float32", draw(cell, 1))
    by_name = {mutant.mistake: mutant.program for mutant in mutants(derive(cell))}
    small, large = by_name["db_h: off by a factor 1 + 1e-10"], by_name["db_h: off by a factor 1 + 1e-3"]
    assert not layer.shows(small)
    assert not layer.kills(small)
    assert layer.shows(large)
    assert layer.kills(large)
    assert Rounded(right, "float64", draw(cell, 1)).kills(small)


@pytest.mark.parametrize("drawing", [draw, draw_scalar])
def test_the_exact_layer_parts_the_smallest_factor(drawing):
    cell = read_cell("gru")
    derivation = derive(cell)
    layer = Exact(backward_program(derivation), drawing(cell, 1))
    assert not layer.kills(backward_program(derivation))
    small = [mutant for mutant in mutants(derivation) if "1 + 1e-10" in mutant.mistake]
    assert len(small) > 15
    assert all(layer.kills(mutant.program) for mutant in small)


# --- the command --------------------------------------------------------------------------------------------


def command(monkeypatch, **options) -> None:
    from derivations.commands import check

    every = module.mutants
    monkeypatch.setattr(module, "mutants", lambda derivation: every(derivation)[::20])
    check.command("rnn", mutants=True, points=1, **options)


def test_the_command_counts(monkeypatch, capsys):
    command(monkeypatch, format_=None)
    said = capsys.readouterr().out
    assert "no wrong derivation passes" in said
    assert all(layer in said for layer in LAYERS.values())
    assert "numpy" in said


def test_the_command_ends_with_1_if_one_survives(monkeypatch, capsys):
    from derivations.commands._options import Format

    honest = Known.bound.fget
    monkeypatch.setattr(Known, "bound", property(lambda self: np.maximum(1e9 * honest(self), 1e3)))
    with pytest.raises(typer.Exit) as end:
        command(monkeypatch, format_=Format.json)
    assert end.value.exit_code == 1
    record = json.loads(capsys.readouterr().out)
    assert record["schema"] == "derivations/mutants/1"
    assert record["survivors"][0]["layers"] == ["float64"]
    assert len(record["mutants"]) == sum(view["mutants"] for view in record["views"])
