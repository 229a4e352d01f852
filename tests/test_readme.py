"""The README shows what the commands print today."""

import doctest
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from derivations.__main__ import app

README = Path(__file__).parents[1] / "README.md"
ELIDED = "[...]"


def transcripts() -> list[tuple[str, str]]:
    """Every `$ derive ...` block: the command, and what the README says it prints."""
    blocks = re.findall(r"```console\n\$ derive (.*?)\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) >= 2
    return blocks


@pytest.mark.parametrize(("command", "shown"), transcripts(), ids=lambda text: text.split("\n")[0][:30])
def test_a_transcript_is_what_the_command_prints(command: str, shown: str, needs) -> None:
    needs("torch"), needs("jax")
    result = CliRunner().invoke(app, shlex.split(command))
    assert result.exit_code == 0, result.output
    rest = result.stdout
    for part in shown.split(f"{ELIDED}\n"):
        assert part.rstrip("\n") in rest, f"no longer printed:\n{part}\n---\n{rest}"
        rest = rest[rest.index(part.rstrip("\n")) + len(part.rstrip("\n")) :]


def test_the_python_examples_run() -> None:
    failed, tried = doctest.testfile(str(README), module_relative=False)
    assert (failed, tried > 2) == (0, True)


def test_the_pictures_and_pages_that_it_names_exist() -> None:
    for name in re.findall(r"\]\(([^)#]+)\)", README.read_text()):
        assert (README.parent / name).exists(), name
