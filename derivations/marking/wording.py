"""What is said of a sheet, in its writer's own names: formulas, sentences, and numbers at which a line is off."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property, partial

from derivations.expression import Adjoint, Expr, Name, Shift, rewrite, scalar_view, walk
from derivations.floats import FloatMatrices
from derivations.marking.course import DENOMINATOR, ROWS, SCALAR, TURNED
from derivations.marking.judged import Judged
from derivations.marking.numbering import at_numbers
from derivations.marking.right_line import written_out
from derivations.marking.sheet import Line, Written, free
from derivations.marking.understanding import Understanding
from derivations.marking.world import NEVER, NO_VALUE, World, leaves
from derivations.notation import for_names
from derivations.plain import code
from derivations.typeset import to_latex


class Wording:
    """The names of one reading: `table` has theirs by our quantity."""

    def __init__(self, reading: Understanding) -> None:
        self.reading, self.course, self.sheet, self.view = reading, reading.course, reading.sheet, reading.view
        self.table = self._names()
        self.flat = self.view.layout == SCALAR and not self.course.cell.stacked  # formulas are shown as of scalars

    def meanings(self) -> Iterator[tuple[Expr, str]]:
        """Every quantity that the sheet speaks of, with their name for it."""
        for judged in self.reading.judged:
            for name in judged.line.uses:
                if free(name):
                    found = self.reading.chosen.get(name)
                    if found is None:
                        options = self.reading.readings(name)
                        found = options[0].quantity if options else None
                    if found is not None:
                        yield found, name
            whole = judged.of if judged.of is not None else judged.quantity
            if whole is None and (error := self._error(judged)) is not None:
                yield error, judged.line.target
            if whole is not None and not judged.part:
                yield whole, judged.line.target

    def _error(self, judged: Judged) -> Expr | None:
        """The error that a line gives which is a quantity of their own by its name: `aR` for that at the reset gate."""
        said, step = judged.said, judged.line.step
        if judged.value is None or said is None or not any(isinstance(node, Adjoint) for node in walk(said)):
            return None
        errors = (
            Adjoint(name) for name in self.course.derivation.adjoint_of if name not in self.course.cell.parameters
        )
        return next((e for e in errors if self.course.agrees(judged.value, e, self.view, step)), None)

    def _names(self) -> dict[Expr, str]:
        table: dict[Expr, str] = {}
        for quantity, name in self.meanings():
            table.setdefault(quantity, self.theirs_of(name))
        for judged in self.reading.judged:  # a letter that the sheet gives something is what it calls it from there
            if judged.line.defines and isinstance(judged.line.rhs, Name) and judged.said in table:
                table[judged.said] = self.theirs_of(judged.line.target)
        cell = self.course.cell
        for before, state in zip(cell.previous, cell.states, strict=True):
            own = table.get(Name(state), "")
            unsaid = Name(before) not in table and self.sheet.notation != "python"  # arrays may be shifted
            if unsaid and (earlier := _earlier(own)) != own:
                table[Name(before)] = earlier
        return table

    def theirs_of(self, name: str) -> str:
        return self.sheet.shown.get(name, name)

    def theirs(self, expr: Expr) -> Expr:
        """An expression with their names for what they have named."""
        return rewrite(expr, lambda node: Name(self.table[node]) if node in self.table else None)

    def written(self, line: Line, right: Expr, adds: bool = False) -> str:
        """The right line in their names; a part of a sum as what is added."""
        sign = "+=" if adds and line.increment is not None and "+=" in line.text else "="
        right = scalar_view(right) if self.flat else right
        target = self.theirs_of(line.target)
        if self.sheet.numbered:
            target = re.split(r"\+?=", line.text)[0].strip()
            said = at_numbers(right, self._numbered, self.course.cell, line.step, self.view.steps)
        else:
            said = self.theirs(right)
        shown = self._typeset(said) if self.sheet.notation == "latex" else code(said)
        return f"{target} {sign} {shown}"

    @cached_property
    def _numbered(self) -> dict[str, str]:
        """A name of theirs for each quantity at its own step, where names carry the number of their step."""
        found: dict[str, str] = {}
        for quantity, name in self.meanings():
            at_own = quantity.arg if isinstance(quantity, Shift) else quantity
            match at_own:
                case Name(id_) | Adjoint(id=id_):
                    state = id_.removesuffix("_prev") if id_ in self.course.cell.previous else id_
                    found.setdefault(state, self.theirs_of(name))
        return found

    def _typeset(self, said: Expr) -> str:
        """LaTeX, in which what they have named stands as they write it."""
        cell = self.course.cell
        known = (*cell.shapes, *cell.defined)
        theirs = sorted({n.id for n in walk(said) if isinstance(n, Name) and n.id not in known})
        places = {name: f"Q{_letters(k)}" for k, name in enumerate(theirs)}
        plain = rewrite(said, lambda n: Name(places[n.id]) if isinstance(n, Name) and n.id in places else None)
        view = "scalar" if self.flat else "vector"
        notation = for_names((*cell.parameters, *places.values()), cell.shapes, view=view)
        written = to_latex(plain, notation)
        for name, place in places.items():
            written = written.replace(rf"\mathrm{{{place}}}", name)
        return written

    def translated(self, words: str) -> str:
        """A sentence in their names."""
        table = {code(quantity): name for quantity, name in self.table.items()}
        if self.sheet.numbered:  # a name with a number is of one step alone
            table = {ours: name for ours, name in table.items() if not re.search(r"\d", name)}
        for parameter in self.course.cell.parameters:  # the same at every step
            words = re.sub(rf"\b{parameter}\[t[+-]\d\]", parameter, words)
        return re.sub(r"[A-Za-z]\w*(?:\[t[+-]\d\])?", lambda m: table.get(m[0], m[0]), words)

    def example(self, said: Expr, quantity: Expr, step: int) -> str:
        """The smallest numbers at which the line is off, in the scalar view."""
        if self.course.cell.stacked:
            return ""
        keys = sorted({*leaves(said, step, self.view.steps)})
        try:
            right = written_out(self.course, quantity, said, step)
            keys = sorted({*keys, *leaves(right, step, self.view.steps)})
            for seed in range(12):
                numbers = {key: _SMALL[(7 * k + 3 * seed + k * seed) % len(_SMALL)] for k, key in enumerate(keys)}
                held = numbers | {(id_.removesuffix("_prev"), s - 1): n for (id_, s), n in numbers.items()
                                  if id_ in self.course.cell.previous}  # fmt: skip
                world = World(
                    self.course.derivation,
                    FloatMatrices(),
                    partial(_number, held),
                    one=True,
                    opaque=held.keys(),
                    steps=self.view.steps,
                )
                theirs = world.read(said, step, Written(world.arithmetic, self.view.strict))[0][0]
                ours = world.read(right, step, world.arithmetic)[0][0]
                if abs(theirs - ours) > 1e-6 * (1 + abs(ours)):
                    at = ", ".join(
                        f"{self._called(id_, s - step)} = {numbers[id_, s]:g}"
                        for id_, s in keys
                        if not id_[0].isupper()
                    )
                    return f"at {at} it gives {theirs:.4g}, and {ours:.4g} is right"
        except NO_VALUE:
            return ""
        return ""

    def _called(self, id_: str, by: int) -> str:
        for quantity, name in self.table.items():
            if code(quantity) == (id_ if not by else f"{id_}[t{by:+d}]"):
                return name
        return id_ if not by else f"{id_}[t{by:+d}]"

    def stated(self) -> tuple[str, ...]:
        """What the sheet was taken to mean, where that is not what its names say."""
        found = [LAYOUTS[self.view.layout]] if self.view.layout in LAYOUTS else []
        if gate := self.reading.mirrored:
            found.append(f"what it calls {gate} is 1 - {gate}")
        if any(step == NEVER and id_ in self.course.cell.parameters for id_, step in self.view.zero):
            found.append("read without biases")
        for quantity, name in self.table.items():
            ours = code(quantity)
            if name != ours and name.replace("_t", "") != ours:
                found.append(f"{name} is {ours}")
        return tuple(dict.fromkeys(found))


def _earlier(name: str) -> str:
    """A name with a mark for this step, as `c_t` or `s^t`, with that of the step before."""
    return re.sub(r"([_^])(?:t|\{\s*\(?t\)?\s*\})$", r"\1{t-1}", re.sub(r"([(\[])t([)\]])$", r"\1t-1\2", name))


def _letters(k: int) -> str:
    return chr(ord("a") + k // 26 % 26) + chr(ord("a") + k % 26)


LAYOUTS = {
    SCALAR: "read as scalars",
    ROWS: "read with vectors as rows, and weights transposed",
    TURNED: "read with vectors as rows",
    DENOMINATOR: "read with derivatives in denominator layout, as columns",
}
_SMALL = (1.0, 2.0, 0.5, 3.0, 0.25, -1.0, 4.0)


def _number(numbers: Mapping[tuple[str, int], float], name: str) -> float:
    id_, _, step = name.partition("[")[0].partition("@")
    return numbers.get((id_, int(step or 0)), next((v for (i, _), v in numbers.items() if i == id_), 1.0))
