"""What letters of a sheet mean before any line is judged, as it says itself: `let e_t = dL/da_t`, `z = [h_prev; x]`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from derivations.expression import Adjoint, Derivative, Expr, Name, Stack, Transpose
from derivations.marking.course import Course, View
from derivations.marking.glossary import FAINT, Glossary
from derivations.marking.name_marks import canonical, of_loss
from derivations.marking.sheet import Sheet, free
from derivations.marking.sheets.definitions import is_error
from derivations.marking.world import OVER_TIME


def plainly(course: Course, sheet: Sheet, view: View) -> Glossary:
    """The names of a sheet under a view, with what it says of its letters."""
    said = {line.target: line.rhs.id for line in sheet.lines if line.defines and isinstance(line.rhs, Name)}
    words = sorted((canonical(theirs), ours) for theirs, ours in said.items() if ours in course.cell.shapes)
    plain = Glossary(course, sheet, view, learned=tuple(words))
    return replace(plain, taught={**dict(_told(plain, said)), **dict(_stacked(plain))})


def _stacked(glossary: Glossary) -> Iterator[tuple[str, Expr]]:
    """The errors of what a sheet says to be vectors below one another: with `z = [h_prev; x]`, `dz` is both errors."""
    sheet, cell = glossary.sheet, glossary.course.cell
    fed: dict[str, set[str]] = {}
    for target, vector in glossary.vocabulary.gates.roles.values():
        fed.setdefault(target, set()).update({vector} - {""})
    spoken = dict.fromkeys(name for line in sheet.lines for name in (line.target, *filter(free, line.uses)))
    for line in sheet.lines:
        rhs = line.rhs.arg if isinstance(line.rhs, Transpose) else line.rhs
        if not isinstance(rhs, Stack) or is_error(line.target) or "[" in line.target:
            continue
        parts = [part.arg if isinstance(part, Transpose) else part for part in rhs.parts]
        found = [glossary.readings(part.id) for part in parts if isinstance(part, Name) and free(part.id)]
        ids = [m[0].quantity.id for m in found if m and isinstance(m[0].quantity, Name)]
        if len(ids) == len(parts) and all(vectors == {*ids} for vectors in fed.values()):
            for name in spoken:
                if any(rest == line.target for rest, _ in of_loss(name, cell.states[0])):
                    yield name, Stack(tuple(Adjoint(id_) for id_ in ids))


def _told(glossary: Glossary, said: Mapping[str, str]) -> Iterator[tuple[str, Expr]]:
    """The letters that a sheet says to be errors, or derivatives through all steps: "let `e_t = dL/da_t`"."""
    for theirs, ours in said.items():
        for meaning in glossary.readings(ours)[:1] if "/" in ours and "[" not in theirs else ():
            match meaning.quantity:
                case Adjoint(part="") if meaning.cost < FAINT + 0.6:
                    yield theirs, meaning.quantity
                case Derivative(of, wrt, "total") if glossary.sheet.in_total and wrt in glossary.course.cell.parameters:
                    yield theirs, Derivative(of, wrt, OVER_TIME)
