"""What a test needs beyond the core packages: a stated skip at home, a failure in CI."""

import importlib
import os
import shutil
from collections.abc import Callable
from types import ModuleType
from typing import NoReturn

import pytest


def _missing(what: str, remedy: str) -> NoReturn:
    message = f"needs {what}: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(f"{message} (CI must have it)", pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def needs() -> Callable[[str], ModuleType]:
    """`torch = needs("torch")` imports an optional package, for this test.

    Only an absent package is excused: one that is there and does not import is an error everywhere.
    """

    def module(name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            package = name.partition(".")[0]
            if error.name != package:
                raise
            _missing(package, f"pip install {package}, or everything with pip install -e '.[all]'")

    return module


@pytest.fixture(scope="session")
def needs_tool() -> Callable[[str], str]:
    """`cc = needs_tool("cc")` finds a program, by its full path, for this test."""

    def program(name: str) -> str:
        return shutil.which(name) or _missing(name, f"no {name} on the PATH")

    return program
