"""What a sheet in Python assigns: to names, to entries and to parts of arrays; each expression is a line."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import ZERO, Expr, Name, Stack
from derivations.sheet import Line, Versions, split_increment
from derivations.sheets.walked import Items, Moment, Outside, is_part_of_outside, members, named, side_by_side, size_of

if TYPE_CHECKING:
    from derivations.sheets.python import Walk

_FROM_OUTSIDE = re.compile(r"d_?\w+_out")
_ERROR = re.compile(r"d_?[A-Za-z]{1,2}")


class Assigning:
    """Assigns for one `Walk`, and keeps the lines of its sheet."""

    def __init__(self, walk: Walk, text: str) -> None:
        self.walk = walk
        self.text = text.split("\n")
        self.lines: list[Line] = []
        self.versions = Versions()
        self.pieces: dict[str, dict[int, Any]] = {}  # what was put into an array of zeros, by where it starts
        self.zero: set[str] = set()  # names that start as zero
        self.zeros: list[Line] = []  # where they are set to zero
        self.shown: dict[str, str] = {}  # what is taken from outside -> the name that it is given

    def assign(self, target: ast.expr, value: Any, node: ast.stmt) -> None:
        match target:
            case ast.Name(name):
                self.walk.scope[name] = self._line(name, value, node, self._held(name))
            case ast.Tuple(parts) | ast.List(parts):
                for k, part in enumerate(parts):
                    inner = self._member(value, k, part)
                    self.assign(part, inner, node)
            case ast.Subscript(ast.Name(name), index):
                self._store(name, index, value, node)
            case ast.Attribute(ast.Name(), name):
                self.walk.scope[f"self.{name}"] = self._line(name, value, node, "")
            case ast.Starred(inner):
                self.assign(inner, Outside(), node)

    def _member(self, value: Any, k: int, target: ast.expr) -> Any:
        if isinstance(value, tuple | list) and k < len(value):
            return value[k]
        name = target.id if isinstance(target, ast.Name) else ""
        size = size_of(name)
        if isinstance(value, Outside) and size is not None and value.name == "shape":
            return size
        return Outside(name)

    def add(self, node: ast.AugAssign, target: ast.expr, operator: ast.operator, value: ast.expr) -> None:
        """`x += ...` and the like."""
        held = self.walk.values.read(target)
        more = self.walk.values.value(value)
        if isinstance(held, int) and isinstance(more, int):
            self.assign(target, held + more if isinstance(operator, ast.Add) else held - more, node)
            return
        if not isinstance(more, Expr):
            more = self.walk.values.tensor(value)
        if not isinstance(held, Expr):
            held = self.walk.values.tensor(target)
        match operator:
            case ast.Add():
                found = more if held == ZERO else held + more
            case ast.Sub():
                found = -more if held == ZERO else held - more
            case ast.Mult():
                found = held * more
            case ast.Div():
                found = held / more
            case _:
                raise CellError("only +=, -=, *= and /= are read", node.lineno, node.col_offset + 1)
        if isinstance(target, ast.Name | ast.Attribute):
            before = held.id if isinstance(held, Name) else ""
            start = held == ZERO
            name = target.id if isinstance(target, ast.Name) else target.attr
            key = name if isinstance(target, ast.Name) else f"self.{name}"
            self.walk.scope[key] = self._line(name, found, node, before, always=True)
            if start and self.lines and not self.walk.quiet:
                self._starts_sum()
        else:
            count = len(self.lines)
            self.assign(target, found, node)
            if held == ZERO and len(self.lines) > count:
                self._starts_sum()

    def _starts_sum(self) -> None:
        """The first thing added to zeros is a part of a sum as well."""
        last = self.lines[-1]
        if last.increment is None:
            self.lines[-1] = replace(last, increment=last.rhs)

    def _store(self, name: str, index: ast.expr, value: Any, node: ast.stmt) -> None:
        """`hs[t] = ...`, `grads["dW"] = ...`, `da[:, :H] = ...`"""
        key, slices = self.walk.numbers.index(index)
        if slices and key is None:
            held = self.walk.scope.get(name)
            if isinstance(held, Expr):
                piece = f"{name}[{slices[-1][0] or 0}:{slices[-1][1] or ''}]"
                self.shown.setdefault(piece, f"{name}[{', '.join(map(ast.unparse, members(index)))}]")
                self.walk.scope[name] = self._pasted(name, piece, held, slices, value, node)
                return
            raise CellError("a part of an array is assigned that was not there before", node.lineno)
        held = self.walk.scope.get(name)
        if not isinstance(held, Items):
            held = self.walk.scope[name] = Items(name)
        if value == ZERO and isinstance(key, Moment) and name[:1] != "d" and self.walk.time.counted(key) > 0:
            return  # filled in later, by what is no formula: it comes from outside
        if isinstance(key, Moment) and value == ZERO and self.walk.time.step_of(name, key) == 0:
            self.zero.add(f"{name}@0")
        before = held.known.get(key)
        label = key if isinstance(key, str) else name
        if isinstance(key, str) and re.match(r"d|g(?:rad|$)", name) and key[:1] != "d":
            label = f"d{key}"  # grads["Wf"]
        held.known[key] = self._line(label, value, node, before.id if isinstance(before, Name) else "")

    def _pasted(self, name: str, piece: str, held: Any, slices: Sequence[Any], value: Any, node: ast.stmt) -> Any:
        """Pieces that are put side by side into an array of zeros, one after another."""
        pieces = dict(self.pieces.get(name, {})) if held is not ZERO else {}
        where = slices[-1]
        if isinstance(value, Expr):
            value = self._line(piece, value, node, "", always=True)
        pieces[where[0] or 0] = (where, value, len(slices))
        self.pieces = {**self.pieces, name: pieces}
        parts = [pieces[k][1] for k in sorted(pieces)]
        if not all(isinstance(p, Expr) for p in parts):
            raise CellError("what is put into this array is not known", node.lineno)
        return side_by_side(parts) if len(slices) > 1 else Stack(tuple(parts))

    def _held(self, name: str) -> str:
        held = self.walk.scope.get(name)
        return held.id if isinstance(held, Name) else ""

    def _line(self, name: str, value: Any, node: ast.stmt, before: str, key: str = "", *, always: bool = False) -> Any:
        """A line of the sheet, if an expression is assigned; its version, to be read by what follows."""
        if isinstance(value, Outside) and _FROM_OUTSIDE.fullmatch(value.name) and _ERROR.fullmatch(name):
            value = named(value.name)  # dh = dh_out says that nothing else reaches dh
        if isinstance(value, Outside):
            size = size_of(name) if value.name == "shape" else None
            return size if size is not None else Outside(value.name or name)
        if not isinstance(value, Expr):
            return value
        if value == ZERO:
            self.zero.add(name)
            if not self.walk.quiet:
                step, loop = self.walk.time.when()
                self.zeros.append(
                    Line(node.lineno, node.col_offset + 1, self.source(node), name, step=step, loop=loop)
                )  # fmt: skip
            return ZERO
        if is_part_of_outside(value) and name[:1] != "d":
            return Outside(name)  # a part of what is packed outside, under a name of its own
        if self.walk.quiet:
            return value
        if isinstance(value, Name) and "#" not in value.id and not always and (value.id == name or name[:1] != "d"):
            self.shown.setdefault(value.id, name)
            return value  # taken from outside, under a name of its own
        version = self.versions.write(name)
        increment = split_increment(value, before) if before else None
        step, loop = self.walk.time.when()
        self.lines.append(
            Line(
                node.lineno,
                node.col_offset + 1,
                self.source(node),
                key or name,
                version,
                value,
                before=before if increment is not None else "",
                increment=increment,
                header=self.walk.time.header,
                step=step,
                loop=loop,
            )
        )
        return Name(version)

    def source(self, node: ast.AST) -> str:
        """A statement as it stands in the file, on one line."""
        first = getattr(node, "lineno", 1)
        last = getattr(node, "end_lineno", first) or first
        return " ".join(" ".join(self.text[first - 1 : min(last, first + 6)]).split())[:300]
