"""Which names a cell may have, and what is said of the others."""

import keyword
import string

import pytest

from derivations.functions import FUNCTIONS
from derivations.names import C_WORDS, JAVASCRIPT_WORDS, LONGEST, fault, one_edit_apart, shortened

ORDINARY = ["x", "h", "W_xf", "W_hf", "W_h_f", "c_tilde", "b_f2", "gru3", "y0", "y_0", "a" * LONGEST]
SYMPYS_OWN = ["I", "E", "S", "N", "Q", "O", "pi", "beta", "gamma", "zeta", "Symbol", "oo", "T"]


@pytest.mark.parametrize("name", [*ORDINARY, *SYMPYS_OWN])
def test_ordinary_names_are_allowed(name):
    assert fault(name) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "'' is not a name; a name is letters, digits and single underscores, a letter first"),
        ("1x", "'1x' is not a name; a name is letters, digits and single underscores, a letter first"),
        ("W xf", "'W xf' is not a name; a name is letters, digits and single underscores, a letter first"),
        ("x\n", "'x\\n' is not a name; a name is letters, digits and single underscores, a letter first"),
        ("x;y", "'x;y' is not a name; a name is letters, digits and single underscores, a letter first"),
        ("x.y", "'x.y' is not a name; a name is letters, digits and single underscores, a letter first"),
        ("_x", "the name _x has a leading, trailing or double underscore; write single ones inside"),
        ("x_", "the name x_ has a leading, trailing or double underscore; write single ones inside"),
        ("x__2", "the name x__2 has a leading, trailing or double underscore; write single ones inside"),
        ("__proto__", "the name __proto__ has a leading, trailing or double underscore; write single ones inside"),
        ("\u210e", "the name '\\u210e' is not in ASCII; write it in letters, as in c_tilde or theta"),
        ("\u03b8", "the name '\\u03b8' is not in ASCII; write it in letters, as in c_tilde or theta"),
        ("a" * 41, f"the name {'a' * 40}... has 41 characters; 40 is the most"),
        ("lambda", "lambda is a keyword of a language that the cell may be emitted in; choose another name"),
        ("sigmoid", "sigmoid is the name of a function; choose another name"),
        ("outer", "outer is the name of a function; choose another name"),
        ("t", "t is the time step; choose another name"),
        ("dt", "dt would read as the adjoint of t, the time step; choose another name"),
    ],
)
def test_what_is_wrong_with_a_name_is_said(name, why):
    assert fault(name) == why


@pytest.mark.parametrize("name", sorted({*keyword.kwlist, *C_WORDS, *JAVASCRIPT_WORDS}))
def test_keywords_of_every_target_are_refused(name):
    assert "keyword" in fault(name)


@pytest.mark.parametrize(
    "name", ["None", "True", "async", "int", "register", "volatile", "var", "typeof", "NaN", "undefined"]
)
def test_the_lists_of_keywords_have_those_that_bite(name):
    assert "keyword" in fault(name)


@pytest.mark.parametrize("name", [*(name for name in FUNCTIONS if name[0] != "_"), "sum", "mean", "dot", "detach"])
def test_functions_are_no_names(name):
    assert "function" in fault(name)


def neighbours(word: str) -> set[str]:
    """Every word one edit away, by doing the edits."""
    cuts = [(word[:k], word[k:]) for k in range(len(word) + 1)]
    deleted = {a + b[1:] for a, b in cuts if b}
    inserted = {a + letter + b for a, b in cuts for letter in string.ascii_lowercase}
    replaced = {a + letter + b[1:] for a, b in cuts if b for letter in string.ascii_lowercase}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    return (deleted | inserted | replaced | swapped) - {word}


@pytest.mark.parametrize("word", ["h", "ab", "aab", "h_prev", "sigmoid"])
def test_every_word_one_edit_away_is_known_as_such(word):
    near = neighbours(word)
    assert all(one_edit_apart(word, other) for other in near)
    assert all(shortened(word) & shortened(other) for other in near)
    assert all(one_edit_apart(other, word) for other in near)


@pytest.mark.parametrize("word", ["ab", "abc", "aab"])
def test_a_word_two_edits_away_is_not(word):
    near = neighbours(word)
    beyond = {other for middle in near for other in neighbours(middle)} - near - {word}
    assert beyond
    assert not any(one_edit_apart(word, other) for other in beyond)


def test_a_word_is_no_edit_of_itself():
    assert not one_edit_apart("h_prev", "h_prev")
