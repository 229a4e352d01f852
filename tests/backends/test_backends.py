"""Every backend on every cell, against the truth; and what a backend promises beside its numbers."""

import contextlib
import dataclasses
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from functools import cache
from importlib import import_module

import mpmath
import numpy as np
import pytest

import backends
from backends.arrays import ArrayArithmetic
from backends.backend import Backend, Unavailable, find, get
from backends.by_hand import BY_HAND, by_hand
from backends.check import Check, Verdict, combine, judge, judge_all
from backends.dtypes import WORSE
from backends.points import draw, draw_scalar
from backends.truth import Truth, truth
from derivations.catalogue import cell_names, read_cell
from derivations.cell import Cell
from derivations.derive import derive
from derivations.expression import evaluate
from derivations.functions import FUNCTIONS
from derivations.language import read
from derivations.program import Backward, backward_program
from derivations.walkthrough import read_walkthrough

BACKENDS = find()
DIFFERENTIATING = [name for name, backend in BACKENDS.items() if backend.autograd]
WITH_ARRAYS = [name for name, backend in BACKENDS.items() if backend.library]
WAYS = [(name, way) for name, b in BACKENDS.items() for way in ("gradients", "autograd") if getattr(b, way)]

# What the cells that ship have none of.
ODD = {
    "stacks": "h = tanh(W @ [h_prev; x] + b)",
    "reductions": """
        a = W_x @ x + W_h @ h_prev
        s = sum(a * a)
        l = logsumexp(a)
        h = tanh(a - mean(a)) / (1 + s) + exp(a - l) * dot(a, h_prev)""",
    "matrix_state": """
        state C
        scalar f
        k = tanh(W_k @ x)
        C = f * C_prev + outer(W_v @ x, k)
        h = C @ k + (h_prev @ W_h) @ W""",
    "held_constant": """
        m = detach(W_h @ h_prev)
        h = tanh(W_x @ x + m * detach(h_prev) + W_h @ h_prev)""",
    "kinks": """
        a = W_x @ x + W_h @ h_prev
        h = relu(a) + abs(a) * hard_sigmoid(a) - max(a, b) * min(a, 1/3) + clip(a, -1, 1)""",
    "smooth": """
        a = W_x @ x + W_h @ h_prev
        h = softplus(a) * logsigmoid(a) + sqrt(softplus(w)) * log(1 + exp(a)) - a**3 / (2 + a**4)""",
    "loss": """
        target goal
        h = tanh(W_x @ x + W_h @ h_prev)
        readout
            y = sigmoid(W_y @ h + b_y)
        loss
            e = y - goal
            L = dot(e, e) / 2""",
}


@cache
def cell_of(name: str) -> Cell:
    if name not in ODD:
        return read_cell(name)
    lines = textwrap.dedent(ODD[name]).strip()
    return read(f"cell {name}\ninput x\nstate h\n{lines}\n")


@cache
def program_of(name: str) -> Backward:
    return backward_program(derive(cell_of(name)))


def known(name: str, seed: int, dtype: str, backend: str) -> Truth:
    """Found once for all backends whose functions are as good as most."""
    worse = any((name_, format_) == (backend, dtype) for name_, format_, _ in WORSE)
    return _known(name, seed, dtype, backend if worse else "")


@cache
def _known(name: str, seed: int, dtype: str, backend: str) -> Truth:
    return truth(program_of(name), draw(cell_of(name), seed), dtype, backend)


@pytest.fixture
def ready(needs, needs_tool):
    """A backend by its name, with what it stands on."""

    def backend(name: str) -> Backend:
        found = BACKENDS[name]
        for package in found.packages:
            needs(package)
        for tool in found.tools:
            needs_tool(tool)
        return found

    return backend


# --- right, on every cell -----------------------------------------------------------------------------------


def every_way() -> Iterator[object]:
    """Every cell on every backend; JAX compiles each operation anew for every shape and dtype."""
    for name, way in WAYS:
        yield from ((name, way, cell, "float64") for cell in (*cell_names(), *ODD))
        for cell in cell_names():
            long = name == "jax" and cell not in ("rnn", "lstm")
            yield pytest.param(name, way, cell, "float32", marks=[pytest.mark.long] if long else [])


@pytest.mark.parametrize(("name", "way", "cell", "dtype"), [*every_way()])
def test_every_gradient_is_right(ready, cell, name, way, dtype):
    backend = ready(name)
    if dtype not in backend.dtypes:
        return
    seen: dict[str, list[Check]] = {}
    for seed in range(1, 17):
        true = known(cell, seed, dtype, name)
        if way == "gradients":
            got = backend.gradients(program_of(cell), true.point, dtype)
        else:
            got = backend.autograd(cell_of(cell), true.point, dtype)
        assert {str(array.dtype) for array in got.values()} == {dtype}
        assert got.keys() == true.gradients.keys()
        for check in judge_all(got, true, name):
            seen.setdefault(check.quantity, []).append(check)
        if seed >= 3 and all(combine(checks).verdict is not Verdict.NO_INFORMATION for checks in seen.values()):
            break
    assert [str(c) for c in map(combine, seen.values()) if c.verdict is not Verdict.PASS] == []


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("cell", [*cell_names(), *ODD])
def test_every_value_and_every_adjoint_is_right(ready, cell, name):
    backend, true = ready(name), known(cell, 1, "float64", name)
    values = backend.forward(cell_of(cell), true.point, "float64")
    adjoints = backend.adjoints(program_of(cell), true.point, "float64")
    assert tuple(values) == cell_of(cell).defined
    assert tuple(adjoints) == tuple(id_ for id_, _ in program_of(cell).adjoints)
    checks = [judge(of, array, true.value(of), name) for of, array in values.items()]
    checks += [judge(id_, array, true.adjoint(id_[1:]), name) for id_, array in adjoints.items()]
    assert [str(check) for check in checks if check.verdict is Verdict.FAIL] == []


@pytest.mark.parametrize("name", BACKENDS)
def test_a_wrong_program_is_found_out(ready, name):
    """Truncated at every step, which is to forget what the steps after it send back."""
    true = known("lstm", 1, "float64", name)
    truncated = dataclasses.replace(program_of("lstm"), horizon=1)
    checks = judge_all(ready(name).gradients(truncated, true.point, "float64"), true, name)
    right = {check.quantity for check in checks if check.verdict is Verdict.PASS}
    assert right == {"x_4"}


# --- what is written by hand --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("walkthrough", "package", "file"),
    [(of, package, file) for of, rows in BY_HAND.items() for _, package, file in rows],
)
def test_the_walkthroughs_by_hand_are_right_too(needs, walkthrough, package, file):
    if package != "python":
        needs(package)
    found = read_walkthrough(walkthrough)
    point = draw_scalar(found.cell, 1)
    steady = {name: np.broadcast_to(point.inputs[name][:1], point.inputs[name].shape) for name in found.cell.targets}
    point = dataclasses.replace(point, inputs={**point.inputs, **steady})
    true = truth(backward_program(found.derivation), point, "float64", package)
    checks = judge_all(by_hand(found.cell, file)(true.point, "float64"), true, package)
    assert [str(check) for check in checks if check.verdict is Verdict.FAIL] == []
    assert sum(check.verdict is Verdict.PASS for check in checks) > len(checks) / 2


@pytest.mark.parametrize("cell", ["lstm", "rnn", "gru"])
@pytest.mark.parametrize("package", ["torch", "jax"])
def test_the_vector_walkthroughs_by_hand_are_right_too(needs, package, cell):
    needs(package)
    module = import_module(f"backends.walkthrough.vector_{package}")
    true = known(cell, 1, "float64", package)
    point = true.point
    cotangents = {**point.cotangents, **{f"{state}_T": array for state, array in point.final.items()}}
    got = dict(module.pullback(cell, point.parameters, point.inputs["x"], point.initial, cotangents))
    got |= {f"x_{t}": x for t, x in enumerate(got.pop("x"), 1)}
    checks = judge_all(got, true, package)
    assert [str(check) for check in checks if check.verdict is not Verdict.PASS] == []


# --- functions ----------------------------------------------------------------------------------------------

# Where each kinked function has its kinks, as arguments; and the slopes to the first of them, by convention.
KINKS = {
    "relu": ([(0.0,)], (0.0,)),
    "abs": ([(0.0,)], (0.0,)),
    "max": ([(1.5, 1.5)], (0.5,)),
    "min": ([(1.5, 1.5)], (0.5,)),
    "hard_sigmoid": ([(-3.0,), (3.0,)], (0.0, 0.0)),
    "clip": ([(-1.0, -1.0, 2.0), (2.0, -1.0, 2.0)], (0.0, 0.0)),
}


def slope(backend: Backend, function: str, args: tuple[float, ...], dtype: str = "float64") -> float:
    """To the first argument, by the library's own differentiation."""
    with backend.library(dtype) as on:
        rest = [on.array([arg]) for arg in args[1:]]
        _, found = backend.differentiate(
            lambda at: (on.functions[function](at["x"], *rest).sum(), None), {"x": on.array([args[0]])}
        )
        return float(on.numpy(found["x"])[0])


def test_every_kink_is_known():
    assert set(KINKS) == {row.name for row in FUNCTIONS.values() if row.kink}
    for backend in BACKENDS.values():
        assert set(backend.own_slopes) <= set(KINKS)


@pytest.mark.parametrize("name", DIFFERENTIATING)
@pytest.mark.parametrize("function", KINKS)
def test_the_library_takes_the_slope_that_is_stated_at_a_kink(ready, function, name):
    backend, (places, ours) = ready(name), KINKS[function]
    got = tuple(slope(backend, function, args) for args in places)
    assert got == backend.own_slopes.get(function, ours)
    assert function not in backend.own_slopes or got != ours  # what is stated is a difference


@pytest.mark.parametrize("name", WITH_ARRAYS)
@pytest.mark.parametrize("function", KINKS)
def test_the_derived_slope_at_a_kink_is_the_convention(ready, function, name):
    row, (places, ours) = FUNCTIONS[function], KINKS[function]
    with ready(name).library("float64") as on:
        for args, due in zip(places, ours, strict=True):
            values = {one.id: on.array([[[arg]]]) for one, arg in zip(row.args, args, strict=True)}
            assert float(on.numpy(evaluate(row.derivatives[0], values, ArrayArithmetic(on))).item()) == due


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", WITH_ARRAYS)
@pytest.mark.parametrize(
    ("function", "low", "high", "slopes"),
    [
        ("sigmoid", 0, 1, (0, 0)),
        ("tanh", -1, 1, (0, 0)),
        ("softplus", 0, 1e4, (0, 1)),
        ("logsigmoid", -1e4, 0, (1, 0)),
        ("hard_sigmoid", 0, 1, (0, 0)),
    ],
)
def test_far_out_nothing_overflows(ready, function, low, high, slopes, name, dtype):
    backend = ready(name)
    with backend.library(dtype) as on:
        assert on.numpy(on.functions[function](on.array([-1e4, 1e4]))).tolist() == [low, high]
    if backend.differentiate:
        assert tuple(slope(backend, function, (x,), dtype) for x in (-1e4, 1e4)) == slopes


@pytest.mark.parametrize("name", WITH_ARRAYS)
@pytest.mark.parametrize("x", [-30.0, -20.5, -1.0, 20.5, 30.0])
def test_softplus_keeps_every_digit(ready, x, name):
    """torch's own is the identity above 20."""
    backend = ready(name)
    with mpmath.workprec(200):
        true = {"softplus": mpmath.log1p(mpmath.exp(x)), "logsigmoid": -mpmath.log1p(mpmath.exp(-x))}
        steep = {"softplus": 1 / (1 + mpmath.exp(-x)), "logsigmoid": 1 / (1 + mpmath.exp(x))}
        for function in true:
            with backend.library("float64") as on:
                got = float(on.numpy(on.functions[function](on.array([x])))[0])
            assert abs(got / true[function] - 1) < 6 * 2.0**-53
            if backend.differentiate:
                assert abs(slope(backend, function, (x,)) / steep[function] - 1) < 12 * 2.0**-53


@pytest.mark.parametrize("name", [name for name, backend in BACKENDS.items() if backend.functions])
def test_the_table_has_every_row_and_takes_plain_numbers(ready, name):
    table = ready(name).functions()
    assert set(table) == set(FUNCTIONS)
    for function, row in FUNCTIONS.items():
        answer = table[function](*(1.5 for _ in row.args))
        assert type(answer) is float
    with ready(name).library("float32") as on:
        assert on.checked("it", table["max"](on.array([1.0, 3.0]), 2)).tolist() == [2, 3]


def test_what_does_not_fit_is_not_spread_out(ready):
    with ready("numpy").library("float64") as on:
        arithmetic = ArrayArithmetic(on)
        column, row = on.array([[[1.0], [2.0]]]), on.array([[[1.0, 2.0]]])
        for wrong in (
            lambda: arithmetic.add([column, row]),
            lambda: arithmetic.multiply([column, row]),
            lambda: arithmetic.divide(column, row),
            lambda: arithmetic.call("max", [column, row]),
            lambda: arithmetic.spread(column, row),
        ):
            with pytest.raises(ValueError, match="elementwise operation on shapes"):
                wrong()


@pytest.mark.parametrize("name", WITH_ARRAYS)
def test_a_diagonal_has_zeros_beside_infinity(ready, name):
    with ready(name).library("float64") as on:
        arithmetic = ArrayArithmetic(on)
        vector = on.array([[[1.0], [float("inf")]]])
        assert on.numpy(arithmetic.diagonal(vector)).tolist() == [[[1, 0], [0, float("inf")]]]


# --- dtypes -------------------------------------------------------------------------------------------------


def test_jax_without_x64_is_an_error_and_not_an_answer(ready, needs, monkeypatch):
    backend, point = ready("jax"), draw(cell_of("rnn"), 1)
    monkeypatch.setattr(needs("jax"), "enable_x64", lambda on: contextlib.nullcontext())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX warns that it truncates
        for run in (
            lambda: backend.gradients(program_of("rnn"), point, "float64"),
            lambda: backend.autograd(cell_of("rnn"), point, "float64"),
            lambda: backend.forward(cell_of("rnn"), point, "float64"),
        ):
            with pytest.raises(TypeError, match=r"jax computed .* in float32 where float64 was asked for"):
                run()


# --- what is loaded, and what is left as it was -------------------------------------------------------------


def in_a_new_process(script: str) -> str:
    run = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


LOADED = "import sys; print(*sorted({'numpy', 'torch', 'jax', 'sympy'} & set(sys.modules)))"


def test_finding_backends_loads_none_of_them():
    script = "from backends.backend import find; [b.available() for b in find().values()]\n"
    assert in_a_new_process(script + LOADED).split() == []
    assert in_a_new_process(script + "import numpy\n" + LOADED).split() == ["numpy"]  # it could have failed


RUN = """
    from backends.backend import find
    from backends.points import draw_scalar
    from derivations.catalogue import read_cell
    from derivations.derive import derive
    from derivations.program import backward_program

    def run(name):
        cell = read_cell("rnn")
        derivation, point, backend = derive(cell), draw_scalar(cell, 1), find()[name]
        backend.forward(cell, point, "float64")
        backend.gradients(backward_program(derivation), point, "float64")
        if backend.autograd:
            backend.autograd(cell, point, "float32")
        if backend.lambdify:
            from backends.lambdified import gradients_lambdified
            gradients_lambdified(derivation, backend, point, "float64")
"""


@pytest.mark.parametrize(("name", "others"), [("numpy", {"torch", "jax"}), ("jax", {"torch"}), ("torch", {"jax"})])
def test_a_backend_loads_no_other(ready, name, others):
    ready(name)
    loaded = in_a_new_process(textwrap.dedent(RUN) + f"run({name!r})\n" + LOADED).split()
    assert name in loaded
    assert not others & set(loaded)


def test_nothing_global_is_changed(ready):
    for name in ("numpy", "torch", "jax"):
        ready(name)
    script = """
    import warnings
    import jax, numpy, sympy, torch  # SymPy adds a filter for its own warnings when it is loaded

    def state():
        return (
            jax.config.jax_enable_x64, jax.config.jax_default_matmul_precision, jax.config.jax_platforms,
            torch.get_default_dtype(), torch.get_default_device(), torch.get_num_threads(),
            torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled(),
            numpy.geterr(), numpy.get_printoptions(), warnings.filters[:],
        )

    before = state()
    for name in ("numpy", "torch", "jax"):
        run(name)
    assert state() == before, (before, state())
    assert jax.numpy.asarray(1.0).dtype == "float32"
    jax.config.update("jax_enable_x64", True)
    assert state() != before  # it could have failed
    """
    in_a_new_process(textwrap.dedent(RUN) + textwrap.dedent(script))


# --- finding them -------------------------------------------------------------------------------------------


def test_a_new_file_is_found(tmp_path, monkeypatch):
    (tmp_path / "on_paper.py").write_text(
        "from dataclasses import replace\n"
        "from backends.on_numpy import BACKEND as NUMPY\n"
        "BACKEND = replace(\n"
        "    NUMPY, name='paper', packages=('papyrus_and_ink',), tools=('scribe',), install='buy a pen'\n"
        ")\n"
    )
    monkeypatch.setattr(backends, "__path__", [*backends.__path__, str(tmp_path)])
    found = find()
    assert set(found) == {*BACKENDS, "paper"}
    assert found["paper"].missing() == ("papyrus_and_ink", "scribe")
    assert not found["paper"].available()
    with pytest.raises(Unavailable, match="paper needs papyrus_and_ink, scribe: buy a pen"):
        get("paper")
    with pytest.raises(Unavailable, match="no backend papr; did you mean paper"):
        get("papr")
    sys.modules.pop("backends.on_paper")

    (tmp_path / "on_paper.py").write_text("BACKEND = None\n")
    with pytest.raises(TypeError, match=r"backends/on_paper\.py holds no BACKEND named paper"):
        find()
    sys.modules.pop("backends.on_paper")


def test_a_backend_that_is_there_is_given(ready):
    assert get("numpy") is BACKENDS["numpy"]
    with pytest.raises(Unavailable, match="no backend abacus; there are "):
        get("abacus")
