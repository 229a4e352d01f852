"""What cannot be read is said, with its place and a remedy; nothing is run; no input brings another error or much time."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from derivations.__main__ import app
from derivations.cell import Cell, CellError
from derivations.marking.sheets import read_sheet
from derivations.source import read_file, read_source
from derivations.source.text import parsed
from tests.patience import in_time

CODE = Path(__file__).parents[1] / "code"
GOOD = {
    (CODE / "torch_cells.py").read_text(): ("lstm_cell", "Gates", "OverTime", "gru_before", "Outer", "sized"),
    (CODE / "numpy_cells.py").read_text(): ("characters", "floats", "scanned", "course", "fields", "Keeps"),
}


def of(text: str, function: str = "step") -> Cell:
    return read_file(parsed(text, "mine.py"), function)


def body(*lines: str) -> str:
    return "def step(x, h, W):\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (body("open('x')", "return x + h"), "line 2, column 5: open(...) would run or open something"),
        (body("return eval('x + h')"), "line 2, column 12: eval(...) would run or open something"),
        (body("y = exec('x')", "return x + h"), "line 2, column 9: exec(...) would run"),
        (body("with open('x') as f:", "    pass", "return x + h"), "line 2, column 10: with open: nothing is opened"),
        (body("import os", "os.system('ls')", "return x + h"), "line 3, column 5: os.system(...) reaches out of the code"),
        (body("from os import system", "return system(x) + h"), "line 3, column 12: os.system(...) reaches out"),
        (body("__import__('os').system('ls')", "return x + h"), "line 2, column 5: __import__(...) would run"),
        (body("while True:", "    h = h + x", "return h"), "a while loop is not read; write `for x in X` over time"),
        (body("return torch.einsum('ij,j->i', W, x) + h"), "line 2, column 12: einsum is not among the functions"),
        (body("for l in range(num_layers):", "    h = tanh(W @ x[l] + h)", "return h"), "a loop over layers; give the step"),
        (body("for k in range(unfolds):", "    h = tanh(W @ x + h)", "return h"), "no input is read"),
        (body("z = h", "z += x", "return z"), "z and h are one array, which this changes in place"),
        (body("h.add_(x)", "return h"), "line 2, column 5: add_ changes its object in place; write x = x.add(...)"),
        (body("h[0] = x", "return h"), "a part of an array is assigned; give it a name of its own"),
        (body("return h[0] * x[1] + h"), "is read whole and in parts"),
        (body("return h if x > 0 else x"), "it is not known whether `x > 0` holds"),
        (body("if W > 0:", "    h = h + x", "return h"), "it is not known whether `W > 0` holds; give it a default"),
        (body("return mystery(x) + h"), "mystery is called, but not defined in this file"),
        (body("from lib import mystery", "return mystery(x) + h"), "mystery comes from lib, another file or library"),
        (body("return step(x, h, W)"), "step calls itself; a cell is one step"),
        (body("a, b = h.chunk(2)", "return a * x + b"), "h is taken apart; give each of its parts a name of its own"),
        (body("return W[:, :n] @ x + W[:, :k] @ h"), "W is read in parts that may overlap; split it once"),
        (body("return 9 ** x + h"), "a power is one whole number"),
        (body("return x ** 99 + h"), "powers are whole numbers from 0 to 8, or 0.5"),
        (body("return x / 0 + h"), "division by zero"),
        (body("return x * 1e400 + h"), "this number is too large"),
        (body("return 'x' + h"), "a quantity is due here, not 'x'"),
        (body("yield h"), "this is yield; return the new states"),
        (body("pass"), "step returns nothing; return the new states"),
        (body("return x @ W"), "no state is carried"),
        ("def step(a, h, b):\n    f = a * h\n    return f", "it is not clear that f, which is returned, is the new value"),
        ("@mystery\ndef step(x, h):\n    return x + h", "the decorator @mystery is not known"),
        ("async def step(x, h):\n    return x + h", "no function 'step' is defined"),
        ("def stepp(x, h):\n    return x + h", "no function 'step' is defined; did you mean stepp?"),
        ("def step(x, h:\n", "this is not Python"),
        ("x = '\0'", "this is not Python"),
        ("def step(x, h):\n    return " + "-" * 5000 + "x", "nested too deeply"),
        ("def step(x, h):\n    return " + "(" * 5000 + "x" + ")" * 5000, "this is not Python: too many nested parentheses"),
        ("def step(x, h):\n    return h + " + "f(" * 80 + "x" + ")" * 80, "the code is nested deeper than 64"),
        ("def step(x, h):\n    return x + h\n" + "a = [1]\n" * 70_000, "more than 50000 words of code"),
        ("def step(x" + ",h" * 20_000 + "):\n    return x + h", "step takes more than 200 arguments"),
        ("py\n" * 60_000, "more than 50000 words of code"),
        ("def step(x, h):\n    for a in range(60):\n        for b in range(60):\n            for c in range(60):\n"
         "                h = h + x\n    return h", "this computes too much to be followed"),
        ("".join(f"def f{k}(x, h):\n    return f{k + 1}(x, h) + f{k + 1}(h, x)\n" for k in range(40))
         + "def f40(x, h):\n    return x + h\ndef step(x, h):\n    return f0(x, h)", "calls within calls"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(text, complaint):
    with pytest.raises(CellError) as wrong:
        in_time(0.5, lambda: of(text))
    assert complaint in str(wrong.value)
    assert str(wrong.value).startswith("mine.py")


def test_a_program_is_not_run(tmp_path, monkeypatch):
    """The same file, when it is run, leaves a mark: reading it leaves none."""
    text = "with open('PWNED', 'w') as f:\n    f.write('x')\ndef step(x, h):\n    open('PWNED', 'w')\n    return eval('x + h')\n"
    file = tmp_path / "evil.py"
    file.write_text(text)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["show", f"{file}:step"])
    assert result.exit_code == 2
    assert "evil.py: line 4, column 5: open(...) would run or open something" in result.stderr
    assert not (tmp_path / "PWNED").exists()
    exec(compile(text, "evil.py", "exec"), {})
    assert (tmp_path / "PWNED").exists()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "this is not a notebook"),
        ("[]", "this is not a notebook"),
        ('{"cells": 3}', "this is not a notebook"),
        ('{"cells": [3]}', "this is not a notebook"),
        ('{"cells": [{"cell_type": "code", "source": [3]}]}', "this is not a notebook"),
        ("[" * 100_000, "this is not a notebook"),
        (json.dumps({"cells": []}), "no function 'step' is defined; none is"),
        (
            json.dumps({"cells": [{"cell_type": "code", "source": "x ="}]}),
            "cell 1: line 1, column 4: this is not Python",
        ),
        ("x" * 1_000_001, "is longer than 1 MB"),
    ],
)
def test_a_hostile_notebook_is_one_message(tmp_path, content, complaint):
    file = tmp_path / "a.ipynb"
    file.write_text(content)
    with pytest.raises(CellError) as wrong:
        read_source(f"{file}:step")
    assert complaint in str(wrong.value)


@pytest.mark.parametrize("name", ["no.py:step", "no.ipynb", "a\0b.py:step", "/:.py:f"])
def test_a_file_that_is_not_there(name):
    with pytest.raises(CellError, match="cannot read"):
        read_source(name)


def test_which_function_is_asked():
    with pytest.raises(CellError, match=r"which function is the step\? Write mine.py:NAME; known are a, b"):
        of("def a(x, h): return x\ndef b(x, h): return h", "")


# --- any text at all ----------------------------------------------------------------------------------------------

WORDS = (
    *["x", "h", "c", "W", "self", "(", ")", "[", "]", "{", "}", ",", ":", "=", "+", "-", "*", "/", "@", "**", ".", "lambda", "for", "in", "if", "else", "return", "def", "class", "0", "1", "-1", "1e400", "None", "True"],
    *["np", "torch", ".T", ".chunk(4,1)", "tanh", "sigmoid", "yield", "with", "while", "*args", "**kw", "'x'", "f'{x}'", "#", "%", "!", "==", "is", "not", "and", "t", "range", "len"],
    *["zip", "dict", "open", "eval", "split", "shape", "[0]", "[:,:n]", "[t-1]", "[::2]", "...", "append", "super()", "//", "^", "|", "~", ":=", "@property", "global"],
    "\n", "\n    ", " ",
)  # fmt: skip


def read_or_refused(text: str, function: str) -> None:
    try:
        assert isinstance(in_time(0.5, lambda: of(text, function)), Cell)
    except CellError as error:
        assert error.message


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_words_are_a_cell_or_one_error(words):
    read_or_refused("def step(x, h, W):\n    return " + " ".join(words), "step")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_good_file_with_a_few_words_changed_is_a_cell_or_one_error(data):
    text = data.draw(st.sampled_from(sorted(GOOD)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        stop = min(len(text), start + data.draw(st.integers(0, 12)))
        text = text[:start] + data.draw(st.sampled_from(WORDS)) + text[stop:]
    original = next(iter(GOOD[key] for key in GOOD if key[:40] == text[:40]), ("step",))
    read_or_refused(text, data.draw(st.sampled_from(original)))


def test_a_mistake_opens_no_file(tmp_path, monkeypatch):
    """Python looks for the line of a mistake in the file that it takes the text for; a pipe there would never end."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("<unknown>")
    with pytest.raises(CellError, match="this is not Python"):
        of("def step(x, h:\n    1")
    with pytest.raises(CellError, match="this is not Python"):
        read_sheet("def step(x, h:\n    1", "python")


def test_reading_is_quick():
    in_time(0.05, lambda: read_source(f"{CODE / 'torch_cells.py'}:lstm_cell"))
