"""What a newcomer types, what CI runs and what gets installed are one and the same."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
SETUP = "python3 -m venv .venv && .venv/bin/pip install -q -e ."
START = ".venv/bin/python -m pytest"
TESTS = f"{START} -n auto"


def readme_commands(file: Path) -> subprocess.CompletedProcess[str]:
    """The two commands as .ci/run reads them: the rule is written there and nowhere else."""
    run = ["bash", str(ROOT / ".ci" / "run"), "--commands", str(file)]
    return subprocess.run(run, capture_output=True, text=True, check=False)


def test_the_readme_gives_the_two_commands():
    answer = readme_commands(ROOT / "README.md")
    assert answer.returncode == 0, answer.stderr
    setup, tests = answer.stdout.splitlines()
    assert "-c constraints.txt" in setup
    assert setup.endswith(".venv/bin/derive walkthrough")
    assert tests == TESTS


def test_commands_are_read_from_fences_with_or_without_a_prompt(tmp_path):
    file = tmp_path / "README.md"
    file.write_text(f"Not `{TESTS} -x`.\n```\n{SETUP}\n```\n{TESTS} -y\n```sh\n$ {TESTS}\n```\n")
    assert readme_commands(file).stdout.splitlines() == [SETUP, TESTS]


@pytest.mark.parametrize(
    ("fenced", "lacking", "count"),
    [([SETUP], START, 0), ([TESTS], "python3 -m venv .venv", 0), ([SETUP, TESTS, TESTS], START, 2)],
)
def test_a_readme_without_them_is_refused(tmp_path, fenced, lacking, count):
    file = tmp_path / "README.md"
    file.write_text("\n".join(["```", *fenced, "```", ""]))
    answer = readme_commands(file)
    assert answer.returncode != 0
    assert f"must start with '{lacking}', found {count}" in answer.stderr


def requirements() -> list[Requirement]:
    """Every requirement of the distribution and of its extras, its own name left out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = sum(project["optional-dependencies"].values(), project["dependencies"])
    found = [Requirement(text) for text in texts]
    return [one for one in found if one.name != project["name"]]


def pins() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    exact = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in lines if line[:1] != "#"]
    assert None not in exact, "constraints.txt holds NAME==VERSION lines and comments, nothing else"
    return {pin[1].lower().replace("_", "-"): Version(pin[2]) for pin in exact if pin}


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_each_requirement_is_pinned_within_its_range(requirement):
    assert requirement.specifier, f"{requirement.name} has no range"
    assert pins()[requirement.name] in requirement.specifier
