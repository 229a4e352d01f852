"""What a difference between two products is called."""

from derivations.cell import Cell, prev
from derivations.expression import Add, Div, Expr, Mul, Name, Neg, Num, Part, Pow, Shift, names, walk
from derivations.mistakes import spelled
from derivations.plain import code


def worded(kind: str, about: tuple[Expr, ...], cell: Cell) -> str:
    """A difference in a sentence."""
    match kind, about:
        case "sign", _:
            return "the sign is flipped"
        case "number", (number,):
            return f"off by a factor {spelled(number)}"
        case "slope", (gate,):
            return f"the slope of the sigmoid, {spelled(gate)}*(1 - {spelled(gate)}), is missing"
        case "lost", (factor,):
            return _lost(factor)
        case "extra", (Div(_, below),):
            return f"the division by {spelled(below)} is too much"
        case "extra", (factor,):
            return f"the factor {spelled(factor)} is too much"
        case "squared", (factor,):
            return f"{spelled(factor)} is squared"
        case "instead", (said, due):
            return written_for(said, due, cell)
    raise ValueError(kind)


def _lost(factor: Expr) -> str:
    match factor:
        case Div(_, below):
            return f"the division by {spelled(below)} is missing"
        case Add((Num(one), Neg(Pow(_, 2)))) if one == 1:
            return f"the slope of tanh, {code(factor)}, is missing"
    return f"the factor {spelled(factor)} is missing"


def written_for(said: Expr, due: Expr, cell: Cell) -> str:
    """What stands in the place of what."""
    if (said.arg if isinstance(said, Shift) else said) == (due.arg if isinstance(due, Shift) else due):
        return f"{code(said)} where {code(due)} is due: the step is wrong"
    match said, due:
        case Name(a), Name(b) if b in cell.previous and prev(a) == b:
            return f"{a} of this step where {b} is due"
        case Name(a), Name(b) if a in cell.previous and prev(b) == a:
            return f"{a} where {b} of this step is due"
        case Mul(), Add((Num(_), Neg(Pow(_, 2)))):
            return f"the slope of the sigmoid, {code(said)}, where that of tanh, {code(due)}, is due"
        case Pow(Add(), 2), Add((Num(_), Neg(Pow(_, 2)))):
            return f"{code(said)} where {code(due)} is due: the square is in the wrong place"
        case Add((Num(_), Neg(Pow(_, 2)))), Mul():
            return f"the slope of tanh, {code(said)}, where that of the sigmoid, {code(due)}, is due"
    if any(isinstance(node, Part) for node in walk(said)):
        whole = ", ".join(n for n in names(said) if n in cell.shapes)
        return f"the wrong part is cut out, of {whole}, where {code(due)} is due"
    return f"{code(said)} where {code(due)} is due"
