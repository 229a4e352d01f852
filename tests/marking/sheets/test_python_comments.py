"""What the comments of a program define, of names that it leaves open; nothing of it is run."""

import pytest

from derivations.marking.marked import Verdict
from tests.marking.marks import mistakes, verdicts

R, OTHER, UNSURE = Verdict.RIGHT, Verdict.OTHER, Verdict.UNSURE
VALUE = "# tc = {}\ndo = dh * tc * o * (1 - o)\ndc = dc_next + dh * o * (1 - tc**2)\n"
SLOPE = "# dtanh(y) = {}\nda = dh * dtanh(h)\ndx = Wxh.T @ da\n"
TWO = """# slope(s) = s*(1 - s), dtanh(y) = 1 - y*y
def back(dc, f, i, g, c_prev):
    daf = dc * c_prev * slope(f)
    dag = dc * i * {}(g)
    return daf, dag
"""


@pytest.mark.parametrize("value", ["np.tanh(c)", "tanh(c), the squashed cell", "tanh(c); kept from above"])
def test_a_value_that_a_comment_defines_is_read(value):
    assert verdicts("lstm", VALUE.format(value), "python") == [OTHER, R, R]


def test_a_mistake_in_what_reads_it_is_charged_there():
    found = mistakes("lstm", VALUE.format("tanh(c)").replace("tc**2", "tc"), "python")
    assert found == {3: "tanh(c) where tanh(c)**2 is due"}


@pytest.mark.parametrize("slope", ["1 - y*y", "1 - y**2", "(1 - y)*(1 + y)", "1 - y * y, in terms of the value"])
def test_a_slope_that_a_comment_defines_is_read(slope):
    assert verdicts("rnn", SLOPE.format(slope), "python") == [R, R]


def test_a_slope_that_is_none_is_charged_in_the_comment():
    found = mistakes("rnn", SLOPE.format("1 - y"), "python")
    assert found == {1: "1 - y for 1 - y**2"}


def test_several_slopes_in_one_comment():
    assert verdicts("lstm", TWO.format("dtanh"), "python") == [R, R]
    assert list(mistakes("lstm", TWO.format("slope"), "python")) == [4]


def test_what_comments_define_may_stand_on_each_other():
    text = "# u = tanh(c), and q = 1 - u**2\ndc = dc_next + dh * o * q\n"
    assert verdicts("lstm", text, "python")[-1] is R
    assert list(mistakes("lstm", text.replace("o * q", "i * q"), "python")) == [2]


def test_what_the_program_says_goes_before_its_comments():
    text = "u = np.tanh(c)\n# u = c*c\ndo = dh * u\n"
    assert verdicts("lstm", text, "python")[-1] is R


@pytest.mark.parametrize("code", ["__import__('os').mkdir('{}')", "open('{}', 'w').write('1')", "[open('{}', 'w')][0]"])
def test_nothing_of_a_comment_is_run(code, tmp_path):
    made = tmp_path / "made"
    text = f"# k = {code.format(made)}\nda_f = dc * c_prev * f * (1 - f) * k\n"
    assert verdicts("lstm", text, "python")[-1] is UNSURE
    assert not made.exists()
