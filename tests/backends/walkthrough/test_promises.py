"""What the walkthroughs promise beside their numbers: they stand alone, and ask for the precision that they give."""

import ast
import contextlib
import warnings
from pathlib import Path

import pytest

from backends.walkthrough import plain, rnn_plain
from tests.backends.walkthrough.scalar_points import needs, notebook, random_point, walkthrough
from tests.backends.walkthrough.vector_points import vector_point


@pytest.mark.parametrize("name", ["plain", "with_torch", "with_jax"])
@pytest.mark.parametrize("prefix", ["", "rnn_"])
def test_an_unknown_target_is_an_error(name: str, prefix: str) -> None:
    if prefix:
        name = prefix + name.removeprefix("with_")
    by_hand = rnn_plain if prefix else plain
    module = by_hand if name.endswith("plain") else walkthrough(name)
    with pytest.raises(ValueError, match="no target 'o'"):
        notebook(by_hand, {}).gradients(module, "o")


@pytest.mark.parametrize(
    "file",
    sorted(Path(plain.__file__).parent.glob("*.py")),
    ids=lambda file: file.name,
)
def test_walkthroughs_are_independent(file: Path) -> None:
    allowed = {"math", "collections", "typing", "numpy", "torch", "jax"}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name.partition(".")[0] for alias in node.names} <= allowed
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module.partition(".")[0] in allowed


@pytest.mark.parametrize("name", ["with_jax", "rnn_jax"])
def test_jax_is_left_in_its_own_precision(name: str) -> None:
    module = walkthrough(name)
    jax = needs("jax")
    before = jax.config.jax_enable_x64
    random_point(plain if name == "with_jax" else rnn_plain, 2, 3).pullback(module)
    assert jax.config.jax_enable_x64 == before


@pytest.mark.parametrize("name", ["with_jax", "rnn_jax", "vector_jax"])
def test_jax_never_answers_in_float32_for_float64(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = walkthrough(name)
    pullback = {
        "with_jax": lambda: random_point(plain, 2, 3).pullback(module),
        "rnn_jax": lambda: random_point(rnn_plain, 2, 3).pullback(module),
        "vector_jax": lambda: module.pullback("rnn", **vector_point("rnn", seed=1)),
    }[name]
    monkeypatch.setattr(needs("jax"), "enable_x64", lambda _: contextlib.nullcontext())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX warns that it truncates.
        with pytest.raises(AssertionError, match="asked for float64, JAX computed in float32"):
            pullback()


def test_a_missing_framework_skips_but_fails_where_ci_is_true(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no_such_framework is not installed"):
        needs("no_such_framework")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="nothing may be skipped"):
        needs("no_such_framework")
