r"""The names in a formula in LaTeX: a name takes its accents, its indices and its step along."""

import re
from collections.abc import Iterator

from derivations.marking.sheet import normal
from derivations.marking.sheets.formula import Piece
from derivations.marking.sheets.latex_cursor import Cursor
from derivations.marking.sheets.spoken import SPOKEN

_GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
    "nu", "xi", "pi", "rho", "tau", "phi", "varphi", "chi", "psi", "omega", "Delta", "Gamma", "Theta", "Phi", "Psi",
    "Omega",
)  # fmt: skip
_STYLES = (
    "mathbf", "boldsymbol", "bm", "mathrm", "mathit", "mathsf", "mathcal", "mathbb", "mathtt", "vec", "textrm", "text",
    "operatorname", "mathfrak", "pmb", "textbf", "textit", "symbf", "mat",
)  # fmt: skip
_ACCENTS = {
    "tilde": "tilde", "widetilde": "tilde", "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar",
    "check": "check", "dot": "dot", "breve": "breve",
}  # fmt: skip
NAMING = frozenset((*_GREEK, *_STYLES, *_ACCENTS, "ell"))  # the commands that a name starts with
_DELTAS = ("delta", "Delta", "nabla", "delta_hat", "delta_tilde", "delta_bar")
_LETTER_AHEAD = re.compile(
    r"\s*(?=[A-Za-z]|\\(?:tilde|hat|bar|mathbf|boldsymbol|widetilde|bm|beta|gamma|theta|phi|mu|nu|alpha)(?![A-Za-z]))"
)
_STEP = re.compile(r"\(?t(?:\s*([+-])\s*(\d))?\)?|\(?(0|T(?:-\d)?)\)?")


def name(cursor: Cursor, before: str = "") -> Iterator[Piece]:
    """A letter or a command with its accents and indices, as one name; what is raised to a power says so."""
    start = cursor.at
    stem, step, after = _stem(cursor)
    if stem == "d" and not before and not step and re.match(r"[A-Za-z\\]", cursor.here):
        stem, step, after = _stem(cursor)
        stem = f"d{stem}"
    elif before:
        stem = before + stem
    elif (
        stem in _DELTAS
        and not step
        and not after
        and not re.search(r"[_^]", cursor.text[start : cursor.at])
        and cursor.taken(_LETTER_AHEAD)
    ):  # \delta c_t
        inner, step, after = _stem(cursor)
        stem = f"d{inner}" if cursor.habits.deltas else f"delta_{inner}"
    if stem == "1":
        yield cursor.piece("NUMBER", "1")
        return
    found = normal(f"{stem}{step}")
    function = SPOKEN.get(stem) if not step and len(stem) > 3 else None
    if function and cursor.text[cursor.at :].lstrip()[:1] in ("(", "{", "["):
        yield cursor.piece("FUNCTION", function)
        return
    written = cursor.text[start : cursor.at]
    cursor.shown.setdefault(found, _without_power(written) if after else written.strip())
    yield cursor.piece("NAME", found)
    yield from after


def _stem(cursor: Cursor) -> tuple[str, str, list[Piece]]:
    """The letters of a name, its step, and the powers that follow."""
    cursor.blank()
    marks: list[str] = []
    match = cursor.taken(r"\\([A-Za-z]+)|([A-Za-z])")
    if match is None:
        raise cursor.error("a name is missing here")
    word = match[1] or match[2]
    labels: list[str] = []
    step = ""
    if word in _STYLES or word in _ACCENTS:
        if word in _ACCENTS:
            marks.append("bar" if word == cursor.habits.accent else _ACCENTS[word])
        inner = cursor.group()
        if re.fullmatch(r"[A-Za-z]{1,30}", inner):
            core = inner
        elif inner == "1":
            return "1", "", []
        else:
            nested = cursor.within(inner)
            core, step, _ = _stem(nested)
            if nested.at < len(inner.rstrip()):
                raise cursor.error(f"{inner[:40]!r} is no name")
    else:
        core = word
    after: list[Piece] = []
    if cursor.taken(r"'+"):
        labels.append("prime")
    while match := cursor.taken(r"\s*([_^])"):
        inner = cursor.group()
        if match[1] == "^" and (turned := re.fullmatch(r"(.*[)\dt}])\s*,?\s*(?:\\top|T|\\intercal)", inner)):
            inner = turned[1]  # h^{(t-1) \top}
            after.append(cursor.piece("TRANSPOSE", "T"))
        found = _index(cursor, inner, match[1] == "^")
        if isinstance(found, Piece):
            after.append(found)
            continue
        more, when = found
        labels += more
        step = when or step
    labels, transposed = cursor.indices.without(labels)
    if transposed:
        after.insert(0, cursor.piece("TRANSPOSE", "T"))
    return "_".join([core, *marks, *labels]), step, after


def _index(cursor: Cursor, inner: str, above: bool) -> Piece | tuple[list[str], str]:
    """What a subscript or a superscript says: labels, a step, a power or a transposition."""
    bare = re.sub(r"\\(?:mathrm|text|mathit|mathsf|mathbf|rm)\s*", "", inner).replace("{", "").replace("}", "").strip()
    if above and (bare in (r"\top", "T", r"\intercal") or re.fullmatch(r"(?:\\odot|\\circ)?\s*[+-]?\d{1,2}", bare)):
        return superscript(cursor, inner)
    labels: list[str] = []
    step = ""
    for part in re.split(r"[,;]|(?<=\))", bare):
        part = part.strip().strip("()") if not re.search(r"[+-]", part) else part.strip()
        if not part:
            continue
        if match := _STEP.fullmatch(part.replace(" ", "")):
            said = match[3] or (f"t{match[1]}{match[2]}" if match[1] else "")
            step = f"[{said}]" if said else step
            continue
        nested = re.fullmatch(
            r"(\\?[A-Za-z]+)\s*(?:[_^]\s*\(?\s*(t(?:\s*[+-]\s*\d)?)\s*\)?)?((?:_?\\?[A-Za-z]+)*)", part
        )
        glued = re.fullmatch(r"([A-Za-z]+)\s*t\s*([+-])\s*(\d)", part)
        if nested:
            labels += [w for w in re.split(r"[_\s]+|(?=\\)", (nested[1] + nested[3]).replace("\\", " ")) if w]
            if nested[2]:
                when = nested[2].replace(" ", "")
                step = f"[{when}]" if when != "t" else step
        elif glued:
            labels.append(glued[1])
            step = f"[t{glued[2]}{glued[3]}]"
        elif re.fullmatch(r"[A-Za-z\d]+", part):
            labels.append(part)
        else:
            raise cursor.error(f"the index {inner[:40]!r} is not read")
    return labels, step


def superscript(cursor: Cursor, inner: str) -> Piece:
    """A power or a transposition.

    Raises:
        CellError: it is neither.
    """
    bare = re.sub(r"\\(?:mathsf|mathrm|text|mathit|rm|sf)\s*|[{}\s]|\\(?:odot|circ)", "", inner)
    if bare in (r"\top", "T", r"\intercal", r"\transpose", r"\tr", r"\prime"):
        return cursor.piece("TRANSPOSE", "T")
    if re.fullmatch(r"[+-]?\d{1,2}", bare):
        return cursor.piece("POWER", bare.removeprefix("+"))
    raise cursor.error(f"the exponent {inner[:40]!r} is not a whole number")


def _without_power(text: str) -> str:
    return re.sub(r"\^\s*(?:\{\s*(?:\d+|\\top|T)\s*\}|\d|\\top|T)", "", text).strip()
