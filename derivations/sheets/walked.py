"""What a walk through Python meets that is no expression: sizes and steps, arrays over time, parts of axes.

A walk takes few steps of time, in small sizes: whole numbers are numbers, and names of sizes stand for them.
"""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from derivations.cell import CellError
from derivations.expression import Expr, Name, Part, Stack, Transpose
from derivations.world import NOW

T, WIDE, INPUT, BATCH = 3, 2, 3, 1  # steps of time, and the sizes that names of sizes stand for
_TIMES = {"T", "seq_len", "timesteps", "n_steps", "steps", "T_x", "Tx", "seqlen", "seq_length", "num_steps", "L", "tau"}
_BATCHES = {"N", "B", "m", "batch", "batch_size", "bs", "M", "nb", "n_samples"}
_INPUTS = {"D", "n_x", "input_size", "input_dim", "d", "I", "n_in", "nx", "X", "n_i", "vocab_size", "xd"}
_WIDTHS = {"H", "n_a", "n_h", "hidden_size", "hidden_dim", "n", "units", "nh", "n_hidden", "hs_dim"}
_INITIAL_FIRST = ("h", "c", "a", "state", "hidden", "cell")  # states, whose array may start with the initial one


class Endless(Exception):
    """The walk is too long: message and line."""


class Return(Exception):
    """A function of the file returns."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


@dataclass
class Items:
    """A list, a dictionary or an array over time, by key; what is not in it is free under `name`."""

    name: str = ""
    known: dict[Any, Any] = field(default_factory=dict)
    zeros: bool = False  # what is not in it is zero


@dataclass(frozen=True)
class Outside:
    """What comes from outside and is no number: a cache, a tuple of arguments. What is taken from it is free."""

    name: str = ""


class Moment(int):
    """A whole number that counts steps."""

    def __add__(self, other: int) -> "Moment":
        return Moment(int(self) + int(other))

    __radd__ = __add__

    def __sub__(self, other: int) -> "Moment":
        return Moment(int(self) - int(other))

    def __rsub__(self, other: int) -> "Moment":
        return Moment(int(other) - int(self))


class Time:
    """The step of time that a walk is at, and which step an entry of an array over time is of.

    Attributes:
        step: of the loop that is walked; None outside of one.
        base: what is added to an index to get its step.
        over_time: whether a loop over time was met.
        series: arrays over time that come from outside.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.step: int | None = None
        self.base = 1
        self.over_time = False
        self.series: set[str] = set()
        self.header = 0  # the line of the loop over time that is walked
        self._offsets = offsets(tree)
        # where one array of states starts with the initial one, one that is read at t alone does so too
        self._initial = any(1 in by and -1 not in by and _is_state(array) for array, by in self._offsets.items())

    def counts(self, last: int) -> None:
        """A loop over time starts, whose largest index is `last`."""
        self.over_time = True
        self.base = 0 if last == T else 1

    def counted(self, key: int) -> int:
        """The step that an index of the loop is."""
        return int(key) + self.base

    def step_of(self, name: str, key: Moment) -> int:
        """The step that an entry of an array is of: one less where the array starts with the initial state."""
        found = self._offsets.get(name, set())
        shifted = _is_state(name) and -1 not in found and (1 in found or (self._initial and found == {0}))
        # in a loop from 1 to T, what is only read at t-1 counts its steps from 0; a state starts with the initial one
        late = self.base == 0 and found == {-1} and name.rstrip("s").lower() not in _INITIAL_FIRST
        return self.counted(key) - shifted + late

    def at(self, name: str, key: Moment) -> Name:
        """An entry of an array over time that comes from outside."""
        here = self.step if self.step is not None else T
        self.series.add(name.rstrip("_"))
        return named(name.rstrip("_"), self.step_of(name, key) - here)

    def when(self) -> tuple[int, int | None]:
        """The step at which a line holds, and the step of the loop that it is in."""
        if self.step is None:
            return T if self.over_time else NOW, None
        return self.step, self.step


def _is_state(array: str) -> bool:
    return array.rstrip("s").lower() in _INITIAL_FIRST


def named(name: str, by: int = 0) -> Name:
    """What comes from outside, as an expression; `by` steps from now."""
    return Name(f"{name}[t{by:+d}]" if by else name)


def is_simple(function: ast.FunctionDef) -> bool:
    """Whether a function is one expression, and no derivation."""
    body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return len(body) <= 3 and isinstance(body[-1], ast.Return) and not isinstance(body[-1].value, ast.Tuple | ast.Dict)


def is_usual(function: ast.FunctionDef, spoken: str) -> bool:
    """Whether a function of the file called sigmoid is the sigmoid, told by its text."""
    text = ast.unparse(function).replace(" ", "")
    return ("exp(-" in text and "*(1-" not in text) if spoken == "sigmoid" else f".{spoken}(" in text


def arguments(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def size_of(name: str) -> int | None:
    """The size that a name of sizes stands for."""
    if name in _TIMES:
        return Moment(T)
    if name in _BATCHES:
        return BATCH
    if name in _INPUTS:
        return INPUT
    return WIDE if name in _WIDTHS else None


def sizes(tree: ast.AST) -> frozenset[str]:
    """The names that a file counts with: in slices, in ranges, in shapes, and what it divides by."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Slice(lower, upper, _):
                parts = [part for part in (lower, upper) if part]
            case ast.Call(func, args):
                name = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
                counts = ("range", "zeros", "empty", "ones", "reshape", "split", "chunk", "hsplit", "randn")
                parts = list(args) if name in counts else []
            case ast.BinOp(_, ast.Div(), divisor):
                parts = [divisor] if isinstance(divisor, ast.Name) else []
            case ast.Subscript(_, index):
                parts = [index]
            case _:
                continue
        found |= {name.id for part in parts for name in ast.walk(part) if isinstance(name, ast.Name)}
    return frozenset(found)


class Chosen(ast.NodeTransformer):
    """Choices of which it is known how they go, as `c[t-1] if t > 0 else c0`."""

    def __init__(self, truth: Callable[[ast.expr], bool | None]) -> None:
        self.truth = truth

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        truth = self.truth(node.test)
        found: ast.expr = node if truth is None else self.visit(node.body if truth else node.orelse)
        return found


def is_row(index: Sequence[ast.expr]) -> bool:
    """Whether an index or a shape makes a row of a vector: `[None, :]`, `(1, -1)`."""
    parts = index[0].elts if len(index) == 1 and isinstance(index[0], ast.Tuple) else index
    match [ast.unparse(part) for part in parts]:
        case ["None" | "np.newaxis", ":"] | ["1", "-1"]:
            return True
    return False


def members(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple | ast.List) else [node]


def offsets(tree: ast.AST) -> dict[str, set[int]]:
    """For every array that is indexed by a loop's variable, the offsets that are used."""
    found: dict[str, set[int]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):  # h_prev = hs[t]: this array starts with the initial state
            for target, value in zip(members(node.targets[0]), members(node.value), strict=False):
                match target, value:
                    case ast.Name(name), ast.Subscript(ast.Name(array), ast.Name("t" | "i" | "k" | "step")) if (
                        "prev" in name
                    ):
                        found.setdefault(array, set()).add(1)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            for part in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
                match part:
                    case ast.Name("t" | "i" | "k" | "step" | "time"):
                        found.setdefault(node.value.id, set()).add(0)
                    case ast.BinOp(ast.Name("t" | "i" | "k" | "step" | "time"), operator, ast.Constant(int() as by)):
                        found.setdefault(node.value.id, set()).add(by if isinstance(operator, ast.Add) else -by)
    return found


def cut_out(arg: Expr, slices: Sequence[Any]) -> Expr:
    """Parts of the rows or of the columns."""
    for axis, cut in enumerate(slices[-2:] if len(slices) > 1 else slices):
        if cut == (None, None):
            continue
        start, stop = cut[0] or 0, cut[1]
        if start < 0 or (stop is not None and stop < 0):
            raise CellError("a part that is counted from the end")
        height = 999 if stop is None else stop - start
        part = Part(arg if axis == 0 else Transpose(arg), (f"height:{start}", f"height:{height}"), 1)
        arg = part if axis == 0 else Transpose(part)
    return arg


def is_part_of_outside(value: Expr) -> bool:
    """Whether an expression is a part of one thing from outside."""
    while isinstance(value, Transpose):
        value = value.arg
    return (
        isinstance(value, Part)
        and isinstance(inner := value.arg, Name | Transpose)
        and (
            "#"
            not in (
                inner.arg.id
                if isinstance(inner, Transpose) and isinstance(inner.arg, Name)
                else getattr(inner, "id", "#")
            )
        )
    )


def side_by_side(parts: Sequence[Expr]) -> Expr:
    """Parts of the columns, joined."""
    return Transpose(Stack(tuple(Transpose(part) for part in parts)))
