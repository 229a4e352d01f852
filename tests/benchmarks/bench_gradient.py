"""The gradient of a scalar LSTM over T steps, three ways, side by side in one run.

    python tests/benchmarks/bench_gradient.py [--json FILE] [--quick] [--repeats N] [--limit SECONDS]

The objective is h_T; the gradient is by the 12 parameters, h_0 and c_0. `one_gradient.py` holds the three
ways: ours, plain SymPy and CasADi. A time is that of a fresh process, from the end of its imports to the
first value of the gradient. We start from the cell's text, the other two from Python expressions. The ways
take turns, so that a busy minute strikes them alike; what is printed are medians, and ratios of medians. All
of it takes ten minutes, most of them SymPy's; `--quick`, without the long sequences, half a minute.

A wrong gradient would cost nothing, so the values are compared as well (see `allowed`): exit 1 if one is off.
"""

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

WAYS = {"derivations": "derivations", "sympy": "SymPy", "casadi": "CasADi"}
STEPS, STEPS_QUICK = (1, 2, 3, 4, 64, 1024), (1, 2, 4, 64)
SYMPY, SYMPY_QUICK = (1, 2, 3, 4), (1, 2)  # T = 4 is there to be seen not to finish
LONG, FEW = 20.0, 3  # what takes more than so many seconds is run so many times at most


# --- the numbers, and the truth -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Numbers:
    """What all three ways are given; all of it positive, so that nothing cancels (see `allowed`)."""

    parameters: dict[str, float]
    states: dict[str, float]
    inputs: list[float]

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names that the gradient is by."""
        return (*self.parameters, *self.states)


def numbers(steps: int) -> Numbers:
    """Seeded numbers for T steps; with this b_f the gradient by c_0 is still a normal float at T = 1024."""
    random = Random(1)
    parameters = {name: random.uniform(0.1, 0.3) for k in "figo" for name in (f"W_x{k}", f"W_h{k}", f"b_{k}")}
    inputs = [random.uniform(0.1, 0.9) for _ in range(steps)]
    return Numbers(parameters | {"b_f": 0.5}, {"h_0": 0.3, "c_0": 0.4}, inputs)


def reference(at: Numbers) -> dict[str, Any]:
    """The gradient to 50 digits: mpmath, and forward mode by hand, which shares nothing with the three ways.

    A number is a list: its value, and its derivative by each of the names.
    """
    from mpmath import mp

    def given(value: float, wrt: str = "") -> list[Any]:
        return [mp.mpf(value), *(mp.mpf(name == wrt) for name in at.wanted)]

    def plus(*terms: list[Any]) -> list[Any]:
        return [sum(parts) for parts in zip(*terms, strict=True)]

    def times(a: list[Any], b: list[Any]) -> list[Any]:
        return [a[0] * b[0], *(a[0] * db + da * b[0] for da, db in zip(a[1:], b[1:], strict=True))]

    def sigmoid(a: list[Any]) -> list[Any]:
        y = 1 / (1 + mp.exp(-a[0]))
        return [y, *(y * (1 - y) * da for da in a[1:])]

    def tanh(a: list[Any]) -> list[Any]:
        y = mp.tanh(a[0])
        return [y, *((1 - y * y) * da for da in a[1:])]

    with mp.workdps(50):
        p = {name: given(value, name) for name, value in (at.parameters | at.states).items()}
        h, c = p["h_0"], p["c_0"]
        for number in at.inputs:
            x = given(number)
            a_f, a_i, a_g, a_o = (plus(times(p[f"W_x{k}"], x), times(p[f"W_h{k}"], h), p[f"b_{k}"]) for k in "figo")
            c = plus(times(sigmoid(a_f), c), times(sigmoid(a_i), tanh(a_g)))
            h = times(sigmoid(a_o), tanh(c))
            if not all(0 < a[0] < 1 for a in (a_f, a_i, a_g, a_o, c)) or min(h) < 0:
                raise ValueError("these numbers cancel or saturate, and `allowed` does not hold for them")
        return dict(zip(at.wanted, h[1:], strict=True))


def allowed(operations: int) -> float:
    """The largest relative error that a right gradient may have, in units of u = 2^-53.

    Every term here is positive: weights, inputs, states, gates, adjoints. A sum is then no worse, relatively,
    than the worst of its terms, so that errors do not add across paths, only along one: a unit at each
    operation, a few at exp and tanh, and up to three times what came in at 1 - f and 1 - g^2 (preactivations
    and c stay below 1, and `reference` sees to it). No path is longer than the whole program, and most of the
    program lies beside any one path. So the bound is the program's number of operations.
    """
    return float(operations)


def worst(gradient: Mapping[str, float], truth: Mapping[str, Any]) -> tuple[float, str]:
    """The largest relative error of a gradient, in u, and the name that it is by; NaN is infinitely off."""
    from mpmath import mp

    def error(name: str) -> float:
        with mp.workdps(50):
            off = float(abs(gradient[name] - truth[name]) / abs(truth[name]) * 2**53)
        return off if off == off else float("inf")

    return max((error(name), name) for name in truth)


# --- measuring ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """All runs of one way at one T, or a note that says why there are none.

    Attributes:
        runs: seconds of each.
        phases: seconds of each part, medians.
        gradient: by name.
        size: operations, by what was counted.
        error, at: the worst relative error in u, and the name of that derivative.
        allowed: what `error` is held against.
    """

    way: str
    steps: int
    runs: tuple[float, ...] = ()
    phases: Mapping[str, float] = field(default_factory=dict)
    gradient: Mapping[str, float] = field(default_factory=dict)
    size: Mapping[str, int] = field(default_factory=dict)
    error: float | None = None
    at: str = ""
    allowed: float | None = None
    note: str = ""

    @property
    def seconds(self) -> float | None:
        return median(self.runs) if self.runs else None

    @property
    def agrees(self) -> bool:
        return self.error is None or self.allowed is None or self.error <= self.allowed


def environment() -> dict[str, str]:
    """The caller's, with the packages of this checkout in front of others of their name."""
    path = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    return os.environ | {"PYTHONPATH": os.pathsep.join(path)}


def once(way: str, at: Numbers, limit: float) -> dict[str, Any] | str:
    """One run in a process of its own, as `one_gradient.py` prints it, or why there is none."""
    if way != "derivations" and importlib.util.find_spec(way) is None:
        return f"not measured; pip install {way}"
    command = [sys.executable, str(Path(__file__).with_name("one_gradient.py")), way]
    given = json.dumps(asdict(at))
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            env=environment(),
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"did not finish in {limit:g} s"
    if done.returncode:
        return f"failed: {last_line(done.stderr)}"
    return dict(json.loads(done.stdout))


def last_line(text: str) -> str:
    return (text.strip() or "without a word").splitlines()[-1]


def measure(wanted: Sequence[tuple[str, int]], repeats: int, limit: float) -> list[Case]:
    """Each (way, T) `repeats` times, in turns: one run of each, then the next of each."""
    found: dict[tuple[str, int], list[dict[str, Any]]] = {case: [] for case in wanted}
    notes: dict[tuple[str, int], str] = {}
    for turn in range(repeats):
        for (way, steps), runs in found.items():
            if (way, steps) in notes or (turn >= FEW and sum(runs[0]["phases"].values()) > LONG):
                continue
            answer = once(way, numbers(steps), limit)
            if isinstance(answer, str):
                notes[way, steps] = answer
            else:
                runs.append(answer)

    ours = {steps: runs for (way, steps), runs in found.items() if way == "derivations" and runs}
    truths = {steps: reference(numbers(steps)) for steps in ours}

    def case(way: str, steps: int) -> Case:
        runs = found[way, steps]
        if (way, steps) in notes:
            return Case(way, steps, note=notes[way, steps])
        measured = Case(
            way,
            steps,
            runs=tuple(sum(run["phases"].values()) for run in runs),
            phases={phase: median(run["phases"][phase] for run in runs) for phase in runs[0]["phases"]},
            gradient=runs[0]["gradient"],
            size=runs[0]["size"],
        )
        if steps not in ours:
            return measured
        error, at = max(worst(run["gradient"], truths[steps]) for run in runs)
        return replace(measured, error=error, at=at, allowed=allowed(ours[steps][0]["size"]["done"]))

    return [case(*one) for one in found]


@dataclass(frozen=True)
class Started:
    """A process from start to end: medians of its seconds, and of its ratio to `import sympy` beside it."""

    what: str
    seconds: float | None = None
    ratio: float | None = None
    note: str = ""


IMPORT_SYMPY = ("-c", "import sympy")
SHOW_LSTM = ("-m", "derivations", "show", "lstm")


def wall(arguments: Sequence[str]) -> float:
    """Seconds that a Python process takes, from start to end.

    Raises:
        RuntimeError: it failed.
    """
    began = time.perf_counter()
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"failed: {last_line(done.stderr)}")
    return took


def side_by_side(commands: Sequence[Sequence[str]], turns: int) -> Iterator[list[float]]:
    """Seconds of each command, turn by turn: A B A B."""
    for _ in range(turns):
        yield [wall(command) for command in commands]


def starts(turns: int) -> list[Started]:
    """What starting costs: Python, the libraries, the modules that our gradient takes, the command line."""
    commands: dict[str, Sequence[str]] = {
        "python": ("-c", "pass"),
        "import derivations": ("-c", "import derivations"),
        "our modules, without SymPy": ("-c", "from derivations import derive, floats, language, program"),
        "import sympy": IMPORT_SYMPY,
    }
    if importlib.util.find_spec("casadi"):
        commands["import casadi"] = ("-c", "import casadi")
    if (ROOT / "derivations" / "__main__.py").exists():
        commands["derive show lstm"] = SHOW_LSTM
    notes = {}
    for what, command in commands.items():  # once ahead of the rest, so that Python has compiled its files
        try:
            wall(command)
        except RuntimeError as error:
            notes[what] = str(error)
    working = [what for what in commands if what not in notes]
    times = list(side_by_side([commands[what] for what in working], turns))
    sympy = working.index("import sympy")
    return [
        *(
            Started(what, median(row[k] for row in times), median(row[k] / row[sympy] for row in times))
            for k, what in enumerate(working)
        ),
        *(Started(what, note=note) for what, note in notes.items()),
    ]


# --- the report ---------------------------------------------------------------------------------------------


def figure(value: float | None) -> str:
    """A count in full, a measurement to three digits, a dash for what there is not."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if isinstance(value, int) or value >= 100 else f"{value:.3g}"


def ratio(above: float | None, below: float | None) -> str:
    return figure(above / below) if above is not None and below else "-"


def table(title: str, header: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> list[str]:
    """A title and aligned columns; text to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*header, *rows, strict=True)]
    text = [any(row[k][:1].isalpha() for row in rows) for k in range(len(widths))]

    def line(row: Sequence[str]) -> str:
        cells = [c.ljust(w) if left else c.rjust(w) for c, w, left in zip(row, widths, text, strict=True)]
        return "  ".join(cells).rstrip()

    return ["", title, "", *map(line, (*header, *rows))]


def report(cases: Sequence[Case], started: Sequence[Started]) -> str:
    """What was measured, in tables of at most 80 columns."""
    by = {(case.way, case.steps): case for case in cases}
    every = sorted({case.steps for case in cases})

    def each(steps: int) -> list[Case]:
        return [by.get((way, steps), Case(way, steps)) for way in WAYS]

    def milliseconds(seconds: float | None) -> float | None:
        return None if seconds is None else 1000 * seconds

    def times(steps: int) -> list[str]:
        found = [milliseconds(case.seconds) for case in each(steps)]
        return [str(steps), *map(figure, found), *(ratio(other, found[0]) for other in found[1:])]

    def parts(case: Case) -> list[str]:
        phases = ("read", "build", "differentiate", "compile", "run")
        found = [milliseconds(case.phases.get(phase)) for phase in phases]
        return [WAYS[case.way], str(case.steps), *map(figure, found)]

    def sizes(steps: int) -> list[str]:
        ours, sympy, casadi = (case.size for case in each(steps))
        found = [ours.get("done"), sympy.get("tree"), sympy.get("cse"), casadi.get("done")]
        over = [ratio(found[1], found[0]), ratio(found[3], found[0])]
        return [str(steps), figure(ours.get("equations")), *map(figure, found), *over]

    def errors(steps: int) -> list[str]:
        limit = next((case.allowed for case in each(steps) if case.allowed), None)
        return [str(steps), *(figure(case.error) for case in each(steps)), figure(limit)]

    shortest_and_longest = [
        case
        for way in WAYS
        for own in [[case for case in cases if case.way == way and case.runs]]
        for case in own[:1] + own[1:][-1:]
    ]
    names = list(WAYS.values())
    lines = ["The gradient of h_T of a scalar LSTM, by its 12 parameters, h_0 and c_0"]
    lines += table(
        "From text to the first value, imports not counted (medians)",
        [["T", *names, "SymPy /", "CasADi /"], ["", "ms", "ms", "ms", "derivations", "derivations"]],
        [times(steps) for steps in every],
    )
    lines += [f"{WAYS[case.way]}, T = {case.steps}: {case.note}" for case in cases if case.note]
    lines += table(
        "Where the time goes (ms)",
        [["", "T", "read", "build", "differentiate", "compile", "run"]],
        [parts(case) for case in shortest_and_longest],
    )
    lines += table(
        "Operations: of our equations for one step, of their run; of trees, and after cse",
        [
            ["T", "derivations", "run", "SymPy", "cse", "CasADi", "SymPy /", "CasADi /"],
            ["", "one step", "T steps", "trees", "", "", "run", "run"],
        ],
        [sizes(steps) for steps in every],
    )
    lines += table(
        "Worst relative error beside 50 digits (in u = 2^-53)",
        [["T", *names, "allowed"]],
        [errors(steps) for steps in every],
    )
    lines += [f"WRONG: {WAYS[c.way]}, T = {c.steps}, the derivative by {c.at}" for c in cases if not c.agrees]
    if started:
        lines += table(
            "Processes, from start to end (medians)",
            [["", "ms", "/ import sympy"]],
            [[one.what, figure(milliseconds(one.seconds)), figure(one.ratio)] for one in started],
        )
        lines += [f"{one.what}: {one.note}" for one in started if one.note]
    lines += ["", ", ".join(f"{name} {number}" for name, number in versions().items())]
    return "\n".join(lines) + "\n"


def as_record(case: Case) -> dict[str, Any]:
    """For JSON, which knows no infinity: an error that is not finite is null, and does not agree."""
    error = case.error if case.error is not None and isfinite(case.error) else None
    return asdict(case) | {"seconds": case.seconds, "error": error, "agrees": case.agrees}


def versions() -> dict[str, str]:
    """Of Python, and of the libraries that stand beside us."""
    there = [way for way in ("sympy", "casadi") if importlib.util.find_spec(way)]
    return {"Python": platform.python_version(), **{WAYS[way]: version(way) for way in there}}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The gradient of a scalar LSTM, three ways, side by side.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured there as well")
    parser.add_argument("--quick", action="store_true", help="leave long sequences out")
    parser.add_argument("--repeats", type=int, metavar="N", help="runs of each case (5; quick: 3)")
    parser.add_argument("--limit", type=float, default=200.0, metavar="SECONDS", help="for one run (200)")
    options = parser.parse_args(arguments)
    repeats = options.repeats or (3 if options.quick else 5)

    steps, sympy = (STEPS_QUICK, SYMPY_QUICK) if options.quick else (STEPS, SYMPY)
    wanted = [(way, T) for T in steps for way in WAYS if way != "sympy" or T in sympy]
    cases = measure(wanted, repeats, options.limit)
    started = starts(repeats)
    print(report(cases, started), end="")
    if options.json:
        found = {
            "schema": "derivations/benchmark/1",
            "versions": versions(),
            "cases": [as_record(case) for case in cases],
            "processes": [asdict(one) for one in started],
        }
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0 if all(case.agrees for case in cases) else 1


if __name__ == "__main__":
    sys.exit(main())
