"""Functions of a file that are meant to be slopes and are none."""

from derivations.cell import Cell
from derivations.expression import Expr
from derivations.marking.marked import Mark, Verdict
from derivations.marking.sheet import Line
from derivations.marking.sheets.python_slopes import same
from derivations.mistakes import in_an_expression
from derivations.plain import code


def wrong_slope(cell: Cell, wrong: tuple[Line, str, Expr]) -> Mark:
    """A function of the file that is meant to be a slope and is none: charged at its own line, and nowhere else."""
    line, of, due = wrong
    assert line.rhs is not None  # a function that cannot be read is not judged
    words = next((words for words, expr in in_an_expression(due, cell, lambda *_: ())
                  if same(expr, line.rhs)), f"this is not the slope of {of}")  # fmt: skip
    return Mark(line.number, line.column, line.text, f"{of}'", Verdict.WRONG, words, f"return {code(due)}")
