"""What a name, an attribute or an entry holds in a sheet in Python."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import ZERO, Expr, Transpose
from derivations.marking.sheets.python_labels import keyed, owner_label
from derivations.marking.sheets.python_sizes import WIDE
from derivations.marking.sheets.walked import Items, Moment, Outside, Series, Shape, base_of, cut_out, is_row, is_state

if TYPE_CHECKING:
    from derivations.marking.sheets.python import Walk

_PACKED = re.compile(r"[WUVRb](?:_?[xhi]h?)?")
_ROWS = {"cache", "caches", "tape", "saved", "store", "memory", "trace", "history", "records", "ctx", "context"}


class Entries:
    """Reads names, attributes and entries for one `Walk`."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    def read(self, node: ast.expr) -> Any:
        """What a name, an attribute or an entry holds."""
        match node:
            case ast.Name(name):
                return self.named(name)
            case ast.Attribute(inner, "shape"):
                return Shape(base_of(self.read(inner)) if isinstance(inner, ast.Name | ast.Attribute) else "")
            case ast.Attribute(ast.Name(owner), name):
                key = f"{owner}.{name}"
                if key in self.walk.attributes:
                    return self.walk.attributes[key]
                held = self.walk.scope.get(owner)
                if isinstance(held, Items) and name in held.known:  # a namespace
                    return held.known[name]
                return Outside(name, held.at if isinstance(held, Outside) else None)
            case ast.Attribute(inner, "data" | "grad"):
                return self.read(inner)
            case ast.Attribute(inner, name):
                held = self.walk.values.value(inner)
                return Outside(name, held.at if isinstance(held, Outside) else None)
            case ast.Subscript(inner, index):
                return self._entry(node, inner, index)
        return self.walk.values.value(node)

    def named(self, name: str) -> Any:
        """What a name holds: in this function, or around it."""
        if name in self.walk.scope:
            return self.walk.scope[name]
        if name in self.walk.around:
            return self.walk.around[name]
        return self.walk.numbers.outside(name)

    def _entry(self, node: ast.Subscript, inner: ast.expr, index: ast.expr) -> Any:
        held = self.walk.values.value(inner)
        if isinstance(index, ast.Slice) and index.step is not None:
            return self._in_steps(held, index, node)
        key, slices = self.walk.numbers.index(index)
        lying = isinstance(index, ast.Tuple) and is_row([ast.unparse(part) for part in index.elts])
        match held:
            case Shape(of):
                return self.walk.numbers.side(of, key) if isinstance(key, int) else held
            case str() if isinstance(key, int) and -len(held) <= key < len(held):
                return held[key]
            case tuple():
                if isinstance(key, int) and -len(held) <= key < len(held):
                    return held[key]
                return held[slice(*slices[0])] if slices and key is None else Outside("")
            case Items():
                return self._of_items(held, key, slices, node)
            case Series():
                return self._of_series(held, key, slices, node)
            case Outside():
                return self._of_outside(held, key, slices, lying, inner)
            case Expr() if key is None:
                pieces = self.walk.storing.held_in(owner_label(inner), held, slices)
                return pieces if pieces is not None else Transpose(held) if lying else cut_out(held, slices)
            case Expr():
                return self._one_of(held, key, node)
        return None

    def _one_of(self, held: Expr, key: Any, node: ast.expr) -> Any:
        time, name = self.walk.time, owner_label(node.value) if isinstance(node, ast.Subscript) else ""
        if held == ZERO and isinstance(key, int) and is_state(name) and time.step_of(name, Moment(key)) == 0:
            self.walk.assigning.zero.add(f"{name}@0")
            return Outside(name, 0, True)
        if held == ZERO:
            return self.walk.assigning.nothing_after(name)
        raise CellError("one entry of a vector is read; a sheet is of whole vectors", node.lineno, node.col_offset + 1)

    def _in_steps(self, held: Any, index: ast.Slice, node: ast.expr) -> Any:
        """`hs[::-1]`, `hs[:0:-1]`"""
        ends = [
            None if end is None else self.walk.numbers.number(end) for end in (index.lower, index.upper, index.step)
        ]
        given = [end for end in (index.lower, index.upper, index.step) if end is not None]
        if isinstance(held, Outside) and held.at is None:
            held = self.walk.time.all_of(held.name)
        if isinstance(held, Items):
            held = held.in_order()
        if len(given) != sum(end is not None for end in ends) or not isinstance(held, tuple | Series):
            raise CellError("what is cut out here is not known", node.lineno, node.col_offset + 1)
        return held[slice(*ends)] if isinstance(held, tuple) else held.cut(slice(*ends))

    def _of_items(self, held: Items, key: Any, slices: list[Any], node: ast.expr) -> Any:
        if key is None:
            if not slices:
                return held
            ordered = held.in_order()
            if ordered is None or not ordered.members:
                return Outside("")
            start, stop = slices[0]
            return ordered.cut(slice(start, stop))
        if key in held.known:
            found = held.known[key]
        elif isinstance(key, int) and key < 0 and -len(held.known) <= key and (held.listed or type(key) is int):
            found = list(held.known.values())[key]
        elif held.zeros:
            found = self.walk.assigning.nothing_after(held.name) if isinstance(key, Moment) else ZERO
        elif isinstance(key, Moment):
            found = self.walk.time.at(held.name, key)
        else:
            found = Outside(key if isinstance(key, str) else "")
        if slices:
            return cut_out(self.walk.values.quantity(found), slices)
        return found

    def _of_series(self, held: Series, key: Any, slices: list[Any], node: ast.expr) -> Any:
        if key is None:
            return held.cut(slice(*slices[0])) if slices else held
        if not isinstance(key, int) or not -len(held.members) <= key < len(held.members):
            raise CellError("this step is not there", node.lineno, node.col_offset + 1)
        found = held.members[key]
        return cut_out(self.walk.values.quantity(found), slices) if slices else found

    def _of_outside(self, held: Outside, key: Any, slices: list[Any], lying: bool, inner: ast.expr) -> Any:
        time = self.walk.time
        if isinstance(key, str):
            return Outside(keyed(held.name, key), held.at)
        if isinstance(key, Moment) and held.at is None:
            found = Outside("", time.counted(key)) if not held.name else time.at(held.name, key)
            if held.name in _ROWS:
                found = Outside(held.name, found.at)
            return cut_out(self.walk.values.quantity(found), slices) if slices else found
        if isinstance(key, int):
            if held.at is None and time.indexed(held.name) and held.name not in _ROWS:
                at = time.step_of(held.name, Moment(key)) if key >= 0 else time.here()
                return Outside(held.name, at, True)
            if 0 <= key < 4 and _PACKED.fullmatch(held.name):  # the block of one gate
                return cut_out(self.walk.values.quantity(held), [(key * WIDE, (key + 1) * WIDE)])
            return Outside("", held.at)
        if lying and held.name:
            return Transpose(self.walk.values.quantity(held))
        if slices and held.name:
            whole = self._in_time(held, slices) if held.at is None else None
            if whole is not None:
                return whole
            return cut_out(self.walk.values.quantity(held), slices)
        return held

    def _in_time(self, held: Outside, slices: list[Any]) -> Series | None:
        """Some steps of an array over time: `hs[:-1]`, `hs[1:]`."""
        time = self.walk.time
        start, stop = slices[0]
        if len(slices) > 1 and any(cut != (None, None) for cut in slices[1:]):
            return None
        edges = (start, stop) in ((None, -1), (1, None))
        if not (time.indexed(held.name) or (edges and time.over_time)):
            return None
        return time.all_of(held.name).cut(slice(start, stop))
