"""Every lambdified formula of a derivation, on NumPy, torch and JAX, against the truth."""

import dataclasses
import textwrap
from functools import cache

import numpy as np
import pytest
import sympy

from backends.backend import find
from backends.check import Check, Verdict, combine, judge, judge_all
from backends.lambdified import (
    CLOSED,
    LONGEST,
    TOTAL,
    Lambdified,
    evaluate_lambdified,
    gradients_lambdified,
    lambdified,
)
from backends.points import Point, draw, draw_scalar
from backends.rounding import RoundedArithmetic
from backends.truth import Known, truth
from derivations.catalogue import cell_names, read_cell
from derivations.cell import Cell, prev
from derivations.derive import Derivation, Rule, derive
from derivations.expression import evaluate
from derivations.language import read
from derivations.program import backward_program

BACKENDS = {name: backend for name, backend in find().items() if backend.lambdify}
ODD = {
    # Names that mean something to SymPy, to its printers, or to the code that they write.
    "hostile": """
        y = E @ x + I @ h_prev + S * N + Q * beta - gamma / (1 + zeta * zeta) + jax * math
        h = tanh(y) + numpy * torch * sigmoid(np * y0 + x0 * re * im + v0 * v1)""",
    "numbers": """
        k = 2
        big = 12345678901234567890 * b
        a = W @ x + h_prev / 3 + big * 1e-20
        h = tanh(a) * exp(1) * log(k) * sqrt(k) * softplus(0) * clip(k, 0, 1) + max(0, h_prev) / 3e9""",
    "held_constant": """
        a = W_x @ x + W_h @ h_prev
        m = detach(a) * sigmoid(a)
        h = tanh(a * w + detach(h_prev) * h_prev + detach(m) * m)""",
    "functions": """
        a = W_x @ x + W_h @ h_prev
        p = softplus(a) * logsigmoid(a) + sqrt(softplus(w)) * log(1 + exp(a)) - a**3 / (2 + a**4)
        h = p + relu(a) + abs(a) * hard_sigmoid(a) - max(a, b) * min(a, 1/3) + clip(a, -1, 1)""",
    "loss": """
        target goal
        h = tanh(W_x @ x + W_h @ h_prev)
        readout
            y = sigmoid(W_y @ h + b_y)
        loss
            L = (y - goal)**2 / 2""",
}
CELLS = [*(name for name in cell_names() if not read_cell(name).stacked), *ODD]


@cache
def derivation_of(name: str) -> Derivation:
    if name not in ODD:
        return derive(read_cell(name))
    return derive(read(f"cell {name}\ninput x\nstate h\n{textwrap.dedent(ODD[name]).strip()}\n"))


@cache
def compiled(name: str, backend: str) -> dict[tuple[str, str, str], Lambdified]:
    return lambdified(derivation_of(name), BACKENDS[backend])


@pytest.fixture(params=BACKENDS)
def backend(request, needs):
    for package in BACKENDS[request.param].packages:
        needs(package)
    return BACKENDS[request.param]


@cache
def zero(name: str) -> frozenset[str]:
    """The gradients that SymPy finds to be zero in the scalar view: layer normalisation of one entry gives 0."""
    derivation = derivation_of(name)
    cell, table = derivation.cell, compiled(name, "numpy")
    moving = {leaf for (kind, _, leaf), formula in table.items() if kind == TOTAL and formula.formula != 0}
    keys = {f"{state}_0": prev(state) for state in cell.states} | {leaf: leaf for leaf in cell.parameters}
    keys |= {f"{of}_{t}": of for of in cell.inputs for t in (1, 2, 3, 4)}
    return frozenset(key for key, leaf in keys.items() if leaf not in moving)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, "float64") for name in CELLS] + [(name, "float32") for name in (*cell_names(), "numbers") if name in CELLS],
)
def test_the_gradients_over_time_are_right(backend, name, dtype):
    derivation, table = derivation_of(name), compiled(name, backend.name)
    seen: dict[str, list[Check]] = {}
    for seed in range(1, 17):
        point = draw_scalar(derivation.cell, seed)
        true = truth(backward_program(derivation), point, dtype, backend.name)
        got = gradients_lambdified(derivation, backend, true.point, dtype, table)
        assert {str(array.dtype) for array in got.values()} == {dtype}
        assert got.keys() == true.gradients.keys()
        for check in judge_all(got, true, backend.name, zero(name)):
            seen.setdefault(check.quantity, []).append(check)
        if seed >= 2 and all(combine(checks).verdict is not Verdict.NO_INFORMATION for checks in seen.values()):
            break
    assert [str(c) for c in map(combine, seen.values()) if c.verdict is not Verdict.PASS] == []


@pytest.mark.parametrize("name", CELLS)
def test_every_formula_is_right(backend, name):
    derivation = derivation_of(name)
    checks = formula_checks(derivation, backend, draw_scalar(derivation.cell, 1), compiled(name, backend.name))
    assert [str(check) for check in checks if check.verdict is Verdict.FAIL] == []
    assert sum(check.verdict is Verdict.PASS for check in checks) > len(checks) / 2


def formula_checks(derivation, backend, point, table) -> list[Check]:
    """Each formula at the very numbers that it was given: named values and adjoints, or the leaves of a step."""
    cell, program, dtype = derivation.cell, backward_program(derivation), "float64"
    got = evaluate_lambdified(derivation, backend, point, dtype, table)
    values = backend.forward(cell, point, dtype)
    states = {
        prev(state): np.concatenate([point.initial[state].reshape(1, 3), values[state].reshape(4, 3)[:-1]])
        for state in cell.states
    }
    adjoints = backend.adjoints(program, point, dtype)

    # Named values and adjoints: every step of every sequence is one sequence of one step.
    given = {**values, **states, **point.inputs, **adjoints}
    given |= {f"d{of}_out": array for of, array in point.cotangents.items()}
    for state in cell.states:
        back = adjoints[f"d{prev(state)}"].reshape(4, 3)
        given[f"d{state}_next"] = np.concatenate([back[1:], point.final[state].reshape(1, 3)])
    checks = []
    for step in (*derivation.definitions, *derivation.partials, *derivation.adjoints):
        arithmetic = RoundedArithmetic(dtype, backend.name)
        at = {id_: arithmetic.ledger.given(array.reshape(12, 1, 1)) for id_, array in given.items() if array.size == 12}
        at |= {of: arithmetic.ledger.given(array.reshape(1, 1, 1)) for of, array in point.parameters.items()}
        true = evaluate(step.rhs, at, arithmetic)
        key = (step.rule.value, step.of, step.wrt)
        checks.append(judge(" ".join(key), got.pop(key), shaped(true.value, true.bound, arithmetic), backend.name))

    # The leaves of a step: the same, over again.
    one = Point(
        cell=cell,
        name="steps",
        parameters=point.parameters,
        inputs={of: array.reshape(1, 12, *array.shape[2:]) for of, array in point.inputs.items()},
        initial={state: states[prev(state)].reshape(12, *point.initial[state].shape[1:]) for state in cell.states},
        cotangents={},
        final={state: np.zeros((12, *point.initial[state].shape[1:])) for state in cell.states},
    )
    for of in dict.fromkeys((*cell.states, *cell.seeded)):
        ones = np.ones((1, 12, *values[of].shape[2:]))
        at_one = dataclasses.replace(one, cotangents={of: ones})
        if of in cell.states:
            at_one = dataclasses.replace(one, final={**one.final, of: ones[0]})
        true_of = truth(program, at_one, dtype, backend.name)
        for leaf in (*cell.previous, *cell.inputs, *cell.parameters):
            raw = true_of.adjoints[0][f"d{leaf}"]
            known = shaped(raw.value, raw.bound, RoundedArithmetic(dtype))
            checks.append(judge(f"d{of}/d{leaf}", got.pop((TOTAL, of, leaf)), known, backend.name))
    for of in cell.defined:
        raw = true_of.trace[0][of]
        known = shaped(raw.value, raw.bound, RoundedArithmetic(dtype))
        checks.append(judge(f"{of} in closed form", got.pop((CLOSED, of, "")), known, backend.name))
    assert got == {}
    return checks


def shaped(value, bound, arithmetic: RoundedArithmetic) -> Known:
    """What is known of a number for each of 12 sequences of one step, as 4 steps of 3."""
    value = np.broadcast_to(value.reshape(-1), 12).reshape(4, 3)
    relative, flushed = (np.broadcast_to(one.reshape(-1), 12).reshape(4, 3) for one in bound)
    return Known(value, relative, flushed, arithmetic.format)


def test_a_wrong_formula_is_found_out(backend):
    derivation = derivation_of("lstm")
    table = dict(compiled("lstm", backend.name))
    key = (Rule.ADJOINT.value, "", "a_f")
    right = table[key].function
    table[key] = dataclasses.replace(table[key], function=lambda *values: right(*values) * (1 + 1e-12))
    true = truth(backward_program(derivation), draw_scalar(derivation.cell, 1), "float64", backend.name)
    got = gradients_lambdified(derivation, backend, true.point, "float64", table)
    wrong = {c.quantity for c in judge_all(got, true, backend.name) if c.verdict is Verdict.FAIL}
    assert {"W_xf", "W_hf", "b_f"} <= wrong


def test_what_there_is_and_under_which_key(backend):
    table = compiled("lstm", backend.name)
    cell: Cell = derivation_of("lstm").cell
    assert table["definition", "f", ""].arguments == ("a_f",)
    assert table["local partial", "f", "a_f"].arguments == ("f",)
    assert table["adjoint", "", "a_f"].arguments == ("df", "f")
    assert set(table[CLOSED, "c", ""].arguments) <= set(cell.leaves)
    assert {key for key in table if key[0] == TOTAL} == {
        (TOTAL, of, leaf) for of in ("h", "c") for leaf in (*cell.previous, *cell.inputs, *cell.parameters)
    }
    f = sympy.Symbol("f")
    assert table["local partial", "f", "a_f"].formula == f * (1 - f)
    with backend.library("float64") as on:
        values = {"f": on.array([0.25, 0.5]), "more": None}
        assert on.numpy(table["local partial", "f", "a_f"](values)).tolist() == [0.1875, 0.25]


def test_sigmoid_is_never_written_out(backend):
    for key, formula in compiled("lstm", backend.name).items():
        assert not formula.formula.has(sympy.exp), key


def test_code_holds_no_name_of_the_cell(backend):
    import inspect

    for formula in compiled("hostile", backend.name).values():
        code = inspect.getsource(formula.function)
        assert not any(name in code for name in ("numpy", "beta", "y0", "zeta", "torch"))


def test_a_closed_form_that_nobody_could_read_is_left_out(backend):
    if backend.name != "numpy":
        return
    lines = [f"a{k + 1} = tanh(a{k}) * a{k} + a{k} * a{k}" for k in range(16)]
    text = "\n".join(["cell deep\ninput x\nstate h", "a0 = W_x @ x + h_prev", *lines, "h = a16\n"])
    derivation = derive(read(text))
    table = lambdified(derivation, backend)
    assert (CLOSED, "a2", "") in table
    assert (CLOSED, "h", "") not in table
    assert (TOTAL, "h", "x") not in table
    assert all(sympy.count_ops(f.formula) <= 2 * LONGEST for key, f in table.items() if key[0] == CLOSED)
    point = draw_scalar(derivation.cell, 1, scale=0.1)
    assert gradients_lambdified(derivation, backend, point).keys() >= {"W_x", "h_0", "x_4"}


def test_what_has_no_scalar_view_says_so(backend):
    stacked = read("cell pile\ninput x\nstate h\nh = tanh(W @ [h_prev; x])\n")
    with pytest.raises(ValueError, match=r"pile stacks vectors, as in \[h_prev; x\]: it has no scalar view"):
        lambdified(stacked, backend)
    derivation, table = derivation_of("rnn"), compiled("rnn", backend.name)
    for run in (evaluate_lambdified, gradients_lambdified):
        with pytest.raises(ValueError, match=r"of the scalar view; W_xh is 2 x 5 at this point, not 1"):
            run(derivation, backend, draw(derivation.cell, 1), "float64", table)


def test_a_backend_without_a_printer_says_so(backend):
    none = dataclasses.replace(backend, name="abacus", lambdify=None)
    with pytest.raises(ValueError, match="SymPy's lambdify does not write for abacus"):
        lambdified(derivation_of("rnn"), none)
