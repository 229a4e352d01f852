"""What a command says, as data: headings, sentences, equations and tables, which every format can write.

A sentence or a table's entry is made of pieces: plain text, expressions (typeset as mathematics), and numbers.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from derivations.derive import Derivation
from derivations.expression import Derivative, Expr, Name
from derivations.names import fault
from derivations.notation import Notation

Piece = str | Expr | float | int | None
Text = tuple[Piece, ...]


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Paragraph:
    """One sentence or several. `kind` is "plain", "good", "bad" or "quiet", for those that can see colours."""

    text: Text
    kind: str = "plain"


@dataclass(frozen=True)
class Items:
    """A list without an order."""

    items: tuple[Text, ...]


@dataclass(frozen=True)
class Line:
    """`lhs = rhs`, with what it is called, and its value where it has one."""

    lhs: Expr
    rhs: Expr
    label: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Lines:
    """Equations under one another."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """Rows under a header; `align` has one of l, r for every column."""

    header: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    align: str


@dataclass(frozen=True)
class Derived:
    """The sections of a derivation: equations by rule, as `derive show` writes them."""

    derivation: Derivation
    only: tuple[str, ...]


Block = Heading | Paragraph | Items | Lines | Table | Derived


@dataclass(frozen=True)
class Document:
    """A title, who wrote what it is about, and blocks in their order; `notation` says how names are written."""

    title: str
    notation: Notation
    blocks: tuple[Block, ...]
    subtitle: str = ""


def joined(pieces: Sequence[Text], between: str = ", ") -> Text:
    """Pieces one after another, with text between them."""
    result: list[Piece] = []
    for k, piece in enumerate(pieces):
        result += [between] * (k > 0) + list(piece)
    return tuple(result)


_TOKEN = re.compile(r"d([A-Za-z]\w*)/d([A-Za-z]\w*)|[A-Za-z]\w*")


def sentence(text: str, known: Collection[str]) -> Text:
    """A sentence with its names as expressions, to be typeset: those that are known, and any with a subscript.

    `f_t` is the name f, which carries its step by itself, and `dh_4/dc_0` is a derivative.
    """
    result: list[Piece] = []
    end = 0
    for match in _TOKEN.finditer(text):
        found = _named(match, known)
        if found is not None:
            result += [text[end : match.start()], found]
            end = match.end()
    return tuple(piece for piece in (*result, text[end:]) if piece != "")


def _named(match: re.Match[str], known: Collection[str]) -> Expr | None:
    if match[1]:
        return Derivative(match[1], match[2], "total")
    name = match[0].removesuffix("_t")
    if name in known or ("_" in match[0] and fault(name) is None):
        return Name(name)
    return None


def digits(value: float) -> str:
    """A number for a reader: five significant digits, exact zero as 0, powers of ten where they help."""
    if value != value:
        return "nan"
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    if value == int(value) and abs(value) < 1e5:
        return str(int(value))
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:#.5g}".rstrip(".")
    mantissa, _, exponent = f"{value:.4e}".partition("e")
    return f"{mantissa}e{int(exponent):+03d}"
