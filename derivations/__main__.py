"""The command line, `derive`: which commands there are, how they end, and the only way from here to the backends.

Exit status: 0 all well; 1 a check failed or a claim is wrong; 2 wrong usage or input; 3 a package or tool is missing.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn

import click
import typer
from typer.core import TyperGroup

from derivations.cell import CellError
from derivations.terminal import Terminal
from derivations.version import __version__
from derivations.visible import visible, visible_lines

WRONG, USAGE, MISSING = 1, 2, 3

# In the order in which `derive --help` lists them; each is the file of its name in `commands`.
COMMANDS = (
    "walkthrough", "list", "show", "diff", "check", "same", "flow", "explore", "mark", "quiz", "vectors", "locate",
)  # fmt: skip


class Missing(Exception):
    """A package or tool that a command needs; the message holds the command that installs it."""


@contextmanager
def complaints() -> Iterator[None]:
    """Every mistake of a user as one message and an exit status; a traceback is a mistake of ours."""
    from derivations.output import OutputError

    try:
        yield
    except click.ClickException as error:  # what is typed wrong is Click's to say, and quotes it as it was typed
        error.message = visible_lines(error.message)
        raise
    except Missing as error:
        _stop(str(error), MISSING)
    except (CellError, OutputError, ValueError) as error:
        _stop(str(error), USAGE)
    except ArithmeticError as error:
        _stop(f"no number can be given here: {error} (declare what must be positive, as in `positive x`)", USAGE)
    except RecursionError:
        _stop("the input is nested too deeply", USAGE)
    except BrokenPipeError:
        sys.stderr.close()
        raise typer.Exit(0) from None


def _stop(message: str, status: int) -> NoReturn:
    Terminal(sys.stderr).write([("bad", "error: "), ("plain", visible(message) + "\n")])
    raise typer.Exit(status)


class Commands(TyperGroup):
    """The commands, each loaded when it is asked for: one that is not used costs no time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        alone = typer.Typer(**_LOOKS, add_completion=False)
        alone.command(cmd_name)(import_module(f"derivations.commands.{cmd_name}").command)
        return typer.main.get_command(alone)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and (near := get_close_matches(args[0], COMMANDS, 1)):
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with complaints():
            return super().invoke(ctx)


_LOOKS: dict[str, Any] = {
    "rich_markup_mode": None,
    "suggest_commands": False,  # it knows only of commands that are loaded
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
app = typer.Typer(
    name="derive",
    cls=Commands,
    help="Derivations of recurrent cells: printed, proved, checked, typeset.",
    no_args_is_help=True,
    **_LOOKS,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"derivations {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")] = False,
) -> None:
    """Derivations of recurrent cells."""


def backends(module: str) -> Any:
    """A module of `backends`, by its name there; the only way from this package to that one.

    Raises:
        Missing: another package called `backends` comes first on the path (the name is a crowded one), or a package
            that it needs is not installed.
    """
    import backends as found

    where = Path(getattr(found, "__file__", None) or "?")
    if where.resolve().parent.parent != Path(__file__).resolve().parent.parent:
        raise Missing(f"another package called backends is in the way: {where}; run from another folder, or rename it")
    try:
        return import_module(f"backends.{module}")
    except ModuleNotFoundError as error:
        raise Missing(f"checking needs {error.name}: pip install 'derivations[all]'") from None


def main() -> None:
    """The `derive` command."""
    gc.set_threshold(200_000)  # SymPy makes 100,000 objects that stay; looking for garbage among them takes a tenth
    app()


if __name__ == "__main__":
    from derivations.__main__ import main as run  # under the name by which the commands import this module

    run()
