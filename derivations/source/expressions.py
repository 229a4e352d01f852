"""Expressions in code that is followed: what each is, with quantities in the place of numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from derivations.expression import Expr, Name, Num
from derivations.python_functions import FUNCTION_ROWS
from derivations.python_operators import Unreadable, binary, described, left_chain, literal, place, transposed, unary
from derivations.pythonic import dotted, no_value
from derivations.source.libraries import BUILTINS, FORBIDDEN
from derivations.source.loops import walk_over
from derivations.source.values import (
    MOST_STEPS,
    ClassOf,
    Closure,
    Extent,
    Frame,
    Index,
    Instance,
    Layer,
    Library,
    Refused,
    ShapeOf,
    Unread,
    same_value,
)

if TYPE_CHECKING:
    from derivations.source.follow import Follower

WELL_KNOWN = ("sigmoid", "tanh", "exp", "log", "sqrt", "softplus", "relu", "softmax")  # in code without its imports


class Expressions:
    """Reads expressions for one `Follower`."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower

    def value(self, node: ast.expr, frame: Frame) -> Any:
        self.follower.steps += 1
        if self.follower.steps > MOST_STEPS:
            raise Refused("this computes too much to be followed; give the step alone", *place(node))
        try:
            return self.read(node, frame)
        except Unreadable as error:
            raise error if error.line else type(error)(error.message, *place(node)) from None

    def operand(self, node: ast.expr, frame: Frame) -> Any:
        try:
            return self.value(node, frame)
        except Refused:
            raise
        except Unreadable as error:
            return Unread(error)

    def used(self, value: Any) -> Any:
        if isinstance(value, Unread):
            raise value.error
        return value

    def read(self, node: ast.expr, frame: Frame) -> Any:
        match node:
            case ast.Constant(value=None | bool() | str() as plain):
                return plain
            case ast.Constant(value=number):
                return literal(number)
            case ast.Name(id=name):
                return self.named(name, frame, node)
            case ast.Attribute():
                return self.attribute(node, frame)
            case ast.Subscript(value=owner, slice=index):
                return self.subscript(self.value(owner, frame), self.key(index, frame), owner)
            case ast.Call():
                return self.follower.calls.call(node, frame)
            case ast.BinOp():
                first, rest = left_chain(node)
                result = self.value(first, frame)
                for operator, operand in rest:
                    other = self.value(operand, frame)
                    if (
                        isinstance(result, (list, tuple))
                        and isinstance(other, (list, tuple))
                        and isinstance(operator, ast.Add)
                    ):
                        result = [*result, *other]
                    elif (
                        isinstance(result, Index)
                        and isinstance(other, Num)
                        and isinstance(operator, (ast.Add, ast.Sub))
                    ):
                        by = int(other.value)
                        result = Index(result.offset + (by if isinstance(operator, ast.Add) else -by))
                    else:
                        result = binary(operator, self.used(result), self.used(other))
                return result
            case ast.UnaryOp(op=ast.Not()):
                decided = self.follower.conditions.truth(node, frame)
                if decided is None:
                    raise Unreadable("it is not known whether this holds; keep one branch")
                return decided
            case ast.UnaryOp(op=op, operand=operand):
                return unary(op, self.used(self.value(operand, frame)))
            case ast.IfExp(test=test, body=yes, orelse=no):
                decided = self.follower.conditions.truth(test, frame)
                if decided is None:
                    first, second = self.value(yes, frame), self.value(no, frame)
                    if same_value(first, second):
                        return first
                    raise Unreadable(f"it is not known whether `{ast.unparse(test)[:60]}` holds; keep one of the two")
                self.follower.statements.said(test, decided)
                return self.value(yes if decided else no, frame)
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return [(self.operand if self.follower.building else self.value)(item, frame) for item in items]
            case ast.Dict(keys=keys, values=values) if all(
                isinstance(k, ast.Constant) and isinstance(k.value, str) for k in keys
            ):
                return {
                    k.value: self.value(v, frame)
                    for k, v in zip(keys, values, strict=True)
                    if isinstance(k, ast.Constant)
                }
            case ast.ListComp(elt=elt, generators=[one]) | ast.GeneratorExp(elt=elt, generators=[one]) if not one.ifs:
                return [self.value(elt, inner) for inner in self.comprehended(one, frame)]
            case ast.DictComp(key=key, value=item, generators=[one]) if not one.ifs:
                return {str(self.value(key, inner)): self.value(item, inner) for inner in self.comprehended(one, frame)}
            case ast.Compare() | ast.BoolOp():
                decided = self.follower.conditions.truth(node, frame)
                if decided is None:
                    raise Unreadable(no_value(node))
                return decided
            case ast.Lambda():
                return Closure(node, frame)
            case ast.JoinedStr(values=pieces):
                return "".join(self.text(piece, frame) for piece in pieces)
        raise Unreadable(no_value(node))

    def text(self, node: ast.expr, frame: Frame) -> str:
        inner = self.value(node.value if isinstance(node, ast.FormattedValue) else node, frame)
        if isinstance(inner, Num):
            return str(inner.value)
        if not isinstance(inner, str):
            raise Unreadable("this text is not known here")
        return inner

    def comprehended(self, one: ast.comprehension, frame: Frame) -> Iterator[Frame]:
        over = walk_over(self.follower, one.iter, frame)
        if not isinstance(over, (list, tuple, dict)):
            raise Unreadable("a comprehension over something unknown; write the equations out", *place(one.iter))
        for item in list(over):
            inner = Frame({}, frame, frame.depth)
            self.follower.assigning.assign(one.target, item, inner)
            yield inner

    def named(self, name: str, frame: Frame, node: ast.AST) -> Any:
        if name == "None":
            return None
        if (
            self.follower.loop is not None
            and (found := self.follower.loop.read(self.follower, name, frame, node)) is not None
        ):
            return found
        holder = frame.find(name)
        if holder is not None:
            return self.used(holder.names[name])
        if name in self.follower.file.functions:
            self.follower.ambiguous(name)
            self.follower.check_decorators(self.follower.file.functions[name], self.follower.module)
            return Closure(self.follower.file.functions[name], self.follower.module)
        if name in self.follower.file.classes:
            self.follower.ambiguous(name)
            return ClassOf(self.follower.file.classes[name], self.follower.module)
        if constant := self.follower.libraries.constant_global(name):
            return constant
        star = self.follower.file.aliases.get("*", "")
        if star and name in FUNCTION_ROWS and name not in self.follower.libraries.globals:
            return Library(f"{star.removesuffix('*')}{name}")
        if name in self.follower.file.aliases and name not in self.follower.libraries.globals:
            return Library(self.follower.file.aliases[name])
        if name in BUILTINS | FORBIDDEN:
            return Library(f"builtins.{name}")
        if name in WELL_KNOWN and name not in self.follower.libraries.globals:
            self.follower.notes[f"The name {name} is not defined in the file; it is read as the function"] = None
            return Library(f"math.{name}")
        value = self.follower.give(name, "parameter", place(node))
        self.follower.module.names[name] = value
        return value

    def attribute(self, node: ast.Attribute, frame: Frame) -> Any:
        full = dotted(node, self.follower.file.aliases) if root_is_free(node, frame) else ""
        if full:
            return self.follower.libraries.library_value(full)
        return self.attribute_of(self.value(node.value, frame), node.attr, node)

    def attribute_of(self, owner: Any, attr: str, node: ast.AST) -> Any:
        match owner:
            case Instance():
                return self.follower.objects.of_instance(owner, attr, node)
            case Library(name):
                return self.follower.libraries.library_value(f"{name}.{attr}")
            case Layer():
                return self.follower.objects.layer_parameter(owner, attr, node)
            case Unread(error):
                raise error
            case Expr():
                if attr in ("T", "mT"):
                    return transposed(owner)
                if attr in ("data", "value"):
                    return owner
                if attr in ("shape", "size"):
                    return self.follower.pieces.shape(owner)
                if attr in ("dtype", "device", "ndim", "weak_type", "sharding"):
                    return Library(f"unknown.{attr}")
                if attr in ("at", "real", "imag", "flat", "iloc"):
                    raise Unreadable(f".{attr} is not read; write what it computes")
                if (
                    isinstance(owner, Name)
                    and owner.id in self.follower.given
                    and self.follower.given[owner.id].origin in ("argument", "parameter", "option", "carried")
                ):
                    return self.follower.give(attr, self.follower.given[owner.id].origin, place(node), owner.id, attr)
        raise Unreadable(f"the attribute {attr[:40]} has no meaning here")

    def key(self, node: ast.expr, frame: Frame) -> Any:
        """An index: a number, a string, the step, a slice, or several."""
        match node:
            case ast.Slice(lower=lower, upper=upper, step=None):
                return slice(*(self.value(end, frame) if end else None for end in (lower, upper)))
            case ast.Slice():
                raise Unreadable("a slice with a step is not read; split by chunk")
            case ast.Constant(value=plain) if plain is ...:
                return ...
            case ast.Tuple(elts=items):
                return tuple(self.key(item, frame) for item in items)
        return self.value(node, frame)

    def subscript(self, owner: Any, key: Any, node: ast.expr) -> Any:
        owner = self.used(owner)
        at = time_of(key)
        if at is not None and self.follower.loop is not None and isinstance(node, ast.Name):
            return self.follower.loop.at(self.follower, node.id, owner, at, place(node))
        if at is not None and isinstance(owner, Expr) and self.follower.loop is not None:
            return self.follower.loop.step_of(self.follower, owner, at, place(node))
        if isinstance(owner, ShapeOf):
            if isinstance(key, Num) and -len(owner.known) <= key.value < len(owner.known):
                return owner.known[int(key.value)]
            return Extent(owner.of) if isinstance(key, Num) else Library("unknown.shape")
        if isinstance(owner, dict):
            if key in owner:
                return owner[key]
            raise Unreadable(f"there is no {str(key)[:40]!r} in it")
        if isinstance(owner, (list, tuple)):
            if isinstance(key, slice):
                ends = [int(end.value) if isinstance(end, Num) else None for end in (key.start, key.stop)]
                if all(
                    (end is None) == (known is None) for end, known in zip((key.start, key.stop), ends, strict=True)
                ):
                    return list(owner)[ends[0] : ends[1]]
            if isinstance(key, Num) and key.value.denominator == 1 and -len(owner) <= key.value < len(owner):
                return owner[int(key.value)]
            raise Unreadable("this index is out of range, or unknown")
        if isinstance(owner, Expr):
            return self.follower.pieces.part(owner, key, node)
        raise Unreadable(f"{described(owner)} has no elements")


def root_is_free(node: ast.expr, frame: Frame) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and frame.find(node.id) is None


def time_of(key: Any) -> int | None:
    """The step in `x[t]`, `x[:, t]`, `x[t, :]`."""
    if isinstance(key, Index):
        return key.offset
    if isinstance(key, tuple):
        steps = [one.offset for one in key if isinstance(one, Index)]
        rest = [one for one in key if not isinstance(one, Index)]
        if len(steps) == 1 and all(one is ... or one == slice(None, None) for one in rest):
            return steps[0]
    return None
