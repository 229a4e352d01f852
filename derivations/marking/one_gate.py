"""Sheets that speak of one gate alone and leave its letter out: `a = W_x x + W_h h + b`, `f = sigmoid(a)`, `dW_x`."""

from collections.abc import Iterator
from dataclasses import replace

from derivations.marking.gates import Gates
from derivations.marking.glossary import FAINT
from derivations.marking.name_marks import bare, canonical
from derivations.marking.sheet import free
from derivations.marking.understanding import Understanding

_OF_INPUT, _OF_STATE, _BIAS, _INNER_BIAS, _ARGUMENT = ("Wx", "W"), ("Wh", "U", "R"), ("b",), ("c",), ("a", "net")


def of_one_gate(best: Understanding) -> Understanding:
    """The reading in which names without a letter are of the one gate that makes most of the sheet right."""
    gates = best.course.vocabulary.gates
    if len(gates.names) < 2 or not _is_open(best):
        return best
    spoken = {canonical(bare(name)) for line in best.sheet.lines for name in (line.target, *line.uses)}
    found = [best]
    normalised = (gate for family in gates.families.values() for gate in family)
    for gate in dict.fromkeys((*gates.names, *normalised)):
        words = dict(_words(gates, gate))
        if any(word in name for word in words for name in spoken):
            learned = {**dict(best.glossary.learned), **words}
            chosen = {name: meant for name, meant in best.chosen.items() if canonical(bare(name)) not in learned}
            found.append(Understanding(replace(best.glossary, learned=tuple(sorted(learned.items())), chosen=chosen)))
    other = max(found, key=lambda one: one.score)
    return other if other.score > best.score + 0.5 else best


def _is_open(reading: Understanding) -> bool:
    """Whether a line that is not right reads a name that hardly says what it is."""
    for k, judged in enumerate(reading.judged):
        for name in reading.frees(k) if not judged.right else ():
            found = reading.readings(name) if free(name) else []
            if name not in reading.chosen and (not found or found[0].cost >= FAINT):
                return True
    return False


def _words(gates: Gates, gate: str) -> Iterator[tuple[str, str]]:
    """What a sheet of this gate calls its quantities."""
    for stem, family in gates.families.items():
        if gate in family:
            yield canonical(stem), family[gate]
    if gate in gates.preactivation:
        yield from ((word, gates.preactivation[gate]) for word in _ARGUMENT)
    for parameter, (target, vector) in gates.roles.items():
        if gates.gate_of(target) == gate:
            recurrent = vector in gates.cell.previous
            inner = target not in gates.activation and len(gates.families) == 0  # within the reset gate
            biases = _INNER_BIAS if inner else _BIAS
            words = biases if not vector else _OF_STATE if recurrent else _OF_INPUT
            yield from ((canonical(word), parameter) for word in words)
