"""A line of a sheet as it was read, and what is known after it."""

from dataclasses import dataclass, field

from derivations.expression import Expr
from derivations.marking.sheet import Line
from derivations.matrices import Matrix


class Unknown(Exception):
    """A name of theirs that may be anything."""


@dataclass(frozen=True)
class Judged:
    """A line under one reading.

    Attributes:
        right: it is the quantity, as far as numbers say.
        quantity: what it was meant to be, in the names of the derivation; None for no quantity of it.
        part: it is a part of a sum that later lines complete; `of` says of what, and `said` what is added.
        said: what it says, in the names of the derivation; None where a name is unknown.
        why: why nothing can be said.
        guessed: it is right as a quantity that its name does not say.
    """

    line: Line
    right: bool = False
    quantity: Expr | None = None
    part: bool = False
    of: Expr | None = None
    said: Expr | None = None
    value: Matrix[float] | None = None
    why: str = ""
    cost: float = 0.0
    guessed: bool = False


@dataclass
class Progress:
    """What is known once some lines of a sheet have been read.

    Attributes:
        given: what each version of a name stands for.
        included: of a sum that grows, by version: of what, and which of its terms.
        taken: parameters whose gradient a line has given, under which name.
        opened: versions of sums of parameters' gradients that started outside of the sheet.
        order: the gates of what is packed, as the sheet packs them.
        rounds: what a line of a loop was meant to be in the round before, by its place and name.
    """

    given: dict[str, Expr] = field(default_factory=dict)
    included: dict[str, tuple[Expr, frozenset[int]]] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)
    order: tuple[str, ...] = ()
    rounds: dict[tuple[int, int, str], Expr | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Reached:
    """What a line adds to what is known: how it is judged, and what its name stands for from here on.

    Attributes:
        included: of a sum that grows, of what, and which of its terms.
        opened: it adds to a sum that started outside of the sheet.
    """

    judged: Judged
    given: Expr | None = None
    included: tuple[Expr, frozenset[int]] | None = None
    opened: bool = False
