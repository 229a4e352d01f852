"""The walk over time, `for x in X`: its body is the step, what it carries from one turn to the next are the states."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from derivations.expression import Expr, Name, Num
from derivations.python_operators import Unreadable, place
from derivations.pythonic import dotted
from derivations.source.values import Frame, Given, Index, Place, Split, Walk, last_part

if TYPE_CHECKING:
    from derivations.source.follow import Follower

LONGEST_RANGE = 64  # of a loop that is written out


@dataclass(frozen=True)
class Walked:
    """A loop as a step: what it carries (previous and new value), and what it gives out."""

    carried: tuple[tuple[str, Name, Any], ...]
    at: Place
    outputs: tuple[Any, ...] = ()


class Loop:
    """One turn of a loop over time, while it is followed.

    What the body assigns is hidden before: read before it is assigned, it is the value of the turn before.
    """

    def __init__(self, node: ast.For, frame: Frame) -> None:
        self.node, self.frame = node, frame
        stores = [n for one in node.body for n in ast.walk(one)]
        self.assigned = {n.id for n in stores if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.written = {
            n.value.id
            for n in stores
            if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store) and isinstance(n.value, ast.Name)
        }
        self.carried: dict[str, Name] = {}
        self.series: dict[str, dict[int, Any]] = {}
        self.before: dict[str, tuple[int, Name]] = {}
        self.steps: dict[str, tuple[int, Name]] = {}

    def followed(self, follower: Follower, walk: Walk) -> Walked:
        for name in self.assigned:
            self.frame.names.pop(name, None)
        follower.assigning.assign(self.node.target, walk.item, self.frame)
        follower.statements.block(self.node.body, self.frame)
        found = [(name, old, self.frame.names.get(name)) for name, old in self.carried.items()]
        for name, (offset, old) in self.before.items():
            now = self.series.get(name, {})
            if offset + 1 not in now:
                message = f"{name} is read at another step than the one before; write {name}[t] from {name}[t-1]"
                raise Unreadable(message, self.node.lineno, self.node.col_offset + 1)
            found.append((name, old, now[offset + 1]))
        outputs = tuple(now[0] for name, now in self.series.items() if name not in self.before and 0 in now)
        return Walked(tuple(found), (self.node.lineno, self.node.col_offset + 1), outputs)

    def read(self, follower: Follower, name: str, frame: Frame, node: ast.AST) -> Name | None:
        """The value that a name has from the turn before; None for a name that is not carried."""
        if name not in self.assigned or frame.find(name) is not None:
            return None
        if self.frame is not follower.module and not _within(frame, self.frame):
            return None
        old = follower.give(name, "carried", (getattr(node, "lineno", 0), getattr(node, "col_offset", -1) + 1))
        self.carried[name] = old
        self.frame.names[name] = old
        return old

    def write(self, name: str, offset: int, value: Any, follower: Follower, at: Place) -> None:
        if isinstance(value, Expr) and not isinstance(value, Name):
            value = follower.define(value, at, name)
        elif isinstance(value, Name) and value.id in follower.defined:
            follower.defined[value.id].names.append((0, name))
        self.series.setdefault(name, {})[offset] = value

    def at(self, follower: Follower, name: str, owner: Any, offset: int, place: Place) -> Any:
        """`name[t + offset]`."""
        if offset in self.series.get(name, {}):
            return self.series[name][offset]
        if name in self.written:
            if name not in self.before:
                self.before[name] = offset, follower.give(name, "carried", place)
            known, old = self.before[name]
            if known != offset:
                raise Unreadable(f"{name} is read at two earlier steps; a cell carries one", *place)
            return old
        return self.step_of(follower, owner, offset, place, name)

    def step_of(self, follower: Follower, owner: Any, offset: int, place: Place, name: str = "") -> Any:
        """What a walk over time meets at this step."""
        if not isinstance(owner, Expr):
            raise Unreadable("this has no steps", *place)
        if not isinstance(owner, Name) or owner.id not in follower.given:
            raise Unreadable("only what is given is walked over; compute within the loop", *place)
        given: Given = follower.given[owner.id]
        key = owner.id
        if key not in self.steps:
            self.steps[key] = offset, follower.give(name or given.name, "step", place)
        known, item = self.steps[key]
        if known != offset:
            raise Unreadable(f"{given.name} is read at two steps; a cell reads its input at one", *place)
        return item


def _within(frame: Frame, outer: Frame) -> bool:
    inner: Frame | None = frame
    while inner is not None and inner is not outer:
        inner = inner.above
    return inner is outer


def walk_over(follower: Follower, node: ast.expr, frame: Frame) -> Any:
    """What a loop goes over: a list that is known, or a `Walk` over time."""
    if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
        name, args = last_part(node.func), node.args
        if name in ("tqdm", "trange", "iter") and args:
            return walk_over(follower, args[0], frame)
        if name == "range" and args:
            ends = [follower.operand(arg, frame) for arg in args]
            if not all(isinstance(end, Num) for end in ends):
                return Walk(Index())
            if abs(int(ends[-1].value if len(ends) == 1 else ends[1].value)) > LONGEST_RANGE:
                return Walk(Index())
        if name in ("enumerate", "zip") and args:
            inner = [walk_over(follower, arg, frame) for arg in args]
            if any(isinstance(one, Walk) for one in inner):
                items = [one.item if isinstance(one, Walk) else one for one in inner]
                return Walk([Index(), items[0]] if name == "enumerate" else items)
        if name in ("unbind", "unstack"):  # `x.unbind(0)`, `torch.unbind(x)`
            if isinstance(node.func, ast.Attribute) and not dotted(node.func, follower.file.aliases):
                return walk_over(follower, node.func.value, frame)
            if args:
                return walk_over(follower, args[0], frame)
    value = follower.used(follower.value(node, frame))
    if isinstance(value, (list, tuple, dict)):
        return value
    if isinstance(value, Split):
        raise Unreadable("it is not known how many pieces there are; take them apart into names")
    if isinstance(value, Name) and value.id in follower.given:
        return Walk(follower.give(follower.given[value.id].name, "step", place(node)))
    raise Unreadable("this loop is over something that is no list and no input; write `for x in X`")
