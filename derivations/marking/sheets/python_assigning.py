"""What a sheet in Python assigns: to names, to entries and to parts of arrays; each expression is a line."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from derivations.cell import CellError
from derivations.expression import ZERO, Expr, Name, names
from derivations.marking.sheet import Line, Versions, split_increment
from derivations.marking.sheets.python_labels import (
    carried,
    entry_label,
    is_error,
    is_gradient,
    of_error,
    owner_label,
    row,
)
from derivations.marking.sheets.python_sizes import BATCH, is_time, of_columns
from derivations.marking.sheets.walked import (
    Items,
    Moment,
    Outside,
    Series,
    Shape,
    T,
    is_part_of_outside,
    is_part_of_sums,
    is_state,
    reads_part_of_line,
)
from derivations.marking.world import NOW
from derivations.pythonic import left_chain, place

if TYPE_CHECKING:
    from derivations.marking.sheets.python import Walk


class Assigning:
    """Assigns for one `Walk`, and keeps the lines of its sheet."""

    def __init__(self, walk: Walk, text: str) -> None:
        self.walk = walk
        self.text = text.split("\n")
        self.lines: list[Line] = []
        self.versions = Versions()
        self.zero: set[str] = set()  # names that start as zero
        self.zeros: list[Line] = []  # where they are set to zero
        self.cut: set[str] = set()  # names for parts of what is packed: each stands for the gate as well
        self.shown: dict[str, str] = {}  # what is taken from outside -> the name that it is given

    def assign(self, target: ast.expr, value: Any, node: ast.stmt) -> None:
        match target:
            case ast.Name(name):
                value = started(name, value)
                if is_time(name) and isinstance(value, int):
                    value = Moment(T)
                if isinstance(value, Items) and not value.name:
                    value.name = name
                starts = self.walk.scope.get(name) == ZERO and is_gradient(name) and adds_to(node, name)
                count = len(self.lines)
                self.walk.scope[name] = self.line(name, value, node, self._held(name))
                if starts and len(self.lines) > count:
                    self.starts_sum()
            case ast.Tuple(parts) | ast.List(parts):
                names = row([part.id if isinstance(part, ast.Name) else "" for part in parts])
                if isinstance(value, Shape) and of_columns(value.of, names):
                    value = Shape(value.of, True)
                for k, part in enumerate(parts):
                    self.assign(part, self.member(value, k, part, len(parts), names[k]), node)
            case ast.Subscript(owner, index) if isinstance(owner, ast.Name | ast.Attribute | ast.Subscript):
                self.walk.storing.store(owner, index, value, node)
            case ast.Attribute(ast.Name(owner), name):
                if isinstance(value, Items) and not value.name:
                    value.name = name
                self.walk.attributes[f"{owner}.{name}"] = self.line(name, value, node, "")
            case ast.Starred(inner):
                self.assign(inner, Outside(), node)

    def member(self, value: Any, k: int, target: ast.expr, count: int = 0, said: str = "") -> Any:
        """One of several things, under the name that it is given."""
        if isinstance(value, Items) and value.listed:
            value = tuple(value.known.values())
        if isinstance(value, Series):
            value = tuple(value.members)
        if isinstance(value, tuple | list | str) and k < len(value):
            return value[k]
        name = target.id if isinstance(target, ast.Name) else ""
        if isinstance(value, Shape):
            turned = value.lying  # the samples are its last axis
            size = BATCH if turned and k else self.walk.numbers.side(value.of, -1 if turned else k, name, count)
            return size if size is not None else Outside(name)
        if isinstance(value, Outside):
            if said and said != name:
                self.shown.setdefault(said, name)
            return Outside(said or name or value.name, value.at)
        if isinstance(value, Expr) and count in (3, 4) and name and not is_error(name):  # the gates' sums, in one
            self.cut.add(name)
            return Outside(name, self.walk.time.step)
        if isinstance(value, Expr):
            raise CellError("a quantity is taken apart into several; write out the parts", *place(target))
        return Outside(name)

    def kept(self, held: Items, value: Any, node: ast.expr) -> Any:
        """What is put into a list: an expression of an error is a line, under the name of the list."""
        name = re.sub(r"(?:_?list|_?all|_?seq|s)$", "", held.name) or held.name
        worked = isinstance(value, Expr) and not isinstance(value, Name) and value != ZERO
        return self.worked_out(name, value, node) if worked and name else value

    def worked_out(self, name: str, value: Any, node: ast.expr) -> Any:
        """An expression that stands by itself, as an argument or among what is returned, as a line."""
        return self.line(name, value, node, "", always=True)

    def add(self, node: ast.AugAssign, target: ast.expr, operator: ast.operator, value: ast.expr) -> None:
        """`x += ...` and the like."""
        held = self.walk.values.value(target)
        more = self.walk.values.in_time(self.walk.values.value(value))
        if isinstance(held, Items) and isinstance(more, Items | tuple) and isinstance(operator, ast.Add):
            for one in tuple(more.known.values()) if isinstance(more, Items) else more:
                held.insert(len(held.known), one, self.walk.time.step)
            return
        if isinstance(target, ast.Name):
            held = started(target.id, held)
        if (
            isinstance(held, Outside)
            and isinstance(target, ast.Subscript)
            and held.name == self.walk.numbers.text(target.slice)
        ):
            held = Name(entry_label(owner_label(target.value), held.name))  # a sum that has started elsewhere
        if isinstance(held, int) and isinstance(more, int):
            self.assign(target, held + more if isinstance(operator, ast.Add) else held - more, node)
            return
        if not isinstance(more, Expr):
            more = self.walk.values.quantity(more)
        if not isinstance(held, Expr):
            held = self.walk.values.quantity(held)
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
            within = self.walk.scope if isinstance(target, ast.Name) else self.walk.attributes
            within[key] = self.line(name, found, node, before, always=True)
            if start and self.lines and not self.walk.quiet:
                self.starts_sum()
        else:
            count = len(self.lines)
            self.assign(target, found, node)
            if held == ZERO and len(self.lines) > count:
                self.starts_sum()

    def starts_sum(self) -> None:
        """The first thing added to zeros is a part of a sum as well."""
        last = self.lines[-1]
        if last.increment is None:
            self.lines[-1] = replace(last, increment=last.rhs)

    def _held(self, name: str) -> str:
        held = self.walk.scope.get(name)
        return held.id if isinstance(held, Name) else ""

    def line(self, name: str, value: Any, node: ast.AST, before: str, *, always: bool = False) -> Any:
        """A line of the sheet, if an expression is assigned; its version, to be read by what follows."""
        if isinstance(value, Items):
            value = self.walk.values.in_time(value) if value.name != name and is_error(name) else value
        if isinstance(value, Series) and not value.lying and is_error(name):
            return self._lines(name, value, node)
        if isinstance(value, Outside):
            error = is_error(name) and value.name not in ("", name) and not self.walk.quiet
            within = self.walk.time.step is not None or not self.walk.in_loops
            called = value.entry and is_state(value.name) and re.search(r"[hca]_?prev|prev_?[hca]", name)
            # what is called the state before and is of this step
            misses = bool(called) and value.at == self.walk.time.step is not None and not self.walk.quiet
            if not misses and not (error and within and name not in self.walk.labels.added_to):
                return self._alias(name, value)
            value, always = self.walk.values.quantity(value), always or misses
        if not isinstance(value, Expr):
            return value
        if value == ZERO and not (always and self.walk.time.over_time):
            self.zero |= {name, carried(name) or name}
            if not self.walk.quiet:
                step, loop = self._when()
                self.zeros.append(Line(*place(node), self.source(node), name, step=step, loop=loop))
            return ZERO
        if is_part_of_outside(value) and name[:1] != "d":
            self.cut.add(name)
            return Outside(name, self.walk.time.step)  # a part of what is packed outside, under a name of its own
        if self.walk.quiet:
            return self.walk.values.short(value, node)
        if not is_error(name) and self._is_gate(name, self.walk.values.short(value, node)):
            self.cut.add(name)
            return Outside(name, self.walk.time.step)  # a gate that is worked out of what is packed
        value, time = self.walk.values.short(value, node), self.walk.time
        if isinstance(value, Name) and "#" not in value.id and not always:
            bare = value.id.partition("@")[0]
            if bare == name or name[:1] != "d":
                self.shown.setdefault(bare, name)
                return value  # taken from outside, under a name of its own
        if isinstance(value, Name) and value.id.partition("#")[0] == name and not always and "#" in value.id:
            return value
        if isinstance(value, Name) and "#" in value.id and not always and not is_error(name) and not carried(name):
            picked = isinstance(node, ast.Assign) and any(isinstance(n, ast.Subscript) for n in ast.walk(node.value))
            if not (picked and re.search(r"prev|before|old", name)):
                return value  # what a line has said, under another name
        said = time.said(value)
        target = of_error(self.walk.labels.target(name, getattr(node, "lineno", 0)), names(value))
        if target != name:
            self.shown.setdefault(target, name)
            name = target
        version = self.versions.write(name)
        # what the loop has handed on is no part of a sum that this name stands for
        handed = before.partition("#")[0]
        before = "" if handed != name and {handed, name} & {"dh_next", "dc_next"} else before
        increment = split_increment(said, before) if before else None
        step, loop = self._when()
        self.lines.append(
            Line(
                *place(node),
                self.source(node),
                name,
                version,
                said,
                before=before if increment is not None else "",
                increment=increment,
                header=time.header,
                step=step,
                loop=loop,
            )
        )
        return Name(version)

    def _is_gate(self, name: str, value: Expr) -> bool:
        """Whether a value is a part of what is packed, or a function of one under its own name: `i = sigmoid(i)`."""
        if reads_part_of_line(value) or is_part_of_sums(value):
            return True
        read = {one.partition("@")[0] for one in names(value)}
        return name in self.cut and read == {name} and not isinstance(value, Name)

    def _when(self) -> tuple[int, int | None]:
        """The step of a line, and the round of its loop."""
        time = self.walk.time
        return (T if time.over_time else NOW, None) if time.step is None else (time.step, time.step)

    def _alias(self, name: str, value: Outside) -> Outside:
        """What comes from outside, under another name."""
        time = self.walk.time
        if value.entry and value.at is not None:
            by = value.at - time.here()
            bare = value.name.rstrip("_")
            self.shown.setdefault(f"{bare}[t{by:+d}]" if by else bare, name)
            if not by:
                self.walk.labels.alias(name, value.name)
        return Outside(value.name or name, value.at, value.entry)

    def nothing_after(self, name: str) -> Expr:
        """What an array of errors holds where it was not filled: nothing comes back after the last step."""
        time = self.walk.time
        if time.step == T and is_error(name):
            self.zero.add("dc_next" if name[1:2] in ("c", "C", "s") else "dh_next")
        return ZERO

    def _lines(self, name: str, value: Series, node: ast.AST) -> Any:
        """An array over time that is worked out as a whole: a line for every step."""
        time = self.walk.time
        if self.walk.quiet or time.step is not None or None in value.steps or not time.over_time:
            return value
        if all(isinstance(one, Name) and "#" in one.id for one in value.members):
            return value
        found = []
        for one, step in zip(value.members, value.steps, strict=True):
            time.step = step
            found.append(self.line(name, self.walk.values.quantity(one), node, "", always=True))
        time.step = None
        return Series(found, value.steps)

    def source(self, node: ast.AST) -> str:
        """A statement as it stands in the file, on one line."""
        first = getattr(node, "lineno", 1)
        last = getattr(node, "end_lineno", first) or first
        return " ".join(" ".join(self.text[first - 1 : min(last, first + 6)]).split())[:300]


def started(name: str, value: Any) -> Any:
    """Where an error starts as the number zero, that is no counter."""
    return ZERO if value == 0 and isinstance(value, int) and (is_error(name) or carried(name)) else value


def adds_to(node: ast.stmt, name: str = "") -> bool:
    """Whether a statement adds to what it assigns: `db = db + da`."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.BinOp):
        return False
    name = name or ast.unparse(node.targets[0])
    first, rest = left_chain(node.value)
    return any(ast.unparse(part) == name for part in (first, *(part for _, part in rest)))
