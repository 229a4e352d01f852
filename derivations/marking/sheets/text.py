"""A sheet in plain text: one equation to a line, as people type mathematics.

`da_f = dc*c_prev*f*(1-f)`, `dL/dc_{t-1} = dL/dc_t * f_t`, `dh_prev = W_hf.T @ da_f + ...`. A line without `=` is
prose. `#` starts a comment. A section `names` says what a name means: `names: dft = da_f, u = h_prev`, or lines
that are indented below it.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from derivations.cell import CellError
from derivations.expression import Expr, Name
from derivations.functions import WRITABLE
from derivations.marking.sheet import Line, Sheet, Versions, checked, normal, split_increment
from derivations.marking.sheets.bounds import bounded
from derivations.marking.sheets.definitions import definitions, is_prose
from derivations.marking.sheets.formula import Piece, formula
from derivations.marking.sheets.remarks import Said, parted, share_said, stripped, without_a_sign, without_remarks
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
    | (?P<DERIVATIVE>d(?:_|\b|(?=[A-Za-z]))\s?(?:{_NAMED})\s*/\s*d_?\s?{_NAMED})
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
_COMMENT = re.compile(r"(.*?)(?:(?:#|//)(.*))?\Z", re.DOTALL)
# what counts lines: `1)`, `(a)`, `2.`, `-`
_ITEM = re.compile(r"^[ \t]*(?:\(?(?:\d{1,3}|[a-z])\)|\d{1,3}\.|[-*•])[ \t]+(?=\S)", re.MULTILINE)
BLANK = re.compile(r"[\s_.…?]*")
_NAMES = re.compile(r"\s*(?:#\s*)?names\s*:?\s*(?P<rest>.*)$", re.IGNORECASE)
_ASSIGNED = re.compile(r"(?<![=!<>:+*\-/])(?P<operator>[+*\-]?)=(?!=)(?![^{}=]*\})|:=|\u2190")
_CLAIM = re.compile(r"\s*(?:(?:so|and|where|with|let|here|hence|then)\s+)*[^\s,;=]+\s*:?=")
_SAYS_MORE = re.compile(rf"{_ASSIGNED.pattern.replace('?P<operator>', '?:')}|[A-Za-z]{{2,}}[ -][a-z]{{3,}}")
_DERIVATIVE = re.compile(rf"d_?\s?({_NAMED})\s*/\s*d_?\s?({_NAMED})")
_LOSS_OF_STEP = re.compile(r"(?:L|E|J|l|ell|[Ll]oss)[_^]?(?:t|\{\(?t\)?\}|\(t\))")


def read_text(text: str) -> Sheet:
    """The sheet that a plain text is.

    Raises:
        CellError: it is beyond the limits, or its `names` section does not say names.
    """
    versions = Versions()
    lines: list[Line] = []
    given: dict[str, Expr] = {}
    naming = False
    text = checked(text)
    if not re.search("[⊙∘*]", text):
        text = text.replace("⊗", "⊙")  # where no other sign multiplies elementwise, this one does
    as_typed = text.split("\n")
    for number, written in _logical(_ITEM.sub(lambda item: " " * len(item[0]), "\n".join(as_typed))):
        if written.lstrip().startswith((">", "```", "<!--", "|")):
            continue  # quotations, fences and tables of Markdown
        heading = _NAMES.match(written)
        if heading and (not heading["rest"] or "=" in heading["rest"]) and not written.strip().startswith("names ="):
            naming = not heading["rest"]
            given.update(_given(heading["rest"], number))
            continue
        if naming and as_typed[number - 1][:1] in (" ", "\t") and written.strip():
            given.update(_given(written, number))
            continue
        naming = naming and not written.strip()
        code, comment = _COMMENT.match(written).groups()  # type: ignore[union-attr]  # it matches every text
        for one in definitions(comment or ""):
            lines += _readable(one, number, versions)
        code = code.rstrip().rstrip(";:.,\\")
        share = share_said(code)
        code, beside = without_remarks(code)
        said = [*beside, *(Said(start, part) for start, part in _statements(without_a_sign(code) or code))]
        for one in (one for whole in said for one in parted(whole)):
            claim = stripped(one, _ASSIGNED)
            if _ASSIGNED.search(claim.text):
                found = list(_claims(" " * claim.start + claim.text, number, versions))
                if any(line.rhs is None for line in found) and is_prose(one.text):
                    found = [line for more in definitions(one.text) for line in _readable(more, number, versions)]
                said_of = (replace(line, defines=claim.defines or line.defines, share=share) for line in found)
                lines += (bounded(line, claim.text, text, versions) for line in said_of)
    return Sheet("text", tuple(lines), given)


def _readable(said: Said, number: int, versions: Versions) -> Iterator[Line]:
    """What a definition among words says, as far as it is a formula."""
    for line in _claims(said.text, number, versions):
        if line.rhs is not None:
            yield replace(line, defines=True)


def given_in_comments(text: str, sign: str) -> dict[str, Expr]:
    """What comments say that names mean, as in `# names: dft = da_f`; `sign` starts a comment."""
    said = re.finditer(rf"^[ \t]*{sign}[{sign} \t]*(names\b.*)$", text, re.IGNORECASE | re.MULTILINE)
    return dict(read_text("\n".join(comment[1] for comment in said)).names)


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines, those joined that a bracket or an operator leaves open."""
    waiting, start = 0, 0
    parts: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        code = line.split("#")[0]
        parts.append(line if not parts else "\n" + code)
        start = start or number
        waiting += sum(map(code.count, "([")) - sum(map(code.count, ")]"))
        ends = code.rstrip()[-1:]
        if (waiting > 0 or ends in ("\\", "+", "*", "@")) and len(parts) < 30 and code.strip():
            parts[-1] = parts[-1].rstrip().rstrip("\\")
            continue
        yield start, "".join(parts)
        waiting, start, parts = 0, 0, []
    if parts:
        yield start, "".join(parts)


def _statements(code: str) -> Iterator[tuple[int, str]]:
    """What stands between semicolons outside of brackets, or between commas before a claim, with where it starts."""
    depth = start = 0
    for k, character in enumerate(code):
        depth += (character in "([") - (character in ")]")
        follows = character == "," and _SAYS_MORE.search(code[start:k]) and _CLAIM.match(code, k + 1)
        if depth == 0 and (character == ";" or follows):
            yield start, code[start:k]
            start = k + 1
    yield start, code[start:]


def _given(text: str, number: int) -> dict[str, Expr]:
    """What a `names` section says."""
    found: dict[str, Expr] = {}
    for pair in filter(str.strip, re.split(r"[,;\n]", text.split("#")[0])):
        theirs, sign, ours = re.sub(r"->|\bis\b|\bmeans\b", "=", pair).partition("=")
        if not sign or not theirs.strip():
            raise CellError(f"in `names`, write yours = ours, not {pair.strip()[:60]!r}", number)
        found[normal(_plain(theirs.strip()))] = formula(pieces(ours, number), lambda name: Name(name))
    return found


def _plain(text: str) -> str:
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


def _claims(code: str, number: int, versions: Versions) -> Iterator[Line]:
    """The claims of one line: one, or more where it goes on, `a = b = c`."""
    shown = " ".join(code.split())
    column = len(code) - len(code.lstrip()) + 1
    cuts = list(_ASSIGNED.finditer(code))
    left = code[: cuts[0].start()]
    label = re.match(r"\s*[A-Za-z0-9][\w ()'.-]*:\s+", left)  # "forget gate: f = ..."
    left = left[label.end() :] if label else left
    ends = [*(cut.start() for cut in cuts[1:]), len(code)]
    for cut, end in zip(cuts, ends, strict=True):
        try:
            yield _claim(left, cut, code, end, number, versions, shown)
        except CellError as error:
            place = (error.line or number, error.column or column)
            yield Line(place[0], place[1], shown, target=normal(_plain(left.strip()))[:80], why=error.message)


def _claim(left: str, cut: re.Match[str], code: str, end: int, number: int, versions: Versions, shown: str) -> Line:
    found = pieces(left, number)
    if len(found) != 1 or found[0].kind != "NAME":
        raise CellError("what stands left of `=` is not one name", number, len(left) - len(left.lstrip()) + 1)
    if BLANK.fullmatch(code[cut.end() : end]):
        raise CellError("this is left blank", number, cut.end() + 1)
    target = normal(found[0].text)
    column = len(left) - len(left.lstrip()) + 1
    before = versions.current.get(target, target)
    rhs = formula(pieces(code[cut.end() : end], number, cut.end()), lambda name: versions.read(normal(name)))
    operator = cut["operator"] or ""
    return assigned(Line(number, column, shown, target), operator, rhs, before, versions)


def assigned(line: Line, operator: str, rhs: Expr, before: str, versions: Versions) -> Line:
    """The line with what it assigns, `+=`, `-=` and `*=` written out."""
    increment: Expr | None
    if operator == "*":
        rhs, increment = Name(before) * rhs, None
    elif operator in ("+", "-"):
        increment = rhs if operator == "+" else -rhs
        rhs = Name(before) + increment
    else:
        increment = split_increment(rhs, before)
    version = versions.write(line.target)
    return replace(line, rhs=rhs, version=version, before=before if increment else "", increment=increment)


def pieces(text: str, number: int, start: int = 0) -> Sequence[Piece]:
    """The tokens of a formula in plain text.

    Raises:
        CellError: a sign that no formula has, with its place.
    """
    clean = _plain(text)
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
            step = "[t]" if _LOSS_OF_STEP.fullmatch(over[1]) else ""
            kind, token = "NAME", f"d{normal(over[1])}{step}/d{normal(over[2])}"
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
