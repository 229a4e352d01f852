"""The commands: one file each, all of them listed, none loaded before it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from derivations import FUNCTIONS
from derivations.__main__ import COMMANDS, app

HERE = Path(__file__).parents[1] / "derivations" / "commands"
FILES = {path.stem for path in HERE.glob("[!_]*.py")}


def test_every_command_is_a_file_and_every_file_a_command():
    assert len(set(COMMANDS)) == len(COMMANDS)
    assert set(COMMANDS) == FILES


def test_every_command_has_a_function_in_python():
    assert {name for name in COMMANDS if name != "list"} <= set(FUNCTIONS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_does(name):
    group = typer.main.get_command(app)
    assert group.get_command(None, name).get_short_help_str(200)
    answer = CliRunner().invoke(app, [name, "--help"])
    assert answer.exit_code == 0
    assert f"derive {name}" in answer.output.replace("root", "derive")


def test_a_command_that_is_not_used_is_not_loaded():
    program = (
        "import sys, derivations.__main__ as m; m.app(['list'], standalone_mode=False);"
        "print(*(n for n in sys.modules if n.startswith('derivations.commands.')), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.rpartition(".")[2] for name in run.stderr.split()}
    assert loaded == {"list", "_options", "_saying"}


def test_what_is_no_command_is_named_with_one_that_is():
    answer = CliRunner().invoke(app, ["chek"])
    assert answer.exit_code == 2
    assert "Did you mean 'check'" in answer.output
