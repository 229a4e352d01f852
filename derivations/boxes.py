"""What a formula is made of on the page: boxes. Their LaTeX, and how wide they will be.

An expression becomes boxes once (`typeset.py`); brackets, bars and spaces are decided there. A box knows
only its own parts, and can be measured before it is set.
"""

import re
from dataclasses import dataclass

from derivations.symbols import GREEK


class Box:
    """A piece of a formula."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Glyph(Box):
    """A letter, a word, a number or a sign.

    `face` is italic, upright, bold, script, number, function, sign (with space around it) or mark (a sign
    without).
    """

    text: str
    face: str = "italic"


@dataclass(frozen=True, slots=True)
class Row(Box):
    items: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Space(Box):
    """Between factors: nothing, or a thin space where the factors would run together."""

    thin: bool = False


@dataclass(frozen=True, slots=True)
class Script(Box):
    base: Box
    below: Box | None = None
    above: Box | None = None


@dataclass(frozen=True, slots=True)
class Accent(Box):
    kind: str
    base: Box


@dataclass(frozen=True, slots=True)
class Frac(Box):
    above: Box
    below: Box


@dataclass(frozen=True, slots=True)
class Fence(Box):
    """Brackets as tall as what they hold."""

    body: Box
    left: str = "("
    right: str = ")"


@dataclass(frozen=True, slots=True)
class Column(Box):
    rows: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Applied(Box):
    """A function whose LaTeX is a template: a root, bars, an indicator."""

    template: str
    args: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class BigSum(Box):
    """The sum over the steps."""

    body: Box


@dataclass(frozen=True, slots=True)
class Tagged(Box):
    """What shows a name, and remembers which: on a page its number can take its place."""

    body: Box
    name: str


EMPTY = Row(())
_BREAK = r" \\ "
TOP, ELL = "\N{DOWN TACK}", "\N{SCRIPT SMALL L}"
_SIGNS = {
    "⊙": "odot",
    "·": "cdot",
    "×": "times",
    TOP: "top",
    "∂": "partial",
    ELL: "ell",
    "≥": "ge",
    "*": "ast",
}
_SPELLED = {"eps": "varepsilon", "lamda": "lambda"}
_COMMANDS = _SIGNS | {letter: _SPELLED.get(name, name) for name, letter in GREEK.items()}
_ONE = {"tilde": r"\tilde", "hat": r"\hat", "bar": r"\bar", "dot": r"\dot", "vec": r"\vec"}
_WIDE = _ONE | {"tilde": r"\widetilde", "hat": r"\widehat", "bar": r"\overline", "vec": r"\overrightarrow"}


def joined(*boxes: Box) -> Box:
    """The boxes in one row, rows within it opened."""
    flat: list[Box] = []
    for box in boxes:
        flat.extend(box.items if isinstance(box, Row) else (box,))
    return flat[0] if len(flat) == 1 else Row(tuple(flat))


# --- LaTeX --------------------------------------------------------------------------------------------------


def latex(box: Box) -> str:
    """The LaTeX of a box, in math mode; it needs amsmath and no macro of ours."""
    return re.sub(r" {2,}", " ", _latex(box)).strip()


def _latex(box: Box) -> str:
    match box:
        case Glyph(text, face):
            return _glyph(text, face)
        case Row(items):
            return _run([_latex(item) for item in items])
        case Space(thin):
            return r"\, " if thin else " "
        case Script(base, below, above):
            result = f"{{{_latex(base)}}}" if above and _raised(base) else _latex(base)
            result += f"_{_braced(_latex(below))}" if below else ""
            return result + (f"^{_braced(_latex(above))}" if above else "")
        case Accent("star", base):
            return rf"{_latex(base)}^{{\ast}}"
        case Accent(kind, base):
            return _accent(kind, base)
        case Frac(above, below):
            return rf"\frac{{{_latex(above)}}}{{{_latex(below)}}}"
        case Fence(body, left, right):
            inner = latex(body)
            return rf"\left{left} {inner} \right{right}" if tall(body) else left + inner + right
        case Column(rows):
            return rf"\begin{{bmatrix}} {_BREAK.join(map(_latex, rows))} \end{{bmatrix}}"
        case Applied(template, args):
            return _filled(template, [latex(arg) for arg in args])
        case BigSum(body):
            return _run([r"\sum_{t=1}^{T}", " ", _latex(body)])
        case Tagged(body, _):
            return _latex(body)
    raise TypeError(f"{type(box).__name__} is not a box")


def _glyph(text: str, face: str) -> str:
    if text in _COMMANDS:
        text = "\\" + _COMMANDS[text]
    if face == "sign":
        return f" {text} "
    if face == "function":
        return text if text.startswith("\\") else rf"\operatorname{{{text}}}"
    command = {"upright": "mathrm", "bold": "mathbf", "script": "mathcal"}.get(face)
    return rf"\{command}{{{text}}}" if command else text


def _run(parts: list[str]) -> str:
    """The parts side by side; a space where a command would run into what follows."""
    result = ""
    for part in parts:
        if re.search(r"\\[A-Za-z]+$", result) and part[:1].isalnum():
            result += " "
        result += part
    return result


def _braced(text: str) -> str:
    text = text.strip()
    return text if len(text) == 1 else f"{{{text}}}"


def _filled(template: str, args: list[str]) -> str:
    """The template with its arguments; the bold one of an indicator is no place for one."""
    return template.format(*args)


def _raised(box: Box) -> bool:
    """Whether the box ends in a superscript already; TeX takes one only."""
    starred = isinstance(box, Accent) and box.kind == "star"
    return starred or (isinstance(box, Script) and box.above is not None)


def _accent(kind: str, base: Box) -> str:
    inside = base
    while isinstance(inside, Accent) and inside.kind != "star":
        inside = inside.base
    single = isinstance(inside, Glyph) and len(inside.text) == 1
    inner = _latex(base)
    if single and kind != "dot" and inner in ("i", "j"):
        inner = rf"\{inner}math"  # the accent takes the place of the dot
    return f"{(_ONE if single else _WIDE)[kind]}{{{inner}}}"


# --- size ---------------------------------------------------------------------------------------------------

SMALL = 0.83  # the size of a script beside its base: the small font has wider letters
# Widths in Computer Modern, in hundredths of an em.
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ITALIC = (
    53, 43, 44, 53, 47, 60, 52, 58, 35, 47, 56, 32, 88, 61, 49, 51, 49, 48, 47, 37, 58, 53, 75, 58, 53, 51,
    75, 81, 79, 86, 80, 79, 79, 92, 52, 66, 93, 69, 108, 92, 80, 79, 80, 77, 68, 73, 80, 81, 109, 91, 81, 76,
)  # fmt: skip
_UPRIGHT = (
    50, 56, 45, 56, 45, 31, 50, 56, 28, 31, 53, 28, 84, 56, 50, 56, 53, 40, 40, 39, 56, 53, 73, 53, 53, 45,
    75, 71, 73, 77, 69, 66, 79, 75, 37, 52, 78, 63, 92, 75, 78, 69, 78, 74, 56, 73, 75, 75, 103, 75, 75, 62,
)  # fmt: skip
_WIDTHS = {
    "italic": dict(zip(_LETTERS, _ITALIC, strict=True)) | {"∂": 59, ELL: 42, "Δ": 84, "Θ": 78},
    "upright": dict(zip(_LETTERS, _UPRIGHT, strict=True)),
}
_SIGN, _MARK, _DIGIT, _OTHER = 1.34, 0.79, 0.5, 0.75


def tall(box: Box) -> bool:
    """Whether brackets around the box must grow."""
    match box:
        case Frac() | Column() | BigSum():
            return True
        case Row(items) | Applied(_, items):
            return any(map(tall, items))
        case Script(base, _, _) | Accent(_, base) | Fence(base, _, _) | Tagged(base, _):
            return tall(base)
    return False


def width(box: Box) -> float:
    """How wide the box is in ems of Computer Modern, rather too wide than too narrow."""
    match box:
        case Glyph(text, face):
            return _glyph_width(text, face)
        case Row(items):
            return sum(map(width, items))
        case Space(thin):
            return 0.17 if thin else 0.0
        case Script(base, below, above):
            scripts = [SMALL * width(script) for script in (below, above) if script]
            return width(base) + max(scripts, default=0.0) + 0.06
        case Accent(kind, base):
            return width(base) + (0.45 if kind == "star" else 0.05)
        case Frac(above, below):
            return max(width(above), width(below)) + 0.26
        case Fence(body):
            return width(body) + (1.5 if tall(body) else 0.8)
        case Column(rows):
            return max(map(width, rows)) + 1.4
        case Applied(template, args):
            rest = re.sub(r"\\(left|right|mathbf)|\{\d\}|[{}]", "", template.replace(r"\sqrt", "nn"))
            return sum(map(width, args)) + 0.75 * len(rest)
        case BigSum(body):
            return 1.8 + width(body)
        case Tagged(body, _):
            return width(body)
    return 0.0


def _glyph_width(text: str, face: str) -> float:
    if face == "sign":
        return _SIGN
    if face == "mark":
        return 0.45 if text == "," else _MARK
    if face == "function":
        return 0.2 + _glyph_width(_spelled(text), "upright")
    widths = _WIDTHS["italic" if face == "italic" else "upright"]
    return sum(widths[one] / 100 if one in widths else _DIGIT if one.isdigit() else _OTHER for one in text)


def _spelled(command: str) -> str:
    """The letters that a function's command sets."""
    return "m" if command == r"\sigma" else re.sub(r"\\(operatorname)?|[{}]", "", command)
