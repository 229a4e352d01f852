"""Shapes of every name, inferred from the equations.

Two passes are repeated until nothing changes: upwards, an expression takes the shape of what it is made of;
downwards, a name without a shape that stands in an elementwise place takes the shape of its surroundings.
Sizes are unknowns that are unified; the size of a stacked vector is a sum of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, count

from derivations.cell import CellError, Equation, Shape, prev
from derivations.expression import (
    Call,
    Expr,
    MatMul,
    Name,
    Num,
    Outer,
    Reduce,
    Size,
    Stack,
    Transpose,
    children,
    names,
)

Dim = tuple[int, ...]  # a sum of unknowns
Dims = tuple[Dim, ...]
KINDS = ("a scalar", "a vector", "a matrix")
LETTERS = ("n", "p", "q", "k", "l", "r", "s")
MOST_PARTS = 64


class Mismatch(ValueError):
    """Two shapes that cannot be one, or a size that is too long a sum."""


class _Sizes:
    """Unknown sizes, unified."""

    def __init__(self) -> None:
        self.bound: dict[int, Dim] = {}
        self.ids = count()

    def new(self) -> Dim:
        return (next(self.ids),)

    def resolve(self, dim: Dim) -> Dim:
        free: list[int] = []
        waiting = list(dim)
        while waiting:
            unknown = waiting.pop()
            if unknown in self.bound:
                waiting += self.bound[unknown]
            else:
                free.append(unknown)
            if len(free) > MOST_PARTS:
                raise Mismatch(f"more than {MOST_PARTS} vectors are stacked into one")
        return tuple(sorted(free))

    def unify(self, a: Dim, b: Dim) -> None:
        a, b = self.resolve(a), self.resolve(b)
        left, right = list(a), list(b)
        for unknown in a:
            if unknown in right:
                left.remove(unknown)
                right.remove(unknown)
        if not left and not right:
            return
        if len(left) == 1 and right and left[0] not in right:
            self.bound[left[0]] = tuple(right)
        elif len(right) == 1 and left and right[0] not in left:
            self.bound[right[0]] = tuple(left)
        else:
            raise Mismatch("the sizes differ")

    def unify_shapes(self, a: Dims, b: Dims) -> None:
        if len(a) != len(b):
            raise Mismatch("the kinds differ")
        for x, y in zip(a, b, strict=True):
            self.unify(x, y)


def infer(
    equations: Sequence[Equation],
    inputs: Sequence[str],
    states: Sequence[str],
    givens: Sequence[str],
    scalars: Iterable[str],
) -> Mapping[str, Shape]:
    """The shape of every name.

    Inputs are vectors of size m unless declared scalar; the first state's size is n. `givens` are the
    parameters and targets.

    Raises:
        CellError: two places ask for different shapes of one name; both are named.
    """
    found = _Inference(inputs, states, scalars)
    found.settle_all(equations)
    found.guessing = True  # of W @ p and sum(p), where nothing else speaks of p: it is a vector
    found.settle_all(equations)
    for state in states:
        if found.shape_of(state) is None:
            found.known[state] = (found.sizes.new(),)
            found.settle_all(equations)
    for name in givens:  # what nothing determines is a scalar
        if found.shape_of(name) is None:
            found.known[name] = ()
    found.settle_all(equations)
    return found.lettered()


class _Inference:
    """What is known of the shapes so far, and from which line."""

    def __init__(self, inputs: Sequence[str], states: Sequence[str], scalars: Iterable[str]) -> None:
        """`ours` are the names that we gave: errors say what they are of."""
        self.inputs, self.states = inputs, states
        self.sizes = _Sizes()
        self.known: dict[str, Dims] = dict.fromkeys(scalars, ())
        for name in inputs:
            self.known.setdefault(name, (self.sizes.new(),))
        self.origin: dict[str, int] = {}
        self.alias = {prev(state): state for state in states}
        self.ours: dict[str, Expr] = {}
        self.line = 0
        self.guessing = False
        self.seen: dict[int, Dims] = {}  # elementwise nodes, all of whose parts are known

    def settle_all(self, equations: Sequence[Equation]) -> None:
        self.seen.clear()
        before = -1
        while len(self.known) + len(self.sizes.bound) != before:
            before = len(self.known) + len(self.sizes.bound)
            for equation in equations:
                self.line = equation.line
                if equation.auto:
                    self.ours[equation.target] = equation.rhs
                try:
                    self.sweep(equation)
                except Mismatch as problem:
                    raise CellError(str(problem), self.line) from None

    def sweep(self, equation: Equation) -> None:
        target = Name(equation.target)
        dims, expected = self.up(equation.rhs), self.shape_of(target.id)
        if dims is not None and (expected is None or dims):
            self.settle(target, dims)
        elif dims == () and expected:
            raise CellError(
                f"{self.placed(target)} is {KINDS[len(expected)]}, but its right-hand side is a scalar", self.line
            )
        if expected := self.shape_of(target.id):
            self.down(equation.rhs, expected)

    def shape_of(self, name: str) -> Dims | None:
        return self.known.get(self.alias.get(name, name))

    def settle(self, node: Expr, dims: Dims) -> None:
        """`node` has this shape: learn it, or hold it against what is known."""
        match node:
            case Name(id):
                name = self.alias.get(id, id)
                if name not in self.known:
                    self.known[name], self.origin[name] = dims, self.line
                else:
                    self.hold(node, self.known[name], dims)
            case Transpose(arg) if len(dims) == 2:
                self.settle(arg, (dims[1], dims[0]))

    def hold(self, node: Expr, dims: Dims, due: Dims, beside: Expr | None = None) -> None:
        try:
            self.sizes.unify_shapes(dims, due)
        except Mismatch:
            if len(dims) != len(due):
                is_, should = KINDS[len(dims)], f"{KINDS[len(due)]} stands"
            else:
                is_, should = f"of size {self.written(dims)}", f"the size is {self.written(due)}"
            where = f"beside it ({self.said(beside)})" if beside else "here"
            message = f"shapes do not fit: {self.placed(node)} is {is_}, but {where} {should}"
            raise CellError(message, self.line) from None

    # upwards: an expression takes the shape of what it is made of

    def up(self, node: Expr) -> Dims | None:
        match node:
            case Name(id):
                return self.shape_of(id)
            case Num() | Size():
                return ()
            case Transpose(arg):
                inner = self.up(arg)
                if inner is not None and len(inner) != 2:
                    message = f"only a matrix has a transpose; {self.placed(arg)} is {KINDS[len(inner)]}"
                    raise CellError(message, self.line)
                return inner and (inner[1], inner[0])
            case MatMul(a, b):
                return self.linear(a, b)
            case Outer(a, b):
                left, right = self.vector(a, "outer"), self.vector(b, "outer")
                return (left[0], right[0]) if left and right else None
            case Reduce(kind, args):
                found = [self.vector(arg, kind) for arg in args]
                if kind == "dot":
                    for one, other in ((0, 1), (1, 0)):
                        dims = found[one]
                        if dims is not None:
                            self.settle(args[other], dims)
                return ()
            case Stack(parts):
                stacked: Dim = ()
                for part in parts:
                    dims = self.vector(part, "a stack")
                    if dims is None:
                        return None
                    stacked += dims[0]
                return (self.sizes.resolve(stacked),)
        return self.elementwise(node)

    def elementwise(self, node: Expr) -> Dims | None:
        if id(node) in self.seen:
            return self.seen[id(node)]
        shapes = [(child, self.up(child)) for child in children(node)]
        wide = [(child, dims) for child, dims in shapes if dims]
        for child, dims in wide[1:]:
            self.hold(child, dims, wide[0][1], beside=wide[0][0])
        unknown = any(dims is None for _, dims in shapes)
        if wide or not unknown:
            found = wide[0][1] if wide else ()
            if not unknown:
                self.seen[id(node)] = found
            return found
        return None

    def vector(self, node: Expr, where: str) -> Dims | None:
        dims = self.up(node)
        if dims is None and self.guessing:
            self.settle(node, (self.sizes.new(),))
            dims = self.up(node)
        if dims is not None and len(dims) != 1:
            raise CellError(f"{where} takes vectors; {self.placed(node)} is {KINDS[len(dims)]}", self.line)
        return dims

    def linear(self, a: Expr, b: Expr) -> Dims | None:
        left, right = self.up(a), self.up(b)
        if left is None and right is None and self.guessing:
            self.settle(b, (self.sizes.new(),))
            right = self.up(b)
        for side, dims in ((a, left), (b, right)):
            if dims == ():
                message = f"@ takes a matrix and a vector; {self.placed(side)} is a scalar: write *"
                raise CellError(message, self.line)
        if left is not None and right is None:
            self.settle(b, (left[0], self.sizes.new()) if len(left) == 1 else (left[1],))
            right = self.up(b)
        if right is not None and left is None:
            self.settle(a, (self.sizes.new(), right[0]) if len(right) == 1 else (right[0],))
            left = self.up(a)
        if left is None or right is None:
            return None
        what = f"{self.said(a)} @ {self.said(b)}"
        if len(left) == len(right):
            if len(left) == 1:
                remedy = "two vectors; write dot(a, b) for a scalar, * for elementwise"
            else:
                remedy = "two matrices; let the vector come first, as in A @ (B @ v)"
            raise CellError(f"{self.placed(a)} @ {self.placed(b)} joins {remedy}", self.line)
        try:
            self.sizes.unify(left[-1], right[0])
        except Mismatch:
            sizes = f"{self.placed(a)} is {self.written(left)} and {self.placed(b)} is {self.written(right)}"
            raise CellError(f"shapes do not fit in {what}: {sizes}", self.line) from None
        return left[:-1] + right[1:]

    # downwards: what stands in an elementwise place takes the shape of its surroundings

    def down(self, node: Expr, dims: Dims) -> None:
        match node:
            case Name() | Transpose():
                if self.up(node) is None:
                    self.settle(node, dims)
            case MatMul() | Outer() | Reduce() | Stack() | Num() | Size():
                return
            case _:
                for child in children(node):
                    if self.up(child) != ():
                        self.down(child, dims)

    # words

    def said(self, node: Expr) -> str:
        """A short text for an expression; the names that we gave say what they are of."""
        match node:
            case Name(id):
                return self.said(self.ours[id]) if id in self.ours else id
            case Transpose(arg):
                return f"{self.said(arg)}.T"
            case MatMul(a, b):
                return f"{self.said(a)} @ {self.said(b)}"
            case Call(function, _) | Reduce(function, _):
                return f"{function}(...)"
            case Outer():
                return "outer(...)"
            case Stack():
                return "the stack"
        found = ", ".join(dict.fromkeys(map(self.said, map(Name, names(node)))))
        return f"the part with {found}" if found else "a number"

    def placed(self, node: Expr) -> str:
        """The same with the line that its shape comes from, if that is another one."""
        name = self.alias.get(node.id, node.id) if isinstance(node, Name) else ""
        origin = self.origin.get(name, 0)
        return f"{self.said(node)} (line {origin})" if origin not in (0, self.line) else self.said(node)

    def written(self, dims: Dims) -> str:
        shown = self.letters()
        return " x ".join(shown(dim) for dim in dims)

    def lettered(self) -> Mapping[str, Shape]:
        shown = self.letters()
        result = {name: tuple(shown(dim) for dim in dims) for name, dims in self.known.items()}
        return result | {previous: result[state] for previous, state in self.alias.items()}

    def letters(self) -> Callable[[Dim], str]:
        """Sizes by letter: n for the first state, m for the first input, then p, q, k ..."""
        letters: dict[int, str] = {}
        more = chain(LETTERS[1:], (f"d{k}" for k in count(1)))
        first = dict.fromkeys(self.states, "n") | dict.fromkeys(self.inputs, "m")
        vectors = (state for state in self.states if len(self.known.get(state, ())) == 1)
        for name in (*vectors, *self.inputs, *self.states, *self.known):
            for dim in self.known.get(name, ()):
                for unknown in self.sizes.resolve(dim):
                    if unknown not in letters:
                        letter = first.get(name)
                        letters[unknown] = letter if letter and letter not in letters.values() else next(more)
        rank = {letter: k for k, letter in enumerate(letters.values())}
        return lambda dim: "+".join(sorted((letters[u] for u in self.sizes.resolve(dim)), key=rank.__getitem__))
