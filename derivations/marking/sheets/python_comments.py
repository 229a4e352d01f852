"""What comments of a program define, of names that it leaves open: `# s = sqrt(v + eps)`, `# dtanh(y) = 1 - y * y`.

They are put in front of what reads them, as the statements that they are; nothing is run.
"""

import ast
import re
from collections.abc import Iterator
from contextlib import suppress

from derivations.cell import CellError
from derivations.marking.sheets.definitions import definitions
from derivations.pythonic import parsed

_COMMENT = re.compile(r"[^#\"'\n]*#(.*)")
_FUNCTION = re.compile(
    r"(?<![\w.])([A-Za-z_]\w*)\(([A-Za-z_]\w*)\)\s*=(?!=)\s*((?:[^,;()]|\([^()]*\))+?)(?=,|;|\.\s|\band\b|$)"
)

_OF_FORMULAS = (ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.Constant)
_OF_NUMPY = {"sqrt", "exp", "log", "mean", "sum", "square", "outer", "dot", "concatenate", "diag"}


def with_comments(tree: ast.Module, text: str) -> frozenset[tuple[int, str]]:
    """Puts the definitions of a text's comments into its tree; the lines on which they stand, with the names."""
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    stored |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    stored |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    stored |= {alias.asname or alias.name for node in ast.walk(tree) for alias in getattr(node, "names", ())
               if isinstance(alias, ast.alias)}  # fmt: skip
    places: set[tuple[int, str]] = set()
    found: list[ast.stmt] = []
    for number, written in enumerate(text.split("\n"), 1):
        comment = _COMMENT.match(written)
        for name, code in _said(comment[1]) if comment else ():
            statement = _statement(code)
            if name not in stored and statement is not None:
                stored.add(name)
                places.add((number, name))
                found.append(_at(statement, number))
    for body in _bodies(tree) if found else ():
        read = {node.id for part in body for node in ast.walk(part) if isinstance(node, ast.Name)}
        body[:0] = _read_by(found, read)
    return frozenset(places)


def _said(comment: str) -> Iterator[tuple[str, str]]:
    for match in _FUNCTION.finditer(comment):
        yield match[1], f"def {match[1]}({match[2]}): return {match[3].strip()}"
    for said in definitions(comment):
        name, _, value = said.text.partition("=")
        yield name.strip(": "), f"{name.strip(': ')} = {value.strip()}"


def _statement(code: str) -> ast.stmt | None:
    with suppress(CellError):
        body = parsed(code).body
        if len(body) == 1 and isinstance(body[0], ast.FunctionDef):
            return body[0]
        if len(body) == 1 and isinstance(body[0], ast.Assign) and _is_formula(body[0].value):
            return _Qualified().visit(body[0])
    return None


def _is_formula(value: ast.expr) -> bool:
    found = [node for node in ast.walk(value) if isinstance(node, ast.expr)]
    if any(isinstance(node, ast.Name) and node.id in ("len", "int", "range") for node in found):
        return False  # sizes are none of formulas
    return all(isinstance(node, _OF_FORMULAS) for node in found) and any(
        isinstance(node, ast.BinOp | ast.Call) for node in found
    )


class _Qualified(ast.NodeTransformer):
    """Functions as comments have them, `sqrt(v)`, as those of the library."""

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        match node.func:
            case ast.Name(name) if name in _OF_NUMPY:
                node.func = ast.copy_location(
                    ast.Attribute(ast.copy_location(ast.Name("np", ast.Load()), node), name, ast.Load()), node
                )
        return node


def _at(statement: ast.stmt, line: int) -> ast.stmt:
    for node in ast.walk(statement):
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = line  # type: ignore[attr-defined]  # what has the one has the other
    return statement


def _bodies(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """What stands at the top, and in the functions there."""
    yield tree.body
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.body


def _read_by(found: list[ast.stmt], read: set[str]) -> list[ast.stmt]:
    """The definitions that some code reads, and those that these read."""
    kept: list[ast.stmt] = []
    for statement in reversed(found):
        match statement:
            case ast.Assign([ast.Name(name)]) if name in read:
                read |= {node.id for node in ast.walk(statement.value) if isinstance(node, ast.Name)}
                kept.insert(0, statement)
            case ast.FunctionDef(name) if name in read:
                kept.insert(0, statement)
    return kept
