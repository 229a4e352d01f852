"""The derivation says what the textbooks say, every step of it is proved, and a step that is wrong is refuted."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from derivations.by_sympy import slope_proof, whole_step
from derivations.catalogue import cell_names, read_cell
from derivations.derive import Derivation, Rule, Step, derive
from derivations.equality import Status
from derivations.expression import (
    Adjoint,
    Call,
    Expr,
    MatMul,
    Name,
    Neg,
    Outer,
    Shift,
    TimeSum,
    Transpose,
    negative,
    rewrite,
)
from derivations.facts import prove_fact
from derivations.functions import ROWS
from derivations.language import expression, read
from derivations.mutants import mutants
from derivations.over_time import over_time
from derivations.plain import code
from derivations.program import backward_program
from derivations.prove import prove, prove_all
from derivations.same import compare

LSTM = derive(read_cell("lstm"))

# Graves (2012), Supervised Sequence Labelling, ch. 4, in the cell's names.
LSTM_ADJOINTS = {
    "h": "dh_out + dh_next",
    "c": "dc_next + dh*o*(1 - tanh(c)**2)",
    "o": "dh*tanh(c)",
    "a_o": "do*o*(1 - o)",
    "g": "dc*i",
    "a_g": "dg*(1 - g**2)",
    "i": "dc*g",
    "a_i": "di*i*(1 - i)",
    "f": "dc*c_prev",
    "a_f": "df*f*(1 - f)",
    "h_prev": "W_hf.T @ da_f + W_hi.T @ da_i + W_hg.T @ da_g + W_ho.T @ da_o",
    "c_prev": "dc*f",
    "x": "W_xf.T @ da_f + W_xi.T @ da_i + W_xg.T @ da_g + W_xo.T @ da_o",
    "W_xf": "outer(da_f, x)",
    "W_hf": "outer(da_f, h_prev)",
    "b_f": "da_f",
}
GRU_ADJOINTS = {
    "h": "dh_out + dh_next",
    "n": "dh*(1 - z)",
    "a_n": "dn*(1 - n**2)",
    "q": "da_n*r",
    "a_z": "dz*z*(1 - z)",
    "r": "da_n*q",
    "h_prev": "W_hr.T @ da_r + W_hz.T @ da_z + W_hn.T @ dq + dh*z",
    "W_hn": "outer(dq, h_prev)",
    "b_hn": "dq",
}

EVERYTHING = """
cell everything
input x
state h, C
target y_hat
scalar s
z = [h_prev; x]
q = softplus(W @ z + b)
e = logsumexp(q)
k = relu(q - e) * mean(q) + abs(s) * max(q, p) + clip(q, 0, 2) - min(q, p2)
C = dot(q, k) * C_prev + outer(q, k)
r = C @ k + C.T @ q + k @ C
l = logsigmoid(r) / exp(s) + sqrt(softplus(r)) - log(1 + q**2)
h = hard_sigmoid(l) * sum(k) + detach(q) * h_prev / (2 + s**2) - (1 - z2) * h_prev
readout
    y = V @ h + c
loss
    L = (y - y_hat)**2 / 2
"""


def everything() -> Derivation:
    return derive(read(EVERYTHING))


@pytest.mark.parametrize(("cell", "lines"), [("lstm", LSTM_ADJOINTS), ("gru", GRU_ADJOINTS)])
def test_the_lines_of_the_textbook(cell: str, lines: dict[str, str]) -> None:
    derivation = derive(read_cell(cell))
    assert {name: code(derivation.adjoint_of[name].rhs) for name in lines} == lines


def test_local_partials_are_written_in_named_values() -> None:
    assert code(LSTM.partial("f", "a_f")) == "diag(f*(1 - f))"
    assert code(LSTM.partial("h", "c")) == "diag(o*(1 - tanh(c)**2))"
    assert code(LSTM.partial("a_f", "h_prev")) == "W_hf"
    assert code(LSTM.partial("c", "o")) == "0"


@pytest.mark.parametrize("name", cell_names())
def test_every_step_of_every_cell_is_proved(name: str) -> None:
    derivation = derive(read_cell(name))
    assert {proof.status for proof in prove_all(derivation)} == {Status.PROVED}
    assert over_time(backward_program(derivation), vector=True)
    assert all(prove_fact(fact, derivation) for fact in derivation.cell.facts)


def test_every_atom_and_function_there_is() -> None:
    derivation = everything()
    unproved = [
        (step.of, step.wrt, p) for step, p in zip(derivation.steps, prove_all(derivation), strict=True) if not p
    ]
    assert unproved == []
    assert over_time(backward_program(derivation), vector=True)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_sympy_differentiates_the_inlined_step_to_the_same(name: str) -> None:
    derivation = derive(read_cell(name))
    assert all(whole_step(derivation).values())
    wrong = replace_rhs(derivation, next(s for s in derivation.adjoints if s.wrt == "h_prev"), negative)
    assert not whole_step(wrong)["h_prev"]


@pytest.mark.parametrize("row", [row for row in ROWS if not row.name.startswith("_")], ids=lambda row: row.name)
def test_every_row_of_the_table_is_proved_by_sympy_and_a_wrong_one_refuted(row) -> None:
    args = ", ".join(["u", "v", "w"][: len(row.args)])
    cell = read(f"cell one\ninput u, v, w\nstate y\npositive u\ny = {row.name}({args})\n")
    derivation = derive(cell)
    slope = next(use for use in _uses(derivation) if use.name == "u").slope
    equation = cell.equation("y")
    assert slope_proof(slope, equation, Name("u"))
    assert not slope_proof(slope * 2 + 1, equation, Name("u"))


def _uses(derivation: Derivation):
    from derivations.derive import uses

    return uses(derivation.cell)


# --- wrong steps --------------------------------------------------------------------------------------------------


def replace_rhs(derivation: Derivation, step: Step, wrong: Callable[[Expr], Expr]) -> Derivation:
    changed = replace(step, rhs=wrong(step.rhs))
    return replace(derivation, steps=tuple(changed if s is step else s for s in derivation.steps))


def swap(old: Expr, new: Expr) -> Callable[[Expr], Expr]:
    return lambda expr: rewrite(expr, lambda node: new if node == old else None)


def untransposed(expr: Expr) -> Expr:
    return rewrite(
        expr, lambda n: MatMul(n.left.arg, n.right) if isinstance(n, MatMul) and isinstance(n.left, Transpose) else None
    )


def turned(expr: Expr) -> Expr:
    return rewrite(expr, lambda n: Outer(n.right, n.left) if isinstance(n, Outer) else None)


WRONG = {
    "a definition": (Rule.DEFINITION, "c", "", swap(Name("i"), Name("o"))),
    "a sign in a definition": (Rule.DEFINITION, "a_f", "", negative),
    "a partial's sign": (Rule.PARTIAL, "f", "a_f", lambda e: Neg(e)),
    "sigma for sigma'": (Rule.PARTIAL, "f", "a_f", lambda e: Name("f")),
    "tanh' at its own value": (Rule.PARTIAL, "h", "c", swap(Call("tanh", (Name("c"),)), Name("c"))),
    "another weight": (Rule.PARTIAL, "a_f", "h_prev", lambda e: Name("W_hi")),
    "a transposed weight": (Rule.PARTIAL, "a_f", "h_prev", Transpose),
    "h for h_prev": (Rule.PARTIAL, "a_f", "W_hf", lambda e: Name("h")),
    "an adjoint's sign": (Rule.ADJOINT, "", "a_f", negative),
    "a term dropped": (Rule.ADJOINT, "", "h_prev", lambda e: replace(e, terms=e.terms[:-1])),
    "a factor dropped": (Rule.ADJOINT, "", "a_f", lambda e: replace(e, factors=e.factors[:-1])),
    "the carry left out": (Rule.ADJOINT, "", "c", lambda e: replace(e, terms=e.terms[1:])),
    "a weight not transposed": (Rule.ADJOINT, "", "h_prev", untransposed),
    "an outer product the wrong way round": (Rule.ADJOINT, "", "W_hf", turned),
    "the new state for the old": (Rule.ADJOINT, "", "W_hf", swap(Name("h_prev"), Name("h"))),
    "a neighbour's adjoint": (Rule.ADJOINT, "", "b_f", lambda e: Adjoint("a_i")),
    "a factor of 1 + 1e-10": (Rule.ADJOINT, "", "b_f", lambda e: expression("1.0000000001") * e),
    "a carry of this step": (Rule.RECURRENCE, "", "h", lambda e: Shift(Adjoint("h_prev"), 0)),
    "another state's carry": (Rule.RECURRENCE, "", "h", lambda e: Shift(Adjoint("c_prev"), 1)),
    "no sum over time": (Rule.RECURRENCE, "", "W_xf", lambda e: Adjoint("W_xf")),
    "another sum over time": (Rule.RECURRENCE, "", "W_xf", lambda e: TimeSum(Adjoint("W_xi"))),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_step_is_refuted(mistake: str) -> None:
    rule, of, wrt, wrong = WRONG[mistake]
    step = next(s for s in LSTM.steps if s.rule is rule and s.wrt == wrt and (not of or s.of == of))
    assert prove(step, LSTM)
    changed = replace(step, rhs=wrong(step.rhs))
    assert changed != step
    assert prove(changed, LSTM).status is Status.REFUTED


def test_facts_are_proved_or_refuted() -> None:
    text = (
        "cell one\ninput x\nstate h, m\nf = sigmoid(W @ x)\nm = f * m_prev\nh = f * tanh(h_prev) + b\nfacts\n    {}\n"
    )
    for fact, true in [
        ("dm/dm_prev = f", True),
        ("dh/dm_prev = 0", True),
        ("dm/dm_prev = 1 - f", False),
        ("db = dh", True),
        ("db = 2 * dh", False),
    ]:
        derivation = derive(read(text.format(fact)))
        assert bool(prove_fact(derivation.cell.facts[0], derivation)) is true, fact


# --- equal cells --------------------------------------------------------------------------------------------------

OTHERWISE = """
cell lstm2
input x
state h, c
i = 1 - sigmoid(-(W_hi @ h_prev + b_i + x @ W_xi.T))
f = sigmoid(b_f + W_hf @ h_prev + W_xf @ x)
g = -tanh(-W_xg @ x - W_hg @ h_prev - b_g)
c = g * i + c_prev * f
h = sigmoid(W_xo @ x + W_ho @ h_prev + b_o) * tanh(c)
"""


def test_cells_in_other_words_are_the_same() -> None:
    assert compare(LSTM.cell, read(OTHERWISE))


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [("c_prev * f", "c_prev * i", "c"), ("W_hf @ h_prev", "W_hf.T @ h_prev", "a_f"), ("tanh(c)", "c", "h")],
)
def test_what_differs_is_named(old: str, new: str, where: str) -> None:
    found = compare(LSTM.cell, read(OTHERWISE.replace(old, new)))
    assert not found
    assert where in {difference.target for difference in found.differences}


# --- mistakes -----------------------------------------------------------------------------------------------------


def test_mistakes_have_names_that_tell_them_apart() -> None:
    found = mutants(LSTM)
    assert len(found) >= 40
    assert len({mutant.mistake for mutant in found}) >= 0.98 * len(found)
    said = " ".join(mutant.mistake for mutant in found)
    for mistake in (
        "is missing",
        "flipped",
        "must be transposed",
        "wrong way round",
        "overwritten",
        "final state is ignored",
    ):
        assert mistake in said


def test_a_sample_of_mistakes_is_refuted_over_time() -> None:
    for mutant in mutants(LSTM)[::11]:
        assert over_time(mutant.program, steps=4, vector=True).status is Status.REFUTED, mutant.mistake


@pytest.mark.long
@pytest.mark.parametrize("name", cell_names())
def test_every_mistake_is_refuted_over_time(name: str) -> None:
    for mutant in mutants(derive(read_cell(name))):
        assert over_time(mutant.program, steps=4, vector=True).status is Status.REFUTED, mutant.mistake
