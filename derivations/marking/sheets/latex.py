r"""A sheet in LaTeX: the displayed formulas of a file, or lines of formulas without a document.

`\newcommand`s are written out first, within limits. What then stands in an environment is cut at `\\` into rows, and a
row at `=` into claims; a row that starts with `=` goes on with the row before.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from derivations.cell import CellError
from derivations.expression import Name, Transpose
from derivations.marking.sheet import Line, Sheet, Versions, checked, normal
from derivations.marking.sheets.bounds import bounded
from derivations.marking.sheets.definitions import definitions, is_error
from derivations.marking.sheets.formula import Piece, formula
from derivations.marking.sheets.latex_cursor import Cursor, Habits, braced, habits
from derivations.marking.sheets.latex_indices import Indices, everywhere, indices
from derivations.marking.sheets.latex_rows import readied, share_said
from derivations.marking.sheets.latex_tokens import tokens
from derivations.marking.sheets.text import given_in_comments
from derivations.marking.sheets.text_claims import BLANK, assigned

MOST_EXPANSIONS = 2_000
LONGEST_ROW = 8_000
_COMMENT = re.compile(r"(?<!\\)%.*")
_MACRO = re.compile(
    r"\\(?:(?:re)?newcommand|providecommand)\*?\s*(?:\{\s*(\\[A-Za-z]+)\s*\}|(\\[A-Za-z]+))\s*(?:\[(\d)\])?\s*(?=\{)"
    r"|\\def\s*(\\[A-Za-z]+)((?:#\d)*)\s*(?=\{)"
    r"|\\DeclareMathOperator\*?\s*\{\s*(\\[A-Za-z]+)\s*\}\s*(?=\{)"
)
_DISPLAY = re.compile(
    r"\\begin\{(?P<env>(?:align|aligned|equation|gather|gathered|eqnarray|multline|flalign|alignat|split|displaymath|math)"
    r"\*?)\}(?P<body>.*?)\\end\{(?P=env)\}"
    r"|\\\[(?P<bracket>.*?)\\\]|\$\$(?P<dollars>.*?)\$\$|(?<!\\)\$(?P<dollar>[^$]*?)(?<!\\)\$|\\\((?P<paren>.*?)\\\)",
    re.DOTALL,
)
# what sets two formulas on one line apart: a space or an alignment, with a whole formula to come
_APART = re.compile(
    r",?\s*(?:\\q?quad(?![A-Za-z])|\\text\s*\{\s*(?:and|where|with|so that|so)\s*\}|"
    r"&\s*&|&(?=[^&=\\]*(?:\\(?!\\)[^&=\\]*)*&\s*=))(?=(?:[^\\]|\\(?!\\|q?quad))*?=)"
)
_EQUALS = re.compile(
    r"\\(?:coloneqq|triangleq|equiv|doteq|leftarrow|gets|approx|simeq)(?![A-Za-z])(?:_\{?\w+\}?)?|:=|="
)
_RULE = re.compile(
    r"\\(?:underline|rule|dots|ldots|hspace|vspace|q?quad|_)\*?|\{[^{}\\]*\}|[{}]"
)  # what stands for a blank
_PROSE = re.compile(r"[A-Za-z]{3,}\s+[A-Za-z]{2,}")
_NOISE = re.compile(
    r"\\(?:nonumber|notag|displaystyle|textstyle|limits|nolimits|allowbreak|hfill|hline|centering|noindent)(?![A-Za-z])"
    r"|(?<![_^{])\\(?:label|tag|intertext|hspace|vspace|phantom|hphantom|vphantom|text|textbf|textit|textrm|mbox|eqref|ref)\*?"
    r"\{[^{}]*\}(?!_)|\\[bB]igg?[lrm]?(?![A-Za-z])|\\(?:left|right|middle)(?![A-Za-z])|\\begin\{(?:aligned|split|gathered)\}"
    r"|\\end\{(?:aligned|split|gathered)\}|(?<!\\)\\[,;:!> ]|\\q?quad(?![A-Za-z])|~|&"
)


def read_latex(text: str) -> Sheet:
    """The sheet that a LaTeX text is.

    Raises:
        CellError: it is beyond the limits, or its macros do not end.
    """
    text = checked(text)
    given = given_in_comments(text, "%")
    comments = [(text.count("\n", 0, m.start()) + 1, m[0]) for m in _COMMENT.finditer(text)]
    text = _COMMENT.sub(lambda m: " " * len(m[0]), text)
    if re.search(r"\\(?:odot|circ|ast)(?![A-Za-z])", text) or _only_for_matrices(text):
        text = re.sub(r"\\otimes(?![A-Za-z])", r"\\outerproduct", text)
    text, macros = _macros(text)
    rows = list(_rows(text))
    reader = _Reader(macros, usual=everywhere(row for _, _, row, _ in rows), habits=habits(text))
    for number, comment in comments:
        reader.defined(number, comment)
    for number, column, row, within in rows:
        start = len(reader.lines)
        reader.row(number, column, row)
        reader.lines[start:] = [
            bounded(replace(line, defines=within and _defines(line)), row.replace(r"\tau", "t"), text, reader.versions)
            for line in reader.lines[start:]
        ]
    components = any(indices(row).absorbed for _, _, row, _ in rows)
    return Sheet("latex", tuple(reader.lines), given, reader.shown, components=components)


def _defines(line: Line) -> bool:
    """Whether a formula within a sentence says what a name stands for: a value, or a letter for an error."""
    return not is_error(line.target) or (isinstance(line.rhs, Name) and "/" not in line.target)


def _only_for_matrices(text: str) -> bool:
    """Whether the circled cross stands in gradients of matrices alone, so that it is an outer product."""
    rows = [row for row in re.split(r"\\\\|\n", text) if r"\otimes" in row and "=" in row]
    return all(re.search(r"(?:partial|nabla_|bar|d)\s*\{?\s*[WUVR](?![A-Za-z])", row.split("=")[0]) for row in rows)


def _macros(text: str) -> tuple[str, dict[str, tuple[int, str]]]:
    """The text with blanks for its definitions, and what they define."""
    found: dict[str, tuple[int, str]] = {}
    at = 0
    while match := _MACRO.search(text, at):
        line = text.count("\n", 0, match.start()) + 1
        try:
            end = braced(text, match.end())
        except CellError as error:
            raise CellError(error.message, line) from None
        name = match[1] or match[2] or match[4] or match[6]
        count = int(match[3] or 0) if not match[4] else (match[5] or "").count("#")
        body = text[match.end() + 1 : end - 1]
        found[name] = (count, rf"\operatorname{{{body}}}" if match[6] else body)
        blank = re.sub(r"[^\n]", " ", text[match.start() : end])
        text = text[: match.start()] + blank + text[end:]
        at = end
        if len(found) > 500:
            raise CellError("more than 500 macros are defined", line)
    return text, found


def expanded(row: str, macros: dict[str, tuple[int, str]]) -> str:
    """A row with its macros written out.

    Raises:
        CellError: they do not end, or grow beyond the limit.
    """
    count, at = 0, 0
    if not macros:
        return row
    names = re.compile("|".join(re.escape(name) + "(?![A-Za-z])" for name in sorted(macros, key=len, reverse=True)))
    while match := names.search(row, at):
        count += 1
        if count > MOST_EXPANSIONS or len(row) > LONGEST_ROW:
            raise CellError(f"the macro {match[0]} does not end, or grows too long")
        many, body = macros[match[0]]
        end = match.end()
        args = []
        for _ in range(many):
            while end < len(row) and row[end] == " ":
                end += 1
            if end >= len(row):
                raise CellError(f"the macro {match[0]} lacks an argument")
            stop = braced(row, end) if row[end] == "{" else end + 1
            args.append(row[end + 1 : stop - 1] if row[end] == "{" else row[end:stop])
            end = stop
        for k, arg in enumerate(args, 1):
            body = body.replace(f"#{k}", arg)
        row = (
            row[: match.start()]
            + body
            + (" " if body[-1:].isalpha() and row[end : end + 1].isalpha() else "")
            + row[end:]
        )
        at = match.start()
    return row


def _rows(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """The rows of every formula, with the place where each starts, and whether it stands within a sentence."""
    found = list(_DISPLAY.finditer(text))
    inner = []
    for match in found:
        for group in ("body", "bracket", "dollars", "dollar", "paren"):
            if match[group] is not None:
                inner.append((match.start(group), match.end(group), group in ("dollar", "paren")))
    if r"\begin{document}" not in text:  # lines of formulas without anything around them
        for match in re.finditer(r"[^\n]+", text):
            bare = not any(a < match.end() and match.start() < b for a, b, _ in inner)
            if (
                bare
                and _EQUALS.search(match[0])
                and not _PROSE.search(re.sub(r"\\[A-Za-z]+|\{[^{}]*\}", " ", match[0]))
            ):
                inner.append((match.start(), match.end(), False))
    for begin, end, within in sorted(inner):
        for start, stop in _cut(text, begin, end):
            row = text[start:stop]
            if _EQUALS.search(row):
                lead = len(row) - len(row.lstrip("& \n\t"))
                line = text.count("\n", 0, start + lead) + 1
                column = start + lead - (text.rfind("\n", 0, start + lead) + 1) + 1
                yield line, column, row, within


def _cut(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """A formula at its line breaks, but not within a matrix."""
    depth, start, k = 0, begin, begin
    while k < end:
        if depth == 0 and (match := _APART.match(text, k)) and "=" in text[start:k]:
            yield start, k
            start = k = match.end()
        elif match := re.compile(r"\\begin\{[bpvB]?matrix\}").match(text, k):
            depth, k = depth + 1, match.end()
        elif match := re.compile(r"\\end\{[bpvB]?matrix\}").match(text, k):
            depth, k = depth - 1, match.end()
        elif text.startswith("\\\\", k):
            if depth == 0:
                yield start, k
                match = re.compile(r"\\\\\*?(?:\[[^\]]*\])?").match(text, k)
                start = k = match.end() if match else k + 2
            else:
                k += 2
        elif text[k] == "\\":
            k += 2
        else:
            k += 1
    if start < end:
        yield start, end


# --- rows -----------------------------------------------------------------------------------------------------------


@dataclass
class _Reader:
    macros: dict[str, tuple[int, str]]
    lines: list[Line] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)
    versions: Versions = field(default_factory=Versions)
    target: str = ""
    usual: Indices = field(default_factory=Indices)  # of components, where no sum stands
    indices: Indices = field(default_factory=Indices)  # in this row
    habits: Habits = field(default_factory=Habits)
    turned: bool = False  # the left-hand side is transposed

    def row(self, number: int, column: int, row: str) -> None:
        shown = " ".join(row.replace("&", " ").split())[:400]
        try:
            if len(row) > LONGEST_ROW:
                raise CellError(f"a formula of more than {LONGEST_ROW} characters")
            clean = _NOISE.sub(" ", readied(expanded(row, self.macros)))
            clean = _EQUALS.sub("=", clean)
            self.indices = indices(clean) or self.usual
            parts = _at_equals(clean.strip().rstrip(".,;"))
        except CellError as error:
            self.lines.append(Line(number, column, shown, why=error.message))
            return
        operator, share = "", share_said(row)
        left = parts[0].strip()
        if left.endswith(("+", "-", r"\mathrel{+}", "{+}")):
            operator, left = "+" if "+" in left[-12:] else "-", re.sub(r"(?:\\mathrel)?\{?[+-]\}?\s*$", "", left)
        for right in parts[1:]:
            try:
                self._claim(left, operator, right, Line(number, column, shown, share=share))
            except CellError as error:
                self.lines.append(Line(number, column, shown, self.target if not left else "", why=error.message))
            except RecursionError:
                self.lines.append(Line(number, column, shown, why="nested too deeply"))

    def defined(self, number: int, comment: str) -> None:
        """What a comment defines, as far as it is a formula."""
        for said in definitions(comment):
            start, versions = len(self.lines), dict(self.versions.current)
            self.row(number, said.start + 1, said.text)
            if any(line.rhs is None for line in self.lines[start:]):
                del self.lines[start:]
                self.versions.current = versions
            self.lines[start:] = [replace(line, defines=True) for line in self.lines[start:]]

    def _claim(self, left: str, operator: str, right: str, line: Line) -> None:
        if left:
            found = self.pieces(left, line)
            self.turned = len(found) == 2 and found[1].kind == "TRANSPOSE"
            found = found[:1] if self.turned else found
            if len(found) != 1 or found[0].kind != "NAME":
                if _is_about_functions(left):
                    return  # a definition such as sigma(x) = ...
                raise CellError("what stands left of `=` is not one name")
            self.target = normal(found[0].text)
        if not self.target:
            raise CellError("nothing stands on the left of `=`")
        if BLANK.fullmatch(_RULE.sub("", right)):
            raise CellError("this is left blank")
        before = self.versions.current.get(self.target, self.target)
        rhs = formula(self.pieces(right, line), lambda name: self.versions.read(normal(name)))
        rhs = Transpose(rhs) if self.turned else rhs
        self.lines.append(assigned(replace(line, target=self.target), operator, rhs, before, self.versions))

    def pieces(self, text: str, line: Line) -> list[Piece]:
        return list(tokens(Cursor(text, line, self.shown, indices=self.indices, habits=self.habits)))


def _is_about_functions(left: str) -> bool:
    return bool(re.match(r"\s*\\?(?:sigma|tanh|operatorname\{?\w*\}?)\s*(?:'|\^\\prime)?\s*\(", left))


def _at_equals(row: str) -> list[str]:
    """A row at its equals signs outside of braces."""
    parts, depth, start = [], 0, 0
    for k, character in enumerate(row):
        depth += (character == "{") - (character == "}")
        if character == "=" and depth == 0:
            parts.append(row[start:k])
            start = k + 1
    return [*parts, row[start:]]
