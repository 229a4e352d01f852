"""The tokens of a formula in plain text: `dL/dc_{t-1}`, `W_hf.T @ da_f`, `\u03c3'(a)`."""

import re
import unicodedata
from collections.abc import Sequence

from derivations.cell import CellError
from derivations.functions import WRITABLE
from derivations.marking.sheet import normal
from derivations.marking.sheets.formula import Piece
from derivations.marking.sheets.spoken import SPOKEN

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi",
    "χ": "chi", "ψ": "psi", "ω": "omega", "Δ": "Delta", "∂": "d", "∇": "nabla", "\u2113": "L",
    "Σ": "sum", "∑": "sum",
}  # fmt: skip
_SIGNS = {
    "⊙": "*",
    "∘": "*",
    "·": ".",
    "×": "*",
    "−": "-",
    "∗": "*",
    "′": "'",
    "ᵀ": ".T",
    "²": "^2",
    "–": "-",
}
_ACCENTS = {"~": "tilde", "\u0303": "tilde", "\u0302": "hat", "\u0304": "bar", "\u0305": "bar"}
_ACCENTED = re.compile(rf"([A-Za-z])([{''.join(_ACCENTS)}])")
_BELOW = re.compile("[\u2080-\u208e\u2090-\u209c\u1d62-\u1d6a\u2c7c]+")  # digits, signs and letters below the line
_STEP = (
    r"(?:[_^]?\{\(?t\s*[+-]\s*\d\)?\}|[_^](?:\{\(?t\)?\}|\(t\)|t(?!\w))|[_^]?\(t\s*(?:[+-]\s*\d)?\)|\[t\s*(?:[+-]\s*\d)?\]"
    r"|(?<=_t)[+-]\d(?![\w.])|[_^]?\{\s*(?:\d|T\s*(?:-\s*\d)?)\s*\}|\[\s*(?:\d|T\s*(?:-\s*\d)?)\s*\])"
)
_WORD = r"[A-Za-z]\w*"
_NAMED = rf"{_WORD}(?:\{{\w+\}})?(?:{_STEP})?"
_TOKENS = re.compile(
    rf"""(?P<SPACE>[ \t\n]+)
    | (?P<DERIVATIVE>d\^?\+?(?:_|\b|(?=[A-Za-z]))\s?(?:{_NAMED})\s*/\s*d_?\s?{_NAMED})
    | (?P<SUMMED>sum_(?:\{{\s*t\s*(?:=\s*\d\s*)?\}}|t(?:\b|=))(?:\s*\^\s*\{{[^{{}}]*\}}|\^?T\b)?)
    | (?P<NUMBER>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<TRANSPOSE>\.T\b|\.t\(\)|\^\{{?(?:T|top)\}}?(?!\w)|'(?!\w))
    | (?P<POWER>(?:\*\*|\^)\s*\{{?[+-]?\d+\}}?)
    | (?P<NAME>(?:(?:np|torch|math|jnp|F)\.)?(?:{_NAMED})(?:'(?=\s*\())?)
    | (?P<OPERATOR>\*|/|@|⊗|\.(?!\d))
    | (?P<SIGN>[+-])
    | (?P<LPAR>\() | (?P<RPAR>\)) | (?P<LSQB>\[) | (?P<RSQB>\]) | (?P<COMMA>,) | (?P<SEMICOLON>;)
    """,
    re.VERBOSE,
)
_DERIVATIVE = re.compile(rf"d\^?(\+?)_?\s?({_NAMED})\s*/\s*d_?\s?({_NAMED})")
_LOSS_OF_STEP = re.compile(r"(?:L|E|J|l|ell|[Ll]oss)[_^]?(?:t|\{\(?t\)?\}|\(t\))")


def plain(text: str) -> str:
    """A text in ASCII, as far as it can be: `\u0125\u209c\u208b\u2081` is `h_hat_{t-1}`, `c~` is `c_tilde`."""
    text = re.sub(r"\(\*\)|\s\(\.\)\s", "*", text)  # circles, as far as one can type them
    text = re.sub(r"(?<=[A-Za-z\u03b4])([\u207a\u207b])(?!\d|[\u00b9\u00b2])", _step_by, text)
    text = re.sub(r"(?<=[A-Za-z])\^([a-z])(?=_)", r"_\1", re.sub(r"\u2207(?=[A-Za-z])", "d", text))
    text = _BELOW.sub(lambda run: f"_{{{unicodedata.normalize('NFKC', run[0])}}}", text)
    text = re.sub(r"\.(?=[*/^](?!\*))", "", text)  # MATLAB's elementwise signs
    for sign, meant in (*_GREEK.items(), *_SIGNS.items()):
        text = text.replace(sign, meant)
    text = unicodedata.normalize("NFD", text) if not text.isascii() else text
    return _ACCENTED.sub(lambda m: f"{m[1]}_{_ACCENTS[m[2]]}", text)


def _step_by(sign: re.Match[str]) -> str:
    """A sign above a name as the step that it says."""
    return "_{t+1}" if sign[1] == "\u207a" else "_{t-1}"


def pieces(text: str, number: int, start: int = 0) -> Sequence[Piece]:
    """The tokens of a formula in plain text.

    Raises:
        CellError: a sign that no formula has, with its place.
    """
    clean = plain(text)
    found: list[Piece] = []
    at = 0
    while at < len(clean):
        match = _TOKENS.match(clean, at)
        column = start + at + 1
        if match is None:
            raise CellError(f"{clean[at]!a} is not part of a formula", number, column)
        kind, token = str(match.lastgroup), match[0]
        at = match.end()
        if kind == "SPACE":
            continue
        if kind == "DERIVATIVE":
            over = _DERIVATIVE.fullmatch(token)
            assert over  # the same pattern, with groups
            step = "[t]" if _LOSS_OF_STEP.fullmatch(over[2]) else ""
            kind, token = "NAME", f"d{over[1]}{normal(over[2])}{step}/d{normal(over[3])}"
        elif kind == "NAME":
            kind, token = _word(token, clean[at:].lstrip()[:1])
            if kind == "NAME" and clean[at : at + 1] == "[":
                raise CellError("an index that is no step, as in c[t-1], is not read", number, column)
        elif kind == "POWER":
            token = token.strip("*^ {}").removeprefix("+")
        if kind == "NAME" and found and (found[-1].kind, found[-1].text) == ("NAME", "d"):  # d f_t
            found[-1] = Piece("NAME", f"d{token}", number, found[-1].column)
            continue
        found.append(Piece(kind, token, number, column))
    return found


def _word(token: str, following: str) -> tuple[str, str]:
    """A name, or a function where a bracket follows."""
    token = re.sub(r"^(?:np|torch|math|jnp|F)\.", "", token)
    prime = token.endswith("'")
    spoken = SPOKEN.get(token.rstrip("'").lower())
    applied = following in ("(", "^") or (following.isalpha() and spoken in WRITABLE)
    if spoken and (applied or prime):
        return "FUNCTION", spoken + "'" * prime
    return "NAME", token.rstrip("'")
