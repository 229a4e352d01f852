"""A short run of the fuzzer over every reader, the same each time; and that it finds what it is there to find.

`docs/fuzzing.md` has the long runs. A reader is one file here, fuzz_NAME.py, found by its name.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.__main__ import load, targets
from tests.fuzz.mutation import NASTY, Sources, mutated

ROOT = Path(__file__).parents[2]

# How many texts in a second's work or so; a new reader gets as many as the slowest.
RUNS = {"language": 3000, "renames": 1500, "toml": 1200, "outputs": 400, "source": 400, "marks": 100}
FEWEST = 300


def fuzz(*args: str) -> "subprocess.CompletedProcess[str]":
    run = [sys.executable, "-m", "tests.fuzz", *args]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", targets())
def test_a_short_run_finds_nothing(name):
    runs = RUNS.get(name, FEWEST)
    found = fuzz(name, "--runs", str(runs), "--seed", "1")
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.startswith(f"{name}: {runs} texts by mutation, seed 1: ")
    accepted = int(found.stdout.split("seed 1: ")[1].split()[0])
    assert accepted > runs / 50  # so that more is tried than how texts are refused
    assert found.stdout.endswith("files left: none\n")


def test_a_run_ends_when_its_time_is_up():
    found = fuzz("language", "--runs", "1000000", "--seconds", "0.5")
    assert found.returncode == 0, found.stdout + found.stderr
    assert 0 < int(found.stdout.split()[1]) < 100_000


def test_a_short_run_steered_by_coverage_finds_nothing(needs):
    needs("atheris")
    found = fuzz("language", "--engine", "coverage", "--runs", "300")
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.startswith("language: 300 texts by coverage, seed 1: ")


@pytest.mark.parametrize("name", targets())
def test_a_reader_has_texts_to_start_from_and_words_to_go_on_with(name):
    target = load(name)
    assert len(target.SEEDS) > 1
    assert len(target.WORDS) > 1
    assert target.__doc__
    accepted = 0
    for seed in target.SEEDS:
        try:
            target.fuzz(seed)
        except target.COMPLAINTS:
            continue
        accepted += 1
    assert accepted > 1


def test_the_texts_are_the_same_at_every_hash_seed():
    script = (
        "import random, hashlib\n"
        "from tests.fuzz import fuzz_language as target\n"
        "from tests.fuzz.mutation import Sources, mutated\n"
        "rng, sources = random.Random(5), Sources(target.WORDS, target.SEEDS)\n"
        "texts = [mutated(sources.seed(rng), rng, sources) for _ in range(300)]\n"
        "print(len(set(texts)), hashlib.sha256(repr(texts).encode('utf-8', 'surrogatepass')).hexdigest())\n"
    )
    said = set()
    for seed in "01":
        env = {**os.environ, "PYTHONHASHSEED": seed}
        run = [sys.executable, "-c", script]
        said.add(subprocess.run(run, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout)
    assert len(said) == 1
    assert int(said.pop().split()[0]) > 280


def test_mistakes_are_small_and_large():
    rng, sources = random.Random(1), Sources(("x",), ["cell a\ninput x\nstate h\nh = x * (h_prev + 1)"])
    texts = [mutated(sources.seed(rng), rng, sources) for _ in range(3000)]
    assert min(map(len, texts)) < 20
    assert max(map(len, texts)) > 100_000
    assert {nasty for nasty in NASTY if any(nasty in text for text in texts)} == set(NASTY)


# --- the guard finds what it is there to find ---------------------------------------------------------------------

GUARDED = """
import os, socket, subprocess, sys, time
from tests.fuzz.guard import Finding, Guard

class Complaint(ValueError):
    pass

def reader(text):
    exec(DEED)

DEED = compile(sys.argv[1], "deed", "exec")
guard = Guard(Complaint, harmless={"exec"} if len(sys.argv) < 3 else set())
try:
    print("accepted" if guard(reader, "text") else "rejected")
except Finding as finding:
    print("FOUND", finding)
"""


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("pass", "accepted"),
        ("raise Complaint('line 1: a clear word')", "rejected"),
        ("raise KeyError('x')", "FOUND KeyError: 'x'"),
        ("def f(g): g(g)\nf(f)", "FOUND RecursionError"),
        ("raise Complaint('a\\x1b[2J')", "FOUND a message that cannot be shown"),
        ("raise Complaint('two\\nlines')", "FOUND a message that cannot be shown"),
        ("raise Complaint('')", "FOUND a message that cannot be shown"),
        ("raise Complaint('x' * 500)", "FOUND a message that cannot be shown"),
        ("while True: pass", "FOUND takes more than 0.5 s"),
        ("x = bytearray(400 * 2**20)", "FOUND takes 4"),
        ("x = bytearray(4 * 2**30)", "FOUND MemoryError"),
        ("compile('1', 'x', 'eval')", "FOUND does what no reader may: compile"),
        ("import wave", "FOUND does what no reader may: import"),
        ("open('harmed', 'w')", "FOUND does what no reader may: open"),
        ("open('/etc/hostname')", "FOUND does what no reader may: open"),
        ("os.open('harmed', os.O_CREAT)", "FOUND does what no reader may: open"),
        ("os.remove('nothing')", "FOUND does what no reader may: os.remove"),
        ("os.system('true')", "FOUND does what no reader may: os.system"),
        ("os.listdir('/')", "FOUND does what no reader may: os.listdir"),
        ("subprocess.run(['true'])", "FOUND does what no reader may: subprocess.Popen"),
        ("socket.socket()", "FOUND does what no reader may: socket"),
        ("try:\n    os.system('true')\nexcept Exception:\n    pass", "FOUND does what no reader may: os.system"),
    ],
)
def test_the_guard_finds_a_misdeed(deed, said, tmp_path):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-c", GUARDED, deed]
    found = subprocess.run(run, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert found.stdout.startswith(said), found.stdout


def test_the_guard_finds_code_that_is_run(tmp_path):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-c", GUARDED, "pass", "strictly"]
    found = subprocess.run(run, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert found.stdout.startswith("FOUND does what no reader may: exec")


def test_a_finding_ends_the_run_and_shows_the_text(tmp_path):
    """A reader that stumbles over one word of the fuzzer's, run as the others are."""
    script = (
        "import sys\nfrom types import ModuleType\nfrom tests.fuzz import __main__ as run\n"
        "target = ModuleType('weak')\n"
        "def fuzz(text):\n    if '${x}' in text: raise KeyError(text)\n"
        "target.fuzz, target.SEEDS, target.WORDS, target.COMPLAINTS = fuzz, ['a b', 'c'], ('d',), ValueError\n"
        "run.load = lambda name: target\n"
        "sys.argv = ['fuzz', 'language', '--runs', '100000']\nrun.main()\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "FUZZ_KEEP": str(tmp_path / "text")}
    run = [sys.executable, "-c", script]
    found = subprocess.run(run, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert found.stdout.startswith("FOUND in weak: KeyError: ")
    assert "${x}" in (tmp_path / "text").read_text(encoding="utf-8", errors="replace")
