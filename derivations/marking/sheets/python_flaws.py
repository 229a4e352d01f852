"""What the text of a backward program shows by itself: claims of zero, means for sums.

A gradient that is set to zeros and then neither read nor added to says that it is zero.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from derivations.expression import ZERO, Div, Expr, MatMul, Outer, walk
from derivations.marking.sheet import Line
from derivations.marking.sheets.python_labels import is_gradient

_GRADIENT = re.compile(r"d_?(?:[WUVRK]|w_|weight)\w*|(?:grad_?\w*)?[WUVRK]\w*_?grad")
_CLAIMED = re.compile(r"d_?[a-zA-Z]|(?:g|grad|delta)_?(?:h|c|hidden|cell|state)_?(?:0|init\w*|start|first|prev)")
_SHAPED = ("zeros_like", "empty_like", "ones_like", "shape", "len")
BATCH_MEAN = "the mean over the batch where the sum is due"


class Reads:
    """How often the names of a program are read, beside for their shapes, and how often they are assigned."""

    def __init__(self, tree: ast.AST) -> None:
        self.read: Counter[str] = Counter()
        self.stored: Counter[str] = Counter()
        self._visit(tree)

    def _visit(self, node: ast.AST) -> None:
        match node:
            case ast.Call(func) if _called(func) in _SHAPED:
                return
            case ast.Attribute(_, "shape" | "size" | "dtype"):
                return
            case ast.Return(value) if not isinstance(value, ast.BinOp):
                for inner in ast.walk(value) if value is not None else ():
                    if isinstance(inner, ast.BinOp):
                        self._visit(inner)
                return
            case ast.AugAssign(ast.Name(name)):
                self.read[name] += 1
            case ast.Subscript(ast.Name(name)):
                self.read[name] += 1
            case ast.Name(name, ast.Load()):
                self.read[name] += 1
            case ast.Name(name, ast.Store()):
                self.stored[name] += 1
        for child in ast.iter_child_nodes(node):
            self._visit(child)


def _called(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def zero_claims(reads: Reads, zeros: Iterable[Line]) -> Iterator[Line]:
    """The lines that set a gradient to zero for good."""
    for line in zeros:
        if _CLAIMED.match(line.target) and not reads.read[line.target] and reads.stored[line.target] == 1:
            yield replace(line, rhs=ZERO)


def alone(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines, where what alone is added to zeros is no part of a sum: `dh_next = 0; dh_next += W.T @ da`."""
    added_to = {line.before for line in lines}
    for line in lines:
        starts = line.increment is not None and not line.before and line.version not in added_to
        yield replace(line, increment=None) if starts and not is_gradient(line.target) else line


def with_means(lines: Iterable[Line], means: frozenset[int]) -> Iterator[Line]:
    """The lines, those marked that take a mean over the batch where the gradients of weights are sums over it."""
    every = list(lines)
    products = [line for line in every if line.rhs is not None and _GRADIENT.fullmatch(line.target) and _sums(line.rhs)]
    plain = bool(products) and not any(isinstance(node, Div) for p in products if p.rhs for node in walk(p.rhs))
    for line in every:
        if line.number not in means:
            yield line
        elif plain:
            yield replace(line, flaw=BATCH_MEAN)
        else:
            yield replace(line, rhs=None, why="a mean over the batch: whether the loss is one is not known")


def _sums(rhs: Expr) -> bool:
    return any(isinstance(node, MatMul | Outer) for node in walk(rhs))
