"""What a Python value is to the reader: a quantity (`Expr`), or one of the things below that make quantities.

Lists, dictionaries, strings, truth values and None are themselves. A quantity refers to others by names that no
program can have: `@3` is given from outside (an argument, a parameter), `#7` is defined by the code that is followed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from derivations.cell import CellError
from derivations.expression import Expr, Name, children, walk
from derivations.python_operators import Unreadable

Place = tuple[int, int]
MOST_STEPS = 20_000  # of following: statements and expressions
MOST_DEEP = 12  # calls within calls


@dataclass(eq=False)
class Given:
    """A quantity from outside: an argument, an element of one, a parameter of a module, a global.

    Attributes:
        origin: "argument", "option" (of a constructor), "parameter" (`self.W`, a global), "carried" or "step" (the
            two sides of a loop: what it carries, what it walks over).
        aliases: what the code calls it, in the order of its statements.
        parts: its elements, where the code takes it apart (`h, c = state`), by index or key.
        shape: what the code says of its shape.
    """

    id: str
    name: str
    origin: str
    at: Place
    above: str = ""
    aliases: list[str] = field(default_factory=list)
    parts: dict[Any, str] = field(default_factory=dict)
    shape: tuple[Expr, ...] = ()
    attribute: bool = False  # of self

    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.aliases, self.name)))


@dataclass(eq=False)
class Defined:
    """A value that the code computes. `names` are those it still has: a name given away is no name of it."""

    id: str
    expr: Expr
    at: Place
    names: list[tuple[int, str]] = field(default_factory=list)  # how deep in calls, and the name
    spare: str = ""


@dataclass(frozen=True)
class Cut:
    """Which part of an axis: from `start` to `stop` (None: the end) in units of `unit` (of the whole, if empty).

    `axis` is 0 or 1 of a matrix, or None for the one along which features lie.
    """

    start: Fraction
    stop: Fraction | None
    unit: str = ""
    axis: int | None = None


@dataclass(frozen=True)
class Block(Expr):
    """A part of a packed quantity."""

    arg: Expr
    cut: Cut


@dataclass(frozen=True)
class Extent(Expr):
    """The length of an axis of a quantity."""

    of: Expr


@dataclass(eq=False)
class Frame:
    """The names of one call; what is not among them is looked up in `above`."""

    names: dict[str, Any]
    above: Frame | None = None
    depth: int = 0

    def find(self, name: str) -> Frame | None:
        frame: Frame | None = self
        while frame is not None and name not in frame.names:
            frame = frame.above
        return frame


@dataclass(frozen=True)
class Library:
    """A function, a class or a constant of a library, by its full name."""

    name: str

    @property
    def last(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def root(self) -> str:
        return self.name.partition(".")[0]


@dataclass(frozen=True, eq=False)
class Closure:
    node: ast.FunctionDef | ast.Lambda
    frame: Frame
    bound: Instance | None = None


@dataclass(frozen=True, eq=False)
class Partial:
    function: Any
    args: tuple[Any, ...]
    keywords: dict[str, Any]


@dataclass(eq=False)
class Instance:
    """An object of a class of the file: what its constructor says, and what `self.name` gave so far."""

    node: ast.ClassDef
    frame: Frame
    attributes: dict[str, Any]
    prefix: str = ""
    first: dict[str, Any] = field(default_factory=dict)  # attributes before the step changed them


@dataclass(frozen=True, eq=False)
class ClassOf:
    node: ast.ClassDef
    frame: Frame


@dataclass(eq=False)
class Layer:
    """A layer of a library, `nn.Linear(m, n)`: its kind by full name, what it was given, and what it is called."""

    kind: Library
    args: tuple[Any, ...]
    keywords: dict[str, Any]
    name: str = ""


@dataclass(frozen=True)
class Index:
    """The step of a loop, and a number beside it: `t - 1`."""

    offset: int = 0


@dataclass(frozen=True, eq=False)
class Series:
    """A quantity over time, at the steps of a loop."""

    at: dict[int, Any]


@dataclass(frozen=True, eq=False)
class Unread:
    """What could not be read, and matters only if it is used."""

    error: CellError


def name_ids(expr: Expr) -> Iterator[str]:
    """The names in an expression, those within blocks too."""
    return (node.id for node in walk(expr, parts_of) if isinstance(node, Name))


def parts_of(node: Expr) -> tuple[Expr, ...]:
    match node:
        case Block(arg, _) | Extent(arg):
            return (arg,)
    return children(node)


def same_value(a: Any, b: Any) -> bool:
    """Whether two values are one."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same_value, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_value(a[k], b[k]) for k in a)
    return bool(a is b or a == b)


@dataclass(frozen=True)
class ShapeOf:
    """`x.shape`."""

    of: Expr
    known: tuple[Expr, ...] = ()


@dataclass(frozen=True, eq=False)
class Split:
    """A quantity cut into pieces of one size; how many is known when it is taken apart."""

    arg: Expr
    size: Expr
    axis: int | None


@dataclass(frozen=True, eq=False)
class Walk:
    """What a loop over time gives its variables at each step."""

    item: Any


class Refused(Unreadable):
    """Code that would run, open or change something."""


class Dead(Unreadable):
    """The code raises an error of its own here."""


class WalkFound(Exception):
    """The loop over time has been followed: what comes after it is no part of a step."""


@dataclass(frozen=True)
class Returned:
    value: Any
    at: Place


def last_part(func: ast.expr) -> str:
    """`split` of `jnp.split`."""
    if isinstance(func, ast.Call):
        return last_part(func.func)
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
