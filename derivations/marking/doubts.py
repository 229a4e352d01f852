"""Why nothing certain is said of a line: what else its names may mean, and what alone speaks for its being right."""

from dataclasses import replace
from functools import cached_property

from derivations.cell import prev
from derivations.expression import ZERO, Adjoint, Derivative, Expr, Name, Total, walk
from derivations.marking.course import COLUMNS, SCALAR
from derivations.marking.judged import Judged
from derivations.marking.name_marks import of_loss
from derivations.marking.sheet import UNKNOWN_SLOPES, Line, free
from derivations.marking.understanding import Understanding
from derivations.marking.wording import LAYOUTS, Wording
from derivations.plain import code

SIZES = {"m", "B", "N", "T", "batch_size", "batch", "T_x"}  # what people divide by
SURE = 1.9  # the cost up to which a name says by itself what it means


class Doubts:
    """The doubts about one reading; each is a sentence, and empty where there is none."""

    def __init__(self, reading: Understanding, words: Wording) -> None:
        self.reading, self.words = reading, words
        self.course, self.sheet, self.view = reading.course, reading.sheet, reading.view

    def unknown(self, name: str) -> str:
        if name in SIZES:
            return f"{self.words.theirs_of(name)} is no quantity of the cell: a mean is right where the loss is one"
        return f"{self.words.theirs_of(name)} is not known: say what it means in a `names` section"

    def of_wrong(self, judged: Judged) -> str:
        """Why a line that is not right is not called wrong."""
        line, said = judged.line, judged.said
        assert said is not None  # asked before
        k = self.reading.place[line.version]
        frees = self.reading.frees(k)
        slopes = [name for name in frees if name in UNKNOWN_SLOPES]
        if slopes:
            return f"{slopes[0]} is not defined here: it may be of x, or of {UNKNOWN_SLOPES[slopes[0]]}(x)"
        evident = self.evident
        for name in frees:
            found = self.reading.readings(name)
            if name in self.sheet.names or name in evident:
                continue
            if not found or found[0].cost > SURE:
                return self.unknown(name)
            for other in found[1:4]:
                if other.quantity != judged.quantity and self._right_with(line, name, other.quantity):
                    return (
                        f"right if {self.words.theirs_of(name)} is {code(other.quantity)}; say so in a `names` section"
                    )
        core = line.target.removeprefix("d").lstrip("_")
        others = (j for j in self.reading.judged if j.line.target == core and core not in self.course.cell.shapes)
        if core != line.target and any(not j.right or j.quantity is None for j in others):
            return f"{core} is the sheet's own, and so may this be: say what {self.words.theirs_of(line.target)} means"
        targets = self.reading.readings(line.target, True)
        used = any(self.reading.judged[j].right for j in self.reading.users.get(line.version, ()))
        if targets and targets[0].cost > SURE and not used and not self.reading.settled(judged):
            assert judged.quantity is not None  # asked before
            meant = code(judged.quantity)
            return f"wrong if {self.words.theirs_of(line.target)} is {meant}: say what it means in a `names` section"
        slope = isinstance(judged.quantity, Adjoint) and "/" not in line.target
        if slope and said != ZERO and not any(isinstance(node, (Adjoint, Total)) for node in walk(said)):
            return "no error comes in: this is no gradient of the loss, though it may be a slope"
        return ""

    def of_right(self, judged: Judged) -> str:
        """Why a line that is right is not called so: nothing else speaks for the reading under which it is."""
        match judged.quantity:
            case Derivative(of, wrt, "total") if (
                not self.sheet.immediate and self.sheet.all_steps and wrt in self.course.cell.parameters
            ):
                more = f"over all steps the path through {of}_prev is missing"
                return f"right within the step; {more}: the sheet speaks of both"
        if own := self._alias_of(judged):
            return own
        frees = self.reading.frees(self.reading.place[judged.line.version])
        if later := next((name for name in frees if self._is_whole_there(name)), ""):
            theirs = self.words.theirs_of(later)
            return f"right if {theirs} is what comes back from step t+1, and not the whole error there: say which"
        if guess := next((name for name in frees if name in self._guesses), ""):
            return f"right under a guess at what {self.words.theirs_of(guess)} means: say so in a `names` section"
        if self._only_so == [judged.line.number]:
            return f"right if {LAYOUTS[self.view.layout].removeprefix('read with ')}; nothing else says so"
        k = self.reading.place[judged.line.version]
        for name in self.reading.frees(k):
            readings = self.reading.readings(name)
            meant = self.reading.chosen.get(name)
            if meant is None or len(readings) < 2 or meant == readings[0].quantity or name in self.sheet.names:
                continue
            first = readings[0].quantity
            pair = (first, meant) if isinstance(first, Adjoint) and isinstance(meant, Adjoint) else None
            if pair is None or self.course.vocabulary.preactivation.get(pair[0].of) != pair[1].of:
                continue
            if self.at_preactivations:
                continue
            others = (j for j in self.reading.judged if j.right and j.line.number != judged.line.number)
            spoken = any(name in self.reading.frees(self.reading.place[j.line.version]) for j in others)
            if not spoken and not self.reading.supports(judged):
                theirs = self.words.theirs_of(name)
                return (
                    f"right if {theirs} is {code(meant)}, at the preactivation; if it is {code(first)}, the slope of "
                    f"{pair[0].of} is missing: say which in a `names` section"
                )
        return ""

    def _alias_of(self, judged: Judged) -> str:
        """What of their own a line takes the error of, under another name: `dh_prev = dz` where lines read a `z`."""
        line = judged.line
        if not isinstance(line.rhs, Name) or free(line.rhs.id) or not isinstance(judged.quantity, Adjoint):
            return ""
        cell = self.course.cell
        if judged.quantity.of not in (*cell.previous, *cell.inputs):
            return ""
        source = self.sheet.lines[self.reading.place[line.rhs.id]].target
        spoken = {name for one in self.sheet.lines for name in one.uses if free(name)}
        for of, _ in of_loss(source, cell.states[0]):
            if of in spoken and not any(m.quantity == Name(judged.quantity.of) for m in self.reading.readings(of)):
                return f"right if {self.words.theirs_of(of)} is {judged.quantity.of} alone: say what it means"
        return ""

    def _is_whole_there(self, name: str) -> bool:
        """Whether what a name of step t+1 was taken for, what comes back, is not what it is at this step: the whole."""
        bare = name.removesuffix("[t+1]")
        if bare == name or name in self.sheet.names:
            return False
        meaning = self.reading.chosen.get(name) or next((m.quantity for m in self.reading.readings(name)), None)
        if not isinstance(meaning, Adjoint) or meaning.part != "next":
            return False
        here = {judged.quantity for judged in self.reading.judged if judged.line.target == bare}
        before = {judged.quantity for judged in self.reading.judged if judged.line.target == f"{bare}[t-1]"}
        return Adjoint(meaning.of) in here and Adjoint(prev(meaning.of)) not in before

    @cached_property
    def _guesses(self) -> set[str]:
        """Names of outside that say nothing, where no more lines bear out their meaning than there are such names."""
        guessed: set[str] = set()
        lines = 0
        for judged in self.reading.judged:
            frees = self.reading.frees(self.reading.place[judged.line.version]) if judged.right else ()
            chosen = (name for name in frees if name in self.reading.chosen and name not in self._told)
            here = {name for name in chosen if not self.reading.readings(name)}
            guessed |= here
            lines += bool(here)
        return guessed if lines <= len(guessed) else set()

    @cached_property
    def _told(self) -> set[str]:
        return {*self.sheet.names, *UNKNOWN_SLOPES}

    @cached_property
    def at_preactivations(self) -> bool:
        """Whether a right line gives, under the name of a gate, the error at its preactivation: so the sheet has it."""
        pres = self.course.vocabulary.preactivation
        for judged in self.reading.judged:
            first = self.reading.readings(judged.line.target, True)[:1]
            for meaning in first if judged.right else ():
                match meaning.quantity, judged.quantity:
                    case Adjoint(gate, ""), Adjoint(of, "") if (
                        pres.get(gate) == of and gate not in self.course.cell.states
                    ):
                        return True
        return False

    @cached_property
    def _only_so(self) -> list[int]:
        """The lines that are right under this layout alone, where it is none of column vectors or scalars."""
        if self.view.layout in (COLUMNS, SCALAR):
            return []
        glossary = self.reading.glossary
        plain = Understanding(replace(glossary, view=replace(self.view, layout=COLUMNS), mirrored=""))
        pairs = zip(self.reading.judged, plain.judged, strict=True)
        return sorted({here.line.number for here, there in pairs if here.right and not there.right})

    @cached_property
    def evident(self) -> set[str]:
        """The free names that a right line has used, at whatever step."""
        found: set[str] = set()
        spoken: set[str] = set()
        for k, judged in enumerate(self.reading.judged):
            frees = self.reading.frees(k)
            spoken.update(frees)
            if judged.right and judged.quantity is not None and not self.of_right(judged):
                found.update(frees)
        bare = {name.partition("[")[0] for name in found}
        return found | {name for name in spoken if name.partition("[")[0] in bare}

    def _right_with(self, line: Line, name: str, quantity: Expr) -> bool:
        reading = self.reading
        before = reading.chosen
        reading.chosen = {**before, name: quantity}
        try:
            return reading.right_after(self.reading.place[line.version], {})
        finally:
            reading.chosen = before
