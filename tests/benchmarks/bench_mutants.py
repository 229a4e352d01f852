"""How many wrong derivations each check lets pass, and how many right ones it refuses: five tools in one run.

    python tests/benchmarks/bench_mutants.py [--every N] [--jobs N] [--json FILE] [--write]

Every mutant of the LSTM's backward pass is shown to `derive check`, `numpy.allclose`, `torch.autograd.gradcheck` and
`jax.test_util.check_grads`, at the same numbers: those of the notebook's walkthrough, a hard point of the scalar LSTM,
and one of the vector LSTM. Shown are every `--every`th mutant of the scalar view, and a fourth of these in the vector
view, where gradcheck takes a third of a second for each. Right gradients are shown to all of them as well.
`gradient_checkers.py` says what each is asked.

`--write` puts the table into docs/mutants.md, and the names of what passed into let_pass.json beside this file. It
takes three minutes on two cores; with `--every 1`, ten.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # this checkout's packages, however the file is run

from backends.audit_walkthrough import one_hot  # noqa: E402 - after the path is set
from backends.mutation import Exact  # noqa: E402 - after the path is set
from backends.points import Point, draw, draw_scalar  # noqa: E402 - after the path is set
from derivations.catalogue import read_cell  # noqa: E402 - after the path is set
from derivations.derive import Derivation, derive  # noqa: E402 - after the path is set
from derivations.equivalent import Equality  # noqa: E402 - after the path is set
from derivations.mutants import Mutant, mutants  # noqa: E402 - after the path is set
from derivations.over_time import unrolled  # noqa: E402 - after the path is set
from derivations.program import backward_program  # noqa: E402 - after the path is set
from derivations.walkthrough import read_walkthrough  # noqa: E402 - after the path is set
from tests.benchmarks.gradient_checkers import CHECKERS, FAIL, PASS, SILENT  # noqa: E402 - after the path is set

PAGE, NAMES = ROOT / "docs" / "mutants.md", Path(__file__).with_name("let_pass.json")
BEGIN, END = "<!-- table: bench_mutants.py -->\n", "<!-- end of table -->\n"
SEED = 1
RIGHT_SEEDS = range(2, 4)


def _notebook() -> tuple[Derivation, Point]:
    walkthrough = read_walkthrough("notebook")
    return walkthrough.derivation, one_hot(walkthrough)["h"]


def _hard(drawing: Callable[..., Point], seed: int = SEED, **options: float) -> tuple[Derivation, Point]:
    cell = read_cell("lstm")
    return derive(cell), drawing(cell, seed, **options)


POINTS: dict[str, Callable[[], tuple[Derivation, Point]]] = {
    "notebook": _notebook,
    "scalar": lambda: _hard(draw_scalar),
    "vector": lambda: _hard(draw),
}


def right_points() -> Iterator[tuple[str, Derivation, Point]]:
    """Where right gradients are shown: the notebook, and points of two scales, scalar and vector."""
    yield ("notebook", *_notebook())
    for drawing in (draw_scalar, draw):
        for scale in (1.0, 3.0):
            for seed in RIGHT_SEEDS:
                yield (f"{drawing.__name__} {seed} {scale:g}", *_hard(drawing, seed, scale=scale))


# --- measuring ----------------------------------------------------------------------------------------------


def wrong(derivation: Derivation, view: str) -> tuple[Mutant, ...]:
    """The mutants that are not the right program in other words."""
    right = backward_program(derivation)
    held, equality = unrolled(derivation.cell, vector=view == "vector"), Equality(right, vector=view == "vector")
    return tuple(m for m in mutants(derivation) if not (held.proof(m.program) and equality.proof(m.program)))


def shown(where: str, every: int, chosen: Sequence[str] | None = None) -> dict[str, Any]:
    """What every checker says of every mutant at one point: the names of those that pass, and seconds for each.

    Shown are those of which some number is wrong there, by the exact layer; the others are counted as unseen.
    """
    derivation, point = POINTS[where]()
    right = backward_program(derivation)
    exact = Exact(right, point)
    every_one = wrong(derivation, where)[::every]
    found = [mutant for mutant in every_one if exact.kills(mutant.program)]
    rows = {}
    for checker in CHECKERS:
        if chosen is not None and checker.name not in chosen:
            continue
        answer = checker.at(right, point, checker.dtype)
        answer(right)  # what compiles and loads does so now
        said, seconds = {}, []
        for mutant in found:
            began = time.process_time()
            said[mutant.mistake] = answer(mutant.program)
            seconds.append(time.process_time() - began)
        rows[checker.name] = {
            "pass": [mistake for mistake, word in said.items() if word == PASS],
            "silent": [mistake for mistake, word in said.items() if word == SILENT],
            "seconds": median(seconds),
        }
    return {
        "point": where,
        "every": every,
        "mutants": len(found),
        "unseen": len(every_one) - len(found),
        "checkers": rows,
        "shown": [mutant.mistake for mutant in found],
    }


def alarms(part: int = 0, parts: int = 1) -> dict[str, dict[str, int]]:
    """How many right gradients every checker refuses: the derived program, and a library's own differentiation."""
    found = {checker.name: {"refused": 0, "of": 0} for checker in CHECKERS}
    for _, derivation, point in list(right_points())[part::parts]:
        right = backward_program(derivation)
        for checker in CHECKERS:
            answer = checker.at(right, point, checker.dtype)
            said = [answer(right), answer(None)]
            found[checker.name]["refused"] += said.count(FAIL)
            found[checker.name]["of"] += len(said)
    return found


def measure(every: int, jobs: int) -> dict[str, Any]:
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        each = [pool.submit(shown, where, every * (4 if where == "vector" else 1)) for where in reversed(POINTS)]
        right = pool.submit(alarms)
        points = [job.result() for job in reversed(each)]
        packages = {name: version(name) for name in ("numpy", "torch", "jax")}
        return {"python": platform.python_version(), **packages, "points": points, "right": right.result()}


# --- the report ---------------------------------------------------------------------------------------------


def table(found: dict[str, Any]) -> str:
    """Markdown: a row a checker; at each point how many mutants pass, then false alarms and time."""
    base = next(iter(CHECKERS)).name
    head = [f"{p['point']} ({p['mutants']})" for p in found["points"]]
    lines = [
        "| asked | " + " | ".join(f"passes: {name}" for name in head) + " | right, refused | time |",
        "|---|" + "---:|" * (len(head) + 2),
    ]
    for checker in CHECKERS:
        cells = []
        for point in found["points"]:
            row = point["checkers"][checker.name]
            silent = f" (+{len(row['silent'])} say nothing)" if row["silent"] else ""
            cells.append(f"{len(row['pass'])}{silent}")
        right = found["right"][checker.name]
        cells.append(f"{right['refused']} of {right['of']}")
        ratios = [p["checkers"][checker.name]["seconds"] / p["checkers"][base]["seconds"] for p in found["points"]]
        cells.append(f"{median(ratios):.1f}")
        tool = f"`{checker.tool}`" if "." in checker.tool else f"**{checker.tool}**"
        lines.append(f"| {tool}, {checker.settings}, {checker.dtype} | " + " | ".join(cells) + " |")
    by = ", ".join(f"{name} {found[name]}" for name in ("python", "numpy", "torch", "jax"))
    return "\n".join(lines) + f"\n\nWith {by}.\n"


def page_with(made: str, page: str) -> str:
    """The page with its table replaced."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + "\n" + made + "\n" + END + rest.partition(END)[2]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=4, help="of the mutants of the scalar LSTM")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args(arguments)
    found = measure(asked.every, asked.jobs)
    made, text = table(found), json.dumps(found, indent=1) + "\n"
    print(made)
    if asked.json:
        asked.json.write_text(text, encoding="utf-8")
    if asked.write:
        NAMES.write_text(text, encoding="utf-8")
        PAGE.write_text(page_with(made, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
