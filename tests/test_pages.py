"""The pages on marking and on code show what the commands print today, on the files that they show."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from derivations.__main__ import app

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("marking.md", "code.md")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"^`([\w.]+)`\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def told(block: str) -> str:
    """The block with what each of its commands prints, in the folder where it stands."""
    lines = []
    for command in re.findall(r"^\$ derive (.*)$", block, re.MULTILINE):
        result = CliRunner().invoke(app, shlex.split(command))
        assert result.exit_code in (0, 1, 2), result.output
        lines.append(f"$ derive {command}\n{result.output.strip(chr(10))}".rstrip())
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_the_commands_print(page, tmp_path, monkeypatch):
    text = (DOCS / page).read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    files = FILE.findall(text)
    for name, content in files:
        Path(name).write_text(content, encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert len(files) >= 2
    assert len(blocks) >= 3
    for block in blocks:
        assert told(block) == block


def test_every_command_of_the_pages_names_files_that_they_show():
    for page in PAGES:
        text = (DOCS / page).read_text(encoding="utf-8")
        shown = {name for name, _ in FILE.findall(text)} | {"quiz.md", "key.md"}
        for block in BLOCK.findall(text):
            assert (
                set(re.findall(r"[\w]+\.(?:py|txt|cell|md)\b", re.sub(r"^(?!\$).*$", "", block, flags=re.M))) <= shown
            )
