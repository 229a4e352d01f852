"""Total derivatives as sums over paths, against brute force and against backpropagation."""

import dataclasses
import math
from itertools import pairwise
from random import Random

import pytest

from backends.walkthrough import plain
from derivations.catalogue import cell_names, read_cell
from derivations.cell import prev
from derivations.derive import derive
from derivations.expression import ONE, ZERO, Call, Name, evaluate, product, scalar_view
from derivations.floats import FLOATS
from derivations.language import read
from derivations.paths import (
    TooManyPaths,
    immediate,
    step_paths,
    total_derivative,
    total_within_step,
)
from derivations.program import backward_program, run_backward, run_forward
from derivations.timed import Node, UnknownName

SCALAR = [name for name in cell_names() if not read_cell(name).stacked]
LSTM = derive(read_cell("lstm"))
F, OUT, C = Name("f"), Name("o"), Name("c")

# Every layer doubles the number of paths: 2**40 within one step.
DOUBLING = "cell doubling\ninput x\nstate h\nv0 = h_prev + x\n" + "".join(
    f"p{k} = sigmoid(v{k})\nq{k} = tanh(v{k})\nv{k + 1} = p{k} * q{k}\n" for k in range(40)
)


def drawn(derivation, steps, seed=1):
    """Every value of a scalar run with parameters, inputs and initial states from N(0, 1)."""
    cell, random = derivation.cell, Random(seed)

    def number(name):
        return math.exp(random.gauss(0, 1)) if name in cell.positive else random.gauss(0, 1)

    return run_forward(
        cell,
        {name: number(name) for name in cell.parameters},
        {name: [number(name) for _ in range(steps)] for name in (*cell.inputs, *cell.targets)},
        {state: number(state) for state in cell.states},
        FLOATS,
    )


def brute_force(derivation, of, wrt, values):
    """Every path from `wrt` to `of` with its product, by following every edge from `of` down."""
    cell = derivation.cell
    edges = {(line.of, line.wrt): scalar_view(derivation.partial(line.of, line.wrt)) for line in derivation.partials}

    def below(name, step):
        for (target, source), slope in edges.items():
            if target == name and step:
                if source in cell.previous:
                    node = (source.removesuffix("_prev"), step - 1)
                else:
                    node = (source, None if source in cell.parameters else step)
                yield node, evaluate(slope, values[step - 1], FLOATS)

    found = []

    def walk(node, nodes, value):
        if node == wrt:
            found.append((nodes[::-1], value))
        elif node[1]:
            for further, slope in below(*node):
                walk(further, (*nodes, further), value * slope)

    walk(of, (of,), 1.0)
    return found


def as_pairs(path):
    return tuple((node.name, node.step) for node in path.nodes)


# --- counting -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wrt", "counts"),
    [
        ("lstm", "W_xf", [1, 6, 30, 145, 696, 3336]),
        ("lstm", "W_xo", [1, 5, 24, 115]),
        ("lstm", "h_0", [4, 19, 91, 436]),
        ("gru", "W_xr", [1, 5, 21, 85]),
        ("rnn", "W_xh", [1, 2, 3, 4]),
    ],
)
def test_paths_are_counted_exactly(name, wrt, counts):
    derivation = derive(read_cell(name))
    for steps, count in enumerate(counts, 1):
        found = total_derivative(derivation, "h", wrt, through_time=True, step=steps, most=3)
        assert (found.count, len(found.paths)) == (count, min(count, 3))


def test_forty_million_paths_are_counted_without_being_listed():
    assert total_derivative(LSTM, "h", "W_xf", through_time=True, step=12).count == 40_362_960


@pytest.mark.parametrize("name", SCALAR)
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_paths_are_those_of_brute_force(name, steps):
    derivation = derive(read_cell(name))
    cell, values = derivation.cell, drawn(derivation, steps)
    if name == "lnlstm" and steps > 1:
        steps, values = 1, values[:1]  # 45,744 paths at T = 3
    leaves = [(p, None) for p in cell.parameters] + [(s, 0) for s in cell.states] + [("x", 1), ("x", steps)]
    for leaf in leaves:
        expected = brute_force(derivation, (cell.states[0], steps), leaf, values)
        text = leaf[0] if leaf[1] is None else f"{leaf[0]}_{leaf[1]}"
        found = total_derivative(derivation, cell.states[0], text, through_time=True, values=values, most=1000)
        assert found.count == len(expected)
        assert {as_pairs(path): path.value for path in found.paths} == pytest.approx(dict(expected), rel=1e-13)
        assert found.rest is None


# --- numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "seed"), [*((name, 1) for name in SCALAR), ("lstm", 2), ("gru", 3)])
def test_the_sum_over_paths_is_what_backpropagation_gives(name, seed):
    derivation = derive(read_cell(name))
    cell, steps = derivation.cell, 5
    values = drawn(derivation, steps, seed)
    for of in cell.states:
        gradients, adjoints = run_backward(backward_program(derivation), values, {}, {of: 1.0}, FLOATS)
        for wrt, gradient in gradients.items():
            found = total_derivative(derivation, of, wrt, through_time=True, values=values)
            assert found.value == pytest.approx(gradient, rel=1e-9, abs=1e-13)
        for place, wrt in enumerate((*cell.defined, *cell.inputs)):
            t = place % steps + 1
            found = total_derivative(derivation, of, wrt, through_time=True, values=values, wrt_step=t, most=0)
            assert found.value == pytest.approx(adjoints[t - 1][f"d{wrt}"], rel=1e-9, abs=1e-13)


def test_an_earlier_response_depends_on_earlier_steps_only():
    values = drawn(LSTM, 6)
    early, _ = run_backward(backward_program(LSTM), values[:3], {}, {"h": 1.0}, FLOATS)
    for given in ({"of": "h", "step": 3}, {"of": "h_3"}):
        found = total_derivative(LSTM, wrt="W_hi", through_time=True, values=values, **given)
        assert found.of == Node("h", 3)
        assert found.step == 3
        assert found.value == pytest.approx(early["W_hi"], rel=1e-12)
    assert total_derivative(LSTM, "h_3", "x_4", through_time=True, values=values).count == 0


@pytest.mark.parametrize("most", [0, 1, 7, 20, 144, 145])
def test_the_largest_are_listed_and_the_rest_adds_up(most):
    values = drawn(LSTM, 4)
    everything = sorted((value for _, value in brute_force(LSTM, ("h", 4), ("W_xf", None), values)), key=abs)[::-1]
    found = total_derivative(LSTM, "h", "W_xf", through_time=True, values=values, most=most)
    assert [path.value for path in found.paths] == pytest.approx(everything[:most], rel=1e-12)
    if most == 145:
        assert found.rest is None
    else:
        assert found.rest.count == 145 - most
        assert found.rest.value == pytest.approx(math.fsum(everything[most:]), rel=1e-11)
    assert found.value == pytest.approx(math.fsum(everything), rel=1e-12)


def test_a_rest_far_below_the_sum_is_not_lost_to_a_subtraction():
    values = [step | {"W_hf": 1e-30, "W_hi": 1e-30, "W_hg": 1e-30, "W_ho": 1e-30} for step in drawn(LSTM, 3)]
    found = total_derivative(LSTM, "c", "b_g", through_time=True, values=values, most=3)
    others = sorted((value for _, value in brute_force(LSTM, ("c", 3), ("b_g", None), values)), key=abs)[:-3]
    assert abs(found.rest.value) < 1e-25 < abs(found.value)
    assert found.rest.value == pytest.approx(math.fsum(others), rel=1e-12)


def test_factors_multiply_to_their_path_and_join_its_nodes():
    values = drawn(LSTM, 3)
    for path in total_derivative(LSTM, "h", "W_hg", through_time=True, values=values).paths:
        assert math.prod(factor.value for factor in path.factors) == pytest.approx(path.value, rel=1e-13)
        assert [(factor.wrt, factor.of) for factor in path.factors] == list(pairwise(path.nodes))
        for factor in path.factors:
            assert factor.value == evaluate(factor.expression, values[factor.of.step - 1], FLOATS)
        timed = {f"{name}_{t}": v for t, step in enumerate(values, 1) for name, v in step.items()}
        timed |= {f"{s}_0": values[0][prev(s)] for s in LSTM.cell.states} | values[0]
        assert evaluate(path.expression, timed, FLOATS) == pytest.approx(path.value, rel=1e-13)


def test_the_direct_path_of_the_cell_state_is_the_product_of_its_forget_gates():
    values = drawn(LSTM, 5)
    found = total_derivative(LSTM, "c", "c_0", through_time=True, values=values, most=1000)
    direct = [path for path in found.paths if {node.name for node in path.nodes} == {"c"}]
    assert len(direct) == 1
    assert direct[0].value == pytest.approx(math.prod(step["f"] for step in values), rel=1e-14)
    assert [factor.expression for factor in direct[0].factors] == [F] * 5
    assert direct[0].expression == product(*(Name(f"f_{t}") for t in range(1, 6)))
    cut = [step | {"W_hf": 0.0, "W_hi": 0.0, "W_hg": 0.0, "W_ho": 0.0} for step in values]
    alone = total_derivative(LSTM, "c", "c_0", through_time=True, values=cut)
    assert alone.value == pytest.approx(direct[0].value, rel=1e-14)
    assert [path.value for path in alone.paths[1:]] == [0.0] * 19


# --- the notebook's numbers -----------------------------------------------------------------------

SAME = {"W_xh": "W_xf", "W_xc": "W_xg", "W_hc": "W_hg", "b_c": "b_g", "W_ho": "W_xo", "W_hh": "W_ho"}


def notebook():
    numbers = plain.NUMBERS
    parameters = {SAME.get(name, name): value for name, value in numbers["parameters"].items()}
    initial = {"h": numbers["h_0"], "c": numbers["c_0"]}
    return run_forward(LSTM.cell, parameters, {"x": numbers["x"]}, initial, FLOATS)


def test_the_path_of_the_walkthrough_at_step_2():
    found = total_derivative(LSTM, "h", "W_xf", values=notebook(), step=2)
    [path] = found.paths
    assert [node.id for node in path.nodes] == ["W_xf", "a_f", "f", "c", "h"]
    shown = [f"{factor.value:.4e}" for factor in path.factors]
    assert shown == ["5.0000e+00", "3.1800e-22", "2.8765e-01", "4.3262e-01"]
    assert f"{path.value:.4e}" == "1.9787e-22"
    slope = OUT * (1 - Call("tanh", (C,)) ** 2)
    assert path.expression == product(Name("x"), F, 1 - F, Name("c_prev"), slope)
    assert (found.count, found.rest, found.expression) == (1, None, path.expression)


def test_the_walkthrough_has_the_gradients_that_were_written_by_hand():
    n = plain.NUMBERS
    by_hand = plain.gradients(n["parameters"], n["x"], n["h_0"], n["c_0"], n["y_hat"], "h")
    for name, gradient in by_hand.items():
        if name in ("W_hy", "b_y"):
            continue
        found = total_derivative(LSTM, "h", SAME.get(name, name), through_time=True, values=notebook())
        assert found.value == pytest.approx(gradient, rel=1e-9), name


# --- within one step ------------------------------------------------------------------------------


def test_immediate_and_total_side_by_side():
    slope = OUT * (1 - Call("tanh", (C,)) ** 2)
    assert immediate(LSTM, "c", "c_prev") == total_within_step(LSTM, "c", "c_prev") == F
    assert immediate(LSTM, "h", "c_prev") == ZERO
    assert total_within_step(LSTM, "h", "c_prev") == product(F, slope)
    assert immediate(LSTM, "h", "h") == total_within_step(LSTM, "h", "h") == ONE
    assert total_within_step(LSTM, "f", "o") == ZERO


def test_the_gru_reaches_back_in_four_ways():
    gru = derive(read_cell("gru"))
    assert immediate(gru, "h", "h_prev") == Name("z")
    paths = step_paths(gru, "h", "h_prev")
    assert [[node.name for node in path.nodes] for path in paths] == [
        ["h_prev", "h"],
        ["h_prev", "a_z", "z", "h"],
        ["h_prev", "q", "a_n", "n", "h"],
        ["h_prev", "a_r", "r", "a_n", "n", "h"],
    ]
    values = drawn(gru, 2)
    found = total_derivative(gru, "h", "h_prev", values=values, step=1)
    assert found.immediate_value == values[0]["z"]
    assert found.step == 1
    assert found.value == pytest.approx(evaluate(found.expression, values[0], FLOATS), rel=1e-13)
    single, _ = run_backward(backward_program(gru), values[:1], {}, {"h": 1.0}, FLOATS)
    assert found.value == pytest.approx(single["h_0"], rel=1e-13)


def test_without_numbers_the_shortest_come_first():
    found = total_derivative(LSTM, "h", "h_0", through_time=True, step=3, most=91)
    lengths = [len(path.factors) for path in found.paths]
    assert lengths == sorted(lengths)
    assert len(set(found.paths)) == 91
    assert {found.value, found.log10, found.immediate_value} == {None}
    assert all(path.value is None and path.factors[0].value is None for path in found.paths)


def test_a_weight_read_twice_is_one_edge():
    twice = derive(read("cell twice\ninput x\nstate h\nh = W @ x + W.T @ h_prev\n"))
    values = drawn(twice, 1)
    found = total_derivative(twice, "h", "W", values=values)
    assert (found.count, found.expression) == (1, Name("x") + Name("h_prev"))
    assert found.value == values[0]["x"] + values[0]["h_prev"]


def test_a_derivative_by_itself_is_one():
    found = total_derivative(LSTM, "f_2", "f_2", through_time=True, values=drawn(LSTM, 3))
    assert (found.count, found.value, found.immediate, found.paths[0].factors) == (1, 1.0, ONE, ())


def test_exponentially_many_paths_within_a_step():
    doubling = derive(read(DOUBLING + "h = v40\n"))
    found = total_derivative(doubling, "h", "x", most=2)
    assert found.count == 2**40
    assert found.rest.count == 2**40 - 2
    assert found.expression is None
    with pytest.raises(TooManyPaths, match="1,099,511,627,776 paths"):
        step_paths(doubling, "h", "x")


# --- hard numbers ---------------------------------------------------------------------------------


def test_zero_factors_come_last():
    found = total_derivative(LSTM, "h", "W_xf", through_time=True, values=notebook(), most=1000)
    values = [path.value for path in found.paths]
    zeros = [path for path in found.paths if path.log10 == -math.inf]
    assert zeros  # through f_1, which multiplies c_0 = 0
    assert values[len(values) - len(zeros) :] == [0.0] * len(zeros)
    assert all(any(factor.value == 0 for factor in path.factors) for path in zeros)


def test_infinite_factors_come_first_and_nothing_raises():
    cell = derive(read("cell root\ninput x\nstate h, k\nh = sqrt(x * h_prev) + k_prev\nk = k_prev * x + h_prev\n"))
    values = run_forward(cell.cell, {}, {"x": [1.0, 0.0, 2.0]}, {"h": 4.0, "k": 3.0}, FLOATS)
    found = total_derivative(cell, "h", "h_0", through_time=True, values=values, most=2)
    assert [math.isfinite(path.value) for path in found.paths] == [False, True]
    assert math.isnan(found.value)  # zero times infinity, at step 2
    found = total_derivative(cell, "h", "x_2", through_time=True, values=values, most=1)
    assert (found.value, found.log10, found.paths[0].value) == (math.inf, math.inf, math.inf)
    assert math.isfinite(found.rest.value)
    everything = total_derivative(cell, "h", "h_0", through_time=True, values=values, most=100)
    assert everything.count == len(brute_force(cell, ("h", 3), ("h", 0), values))
    finite = [math.isfinite(path.value) for path in everything.paths]
    assert finite == sorted(finite)
    assert True in finite


def test_two_hundred_steps_below_the_range_of_floats():
    numbers = {name: notebook()[0][name] for name in LSTM.cell.parameters}
    inputs, initial = {"x": [1.0, 5.0, 7.0, 4.0] * 50}, {"h": -1.0, "c": 1.0}
    values = run_forward(LSTM.cell, numbers, inputs, initial, FLOATS)
    found = total_derivative(LSTM, "c", "c_0", through_time=True, values=values)
    assert len(str(found.count)) > 130
    logs = [path.log10 for path in found.paths]
    assert logs == sorted(logs, reverse=True)
    assert found.value == 0.0
    assert -math.inf < found.log10 < -308
    alone = numbers | {"W_hf": 0.0, "W_hi": 0.0, "W_hg": 0.0, "W_ho": 0.0}
    values = run_forward(LSTM.cell, alone, inputs, initial, FLOATS)
    found = total_derivative(LSTM, "c", "c_0", through_time=True, values=values)
    gates = math.fsum(math.log10(step["f"]) for step in values)
    assert gates < -3000
    assert found.log10 == found.paths[0].log10 == pytest.approx(gates, rel=1e-13)


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"of": "h", "wrt": "W_fx"}, "did you mean W_xf?"),
        ({"of": "h", "wrt": "c_0"}, "it is called c_prev; c_0 is asked for through time"),
        ({"of": "h_2", "wrt": "x"}, "it is called h; h_2 is asked for through time"),
        ({"of": "hidden", "wrt": "x"}, "no name 'hidden'; it has a_f, f, "),
        ({"of": "h", "wrt": "w_xf"}, "did you mean W_xf?"),
        ({"of": "h", "wrt": "W_xf", "through_time": True}, "say at which, as in h_1"),
        ({"of": "h", "wrt": "f", "step": 4, "through_time": True}, "say at which, as in f_1"),
        ({"of": "h", "wrt": "h_prev", "step": 4, "through_time": True}, "say at which, as in h_0"),
        ({"of": "h", "wrt": "x_5", "step": 4, "through_time": True}, "steps 1 to 4, not at step 5"),
        ({"of": "h", "wrt": "x_0", "step": 4, "through_time": True}, "steps 1 to 4, not at step 0"),
        ({"of": "h_2", "wrt": "x_1", "step": 3, "through_time": True}, "h_2 is h at step 2, not at step 3"),
        ({"of": "h", "wrt": "W_xff", "step": 4, "through_time": True}, "did you mean W_xf?"),
        ({"of": "h", "wrt": "x_1", "step": 201, "through_time": True}, "201 steps"),
        ({"of": "h_999999", "wrt": "x_1", "through_time": True}, "not at step 999999"),
        ({"of": "h", "wrt": "x", "most": -1}, "from 0 to 1000"),
        ({"of": "h", "wrt": "x", "most": 1001}, "from 0 to 1000"),
        ({"of": "h", "wrt": "x", "values": [], "step": 1}, "none for step 1"),
        ({"of": "h", "wrt": "c", "values": [{"o": 1.0}]}, "no value of c is given at step 1"),
    ],
)
def test_what_cannot_be_asked_for_is_said(given, message):
    with pytest.raises(ValueError, match="(?i)" + message.replace("?", r"\?")):
        total_derivative(LSTM, **given)


def test_a_stacked_vector_has_no_paths_in_the_scalar_view():
    stacked = derive(read("cell s\ninput x\nstate h\nu = [h_prev; x]\nh = tanh(W @ u)\n"))
    with pytest.raises(ValueError, match="u of s stacks vectors"):
        total_derivative(stacked, "h", "x")


def test_a_parameter_that_reads_as_a_step_is_refused_only_where_it_is_written():
    cell = derive(read("cell two\ninput x\nstate h\nf = sigmoid(x)\nh = tanh(f * h_prev + f_1 * x)\n"))
    assert total_derivative(cell, "h", "f_1").count == 1
    assert total_derivative(cell, "h_2", "f_1", through_time=True).wrt == Node("f_1")
    with pytest.raises(ValueError, match="the parameter f_1 would read as f at step 1"):
        total_derivative(cell, "h_1", "h_0", through_time=True)


def test_results_are_data():
    found = total_derivative(LSTM, "h", "x")
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.count = 0
    assert isinstance(UnknownName("x"), ValueError)
