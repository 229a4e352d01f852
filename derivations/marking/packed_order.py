"""Errors of the gates that are packed in another order than the forward pass of the sheet says."""

from derivations.marking.judged import Judged
from derivations.marking.understanding import Understanding, order_of


def out_of_order(reading: Understanding, judged: Judged) -> str:
    """What is wrong with the order in which a line packs the errors of the gates; empty where nothing is."""
    said = _gates(reading, reading.sheet.packed)
    found = order_of(reading.sayings, judged.line)
    if not said or not found or found == said or set(found) != set(said):
        return ""
    moved = [gate for gate, due in zip(found, said, strict=True) if gate != due]
    names = f"{', '.join(moved[:-1])} and {moved[-1]}"
    words = "are swapped" if len(moved) == 2 else "are in another order"
    return f"the blocks of {names} {words}: the sheet packs the gates in the order {', '.join(reading.sheet.packed)}"


def _gates(reading: Understanding, letters: tuple[str, ...]) -> tuple[str, ...]:
    """The gates that letters stand for; where but one is not known, it is the one that is left."""
    gates = reading.course.vocabulary.gates
    known = {gate.lower(): gate for gate in gates.names}
    found = [known.get(letter, "") for letter in letters]
    left = [gate for gate in gates.names if gate not in found]
    if found.count("") == 1 and len(left) == 1:
        found[found.index("")] = left[0]
    return tuple(found) if all(found) and len(set(found)) == len(gates.names) else ()
