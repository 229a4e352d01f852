"""Which names of one cell are which of another: found by structure, so that a cell and its code can be compared.

The step of each cell is written out as sums of products of atoms (names, functions, linear maps), where the names of
parameters do not count. Two such sums correspond if their terms do; on the way the parameters are paired, as they are,
transposed (`x @ W` beside `W @ x`), or several biases against one that is their sum. This only proposes: whether the
cells are then the same is decided by proof, as in `same`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from derivations.build import build, renamed_draft
from derivations.cell import Cell, CellError, Equation, prev
from derivations.expression import Add, Expr, MatMul, Name, Stack, Transpose, names, rewrite, scalar_view, total, walk
from derivations.pairing import MOST_FOUND, Matcher, Pairs, by_name_first
from derivations.same import Comparison, compare
from derivations.spelled import Spelled, TooMuch

LONGEST_WRITTEN = 24  # parts of an equation that is written out


@dataclass(frozen=True)
class Correspondence:
    """Names of the left cell and what stands for them in the right one.

    Attributes:
        names: left name -> right name, of inputs, states and parameters.
        transposed: left parameters whose counterpart is their transpose.
        sums: (left names, right names) whose sums are one, where there are several on a side.
        lone_left, lone_right: parameters without a counterpart.
        left_out: readouts that only one cell has, and that are not compared.
        scalar: the cells are compared in the scalar view, with one unit.
        stacked: parameters that one cell holds side by side, with their parts.
    """

    names: Mapping[str, str]
    transposed: frozenset[str] = frozenset()
    sums: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    lone_left: tuple[str, ...] = ()
    lone_right: tuple[str, ...] = ()
    scalar: bool = False
    left_out: tuple[str, ...] = ()
    stacked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return not self.lone_left and not self.lone_right


def matched(left: Cell, right: Cell) -> tuple[Comparison, Correspondence | None]:
    """The comparison of two cells, in shared names if they have them, else under a correspondence that is found."""
    alike = all({*getattr(left, kind)} == {*getattr(right, kind)} for kind in ("inputs", "states", "parameters"))
    plain = compare(left, right) if alike else None
    if plain:
        return plain, None
    best: tuple[Comparison, Correspondence] | None = None
    for one, other, marks in _forms(left, right):
        for found in _candidates(one, other):
            found = replace(found, **marks)
            if alike and any(ours != theirs for ours, theirs in found.names.items()):
                continue  # equal names are meant
            try:
                renamed_left, renamed_right = _joined(one, other, found)
                comparison = compare(renamed_left, renamed_right)
            except (CellError, KeyError, ValueError):
                continue
            if comparison:
                return comparison, found
            if comparison.proofs and (best is None or len(found.names) > len(best[1].names)):
                best = comparison, found
    if best is None or (plain is not None and not plain.apart):
        return plain or compare(left, right), None
    return best


def _forms(left: Cell, right: Cell) -> Iterator[tuple[Cell, Cell, dict[str, Any]]]:
    """The cells as they are; with stacked vectors taken apart; in the scalar view, where one has no linear map.

    Readouts that only one of them has are left out.
    """
    marks: dict[str, Any] = {}
    if bool(left.readouts) != bool(right.readouts) and not left.loss and not right.loss:
        marks["left_out"] = left.readouts + right.readouts
        left, right = _without_readouts(left), _without_readouts(right)
    if left.stacked or right.stacked:
        try:
            one, parts = _unstacked(left)
            other, more = _unstacked(right)
            yield one, other, marks | {"stacked": parts | more}
        except CellError:
            pass
    else:
        yield left, right, marks
    linear = [any(isinstance(node, MatMul) for e in cell.equations for node in walk(e.rhs)) for cell in (left, right)]
    if linear[0] != linear[1] and not (left.stacked or right.stacked):
        yield _scalar(left), _scalar(right), marks | {"scalar": True}


def _without_readouts(cell: Cell) -> Cell:
    kept = tuple(e for e in cell.equations if not e.block)
    written = tuple(e for e in cell.written if not e.block)
    read = {name for e in kept for name in names(e.rhs)} | {e.target for e in kept}
    parameters = tuple(name for name in cell.parameters if name in read)
    outputs = tuple(name for name in cell.outputs if name in read)
    return replace(cell, equations=kept, written=written, parameters=parameters, outputs=outputs)


def _scalar(cell: Cell) -> Cell:
    equations = tuple(replace(e, rhs=scalar_view(e.rhs)) for e in cell.equations)
    return replace(cell, equations=equations, written=equations, shapes=dict.fromkeys(cell.shapes, ()))


def _unstacked(cell: Cell) -> tuple[Cell, dict[str, tuple[str, ...]]]:
    """`W @ [h_prev; x]` as W_h @ h_prev + W_x @ x: a matrix on a stack is two side by side."""
    parts: dict[str, tuple[str, ...]] = {}
    stacks = {e.target: e.rhs for e in cell.written if isinstance(e.rhs, Stack)}
    taken = {*cell.shapes}

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, MatMul) or not isinstance(node.left, Name):
            return None
        right = stacks.get(node.right.id) if isinstance(node.right, Name) else node.right
        if not isinstance(right, Stack) or node.left.id not in cell.parameters:
            return None
        matrix = node.left.id
        if matrix not in parts:
            made = []
            for k, part in enumerate(right.parts):
                said = part.id.removesuffix("_prev") if isinstance(part, Name) else str(k)
                made.append(next(n for n in (f"{matrix}_{said}", f"{matrix}_p{k}", f"{matrix}_q{k}") if n not in taken))
            taken.update(made)
            parts[matrix] = tuple(made)
        own = zip(parts[matrix], right.parts, strict=True)
        return total(*(MatMul(Name(name), rewrite(part, rule)) for name, part in own))

    draft = renamed_draft(cell, {})
    equations = tuple(replace(e, rhs=rewrite(e.rhs, rule)) for e in draft.equations)
    read = {name for e in equations for name in names(e.rhs)}
    kept = tuple(e for e in equations if e.target not in stacks or e.target in read)
    declared = {**draft.declared, "param": tuple(n for n in draft.declared["param"] if n not in parts)}
    declared["scalar"] = tuple(n for n in draft.declared["scalar"] if n in read or n in {e.target for e in kept})
    return build(replace(draft, equations=kept, declared=declared, places={})), parts


def _candidates(left: Cell, right: Cell) -> Iterator[Correspondence]:
    """Correspondences to try: those in which everything corresponds, and a last one of what looks alike."""
    if len(left.inputs) != len(right.inputs) or len(left.states) != len(right.states):
        return
    try:
        mine, yours = Spelled(left), Spelled(right)
        ends = [mine.named(state) for state in left.states]
        others = {state: yours.named(state) for state in right.states}
    except (TooMuch, RecursionError):
        return
    orders = [
        (dict(zip(left.inputs, inputs, strict=True)) | dict(zip(left.states, states, strict=True)))
        for inputs in by_name_first(left.inputs, right.inputs)
        for states in by_name_first(left.states, right.states)
    ]
    for own in orders:
        shared = own | {prev(state): prev(own[state]) for state in left.states}
        matcher = Matcher(left, right, shared)
        rows = [(end, others[own[state]]) for state, end in zip(left.states, ends, strict=True)]
        for count, found in enumerate(matcher.args(rows, Pairs({}, {}, {}))):
            yield _correspondence(left, right, own, found)
            if count >= MOST_FOUND:
                break
    shared = orders[0] | {prev(state): prev(orders[0][state]) for state in left.states}
    matcher, pairs = Matcher(left, right, shared), Pairs({}, {}, {})
    mine, yours = Spelled(left, through=False), Spelled(right, through=False)
    for state in left.states:
        matcher.nearly(mine.sum(mine.rhs[state]), yours.sum(yours.rhs[orders[0][state]]), pairs)
    for name in left.defined:
        if name in yours.rhs and name not in left.states:  # values that both call alike
            matcher.nearly(mine.sum(mine.rhs[name]), yours.sum(yours.rhs[name]), pairs)
    yield _correspondence(left, right, orders[0], pairs)


def _correspondence(left: Cell, right: Cell, shared: Mapping[str, str], found: Pairs) -> Correspondence:
    own = {name: shared[name] for name in (*left.inputs, *left.states)}
    order = {name: k for k, name in enumerate(left.parameters)}
    paired = sorted(found.right_of, key=lambda name: order[name])
    sums = sorted(found.sums.items(), key=lambda pair: order[pair[0][0]])
    summed = {n for group in found.sums.items() for side in group for n in side}
    return Correspondence(
        names={**own, **{name: found.right_of[name][0] for name in paired}},
        transposed=frozenset(name for name, (_, turned) in found.right_of.items() if turned),
        sums=tuple(sums),
        lone_left=tuple(n for n in left.parameters if n not in found.right_of and n not in summed),
        lone_right=tuple(n for n in right.parameters if n not in found.left_of and n not in summed),
    )


def _joined(left: Cell, right: Cell, found: Correspondence) -> tuple[Cell, Cell]:
    """Both cells in shared names: the left one's, with sums of biases written out."""
    table = {theirs: ours for ours, theirs in found.names.items()}
    taken = {*left.shapes, *(theirs for _, many in found.sums for theirs in many)}
    for name in found.lone_right:
        table[name] = _fresh(name, taken)
    for _, many in found.sums:
        for name in many:
            table[name] = _fresh(name, {*left.shapes, *table.values()})
    for ours, theirs in _locals(left, right, table).items():
        table[theirs] = ours
    for e in right.equations:
        if e.target not in table:
            table[e.target] = _fresh(e.target, {*taken, *table.values()})
    if len({*table.values()}) != len(table):
        raise ValueError("two names would become one")
    other = _in_names(right, table, {*found.transposed})
    swaps: dict[Expr, Expr] = {}
    for own, theirs_ in found.sums:
        many = tuple(table[name] for name in theirs_)
        if len(own) == 1:
            swaps[Name(own[0])] = total(*map(Name, many))
            left = _with_parameters(left, own, many)
        else:
            other = _with_parameters(other, many, own)
            written: dict[Expr, Expr] = {Name(many[0]): total(*map(Name, own))}
            other = replace(other, equations=tuple(replace(e, rhs=_put(e.rhs, written)) for e in other.equations))
    left = replace(left, equations=tuple(replace(e, rhs=_put(e.rhs, swaps)) for e in left.equations))
    return _in_steps_of(left, other), _in_steps_of(other, left)


def _in_steps_of(cell: Cell, other: Cell) -> Cell:
    """The cell with every value that the other has no name for written out, so that equations can be compared."""
    known = {*other.defined, *cell.states, *cell.readouts}
    table: dict[Expr, Expr] = {}
    kept: list[Equation] = []
    for equation in cell.equations:
        rhs = _put(equation.rhs, table)
        if equation.target in known or len(list(walk(rhs))) > LONGEST_WRITTEN:
            kept.append(replace(equation, rhs=rhs))
        else:
            table[Name(equation.target)] = rhs
    return replace(cell, equations=tuple(kept))


def _put(expr: Expr, table: Mapping[Expr, Expr]) -> Expr:
    """Substituted, with sums within sums joined, so that terms are compared one by one."""
    new = rewrite(expr, table.get)
    return total(*new.terms) if isinstance(new, Add) else new


def _fresh(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_b"
    taken.add(name)
    return name


def _with_parameters(cell: Cell, gone: Sequence[str], new: Sequence[str]) -> Cell:
    shape = cell.shapes[gone[0]]
    parameters = tuple(dict.fromkeys((*(n for n in cell.parameters if n not in gone), *new)))
    return replace(cell, parameters=parameters, shapes={**cell.shapes, **dict.fromkeys(new, shape)})


def _in_names(cell: Cell, table: Mapping[str, str], transposed: set[str]) -> Cell:
    """The cell in other names, with some matrices transposed. `build` is not asked: the names are no reader's."""
    full = dict(table) | {prev(s): prev(table[s]) for s in cell.states}

    def rule(node: Expr) -> Expr | None:
        match node:
            case Transpose(Name(id)) if full[id] in transposed:
                return Name(full[id])
            case Name(id):
                return Transpose(Name(full[id])) if full[id] in transposed else Name(full[id])
        return None

    def several(group: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(full[name] for name in group)

    shapes = {full[n]: shape[::-1] if full[n] in transposed else shape for n, shape in cell.shapes.items() if n in full}
    return replace(
        cell,
        inputs=several(cell.inputs),
        states=several(cell.states),
        outputs=several(cell.outputs),
        parameters=several(cell.parameters),
        targets=cell.targets,
        equations=tuple(replace(e, target=full[e.target], rhs=rewrite(e.rhs, rule)) for e in cell.equations),
        shapes=shapes,
    )


def _locals(left: Cell, right: Cell, table: Mapping[str, str]) -> dict[str, str]:
    """Values within the step that read the same parameters: left name -> right name, to compare them by."""
    found: dict[str, str] = {}
    free = [e for e in left.equations if e.target not in table.values()]
    for equation in right.equations:
        if equation.target in table:
            continue
        own = {table.get(name, name) for name in names(equation.rhs)} | {
            a for a, b in found.items() if b in names(equation.rhs)
        }
        scored = sorted(
            (
                (len(own & {*names(e.rhs)}) / max(len(own | {*names(e.rhs)}), 1), -k, e)
                for k, e in enumerate(free)
                if e.auto == equation.auto
            ),
            key=lambda row: row[:2],
        )
        if scored and scored[-1][0] > 0.4:
            found[scored[-1][2].target] = equation.target
            free.remove(scored[-1][2])
    left_of = {**{theirs: ours for ours, theirs in found.items()}, **table}
    for equation in right.equations:  # the preactivation of a value is that of its counterpart
        letter, _, of = equation.target.partition("_")
        ours = f"{letter}_{left_of.get(of, of)}"
        if equation.auto and equation.target not in left_of and any(e.auto and e.target == ours for e in free):
            found[ours] = equation.target
            free = [e for e in free if e.target != ours]
    return found
