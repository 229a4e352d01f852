"""Gradient flow as a picture, in text and as a figure."""

import math

import pytest

from derivations.catalogue import read_cell
from derivations.derive import derive
from derivations.flow import Flow, Row, flow
from derivations.heatmap import _readable, drawn, number, picture, text
from derivations.runs import alternating_run

RNN, LSTM = derive(read_cell("rnn")), derive(read_cell("lstm"))


def made_up(*log10, name="h", steps=None):
    signs = tuple(None if x is None else int(x != -math.inf) for x in log10)
    return Flow("made", "", "h", len(log10) - 1, (Row("h", name, log10, signs),))


def cells(picture_, name="dh_T/dh_k"):
    """The heat-map's characters of one row."""
    line = next(line for line in picture_.splitlines() if line.startswith(name))
    axis = next(line for line in picture_.splitlines() if "k=0" in line)
    return line[axis.index("k=0") :].split("  ")[0]


def test_every_level_has_its_symbol():
    levels = (2.0, 1.0, 0.99, -1.0, -1.01, -3.01, -6.01, -12.01, -400.0, -math.inf, math.inf, math.nan)
    assert cells(text(made_up(*levels))) == "▲▲██▓▒░··0!!"
    assert cells(text(made_up(*levels), ascii=True)) == "^^##*+-..0!!"
    assert cells(text(made_up(None, *[0.0] * 5))) == " █████"


def test_text_keeps_to_its_width_and_to_ascii():
    found = flow(LSTM, alternating_run(LSTM.cell, {"b_f": 6.0, "b_i": -3.0}))
    for width in (60, 80, 120):
        assert max(map(len, text(found, width).splitlines())) <= width
    plain = text(found, ascii=True)
    assert plain.isascii()
    assert plain.startswith("Long short-term memory: how the gradient at step T = 40 reaches back to step k\n")
    for row in found.rows[5:]:
        assert f"dh_T/d{row.wrt}_k " in plain
    assert "|J_T ... J_k+1|" in plain
    assert "0 exactly zero" in plain
    assert len(cells(plain)) == 41


def test_the_axis_names_the_columns():
    axis = text(flow(RNN, alternating_run(RNN.cell))).splitlines()[2]
    start = axis.index("k=0")
    assert [axis.index(str(k)) - start for k in (10, 20, 30)] == [10, 20, 30]
    assert axis[start + 39 : start + 41] == "40"
    assert text(made_up(0.0, 0.0)).splitlines()[2].split() == ["1", "furthest"]


def test_many_steps_share_columns_and_the_largest_shows():
    logs = [-20.0] * 200 + [0.0]
    logs[3] = 5.0
    shown = text(made_up(*logs), width=80)
    assert "each column is 4 steps, the largest of them shown" in shown
    assert cells(shown) == "▲" + "·" * 49 + "█"
    assert max(map(len, shown.splitlines())) <= 80


def test_long_names_are_clipped():
    assert "dh_T/d" + "n" * 15 + "..." in text(made_up(0.0, name="n" * 40))


@pytest.mark.parametrize(
    ("log10", "shown"),
    [
        (0.0, "1.0"),
        (math.log10(0.05), "5.0e-02"),
        (math.log10(0.0999), "1.0e-01"),
        (math.log10(0.9999), "1.0"),
        (-812.0, "1.0e-812"),
        (math.log10(2.34e14), "2.3e+14"),
        (-math.inf, "0"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (None, ""),
    ],
)
def test_magnitudes_in_two_digits(log10, shown):
    assert number(log10) == shown


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")])
def test_figures_are_the_same_bytes_for_the_same_flows(suffix, start, needs, tmp_path):
    needs("matplotlib")
    flows = [flow(RNN, alternating_run(RNN.cell, steps=steps)) for steps in (3, 5)]
    picture(flows, tmp_path / f"flow{suffix}")
    written = (tmp_path / f"flow{suffix}").read_bytes()
    assert written.startswith(start)
    assert written == drawn(flows, suffix)
    assert b"CreationDate" not in written
    assert written != drawn(flows[:1], suffix)


def test_a_figure_says_what_it_shows_and_marks_what_has_no_colour(needs):
    needs("matplotlib")
    from derivations.heatmap import figure

    unusual = made_up(None, -math.inf, math.inf, math.nan, 2.0, -400.0, 0.0)
    drawing = figure([unusual, flow(RNN, alternating_run(RNN.cell, steps=20))])
    first, second, bar = drawing.axes
    assert [piece.get_text() for piece in first.texts] == ["0", "∞", "NaN", "10²", "10⁻⁴⁰⁰", "1"]
    assert second.get_title() == "Elman network, T = 20"
    assert [tick.get_text() for tick in second.get_yticklabels()][:2] == ["dh_T/dh_k", "|J_T ... J_k+1|"]
    assert "gradient" in drawing.get_suptitle()
    assert "vanishes" in bar.get_ylabel()


def test_text_is_black_or_white_by_what_lies_under_it():
    for colour in ((1.0, 1.0, 0.75), (0.85, 0.85, 0.85), (1.0, 0.9, 0.0)):
        assert _readable(colour) == "black"
    for colour in ((0.19, 0.21, 0.58), (0.65, 0.0, 0.15), (0.0, 0.0, 0.0)):
        assert _readable(colour) == "white"


@pytest.mark.parametrize("suffix", ["", ".jpg", ".txt"])
def test_other_formats_are_refused_before_anything_is_written(suffix, tmp_path):
    with pytest.raises(ValueError, match=r"use \.png, \.svg, \.pdf"):
        picture([made_up(0.0)], tmp_path / f"flow{suffix}")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="no flow to draw"):
        drawn([], ".svg")
