"""What a walk through Python meets that is no expression: arrays over time, lists, what comes from outside.

What belongs to a step keeps it in its name while the walk goes on, as in `h@2`; a line says it from its own step.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from derivations.cell import CellError
from derivations.expression import Expr, MatMul, Name, Part, Reduce, Stack, Transpose, rewrite, walk
from derivations.marking.world import ROWS

T = 3  # steps of time
MOST_MEMBERS = 500  # of a list, a tuple or a text


class Endless(Exception):
    """The walk is too long: message and line."""


class Return(Exception):
    """A function of the file returns."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Leave(Exception):
    """A loop is left, by `break`."""


class Onward(Exception):
    """A loop goes on with its next round, by `continue`."""


class Moment(int):
    """A whole number that counts steps."""

    def __add__(self, other: int) -> "Moment":
        return Moment(int(self) + int(other))

    __radd__ = __add__

    def __sub__(self, other: int) -> "Moment":
        return Moment(int(self) - int(other))

    def __rsub__(self, other: int) -> "Moment":
        return Moment(int(other) - int(self))


def few(count: int) -> None:
    """Raises:
    CellError: there are too many members.
    """
    if count > MOST_MEMBERS:
        raise CellError(f"more than {MOST_MEMBERS} members of a list or letters of a text")


@dataclass
class Items:
    """A list, a dictionary or an array over time, by key; what is not in it is free under `name`.

    Attributes:
        zeros: what is not in it is zero.
        listed: it is a list, whose members are counted from either end.
        steps: of a member, the step at which it was put in.
    """

    name: str = ""
    known: dict[Any, Any] = field(default_factory=dict)
    zeros: bool = False
    listed: bool = False
    steps: dict[Any, int | None] = field(default_factory=dict)

    def put(self, key: Any, value: Any, step: int | None = None) -> None:
        self.known[key], self.steps[key] = value, step

    def insert(self, at: int, value: Any, step: int | None) -> None:
        """As a list does it.

        Raises:
            CellError: it is too long.
        """
        few(len(self.known) + 1)
        members, steps = list(self.known.values()), list(self.steps.values())
        members.insert(at, value)
        steps.insert(at, step)
        self.known, self.steps = dict(enumerate(members)), dict(enumerate(steps))

    def pop(self, at: int = -1) -> Any:
        members, steps = list(self.known.values()), list(self.steps.values())
        found = members.pop(at)
        steps.pop(at)
        self.known, self.steps = dict(enumerate(members)), dict(enumerate(steps))
        return found

    def in_order(self) -> "Series | None":
        """Its members by their keys, where these are whole numbers."""
        keys = [key for key in self.known if isinstance(key, int)]
        if len(keys) != len(self.known):
            return None
        keys = list(self.known) if self.listed else sorted(key for key in keys if key >= 0)
        return Series([self.known[key] for key in keys], [self.steps.get(key) for key in keys])


@dataclass(frozen=True)
class Outside:
    """What comes from outside and is no number: a cache, a tuple of arguments. What is taken from it is free.

    Attributes:
        at: the step that it is of, where it is of one.
        entry: it is an entry of an array over time.
    """

    name: str = ""
    at: int | None = None
    entry: bool = False


@dataclass(frozen=True)
class Shape:
    """The shape of something; `lying` where its names say that the samples are its columns: `n, B = dh.shape`."""

    of: str
    lying: bool = False


@dataclass
class Series:
    """Members one after another, each with the step that it is of; `lying` where they are columns and not rows."""

    members: list[Any]
    steps: list[int | None]
    lying: bool = False

    def cut(self, part: slice) -> "Series":
        return Series(self.members[part], self.steps[part], self.lying)


class Time:
    """The step of time that a walk is at, and which step an entry of an array over time is of.

    Attributes:
        step: of the loop that is walked; None outside of one.
        base: what is added to an index to get its step.
        over_time: whether a loop over time was met.
        series: arrays over time that come from outside.
        header: the line of the loop over time that is walked.
    """

    def __init__(self, offsets: dict[str, set[int]], initial: Collection[str] = ()) -> None:
        self.step: int | None = None
        self.base = 1
        self.over_time = False
        self.series: set[str] = set()
        self.header = 0
        self._offsets = offsets
        self._said = initial  # arrays that the file says to start with the initial state
        # where one array of states starts with the initial one, one that is read at t alone does so too
        self._initial = any(1 in by and -1 not in by and is_state(array) for array, by in offsets.items())

    def counts(self, last: int) -> None:
        """A loop over time starts, whose largest index is `last`."""
        self.over_time = True
        self.base = 0 if last == T else 1

    def mark(self) -> tuple[int | None, int, int]:
        """Where the walk is, to come back to."""
        return self.step, self.header, self.base

    def reset(self, mark: tuple[int | None, int, int]) -> None:
        """Back to where the walk was."""
        self.step, self.header, self.base = mark

    def counted(self, key: int) -> int:
        """The step that an index of the loop is."""
        return int(key) + self.base

    def indexed(self, name: str) -> bool:
        """Whether an array is indexed by the variable of a loop somewhere."""
        return name in self._offsets

    def starts_initial(self, name: str) -> bool:
        """Whether an array starts with the initial state."""
        found = self._offsets.get(name, set())
        if name in self._said:
            return self.base == 1  # in a loop from 1 on the index is the step
        return is_state(name) and -1 not in found and (1 in found or (self._initial and found <= {0}))

    def step_of(self, name: str, key: Moment) -> int:
        """The step that an entry of an array is of: one less where the array starts with the initial state."""
        # in a loop from 1 to T, what is only read at t-1 counts its steps from 0; a state starts with the initial one
        late = self.base == 0 and self._offsets.get(name, set()) == {-1} and not is_state(name)
        return self.counted(key) - self.starts_initial(name) + late

    def at(self, name: str, key: Moment) -> Outside:
        """An entry of an array over time that comes from outside."""
        return Outside(name, self.step_of(name, key), True)

    def all_of(self, name: str) -> Series:
        """An array over time that comes from outside, from its first step on."""
        first = 0 if self.starts_initial(name) else 1
        return Series([Outside(name, k, True) for k in range(first, T + 1)], list(range(first, T + 1)))

    def here(self) -> int:
        """The step from which names are said now."""
        return T if self.step is None else self.step

    def said(self, expr: Expr) -> Expr:
        """An expression as it is said at this step: `h@2` is `h[t-1]` at step 3."""

        def rule(node: Expr) -> Expr | None:
            if isinstance(node, Name) and "@" in node.id:
                name, _, step = node.id.partition("@")
                by = int(step) - self.here()
                return Name(f"{name}[t{by:+d}]" if by else name)
            return None

        return rewrite(expr, rule) if self.over_time else expr


_STATES = ("h", "c", "a", "s", "state", "hidden", "cell", "hidden_state", "cell_state")
_PLURALS = {
    "states": "h", "hidden_states": "h", "hiddens": "h", "hidden": "h", "cell_states": "c", "cells": "c", "state": "h",
    "hidden_state": "h", "cell_state": "c", "inputs": "x", "input": "x", "features": "x", "input_seq": "x",
}  # fmt: skip


def is_state(array: str) -> bool:
    """Whether an array over time is of states by its name."""
    return array.strip("_").rstrip("s").lower() in _STATES


def named(value: Outside) -> Name:
    """What comes from outside, as an expression."""
    if not value.name:
        raise CellError("what this is is not known")
    name = value.name.rstrip("_") or value.name
    if value.at is None:
        return Name(name)
    return Name(f"{_PLURALS.get(name, name) if value.entry else name}@{value.at}")


def base_of(value: Any) -> str:
    """The name of something without its step and version; empty where it has none."""
    while isinstance(value, Transpose):
        value = value.arg
    if isinstance(value, Items | Outside):
        return value.name
    return value.id.partition("#")[0].partition("@")[0] if isinstance(value, Name) else ""


def is_row(index: Sequence[str]) -> bool:
    """Whether an index or a shape makes a row of a vector: `[None, :]`, `(1, -1)`, and of each of a batch's."""
    plain = ["None" if part.endswith("newaxis") else part for part in index]
    return plain in (["None", ":"], ["1", "-1"], [":", "None", ":"])


def cut_out(arg: Expr, slices: Sequence[Any]) -> Expr:
    """Parts of the rows or of the columns."""
    for axis, (start, stop) in enumerate(slices[-2:] if len(slices) > 1 else slices):
        if (start, stop) == (None, None):
            continue
        turned = arg if axis == 0 else Transpose(arg)
        part: Expr
        if (start or 0) < 0 or (stop or 0) < 0:
            part = Reduce(f"{ROWS}{'' if start is None else start}:{'' if stop is None else stop}", (turned,))
        else:
            height = 999 if stop is None else stop - (start or 0)
            part = Part(turned, (f"height:{start or 0}", f"height:{height}"), 1)
        arg = part if axis == 0 else Transpose(part)
    return arg


def is_part_of_outside(value: Expr) -> bool:
    """Whether an expression is a part of one thing from outside."""
    if isinstance(value, Transpose):
        value = value.arg
    if not isinstance(value, Part):
        return False
    inner = value.arg.arg if isinstance(value.arg, Transpose) else value.arg
    return isinstance(inner, Name) and "#" not in inner.id


def is_part_of_sums(value: Expr) -> bool:
    """Whether an expression is a part of what is multiplied by weights here: the sums of all gates, in one."""
    if isinstance(value, Transpose):
        value = value.arg
    inner = value.arg if isinstance(value, Part) else value.args[0] if isinstance(value, Reduce) else None
    cut = isinstance(value, Part) or (isinstance(value, Reduce) and ROWS in value.kind)
    return cut and inner is not None and any(isinstance(node, MatMul) for node in walk(inner))


def reads_part_of_line(value: Expr) -> bool:
    """Whether an expression reads a part of what a line has said, as of all gates' sums in one."""
    cuts = (node for node in walk(value) if isinstance(node, Part) or (isinstance(node, Reduce) and ROWS in node.kind))
    return any(isinstance(leaf, Name) and "#" in leaf.id for cut in cuts for leaf in walk(cut))


def side_by_side(parts: Sequence[Expr]) -> Expr:
    """Parts of the columns, joined."""
    return Transpose(below([part.arg if isinstance(part, Transpose) else Transpose(part) for part in parts]))


def below(parts: Sequence[Expr]) -> Stack:
    """Parts of the rows, joined; what is joined already becomes parts of it."""
    few(sum(len(part.parts) if isinstance(part, Stack) else 1 for part in parts))
    return Stack(tuple(one for part in parts for one in (part.parts if isinstance(part, Stack) else (part,))))
