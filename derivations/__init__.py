"""Derivations of recurrent cells: derived, proved, printed, typeset, and checked against torch and JAX.

>>> from derivations import derive
>>> derive("lstm").adjoint_of["a_f"]
da_f = df*f*(1 - f)

Every command of the command line is a function of the same name here, and shows itself in a notebook.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from derivations.display import wire
from derivations.version import __version__

FUNCTIONS = (
    "cells", "check", "derive", "diff", "explore", "flow", "locate", "mark", "quiz", "read", "same", "show", "vectors",
    "walkthrough",
)  # fmt: skip
__all__ = ["__version__", *FUNCTIONS]


class _Package(ModuleType):
    """The package as a module whose functions load when they are first asked for.

    Some share their name with the module that holds the idea (`derivations.derive`). Python binds a submodule to its
    package when it loads; for these names that is declined, so that `from derivations import derive` is the function
    whatever has been loaded before. `from derivations.derive import ...` reaches the module as always.
    """

    def __getattr__(self, name: str) -> Any:
        if name in FUNCTIONS:
            return getattr(import_module("derivations.api"), name)
        raise AttributeError(f"module 'derivations' has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *FUNCTIONS})

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in FUNCTIONS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
# These loaded on the way here, before names were guarded.
for _name in FUNCTIONS:
    globals().pop(_name, None)

wire()
