r"""A sheet in LaTeX: the displayed formulas of a file, or lines of formulas without a document.

`\newcommand`s are written out first, within limits. What then stands in an environment is cut at `\\` into rows, and a
row at `=` into claims; a row that starts with `=` goes on with the row before.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from derivations.cell import CellError
from derivations.expression import Expr, Name, Transpose
from derivations.marking.sheet import Line, Sheet, Versions, checked, free, normal
from derivations.marking.sheets.averages import averaged
from derivations.marking.sheets.bounds import bounded
from derivations.marking.sheets.definitions import definitions, is_error
from derivations.marking.sheets.diagonals import without_identity
from derivations.marking.sheets.formula import Piece, formula
from derivations.marking.sheets.latex_braces import braced
from derivations.marking.sheets.latex_cursor import Cursor
from derivations.marking.sheets.latex_entries import as_entries, assembled, pair_on_the_left, with_entries
from derivations.marking.sheets.latex_gates import for_each_gate, gates_said, of_any_gate
from derivations.marking.sheets.latex_habits import Habits, habits, is_convention, said_directly
from derivations.marking.sheets.latex_indices import ENTRY, Indices, everywhere, indices
from derivations.marking.sheets.latex_products import with_products
from derivations.marking.sheets.latex_rows import readied, share_said
from derivations.marking.sheets.latex_setting import closes, plainly_set, without_brackets
from derivations.marking.sheets.latex_silent import says_nothing
from derivations.marking.sheets.latex_tokens import tokens
from derivations.marking.sheets.moments import with_moments
from derivations.marking.sheets.text import BLANK, assigned, given_in_comments

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
    r",?\s*(?:(?:\\q?quad\s*)*\\(?:implies|iff|[Rr]ightarrow|Longrightarrow|Leftrightarrow|Longleftrightarrow|therefore|leadsto)"
    r"(?![A-Za-z])(?:\s*\\q?quad)*|\\q?quad(?![A-Za-z])|\\text\s*\{\s*(?:and|where|with|so that|so)\s*\}|"
    r"&\s*&|&(?=[^&=\\]*(?:\\(?!\\)[^&=\\]*)*&\s*=))(?=(?:[^\\]|\\(?!\\|q?quad))*?=)"
)
_EQUALS = re.compile(
    r"\\(?:coloneqq|triangleq|equiv|doteq|leftarrow|gets|approx|simeq)(?![A-Za-z])(?:_\{?\w+\}?)?|:=|="
)
_NEXT_CLAIM = re.compile(r",(?:\s|\\[,;:!]|~)*(?=[^\s,=&()][^,=&]{0,60}?(?<![+\-<>])\s*&?\s*=)")
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
    rows = _conditions_first(list(_rows(text)))
    reader = _Reader(
        macros, usual=everywhere(row for _, _, row, _ in rows), habits=habits(text), gates=gates_said(text)
    )
    given = {**reader.named(said_directly(text)), **given}
    for number, comment in comments:
        reader.defined(number, comment)
    for number, column, row, within in rows:
        start = len(reader.lines)
        for one in () if within and of_any_gate(row, reader.gates) else for_each_gate(row, reader.gates):
            reader.row(number, column, one)
        reader.lines[start:] = [
            bounded(replace(line, defines=_defines(line, within)), row.replace(r"\tau", "t"), text, reader.versions)
            for line in reader.lines[start:]
        ]
    components = any(indices(row).absorbed for _, _, row, _ in rows)
    lines = tuple(with_moments(reader.lines, text))
    return Sheet("latex", lines, given, reader.shown, components=components)


def _defines(line: Line, within: str) -> bool:
    """Whether a formula within a sentence says what a name stands for: a value, or a letter for an error."""
    if isinstance(line.rhs, Name) and "/" not in line.target and (within == "words" or "/" in line.rhs.id):
        return True
    barred = within == "line" and re.search(r"_(?:bar|dot)(?:_|\[|$)", line.target)
    return within != "" and not is_error(line.target) and not barred


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


def _rows(text: str) -> Iterator[tuple[int, int, str, str]]:
    """The rows of every formula, with the place where each starts, and if it stands in a line of text or among words."""
    found = list(_DISPLAY.finditer(text))
    inner = []
    for match in found:
        for group in ("body", "bracket", "dollars", "dollar", "paren"):
            if match[group] is not None:
                within = "" if group not in ("dollar", "paren") else "words" if _beside_words(text, match) else "line"
                inner.append((match.start(group), match.end(group), within))
    if r"\begin{document}" not in text:  # lines of formulas without anything around them
        for match in re.finditer(r"[^\n]+", text):
            bare = not any(a < match.end() and match.start() < b for a, b, _ in inner)
            if (
                bare
                and _EQUALS.search(match[0])
                and not _PROSE.search(re.sub(r"\\[A-Za-z]+|\{[^{}]*\}", " ", match[0]))
            ):
                inner.append((match.start(), match.end(), ""))
    for begin, end, within in sorted(inner):
        for start, stop in _cut(text, begin, end):
            row = text[start:stop]
            if _EQUALS.search(row):
                lead = len(row) - len(row.lstrip("& \n\t"))
                line = text.count("\n", 0, start + lead) + 1
                column = start + lead - (text.rfind("\n", 0, start + lead) + 1) + 1
                yield line, column, row, within


def _conditions_first(rows: list[tuple[int, int, str, str]]) -> list[tuple[int, int, str, str]]:
    """The rows with a definition that stands behind a formula of its line before it, `... = y/s, \\quad y = ...`."""
    found = list(rows)
    for k in range(len(found) - 1):
        (line, _, row, _), (number, column, behind, _) = found[k : k + 2]
        name = behind.partition("=")[0].strip("& :")
        own = re.fullmatch(r"\\?[A-Za-z]+(?:_\{?t\}?)?", name) and not name.startswith((r"\delta", r"\nabla"))
        used = own and re.search(rf"(?<![A-Za-z\\]){re.escape(name)}(?![A-Za-z])", row.partition("=")[2])
        if line == number and used and not any(one[2].partition("=")[0].strip("& :") == name for one in found[:k]):
            found[k : k + 2] = [(number, column, behind, "words"), found[k]]
    return found


def _beside_words(text: str, formula: re.Match[str]) -> bool:
    """Whether words stand on the line of a formula."""
    start, end = text.rfind("\n", 0, formula.start()) + 1, text.find("\n", formula.end())
    line = text[start : end if end >= 0 else len(text)]
    return bool(re.search(r"[A-Za-z]{3,}", re.sub(r"\$[^$]*\$|\\\(.*?\\\)|\\[A-Za-z]+|\([^()$]*\)", " ", line)))


def _cut(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """A formula at its line breaks, but not within a matrix."""
    depth, start, k = 0, begin, begin
    while k < end:
        apart = _APART.match(text, k) if depth == 0 else None
        if apart is None and depth == 0 and text[k] == "," and _is_whole(text[start:k]):
            apart = _NEXT_CLAIM.match(text, k, end)
        if apart and "=" in text[start:k]:
            yield start, k
            start = k = apart.end()
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


def _is_whole(text: str) -> bool:
    """Whether all brackets of a text are closed."""
    return all(text.count(opens) == text.count(closes) for opens, closes in ("()", "[]", "{}"))


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
    entry: str = ""  # the letters of the entry on the left-hand side
    letters: dict[str, str] = field(default_factory=dict)  # for derivatives of the loss, as at step t
    gates: dict[str, list[str]] = field(default_factory=dict)  # letters that stand for any of them

    def row(self, number: int, column: int, row: str) -> None:
        shown = " ".join(row.replace("&", " ").split())[:400]
        try:
            if len(row) > LONGEST_ROW:
                raise CellError(f"a formula of more than {LONGEST_ROW} characters")
            clean = _NOISE.sub(" ", readied(plainly_set(expanded(row, self.macros))))
            clean = _EQUALS.sub("=", clean).strip().rstrip(".,;").strip()
            clean = clean[1:-1] if clean[:1] == "(" and closes(clean, 0) == len(clean) - 1 else clean
            if says_nothing(parts := _at_equals(clean)):
                return
            clean = with_entries(without_brackets(with_products(clean)))
            self.indices = as_entries(indices(clean) or self.usual, pair_on_the_left(clean))
            parts = _at_equals(clean)
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
            if is_convention(left, self.habits):
                return
            found = self.pieces(left, line)
            while found and found[0].kind == "LPAR" and len(found) > 2 and found[2].kind == "RPAR":
                found = [found[1], *found[3:]]
            self.turned = len(found) == 2 and found[1].kind == "TRANSPOSE"
            found = found[:1] if self.turned else found
            if len(found) != 1 or found[0].kind != "NAME":
                if _is_about_functions(left):
                    return  # a definition such as sigma(x) = ...
                raise CellError("what stands left of `=` is not one name")
            target, _, self.entry = found[0].text.partition(ENTRY)
            self.target = normal(target)
        if not self.target:
            raise CellError("nothing stands on the left of `=`")
        if BLANK.fullmatch(_RULE.sub("", right)):
            raise CellError("this is left blank")
        before = self.versions.current.get(self.target, self.target)
        rhs = assembled(formula(self.pieces(right, line), self._read), self.entry)
        rhs = averaged(without_identity(rhs) if self.habits.identity else rhs, free)
        rhs = Transpose(rhs) if self.turned else rhs
        match rhs:
            case Name(id_) if "/" in id_ and free(id_) and "[" not in id_ + self.target:
                self.letters[self.target] = id_
        self.lines.append(assigned(replace(line, target=self.target), operator, rhs, before, self.versions))

    def _read(self, name: str) -> Name:
        whole, sign, entry = name.partition(ENTRY)
        name = normal(whole)
        letter, bracket, step = name.partition("[")
        if bracket and letter in self.letters and name not in self.versions.current:  # of another step
            return Name(f"{self.letters[letter]}[{step}{sign}{entry}")
        return Name(f"{self.versions.read(name).id}{sign}{entry}")

    def named(self, said: Mapping[str, Expr]) -> dict[str, Expr]:
        """What is said of names, by their normal forms."""
        found = {}
        for written, meant in said.items():
            try:
                pieces = self.pieces(_NOISE.sub(" ", written), Line(0, 0, written))
            except CellError:
                continue
            if len(pieces) == 1 and pieces[0].text not in ("dh_out", "dh_next"):
                found[normal(pieces[0].text)] = meant
        return found

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
