"""Long equations on several lines: broken before a plus or minus, then between factors, then inside brackets.

A line is filled up to a room in ems that is measured beforehand (`boxes.width`): what breaks equations in
LaTeX by itself is not to be had everywhere.
"""

from collections.abc import Sequence

from derivations.boxes import Box, Glyph, Script, Space, joined, width
from derivations.expression import Add, Call, Diag, Div, Expr, MatMul, Mul, Neg, Num, Pow, Reduce
from derivations.functions import FUNCTIONS
from derivations.notation import FACTOR, PRODUCT, SUM, Notation
from derivations.typeset import MINUS, NEGATIVE, PLUS, TIMES, between, typeset

INDENT = 1.0  # of a continued line, in ems
OPEN, CLOSE, SLASH, COMMA = Glyph("(", "mark"), Glyph(")", "mark"), Glyph("/", "mark"), Glyph(", ", "mark")


def broken(expr: Expr, notation: Notation, room: float) -> list[Box]:
    """The lines of an expression, none wider than `room` where that can be had."""
    pieces = _pieces(expr, notation, room - INDENT, SUM)
    lines: list[list[Box]] = [[]]
    filled = 0.0
    for piece in pieces:
        size = width(piece)
        if lines[-1] and filled + size > room - (INDENT if len(lines) > 1 else 0.0):
            lines.append([])
            filled = 0.0
        lines[-1].append(piece)
        filled += size
    return [joined(*line) for line in lines]


def _pieces(expr: Expr, n: Notation, room: float, level: int) -> list[Box]:
    """The box of an expression in pieces between which a line may end; one piece where it fits."""
    whole = typeset(expr, n, level)
    if width(whole) <= room:
        return [whole]
    match expr:
        case Add(terms) if level == SUM:
            return [piece for k, term in enumerate(terms) for piece in _term(term, n, room, first=k == 0)]
        case Neg(arg) if level == SUM:
            return _led(NEGATIVE, _pieces(arg, n, room, PRODUCT))
        case Mul(factors) if level <= PRODUCT:
            return [piece for k in range(len(factors)) for piece in _factor(factors, k, n, room)]
        case Add() | Neg() | Mul() | MatMul():
            return _bracketed(_pieces(expr, n, room, SUM)) if level > SUM else [whole]
        case Div(above, below):
            top = _pieces(above, n, room, PRODUCT)
            return [*top, *_led(SLASH, _pieces(below, n, room, FACTOR))]
        case Pow(base, exponent):
            power = Script(CLOSE, above=Glyph(str(exponent), "number"))
            return _bracketed(_pieces(base, n, room, SUM), power)
        case Call(function, args) if "{0}" not in FUNCTIONS[function].latex:
            return _applied(FUNCTIONS[function].latex, args, n, room)
        case Reduce(kind, args) if kind != "dot":
            return _applied(kind, args, n, room)
        case Diag(arg):
            return _applied("diag", (arg,), n, room)
    return [whole]


def _term(term: Expr, n: Notation, room: float, first: bool) -> list[Box]:
    sign: Box | None = None if first else PLUS
    match term:
        case Neg(arg):
            sign, term = NEGATIVE if first else MINUS, arg
        case Num(value) if value < 0:
            sign, term = NEGATIVE if first else MINUS, Num(-value)
    pieces = _pieces(term, n, room, PRODUCT)
    return _led(sign, pieces) if sign else pieces


def _factor(factors: Sequence[Expr], k: int, n: Notation, room: float) -> list[Box]:
    pieces = _pieces(factors[k], n, room, FACTOR)
    if not k:
        return pieces
    sign = between(tuple(factors[:k]), factors[k], n)
    return _led(TIMES if isinstance(sign, Space) else sign, pieces)


def _applied(function: str, args: Sequence[Expr], n: Notation, room: float) -> list[Box]:
    inner: list[Box] = []
    for arg in args:
        pieces = _pieces(arg, n, room, SUM)
        inner += _led(COMMA, pieces) if inner else pieces
    return _led(Glyph(function, "function"), _bracketed(inner))


def _bracketed(pieces: list[Box], close: Box = CLOSE) -> list[Box]:
    front = _led(OPEN, pieces)
    return [*front[:-1], joined(front[-1], close)]


def _led(sign: Box, pieces: list[Box]) -> list[Box]:
    return [joined(sign, pieces[0]), *pieces[1:]]
