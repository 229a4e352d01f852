"""The corpora of hand derivations are what they say: their size, their spread, their form."""

from collections import Counter

import pytest

from tests.marking.corpus import NAMES, is_named, records

EVERY = [record for name in NAMES for record in records(name)]
KEYS = {"id", "cell", "notation", "view", "sheet", "why", "lines"}


@pytest.mark.parametrize("name", NAMES)
def test_size_and_spread(name):
    verdicts = Counter(line["verdict"] for record in records(name) for line in record["lines"])
    assert verdicts["WRONG"] >= 70
    assert verdicts["RIGHT"] >= 80
    assert verdicts["TRUNCATED"] >= 6 * (name in NAMES[:4])
    for key, least in (("notation", 15), ("view", 15)):
        assert min(Counter(record[key] for record in records(name)).values()) >= least
    assert {"lstm", "gru", "rnn", "lnlstm"} <= {record["cell"] for record in records(name)}
    whole = [record for record in records(name) if len(record["sheet"].splitlines()) >= 15]
    assert len(whole) >= 5
    assert any(all(line["verdict"] != "WRONG" for line in record["lines"]) for record in whole)


@pytest.mark.parametrize("record", EVERY, ids=lambda record: record["id"])
def test_form(record):
    assert record.keys() - {"cell_text"} == KEYS
    assert record["notation"] in {"text", "python", "latex"}
    assert record["view"] in {"scalar", "vector"}
    rows = record["sheet"].split("\n")
    for line in record["lines"]:
        assert rows[line["line"] - 1].strip()
        assert line["verdict"] in {"WRONG", "RIGHT", "TRUNCATED"}
        assert ("keywords" in line) == ("mistake" in line) == (line["verdict"] == "WRONG")
        assert all(word and word == word.lower() for group in line.get("keywords", ()) for word in group)


def test_no_sheet_stands_twice():
    assert len({record["id"] for record in EVERY}) == len(EVERY)
    judged = [(record["sheet"], line["line"]) for record in EVERY for line in record["lines"]]
    assert len(set(judged)) == len(judged)


def test_words_that_say_nothing_name_no_mistake():
    """Else a long list of words would be met by anything."""
    wrong = [(record["id"], line) for record in EVERY for line in record["lines"] if line["verdict"] == "WRONG"]
    said = "no single change and no few changes of the right line explain this"
    assert not [id_ for id_, line in wrong if is_named(id_, line, said)]
