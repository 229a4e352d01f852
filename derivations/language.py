"""Text to cell. The grammar is `cell.lark`; its trees become drafts here, and its failures sentences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree, UnexpectedInput, v_args
from lark.exceptions import VisitError
from lark.indenter import DedentError, Indenter
from lark.visitors import Transformer_NonRecursive

from derivations.build import MOST_EQUATIONS, build
from derivations.cell import Cell, CellError, Draft, Equation, Fact
from derivations.expression import (
    REDUCTIONS,
    Add,
    Call,
    Detach,
    Div,
    Expr,
    MatMul,
    Mul,
    Name,
    Neg,
    Num,
    Outer,
    Pow,
    Reduce,
    Stack,
    Transpose,
    children,
)
from derivations.functions import FUNCTIONS, WRITABLE
from derivations.misread import LARGEST_POWER, explained, without_titles
from derivations.names import one_edit_apart

LONGEST_TEXT = 200_000
LONGEST_LABEL = 200  # and the longest title
MOST_WORDS = 10_000  # names, numbers and signs: half a second of reading
DEEPEST = 64
MOST_DIGITS = 20
LARGEST_EXPONENT = 30
LARGEST_TOGETHER = LARGEST_POWER**3  # of powers within powers
MOST_FACTORS = 64
DEEPEST_TREE = 2 * DEEPEST  # a bracket may hold a sum and a product
_MINUSES = re.compile(rf"(?:-[ \t]*){{{DEEPEST + 1}}}")
_WORD = re.compile(r"\w+|[^\w\s]")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # also in titles and comments: they reach terminals
_CALLS = {**{name: len(FUNCTIONS[name].args) for name in WRITABLE}, **REDUCTIONS, "outer": 2, "detach": 1}


def read(text: str, source: str = "") -> Cell:
    """The cell that a text describes.

    Args:
        text: in the language of `cell.lark`.
        source: a name for the text (its file), shown in front of errors.

    Raises:
        CellError: with line, column and a remedy.
    """
    try:
        return build(draft(text))
    except CellError as error:
        raise error.at(source) if source else error from None


def draft(text: str) -> Draft:
    """What the text says, before it is known to make sense as a cell."""
    clean, comment = _prepared(text)
    try:
        tree = _parser().parse(clean)
    except UnexpectedInput as error:
        raise explained(error, clean) from None
    result: Draft = transformed(tree, _Reader(comment))
    return result


def transformed(tree: Tree[Token], reader: Transformer_NonRecursive[Token, Any]) -> Any:
    """What a reader makes of a tree; its complaints come out as they are, where Lark wraps them."""
    try:
        return reader.transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, CellError):
            raise error.orig_exc from None
        raise


def expression(text: str) -> Expr:
    """One expression on its own, for options and walkthrough files; names are not checked here."""
    before = "answer = "
    try:
        found = draft(f"cell text\n{before}{text}\n")
    except CellError as error:
        line, column = error.line - 1, error.column
        column = max(column - len(before), 0) if line == 1 else column
        raise CellError(error.message, max(line, 0), column) from None
    if len(found.equations) != 1 or found.declared or found.facts:
        raise CellError(f"{text[:80]!r} is not one expression")
    return found.equations[0].rhs


# --- the text, before the grammar sees it -------------------------------------------------------------------


def _prepared(text: str) -> tuple[str, str]:
    """The text without comments (columns stay), and the comment it opens with. Limits are held here."""
    if len(text.encode("utf-8", "replace")) > LONGEST_TEXT:
        raise CellError(f"the text is longer than {LONGEST_TEXT // 1000} kB")
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    opening: list[str] = []
    depth = equations = words = 0
    for number, line in enumerate(lines, 1):
        if not line.strip(" \t"):
            lines[number - 1] = ""
            continue
        code, _, remark = _split_comment(line)
        if not code.strip() and remark and len(opening) == number - 1:
            opening.append(remark.strip())
        if match := CONTROL.search(line):
            raise CellError(f"an unprintable character ({match[0]!a})", number, match.start() + 1)
        if match := _MINUSES.search(code):
            raise CellError("a long chain of minus signs; write one or none", number, match.start() + 1)
        words += len(_WORD.findall(code))
        if words > MOST_WORDS:
            raise CellError(f"more than {MOST_WORDS} names, numbers and signs; make several cells of it", number)
        equations += code.count("=")
        if equations > 2 * MOST_EQUATIONS:  # facts among them; that many need not be read to be too many
            raise CellError(f"more than {MOST_EQUATIONS} equations", number)
        for column, character in enumerate(without_titles(code), 1):
            if character in "([":
                depth += 1
            elif character in ")]":
                depth = max(0, depth - 1)
            if depth > DEEPEST:
                raise CellError(f"brackets are nested deeper than {DEEPEST}; name a part of this", number, column)
        lines[number - 1] = code.rstrip(" \t")
    return "\n".join(lines).rstrip("\n") + "\n", "\n".join(opening)


def _split_comment(line: str) -> tuple[str, str, str]:
    """Code, `#`, remark; a `#` inside a quoted title is no comment."""
    match = re.match(r'((?:[^"#]|"[^"]*"?)*)(#?)(.*)', line, re.DOTALL)
    assert match  # every part may be empty
    return match[1], match[2], match[3]


class _Lines(Indenter):
    NL_type = "_NL"
    OPEN_PAREN_types = ["LPAR", "LSQB"]  # noqa: RUF012 - Lark declares these as properties of the class
    CLOSE_PAREN_types = ["RPAR", "RSQB"]  # noqa: RUF012 - the same
    INDENT_type = "_INDENT"
    DEDENT_type = "_DEDENT"
    tab_len = 4

    def handle_NL(self, token: Token) -> Iterator[Token]:
        try:
            yield from super().handle_NL(token)
        except DedentError:
            raise CellError("the lines of a block start in one column", token.end_line or 0) from None


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("cell.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", postlex=_Lines(), propagate_positions=False, maybe_placeholders=True)


# --- from the tree to a draft -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Line:
    """An equation or a fact, before its block says which, with the places of its names."""

    label: str
    left: Expr
    right: Expr
    places: dict[str, tuple[int, int]]

    @property
    def number(self) -> int:
        return min((line for line, _ in self.places.values()), default=0)

    def equation(self, block: str = "") -> Equation:
        if not isinstance(self.left, Name):
            line, column = min(self.places.values(), default=(0, 0))
            raise CellError("the left-hand side of an equation is one name", line, column)
        return Equation(self.left.id, self.right, self.label, block, self.places[self.left.id][0])


@dataclass(frozen=True)
class _Minus:
    """A minus and what follows it, before the row of factors is known that it stands in."""

    arg: Expr


def _signed(operand: Expr | _Minus) -> Expr:
    return Neg(operand.arg) if isinstance(operand, _Minus) else operand


@v_args(inline=True)
class _Reader(Transformer_NonRecursive[Token, Any]):
    """Builds the draft bottom-up; children come in the order of the text."""

    def __init__(self, comment: str) -> None:
        super().__init__()
        self.comment = comment
        self.declared: dict[str, list[str]] = {}
        self.places: dict[str, tuple[int, int]] = {}  # where each name of the cell first stands
        self.pending: dict[str, tuple[int, int]] = {}  # the same for the line being read

    # lines

    def start(self, header: tuple[str, str], *lines: Any) -> Draft:
        equations: list[Equation] = []
        facts: list[Fact] = []
        for kind, line in _in_order(lines):
            if kind == "facts":
                facts.append(Fact(line.left, line.right, line.label, line.number))
                continue
            equations.append(line.equation(kind))
            for name, place in line.places.items():
                self.places.setdefault(name, place)
        return Draft(
            name=header[0],
            title=header[1],
            comment=self.comment,
            declared={kind: tuple(group) for kind, group in self.declared.items()},
            equations=tuple(equations),
            facts=tuple(facts),
            places=self.places,
        )

    def header(self, name: Token, title: Token | None) -> tuple[str, str]:
        return str(name), _short(title, "title")[1:-1]

    def declaration(self, kind: Token, *group: Token) -> None:
        self.declared.setdefault(str(kind), []).extend(map(str, group))
        for name in group:
            self.places.setdefault(str(name), _place(name))

    def equation(self, label: Token | None, left: Expr, right: Expr) -> _Line:
        places, self.pending = self.pending, {}
        if max(depth(left), depth(right)) > DEEPEST_TREE:
            line, column = min(places.values(), default=(0, 0))
            message = f"operations are nested deeper than {DEEPEST_TREE}; name a part of this"
            raise CellError(message, line, column)
        return _Line(_short(label, "label")[:-1].strip(), left, right, places)

    def block(self, kind: Token, *lines: _Line) -> list[tuple[str, _Line]]:
        return [(str(kind), line) for line in lines]

    # expressions

    def sum(self, *parts: Any) -> Expr:
        pairs = zip(parts[0::2], parts[1::2], strict=True)
        terms = tuple(Neg(chain) if sign == "-" else chain for sign, chain in pairs)
        return terms[0] if len(terms) == 1 else Add(terms)

    def chain(self, *parts: Any) -> Expr:
        """Factors in a row. A minus in front of the row is of the whole: -W @ v is -(W @ v)."""
        first, *rest = parts[0::2]
        factors = tuple(_signed(operand) for operand in rest)
        if not isinstance(first, _Minus):
            return self._row((first, *factors), parts[1::2])
        if not rest and isinstance(first.arg, Num):
            return Num(-first.arg.value)
        return Neg(self._row((first.arg, *factors), parts[1::2]))

    def _row(self, operands: tuple[Expr, ...], operators: tuple[Token, ...]) -> Expr:
        kinds = {"@" if operator == "@" else "*" for operator in operators}
        if len(kinds) == 2:
            place = _place(operators[0])
            raise CellError("@ is mixed with * or /; say what is meant with parentheses, as in r * (W @ h)", *place)
        if operators and _factors(operands) > MOST_FACTORS:
            message = f"a product of more than {MOST_FACTORS} factors; name a part of it"
            raise CellError(message, *_place(operators[0]))
        if kinds == {"@"}:  # A @ B @ v is the same map either way; from the right it stays a vector
            result = operands[-1]
            for operand in reversed(operands[:-1]):
                result = MatMul(operand, result)
            return result
        return _product(operands, operators)

    def minus(self, sign: Token, arg: "Expr | _Minus") -> "_Minus":
        return _Minus(_signed(arg))

    def power(self, base: Expr, exponent: Token) -> Expr:
        text = str(exponent)
        if len(text) > 2 or not 0 <= int(text) <= LARGEST_POWER:
            raise CellError(f"powers are whole numbers from 0 to {LARGEST_POWER}", *_place(exponent))
        if _steepest(base) * max(int(text), 2) > LARGEST_TOGETHER:
            raise CellError(f"powers of powers beyond {LARGEST_TOGETHER}; name an inner one", *_place(exponent))
        return Pow(base, int(text))

    def transpose(self, arg: Expr) -> Expr:
        if isinstance(arg, Transpose):
            raise CellError(".T.T is the matrix itself; leave both out", *max(self.pending.values(), default=(0, 0)))
        return Transpose(arg)

    def name(self, token: Token) -> Expr:
        self.pending.setdefault(str(token), _place(token))
        return Name(str(token))

    def number(self, token: Token) -> Expr:
        return Num(exact(str(token), *_place(token)))

    def call(self, function: Token, *args: Expr) -> Expr:
        name, place = str(function), _place(function)
        if name not in _CALLS:
            near = next((known for known in _CALLS if one_edit_apart(known, name)), None)
            hint = f"did you mean {near}?" if near else f"known: {', '.join(sorted(_CALLS))}"
            raise CellError(f"there is no function {name[:40]}; {hint}", *place)
        if len(args) != _CALLS[name]:
            plural = "argument" if _CALLS[name] == 1 else "arguments"
            raise CellError(f"{name} takes {_CALLS[name]} {plural}, not {len(args)}", *place)
        if name in REDUCTIONS:
            return Reduce(name, args)
        if name == "outer":
            return Outer(*args)
        return Detach(*args) if name == "detach" else Call(name, args)

    def group(self, arg: Expr) -> Expr:
        return arg

    def stack(self, *parts: Expr) -> Expr:
        return Stack(parts)


def _in_order(lines: tuple[Any, ...]) -> Iterator[tuple[str, _Line]]:
    for line in lines:
        if isinstance(line, list):
            yield from line
        elif line is not None:
            yield "", line


def _product(operands: tuple[Expr, ...], operators: tuple[Token, ...]) -> Expr:
    """`a * b / c * d` from the left, with neighbouring factors in one flat product."""
    factors = [operands[0]]
    for operator, operand in zip(operators, operands[1:], strict=True):
        if operator == "*":
            factors.append(operand)
            continue
        if operand == Num(Fraction(0)):
            raise CellError("division by zero", *_place(operator))
        above = factors[0] if len(factors) == 1 else Mul(tuple(factors))
        factors = [Div(above, operand)]
    return factors[0] if len(factors) == 1 else Mul(tuple(factors))


def depth(expr: Expr) -> int:
    """How many operations lie within one another. No recursion: the text may be 200 kB of minus signs."""
    deepest, waiting = 0, [(expr, 1)]
    while waiting:
        node, here = waiting.pop()
        deepest = max(deepest, here)
        waiting += ((child, here + 1) for child in children(node))
    return deepest


def _factors(operands: tuple[Expr, ...]) -> int:
    """How many factors a product has once the brackets in it are gone."""
    count, waiting = 0, list(operands)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (Mul, Div, Neg, MatMul)):
            waiting += children(node)
        else:
            count += 1
    return count


def _steepest(expr: Expr) -> int:
    """The largest product of exponents that lie within one another; 0 and 1 count as 2, so that few can."""
    largest, waiting = 1, [(expr, 1)]
    while waiting:
        node, power = waiting.pop()
        if isinstance(node, Pow):
            power *= max(node.exponent, 2)
        largest = max(largest, power)
        waiting += ((child, power) for child in children(node))
    return largest


def exact(text: str, line: int = 0, column: int = 0) -> Fraction:
    """A decimal as the fraction that it is.

    Raises:
        CellError: more than 20 digits, or an exponent beyond 30.
    """
    digits, _, power = text.lower().partition("e")
    if len(digits.replace(".", "")) > MOST_DIGITS:
        raise CellError(f"a number of more than {MOST_DIGITS} digits", line, column)
    if power and (len(power) > 4 or abs(int(power)) > LARGEST_EXPONENT):
        raise CellError(f"an exponent beyond {LARGEST_EXPONENT}", line, column)
    return Fraction(text)


def _short(token: Token | None, what: str) -> str:
    if token is not None and len(token) > LONGEST_LABEL:
        raise CellError(f"a {what} of more than {LONGEST_LABEL} characters", *_place(token))
    return str(token or "")


def _place(token: Token) -> tuple[int, int]:
    return token.line or 0, token.column or 0
