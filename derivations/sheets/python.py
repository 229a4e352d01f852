"""A sheet in Python: a backward function over NumPy or torch, or a notebook's cell, walked as text and never run.

The walk goes through the statements as Python would, with a few steps of time and small sizes: whole numbers are
numbers, everything else is an expression in names. A name that comes from outside (an argument, an entry of a cache,
an attribute) is free, and means what its own name says. A loop over time is walked step by step.
"""

import ast
from contextlib import suppress
from typing import Any

from derivations.cell import CellError
from derivations.pythonic import dotted, imported, parsed
from derivations.sheet import Sheet, checked
from derivations.sheets.python_assigning import Assigning
from derivations.sheets.python_calls import Calls
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
    walk = Walk(text, parsed(text))
    try:
        walk.everything()
    except Endless as error:
        raise CellError(*error.args) from None
    except RecursionError:
        raise CellError("the text is nested too deeply") from None
    found, time = walk.assigning, walk.time
    return Sheet(
        "python",
        tuple(found.lines),
        given_in_comments(text, "#"),
        {**{name: f"{name}[t]" for name in sorted(time.series)}, **found.shown},
        strict=True,
        steps=T if time.over_time else 0,
        zero=frozenset(found.zero),
        series=frozenset(time.series),
        slopes=tuple((one.line, one.of, one.shown) for one in walk.calls.slopes.values() if one is not None),
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
        self.time = Time(tree)
        self.statements, self.assigning = Statements(self), Assigning(self, text)
        self.numbers, self.values, self.calls = Numbers(self, tree), Values(self), Calls(self)

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
