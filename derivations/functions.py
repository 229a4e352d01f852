"""One row per elementwise function of the cell language.

A row holds the function's *value* in terms of exp, log, sqrt and arithmetic, and its *derivative* written as
people write it, in terms of its argument `x` and its own value `y`: sigmoid' = y (1 - y). Both columns are
expressions, so they can be printed, compiled, and proved against one another; the exact layer of checking
reads the value column only.

At a kink the derivative is a convention, stated in the row. Rows whose name starts with an underscore occur
in derivatives only; a cell cannot write them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from derivations.expression import ONE, ZERO, Call, Expr, Name, Num

X, Y = Name("x"), Name("y")
X1, X2, X3 = Name("x1"), Name("x2"), Name("x3")
THREE = Num(Fraction(3))


def _call(function: str, *args: Expr) -> Expr:
    return Call(function, args)


@dataclass(frozen=True)
class Function:
    """An elementwise function: `args` names its arguments in both columns; y is its own value.

    Attributes:
        value: the value from exp, log and sqrt; None for those three, for piecewise and for primitive rows.
        derivatives: one per argument.
        latex: the command or the template ({0}, {1}, ...) that typesets an application.
        kink: the convention where the derivative does not exist; empty where it exists everywhere.
        compared: for a piecewise function, what decides its region: a value and a threshold, or a value and two
            bounds.
        pieces: what it is in each region: above or below the threshold, or inside, below or above the bounds.
        domain: the open interval in which the argument must lie, as text; empty for all numbers.
    """

    name: str
    args: tuple[Name, ...]
    value: Expr | None
    derivatives: tuple[Expr, ...]
    latex: str
    kink: str = ""
    domain: str = ""
    compared: tuple[Expr, ...] = ()
    pieces: tuple[Expr, ...] = ()


ROWS = (
    Function("sigmoid", (X,), ONE / (ONE + _call("exp", -X)), (Y * (1 - Y),), r"\sigma"),
    Function(
        "tanh",
        (X,),
        (1 - _call("exp", -2 * X)) / (1 + _call("exp", -2 * X)),
        (1 - Y**2,),
        r"\tanh",
    ),
    Function("exp", (X,), None, (Y,), r"\exp"),
    Function("log", (X,), None, (1 / X,), r"\log", domain="x > 0"),
    Function("sqrt", (X,), None, (1 / (2 * Y),), r"\sqrt{{{0}}}", domain="x > 0"),
    Function(
        "softplus",
        (X,),
        _call("log", 1 + _call("exp", X)),
        (_call("sigmoid", X),),
        r"\operatorname{softplus}",
    ),
    Function(
        "logsigmoid",
        (X,),
        -_call("log", 1 + _call("exp", -X)),
        (_call("sigmoid", -X),),
        r"\log\sigma",
    ),
    Function(
        "relu",
        (X,),
        None,
        (_call("_step", X),),
        r"\operatorname{relu}",
        kink="relu'(0) = 0",
        compared=(X, ZERO),
        pieces=(X, ZERO),
    ),
    Function(
        "abs",
        (X,),
        None,
        (_call("_sign", X),),
        r"\left|{0}\right|",
        kink="|x|' = 0 at 0",
        compared=(X, ZERO),
        pieces=(X, -X),
    ),
    Function(
        "max",
        (X1, X2),
        None,
        (_call("_above", X1, X2), _call("_above", X2, X1)),
        r"\max",
        kink="a tie in max gives one half to each",
        compared=(X1, X2),
        pieces=(X1, X2),
    ),
    Function(
        "min",
        (X1, X2),
        None,
        (_call("_above", X2, X1), _call("_above", X1, X2)),
        r"\min",
        kink="a tie in min gives one half to each",
        compared=(X1, X2),
        pieces=(X2, X1),
    ),
    Function(
        "hard_sigmoid",
        (X,),
        None,
        (_call("_inside", X, -THREE, THREE) / 6,),
        r"\operatorname{hardsigmoid}",
        kink="hard sigmoid has slope 0 at its corners -3 and 3",
        compared=(X, -THREE, THREE),
        pieces=(X / 6 + Num(Fraction(1, 2)), ZERO, ONE),
    ),
    Function(
        "clip",
        (X1, X2, X3),
        None,
        (_call("_inside", X1, X2, X3), ZERO, ZERO),
        r"\operatorname{clip}",
        kink="clip has slope 0 at its corners; its bounds are held constant",
        compared=(X1, X2, X3),
        pieces=(X1, X2, X3),
    ),
    # Piecewise constant: the derivatives of the kinked rows. Their own derivative is 0 wherever it exists.
    Function(
        "_step",
        (X,),
        None,
        (ZERO,),
        r"\mathbf{{1}}\left[{0}>0\right]",
        compared=(X, ZERO),
        pieces=(ONE, ZERO),
    ),
    Function("_sign", (X,), None, (ZERO,), r"\operatorname{sign}", compared=(X, ZERO), pieces=(ONE, -ONE)),
    Function(
        "_above",
        (X1, X2),
        None,
        (ZERO,) * 2,
        r"\mathbf{{1}}\left[{0}>{1}\right]",
        compared=(X1, X2),
        pieces=(ONE, ZERO),
    ),
    Function(
        "_inside",
        (X1, X2, X3),
        None,
        (ZERO,) * 3,
        r"\mathbf{{1}}\left[{1}<{0}<{2}\right]",
        compared=(X1, X2, X3),
        pieces=(ONE, ZERO, ZERO),
    ),
)

FUNCTIONS: Mapping[str, Function] = {row.name: row for row in ROWS}
WRITABLE: tuple[str, ...] = tuple(name for name in FUNCTIONS if not name.startswith("_"))
