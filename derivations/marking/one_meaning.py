"""What one name means must be one thing: an array over time, and a weight whose gradient is packed in one order.

`hs[t-1]` is the state before, so `hs[t]` is the state. Where the gradient of a weight that acts on `[h, x]` is right
with the share of h first, the weight has its columns in that order as well.
"""

import re
from collections.abc import Iterator

from derivations.cell import Cell
from derivations.expression import Adjoint, Expr, Name, Shift, Stack, TimeSum, Total, Transpose, rewrite, walk
from derivations.marking.understanding import Understanding

_ENTRY = re.compile(r"(?P<array>\w+?)(?:\[t(?P<by>[+-]\d+)\])?")


def one_meaning(reading: Understanding) -> Iterator[tuple[str, Expr]]:
    """The names that mean something else than another line shows, with what they must mean."""
    said = dict(_said(reading))
    yield from _entries(said, reading)
    for judged in reading.judged:
        order = _order(judged.of if judged.of is not None else judged.quantity) if judged.right else None
        if order is None:
            continue
        stem = _bare(re.sub(r"^(?:grad_?|d_?|g_?)", "", judged.line.target))
        for name, meaning in said.items():
            packed = _packed(meaning)
            if _bare(name) == stem and packed and packed != _packed(order) and set(packed) == set(_packed(order)):
                yield name, order


def _said(reading: Understanding) -> Iterator[tuple[str, Expr]]:
    """The names from outside with what they mean."""
    for k in range(len(reading.judged)):
        for name in reading.frees(k):
            meaning = reading.chosen.get(name) or next((m.quantity for m in reading.readings(name)), None)
            if meaning is not None:
                yield name, meaning


def _entries(said: dict[str, Expr], reading: Understanding) -> Iterator[tuple[str, Expr]]:
    """Entries of an array of states, of which one is read as something else."""
    cell = reading.course.cell
    of: dict[str, str] = {}
    for name, meaning in said.items():
        entry = _ENTRY.fullmatch(name)
        if entry and entry["by"] and (state := _state(meaning, int(entry["by"]), cell)):
            of.setdefault(entry["array"], state)
    for name, meaning in said.items():
        if name in of and name in reading.sheet.series and meaning != Name(of[name]):
            yield name, Name(of[name])


def _state(meaning: Expr, by: int, cell: Cell) -> str:
    """The state that an entry `by` steps from now is; empty where it is none."""
    match meaning:
        case Name(id_) if by == -1 and id_ in cell.previous:
            return cell.states[cell.previous.index(id_)]
        case Shift(Name(id_), more) if more == by and id_ in cell.states:
            return id_
    return ""


def _order(quantity: Expr | None) -> Expr | None:
    """The parameters of a packed gradient as the gradient has them; None where it is none."""
    if isinstance(quantity, TimeSum):
        quantity = quantity.arg
    if quantity is None or not any(isinstance(node, Stack) for node in walk(quantity)):
        return None

    def rule(node: Expr) -> Expr | None:
        return Name(node.of) if isinstance(node, Adjoint | Total) else None

    return rewrite(quantity, rule)


def _packed(meaning: Expr) -> tuple[Expr, ...]:
    """The parts of what is packed, in their order."""
    whole = meaning.arg if isinstance(meaning, Transpose) else meaning
    return (
        tuple(part.arg if isinstance(part, Transpose) else part for part in whole.parts)
        if isinstance(whole, Stack)
        else ()
    )


def _bare(name: str) -> str:
    return re.sub(r"[_{}\\]", "", name)
