"""Parts of packed quantities: `chunk(4, 1)`, `jnp.split(x, 4)`, `gates[:, n:2*n]`, and how long they are."""

from __future__ import annotations

import ast
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from derivations.expression import Add, Div, Expr, Mul, Name, Num
from derivations.python_operators import Unreadable, added, place, quantity
from derivations.source.values import (
    Block,
    Cut,
    Extent,
    Frame,
    ShapeOf,
    Split,
)

if TYPE_CHECKING:
    from derivations.source.follow import Follower


class Pieces:
    """Takes quantities apart for one `Follower`."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower

    def pieces(self, root: str, name: str, args: list[Any], keywords: dict[str, Any]) -> Any:
        """`chunk(4, 1)`, `jnp.split(x, 4, axis=-1)`, `torch.split(x, n)`: the parts of a packed quantity."""
        whole = args[0] if args else None
        how = (
            args[1]
            if len(args) > 1
            else next(
                (
                    keywords[k]
                    for k in (
                        "chunks",
                        "indices_or_sections",
                        "split_size_or_sections",
                        "sections",
                        "num_or_size_splits",
                    )
                    if k in keywords
                ),
                None,
            )
        )
        along = args[2] if len(args) > 2 else keywords.get("axis", keywords.get("dim"))
        axis = 0 if along is None else _axis(along)
        if name in ("unbind", "unstack") or isinstance(whole, (list, tuple)):
            raise Unreadable(f"{name} of this is not read; split along the features")
        packed = quantity(whole)
        by_size = root == "torch" and name == "split"
        if isinstance(how, (list, tuple)):
            ends: list[Expr] = [Num(Fraction(0))]
            for one in how:
                ends.append(added(ends[-1], quantity(one)) if by_size else quantity(one))
            cuts = [self.cut(a, b, axis) for a, b in zip(ends, [*ends[1:], None], strict=True)]
            return [Block(packed, cut) for cut in (cuts[:-1] if by_size else cuts)]
        if by_size:
            return Split(packed, quantity(how), axis)
        if isinstance(how, Num) and how.value.denominator == 1 and 0 < how.value <= 64:
            count = int(how.value)
            return [Block(packed, Cut(Fraction(k, count), Fraction(k + 1, count), "", axis)) for k in range(count)]
        raise Unreadable("it is not known into how many parts this is split")

    def part(self, owner: Expr, key: Any, node: ast.expr) -> Any:
        """`x[k]`, `x[a:b]`, `x[:, a:b]`."""
        if isinstance(key, tuple):
            kept = [
                (at, one)
                for at, one in enumerate(key)
                if one is not None and one is not ... and one != slice(None, None)
            ]
            if None in key and list(key).index(None) > 0 and ... not in key[: list(key).index(None)]:
                raise Unreadable(
                    "this makes a column, and what it meets makes a matrix; leave the vector, or write outer(a, b)"
                )
            if not kept:
                return owner
            if len(kept) == 1 and isinstance(kept[0][1], slice):
                last = kept[0][0] > 0 or ... in key
                return self.part_along(owner, kept[0][1], 1 if last else 0)
            raise Unreadable("a component is no quantity of a cell; a slice a:b is")
        if key is None or key is ... or key == slice(None, None):
            return owner
        if isinstance(key, slice):
            return self.part_along(owner, key, 0)
        if isinstance(owner, Name) and owner.id in self.follower.given and isinstance(key, (Num, str)):
            given = self.follower.given[owner.id]
            if isinstance(key, str):
                name = f"{given.name}_{key}" if given.attribute else key
                return self.follower.give(name, given.origin, place(node), owner.id, key)
            if key.value.denominator == 1 and 0 <= key.value < 64:
                return self.follower.give(
                    f"{given.name}[{key.value}]", given.origin, place(node), owner.id, int(key.value)
                )
        raise Unreadable("a component is no quantity of a cell; take parts by a:b, or split")

    def part_along(self, owner: Expr, key: slice, axis: int) -> Expr:
        ends = [None if end is None else quantity(end) for end in (key.start, key.stop)]
        if any(isinstance(end, Num) and end.value < 0 for end in ends):
            raise Unreadable("an index from the end; count from the start")
        return Block(owner, self.cut(ends[0], ends[1], axis))

    def cut(self, start: Expr | None, stop: Expr | None, axis: int | None) -> Cut:
        """From one length to another."""
        low, unit = self.length(start) if start is not None else (Fraction(0), "")
        if stop is None:
            return Cut(low, None, unit, axis)
        high, other = self.length(stop)
        if low and unit != other:
            raise Unreadable("this part is measured in two lengths; measure it in one, as in n:2*n")
        return Cut(low, high, other, axis)

    def length(self, expr: Expr) -> tuple[Fraction, str]:
        """A length as so many times a unit: `2 * units` is 2 of units."""
        match expr:
            case Num(value):
                return value, "1" if value else ""
            case Name(id) if id in self.follower.defined:
                return self.length(self.follower.defined[id].expr)
            case Name(id):
                return Fraction(1), id
            case Extent(Div(a, Num(value))) | Div(a, Num(value)) if value:
                number, unit = self.length(a)
                return number / value, unit
            case Extent(of):
                return Fraction(1), f"extent {of}"
            case Mul(factors):
                number, unit = Fraction(1), "1"
                for factor in factors:
                    value, other = self.length(factor)
                    if unit != "1" and other != "1":
                        break
                    number, unit = number * value, other if unit == "1" else unit
                else:
                    return number, unit
            case Add(terms):
                found = [self.length(term) for term in terms]
                if len({unit for _, unit in found}) == 1:
                    return sum((value for value, _ in found), Fraction(0)), found[0][1]
        raise Unreadable("this length is not read; measure parts in one length, as in n:2*n")

    def shape(self, owner: Expr) -> ShapeOf:
        known = (
            self.follower.given[owner.id].shape if isinstance(owner, Name) and owner.id in self.follower.given else ()
        )
        return ShapeOf(owner, known)

    def shape_given(self, expr: ast.expr, frame: Frame) -> tuple[Expr, ...]:
        """The shape that `add_weight(shape=(2, 3 * units))` speaks of, where it is read."""
        if isinstance(expr, ast.Call):
            for keyword in expr.keywords:
                if keyword.arg == "shape":
                    return lengths(self.follower.operand(keyword.value, frame))
        return ()


def lengths(value: Any) -> tuple[Expr, ...]:
    """A shape; a length that is not read is like no other."""
    if not isinstance(value, (list, tuple)):
        return ()
    return tuple(one if isinstance(one, Expr) else Name("?") for one in value)


def _axis(value: Any) -> int:
    if not isinstance(value, Num) or value.value not in (-1, 0, 1):
        raise Unreadable("this axis is not read; features lie along the last one")
    return 0 if value.value == 0 else 1
