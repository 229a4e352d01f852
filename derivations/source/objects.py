"""Objects of classes of the file, and layers of libraries: what their constructors say, and what they hold."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from derivations.expression import Name
from derivations.python_operators import Unreadable, place
from derivations.source.layers import applied, has_bias
from derivations.source.values import (
    MOST_DEEP,
    ClassOf,
    Closure,
    Frame,
    Instance,
    Layer,
    Unread,
    last_part,
)

if TYPE_CHECKING:
    from derivations.source.follow import Follower


class Objects:
    """Makes objects for one `Follower`."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.layer_parameters: dict[tuple[Layer, str], Name] = {}

    def instance(
        self, made: ClassOf, args: list[Any], keywords: dict[str, Any], node: ast.AST, *, asked: bool = False
    ) -> Instance:
        """An object of a class of the file: its constructor is followed as far as it speaks of parameters."""
        if made.node in self.follower.active or len(self.follower.active) >= MOST_DEEP:
            raise Unreadable(f"{made.node.name} holds itself")
        found = Instance(made.node, made.frame, {})
        self.follower.active.append(made.node)
        self.follower.building += 1
        try:
            for name in ("__init__", "setup", "build"):
                method = method_of(found, name, self.follower)
                if method is None or not isinstance(method.node, ast.FunctionDef):
                    continue
                frame = Frame({}, method.frame, len(self.follower.active))
                self.constructor_arguments(method.node.args, found, args if name == "__init__" else [], keywords, frame)
                self.follower.statements.block(method.node.body, frame)
            if method_of(found, "__init__", self.follower) is None:
                fields = [
                    one.target.id
                    for one in made.node.body
                    if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
                ]
                found.attributes |= {
                    **dict(zip(fields, args, strict=False)),
                    **{k: v for k, v in keywords.items() if k in fields},
                }
        finally:
            self.follower.building -= 1
            self.follower.active.pop()
        found.first.clear()
        return found

    def constructor_arguments(
        self, wanted: ast.arguments, found: Instance, args: list[Any], keywords: dict[str, Any], frame: Frame
    ) -> None:
        """Arguments that have no value are lengths and the like, known by their names."""
        names = [arg.arg for arg in (*wanted.posonlyargs, *wanted.args)]
        defaults = dict(zip(names[len(names) - len(wanted.defaults) :], wanted.defaults, strict=True))
        defaults |= {a.arg: d for a, d in zip(wanted.kwonlyargs, wanted.kw_defaults, strict=True) if d is not None}
        frame.names.update(zip(names, [found, *args], strict=False))
        for arg in (*wanted.posonlyargs, *wanted.args, *wanted.kwonlyargs):
            name = arg.arg
            if name in frame.names:
                continue
            if name in keywords:
                frame.names[name] = keywords[name]
            elif name in defaults:
                frame.names[name] = self.follower.operand(defaults[name], found.frame)
            else:
                frame.names[name] = self.follower.give(name, "option", place(arg))
        if wanted.kwarg:
            frame.names[wanted.kwarg.arg] = {}
        if wanted.vararg:
            frame.names[wanted.vararg.arg] = []

    def of_instance(self, owner: Instance, attr: str, node: ast.AST) -> Any:
        if attr in owner.attributes:
            return self.follower.used(owner.attributes[attr])
        if method := method_of(owner, attr, self.follower):
            if isinstance(method.node, ast.FunctionDef) and any(
                last_part(d) == "property" for d in method.node.decorator_list
            ):
                return self.follower.calls.follow(method, [], {}, node)
            return method
        if attr == "training":
            return False
        for statement in owner.node.body:
            target: ast.expr | None = statement.target if isinstance(statement, ast.AnnAssign) else None
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
            if (
                isinstance(target, ast.Name)
                and target.id == attr
                and isinstance(statement, (ast.Assign, ast.AnnAssign))
            ):
                if statement.value is not None:
                    value = self.follower.operand(statement.value, owner.frame)
                    if not isinstance(value, Unread):
                        owner.attributes[attr] = value
                        return value
                elif _is_plain(getattr(statement, "annotation", None)):
                    owner.attributes[attr] = self.follower.give(attr, "option", place(statement))
                    return owner.attributes[attr]
        value = self.follower.parameter(f"{owner.prefix}{attr}", place(node))
        owner.attributes[attr] = value
        return value

    def prefix(self, owner: Instance, prefix: str) -> None:
        """Name what a module holds after the module: `cell_W` of self.cell."""
        owner.prefix = prefix + owner.prefix
        for value in owner.attributes.values():
            if isinstance(value, Layer):
                value.name = prefix + value.name
            elif isinstance(value, Instance):
                self.prefix(value, prefix)
            elif isinstance(value, Name) and value.id in self.follower.given:
                given = self.follower.given[value.id]
                if given.origin == "parameter" and given.attribute:
                    given.name = prefix + given.name

    def layer_parameter(self, layer: Layer, name: str, node: ast.AST) -> Name:
        if (layer, name) not in self.layer_parameters:
            called = layer.name or layer.kind.last
            self.layer_parameters[layer, name] = self.follower.parameter(f"{called}_{name}", place(node))
        return self.layer_parameters[layer, name]

    def layer_call(self, layer: Layer, args: list[Any], node: ast.Call) -> Any:
        if not args:
            raise Unreadable("a layer takes its input")
        if layer.kind.last == "DenseParams":
            kernel = self.layer_parameter(layer, "kernel", node)
            return [kernel, self.layer_parameter(layer, "bias", node) if has_bias(layer) else None]
        return applied(layer, self.follower.used(args[0]), lambda name: self.layer_parameter(layer, name, node))


def method_of(owner: Instance, name: str, follower: Follower) -> Closure | None:
    """A method of a class, or of a base class in the same file."""
    seen: set[str] = set()
    waiting = [owner.node]
    while waiting:
        node = waiting.pop(0)
        if node.name in seen:
            continue
        seen.add(node.name)
        for statement in reversed(node.body):
            if isinstance(statement, ast.FunctionDef) and statement.name == name:
                follower.check_decorators(statement, owner.frame)
                static = any(last_part(one) == "staticmethod" for one in statement.decorator_list)
                return Closure(statement, owner.frame, None if static else owner)
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        waiting += [follower.file.classes[base] for base in bases if base in follower.file.classes]
    return None


def declared(owner: Instance, name: str) -> bool:
    """Whether the body of a class speaks of an attribute."""
    for statement in owner.node.body:
        targets = (
            statement.targets
            if isinstance(statement, ast.Assign)
            else [statement.target]
            if isinstance(statement, ast.AnnAssign)
            else []
        )
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return True
    return False


def _is_plain(annotation: ast.expr | None) -> bool:
    return annotation is not None and any(
        word in ast.unparse(annotation) for word in ("int", "float", "bool", "str", "dtype", "Dtype")
    )
