"""Conditions in code that is followed: whether each holds, as far as that is known."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from derivations.expression import Num
from derivations.source.values import Closure, Frame, Instance, Layer, Partial, Unread

if TYPE_CHECKING:
    from derivations.source.follow import Follower


class Conditions:
    """Decides conditions for one `Follower`."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower

    def truth(self, node: ast.expr, frame: Frame) -> bool | None:
        """Whether a test holds; None if that is not known."""
        match node:
            case ast.BoolOp(op=op, values=values):
                unknown = False
                for one in values:
                    held = self.truth(one, frame)
                    if held is isinstance(op, ast.Or):
                        return held
                    unknown |= held is None
                return None if unknown else isinstance(op, ast.And)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                held = self.truth(operand, frame)
                return None if held is None else not held
            case ast.Compare(left=left, ops=ops, comparators=others):
                values = [self.follower.operand(one, frame) for one in (left, *others)]
                found = [_compared(op, a, b) for op, a, b in zip(ops, values, values[1:], strict=False)]
                return False if False in found else None if None in found else True
            case ast.Call():
                return self.follower.libraries.test(node, frame)
        value = self.follower.operand(node, frame)
        if value is None or isinstance(value, (bool, str, list, dict)):
            return bool(value)
        if isinstance(value, Num):
            return bool(value.value)
        return True if isinstance(value, (Closure, Layer, Partial, Instance)) else None


def _compared(op: ast.cmpop, a: Any, b: Any) -> bool | None:
    if isinstance(op, (ast.Is, ast.IsNot)) and (a is None or b is None):
        other = b if a is None else a
        if isinstance(other, Unread):
            return None
        return (other is None) is isinstance(op, ast.Is)
    plain = (Num, str, bool, type(None))
    if isinstance(a, plain) and isinstance(b, plain):
        if isinstance(op, (ast.Eq, ast.Is)):
            return bool(a == b)
        if isinstance(op, (ast.NotEq, ast.IsNot)):
            return bool(a != b)
        if isinstance(a, Num) and isinstance(b, Num):
            x, y = a.value, b.value
            return {"Lt": x < y, "LtE": x <= y, "Gt": x > y, "GtE": x >= y}.get(type(op).__name__)
    if isinstance(op, (ast.In, ast.NotIn)) and isinstance(b, (list, dict)) and isinstance(a, str):
        return (a in b) is isinstance(op, ast.In)
    return None
