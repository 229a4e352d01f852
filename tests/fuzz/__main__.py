"""`python -m tests.fuzz TARGET`: many hostile texts for one reader; what is found is printed, with its text.

Exit status: 0 nothing found, 1 a finding.
"""

import argparse
import importlib
import json
import os
import pkgutil
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from pathlib import Path
from types import ModuleType

from tests.fuzz.guard import PATIENCE, Finding, Guard
from tests.fuzz.mutation import Sources, mutated

FOLDER = Path(__file__).parent
POOL = 400  # texts from which new ones are made
LONGEST_KEPT = 1500  # characters of a text that joins them


def targets() -> list[str]:
    """The readers that are fuzzed: the files fuzz_NAME.py."""
    found = (one.name for one in pkgutil.iter_modules([str(FOLDER)]))
    return sorted(name.removeprefix("fuzz_") for name in found if name.startswith("fuzz_"))


def load(name: str) -> ModuleType:
    return importlib.import_module(f"tests.fuzz.fuzz_{name}")


def warm(target: ModuleType) -> None:
    """Everything that loads on first use is loaded, so that nothing need be imported while a text is read."""
    for seed in target.SEEDS:
        with suppress(target.COMPLAINTS):
            target.fuzz(seed)


def by_mutation(target: ModuleType, guard: Guard, runs: int, seed: int, seconds: float = inf) -> None:
    """Texts made from the seeds and from what was accepted of them, as many as are made in the time.

    Raises:
        Finding: with the text.
    """
    rng = random.Random(seed)
    sources = Sources(target.WORDS, target.SEEDS)
    end = time.perf_counter() + seconds
    first = len(sources.seeds)
    for text in list(target.SEEDS)[:runs]:
        _try(target, guard, text)
    for _ in range(runs - first):
        if time.perf_counter() > end:
            return
        text = mutated(sources.seed(rng), rng, sources)
        if _try(target, guard, text) and len(text) <= LONGEST_KEPT:
            if len(sources.seeds) < first + POOL:
                sources.seeds.append(text)
            else:
                sources.seeds[rng.randrange(first, first + POOL)] = text


def by_coverage(target: ModuleType, guard: Guard, runs: int, seed: int, done: Callable[[], None]) -> None:
    """The same texts as atheris steers them, towards lines that were not reached before; it ends the process."""
    import atheris

    sources = Sources(target.WORDS, target.SEEDS)
    corpus = Path(tempfile.mkdtemp())
    for number, text in enumerate(target.SEEDS):
        (corpus / str(number)).write_text(text, encoding="utf-8", errors="replace")

    def mutator(data: bytes, size: int, number: int) -> bytes:
        rng = random.Random(number)
        if rng.random() < 0.05:
            return bytes(atheris.Mutate(data, size))
        text = data.decode("utf-8", "replace") if data and rng.random() < 0.9 else sources.seed(rng)
        return mutated(text or sources.seed(rng), rng, sources).encode("utf-8", "replace")[:size]

    def one(data: bytes) -> None:
        _try(target, guard, data.decode("utf-8", "replace"))
        if guard.tried >= runs:
            shutil.rmtree(corpus)
            done()
            os._exit(0)

    atheris.Setup(
        [
            sys.argv[0],
            f"-seed={seed}",
            "-max_len=20000",
            "-rss_limit_mb=0",
            "-verbosity=0",
            "-reduce_inputs=0",
            str(corpus),
        ],
        one,
        custom_mutator=mutator,
        internal_libfuzzer=True,
    )
    atheris.Fuzz()


def _try(target: ModuleType, guard: Guard, text: str) -> bool:
    try:
        return guard(target.fuzz, text)
    except Finding as finding:
        shown = json.dumps(text if len(text) < 3000 else text[:1000] + " ... " + text[-500:])
        print(f"FOUND in {target.__name__}: {finding}\ntext: {shown}", flush=True)
        if os.environ.get("FUZZ_KEEP"):
            Path(os.environ["FUZZ_KEEP"]).write_text(text, encoding="utf-8", errors="surrogatepass")
        os._exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=targets())
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=inf, help="by mutation: stop then")
    parser.add_argument("--engine", choices=("mutation", "coverage"), default="mutation")
    chosen = parser.parse_args()
    if chosen.engine == "coverage":
        import atheris

        with atheris.instrument_imports(include=["derivations", "lark"]):
            target = load(chosen.target)
            warm(target)
    else:
        target = load(chosen.target)
        warm(target)
    began, folder = time.perf_counter(), tempfile.mkdtemp()
    os.chdir(folder)
    guard = Guard(target.COMPLAINTS, getattr(target, "HARMLESS", ()), getattr(target, "PATIENCE", PATIENCE))
    memory = guard.peak()

    def report() -> None:
        wall = time.perf_counter() - began
        grown = (guard.peak() - memory) / 2**20
        left = os.listdir(folder)
        print(
            f"{chosen.target}: {guard.tried} texts by {chosen.engine}, seed {chosen.seed}: {guard.accepted} accepted, "
            f"{guard.rejected} rejected, nothing found; {wall:.0f} s, {guard.tried / wall:.0f} a second; slowest "
            f"{guard.slowest[0]:.3f} s; memory grew by {grown:.0f} MB; files left: {left or 'none'}",
            flush=True,
        )
        if left:
            os._exit(1)
        os.rmdir(folder)

    if chosen.engine == "coverage":
        by_coverage(target, guard, chosen.runs, chosen.seed, report)
    else:
        by_mutation(target, guard, chosen.runs, chosen.seed, chosen.seconds)
        report()


if __name__ == "__main__":
    main()
