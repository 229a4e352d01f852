"""The shape of the project, read from its files: which way imports run, what loads when, and where.

Each rule is a function from a text to what it finds wrong there. One test holds the project to it,
another shows on a made-up text that the rule can fail.
"""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# The modules of `derivations`, one way: each imports only what stands before it, within functions
# too. The files of a folder (`formats`) count as one module.
ORDER = [
    "version",
    "visible",
    "expression",
    "functions",
    "names",
    "symbolic",
    "matrices",
    "floats",
    "algebra",
    "residues",
    "duals",
    "precise",
    "equality",
    "symbols",
    "boxes",
    "notation",
    "typeset",
    "mathml",
    "plain",
    "cell",
    "shapes",
    "build",
    "misread",
    "language",
    "canonical",
    "python_operators",
    "python_functions",
    "pythonic",
    "source",
    "catalogue",
    "timed",
    "components",
    "derive",
    "layout",
    "drawing",
    "emit",
    "program",
    "batched",
    "over_time",
    "by_sympy",
    "prove",
    "total",
    "facts",
    "same",
    "spelled",
    "pairing",
    "correspondence",
    "graph",
    "paths",
    "unroll",
    "twice",
    "jacobian",
    "flow",
    "runs",
    "output",
    "heatmap",
    "mistakes",
    "mistakes_in_time",
    "mutants",
    "equivalent",
    "marking",
    "walkthrough",
    "reading",
    "document",
    "formats",
    "reports",
    "page",
    "display",
    "terminal",
    "__main__",
    "commands",
    "api",
    "__init__",
]

# The modules of `derivations.marking`, one way as well.
MARKING = [
    "__init__",
    "world",
    "sheet",
    "sheets",
    "gates",
    "name_marks",
    "callings",
    "meaning",
    "packing",
    "meanings",
    "course",
    "judged",
    "glossary",
    "addends",
    "sayings",
    "aims",
    "growing",
    "guesses",
    "letters",
    "understanding",
    "packed_order",
    "siblings",
    "numbering",
    "lessons",
    "choices",
    "interpretation",
    "right_line",
    "attempt",
    "parts",
    "slips",
    "lost_paths",
    "normalised",
    "slips_over_steps",
    "turnings",
    "products",
    "factors",
    "naming",
    "differences",
    "other_quantities",
    "explaining",
    "marked",
    "wording",
    "doubts",
    "truncation",
    "one_meaning",
    "settled",
    "no_biases",
    "one_gate",
    "readout",
    "introduced",
    "best_reading",
    "another_cell",
    "direction",
    "two_sides",
    "gathering",
    "through_all",
    "wrong_slopes",
    "left_out",
    "at_fault",
    "charged_back",
    "mark",
    "quiz",
]

# What takes long to load, and what the core must do without until it is used.
HEAVY = {"flint", "jax", "matplotlib", "numpy", "scipy", "torch"}

TOP_LEVEL = {"derivations", "backends", "tests", "docs", "pyproject.toml", "constraints.txt"}
TOP_LEVEL |= {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"}

TYPES_ONLY = {"TYPE_CHECKING", "typing.TYPE_CHECKING"}

FORBIDDEN = {
    "a path of one machine": r"(?<![\w.])/(?:work|farm|root|home/\w+|Users/\w+|opt/venv)/",
    "a registry's host": r"\b(?:pypi|pythonhosted|npmjs|anaconda|deb\.debian|\w+\.pytorch)\.org\b",
    "an issue by its number": r"(?i:\b(?:issues?|pull requests?|PR) ?#?\d+\b)|\bGH-\d+\b",
}


@dataclass(frozen=True)
class Import:
    """One imported name, in full: `from derivations.cell import Cell` is derivations.cell.Cell."""

    name: str
    line: int
    on_load: bool  # runs when the module is loaded: neither within a function nor for types only


def imports(source: str, package: str) -> Iterator[Import]:
    """Every import in the text of a module of `package`, however deep; import_module("...") too."""

    def walk(node: ast.AST, on_load: bool) -> Iterator[Import]:
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(alias.name, node.lineno, on_load)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                stem = ".".join([*above, *([module] if module else [])])
                for alias in names:
                    yield Import(f"{stem}.{alias.name}", node.lineno, on_load)
            case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]):
                called = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
                if called in ("import_module", "__import__"):
                    yield Import(name, node.lineno, on_load)
        within = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for_types = isinstance(node, ast.If) and ast.unparse(node.test) in TYPES_ONLY
        for child in ast.iter_child_nodes(node):
            typing = for_types and child in node.body
            yield from walk(child, on_load and not within and not typing)

    return walk(ast.parse(source), True)


def module_of(name: str) -> str:
    """The module of `derivations` that an imported name is of; `__init__` if it names no other."""
    _, _, rest = name.partition(".")
    module = rest.partition(".")[0]
    return module if module in ORDER else "__init__"


def wrong_imports(source: str, file: str) -> list[str]:
    """What a file of `derivations` imports against the rules; `file` is its path from the root."""
    path = Path(file)
    inside = path.parts[1] if len(path.parts) > 2 else path.stem
    if inside == "marking" and path.parts[2].removesuffix(".py") not in MARKING:
        return [f"{file}: unknown module; add it to MARKING in tests/test_layout.py, as to ORDER"]
    if inside not in ORDER:
        return [
            f"{file}: unknown module '{inside}'. Add it to ORDER in tests/test_layout.py, "
            "after every module that it imports and before every module that imports it"
        ]
    wrong = []
    for one in imports(source, ".".join(path.parent.parts)):
        root = one.name.split(".")[0]
        if root == "backends" and (inside != "__main__" or one.on_load):
            wrong.append(f"{file}:{one.line}: backends; only a function of derivations/__main__.py may")
        if root in HEAVY and one.on_load:
            wrong.append(f"{file}:{one.line}: {root} on load; import it in the function that uses it")
        if root == "derivations":
            target = module_of(one.name)
            if target != inside and ORDER.index(target) >= ORDER.index(inside):
                wrong.append(f"{file}:{one.line}: {target}, which stands after {inside} in ORDER")
        if one.name.startswith("derivations.marking.") and inside == "marking":
            own, target = path.parts[2].removesuffix(".py"), one.name.split(".")[2]
            if target != own and MARKING.index(target) >= MARKING.index(own):
                wrong.append(f"{file}:{one.line}: {target}, which stands after {own} in MARKING")
    return wrong


def stray(files: Iterable[str]) -> list[str]:
    """What lies at the top and should not; dotfiles are the tools' own."""
    top = {file.split("/")[0] for file in files}
    return sorted(name for name in top - TOP_LEVEL if not name.startswith("."))


def forbidden(text: str) -> list[str]:
    """What a published text must not hold: where it was written, what only its writers can open."""
    found = []
    for what, pattern in FORBIDDEN.items():
        for hit in re.finditer(pattern, text):
            line = text.count("\n", 0, hit.start()) + 1
            found.append(f"line {line}: {hit[0]!r} is {what}")
    return found


def unreasoned(source: str) -> list[str]:
    """Comments that silence a check and do not say why, as `# noqa: S102 - emitted by us` does."""
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        silenced = re.match(r"#\s*(noqa|type:\s*ignore|pragma: no cover)\S*(.*)", token.string)
        if silenced and not re.search(r"(#|\s-)\s*\w", silenced[2]):
            found.append(f"line {token.start[0]}: {token.string} without a reason")
    return found


@pytest.fixture(scope="module")
def files(needs_tool) -> list[str]:
    """The project's files: those that git has, and new ones that it does not ignore."""
    git = needs_tool("git")
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    run = [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [file for file in sorted(set(listed.split("\0"))) if file and (ROOT / file).is_file()]


def read(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8", errors="replace")


def python_files(folder: str) -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", python_files("derivations"))
def test_imports_run_one_way_and_load_lightly(file):
    assert wrong_imports(read(file), file) == []


@pytest.mark.parametrize("file", [*python_files("derivations"), *python_files("backends")])
def test_what_silences_a_check_says_why(file):
    assert unreasoned(read(file)) == []


def test_the_top_level_is_what_a_reader_expects(files):
    assert stray(files) == []


def test_nothing_published_names_our_machines(files):
    texts = [file for file in files if not file.endswith(".png")]
    wrong = [f"{file}: {fault}" for file in texts for fault in forbidden(read(file))]
    assert wrong == []


# -------------------------------------------------------------------------- each rule can fail


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("derivations/cell.py", "import backends", "cell.py:1: backends"),
        ("derivations/cell.py", "def f():\n    from backends import check", "cell.py:2: backends"),
        ("derivations/cell.py", "f = lambda: import_module('backends.check')", "1: backends"),
        ("derivations/__main__.py", "from backends.check import Check", "1: backends"),
        (
            "derivations/cell.py",
            "from derivations.derive import derive",
            "derive, which stands after cell",
        ),
        ("derivations/cell.py", "from derivations import mutants", "mutants, which stands after cell"),
        ("derivations/cell.py", "from .language import read", "language, which stands after cell"),
        (
            "derivations/cell.py",
            "def f():\n    from . import formats",
            "2: formats, which stands after",
        ),
        (
            "derivations/cell.py",
            "from derivations import cells",
            "__init__, which stands after cell",
        ),
        ("derivations/cell.py", "import derivations", "__init__, which stands after cell"),
        (
            "derivations/formats/text.py",
            "from ..__main__ import main",
            "__main__, which stands after formats",
        ),
        (
            "derivations/formats/text.py",
            "from .. import nothing",
            "__init__, which stands after formats",
        ),
        ("derivations/cell.py", "import torch.nn", "torch on load"),
        (
            "derivations/cell.py",
            "try:\n    import numpy as np\nexcept ImportError:\n    pass",
            "2: numpy on load",
        ),
        ("derivations/cell.py", "class A:\n    from scipy import linalg", "2: scipy on load"),
        ("derivations/cell.py", "importlib.import_module('jax')", "jax on load"),
        ("derivations/cell.py", "if not TYPE_CHECKING:\n    import jax", "jax on load"),
        (
            "derivations/cell.py",
            "if TYPE_CHECKING:\n    pass\nelse:\n    import jax",
            "jax on load",
        ),
        ("derivations/novel.py", "", "'novel'. Add it to ORDER in tests/test_layout.py"),
        (
            "derivations/marking/world.py",
            "from derivations.marking.mark import mark_sheet",
            "mark, which stands after world",
        ),
        (
            "derivations/marking/world.py",
            "from derivations.walkthrough import parse",
            "walkthrough, which stands after marking",
        ),
        ("derivations/marking/novel.py", "", "unknown module; add it to MARKING"),
    ],
)
def test_a_wrong_import_is_named(file, source, complaint):
    assert any(complaint in fault for fault in wrong_imports(source, file))


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("derivations/__main__.py", "def check():\n    from backends.check import check"),
        ("derivations/derive.py", "from derivations.cell import Cell\nfrom .cell import Equation"),
        (
            "derivations/formats/html.py",
            "from .latex import render\nfrom derivations.formats import text",
        ),
        ("derivations/cell.py", "def f():\n    import numpy as np"),
        ("derivations/cell.py", "if TYPE_CHECKING:\n    import numpy as np"),
        ("derivations/cell.py", "import numpydoc, jaxtyping"),
        (
            "derivations/marking/mark.py",
            "from derivations.marking.world import World\nfrom derivations.cell import Cell",
        ),
    ],
)
def test_a_right_import_passes(file, source):
    assert wrong_imports(source, file) == []


def test_a_stray_file_is_named():
    files = ["README.md", ".ci/run", "derivations/cell.py", "notes.txt", "scripts/x.py"]
    assert stray(files) == ["notes.txt", "scripts"]


@pytest.mark.parametrize(
    "parts",
    [
        ("at /", "work/main"),
        ("at /home", "/ada/x"),
        ("from pypi", ".org"),
        ("https://download.", "pytorch.org/whl"),
        ("as issue ", "12 says"),
        ("see Issue #", "7"),
    ],
)
def test_a_forbidden_word_is_named(parts):  # in two parts, lest it be found in this file
    assert forbidden("first line\n" + "".join(parts))[0].startswith("line 2: ")


@pytest.mark.parametrize(
    "parts", [("homework/", "work/x"), ("the issue is 3",), ("https://arxiv.org/abs/1",), ("#123456",)]
)
def test_an_innocent_word_passes(parts):
    assert forbidden("".join(parts)) == []


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: S102",
        "# noqa",
        "# type: ignore[attr-defined]",
        "# pragma: no cover",
        "# noqa: E501, S102  ",
    ],
)
def test_a_silenced_check_without_a_reason_is_named(comment):
    assert len(unreasoned(f"x = 1  {comment}\n")) == 1
    assert unreasoned(f"x = 1  {comment}  # the reason\n") == []
    assert unreasoned(f"x = 1  {comment} - the reason\n") == []
    assert unreasoned(f"x = '{comment}'\n") == []
