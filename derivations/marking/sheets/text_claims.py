"""The claims of a line in plain text: what stands on both sides of an equals sign, in the words of its sheet."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from derivations.cell import CellError
from derivations.expression import Expr, Name, names
from derivations.marking.sheet import Line, Versions, normal, split_increment
from derivations.marking.sheets.definitions import is_error
from derivations.marking.sheets.formula import formula
from derivations.marking.sheets.habits import Habits
from derivations.marking.sheets.phrases import sides, subject
from derivations.marking.sheets.remarks import PROSE
from derivations.marking.sheets.sentences import Meant
from derivations.marking.sheets.text_tokens import pieces, plain

BLANK = re.compile(r"[\s_.…?]*")
ASSIGNED = re.compile(r"(?<![=!<>:+*\-/])(?P<operator>[+*\-]?)=(?!=)(?![^{}=]*\})|:=|\u2190")
_LABEL = re.compile(r"\s*[A-Za-z0-9][\w ()'.-]*:\s+")  # "forget gate: f = ..."


@dataclass(frozen=True)
class Claims:
    """What reads the claims of one sheet.

    Attributes:
        shown: how names are written that stand for others.
    """

    habits: Habits = field(default_factory=Habits)
    meant: Meant = field(default_factory=lambda: Meant({}))
    versions: Versions = field(default_factory=Versions)
    shown: dict[str, str] = field(default_factory=dict)

    def read(self, code: str, number: int) -> Iterator[Line]:
        """The claims of one statement: one, or more where it goes on, `a = b = c`."""
        shown = " ".join(code.split())
        column = len(code) - len(code.lstrip()) + 1
        cuts = list(ASSIGNED.finditer(code))
        left = code[: cuts[0].start()]
        label = _LABEL.match(left)
        left = left[label.end() :] if label else left
        ends = [*(cut.start() for cut in cuts[1:]), len(code)]
        for cut, end in zip(cuts, ends, strict=True):
            at = number + code[: cut.start()].lstrip().count("\n")
            line = Line(at, len(left) - len(left.lstrip()) + 1, shown)
            try:
                yield self._claim(line, left, cut, code, end)
            except CellError as error:
                place = (error.line or at, error.column or column)
                target = normal(plain(left.strip()))[:80]
                yield Line(place[0], place[1], shown, target=target, why=error.message)

    def with_colon(self, code: str, number: int) -> str:
        """A claim that has a colon or a verb for its sign, `dW at t: g_t x_t^T`, with its sign; else empty."""
        found = sides(code)
        about = subject(found[0]) if found else None
        if found is None or about is None or PROSE.search(found[1]):
            return ""
        left, right = found
        try:
            target = self._name(about.of(right), number)
            said = formula(pieces(self.habits.put(right), number), lambda name: self._value(name))
        except CellError:
            return ""
        erring = any(is_error(name) or "#" in name for name in names(said))
        worded = about.name != left.strip()
        spoken = worded or (is_error(target) and not isinstance(said, Name))
        return f"{left} = {right}" if spoken and erring else ""

    def _claim(self, line: Line, left: str, cut: re.Match[str], code: str, end: int) -> Line:
        share = False
        try:
            theirs = self._name(left, line.number)
        except CellError:
            about = subject(left)
            if about is None:
                raise CellError("what stands left of `=` is not one name", line.number, line.column) from None
            theirs, share = self._name(about.of(code[cut.end() : end]), line.number), about.share
        if BLANK.fullmatch(code[cut.end() : end]):
            raise CellError("this is left blank", line.number, cut.end() + 1)
        right = pieces(self.habits.put(code[cut.end() : end]), line.number, cut.end())
        rhs = formula(right, self._value)
        target = self._meant(theirs)
        if isinstance(rhs, Name) and "/" in rhs.id:
            target = theirs  # it says what the name stands for
        before = self.versions.current.get(target, target)
        done = assigned(replace(line, target=target), cut["operator"] or "", rhs, before, self.versions)
        return replace(done, share=0) if share else done

    def _name(self, left: str, number: int) -> str:
        """The one name that a text is, in normal form.

        Raises:
            CellError: it is none.
        """
        found = pieces(self.habits.put(left), number)
        if len(found) != 1 or found[0].kind != "NAME":
            raise CellError("what stands left of `=` is not one name", number, len(left) - len(left.lstrip()) + 1)
        return normal(found[0].text)

    def _meant(self, theirs: str) -> str:
        name = self.meant.of(theirs)
        if name != theirs:
            self.shown[name] = theirs
        return name

    def _value(self, name: str) -> Expr:
        return self.versions.read(self._meant(normal(name)))


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
