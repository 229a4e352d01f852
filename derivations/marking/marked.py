"""A sheet that is marked: what is said of each line, as data."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    RIGHT = "RIGHT"
    WRONG = "WRONG"
    TRUNCATED = "TRUNCATED"
    UNSURE = "UNSURE"
    UNREADABLE = "UNREADABLE"
    OTHER = "NOT A QUANTITY"


@dataclass(frozen=True)
class Mark:
    """A line and what is said of it.

    Attributes:
        quantity: what it was taken to be, in the names of the derivation; empty where it is nothing of it.
        mistake: what is wrong, or why nothing can be said, in a sentence; empty where the line is right.
        correct: the right line, in their names; empty where it is right or unknown.
        example: numbers at which the line is off, where no single change explains it.
    """

    line: int
    column: int
    text: str
    quantity: str
    verdict: Verdict
    mistake: str = ""
    correct: str = ""
    example: str = ""


@dataclass(frozen=True)
class Marked:
    """A sheet that is marked.

    Attributes:
        reading: what its names were taken to mean.
        not_given: the quantities of a backward pass that it leaves out.
        doubt: why the whole of it says little: it seems to be for another cell; empty where it does not.
    """

    notation: str
    marks: tuple[Mark, ...]
    reading: tuple[str, ...] = ()
    not_given: tuple[str, ...] = ()
    doubt: str = ""

    @property
    def right(self) -> int:
        return sum(mark.verdict in (Verdict.RIGHT, Verdict.TRUNCATED) for mark in self.marks)

    @property
    def of(self) -> int:
        return sum(mark.verdict is not Verdict.OTHER for mark in self.marks)

    @property
    def wrong(self) -> int:
        return sum(mark.verdict is Verdict.WRONG for mark in self.marks)
