"""A sheet in Python: a backward function over NumPy or torch, or a notebook's cell, walked as text and never run.

The walk goes through the statements as Python would, with a few steps of time and small sizes: whole numbers are
numbers, everything else is an expression in names. A name that comes from outside (an argument, an entry of a cache,
an attribute) is free, and means what its own name says. A loop over time is walked step by step.
"""

import ast
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from derivations.cell import CellError
from derivations.pythonic import dotted, imported, parsed
from derivations.sheet import Line, Sheet, checked
from derivations.sheets.python_assigning import Assigning
from derivations.sheets.python_calls import Calls
from derivations.sheets.python_flaws import Reads, ignored, with_means, zero_claims
from derivations.sheets.python_numbers import Numbers
from derivations.sheets.python_statements import Statements
from derivations.sheets.python_values import Values
from derivations.sheets.text import given_in_comments
from derivations.sheets.walked import Endless, Return, T, Time, arguments, is_simple


def read_python(text: str) -> Sheet:
    """The sheet that a Python text is.

    Raises:
        CellError: it is beyond the limits, or not Python.
    """
    text = checked(text)
    tree = parsed(text)
    walk = _walked(text, tree, False)
    sheet = _sheet(text, walk)
    if walk.statements.forwards:
        sheet = replace(sheet, turned=_sheet(text, _walked(text, tree, True)))
    return sheet


def _walked(text: str, tree: ast.Module, turned: bool) -> "Walk":
    walk = Walk(text, tree)
    walk.statements.turned = turned
    try:
        walk.everything()
    except Endless as error:
        raise CellError(*error.args) from None
    except RecursionError:
        raise CellError("the text is nested too deeply") from None
    return walk


def _sheet(text: str, walk: "Walk") -> Sheet:
    found, time = walk.assigning, walk.time
    return Sheet(
        "python",
        tuple(walk.lines()),
        given_in_comments(text, "#"),
        {**{name: f"{name}[t]" for name in sorted(time.series)}, **found.shown},
        strict=True,
        steps=T if time.over_time else 0,
        zero=frozenset(found.zero),
        series=frozenset(time.series),
    )


class Walk:
    """What has been walked so far, and those that walk: statements, assignments, expressions and calls.

    Attributes:
        aliases: what the file calls its libraries.
        functions: of the file, by name.
        scope: what the names of the function that is walked hold.
        quiet: within how many functions that are one expression, in which nothing is a line.
        depth: within how many functions.
    """

    def __init__(self, text: str, tree: ast.Module) -> None:
        self.tree = tree
        self.aliases = imported(tree)
        self.functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
        self.scope: dict[str, Any] = {}
        self.quiet = 0
        self.depth = 0
        self.means: set[int] = set()  # lines that take a mean over the batch
        self.time = Time(tree)
        self.statements, self.assigning = Statements(self), Assigning(self, text)
        self.numbers, self.values, self.calls = Numbers(self, tree), Values(self), Calls(self)

    def lines(self) -> Iterator[Line]:
        """What the walk has found, with what the text shows by itself."""
        found, reads = self.assigning, Reads(self.tree)
        given = [arg.arg for function in self.functions.values() for arg in arguments(function)]
        yield from with_means(found.lines, frozenset(self.means))
        for line in zero_claims(reads, found.zeros):
            yield replace(line, version=found.versions.write(line.target))
        yield from ignored(reads, given, found.zeros)
        yield from self.statements.forwards if self.statements.turned else ()

    def everything(self) -> None:
        """Walks what stands at the top, and the functions that no other one calls."""
        top = [s for s in self.tree.body if not isinstance(s, ast.FunctionDef)]
        called = {
            dotted(node.func, {}).split(".")[-1]
            for part in (*self.functions.values(), *top)
            for node in ast.walk(part)
            if isinstance(node, ast.Call)
        }
        with suppress(Return):  # the body of a function, without its head
            self.statements.block([s for s in top if not isinstance(s, ast.ClassDef)])
        alone = [f for name, f in self.functions.items() if name not in called]
        for function in alone or list(self.functions.values()):
            if not is_simple(function) or len(self.functions) == 1:
                self._enter(function)

    def _enter(self, function: ast.FunctionDef) -> None:
        self.scope = {arg.arg: self.numbers.outside(arg.arg) for arg in arguments(function)}
        with suppress(Return):
            self.statements.block(function.body)
        self.time.step = None
