"""Calls within code that is followed: the file's own functions are followed, what else is called is looked up."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from derivations.expression import Expr, Name
from derivations.python_functions import SHAPES_ONLY, library
from derivations.python_operators import Unreadable, chosen, place, quantity
from derivations.pythonic import dotted
from derivations.source.expressions import root_is_free
from derivations.source.libraries import FORBIDDEN, OUTSIDE, PIECES
from derivations.source.objects import declared, method_of
from derivations.source.pieces import lengths
from derivations.source.values import (
    MOST_DEEP,
    ClassOf,
    Closure,
    Frame,
    Instance,
    Layer,
    Library,
    Partial,
    Refused,
    Unread,
    last_part,
)

if TYPE_CHECKING:
    from derivations.source.follow import Follower


class Calls:
    """Follows calls for one `Follower`."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower

    def call(self, node: ast.Call, frame: Frame) -> Any:

        func = node.func
        free = (
            isinstance(func, ast.Name) and frame.find(func.id) is None and func.id not in self.follower.file.functions
        )
        if isinstance(func, ast.Name) and free and func.id in FORBIDDEN:
            raise Refused(f"{func.id}(...) would run or open something; nothing is run here: write the step alone")
        if isinstance(func, ast.Attribute):
            root: ast.expr = func
            while isinstance(root, ast.Attribute):
                root = root.value
            called = isinstance(root, ast.Name) and frame.find(root.id) is None and root.id
            if called and self.follower.file.aliases.get(called, called).partition(".")[0] in OUTSIDE:
                said = ast.unparse(func)[:40]
                raise Refused(f"{said}(...) reaches out of the code; nothing is run here: write the step alone")
        known = last_part(func) == "where" and (not isinstance(func, ast.Name) or free)
        if known and len(node.args) == 3 and isinstance(node.args[0], ast.Compare):
            yes, no = (quantity(self.follower.value(arg, frame)) for arg in node.args[1:])
            return chosen(node.args[0], yes, no, lambda one: quantity(self.follower.value(one, frame)))
        args, keywords = self.arguments(node, frame)
        if isinstance(func, ast.Attribute):
            full = dotted(func, self.follower.file.aliases) if root_is_free(func, frame) else ""
            if not full:
                owner = self.follower.used(self.follower.value(func.value, frame))
                return self.method(owner, func.attr, args, keywords, node)
        return self.apply(self.follower.value(func, frame), args, keywords, node)

    def arguments(self, node: ast.Call, frame: Frame) -> tuple[list[Any], dict[str, Any]]:
        args: list[Any] = []
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                many = self.follower.value(arg.value, frame)
                if not isinstance(many, (list, tuple)):
                    raise Unreadable("a star before something unknown; write the arguments out", *place(arg))
                args += many
            else:
                args.append(self.follower.operand(arg, frame))
        keywords: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.follower.operand(keyword.value, frame)
            if keyword.arg is None:
                keywords |= value if isinstance(value, dict) else {}
            else:
                keywords[keyword.arg] = value
        return args, keywords

    def method(self, owner: Any, name: str, args: list[Any], keywords: dict[str, Any], node: ast.Call) -> Any:
        if isinstance(owner, Instance):
            own = method_of(owner, name, self.follower)
            if own is None and name in ("param", "add_weight", "variable") and name not in owner.attributes:
                said = args[0] if args and isinstance(args[0], str) else keywords.get("name")
                if isinstance(said, str):
                    return self.follower.parameter(said, place(node), lengths(keywords.get("shape")))
            if own is None and name not in owner.attributes and not declared(owner, name):
                raise Unreadable(f"self.{name[:40]} is not in this file; write what it computes")
            return self.apply(own or self.follower.objects.of_instance(owner, name, node), args, keywords, node)
        if isinstance(owner, dict):
            if name in ("items", "keys", "values"):
                return [list(pair) for pair in owner.items()] if name == "items" else list(getattr(owner, name)())
            if name in ("get", "pop") and args and isinstance(args[0], str):
                return owner.get(args[0], args[1] if len(args) > 1 else None)
        if isinstance(owner, Expr):
            if name in ("size", "shape"):
                return (
                    self.follower.expressions.subscript(self.follower.pieces.shape(owner), args[0], node)
                    if args
                    else self.follower.pieces.shape(owner)
                )
            if name in PIECES:
                return self.follower.pieces.pieces("torch", name, [owner, *args], keywords)
            if name in ("append", "register_parameter"):
                raise Unreadable(f".{name} of this is not read")
            if name in SHAPES_ONLY:
                return library(name, [owner, *args], keywords)
            clean = {key: self.follower.used(value) for key, value in keywords.items()}
            first = [value.name if isinstance(value, Library) else value for value in map(self.follower.used, args)]
            return library(name, [owner, *first], clean)
        if isinstance(owner, Library) and owner.last == "at":
            raise Unreadable("a part of an array is set; give it a name of its own")
        return self.apply(self.follower.expressions.attribute_of(owner, name, node), args, keywords, node)

    def apply(self, callee: Any, args: list[Any], keywords: dict[str, Any], node: ast.Call) -> Any:
        match callee:
            case Closure():
                return self.follow(callee, args, keywords, node)
            case Partial(function, before, named):
                return self.apply(function, [*before, *args], {**named, **keywords}, node)
            case Library():
                return self.follower.libraries.library_call(callee, args, keywords, node)
            case Layer():
                return self.follower.objects.layer_call(callee, args, node)
            case ClassOf():
                return self.follower.objects.instance(callee, args, keywords, node)
            case Instance():
                for name in ("__call__", "forward", "call"):
                    if method := method_of(callee, name, self.follower):
                        return self.follow(method, args, keywords, node)
            case Unread(error):
                raise error
            case Name(id) if id in self.follower.given:
                name = self.follower.given[id].name
                raise Unreadable(f"{name} is called, but not defined in this file; give it a default, or write it out")
        raise Unreadable(f"{ast.unparse(node.func)[:40]} cannot be called here")

    def follow(self, closure: Closure, args: Sequence[Any], keywords: Mapping[str, Any], node: ast.AST) -> Any:
        """A function of the file, inlined."""
        function = closure.node
        if function in self.follower.active:
            raise Unreadable(f"{getattr(function, 'name', 'a lambda')} calls itself; a cell is one step")
        if len(self.follower.active) >= MOST_DEEP:
            raise Unreadable(f"calls within calls, deeper than {MOST_DEEP}; write the step out")
        given = [closure.bound, *args] if closure.bound is not None else list(args)
        frame = Frame({}, closure.frame, len(self.follower.active))
        self.bind_arguments(function.args, given, dict(keywords), frame, closure, node)
        self.follower.active.append(function)
        try:
            if isinstance(function, ast.Lambda):
                return self.follower.value(function.body, frame)
            returned = self.follower.statements.block(function.body, frame)
        finally:
            self.follower.active.pop()
        return returned.value if returned else None

    def bind_arguments(
        self,
        wanted: ast.arguments,
        given: list[Any],
        keywords: dict[str, Any],
        frame: Frame,
        closure: Closure,
        node: ast.AST,
    ) -> None:
        names = [arg.arg for arg in (*wanted.posonlyargs, *wanted.args)]
        defaults = dict(zip(names[len(names) - len(wanted.defaults) :], wanted.defaults, strict=True))
        defaults |= {a.arg: d for a, d in zip(wanted.kwonlyargs, wanted.kw_defaults, strict=True) if d is not None}
        for name, value in zip(names, given, strict=False):
            self.follower.bind(frame, name, value, place(node), spare=True)
        if len(given) > len(names):
            if not wanted.vararg:
                raise Unreadable(f"{len(given)} arguments where {len(names)} are taken")
            frame.names[wanted.vararg.arg] = given[len(names) :]
        elif wanted.vararg:
            frame.names[wanted.vararg.arg] = []
        every = [*names, *(arg.arg for arg in wanted.kwonlyargs)]
        for name in every[len(given) :] if len(given) <= len(names) else every[len(names) :]:
            if name in keywords:
                self.follower.bind(frame, name, keywords.pop(name), place(node), spare=True)
            elif name in defaults:
                frame.names[name] = self.follower.operand(defaults[name], closure.frame)
            else:
                raise Unreadable(f"the argument {name} is missing")
        if wanted.kwarg:
            frame.names[wanted.kwarg.arg] = keywords
        elif keywords:
            raise Unreadable(f"there is no argument {next(iter(keywords))[:40]}")
