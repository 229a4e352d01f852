r"""The mean and the deviation that a sheet takes for granted: `\hat l = (l - \mu)/s`, with words for what they are.

Where nothing says what `\mu` is but that it is a mean, it is that of what it is taken from; what divides the difference
is then the standard deviation.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from derivations.expression import Add, Call, Div, Expr, Name, Neg, Pow, Reduce, rewrite, walk
from derivations.marking.sheet import Line, free

_MEAN = re.compile(r"^(?:mu|m|mean|bar)(?:_[a-z]+)?$|_bar$")
_SPREAD = re.compile(r"^(?:s|sigma|std|sd|tau)(?:_[a-z]+)?$")
_VARIANCE = re.compile(r"^(?:v|var|sigma2|nu)(?:_[a-z]+)?$")


def with_moments(lines: Iterable[Line], text: str) -> list[Line]:
    """The lines with means and deviations in the place of names that only words say to be so.

    Args:
        text: the sheet, which must speak of a mean.
    """
    found = list(lines)
    if not re.search(r"\bmeans?\b|\baverage\b", text):
        return found
    meant = dict(_meant(found, bool(re.search(r"\bvarianc|\bdeviation|\bstd\b", text))))
    return [_with(line, meant) for line in found] if meant else found


def _meant(lines: list[Line], spread: bool) -> Iterable[tuple[str, Expr]]:
    given = {line.target for line in lines}
    for line in lines:
        for node in walk(line.rhs) if line.rhs is not None else ():
            match node:
                case Div(Add((of, Neg(Name(mean)))), below) if _is(mean, _MEAN, given):
                    average: Expr = Reduce("mean", (of,))
                    variance: Expr = Reduce("mean", (Pow(Add((of, Neg(average))), 2),))
                    yield mean, average
                    if spread and isinstance(below, Name) and _is(below.id, _SPREAD, given):
                        yield below.id, Call("sqrt", (Add((variance, Name("epsilon"))),))
                    for name in {
                        n.id for one in lines if one.rhs is not None for n in walk(one.rhs) if isinstance(n, Name)
                    }:
                        if spread and _is(name, _VARIANCE, given):
                            yield name, variance
                    return


def _is(name: str, kind: re.Pattern[str], given: set[str]) -> bool:
    return free(name) and bool(kind.search(name)) and name not in given


def _with(line: Line, meant: Mapping[str, Expr]) -> Line:
    if line.rhs is None or not any(isinstance(n, Name) and n.id in meant for n in walk(line.rhs)):
        return line
    return replace(line, rhs=rewrite(line.rhs, lambda node: meant.get(node.id) if isinstance(node, Name) else None))
