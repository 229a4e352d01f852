"""Where one is in a formula in LaTeX: its signs, its commands and its groups in braces."""

import re
from dataclasses import dataclass, field, replace

from derivations.cell import CellError
from derivations.marking.sheet import Line
from derivations.marking.sheets.formula import Piece
from derivations.marking.sheets.latex_braces import DEEPEST, braced
from derivations.marking.sheets.latex_habits import Habits
from derivations.marking.sheets.latex_indices import Indices


@dataclass
class Cursor:
    """A place in a formula.

    Attributes:
        line: the line of the sheet that it is in.
        shown: how a name is written in the file; filled as names are met.
        at: how far it has been read.
        depth: how many groups lie around it.
        indices: the letters that are indices of components in this row.
        habits: how the sheet writes errors.
        entry: the index of the entries that are meant by the names in a group, as in `(\\delta_z)_i`.
        met: the index of the entry that the name just read says by itself.
    """

    text: str
    line: Line
    shown: dict[str, str]
    at: int = 0
    depth: int = 0
    indices: Indices = field(default_factory=Indices)
    habits: Habits = field(default_factory=Habits)
    entry: str = ""
    met: str = ""

    def within(self, text: str) -> "Cursor":
        """The start of a group.

        Raises:
            CellError: groups are nested beyond the limit.
        """
        if self.depth > DEEPEST:
            raise self.error("nested too deeply")
        return replace(self, text=text, at=0, depth=self.depth + 1)

    def piece(self, kind: str, text: str) -> Piece:
        return Piece(kind, text, self.line.number, self.line.column)

    def error(self, message: str) -> CellError:
        return CellError(message, self.line.number, self.line.column + self.at)

    @property
    def here(self) -> str:
        """The sign that comes next; empty at the end."""
        return self.text[self.at : self.at + 1]

    def taken(self, pattern: str | re.Pattern[str]) -> re.Match[str] | None:
        """What comes next, if it is of a pattern; it is then read."""
        match = re.compile(pattern).match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match

    def blank(self) -> None:
        self.taken(r"[ \t\n]*")

    def group(self) -> str:
        """What stands in braces, or the next sign or command."""
        self.blank()
        if not self.here:
            raise self.error("something is missing at the end")
        if self.here == "{":
            end = braced(self.text, self.at)
            inner = self.text[self.at + 1 : end - 1]
            self.at = end
            return inner
        match = self.taken(r"\\[A-Za-z]+|\\.|.")
        assert match  # something stands here
        return match[0]
