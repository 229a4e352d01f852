"""Input that is wrong or means harm: one clear message, exit status 2, in half a second, nothing run or written.

Each case says which surface it comes in by and what must become of it.
"""

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from derivations.__main__ import app
from derivations.catalogue import WALKTHROUGHS

HEAD = "cell bad\ninput x\nstate h, c\n"

REJECTED = {
    "runs a command": "c = x\nh = __import__('os').system('touch PWNED')",
    "walks attributes": "c = x\nh = x.__class__.__mod__.__globals__['__builtins__']",
    "a comprehension": "c = x\nh = [x for x in (1,)]",
    "a format string": 'c = x\nh = "{0.__class__}".format(x)',
    "eval": "c = x\nh = eval(x)",
    "a conditional": "c = x\nh = x if h else c",
    "two statements": "c = x\nh = x; import os",
    "a tower of powers": "c = x\nh = 9**9**9",
    "a variable power": "c = x\nh = x**h",
    "a large power": "c = x\nh = x**99",
    "deep brackets": "c = x\nh = " + "(" * 10_000 + "x" + ")" * 10_000,
    "brackets beyond the text limit": "c = x\nh = " + "(" * 100_000 + "x" + ")" * 100_000,
    "a chain of minus signs": "c = x\nh = " + "-" * 3000 + "x",
    "a chain of divisions": "c = x\nh = x" + "/x" * 3000,
    "a chain of maps": "c = x\nh = " + "W @ " * 3000 + "x",
    "too many equations": "a = x\n" * 501,
    "a huge literal": "c = x\nh = 1e400",
    "a long literal": "c = x\nh = 0." + "1" * 30,
    "a letter that only looks like h": "c = x\nh = \u210e",
    "a circle": "c = x\nc = h\nh = c",
    "an input that is defined": "x = 3\nc = x\nh = c",
    "an unfinished sum": "c = x\nh = x +",
    "two values side by side": "c = x\nh = x h",
    "too many arguments": "c = x\nh = sigmoid(x, h)",
    "a function misspelt": "c = x\nh = sigmod(x)",
    "division by zero": "c = x\nh = x/0",
    "a NUL": "c = x\nh = x\0",
    "a name defined twice": "c = x\nc = x\nh = c",
    "an adjoint's name": "df = x\nf = x\nc = f\nh = df",
    "the time step": "t = x\nc = t\nh = c",
    "a state at a step": "c = x * h_0\nh = c",
    "our preactivation's name": "c = x\nh = a_h + sigmoid(x + c)",
    "a slip in a name": "c = x\nh = c_prv + c",
    "the previous value of no state": "f = x\nc = f_prev\nh = c",
    "a product of mixed kinds": "c = x\nh = c * W @ x",
    "a map of two vectors": "c = x\nh = c @ x",
    "a state without an equation": "c = x",
}
NAMES = [
    "lambda",
    "var",
    "None",
    "__proto__",
    "x__2",
    "1x",
    "W xf",
    "a" * 300,
    "int",
    "NaN",
    "sigmoid",
    "_x",
    "x_",
    "dt",
]
ACCEPTED_NAMES = ["E", "N", "Q", "S", "I", "gamma", "beta", "y0", "T", "lamb", "fun_1"]
CELL_NAMES = ["../../etc/cron.d/x", "out\0.py", "con.py", "a/b", "lambda"]


def shown(tmp_path: Path, text: str, *args: str) -> Result:
    """`derive show` of a text, which must leave nothing behind and take half a second at most."""
    path = tmp_path / "bad.cell"
    path.write_text(text, encoding="utf-8")
    before = time.perf_counter()
    result = CliRunner().invoke(app, ["show", str(path), "--no-prove", *args])
    assert time.perf_counter() - before < 0.5
    assert [entry.name for entry in tmp_path.iterdir()] == ["bad.cell"]
    return result


def rejected(result: Result) -> str:
    assert result.exit_code == 2, (result.stdout, result.exception)
    assert not result.stdout
    message = result.stderr.strip()
    assert message.startswith("error: ")
    assert "Traceback" not in message
    assert message.count("\n") == 0
    assert len(message) < 400
    return message


@pytest.fixture(autouse=True, scope="module")
def warm() -> None:
    """The grammar is built once a process; its time is not the input's."""
    CliRunner().invoke(app, ["show", "rnn", "--no-prove"])


@pytest.mark.parametrize("case", REJECTED)
def test_equations_are_rejected(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "bad.cell" in rejected(shown(tmp_path, HEAD + REJECTED[case]))


@pytest.mark.parametrize("name", NAMES)
def test_names_are_rejected(name: str, tmp_path: Path) -> None:
    rejected(shown(tmp_path, f"{HEAD}c = x * {name}\nh = c"))


@pytest.mark.parametrize("name", ACCEPTED_NAMES)
def test_ordinary_names_are_accepted(name: str, tmp_path: Path) -> None:
    result = shown(tmp_path, f"{HEAD}c = x * {name}\nh = c")
    assert result.exit_code == 0
    assert name in result.stdout


@pytest.mark.parametrize("name", CELL_NAMES)
def test_a_cell_is_not_called_like_a_path(name: str, tmp_path: Path) -> None:
    rejected(shown(tmp_path, f"cell {name}\ninput x\nstate h\nh = x"))


def test_names_that_would_look_alike_are_told_apart(tmp_path: Path) -> None:
    result = shown(tmp_path, f"{HEAD}c = W_h_f * x\nh = W_hf * c", "--format", "latex")
    assert result.exit_code == 0
    assert "W_{h,f}" in result.stdout
    assert "W_{hf}" in result.stdout


@pytest.mark.parametrize(
    "title",
    [
        r"\write18{touch x}",
        r"x}\end{document}",
        "100% of $5 & #1 ~^_",
        "<img src=x onerror=alert(1)>",
        "\u2028alert(1)",
    ],
)
@pytest.mark.parametrize("format_", ["text", "latex", "markdown", "json"])
def test_a_title_is_text(title: str, format_: str, tmp_path: Path) -> None:
    result = shown(tmp_path, f'cell good "{title}"\ninput x\nstate h\nh = x', "--format", format_)
    assert result.exit_code == 0
    if format_ == "latex":
        assert r"\write18" not in result.stdout
        assert result.stdout.count(r"\end{document}") == 1
        assert result.stdout.isascii()
    if format_ == "markdown":
        assert "<img" not in result.stdout


def test_a_long_flat_sum_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "long.cell"
    path.write_text(f"{HEAD}c = x\nh = x" + "+x" * 1900)
    result = CliRunner().invoke(app, ["show", str(path), "--no-prove"])
    assert result.exit_code == 0


@pytest.mark.parametrize("text", ["c = x\nh = relu(c)", "c = x\nh = max(c, c)"])
def test_a_kink_is_accepted_and_its_convention_stated(text: str, tmp_path: Path) -> None:
    result = shown(tmp_path, HEAD + text)
    assert result.exit_code == 0
    assert "relu'(0) = 0" in result.stdout or "one half to each" in result.stdout


# --- walkthroughs -------------------------------------------------------------------------------------------------

NOTEBOOK = (WALKTHROUGHS / "notebook.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("W_xi = 0.5", "W_xi = inf"),
        ("W_xi = 0.5", "W_xi = nan"),
        ("W_xi = 0.5", 'W_xi = "abc"'),
        ("W_xi = 0.5", "W_xi = true"),
        ("W_xi = 0.5", "W_xi = 1e400"),
        ("W_xi = 0.5", "W_xi = [1, 2]"),
        ("W_xi = 0.5", ""),
        ("W_xi = 0.5", "W_xi = 0.5\nW_zz = 1"),
        ("x = [1.0, 5.0, 7.0, 4.0]", "x = []"),
        ("x = [1.0, 5.0, 7.0, 4.0]", "x = [" + "1.0, " * 300 + "]"),
        ("loss_steps = [4]", "loss_steps = [5]"),
        ("loss_steps = [4]", "loss_steps = [1.5]"),
        ('cell = "lstm"', 'cell = "lstn"'),
        ('cell = "lstm"', "cell = 3"),
        ('schema = "derivations/walkthrough/1"', 'schema = "other"'),
        ('W_xf = "W_xh"', 'W_xf = "\\\\write18{x}"'),
        ('W_xf = "W_xh"', 'W_xf = "W_hf"'),
        ('text = "sigmoid(W_xh * x + W_hh * h_prev)"', 'text = "open(x)"'),
        ("[parameters]", "[parameters"),
        ("[parameters]", "a = " + "[" * 10_000 + "]" * 10_000 + "\n[parameters]"),
    ],
)
def test_a_walkthrough_is_rejected(old: str, new: str, tmp_path: Path) -> None:
    assert old in NOTEBOOK
    path = tmp_path / "bad.toml"
    path.write_text(NOTEBOOK.replace(old, new, 1))
    before = time.perf_counter()
    result = CliRunner().invoke(app, ["walkthrough", str(path), "--no-check"])
    assert time.perf_counter() - before < 0.5
    assert "bad.toml" in rejected(result)


def test_saturated_gates_are_accepted_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "saturated.toml"
    path.write_text(
        NOTEBOOK.replace("x = [1.0, 5.0, 7.0, 4.0]", "x = [-1e4, -1e4]")
        .replace("step = 4", "step = 2")
        .replace("loss_steps = [4]", "loss_steps = [2]")
    )
    result = CliRunner().invoke(app, ["walkthrough", str(path), "--no-check"])
    assert result.exit_code == 0
    assert "saturated" in result.stderr
    assert "Traceback" not in result.output
