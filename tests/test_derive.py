"""The derivation is the one of the textbooks, line by line, and it is in their order."""

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.derive import Derivation, Rule, atoms, derive, partial, uses
from derivations.expression import (
    ONE,
    ZERO,
    Add,
    Adjoint,
    Call,
    Derivative,
    Detach,
    Diag,
    Expr,
    MatMul,
    Mul,
    Name,
    Ones,
    Outer,
    Part,
    Reduce,
    Shift,
    Size,
    Stack,
    TimeSum,
    Total,
    Transpose,
    names,
    operations,
    rewrite,
    walk,
)
from derivations.language import expression, read
from tests.samples import EVERYTHING, cell_text

ADJOINTS = {"dh_out": Adjoint("h", "out"), "dh_next": Adjoint("h", "next"), "dc_next": Adjoint("c", "next")}


def line(text: str, cell) -> Expr:
    """A line of a textbook as a tree: `da_f` is the adjoint of a_f."""

    def adjoint(node: Expr) -> Expr | None:
        if isinstance(node, Name) and node.id not in cell.shapes:
            return ADJOINTS.get(node.id, Adjoint(node.id[1:]))
        return None

    return rewrite(expression(text), adjoint)


# Hochreiter & Schmidhuber (1997), Gers et al. (2000); written as in Greff et al. (2017), appendix A.
TEXTBOOKS = {
    "rnn": {
        "h": "dh_out + dh_next",
        "a_h": "dh * (1 - h**2)",
        "h_prev": "W_hh.T @ da_h",
        "x": "W_xh.T @ da_h",
        "W_xh": "outer(da_h, x)",
        "W_hh": "outer(da_h, h_prev)",
        "b_h": "da_h",
    },
    "lstm": {
        "h": "dh_out + dh_next",
        "c": "dc_next + dh * o * (1 - tanh(c)**2)",
        "o": "dh * tanh(c)",
        "a_o": "do * o * (1 - o)",
        "g": "dc * i",
        "a_g": "dg * (1 - g**2)",
        "i": "dc * g",
        "a_i": "di * i * (1 - i)",
        "f": "dc * c_prev",
        "a_f": "df * f * (1 - f)",
        "h_prev": "W_hf.T @ da_f + W_hi.T @ da_i + W_hg.T @ da_g + W_ho.T @ da_o",
        "c_prev": "dc * f",
        "x": "W_xf.T @ da_f + W_xi.T @ da_i + W_xg.T @ da_g + W_xo.T @ da_o",
        **{f"W_x{gate}": f"outer(da_{gate}, x)" for gate in "figo"},
        **{f"W_h{gate}": f"outer(da_{gate}, h_prev)" for gate in "figo"},
        **{f"b_{gate}": f"da_{gate}" for gate in "figo"},
    },
    "gru": {
        "h": "dh_out + dh_next",
        "n": "dh * (1 - z)",
        "a_n": "dn * (1 - n**2)",
        "q": "da_n * r",
        "z": "dh * (-n + h_prev)",
        "a_z": "dz * z * (1 - z)",
        "r": "da_n * q",
        "a_r": "dr * r * (1 - r)",
        "h_prev": "W_hr.T @ da_r + W_hz.T @ da_z + W_hn.T @ dq + dh * z",
        "x": "W_xr.T @ da_r + W_xz.T @ da_z + W_xn.T @ da_n",
        "W_hn": "outer(dq, h_prev)",
        "b_hn": "dq",
        "b_n": "da_n",
    },
}


@pytest.mark.parametrize(("name", "of"), [(name, of) for name, lines in TEXTBOOKS.items() for of in lines])
def test_the_adjoints_are_the_lines_of_the_textbook(name, of):
    derivation = derive(read_cell(name))
    assert derivation.adjoint_of[of].rhs == line(TEXTBOOKS[name][of], derivation.cell)


@pytest.mark.parametrize("name", ["rnn", "lstm"])
def test_the_textbook_leaves_no_line_out(name):
    assert set(derive(read_cell(name)).adjoint_of) == set(TEXTBOOKS[name])


LSTM = derive(read_cell("lstm"))


@pytest.mark.parametrize(
    ("of", "wrt", "expected"),
    [
        ("f", "a_f", Diag(expression("f * (1 - f)"))),
        ("g", "a_g", Diag(expression("1 - g**2"))),
        ("c", "f", Diag(Name("c_prev"))),
        ("c", "c_prev", Diag(Name("f"))),
        ("h", "c", Diag(expression("o * (1 - tanh(c)**2)"))),
        ("h", "o", Diag(expression("tanh(c)"))),
        ("a_f", "h_prev", Name("W_hf")),
        ("a_f", "x", Name("W_xf")),
        ("a_f", "W_xf", Name("x")),
        ("a_f", "b_f", ONE),
        ("c", "o", ZERO),
        ("h", "f", ZERO),
    ],
)
def test_local_partials_are_written_in_named_values(of, wrt, expected):
    assert LSTM.partial(of, wrt) == expected


def test_there_is_one_partial_for_every_edge():
    edges = [(step.of, step.wrt) for step in LSTM.partials]
    assert len(edges) == len(set(edges)) == 4 * 5 + 4 + 4 + 2  # preactivations, gates, c, h


# --- every kind of atom -------------------------------------------------------------------------------------------

v, w, W = Name("v"), Name("w"), Name("W")
dh = Adjoint("h")


@pytest.mark.parametrize(
    ("text", "wrt", "partials", "adjoint"),
    [
        ("h = v * w", "v", [Diag(w)], Mul((dh, w))),
        ("h = v + w", "v", [ONE], dh),
        ("h = v * v", "v", [Diag(Add((v, v)))], Mul((dh, Add((v, v))))),
        ("h = v / w", "w", [Diag(expression("-(v / w**2)"))], -(dh * v / w**2)),
        ("h = v**3", "v", [Diag(expression("3 * v**2"))], 3 * dh * v**2),
        ("h = s * v", "s", [v], Reduce("sum", (Mul((dh, v)),))),
        ("h = s * v", "v", [Diag(Name("s"))], Mul((dh, Name("s")))),
        ("h = s + v", "s", [ONE], Reduce("sum", (dh,))),
        ("h = W @ v", "v", [W], MatMul(Transpose(W), dh)),
        ("h = W @ v", "W", [v], Outer(dh, v)),
        ("h = W.T @ v", "v", [Transpose(W)], MatMul(W, dh)),
        ("h = W.T @ v", "W", [v], Outer(v, dh)),
        ("h = v @ W", "W", [v], Outer(v, dh)),
        ("h = w * (W @ v)", "v", [MatMul(Diag(w), W)], MatMul(Transpose(W), Mul((dh, w)))),
        ("h = w * (W @ v)", "W", [Outer(w, v)], Outer(Mul((dh, w)), v)),
        ("h = s * (W @ v)", "v", [Mul((Name("s"), W))], MatMul(Transpose(W), Mul((dh, Name("s"))))),
        ("h = s * (W @ v)", "W", [Mul((Name("s"), v))], Outer(Mul((dh, Name("s"))), v)),
        ("h = W @ v + W @ w", "W", [v, w], Add((Outer(dh, v), Outer(dh, w)))),
        ("h = v + W @ v", "v", [Add((Diag(Ones("h")), W))], Add((dh, MatMul(Transpose(W), dh)))),
        (
            "h = s * v + W @ v",
            "v",
            [Add((Diag(Mul((Name("s"), Ones("h")))), W))],
            Add((Mul((dh, Name("s"))), MatMul(Transpose(W), dh))),
        ),
        (
            "h = w * sum(v)",
            "v",
            [Outer(w, Ones("v"))],
            Reduce("sum", (Mul((dh, w)),)),
        ),
        ("h = w + sum(v)", "v", [Outer(Ones("h"), Ones("v"))], Reduce("sum", (dh,))),
        (
            "h = w * mean(v)",
            "v",
            [Outer(w, Ones("v")) / Size("v")],
            Reduce("sum", (Mul((dh, w)),)) / Size("v"),
        ),
        ("h = w * dot(v, w)", "v", [Outer(w, w)], Mul((Reduce("sum", (Mul((dh, w)),)), w))),
        ("h = W @ [v; w]", "v", [Stack((ONE, ZERO))], Part(Adjoint("u_h"), ("v", "w"), 0)),
        ("h = W @ [v; w]", "w", [Stack((ZERO, ONE))], Part(Adjoint("u_h"), ("v", "w"), 1)),
        ("h = detach(v) * w", "w", [Diag(Detach(v))], Mul((dh, Detach(v)))),
        ("h = detach(v) * w", "v", [], ZERO),
    ],
)
def test_an_atom_sends_its_adjoint_back(text, wrt, partials, adjoint):
    scalar = "scalar s" if "s" in names(expression(text.removeprefix("h = "))) else ""
    derivation = derive(read(cell_text(text, f"input v, w\nstate h\n{scalar}")))
    assert [step.rhs for step in derivation.partials if step.wrt == wrt] == partials
    assert derivation.adjoint_of[wrt].rhs == adjoint


def test_the_derivative_of_logsumexp_is_a_softmax_in_its_own_value():
    derivation = derive(read(cell_text("k = logsumexp(x)\nh = x * k")))
    softmax = Call("exp", (Add((Name("x"), -Name("k"))),))
    assert derivation.partial("k", "x") == Transpose(softmax)
    assert derivation.adjoint_of["x"].terms[0].expr == Adjoint("k") * softmax


def test_a_matrix_state_is_derived():
    cell = read(cell_text("v = V @ x\nk = K @ x\nq = Q @ x\nM = s * M_prev + outer(v, k)\nh = M @ q",
                          "input x\nstate h, M\nscalar s"))  # fmt: skip
    adjoint = derive(cell).adjoint_of
    dM = Adjoint("M")
    assert adjoint["M"].rhs == Add((Adjoint("M", "next"), Outer(dh, Name("q"))))
    assert adjoint["v"].rhs == MatMul(dM, Name("k"))
    assert adjoint["k"].rhs == MatMul(Transpose(dM), Name("v"))
    assert adjoint["q"].rhs == MatMul(Transpose(Name("M")), dh)
    assert adjoint["s"].rhs == Reduce("sum", (Mul((dM, Name("M_prev"))),))
    assert adjoint["M_prev"].rhs == Mul((dM, Name("s")))


# --- partial ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("a", "1"),
        ("b", "0"),
        ("a + b - a", "1 + -1"),
        ("b * a * c", "b * c"),
        ("a * a", "a + a"),
        ("a / b", "1 / b"),
        ("b / a", "-(b / a**2)"),
        ("a**2", "2 * a"),
        ("(a + b)**3", "3 * (a + b)**2"),
        ("b**3", "0"),
        ("exp(a)", "exp(a)"),
        ("log(a)", "1 / a"),
        ("sqrt(a)", "1 / (2 * sqrt(a))"),
        ("sigmoid(a) * b", "sigmoid(a) * (1 - sigmoid(a)) * b"),
        ("tanh(a)", "1 - tanh(a)**2"),
        ("softplus(a)", "sigmoid(a)"),
        ("W @ a", "0"),  # another atom
        ("sum(a)", "0"),
        ("detach(a)", "0"),
        ("a * detach(a)", "detach(a)"),
    ],
)
def test_one_expression_is_differentiated_by_one_atom(text, slope):
    assert partial(expression(text), Name("a")) == expression(slope)


def test_an_expression_with_a_name_has_its_slope_in_that_name():
    assert partial(expression("sigmoid(a)"), Name("a"), Name("f")) == expression("f * (1 - f)")
    assert partial(expression("W @ a"), expression("W @ a")) == ONE


def test_atoms_come_in_reading_order():
    found = atoms(expression("b * (W @ a) + sum(a) * tanh(c) - detach(b)"))
    assert list(found) == [*map(expression, ("b", "W @ a", "sum(a)", "c", "detach(b)"))]


# --- order and labels ---------------------------------------------------------------------------------------------


def positions(derivation: Derivation, rule: Rule) -> list[int]:
    return [k for k, step in enumerate(derivation.steps) if step.rule is rule]


@pytest.mark.parametrize("text", [*cell_names(), EVERYTHING])
def test_steps_stand_in_the_order_of_the_rules(text):
    derivation = derive(read(text) if "\n" in text else read_cell(text))
    cell = derivation.cell
    order = [*(positions(derivation, rule) for rule in Rule)]
    assert [place for places in order for place in places] == list(range(len(derivation.steps)))
    assert [step.of for step in derivation.definitions] == list(cell.defined)
    assert [step.wrt for step in derivation.adjoints] == [
        *reversed(cell.defined), *cell.previous, *cell.inputs, *cell.parameters,
    ]  # fmt: skip
    assert [step.wrt for step in derivation.recurrences] == [*cell.states, *cell.parameters]


@pytest.mark.parametrize("text", [*cell_names(), EVERYTHING])
def test_an_adjoint_speaks_only_of_those_above_it(text):
    derivation = derive(read(text) if "\n" in text else read_cell(text))
    known: set[str] = set()
    for step in derivation.adjoints:
        spoken = {node.of for node in walk(step.rhs) if isinstance(node, Adjoint) and not node.part}
        assert spoken <= known
        known.add(step.wrt)


def test_every_step_says_what_it_is_of():
    assert [step.lhs for step in LSTM.definitions] == [Name(step.of) for step in LSTM.definitions]
    assert [step.lhs for step in LSTM.partials] == [Derivative(step.of, step.wrt) for step in LSTM.partials]
    assert [step.lhs for step in LSTM.adjoints] == [Adjoint(step.wrt) for step in LSTM.adjoints]


def test_the_terms_of_an_adjoint_say_which_consumer_they_come_from():
    assert [term.via for term in LSTM.adjoint_of["c"].terms] == ["t+1", "h"]
    assert [term.via for term in LSTM.adjoint_of["h"].terms] == ["loss", "t+1"]
    assert [term.via for term in LSTM.adjoint_of["h_prev"].terms] == ["a_f", "a_i", "a_g", "a_o"]
    for step in LSTM.adjoints:
        assert step.rhs == Add(tuple(term.expr for term in step.terms)) or [step.rhs] == [t.expr for t in step.terms]


def test_the_recurrences_carry_states_and_sum_parameters():
    found = {step.wrt: (step.lhs, step.rhs) for step in LSTM.recurrences}
    assert found["h"] == (Adjoint("h", "next"), Shift(Adjoint("h_prev"), 1))
    assert found["c"] == (Adjoint("c", "next"), Shift(Adjoint("c_prev"), 1))
    assert found["W_xf"] == (Total("W_xf"), TimeSum(Adjoint("W_xf")))
    assert set(found) == {"h", "c", *LSTM.cell.parameters}


def test_every_line_has_the_label_of_its_quantity():
    labels = {step.of: step.label for step in LSTM.definitions}
    assert (labels["f"], labels["a_f"]) == ("forget gate", "forget gate: preactivation")
    nested = derive(read(cell_text("a gate: h = tanh(W @ (x * x) + 1)")))
    assert [step.label for step in nested.definitions] == ["a gate: argument", "a gate: preactivation", "a gate"]
    unlabelled = derive(read(cell_text("h = tanh(W @ x)")))
    assert [step.label for step in unlabelled.definitions] == ["h: preactivation", ""]


def test_the_backward_pass_of_the_lstm_takes_52_operations():
    """Counted by hand in the textbook's lines: a difference 1 - o is two, a sum of four terms three."""
    by_hand = {"h": 1, "c": 7, "o": 2, "a_o": 4, "g": 1, "a_g": 4, "i": 1, "a_i": 4, "f": 1, "a_f": 4, "h_prev": 7,
               "c_prev": 1, "x": 7, **{f"W_{v}{gate}": 1 for v in "xh" for gate in "figo"}}  # fmt: skip
    counted = {step.wrt: operations(step.rhs) for step in LSTM.adjoints}
    assert counted == by_hand | {f"b_{gate}": 0 for gate in "figo"}
    assert sum(counted.values()) == 52


def test_uses_pair_names_with_atoms():
    found = [(use.target, use.name, use.slot) for use in uses(LSTM.cell) if use.target in ("a_f", "c")]
    assert found == [
        ("a_f", "W_xf", 0), ("a_f", "x", 1), ("a_f", "W_hf", 0), ("a_f", "h_prev", 1), ("a_f", "b_f", 0),
        ("c", "f", 0), ("c", "c_prev", 0), ("c", "i", 0), ("c", "g", 0),
    ]  # fmt: skip
