"""The benchmark runs, its three ways agree, and what it measures stays within the budget."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mpmath import mp

from tests.benchmarks import bench_gradient as bench
from tests.benchmarks.one_gradient import unrolled

HEAVY = {"jax", "matplotlib", "numpy", "scipy", "torch"}
COMMAND_LINE = bench.ROOT / "derivations" / "__main__.py"

needs_command_line = pytest.mark.skipif(
    not COMMAND_LINE.exists(), reason="the command line, derivations/__main__.py, does not exist yet"
)


# --- the benchmark ------------------------------------------------------------------------------------------


def test_it_runs_as_its_docstring_says(needs, monkeypatch, capsys, tmp_path):
    needs("casadi")
    monkeypatch.setattr(bench, "STEPS_QUICK", (1, 3))
    monkeypatch.setattr(bench, "SYMPY_QUICK", (1,))
    monkeypatch.setattr(bench, "starts", lambda turns: [bench.Started("import sympy", 0.25, 1.0)])
    file = tmp_path / "found.json"
    assert bench.main(["--quick", "--repeats", "1", "--json", str(file)]) == 0

    printed = capsys.readouterr().out.splitlines()
    assert max(map(len, printed)) <= 80
    for way in bench.WAYS.values():
        assert sum(way in line for line in printed) >= 3, way

    found = json.loads(file.read_text())
    cases = {(case["way"], case["steps"]): case for case in found["cases"]}
    assert list(cases) == [("derivations", 1), ("sympy", 1), ("casadi", 1), ("derivations", 3), ("casadi", 3)]
    for case in cases.values():
        assert case["agrees"]
        assert case["seconds"] > 0
        assert list(case["gradient"]) == list(bench.numbers(1).wanted)
    assert cases["derivations", 1]["size"]["equations"] == cases["derivations", 3]["size"]["equations"]


def test_a_case_that_does_not_finish_says_so():
    (case,) = bench.measure([("sympy", 3)], repeats=5, limit=0.5)
    assert case.note == "did not finish in 0.5 s"
    assert case.seconds is None
    assert f"SymPy, T = 3: {case.note}" in bench.report([case], [])


def test_a_library_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(bench.importlib.util, "find_spec", lambda name: None)
    (case,) = bench.measure([("casadi", 1)], repeats=1, limit=60)
    assert case.note == "not measured; pip install casadi"


def test_a_failure_is_told_in_its_own_words():
    at = bench.numbers(1)
    nothing = bench.Numbers({}, at.states, at.inputs)
    assert bench.once("derivations", nothing, limit=60) == "failed: KeyError: 'W_xf'"


def test_a_process_that_fails_is_told_in_its_own_words():
    with pytest.raises(RuntimeError, match="failed: not today"):
        bench.wall(["-c", "raise SystemExit('not today')"])


def test_a_wrong_value_is_reported(monkeypatch, capsys):
    right = bench.Case("casadi", 2, runs=(0.1,), error=165.0, at="h_0", allowed=166.0)
    wrong = bench.replace(right, error=167.0)
    monkeypatch.setattr(bench, "starts", lambda turns: [])
    for case, status in ((right, 0), (wrong, 1)):
        monkeypatch.setattr(bench, "measure", lambda *_, case=case: [case])
        assert bench.main(["--quick"]) == status
        assert ("WRONG: CasADi, T = 2, the derivative by h_0" in capsys.readouterr().out) == bool(status)


@pytest.fixture(scope="module")
def truth():
    return bench.reference(bench.numbers(64))


def test_the_reference_is_the_derivative(truth):
    """Central differences of the unrolled LSTM, at a distance of 10^-40, in 100 digits."""
    at = bench.numbers(64)

    def h(name, change):
        moved = {key: mp.mpf(value) for key, value in (at.parameters | at.states).items()}
        return unrolled(moved | {name: moved[name] + change}, [mp.mpf(x) for x in at.inputs], mp.exp, mp.tanh)

    with mp.workdps(100):
        step = mp.mpf(10) ** -40
        for name, value in truth.items():
            slope = (h(name, step) - h(name, -step)) / (2 * step)
            assert abs(slope - value) < abs(value) * mp.mpf(10) ** -40, name


@pytest.mark.parametrize("name", ["W_xf", "h_0", "c_0"])
def test_a_wrong_gradient_is_found(truth, name):
    operations = 64 * 77
    right = {key: float(value) for key, value in truth.items()}
    assert bench.worst(right, truth)[0] <= 1
    for wrong in (right[name] * (1 + 1e-11), -right[name], 0.0, float("nan")):
        error, at = bench.worst(right | {name: wrong}, truth)
        assert at == name
        assert error > bench.allowed(operations)


def test_numbers_that_cancel_are_refused():
    at = bench.numbers(2)
    with pytest.raises(ValueError, match="cancel or saturate"):
        bench.reference(bench.Numbers(at.parameters | {"W_xg": -3.0}, at.states, at.inputs))


# --- the budget ---------------------------------------------------------------------------------------------


@pytest.mark.benchmark
def test_all_gradients_of_an_lstm_are_derived_in_a_tenth_of_a_second():
    """From text, in a fresh process, so that the grammar is read as well; the best of five runs."""
    (case,) = bench.measure([("derivations", 1)], repeats=5, limit=60)
    assert case.agrees
    assert min(case.runs) < 0.1


@pytest.mark.benchmark
@needs_command_line
def test_show_takes_less_than_twice_as_long_as_importing_sympy():
    """Runs side by side; of each the fastest, which a busy machine slowed least. A busy minute may be waited out."""
    pair = [bench.SHOW_LSTM, bench.IMPORT_SYMPY]
    ratios = []
    for _ in range(4):
        _, *times = bench.side_by_side(pair, turns=7)  # the first lets Python compile its files
        show, sympy = map(min, zip(*times, strict=True))
        ratios.append(show / sympy)
        if ratios[-1] < 2:
            return
    pytest.fail(f"derive show lstm takes {min(ratios):.2f} times as long as import sympy")


SHOW_AND_LIST = """
import sys
from derivations.__main__ import main

sys.argv = ["derive", "show", "lstm"]
try:
    main()
except SystemExit as end:
    if end.code:
        raise
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def loaded(folder: Path) -> set[str]:
    """The packages in memory after `derive show lstm`, with the `derivations` that lies in a folder."""
    run = [sys.executable, "-c", SHOW_AND_LIST]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@needs_command_line
def test_show_loads_nothing_heavy():
    packages = loaded(bench.ROOT)
    assert "derivations" in packages
    assert packages & HEAVY == set()


def test_a_heavy_import_is_found(tmp_path):
    package = tmp_path / "derivations"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("def main():\n    import numpy.linalg\n")
    assert loaded(tmp_path) & HEAVY == {"numpy"}
