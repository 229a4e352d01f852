"""The ways to compute every gradient of a cell: a derivation's equations, a library's own, lambdified formulas."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from backends.arrays import by_differentiation
from backends.backend import Backend, find
from backends.lambdified import by_formulas, gradients_lambdified, lambdified_program
from backends.points import Array, Point, rounded
from backends.steps import Steps
from derivations.derive import Derivation
from derivations.program import backward_program

DTYPES = ("float64", "float32")
Compute = Callable[[Point, str], Mapping[str, Array]]


@dataclass(frozen=True)
class Computer:
    """One way to compute every gradient.

    Attributes:
        name: in reports.
        backend: for what is known of its functions.
        compiles: whether the first point of a shape and a dtype takes much longer than the next.
    """

    name: str
    backend: str
    compute: Compute
    formats: tuple[str, ...] = DTYPES
    compiles: bool = False


def ready() -> tuple[list[Backend], tuple[tuple[str, str], ...]]:
    """The backends that can run here, and those that cannot with what installs them."""
    every = find().values()
    return (
        [backend for backend in every if backend.available()],
        tuple((backend.name, backend.install) for backend in every if not backend.available()),
    )


def computers(derivation: Derivation, backends: list[Backend], *, scalar: bool) -> Iterator[Computer]:
    """Every way to compute a derivation's gradients: its equations, the library's own, and the lambdified formulas.

    Where a library compiles, each way is compiled once for all steps: the equations as a forward and a backward step.
    """
    program, cell = backward_program(derivation), derivation.cell
    for backend in backends:
        ways: dict[str, Compute] = {}
        if compiled := backend.compiled:
            ways["derived"] = compiled(Steps(program))
            if backend.differentiate:
                ways["autograd"] = compiled(by_differentiation(cell, backend.differentiate))
            if scalar and backend.lambdify:
                ways["lambdified"] = compiled(by_formulas(derivation, lambdified_program(derivation, backend)))
        else:
            ways["derived"] = partial(backend.gradients, program)
            if backend.autograd:
                ways["autograd"] = partial(backend.autograd, cell)
            if scalar and backend.lambdify:
                table = lambdified_program(derivation, backend)
                ways["lambdified"] = partial(gradients_lambdified, derivation, backend, table=table)
        for name, compute in ways.items():
            yield Computer(f"{backend.name}, {name}", backend.name, compute, compiles=backend.compiled is not None)


Compiling = Mapping[tuple[int, str], Future[object]]


@contextmanager
def compiling(work: Iterable[tuple[list[Computer], list[Point]]]) -> Iterator[Compiling]:
    """What compiles is compiled meanwhile, at points of the shapes that are to come; by the compute and the dtype.

    A library's compiler leaves Python's own thread free, so that other work goes on beside it.
    """
    with ThreadPoolExecutor(2) as pool:

        def started(way: Computer, points: list[Point], dtype: str) -> Future[object]:
            return pool.submit(lambda: [way.compute(rounded(point, dtype), dtype) for point in points])

        try:
            yield {
                (id(way.compute), dtype): started(way, points, dtype)
                for ways, points in work
                for way in ways
                if way.compiles
                for dtype in way.formats
            }
        finally:
            pool.shutdown(cancel_futures=True)
