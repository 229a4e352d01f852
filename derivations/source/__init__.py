"""Python source to cell: `file.py:step`, `file.py:Class`, `notebook.ipynb:function`, read as text and never run.

The function is followed (`follow`), its states and inputs are found (`roles`), packed weights are taken apart
(`blocks`), and what is left is a list of equations in the function's own names. Arrays are read as libraries lay them
out: features along the last axis, so that `x @ W` is a row times a matrix, W.T @ x for the column x.
"""

import ast
from pathlib import Path
from typing import Any

from derivations.cell import Cell, CellError
from derivations.expression import Expr, Name
from derivations.python_operators import Unreadable, place
from derivations.source.follow import Follower
from derivations.source.objects import method_of
from derivations.source.roles import PARAMETERS, STATES, Roles, State, for_function, for_walk
from derivations.source.text import Function, PythonFile, find, open_file, split
from derivations.source.values import ClassOf, Closure, Given, Instance, WalkFound
from derivations.source.written import Written

MOST_ARGUMENTS = 200
METHODS = ("forward", "__call__", "call", "step")


def read_source(name: str) -> Cell:
    """The cell that `file.py:function` computes; without a function, the file's loop over time or its only function.

    Raises:
        CellError: with file, line and column: what cannot be read, and how to write it instead.
    """
    parts = split(name)
    if parts is None:
        raise CellError(f"{name[:80]!r} is no Python file or notebook; write file.py:function")
    return read_file(open_file(Path(parts[0])), parts[1])


def read_file(file: PythonFile, function: str = "") -> Cell:
    """The cell that a function of a file computes."""
    try:
        return _read(file, function)
    except CellError as error:
        raise (error if error.source else file.error(error)) from None
    except (RecursionError, OverflowError):
        raise CellError("the code is nested too deeply", source=file.source) from None


def _read(file: PythonFile, function: str) -> Cell:
    if not function:
        loops = [one for one in file.tree.body if isinstance(one, ast.For)]
        if len(loops) == 1:
            return _top_loop(file, loops[0])
        known = [*file.functions, *file.classes]
        if len(known) != 1:
            said = ", ".join(known[:12]) or "there is none"
            raise CellError(
                f"which function is the step? Write {file.source}:NAME; known are {said}", source=file.source
            )
        function = known[0]
    follower = Follower(file)
    path = find(file, function)
    for part in function.split(".")[:1]:
        follower.ambiguous(part)
    try:
        roles = _follow_function(follower, path)
    except WalkFound:
        roles = for_walk(follower)
    return Written(follower, roles, function.rpartition(".")[2]).cell(function, path[-1])


def _top_loop(file: PythonFile, loop: ast.For) -> Cell:
    follower = Follower(file)
    try:
        follower.statements.statement(loop, follower.module)
    except WalkFound:
        called = f"the loop on {file.placed(loop.lineno)}"
        return Written(follower, for_walk(follower), Path(file.source).stem).cell(called, loop)
    raise CellError("this loop is not over time", *place(loop))


def _follow_function(follower: Follower, path: tuple[Function | ast.ClassDef, ...]) -> Roles:
    """Follow the function to which a path leads, with what it takes as quantities from outside."""
    frame, bound = follower.module, None
    node = path[-1]
    owner = next((one for one in reversed(path) if isinstance(one, ast.ClassDef)), None)
    if owner is not None:
        bound = follower.objects.instance(ClassOf(owner, frame), [], {}, owner)
        if isinstance(node, ast.ClassDef):
            node = _step_of(follower, bound, owner)
        elif any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list):
            bound = None
    assert isinstance(node, ast.FunctionDef)
    follower.check_decorators(node, frame)
    given: list[Given] = []
    values: list[Any] = []
    taken = [*node.args.posonlyargs, *node.args.args]
    if len(taken) + len(node.args.kwonlyargs) > MOST_ARGUMENTS:
        raise Unreadable(f"{node.name} takes more than {MOST_ARGUMENTS} arguments", *place(node))
    for arg in taken[1:] if bound is not None else taken:
        values.append(_argument(follower, node, arg, given))
    keywords = {arg.arg: _argument(follower, node, arg, given) for arg in node.args.kwonlyargs}
    before = dict(bound.attributes) if bound is not None else {}
    returned = follower.calls.follow(Closure(node, frame, bound), values, keywords, node)
    changed = _changed(follower, bound, before) if bound is not None else []
    if returned is None and not changed:
        raise Unreadable(f"{node.name} returns nothing; return the new states", *place(node))
    ends = [one for one in ast.walk(node) if isinstance(one, ast.Return)]
    returned = _named(follower, returned, place(ends[-1] if ends else node))
    return for_function(
        follower, given, returned, place(node), method=bound is not None, changed=changed, called=node.name
    )


def _step_of(follower: Follower, bound: Instance, owner: ast.ClassDef) -> Function:
    for name in METHODS:
        found = method_of(bound, name, follower)
        if found and isinstance(found.node, ast.FunctionDef):
            return found.node
    raise CellError(f"{owner.name} has no method {', '.join(METHODS)}; write {owner.name}.NAME", *place(owner))


def _argument(follower: Follower, node: Function, arg: ast.arg, given: list[Given]) -> Any:
    """An argument is given from outside; one with a default that is no state has its default."""
    positional = [*node.args.posonlyargs, *node.args.args]
    defaults: dict[str, ast.expr | None] = {
        one.arg: value
        for one, value in zip(positional[len(positional) - len(node.args.defaults) :], node.args.defaults, strict=True)
    }
    defaults |= {one.arg: value for one, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)}
    default = defaults.get(arg.arg)
    if default is not None and not (
        isinstance(default, ast.Constant)
        and default.value is None
        and (STATES.fullmatch(arg.arg) or PARAMETERS.fullmatch(arg.arg))
    ):
        follower.notes[f"The argument {arg.arg} has its default, {ast.unparse(default)[:40]}"] = None
        return follower.operand(default, follower.module)
    found = follower.give(arg.arg, "argument", place(arg))
    given.append(follower.given[found.id])
    return found


def _changed(follower: Follower, bound: Instance, before: dict[str, Any]) -> list[State]:
    """Attributes of self that the step reads and assigns: a state that the module keeps."""
    found = []
    for name in bound.first:
        old, new = before.get(name), bound.attributes.get(name)
        if isinstance(old, Name) and isinstance(new, Expr) and old.id in follower.given and new != old:
            found.append(State(follower.given[old.id], new))
    return found


def _named(follower: Follower, value: Any, at: tuple[int, int]) -> Any:
    """What is returned, with a definition for what has no name."""
    if isinstance(value, dict):
        return {key: _named(follower, one, at) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_named(follower, one, at) for one in value]
    if isinstance(value, Expr) and not isinstance(value, Name):
        return follower.define(value, at)
    return value
