"""Functions of a file that are meant to be slopes: `dsigmoid`, `tanh_prime`.

One that is defined wrongly is one mistake, at its own line. Where it is called, it stands for what it was meant to be.
"""

import re
from dataclasses import dataclass

from derivations.expression import Call, Expr, Name, evaluate, names, substitute, walk
from derivations.floats import FLOATS
from derivations.marking.sheet import Line

ARGUMENT = Name("y")
_SLOPE = re.compile(
    r"^(?:d|deriv\w*_|grad_|der_)(?=sig|tanh|logistic)|(?:deriv|prime|grad|slope|backward|_p$|_d$)", re.I
)
_POINTS = (0.3, -0.7, 1.9)


@dataclass(frozen=True)
class WrongSlope:
    """A function that is no slope: its line, and the slope that it was meant to be.

    Attributes:
        of: of which function.
        due: of `ARGUMENT`.
        shown: the same, of what the file calls its argument, as the line has it.
    """

    line: Line
    of: str
    due: Expr
    shown: Expr


def meant(name: str) -> str:
    """The function whose slope a function of this name is meant to be; empty where it says nothing of the kind."""
    low = name.lower()
    of = "tanh" if "tanh" in low else "sigmoid" if "sig" in low or "logistic" in low else ""
    return of if of and _SLOPE.search(low) else ""


def due_for(of: str, given: Expr) -> Expr | None:
    """The slope of a function as it was meant, in terms of its value or of its argument; None where it is right."""
    value = ARGUMENT * (1 - ARGUMENT) if of == "sigmoid" else 1 - ARGUMENT**2
    applied = Call(of, (ARGUMENT,))
    forms = (value, substitute(value, {ARGUMENT: applied}))
    try:
        if any(same(given, form) for form in forms):
            return None
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None  # what cannot be worked out is not judged
    return forms[any(isinstance(node, Call) for node in walk(given))]


def same(a: Expr, b: Expr) -> bool:
    """Whether two expressions of one argument are equal in numbers."""
    read = names(a) + names(b)
    points = [dict.fromkeys(read, y) for y in _POINTS]
    values = [(evaluate(a, point, FLOATS), evaluate(b, point, FLOATS)) for point in points]
    return all(abs(x - y) <= 1e-9 * (1 + abs(y)) for x, y in values)
