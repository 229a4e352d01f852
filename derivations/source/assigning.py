"""Assignments in code that is followed: to names, attributes and entries, and values that are taken apart."""

from __future__ import annotations

import ast
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from derivations.expression import Expr, Name, Num
from derivations.python_operators import Unreadable, described, multiplied, place
from derivations.source.expressions import time_of
from derivations.source.libraries import BUILTINS, FORBIDDEN
from derivations.source.values import (
    Block,
    Extent,
    Frame,
    Instance,
    Layer,
    Refused,
    ShapeOf,
    Split,
    Unread,
)

if TYPE_CHECKING:
    from derivations.source.follow import Follower


class Assigning:
    """Assigns for one `Follower`."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower

    def assigned_value(self, target: ast.expr, expr: ast.expr, frame: Frame) -> Any:
        """The value of a right-hand side. In a constructor what is made for `self.follower.W` is a parameter."""
        attribute = target.attr if isinstance(target, ast.Attribute) and self.follower.building else ""
        try:
            value = self.follower.value(expr, frame)
        except Refused:
            raise
        except Unreadable as error:
            if attribute and isinstance(expr, (ast.Call, ast.IfExp, ast.BinOp)):
                return self.follower.parameter(attribute, place(expr), self.follower.pieces.shape_given(expr, frame))
            if not self.follower.building and isinstance(expr, ast.Call) and _of_self(expr.func):
                return Unread(error)  # of a base class in another file; it may be meant for training only
            raise
        made = isinstance(expr, ast.Call) and not (
            isinstance(expr.func, ast.Name) and expr.func.id in BUILTINS | FORBIDDEN
        )
        if attribute and made and isinstance(value, Expr) and not isinstance(value, Name):
            return self.follower.parameter(attribute, place(expr), self.follower.pieces.shape_given(expr, frame))
        if attribute and isinstance(value, Layer) and not value.name:
            value = Layer(value.kind, value.args, value.keywords, attribute)
        if attribute and isinstance(value, Instance) and not value.prefix:
            self.follower.objects.prefix(value, f"{attribute}_")
        return value

    def assign(self, target: ast.expr, value: Any, frame: Frame) -> None:
        match target:
            case ast.Name(id=name):
                self.follower.bind(frame, name, value, place(target))
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                for one, item in zip(targets, self.unpacked(value, len(targets), target), strict=True):
                    self.assign(one, item, frame)
            case ast.Attribute(value=owner, attr=attr):
                instance = self.follower.value(owner, frame)
                if not isinstance(instance, Instance):
                    raise Unreadable(
                        "an attribute of something else than self is assigned; return the value", *place(target)
                    )
                if not self.follower.building and attr not in instance.first:
                    instance.first[attr] = instance.attributes.get(attr)
                holder = Frame(instance.attributes, depth=frame.depth)
                self.follower.bind(holder, attr, value, place(target))
            case ast.Subscript(value=owner, slice=index):
                self.store(owner, index, value, frame)
            case _:
                raise Unreadable("only names are assigned to; write a, b = ...", *place(target))

    def store(self, owner: ast.expr, index: ast.expr, value: Any, frame: Frame) -> None:
        holder, key = self.follower.value(owner, frame), self.follower.expressions.key(index, frame)
        if isinstance(holder, dict) and isinstance(key, (str, Num)):
            holder[key] = value
            return
        at = time_of(key)
        if at is not None and self.follower.loop is not None and isinstance(owner, ast.Name):
            self.follower.loop.write(owner.id, at, value, self.follower, place(owner))
            return
        if isinstance(holder, Num) and self.follower.loop is None and isinstance(key, Num):
            return  # `hs[0] = h0` in an array of zeros: an initial state
        raise Unreadable("a part of an array is assigned; give it a name of its own, and concatenate", *place(owner))

    def unpacked(self, value: Any, count: int, node: ast.AST) -> list[Any]:
        """A value as so many."""
        if isinstance(value, dict):
            value = list(value)
        if isinstance(value, (list, tuple)):
            if len(value) != count:
                raise Unreadable(f"{count} names for {len(value)} values", *place(node))
            return list(value)
        if isinstance(value, Unread):
            raise value.error
        if isinstance(value, ShapeOf):
            return [value.known[k] if k < len(value.known) else Extent(value.of) for k in range(count)]
        if isinstance(value, Split):
            sizes = [multiplied(Num(Fraction(k)), value.size) if k else None for k in range(count + 1)]
            return [Block(value.arg, self.follower.pieces.cut(a, b, value.axis)) for a, b in pairwise(sizes)]
        if isinstance(value, Name) and value.id in self.follower.given:
            return [
                self.follower.give(
                    f"{self.follower.given[value.id].name}[{k}]",
                    self.follower.given[value.id].origin,
                    place(node),
                    value.id,
                    k,
                )
                for k in range(count)
            ]
        if isinstance(value, Expr):
            raise Unreadable("this is one value; split it first, as in chunk(4, -1)", *place(node))
        raise Unreadable(f"{described(value)} cannot be taken apart", *place(node))


def _of_self(func: ast.expr) -> bool:
    return isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id == "self"
