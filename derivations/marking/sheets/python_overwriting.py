"""Gradients of parameters that a program overwrites where it must add them up over the steps.

In a loop over time a gradient is assigned, is read nowhere in the loop, and others are added to there, or it was set to
zeros before. In the body of one step alone most others are added to. Told by the text: nothing is said of the values.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from derivations.marking.sheet import Line
from derivations.marking.sheets.python_assigning import adds_to
from derivations.marking.sheets.python_labels import entry_label, owner_label

WORDS = "it is overwritten at each step where it must accumulate over time: += is due"
_PARAMETER = (
    r"[WUVRK][A-Za-z]{0,4}\d?(?:_\w{1,4}){0,2}|[wub](?:_?[a-z]{1,2})?|b(?:_\w{1,3}|ias\w*)|[Ww]eights?\w*|kernel\w*"
)
_GRADIENT = re.compile(
    rf"(?:d|g|grad|delta|acc|dL_?d|dE_?d)_?(?:{_PARAMETER}|gamma\w*|beta\w*)|(?:{_PARAMETER})_(?:d|grad|bar|g)"
)


@dataclass(frozen=True)
class _Put:
    """What a statement does to a gradient: its text, whether it adds to it, and its line."""

    text: str
    owner: str
    adds: bool
    line: int


def overwritten(tree: ast.Module, lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, those marked that overwrite what must be added up."""
    every = list(lines)
    headers = {line.header for line in every if line.header}
    found: set[int] = set()
    for body in (tree.body, *(node.body for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))):
        inside = list(loops(body))
        for loop, scope in inside:
            if loop.lineno in headers:
                found |= set(_in_loop(loop, scope))
        if not any(loop.lineno in headers for loop, _ in inside):
            found |= set(_in_step(body))
    for line in every:
        yield replace(line, flaw=WORDS) if line.number in found and line.version else line


def loops(scope: list[ast.stmt]) -> Iterator[tuple[ast.For | ast.While, list[ast.stmt]]]:
    """The loops of one function, without those of functions in it, each with the statements among which it stands."""
    for part in scope:
        if isinstance(part, ast.For | ast.While):
            yield part, scope
        if not isinstance(part, ast.FunctionDef | ast.ClassDef):
            for body in (getattr(part, field, []) for field in ("body", "orelse")):
                yield from loops(body)


def _in_loop(loop: ast.For | ast.While, scope: list[ast.stmt]) -> Iterator[int]:
    """The lines of a loop over time that overwrite a gradient."""
    counted = loop.target if isinstance(loop, ast.For) else loop.test
    counters = {node.id for node in ast.walk(counted) if isinstance(node, ast.Name)}
    puts = list(_puts(loop.body, counters))
    adds = any(put.adds for put in puts)
    made = {put.owner for put in _stored(loop.body)}  # a dictionary of every step
    started = {name for part in scope if part.end_lineno and part.end_lineno < loop.lineno for name in _zeroed(part)}
    for put in _plain(puts, loop.body):
        if put.owner not in made and (adds or put.owner in started or put.text in started):
            yield put.line


def _in_step(body: list[ast.stmt]) -> Iterator[int]:
    """The lines of the body of one step that overwrite a gradient, where most are added to."""
    puts = list(_puts(body, set()))
    plain = {put.text for put in puts if not put.adds}
    adds = {put.text for put in puts if put.adds} - plain
    made = {put.owner for put in _stored(body)}
    found = [put for put in _plain(puts, body) if put.owner not in made]
    if len(adds) >= 2 and len(adds) > len(plain):
        yield from (put.line for put in found)


def _plain(puts: list[_Put], body: list[ast.stmt]) -> Iterator[_Put]:
    """What is assigned and neither added to nor read."""
    read = {ast.unparse(node) for part in body for node in ast.walk(part)
            if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Load)
            and not isinstance(part, ast.Return)}  # fmt: skip
    added = {put.text for put in puts if put.adds}
    yield from (put for put in puts if not put.adds and put.text not in read | added)


def _puts(body: list[ast.stmt], counters: set[str]) -> Iterator[_Put]:
    """What is done to gradients, but for those of one step: `dW[t] = ...`."""
    for part in body:
        for node in ast.walk(part):
            targets: list[ast.expr] = []
            line = getattr(node, "lineno", 0)
            if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub):
                targets = [node.target]
            elif isinstance(node, ast.Assign) and not _is_start(node.value):
                targets = [one for t in node.targets for one in (t.elts if isinstance(t, ast.Tuple) else [t])]
            for target in targets:
                said = {inner.id for inner in ast.walk(target) if isinstance(inner, ast.Name)}
                if _GRADIENT.fullmatch(_label(target)) and not said & counters:
                    text = ast.unparse(target)
                    adds = isinstance(node, ast.AugAssign) or (isinstance(node, ast.Assign) and adds_to(node, text))
                    yield _Put(text, _owner(target), adds, line)


def _label(target: ast.expr) -> str:
    match target:
        case ast.Subscript(owner, ast.Constant(str() as key)):
            return entry_label(owner_label(owner), key)
        case ast.Subscript(
            owner, ast.BinOp(ast.Constant(str() as key)) | ast.JoinedStr([ast.Constant(str() as key), *_])
        ):
            return entry_label(owner_label(owner), key)
        case ast.Subscript(owner, ast.Name() | ast.BinOp() | ast.JoinedStr() | ast.Constant(int())):
            return owner_label(owner)
    return owner_label(target)


def _owner(target: ast.expr) -> str:
    while isinstance(target, ast.Subscript):
        target = target.value
    return ast.unparse(target)


def _stored(body: list[ast.stmt]) -> Iterator[_Put]:
    """What a body makes anew: a dictionary, a list, zeros."""
    for part in body:
        for node in ast.walk(part):
            if isinstance(node, ast.Assign) and (_is_start(node.value) or isinstance(node.value, ast.Dict | ast.List)):
                for target in node.targets:
                    yield _Put(ast.unparse(target), _owner(target), False, node.lineno)


def _is_start(value: ast.expr) -> bool:
    """Whether a value is zeros, or a dictionary or list of zeros."""
    if isinstance(value, ast.Constant):
        return value.value in (0, None)
    if isinstance(value, ast.Tuple):
        return bool(value.elts) and all(_is_start(one) for one in value.elts)
    if isinstance(value, ast.DictComp | ast.ListComp | ast.GeneratorExp):
        return _is_start(value.value if isinstance(value, ast.DictComp) else value.elt)
    if isinstance(value, ast.Dict):
        return all(_is_start(one) for one in value.values)
    name = owner_label(value.func) if isinstance(value, ast.Call) else ""
    return name in ("zeros", "zeros_like", "new_zeros", "empty_like", "dict", "defaultdict")


def _zeroed(part: ast.stmt) -> Iterator[str]:
    for node in ast.walk(part):
        if isinstance(node, ast.Assign) and _is_start(node.value):
            for target in node.targets:
                yield from (ast.unparse(one) for one in (target.elts if isinstance(target, ast.Tuple) else [target]))
