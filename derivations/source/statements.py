"""Statements in code that is followed, one after another: branches that are decided, loops over time."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from derivations.expression import Name
from derivations.python_operators import Unreadable, binary, place
from derivations.source.loops import Loop, walk_over
from derivations.source.values import (
    MOST_STEPS,
    Closure,
    Dead,
    Frame,
    Instance,
    Refused,
    Returned,
    Unread,
    WalkFound,
)

SCOPES = ("named_scope", "autocast", "record_function", "name_scope", "enable_grad", "set_grad_enabled")
HELD = ("no_grad", "inference_mode")

if TYPE_CHECKING:
    from derivations.source.follow import Follower


class Statements:
    """Follows statements into one `Follower`."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower

    def block(self, body: Sequence[ast.stmt], frame: Frame) -> Returned | None:
        for statement in body:
            self.follower.steps += 1
            if self.follower.steps > MOST_STEPS:
                raise Refused("this computes too much to be followed; give the step alone", *place(statement))
            try:
                found = self.statement(statement, frame)
            except Unreadable as error:
                if isinstance(error, Refused) or not self.follower.building:
                    raise type(error)(
                        error.message, *((error.line, error.column) if error.line else place(statement))
                    ) from None
                self._skipped(statement, frame, error)
                continue
            if found is not None:
                return found
        return None

    def _skipped(self, statement: ast.stmt, frame: Frame, error: Unreadable) -> None:
        """In a constructor much is of no concern to a step; what it assigns is unread until it is used."""
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                frame.names[node.id] = Unread(error)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                owner = frame.find(node.value.id) if isinstance(node.value, ast.Name) else None
                instance = owner.names[node.value.id] if owner and isinstance(node.value, ast.Name) else None
                if isinstance(instance, Instance):
                    instance.attributes.pop(node.attr, None)
                    if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
                        instance.attributes[node.attr] = Unread(error)

    def statement(self, node: ast.stmt, frame: Frame) -> Returned | None:
        match node:
            case ast.Assign(targets=targets, value=expr):
                value = self.follower.assigning.assigned_value(targets[0], expr, frame)
                for target in targets:
                    self.follower.assigning.assign(target, value, frame)
            case ast.AnnAssign(target=target, value=expr):
                if expr is not None:
                    self.follower.assigning.assign(
                        target, self.follower.assigning.assigned_value(target, expr, frame), frame
                    )
            case ast.AugAssign(target=target, op=op, value=expr):
                now = self.follower.value(ast.copy_location(_loaded(target), node), frame)
                if isinstance(now, Name) and isinstance(target, ast.Name) and (twin := _twin(frame, target.id, now)):
                    said = f"{target.id} and {twin} are one array, which this changes in place"
                    raise Unreadable(f"{said}; write {target.id} = {target.id} + ...", *place(node))
                more = self.follower.value(expr, frame)
                if isinstance(now, list) and isinstance(more, (list, tuple)) and isinstance(op, ast.Add):
                    self.follower.assigning.assign(target, [*now, *more], frame)
                else:
                    self.follower.assigning.assign(target, binary(op, now, more), frame)
            case ast.Return(value=expr):
                return Returned(self.follower.value(expr, frame) if expr else None, place(node))
            case ast.If():
                return self.branch(node, frame)
            case ast.For():
                return self.for_loop(node, frame)
            case ast.With():
                return self.with_block(node, frame)
            case ast.Expr(value=expr):
                self.bare(expr, frame)
            case ast.FunctionDef():
                self.follower.check_decorators(node, frame)
                frame.names[node.name] = Closure(node, frame)
            case ast.Raise():
                raise Dead("the code raises an error here", *place(node))
            case ast.Pass() | ast.Assert() | ast.Global() | ast.Nonlocal() | ast.Import() | ast.ImportFrom():
                pass
            case ast.Delete(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        frame.names.pop(target.id, None)
            case ast.While():
                raise Unreadable("a while loop is not read; write `for x in X` over time, or the step alone")
            case ast.Try():
                raise Unreadable("try is not read; write the step alone")
            case _:
                raise Unreadable(f"{type(node).__name__} is not read; write assignments and a return")
        return None

    def bare(self, expr: ast.expr, frame: Frame) -> None:
        """An expression as a statement: a docstring, a print, `outputs.append(h)`."""
        if isinstance(expr, ast.Constant):
            return
        if isinstance(expr, ast.Call):
            name = ast.unparse(expr.func)
            if name == "print" or name.startswith(("warnings.", "logging.", "logger.", "super()")):
                return
            if isinstance(expr.func, ast.Attribute) and expr.func.attr in ("append", "extend"):
                owner = self.follower.value(expr.func.value, frame)
                if isinstance(owner, list) and len(expr.args) == 1:
                    added = self.follower.value(expr.args[0], frame)
                    owner.extend(added if expr.func.attr == "extend" else [added])
                    return
            if isinstance(expr.func, ast.Attribute) and expr.func.attr.endswith("_"):
                plain = expr.func.attr.rstrip("_")
                raise Unreadable(
                    f"{expr.func.attr} changes its object in place; write x = x.{plain}(...)", *place(expr)
                )
            if isinstance(expr.func, ast.Attribute) and expr.func.attr == "register_buffer" and self.follower.building:
                owner = self.follower.value(expr.func.value, frame)
                if isinstance(owner, Instance) and isinstance(expr.args[0], ast.Constant):
                    owner.attributes[str(expr.args[0].value)] = self.follower.parameter(
                        str(expr.args[0].value), place(expr)
                    )
                return
        self.follower.value(expr, frame)

    def branch(self, node: ast.If, frame: Frame) -> Returned | None:
        decided = self.follower.conditions.truth(node.test, frame)
        if decided is not None:
            self.said(node.test, decided)
            return self.block(node.body if decided else node.orelse, frame)
        if _only_raises(node.body):
            return self.block(node.orelse, frame)
        if _only_raises(node.orelse):
            return self.block(node.body, frame)
        raise Unreadable(
            f"it is not known whether `{ast.unparse(node.test)[:60]}` holds; give it a default, or keep one branch",
            *place(node.test),
        )

    def said(self, test: ast.expr, decided: bool) -> None:
        """Which branch is followed is part of what the reader is told."""
        if not self.follower.building and not isinstance(test, ast.Constant):
            at, said = self.follower.file.placed(test.lineno), ast.unparse(test)[:60]
            self.follower.notes[f"On {at} `{said}` is taken as {str(decided).lower()}"] = None

    def with_block(self, node: ast.With, frame: Frame) -> Returned | None:
        names = [
            ast.unparse(
                item.context_expr.func if isinstance(item.context_expr, ast.Call) else item.context_expr
            ).rpartition(".")[2]
            for item in node.items
        ]
        for name, item in zip(names, node.items, strict=True):
            if name not in SCOPES + HELD:
                raise Refused(
                    f"with {name[:40]}: nothing is opened or run here; write the step alone", *place(item.context_expr)
                )
        held = any(name in HELD for name in names)
        self.follower.held += held
        found = self.block(node.body, frame)
        self.follower.held -= held
        return found

    def for_loop(self, node: ast.For, frame: Frame) -> Returned | None:
        over = walk_over(self.follower, node.iter, frame)
        if isinstance(over, (list, tuple, dict)):
            for item in list(over):
                self.follower.assigning.assign(node.target, item, frame)
                found = self.block(node.body, frame)
                if found is not None:
                    return found
            return None
        if any(word in ast.unparse(node.target) + ast.unparse(node.iter) for word in ("layer", "depth", "block")):
            raise Unreadable("a loop over layers; give the step of one", *place(node))
        if self.follower.loop is not None:
            raise Unreadable("a loop over time within a loop over time; write the step alone", *place(node))
        if self.follower.building:
            raise Unreadable("a loop over something unknown")
        self.follower.loop = Loop(node, frame)
        self.follower.walked = self.follower.loop.followed(self.follower, over)
        self.follower.loop = None
        raise WalkFound(f"the loop over time on line {node.lineno} is the step")


def _loaded(target: ast.expr) -> ast.expr:
    """The target of `x += 1` as the value that it has."""
    match target:
        case ast.Name(id=name):
            return ast.Name(name, ast.Load())
        case ast.Attribute(value=value, attr=attr):
            return ast.Attribute(value, attr, ast.Load())
        case ast.Subscript(value=value, slice=index):
            return ast.Subscript(value, index, ast.Load())
    return target


def _twin(frame: Frame, name: str, value: Name) -> str:
    """Another name that the frame has for the same quantity."""
    return next((other for other, held in frame.names.items() if other != name and held == value), "")


def _only_raises(body: Sequence[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Raise) and all(not isinstance(one, ast.Return) for one in body)
