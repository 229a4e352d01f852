"""Closed forms and unrolled runs, against the programs that they are views of."""

import math
from random import Random

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.cell import prev
from derivations.derive import Rule, derive
from derivations.expression import Adjoint, Call, Name, Total, evaluate, names, operations, substitute
from derivations.floats import FLOATS, FloatMatrices
from derivations.language import read
from derivations.paths import total_derivative
from derivations.program import backward_program, run_backward, run_forward
from derivations.runs import drawn_run
from derivations.timed import UnknownName
from derivations.unroll import TooLarge, closed, closed_derivative, unroll, unroll_backward

RNN, LSTM = derive(read_cell("rnn")), derive(read_cell("lstm"))
READOUT = derive(
    read(
        "cell readout\ninput x\ntarget y\nstate h, c\nscalar eps\nc = eps * c_prev + tanh(W @ [h_prev; x])\n"
        "h = c * dot(u, h_prev) + mean(c)\n"
        "readout\n    s = sigmoid(V @ h)\nloss\n    error = s - y\n    loss = sum(error**2) / 2\n"
    )
)


def leaves(derivation, seed=1):
    """One step's givens from N(0, 1)."""
    cell, random = derivation.cell, Random(seed)
    return {name: math.exp(random.gauss(0, 1)) if name in cell.positive else random.gauss(0, 1) for name in cell.leaves}


def one_step(derivation, given):
    cell = derivation.cell
    inputs = {name: [given[name]] for name in (*cell.inputs, *cell.targets)}
    initial = {state: given[prev(state)] for state in cell.states}
    return run_forward(cell, {name: given[name] for name in cell.parameters}, inputs, initial, FLOATS)[0]


def chain(length):
    """A cell whose equations nest: each reads the one before."""
    lines = "".join(f"v{k} = v{k - 1} * x + x\n" for k in range(1, length + 1))
    return read(f"cell chain\ninput x\nstate h\nv0 = h_prev\n{lines}h = v{length}\n")


# --- closed forms ---------------------------------------------------------------------------------


def test_the_closed_form_of_the_rnn():
    x, h, W, U, b = (Name(name) for name in ("x", "h_prev", "W_xh", "W_hh", "b_h"))
    preactivation = RNN.cell.equation("a_h").rhs
    assert set(names(preactivation)) == {x.id, h.id, W.id, U.id, b.id}
    assert closed(RNN.cell, "h") == Call("tanh", (preactivation,))
    assert closed(RNN.cell, "h_prev") == h


@pytest.mark.parametrize("name", cell_names())
def test_a_closed_form_speaks_of_leaves_only_and_has_the_value(name):
    derivation = derive(read_cell(name))
    cell, given = derivation.cell, leaves(derivation)
    values = one_step(derivation, given)
    for target in cell.defined:
        form = closed(cell, target, most=10**5)
        assert set(names(form)) <= set(cell.leaves)
        assert evaluate(form, given, FLOATS) == pytest.approx(values[target], rel=1e-13)


@pytest.mark.parametrize(
    ("name", "of", "wrt"),
    [
        ("lstm", "h", "W_xf"),
        ("lstm", "h", "h_prev"),
        ("lstm", "h", "f"),
        ("gru", "h", "h_prev"),
        ("rnn", "h", "b_h"),
    ],
)
def test_a_closed_derivative_speaks_of_leaves_only_and_has_the_value(name, of, wrt):
    derivation = derive(read_cell(name))
    given = leaves(derivation)
    form = closed_derivative(derivation, of, wrt)
    assert set(names(form)) <= set(derivation.cell.leaves)
    expected = total_derivative(derivation, of, wrt, values=[one_step(derivation, given)]).value
    assert evaluate(form, given, FLOATS) == pytest.approx(expected, rel=1e-12)


def test_the_size_is_known_before_the_form_is_built():
    form = closed(LSTM.cell, "h")
    count = operations(form)
    assert count == 25
    assert closed(LSTM.cell, "h", most=count) == form
    with pytest.raises(TooLarge, match=rf"{count} operations \({count - 1} are the most") as caught:
        closed(LSTM.cell, "h", most=count - 1)
    assert caught.value.operations == count
    assert "read the named equations of lstm instead" in str(caught.value)


def test_a_form_of_exponential_size_is_refused_at_once():
    squares = "".join(f"v{k} = v{k - 1} * v{k - 1}\n" for k in range(1, 100))
    cell = read(f"cell squares\ninput x\nstate h\nv0 = h_prev + x\n{squares}h = v99\n")
    with pytest.raises(TooLarge, match=r"about 10\^30 operations"):
        closed(cell, "h")
    assert operations(closed(cell, "v3")) == 15
    doubling = "".join(f"p{k} = sigmoid(v{k})\nq{k} = tanh(v{k})\nv{k + 1} = p{k} * q{k}\n" for k in range(40))
    cell = read(f"cell doubling\ninput x\nstate h\nv0 = h_prev + x\n{doubling}h = v40\n")
    with pytest.raises(TooLarge, match="1,099,511,627,776 paths"):
        closed_derivative(derive(cell), "h", "x")


def test_a_deep_form_is_refused_rather_than_recursed_into():
    with pytest.raises(TooLarge, match=r"800 operations \(one within another, 801 deep\)"):
        closed(chain(400), "h")
    assert operations(closed(chain(100), "h")) == 200


def test_closed_forms_of_unknown_names():
    with pytest.raises(UnknownName, match=r"did you mean W_xf\?"):
        closed(LSTM.cell, "W_xff")
    with pytest.raises(UnknownName, match="through time"):
        closed_derivative(LSTM, "h", "h_0")


# --- unrolled -------------------------------------------------------------------------------------


def runs():
    """A scalar run of every cell that has one, and a run in vectors of every cell."""
    for name in cell_names():
        derivation = derive(read_cell(name))
        if not derivation.cell.stacked:
            yield pytest.param(derivation, None, id=name)
        yield pytest.param(derivation, 3, id=f"{name}-vectors")
    yield pytest.param(READOUT, 2, id="readout-vectors")


def run(derivation, size, steps=3):
    """The values of a run, its arithmetic, and a draw of the shape of any value."""
    random = Random(7)
    values = drawn_run(derivation.cell, size or 1, steps, seed=3)
    if size:
        return values, FloatMatrices(), lambda like: [[random.gauss(0, 1) for _ in row] for row in like]
    values = [{name: value[0][0] for name, value in step.items()} for step in values]
    return values, FLOATS, lambda like: random.gauss(0, 1)


def timed_leaves(cell, values):
    """What an unrolled run is given, by its timed names."""
    given = {name: values[0][name] for name in cell.parameters}
    given |= {f"{state}_0": values[0][prev(state)] for state in cell.states}
    for t, step in enumerate(values, 1):
        given |= {f"{name}_{t}": step[name] for name in (*cell.inputs, *cell.targets)}
    return given


def close(a, b):
    flat = (lambda m: m) if isinstance(a, float) else (lambda m: [x for row in m for x in row])
    return flat(a) == pytest.approx(flat(b), rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(("derivation", "size"), list(runs()))
def test_the_unrolled_run_computes_the_run(derivation, size):
    cell = derivation.cell
    values, arithmetic, _ = run(derivation, size)
    known = timed_leaves(cell, values)
    equations = unroll(cell, 3)
    assert len(equations) == 3 * len(cell.equations)
    for equation in equations:
        assert equation.target not in known
        known[equation.target] = evaluate(equation.rhs, known, arithmetic)
    for t, step in enumerate(values, 1):
        for name in cell.defined:
            assert close(known[f"{name}_{t}"], step[name])


@pytest.mark.parametrize(("derivation", "size"), list(runs()))
def test_the_unrolled_backward_run_computes_every_gradient(derivation, size):
    cell, steps = derivation.cell, 3
    values, arithmetic, draw = run(derivation, size)
    cotangents = {name: [draw(step[name]) for step in values] for name in cell.seeded}
    final = {state: draw(values[0][state]) for state in cell.states}
    gradients, adjoints = run_backward(backward_program(derivation), values, cotangents, final, arithmetic)

    known = timed_leaves(cell, values)
    for t, step in enumerate(values, 1):
        known |= {f"{name}_{t}": step[name] for name in cell.defined}
        known |= {Adjoint(f"{name}_{t}", "out").id: cotangents[name][t - 1] for name in cotangents}
    known |= {Adjoint(f"{state}_{steps}", "next").id: final[state] for state in cell.states}
    for line in unroll_backward(derivation, steps):
        assert line.lhs.id not in known
        of = line.lhs.of
        like = known[of if of in known else of.rpartition("_")[0]]
        known[line.lhs.id] = arithmetic.spread(evaluate(line.rhs, known, arithmetic), like)
    for name, gradient in gradients.items():
        assert close(known[Total(name).id], gradient)
    for t, step in enumerate(adjoints, 1):
        for name in cell.defined:
            assert close(known[Adjoint(f"{name}_{t}").id], step[f"d{name}"])


def test_the_unrolled_lines_read_as_they_should():
    lines = unroll_backward(LSTM, 2)
    by_lhs = {line.lhs: line for line in lines}
    f, dc = Name("f_2"), Adjoint("c_2")
    assert by_lhs[Adjoint("f_2")].rhs == Adjoint("c_2") * Name("c_1")
    assert by_lhs[Adjoint("a_f_2")].rhs == Adjoint("f_2") * f * (1 - f)
    assert by_lhs[Adjoint("c_1", "next")].rhs == dc * f
    assert by_lhs[Total("W_xf")].rhs == Adjoint("W_xf_1") + Adjoint("W_xf_2")
    assert by_lhs[Total("c_0")].rhs == Adjoint("c_1") * Name("f_1")
    assert lines[0].lhs == Adjoint("h_2")
    assert [term.via for term in lines[0].terms] == ["loss", "t+1"]
    assert [term.via for term in by_lhs[Adjoint("c_2")].terms] == ["t+1", "h_2"]
    assert [line.rule for line in lines[-12:]] == [Rule.RECURRENCE] * 12
    assert {line.lhs for line in lines[-12:]} == {Total(name) for name in LSTM.cell.parameters}


def test_each_unrolled_step_is_the_derivation_in_other_names():
    """No second engine: taking the times away gives the derivation's own lines."""
    plain = {f"{name}_5": name for name in (*LSTM.cell.defined, *LSTM.cell.inputs, *LSTM.cell.parameters)}
    plain |= {f"{state}_4": prev(state) for state in LSTM.cell.states}
    table = {Name(timed): Name(name) for timed, name in plain.items()}
    table |= {Adjoint(timed, part): Adjoint(name, part) for timed, name in plain.items() for part in ("", "out")}
    table |= {Adjoint(f"{state}_5", "next"): Adjoint(state, "next") for state in LSTM.cell.states}
    lines = [line for line in unroll_backward(LSTM, 7) if line.rule is Rule.ADJOINT]
    fifth = lines[2 * len(LSTM.adjoints) : 3 * len(LSTM.adjoints)]
    assert [substitute(line.rhs, table) for line in fifth] == [line.rhs for line in LSTM.adjoints]


@pytest.mark.parametrize("view", [lambda steps: unroll(LSTM.cell, steps), lambda steps: unroll_backward(LSTM, steps)])
@pytest.mark.parametrize("steps", [0, -1, 65])
def test_runs_that_are_too_long_are_refused(view, steps):
    with pytest.raises(ValueError, match=f"{steps} steps; a run of 1 to 64 steps"):
        view(steps)
    assert view(64)


def test_a_parameter_that_would_read_as_a_name_at_a_step_is_refused():
    cell = read("cell two\ninput x\nstate h\nf = sigmoid(x)\nh = tanh(f * h_prev + f_2 * x)\n")
    assert unroll(cell, 1)
    with pytest.raises(ValueError, match="the parameter f_2 would read as f at step 2; rename it first"):
        unroll(cell, 2)
