"""Outer products that are written with new axes: `da[:, None] * x`, `da[:, :, None] * x[:, None, :]`, `unsqueeze`."""

import ast
import re

COLUMN, ROW = "column", "row"
_COLUMNS = ([":", "None"], [":", ":", "None"], ["...", "None"])
_ROWS = (["None", ":"], [":", "None", ":"], ["...", "None", ":"])


def is_of_batch(node: ast.BinOp, batched: bool) -> bool:
    """Whether both factors of an outer product have an axis of the samples in front, which are rows then."""
    sides = [ast.unparse(side).replace("np.newaxis", "None") for side in (node.left, node.right)]
    new = r"\[:, (?:None, :|:, None)\]" + (r"|unsqueeze\([12]\)" if batched else "")
    return all(re.search(new, text) for text in sides)


def outer_factors(node: ast.BinOp, batched: bool) -> tuple[ast.expr, ast.expr] | None:
    """What stands and what lies, where a product is an outer one by its axes; None where it is none.

    Args:
        batched: whether what has a batch gets one more axis in this file.
    """
    (left, a), (right, b) = _with_axis(node.left, batched), _with_axis(node.right, batched)
    if isinstance(node.op, ast.MatMult):
        return (left, right) if (a, b) == (COLUMN, ROW) else None
    if not isinstance(node.op, ast.Mult) or [a, b].count(COLUMN) != 1:
        return None
    standing, lying = (left, right) if a == COLUMN else (right, left)
    plain = b if a == COLUMN else a
    return (standing, lying) if plain == ROW or _is_vector(lying) else None


def _with_axis(node: ast.expr, batched: bool) -> tuple[ast.expr, str]:
    """What gets a new axis, and whether it stands or lies by that."""
    match node:
        case ast.Subscript(inner, ast.Tuple(parts)):
            said = ["None" if "newaxis" in (text := ast.unparse(part)) else text for part in parts]
            return (inner, COLUMN) if said in _COLUMNS else (inner, ROW) if said in _ROWS else (node, "")
        case ast.Call(ast.Attribute(inner, "unsqueeze"), [axis]):
            at = ast.unparse(axis)
            return inner, COLUMN if at in ("-1", "2") or (at == "1" and not batched) else ROW
    return node, ""


def _is_vector(node: ast.expr) -> bool:
    """Whether what has no new axis is a vector by its name: no number, and none of the matrices."""
    if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return False
    name = re.sub(r"^self\.", "", ast.unparse(node))
    return not re.match(r"[WUVRK]|params|p\[|mask|[A-Z]{1,2}$", name)
