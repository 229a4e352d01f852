"""SymPy's opinion: the derivative of a whole step, of one atom, and how exactly its answers are read."""

from dataclasses import replace
from fractions import Fraction

import pytest
import sympy

from derivations.algebra import Algebra, TooLarge
from derivations.by_sympy import MOST_REGIONS, from_sympy, regions, slope_proof, whole_step
from derivations.cell import Equation
from derivations.derive import Rule, derive
from derivations.equality import Status
from derivations.expression import Add, Call, Name, Num, negative
from derivations.language import expression, read
from tests.derived import DERIVED, scaled, step
from tests.samples import cell_text


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "nearly"])
def test_sympy_differentiates_the_whole_step_to_the_same(name):
    derivation = DERIVED[name]
    cell = derivation.cell
    if name == "nearly":  # in the scalar view its reductions are trivial, and its step is too long to be inlined
        assert {proof.status for proof in whole_step(derivation).values()} == {Status.AGREES}
        return
    proofs = whole_step(derivation)
    assert set(proofs) == {*cell.previous, *cell.inputs, *cell.parameters}
    assert all(proofs.values())


@pytest.mark.parametrize(
    ("name", "wrt"), [("rnn", "a_h"), ("lstm", "c"), ("lstm", "a_f"), ("gru", "r"), ("nearly", "c")]
)
@pytest.mark.parametrize("mistake", [negative, scaled], ids=["sign", "scaled"])
def test_sympy_refutes_a_wrong_derivation(name, wrt, mistake):
    derivation = DERIVED[name]
    right = step(derivation, Rule.ADJOINT, wrt)
    wrong = replace(right, rhs=mistake(right.rhs))
    changed = replace(derivation, steps=tuple(wrong if s is right else s for s in derivation.steps))
    assert Status.REFUTED in {proof.status for proof in whole_step(changed).values()}


def test_what_is_held_constant_stays_so_in_the_whole_step():
    derivation = derive(read(cell_text("h = tanh(detach(h_prev * x) * h_prev) + detach(x) * w")))
    assert all(whole_step(derivation).values())
    wrong = derive(read(cell_text("h = tanh(h_prev * x * h_prev) + x * w")))
    mixed = replace(derivation, steps=(*derivation.definitions, *wrong.adjoints, *derivation.recurrences))
    assert not all(whole_step(mixed).values())


def test_a_whole_step_of_stacks_has_no_scalar_view():
    with pytest.raises(ValueError, match="no scalar view"):
        whole_step(derive(read(cell_text("h = W @ [h_prev; x]"))))


@pytest.mark.parametrize(
    ("text", "of", "slope", "status"),
    [
        ("x * y", "x", "y", Status.PROVED),
        ("x * y", "x", "x", Status.REFUTED),
        ("tanh(x)", "x", "1 - h**2", Status.PROVED),
        ("tanh(x)", "x", "1 - tanh(x)**2", Status.PROVED),
        ("tanh(x)", "x", "1 - x**2", Status.REFUTED),
        ("sqrt(x) * x", "x", "sqrt(x) * 3 / 2", Status.PROVED),
        ("x * exp(1)", "x", "exp(1)", Status.PROVED),
        ("relu(x) * x", "x", "relu(x) + relu(x)", Status.PROVED),
        ("relu(x) * x", "x", "relu(x)", Status.REFUTED),
        ("max(x, y) * min(y, x)", "x", "y", Status.PROVED),
        ("abs(x) * abs(x)", "x", "2 * x", Status.PROVED),
        ("x * unknown", "x", "unknown", Status.PROVED),
        ("x / (y - y)", "x", "1", Status.AGREES),  # it has no value that could tell
        ("x * sqrt(y - y - 1)", "x", "1", Status.AGREES),
    ],
)
def test_a_slope_is_held_against_sympys(text, of, slope, status):
    assert slope_proof(expression(slope), Equation("h", expression(text)), Name(of)).status is status


def test_each_kink_that_the_atom_crosses_has_its_regions():
    rhs = expression("relu(a) * abs(a) + max(a, b) * min(b, a) + clip(a, 0, 1) * hard_sigmoid(a) + relu(b)")
    a, b = Name("a"), Name("b")
    # a above or below 0; a above or below b; inside, below or above [0, 1]; the same for [-3, 3]
    assert sum(1 for _ in regions(rhs, a)) == 2 * 2 * 3 * 3
    assert sum(1 for _ in regions(rhs, b)) == 2 * 2
    put = next(iter(regions(expression("relu(a) + max(0, a) + min(a, 0)"), a)))
    assert put(expression("relu(a) + max(0, a) + min(a, 0)")) == Add((a, a, Num(Fraction(0))))


def test_of_too_many_regions_numbers_decide():
    thresholds = [Name(f"p{k}") for k in range(8)]
    assert 2 ** len(thresholds) > MOST_REGIONS
    equation = Equation("h", Add(tuple(Call("max", (Name("x"), p)) for p in thresholds)))
    right = tuple(Call("_above", (Name("x"), p)) for p in thresholds)
    wrong = (*right[1:], Call("_above", (thresholds[0], Name("x"))))
    assert slope_proof(Add(right), equation, Name("x")).status is Status.AGREES
    assert slope_proof(Add(wrong), equation, Name("x")).status is Status.REFUTED


def test_sympy_is_read_exactly():
    algebra = Algebra()
    x, y = sympy.symbols("x y")
    root = from_sympy((x + y) ** sympy.Rational(3, 2), algebra)
    assert algebra.equal(root * root, from_sympy((x + y) ** 3, algebra))
    assert algebra.equal(from_sympy(x / y - 1, algebra) * from_sympy(y, algebra), from_sympy(x - y, algebra))
    assert not algebra.equal(from_sympy(sympy.exp(x), algebra), from_sympy(sympy.exp(y), algebra))
    for unreal in (sympy.zoo, sympy.I, sympy.oo, sympy.nan):
        with pytest.raises(ValueError, match="outside what a proof reads"):
            from_sympy(unreal * x, algebra)
    with pytest.raises(TooLarge):
        from_sympy((x + y + sum(sympy.symbols("a:h"))) ** 100, algebra)
    with pytest.raises(TooLarge):
        from_sympy((3 * x / 2 + 0) ** 50_000, algebra)
