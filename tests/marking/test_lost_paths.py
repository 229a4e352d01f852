"""Paths that a line loses where it writes out what it does not name: in layer norm, those through mean and variance."""

import pytest

from tests.marking.marks import marks, mistakes

MEAN = "the path {0} -> mu_{1} (mean) is missing"
VARIANCE = "the path m_{0} -> v_{0} (variance) is missing"


@pytest.mark.parametrize(
    ("line", "lost"),
    [
        ("dm_f = da_f*gamma_f/s_f", [VARIANCE.format("f")]),
        ("dm_i = di*i*(1-i)*gamma_i/s_i", [VARIANCE.format("i")]),
        ("dm_c = dk*gamma_c/s_c", [VARIANCE.format("c")]),
        ("dl_o = dm_o", [MEAN.format("l_o", "o")]),
        ("dl_g = dc*i*(1-g^2)*gamma_g/s_g", [MEAN.format("l_g", "g"), VARIANCE.format("g")]),
        ("dc = dc_next + dk*gamma_c/s_c", [MEAN.format("c", "c"), VARIANCE.format("c")]),
    ],
)
def test_the_paths_that_are_lost_are_named(line, lost):
    said = mistakes("lnlstm", line)[1]
    assert said.count("the path") == len(lost)
    assert all(words in said for words in lost)


def test_the_right_line_has_the_path_again():
    (found,) = marks("lnlstm", "dl_o = dm_o")
    assert found.correct == "dl_o = sum(-dm_o)/size(l_o) + dm_o"


def test_one_lost_path_is_one_mistake_without_numbers():
    (found,) = marks("lnlstm", "dm_f = da_f*gamma_f/s_f")
    assert not found.example
    assert ";" not in found.mistake
