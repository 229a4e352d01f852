"""A sheet in Python: a backward function over NumPy or torch, or a notebook's cell, walked as text and never run.

The walk goes through the statements as Python would, with a few steps of time and small sizes: whole numbers are
numbers, lists and dictionaries are what they are, everything else is an expression in names. A name that comes from
outside (an argument, an entry of a cache, an attribute) is free, and means what its own name says. What a forward pass
of the file has stored is what its backward pass is given. A loop over time is walked step by step.
"""

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from derivations.cell import CellError
from derivations.marking.sheet import Line, Sheet, checked
from derivations.marking.sheets.python_assigning import Assigning
from derivations.marking.sheets.python_calls import Calls
from derivations.marking.sheets.python_carries import with_lost_carries
from derivations.marking.sheets.python_comments import with_comments
from derivations.marking.sheets.python_ends import at_ends
from derivations.marking.sheets.python_entries import Entries
from derivations.marking.sheets.python_flaws import Reads, alone, with_means, zero_claims
from derivations.marking.sheets.python_labels import Labels
from derivations.marking.sheets.python_numbers import Numbers
from derivations.marking.sheets.python_orders import packed_order
from derivations.marking.sheets.python_overwriting import overwritten
from derivations.marking.sheets.python_own import Own, is_simple
from derivations.marking.sheets.python_rounds import Rounds
from derivations.marking.sheets.python_said import starting_initially
from derivations.marking.sheets.python_sizes import offsets
from derivations.marking.sheets.python_statements import Statements
from derivations.marking.sheets.python_storing import Storing
from derivations.marking.sheets.python_values import Values
from derivations.marking.sheets.text import given_in_comments
from derivations.marking.sheets.walked import Endless, Leave, Onward, Return, T, Time
from derivations.pythonic import dotted, imported, parsed

_DRIVER = re.compile(  # what calls a derivation, or sets up what it needs
    r"__\w+__|_?main|train\w*|fit|run\w*|test\w*|\w*grad\w*_?check\w*|check\w*|numeric\w*|sample\w*|generate\w*|predict\w*"
    r"|_?init\w*|load\w*|save\w*|update\w*|optimi[sz]e\w*|adam\w*|sgd\w*|get_\w*data\w*|make_data\w*|demo\w*",
    re.IGNORECASE,
)
_BACKWARD = re.compile(r"back|bptt|bwd|grad|delta|loss", re.IGNORECASE)


def read_python(text: str) -> Sheet:
    """The sheet that a Python text is.

    Raises:
        CellError: it is beyond the limits, or not Python.
    """
    text = checked(text)
    tree = parsed(text)
    commented = with_comments(tree, text)
    walk = Walk(text, tree)
    try:
        walk.everything()
    except Endless as error:
        raise CellError(*error.args) from None
    except RecursionError:
        raise CellError("the text is nested too deeply") from None
    found, time = walk.assigning, walk.time
    return Sheet(
        "python",
        tuple(replace(line, defines=(line.number, line.target) in commented) for line in walk.lines()),
        given_in_comments(text, "#"),
        {**{name: f"{name}[t]" for name in sorted(time.series)}, **found.shown},
        strict=True,
        steps=T if time.over_time else 0,
        zero=frozenset(found.zero),
        series=frozenset(time.series),
        packed=packed_order(tree, text),
        slopes=tuple((one.line, one.of, one.shown) for one in walk.own.slopes.values() if one is not None),
    )


class Walk:
    """What has been walked so far, and those that walk: statements, assignments, expressions and calls.

    Attributes:
        aliases: what the file calls its libraries.
        functions: of the file, by name.
        scope: what the names of the function that is walked hold.
        around: what the names around that function hold.
        globals: what names at the top of the file hold.
        attributes: what attributes hold, as `self.h`, over all functions.
        quiet: within how many functions that are one expression, in which nothing is a line.
        depth: within how many functions.
        in_loops: whether the function that was entered has a loop.
        means: the lines that take a mean over the batch.
        batched: whether it gives what has a batch one more axis.
    """

    def __init__(self, text: str, tree: ast.Module) -> None:
        self.tree = tree
        self.aliases = imported(tree)
        nested = _nested(tree)
        functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
        self.functions = {n.name: n for n in functions if id(n) not in nested}
        self.scope: dict[str, Any] = {}
        self.globals: dict[str, Any] = {}
        self.around: dict[str, Any] = {}
        self.attributes: dict[str, Any] = {}
        self.quiet = 0
        self.depth = 0
        self.means: set[int] = set()
        self.batched = bool(re.search(r"unsqueeze\(2\)|expand_dims\([^()]*, *(?:axis=)?2\)|\bbmm\(", text))
        self.in_loops = any(isinstance(node, ast.For | ast.While) for node in tree.body)
        self.time = Time(offsets(tree), starting_initially(text))
        self.labels = Labels(tree)
        self.statements, self.assigning = Statements(self), Assigning(self, text)
        self.storing = Storing(self)
        self.numbers, self.values, self.calls = Numbers(self, tree), Values(self), Calls(self)
        self.entries, self.rounds, self.own = Entries(self), Rounds(self), Own(self, tree)

    def lines(self) -> Iterator[Line]:
        """What the walk has found, with what the text shows by itself."""
        found, reads = self.assigning, Reads(self.tree)
        said = with_means(alone(found.lines), frozenset(self.means))
        said = with_lost_carries(self.tree, "\n".join(found.text), overwritten(self.tree, said))
        yield from at_ends(self.tree, said, found.zeros)
        for line in zero_claims(reads, found.zeros):
            yield replace(line, version=found.versions.write(line.target))

    def everything(self) -> None:
        """Walks what stands at the top, and the functions that no other one calls."""
        top = [s for s in self.tree.body if not isinstance(s, ast.FunctionDef)]
        derivations = {name: f for name, f in self.functions.items() if not _DRIVER.fullmatch(name)}
        called = {
            name
            for part in (*derivations.values(), *(s for s in top if not _is_main(s)))
            for node in ast.walk(part)
            if isinstance(node, ast.Call) and (name := self._name(node.func)) != getattr(part, "name", "")
        }
        if "__init__" in self.functions:
            self.own.set_up(self.functions["__init__"])
        with suppress(Return, Leave, Onward):  # the body of a function, without its head
            self.statements.block([s for s in top if not isinstance(s, ast.ClassDef)])
        self.globals = self.around = dict(self.scope)
        alone = [f for name, f in derivations.items() if name not in called]
        alone = alone or list(derivations.values()) or list(self.functions.values())
        for function in sorted(alone, key=_order):
            if not is_simple(function) or len(self.functions) == 1:
                self.own.enter(function)

    def library_name(self, node: ast.expr) -> str:
        """The full name of what is of a library: `numpy.tanh`; empty for what is none: `F.shape` of an array F."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and (root.id in self.scope or root.id in self.around):
            return ""
        return dotted(node, self.aliases)

    def _name(self, func: ast.expr) -> str:
        if isinstance(func, ast.Attribute) and dotted(func, self.aliases):
            return ""
        return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _nested(tree: ast.Module) -> set[int]:
    """The nodes that stand within a function."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {id(inner) for node in functions for inner in ast.walk(node) if inner is not node}


def _order(function: ast.FunctionDef) -> bool:
    """What goes forwards comes first."""
    return bool(_BACKWARD.search(function.name))


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test).startswith("__name__")
