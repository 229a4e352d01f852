r"""The tokens of a formula in LaTeX: commands, groups, functions, matrices, and derivatives, which are one name."""

import re
from collections.abc import Iterator
from dataclasses import replace

from derivations.marking.sheet import normal
from derivations.marking.sheets.formula import Piece
from derivations.marking.sheets.latex_cursor import Cursor
from derivations.marking.sheets.latex_indices import ENTRY, passed
from derivations.marking.sheets.latex_names import NAMING, name, source, source_said, superscript
from derivations.marking.sheets.spoken import SPOKEN

_SIGN = {
    "odot": "*", "circ": "*", "ast": "*", "times": "*", "star": "*", "otimes": "*", "bullet": "*", "cdot": ".",
    "div": "/", "outerproduct": "⊗",
}  # fmt: skip
_PLAIN = {
    "+": "SIGN", "-": "SIGN", "*": "OPERATOR", "/": "OPERATOR", "(": "LPAR", ")": "RPAR", "[": "LSQB", "]": "RSQB",
    ",": "COMMA", ";": "SEMICOLON",
}  # fmt: skip
_FUNCTIONS = {
    "sigma": "sigmoid", "tanh": "tanh", "exp": "exp", "log": "log", "ln": "log", "sqrt": "sqrt", "diag": "diag",
    "sigmoid": "sigmoid", "relu": "relu", "ReLU": "relu", "outer": "outer", "dtanh": "dtanh", "dsigmoid": "dsigmoid",
    "Diag": "diag", "softplus": "softplus", "sech": "sech", "cosh": "cosh", "sinh": "sinh",
}  # fmt: skip
_MATRIX = re.compile(r"\\begin\{([bpvB]?matrix)\}(.*?)\\end\{\1\}", re.DOTALL)
_COMMAND = re.compile(r"\\([A-Za-z]+)|\\(.)", re.DOTALL)
_PLUS = re.compile(r"\s*\^\s*(?:\{\s*\+\s*\}|\+)")
_DIFFERENTIAL = re.compile(
    r"\s*(?:\\partial(?![A-Za-z])|\\mathrm\s*\{d\}|\\mathop\{d\}|\\operatorname\{d\}|d(?=\s*[A-Za-z\\]))"
)
_LOSS = re.compile(
    r"(?:\\(?:mathcal|mathrm|mathbb)\s*\{?\s*[A-Z]\s*\}?|\\ell(?![A-Za-z])|[LJE](?![A-Za-z]))"
    r"(?P<step>\s*[_^]\s*(?:\{[^{}]*\}|\w))?"
)
_SLOPE = re.compile(rf"d\s*(?:{_LOSS.pattern.replace('?P<step>', '?:')})\s*/\s*d(?=[A-Za-z\\])")  # dL/da_t
_BY_DELTA = re.compile(rf"\s*\\delta\s*(?:{_LOSS.pattern.replace('?P<step>', '?:')})\s*$")
_DIAGONAL = re.compile(
    r"(?:\\(?:mathbf|boldsymbol|bm|mathrm|mathcal)\s*\{?\s*)?(\\?[A-Za-z]+)\s*\}?"
    r"(?=\s*(?:_\s*(?:\{(?!\s*\(?t?(?:\s*[+-]\s*\d)?\)?\s*\})|[^{t])|\(|\[))"
)
_LOSSES = ("L", "E", "J", "ell", "l", "loss", "Loss")
_STEPPED = re.compile(r"[_^]\s*(?:\{\s*\(?\s*t[^{}]*\}|\(?t\)?)\s*$")  # the loss of one step, L_t


def tokens(cursor: Cursor) -> Iterator[Piece]:
    """The tokens of the grammar, from the cursor to the end.

    Raises:
        CellError: a sign or a command that no formula has, with its place.
    """
    while cursor.here:
        yield from _next(cursor)


def _bracketed(cursor: Cursor, text: str) -> Iterator[Piece]:
    yield cursor.piece("LPAR", "(")
    yield from tokens(cursor.within(text))
    yield cursor.piece("RPAR", ")")


def _next(cursor: Cursor) -> Iterator[Piece]:
    cursor.blank()
    here = cursor.here
    if not here:
        return
    letter = _DIAGONAL.match(cursor.text, cursor.at) if cursor.habits.diagonal else None
    if letter and letter[1].removeprefix("\\") in cursor.habits.diagonal:
        cursor.at = letter.end()
        yield cursor.piece("FUNCTION", "diag")
        if cursor.taken("_") or cursor.here == "[":
            yield from _bracketed(cursor, cursor.group() if cursor.here != "[" else _square(cursor))
        return
    if here == "\\":
        yield from _command(cursor)
    elif here.isalpha():
        yield from _inline(cursor) if _SLOPE.match(cursor.text, cursor.at) else name(cursor)
    elif here.isdigit() or here == ".":
        match = cursor.taken(r"\d+\.?\d*|\.\d+|\.")
        assert match  # a digit or a dot
        yield cursor.piece("NUMBER" if match[0] != "." else "OPERATOR", match[0])
    elif here == "{":
        yield from _bracketed(cursor, cursor.group())
    elif here in "^'":
        yield from _raised(cursor)
    elif here in _PLAIN:
        cursor.at += 1
        yield cursor.piece(_PLAIN[here], here)
    else:
        raise cursor.error(f"{here!a} is not part of a formula")


def _square(cursor: Cursor) -> str:
    """What stands in square brackets."""
    depth, start = 0, cursor.at
    while cursor.here:
        depth += (cursor.here == "[") - (cursor.here == "]")
        cursor.at += 1
        if not depth:
            break
    return cursor.text[start + 1 : cursor.at - 1]


def _raised(cursor: Cursor) -> Iterator[Piece]:
    """A power or a transposition, after anything but a name."""
    if cursor.here == "'":
        raise cursor.error("a prime stands where no function is")
    cursor.at += 1
    yield superscript(cursor, cursor.group())


def _command(cursor: Cursor) -> Iterator[Piece]:
    match = _COMMAND.match(cursor.text, cursor.at)
    if match is None:
        raise cursor.error("a lone backslash")
    word = match[1] or match[2]
    if word in ("{", "}", "lbrace", "rbrace", "lbrack", "rbrack", "langle", "rangle"):
        cursor.at = match.end()
        yield cursor.piece("LPAR" if word in ("{", "lbrace", "lbrack", "langle") else "RPAR", word)
    elif word in ("frac", "dfrac", "tfrac", "cfrac"):
        cursor.at = match.end()
        yield from _fraction(cursor, cursor.group(), cursor.group())
    elif word in _SIGN:
        cursor.at = match.end()
        yield cursor.piece("OPERATOR", _SIGN[word])
    elif word == "sum":
        if (over := passed(cursor.text, cursor.at)) and over[1] in cursor.indices.summed:
            cursor.at = over.end()
            if over[1] not in cursor.indices.absorbed:
                yield cursor.piece("SUMMED", f"sum_{over[1]}")
            return
        cursor.at = match.end()
        yield _summed(cursor)
    elif word == "entry":
        cursor.at = match.end()
        group, index = cursor.group(), cursor.group()
        yield cursor.piece("LPAR", "(")
        yield from tokens(replace(cursor.within(group), entry=f"{ENTRY}{index}"))
        yield cursor.piece("RPAR", ")")
    elif word == "sqrt":
        cursor.at = match.end()
        yield cursor.piece("FUNCTION", "sqrt")
        yield from _bracketed(cursor, cursor.group())
    elif word == "begin":
        yield from _matrix(cursor)
    elif _DIFFERENTIAL.match(cursor.text, cursor.at):
        yield from _inline(cursor)
    elif word == "nabla":
        cursor.at = match.end()
        yield from _nabla(cursor)
    elif function := _function(cursor):
        yield function
        yield from _applied(cursor)
    elif word in NAMING:
        yield from name(cursor)
    else:
        raise cursor.error(f"the command \\{word[:40]} is not read in a formula")


def _function(cursor: Cursor) -> Piece | None:
    r"""A function by its command, or by its name in \operatorname."""
    match = re.compile(
        r"\\(?:operatorname\*?|mathrm|text|mathop|mathit|textrm)\s*\{\s*(?:\\mathrm\{)?([A-Za-z]+)\}?\s*\}|\\([A-Za-z]+)"
    ).match(cursor.text, cursor.at)
    word = (match[1] or match[2]) if match else ""
    known = _FUNCTIONS.get(word) or (SPOKEN.get(word.lower()) if match and match[1] and len(word) > 2 else None)
    if not match or not known:
        return None
    rest = cursor.text[match.end() :].lstrip()
    if word == "sigma" and re.match(r"_", rest):  # a gate's own sigma_g
        rest = re.sub(r"^_\s*(?:\{[^{}]*\}|\w)", "", rest)
        cursor.at = len(cursor.text) - len(rest)
    else:
        cursor.at = match.end()
    if cursor.taken(r"\s*(?:'|\^\s*\{?\s*\\prime\s*\}?)"):
        known += "'"
    return cursor.piece("FUNCTION", known)


def _applied(cursor: Cursor) -> Iterator[Piece]:
    """What follows a function: a power, and its argument."""
    cursor.blank()
    if cursor.here == "^":
        cursor.at += 1
        yield superscript(cursor, cursor.group())
        cursor.blank()
    if cursor.here == "[":
        yield from _bracketed(cursor, _square(cursor))
    elif cursor.here == "{":
        yield from _bracketed(cursor, cursor.group())


def _summed(cursor: Cursor) -> Piece:
    match = cursor.taken(r"\s*_\s*(\{[^{}]*\}|\w)\s*(?:\^\s*(?:\{[^{}]*\}|\w))?")
    if match is None or not re.match(r"\{?\s*[tsk\\]", match[1]) or "k" in match[1]:
        raise cursor.error("only a sum over t is read")
    return cursor.piece("SUMMED", "sum_t")


def _matrix(cursor: Cursor) -> Iterator[Piece]:
    match = cursor.taken(_MATRIX)
    if match is None:
        raise cursor.error("this environment is not read in a formula")
    yield cursor.piece("LSQB", "[")
    for k, part in enumerate(re.split(r"\\\\", match[2])):
        if part.strip():
            if k:
                yield cursor.piece("SEMICOLON", ";")
            yield from tokens(cursor.within(part))
    yield cursor.piece("RSQB", "]")


def _fraction(cursor: Cursor, above: str, below: str) -> Iterator[Piece]:
    if _BY_DELTA.match(above) and re.match(r"\s*\\delta(?![A-Za-z])", below):  # \frac{\delta L}{\delta c_t}
        above, below = above.replace(r"\delta", r"\partial", 1), below.replace(r"\delta", r"\partial", 1)
    over, under = _DIFFERENTIAL.match(above), _DIFFERENTIAL.match(below)
    if under and over:
        rest = above[over.end() :].strip()
        plus = _PLUS.match(rest)
        rest = rest[plus.end() :].strip() if plus else rest
        of = rest or _following(cursor)  # \frac{\partial}{\partial c_t} L
        yield _derivative(cursor, of, below[under.end() :], immediate=bool(plus), beside=source(cursor))
        return
    yield cursor.piece("LPAR", "(")  # what stands behind the fraction multiplies it, and divides nothing
    yield from _bracketed(cursor, above)
    yield cursor.piece("OPERATOR", "/")
    yield from _bracketed(cursor, below)
    yield cursor.piece("RPAR", ")")


def _following(cursor: Cursor) -> str:
    start = cursor.at
    if len(list(name(cursor))) != 1:
        raise cursor.error("what is differentiated is no name")
    return cursor.text[start : cursor.at]


def _passed(cursor: Cursor) -> str:
    """The text of the name that comes next."""
    start = cursor.at
    list(name(cursor))
    return cursor.text[start : cursor.at]


def _derivative(cursor: Cursor, of: str, by: str, *, immediate: bool = False, beside: str = "") -> Piece:
    """The name for a derivative of one name by another; an immediate partial has a plus."""
    names = []
    later = re.match(r"\s*(?:\\mathcal\s*\{?\s*L\s*\}?|L)\s*_\s*\{?\s*(>|\\ge|\\geq)\s*t\s*\}?\s*$", of)
    if later:  # of the loss from this step or from the next one on
        of = "L"
    shown = rf"\frac{{\partial {of.strip()}}}{{\partial {by.strip()}}}"
    for text in (of, by):
        plain = re.sub(r"\^\s*\{?\s*\\top\s*\}?\s*$", "", text.strip())
        found = list(tokens(replace(cursor.within(plain), entry="")))
        found = found[1:-1] if len(found) == 3 and found[0].kind == "LPAR" else found
        if len(found) != 1 or found[0].kind not in ("NAME", "FUNCTION"):
            raise cursor.error("a derivative is of one name by one name")
        names.append(normal(found[0].text))
    if beside:
        names[1] = _with(names[1], beside)
        shown += f"^{{{beside.strip('_')}}}"
    if names and names[0] in _LOSSES and _STEPPED.search(of):
        names[0] += "[t]"
    names[1], _, entry = names[1].partition(ENTRY)
    said = f"d{names[1]}_next" if later and later[1] == ">" else f"d{'+' * immediate}{names[0]}/d{names[1]}"
    said = source_said(said) if beside else said
    cursor.shown.setdefault(normal(said), shown)
    return cursor.piece("NAME", said + (f"{ENTRY}{entry}" if entry else cursor.entry))


def _with(name_: str, label: str) -> str:
    """A name with a label in front of its step."""
    stem, bracket, step = name_.partition("[")
    return f"{stem}{label}{bracket}{step}"


def _inline(cursor: Cursor) -> Iterator[Piece]:
    r"""`\partial L / \partial c_t`, or `dc_t`."""
    head = cursor.taken(_DIFFERENTIAL)
    assert head  # asked before
    if r"\partial" in head[0] and cursor.here == "_":  # \partial_c L
        yield from _nabla(cursor)
        return
    of = _passed(cursor)
    if cursor.taken(rf"\s*/\s*{_DIFFERENTIAL.pattern}"):
        by = _passed(cursor)
        yield _derivative(cursor, of, by, beside=source(cursor))
        return
    if r"\partial" in head[0]:
        raise cursor.error("a partial sign without a name to differentiate by")
    cursor.at = head.end()
    yield from name(cursor, "d")


def _nabla(cursor: Cursor) -> Iterator[Piece]:
    cursor.blank()
    start = max(cursor.text.rfind("\\", 0, cursor.at), 0)
    if not cursor.taken("_"):
        if not re.match(r"[A-Za-z\\]", cursor.here):
            raise cursor.error("a nabla without a name to differentiate by")
        yield from name(cursor, "d")
        return
    inner = list(tokens(cursor.within(cursor.group())))
    if len(inner) != 1 or inner[0].kind != "NAME":
        raise cursor.error("a nabla by something that is no name")
    beside = source(cursor)
    cursor.blank()
    loss = cursor.taken(_LOSS)
    by = normal(inner[0].text)
    said = f"dL{'[t]' * bool(loss and loss['step'])}/d{by}"
    if beside := beside or source(cursor):
        said = source_said(f"dL/d{_with(by, beside)}")
    cursor.shown.setdefault(normal(said), cursor.text[start : cursor.at].strip())
    yield cursor.piece("NAME", said + cursor.entry)
