"""Formulas for a web page: the boxes of `boxes.py` as MathML, which every current browser draws without a script."""

import re
from html import escape

from derivations.boxes import Accent, Applied, BigSum, Box, Column, Fence, Frac, Glyph, Row, Script, Space, Tagged, tall

APPLY, TIMES = "<mo>&#x2061;</mo>", "<mo>&#x2062;</mo>"  # unseen, and read aloud
_SIGNS = {"-": "−", "*": "∗", "⊙": "⊙", ",": ","}
_ACCENTS = {"tilde": "\N{SMALL TILDE}", "hat": "^", "bar": "¯", "dot": "˙", "vec": "→"}
_SCRIPT, _BOLD = {"L": "\N{SCRIPT CAPITAL L}"}, {"1": "\N{MATHEMATICAL BOLD DIGIT ONE}"}
_TEMPLATE = re.compile(r"\\left(.)|\\right(.)|\\sqrt\{\{\{(\d)\}\}\}|\\mathbf\{\{(\w)\}\}|\{(\d)\}|(.)")


def mathml(box: Box, *, block: bool = False) -> str:
    """A formula as a `math` element, alone on its line or in the text."""
    return f'<math display="block">{_ml(box)}</math>' if block else f"<math>{_ml(box)}</math>"


def _ml(box: Box) -> str:
    """The box as one element; a space is up to two, and stands in rows only."""
    match box:
        case Glyph(text, face):
            return _glyph(text, face)
        case Row(items):
            return _row("".join(_ml(item) + (APPLY if _is_function(item) else "") for item in items))
        case Space(thin):
            return TIMES + ('<mspace width=".17em"/>' if thin else "")
        case Script(base, below, above):
            return _script(_ml(base), below, above)
        case Accent("star", base):
            return f"<msup>{_ml(base)}<mo>∗</mo></msup>"
        case Accent(kind, base):
            return f'<mover accent="true">{_ml(base)}<mo stretchy="false">{_ACCENTS[kind]}</mo></mover>'
        case Frac(above, below):
            return f"<mfrac>{_ml(above)}{_ml(below)}</mfrac>"
        case Fence(body, left, right):
            return _row(_fence(left, tall(body)) + _ml(body) + _fence(right, tall(body)))
        case Column(rows):
            lines = "".join(f"<mtr><mtd>{_ml(row)}</mtd></mtr>" for row in rows)
            return _row(f"{_fence('[', True)}<mtable>{lines}</mtable>{_fence(']', True)}")
        case Applied(template, args):
            return _row(_filled(template, args))
        case BigSum(body):
            bounds = "<mrow><mi>t</mi><mo>=</mo><mn>1</mn></mrow><mi>T</mi>"
            return _row(f"<munderover><mo>∑</mo>{bounds}</munderover>{_ml(body)}")
        case Tagged(body, name):
            return f'<mrow data-q="{escape(name)}">{_ml(body)}</mrow>'
    raise TypeError(f"{type(box).__name__} is not a box")


def _row(inner: str) -> str:
    return f"<mrow>{inner}</mrow>"


def _is_function(box: Box) -> bool:
    return _is_function(box.base) if isinstance(box, Script) else isinstance(box, Glyph) and box.face == "function"


def _script(base: str, below: Box | None, above: Box | None) -> str:
    if below and above:
        return f"<msubsup>{base}{_ml(below)}{_ml(above)}</msubsup>"
    if below:
        return f"<msub>{base}{_ml(below)}</msub>"
    return f"<msup>{base}{_ml(above)}</msup>" if above else base


def _fence(sign: str, grows: bool) -> str:
    return f"<mo>{sign}</mo>" if grows else f'<mo stretchy="false">{sign}</mo>'


def _glyph(text: str, face: str) -> str:
    match face:
        case "number":
            return f"<mn>{escape(text)}</mn>"
        case "sign":
            # A sign may stand first in an element of its own, and still stands between two things.
            return f'<mo form="infix">{escape(_SIGNS.get(text, text))}</mo>'
        case "mark":
            return f'<mo lspace="0" rspace="0">{escape(_SIGNS.get(text, text))}</mo>'
        case "function":
            return _function(text)
        case "bold":
            return f"<mn>{_BOLD[text]}</mn>"
        case "script":
            return f"<mi>{_SCRIPT[text]}</mi>"
        case "upright":
            # A longer word is upright by itself.
            variant = ' mathvariant="normal"' if len(text) == 1 else ""
            return f"<mi{variant}>{escape(text)}</mi>"
    return f"<mi>{escape(text)}</mi>"


def _function(command: str) -> str:
    """The name of a function from its LaTeX: `\\tanh`, `\\sigma`, `\\operatorname{softplus}`, `\\log\\sigma`."""
    words = re.findall(r"\\operatorname\{(\w+)\}|\\?(\w+)", command)
    parts = ["σ" if word == "sigma" else word for pair in words for word in pair if word]
    return _row("".join(f"<mi>{escape(part)}</mi>" for part in parts)) if len(parts) > 1 else f"<mi>{parts[0]}</mi>"


def _filled(template: str, args: tuple[Box, ...]) -> str:
    """A function's LaTeX template as MathML: roots, bars and indicators, and signs as they stand.

    Raises:
        ValueError: a command that no template had before.
    """
    result = ""
    for left, right, root, bold, place, sign in _TEMPLATE.findall(template):
        if left or right:
            result += _fence(left or right, any(map(tall, args)))
        elif root:
            result += f"<msqrt>{_ml(args[int(root)])}</msqrt>"
        elif bold:
            result += f"<mn>{_BOLD[bold]}</mn>"
        elif place:
            result += _ml(args[int(place)])
        elif sign in "\\{}":
            raise ValueError(f"{template} has no MathML yet")
        else:
            result += f"<mn>{sign}</mn>" if sign.isdigit() else f"<mo>{escape(sign)}</mo>"
    return result
