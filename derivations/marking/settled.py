"""Names that lines settle: a weight and its gradient go by one name, and a parameter has one gradient.

A name alone may mean several parameters: `w_f` is the weight of x to some people, of h to others. Where one line of a
sheet is right with one meaning and another with another, the two are held against each other: a weight that is read in
a right line is the one whose gradient goes by its name.
"""

import re
from collections.abc import Iterator, Mapping

from derivations.cell import Cell
from derivations.expression import Adjoint, Expr, Name, Total, names, walk
from derivations.marking.lessons import like_any_gate
from derivations.marking.name_marks import canonical, of_loss
from derivations.marking.one_meaning import one_meaning
from derivations.marking.sheet import Sheet, free
from derivations.marking.understanding import Understanding

EXACT, FAR = 0.05, 1.5  # the costs of a name that is that of the derivation, and of one that hardly says this
_GRADIENT = re.compile(r"^d_?\w+/d_?|^(?:grad_?|delta_?|d_?)(?=[A-Za-z])|_grad$|_bar$")


def settled(reading: Understanding) -> Mapping[str, Expr]:
    """What names must mean so that no two lines contradict one another, where they do; nothing where none does."""
    cell = reading.course.cell
    weights = dict(_read(reading))
    called = {_bare(name): name for name in weights}
    given = {_stem(line.target): line.target for line in reading.sheet.lines}
    found: dict[str, Expr] = {}
    gradients = dict(_given(reading))
    for stem, (target, said) in gradients.items():
        name = called.get(stem, "")
        of = weights.get(name, said)
        if of == said:
            continue
        if said in weights.values():  # it is the gradient of another weight, which is read elsewhere
            found[target] = Adjoint(of)
        else:  # the weight goes by the name of its gradient, and so do those that are called alike
            found[name] = Name(said)
            others = {n: p for n, p in weights.items() if n[0] == name[0] and _bare(n) not in gradients}
            found |= _alike(reading, others, of, said)
    for stem, (_, said) in gradients.items():  # a letter is of one kind of weight, where another is of the other
        kinds = [p for n, p in weights.items() if n[0] != stem[0] and cell.shapes[p] != cell.shapes[said]]
        for of in dict.fromkeys(kinds):
            others = {n: p for n, p in weights.items() if n[0] == stem[0] and _bare(n) not in gradients}
            found |= {n: q for n, q in _alike(reading, others, of, said).items() if n not in found}
    shown = dict(like_any_gate(reading))
    for target, said in gradients.values():
        by = (shown.get(canonical(rest)) for rest, _ in of_loss(target, cell.states[0]))
        of = next((name for name in by if name), said)
        found |= {target: Adjoint(of)} if of != said else {}
    owners = {parameter: _bare(name) for name, parameter in weights.items() if name not in found}
    for stem, (target, said) in gradients.items():
        if stem not in called and owners.get(said, stem) != stem and owners[said] in given:
            for meaning in reading.readings(target, True):
                if (other := _parameter(meaning.quantity)) in cell.parameters and other not in owners:
                    found.setdefault(target, meaning.quantity)
    found |= {name: q for name, q in _exact(reading) if name not in found}
    found |= {name: q for name, q in one_meaning(reading) if name not in found}
    return {name: quantity for name, quantity in found.items() if name not in reading.sheet.names}


def rounds(sheet: Sheet) -> int:
    """How often a line of a loop over time stands among the lines of a sheet."""
    return len({line.loop for line in sheet.lines if line.loop is not None}) or 1


def _exact(reading: Understanding) -> Iterator[tuple[str, Expr]]:
    """Names of the derivation itself that were taken for what another line gives under its own name."""
    given: dict[str, set[str]] = {}
    for judged in reading.judged:
        if judged.quantity is not None and not judged.part:
            given.setdefault(_parameter(judged.quantity), set()).add(judged.line.target)
    for judged in reading.judged:
        target = judged.line.target
        first = reading.readings(target, True)[:1]
        far = judged.right and judged.cost >= FAR and bool(first) and first[0].cost <= EXACT
        if far and (of := _parameter(judged.quantity)) and given[of] - {target}:
            yield target, first[0].quantity


def _read(reading: Understanding) -> Iterator[tuple[str, str]]:
    """The names of weights that right lines read, with the parameters that they mean."""
    for k, judged in enumerate(reading.judged):
        for name in reading.frees(k) if judged.right and len(judged.line.uses) > 1 else ():
            meaning = reading.chosen.get(name) or next((m.quantity for m in reading.readings(name)), None)
            if isinstance(meaning, Name) and meaning.id in reading.course.cell.parameters:
                yield name, meaning.id


def _given(reading: Understanding) -> Iterator[tuple[str, tuple[str, str]]]:
    """The gradients that right lines give: by the name of the weight, the name of the gradient and the parameter."""
    for judged in reading.judged:
        of = _parameter(judged.of if judged.of is not None else judged.quantity)
        if judged.right and of in reading.course.cell.parameters and not judged.part:
            yield _stem(judged.line.target), (judged.line.target, of)


def _alike(reading: Understanding, others: Mapping[str, str], of: str, said: str) -> dict[str, Expr]:
    """Weights of the same kind as one that is another than it was read as, each another in the same way."""
    cell, found = reading.course.cell, dict[str, Expr]()
    for name, parameter in others.items():
        beside = _beside(cell, parameter) if cell.shapes[parameter] == cell.shapes[of] else set()
        for meaning in reading.readings(name):
            match meaning.quantity:
                case Name(id_) if id_ in beside and cell.shapes[id_] == cell.shapes[said]:
                    found[name] = meaning.quantity
    return found


def _beside(cell: Cell, parameter: str) -> set[str]:
    """What stands beside a parameter in the equations that read it."""
    read = [names(equation.rhs) for equation in cell.equations]
    return {name for group in read if parameter in group for name in group}


def _stem(target: str) -> str:
    return _bare(_GRADIENT.sub("", target))


def _bare(name: str) -> str:
    """A name without the marks in which spellings differ: `W_hf` is `Whf`."""
    return re.sub(r"[_{}\\]", "", name)


def _parameter(quantity: Expr | None) -> str:
    match quantity:
        case Adjoint(of, "") | Total(of):
            return of
    return ""


def as_wholes(reading: Understanding) -> Mapping[str, Expr]:
    """The errors that come back from step t+1, taken as whole errors of their states, where the sheet has no others.

    A function of one step is often handed the whole error of h under the name of what comes back.
    """
    spoken: dict[str, Expr] = {}
    for k in range(len(reading.judged)):
        for name in reading.frees(k):
            if free(name):
                meaning = reading.chosen.get(name) or next((m.quantity for m in reading.readings(name)), None)
                if meaning is not None:
                    spoken[name] = meaning
    nodes = [n for q in spoken.values() for n in walk(q) if isinstance(n, Adjoint)]
    nodes += [j.quantity for j in reading.judged if isinstance(j.quantity, Adjoint)]
    known = {node.of for node in nodes if node.part != "next"}
    seeded = reading.course.cell.seeded
    return {
        name: Adjoint(quantity.of)
        for name, quantity in spoken.items()
        if isinstance(quantity, Adjoint) and quantity.part == "next"
        and quantity.of in seeded and quantity.of not in known
    }  # fmt: skip
