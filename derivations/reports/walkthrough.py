"""What `derive walkthrough` says: equations, values, gradients, checks, and what happened."""

from decimal import Decimal, localcontext
from math import isfinite
from typing import Any

from derivations.derive import Derivation
from derivations.document import (
    Block,
    Derived,
    Document,
    Heading,
    Items,
    Paragraph,
    Table,
    Text,
    sentence,
)
from derivations.expression import Expr, Name, TimeSum, scalar_view
from derivations.notation import Notation, for_names
from derivations.plain import Style, text
from derivations.reading import reading
from derivations.reports.checks import Checked, check_blocks, check_records
from derivations.symbols import number
from derivations.typeset import to_latex
from derivations.walkthrough import Replay, Walkthrough

PER_TABLE = 5  # steps


def record(replay: Replay, checked: Checked) -> dict[str, Any]:
    """The walkthrough for programs, in the source's names without time."""
    walkthrough = replay.walkthrough
    cell, last = walkthrough.cell, replay.values[-1]
    shown = (*(e.target for e in cell.equations if e.block == ""), *cell.readouts)
    notation = notation_of(walkthrough)
    return {
        "schema": "derivations/walkthrough-result/1",
        "name": walkthrough.name,
        "title": walkthrough.title,
        "cell": cell.name,
        "names": dict(walkthrough.names),
        "parameters": {name: float(value) for name, value in walkthrough.parameters.items()},
        "initial": {f"{name}_0": float(value) for name, value in walkthrough.initial.items()},
        "targets": {name: list(map(float, walkthrough.inputs[name])) for name in cell.targets},
        "steps": [
            {
                "t": t,
                **{name: values[name] for name in cell.inputs},
                "values": {name: values[name] for name in shown},
            }
            for t, values in enumerate(replay.values, 1)
        ],
        "readout": {name: last[name] for name in cell.readouts},
        "loss": replay.loss,
        "gradients": {
            of: {
                wrt: {"value": value, **_expression(wrt, walkthrough.derivation, notation)}
                for wrt, value in by_name.items()
            }
            for of, by_name in replay.gradients.items()
        },
        "asides": dict(replay.asides),
        "descent": None
        if replay.descended is None or walkthrough.rate is None
        else {
            "rate": float(walkthrough.rate),
            "loss_before": replay.descended[0],
            "loss_after": replay.descended[1],
        },
        "notes": [note.text for note in walkthrough.notes],
        "unused": {note.about[0]: note.text for note in walkthrough.unused},
        "printed": [
            {
                "of": p.of,
                "step": p.step,
                "printed": p.value,
                "value": replay.values[p.step - 1][p.of],
                "agrees": agrees(p.value, replay.values[p.step - 1][p.of]),
            }
            for p in walkthrough.printed
        ],
        "reading": list(reading(replay)),
        **check_records(checked),
    }


def _expression(wrt: str, derivation: Derivation, notation: Notation) -> dict[str, str]:
    """The equation by which a gradient is computed: a sum over time, or an adjoint of the first step."""
    cell = derivation.cell
    base, _, step = wrt.rpartition("_")
    if wrt in cell.parameters:
        expr: Expr = TimeSum(scalar_view(derivation.adjoint_of[wrt].rhs))
    elif step == "0" and base in cell.states:
        expr = scalar_view(derivation.adjoint_of[f"{base}_prev"].rhs)
    else:
        expr = scalar_view(derivation.adjoint_of[base].rhs)
    return {"expression": text(expr, Style()), "latex": to_latex(expr, notation)}


def notation_of(walkthrough: Walkthrough, **choices: Any) -> Notation:
    """The notation for a walkthrough's names; `h_4` and `x_1` carry their step already."""
    cell = walkthrough.cell
    timed = (f"{name}_{t}" for name in (*cell.defined, *cell.inputs) for t in range(walkthrough.steps + 1))
    ours = (name for name, theirs in walkthrough.names.items() if theirs in cell.parameters)
    return for_names((*cell.parameters, *timed, *ours, *_unused(walkthrough)), cell.shapes, **choices)


def agrees(printed: str, value: float) -> bool:
    """Whether a value rounds to what was printed, to as many digits as were printed."""
    if not isfinite(value):
        return False
    with localcontext(prec=400):  # the largest float has 309 digits
        said = Decimal(printed)
        return Decimal(value).quantize(said) == said


def document(
    replay: Replay, checked: Checked, *, full: bool = False, verbose: bool = False, **choices: Any
) -> Document:
    """The walkthrough for readers.

    Args:
        full: with every line of the derivation; otherwise adjoints and recurrences only.
        verbose: with the error of every check.
    """
    walkthrough = replay.walkthrough
    notation = notation_of(walkthrough, **choices)
    only = ("partial", "adjoint", "recurrence") if full else ("adjoint", "recurrence")
    blocks: list[Block] = [
        *_introduction(walkthrough),
        Derived(walkthrough.derivation, ("definition",)),
        Heading("The numbers"),
        *_given(walkthrough),
        Heading("Step by step"),
        *_values(replay),
        *_printed(replay),
        Derived(walkthrough.derivation, only),
        Heading("The gradients"),
        *_gradients(replay),
        *_happened(replay),
        *([Heading("Checks"), *check_blocks(checked, verbose=verbose)] if checked.checks else []),
    ]
    return Document(walkthrough.title, notation, tuple(blocks), walkthrough.cell.title)


def _happened(replay: Replay) -> list[Block]:
    known = _known(replay.walkthrough)
    said = tuple(sentence(one, known) for one in reading(replay))
    return [Heading("What happened"), Items(said)] if said else []


def _unused(walkthrough: Walkthrough) -> tuple[str, ...]:
    return tuple(note.about[0] for note in walkthrough.unused)


def _known(walkthrough: Walkthrough) -> frozenset[str]:
    """The names that a remark may speak of: those of the cell, and ours where the source has another."""
    return frozenset(walkthrough.cell.shapes) | frozenset(walkthrough.names)


def _introduction(walkthrough: Walkthrough) -> list[Block]:
    blocks: list[Block] = []
    known = _known(walkthrough)
    if walkthrough.names:
        pairs = [f"{ours} is called {theirs}" for ours, theirs in walkthrough.names.items()]
        blocks.append(Paragraph(sentence(f"In the source's own names: {', '.join(pairs)}.", known), "quiet"))
    notes: list[Text] = [sentence(note.text, known) for note in walkthrough.notes]
    notes += [sentence(f"{note.about[0]} is not used: {note.text}", known) for note in walkthrough.unused]
    if notes:
        blocks.append(Items(tuple(notes)))
    return blocks


def _given(walkthrough: Walkthrough) -> list[Block]:
    cell = walkthrough.cell
    groups = [(Name(n), number(v)) for n, v in walkthrough.parameters.items()]
    rows: list[tuple[Text, ...]] = []
    per_row = 3
    for start in range(0, len(groups), per_row):
        row: list[Text] = []
        for name, value in groups[start : start + per_row]:
            row += [(name,), (value,)]
        rows.append(tuple(row + [("",)] * (2 * per_row - len(row))))
    header: tuple[Text, ...] = (("parameter",), ("",)) * per_row
    initial: list[Text] = [(f"{state}_0 = {number(value)}",) for state, value in walkthrough.initial.items()]
    initial += [
        (f"the target {name} = {', '.join(dict.fromkeys(map(number, walkthrough.inputs[name])))}",)
        for name in cell.targets
    ]
    said = ", ".join(str(piece[0]) for piece in initial)
    return [Table(header, tuple(rows), "lr" * per_row), Paragraph(sentence(f"Given: {said}.", _known(walkthrough)))]


def _values(replay: Replay) -> list[Block]:
    """Rows are quantities, columns are steps, five to a table, so that it fits a terminal and a page."""
    cell = replay.walkthrough.cell
    names = (*cell.inputs, *(e.target for e in cell.equations if not e.auto and not e.block), *cell.readouts)
    labels = {e.target: e.label for e in cell.equations} | dict.fromkeys(cell.inputs, "input")
    tables: list[Block] = []
    for first in range(0, len(replay.values), PER_TABLE):
        some = replay.values[first : first + PER_TABLE]
        header: tuple[Text, ...] = (("",), ("",), *((f"t = {first + k}",) for k in range(1, len(some) + 1)))
        rows: list[tuple[Text, ...]] = []
        for name in names:
            rows.append(((labels.get(name, ""),), (Name(name),), *((values[name],) for values in some)))
        tables.append(Table(header, tuple(rows), "ll" + "r" * len(some)))
    return tables


def _printed(replay: Replay) -> list[Block]:
    walkthrough = replay.walkthrough
    blocks: list[Block] = []
    found = [(p, replay.values[p.step - 1][p.of]) for p in walkthrough.printed]
    if found:
        said = ", ".join(f"{p.of} = {p.value}" for p, _ in found)
        right = all(agrees(p.value, value) for p, value in found)
        exact = ", ".join(f"{p.of} = {value!r}" for p, value in found)
        verdict = "reproduced" if right else "NOT reproduced"
        blocks.append(Paragraph((f"The source printed {said}: {verdict} ({exact}).",), "good" if right else "bad"))
    for aside in walkthrough.asides:
        blocks.append(
            Paragraph((f"{aside.text} Its value at step {aside.step} is ", replay.asides[aside.name], "."), "quiet")
        )
    return blocks


def _gradients(replay: Replay) -> list[Block]:
    """Rows are what is differentiated by, columns what is differentiated."""
    last = len(replay.values)
    targets = list(replay.gradients)
    header: tuple[Text, ...] = (
        ("d/d",),
        *((Name(f"{of}_{last}") if of != "loss" else "loss",) for of in targets),
    )
    rows: list[tuple[Text, ...]] = []
    for wrt in replay.gradients[targets[0]]:
        rows.append(((Name(wrt),), *((replay.gradients[of][wrt],) for of in targets)))
    blocks: list[Block] = [Table(header, tuple(rows), "l" + "r" * len(targets))]
    if replay.descended and replay.walkthrough.rate is not None:
        before, after = replay.descended
        lines = (
            f"One step of gradient descent, every parameter moved by -{number(replay.walkthrough.rate)} times its"
            f" gradient: the loss goes from {before:.10g} to {after:.10g}.",
        )
        blocks.append(Paragraph(lines))
    return blocks
