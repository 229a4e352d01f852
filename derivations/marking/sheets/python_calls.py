"""Calls in a sheet in Python: arrays are made, joined, split and summed; functions of the file are walked through."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import ZERO, Call, Diag, Expr, Neg, Pow, Reduce, Transpose
from derivations.marking.sheets.formula import applied
from derivations.marking.sheets.python_series import each, einsum, summed
from derivations.marking.sheets.python_sizes import WIDE
from derivations.marking.sheets.spoken import SPOKEN
from derivations.marking.sheets.walked import Items, Moment, Outside, Series, below, cut_out, is_row, side_by_side

if TYPE_CHECKING:
    from derivations.marking.sheets.python import Walk

_AS_IS = {
    "copy", "reshape", "ravel", "flatten", "astype", "squeeze", "array", "asarray", "view", "clone", "contiguous",
    "float", "double", "expand_dims", "unsqueeze", "atleast_2d", "numpy", "deepcopy", "tensor", "clip", "atleast_1d",
    "clamp", "float32", "float64", "detach", "list", "tuple", "dict", "asanyarray", "ascontiguousarray", "deque", "to",
}  # fmt: skip
_OF_ARRAYS = {"mean", "sum", "dot", "exp", "tanh", "sigmoid", "sqrt", "square", "var", "std", "max", "clip"}
_EMPTY = {"zeros", "zeros_like", "empty", "empty_like", "new_zeros", "defaultdict"}
_JOINED = {"concatenate", "hstack", "vstack", "row_stack", "column_stack", "cat", "concat", "r_", "c_"}
_SPLIT = {"split", "hsplit", "vsplit", "chunk", "array_split", "tensor_split"}
_NEW_AXIS = {"None", "np.newaxis"}
_ELEMENTWISE = {"len", "int", "abs", "max", "min", "range", "float"}


class Calls:
    """Reads calls for one `Walk`."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    def called(self, node: ast.Call, func: ast.expr, args: Sequence[ast.expr]) -> Any:
        """What a call gives, where it is not an operation of a library; None leaves it to the reader of expressions."""
        name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        full = self.walk.library_name(func)
        library = full.startswith(("numpy.", "torch.", "jax.", "scipy.", "math.", "copy.", "collections."))
        function = self.walk.own.found(name)
        if function is not None and not library and self._is_of_file(func):
            found = self.walk.own.inlined(function, node)
            return Outside("") if found is None else found
        method = func.value if isinstance(func, ast.Attribute) and not library else None
        first, rest = (method, args) if method is not None else (args[0] if args else None, args[1:])
        named = {k.arg: k.value for k in node.keywords}
        axis = named.get("axis") or named.get("dim")
        if ".random." in full or name in ("randn", "rand", "RandomState", "default_rng"):
            return Outside("")
        if name in _EMPTY:
            return Items(zeros=True) if name == "defaultdict" else ZERO
        if name == "reshape" and first is not None and is_row([ast.unparse(part) for part in _shape(rest)]):
            return Transpose(self.walk.values.tensor(first))
        if name in ("unsqueeze", "expand_dims") and first is not None and self._as_row(axis or _nth(rest, 0)):
            return Transpose(self.walk.values.tensor(first))
        if name in _AS_IS:
            return self._as_is(name, first, node)
        if name == "slice" and not method:
            ends = [self.walk.numbers.number(arg) for arg in args]
            return slice(*ends) if None not in ends and len(ends) <= 2 else Outside("")
        if name in _JOINED and args:
            return self._joined(name, args[0], axis or _nth(args, 1))
        if name == "stack" and args:
            return self._stacked(args[0])
        if name in _SPLIT and first is not None and (rest or named):
            sections = _nth(rest, 0) or named.get("indices_or_sections") or named.get("chunks")
            return self._split(name, full, first, sections, axis or _nth(rest, 1))
        if name == "sum" and first is not None and (library or method or isinstance(func, ast.Name)):
            return self._sum(first, axis or _nth(rest, 0))
        if name == "mean" and (library or method) and first is not None and (axis or rest):
            along = self.walk.numbers.number(axis or rest[0])
            if along == 0:
                self.walk.means.add(node.lineno)
                return Reduce("down", (self.walk.values.tensor(first),))
        if name == "einsum" and len(args) == 3 and isinstance(args[0], ast.Constant):
            values = [self.walk.values.in_time(self.walk.values.value(arg)) for arg in args[1:]]
            for k in (0, 1):  # an array over time beside another one
                if isinstance(values[1 - k], Series) and isinstance(values[k], Outside) and values[k].at is None:
                    spec = str(args[0].value).partition("->")[0].split(",")
                    if len(spec) == 2 and spec[0][:1] == spec[1][:1]:
                        values[k] = self.walk.time.all_of(values[k].name)
            return einsum(str(args[0].value), values[0], values[1], self.walk.values.quantity)
        if name in ("flip", "flipud") and first is not None:
            return self._turned(first)
        return self._other(name, func, args, method)

    def _as_row(self, axis: ast.expr | None) -> bool:
        """Whether a new axis makes a row of a vector, or of each of a batch's, which have one more."""
        at = self.walk.numbers.number(axis) if axis is not None else None
        return at in (0, -2) or (at == 1 and self.walk.batched)

    def _other(self, name: str, func: ast.expr, args: Sequence[ast.expr], method: ast.expr | None) -> Any:
        tensor = self.walk.values.tensor
        if name == "diag" and args:
            return Diag(tensor(args[0]))
        if name == "square" and (args or method):
            return self._each(args[0] if args else method, lambda one: Pow(one, 2))
        if name == "negative" and args:
            return self._each(args[0], Neg)
        own = isinstance(func, ast.Name) or (
            isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in ("self", "cls")
        )
        spoken = SPOKEN.get(name.lower().lstrip("_"))
        if spoken in ("sech", "cosh", "sinh") and len(args) == 1:
            return self._each(args[0], lambda one: applied(spoken, (one,), (0, 0)))
        if own and spoken and len(args) == 1:
            return self._each(args[0], lambda one: Call(spoken, (one,)))
        if method is not None and name in ("items", "keys", "values", "get", "pop", "popleft"):
            return self._of_container(name, method, args)
        if own and name in ("zip", "reversed", "enumerate", "sorted"):
            rounds = self.walk.rounds.through(ast.Call(func, list(args), []))
            return None if rounds is None else Series([value for _, value in rounds], [step for step, _ in rounds])
        if own and name not in _ELEMENTWISE:
            return Outside("")
        return None

    def _is_of_file(self, func: ast.expr) -> bool:
        """Whether a call is by a name, or by an attribute of what is no quantity: `self.step(...)`, not `a.mean()`."""
        match func:
            case ast.Attribute(ast.Name(owner), method):
                held = self.walk.scope.get(owner)
                return not isinstance(held, Expr) and not (held is not None and method in _OF_ARRAYS)
        return isinstance(func, ast.Name)

    def _each(self, node: ast.expr | None, rule: Any) -> Any:
        assert node is not None  # asked before
        values = self.walk.values
        value = values.in_time(values.value(node))
        if isinstance(value, Series):
            return each(lambda one: rule(values.quantity(one)), value)
        return rule(values.quantity(value))

    def _as_is(self, name: str, first: ast.expr | None, node: ast.Call) -> Any:
        if first is None:
            if name == "dict":
                known = {k.arg: self.walk.values.value(k.value) for k in node.keywords if k.arg}
                return Items("", known)
            return Items(listed=name != "dict")
        value = self.walk.values.value(first)
        if name == "dict" and isinstance(value, Series):  # dict(zip(keys, values))
            pairs = [pair for pair in value.members if isinstance(pair, tuple) and len(pair) == 2]
            return Items("", dict(pairs))
        if name in ("array", "asarray", "list", "tuple") and isinstance(value, Series):
            return value
        if isinstance(value, Items) and value.listed and name in ("list", "copy", "deepcopy"):
            return Items(value.name, dict(value.known), value.zeros, True, dict(value.steps))
        return value

    def _of_container(self, name: str, owner: ast.expr, args: Sequence[ast.expr]) -> Any:
        held = self.walk.values.value(owner)
        key = self.walk.numbers.text(args[0]) if args else None
        if isinstance(held, Items):
            if name == "values":
                return tuple(held.known.values())
            if name == "keys":
                return tuple(held.known)
            if name == "get" and key in held.known:
                return held.known[key]
            if name in ("pop", "popleft") and held.listed and held.known:
                at = self.walk.numbers.number(args[0]) if args else None
                return held.pop(0 if name == "popleft" else -1 if at is None else at)
        if isinstance(held, Outside) and name in ("pop", "popleft") and not key:  # what a forward pass put there last
            return Outside(held.name, self.walk.time.step)
        return Outside(key or "", held.at if isinstance(held, Outside) else None)

    def _turned(self, node: ast.expr) -> Any:
        rounds = self.walk.rounds.through(node)
        if rounds is None:
            raise CellError("what is turned round here is not known", node.lineno, node.col_offset + 1)
        return Series([value for _, value in rounds][::-1], [step for step, _ in rounds][::-1])

    def _parts(self, node: ast.expr) -> list[Any]:
        values = self.walk.values
        found = values.value(node)
        if isinstance(found, Items):
            ordered = found.in_order()
            found = tuple(ordered.members if ordered else found.known.values())
        if isinstance(found, Series):
            found = tuple(found.members)
        if not isinstance(found, tuple) or not found:
            raise CellError("what is joined here is not known", node.lineno, node.col_offset + 1)
        return [values.in_time(one) for one in found]

    def _joined(self, name: str, node: ast.expr, axis: ast.expr | None) -> Any:
        quantity = self.walk.values.quantity
        parts = self._parts(node)
        if any(isinstance(part, Series) for part in parts):  # steps, one after another
            members: list[Any] = []
            steps: list[int | None] = []
            for part in parts:
                members += part.members if isinstance(part, Series) else [part]
                steps += part.steps if isinstance(part, Series) else [None]
            return Series(members, steps)
        along = self.walk.numbers.number(axis) if axis is not None else None
        across = name in ("hstack", "column_stack") or along in (1, -1)
        joined = [quantity(part) for part in parts]
        return side_by_side(joined) if across else below(joined)

    def _stacked(self, node: ast.expr) -> Any:
        values = self.walk.values
        found = values.value(node)
        ordered = found.in_order() if isinstance(found, Items) else found if isinstance(found, Series) else None
        if isinstance(node, ast.List | ast.Tuple) and len(node.elts) in (3, 4):
            members = tuple(found.known.values()) if isinstance(found, Items) else found
            if all(isinstance(one, Expr) for one in members):  # the gates, each in a row: as blocks one below another
                return below([values.quantity(one) for one in members])
        if ordered is not None and ordered.members:
            return ordered
        return found

    def _split(
        self, name: str, full: str, whole: ast.expr, parts: ast.expr | None, axis: ast.expr | None
    ) -> tuple[Expr, ...]:
        arg = self.walk.values.quantity(self.walk.values.value(whole))
        numbers = self.walk.numbers
        along = numbers.number(axis) if axis is not None else 0
        across = along in (1, -1) or name == "hsplit"
        ends = [numbers.number(one) for one in parts.elts] if isinstance(parts, ast.List | ast.Tuple) else None
        count = numbers.number(parts) if parts is not None else None
        cuts: list[tuple[int | None, int | None]]
        if ends is not None and None not in ends:
            known = [end for end in ends if end is not None]
            if not full.startswith("numpy.") and name == "split":  # sizes, as torch splits
                known = [sum(known[: k + 1]) for k in range(len(known) - 1)]
            starts: list[int | None] = [None, *known]
            cuts = list(zip(starts, [*known, None], strict=True))
        elif count is not None and 1 <= count <= 16:
            if name == "split" and not full.startswith("numpy.") and not isinstance(count, Moment) and count == WIDE:
                count = 4  # torch splits into parts of a size
            cuts = [(k * WIDE, (k + 1) * WIDE) for k in range(count)]
        else:
            raise CellError("into how many parts this is split is not known", whole.lineno, whole.col_offset + 1)
        return tuple(cut_out(arg, [(None, None), cut] if across else [cut]) for cut in cuts)

    def _sum(self, inner: ast.expr, axis: ast.expr | None) -> Any:
        values = self.walk.values
        value = values.in_time(values.value(inner))
        if isinstance(value, Items):
            value = value.in_order() or value
        along = self.walk.numbers.number(axis) if axis is not None else None
        if isinstance(value, Series | tuple):
            series = value if isinstance(value, Series) else Series(list(value), [None] * len(value))
            if along in (-1, 1, 2):
                raise CellError("this sum over an array over time is not read", inner.lineno, inner.col_offset + 1)
            return summed(series, values.quantity)
        arg = values.quantity(value)
        if along == 0 and _is_of_batch(inner):
            return arg  # of one sample there is nothing to add up
        if axis is None:
            return Reduce("sum", (arg,))
        if along not in (0, 1, -1):
            raise CellError("the axis of this sum is not known", inner.lineno, inner.col_offset + 1)
        return Reduce("down" if along == 0 else "across", (arg,))


def _is_of_batch(node: ast.expr) -> bool:
    """Whether an expression has one more axis than a matrix, the first of which is that of the samples."""
    for inner in ast.walk(node):
        match inner:
            case ast.Subscript(_, ast.Tuple(parts)) if len(parts) == 3 and _NEW_AXIS & {ast.unparse(p) for p in parts}:
                return True
            case ast.Call(ast.Attribute(_, "bmm")):
                return True
            case ast.Call(ast.Attribute(_, "einsum"), [ast.Constant(str() as spec), *_]) if (
                len(spec.partition("->")[2].strip()) == 3
            ):
                return True
            case ast.Call(ast.Attribute(_, "unsqueeze"), [ast.Constant(2)]):
                return True
    return False


def _nth(args: Sequence[ast.expr], n: int) -> ast.expr | None:
    return args[n] if n < len(args) else None


def _shape(rest: Sequence[ast.expr]) -> Sequence[ast.expr]:
    return rest[0].elts if len(rest) == 1 and isinstance(rest[0], ast.Tuple) else rest
