"""How one term differs from another: which factors it lacks, which are too much, and what stands for what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from derivations.cell import Cell, prev
from derivations.expression import Add, Adjoint, Call, Expr, Mul, Name, Neg, Num, Pow, Shift, names, substitute, walk
from derivations.marking.attempt import Attempt
from derivations.marking.course import close
from derivations.marking.products import Product
from derivations.matrices import Matrix


@dataclass(frozen=True)
class Gap:
    """What makes a term another one.

    Attributes:
        number: by what it must be divided.
        lost: the factors that it lacks.
        extra: those that are too much, and whether another of the kind is due.
        instead: what stands in the place of what.
        shared: how many factors are right.
    """

    number: Fraction
    lost: tuple[Expr, ...] = ()
    extra: tuple[tuple[Expr, bool], ...] = ()
    instead: tuple[tuple[Expr, Expr], ...] = ()
    shared: int = 0

    @property
    def count(self) -> int:
        return len(list(self.faults()))

    def faults(self) -> Iterator[tuple[str, tuple[Expr, ...]]]:
        """Each difference once: its kind, and what it is about."""
        if self.number < 0:
            yield "sign", ()
        if abs(self.number) != 1:
            yield "number", (Num(abs(self.number)),)
        left = list(self.lost)
        for factor in self.lost:
            other = complement(factor)
            if factor in left and other is not None and other in left and isinstance(other, Name):
                left.remove(factor)
                left.remove(other)
                yield "slope", (other,)
        for factor in left:
            yield "lost", (factor,)
        for factor, again in self.extra:
            yield "squared" if again else "extra", (factor,)
        for said, due in dict.fromkeys(map(_bare, self.instead)):
            yield "instead", (said, due)


def gap(attempt: Attempt, said: Product, due: Product) -> Gap:
    """What makes a term that was said the one that is due."""
    number = said.number / due.number
    lost, extra = list(due.factors), []
    for factor in said.factors:
        found = next(((k, sign) for k, other in enumerate(lost) if (sign := _same(attempt, factor, other))), None)
        if found is None:
            extra.append(factor)
        else:
            number *= found[1]
            del lost[found[0]]
    number *= _joint(attempt, extra, lost) * _joint(attempt, lost, extra)
    shared = len(due.factors) - len(lost)
    instead = [*_slopes(extra, lost), *_paired(attempt, extra, lost)]
    again = [(factor, any(_same(attempt, factor, other) for other in due.factors)) for factor in extra]
    return Gap(number, tuple(lost), tuple(again), tuple(instead), shared)


def _same(attempt: Attempt, a: Expr, b: Expr) -> int:
    """1 where two factors are one, standing or lying; -1 where one is the other with the sign flipped; else 0."""
    if a == b:
        return 1
    if isinstance(a, Name) and isinstance(b, Name):
        return 0
    return _alike(_value(attempt, a), _value(attempt, b))


def _alike(x: Matrix[float] | None, y: Matrix[float] | None) -> int:
    if x is None or y is None:
        return 0
    for turned in (x, [list(column) for column in zip(*x, strict=True)]):
        if close(turned, y):
            return 1
        if close([[-entry for entry in row] for row in turned], y):
            return -1
    return 0


def _value(attempt: Attempt, factor: Expr) -> Matrix[float] | None:
    known = attempt.course.found.setdefault(("factors", attempt.view, attempt.step), {})
    if factor not in known:
        known[factor] = attempt.theirs(factor)
    found: Matrix[float] | None = known[factor]
    return found


def _joint(attempt: Attempt, ones: list[Expr], others: list[Expr]) -> int:
    """A factor that is the product of two others, as f - f**2 is f*(1 - f), is taken out with them."""
    sign = 1
    for one in [o for o in ones if isinstance(o, Add)]:
        for a in others:
            b = next((b for b in others if b is not a and (found := _alike_product(attempt, one, a, b))), None)
            if b is not None:
                sign *= found
                ones.remove(one)
                others.remove(a)
                others.remove(b)
                break
    return sign


def _alike_product(attempt: Attempt, one: Expr, a: Expr, b: Expr) -> int:
    x, y = _value(attempt, a), _value(attempt, b)
    if x is None or y is None or (len(x), len(x[0])) != (len(y), len(y[0])):
        return 0
    both = [[p * q for p, q in zip(row, other, strict=True)] for row, other in zip(x, y, strict=True)]
    return _alike(_value(attempt, one), both)


# --- what stands in the place of what ---------------------------------------------------------------------------


def complement(factor: Expr) -> Expr | None:
    """1 - f of f, and f of 1 - f."""
    match factor:
        case Add((Num(one), Neg(inner))) if one == 1:
            return inner
        case Name() | Shift(Name(), _) | Call():
            return 1 - factor
    return None


def _slopes(extra: list[Expr], lost: list[Expr]) -> Iterator[tuple[Expr, Expr]]:
    """Slopes of another function, and squares in the wrong place; what is used up is taken out."""
    for factor in list(lost):
        match factor:
            case Add((Num(one), Neg(Pow(g, 2)))) if one == 1:  # 1 - g**2
                for a, b in ((1 - g, 1 - g), (g, 1 - g), (g, g), (g, 1 - g**2)):
                    if _take((a, b), extra):
                        lost.remove(factor)
                        yield Pow(a, 2) if a == b else Mul((a, b)), factor
                        break
            case Add((Num(one), Neg(Name() as s))) if one == 1 and s in lost:  # s*(1 - s)
                slopes: tuple[tuple[Expr, ...], ...] = ((1 - s**2,), (1 - s**2, s), (1 - s, 1 - s))
                for wrong in slopes:
                    if _take(wrong, extra):
                        lost.remove(factor)
                        lost.remove(s)
                        yield (wrong[0] if len(wrong) == 1 else Mul(wrong)), Mul((s, factor))
                        break


def _take(some: Sequence[Expr], out: list[Expr]) -> bool:
    left = list(out)
    for one in some:
        if one not in left:
            return False
        left.remove(one)
    out[:] = left
    return True


def _paired(attempt: Attempt, extra: list[Expr], lost: list[Expr]) -> Iterator[tuple[Expr, Expr]]:
    """What was probably written for what; what is used up is taken out."""
    cell = attempt.course.cell
    scores = [(_likely(a, b, cell), -i, -j) for i, a in enumerate(extra) for j, b in enumerate(lost)]
    used_a: set[int] = set()
    used_b: set[int] = set()
    for score, i, j in sorted(scores, reverse=True):
        if score > 0 and i not in used_a and j not in used_b:
            used_a.add(i)
            used_b.add(j)
            yield extra[-i], lost[-j]
    extra[:] = [a for i, a in enumerate(extra) if -i not in used_a]
    lost[:] = [b for j, b in enumerate(lost) if -j not in used_b]


def _likely(a: Expr, b: Expr, cell: Cell) -> float:
    """How likely one factor was written for another; 0 for not at all."""
    bare_a, bare_b = (x.arg if isinstance(x, Shift) else x for x in (a, b))
    if bare_a == bare_b or complement(a) == b:
        return 4
    if isinstance(bare_a, Adjoint) and isinstance(bare_b, Adjoint):
        return 3
    if isinstance(bare_a, Adjoint) or isinstance(bare_b, Adjoint):
        return 0
    if isinstance(bare_a, Name) and isinstance(bare_b, Name):
        if prev(bare_a.id) == bare_b.id or prev(bare_b.id) == bare_a.id:
            return 4
        shapes = [len(cell.shapes.get(x.id, ())) for x in (bare_a, bare_b)]
        return 2 + (bare_a.id in cell.parameters) * (bare_b.id in cell.parameters) if shapes[0] == shapes[1] else 0
    if set(names(a)) & set(names(b)):
        return 3.5
    wide = [any(isinstance(n, Name) and len(cell.shapes.get(n.id, ())) > 1 for n in walk(x)) for x in (a, b)]
    return 1 if wide[0] == wide[1] else 0


def _bare(pair: tuple[Expr, Expr]) -> tuple[Expr, Expr]:
    """1 - s for 1 - f is s for f, as it is where they stand alone."""
    said, due = pair
    ours, theirs = list(names(due)), list(names(said))
    if len(ours) == len(theirs) == 1 and ours != theirs and not isinstance(due, Name):
        a, b = Name(theirs[0]), Name(ours[0])
        if substitute(said, {a: b}) == due:
            return a, b
    return pair
