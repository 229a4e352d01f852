"""A walkthrough: a cell with numbers, in its source's own names, and what its source printed.

The file is TOML; decimals are read exactly. `replay` computes every named value at every step, and every
gradient of the last step's states, readouts and loss, by running the derivation in plain floating point.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from functools import cached_property
from typing import Any

from derivations.build import build, renamed_draft
from derivations.catalogue import WALKTHROUGHS, find, read_cell
from derivations.cell import Cell, CellError
from derivations.derive import Derivation, derive
from derivations.expression import Expr, evaluate, names
from derivations.floats import Floats
from derivations.language import CONTROL, DEEPEST, MOST_DIGITS, draft, exact, expression
from derivations.names import fault
from derivations.program import backward_program, run_backward, run_forward
from derivations.visible import clipped

SCHEMA = "derivations/walkthrough/1"
MOST_STEPS = 200
MOST_DOTS = MOST_STEPS + 50
_DECIMAL = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
KEYS = (
    "schema", "title", "cell", "names", "blocks", "parameters", "inputs", "initial", "targets", "descent", "notes",
    "unused", "asides", "printed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on names of the walkthrough."""

    about: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Aside:
    """A value that the source computes beside its run."""

    name: str
    expr: Expr
    step: int
    text: str


@dataclass(frozen=True, slots=True)
class Printed:
    """What the source printed: `value` to as many digits as it gave."""

    of: str
    step: int
    value: str


@dataclass(frozen=True)
class Walkthrough:
    """Numbers for every name of a scalar cell; `cell` is already in the source's names.

    Attributes:
        base: the cell as its file has it, in our names and without the walkthrough's blocks.
        names: our name -> the source's, where they differ.
        inputs: one number a step, targets included.
        initial: by state.
        loss_steps: the steps (from 1) over which the loss is summed.
    """

    name: str
    title: str
    base: Cell
    cell: Cell
    names: Mapping[str, str]
    parameters: Mapping[str, Fraction]
    inputs: Mapping[str, tuple[Fraction, ...]]
    initial: Mapping[str, Fraction]
    loss_steps: tuple[int, ...]
    rate: Fraction | None
    notes: tuple[Note, ...]
    unused: tuple[Note, ...]
    asides: tuple[Aside, ...]
    printed: tuple[Printed, ...]

    @property
    def steps(self) -> int:
        return len(next(iter(self.inputs.values())))

    @cached_property
    def derivation(self) -> Derivation:
        return derive(self.cell)

    def source_name(self, name: str) -> str:
        """The source's name of a quantity, given either name. The source's own reading comes first."""
        return name if name in self.cell.shapes else self.names.get(name, name)


# --- reading ------------------------------------------------------------------------------------------------


def read_walkthrough(name: str) -> Walkthrough:
    """A walkthrough of the catalogue by its name, or a `.toml` file by its path.

    Raises:
        CellError: there is none, or what is wrong in the file, and where.
    """
    text, source = find(name, WALKTHROUGHS, ".toml", "walkthrough")
    try:
        return parse(text, source.removesuffix(".toml").rsplit("/", 1)[-1])
    except CellError as error:
        raise error.at(source) from None


def parse(text: str, name: str) -> Walkthrough:
    """The walkthrough that a TOML text describes.

    Raises:
        CellError: with the table and the key, for every way in which the text is not a walkthrough.
    """
    table = _Table(_toml(text), "")
    if table.text("schema") != SCHEMA:
        raise CellError(f'schema must be "{SCHEMA}"')
    table.only(KEYS)
    names_table, blocks, descent = table.table("names"), table.table("blocks"), table.table("descent")
    blocks.only(("targets", "text", "loss_steps"))
    descent.only(("rate",))
    source_names = {ours: names_table.text(ours) for ours in names_table.entries}
    base = _cell(table.text("cell"))
    cell = _with_blocks(base, source_names, blocks)
    if cell.stacked:
        raise CellError(f"{cell.name} stacks vectors; a walkthrough is in the scalar view, which has no stacks")
    inputs = _series(table.table("inputs"), cell.inputs, 0)
    steps = len(next(iter(inputs.values())))
    inputs |= _series(table.table("targets"), cell.targets, steps)
    loss_steps = blocks.steps("loss_steps", steps) or (steps,)
    known = set(cell.shapes)
    return Walkthrough(
        name=name,
        title=table.text("title", name),
        base=base,
        cell=cell,
        names=source_names,
        parameters=_numbers(table.table("parameters"), cell.parameters, "parameter"),
        inputs=inputs,
        initial=_numbers(table.table("initial"), cell.states, "state"),
        loss_steps=loss_steps,
        rate=descent.number("rate") if "descent" in table.entries else None,
        notes=tuple(Note(note.texts("about"), note.text("text")) for note in table.tables("notes")),
        unused=tuple(Note((note.text("name"),), note.text("text")) for note in table.tables("unused")),
        asides=tuple(_aside(aside, known, steps) for aside in table.tables("asides")),
        printed=tuple(
            Printed(p.known("of", known), p.step("step", steps), p.decimal("value")) for p in table.tables("printed")
        ),
    )


def _cell(name: str) -> Cell:
    try:
        return read_cell(name)
    except CellError as error:  # its lines are those of another file
        raise CellError(f"cell: {error}") from None


def _toml(text: str) -> Mapping[str, Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.count("[") > DEEPEST:
            raise CellError(f"brackets are nested deeper than {DEEPEST}", number)
        if line.count(".") > MOST_DOTS:  # a.a.a.a ... takes tomllib time and memory without end
            raise CellError(f"more than {MOST_DOTS} dots in one line", number)
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        said, at, place = str(error).rpartition(" (at ")  # it may quote a key of any length
        raise CellError(
            f"not TOML: {clipped(said, 120)}{at}{place}" if at else f"not TOML: {clipped(place, 120)}"
        ) from None
    except (ValueError, ArithmeticError):
        raise CellError(f"a number of more than {MOST_DIGITS} digits") from None
    except RecursionError:
        raise CellError("tables are nested too deeply") from None


@dataclass(frozen=True)
class _Table:
    """A TOML table that knows its path, so that every complaint can say where."""

    entries: Mapping[str, Any]
    path: str

    def _where(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def text(self, key: str, default: str | None = None) -> str:
        value = self.entries.get(key, default)
        if not isinstance(value, str):
            raise CellError(f"{self._where(key)} must be a text in quotes")
        return _printable(value, self._where(key))

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.entries.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise CellError(f"{self._where(key)} must be a list of texts in quotes")
        return tuple(_printable(entry, self._where(key)) for entry in value)

    def decimal(self, key: str) -> str:
        """A decimal as text, which keeps the digits that its source gave."""
        text = self.text(key)
        if not _DECIMAL.fullmatch(text):
            raise CellError(f"{self._where(key)}: {text!r:.40} is not a number in quotes")
        try:
            exact(text.removeprefix("-"))
        except CellError as error:
            raise CellError(f"{self._where(key)}: {error.message}") from None
        return text

    def only(self, known: Sequence[str]) -> None:
        for key in self.entries:
            if key not in known:
                near = get_close_matches(key, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                raise CellError(f"there is no key or table {self._where(key)[:60]!r}; {hint}")

    def table(self, key: str) -> "_Table":
        value = self.entries.get(key, {})
        if not isinstance(value, dict):
            raise CellError(f"[{self._where(key)}] must be a table")
        return _Table(value, self._where(key))

    def tables(self, key: str) -> list["_Table"]:
        value = self.entries.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise CellError(f"[[{self._where(key)}]] must be a list of tables")
        return [_Table(entry, f"{self._where(key)}[{k}]") for k, entry in enumerate(value)]

    def number(self, key: str) -> Fraction:
        if key not in self.entries:
            raise CellError(f"{self._where(key)} has no number")
        return _number(self.entries[key], self._where(key))

    def numbers(self, key: str) -> tuple[Fraction, ...]:
        value = self.entries.get(key, [])
        if not isinstance(value, list):
            value = [value]
        return tuple(_number(entry, f"{self._where(key)}[{k}]") for k, entry in enumerate(value))

    def step(self, key: str, steps: int) -> int:
        return _step(self.number(key), self._where(key), steps)

    def steps(self, key: str, steps: int) -> tuple[int, ...]:
        found = tuple(_step(number, self._where(key), steps) for number in self.numbers(key))
        if len(set(found)) < len(found):
            raise CellError(f"{self._where(key)} names a step twice")
        return found

    def known(self, key: str, names_: set[str]) -> str:
        name = self.text(key)
        if name not in names_:
            raise CellError(f"{self._where(key)}: the cell has no name {name[:40]}")
        return name


def _printable(text: str, where: str) -> str:
    """A text that may be shown in a terminal."""
    if match := CONTROL.search(text):
        raise CellError(f"{where} has an unprintable character ({match[0]!a})")
    return text


def _step(number: Fraction, where: str, steps: int) -> int:
    if number.denominator != 1 or not 1 <= number <= steps:
        raise CellError(f"{where}: steps run from 1 to {steps}")
    return int(number)


def _number(value: Any, where: str) -> Fraction:
    """An exact number; infinities, NaN and texts are refused."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        kinds = {str: f"the text {value!r:.40}", dict: "a table", list: "a list", bool: "true or false"}
        raise CellError(f"{where}: {kinds.get(type(value), 'a date')} is not a number")
    if isinstance(value, Decimal) and not value.is_finite():
        raise CellError(f"{where}: {value} is not a finite number")
    if isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:  # Python does not even write the longest ones
        raise CellError(f"{where}: a number of more than {MOST_DIGITS} digits")
    try:
        return exact(str(value).lstrip("+-")) * (-1 if value < 0 else 1)
    except CellError as error:
        raise CellError(f"{where}: {error.message}") from None


def _numbers(table: _Table, wanted: tuple[str, ...], kind: str) -> dict[str, Fraction]:
    _complete(table, wanted, kind)
    return {name: table.number(name) for name in wanted}


def _series(table: _Table, wanted: tuple[str, ...], steps: int) -> dict[str, tuple[Fraction, ...]]:
    """Numbers a step; a single one is repeated where `steps` is known."""
    _complete(table, wanted, "input")
    result = {name: table.numbers(name) for name in wanted}
    length = steps or max(map(len, result.values()))
    if not all(result.values()):
        raise CellError(f"[{table.path}] gives no number for {next(name for name in wanted if not result[name])}")
    if length > MOST_STEPS:
        raise CellError(f"[{table.path}]: {length} steps; {MOST_STEPS} is the most")
    for name, series in result.items():
        if len(series) == 1:
            result[name] = series * length
        elif len(series) != length:
            raise CellError(f"{table.path}.{name} has {len(series)} numbers where {length} are due")
    return result


def _complete(table: _Table, wanted: tuple[str, ...], kind: str) -> None:
    if missing := [name for name in wanted if name not in table.entries]:
        raise CellError(f"[{table.path}] gives no number for {kind} {', '.join(missing)}")
    if extra := [name[:40] for name in table.entries if name not in wanted]:
        shown = ", ".join(map(repr, extra[:5])) + (", ..." if len(extra) > 5 else "")
        raise CellError(f"[{table.path}] gives {shown}, which the cell does not have as {kind}")


def _with_blocks(cell: Cell, source_names: Mapping[str, str], blocks: _Table) -> Cell:
    """The cell in the source's names, with the readout and loss that the walkthrough adds."""
    base = renamed_draft(cell, source_names)
    renamed = build(base)
    if "text" not in blocks.entries:
        return renamed
    targets = blocks.texts("targets")
    for name in targets:
        if why := fault(name):
            raise CellError(f"blocks.targets: {why}")
    head = f"target {', '.join(targets)}" if targets else ""
    try:
        added = draft(f"cell blocks\n{head}\n{blocks.text('text')}")
        kinds = dict.fromkeys((*base.declared, *added.declared))
        return build(
            replace(
                base,
                declared={kind: base.declared.get(kind, ()) + added.declared.get(kind, ()) for kind in kinds},
                equations=base.equations + added.equations,
                facts=base.facts + added.facts,
                places={**base.places, **added.places},
            )
        )
    except CellError as error:  # the lines that we put on top do not count
        place = CellError(error.message, max(error.line - 2, 0), error.column)
        raise CellError(f"blocks.text: {place}") from None


def _aside(table: _Table, known: set[str], steps: int) -> Aside:
    try:
        expr = expression(table.text("text"))
    except CellError as error:
        raise CellError(f"{table.path}.text: {error.message}") from None
    for name in names(expr):
        if name not in known:
            raise CellError(f"{table.path}.text: the cell has no name {name}")
    return Aside(table.text("name"), expr, table.step("step", steps), table.text("note", ""))


# --- running ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Replay:
    """A walkthrough run in float64.

    Attributes:
        values: every named value at every step, t = 1 first; parameters and previous states included.
        gradients: of -> with respect to -> value, at the last step; `of` is a state, a readout, or "loss".
        asides: by name.
        descended: the loss before and after one step of gradient descent, if the walkthrough asks for it.
    """

    walkthrough: Walkthrough
    values: tuple[Mapping[str, float], ...]
    gradients: Mapping[str, Mapping[str, float]]
    asides: Mapping[str, float]
    descended: tuple[float, float] | None

    @property
    def loss(self) -> float | None:
        cell = self.walkthrough.cell
        if not cell.loss:
            return None
        return sum(self.values[t - 1][cell.loss] for t in self.walkthrough.loss_steps)


def replay(walkthrough: Walkthrough) -> Replay:
    """Every value and gradient of a walkthrough, by the derivation's own equations in float64."""
    cell, arithmetic = walkthrough.cell, Floats()
    program = backward_program(walkthrough.derivation)

    def run(parameters: Mapping[str, float]) -> list[dict[str, Any]]:
        return run_forward(
            cell,
            parameters,
            {name: [arithmetic.number(x) for x in series] for name, series in walkthrough.inputs.items()},
            {name: arithmetic.number(value) for name, value in walkthrough.initial.items()},
            arithmetic,
        )

    parameters = {name: arithmetic.number(value) for name, value in walkthrough.parameters.items()}
    trace = run(parameters)
    one, last = arithmetic.number(Fraction(1)), len(trace) - 1
    zero = arithmetic.number(Fraction(0))

    def gradients(cotangents: Mapping[str, list[Any]], final: Mapping[str, Any]) -> dict[str, float]:
        found, _ = run_backward(program, trace, cotangents, final, arithmetic)
        return {wrt: float(value) for wrt, value in found.items()}

    by_target = {state: gradients({}, {state: one}) for state in cell.states}
    for name in cell.readouts:
        by_target[name] = gradients({name: [one if t == last else zero for t in range(len(trace))]}, {})
    descended: tuple[float, float] | None = None
    if cell.loss:
        loss = cell.loss

        def summed(steps: list[dict[str, Any]]) -> float:
            return sum(float(steps[t - 1][loss]) for t in walkthrough.loss_steps)

        seeds = [one if t + 1 in walkthrough.loss_steps else zero for t in range(len(trace))]
        by_target["loss"] = gradients({cell.loss: seeds}, {})
        if walkthrough.rate is not None:
            slopes, rate = by_target["loss"], arithmetic.number(walkthrough.rate)
            moved = {name: value - rate * slopes[name] for name, value in parameters.items()}
            descended = summed(trace), summed(run(moved))
    asides = {
        aside.name: float(evaluate(aside.expr, trace[aside.step - 1], arithmetic)) for aside in walkthrough.asides
    }
    values = tuple({name: float(value) for name, value in step.items()} for step in trace)
    return Replay(walkthrough, values, by_target, asides, descended)
