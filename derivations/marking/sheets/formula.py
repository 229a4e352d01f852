"""Tokens of a formula to an expression. Plain text and LaTeX differ in their lexers only."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, UnexpectedInput
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer
from lark.visitors import Transformer_NonRecursive, v_args

from derivations.cell import CellError
from derivations.expression import (
    Add,
    Call,
    Detach,
    Diag,
    Div,
    Expr,
    MatMul,
    Mul,
    Neg,
    Num,
    Outer,
    Pow,
    Reduce,
    Stack,
    TimeSum,
    Transpose,
    children,
)
from derivations.functions import FUNCTIONS, WRITABLE
from derivations.language import depth, exact, transformed
from derivations.misread import LARGEST_POWER

MOST_TOKENS = 1_500
DEEPEST = 48
_REDUCTIONS = {"sum": "sum", "mean": "mean", "logsumexp": "logsumexp"}


@dataclass(frozen=True)
class Piece:
    """A token of a formula: its kind in `formula.lark`, its text, and the place where it stands."""

    kind: str
    text: str
    line: int
    column: int


class _Pieces(Lexer):
    """Hands the parser tokens that are already cut."""

    def __init__(self, conf: Any) -> None: ...

    def lex(self, data: Any) -> Iterator[Token]:  # type: ignore[override]  # Lark gives it what parse() got
        for piece in data:
            yield Token(piece.kind, piece.text, line=piece.line, column=piece.column)


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("formula.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=_Pieces)


def formula(pieces: Sequence[Piece], read: Callable[[str], Expr]) -> Expr:
    """The expression that tokens say; `read` says what stands for a name.

    Raises:
        CellError: with the place, where they are no formula, or one beyond the limits.
    """
    if not pieces:
        raise CellError("nothing stands on this side")
    place = (pieces[0].line, pieces[0].column)
    if len(pieces) > MOST_TOKENS:
        raise CellError(f"a formula of more than {MOST_TOKENS} signs and names", *place)
    within = 0
    for piece in pieces:
        within += (piece.kind in ("LPAR", "LSQB")) - (piece.kind in ("RPAR", "RSQB"))
        if within > DEEPEST:
            raise CellError(f"brackets are nested deeper than {DEEPEST}", piece.line, piece.column)
    try:
        tree = _parser().parse(pieces)
    except UnexpectedInput as error:
        raise _explained(error, pieces) from None
    result: Expr = transformed(tree, _Reader(read))
    if _tower(result) > LARGEST_POWER**2:
        raise CellError("powers of powers", *place)
    if depth(result) > 4 * DEEPEST:
        raise CellError(f"operations are nested deeper than {4 * DEEPEST}", *place)
    return result


def _explained(error: UnexpectedInput, pieces: Sequence[Piece]) -> CellError:
    token = error.token if isinstance(error, UnexpectedToken) else None
    if token is None or token.type == "$END":
        last = pieces[-1]
        return CellError(f"something is missing after {last.text[:40]!r}", last.line, last.column + len(last.text))
    return CellError(f"{str(token)[:40]!r} is not expected here", token.line or 0, token.column or 0)


def _tower(expr: Expr) -> int:
    largest, waiting = 1, [(expr, 1)]
    while waiting:
        node, power = waiting.pop()
        if isinstance(node, Pow):
            power *= max(abs(node.exponent), 2)
        largest = max(largest, power)
        waiting += ((child, power) for child in children(node))
    return largest


def slope(function: str, at: Expr) -> Expr:
    """The derivative of a function of one argument: sigma'(a) is sigma(a) (1 - sigma(a))."""
    from derivations.expression import substitute
    from derivations.functions import Y

    row = FUNCTIONS[function]
    table: dict[Expr, Expr] = {Y: Call(function, (at,)), row.args[0]: at}
    return substitute(row.derivatives[0], table)


@v_args(inline=True)
class _Reader(Transformer_NonRecursive[Token, Any]):
    def __init__(self, read: Callable[[str], Expr]) -> None:
        super().__init__()
        self.read = read

    def start(self, expr: Expr) -> Expr:
        return expr

    def sum(self, *parts: Any) -> Expr:
        terms: list[Expr] = []
        minus = False
        for part in parts:
            if isinstance(part, Token):
                minus ^= str(part) == "-"
                continue
            terms.append(Neg(part) if minus else part)
            minus = False
        return terms[0] if len(terms) == 1 else Add(tuple(terms))

    def product(self, *parts: Any) -> Expr:
        if isinstance(parts[0], Token):
            return _summed(*parts)
        result: Expr = parts[0]
        operator, summed = "", ""
        minus = False
        for part in parts[1:]:
            if isinstance(part, Token):
                if part.type == "SIGN":
                    minus ^= str(part) == "-"
                elif part.type == "SUMMED":
                    summed, operator = str(part), operator or "@"
                else:
                    operator = str(part)
                continue
            part = _summed(summed, part) if summed else part
            result = _joined(result, operator, Neg(part) if minus else part)
            minus, operator = False, ""
        return result

    def item(self, first: Expr, *others: Expr) -> Expr:
        result = first
        for other in others:
            result = MatMul(result, other)
        return result

    def power(self, base: Expr, exponent: Token) -> Expr:
        return self._raised(base, exponent)

    def _raised(self, base: Expr, exponent: Token) -> Expr:
        text = str(exponent)
        if len(text) > 2 or abs(int(text)) > LARGEST_POWER:
            raise CellError(f"powers are whole numbers up to {LARGEST_POWER}", exponent.line or 0, exponent.column or 0)
        whole = int(text)
        return Pow(base, whole) if whole >= 0 else Div(Num(Fraction(1)), Pow(base, -whole))

    def transpose(self, arg: Expr, _: Token) -> Expr:
        return arg.arg if isinstance(arg, Transpose) else Transpose(arg)

    def name(self, token: Token) -> Expr:
        return self.read(str(token))

    def number(self, token: Token) -> Expr:
        return Num(exact(str(token), token.line or 0, token.column or 0))

    def bare(self, function: Token, *rest: Any) -> Expr:
        *power, name = rest
        return self._applied(function, power, (self.read(str(name)),))

    def call(self, function: Token, *parts: Any) -> Expr:
        power = [p for p in parts if isinstance(p, Token) and p.type == "POWER"]
        return self._applied(function, power, tuple(p for p in parts if not isinstance(p, Token)))

    def _applied(self, function: Token, power: Sequence[Token], args: tuple[Expr, ...]) -> Expr:
        result = applied(str(function), args, (function.line or 0, function.column or 0))
        return self._raised(result, power[0]) if power else result

    def group(self, *parts: Any) -> Expr:
        inner: Expr = parts[1]
        return inner

    def stack(self, *parts: Any) -> Expr:
        inner = tuple(part for part in parts if not isinstance(part, Token))
        return inner[0] if len(inner) == 1 else Stack(inner)


def applied(name: str, args: tuple[Expr, ...], place: tuple[int, int]) -> Expr:
    """A function by the name that a lexer gave it, on its arguments."""
    if name.endswith("'") and name[:-1] in WRITABLE and len(args) == 1:
        return slope(name[:-1], args[0])
    due = {"outer": 2, "dot": 2, "diag": 1, "detach": 1, "transpose": 1, "square": 1} | dict.fromkeys(_REDUCTIONS, 1)
    due |= {row: len(FUNCTIONS[row].args) for row in WRITABLE} | {
        "dsigmoid": 1,
        "dtanh": 1,
        "sech": 1,
        "cosh": 1,
        "sinh": 1,
    }
    if due.get(name) != len(args):
        raise CellError(f"{name[:40]} takes {due.get(name, 1)} argument{'s' * (due.get(name) != 1)}", *place)
    match name:
        case "outer":
            return Outer(*args)
        case "dot":
            return Reduce("dot", args)
        case "diag":
            return Diag(*args)
        case "detach":
            return Detach(*args)
        case "transpose":
            return Transpose(*args)
        case "square":
            return Pow(args[0], 2)
        case "sech":
            return 2 / (Call("exp", args) + Call("exp", (-args[0],)))
        case "cosh":
            return (Call("exp", args) + Call("exp", (-args[0],))) / Num(Fraction(2))
        case "sinh":
            return (Call("exp", args) - Call("exp", (-args[0],))) / Num(Fraction(2))
        case "sum" | "mean" | "logsumexp":
            return Reduce(name, args)
    return Call(name, args)


def _summed(over: str, of: Expr) -> Expr:
    """A sum over the steps, or over the entries of a vector."""
    return TimeSum(of) if over == "sum" or over.startswith(("sum_t", "sum_{t")) else Reduce("sum", (of,))


def _joined(left: Expr, operator: str, right: Expr) -> Expr:
    if operator == "/":
        return Div(left, right)
    if operator == "⊗":
        return Outer(left, right)
    if operator in ("@", "."):
        return MatMul(left, right)
    return Mul((*left.factors, right) if isinstance(left, Mul) else (left, right))
