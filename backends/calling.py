"""How someone else's step function is called and run: what it takes, by which names, and what it returns."""

import inspect
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial, reduce
from operator import add
from typing import Any

from backends.arrays import Library
from backends.backend import find, get
from backends.points import Point, shape_in
from derivations.cell import Cell, prev
from derivations.expression import names as names_in


class WrongResult(AssertionError):
    """A step returned what cannot be compared: another shape, or another dtype."""


@dataclass(frozen=True)
class Convention:
    """A step function and the names under which it knows the quantities of a cell.

    Attributes:
        theirs: what it calls a quantity, by the cell's name for it.
        given: the leaves that it is given: all that matter to what it returns, and others that it asks for.
        returned: the new states, in the order in which the cell declares them, then the outputs.
        batched: whether it takes batches, or one sequence at a time.
    """

    cell: Cell
    step: Callable[..., Any]
    theirs: Mapping[str, str]
    given: tuple[str, ...]
    returned: tuple[str, ...]
    batched: bool

    @property
    def name(self) -> str:
        """What to call the step in an error."""
        step = self.step.func if isinstance(self.step, partial) else self.step
        return getattr(step, "__name__", type(step).__name__)

    def shown(self, name: str) -> str:
        """A quantity by the cell's name, and by the step's where that is another."""
        own = self.theirs[name]
        return name if own == name else f"{name} (the step's {own})"

    def call(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What one call returns, by the cell's names.

        Raises:
            TypeError: it is not one array for each of `returned`.
        """
        answer = self.step(**{self.theirs[leaf]: values[leaf] for leaf in self.given})
        due = ", ".join(self.theirs[name] for name in self.returned)
        if isinstance(answer, Mapping):
            if absent := [self.theirs[name] for name in self.returned if self.theirs[name] not in answer]:
                raise TypeError(f"{self.name} returns {', '.join(map(str, answer))}, and not {', '.join(absent)}")
            return {name: answer[self.theirs[name]] for name in self.returned}
        found = tuple(answer) if isinstance(answer, tuple | list) else (answer,)
        if len(found) != len(self.returned):
            raise TypeError(f"{self.name} returns {len(found)} values where {len(self.returned)} are due: {due}")
        for name, value in zip(self.returned, found, strict=True):
            if not hasattr(value, "shape"):
                kind = type(value).__name__
                raise TypeError(f"{self.name} returns a {kind} where {self.theirs[name]} is due, an array: {due}")
        return dict(zip(self.returned, found, strict=True))


def convention(
    cell: Cell, step: Callable[..., Any], names: Mapping[str, str], outputs: Sequence[str], batched: bool
) -> Convention:
    """The convention of a step function.

    Raises:
        ValueError: `names` or `outputs` speaks of what the cell does not have, or two leaves share a name.
        TypeError: the step does not take what matters to what it returns, or asks for what the cell lacks.
    """
    known = tuple(dict.fromkeys((*cell.leaves, *cell.defined)))
    for name in (*names, *outputs):
        if name not in known or (name in outputs and name not in cell.defined):
            raise ValueError(_unknown(cell, name, cell.defined if name in outputs else known))
    theirs = {name: name for name in known}
    theirs |= {prev(state): prev(names[state]) for state in cell.states if state in names}
    theirs |= names
    returned = tuple(dict.fromkeys((*cell.states, *outputs)))
    leaves = [theirs[leaf] for leaf in cell.leaves]
    if twin := next((own for own in leaves if leaves.count(own) > 1), None):
        ours = [leaf for leaf in cell.leaves if theirs[leaf] == twin]
        raise ValueError(f"{' and '.join(ours)} would both be given as {twin}; names are changed all at once")

    takes, requires, anything = _signature(step)
    matter = _ancestors(cell, returned)
    lacking = [leaf for leaf in cell.leaves if leaf in matter and not anything and theirs[leaf] not in takes]
    spare = [own for own in requires if own not in leaves]
    if lacking or spare:
        said = [f"it does not take {', '.join(theirs[leaf] for leaf in lacking)} by name"] if lacking else []
        said += [f"it asks for {', '.join(spare)}, which {cell.name} does not have"] if spare else []
        hint = f"names={{{(lacking or ['W_xf'])[0]!r}: {(spare or ['W'])[0]!r}}}"
        raise TypeError(f"the step cannot be called: {'; '.join(said)}. Say what it calls a quantity, as in {hint}")
    given = tuple(leaf for leaf in cell.leaves if leaf in matter or theirs[leaf] in takes)
    return Convention(cell, step, theirs, given, returned, batched)


def _unknown(cell: Cell, name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"{cell.name} has no {name}; {hint}"


def _signature(step: Callable[..., Any]) -> tuple[set[str], list[str], bool]:
    """The keywords that a function takes, those that it cannot do without, and whether it takes any."""
    try:
        found = inspect.signature(step).parameters.values()
    except (TypeError, ValueError):  # written in C, and says nothing
        return set(), [], True
    named = [p for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    alone = [p for p in found if p.kind is p.POSITIONAL_ONLY and p.default is p.empty]
    required = [p.name for p in (*alone, *named) if p.default is p.empty]
    return {p.name for p in named}, required, any(p.kind is p.VAR_KEYWORD for p in found)


def _ancestors(cell: Cell, of: Sequence[str]) -> set[str]:
    """The names on which some names depend within a step."""
    found: set[str] = set()
    waiting = list(of)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name in cell.defined:
            waiting += names_in(cell.equation(name).rhs)
    return found


# --- running it ---------------------------------------------------------------------------------------------


def library_of(call: Convention, point: Point, dtype: str, sizes: Mapping[str, int]) -> str:
    """The library that a step is written in: the one that is imported, or the first of them that it runs on.

    Raises:
        TypeError: none is imported, or it runs on none.
    """
    imported = [b.name for b in find().values() if b.differentiate and b.packages[0] in sys.modules]
    if len(imported) == 1:
        return imported[0]
    reasons = []
    for name in imported:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run(call, point, dtype, name, sizes)
        except WrongResult:  # it ran
            return name
        except Exception as reason:
            reasons.append(f"on {name}: {type(reason).__name__}: {reason}")
        else:
            return name
    what = f"runs on none of {', '.join(imported)}" if imported else "is of no library that is imported"
    raise TypeError("\n".join([f"{call.name} {what}; say which with backend=", *reasons]))


def run(
    call: Convention, point: Point, dtype: str, backend: str, sizes: Mapping[str, int]
) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """What a step returned at every step, and the gradients by its own library, None where there is none."""
    chosen = get(backend)
    if chosen.library is None or chosen.differentiate is None:
        raise TypeError(f"{backend} does not differentiate anyone's function; backend= is a library that does")
    numbers = dict(point.parameters)
    numbers |= {f"{state}_0": array for state, array in point.initial.items()}
    numbers |= {f"{name}_{t}": x for name in call.cell.inputs for t, x in enumerate(point.inputs[name], 1)}
    with chosen.library(dtype) as on:
        leaves = {key: on.array(array) for key, array in numbers.items()}
        values, found = chosen.differentiate(lambda at: _unrolled(on, call, point, at, sizes), leaves)
        return (
            {name: [on.numpy(array) for array in series] for name, series in values.items()},
            {key: None if slope is None else on.numpy(slope) for key, slope in found.items()},
        )


def _unrolled(
    on: Library[Any], call: Convention, point: Point, leaves: Mapping[str, Any], sizes: Mapping[str, int]
) -> tuple[Any, dict[str, list[Any]]]:
    """The sum of what a step returns times its cotangents, and what it returns at every step.

    Raises:
        WrongResult: it returns another shape or dtype than is due.
        TypeError: it returns what is no array of the library.
    """
    cell = call.cell
    every: dict[str, list[Any]] = {name: [] for name in call.returned}
    states = {state: leaves[f"{state}_0"] for state in cell.states}
    weighted = []
    for t in range(1, point.steps + 1):
        per_sequence = {prev(state): array for state, array in states.items()}
        per_sequence |= {name: leaves[f"{name}_{t}"] for name in cell.inputs}
        per_sequence |= {name: on.array(point.inputs[name][t - 1]) for name in cell.targets}
        shared = {name: leaves[name] for name in cell.parameters}
        if call.batched:
            new = call.call(shared | per_sequence)
        else:
            each = [call.call(shared | {k: v[b] for k, v in per_sequence.items()}) for b in range(point.batch)]
            for one in each:
                _hold(on, call, one, t, {name: shape_in(cell, name, sizes) for name in one})
            new = {name: on.concatenate([one[name][None] for one in each], 0) for name in call.returned}
        _hold(on, call, new, t, {name: (point.batch, *shape_in(cell, name, sizes)) for name in new})
        for name, value in new.items():
            every[name].append(value)
            if name in point.cotangents:
                weighted.append((on.array(point.cotangents[name][t - 1]) * value).sum())
        states = {state: new[state] for state in cell.states}
    weighted += [(on.array(point.final[state]) * value).sum() for state, value in states.items()]
    return reduce(add, weighted), every


def _hold(
    on: Library[Any], call: Convention, new: Mapping[str, Any], t: int, shapes: Mapping[str, tuple[int, ...]]
) -> None:
    for name, value in new.items():
        what = f"{call.name} is not {call.cell.name}: {call.shown(name)} at step {t}"
        if not isinstance(value, on.array_type):
            kind = type(value)
            raise TypeError(f"{what} is a {kind.__module__}.{kind.__qualname__} where {on.name} has its own arrays")
        if tuple(value.shape) != shapes[name]:
            raise WrongResult(f"{what} has shape {tuple(value.shape)} where {shapes[name]} is due")
        if not str(value.dtype).endswith(on.dtype):
            raise WrongResult(f"{what} is {value.dtype}; it was given {on.dtype}")
