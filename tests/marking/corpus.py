"""Hand derivations by eight people who had not read the code that marks them, and how marking does on theirs.

A record is a sheet as its author would hand it in, with the verdict due for each line that states a gradient. What must
be said of a wrong line is a list of groups of words; one word of each group must be said. Groups that many lines share
stand in front (`@7`). Every verdict was found by automatic differentiation in torch, with the lines that stand before it.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from derivations.catalogue import read_cell
from derivations.cell import CellError
from derivations.language import read
from derivations.marking.course import Course, course_of
from derivations.marking.mark import mark_sheet
from derivations.marking.sheets import read_sheet

NAMES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
WORST_FIRST = ("WRONG", "UNREADABLE", "UNSURE", "TRUNCATED", "RIGHT", "NOT A QUANTITY")
UNEXPLAINED = "no single change"  # what is said where no mistake is found
ALSO: dict[str, tuple[str, ...]] = {  # the same in words of ours
    # the direct path of the state before, dh*z, is the path h_prev -> h
    "w022": ("the path h_prev -> h is missing",),
    # their own \\hat m is m_f/s_f: where it is due, the division is missing
    "w160": ("\\hat m is due",),
    # the step before's h, by the name that the array has there
    "u096": ("h[t-1] is due",),
    # the path through r is that which has the factor r
    "q066": ("the factor r is missing",),
    # what is turned round is transposed
    "p036": ("the outer product is the wrong way round",),
    "p050": ("the outer product is the wrong way round",),
    "p044": ("the path x -> a_r is missing",),
    "p046": ("the term dh*z is too much",),
    # what was kept of the step after is what is counted again
    "q083": ("the term gh.T is too much",),
    # m_f/s_f too much in the shift's gradient makes it the scale's gradient, and that is what is said
    "w035": ("this is dgamma_f, where dbeta_f is due",),
}
# a mistake that may as well be said to be made in an earlier line: dm = gamma*da/s is no more than the direct path of dm
MADE_BEFORE = {"w100:5": 4}


@dataclass(frozen=True)
class Outcome:
    """One judged line: what is due, what is said, and whether a wrong one's mistake is named."""

    id: str
    line: int
    due: str
    got: str
    named: bool

    @property
    def place(self) -> str:
        return f"{self.id}:{self.line}"


@cache
def records(name: str) -> tuple[dict[str, Any], ...]:
    """The records of a corpus, with every word that counts."""
    found = json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))
    for record in found["records"]:
        for line in record["lines"]:
            if "keywords" in line:
                line["keywords"] = [found["words"].get(group, [group]) for group in line["keywords"]]
    return tuple(found["records"])


@cache
def course(name: str, text: str) -> Course:
    return course_of(read(text) if text else read_cell(name))


def outcomes(record: dict[str, Any]) -> list[Outcome]:
    """How marking does on a sheet."""
    try:
        sheet = read_sheet(record["sheet"], record["notation"])
        marks = mark_sheet(sheet, course(record["cell"], record.get("cell_text", ""))).marks
    except CellError:
        marks = ()
    found = []
    for line in record["lines"]:
        at = MADE_BEFORE.get(f"{record['id']}:{line['line']}", line["line"])
        here = [mark for mark in marks if mark.line == at]
        worst = min(here, key=lambda mark: WORST_FIRST.index(mark.verdict.value), default=None)
        got = worst.verdict.value if worst else "NOTHING"
        named = worst is not None and line["verdict"] == got == "WRONG" and is_named(record["id"], line, worst.mistake)
        found.append(Outcome(record["id"], line["line"], line["verdict"], got, named))
    return found


def is_named(id_: str, line: dict[str, Any], words: str) -> bool:
    if words.startswith(UNEXPLAINED):
        return False
    said = f" {words.lower()} {_plainly(words.lower())} "
    theirs = all(any(word in said or _is_alone(_plainly(word), said) for word in group) for group in line["keywords"])
    return theirs or any(word in words for word in ALSO.get(id_, ()))


def _is_alone(word: str, said: str) -> bool:
    """Whether a word is said, and not as a part of another."""
    return re.search(rf"(?<![\w.]){re.escape(word.strip())}(?!\w)", said) is not None if word.strip() else False


def _plainly(words: str) -> str:
    """Words with names as they are without typesetting: a mark for this step, a font, a derivative of the loss."""
    words = re.sub(r"\\(?:mathbf|bm|boldsymbol|mathrm)\s*\{(\w+)\}", r"\1", words)
    words = re.sub(r"\\frac\{\\partial \w+\}\{\\partial ([^{}]*(?:\{[^{}]*\})?)\}", r"d\1", words)
    return re.sub(r"(?<=[a-z])(?:_t|_\{t\}|\^t|\(t\)|\[t\])(?![\w+-])", "", words)
