"""Shapes follow from the equations, and two places that disagree are both named."""

import pytest

from derivations.catalogue import read_cell
from derivations.cell import CellError
from derivations.components import SIZES, size
from derivations.language import read
from tests.samples import EVERYTHING, cell_text, few_calls_deep


def shapes(equations: str, *names: str, declared: str = "input x\nstate h") -> tuple[tuple[str, ...], ...]:
    found = read(cell_text(equations, declared)).shapes
    return tuple(found[name] for name in names)


def test_the_lstm_has_the_shapes_of_the_textbook():
    cell = read_cell("lstm")
    for gate in "figo":
        assert cell.shapes[f"W_x{gate}"] == ("n", "m")
        assert cell.shapes[f"W_h{gate}"] == ("n", "n")
        assert cell.shapes[f"b_{gate}"] == cell.shapes[gate] == cell.shapes[f"a_{gate}"] == ("n",)
    assert cell.shapes["x"] == ("m",)
    assert cell.shapes["h"] == cell.shapes["h_prev"] == cell.shapes["c"] == cell.shapes["c_prev"] == ("n",)


@pytest.mark.parametrize(
    ("equations", "expected"),
    [
        # a linear map ties the sizes on its two sides
        ("h = W @ x", {"W": ("n", "m")}),
        ("h = W.T @ x", {"W": ("m", "n")}),
        ("h = x @ W", {"W": ("m", "n")}),
        ("h = x @ W.T", {"W": ("n", "m")}),
        ("h = W @ V @ x", {"W": ("n", "p"), "V": ("p", "m")}),
        ("h = W @ h_prev", {"W": ("n", "n")}),
        # what stands beside a vector is one
        ("h = W @ x + b", {"b": ("n",)}),
        ("h = p * (W @ x)", {"p": ("n",)}),
        ("h = sigmoid(b - W @ x) / q", {"b": ("n",), "q": ("n",)}),
        ("h = max(h_prev, b)", {"b": ("n",)}),
        ("h = detach(b) + h_prev", {"b": ("n",)}),
        ("f = a + b\nh = f * h_prev", {"a": ("n",), "b": ("n",), "f": ("n",)}),
        # two inputs that meet have one size
        ("h = x + W @ h_prev", {"x": ("n",), "W": ("n", "n")}),
        # declared and unknown scalars
        ("scalar s\nh = s * h_prev + x", {"s": (), "h": ("n",)}),
        ("s = a * b + 1\nh = (W @ x) * s", {"s": ("n",), "a": ("n",)}),
        ("s = sum(x) * a\nh = h_prev * s + W @ x", {"s": ("n",), "a": ("n",)}),  # a product spreads
        ("s = sum(x)\nh = h_prev * s + W @ x", {"s": ()}),
        ("s = sum(x) + dot(x, x) * mean(x)\nh = h_prev * s", {"s": ()}),
        ("s = 2\nh = h_prev * s", {"s": ()}),
        ("s = logsumexp(W @ x)\nh = h_prev * s", {"s": (), "W": ("p", "m")}),
        # reductions take vectors, and a dot product two of one size
        ("h = h_prev * dot(W @ x, p)", {"W": ("p", "m"), "p": ("p",)}),
        ("h = h_prev * sum(p)", {"p": ("p",)}),
        # outer products and matrices
        ("M = outer(h_prev, x)\nh = M @ x", {"M": ("n", "m")}),
        ("M = outer(h_prev, x) * K + 1\nh = M @ x", {"K": ("n", "m")}),
        ("h = (K + outer(h_prev, x)).T @ h_prev", {"K": ("n", "n"), "x": ("n",)}),
        # stacks add their sizes up
        ("h = W @ [h_prev; x]", {"W": ("n", "n+m"), "u_h": ("n+m",)}),
        ("h = W @ [x; h_prev; x]", {"W": ("n", "n+m+m")}),
        ("z = [x; x]\nw = [z; h_prev]\nh = W @ w", {"w": ("n+m+m",)}),
        # a map between two unknown names is taken for a matrix and a vector
        ("h = W @ q", {"W": ("n", "p"), "q": ("p",)}),
    ],
)
def test_shapes_are_inferred(equations, expected):
    found = read(cell_text(equations)).shapes
    assert {name: found[name] for name in expected} == expected


def test_a_matrix_state():
    """The memory of fast weights and of mLSTM: C = f*C_prev + outer(v, k), h = C @ q."""
    found = shapes(
        "f = sigmoid(w_f * sum(x))\nv = W_v @ x\nk = W_k @ x\nq = W_q @ x\nC = f * C_prev + outer(v, k)\nh = C @ q",
        "C", "C_prev", "v", "k", "q", "h", "f", "W_v", "W_k",
        declared="input x\nstate h, C\nscalar w_f",
    )  # fmt: skip
    assert found == (("n", "p"), ("n", "p"), ("n",), ("p",), ("p",), ("n",), (), ("n", "m"), ("p", "m"))


def test_a_readout_has_a_size_of_its_own_and_its_target_has_the_same():
    found = shapes(
        "h = W @ x\nreadout\n    y = V @ h + b\nloss\n    L = sum((y - y_hat)**2)",
        "V", "b", "y", "y_hat", "L",
        declared="input x\nstate h\ntarget y_hat",
    )  # fmt: skip
    assert found == (("p", "n"), ("p",), ("p",), ("p",), ())


def test_a_scalar_state_and_a_scalar_input():
    found = shapes("c = c_prev + x * g\nh = tanh(c)", "x", "c", "c_prev", "g", "h",
                   declared="input x\nstate h, c\nscalar x, g, c")  # fmt: skip
    assert found == ((), (), (), (), ())


def test_sizes_are_lettered_in_the_order_of_states_and_inputs():
    found = shapes("k = V @ u\nh = W @ x + U @ k", "h", "x", "k", "u", "U", declared="input x, u\nstate k, h")
    assert found == (("p",), ("m",), ("n",), ("q",), ("p", "n"))


def test_every_name_has_a_shape_and_every_shape_its_own_sizes():
    cell = read(EVERYTHING)
    assert set(cell.shapes) == {*cell.leaves, *cell.defined}
    assert (cell.shapes["M"], cell.shapes["k"], cell.shapes["u_z"]) == (("n", "m"), (), ("n+m",))
    assert len(set(SIZES.values())) == len(SIZES)
    assert size(("n+m", "d1")) == (SIZES["n"] + SIZES["m"], max(SIZES.values()) + 1)
    assert size(()) == (1, 1)


WRONG = {
    "h = W @ x + 1\nc = h @ x": "line 5: h (line 4) @ x joins two vectors; write dot(a, b) for a scalar, * for elementwise",
    "h = 2 @ x": "line 4: @ takes a matrix and a vector; a number is a scalar: write *",
    "scalar s\nh = s @ x": "line 5: @ takes a matrix and a vector; s is a scalar: write *",
    "h = tanh(x) @ x": "line 4: tanh(...) @ x joins two vectors; write dot(a, b) for a scalar, * for elementwise",
    "M = outer(x, x)\nN = M @ M\nh = N @ x": "line 5: M (line 4) @ M (line 4) joins two matrices; let the vector come first, as in A @ (B @ v)",
    "h = x.T @ W": "line 4: only a matrix has a transpose; x is a vector",
    "M = outer(x, x)\nh = M + tanh(x)": "line 5: shapes do not fit: tanh(...) is a vector, but beside it (M) a matrix stands",
    "M = outer(x, x)\nh = M * (1 - x)": "line 5: shapes do not fit: the part with x is a vector, but beside it (M) a matrix stands",
    "h = W @ x\nc = x * W": "line 5: shapes do not fit: W (line 4) is a matrix, but beside it (x) a vector stands",
    "scalar s\ns = W @ x\nh = x": "line 5: shapes do not fit: s is a scalar, but here a vector stands",
    "h = V @ x\nc = W @ [h; x] + h\nd = W @ h": "line 6: shapes do not fit in W @ h: W (line 5) is n x n+m and h (line 4) is n",
    "c = [h_prev; x] + h_prev\nh = W @ x": "line 4: shapes do not fit: h_prev (line 5) is of size n, but beside it (the stack) the "
    "size is n+m",
    "h = sum(outer(x, x)) * x": "line 4: sum takes vectors; outer(...) is a matrix",
    "scalar s\nh = dot(x, s) * x": "line 5: dot takes vectors; s is a scalar",
    "h = [x; 2]": "line 4: a stack takes vectors; a number is a scalar",
    "scalar s\nM = outer(x, s)\nh = M @ x": "line 5: outer takes vectors; s is a scalar",
    "h = tanh(W @ x)\nk = logsumexp(dot(h, h))": "line 5: logsumexp takes vectors; dot(...) is a scalar",
}  # fmt: skip


@pytest.mark.parametrize("equations", WRONG)
def test_two_places_that_disagree_are_named(equations):
    with pytest.raises(CellError) as wrong:
        read(cell_text(equations))
    assert str(wrong.value) == WRONG[equations]


def test_a_state_that_is_a_vector_and_a_number():
    with pytest.raises(CellError) as wrong:
        read(cell_text("c = W @ x + h_prev\nh = 3", "input x\nstate h"))
    assert str(wrong.value) == "line 5: h (line 4) is a vector, but its right-hand side is a scalar"


def test_a_long_chain_of_equal_sizes_is_no_recursion():
    equations = "".join(f"v_{k} = weight{k} @ x\n" for k in range(200)) + "s_0 = v_0\n"
    equations += "".join(f"s_{k} = v_{k} + s_{k - 1}\n" for k in range(1, 200)) + "h = s_199"
    with few_calls_deep(80):
        assert shapes(equations, "v_0", "v_199") == (("n",), ("n",))
