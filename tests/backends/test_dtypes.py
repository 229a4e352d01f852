"""What the libraries' functions are off by: measured again, and held against the table that is kept."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.backend import Backend, find
from backends.dtypes import ERRORS, WORSE, error_of, format_of
from backends.measured import DTYPES, EXACT, ROUNDED, arguments_of, inexact, measure, measured_on, recorded, row
from derivations.functions import FUNCTIONS

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"
LIBRARIES = {name: backend for name, backend in find().items() if backend.library}
EVERY = [(name, dtype, function) for name in LIBRARIES for dtype in DTYPES for function in ROUNDED]
MEND = "if that is right, run: python docs/errors.py"


@cache
def kept() -> dict[tuple[str, str, str], tuple[str, ...]]:
    return recorded(PAGE.read_text(encoding="utf-8"))


@cache
def here() -> bool:
    """Whether this is the processor, and these are the versions, of the table."""
    return f"Measured on {measured_on()}." in PAGE.read_text(encoding="utf-8").splitlines()


def few(function: str, dtype: str, library: str) -> np.ndarray:
    """Some arguments of the whole range, and those at which the table has its largest errors."""
    line = kept()[function, dtype, library]
    known = [float(line[column]) for column in (4, 7, 9) if line[column]]
    return np.unique([*arguments_of(function, dtype)[::97], *known])


def test_the_table_is_whole_and_has_the_k_that_is_used():
    assert set(kept()) == {(function, dtype, name) for name, dtype, function in EVERY}
    for (function, dtype, name), line in kept().items():
        k = error_of(function, dtype, name) or 1
        assert line[5] == f"{k:g}", MEND
        assert float(line[3]) <= k
        assert all(float(line[column]) <= 1 for column in (6, 8) if line[column])
    assert set(ROUNDED) | set(EXACT) == set(FUNCTIONS)
    assert set(ERRORS) | {"hard_sigmoid"} == set(ROUNDED)
    assert {(name, dtype, function) for name, dtype, function in WORSE} <= set(EVERY)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        pytest.param(name, dtype, marks=[pytest.mark.long] if (name, dtype) == ("jax", "float32") else [])
        for name in LIBRARIES
        for dtype in DTYPES
    ],
)
def test_no_function_is_off_by_more_than_its_k(needs, name, dtype):
    """On any machine. On the table's own, the largest errors come out as they stand in it."""
    for package in (*LIBRARIES[name].packages, "torch", "jax"):
        needs(package)
    for function in ROUNDED:
        x = few(function, dtype, name)
        found = measure(LIBRARIES[name], function, dtype, x)
        assert list(found.faults()) == []
        if here():
            again, then = row(found), kept()[function, dtype, name]
            assert [again[column] for column in (3, 6, 8)] == [then[column] for column in (3, 6, 8)], MEND


@pytest.mark.parametrize(("name", "dtype"), [(name, dtype) for name in LIBRARIES for dtype in DTYPES])
def test_what_chooses_and_compares_is_exact(needs, name, dtype):
    for package in LIBRARIES[name].packages:
        needs(package)
    found = {function: inexact(LIBRARIES[name], function, dtype, every=13) for function in EXACT}
    assert {function: args for function, args in found.items() if args} == {}


@pytest.mark.long
@pytest.mark.parametrize(("name", "dtype", "function"), EVERY)
def test_no_function_is_off_by_more_than_its_k_anywhere(needs, name, dtype, function):
    for package in LIBRARIES[name].packages:
        needs(package)
    assert list(measure(LIBRARIES[name], function, dtype).faults()) == []


@pytest.mark.long
@pytest.mark.parametrize("name", LIBRARIES)
def test_no_float32_function_is_off_by_more_than_its_k_at_millions_of_arguments(needs, name):
    """Every 181st number of the format, in arrays of millions, against float64."""
    for package in LIBRARIES[name].packages:
        needs(package)
    in_float64 = {
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "softplus": lambda x: np.logaddexp(x, 0),
        "logsigmoid": lambda x: -np.logaddexp(-x, 0),
        **{function: getattr(np, function) for function in ("tanh", "exp", "log", "sqrt")},
    }
    format_ = format_of("float32")
    positive = np.arange(0x00800000, 0x7F800000, 181, dtype=np.uint32).view(np.float32)
    with LIBRARIES[name].library("float32") as on, np.errstate(all="ignore"):
        for function, exact in in_float64.items():
            x = positive if FUNCTIONS[function].domain else np.concatenate([-positive, positive])
            got = on.numpy(on.functions[function](on.array(x.reshape(-1, 1, 1)))).ravel().astype(np.float64)
            true = exact(x.astype(np.float64))
            most = error_of(function, "float32", name) * format_.unit * np.abs(true) + format_.smallest
            assert not ((np.abs(got - true) > most) & (np.abs(true) < format_.largest * (1 - 2.0**-10))).any(), function


# --- each of them can fail ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["tanh", "sigmoid", "log"])
def test_a_k_that_is_too_small_is_found_out(monkeypatch, function):
    """No library rounds to a quarter of a unit in the last place, on any machine."""
    x = few(function, "float64", "numpy")
    monkeypatch.setitem(ERRORS, function, 0.5)
    (fault, *_) = measure(LIBRARIES["numpy"], function, "float64", x).faults()
    assert fault.startswith(f"{function} of numpy in float64 is off by ")
    assert fault.endswith("its k is 0.5")


def with_another(backend: Backend, function: str, apply: Callable[[Any], Any]) -> Backend:
    """A backend one of whose functions is spelled otherwise."""

    @contextmanager
    def library(dtype):
        with backend.library(dtype) as on:
            yield replace(on, functions={**on.functions, function: apply})

    return replace(backend, library=library, compiled=None)


def test_a_value_that_is_spelled_badly_is_found_out():
    x = few("tanh", "float64", "numpy")
    numpy = with_another(LIBRARIES["numpy"], "tanh", lambda x: 1 - 2 / (1 + np.exp(2 * x)))  # cancels near zero
    assert any(fault.startswith("tanh of numpy") for fault in measure(numpy, "tanh", "float64", x).faults())
    infinite = with_another(LIBRARIES["numpy"], "softplus", lambda x: np.log(1 + np.exp(x)))
    assert any("off by inf units" in fault for fault in measure(infinite, "softplus", "float64", x).faults())
    assert inexact(with_another(LIBRARIES["numpy"], "relu", lambda x: x * (x >= 1e-300)), "relu", "float64")


def test_torchs_own_softplus_is_found_out(needs):
    """It is the identity above 20."""
    needs("torch")
    from torch.nn.functional import softplus

    x = few("softplus", "float64", "torch")
    found = measure(with_another(LIBRARIES["torch"], "softplus", softplus), "softplus", "float64", x)
    assert found.value.error > 1e5
    assert 20 < found.value.at < 21


def test_the_slope_of_jaxs_own_softplus_is_found_out(needs):
    """It is exp(x - y), which is off by as many units as the exponent."""
    jax = needs("jax")
    x = arguments_of("softplus", "float64")[::5]
    faults = measure(with_another(LIBRARIES["jax"], "softplus", jax.nn.softplus), "softplus", "float64", x).faults()
    assert any(fault.startswith("the own slope of softplus of jax in float64 is off by ") for fault in faults)
