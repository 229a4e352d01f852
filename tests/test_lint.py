"""The linter refuses what runs text: each rule is seen to fire, and nothing in the packages hides from it."""

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("derivations", "backends", "docs")

# What may not stand in the path of an input, as somebody might write it, and the rule that says so.
WRONG = {
    "eval(text)": "S307",
    "exec(text)": "S102",
    "import builtins\nbuiltins.compile(text, '', 'eval')": "TID251",
    "import builtins\nbuiltins.__import__(text)": "TID251",
    "import builtins\nbuiltins.eval(text)": "TID251",
    "from builtins import exec as run\nrun(text)": "TID251",
    "import pickle\npickle.loads(data)": "S301",
    "import pickle": "TID251",
    "from pickle import load": "TID251",
    "import marshal\nmarshal.loads(data)": "S302",
    "import marshal": "TID251",
    "import shelve\nshelve.open(name)": "S301",
    "import shelve": "TID251",
    "import dill": "TID251",
    "import cloudpickle": "TID251",
    "import joblib\njoblib.load(name)": "TID251",
    "import torch\ntorch.load(name)": "TID251",
    "import pandas\npandas.read_pickle(name)": "S301",
    "import yaml\nyaml.load(text)": "S506",
    "import yaml\nyaml.load(text, Loader=yaml.Loader)": "S506",
    "import sympy\nsympy.sympify(text)": "TID251",
    "from sympy import sympify": "TID251",
    "from sympy import sympify as read": "TID251",
    "from sympy.core.sympify import sympify": "TID251",
    "import sympy\nsympy.S('x + 1')": "TID251",
    "from sympy import S\nS('x + 1')": "TID251",
    "from sympy.core.singleton import S": "TID251",
    "import sympy\nsympy.parse_expr(text)": "TID251",
    "from sympy import parse_expr": "TID251",
    "from sympy.parsing.sympy_parser import parse_expr": "TID251",
    "from sympy.parsing.latex import parse_latex": "TID251",
    "import subprocess\nsubprocess.run(text, shell=True)": "S602",
    "import subprocess\nsubprocess.Popen(text, shell=True)": "S602",
    "import subprocess\nsubprocess.getoutput(text)": "TID251",
    "import os\nos.system(text)": "S605",
    "import os\nos.popen(text)": "S605",
    "import runpy\nrunpy.run_path(name)": "TID251",
    "from importlib.util import spec_from_file_location": "TID251",
}
RIGHT = """
import ast
import json
import re
import subprocess

import numpy as np
import sympy
import yaml

found = re.compile("a"), ast.literal_eval("1"), json.loads("1"), sympy.Integer(1), sympy.sstr(sympy.oo)
read = np.load("x.npz", allow_pickle=False), yaml.safe_load("a: 1")
subprocess.run(["ls"], check=True)


def evaluate(text: str) -> str:
    return text.evaluated()
"""

# Rules whose silencing would let text run, and the files that may: none.
RULES = ("S102", "S301", "S302", "S307", "S506", "S602", "S604", "S605", "TID251")
EXCEPTIONS: dict[str, str] = {}  # file: the reason


def ruff(*args: str, cwd: Path = ROOT) -> list[dict[str, object]]:
    """What the linter finds, by the project's own settings."""
    run = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "json", *args]
    found = subprocess.run(run, cwd=cwd, capture_output=True, text=True, check=False)
    assert found.returncode in (0, 1), found.stderr
    result: list[dict[str, object]] = json.loads(found.stdout)
    return result


def running(source: str) -> list[int]:
    """What the linter has no rule for: the lines that speak of a builtin that runs text, by its bare name, or that give
    leave to unpickle (`allow_pickle` is anything but False).
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id in ("compile", "__import__", "eval", "exec"):
            found.append(node.lineno)
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            found.append(node.value.lineno)
    return found


@pytest.fixture(scope="module")
def fired(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[object]]:
    """The rules that fire on each wrong text, all read in one go."""
    folder = tmp_path_factory.mktemp("wrong")
    for number, text in enumerate([*WRONG, RIGHT]):
        (folder / f"wrong_{number}.py").write_text(text + "\n", encoding="utf-8")
    found = ruff("--config", str(ROOT / "pyproject.toml"), "--select", ",".join(RULES), str(folder))
    rules: dict[str, set[object]] = {text: set() for text in [*WRONG, RIGHT]}
    for one in found:
        number = int(Path(str(one["filename"])).stem.removeprefix("wrong_"))
        rules[[*WRONG, RIGHT][number]].add(one["code"])
    return rules


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_text_is_refused_by_its_rule(text, fired):
    assert WRONG[text] in fired[text]


def test_a_right_text_passes(fired):
    assert fired[RIGHT] == set()


def test_the_rules_are_those_of_every_run():
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert set(RULES) <= set(lint["select"])
    assert not set(RULES) & set(lint["ignore"])
    assert set(lint["per-file-ignores"]) == {"tests/**"}


def test_nothing_in_the_packages_hides_from_the_rules():
    """With every `noqa` taken as if it were not there."""
    found = ruff("--ignore-noqa", "--select", ",".join(RULES), *FOLDERS)
    files = {Path(str(one["filename"])).relative_to(ROOT).as_posix(): one["message"] for one in found}
    assert set(files) == set(EXCEPTIONS), files


def test_that_a_hidden_one_would_be_found(tmp_path):
    (tmp_path / "hidden.py").write_text("eval('1')  # noqa: S307 - a reason\n", encoding="utf-8")
    config = ("--config", str(ROOT / "pyproject.toml"), "--select", ",".join(RULES))
    assert ruff(*config, str(tmp_path)) == []
    assert [one["code"] for one in ruff(*config, "--ignore-noqa", str(tmp_path))] == ["S307"]


def test_nothing_runs_text_or_unpickles():
    files = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    assert {path.name: lines for path in files if (lines := running(path.read_text(encoding="utf-8")))} == {}


@pytest.mark.parametrize(
    "call",
    [
        "compile(text, '', 'eval')",
        "__import__(text)",
        "list(map(eval, texts))",
        "np.load(a, allow_pickle=True)",
        "np.load(a, allow_pickle=leave)",
        "read(a, allow_pickle=not 0)",
    ],
)
def test_that_what_runs_text_or_unpickles_would_be_found(call):
    assert running(f"x = 1\n{call}") == [2]
    assert running("re.compile(a)\nnp.load(a, allow_pickle=False)") == []
