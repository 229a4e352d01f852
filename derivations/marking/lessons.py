"""What a sheet teaches about its own words: by lines that are right, and by elimination among names of one kind.

`a = W@x + U@h_prev + b`, where it is right, makes `da` the error at that preactivation. Where `R_i`, `R_f` and `R_o`
are the recurrent weights of three gates of four, `R_z` is that of the fourth, and `z` its gate.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from derivations.expression import Adjoint, Expr, Name, Shift, Stack, TimeSum, Total, Transpose
from derivations.marking.gates import Gates
from derivations.marking.glossary import FAINT, Glossary
from derivations.marking.name_marks import bare, canonical, of_loss
from derivations.marking.packing import adjoint_of
from derivations.marking.sheet import free
from derivations.marking.siblings import by_elimination
from derivations.marking.understanding import Understanding

_BY = re.compile(r"(?:d_?[A-Za-z]+(?:\[t\])?/)?d_?([A-Za-z].*)")
_WORD = re.compile(r"[A-Za-z]+")


def taught(reading: Understanding) -> Glossary:
    """The glossary of a reading, with the words that its right lines and its families of names have shown."""
    words, names = dict(reading.glossary.learned), dict(reading.glossary.taught)
    words |= _defined(reading)
    words |= _spoken(reading)
    words |= _left_over(reading)
    words |= _of_one_gate(reading, words)
    words |= like_any_gate(reading)
    names |= _kept(reading) if words != dict(reading.glossary.learned) else ()
    names |= _assigned(reading)
    names |= by_elimination(reading)
    names |= _at_preactivations(reading)
    names |= _packed(reading)
    by = {**reading.glossary.by, **dict(_derived(reading))}
    chosen = {name: quantity for name, quantity in reading.chosen.items() if name not in by}
    learned = tuple(sorted(words.items()))
    return replace(reading.glossary, chosen=chosen, learned=learned, taught=names, by=by)


def _base(quantity: Expr) -> Expr:
    """A quantity at its own step, standing."""
    while isinstance(quantity, Shift | Transpose):
        quantity = quantity.arg
    return quantity


def _defined(reading: Understanding) -> Iterator[tuple[str, str]]:
    """Names that a right line defines as a value of the cell."""
    cell = reading.course.cell
    for judged in reading.judged:
        match judged.quantity:
            case Name(id_) if judged.right and id_ in cell.defined:
                core = canonical(bare(judged.line.target))
                if core != canonical(id_) and core not in map(canonical, cell.shapes):
                    yield core, id_


def _assigned(reading: Understanding) -> Iterator[tuple[str, Expr]]:
    """Names that right lines assign, and that other lines read at other steps: `delta_t`, then `delta_T`."""
    sure = [j for j in reading.judged if j.quantity is not None and (j.right or reading.supports(j))]
    assigned = {bare(j.line.target): j.quantity for j in sure}
    states = reading.course.cell.states
    if reading.sheet.numbered:  # what a name is at one step it is at the others
        for judged in reading.judged:
            quantity = assigned.get(bare(judged.line.target))
            if not judged.right and isinstance(quantity, Adjoint) and quantity.of in reading.course.cell.defined:
                yield bare(judged.line.target), quantity
    for name in dict.fromkeys(name for line in reading.sheet.lines for name in line.uses if free(name)):
        quantity = assigned.get(bare(name))
        match quantity:
            case Adjoint(of, "") if "[" in name and of not in states and of not in reading.course.cell.previous:
                yield bare(name), quantity


def _packed(reading: Understanding) -> Iterator[tuple[str, Expr]]:
    """The gradients of matrices that right lines read as several beside one another."""
    meant: dict[str, Expr] = {}
    for k, judged in enumerate(reading.judged):
        for name in reading.frees(k) if judged.right else ():
            found = reading.chosen.get(name) or next((m.quantity for m in reading.readings(name)), None)
            if isinstance(found, Transpose) and isinstance(found.arg, Stack):
                meant[name] = found
    for judged in reading.judged if reading.sheet.notation != "python" else ():
        for rest, _ in of_loss(judged.line.target, reading.course.cell.states[0]) if not judged.right else ():
            if rest in meant:
                share = adjoint_of(meant[rest])
                yield judged.line.target, TimeSum(share) if isinstance(judged.line.rhs, TimeSum) else share


def _at_preactivations(reading: Understanding) -> Iterator[tuple[str, Expr]]:
    """The errors that go by the names of gates, where the right ones of them are those at the preactivations."""
    pres = reading.course.vocabulary.preactivation
    named: list[tuple[bool, str, str, Expr | None]] = []
    for judged in reading.judged:
        first = reading.readings(judged.line.target, True)[:1]
        gate = first[0].quantity.of if first and isinstance(first[0].quantity, Adjoint) else ""
        if gate in pres and gate not in reading.course.cell.states:
            named.append((judged.right, judged.line.target, gate, judged.quantity))
    right = [quantity == Adjoint(pres[gate]) for is_right, _, gate, quantity in named if is_right]
    if len(right) > 1 and all(right):
        yield from ((target, Adjoint(pres[gate])) for is_right, target, gate, _ in named if not is_right)


def _derived(reading: Understanding) -> Iterator[tuple[str, str]]:
    """Derivatives that were taken to be by another quantity than the one whose name they have in right lines."""
    if reading.sheet.numbered:  # what is at one step is no other quantity
        return
    values: dict[str, str] = {}
    for k, judged in enumerate(reading.judged):
        if judged.right and isinstance(judged.quantity, Name):
            values[bare(judged.line.target)] = judged.quantity.id
        for name in reading.frees(k) if judged.right else ():
            if isinstance(quantity := _taken(reading, name), Name):
                values[bare(name)] = quantity.id
    spoken = {name for line in reading.sheet.lines for name in (line.target, *line.uses) if free(name)}
    for name in sorted(spoken):
        of = _BY.fullmatch(name)
        quantity = _taken(reading, name) if of and bare(of[1]) in values else None
        if of and "[" not in name and isinstance(quantity, Adjoint | Total) and quantity.of != values[bare(of[1])]:
            yield name, values[bare(of[1])]


def _taken(reading: Understanding, name: str) -> Expr | None:
    if name in reading.chosen:
        return _base(reading.chosen[name])
    found = reading.readings(name)
    return _base(found[0].quantity) if found else None


def _kept(reading: Understanding) -> Iterator[tuple[str, Expr]]:
    """Values that right lines have read, whose names shall not change their meaning by what is learned."""
    for k, judged in enumerate(reading.judged):
        for name in reading.frees(k) if judged.right else ():
            found = reading.readings(name)
            quantity = reading.chosen.get(name, found[0].quantity if found else None)
            if quantity is not None and isinstance(quantity, Shift) == ("[" in name):
                base = _base(quantity)
                if isinstance(base, Name):
                    yield bare(name), base


def _meanings(reading: Understanding, evident: bool) -> Iterator[tuple[str, Expr]]:
    """The names of a sheet with what they were taken to mean; `evident` where a right line says so."""
    for k, judged in enumerate(reading.judged):
        if evident and not judged.right:
            continue
        if judged.quantity is not None and not judged.part:
            yield judged.line.target, judged.quantity
        for name in reading.frees(k):
            if name in reading.chosen:
                yield name, reading.chosen[name]
            elif (found := reading.readings(name)) and (evident or found[0].cost <= FAINT):
                yield name, found[0].quantity


def _spoken(reading: Understanding) -> Iterator[tuple[str, str]]:
    """Words for gates that right lines have used, where they are rare ones: `phi` in `b_phi` for the forget gate."""
    gates, callings = reading.course.vocabulary.gates, reading.course.vocabulary.callings
    for name, quantity in _meanings(reading, evident=True):
        gate = _gate(gates, quantity)
        for word in _WORD.findall(bare(name)) if gate else ():
            known = callings.known(word)
            if gate and known and known[0][1] > 1 and gate in [ours for ours, _ in known]:
                yield canonical(word), gate


def _of_one_gate(reading: Understanding, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What a sheet that speaks of one gate alone leaves its names without: where `l` is `l_f`, `s` is `s_f`."""
    families = reading.course.vocabulary.gates.families
    spoken = {bare(name) for line in reading.sheet.lines for name in (line.target, *line.uses)}
    learned = [gate for stem, family in families.items() for gate, name in family.items()
               if words.get(canonical(stem)) == name]  # fmt: skip
    learned = learned or [gate for family in families.values() for gate, name in family.items() if name in spoken]
    if len(set(learned)) == 1:
        for stem, family in families.items():
            if learned[0] in family and canonical(stem) not in words:
                yield canonical(stem), family[learned[0]]


def _left_over(reading: Understanding) -> Iterator[tuple[str, str]]:
    """The one gate that is left for the one name of a family whose meaning is not known."""
    gates = reading.course.vocabulary.gates
    known = {bare(name): _gate(gates, quantity) for name, quantity in _meanings(reading, evident=False)}
    spoken = {bare(n) for line in reading.sheet.lines for n in (line.target, *line.uses) if free(n)}
    families: dict[tuple[str, str], dict[str, str | None]] = {}
    for name in spoken:
        for match in _WORD.finditer(name):
            kind = (name[: match.start()], name[match.end() :])
            families.setdefault(kind, {})[match[0]] = known.get(name)
    for kind, members in families.items():
        if not kind[0] and not kind[1]:
            continue
        found = {word: gate for word, gate in members.items() if gate}
        unknown = [word for word in members if word not in found]
        left = [gate for gate in gates.names if gate not in found.values()]
        if len(unknown) == len(left) == 1 and len(set(found.values())) == len(found) >= 2:
            yield canonical(unknown[0]), left[0]


def like_any_gate(reading: Understanding) -> Iterator[tuple[str, str]]:
    """The parameters of gates as `a_k = W_k x + U_k h_prev + b_k` has those of any gate `k`."""
    gates = reading.course.vocabulary.gates
    spoken = {rest for line in reading.sheet.lines for name in (line.target, *line.uses)
              for rest in (name, *(of for of, _ in of_loss(name, "")))}  # fmt: skip
    for name, quantity in _meanings(reading, evident=True):
        role = gates.roles.get(quantity.id) if isinstance(quantity, Name) and name.endswith("k") else None
        for gate in gates.names if role else ():
            alike = [p for p, other in gates.roles.items() if role and other == (gates.preactivation[gate], role[1])]
            if alike and f"{name[:-1]}{gate}" in spoken:
                yield canonical(f"{name[:-1]}{gate}"), alike[0]


def _gate(gates: Gates, quantity: Expr) -> str | None:
    """The gate that a quantity belongs to: it, its error, its weight, or that weight's gradient."""
    match _base(quantity):
        case Name(of) | Adjoint(of, "") | Total(of):
            return gates.gate_of(of)
    return None
