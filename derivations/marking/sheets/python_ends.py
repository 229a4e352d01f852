"""What a backward program does at either end of time: errors that it is given and ignores, zeros that it gives back.

An argument for the error of a state, of the last step or of one step alone, that is never read is ignored: the line
that should have started with it, or added it, is wrong. So is a gradient of the initial state that is returned as
zeros.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from derivations.marking.sheet import Line
from derivations.marking.sheets.python_flaws import Reads
from derivations.marking.sheets.python_labels import GIVEN_ERROR, is_gradient, owner_label, state_of
from derivations.marking.sheets.python_own import arguments

_INITIAL = re.compile(r"(?:h|c|hidden|cell)(?:_state)?_?(?:0|init\w*|start|first|prev)")


def at_ends(tree: ast.Module, lines: Iterable[Line], zeros: Iterable[Line]) -> Iterator[Line]:
    """The lines, those marked that leave out what is given, and those that give or start with zeros wrongly."""
    every, starts = list(lines), list(zeros)
    flaws: dict[int, tuple[str, str]] = {}  # by the line's number: of which target, and what is wrong with it
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        loops = any(isinstance(node, ast.For | ast.While) for node in ast.walk(function))
        reads = Reads(function)
        for name, last in _ignored(function, reads):
            inside = [line for line in (starts if loops else every) if _within(line, function)]
            here = next((line for line in inside if _starts(line, name, reads, loops)), None)
            if loops and here is not None and (last or here.target == name):
                yield replace(here, flaw=f"the final state's cotangent {name} is ignored: zeros are no start")
            elif not loops and here is not None and here.version:
                words = f"{name}, what comes in from outside, is missing: it is never added"
                flaws[here.number] = here.target, words
        if loops:
            yield from _returned(function, every)
    for line in every:
        target, words = flaws.get(line.number, ("", ""))
        yield replace(line, flaw=words) if words and line.target == target and not line.flaw else line


def _within(line: Line, function: ast.FunctionDef) -> bool:
    return function.lineno <= line.number <= (function.end_lineno or function.lineno)


def _ignored(function: ast.FunctionDef, reads: Reads) -> Iterator[tuple[str, bool]]:
    """The arguments for errors of states that a function never reads, each with whether it is of the last step."""
    for arg in arguments(function):
        match = GIVEN_ERROR.fullmatch(arg.arg)
        if match and not arg.arg.endswith("s") and (not reads.read[arg.arg] or _is_overwritten(function, arg.arg)):
            yield arg.arg, bool(match["last"] or match["late"] or match["end"])


def _is_overwritten(function: ast.FunctionDef, name: str) -> bool:
    """Whether an argument is assigned anew before it is read."""
    for statement in function.body:
        reads = Reads(statement)
        if reads.read[name] or not isinstance(statement, ast.Assign):
            if any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(statement)):
                return False
        elif reads.stored[name]:
            return True
    return False


def _starts(line: Line, name: str, reads: Reads, loops: bool) -> bool:
    """Whether a line is the one in which an argument for an error should stand."""
    fits = state_of(line.target) == state_of(name) and not is_gradient(line.target)
    return fits and (not loops or (line.loop is None and bool(reads.read[line.target])))


def _returned(function: ast.FunctionDef, lines: Iterable[Line]) -> Iterator[Line]:
    """Zeros that are returned as the gradient of an initial state."""
    errors = any(line.version and state_of(line.target) and _within(line, function) for line in lines)
    for node in ast.walk(function) if errors else ():
        parts = node.value.elts if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) else []
        for part in parts:
            match part:
                case ast.Call(func, [ast.Name(name), *_]) if owner_label(func) == "zeros_like" and (
                    state_of(name) or _INITIAL.fullmatch(name)
                ):
                    text = f"return ... {ast.unparse(part)}"
                    words = "the gradient of the initial state is returned as zero: what comes back to it is due"
                    yield Line(part.lineno, part.col_offset + 1, text, flaw=words)
