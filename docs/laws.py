"""Writes docs/laws.md: which mistakes of the LSTM's backward pass each law sees. `python docs/laws.py`"""

import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from backends.laws.every import LAWS  # noqa: E402 - the same
from backends.laws.kills import Seen, laws_of, one_of_each_size, seen, slips_seen  # noqa: E402 - found by the line above
from derivations.catalogue import read_cell  # noqa: E402 - the same
from derivations.derive import derive  # noqa: E402 - the same
from derivations.mutants import mutants  # noqa: E402 - the same

CELL = "lstm"
PAGE = HERE / "laws.md"
HEAD = """\
# Laws, and the mistakes that they see

`derive check CELL --laws` holds a backward pass against laws that every right gradient obeys. They need no other
gradient to compare with: not ours, not a library's. This page says how much each of them sees. It is written by
`python docs/laws.py`, and a test holds it against what is true today.

"""
BEFORE_MUTANTS = """
## What each law sees, alone

Every single mistake of the LSTM's backward pass (of factors, one size each: modulo a prime all sizes are one) is made
on purpose, and every law is held on it modulo the prime 2^61 - 1.

"""
BEFORE_SLIPS = """
Most laws say how gradients at one point follow from those at another. A backward pass that is wrong in the same way at
both obeys them: a global factor is linear, and takes its part when time is split. That is no fault of the law. It sees
what is done to time, to the batch, to units and to arrays, where the equations may all be right. `direction` compares
with the forward equations, and sees every mistake in a gradient. `no curl` needs no forward derivative: it asks whether
the gradients are those of anything, and passes what is wrong by one factor throughout.

## Slips in the handling of arrays

No equation shows these: the derived gradients are right, and then handled wrongly.

"""
BEFORE_ROWS = """
## Every mistake

"""


def page(mistakes: Sequence[Seen], slips: Sequence[Seen]) -> str:
    """The page from its rows."""
    names = [law.name for law in laws_of(read_cell(CELL))]
    parts = [HEAD, _table(("law", "what it says"), [(law.name, law.sentence) for law in LAWS]), BEFORE_MUTANTS]
    counts = []
    for name in names:
        alone = sum(name in each.laws for each in mistakes)
        only = sum(each.laws == (name,) for each in mistakes)
        counts.append((name, str(alone), f"{alone / len(mistakes):.1%}", str(only)))
    together = sum(bool(each.laws) for each in mistakes)
    counts.append(("all together", str(together), f"{together / len(mistakes):.1%}", ""))
    parts.append(_table(("law", f"sees, of {len(mistakes)}", "share", "sees as the only one"), counts))
    for heading, rows in ((BEFORE_SLIPS, slips), (BEFORE_ROWS, mistakes)):
        parts += [heading, _table(("mistake", "seen by"), [(each.mistake, ", ".join(each.laws)) for each in rows])]
    return "".join(parts)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cell.replace('*', chr(92) + '*') for cell in line)} |\n" for line in lines)


def rows_of(text: str) -> tuple[list[Seen], list[Seen]]:
    """The mistakes and the slips that a page lists."""

    def listed(part: str) -> list[Seen]:
        lines = [line.strip("|").replace(chr(92), "") for line in part.splitlines() if line.startswith("|")]
        pairs = [line.split(" | ") for line in lines[2:]]
        return [Seen(mistake.strip(), tuple(laws.strip().split(", "))) for mistake, laws in pairs]

    before, _, mistakes = text.partition(BEFORE_ROWS)
    return listed(mistakes), listed(before.partition(BEFORE_SLIPS)[2])


if __name__ == "__main__":
    derivation = derive(read_cell(CELL))
    found = list(seen(derivation, one_of_each_size(mutants(derivation))))
    PAGE.write_text(page(found, list(slips_seen(derivation))), encoding="utf-8")
