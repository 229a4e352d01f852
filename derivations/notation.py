"""How names and adjoints are written: what an author chooses, and the symbols that follow from it.

With `leibniz` an adjoint is the derivative of the loss L = l_1 + ... + l_T; `bar` and `delta` write the
same with less ink. A part of an adjoint carries a mark: what the loss sends to h at step t is of l_t alone,
what comes back from later steps is of L_{>t}, what step t sends to the step before is of L_{>=t}, and a
parameter's share of step t belongs to the copy (t) of the parameter, the one that this step uses.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from derivations.boxes import ELL, Accent, Box, Fence, Frac, Glyph, Script, joined
from derivations.symbols import GREEK, LETTERS, Word, symbol

ADJOINTS = ("leibniz", "bar", "delta")
VIEWS = ("scalar", "vector")

# How firmly a box holds together; brackets go around what is looser than its place asks for.
SUM, PRODUCT, FACTOR, BASE = range(4)


@dataclass(frozen=True, slots=True)
class Notation:
    """What an author chooses, and what must be known of a cell to write its names.

    Attributes:
        adjoint: leibniz, bar or delta.
        view: scalar, where factors stand side by side, or vector, where a circled dot joins them.
        time: whether names carry the step as a subscript.
        constants: the names that are the same at every step.
        scalars: the names that are numbers in the vector view too.
        shift: the step that is meant, counted from t.
        tagged: whether boxes remember which name they show.

    Raises:
        ValueError: a choice that there is not, with those there are.
    """

    adjoint: str = "leibniz"
    view: str = "scalar"
    time: bool = True
    constants: frozenset[str] = frozenset()
    scalars: frozenset[str] = frozenset()
    shift: int = 0
    tagged: bool = False

    def __post_init__(self) -> None:
        for what, chosen, known in (("notation", self.adjoint, ADJOINTS), ("view", self.view, VIEWS)):
            if chosen not in known:
                raise ValueError(f"there is no {what} {chosen!r}; choose {' or '.join(known)}")

    def at(self, shift: int) -> "Notation":
        """The same some steps later; where steps are spoken of, they are written."""
        return replace(self, shift=self.shift + shift, time=True)

    def holding(self, name: str) -> "Notation":
        """The same with one more name written without a step."""
        return replace(self, constants=self.constants | {name})


def for_names(constants: Iterable[str], shapes: Mapping[str, tuple[str, ...]], **choices: Any) -> Notation:
    """The notation for a cell's names: from its parameters and its shapes, and what the author chooses."""
    scalars = frozenset(name for name, shape in shapes.items() if shape == ())
    return Notation(constants=frozenset(constants), scalars=scalars, **choices)


# --- names --------------------------------------------------------------------------------------------------


def name_box(name: str, notation: Notation, mark: Box | None = None, bar: bool = False) -> tuple[Box, int]:
    """The symbol of a name with its step below it, and how firmly it holds.

    Args:
        mark: what stands above it.
        bar: whether its base carries a bar.
    """
    plain = {"bar": {"bar"}, "delta": {"delta"}}.get(notation.adjoint, set())  # what the notation itself needs
    parts = symbol(name, plain)
    below = [_subscript(word) for word in parts.subscripts]
    if notation.time and (parts.previous or name not in notation.constants):
        below.append(step(notation.shift - parts.previous))
    elif parts.previous:
        below.append(Glyph("prev", "upright"))
    # T is the last step; a lone sigma before a bracket would read as the sigmoid.
    upright = {*plain, "T"} if below or mark else {*plain, "T", "sigma"}
    base = _base(parts.base, upright)
    if bar:
        base = Accent("bar", base)
    box = Script(base, listed(below), mark) if below or mark else base
    return box, FACTOR if mark or "star" in parts.base.accents else BASE


def step(shift: int) -> Box:
    """The step t + shift."""
    sign = Glyph("+" if shift > 0 else "-", "mark")
    return joined(Glyph("t"), sign, Glyph(str(abs(shift)), "number")) if shift else Glyph("t")


def listed(boxes: Iterable[Box]) -> Box | None:
    """The boxes with commas between them; None when there are none."""
    result: list[Box] = []
    for box in boxes:
        result += [Glyph(",", "mark"), box] if result else [box]
    return joined(*result) if result else None


def _base(word: Word, upright: Collection[str]) -> Box:
    """One letter is in italics, a Greek letter is itself, a longer word is upright: `ab` is not a times b."""
    text = word.text
    if text in GREEK and text not in upright:
        return _accented(Glyph(GREEK[text]), word)
    return _accented(Glyph(text, "italic" if len(text) == 1 and text not in upright else "upright"), word)


def _subscript(word: Word) -> Box:
    """The same below the line, where two characters are two symbols, and an accent is on the second."""
    text = word.text
    if text in GREEK and text not in LETTERS:
        return _accented(Glyph(GREEK[text]), word)
    if len(text) > 2 or text == "t":
        return _accented(Glyph(text, "upright"), word)
    *front, last = (Glyph(letter, "number" if letter.isdigit() else "italic") for letter in text)
    return joined(*front, _accented(last, word))


def _accented(box: Box, word: Word) -> Box:
    for accent in word.accents:
        box = Accent(accent, box)
    return joined(box, Glyph(word.number, "number")) if word.number else box


# --- adjoints -----------------------------------------------------------------------------------------------

LOSS, STEP_LOSS, PARTIAL = Glyph("L", "script"), Glyph(ELL), Glyph("∂")


def adjoint_box(of: str, part: str, notation: Notation) -> tuple[Box, int]:
    """The adjoint of a name, or the part of it that is meant, and how firmly it holds."""
    time, tail = notation.time, of.rpartition("_")[2]
    now = step(notation.shift)
    if not time and tail.isdigit():  # h_2, of an unrolled run
        now, time = Glyph(tail, "number"), True
    kind = part
    if not part and notation.time:
        kind = "back" if symbol(of).previous else "copy" if of in notation.constants else ""
    mark: Box | None = None
    loss: Box = LOSS
    match kind:
        case "out":
            mark, loss = STEP_LOSS, Script(STEP_LOSS, below=now) if time else STEP_LOSS
        case "next":
            mark = joined(Glyph(">", "mark"), now) if time else Glyph("next", "upright")
            loss = Script(LOSS, below=mark)
        case "back":
            mark = joined(Glyph("≥", "mark"), now)
            loss = Script(LOSS, below=mark)
        case "copy":
            mark = Fence(now)
    if notation.adjoint == "leibniz":
        return _derivative(loss, name_box(of, notation, mark if kind == "copy" else None)[0])
    return _short(of, notation, mark)


def total_box(of: str, notation: Notation) -> tuple[Box, int]:
    """A gradient over all steps: of a parameter, or of an input x_1 or a state h_0, which say their step."""
    fixed = notation.holding(of)
    if notation.adjoint == "leibniz":
        return _derivative(LOSS, name_box(of, fixed)[0])
    return _short(of, fixed, None)


def _derivative(above: Box, below: Box) -> tuple[Box, int]:
    return Frac(joined(PARTIAL, above), joined(PARTIAL, below)), FACTOR


def _short(of: str, notation: Notation, mark: Box | None) -> tuple[Box, int]:
    if notation.adjoint == "bar":
        return name_box(of, notation, mark, bar=True)
    return joined(Glyph("δ"), name_box(of, notation, mark)[0]), FACTOR
