"""A sheet's own functions: walked through at their calls, and what they return."""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import ZERO, Call, Expr, Name, substitute
from derivations.marking.sheet import Line
from derivations.marking.sheets.python_labels import is_error, state_of
from derivations.marking.sheets.python_slopes import ARGUMENT, WrongSlope, due_for, meant
from derivations.marking.sheets.spoken import SPOKEN
from derivations.marking.sheets.walked import Items, Outside, Return, Series

if TYPE_CHECKING:
    from derivations.marking.sheets.python import Walk

DEEPEST_CALL = 6
_STORES = re.compile(
    r"caches?|tape|saved|stored?|memory|trace|history|records?|ctx|context|steps|states|intermediates|fwd|forward_\w+"
    r"|activations|residuals|mem|stash|log|\w*_cache|cache_\w+|values|acts?|res"
)


class Own:
    """Walks through functions of the file for one `Walk`.

    Attributes:
        nested: functions that were defined within the one that is walked.
        wanted: what a call's value is assigned to.
        given: what earlier functions returned, under the names that it had there.
        slopes: functions that are meant to be slopes, where they are none.
    """

    def __init__(self, walk: Walk, tree: ast.AST) -> None:
        self.walk = walk
        self.nested: dict[str, ast.FunctionDef] = {}
        self.wanted: ast.expr | None = None
        self.given: dict[str, Any] = {}
        self.slopes: dict[str, WrongSlope | None] = {}
        self._names: list[str] = []  # what the values are called that the function returns
        self._called: dict[str, list[str]] = {}  # what calls in the file assign, by function
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                func = node.value.func
                name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
                self._called.setdefault(name, _targets(node.targets[0]))

    # --- functions that nothing calls ---------------------------------------------------------------------------

    def enter(self, function: ast.FunctionDef) -> None:
        """A function that no other one calls: what it is given is from outside, or from a function before it."""
        scope = {arg.arg: self._from_outside(arg.arg) for arg in arguments(function) if arg.arg != "self"}
        self.walk.scope, self._names = scope, self._called.get(function.name) or _in_docstring(function)
        self.walk.in_loops = any(isinstance(node, ast.For | ast.While) for node in ast.walk(function))
        try:
            self.walk.statements.block(function.body)
        except Return as result:
            self._hand_on(function, result.value)
        self.walk.time.step = None

    def set_up(self, function: ast.FunctionDef) -> None:
        """What `__init__` makes are parameters, whose values do not matter; sizes are kept."""
        self.walk.quiet += 1
        self.enter(function)
        self.walk.quiet -= 1
        kept = self.walk.attributes.items()
        self.walk.attributes = {key: value for key, value in kept if isinstance(value, int | str) and value != 0}

    def _from_outside(self, name: str) -> Any:
        held = self.given.get(name)
        if held is None and _STORES.fullmatch(name):
            stores = [value for value in self.given.values() if _is_store(value)]
            held = stores[-1] if len(stores) == 1 else None
        if held is not None and (_is_store(held) or isinstance(held, Series)):
            return held
        return self.walk.numbers.outside(name)

    def _hand_on(self, function: ast.FunctionDef, value: Any) -> None:
        """What a forward pass returns is what a backward pass is given under the same names."""
        returns = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]
        if not returns:
            return
        parts = returns[-1].elts if isinstance(returns[-1], ast.Tuple) else [returns[-1]]
        values = value if isinstance(value, tuple) and len(value) == len(parts) > 1 else (value,)
        names = self._called.get(function.name, [])
        for k, (part, one) in enumerate(zip(parts, values, strict=False)):
            if isinstance(part, ast.Name):
                self.given[part.id] = one
            if k < len(names) and names[k]:
                self.given[names[k]] = one
            if not isinstance(part, ast.Name) and _is_store(one):
                self.given[f"store {len(self.given)}"] = one

    # --- calls ---------------------------------------------------------------------------------------------------

    def found(self, name: str) -> ast.FunctionDef | None:
        """The function of the file of this name."""
        return self.nested.get(name) or self.walk.functions.get(name)

    def inlined(self, function: ast.FunctionDef, node: ast.Call) -> Any:
        """A function of the file at its call: one expression quietly, a longer one line by line."""
        walk, wanted = self.walk, self.wanted
        if walk.depth >= DEEPEST_CALL:
            raise CellError(f"{function.name} calls itself, or is nested too deeply", node.lineno, node.col_offset + 1)
        simple = is_simple(function)
        inside = self._bound(function, node)
        spoken = SPOKEN.get(function.name.lower()) if simple and len(node.args) + len(node.keywords) == 1 else None
        if spoken in ("sigmoid", "tanh", "relu") and is_usual(function, spoken):
            return Call(spoken, (walk.values.quantity(next(iter(inside.values()))),))
        if (
            simple
            and len(inside) == 1
            and (of := meant(function.name))
            and (due := self._due(function, of)) is not None
        ):
            return substitute(due, {ARGUMENT: walk.values.quantity(next(iter(inside.values())))})
        if not simple and not walk.quiet:
            self._say_arguments(inside, node)
        return self._walked(function, inside, wanted)

    def _walked(self, function: ast.FunctionDef, inside: dict[str, Any], wanted: ast.expr | None) -> Any:
        """What a function returns, with its arguments bound."""
        walk, simple = self.walk, is_simple(function)
        local = function.name in self.nested
        outer, around, nested, names = walk.scope, walk.around, self.nested, self._names
        walk.scope, walk.depth, walk.quiet = inside, walk.depth + 1, walk.quiet + simple
        walk.around = {**around, **outer} if local else walk.globals
        self.nested, self._names = dict(nested), _targets(wanted) if wanted is not None else []
        try:
            walk.statements.block(function.body) if not simple else walk.statements.quietly(function.body)
        except Return as result:
            return result.value
        finally:
            walk.scope, walk.depth, walk.quiet, walk.around = outer, walk.depth - 1, walk.quiet - simple, around
            self.nested, self._names = nested, names
        return None

    def _due(self, function: ast.FunctionDef, of: str) -> Expr | None:
        """What a function that is meant to be a slope should be; None where it is one, or cannot be told."""
        if function.name not in self.slopes:
            self.slopes[function.name] = None  # also while it is looked at
            with suppress(CellError, Return, TypeError, ValueError, KeyError):
                said = self._walked(function, {arguments(function)[-1].arg: ARGUMENT}, None)
                due = due_for(of, said) if isinstance(said, Expr) else None
                if due is not None:
                    last = function.body[-1]
                    text = self.walk.assigning.source(last)
                    theirs: dict[Expr, Expr] = {ARGUMENT: Name(arguments(function)[-1].arg)}
                    line = Line(last.lineno, last.col_offset + 1, text, function.name, rhs=substitute(said, theirs))
                    self.slopes[function.name] = WrongSlope(line, of, due, substitute(due, theirs))
        found = self.slopes[function.name]
        return found.due if found is not None else None

    def _bound(self, function: ast.FunctionDef, node: ast.Call) -> dict[str, Any]:
        names = [a.arg for a in arguments(function) if a.arg != "self"]
        values: list[Any] = []
        self.wanted = None
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                more = self.walk.values.value(arg.value)
                more = tuple(more.known.values()) if isinstance(more, Items) else more
                values += more if isinstance(more, tuple) else [Outside(name) for name in names[len(values) :]]
            else:
                values.append(self.walk.values.value(arg))
        given = dict(zip(names, values, strict=False))
        given |= {k.arg: self.walk.values.value(k.value) for k in node.keywords if k.arg}
        defaults = dict(zip(names[::-1], function.args.defaults[::-1], strict=False))
        inside: dict[str, Any] = {}
        for name in names:
            if name not in given and name in defaults:
                given[name] = self.walk.values.value(defaults[name])
            value = given.get(name, self.walk.numbers.outside(name))
            # an argument that is a mere name of outside has the function's name for it
            inside[name] = Outside(value.name or name, value.at, value.entry) if isinstance(value, Outside) else value
        return inside

    def _say_arguments(self, inside: dict[str, Any], node: ast.Call) -> None:
        """An argument that is worked out at the call is a line."""
        made = dict(zip(inside, (isinstance(arg, ast.Call | ast.Constant) for arg in node.args), strict=False))
        for name, value in inside.items():
            if value == ZERO and self.walk.time.step is not None and is_error(name) and made.get(name):
                self._zeros_for(name, node)
                inside[name] = Outside(name)
            elif isinstance(value, Expr) and value != ZERO and not isinstance(value, Name) and name[:1] == "d":
                stands = self.walk.assigning.worked_out(name, value, node)
                inside[name] = stands

    def _zeros_for(self, name: str, node: ast.Call) -> None:
        """Zeros in every round of a loop, where an error is due: of a state, it is what the step after hands on."""
        assigning = self.walk.assigning
        assigning.worked_out(name, ZERO, node)
        if state_of(name) and not self.walk.quiet and assigning.lines:
            words = f"zeros are given for {name}: what comes back from step t+1 is due"
            assigning.lines[-1] = replace(assigning.lines[-1], flaw=words)

    # --- what is returned ----------------------------------------------------------------------------------------

    def returned(self, node: ast.expr) -> Any:
        """What a function returns: an expression among it is a line, under the name that it gets at the call."""
        if self.walk.quiet or not isinstance(node, ast.Tuple):
            value = self.walk.values.value(node)
            if self.walk.quiet or isinstance(node, ast.Name) or len(self._names) != 1:
                return value
            return self._said(value, node, self._names[0])
        found = []
        for k, part in enumerate(node.elts):
            if isinstance(part, ast.Starred):
                return self.walk.values.value(node)
            value = self.walk.values.value(part)
            name = self._names[k] if len(self._names) == len(node.elts) else ""
            found.append(self._said(value, part, name))
        return tuple(found)

    def _said(self, value: Any, node: ast.expr, name: str) -> Any:
        plain = isinstance(node, ast.Name | ast.Attribute | ast.Subscript) or not isinstance(value, Expr)
        worked = isinstance(value, Expr) and not isinstance(value, Name)
        if plain or not worked or not re.match(r"d|g|delta|err", name):
            return value
        return self.walk.assigning.worked_out(name, value, node)


def _is_store(value: Any) -> bool:
    return isinstance(value, tuple) or (isinstance(value, Items) and bool(value.known))


def _targets(target: ast.expr) -> list[str]:
    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    return [part.id if isinstance(part, ast.Name) else "" for part in parts]


def _in_docstring(function: ast.FunctionDef) -> list[str]:
    """What a function says that it returns: `returns dx, dh_prev, dc_prev`."""
    text = ast.get_docstring(function) or ""
    found = re.search(r"returns?:?\s+\(?((?:\w+\s*,\s*)+\w+)", text, re.IGNORECASE)
    return re.findall(r"\w+", found[1]) if found else []


def is_simple(function: ast.FunctionDef) -> bool:
    """Whether a function is one expression, and no derivation."""
    body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    if not body or len(body) > 3 or not isinstance(body[-1], ast.Return):
        return False
    return not isinstance(body[-1].value, ast.Tuple | ast.Dict) and not any(isinstance(s, ast.For) for s in body)


def is_usual(function: ast.FunctionDef, spoken: str) -> bool:
    """Whether a function of the file called sigmoid is the sigmoid, told by its text."""
    text = ast.unparse(function).replace(" ", "")
    if spoken == "sigmoid":
        return ("exp(-" in text and "*(1-" not in text) or "expit(" in text or ".sigmoid(" in text
    return f".{spoken}(" in text


def arguments(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
