"""Python expressions as ours: operators, and the functions of torch, jax, numpy, keras and math.

Python is read as a tree (`ast`) and never run. What a name, an attribute or a subscript means is for the caller to
say; here stands what `@`, `torch.sigmoid`, `F.linear`, `.clamp(0, 1)` mean, whatever the file calls its libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from derivations.cell import CellError
from derivations.expression import Expr, MatMul
from derivations.python_functions import BUILT_IN, FUNCTION_ROWS, library
from derivations.python_operators import (
    Product,
    Unreadable,
    Value,
    binary,
    chosen,
    left_chain,
    literal,
    place,
    transposed,
    unary,
)

if TYPE_CHECKING:
    import ast

__all__ = [
    "CUSTOMARY",
    "Product",
    "Unreadable",
    "Value",
    "binary",
    "dotted",
    "expression",
    "imported",
    "left_chain",
    "library",
    "library_name",
    "literal",
    "parsed",
    "place",
    "unary",
]
DEEPEST = 64
LIBRARIES = ("torch", "jax", "numpy", "math", "keras", "flax", "equinox", "scipy", "autograd", "tensorflow", "mlx")
CUSTOMARY = {
    "np": "numpy", "jnp": "jax.numpy", "numpy": "numpy", "torch": "torch", "jax": "jax", "math": "math",
    "F": "torch.nn.functional", "nn": "torch.nn", "ops": "keras.ops", "lax": "jax.lax", "jnn": "jax.nn",
    "keras": "keras", "tf": "tensorflow",
}  # fmt: skip


def parsed(text: str) -> ast.Module:
    """The tree of a Python text; nothing is run, opened or said.

    Raises:
        CellError: it is not Python, or nested too deeply.
    """
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in the user's strings
        try:
            # To show the line of a mistake, Python opens the file of this name, which might be a pipe: no file has it.
            return ast.parse(text, "")
        except SyntaxError as error:
            raise CellError(f"this is not Python: {error.msg}", error.lineno or 0, error.offset or 0) from None
        except (RecursionError, MemoryError):
            raise CellError("the code is nested too deeply") from None
        except ValueError as error:  # a NUL, a number of thousands of digits
            raise CellError(f"this is not Python: {error}") from None


def expression(
    node: ast.expr,
    leaf: Callable[[ast.expr], Expr | None],
    aliases: Mapping[str, str] = CUSTOMARY,
    matmul: Product = MatMul,
) -> Expr:
    """The expression that a Python expression says.

    Args:
        leaf: what a name, an attribute, a subscript or a call means: it is asked first, and None leaves it to us
            (library functions and methods, `.T`); for a name or a subscript None is an error.
        aliases: what the file calls its libraries, as `imported` gives it.
        matmul: what `a @ b` is; by default the product as it is written.

    Raises:
        Unreadable: with line, column and what to write instead.
    """
    import ast

    def value(node: ast.expr, depth: int = 0) -> Expr:
        if depth > DEEPEST:
            raise Unreadable(f"operations are nested deeper than {DEEPEST}; name a part of this", *place(node))
        try:
            found = read(node, depth + 1)
        except Unreadable as error:
            raise error.at_node(node) from None
        if not isinstance(found, Expr):
            raise Unreadable("a value is due here", *place(node))
        return found

    def argument(node: ast.expr, depth: int) -> Value:
        """Among arguments there are lists, truth values, names of types, and strings."""
        match node:
            case ast.Constant(value=None | bool() | str() as plain):
                return plain
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [argument(item, depth + 1) for item in items]
            case ast.Attribute() if leaf(node) is None and library_name(node, aliases):
                return library_name(node, aliases)
        return value(node, depth)

    def read(node: ast.expr, depth: int) -> Value:
        match node:
            case ast.Name() | ast.Attribute() | ast.Subscript() | ast.Call():
                found = leaf(node)
                if found is not None:
                    return found
        match node:
            case ast.Constant(value=number):
                return literal(number)
            case ast.BinOp():
                first, rest = left_chain(node)
                result = value(first, depth)
                for operator, operand in rest:
                    result = binary(operator, result, value(operand, depth), matmul)
                return result
            case ast.UnaryOp(op=op, operand=operand):
                return unary(op, value(operand, depth))
            case ast.Attribute(value=inner, attr=attr) if attr in ("T", "mT"):
                return transposed(value(inner, depth))
            case ast.Attribute(value=inner, attr="data"):
                return value(inner, depth)
            case ast.Call(func=func, args=args, keywords=keywords):
                if name := library_name(func, aliases):
                    given = []
                elif isinstance(func, ast.Attribute):
                    name, given = func.attr, [value(func.value, depth)]
                elif isinstance(func, ast.Name) and func.id in {**BUILT_IN, **FUNCTION_ROWS}:
                    name, given = BUILT_IN.get(func.id, func.id), []
                else:
                    raise Unreadable(f"the function {ast.unparse(func)[:60]} is not known here")
                if name == "where" and len(args) == 3 and isinstance(args[0], ast.Compare):
                    return chosen(args[0], value(args[1], depth), value(args[2], depth), lambda n: value(n, depth))
                given += [argument(arg, depth) for arg in args]
                named = {k.arg: argument(k.value, depth) for k in keywords if k.arg}
                return library(name, given, named, matmul)
        raise Unreadable(no_value(node))

    return value(node)


def no_value(node: ast.AST) -> str:
    """Why a node is no value, and what to write instead."""
    remedies = {
        "IfExp": "a choice by if; write max, min, relu, clip or where(a > b, a, b)",
        "Compare": "a comparison; write max, min, relu, clip or where(a > b, a, b)",
        "BoolOp": "a truth value; write arithmetic",
        "Lambda": "a lambda; write a function with a name",
        "ListComp": "a comprehension; write the equations out",
        "GeneratorExp": "a comprehension; write the equations out",
        "DictComp": "a comprehension; write the equations out",
        "SetComp": "a comprehension; write the equations out",
        "Await": "await; nothing is run here",
        "Yield": "yield; return the new states",
        "YieldFrom": "yield; return the new states",
        "JoinedStr": "a string; a quantity is a name",
        "NamedExpr": "an assignment within an expression; put it on a line of its own",
        "Starred": "a star; write the arguments out",
        "Dict": "a dictionary; give each quantity a name of its own",
        "Set": "a set; give each quantity a name of its own",
        "List": "a list; give each quantity a name of its own",
        "Tuple": "a tuple; give each quantity a name of its own",
        "Slice": "a slice; split packed gates by chunk or split",
        "Name": f"the name {getattr(node, 'id', '')[:40]} has no meaning",
        "Attribute": f"the attribute {getattr(node, 'attr', '')[:40]} has no meaning",
        "Subscript": "an index has no meaning",
    }
    said = remedies.get(type(node).__name__, "this is no expression")
    return f"{said} here" if said.endswith("meaning") else f"this is {said}" if not said.startswith("this") else said


def imported(tree: ast.Module) -> dict[str, str]:
    """What the imports of a file call things: `import jax.numpy as jnp` gives jnp -> jax.numpy.

    What a file does not import has its customary meaning: `np` is numpy.
    """
    import ast

    found = dict(CUSTOMARY)
    waiting: list[ast.AST] = [tree]
    for node in waiting:  # statements from the outside in; no expression holds an import
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, part, ())
            waiting += inner if isinstance(inner, list) else ()
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{'.' * node.level}{node.module or ''}.{alias.name}".lstrip(".")
    return found


def dotted(node: ast.expr, aliases: Mapping[str, str]) -> str:
    """The full name behind `F.sigmoid`: torch.nn.functional.sigmoid; empty where it is no imported name."""
    import ast

    tail: list[str] = []
    while isinstance(node, ast.Attribute):
        tail.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in aliases:
        return ""
    return ".".join((aliases[node.id], *tail[::-1]))


def library_name(node: ast.expr, aliases: Mapping[str, str]) -> str:
    """The last part of a library's name (`sigmoid` of `jax.nn.sigmoid`), empty for what is of no known library."""
    root, _, rest = dotted(node, aliases).partition(".")
    return rest.rpartition(".")[2] if root in LIBRARIES else ""
