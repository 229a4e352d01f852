r"""A sheet in LaTeX: the displayed formulas of a file, or lines of formulas without a document.

`\newcommand`s are written out first, within limits. What then stands in an environment is cut at `\\` into rows, and a
row at `=` into claims; a row that starts with `=` goes on with the row before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from derivations.cell import CellError
from derivations.expression import Expr, Name, Transpose
from derivations.marking.sheet import Line, Sheet, Versions, checked, free, normal
from derivations.marking.sheets.averages import averaged
from derivations.marking.sheets.bounds import bounded
from derivations.marking.sheets.definitions import definitions, is_error
from derivations.marking.sheets.diagonals import without_identity
from derivations.marking.sheets.formula import Piece, formula
from derivations.marking.sheets.latex_cursor import Cursor
from derivations.marking.sheets.latex_displays import EQUALS, conditions_first, rows_of
from derivations.marking.sheets.latex_entries import (
    as_entries,
    assembled,
    entry_on_the_left,
    pair_on_the_left,
    with_entries,
)
from derivations.marking.sheets.latex_gates import for_each_gate, gates_said, of_any_gate
from derivations.marking.sheets.latex_habits import Habits, habits, is_convention, said_directly
from derivations.marking.sheets.latex_indices import ENTRY, Indices, everywhere, indices
from derivations.marking.sheets.latex_macros import LONGEST_ROW, expanded, macros_of
from derivations.marking.sheets.latex_products import with_products
from derivations.marking.sheets.latex_rows import readied, share_said
from derivations.marking.sheets.latex_setting import closes, plainly_set, with_functions, without_brackets
from derivations.marking.sheets.latex_silent import says_nothing
from derivations.marking.sheets.latex_tokens import tokens
from derivations.marking.sheets.moments import with_moments
from derivations.marking.sheets.text import given_in_comments
from derivations.marking.sheets.text_claims import BLANK, assigned

_MEAN = re.compile(r"\\langle[^.\n]{0,30}\\rangle[^.\n]{0,40}(?:mean|averag)")
_STEPS_ABOVE = re.compile(r"\\(?:delta|epsilon|varepsilon)(?:_\{?\w+\}?)?\^\{?t(?![a-z])")
_AT_LAST = re.compile(r"(\\(?:delta|epsilon|varepsilon)(?:_\{?\w+\}?)?)\^(?:T|\{T\})(?![A-Za-z])")
_COMMENT = re.compile(r"(?<!\\)%.*")
_RULE = re.compile(
    r"\\(?:underline|rule|dots|ldots|hspace|vspace|q?quad|_)\*?|\{[^{}\\]*\}|[{}]"
)  # what stands for a blank
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
    if _MEAN.search(text):
        text = text.replace(r"\langle", r"\operatorname{mean}(").replace(r"\rangle", ")")
    if _STEPS_ABOVE.search(text) and r"\top" in text:  # then a raised T is the last step
        text = _AT_LAST.sub(r"\1^{(T)}", text)
    comments = [(text.count("\n", 0, m.start()) + 1, m[0]) for m in _COMMENT.finditer(text)]
    text = _COMMENT.sub(lambda m: " " * len(m[0]), text)
    if re.search(r"\\(?:odot|circ|ast)(?![A-Za-z])", text) or _only_for_matrices(text):
        text = re.sub(r"\\otimes(?![A-Za-z])", r"\\outerproduct", text)
    text, macros = macros_of(with_functions(text))
    rows = conditions_first(list(rows_of(text)))
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
            clean = EQUALS.sub("=", clean).strip().rstrip(".,;").strip()
            clean = clean[1:-1] if clean[:1] == "(" and closes(clean, 0) == len(clean) - 1 else clean
            if says_nothing(parts := _at_equals(clean)):
                return
            clean = with_entries(without_brackets(with_products(clean)))
            found = indices(clean) or (self.usual if self.usual.free else entry_on_the_left(clean))
            self.indices = as_entries(found, pair_on_the_left(clean))
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
