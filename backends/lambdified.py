"""A derivation lambdified: SymPy compiles each of its formulas for NumPy, torch and JAX.

This is the scalar view, and a second road to the same numbers: SymPy prints what a step of the derivation
says, and what SymPy itself finds by substituting a whole step into one closed form and differentiating that.
Every size is 1; a formula is evaluated elementwise on arrays of any shape.

Functions keep their names (sigmoid is opaque to SymPy, with the derivative of its row), so that none is
evaluated as 1/(1 + exp(-x)); a backend's table of functions says what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sympy

from backends import arrays
from backends.backend import Backend
from backends.steps import Steps
from derivations.cell import Cell, prev
from derivations.derive import Derivation, Step, derive
from derivations.expression import Adjoint, Call, Detach, Expr, Name, names, operations, scalar_view, walk
from derivations.program import backward_program
from derivations.symbolic import symbol, to_sympy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from backends.arrays import Library
    from backends.points import Point

    Arrays = dict[str, NDArray[np.floating]]

Key = tuple[str, str, str]
CLOSED, TOTAL = "closed form", "total derivative"
LONGEST = 5_000  # operations of a closed form written out; what is longer has none here


@dataclass(frozen=True)
class Lambdified:
    """One formula of a derivation, compiled for one backend.

    Attributes:
        of, wrt: as in a `Step`; `kind` is the value of its rule, or CLOSED or TOTAL.
        arguments: the ids that it reads, in the order of `function`'s arguments.
        formula: in SymPy's terms, over symbols of the names' own names.
    """

    kind: str
    of: str
    wrt: str
    arguments: tuple[str, ...]
    formula: sympy.Expr
    function: Callable[..., Any]

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """The value, from arrays of the backend by id; a plain number where the formula is constant.

        JAX computes in float64 only within the backend's `library` scope.
        """
        return self.function(*(values[id_] for id_ in self.arguments))


def lambdified(of: Cell | Derivation, backend: Backend) -> dict[Key, Lambdified]:
    """Every formula of a cell's derivation, compiled for a backend, by (kind, of, wrt).

    - ("definition", "f", ""): each equation of a step, in named values;
    - ("local partial", "f", "a_f") and ("adjoint", "", "a_f"): the steps of the derivation, under their own
      `of` and `wrt`, in named values and adjoints;
    - (CLOSED, "h", ""): each defined name in the leaves of the step alone;
    - (TOTAL, "h", "W_xf"): SymPy's derivative of the closed form of each state, output, readout and of the
      loss with respect to each leaf. What is held constant stays so.

    A closed form of more than LONGEST operations is left out, with its derivatives.

    Raises:
        ValueError: the cell stacks vectors and has no scalar view, or SymPy does not print for this backend.
    """
    derivation = _scalar(of)
    formulas = _formulas((*derivation.definitions, *derivation.partials, *derivation.adjoints))
    return _compiled({**formulas, **_in_leaves(derivation)}, backend)


def lambdified_program(of: Cell | Derivation, backend: Backend) -> dict[Key, Lambdified]:
    """Of what `lambdified` gives, the definitions and adjoints: all that `gradients_lambdified` reads."""
    derivation = _scalar(of)
    return _compiled(_formulas((*derivation.definitions, *derivation.adjoints)), backend)


def _compiled(formulas: Mapping[Key, sympy.Expr], backend: Backend) -> dict[Key, Lambdified]:
    if backend.lambdify is None:
        raise ValueError(f"SymPy's lambdify does not write for {backend.name}")
    compiled = {}
    for (kind, quantity, wrt), formula in formulas.items():
        symbols = sorted(formula.free_symbols, key=lambda one: one.name)
        arguments = tuple(one.name for one in symbols)
        function = backend.lambdify(symbols, formula)
        compiled[kind, quantity, wrt] = Lambdified(kind, quantity, wrt, arguments, formula, function)
    return compiled


def _scalar(of: Cell | Derivation) -> Derivation:
    cell = of.cell if isinstance(of, Derivation) else of
    if cell.stacked:
        raise ValueError(
            f"{cell.name} stacks vectors, as in [h_prev; x]: it has no scalar view, and cannot be lambdified"
        )
    return of if isinstance(of, Derivation) else derive(of)


def _formulas(steps: Iterable[Step]) -> dict[Key, sympy.Expr]:
    """What each step says in SymPy's terms, by its key."""
    return {(step.rule.value, step.of, step.wrt): to_sympy(step.rhs) for step in steps}


def _in_leaves(derivation: Derivation) -> dict[Key, sympy.Expr]:
    """The closed forms and their derivatives, by their keys."""
    cell = derivation.cell
    found: dict[Key, sympy.Expr] = {}
    closed, held = _closed(cell)

    def released(formula: sympy.Expr) -> sympy.Expr:
        """What was held constant while SymPy differentiated, as a value again."""
        return formula.xreplace(values) if values else formula

    values: dict[sympy.Symbol, sympy.Expr] = {}
    for name, constant in held.items():
        values[constant] = released(closed.get(name, symbol(name)))
    for name, formula in closed.items():
        found[CLOSED, name, ""] = released(formula)
    for name in dict.fromkeys((*cell.states, *cell.seeded)):
        for leaf in (*cell.previous, *cell.inputs, *cell.parameters):
            if name in closed:
                found[TOTAL, name, leaf] = released(sympy.diff(closed[name], symbol(leaf)))
    return found


def _closed(cell: Cell) -> tuple[dict[str, sympy.Expr], dict[str, sympy.Symbol]]:
    """The closed form of each defined name, and what stands for each name where it is held constant.

    Substituted equation by equation: written out, a closed form may double with every name that is read
    twice; in memory SymPy shares what is equal.
    """
    closed: dict[str, sympy.Expr] = {}
    held: dict[str, sympy.Symbol] = {}
    length: dict[str, int] = {}
    for equation in cell.equations:
        rhs = scalar_view(equation.rhs)
        nodes = tuple(walk(rhs))
        length[equation.target] = operations(rhs) + sum(length.get(n.id, 0) for n in nodes if isinstance(n, Name))
        if length[equation.target] > LONGEST:
            continue
        constants: dict[Expr, sympy.Expr] = {}
        for node in nodes:
            if isinstance(node, Detach):
                (name,) = names(node)
                constants[node] = held.setdefault(name, sympy.Dummy(name))
        closed[equation.target] = to_sympy(
            rhs, atoms=constants, lookup=lambda id_: closed[id_] if id_ in closed else symbol(id_)
        )
    return closed, held


# --- on a point ---------------------------------------------------------------------------------------------


def evaluate_lambdified(
    derivation: Derivation,
    backend: Backend,
    point: Point,
    dtype: str = "float64",
    table: Mapping[Key, Lambdified] | None = None,
) -> dict[Key, NDArray[np.floating]]:
    """Every formula at every step of a point, (T, B), in the dtype.

    Closed forms and their derivatives are of the leaves of each step; the rest is of the named values and
    adjoints that the backend finds by the derivation's own equations.

    Args:
        table: what `lambdified` gave for this derivation and backend; made here otherwise.

    Raises:
        ValueError: a size of the point is not 1, or the cell has no scalar view.
        TypeError: the library computed in another dtype.
    """
    import numpy as np

    library = _library(backend, point)
    compiled = lambdified(derivation, backend) if table is None else table
    cell, shape = derivation.cell, (point.steps, point.batch)
    adjoints = backend.adjoints(backward_program(derivation), point, dtype)
    zero = np.zeros(shape)
    over_time = {
        **point.inputs,
        **{f"d{name}_out": point.cotangents.get(name, zero) for name in cell.seeded},
        **backend.forward(cell, point, dtype),
        **{id_: array for id_, array in adjoints.items() if id_[1:] not in cell.parameters},
    }
    values = {name: np.reshape(array, (1, 1)) for name, array in point.parameters.items()}
    values |= {id_: np.reshape(array, shape) for id_, array in over_time.items()}
    for state in cell.states:
        first = np.reshape(point.initial[state], (1, -1))
        last = np.reshape(point.final.get(state, zero[0]), (1, -1))
        values[prev(state)] = np.concatenate([first, values[state][:-1]])
        values[f"d{state}_next"] = np.concatenate([values[f"d{prev(state)}"][1:], last])

    with library(dtype) as on:
        given = {id_: on.array(array) for id_, array in values.items()}
        result = {}
        for key, formula in compiled.items():
            value = on.checked(f"{' '.join(key)} lambdified", _array(on, formula(given)))
            result[key] = np.array(np.broadcast_to(value.reshape(value.shape[-2:]), shape))
    return result


def gradients_lambdified(
    derivation: Derivation,
    backend: Backend,
    point: Point,
    dtype: str = "float64",
    table: Mapping[Key, Lambdified] | None = None,
) -> Arrays:
    """The gradients over all steps, from the lambdified definitions and adjoint equations.

    As `Backend.gradients` gives them; arguments and errors as in `evaluate_lambdified`.
    """
    library = _library(backend, point)
    compiled = lambdified_program(derivation, backend) if table is None else table
    with library(dtype) as on:
        return arrays.gradients(on, by_formulas(derivation, compiled), point)


def by_formulas(derivation: Derivation, compiled: Mapping[Key, Lambdified]) -> Steps:
    """The gradients over all steps, by the lambdified definitions and adjoint equations."""
    program, cell = backward_program(derivation), derivation.cell
    steps = {
        step.lhs.id: step
        for step in (*derivation.definitions, *derivation.adjoints)
        if isinstance(step.lhs, Name | Adjoint)
    }

    def call(id_: str) -> Call:
        """The formula of a name or an adjoint as one application of a function called by its id."""
        step = steps[id_]
        return Call(id_, tuple(map(Name, compiled[step.rule.value, step.of, step.wrt].arguments)))

    equations = tuple(replace(equation, rhs=call(equation.target)) for equation in cell.equations)
    adjoints = tuple((id_, call(id_)) for id_, _ in program.adjoints)
    program = replace(program, cell=replace(cell, equations=equations), adjoints=adjoints)

    def table(on: Library[Any]) -> dict[str, Callable[..., Any]]:
        def applied(step: Step) -> Callable[..., Any]:
            function = compiled[step.rule.value, step.of, step.wrt].function
            return lambda *values: _array(on, function(*values))

        return {id_: applied(step) for id_, step in steps.items()}

    return Steps(program, table)


def _library(backend: Backend, point: Point) -> Callable[[str], AbstractContextManager[Library[Any]]]:
    """The backend's library, for a point that has a scalar view."""
    import numpy as np

    for name, array, outer in (
        *((name, array, 0) for name, array in point.parameters.items()),
        *((name, array, 1) for name, array in point.initial.items()),
        *((name, array, 2) for name, array in point.inputs.items()),
    ):
        if any(size != 1 for size in np.shape(array)[outer:]):
            own = " x ".join(map(str, np.shape(array)[outer:]))
            raise ValueError(f"lambdified formulas are of the scalar view; {name} is {own} at this point, not 1")
    if backend.library is None:
        raise ValueError(f"{backend.name} has no arrays on which a lambdified formula could be evaluated")
    return backend.library


def _array(library: Library[Any], value: Any) -> Any:
    """A value of a formula as an array: where the formula is constant, its value is a plain number."""
    return value if hasattr(value, "dtype") else library.array([[[float(value)]]])
