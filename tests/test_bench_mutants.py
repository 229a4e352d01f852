"""The table of docs/mutants.md is what was measured, and a part of it, measured again, is the same."""

import json

import pytest

from tests.benchmarks import bench_mutants as bench
from tests.benchmarks.gradient_checkers import CHECKERS

OURS = "derive check, one point, float64"


@pytest.fixture(scope="module")
def measured() -> dict:
    return json.loads(bench.NAMES.read_text(encoding="utf-8"))


def test_the_page_shows_what_was_measured(measured):
    page = bench.PAGE.read_text(encoding="utf-8")
    again = "python tests/benchmarks/bench_mutants.py --write"
    assert page == bench.page_with(bench.table(measured), page), again
    assert again in page


def test_another_table_would_be_noticed(measured):
    page = bench.PAGE.read_text(encoding="utf-8")
    changed = json.loads(json.dumps(measured))
    changed["points"][0]["checkers"][OURS]["pass"].append("one more")
    assert bench.page_with(bench.table(changed), page) != page


def test_every_checker_was_shown_every_point(measured):
    assert [point["point"] for point in measured["points"]] == list(bench.POINTS)
    for point in measured["points"]:
        assert list(point["checkers"]) == [checker.name for checker in CHECKERS]


def test_ours_lets_none_pass_at_a_hard_point_and_refuses_nothing_right(measured):
    for point in measured["points"][1:]:
        assert point["checkers"][OURS]["pass"] == []
        assert point["checkers"][OURS]["silent"] == []
    for name, right in measured["right"].items():
        assert right["of"] > 0
        if name.startswith("derive check"):
            assert right["refused"] == 0


@pytest.mark.parametrize(
    ("where", "part", "chosen"),
    [
        ("notebook", 8, [OURS, "numpy.allclose, defaults, float64"]),
        ("scalar", 8, [OURS, "derive check, one point, float32", "numpy.allclose, defaults, float32"]),
        (
            "scalar",
            16,
            ["torch.autograd.gradcheck, defaults, float64", "jax.test_util.check_grads, defaults, float64"],
        ),
    ],
)
def test_a_part_measured_again_is_the_same(measured, needs, where, part, chosen):
    needs("torch")
    needs("jax")
    recorded = next(point for point in measured["points"] if point["point"] == where)
    again = bench.shown(where, recorded["every"] * part, chosen)
    assert again["mutants"] > 3
    shown_again = set(again["shown"])
    for name in chosen:
        for word in ("pass", "silent"):
            before = [mistake for mistake in recorded["checkers"][name][word] if mistake in shown_again]
            assert again["checkers"][name][word] == before, f"{name}: python tests/benchmarks/bench_mutants.py --write"


def test_the_table_counts_what_passed():
    row = {"pass": ["a", "b"], "silent": ["c"], "seconds": 2.0}
    found = {
        "python": "3", "numpy": "2", "torch": "2", "jax": "0",
        "points": [
            {"point": "scalar", "mutants": 9, "checkers": {checker.name: row for checker in CHECKERS}},
        ],
        "right": {checker.name: {"refused": 1, "of": 34} for checker in CHECKERS},
    }  # fmt: skip
    made = bench.table(found)
    assert made.count("| 2 (+1 say nothing) | 1 of 34 | 1.0 |") == len(CHECKERS)
    assert "passes: scalar (9)" in made
    page = f"above\n{bench.BEGIN}old\n{bench.END}below\n"
    assert bench.page_with(made, page) == f"above\n{bench.BEGIN}\n{made}\n{bench.END}below\n"
