r"""The names in a formula in LaTeX: a name takes its accents, its indices and its step along."""

import re
from collections.abc import Iterator

from derivations.marking.sheet import normal
from derivations.marking.sheets.formula import Piece
from derivations.marking.sheets.latex_cursor import Cursor
from derivations.marking.sheets.latex_indices import ENTRY
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
_STEP = re.compile(r"\(?t(?:\s*([+-])\s*(\d))?\)?|\(?(0|T(?:[+-]\d)?)\)?")
_STYLED = re.compile(r"\\(?:mathrm|text|mathit|mathsf|mathbf|boldsymbol|bm|textrm|operatorname|rm)(?![A-Za-z])\s*")
_ACCENT = re.compile(rf"\\({'|'.join(_ACCENTS)})(?![A-Za-z])\s*\{{?\s*([A-Za-z])\s*\}}?")
_SIGNED = {"+": "next", "-": "prev", "*": "star", "0": "zero", r"\ast": "star", r"\star": "star"}
_BESIDE = re.compile(r"\s*[_^]\s*\(?\s*(?:\\?[A-Za-z]+|\d+)(?:\s*[+-]\s*\d)?\s*\)?|\s*\\[A-Za-z]+")
_NESTED = re.compile(rf"(\\?[A-Za-z]+)((?:{_BESIDE.pattern})*)")
_OUT = ("direct", "dir", "out", "output", "ext", "external", "loss", "above", "inst", "immediate", "up", "layer")
_NEXT = ("next", "nxt", "rec", "recurrent", "future", "time", "carry", "carried", "later", "bptt")
_FROM = re.compile(
    r"(?:(?:d|delta_|nabla_)(?P<of>[a-z])|d[A-Za-z]+/d(?P<by>[a-z])|(?P<barred>[a-z])_(?:bar|dot))_(?:from_)?(?:the_)?(?P<word>"
    rf"{'|'.join((*_OUT, *_NEXT))})"
)


def name(cursor: Cursor, before: str = "") -> Iterator[Piece]:
    """A letter or a command with its accents and indices, as one name; what is raised to a power says so."""
    start = cursor.at
    stem, step, after = _stem(cursor)
    if before and stem.startswith("dL/d"):
        before = ""
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
    stem = source_said(stem)
    found = normal(f"{stem}{step}")
    function = SPOKEN.get(stem) if not step and len(stem) > 3 else None
    if function and cursor.text[cursor.at :].lstrip()[:1] in ("(", "{", "["):
        yield cursor.piece("FUNCTION", function)
        return
    written = cursor.text[start : cursor.at]
    cursor.shown.setdefault(found, _without_power(written) if after else written.strip())
    yield cursor.piece("NAME", found + (f"{ENTRY}{cursor.met}" if cursor.met else cursor.entry))
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
        before = word == cursor.habits.before
        if word in _ACCENTS and not before:
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
        core = f"a_{core}" if before else core
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
    if (labels or step) and cursor.taken(r"'(?!')"):
        after.append(cursor.piece("TRANSPOSE", "T"))
    labels, cursor.met = cursor.indices.entry(labels)
    labels, transposed = cursor.indices.without(labels)
    if transposed:
        after.insert(0, cursor.piece("TRANSPOSE", "T"))
    if core in cursor.habits.letters and labels:
        return f"dL/d{'_'.join(labels)}", step, after
    return "_".join([core, *marks, *labels]), step, after


def _index(cursor: Cursor, inner: str, above: bool) -> Piece | tuple[list[str], str]:
    """What a subscript or a superscript says: labels, a step, a power or a transposition."""
    bare = _STYLED.sub("", _accented(inner, cursor.habits.before)).replace("{", "").replace("}", "").strip()
    if above and (bare in (r"\top", "T", r"\intercal") or re.fullmatch(r"(?:\\odot|\\circ)?\s*[+-]?\d{1,2}", bare)):
        return superscript(cursor, inner)
    if bare in _SIGNED and bare != "0":
        return [_SIGNED[bare]], ""
    labels: list[str] = []
    step = ""
    for part in re.split(r"[,;]|(?<=\))", re.sub(r"\(([A-Za-z]{2,}|[a-su-z])\)", r"\1", bare)):
        part = part.strip().strip("()") if not re.search(r"[+-]", part) else part.strip()
        if not part:
            continue
        if match := _STEP.fullmatch(part.replace(" ", "")):
            said = match[3] or (f"t{match[1]}{match[2]}" if match[1] else "")
            step = f"[{said}]" if said else step
            continue
        glued = re.fullmatch(r"([A-Za-z]+)\s*t\s*([+-])\s*(\d)", part)
        if nested := _NESTED.fullmatch(part):
            labels += _words(nested[1])
            for beside in _BESIDE.finditer(nested[2]):
                if match := _STEP.fullmatch(re.sub(r"[\s_^]", "", beside[0])):
                    said = match[3] or (f"t{match[1]}{match[2]}" if match[1] else "")
                    step = f"[{said}]" if said else step
                else:
                    labels += _words(re.sub(r"[_^()]", " ", beside[0]))
        elif glued:
            labels.append(glued[1])
            step = f"[t{glued[2]}{glued[3]}]"
        elif re.fullmatch(r"[A-Za-z\d\s]+", part):
            labels += part.split()
        else:
            raise cursor.error(f"the index {inner[:40]!r} is not read")
    return labels, step


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[_\s]+|(?=\\)", text.replace("\\", " ")) if word]


def _accented(inner: str, before: str) -> str:
    """An index with the accents in it as words: `\\tilde c_t` is `c_tilde_t`."""
    return _ACCENT.sub(lambda m: f"a_{m[2]}" if m[1] == before else f"{m[2]}_{_ACCENTS[m[1]]}", inner)


def source(cursor: Cursor) -> str:
    """Where an error comes from, as a word behind it says: `^{\\text{direct}}`; empty where none stands."""
    start = cursor.at
    if cursor.taken(r"\s*[_^](?=\s*[{\\+0])"):
        said = _STYLED.sub("", cursor.group()).strip("{}() ")
        word = _SIGNED.get(said, re.sub(r"[^A-Za-z]+", "_", said))
        if re.fullmatch(r"[A-Za-z_]{2,}", word) and word not in ("top", "intercal", "odot", "circ"):
            return f"_{word}"
    cursor.at = start
    return ""


def source_said(name: str) -> str:
    """An error with the words in its index in one form: `delta_h_direct` is `dh_out`."""
    name, step, by = name.partition("[")
    if (match := _FROM.fullmatch(name)) and step + by != "[t-1]":  # there it is a path, and no source
        of = match["of"] or match["barred"] or match["by"]
        return f"d{of}_{'out' if match['word'] in _OUT else 'next'}{step}{by}"
    return name + step + by


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
