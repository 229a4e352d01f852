"""Expressions as mathematics: in the order of the tree, with as few brackets as can be, nothing rewritten."""

from collections.abc import Iterable
from fractions import Fraction

from derivations.boxes import (
    EMPTY,
    TOP,
    Applied,
    BigSum,
    Box,
    Column,
    Fence,
    Frac,
    Glyph,
    Script,
    Space,
    Tagged,
    joined,
    latex,
)
from derivations.expression import (
    Add,
    Adjoint,
    Call,
    Derivative,
    Detach,
    Diag,
    Div,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Ones,
    Outer,
    Part,
    Pow,
    Reduce,
    Shift,
    Size,
    Stack,
    TimeSum,
    Total,
    Transpose,
    children,
)
from derivations.functions import FUNCTIONS
from derivations.notation import (
    BASE,
    FACTOR,
    PARTIAL,
    PRODUCT,
    SUM,
    Notation,
    adjoint_box,
    listed,
    name_box,
    total_box,
)
from derivations.symbols import decimal

PLUS, MINUS, NEGATIVE = Glyph("+", "sign"), Glyph("-", "sign"), Glyph("-", "mark")
HADAMARD, TIMES = Glyph("⊙", "sign"), Glyph("·", "sign")


def to_latex(expr: Expr, notation: Notation) -> str:
    """The expression in LaTeX, for math mode; it needs amsmath."""
    return latex(typeset(expr, notation))


def typeset(expr: Expr, notation: Notation, level: int = SUM) -> Box:
    """The box of an expression, in brackets if it holds together more loosely than `level`."""
    box, own = _box(expr, notation)
    return box if own >= level else Fence(box)


def _box(expr: Expr, n: Notation) -> tuple[Box, int]:
    """The box of an expression, and how firmly it holds."""
    match expr:
        case Name(id):
            return _shown(name_box(id, n), id, n)
        case Adjoint(of, part):
            return _shown(adjoint_box(of, part, n), expr.id, n)
        case Total(of):
            return total_box(of, n)
        case Derivative(of, wrt, kind):
            return _derivative(of, wrt, kind, n), FACTOR
        case Num(value):
            return _number(value)
        case Add(terms):
            return joined(*(_term(term, n, first=k == 0) for k, term in enumerate(terms))), SUM
        case Neg(arg):
            return joined(NEGATIVE, typeset(arg, n, PRODUCT)), SUM
        case Mul(factors):
            return _product(factors, n), PRODUCT
        case Div(above, below):
            return _quotient(above, below, n)
        case Pow(base, exponent):
            return _power(base, exponent, n), FACTOR
        case Call(function, args):
            return _call(function, args, n), FACTOR
        case MatMul(left, right):
            tight = PRODUCT if isinstance(right, MatMul) else FACTOR
            return _beside(typeset(left, n, FACTOR), typeset(right, n, tight)), PRODUCT
        case Outer(left, right):
            return joined(typeset(left, n, FACTOR), Space(thin=True), _transposed(right, n)), PRODUCT
        case Reduce("dot", (left, right)):
            return joined(_transposed(left, n), Space(thin=True), typeset(right, n, FACTOR)), PRODUCT
        case Reduce(kind, args):
            return _applied(Glyph(kind, "function"), args, n), FACTOR
        case Transpose(arg):
            return _transposed(arg, n), FACTOR
        case Ones():
            return Glyph("1", "bold"), BASE
        case Diag(Ones()):
            return Glyph("I"), BASE
        case Diag(arg):
            return _applied(Glyph("diag", "function"), (arg,), n), FACTOR
        case Detach(arg):
            return _applied(Glyph("detach", "function"), (arg,), n), FACTOR
        case Size(of):
            return _applied(Glyph(r"\dim", "function"), (Name(of),), n.holding(of)), FACTOR
        case Stack(parts):
            return Column(tuple(typeset(part, n) for part in parts)), FACTOR
        case Part(arg, of, index):
            return _block(arg, of, index, n), FACTOR
        case Shift(arg, by):
            return _box(arg, n.at(by))
        case TimeSum(arg):
            return BigSum(typeset(arg, n.at(0), PRODUCT)), PRODUCT
    raise TypeError(f"{type(expr).__name__} cannot be written")


def _shown(box: tuple[Box, int], name: str, n: Notation) -> tuple[Box, int]:
    return (Tagged(box[0], name), box[1]) if n.tagged else box


def typeset_term(expr: Expr, notation: Notation, *, first: bool, tag: str) -> Box:
    """One term of a sum, with its sign, as a box that remembers what it is."""
    return Tagged(_term(expr, notation, first), tag)


# --- sums and products --------------------------------------------------------------------------------------


def _term(term: Expr, n: Notation, first: bool) -> Box:
    minus = NEGATIVE if first else MINUS
    match term:
        case Neg(arg):
            return joined(minus, typeset(arg, n, PRODUCT))
        case Num(value) if value < 0:
            return joined(minus, typeset(Num(-value), n))
    box = typeset(term, n, PRODUCT)
    return box if first else joined(PLUS, box)


def _product(factors: tuple[Expr, ...], n: Notation) -> Box:
    boxes: list[Box] = []
    for k, factor in enumerate(factors):
        if k:
            boxes.append(between(factors[:k], factor, n))
        boxes.append(typeset(factor, n, FACTOR))
    return joined(*boxes)


def between(before: tuple[Expr, ...], factor: Expr, n: Notation) -> Box:
    """The sign of multiplication in front of a factor: a circled dot joins vectors, a space numbers."""
    if wide(factor, n) and any(wide(one, n) for one in before):
        return HADAMARD
    if isinstance(factor, Num):
        return TIMES
    return Space(thin=not (_single(before[-1]) and _single(factor)))


def _beside(left: Box, right: Box) -> Box:
    """A matrix and what it maps."""
    quiet = isinstance(left, Script | Glyph) and isinstance(right, Script | Glyph)
    return joined(left, Space(thin=not quiet), right)


def _single(expr: Expr) -> bool:
    """A number or a letter with its subscripts; these may stand side by side without a space."""
    return isinstance(expr, Num) or (isinstance(expr, Name) and len(expr.id.partition("_")[0]) == 1)


def wide(expr: Expr, n: Notation) -> bool:
    """Whether the expression is a vector or a matrix; nothing is in the scalar view."""
    if n.view == "scalar":
        return False
    match expr:
        case Name(id) | Adjoint(of=id) | Total(of=id):
            return id not in n.scalars
        case MatMul() | Outer() | Transpose() | Diag() | Ones() | Stack() | Part():
            return True
        case Reduce() | Derivative():
            return False
    return any(wide(child, n) for child in children(expr))


def _quotient(above: Expr, below: Expr, n: Notation) -> tuple[Box, int]:
    """A fraction; derivatives in its numerator stand before it, lest fractions pile up."""
    factors = above.factors if isinstance(above, Mul) else (above,)
    lead = max((k + 1 for k, factor in enumerate(factors) if _piles(factor, n)), default=0)
    front, rest = factors[:lead], factors[lead:]
    top = _product(rest, n) if len(rest) > 1 else typeset(rest[0], n) if rest else Glyph("1", "number")
    fraction = Frac(top, typeset(below, n))
    if not front:
        return fraction, FACTOR
    sign = between(front, Div(Mul(rest) if rest else Num(Fraction(1)), below), n)
    return joined(_product(front, n), sign, fraction), PRODUCT


def _piles(factor: Expr, n: Notation) -> bool:
    return isinstance(factor, Derivative) or (n.adjoint == "leibniz" and isinstance(factor, Adjoint | Total))


def _number(value: Fraction) -> tuple[Box, int]:
    if value < 0:
        return joined(NEGATIVE, _number(-value)[0]), SUM
    found = decimal(value)
    if found is None:
        return Frac(Glyph(str(value.numerator), "number"), Glyph(str(value.denominator), "number")), FACTOR
    digits, exponent = found
    if not exponent:
        return Glyph(digits, "number"), BASE
    size = Glyph(str(abs(exponent)), "number")
    ten = Script(Glyph("10", "number"), above=size if exponent > 0 else joined(NEGATIVE, size))
    return (ten, FACTOR) if digits == "1" else (joined(Glyph(digits, "number"), Glyph("×", "sign"), ten), PRODUCT)


# --- scripts and functions ----------------------------------------------------------------------------------


def _power(base: Expr, exponent: int, n: Notation) -> Box:
    above: Box = Glyph(str(exponent), "number")
    if isinstance(base, Call) and base.function == "tanh":  # the one function whose power is written so
        return _applied(Script(Glyph(FUNCTIONS["tanh"].latex, "function"), above=above), base.args, n)
    if wide(base, n):
        above = joined(Glyph("⊙", "mark"), above)
    return Script(typeset(base, n, BASE), above=above)


def _transposed(arg: Expr, n: Notation) -> Box:
    return Script(typeset(arg, n, BASE), above=Glyph(TOP, "mark"))


def _call(function: str, args: tuple[Expr, ...], n: Notation) -> Box:
    template = FUNCTIONS[function].latex
    if "{0}" in template:
        return Applied(template, tuple(typeset(arg, n) for arg in args))
    return _applied(Glyph(template, "function"), args, n)


def _applied(function: Box, args: Iterable[Expr], n: Notation) -> Box:
    return joined(function, Fence(listed(typeset(arg, n) for arg in args) or EMPTY))


def _block(arg: Expr, of: tuple[str, ...], index: int, n: Notation) -> Box:
    """The rows of a stacked vector that belong to one of its parts; the part's number where two are alike."""
    alike = of.count(of[index]) > 1
    rows = Glyph(str(index + 1), "number") if alike else name_box(of[index], n)[0]
    return Script(Fence(typeset(arg, n), "[", "]"), below=rows)


def _derivative(of: str, wrt: str, kind: str, n: Notation) -> Box:
    """Round d for a partial, with a plus for an immediate partial, straight d for a total derivative."""
    d: Box = Glyph("d", "upright") if kind == "total" else PARTIAL
    if kind == "immediate":
        d = Script(d, above=Glyph("+", "mark"))
    return Frac(joined(d, name_box(of, n)[0]), joined(d, name_box(wrt, n)[0]))
