"""What a backend is, and which there are.

A backend runs a derivation on one machine: an array library, a compiler, an interpreter. It is one file,
`on_NAME.py`, that holds a `BACKEND`; `find` reads the file names, so a new file is found without being
registered. Loading such a file must be light: what the backend stands on (numpy, torch, JAX, a compiler) is
reached for by its functions.
"""

import pkgutil
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import backends
from derivations.cell import Cell
from derivations.program import Backward

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from backends.arrays import Differentiate, Library, Run
    from backends.points import Point

    Arrays = dict[str, NDArray[np.floating]]


class Unavailable(ImportError):
    """A backend that does not exist, or that lacks a package or a program; the message says the remedy."""


@dataclass(frozen=True)
class Backend:
    """One machine that runs derivations.

    With T steps, a batch of B and `shape` the shape of a name in the cell, all that goes in or comes out is a
    numpy array. What comes out has the dtype that was asked for, in the library's own arrays too: a backend
    that computed in any other raises TypeError. A point's numbers are rounded to the dtype when they come in.

    Attributes:
        packages: what must be importable, and `tools` what must be on the PATH.
        install: the command that brings what is missing.
        forward: `(cell, point, dtype)` to every defined value by name, (T, B, *shape).
        gradients: `(program, point, dtype)` to the gradients by the derived equations, run back over time:
            parameters of their own `shape`, summed over steps and batch; `h_0`, `x_1`, ... of (B, *shape).
        adjoints: `(program, point, dtype)` to every adjoint of every step by its id (`da_f`), (T, B, *shape);
            for a parameter, (T, *shape), what each step adds to its gradient.
        autograd: `(cell, point, dtype)` to what `gradients` gives, by the library's own differentiation of
            the forward equations; None where a library has none.
        differentiate: the library's own differentiation of any function of its arrays, as
            `arrays.Differentiate` says; within the scope of `library`.
        functions: to a callable for each row of `functions.py`, of arrays or plain numbers, stable in value
            and in gradient.
        library: `(dtype)` to a scope in which one computes with arrays of that dtype; None where there are
            no arrays.
        compiled: of a run (`arrays.Run`) to `(point, dtype)`, which gives what `gradients` gives, compiled: slow at
            the first point of a shape and a dtype, and quick at the next. None where a library does one operation
            after the other.
        vmap: the library's own `vmap`, of a function of arrays without a batch; None where a library has none.
        lambdify: `(symbols, expression)` to a callable by SymPy's `lambdify`; None where SymPy has no printer
            for it.
        own_slopes: the slopes that `autograd` takes at kinks where they are not the convention of
            `functions.py`; by function, one for each kink from left to right, to the first argument.
    """

    name: str
    packages: tuple[str, ...]
    install: str
    dtypes: tuple[str, ...]
    forward: "Callable[[Cell, Point, str], Arrays]"
    gradients: "Callable[[Backward, Point, str], Arrays]"
    adjoints: "Callable[[Backward, Point, str], Arrays]"
    autograd: "Callable[[Cell, Point, str], Arrays] | None" = None
    differentiate: "Differentiate[Any] | None" = None
    functions: Callable[[], Mapping[str, Callable[..., Any]]] | None = None
    library: "Callable[[str], AbstractContextManager[Library[Any]]] | None" = None
    compiled: "Callable[[Run[Any]], Callable[[Point, str], Arrays]] | None" = None
    vmap: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None
    lambdify: Callable[[Any, Any], Callable[..., Any]] | None = None
    own_slopes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    tools: tuple[str, ...] = ()

    def missing(self) -> tuple[str, ...]:
        """The packages and programs that are not here; none is imported or run to find out."""
        packages = (package for package in self.packages if find_spec(package) is None)
        return (*packages, *(tool for tool in self.tools if shutil.which(tool) is None))

    def available(self) -> bool:
        """Whether it can run here."""
        return not self.missing()


def find() -> dict[str, Backend]:
    """Every backend by name, available or not: one for each file `on_NAME.py` beside this one.

    Raises:
        TypeError: a file by such a name holds no `BACKEND` of that name.
    """
    found = {}
    for module in sorted(pkgutil.iter_modules(backends.__path__), key=lambda module: module.name):
        if not module.name.startswith("on_"):
            continue
        name = module.name.removeprefix("on_")
        backend = getattr(import_module(f"backends.{module.name}"), "BACKEND", None)
        if not isinstance(backend, Backend) or backend.name != name:
            raise TypeError(f"backends/{module.name}.py holds no BACKEND named {name}")
        found[name] = backend
    return found


def get(name: str) -> Backend:
    """The backend of that name, ready to run.

    Raises:
        Unavailable: there is none, or something that it stands on is missing.
    """
    every = find()
    if name not in every:
        near = get_close_matches(name, every, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(every)}"
        raise Unavailable(f"no backend {name}; {hint}")
    if lacks := every[name].missing():
        raise Unavailable(f"{name} needs {', '.join(lacks)}: {every[name].install}")
    return every[name]
