"""From a draft to a cell: what makes one valid, and the names that we give.

A draft is what a text says. Here its names and their order are checked, what nothing defines becomes a
parameter, compound arguments are named, and shapes are inferred.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from derivations.cell import Cell, CellError, Draft, Equation, Shape, prev
from derivations.expression import (
    Adjoint,
    Call,
    Detach,
    Expr,
    MatMul,
    Name,
    Num,
    Outer,
    Reduce,
    Stack,
    Transpose,
    children,
    names,
    rebuild,
    rewrite,
)
from derivations.names import fault, one_edit_apart, shortened
from derivations.shapes import infer
from derivations.visible import clipped

MOST_EQUATIONS = 500


def build(draft: Draft) -> Cell:
    """The cell that a draft describes.

    Raises:
        CellError: with the place and the remedy, for every way in which the text is not a cell.
    """
    inputs, states = draft.declared.get("input", ()), draft.declared.get("state", ())
    targets = draft.declared.get("target", ())
    if not states:
        raise CellError("the cell has no state; declare one, as in `state h`", 1)
    if not inputs:
        raise CellError("the cell has no input; declare one, as in `input x`", 1)
    if len(draft.equations) > MOST_EQUATIONS:
        line = draft.equations[MOST_EQUATIONS].line
        raise CellError(f"{len(draft.equations)} equations; {MOST_EQUATIONS} is the most", line)
    _check_names(draft, inputs, states, targets)
    parameters = _check_order(draft, inputs, states, targets)
    equations = _flatten(draft, {*inputs, *states, *targets, *parameters})
    defined = {e.target for e in draft.equations}
    outputs = draft.declared.get("output", states[:1])
    for name in outputs:
        if name not in defined:
            raise draft.error(f"output {name} is not defined by an equation", name)
    for name in draft.declared.get("scalar", ()) + draft.declared.get("positive", ()):
        if name not in {*inputs, *parameters, *targets, *states, *defined}:
            raise draft.error(f"{name} is declared, but no equation uses it", name)
    for name in draft.declared.get("param", ()):
        if name not in parameters:
            raise draft.error(f"{name} is declared as a parameter, but no equation reads it as one", name)
    shapes = infer(equations, inputs, states, parameters + targets, draft.declared.get("scalar", ()))
    return Cell(
        name=draft.name,
        title=draft.title,
        comment=draft.comment,
        inputs=inputs,
        states=states,
        outputs=outputs,
        targets=targets,
        parameters=parameters,
        positive=frozenset(draft.declared.get("positive", ())),
        written=draft.equations,
        equations=_left_to_right(equations, shapes),
        shapes=shapes,
        facts=draft.facts,
        places=draft.places,
    )


def _check_names(draft: Draft, inputs: tuple[str, ...], states: tuple[str, ...], targets: tuple[str, ...]) -> None:
    every = dict.fromkeys((*draft.places, *inputs, *states, *targets))
    for name in draft.places:
        if why := fault(name):
            raise draft.error(why, name)
    if why := fault(draft.name):
        raise CellError(f"cell name: {why}", 1)
    givens = inputs + states + targets
    ends = {e.target for e in draft.equations if e.block in ("readout", "loss")}  # what a loss may reach, as states
    for group in (givens, *draft.declared.values()):
        for name, count in Counter(group).items():
            if count > 1:
                raise draft.error(f"{name} is declared twice", name)
    for name in every:
        base, _, tail = name.rpartition("_")
        if name.startswith("d") and name[1:] in every:
            raise draft.error(f"{name} would read as the adjoint of {name[1:]}; rename one of the two", name)
        if tail in ("next", "out") and base.startswith("d") and base[1:] in every:
            raise draft.error(f"{name} would read as a part of the adjoint of {base[1:]}; rename it", name)
        if (tail == "next" and base in states) or (tail == "out" and base in (*states, *ends)):
            raise draft.error(f"its adjoint d{name} would read as a part of that of {base}; rename {name}", name)
        if tail == "prev" and base not in states:
            near = _nearest(base, states)
            hint = f"did you mean {near}_prev?" if near else f"declare `state {base}` if it is carried over time"
            raise draft.error(f"{name} is the previous value of {base}, which is not a state; {hint}", name)
        if tail.isdigit() and base in (*states, *inputs):
            raise draft.error(f"{name} would read as {base} at step {tail}; rename it", name)


def _check_order(
    draft: Draft, inputs: tuple[str, ...], states: tuple[str, ...], targets: tuple[str, ...]
) -> tuple[str, ...]:
    """Definition before use, each name once; what is left over are the parameters."""
    given = dict.fromkeys((*inputs, *map(prev, states), *targets))
    defined: dict[str, Equation] = {}
    coming = dict.fromkeys(e.target for e in draft.equations)
    declared = {n for kind in ("param", "scalar", "positive") for n in draft.declared.get(kind, ())}
    alike: dict[str, list[str]] = {}
    for known in (*given, *coming):
        for rest in shortened(known):
            alike.setdefault(rest, []).append(known)
    parameters: dict[str, None] = {}
    for equation in draft.equations:
        for name in names(equation.rhs):
            if name in given or name in defined:
                continue
            if name in states:
                hint = f"write {name}_prev for its previous value"
                raise CellError(f"{name} is used before it is defined; {hint}", equation.line)
            if name == equation.target:
                hint = f"for its previous value declare `state {name}` and write {name}_prev"
                raise draft.error(f"{name} is defined by itself; {hint}", name)
            if name in coming:
                raise draft.error(f"{name} is used before it is defined; move its equation up", name)
            near = _nearest(name, sorted({known for rest in shortened(name) for known in alike.get(rest, ())}))
            if near and name not in declared:
                hint = f"did you mean {near}? (if it is a parameter: `param {name}`)"
                raise draft.error(f"{name} is not defined; {hint}", name)
            parameters.setdefault(name)
        name = equation.target
        if name in given:
            raise CellError(f"{name} is given from outside; an equation cannot define it", equation.line)
        if name in defined:
            raise CellError(f"{name} is defined twice, first on line {defined[name].line}", equation.line)
        defined[name] = equation
    for state in states:
        if state not in defined:
            raise draft.error(f"the state {state} has no equation; write one, as in `{state} = ...`", state)
        if defined[state].block:
            raise CellError(f"the state {state} cannot be defined in a block", defined[state].line)
    return tuple(parameters)


def _nearest(name: str, known: Iterable[str]) -> str | None:
    """A known name one edit away. Short names are all near one another, so they are never taken for slips."""
    return next((k for k in known if min(len(k), len(name)) >= 4 and one_edit_apart(name, k)), None)


def _flatten(draft: Draft, given: set[str]) -> tuple[Equation, ...]:
    """Name every compound argument: `f = sigmoid(...)` gives a_f and f; `W @ (r * h)` gives u_n = r * h."""
    taken = dict.fromkeys((*given, *(e.target for e in draft.equations)), "")
    return tuple(e for equation in draft.equations for e in _flattened(equation, draft, taken))


def _flattened(equation: Equation, draft: Draft, taken: dict[str, str]) -> list[Equation]:
    """One equation, after those of the arguments in it that we name.

    `taken` holds every name, and for those that we gave what they are; it grows.
    """
    above: dict[Expr, Equation] = {}
    counts: Counter[str] = Counter()

    def named(letter: str, arg: Expr) -> Name:
        if arg not in above:
            counts[letter] += 1
            name = f"{letter}_{equation.target}" + (str(counts[letter]) if counts[letter] > 1 else "")
            what = f"the {'preactivation' if letter == 'a' else 'argument'} of {equation.target}"
            if taken.get(name):
                clash = f"{what} and {taken[name]} would both be called {name}"
                raise CellError(f"{clash}; rename {equation.target}", equation.line)
            if name in taken:
                raise draft.error(f"{name} would print like {what}; rename one of the two", name)
            if f"d{name}" in taken:
                raise draft.error(f"d{name} would read as the adjoint of {name}, {what}; rename it", f"d{name}")
            taken[name] = what
            above[arg] = Equation(name, arg, "", equation.block, equation.line, auto=True)
        return Name(above[arg].target)

    def name(letter: str, node: Expr) -> Name:
        inner = flat(node)
        return inner if isinstance(inner, Name) else named(letter, inner)

    def operand(node: Expr) -> Expr:
        """What may stand beside @: a name or its transpose."""
        return Transpose(name("u", node.arg)) if isinstance(node, Transpose) else name("u", node)

    def argument(node: Expr) -> Expr:
        """What may stand in a call: a name or a number."""
        return node if isinstance(node, Num) else name("a", node)

    def flat(node: Expr, top: bool = False) -> Expr:
        match node:
            case Transpose():
                raise CellError("a transpose stands beside @, as in W.T @ v, and nowhere else", equation.line)
            case MatMul(a, b):
                return MatMul(operand(a), operand(b))
            case Call(function, args):
                return Call(function, tuple(map(argument, args)))
            case Reduce() | Outer() | Stack() | Detach():
                expr = rebuild(node, tuple(name("u", part) for part in children(node)))
                # The derivative of logsumexp speaks of its own value, and a stack's adjoint is cut up.
                alone = isinstance(expr, Stack) or (isinstance(expr, Reduce) and expr.kind == "logsumexp")
                return named("u", expr) if alone and not top else expr
        return rebuild(node, tuple(flat(child) for child in children(node)))

    rhs = flat(equation.rhs, top=True)
    return [*above.values(), replace(equation, rhs=rhs)]


def _left_to_right(equations: tuple[Equation, ...], shapes: Mapping[str, Shape]) -> tuple[Equation, ...]:
    """`v @ W` as `W.T @ v`, so that every linear map stands on the left of what it maps."""

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, MatMul) and isinstance(node.left, Name) and len(shapes[node.left.id]) == 1:
            matrix = node.right
            return MatMul(matrix.arg if isinstance(matrix, Transpose) else Transpose(matrix), node.left)
        return None

    return tuple(replace(e, rhs=rewrite(e.rhs, rule)) for e in equations)


def rename(cell: Cell, table: Mapping[str, str]) -> Cell:
    """The same cell in other names, all changed at once: `{"W_xo": "W_ho", "W_ho": "W_hh"}` is a fair table.

    Raises:
        CellError: as `renamed_draft`.
    """
    return build(renamed_draft(cell, table))


def renamed_draft(cell: Cell, table: Mapping[str, str]) -> Draft:
    """What the cell's text would say in other names.

    The names we gave (a_f) follow the names they were made from.

    Raises:
        CellError: a key is not a name of the cell, a new name is not allowed, or two names would become one.
    """
    written = (e.target for e in cell.written)
    known = dict.fromkeys((*cell.inputs, *cell.states, *cell.targets, *cell.parameters, *written))
    for old in table:
        if old not in known:
            near = _nearest(old, known)
            raise CellError(f"{cell.name} has no name {clipped(old)}" + (f"; did you mean {near}?" if near else ""))
    full = {name: table.get(name, name) for name in known}
    for old, new in full.items():
        if why := fault(new):
            raise CellError(f"renaming {old}: {why}")
        twin = next((o for o, n in full.items() if n == new and o != old), None)
        if twin:
            raise CellError(f"{old} and {twin} would both be called {new}")
    full |= {prev(s): prev(full[s]) for s in cell.states}

    def new_name(node: Expr) -> Expr | None:
        if isinstance(node, Name):
            if node.id in full:
                return Name(full[node.id])
            if node.id.startswith("d") and node.id[1:] in full:  # an adjoint in a fact
                return Name("d" + full[node.id[1:]])
        if isinstance(node, Adjoint):
            return Adjoint(full.get(node.of, node.of), node.part)
        return None

    def tuple_of(group: Iterable[str]) -> tuple[str, ...]:
        return tuple(full[name] for name in group)

    scalars = tuple(n for n in known if cell.shapes[n] == ())
    return Draft(
        name=cell.name,
        title=cell.title,
        comment=cell.comment,
        declared={
            "input": tuple_of(cell.inputs),
            "state": tuple_of(cell.states),
            "output": tuple_of(cell.outputs),
            "target": tuple_of(cell.targets),
            "param": tuple_of(cell.parameters),
            "scalar": tuple_of(scalars),
            "positive": tuple_of(n for n in known if n in cell.positive),
        },
        equations=tuple(replace(e, target=full[e.target], rhs=rewrite(e.rhs, new_name)) for e in cell.written),
        facts=tuple(replace(f, left=rewrite(f.left, new_name), right=rewrite(f.right, new_name)) for f in cell.facts),
        places={full.get(n, n): place for n, place in cell.places.items()},
    )
