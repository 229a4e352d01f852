"""What is said of mutants: how many there are, how many each layer of checking kills, and which survive."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from derivations.cell import Cell
from derivations.document import Block, Document, Heading, Items, Paragraph, Table, Text
from derivations.notation import for_names
from derivations.reports.checks import together

LAYERS: Mapping[str, str] = {
    "proof": "proof over time",
    "exact": "exact layer",
    "float64": "rounded layer, float64",
    "float32": "rounded layer, float32",
}
MOST_NAMED = 20


@dataclass(frozen=True)
class Fate:
    """What became of one mutant in one view.

    Attributes:
        mistake, of: as `mutants.Mutant` has them.
        equivalent: proved to be the right program in other words.
        killed: by layer; None where the layer owes nothing: the effect is at most four times what rounding may do.
    """

    mistake: str
    of: str
    view: str
    equivalent: bool = False
    killed: Mapping[str, bool | None] = field(default_factory=dict)

    @property
    def survives(self) -> tuple[str, ...]:
        """The layers that let it pass, of those that owe a verdict; one that is equivalent must pass them all."""
        if self.equivalent:
            return tuple(layer for layer, dead in self.killed.items() if dead)
        return tuple(layer for layer, dead in self.killed.items() if dead is False)


@dataclass(frozen=True)
class Mutation:
    """All mutants of a cell, view by view.

    Attributes:
        points: by view, the names of the points at which the numeric layers looked, those of float64 and float32.
        alarms: what a layer said against the right program: nothing, if all is well.
        backend: which backend ran the rounded layers.
    """

    fates: tuple[Fate, ...]
    points: Mapping[str, tuple[str, ...]]
    alarms: tuple[str, ...] = ()
    backend: str = "numpy"

    @property
    def views(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(fate.view for fate in self.fates))

    def of(self, view: str) -> tuple[Fate, ...]:
        return tuple(fate for fate in self.fates if fate.view == view)

    @property
    def survivors(self) -> tuple[Fate, ...]:
        """Mutants that some layer lets pass although it should not, and equivalent ones that some layer accuses."""
        return tuple(fate for fate in self.fates if fate.survives)

    @property
    def wrong(self) -> bool:
        return bool(self.survivors or self.alarms)


def _counts(fates: Sequence[Fate]) -> dict[str, dict[str, int]]:
    """By layer: how many of the mutants that it owes a verdict it kills."""
    real = [fate for fate in fates if not fate.equivalent]
    return {
        layer: {
            "killed": sum(fate.killed[layer] is True for fate in real),
            "of": sum(fate.killed[layer] is not None for fate in real),
        }
        for layer in LAYERS
    }


def record(cell: Cell, found: Mutation) -> dict[str, Any]:
    """The count for programs: by view and layer, and the fate of every mutant."""
    return {
        "schema": "derivations/mutants/1",
        "cell": cell.name,
        "backend": found.backend,
        "views": [
            {
                "view": view,
                "mutants": len(fates),
                "equivalent": sum(fate.equivalent for fate in fates),
                "layers": _counts(fates),
                "points": list(found.points[view]),
            }
            for view in found.views
            for fates in [found.of(view)]
        ],
        "survivors": [
            {"mistake": fate.mistake, "of": fate.of, "view": fate.view, "layers": list(fate.survives)}
            for fate in found.survivors
        ],
        "alarms": list(found.alarms),
        "mutants": [
            {
                "mistake": fate.mistake,
                "of": fate.of,
                "view": fate.view,
                "equivalent": fate.equivalent,
                "killed": dict(fate.killed),
            }
            for fate in found.fates
        ],
    }


def document(cell: Cell, found: Mutation, *, verbose: bool = False) -> Document:
    """The count for readers: a table, every survivor by name, and if `verbose` what is proved to be right."""
    blocks: list[Block] = [_table(found), Items(tuple(_sentences(found)))]
    for fate in found.survivors[:MOST_NAMED]:
        said = "is proved to be right, and yet refused by" if fate.equivalent else "SURVIVES"
        where = ", ".join(LAYERS[layer] for layer in fate.survives)
        blocks.append(Paragraph((f"{fate.mistake} ({fate.view}) {said}: {where}.",), "bad"))
    if len(found.survivors) > MOST_NAMED:
        blocks.append(Paragraph((f"and {len(found.survivors) - MOST_NAMED} more; --format json has them all",), "bad"))
    blocks += [Paragraph((f"FALSE ALARM: {alarm}.",), "bad") for alarm in found.alarms]
    if verbose:
        same = tuple((f"{fate.mistake} ({fate.view})",) for fate in found.fates if fate.equivalent)
        blocks += [Heading("Proved to be right"), Items(same)] if same else []
    verdict = "no wrong derivation passes"
    if found.survivors:
        verdict = f"{len(found.survivors)} mutant{'s' if len(found.survivors) > 1 else ''} not as they should be"
    elif found.alarms:
        verdict = "a right derivation is refused"
    title = f"{cell.title or cell.name}: {verdict}"
    return Document(title, for_names(cell.parameters, cell.shapes), tuple(blocks))


def _table(found: Mutation) -> Table:
    """A row a layer, a column a view."""
    by_view = {view: found.of(view) for view in found.views}
    header: tuple[Text, ...] = (("",), *((view,) for view in by_view))
    rows: list[tuple[Text, ...]] = [
        (("mutants",), *((len(fates),) for fates in by_view.values())),
        (("proved to be right",), *((sum(f.equivalent for f in fates),) for fates in by_view.values())),
    ]
    counts = {view: _counts(fates) for view, fates in by_view.items()}
    for layer, said in LAYERS.items():
        cells = (counts[view][layer] for view in by_view)
        rows.append(((f"killed: {said}",), *((f"{cell['killed']} of {cell['of']}",) for cell in cells)))
    return Table(header, tuple(rows), "l" + "r" * len(by_view))


def _sentences(found: Mutation) -> Iterator[Text]:
    yield ("A mutant is the derived backward pass with one mistake. A layer kills it by showing that it is wrong.",)
    if any(fate.equivalent for fate in found.fates):
        yield ("Mutants proved to be right give the same gradients for all numbers: a 1x1 matrix transposed, say.",)
    yield ("float32 owes an answer where the effect is more than four times what rounding may do.",)
    points = together(f"{view}, {name}" for view, names in found.points.items() for name in names)
    yield (f"The rounded layers ran on {found.backend}, at {points}.",)
