"""What checking takes: figures are printed, and held in time that this process alone has used.

Wall time on a busy machine says nothing. Of processor time the best of several turns is taken, in units of a loop that
is timed beside it, so that a machine that is slower by half does not fail.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from backends.points import draw_scalar
from backends.truth import truth
from derivations.catalogue import read_cell
from derivations.derive import derive
from derivations.program import backward_program

ROOT = Path(__file__).resolve().parents[2]
# Seconds that the two loops take where the figures below were asked for: of small arrays, and of Python's own numbers.
ARRAYS, NUMBERS = 0.0027, 0.0075


def small_arrays() -> float:
    """What the running bound mostly does; another busy process slows both alike."""
    x, started = np.array([[[1.5]], [[2.5]], [[-3.5]]]), time.process_time()
    for _ in range(2000):
        ((np.abs(x) + x) * x).sum(0)
    return time.process_time() - started


@pytest.mark.benchmark
def test_truth_takes_ten_milliseconds_a_point(capsys):
    """A scalar LSTM over T = 4 steps, B = 3; a busy minute may be waited out."""
    cell = read_cell("lstm")
    program = backward_program(derive(cell))
    best = loop = float("inf")
    for turn in range(8):
        for seed in range(1, 21):
            point = draw_scalar(cell, seed)
            loop = min(loop, small_arrays())
            started = time.process_time()
            truth(program, point, "float64")
            best = min(best, time.process_time() - started)
        if best / loop < 0.010 / ARRAYS:
            break
        time.sleep(turn / 4)
    with capsys.disabled():
        print(
            f"\ntruth: {best * 1e3:.1f} ms of processor time a point, {best / loop:.2f} times the loop's {loop * 1e3:.1f} ms"
        )
    assert best / loop < 0.010 / ARRAYS


CHECK = """
import json, sys, time
import jax, jax.numpy, numpy, sympy, torch, flint
from backends import audit
from derivations.catalogue import read_cell
from derivations.derive import derive
from derivations.reports.check import document

cell = read_cell("lstm")
wall, used = time.perf_counter(), time.process_time()
checked = audit.audit(derive(cell))
document(cell, checked)
wall, used = time.perf_counter() - wall, time.process_time() - used
loop = []
for _ in range(10):
    started, total = time.process_time(), 0
    for number in range(200_000):
        total += number * number
    loop.append(time.process_time() - started)
print(json.dumps({"wall": wall, "used": used, "loop": min(loop), "checks": len(checked.checks), "wrong": checked.wrong}))
"""


@pytest.mark.benchmark
def test_checking_an_lstm_takes_three_seconds_beyond_the_imports(needs, capsys):
    """Of processor time, that of the threads that compile included: of wall time it takes less."""
    needs("torch")
    needs("jax")
    best = None
    for turn in range(4):
        done = subprocess.run([sys.executable, "-c", CHECK], cwd=ROOT, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        assert (found["checks"], found["wrong"]) == (468, False)
        ratio = found["used"] / found["loop"]
        best = min(best or found, found, key=lambda one: one["used"] / one["loop"])
        if ratio < 3 / NUMBERS:
            break
        time.sleep(turn)
    with capsys.disabled():
        print(
            f"\nderive check lstm: {best['wall']:.1f} s, {best['used']:.1f} s of processor time, {best['checks']} checks"
        )
    assert best["used"] / best["loop"] < 3 / NUMBERS
