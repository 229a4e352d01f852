"""Errors that a loop over time works out for the step before, and that no step ever adds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from derivations.marking.sheet import Line
from derivations.marking.sheets.python_labels import comes_in, is_error, is_gradient, owner_label, state_of
from derivations.marking.sheets.python_overwriting import loops

_ON_PURPOSE = re.compile(r"truncat|detach|stop_grad|one step (?:back|only|alone)|tbptt", re.IGNORECASE)
_PART = re.compile(r"_(?:out|top|up|ext|direct|loss)$")  # of an error: what comes from outside alone
_CARRY = re.compile(r"d?_?(?:prev|next|nxt)|carry|carried|back")


def with_lost_carries(tree: ast.Module, text: str, lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, those marked that should have added what comes back from the step after."""
    every = list(lines)
    flaws: dict[tuple[int, str], str] = {}
    headers = {line.header for line in every if line.header} if not _ON_PURPOSE.search(text) else set()
    for body in (tree.body, *(node.body for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))):
        for loop, scope in loops(body):
            for name in _unread(loop, scope) if loop.lineno in headers else ():
                line = _due_at(every, loop, name)
                if line is not None:
                    words = f"what comes back from step t+1, {name}, is missing: the carry is never added"
                    flaws[line.number, line.target] = words
    numbers = {line.number for line in every}
    for (number, target), words in flaws.items():
        if number not in numbers:
            yield Line(number, 1, target, flaw=words)
    for line in every:
        words = flaws.get((line.number, line.target), "")
        yield replace(line, flaw=words) if words and not line.flaw else line


def _unread(loop: ast.For | ast.While, scope: list[ast.stmt]) -> Iterator[str]:
    """Errors of states that stand before a loop, and that it assigns and never reads."""
    before = {name for part in scope if (part.end_lineno or 0) < loop.lineno for name in _stored(part)}
    read = {node.id for part in loop.body for node in ast.walk(part)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}  # fmt: skip
    added = {node.target.id for part in loop.body for node in ast.walk(part)
             if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)}  # fmt: skip
    for name in dict.fromkeys(name for part in loop.body for name in _stored(part)):
        if name in before and name not in read | added and (state_of(name) or _CARRY.fullmatch(name)):
            yield name


def _stored(part: ast.stmt) -> list[str]:
    nodes = ast.walk(part)
    return [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def _due_at(lines: list[Line], loop: ast.For | ast.While, name: str) -> Line | None:
    """The first line of a loop for the error to which this one should be added."""
    state = state_of(name) or "h"
    inside = [line for line in lines if line.version and loop.lineno < line.number <= (loop.end_lineno or 0)]
    spoken = [line for line in inside if is_error(line.target) or line.target == "d"]
    errors = [line for line in spoken if line.target not in (name, f"d{state}_next") and not is_gradient(line.target)]
    own = [line for line in errors if state_of(line.target) == state]
    own = [line for line in own if not _PART.search(line.target)] or own
    first = next(iter(own or (errors if state == "h" else [])), None)
    alias = _alias(loop) if state == "h" and not own else None
    return alias if alias is not None and (first is None or alias.number < first.number) else first


def _alias(loop: ast.For | ast.While) -> Line | None:
    """The line of a loop that gives the loss's own error of a step a short name: `d = dhs[t]`."""
    for part in loop.body:
        match part:
            case ast.Assign([ast.Name(name)], ast.Subscript(owner)) if is_error(owner_label(owner)) or comes_in(
                owner_label(owner)
            ):
                return Line(part.lineno, part.col_offset + 1, ast.unparse(part), name)
    return None
