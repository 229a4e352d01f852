"""Is a computed derivative right? The verdict, in units of the rounding error that a right program may make.

For a computed g^ and the true g, E = |g^ - g| / (u*S + eta*N), with S and N from `rounding.py`:

    FAIL              E > 1, or not finite: more is wrong than rounding
    PASS              E <= 1, and u*S + eta*N < |g|/16: the number is right, and rounding could not have hidden it
    NO INFORMATION    E <= 1, but rounding may be as large as g: the point says nothing, draw another

Where g is proved to be zero, E <= 1 is a PASS: "zero, proved". Where a right program may overflow or divide by
zero, rounding has no bound, and what came is no evidence either way, not even if it is not a number. An array fails
if one entry fails, and passes once every entry has passed at some point.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from math import floor, inf, isnan, log10, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backends.balls import balls, largest, smallest
from backends.dtypes import error_of
from backends.points import Point
from backends.truth import Known, Truth, truth
from derivations.functions import FUNCTIONS
from derivations.program import Backward

CLEAR = 16  # by how much a number must exceed what rounding may do to it, to say anything

Compute = Callable[[Point], Mapping[str, Any]]


class Verdict(Enum):
    PASS = "PASS"
    FAIL = "FAIL"
    NO_INFORMATION = "NO INFORMATION"


@dataclass(frozen=True, slots=True)
class Check:
    """One quantity of one backend, judged.

    Attributes:
        quantity: a parameter, `h_0`, `x_1`, ..., or any name that the caller gave.
        point: the name of the point, or how many there were.
        error: the largest E of its entries; infinite for what is not finite, absent or of a wrong shape, and NaN
            where rounding has no bound at all.
        note: what the verdict alone does not say.
        digits: to how many digits its entries agree with the truth, as far as the format has any; None if no entry
            says anything.
        passed: which entries have passed.
    """

    quantity: str
    backend: str
    dtype: str
    point: str
    error: float
    verdict: Verdict
    note: str = ""
    digits: int | None = None
    passed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_), repr=False, compare=False)

    def __str__(self) -> str:
        where = f"{self.quantity} on {self.backend} in {self.dtype}, {self.point}"
        note = f" ({self.note})" if self.note else ""
        return f"{where}: {self.verdict.value}, E = {self.error:.3g}{note}"


# --- one quantity at one point --------------------------------------------------------------------


def judge(quantity: str, got: Any, known: Known, backend: str, point: str = "", proved_zero: bool = False) -> Check:
    """The verdict on one quantity at one point.

    Args:
        got: what the backend computed, an array of the quantity's own shape.
        known: what is true of it; its format is the dtype that the backend computes in.
        proved_zero: the derivation proves that the quantity is zero, whatever the numbers.
    """
    dtype, due = known.format.name, known.relative.shape
    array = np.asarray(got)
    if note := _unlike(got, array, due):
        return Check(quantity, backend, dtype, point, inf, Verdict.FAIL, note)
    error = errors(array, known)
    zero = known.zero | proved_zero
    clear = known.bound * CLEAR < smallest(known.value)
    passed = (error <= 1) & (clear | zero)
    failed = error > 1
    verdict = Verdict.FAIL if failed.any() else Verdict.PASS if passed.all() else Verdict.NO_INFORMATION
    bounded = error[~np.isnan(error)]
    return Check(
        quantity=quantity,
        backend=backend,
        dtype=dtype,
        point=point,
        error=float(bounded.max()) if bounded.size else nan,
        verdict=verdict,
        note=_note(array, passed, zero, verdict),
        digits=_agreement(array, known, clear | failed),
        passed=passed,
    )


def _unlike(got: Any, array: NDArray[Any], due: tuple[int, ...]) -> str:
    """Why something is no array of real numbers of a shape: to make it one would drop what is wrong with it."""
    if array.shape != due:
        return f"its shape is {array.shape}, where {due} is due"
    if array.dtype.kind in "cUSO":
        return f"it holds {array.dtype.name}, where real numbers are due"
    return "some of its entries are masked" if np.ma.is_masked(got) else ""


def errors(got: NDArray[Any], known: Known) -> NDArray[np.float64]:
    """E of every entry: infinite for what is not finite, not a number where rounding has no bound."""
    numbers = np.asarray(got, dtype=np.float64)
    finite, bound = np.isfinite(numbers), known.bound
    off = _distance(np.where(finite, numbers, 0.0), known)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        error = np.where(off > 0, off / bound, 0.0)  # off by anything where nothing is rounded: infinite
    error = np.where(finite, error, inf)
    return np.where(np.isfinite(bound), error, nan)


def _distance(numbers: NDArray[np.float64], known: Known) -> NDArray[np.float64]:
    """|g^ - g|. The ball around g is far smaller than the bound: its radius plays no part."""
    return np.maximum(smallest(balls(numbers) - known.value), 0.0)


def _agreement(got: NDArray[Any], known: Known, said: NDArray[np.bool_]) -> int | None:
    """Decimal digits to which the entries that say anything agree with the truth."""
    most = floor(known.format.digits * log10(2))
    numbers = np.asarray(got, dtype=np.float64)
    said = said & ~known.zero
    if not said.any():
        return None
    if not np.isfinite(numbers[said]).all():
        return 0
    with np.errstate(divide="ignore", over="ignore"):  # a truth below every float: infinitely far apart
        apart = float((_distance(numbers, known)[said] / largest(known.value)[said]).max())
    return most if apart == 0 else max(0, min(most, floor(-log10(apart))))


def _note(got: NDArray[Any], passed: NDArray[np.bool_], zero: NDArray[np.bool_], verdict: Verdict) -> str:
    if verdict is Verdict.FAIL:
        return "" if np.isfinite(np.asarray(got, dtype=np.float64)).all() else "not finite"
    if verdict is Verdict.NO_INFORMATION:
        return f"{int((~passed).sum())} of {passed.size} entries say nothing here" if passed.size > 1 else ""
    if zero.all():
        return "zero, proved"
    return f"{int(zero.sum())} of {zero.size} entries zero, proved" if zero.any() else ""


def in_words(check: Check) -> str:
    """A verdict as people say it: "agrees to 15 digits"."""
    if check.verdict is Verdict.NO_INFORMATION:
        return "says nothing: rounding may be as large as the number"
    if check.verdict is Verdict.FAIL:
        if check.note:
            return f"wrong: {check.note}"
        return f"wrong: off by {check.error:.2g} times what rounding can do"
    if check.digits is None:
        return check.note or "agrees"
    return f"agrees to {check.digits} digit{'' if check.digits == 1 else 's'}"


# --- many quantities, many points -----------------------------------------------------------------


def judge_all(got: Mapping[str, Any], known: Truth, backend: str, proved_zero: Collection[str] = ()) -> list[Check]:
    """One check for every gradient at one point; a gradient that the backend did not give fails."""
    checks = []
    for name, entry in known.gradients.items():
        if name in got:
            checks.append(judge(name, got[name], entry, backend, known.point.name, name in proved_zero))
        else:
            checks.append(Check(name, backend, known.dtype, known.point.name, inf, Verdict.FAIL, "not given"))
    return checks


def combine(checks: Sequence[Check]) -> Check:
    """One quantity of one backend at several points: it passes once every entry has passed somewhere.

    Raises:
        ValueError: no check, or checks of different quantities, backends or dtypes.
    """
    if len({(check.quantity, check.backend, check.dtype) for check in checks}) != 1:
        raise ValueError("combine takes checks of one quantity, one backend and one dtype")
    if len(checks) == 1:
        return checks[0]
    failed = [check for check in checks if check.verdict is Verdict.FAIL]
    passed = _ever(checks)
    if failed:
        verdict, note = Verdict.FAIL, failed[0].note
    elif passed.all() or any(check.verdict is Verdict.PASS for check in checks):
        verdict, note = Verdict.PASS, next((c.note for c in checks if c.verdict is Verdict.PASS), "")
    else:
        verdict = Verdict.NO_INFORMATION
        note = f"{int((~passed).sum())} of {passed.size} entries never said anything"
    points = dict.fromkeys(check.point for check in checks)
    digits = [check.digits for check in checks if check.digits is not None]
    return Check(
        quantity=checks[0].quantity,
        backend=checks[0].backend,
        dtype=checks[0].dtype,
        point=next(iter(points)) if len(points) == 1 else f"{len(points)} points",
        error=max((check.error for check in checks if not isnan(check.error)), default=nan),
        verdict=verdict,
        note=note,
        digits=min(digits, default=None),
        passed=passed,
    )


def _ever(checks: Sequence[Check]) -> NDArray[np.bool_]:
    """Which entries have passed at some point; where sizes differ from point to point, those of the last one."""
    passed = checks[-1].passed
    for check in checks[:-1]:
        if check.passed.shape == passed.shape:
            passed = passed | check.passed
    return passed


def over_points(
    name: str,
    compute: Compute,
    program: Backward,
    draw_point: Callable[[int], Point],
    dtype: str,
    points: int = 3,
    at_most: int = 16,
    proved_zero: Collection[str] = (),
    find: Callable[[Backward, Point, str, str], Truth] = truth,
) -> list[Check]:
    """One check for every gradient of a backend, over as many points as it takes.

    Args:
        name: of the backend, as in `dtypes.WORSE`.
        compute: takes a point, already rounded to `dtype`, and gives every gradient under the names of `run_backward`,
            each of its own shape: a parameter's, and (B, *shape) for `h_0` and `x_1`.
        program: a derivation that the exact layer has passed.
        draw_point: the point number 0, 1, 2, ...
        points, at_most: at least so many are drawn; more only while some entry has neither passed nor failed.
        proved_zero: the gradients that the derivation proves to be zero.
        find: `truth`, or `once()`, which several backends may share.

    Raises:
        ArithmeticError: every point lies on a kink or at a pole.
    """
    seen: dict[str, list[Check]] = {}
    done: dict[str, Check] = {}
    undecided: ArithmeticError | None = None
    judged = 0
    for number in range(at_most):
        if judged >= points and all(c.verdict is not Verdict.NO_INFORMATION for c in done.values()):
            break
        try:
            known = find(program, draw_point(number), dtype, name)
        except ArithmeticError as error:  # this point says nothing
            undecided = error
            continue
        judged += 1
        for check in judge_all(compute(known.point), known, name, proved_zero):
            seen.setdefault(check.quantity, []).append(check)
            done[check.quantity] = combine(seen[check.quantity])
    if undecided is not None and not judged:
        raise undecided
    return list(done.values())


def once() -> Callable[[Backward, Point, str, str], Truth]:
    """`truth` of one program, found once for every point, format and table of errors; what is true of a trace is left
    out. Points are told apart as objects.
    """
    found: dict[tuple[Any, ...], tuple[Point, Truth | ArithmeticError]] = {}

    def remembered(program: Backward, point: Point, dtype: str, name: str) -> Truth:
        key = (id(point), dtype, *(error_of(function, dtype, name) for function in FUNCTIONS))
        if key not in found:
            answer: Truth | ArithmeticError
            try:
                answer = replace(truth(program, point, dtype, name), trace=(), adjoints=(), others=())
            except ArithmeticError as error:
                answer = error
            found[key] = point, answer  # the point is kept, so that no other takes its identity
        answer = found[key][1]
        if isinstance(answer, ArithmeticError):
            raise answer
        return answer

    return remembered


def worst(checks: Iterable[Check]) -> Check | None:
    """The check with the largest E; None where no check has one."""
    bounded = [check for check in checks if not isnan(check.error)]
    return max(bounded, key=lambda check: check.error, default=None)
