"""Python code followed statement by statement, with quantities in the place of numbers.

Nothing is run: a call of a function of the same file is followed, a library's function is looked up in a table, and
anything else is an error that says where. What is computed becomes a list of definitions (`Defined`), what comes from
outside is `Given`. Which of these are states, inputs and parameters is decided afterwards, in `roles`.
"""

from __future__ import annotations

import ast
from typing import Any

from derivations.expression import Detach, Expr, Name, Num
from derivations.python_operators import Unreadable, place
from derivations.source.assigning import Assigning
from derivations.source.calls import Calls
from derivations.source.conditions import Conditions
from derivations.source.expressions import Expressions
from derivations.source.libraries import Libraries
from derivations.source.loops import Loop, Walked
from derivations.source.objects import Objects
from derivations.source.pieces import Pieces
from derivations.source.statements import Statements
from derivations.source.text import PythonFile
from derivations.source.values import (
    Block,
    Defined,
    Frame,
    Given,
    Place,
    last_part,
)

HARMLESS = (
    "jit", "compact", "nowrap", "named_scope", "script", "compile", "no_grad", "staticmethod", "override", "njit",
    "remat", "checkpoint", "filter_jit", "keras_export", "jaxtyped", "typecheck", "beartype", "cache", "lru_cache",
    "script_method", "custom_fwd", "inference_mode", "property", "wraps", "partial", "function", "filter_checkpoint",
)  # fmt: skip


class Follower:
    """What has been followed so far, and those that follow: statements, expressions, calls and what they bring."""

    def __init__(self, file: PythonFile) -> None:
        self.file = file
        self.given: dict[str, Given] = {}
        self.defined: dict[str, Defined] = {}
        self.notes: dict[str, None] = {}
        self.module = Frame({})
        self.expressions, self.libraries, self.pieces = Expressions(self), Libraries(self), Pieces(self)
        self.objects, self.calls, self.conditions = Objects(self), Calls(self), Conditions(self)
        self.statements, self.assigning = Statements(self), Assigning(self)
        self.value, self.operand, self.used = self.expressions.value, self.expressions.operand, self.expressions.used
        self.active: list[ast.AST] = []
        self.steps = 0
        self.held = 0  # within how many `with torch.no_grad()`
        self.building = 0  # within how many constructors
        self.loop: Loop | None = None
        self.walked: Walked | None = None  # the loop over time that was met

    def give(self, name: str, origin: str, at: Place, above: str = "", key: Any = None) -> Name:
        """A new quantity from outside, or the element `key` of one."""
        if above and key in self.given[above].parts:
            return Name(self.given[above].parts[key])
        one = Given(f"@{len(self.given)}", name, origin, at, above)
        one.attribute = bool(above) and self.given[above].attribute
        self.given[one.id] = one
        if above:
            self.given[above].parts[key] = one.id
        return Name(one.id)

    def define(self, expr: Expr, at: Place, name: str = "", depth: int = 0) -> Name:
        one = Defined(f"#{len(self.defined)}", expr, at)
        if name:
            one.names.append((depth, name))
        self.defined[one.id] = one
        return Name(one.id)

    def bind(self, frame: Frame, name: str, value: Any, at: Place, *, spare: bool = False) -> None:
        """`name = value`: a computed value gets the name, and what had it before loses it."""
        before = frame.names.get(name)
        if isinstance(before, Name) and before.id in self.defined and before != value:
            old = self.defined[before.id]
            old.names = [pair for pair in old.names if pair != (frame.depth, name)]
        if isinstance(value, Expr) and self.held and not isinstance(value, (Num, Detach)):
            value = Detach(value)
        if isinstance(value, (list, tuple)) and not spare:
            for k, one in enumerate(value):
                if isinstance(one, Expr) and not isinstance(one, (Name, Num)) and self._plain(one):
                    continue
                if isinstance(one, Expr) and not isinstance(one, (Name, Num)):
                    value = [*value[:k], self.define(one, at), *value[k + 1 :]]
        if isinstance(value, Expr) and not isinstance(value, Num):
            if not isinstance(value, Name):
                value = self.define(value, at, "" if spare else name, frame.depth)
                self.defined[value.id].spare = name
            elif value.id in self.defined:
                if not spare:
                    self.defined[value.id].names.append((frame.depth, name))
            elif not spare and not self.building:
                self.given[value.id].aliases.append(name)
        frame.names[name] = value

    def _plain(self, expr: Expr) -> bool:
        """A part of something with a name: it needs none of its own yet."""
        return isinstance(expr, Block) and isinstance(expr.arg, Name)

    def parameter(self, name: str, at: Place, shape: tuple[Expr, ...] = ()) -> Name:
        found = self.give(name, "parameter", at)
        self.given[found.id].attribute = True
        self.given[found.id].shape = shape
        return found

    def check_decorators(self, node: ast.FunctionDef, frame: Frame) -> None:
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = ast.unparse(called).rpartition(".")[2]
            inner = (
                decorator.args[0] if isinstance(decorator, ast.Call) and name == "partial" and decorator.args else None
            )
            if inner is not None and last_part(inner) not in HARMLESS:
                name = last_part(inner)
            if (name not in HARMLESS and not name.startswith("jaxtyp")) or name in self.file.functions:
                raise Unreadable(
                    f"the decorator @{name[:40]} is not known, and may change what it decorates; leave it out",
                    *place(decorator),
                )

    def ambiguous(self, name: str) -> None:
        if name in self.file.twice:
            self.notes[f"Of the definitions of {name} the last is read"] = None
