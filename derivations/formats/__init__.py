"""Formats: one file each, found by its name. Each turns a derivation into text, and runs nothing.

A format's file holds `render(derivation, **options)`, with the options of `Options`, and `SUFFIX`, by which
the name of an output file chooses it.
"""

from importlib import import_module
from pathlib import PurePath
from pkgutil import iter_modules
from types import ModuleType

from derivations.formats._display import latex_display
from derivations.formats._shown import Options, Shown, shown

__all__ = ["Options", "Shown", "find", "for_file", "latex_display", "load", "shown"]


def find() -> tuple[str, ...]:
    """The names of all formats; a file whose name starts with an underscore is shared by them."""
    return tuple(sorted(found.name for found in iter_modules(__path__) if not found.name.startswith("_")))


def load(name: str) -> ModuleType:
    """The module of a format.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in find():
        raise ValueError(f"there is no format {name!r}; choose {' or '.join(find())}")
    return import_module(f"{__name__}.{name}")


def for_file(path: str | PurePath) -> str:
    """The format that the suffix of a file's name asks for.

    Raises:
        ValueError: no format has that suffix.
    """
    suffix = PurePath(path).suffix.lower()
    by_suffix = {getattr(load(name), "SUFFIX", ""): name for name in find()}
    if suffix not in by_suffix or not suffix:
        known = ", ".join(sorted(key for key in by_suffix if key))
        raise ValueError(f"no format has the suffix of {PurePath(path).name!r}; known: {known}")
    return by_suffix[suffix]
