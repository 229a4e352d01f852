"""Packed quantities taken apart: `i, f, g, o = (x @ W + b).chunk(4, -1)` speaks of four parts of W and of b.

A part of a sum is the sum of the parts, and a part of `W @ x` is a part of W times x: so every part is handed down
until it reaches a parameter, and each part of a parameter becomes a parameter of its own.
"""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from derivations.cell import CellError
from derivations.expression import (
    Call,
    Expr,
    MatMul,
    Name,
    Num,
    Outer,
    Reduce,
    Stack,
    Transpose,
    children,
    rebuild,
    walk,
)
from derivations.source.follow import Follower
from derivations.source.values import Block, Cut, Defined, Extent, Given, name_ids, parts_of

Key = tuple[str, tuple[Cut, ...]]  # a quantity, and the cuts that lead to a part of it
VECTOR, MATRIX = 1, 2


class Blocks:
    """What is followed, without blocks: every part of a parameter is a name of its own.

    Attributes:
        kinds: 1 for vectors, 2 for matrices, of what is given.
        parts: for each key that is read, what called it, for its name.
        settled: the expression of each key that is defined.
    """

    def __init__(self, follower: Follower, vectors: Iterable[str], roots: Iterable[Expr]) -> None:
        self.follower = follower
        self.kinds: dict[str, int] = dict.fromkeys(vectors, VECTOR)
        self.fixed = set(self.kinds)
        self.parts: dict[Key, str] = {}
        self.settled: dict[Key, Expr] = {}
        self.memo: dict[str, int | None] = {}
        self._learn(list(roots))

    # kinds

    def _learn(self, roots: list[Expr]) -> None:
        """Of what is multiplied with a vector by @ the other is a matrix."""
        live: dict[str, Expr] = {}
        waiting = list(roots)
        while waiting:
            for id_ in name_ids(waiting.pop()):
                if id_ in self.follower.defined and id_ not in live:
                    live[id_] = self.follower.defined[id_].expr
                    waiting.append(live[id_])
        products = [
            node for expr in (*roots, *live.values()) for node in walk(expr, parts_of) if isinstance(node, MatMul)
        ]
        for guess in (False, True):
            before = -1
            while len(self.kinds) != before:
                before = len(self.kinds)
                self.memo.clear()
                for product in products:
                    left, right = self.kind(product.left), self.kind(product.right)
                    if left == VECTOR and right is None:
                        self._is(product.right, MATRIX)
                    elif right == VECTOR and left is None:
                        self._is(product.left, MATRIX)
                    elif guess and left is None and right is None:
                        self._is(product.left, MATRIX)
                        self._is(product.right, VECTOR)
        self.memo.clear()

    def _is(self, expr: Expr, kind: int) -> None:
        match expr:
            case Name(id) if id in self.follower.given:
                self.kinds.setdefault(id, kind)
            case Name(id):
                self._is(self.follower.defined[id].expr, kind)
            case Block(arg, _) | Transpose(arg):
                self._is(arg, kind)
            case Stack(parts):
                for part in parts:
                    self._is(part, kind)

    def kind(self, expr: Expr) -> int | None:
        """0 for a number, 1 for a vector, 2 for a matrix, None where that is not known."""
        match expr:
            case Name(id) if id in self.follower.given:
                return self.kinds.get(id)
            case Name(id):
                if id not in self.memo:
                    self.memo[id] = None
                    self.memo[id] = self.kind(self.follower.defined[id].expr)
                return self.memo[id]
            case Num() | Reduce() | Extent():
                return 0
            case Outer():
                return MATRIX
            case Block(arg, _) | Transpose(arg):
                return self.kind(arg)
            case MatMul(a, b):
                sides = self.kind(a), self.kind(b)
                if None in sides:
                    return None if VECTOR not in sides else VECTOR
                return {2: 0, 3: VECTOR, 4: MATRIX}.get(sum(side or 0 for side in sides), 0)
        found = [self.kind(child) for child in children(expr)]
        known = [kind for kind in found if kind]
        return max(known) if known else None if None in found else 0

    # parts

    def of(self, expr: Expr, chain: tuple[Cut, ...] = (), called: str = "") -> Expr:
        """The part of an expression to which the cuts lead, the first cut first."""
        match expr:
            case Block(arg, cut):
                return self.of(arg, (cut, *chain), called)
            case Name(id):
                return self._name(id, chain, called)
            case Extent():
                raise CellError("a length stands in an equation; give it as a number")
            case MatMul(a, b):
                return self._product(a, b, chain, called)
            case Transpose(arg) if self.kind(arg) == VECTOR:
                return self.of(arg, chain, called)
            case Transpose(arg):
                turned = tuple(replace(cut, axis=1 - cut.axis if cut.axis is not None else None) for cut in chain)
                return Transpose(self.of(arg, turned, called))
            case Stack(parts) if chain:
                return self._of_stack(parts, chain, called)
            case Outer(a, b) if chain:
                raise CellError("a part of an outer product is not read; give it a name of its own")
            case Reduce():
                return rebuild(expr, tuple(self.of(child, (), called) for child in children(expr)))
        if chain and isinstance(expr, Call) and expr.function == "_":
            raise CellError("a part of this is not read")
        return rebuild(expr, tuple(self.of(child, self._own(child, chain), called) for child in children(expr)))

    def _own(self, child: Expr, chain: tuple[Cut, ...]) -> tuple[Cut, ...]:
        """The cuts of a vector are those of its terms; a number has no parts."""
        return () if self.kind(child) == 0 else chain

    def _name(self, id: str, chain: tuple[Cut, ...], called: str) -> Expr:
        if id in self.follower.defined:
            one = self.follower.defined[id]
            if not chain and isinstance(one.expr, (Block, Name)):
                return self.of(one.expr, chain, _called(one) or called)
            key = (id, chain)
            if key not in self.settled:
                self.settled[key] = self.of(one.expr, chain, called if chain else _called(one))
            return Name(written(key))
        given = self.follower.given[id]
        if chain and id in self.fixed:
            raise CellError(f"{given.name} is taken apart; give each of its parts a name of its own", *given.at)
        if given.parts:
            raise CellError(f"{given.name} is read whole and in parts; read one of the two", *given.at)
        key = (id, self._canonical(given, chain))
        if not self.parts.get(key):
            self.parts[key] = called
        return Name(written(key))

    def key_of(self, expr: Expr) -> Key | None:
        """The part of a given quantity that an expression is by itself, if it is one."""
        chain: tuple[Cut, ...] = ()
        while True:
            match expr:
                case Block(arg, cut):
                    expr, chain = arg, (cut, *chain)
                case Name(id) if id in self.follower.defined:
                    expr = self.follower.defined[id].expr
                case Name(id) if not self.follower.given[id].parts and id not in self.fixed:
                    return id, self._canonical(self.follower.given[id], chain)
                case _:
                    return None

    def _canonical(self, given: Given, chain: tuple[Cut, ...]) -> tuple[Cut, ...]:
        """One way to write each cut: in units where the length is known, and a cut of a cut as one."""
        cuts: list[Cut] = []
        matrix = self.kinds.get(given.id) == MATRIX
        for cut in chain:
            axis = (1 if cut.axis is None else cut.axis) if matrix or len(given.shape) == 2 else 0
            cut = replace(cut, axis=axis)
            if axis < len(given.shape) and all(before.axis != axis for before in cuts):
                cut = self._in_units(cut, given.shape[axis])
            if cuts and cuts[-1].axis == axis and (joined := _joined(cuts[-1], cut)):
                cuts[-1] = joined
            else:
                cuts.append(cut)
        return tuple(cuts)

    def _in_units(self, cut: Cut, length: Expr) -> Cut:
        try:
            number, unit = self.follower.pieces.length(length)
        except CellError:
            return cut
        if cut.unit == "" and cut.stop is not None:
            cut = replace(cut, start=cut.start * number, stop=cut.stop * number, unit=unit)
        elif cut.unit == unit and cut.stop is None:
            cut = replace(cut, stop=number)
        return cut

    def _product(self, a: Expr, b: Expr, chain: tuple[Cut, ...], called: str) -> Expr:
        left, right = self.kind(a), self.kind(b)
        if left == right == VECTOR:
            if isinstance(a, Transpose) or isinstance(b, Transpose):
                raise CellError(
                    "a vector times a transposed vector is a number or a matrix; write dot(a, b) or outer(a, b)"
                )
            return Reduce("dot", (self.of(a, (), called), self.of(b, (), called)))
        on_left = right == VECTOR
        axis = 0 if on_left else 1
        inner = tuple(replace(cut, axis=axis) for cut in chain)
        one, other = self.of(a, inner if on_left else (), called), self.of(b, () if on_left else inner, called)
        return MatMul(one, other)

    def _of_stack(self, parts: tuple[Expr, ...], chain: tuple[Cut, ...], called: str) -> Expr:
        first, count = chain[0], len(parts)
        if first.unit == "" and first.stop == first.start + Fraction(1, count):
            return self.of(parts[int(first.start * count)], chain[1:], called)
        raise CellError("a part of a concatenation is not read; use what was concatenated")

    def check(self) -> None:
        """No parameter is read both in parts and in other parts that overlap with them.

        Raises:
            CellError: the parts are named.
        """
        by_id: dict[str, list[tuple[Cut, ...]]] = {}
        for id_, chain in self.parts:
            by_id.setdefault(id_, []).append(chain)
        for id_, chains in by_id.items():
            given = self.follower.given[id_]
            for k, one in enumerate(chains):
                for other in chains[k + 1 :]:
                    if not apart(one, other):
                        message = f"{given.name} is read in parts that may overlap; split it once, in one way"
                        raise CellError(message, *given.at)


def apart(one: tuple[Cut, ...], other: tuple[Cut, ...]) -> bool:
    """Whether two parts of one quantity have nothing in common, for certain."""
    for a, b in zip(one, other, strict=False):
        if a == b:
            continue
        same = a.axis == b.axis and (a.unit == b.unit or a.start == 0 or b.start == 0)
        if not same:
            return False
        low, high = (a, b) if a.start < b.start else (b, a)
        if a.start == b.start or low.stop is None:
            return False
        return low.stop <= high.start and low.unit == high.unit
    return False


def _joined(outer: Cut, inner: Cut) -> Cut | None:
    """A cut of a cut, where both are measured alike."""
    if outer.unit == inner.unit and inner.unit != "":
        stop = outer.stop if inner.stop is None else outer.start + inner.stop
        return replace(outer, start=outer.start + inner.start, stop=stop)
    if inner.unit == "" and inner.stop is not None and outer.stop is not None:
        width = outer.stop - outer.start
        return replace(outer, start=outer.start + inner.start * width, stop=outer.start + inner.stop * width)
    return None


def _called(one: Defined) -> str:
    return min(one.names)[1] if one.names else one.spare


def written(key: Key) -> str:
    """A name for a key that no program has."""
    id_, chain = key
    return id_ + "".join(f"|{cut.start}:{cut.stop}:{cut.unit}:{cut.axis}" for cut in chain)
