"""Sheets that write their steps as numbers: `h2 = tanh(w*x2 + u*h1 + b)`, `d1 = (g1 + u*d2)*(1 - h1^2)`.

A number on a name is a step where the states carry several, as in `h0`, `h1`, `h2`. Such a sheet is one over as many
steps as its largest number, and its names are put as others are: `h1` in a line at step 2 is `h[t-1]`. The initial
state is the one before step 1; what is said of it is said at step 1.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from derivations.expression import Expr, Name, Shift, rewrite
from derivations.marking.sheet import Line, Sheet, free
from derivations.marking.sheets.definitions import is_error

MOST_STEPS = 6
_PART = re.compile(r"(?P<base>[A-Za-z]\w*?)_?(?:\{?(?P<number>\d)\}?|\[(?P<index>\d)\])")
_STEPPED = re.compile(r"(?P<base>[A-Za-z]\w*)(?:\[t(?P<by>[+-]\d)\])?")
_STATE = re.compile(r"(?:h|s|c|a|H|S|C|state|hidden|cell)")
_ERROR_OF_STATE = re.compile(r"(?:d|delta_?|grad_?|g_?)(?:h|s|c|a|H|S|C)")
_UNNUMBERED = re.compile(r"(?:d_?|delta_?|grad_?)?(?:[WUVRKbwu]|t|p|q|k|tmp|temp|term|part|aux)(?:_?[a-z]{0,3})?")


def numbered(sheet: Sheet) -> Sheet:
    """The sheet with numbers on names put as steps, where they are; else as it is."""
    if sheet.steps:
        return _with_initial(sheet)
    found = [pair for name in _spoken(sheet) for pair in _numbers(name)]
    states = {number for base, number in found if _STATE.fullmatch(base)}
    last = max((number for base, number in found if not _UNNUMBERED.fullmatch(base)), default=0)
    if states == {0}:  # of the initial state alone: its first step is that of the other names
        states |= {number for base, number in found if not _UNNUMBERED.fullmatch(base)}
    own = {line.version for line in sheet.lines if _is_of_every_step(line)}
    if len(states) < 2 or not 1 <= last <= MOST_STEPS:
        return replace(sheet, lines=_with_definitions(sheet.lines, own)) if sheet.notation != "python" else sheet
    lines = _with_definitions(tuple(_put(line, last) for line in sheet.lines), own)
    last = max(last, 2)  # where only the first step is spoken of, there may be more
    shown = dict(sheet.shown)
    for before, after in zip(sheet.lines, lines, strict=True):
        for name in (before.target, *filter(free, before.uses)):
            shown.setdefault(_moved(name, after.step), sheet.shown.get(name, name))
    return replace(sheet, lines=lines, steps=last, numbered=True, shown=shown)


def _spoken(sheet: Sheet) -> Iterator[str]:
    for line in sheet.lines:
        yield from (line.target, *filter(free, line.uses))


def _parts(name: str) -> list[str]:
    """A name, or both sides of a derivative."""
    return name.split("/")


def _numbers(name: str) -> Iterator[tuple[str, int]]:
    """The bases of a name, each with its number."""
    for part in _parts(name):
        inner = part[1:] if "/" in name else part
        if match := _PART.fullmatch(inner):
            yield match["base"], int(match["number"] or match["index"])


def _put(line: Line, last: int) -> Line:
    """A line at its step: that of what it says, or the last one."""
    own = [number for base, number in _numbers(line.target) if not _UNNUMBERED.fullmatch(base)]
    step = max(own[0] if own else line.share or last, 1)

    def rule(node: Expr) -> Expr | None:
        return Name(_moved(node.id, step)) if isinstance(node, Name) and free(node.id) else None

    rhs = rewrite(line.rhs, rule) if line.rhs is not None else None
    increment = rewrite(line.increment, rule) if line.increment is not None else None
    return replace(line, target=_moved(line.target, step), rhs=rhs, increment=increment, step=step)


def _is_of_every_step(line: Line) -> bool:
    """Whether a line says a value, or what a letter stands for, whatever the step."""
    own = line.version and (line.defines or not is_error(line.target))
    recurs = any(name.startswith(f"{line.target}[") for name in line.uses)
    return bool(own) and not recurs and line.target not in ("h", "c") and not list(_numbers(line.target))


def _with_definitions(lines: tuple[Line, ...], own: Collection[str]) -> tuple[Line, ...]:
    """The lines, in which what is defined for every step, `s_t = 1 - h_t^2`, is read where it has a number: `s_2`."""
    defined = {line.target: line for line in lines if line.version in own}

    def put(expr: Expr | None, step: int) -> Expr | None:
        def rule(node: Expr) -> Expr | None:
            match = _STEPPED.fullmatch(node.id) if isinstance(node, Name) else None
            if not match or match["base"] not in defined:
                return None
            by = step + int(match["by"] or 0) - defined[match["base"]].step
            version = Name(defined[match["base"]].version)
            return Shift(version, by) if by else version

        return expr if expr is None else rewrite(expr, rule)

    return tuple(
        line if line.defines else replace(line, rhs=put(line.rhs, line.step), increment=put(line.increment, line.step))
        for line in lines
    )


def _moved(name: str, step: int) -> str:
    """A name, its number written as steps from a step."""
    moved = []
    for k, part in enumerate(_parts(name)):
        head = "d" if "/" in name else ""
        match = _PART.fullmatch(part[len(head) :])
        if not match or _UNNUMBERED.fullmatch(match["base"]) or (k == 0 and match["base"] in ("L", "E", "J")):
            moved.append(part)
            continue
        by = int(match["number"] or match["index"]) - step
        moved.append(f"{head}{match['base']}" + (f"[t{by:+d}]" if by else ""))
    return "/".join(moved)


def _with_initial(sheet: Sheet) -> Sheet:
    """A program over time, in which `h0` and `dh0` are of the initial state."""
    lines = tuple(_at_start(line) for line in sheet.lines)
    if lines == sheet.lines:
        return sheet
    started = {after.target: before.target for before, after in zip(sheet.lines, lines, strict=True)}
    return replace(sheet, lines=lines, shown={**started, **sheet.shown})


def _at_start(line: Line) -> Line:
    def initial(name: str) -> re.Match[str] | None:
        match = _PART.fullmatch(name)
        start = match and (match["number"] or match["index"]) == "0"
        return match if start and match and (_STATE.fullmatch(match["base"]) or _is_error(match["base"])) else None

    def put(expr: Expr | None, step: int) -> Expr | None:
        def rule(node: Expr) -> Expr | None:
            if isinstance(node, Name) and free(node.id) and (match := initial(node.id)):
                return Name(f"{match['base']}[t-{step}]")
            return None

        return expr if expr is None else rewrite(expr, rule)

    match = initial(line.target)
    if match and line.loop is None:
        line = replace(line, target=f"{match['base']}[t-1]", step=1)
    return replace(line, rhs=put(line.rhs, line.step), increment=put(line.increment, line.step))


def _is_error(base: str) -> bool:
    return bool(_ERROR_OF_STATE.fullmatch(base))
