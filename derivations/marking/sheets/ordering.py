"""Definitions that stand behind what they are for: `k = g * y + b, where y = m/s` says `y` first."""

from dataclasses import replace

from derivations.expression import Expr, Name, substitute
from derivations.marking.sheet import Line, Sheet


def ordered(sheet: Sheet) -> Sheet:
    """The sheet with definitions put before the first line that reads what they define, as far as they can be."""
    lines = list(sheet.lines)
    for definition in sheet.lines:
        if definition.defines and definition.rhs is not None:
            _put_first(lines, definition)
    return sheet if lines == list(sheet.lines) else replace(sheet, lines=tuple(lines))


def _put_first(lines: list[Line], definition: Line) -> None:
    at = next(k for k, line in enumerate(lines) if line.version == definition.version)
    readers = [k for k, line in enumerate(lines[:at]) if definition.target in line.uses]
    if not readers or any(line.target == definition.target for line in lines[:at]):
        return
    after = {line.version for line in lines[readers[0] : at]}
    if after & set(lines[at].uses):
        return  # it is made of what reads it
    moved = lines.pop(at)
    for k in readers:
        lines[k] = _reading(lines[k], definition.target, moved.version)
    lines.insert(readers[0], moved)


def _reading(line: Line, name: str, version: str) -> Line:
    """A line that reads a name as the definition has it."""

    def put(expr: Expr | None) -> Expr | None:
        return expr if expr is None else substitute(expr, {Name(name): Name(version)})

    return replace(line, rhs=put(line.rhs), increment=put(line.increment))
