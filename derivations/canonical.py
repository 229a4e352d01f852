"""A cell as text in its own language, so that it travels with its numbers and reads back as the same cell."""

from dataclasses import replace

from derivations.cell import Cell, CellError
from derivations.expression import Expr
from derivations.language import read
from derivations.plain import code


def canonical(cell: Cell) -> str:
    """The text of a cell: declarations, equations as they were written, blocks.

    What the equations alone do not say is declared; if they say it all, the parameters are left undeclared.
    """
    for full in (False, True):
        text = _text(cell, full)
        try:
            if same_equations(read(text), cell):
                return text
        except CellError:
            continue
    return _text(cell, True)


def same_equations(a: Cell, b: Cell) -> bool:
    """Whether two cells are alike in all but their comments and the lines they stand on."""
    return _bare(a) == _bare(b)


def _bare(cell: Cell) -> Cell:
    return replace(
        cell,
        comment="",
        written=tuple(replace(equation, line=0) for equation in cell.written),
        equations=tuple(replace(equation, line=0) for equation in cell.equations),
        facts=tuple(replace(fact, line=0) for fact in cell.facts),
    )


def _text(cell: Cell, full: bool) -> str:
    numbers = (*cell.inputs, *cell.targets, *cell.states, *(cell.parameters if full else ()))
    declared = {
        "input": cell.inputs,
        "state": cell.states,
        "output": () if cell.outputs == cell.states[:1] else cell.outputs,
        "target": cell.targets,
        "param": cell.parameters if full else (),
        "scalar": tuple(name for name in numbers if cell.shapes[name] == ()),
        "positive": tuple(name for name in cell.shapes if name in cell.positive),
    }
    title = f' "{cell.title}"' if cell.title else ""
    lines = [f"cell {cell.name}{title}"]
    lines += [f"{kind} {', '.join(given)}" for kind, given in declared.items() if given]
    lines.append("")
    block = ""
    for equation in cell.written:
        if equation.block != block:
            block = equation.block
            lines.append(block)
        lines.append(_line(equation.target, equation.rhs, equation.label, bool(block)))
    if cell.facts:
        lines.append("facts")
        lines += [_line(code(fact.left), fact.right, fact.label, True) for fact in cell.facts]
    return "\n".join(lines) + "\n"


def _line(left: str, right: Expr, label: str, inside: bool) -> str:
    return f"{'    ' if inside else ''}{f'{label}: ' if label else ''}{left} = {code(right)}"
