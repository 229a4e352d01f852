"""A Python file or a notebook as a tree: read as text within limits, never run or imported."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from derivations import pythonic
from derivations.cell import CellError
from derivations.python_operators import place
from derivations.pythonic import DEEPEST, imported

LONGEST = 1_000_000
MOST_WORDS = 50_000  # three times the longest file of cells in PyTorch; half a second of reading
Function = ast.FunctionDef
SUFFIXES = (".py", ".ipynb")
_WORD = re.compile(r"\w+|[^\w\s]")
_MAGIC = re.compile(r"^(\s*)[%!?]|^\s*[\w.]+\?{1,2}\s*$")


@dataclass(frozen=True)
class PythonFile:
    """A file's tree, with what it defines at its top.

    Attributes:
        source: its name, shown in front of errors.
        functions, classes: by name; of two of one name the last stands.
        twice: names that are defined more than once.
        aliases: what it calls its libraries.
        lines: for a notebook, what each line of the joined text is: (cell, line in it).
    """

    source: str
    tree: ast.Module
    functions: Mapping[str, Function]
    classes: Mapping[str, ast.ClassDef]
    twice: frozenset[str]
    aliases: Mapping[str, str]
    lines: tuple[tuple[int, int], ...] = field(default=(), repr=False)

    def error(self, error: CellError) -> CellError:
        """The error with the name of the file; in a notebook lines count from the top of their cell."""
        source, line = self.source, error.line
        if self.lines and 0 < line <= len(self.lines):
            cell, line = self.lines[line - 1]
            source = f"{source}, cell {cell}"
        return CellError(error.message, line, error.column, source)

    def placed(self, line: int) -> str:
        """A line in words: `line 3`, in a notebook `line 3 of cell 2`."""
        if self.lines and 0 < line <= len(self.lines):
            cell, line = self.lines[line - 1]
            return f"line {line} of cell {cell}"
        return f"line {line}"


def split(name: str) -> tuple[str, str] | None:
    """`file.py:function` as its two parts; None for what is no Python file. The function may be missing."""
    for suffix in SUFFIXES:
        if name.endswith(suffix):
            return name, ""
        head, sign, function = name.rpartition(f"{suffix}:")
        if sign:
            return head + suffix, function
    return None


def open_file(path: Path) -> PythonFile:
    """The tree of a file.

    Raises:
        CellError: it cannot be read, is too large, or is not Python.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
    except (OSError, ValueError) as error:
        raise CellError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    return of_bytes(data, str(path))


def of_bytes(data: bytes, source: str) -> PythonFile:
    """The tree of what is in a file; it is a notebook where `source`, its name, says so.

    Raises:
        CellError: it is too large, or is not Python.
    """
    if len(data) > LONGEST:
        raise CellError(f"{source} is longer than {LONGEST // 1_000_000} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CellError(f"{source} is not UTF-8 text (byte {error.start})") from None
    lines: tuple[tuple[int, int], ...] = ()
    if source.endswith(".ipynb"):
        text, lines = notebook(text, source)
    return parsed(text, source, lines)


def parsed(text: str, source: str, lines: tuple[tuple[int, int], ...] = ()) -> PythonFile:
    """The tree of a text."""
    empty = PythonFile(source, ast.Module([], []), {}, {}, frozenset(), {}, lines)
    if sum(1 for _ in _WORD.finditer(text)) > MOST_WORDS:
        raise CellError(f"more than {MOST_WORDS} words of code; give a file with the step alone", source=source)
    try:
        tree = pythonic.parsed(text)
        _within_limits(tree)
    except CellError as error:
        raise empty.error(error) from None
    functions: dict[str, Function] = {}
    classes: dict[str, ast.ClassDef] = {}
    twice = set()
    for node in _top(tree):
        if node.name in functions or node.name in classes:
            twice.add(node.name)
        functions.pop(node.name, None)
        classes.pop(node.name, None)
        if isinstance(node, ast.ClassDef):
            classes[node.name] = node
        else:
            functions[node.name] = node
    return PythonFile(source, tree, functions, classes, frozenset(twice), imported(tree), lines)


def _within_limits(tree: ast.Module) -> None:
    """How deep it is: what follows the tree may then call itself."""
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST and hasattr(node, "lineno"):
            raise CellError(f"the code is nested deeper than {DEEPEST}; name a part of this", *place(node))
        left = node.left if isinstance(node, ast.BinOp) else None
        for name in node._fields:
            part = getattr(node, name)
            if isinstance(part, list):
                waiting += [(one, depth + 1) for one in part if isinstance(one, ast.AST) and one._fields]
            elif isinstance(part, ast.AST) and part._fields:  # `Load()` has nothing within
                waiting.append((part, depth + (part is not left)))


def _top(tree: ast.Module) -> Iterator[Function | ast.ClassDef]:
    """The definitions at the top of a file, within `if` and `try` as well."""
    waiting: list[ast.stmt] = tree.body[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node
        elif isinstance(node, ast.If):
            waiting += (node.body + node.orelse)[::-1]
        elif isinstance(node, ast.Try):
            waiting += (node.body + node.orelse + node.finalbody)[::-1]


def notebook(text: str, source: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The code of a notebook's cells, one after another, and where each line comes from.

    Lines that are no Python (`%matplotlib inline`, `!ls`, a cell that starts with `%%`) become empty.
    """
    try:
        notebook = json.loads(text)
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        found = [
            (number, cell.get("source", cell.get("input", "")))
            for number, cell in enumerate(cells, 1)
            if cell.get("cell_type") == "code"
        ]
        texts = [(number, code if isinstance(code, str) else "".join(code)) for number, code in found]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise CellError("this is not a notebook (JSON with cells)", source=source) from None
    joined: list[str] = []
    places: list[tuple[int, int]] = []
    for number, code in texts:
        lines = code.split("\n")
        other_language = code.lstrip().startswith("%%") and not code.lstrip().startswith(("%%time", "%%capture"))
        for at, line in enumerate(lines, 1):
            magic = _MAGIC.match(line)
            if other_language:
                line = ""
            elif magic:
                line = f"{magic[1] or ''}pass" if magic[1] else ""
            joined.append(line)
            places.append((number, at))
    return "\n".join(joined) + "\n", tuple(places)


def find(file: PythonFile, name: str) -> tuple[Function | ast.ClassDef, ...]:
    """What a dotted name (`step`, `Cell.forward`, `outer.step`) leads to, from the outside in.

    Raises:
        CellError: there is nothing of that name; the nearest names are given.
    """
    known: dict[str, Function | ast.ClassDef] = {**file.functions, **file.classes}
    path: list[Function | ast.ClassDef] = []
    for part in name.split("."):
        if part not in known:
            every = _dotted_names(file)
            near = get_close_matches(name, every, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(every[:12])}" if every else "none is"
            raise CellError(f"no function {name[:80]!r} is defined; {hint}", source=file.source)
        path.append(known[part])
        known = {node.name: node for node in path[-1].body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    return tuple(path)


def _dotted_names(file: PythonFile) -> list[str]:
    inner = [
        f"{owner.name}.{node.name}"
        for owner in file.classes.values()
        for node in owner.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("__init")
    ]
    return [*file.functions, *file.classes, *inner]
