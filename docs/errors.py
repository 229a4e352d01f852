"""Measures every function of every library and writes `docs/errors.md`: `python docs/errors.py`. It takes a minute."""

from pathlib import Path

from backends.backend import find
from backends.measured import DTYPES, EXACT, ROUNDED, inexact, measure, measured_on, row, table

PAGE = Path(__file__).with_suffix(".md")
TEXT = """\
# How far off the libraries' functions are

A derivative is judged by the rounding that a right program may do, and so by how far off each function may be: its k,
in units of u times its value, where u is 2^-53 or 2^-24. No library promises one. Here they are measured, over their
whole range, against ball arithmetic, and the k that is used is put beside them (`backends/dtypes.py`).

- **off by**: the largest error of the value that was seen, in these units, beyond eta, the smallest normal number: a
  result below eta may be flushed to zero. Of `hard_sigmoid`, which has no k, in units of its own bound.
- **derived slope**, **own slope**: of the derivative that is written in `derivations/functions.py`, and of the one that
  the library takes by itself and may spell otherwise. Near saturation no number of units bounds a slope, so these are
  in units of the bound on rounding of that derivative: more than 1 would be a false alarm. What is close to 1 is a
  slope below eta that was flushed, or a single division.
- {exact} are exact in every library.

Arguments are normal numbers and zero: every binade with several mantissas, the neighbourhood of every threshold (17,
20, 37, 88, 710, 745, ...), and random ones, in long arrays, one at a time, and, for JAX, compiled. A subnormal argument
counts as zero to JAX. As written here, no function is off where people have met it before: torch's own `softplus` above
its threshold of 20 and JAX's own slope of `softplus`, exp(x - softplus(x)), are not used.

`python docs/errors.py` writes this page. The tests measure again, at fewer arguments and at those of this table. On any
machine nothing may be off by more than its k, nor a slope by more than its bound. The measured numbers depend on the
processor and on the versions: only where both are those named here must they come out again as they stand.

Measured on {where}.

"""


def main() -> None:
    """Every function on every backend, in both formats."""
    backends = [backend for backend in find().values() if backend.library]
    wrong = [name for name in EXACT for backend in backends for dtype in DTYPES if inexact(backend, name, dtype)]
    if wrong:
        raise SystemExit(f"not exact: {', '.join(wrong)}")
    rows = [row(measure(backend, name, dtype)) for name in ROUNDED for dtype in DTYPES for backend in backends]
    exact = ", ".join(f"`{name}`" for name in EXACT)
    PAGE.write_text(TEXT.format(exact=exact, where=measured_on()) + table(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
