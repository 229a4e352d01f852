"""No false alarm: what is right is never called wrong, and bounds are so tight that most of it is called right."""

import pytest

from backends.backend import find
from backends.check import Verdict
from backends.ways import ready
from derivations.catalogue import cell_names
from tests.benchmarks.right_gradients import LEAST, REGIMES, SEEDS, main, sweep, table, tally


def test_right_gradients_of_the_smallest_cell_raise_no_alarm(needs, capsys):
    """All ways, formats and regimes; the whole sweep is `python -m tests.benchmarks.right_gradients`."""
    for backend in find().values():
        for package in backend.packages:
            needs(package)
    found = list(sweep(["rnn"], seeds=2))
    with capsys.disabled():
        print("\n" + table(found))
    assert {one.regime for one in found} == set(REGIMES)
    assert len({(one.way, one.view, one.dtype) for one in found}) == 26
    assert [one for one in found if one.verdict == Verdict.FAIL.value] == []
    assert tally(one for one in found if one.regime == "N(0, 1)").share >= LEAST


def test_a_wrong_gradient_would_be_counted():
    numpy = [find()["numpy"]]
    for spoiled, dtype in ((1 + 1e-10, "float64"), (1 + 1e-3, "float32")):
        found = tally(sweep(["rnn"], 1, numpy, ["N(0, 1)"], [dtype], spoiled))
        assert found.failed >= 0.9 * found.arrays
        assert found.worst > 1


@pytest.mark.parametrize("cell", cell_names())
def test_the_bounds_of_a_cell_are_tight(cell, capsys):
    """The largest E of a right gradient lies in [0.05, 1]: with a bound much wider, a mistake would pass."""
    backends = [backend for backend in ready()[0] if backend.compiled is None]
    found = [one for one in sweep([cell], 2, backends, ["N(0, 1)", "N(0, 3^2)"], ["float64"]) if one.error == one.error]
    worst = max(found, key=lambda one: one.error)
    with capsys.disabled():
        print(f"\n{cell}: worst right E = {worst.error:.3f}, {worst.quantity} by {worst.way}, {worst.view}")
    assert 0.05 <= worst.error <= 1


@pytest.mark.long
@pytest.mark.benchmark
def test_two_hundred_thousand_right_gradients_raise_no_alarm(needs, capsys, tmp_path):
    for backend in find().values():
        for package in backend.packages:
            needs(package)
    found = list(sweep(cell_names(), SEEDS))
    every = tally(found)
    with capsys.disabled():
        print("\n" + table(found))
    assert every.entries >= 200_000
    assert every.arrays >= 20_000
    assert every.failed == 0
    assert every.worst <= 1
    assert every.share >= LEAST
    assert every.arrays_passed >= LEAST * every.arrays


def test_the_sweep_ends_with_an_error_where_it_should(monkeypatch, capsys):
    from tests.benchmarks import right_gradients as bench

    numpy, seen = [find()["numpy"]], {}

    def short(cells, seeds):
        return sweep(["rnn"], seeds, numpy, ["N(0, 1)"], ["float64"], seen["spoiled"])

    monkeypatch.setattr(bench, "sweep", short)
    for seen["spoiled"], status in ((1.0, 0), (1 + 1e-10, 1)):
        assert main(["--seeds", "1"]) == status
        assert "worst E" in capsys.readouterr().out
