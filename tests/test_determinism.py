"""The same bytes every time: whatever the hash seed, the locale, the time zone and the folder that one stands in."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from derivations.__main__ import COMMANDS
from tests.every_command import LONG, RUNS, WRITTEN

ROOT = Path(__file__).parents[1]

# A hash seed, and what else differs from one machine to another.
SURROUNDINGS = {
    "0": {"LC_ALL": "C.UTF-8", "TZ": "UTC"},
    "1": {"LC_ALL": "C", "TZ": "Asia/Kolkata", "HOME": "/nonexistent"},
    "2": {"LC_ALL": "C.UTF-8", "TZ": "America/St_Johns", "COLUMNS": "60", "NO_COLOR": "1"},
    "3": {"LC_ALL": "POSIX", "TZ": "Pacific/Apia", "LANG": "de_DE.UTF-8"},
}


def started(seed: str, folder: Path, *args: str) -> "subprocess.Popen[str]":
    """Every command in a process of its own, with that seed and in those surroundings."""
    env = {
        **os.environ,
        **SURROUNDINGS[seed],
        "PYTHONHASHSEED": seed,
        "PYTHONPATH": str(ROOT),
        "MPLCONFIGDIR": str(folder),
    }
    run = [sys.executable, "-m", "tests.every_command", *args]
    return subprocess.Popen(run, cwd=folder if seed in "13" else ROOT, env=env, stdout=subprocess.PIPE, text=True)


def digests(
    tmp_path_factory: pytest.TempPathFactory, *args: str, seeds: Iterable[str] = SURROUNDINGS
) -> Iterator[dict[str, str]]:
    for seed in seeds:
        process = started(seed, tmp_path_factory.mktemp(f"seed{seed}"), *args)
        output, _ = process.communicate()
        assert process.returncode == 0
        yield json.loads(output)


def assert_all_alike(found: list[dict[str, str]]) -> None:
    first, *others = found
    for one in others:
        assert list(one) == list(first)
        assert [line for line in first if one[line] != first[line]] == []


@pytest.mark.parametrize("seeds", ["03", pytest.param("0123", marks=pytest.mark.long)])
def test_every_command_says_the_same_under_every_hash_seed(tmp_path_factory, needs, seeds):
    needs("matplotlib")
    found = list(digests(tmp_path_factory, seeds=seeds))
    assert_all_alike(found)
    statuses = {line: digest.split()[0] for line, digest in found[0].items()}
    wrong = {"show nothing": "2", "show rnn --rename W=V": "2", "same lstm gru": "1", "mark sheet.txt --cell rnn": "1"}
    for line, status in statuses.items():
        assert status == wrong.get(line.partition(" --format")[0], "0"), line


@pytest.mark.long
def test_every_check_says_the_same_under_four_hash_seeds(tmp_path_factory, needs):
    for backend in ("torch", "jax"):
        needs(backend)
    found = list(digests(tmp_path_factory, "--long"))
    assert_all_alike(found)
    assert all(digest.startswith("0 ") for digest in found[0].values())


def test_every_command_is_among_them():
    assert {args[0] for args in (*RUNS, *LONG, *(args for args, _ in WRITTEN))} | {"locate", "mark"} == {*COMMANDS}


def test_that_a_difference_would_be_seen():
    same = {"show": "0 2 ab", "list": "0 1 cd"}
    assert_all_alike([same, same])
    with pytest.raises(AssertionError):
        assert_all_alike([same, same | {"list": "0 1 ce"}])


def test_that_the_seeds_do_differ(tmp_path):
    """In such a process a set of words has another order at each seed."""
    orders = set()
    for seed in SURROUNDINGS:
        run = [sys.executable, "-c", "print(list({'a', 'b', 'c', 'd', 'e', 'f'}))"]
        said = subprocess.run(
            run, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        orders.add(said.stdout)
    assert len(orders) == len(SURROUNDINGS)
