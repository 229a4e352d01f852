"""Text that a person wrote, as it may be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivations.visible import clipped, one_line, visible, visible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 中 ∂", "plain é 中 ∂"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\u202ea\u200b\u2028\ufeff", r"\u202ea\u200b\u2028\ufeff"),
        ("\U000e0041\ud800", r"\U000e0041\ud800"),
    ],
)
def test_what_is_not_printed_is_written_out(text, shown):
    assert visible(text) == shown


def test_line_ends_may_stay():
    assert visible_lines("a\nb\x07\n") == "a\nb\\x07\n"


def test_a_title_is_one_line_of_what_can_be_seen():
    assert one_line(" a\n\u202e\tb \x1b[0m ") == "a b [0m"


def test_a_long_name_is_cut():
    assert clipped("x" * 80) == "x" * 80
    assert clipped("x" * 81) == "x" * 77 + "..."
    assert clipped("\x1b" * 30, 10) == r"\x1b\x1..."


@given(st.text())
def test_nothing_that_is_shown_moves_a_cursor(text):
    assert visible(text).isprintable()
    assert one_line(text).isprintable()
    assert visible_lines(text).replace("\n", "").isprintable()
    assert clipped(text, 20).isprintable()
    assert len(clipped(text, 20)) <= 20
