"""A batch over another arithmetic: sequences do not meet, but for what is summed over them."""

from dataclasses import replace
from fractions import Fraction

import pytest

from derivations.batched import Batched
from derivations.catalogue import read_cell
from derivations.derive import derive
from derivations.language import read
from derivations.over_time import unrolled
from derivations.program import Backward, backward_program, run_backward, run_forward
from tests.samples import Exact, cell_text

ON, ALONE = Batched(Exact()), Exact()


def number(value: int) -> list[list[Fraction]]:
    return [[Fraction(value)]]


def test_what_all_share_meets_what_each_has():
    shared, each = (number(2),), (number(3), number(5))
    assert ON.add([shared, each]) == (number(5), number(7))
    assert ON.multiply([each, shared]) == (number(6), number(10))
    assert ON.divide(each, shared) == ([[Fraction(3, 2)]], [[Fraction(5, 2)]])
    assert ON.call("relu", [ON.negative(each)]) == (number(0), number(0))
    assert ON.over_batch(each) == (number(8),)
    assert ON.spread(shared, each) == (number(2), number(2))


def test_batches_of_two_sizes_do_not_fit():
    with pytest.raises(ValueError, match="too many values"):
        ON.add([(number(1),) * 2, (number(1),) * 3])


LINEAR = derive(read(cell_text("h = w * h_prev + u * x", "input x\nstate h\nscalar x, h, w, u")))
SEQUENCES = ((7, 11, 13), (1, 2, 4))


def gradients(program: Backward, sequences: tuple[tuple[int, ...], ...]) -> dict:
    def together(numbers: tuple[int, ...]) -> tuple:
        return tuple(number(x) for x in numbers)

    parameters = {"w": (number(2),), "u": (number(3),)}
    inputs = {"x": [together(step) for step in zip(*sequences, strict=True)]}
    trace = run_forward(LINEAR.cell, parameters, inputs, {"h": together((5,) * len(sequences))}, ON)
    return run_backward(program, trace, {}, {"h": together((1,) * len(sequences))}, ON)[0]


def test_gradients_of_parameters_are_summed_and_those_of_states_are_not():
    program = backward_program(LINEAR)
    both, first, second = (gradients(program, chosen) for chosen in (SEQUENCES, SEQUENCES[:1], SEQUENCES[1:]))
    for name in ("w", "u"):
        assert both[name] == (ALONE.add([first[name][0], second[name][0]]),)
    assert both["h_0"] == (*first["h_0"], *second["h_0"])
    assert both["x_2"] == (*first["x_2"], *second["x_2"])


def test_a_mean_over_the_batch_is_the_sum_by_the_number_of_sequences():
    program = backward_program(LINEAR)
    mean = replace(program, averaged=frozenset({"w"}))
    right, wrong = gradients(program, SEQUENCES), gradients(mean, SEQUENCES)
    assert wrong["w"] == ([[right["w"][0][0][0] / 2]],)
    assert wrong["u"] == right["u"]
    assert gradients(mean, SEQUENCES[:1]) == gradients(program, SEQUENCES[:1])


def test_it_is_what_a_cell_of_the_catalogue_needs():
    derivation = derive(read_cell("gru"))
    assert unrolled(derivation.cell, vector=True, batch=3).proof(backward_program(derivation))
