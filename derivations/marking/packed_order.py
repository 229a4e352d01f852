"""Errors of the gates that are packed in another order than the forward pass of the sheet says."""

import re

from derivations.expression import Adjoint, Stack, Transpose
from derivations.marking.judged import Judged
from derivations.marking.understanding import Understanding, order_of

_BLOCK = re.compile(r"d\w*\[(?P<start>\d+):\d*\]")  # a piece that is put into an array of zeros
_WIDE = 2  # the rows of one block, as the pieces count them


def out_of_order(reading: Understanding, judged: Judged) -> str:
    """What is wrong with the place at which a line packs the errors of the gates; empty where nothing is."""
    said = _gates(reading, reading.sheet.packed)
    if not said:
        return ""
    order = f"the sheet packs the gates in the order {', '.join(reading.sheet.packed)}"
    if block := _BLOCK.fullmatch(judged.line.target):
        gates = reading.course.vocabulary.gates
        found_ = gates.gate_of(judged.quantity.of) if isinstance(judged.quantity, Adjoint) else None
        at, rest = divmod(int(block["start"]), _WIDE)
        if found_ in said and not rest and at < len(said) and said[at] != found_:
            return f"the block of {found_} stands where that of {said[at]} is due: {order}"
        return ""
    rhs = judged.line.rhs
    if not isinstance(rhs.arg if isinstance(rhs, Transpose) else rhs, Stack):
        return ""
    found = order_of(reading.sayings, judged.line)
    if not found or found == said or set(found) != set(said):
        return ""
    moved = [gate for gate, due in zip(found, said, strict=True) if gate != due]
    names = f"{', '.join(moved[:-1])} and {moved[-1]}"
    return f"the blocks of {names} are {'swapped' if len(moved) == 2 else 'in another order'}: {order}"


def _gates(reading: Understanding, letters: tuple[str, ...]) -> tuple[str, ...]:
    """The gates that letters stand for; where but one is not known, it is the one that is left."""
    gates = reading.course.vocabulary.gates
    known = {gate.lower(): gate for gate in gates.names}
    found = [known.get(letter, "") for letter in letters]
    left = [gate for gate in gates.names if gate not in found]
    if found.count("") == 1 and len(left) == 1:
        found[found.index("")] = left[0]
    return tuple(found) if all(found) and len(set(found)) == len(gates.names) else ()
