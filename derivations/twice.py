"""The double backward: the backward pass is itself a list of equations, so it is derived again.

All steps of a run and all steps of its backward pass, written one below the other, are the equations of one step of
another cell. Its only output is the pairing

    phi = sum over the leaves of <v, g>

of every gradient g with a direction v for its leaf. `derive` of that cell gives every gradient of phi: with respect to
a leaf, the Hessian times v; with respect to a cotangent, the tangent of what it is the cotangent of, which is forward
mode; with respect to a direction, g itself. Nothing here differentiates anything.

The second derivative of a piecewise linear function is 0 wherever it exists: the rows of `functions.py` for its
slopes, `_step` and its like, have slope 0. What is detached stays so.

Its names are none that a cell can have: a name at a step is `f@2`, the initial state `h@0`; the adjoint of `f@2` is
`~f@2`, what the loss sends to h directly is `~h@2:out`, what comes back to it from the step after is `~h@2:next`; the
direction of `x@1` is `>x@1`, and the k-th argument that is named in an equation of `~x@1` is `~x@1#k`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

from derivations.cell import Cell, Equation, Shape
from derivations.derive import Derivation, Term, is_scalar
from derivations.expression import (
    Adjoint,
    Expr,
    MatMul,
    Mul,
    Name,
    Ones,
    Outer,
    Part,
    Reduce,
    Size,
    Transpose,
    children,
    product,
    rebuild,
    rewrite,
    total,
)
from derivations.timed import node_at
from derivations.unroll import MOST_STEPS

PHI = "<v, g>"


# --- names ------------------------------------------------------------------------------------------------------


def at(name: str, step: int) -> str:
    """A name of the run: a state, an input or a defined value at a step, the initial state at 0."""
    return f"{name}@{step}"


def cotangent(id_: str, part: str = "") -> str:
    """The adjoint of a name of the run; `part` as in `expression.Adjoint`."""
    return f"~{id_}:{part}" if part else f"~{id_}"


def direction(leaf: str) -> str:
    """The direction in which a leaf moves."""
    return f">{leaf}"


@dataclass(frozen=True)
class Leaf:
    """What the double backward has a gradient for: the name, and the step where there is one.

    `kind` is "leaf" for a parameter, an input or an initial state, "direction" for what it moves along, "out" for the
    cotangent of an output, "next" for that of a final state.
    """

    name: str
    step: int | None
    kind: str = "leaf"

    @property
    def id(self) -> str:
        """Its name in the cell of the double backward."""
        base = self.name if self.step is None else at(self.name, self.step)
        return {"leaf": base, "direction": direction(base)}.get(self.kind) or cotangent(base, self.kind)

    def __str__(self) -> str:
        """As readers know it: `W_xf`, `h_0`, `x_2`, `v_x_2`, `dh_3_out`, `dh_4_next`."""
        base = self.name if self.step is None else f"{self.name}_{self.step}"
        return {"leaf": base, "direction": f"v_{base}"}.get(self.kind, f"d{base}_{self.kind}")


def leaves(cell: Cell, steps: int) -> tuple[Leaf, ...]:
    """Everything that a run of the double backward is given, targets left out; parameters first."""
    own = [Leaf(name, None) for name in cell.parameters]
    own += [Leaf(state, 0) for state in cell.states]
    own += [Leaf(name, t) for name in cell.inputs for t in range(1, steps + 1)]
    sent = [Leaf(name, t, "out") for name in cell.seeded for t in range(1, steps + 1)]
    sent += [Leaf(state, steps, "next") for state in cell.states]
    return (*own, *(replace(leaf, kind="direction") for leaf in own), *sent)


# --- the cell ---------------------------------------------------------------------------------------------------


def twice(derivation: Derivation, steps: int) -> Cell:
    """The cell of one step whose derivation is the double backward of a run of `steps` steps.

    Its parameters are the cell's and their directions; all else that `leaves` names is an input; it has no state.

    Raises:
        ValueError: not 1 to 64 steps.
    """
    if not 1 <= steps <= MOST_STEPS:
        raise ValueError(f"a run of {steps} steps; 1 to {MOST_STEPS} can be written out")
    cell = derivation.cell
    given = leaves(cell, steps)
    shapes: dict[str, Shape] = {leaf.id: cell.shapes[leaf.name] for leaf in given}
    shapes |= {at(name, t): cell.shapes[name] for name in cell.targets for t in range(1, steps + 1)}
    equations: list[Equation] = []

    def define(target: str, shape: Shape, rhs: Expr, label: str = "") -> None:
        shapes[target] = shape
        equations.append(Equation(target, rhs, label))

    for t in range(1, steps + 1):
        for step in derivation.definitions:
            define(at(step.of, t), cell.shapes[step.of], _at_step(step.rhs, cell, t), step.label)
    for t in range(steps, 0, -1):
        for step in derivation.adjoints:
            target, shape = _adjoint_of(step.wrt, cell, t), cell.shapes[step.wrt]
            numbers = count(1)
            terms = []
            for term in step.terms:
                above, expr = _flattened(term, cell, target, numbers)
                for name, arg in above:
                    define(name, cell.shapes[term.via], _at_step(arg, cell, t), step.label)
                terms.append(_at_step(expr, cell, t))
            rhs = total(*terms)
            if shape and is_scalar(rewrite(step.rhs, _as_value), cell):  # one number, for all entries
                rhs = Mul((Ones(_at(step.wrt, cell, t)), rhs))
            define(target, shape, rhs, step.label)
    for name in cell.parameters:
        shares = [Name(_adjoint_of(name, cell, t)) for t in range(1, steps + 1)]
        define(cotangent(name), cell.shapes[name], total(*shares), "summed over time")
    moving = [leaf for leaf in given if leaf.kind == "direction"]
    define(PHI, (), total(*(_paired(leaf, cell) for leaf in moving)), "the pairing")

    parameters = tuple(leaf.id for leaf in given if leaf.step is None)
    return Cell(
        name=f"{cell.name}, twice",
        title=f"{cell.title or cell.name}: the double backward of {steps} steps",
        comment="",
        inputs=tuple(leaf.id for leaf in given if leaf.step is not None),
        states=(),
        outputs=(PHI,),
        targets=tuple(at(name, t) for name in cell.targets for t in range(1, steps + 1)),
        parameters=parameters,
        positive=frozenset(leaf.id for leaf in given if leaf.kind == "leaf" and leaf.name in cell.positive),
        written=tuple(equations),
        equations=tuple(equations),
        shapes=shapes,
    )


def _at(name: str, cell: Cell, step: int) -> str:
    """What `name` of one step is in the run: `h_prev` at step 3 is `h@2`."""
    node = node_at(cell, name, step)
    return node.name if node.step is None else at(node.name, node.step)


def _adjoint_of(name: str, cell: Cell, step: int) -> str:
    """The name of an adjoint of one step: that of `h_prev` at step 3 is what comes back to h from there.

    What comes back to an initial state is the whole of its gradient. A parameter has an adjoint at every step.
    """
    if name in cell.parameters:
        return cotangent(at(name, step))
    back = name in cell.previous and step > 1
    return cotangent(_at(name, cell, step), "next" if back else "")


def _at_step(expr: Expr, cell: Cell, step: int) -> Expr:
    """An expression of one step in the names of the run, adjoints being values like all others."""

    def rule(node: Expr) -> Expr | None:
        match node:
            case Name(id) if id in cell.shapes:
                return Name(_at(id, cell, step))
            case Adjoint(of, ""):
                return Name(_adjoint_of(of, cell, step))
            case Adjoint(of, part):
                return Name(cotangent(at(of, step), part))
            case Size(of):
                return Size(_at(of, cell, step))
            case Ones(of):
                return Ones(_at(of, cell, step))
            case Part(arg, of, index):
                return Part(rewrite(arg, rule), tuple(_at(name, cell, step) for name in of), index)
        return None

    return rewrite(expr, rule)


def _as_value(node: Expr) -> Expr | None:
    return Name(node.of) if isinstance(node, Adjoint) else None


def _flattened(term: Term, cell: Cell, target: str, numbers: Iterator[int]) -> tuple[list[tuple[str, Expr]], Expr]:
    """One term of an adjoint with every compound argument of a linear map, a sum or a block named before it.

    Each of them is an adjoint times a slope, of the shape of the consumer that the term comes from.
    """
    above: list[tuple[str, Expr]] = []

    def named(arg: Expr) -> Expr:
        if isinstance(arg, Transpose):
            return Transpose(named(arg.arg))
        if isinstance(arg, (Name, Adjoint)):
            return arg
        above.append((f"{target}#{next(numbers)}", flat(arg)))
        return Name(above[-1][0])

    def flat(node: Expr) -> Expr:
        one = named if isinstance(node, (MatMul, Outer, Reduce, Part)) else flat
        return rebuild(node, tuple(map(one, children(node))))

    return above, flat(term.expr)


def _paired(moving: Leaf, cell: Cell) -> Expr:
    leaf = replace(moving, kind="leaf").id
    pair = Name(moving.id), Name(cotangent(leaf))
    return Reduce("dot", pair) if cell.shapes[moving.name] else product(*pair)
