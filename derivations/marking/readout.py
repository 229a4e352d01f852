"""A layer behind the cell that a sheet has: `y = V h + c`, through which the loss reaches the states.

Where a sheet speaks of one, it is read against the cell with that equation in it: the errors that come from outside are
those of `y`, and `dV` and `dc` are gradients as others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from derivations.cell import Cell, Equation
from derivations.expression import Add, Expr, MatMul, Mul, Name, Transpose
from derivations.marking.course import Course, course_of
from derivations.marking.name_marks import bare, of_loss, timed
from derivations.marking.sheet import Line, free
from derivations.marking.sheets.definitions import is_error
from derivations.marking.understanding import Understanding

_WEIGHT = re.compile(r"[WVU]_?\{?(?:h?_?y|y_?h|out|h?_?o|hq|s_?y)\}?|V|W_?(?:v|p)|Wh_?y")
_LETTER = re.compile(r"[A-Z]|[vw](?![a-z]{3})")
_OUTPUT = re.compile(r"y|y_?hat|hat_?y|yh|o|out|output|logits?|pred|s_?out|z_?y|a_?y|o_?hat", re.IGNORECASE)
_BIAS = re.compile(r"b_?\{?(?:y|out|o|v|hy)\}?|c", re.IGNORECASE)


@dataclass(frozen=True)
class Layer:
    """`output = weight @ state + bias`, in the names of the sheet; the bias is empty where there is none."""

    output: str
    weight: str
    bias: str = ""


def with_readout(reading: Understanding) -> Course | None:
    """The course of the cell with the layer that a sheet has behind it; None where it speaks of none."""
    layer = _written(reading) or _spoken(reading)
    return None if layer is None else _extended(reading.course, layer)


def _written(reading: Understanding) -> Layer | None:
    """The layer that a line of the sheet says."""
    for judged in reading.judged:
        line = judged.line
        open_ = not judged.right and line.rhs is not None and not is_error(line.target)
        if open_ and _is_new(reading, bare(line.target)):
            found = _as_layer(reading, line)
            if found is not None:
                return found
    return None


def _as_layer(reading: Understanding, line: Line) -> Layer | None:
    terms = line.rhs.terms if isinstance(line.rhs, Add) else (line.rhs,)
    biases = [term.id for term in terms if isinstance(term, Name) and _is_new(reading, term.id)]
    match [term for term in terms if not isinstance(term, Name)]:
        case [MatMul(Name(a), Name(b)) | Mul((Name(a), Name(b)))]:
            pass
        case [MatMul(Transpose(Name(a)), Name(b))]:
            pass
        case _:
            return None
    state = reading.course.cell.states[0]
    for weight, vector in ((a, b), (b, a)):
        if (
            _LETTER.match(weight)
            and _is_new(reading, weight)
            and _means(reading, vector, state)
            and len(biases) == len(terms) - 1 <= 1
        ):
            return Layer(bare(line.target), weight, *biases)
    return None


def _spoken(reading: Understanding) -> Layer | None:
    """The layer that the names of a sheet tell: a weight that none of the cell's is, and an error of an output."""
    names = dict.fromkeys(n for line in reading.sheet.lines for n in (line.target, *line.uses) if free(n))
    weights = [n for n in _bases(reading, names) if _WEIGHT.fullmatch(n) and _is_new(reading, n)]
    errors = dict.fromkeys(
        core for name in names for rest, _ in of_loss(name, "") for core, _, _ in timed(rest) if core
    )
    outputs = [n for n in errors if _OUTPUT.fullmatch(n) and _is_new(reading, n)]
    biases = [n for n in _bases(reading, names) if _BIAS.fullmatch(n) and _is_new(reading, n)]
    return Layer(outputs[0], weights[0], *biases[:1]) if weights and outputs else None


def _bases(reading: Understanding, names: dict[str, None]) -> Iterator[str]:
    """Names, and what they are the errors of."""
    for name in names:
        yield name
        yield from (rest for rest, _ in of_loss(name, ""))


def _is_new(reading: Understanding, name: str) -> bool:
    """Whether a name is free, and no name of the cell."""
    return free(name) and name not in reading.course.cell.shapes and name.isidentifier()


def _means(reading: Understanding, name: str, state: str) -> bool:
    if not free(name):
        return reading.progress.given.get(name) == Name(state)
    return any(meaning.quantity == Name(state) for meaning in reading.readings(name)[:2])


def _extended(course: Course, layer: Layer) -> Course:
    """The course of the cell with the layer behind it."""
    known = course.found.setdefault("with a layer", {})
    if layer not in known:
        known[layer] = course_of(_with(course.cell, layer))
    found: Course = known[layer]
    return found


def _with(cell: Cell, layer: Layer) -> Cell:
    state = cell.states[0]
    rhs: Expr = MatMul(Name(layer.weight), Name(state))
    shapes = {**cell.shapes, layer.output: ("k",), layer.weight: ("k", *cell.shapes[state])}
    added = [layer.weight]
    if layer.bias:
        rhs, shapes[layer.bias] = rhs + Name(layer.bias), ("k",)
        added.append(layer.bias)
    return replace(
        cell,
        outputs=(layer.output,),
        parameters=(*cell.parameters, *added),
        equations=(*cell.equations, Equation(layer.output, rhs, block="readout")),
        shapes=shapes,
    )
