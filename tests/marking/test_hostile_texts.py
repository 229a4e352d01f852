"""Whatever a text holds, it is refused or marked in little time, and nothing of it is run."""

import pytest

from derivations.catalogue import read_cell
from derivations.cell import CellError
from derivations.marking.course import course_of
from derivations.marking.mark import mark_sheet
from derivations.marking.marked import Verdict
from derivations.marking.sheets import read_sheet
from tests.marking.marks import marked
from tests.patience import in_time

HOSTILE = {
    "empty": "",
    "long": "a" * 300_000,
    "unprintable": "\0\1\2 = 3",
    "lines": "x = 1\n" * 3000,
    "brackets": "df = " + "(" * 5000 + "f" + ")" * 5000,
    "towers": "df = ((f^8)^8)^8",
    "juxtaposed": "df = " + " ".join(["f"] * 1400),
    "minuses": "df = " + "-" * 1400 + "f",
    "exponent": "df = 1e999999",
    "digits": "df = " + "9" * 500,
    "zero": "df = 1/0",
    "equals": "=" * 10_000,
    "latex macro": r"\newcommand{\a}{\a\a} $x=\a\delta$",
    "latex doubling": r"\newcommand{\a}{xx}"
    + "".join(rf"\newcommand{{\{chr(98 + k)}}}{{\{chr(97 + k)}\{chr(97 + k)}}}" for k in range(20))
    + r"$\delta=\u$",
    "latex depth": "$df=" + r"\frac{" * 2000 + "f" + "}{2}" * 2000 + "$",
    "latex brace": r"$\delta={{{{{$",
    "latex environments": r"\begin{align}" * 1000,
    "python depth": "import np\nx = " + "(" * 5000 + "f" + ")" * 5000,
    "python loop": "def f(x):\n  for t in range(10**9):\n    x = x + 1",
    "python loops": "def b(x):\n" + "".join("  " * (k + 1) + f"for i{k} in range(9):\n" for k in range(8)) + "  " * 9 + "x = x*x",
    "python recursion": "def f(x):\n  y = f(x)\n  return y\nz = f(3)",
    "python squaring": "import numpy as np\nx0 = h\n" + "\n".join(f"x{k + 1} = x{k}*x{k}" for k in range(60)),
    "python power": "import numpy as np\ndf = f**100000000",
    "python text": "import numpy as np\ndf = 'a'*10**9",
    "of itself": "df = df",
    "a circle": "a = b\nb = a\ndf = a*b",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_refused_or_marked_in_half_a_second(name):
    try:
        found = in_time(0.5, lambda: marked(HOSTILE[name]))
    except CellError:
        found = None
    assert found is None or all(m.verdict is not Verdict.RIGHT for m in found.marks)


def test_code_is_never_run(tmp_path):
    trace = tmp_path / "trace"
    text = (
        f"import os\ndef f(dc, c_prev):\n    os.system('touch {trace}')\n    df = dc * c_prev\n    return eval('1')\n"
    )
    marked(text, notation="python")
    assert not trace.exists()


def test_what_has_no_value_is_neither_right_nor_wrong_and_takes_no_time():
    line = "da_f = outer(log(0), x) = outer(da_f, log(0))*log(0) = f*log(0) + outer(da, x) = dc*log(0) = dc*log(0)*f"

    found = in_time(0.5, lambda: mark_sheet(read_sheet(line), course_of(read_cell("lstm"))))
    assert all(mark.verdict is not Verdict.WRONG for mark in found.marks)
