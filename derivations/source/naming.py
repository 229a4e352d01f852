"""Names of Python as names of the cell language: one for one, and as they are wherever that is allowed."""

import re
import unicodedata
from collections.abc import Collection

from derivations.expression import (
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
    walk,
)
from derivations.names import LONGEST, fault


class Names:
    """The names that a cell has so far."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self.timeless: set[str] = set()  # inputs and states: with a number behind they would be read at a step
        self.reserved: set[str] = set()  # what `build` will call preactivations and arguments

    def reserve(self, target: str, expr: Expr) -> None:
        """Keep free the names that the compound arguments in an equation will get: a_f, u_f, a_f2."""
        counts = {"a": 0, "u": 0}
        for node in walk(expr):
            letter = "a" if isinstance(node, Call) else "u"
            if isinstance(node, (Call, MatMul, Reduce, Outer, Stack, Detach)):
                plain = [child.arg if isinstance(child, Transpose) else child for child in children(node)]
                counts[letter] += sum(not isinstance(child, (Name, Num)) for child in plain) + (letter == "u")
        for letter, count in counts.items():
            self.reserved |= {f"{letter}_{target}{k if k > 1 else ''}" for k in range(1, count + 1)}

    def unique(self, name: str) -> str:
        """A name that nothing else has, and that does not print like another."""
        stem, number = name, 1
        while name in self.taken or self._misread(name):
            number += 1
            name = f"{stem[: LONGEST - 4]}_v" if number == 2 else f"{stem[: LONGEST - 4]}_v{number - 1}"
        self.taken.add(name)
        return name

    def _misread(self, name: str) -> bool:
        """Whether a name reads as an adjoint, as another step, or as one that we give."""
        head, _, tail = name.rpartition("_")
        return bool(
            fault(name)
            or (name[0] == "d" and name[1:] in self.taken | self.reserved)
            or f"d{name}" in self.taken
            or tail == "prev"
            or (tail in ("next", "out") and (head[:1] == "d" or head in self.timeless))
            or (tail.isdigit() and head in self.timeless)
            or name in self.reserved
        )


def timeless(name: str, taken: Collection[str]) -> str:
    """`f_t` is f at step t: names carry their step by themselves."""
    short = name.removesuffix("_t") if name.endswith("_t") else name[0] if re.fullmatch(r"[a-z]t", name) else name
    return short if short and short not in taken and fault(short) is None else name


def legal(name: str) -> str:
    """A name of the cell language near to one of Python's."""
    letters = []
    for letter in name:
        if letter.isascii():
            letters.append(letter)
        else:
            said = unicodedata.name(letter, "letter").lower().split()
            letters.append(said[-1] if said[-1].isalpha() else "letter")
    clean = re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9]", "_", "".join(letters))).strip("_")[: LONGEST - 4].strip("_")
    if not clean or not clean[0].isalpha():
        clean = f"v_{clean}" if clean else "v"
    return f"{clean}_v" if fault(clean) else clean


def printable(text: str) -> str:
    """A text of the user's in ASCII, short enough to be shown."""
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text)[:200]
