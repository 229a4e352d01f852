"""What a file counts with: the sizes that its names stand for, its arrays over time, its functions."""

import ast
import re
from collections import Counter
from collections.abc import Iterator

from derivations.marking.sheets.walked import Moment, T

WIDE, INPUT, BATCH = 2, 3, 1  # the sizes that names of sizes stand for
_TIMES = {
    "T", "seq_len", "timesteps", "n_steps", "steps", "T_x", "Tx", "seqlen", "seq_length", "num_steps", "L", "tau",
    "n_t", "n_timesteps", "length", "bptt", "sequence_length",
}  # fmt: skip
_BATCHES = {"N", "B", "m", "batch", "batch_size", "bs", "M", "nb", "n_samples", "bsz"}
_INPUTS = {
    "D", "n_x", "input_size", "input_dim", "d", "I", "n_in", "nx", "X", "n_i", "vocab_size", "xd", "n_inputs", "dim_x",
    "in_dim", "in_size", "x_dim", "n_input", "insize", "in_features", "dx", "input_width",
}  # fmt: skip
_WIDTHS = {
    "H", "n_a", "n_h", "hidden_size", "hidden_dim", "n", "units", "nh", "n_hidden", "hs_dim", "hidden", "n_units",
    "hsize", "hid", "h_dim", "h_size", "dim_h", "state_size", "num_units", "hdim", "hiddenSize", "width", "mem_cell_ct",
}  # fmt: skip
_LIKE_INPUT = re.compile(r"d?_?(?:[xX](?:_?[ts]|_seq|_in)?|inputs?|inp|seq)\d?")


def size_of(name: str) -> int | None:
    """The size that a name of sizes stands for."""
    if name in _TIMES:
        return Moment(T)
    if name in _BATCHES:
        return BATCH
    if name in _INPUTS:
        return INPUT
    return WIDE if name in _WIDTHS else None


def is_time(name: str) -> bool:
    """Whether a name is that of the number of steps."""
    return name in _TIMES


def of_columns(of: str, names: list[str]) -> bool:
    """Whether the names that the two sides of something get say that its samples are its columns: `n, B = ...`."""
    if len(names) != 2 or re.match(r"d?_?[WUVRKwb](?![a-z]{3})", of):
        return False
    return names[1] in _BATCHES and names[0] not in _BATCHES | _TIMES


def side(of: str, axis: int, name: str, count: int, over_time: bool) -> int | None:
    """The size of one axis of what is called `of`.

    Args:
        name: what the file calls the size.
        count: how many axes there are; 0 where that is not said.
        over_time: whether its first axis is known to be that of time.
    """
    feature = INPUT if _LIKE_INPUT.fullmatch(of) else WIDE
    weight = re.match(r"d?[WUVRK](?![a-z]{3})|w_?[a-z]{1,2}$|d?kernel|b(?:_|$)", of)
    if name not in ("m", "n", "d", "M", "I", "X", "hidden", "length", "width") and (known := size_of(name)) is not None:
        return known
    if weight:
        return (INPUT if name in ("m", "d", "M") else WIDE) if name or axis == 0 else None
    if count == 1 or axis == -1 or axis == count - 1 > 0:
        return feature
    if over_time and axis == 0:
        return Moment(T)
    if count == 2 and axis == 0:
        return Moment(T) if name in _TIMES else BATCH
    if count == 3:
        return BATCH if name in _BATCHES or axis == 1 else Moment(T)
    return feature


def sizes(tree: ast.AST) -> frozenset[str]:
    """The names that a file counts with: in slices, in ranges, in shapes, and what it divides by."""
    found: set[str] = set()
    by = counters(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Slice(lower, upper, _):
                parts = [part for part in (lower, upper) if part]
            case ast.Call(func, args):
                name = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
                counts = ("range", "zeros", "empty", "ones", "reshape", "split", "chunk", "hsplit", "vsplit", "randn")
                parts = list(args) if name in counts else []
            case ast.BinOp(_, ast.Div(), divisor):
                parts = [divisor] if isinstance(divisor, ast.Name) else []
            case ast.Subscript(_, index):
                parts = [index]
            case ast.Assign([ast.Name(name)], ast.BinOp(ast.Name(steps) as last, ast.Sub(), ast.Constant())) if (
                steps in _TIMES and name in by
            ):
                parts = [last]  # t = T - 1
            case _:
                continue
        found |= {name.id for part in parts for name in _without_subscripts(part)}
    return frozenset(found)


def taken_from(tree: ast.AST) -> frozenset[str]:
    """The names and attributes of which entries are taken, or to which something is appended."""
    found = {_array(node.value) for node in ast.walk(tree) if isinstance(node, ast.Subscript)}
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return frozenset(found | {_array(func.value) for func in calls
                              if isinstance(func, ast.Attribute) and func.attr in ("append", "pop")})  # fmt: skip


def _without_subscripts(node: ast.AST) -> Iterator[ast.Name]:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, ast.Name):
            yield here
        counts = isinstance(here, ast.Call) and isinstance(here.func, ast.Name) and here.func.id == "len"
        if not counts and not isinstance(here, ast.Subscript | ast.Attribute):
            waiting += ast.iter_child_nodes(here)


def counters(tree: ast.AST) -> frozenset[str]:
    """The variables that loops count with."""
    found = {"t"}
    for node in ast.walk(tree):
        match node:
            case ast.For(target, iterable, _) | ast.comprehension(target, iterable):
                text = ast.unparse(iterable)
                if text.startswith("enumerate(") and isinstance(target, ast.Tuple):
                    target = (target.elts or [target])[0]
                if isinstance(target, ast.Name) and re.search(r"range\(|enumerate\(|^[\[(]?\d", text):
                    found.add(target.id)
            case ast.While(test):
                found |= {name.id for name in ast.walk(test) if isinstance(name, ast.Name)}
    return frozenset(found)


def rows(tree: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """The arrays whose rows a loop or an assignment takes apart, with the names of their members."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Tuple(parts)], ast.Subscript(ast.Name(array), _)):
                yield array, _names(parts)
            case ast.For(target, iterable, _):
                zipped = isinstance(iterable, ast.Call) and ast.unparse(iterable.func) == "zip"
                targets = target.elts if zipped and isinstance(target, ast.Tuple) else [target]
                sources = iterable.args if zipped and isinstance(iterable, ast.Call) else [iterable]
                for one, source in zip(targets, sources, strict=False):
                    while isinstance(source, ast.Subscript | ast.Call):
                        source = (
                            source.value if isinstance(source, ast.Subscript) else (source.args or [source.func])[0]
                        )
                    if isinstance(one, ast.Tuple) and isinstance(source, ast.Name):
                        yield source.id, _names(one.elts)


def _names(parts: list[ast.expr]) -> list[str]:
    return [part.id if isinstance(part, ast.Name) else "" for part in parts]


def members(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple | ast.List) else [node]


def offsets(tree: ast.AST) -> dict[str, set[int]]:
    """For every array that is indexed by a loop's variable, the offsets that are used."""
    by, found = counters(tree), dict[str, set[int]]()
    stored = Counter(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):  # h_prev = hs[t]: this array starts with the initial state
            for target, value in zip(members(node.targets[0]), members(node.value), strict=False):
                match target, value:
                    case ast.Name(name), ast.Subscript(owner, ast.Name(index)) if "prev" in name and index in by:
                        if stored[name] > 1:  # elsewhere it is the initial state: this array does not hold that
                            continue
                        if (array := _array(owner)) and "prev" not in array.lower():
                            found.setdefault(array, set()).add(1)
        if isinstance(node, ast.Subscript) and (array := _array(node.value)):
            for part in members(node.slice):
                match part:
                    case ast.Name(index) if index in by:
                        found.setdefault(array, set()).add(0)
                    case ast.BinOp(ast.Name(index), operator, ast.Constant(int() as more)) if index in by:
                        found.setdefault(array, set()).add(more if isinstance(operator, ast.Add) else -more)
    for array in _both_ends(tree):
        found.setdefault(array, set()).add(1)
    return found


def _both_ends(tree: ast.AST) -> Iterator[str]:
    """Arrays that are read both without their first and without their last entry: `hs[1:]`, `hs[:-1]`."""
    ends: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and (array := _array(node.value)):
            text = "".join(map(ast.unparse, members(node.slice)[:1]))
            if text in ("1:", ":-1"):
                ends.setdefault(array, set()).add(text)
    yield from (array for array, found in ends.items() if len(found) == 2)


def _array(node: ast.expr) -> str:
    """The name of an array, or of an attribute that is one."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
