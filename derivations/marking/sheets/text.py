"""A sheet in plain text: one equation to a line, as people type mathematics.

`da_f = dc*c_prev*f*(1-f)`, `dL/dc_{t-1} = dL/dc_t * f_t`, `dh_prev = W_hf.T @ da_f + ...`. A line without `=` is
prose. `#` starts a comment. A section `names` says what a name means: `names: dft = da_f, u = h_prev`, or lines
that are indented below it.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from derivations.cell import CellError
from derivations.expression import Expr, Name
from derivations.marking.sheet import Line, Sheet, checked, normal
from derivations.marking.sheets.bounds import bounded
from derivations.marking.sheets.definitions import definitions, is_error, is_prose
from derivations.marking.sheets.formula import formula
from derivations.marking.sheets.habits import habits_of
from derivations.marking.sheets.remarks import Said, parted, share_said, stripped, without_a_tail, without_remarks
from derivations.marking.sheets.sentences import meanings
from derivations.marking.sheets.spelling import spelt
from derivations.marking.sheets.statements import statements
from derivations.marking.sheets.text_claims import ASSIGNED, Claims
from derivations.marking.sheets.text_lines import logical
from derivations.marking.sheets.text_tokens import pieces, plain

_COMMENT = re.compile(r"(.*?)(?:(?:#|//)(.*))?\Z", re.DOTALL)
# what counts lines: `1)`, `(a)`, `2.`, `-`
_ITEM = re.compile(r"^[ \t]*(?:\(?(?:\d{1,3}|[a-z])\)|\d{1,3}\.|[-*•])[ \t]+(?=\S)", re.MULTILINE)
LONGEST_LINE = 4_000
_NAMES = re.compile(r"\s*(?:#\s*)?names\s*:?\s*(?P<rest>.*)$", re.IGNORECASE)
_ZEROS = re.compile(
    r"[^=]*(?:=[^=]*)*=\s*(?:0|zeros?(?:_like)?(?:\([^()]*\))?)(?:\s*,\s*0)*\s*(?:everywhere|at first|to start)?\s*"
)
_LOOP = re.compile(
    r"\s*(?:(?:for|while|loop)\b[^+*]*(?:[:{]|\bdo)|(?:do|end|endfor|end\s+for|\})|for\s+t\s*=[^+*]*)\s*"
)
_SEVERAL = re.compile(r"\w+(?:\s*,\s*\w+)+")
_COUNTED = re.compile(r"\s*(?:(?:for|at|and)\s+)?[tT]\s*=\s*[\dT][\dT\s.,\u2026+:-]*")  # "t = 1..T"
_STARTS = re.compile(r"\s*(?:for|loop|while)\b.*\bt\b.*(?::|do|\{)\s*$|\s*for\s+t\s*(?:=|in|from)\b", re.MULTILINE)


def read_text(text: str) -> Sheet:
    """The sheet that a plain text is.

    Raises:
        CellError: it is beyond the limits, or its `names` section does not say names.
    """
    lines: list[Line] = []
    given: dict[str, Expr] = {}
    naming = False
    text = spelt(checked(text))
    if not re.search("[⊙∘*]", text):
        text = text.replace("⊗", "⊙")  # where no other sign multiplies elementwise, this one does
    as_typed = text.split("\n")
    said = "\n".join(line for line in as_typed if len(line) <= LONGEST_LINE)
    habits = habits_of(said)
    claims = Claims(habits, meanings(said, lambda name: normal(plain(habits.put(name)))))
    starts = next((k for k, line in enumerate(as_typed, 1) if _STARTS.match(line)), 0)
    for number, written in logical(_ITEM.sub(lambda item: " " * len(item[0]), text)):
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
        if (number < starts and _ZEROS.fullmatch(written)) or _LOOP.fullmatch(written):
            continue  # what a loop starts from, and the loop itself
        if len(written) > LONGEST_LINE:
            why = f"a line of more than {LONGEST_LINE} characters"
            lines += [Line(number, 1, " ".join(written[:80].split()), why=why)] if "=" in written else []
            continue
        lines += _of_line(written, number, claims, text)
    return Sheet("text", tuple(lines), given, shown=claims.shown)


def _of_line(written: str, number: int, claims: Claims, text: str) -> Iterator[Line]:
    code, comment = _COMMENT.match(written).groups()  # type: ignore[union-attr]  # it matches every text
    for one in definitions(comment or ""):
        yield from _readable(one, number, claims)
    code = without_a_tail(code.rstrip().rstrip(";:.,\\"), ASSIGNED)
    share = share_said(code)
    code, beside = without_remarks(code)
    if not ASSIGNED.search(code):
        code = claims.with_colon(code, number) or code
    for one in (one for whole in (*beside, *_statements(code)) for one in parted(whole)):
        claim = stripped(one, ASSIGNED)
        if not ASSIGNED.search(claim.text) or _COUNTED.fullmatch(claim.text):
            continue
        found = list(claims.read(" " * claim.start + claim.text, number))
        erring = any(is_error(claims.meant.of(line.target)) for line in found)
        if any(line.rhs is None for line in found) and is_prose(one.text) and not erring:
            found = [line for more in definitions(one.text) for line in _readable(more, number, claims)]
        for line in found:
            if line.rhs is None and _SEVERAL.fullmatch(line.target) and not is_error(line.target):
                continue  # "f, i, o = sigma(...)" is no claim
            said = share if share is not None else line.share
            alias = isinstance(line.rhs, Name) and not is_error(line.target)
            led = claim.defines and (isinstance(line.rhs, Name) or not is_error(line.target))
            defines = line.defines or alias or led
            line = replace(line, defines=defines, share=said)
            yield bounded(line, claim.text, text, claims.versions)


def _statements(code: str) -> Iterator[Said]:
    return (Said(start, part) for start, part in statements(code))


def _readable(said: Said, number: int, claims: Claims) -> Iterator[Line]:
    """What a definition among words says, as far as it is a formula."""
    for line in claims.read(said.text, number):
        if line.rhs is not None:
            yield replace(line, defines=True)


def given_in_comments(text: str, sign: str) -> dict[str, Expr]:
    """What comments say that names mean, as in `# names: dft = da_f`; `sign` starts a comment."""
    said = re.finditer(rf"^[ \t]*{sign}[{sign} \t]*(names\b.*)$", text, re.IGNORECASE | re.MULTILINE)
    return dict(read_text("\n".join(comment[1] for comment in said)).names)


def _given(text: str, number: int) -> dict[str, Expr]:
    """What a `names` section says."""
    found: dict[str, Expr] = {}
    for pair in filter(str.strip, re.split(r"[,;\n]", text.split("#")[0])):
        theirs, sign, ours = re.sub(r"->|\bis\b|\bmeans\b", "=", pair).partition("=")
        if not sign or not theirs.strip():
            raise CellError(f"in `names`, write yours = ours, not {pair.strip()[:60]!r}", number)
        found[normal(plain(theirs.strip()))] = formula(pieces(ours, number), lambda name: Name(name))
    return found
