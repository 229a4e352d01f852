"""Whether two lists of scalars are equal, decided exactly where that is within limits."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from itertools import product as combinations
from typing import Any

from derivations.algebra import Algebra, Spelled, TooLarge, indeterminate, limited
from derivations.matrices import Matrix, MatrixArithmetic, ShapeError
from derivations.residues import PRIME, Residues

POINTS = 8


class Status(Enum):
    PROVED = "proved"
    REFUTED = "refuted"
    AGREES = f"agrees at {POINTS} points, not proved"


@dataclass(frozen=True)
class Proof:
    """What came of a proof; `where` says which entry differs when it is refuted."""

    status: Status
    where: str = ""

    def __bool__(self) -> bool:
        return self.status is Status.PROVED


Entry = tuple[str, Any, Any]  # what it is, and the two scalars that should be equal
Claim = Callable[[MatrixArithmetic[Any], Callable[[str], Any]], Iterator[Entry]]


def weakest(proofs: Iterable[Proof]) -> Proof:
    """Of several proofs the first that is refuted, or the first that is not proved."""
    kept = Proof(Status.PROVED)
    for proof in proofs:
        if proof.status is Status.REFUTED:
            return proof
        kept = kept if proof else proof
    return kept


def decided(claim: Claim) -> Proof:
    """Proved exactly, refuted by numbers, or found to agree at some points.

    What differs while functions are only names may still be equal (tanh(a) is 2 sigmoid(2 a) - 1, abs(a)**2 is a**2):
    only numbers that differ refute it. What has no value (a missing name, shapes that do not fit, a zero divisor) is
    refuted.
    """
    try:
        if _exactly(claim, Algebra()):
            return Proof(Status.PROVED)
        if different := _by_numbers(claim):
            return Proof(Status.REFUTED, different)
        return Proof(Status.PROVED if _exactly(claim, Spelled()) else Status.AGREES)
    except KeyError as error:
        return Proof(Status.REFUTED, f"{error.args[0]} has no value")
    except (ShapeError, ZeroDivisionError) as error:
        return Proof(Status.REFUTED, str(error))


def _exactly(claim: Claim, algebra: Algebra) -> bool:
    """Whether every entry is shown equal; not if it outgrows the limits."""
    try:
        with limited():
            return all(algebra.equal(a, b) for _, a, b in claim(algebra, indeterminate))
    except TooLarge:
        return False


def _by_numbers(claim: Claim) -> str | None:
    """The first entry that differs at a random point; where a point has no value, the next one is taken."""
    from derivations.precise import Precise, differ

    for seed in range(POINTS):
        try:
            for what, a, b in claim(Precise(), partial(drawn, seed=seed)):
                if differ(a, b):
                    return what
        except ZeroDivisionError:
            continue
    return None


def drawn(name: str, seed: int) -> Any:
    """A number for a name, by the seed and the name alone: between 1/4 and 7/4, all positive at even seeds."""
    from derivations.precise import CONTEXT

    point = Residues(seed)
    size = CONTEXT.mpf(point.drawn(name).value) / PRIME * 1.5 + 0.25
    return -size if seed % 2 and point.drawn(f"sign of {name}").value % 2 else size


def same(name: str, a: Matrix[Any], b: Matrix[Any]) -> Iterator[Entry]:
    """The claim that two matrices are equal, entry by entry.

    Raises:
        ShapeError: their shapes differ.
    """
    if len(a) != len(b) or len(a[0]) != len(b[0]):
        raise ShapeError(f"{name}: shapes {len(a)}x{len(a[0])} and {len(b)}x{len(b[0])}")
    for i, j in combinations(range(len(a)), range(len(a[0]))):
        yield f"{name}[{i},{j}]", a[i][j], b[i][j]
