"""A walkthrough file replayed and told, in every format, with whatever its titles, notes and remarks hold."""

import json

from derivations.cell import CellError
from derivations.formats._latex_document import notebook
from derivations.formats._latex_document import render as latex
from derivations.formats._markdown_document import render as markdown
from derivations.formats._text_document import pieces
from derivations.reports.checks import Checked
from derivations.reports.walkthrough import document, record
from derivations.walkthrough import parse, replay
from tests.fuzz import fuzz_toml
from tests.fuzz.inert import latex_faults, markdown_faults, text_faults

COMPLAINTS = CellError
MOST_STEPS = 6  # more of them take longer, and are told alike

SEEDS = [fuzz_toml.SMALL, fuzz_toml.WITH_BLOCKS]
WORDS = fuzz_toml.WORDS


def fuzz(text: str) -> None:
    found = parse(text, "fuzzed")
    if found.steps > MOST_STEPS:
        return
    told = replay(found)
    shown = document(told, Checked())
    for faults, written in (
        (text_faults, "".join(piece for _, piece in pieces(shown))),
        (latex_faults, latex(shown)),
        (latex_faults, notebook(shown)),
        (markdown_faults, markdown(shown)),
    ):
        assert not (wrong := faults(written)), (faults.__name__, wrong[:3])
    json.dumps(record(told, Checked()), allow_nan=True)
