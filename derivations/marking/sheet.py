"""A sheet: the lines of somebody's own derivation, in one form whatever they were written in.

The names stay theirs. `c_t` and `c` are one name; a time mark that says another step stays in the name, as in
`c[t-1]`. A name that a line has assigned is read by later lines as a *version* of it, `df#2`, so that a name that
is assigned again is another quantity. What is read by a library, a function of the file or a slice is
already an expression here.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from derivations.cell import CellError
from derivations.expression import Add, Expr, Name, names
from derivations.marking.world import NOW
from derivations.matrices import Matrix, MatrixArithmetic, ShapeError

LONGEST_SHEET = 200_000
MOST_LINES = 2_000
UNKNOWN_SLOPES = {"dsigmoid": "sigmoid", "dtanh": "tanh"}  # slopes as people call them: of x, or of the value at x


@dataclass(frozen=True)
class Line:
    """`target = rhs`, as it stands at `number` and `column`, or why it cannot be read.

    Attributes:
        target: their name for it, in normal form.
        version: under which later lines read it; unique in the sheet.
        rhs: in names that are free or versions of earlier lines; None where the line is unreadable.
        before: where the line adds to what the name was, the version of that; `increment` is what it adds.
        step: the step at which it holds.
        loop: in a loop over time, how often the line has run before; None outside of one.
        header: the line of that loop's `for`; 0 outside of one.
        flaw: what is wrong with it whatever its names mean; empty for nothing.
        lacks: what a sum over time leaves out, whatever its names mean; empty for nothing.
        share: its words say that it is the share of one step: its number, 0 for step t; None where they do not.
        defines: it says what its name stands for: where it is not right, it is no claim.
    """

    number: int
    column: int
    text: str
    target: str = ""
    version: str = ""
    rhs: Expr | None = None
    why: str = ""
    before: str = ""
    increment: Expr | None = None
    step: int = NOW
    loop: int | None = None
    header: int = 0
    flaw: str = ""
    defines: bool = False
    share: int | None = None
    lacks: str = ""

    @cached_property
    def uses(self) -> tuple[str, ...]:
        return names(self.rhs) if self.rhs is not None else ()


@dataclass(frozen=True)
class Sheet:
    """The lines in their order.

    Attributes:
        notation: "text", "python" or "latex".
        names: what the file itself says that its names mean: theirs -> ours.
        shown: how a name is written in the file, where that is not its normal form.
        strict: whether shapes follow NumPy's rules, where `*` is never a matrix product.
        zero: the names that start as zeros.
        series: the arrays over time that come from outside.
        all_steps: whether the text speaks of derivatives over all steps, not within one.
        truncated: whether the text says that errors are cut on purpose.
        slopes: functions of the file that are meant to be slopes and are none: the line, of what, and what is due.
        steps: how many steps were walked, where the sheet is a program over time; 0 where it speaks of step t.
        numbered: whether its steps are written as numbers, all of them.
        components: whether it speaks of the components of vectors, by their indices.
        later: whether its words speak of what comes back from the step after.
        at_arguments: how names begin that its words say to be errors at the preactivations: `delta` in `delta_f`.
        every_loss: whether its words say that the loss is of every step.
        in_total: whether its words say that derivatives are through all that depends on what they are by.
        error_letters: how names begin that its words say to be errors of what follows: `g` in `gaz`.
        packed: the letters of the gates, in the order in which its forward pass or a comment packs them.
    """

    notation: str
    lines: tuple[Line, ...]
    names: Mapping[str, Expr] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    steps: int = 0
    zero: frozenset[str] = frozenset()
    series: frozenset[str] = frozenset()
    truncated: bool = False
    all_steps: bool = False
    numbered: bool = False
    components: bool = False
    slopes: tuple[tuple[Line, str, Expr], ...] = ()
    later: bool = False
    at_arguments: frozenset[str] = frozenset()
    every_loss: bool = False
    in_total: bool = False
    error_letters: frozenset[str] = frozenset()
    packed: tuple[str, ...] = ()

    @cached_property
    def place(self) -> dict[str, int]:
        """Where each version is assigned, as an index of `lines`."""
        return {line.version: k for k, line in enumerate(self.lines) if line.version}

    @cached_property
    def assigned(self) -> frozenset[str]:
        """The names that lines assign, without their steps."""
        return frozenset(line.target.partition("[")[0] for line in self.lines if line.version)

    @cached_property
    def users(self) -> dict[str, list[int]]:
        """The lines that read each version."""
        found: dict[str, list[int]] = {}
        for k, line in enumerate(self.lines):
            for name in line.uses:
                if not free(name):
                    found.setdefault(name, []).append(k)
        return found

    @cached_property
    def again(self) -> dict[tuple[str, int], str]:
        """The last version of each name that is assigned more than once at a step."""
        count = Counter((line.target, line.step) for line in self.lines)
        last = {(line.target, line.step): line.version for line in self.lines}
        return {key: version for key, version in last.items() if count[key] > 1}

    @cached_property
    def added_to(self) -> frozenset[str]:
        """The versions that a later line adds to."""
        return frozenset(line.before for line in self.lines if line.increment is not None)

    @cached_property
    def immediate(self) -> bool:
        """Whether it has a sign of its own for immediate partials, so that the others are through all steps."""
        spoken = {name for line in self.lines for name in (line.target, *line.uses)}
        return any(name.startswith("d+") for name in spoken)

    @cached_property
    def stepwise(self) -> bool:
        """Whether it has a name for the loss of one step, L_t, beside one for that of all."""
        spoken = {name for line in self.lines for name in (line.target, *line.uses)}
        found = [match["step"] for name in spoken if (match := _OF_LOSS.match(name))]
        others = any(ERROR_OF_STATE.match(name) and "/" not in name for name in spoken)
        return any(found) and (others or not all(found))

    @cached_property
    def next_is_new(self) -> bool:
        """Whether the states of this step are called the next ones: nothing stands between `c_prev` and `c_next`."""
        spoken = {name for line in self.lines for name in (line.target, *line.uses) if free(name)}
        after = {name for name in spoken if re.search(r"^d?_?next_|_next$|^(?!d)\w+next$", name)}
        after = {name for name in after if not name.startswith("d")} or after
        spoken = {name for name in spoken if name.startswith("d") == next(iter(after), "d").startswith("d")}
        bare = {re.sub(r"^d_?(?=next)|^next_|_next$|next$", "", name).replace("next_", "") for name in after}
        plain = bare & {re.sub(r"t$", "", name) for name in spoken} | bare & spoken
        values = {name for name in after if not name.startswith("d")}
        prefixed = any(re.match(r"d_?next_", name) for name in after)
        return bool(after) and not plain and (bool(values) or prefixed)


ERROR_OF_STATE = re.compile(
    r"(?:d|delta|eps\w*|varepsilon|err|e)_?[hc]"
)  # the error of a state without the loss's name
_OF_LOSS = re.compile(r"d_?(?:L|E|J|ell|l|[Ll]oss)(?P<step>(?:\[[^\]]+\]|_?\d)?)/")


class Versions:
    """Which version of each name is read at a point of the sheet."""

    def __init__(self) -> None:
        self.current: dict[str, str] = {}
        self.count = 0

    def read(self, name: str) -> Name:
        return Name(self.current.get(name, name))

    def write(self, name: str) -> str:
        self.count += 1
        self.current[name] = f"{name}#{self.count}"
        return self.current[name]


def free(name: str) -> bool:
    """Whether no line has assigned a name before it is read."""
    return "#" not in name


def split_increment(rhs: Expr, before: str) -> Expr | None:
    """What is added, in `x = x + ...` and `x = ... + x`; None where the line does not add to what was there."""
    if isinstance(rhs, Add) and rhs.terms.count(Name(before)) == 1:
        rest = tuple(term for term in rhs.terms if term != Name(before))
        if not any(before in names(term) for term in rest):
            return rest[0] if len(rest) == 1 else Add(rest)
    return None


_CURRENT = re.compile(r"(?:[_^](?:t|\{\(?t\)?\})|[_^]?\(t\)|\[t\])$")
_AROUND = re.compile(
    r"(?:_t([+-])(\d)|[_^]?\{\(?t\s*([+-])\s*(\d)\)?\}|[_^]?\(t\s*([+-])\s*(\d)\)|\[t\s*([+-])\s*(\d)\])$"
)
_AT_NUMBER = re.compile(r"[_^]?(?:\{\s*|\(\s*|\[\s*)(\d|T(?:\s*-\s*\d)?)\s*[\])}]$")  # h_{1}, h(1), h[T-1]


def normal(name: str) -> str:
    """A name in normal form: `c_{t-1}`, `c(t-1)` and `c[t-1]` are one, `c_t` is `c`."""
    if match := _AROUND.search(name):
        sign, by = next((s, b) for s, b in zip(match.groups()[0::2], match.groups()[1::2], strict=True) if s)
        return f"{name[: match.start()]}[t{sign}{by}]" if by != "0" else name[: match.start()]
    if match := _AT_NUMBER.search(name):
        return f"{name[: match.start()]}[{match[1].replace(' ', '')}]"
    return _CURRENT.sub("", name) or name


def checked(text: str) -> str:
    """The text of a sheet, within limits.

    Raises:
        CellError: it is too long, or has too many lines.
    """
    if len(text.encode("utf-8", "replace")) > LONGEST_SHEET:
        raise CellError(f"the sheet is longer than {LONGEST_SHEET // 1000} kB")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") > MOST_LINES:
        raise CellError(f"the sheet has more than {MOST_LINES} lines")
    return text


# --- values: as people write products, and as NumPy reads them -------------------------------------------------


class Written(MatrixArithmetic[Any]):
    """The arithmetic of a sheet on that of another.

    A vector may stand as a column or as a row. On paper, a product of a matrix and a vector is the matrix product
    whatever sign stands between them, and that of two columns is elementwise. NumPy (`strict`) multiplies
    elementwise and stretches rows and columns.
    """

    def __init__(self, base: MatrixArithmetic[Any], strict: bool) -> None:
        self.base, self.strict = base, strict

    def scalar(self, value: Fraction) -> Any:
        return self.base.scalar(value)

    def apply(self, function: str, args: tuple[Any, ...]) -> Any:
        return self.base.apply(function, args)

    def logsumexp(self, a: Matrix[Any]) -> Matrix[Any]:
        return self.base.logsumexp(a)

    def shape(self, a: Matrix[Any]) -> tuple[int, int]:
        return len(a), len(a[0]) if a else 0

    def rows(self, a: Matrix[Any], start: int, stop: int) -> Matrix[Any]:
        if not a[start:stop]:
            raise ShapeError("a part of nothing")
        return a[start:stop]

    def stack(self, parts: list[Matrix[Any]]) -> Matrix[Any]:
        if len(parts) > 1 and all(len(part) == 1 for part in parts) and any(len(part[0]) > 1 for part in parts):
            return [[entry for part in parts for entry in part[0]]]  # vectors that lie are joined to one that lies
        if len({len(part[0]) for part in parts}) > 1:
            if len({len(part) for part in parts}) == 1:  # matrices beside one another
                return [[entry for part in parts for entry in part[row]] for row in range(len(parts[0]))]
            raise ShapeError("parts of different widths in one stack")
        return self.base.stack(parts)

    def divide(self, a: Matrix[Any], b: Matrix[Any]) -> Matrix[Any]:
        a, b = self._stretched(a, b)
        return self.base.divide(a, b)

    def add(self, terms: list[Matrix[Any]]) -> Matrix[Any]:
        result = terms[0]
        for term in terms[1:]:
            result, term = self._stretched(result, term, turning=True)
            result = self.base.add([result, term])
        return result

    def multiply(self, factors: list[Matrix[Any]]) -> Matrix[Any]:
        result = factors[0]
        for factor in factors[1:]:
            result = self._times(result, factor)
        return result

    def diagonal(self, a: Matrix[Any]) -> Matrix[Any]:
        if len(a[0]) > 1 and len(a) > 1:
            raise ShapeError("diag of a matrix")
        return self.base.diagonal(a if len(a[0]) == 1 else self.base.transpose(a))

    def _times(self, a: Matrix[Any], b: Matrix[Any]) -> Matrix[Any]:
        (p, q), (r, s) = self.shape(a), self.shape(b)
        if (p, q) == (r, s) or (p, q) == (1, 1) or (r, s) == (1, 1):
            return self.base.multiply([a, b])
        if not self.strict and q == r and q > 1:
            return self.base.matmul(a, b)
        a, b = self._stretched(a, b)
        return self.base.multiply([a, b])

    def matmul(self, a: Matrix[Any], b: Matrix[Any]) -> Matrix[Any]:
        (p, q), (r, s) = self.shape(a), self.shape(b)
        if (p, q) == (1, 1) or (r, s) == (1, 1):
            return self.base.multiply([a, b])
        if q == s == 1 and p == r:  # two vectors
            return self.base.matmul(self.base.transpose(a), b) if self.strict else self.base.multiply([a, b])
        if q == r:
            return self.base.matmul(a, b)
        if q == 1 and p == r:  # a vector from the left, `v @ W`, is a row
            return self.base.transpose(self.base.matmul(self.base.transpose(a), b))
        if p == r == 1 and q == s and not self.strict:
            return self.base.multiply([a, b])
        raise ShapeError(f"{p} x {q} @ {r} x {s}")

    def _stretched(self, a: Matrix[Any], b: Matrix[Any], turning: bool = False) -> tuple[Matrix[Any], Matrix[Any]]:
        """Both in one shape, as NumPy stretches a row, a column or a number."""
        (p, q), (r, s) = self.shape(a), self.shape(b)
        if (p, q) == (r, s) or (p, q) == (1, 1) or (r, s) == (1, 1):
            return a, b
        if turning and (p, q) == (s, r) and 1 in (p, q):  # a row beside a column: one vector, written two ways
            return a, self.base.transpose(b)
        rows, columns = max(p, r), max(q, s)
        if p not in (1, rows) or r not in (1, rows) or q not in (1, columns) or s not in (1, columns):
            raise ShapeError(f"{p} x {q} beside {r} x {s}")
        if not self.strict and turning:
            raise ShapeError(f"{p} x {q} beside {r} x {s}")
        return self._grown(a, rows, columns), self._grown(b, rows, columns)

    @staticmethod
    def _grown(a: Matrix[Any], rows: int, columns: int) -> Matrix[Any]:
        lines = a if len(a) == rows else a * rows
        return lines if len(a[0]) == columns else [line * columns for line in lines]
