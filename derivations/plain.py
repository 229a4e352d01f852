"""Expressions as plain text, in two styles.

*Code* is the cell language itself wherever it can be, so that it reads back as the same tree: `df*f*(1 - f)`,
`W_hf.T @ da_f`, `outer(da_f, x)`. *Math* is for a terminal: `o_t (1 - tanh^2 c_t)`.
"""

from collections.abc import Callable
from dataclasses import dataclass

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
)
from derivations.notation import Notation
from derivations.symbols import in_a_line, number

# How firmly a text holds together; brackets go around what is looser than its place asks for.
SUM, PRODUCT, POWER, ATOM = range(4)


@dataclass(frozen=True, slots=True)
class Style:
    """What the styles do differently: how names are written, and what stands between factors."""

    name: Callable[[str], str] = str
    ascii: bool = True
    math: bool = False
    times: str = "*"


def math_style(notation: Notation, ascii: bool = True) -> Style:
    """The style of a terminal; in the scalar view factors stand side by side."""

    def name(id: str) -> str:
        return in_a_line(id, id not in notation.constants) if notation.time else id

    return Style(name, ascii, math=True, times=" " if notation.view == "scalar" else " * ")


def code(expr: Expr, ascii: bool = True) -> str:
    """The expression in the cell language; what the language has no words for is said in words near it."""
    return text(expr, Style(ascii=ascii))


def math(expr: Expr, notation: Notation, ascii: bool = True) -> str:
    """The expression as a line of mathematics."""
    return text(expr, math_style(notation, ascii))


def text(expr: Expr, style: Style) -> str:
    """The expression in a style."""
    return _fit(expr, SUM, style)


def terms(expr: Expr, style: Style) -> list[str]:
    """The text of a sum, a piece for each term with its sign in front; one piece for anything else."""
    if not isinstance(expr, Add):
        return [text(expr, style)]
    first, *others = expr.terms
    front = _fit(first, PRODUCT if isinstance(first, Add) else SUM, style)
    return [front, *(_signed(term, style) for term in others)]


def _fit(expr: Expr, level: int, style: Style, last: bool = True) -> str:
    """The text, in brackets if it is looser than `level`; `last` says that nothing follows it on the line."""
    written, own = _text(expr, style, last)
    return written if own >= level else f"({written})"


def _text(expr: Expr, style: Style, last: bool) -> tuple[str, int]:
    def listed(*args: Expr) -> str:
        return ", ".join(_fit(arg, SUM, style) for arg in args)

    match expr:
        case Name(id):
            return style.name(id), ATOM
        case Adjoint(of, part):
            whole = style.math and not part and not of.endswith("_prev")
            return f"d{style.name(of)}" if whole else expr.id, ATOM
        case Total():
            return expr.id, ATOM
        case Derivative(of, wrt, kind):
            d = "d" if style.ascii or kind == "total" else "∂"
            return f"{d}{style.name(of)}/{d}{style.name(wrt)}", PRODUCT
        case Num(value):
            digits = number(value)
            return digits, SUM if value < 0 else PRODUCT if "/" in digits else ATOM
        case Add():
            return "".join(terms(expr, style)), SUM
        case Neg(arg):
            return "-" + _fit(arg, PRODUCT, style, last), SUM
        case Mul(factors):
            return _product(factors, style, last), PRODUCT
        case Div(above, below):
            slash = " / " if style.math else "/"
            tight = PRODUCT if isinstance(above, Mul | Div) else POWER  # @ and / are never mixed
            return _fit(above, tight, style, last=False) + slash + _fit(below, POWER, style, last), PRODUCT
        case Pow(Call("tanh", args), exponent) if style.math:
            return _tanh(f"tanh^{exponent}", args, style, last), POWER
        case Pow(base, exponent):
            return f"{_fit(base, ATOM, style)}{'^' if style.math else '**'}{exponent}", POWER
        case Call("tanh", args) if style.math:
            return _tanh("tanh", args, style, last), POWER
        case Call(function, args) | Reduce(function, args):
            return f"{function}({listed(*args)})", ATOM
        case MatMul(left, right):
            onto = _fit(right, PRODUCT if isinstance(right, MatMul) else POWER, style)
            return f"{_fit(left, POWER, style)}{' ' if style.math else ' @ '}{onto}", PRODUCT
        case Transpose(arg):
            return _fit(arg, ATOM, style) + ("^T" if style.math else ".T"), POWER if style.math else ATOM
        case Outer(left, right):
            return f"outer({listed(left, right)})", ATOM
        case Diag(Ones()):
            return "I", ATOM
        case Diag(arg):
            return f"diag({listed(arg)})", ATOM
        case Ones(of):
            return f"ones({of})", ATOM
        case Detach(arg):
            return f"detach({listed(arg)})", ATOM
        case Size(of):
            return f"size({of})", ATOM
        case Stack(parts):
            return f"[{'; '.join(_fit(part, SUM, style) for part in parts)}]", ATOM
        case Part(arg, of, index):
            rows = style.name(of[index]) + (f" {index + 1}" if of.count(of[index]) > 1 else "")
            return f"{_fit(arg, ATOM, style)}[{rows}]", ATOM
        case Shift(arg, by):
            return f"{_fit(arg, ATOM, style)}[t{by:+d}]", ATOM
        case TimeSum(arg):
            return f"{'sum' if style.ascii else 'Σ'}_t {_fit(arg, PRODUCT, style)}", PRODUCT
    raise TypeError(f"{type(expr).__name__} cannot be written")


def _signed(term: Expr, style: Style) -> str:
    """A term after the first, with its sign."""
    match term:
        case Neg(arg):
            return " - " + _fit(arg, PRODUCT, style)
        case Num(value) if value < 0:
            return " - " + number(-value)
    return " + " + _fit(term, PRODUCT, style)


def _product(factors: tuple[Expr, ...], style: Style, last: bool) -> str:
    result = ""
    for k, factor in enumerate(factors):
        times = " * " if style.math and isinstance(factor, Num) else style.times
        # In code a quotient needs no brackets at the start, where it is what reading from the left gives.
        level = PRODUCT if not (k or style.math) and isinstance(factor, Div) else POWER
        ends = last and k == len(factors) - 1
        result += (times if k else "") + _fit(factor, level, style, ends)
    return result


def _tanh(name: str, args: tuple[Expr, ...], style: Style, last: bool) -> str:
    """`tanh c_t`, where nothing follows that could be taken for a part of the argument."""
    inner = ", ".join(_fit(arg, SUM, style) for arg in args)
    return f"{name} {inner}" if last and isinstance(args[0], Name) else f"{name}({inner})"
