"""The corpus of hand derivations is what it says: its size, its spread, its form. How the marker does on it is tested elsewhere."""

import json
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CORPUS = json.loads((HERE / "marking_corpus.json").read_text(encoding="utf-8"))
OWN_CELLS = json.loads((HERE / "marking_corpus_cells.json").read_text(encoding="utf-8"))
KEYS = {"id", "cell", "notation", "view", "sheet", "why"}


def judged(record):
    """The judged lines of a record, as (number, verdict, keywords)."""
    lines = record.get("lines", [record])
    return [(line["line"], line["verdict"], line.get("keywords")) for line in lines]


SINGLE = [record for record in CORPUS if "lines" not in record]
WHOLE = [record for record in CORPUS if "lines" in record]


def test_counts_of_verdicts():
    verdicts = Counter(record["verdict"] for record in SINGLE)
    assert verdicts["WRONG"] >= 90
    assert verdicts["RIGHT"] >= 90
    assert verdicts["TRUNCATED"] >= 8


@pytest.mark.parametrize("verdict", ["WRONG", "RIGHT"])
def test_spread_over_notations_views_and_cells(verdict):
    records = [record for record in SINGLE if record["verdict"] == verdict]
    notations = Counter(record["notation"] for record in records)
    views = Counter(record["view"] for record in records)
    cells = Counter(record["cell"] for record in records)
    assert set(notations) == {"text", "python", "latex"}
    assert min(notations.values()) >= 28
    assert set(views) == {"scalar", "vector"}
    assert min(views.values()) >= 40
    assert set(cells) == {"lstm", "gru", "rnn", "lnlstm"}
    assert min(cells.values()) >= 5


def test_truncated_in_every_notation():
    assert {r["notation"] for r in SINGLE if r["verdict"] == "TRUNCATED"} == {"text", "python", "latex"}


def test_whole_backward_passes():
    wrong = Counter(sum(verdict == "WRONG" for _, verdict, _ in judged(record)) for record in WHOLE)
    assert len(WHOLE) >= 15
    assert wrong[0] >= 4
    assert wrong[1] >= 5
    assert wrong[2] >= 5
    assert {record["cell"] for record in WHOLE} == {"lstm", "gru", "rnn"}
    assert max(len(record["sheet"].splitlines()) for record in WHOLE) >= 30


def test_two_mistakes_in_one_line():
    assert sum("two mistakes" in record.get("mistake", "") for record in SINGLE) >= 10


@pytest.mark.parametrize("record", CORPUS + OWN_CELLS, ids=lambda record: record["id"])
def test_form(record):
    assert record.keys() >= KEYS
    assert record["notation"] in {"text", "python", "latex"}
    assert record["view"] in {"scalar", "vector"}
    rows = record["sheet"].split("\n")
    assert 2 <= len(rows) <= 50
    for number, verdict, keywords in judged(record):
        assert 1 <= number <= len(rows)
        assert rows[number - 1].strip()
        assert verdict in {"WRONG", "RIGHT", "TRUNCATED"}
        assert (keywords is not None) == (verdict == "WRONG")
        for word in keywords or []:
            for one in [word] if isinstance(word, str) else word:
                assert one
                assert one == one.lower()


def test_names_and_sheets_are_unique():
    records = CORPUS + OWN_CELLS
    assert len({record["id"] for record in records}) == len(records)
    assert len({(record["sheet"], record.get("line")) for record in records}) == len(records)


def test_cells_of_their_own_come_with_a_text():
    assert all(record["cell_text"].startswith("cell " + record["cell"] + " ") for record in OWN_CELLS)
