"""Every format that is found: what all of them must hold."""

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.formats import Options, find, for_file, latex_display, load, shown
from derivations.language import read
from derivations.notation import ADJOINTS

STACKED = read(
    """
cell stacked "One matrix"
input x
state h

hidden state:  h = tanh(W @ [h_prev; x] + b)
"""
)


def test_formats_are_found_by_their_files():
    assert {"text", "latex", "markdown", "json"} <= set(find())
    assert not any(name.startswith("_") for name in find())


def test_a_suffix_chooses_the_format():
    assert [for_file(f"out/a.b{suffix}") for suffix in (".txt", ".TEX", ".md", ".json")] == [
        "text",
        "latex",
        "markdown",
        "json",
    ]
    with pytest.raises(ValueError, match=r"no format has the suffix of 'a\.pdf'; known: .*\.tex"):
        for_file("out/a.pdf")
    with pytest.raises(ValueError, match="no format has the suffix of 'latex'"):
        for_file("latex")


def test_a_format_that_there_is_not():
    with pytest.raises(ValueError, match="there is no format 'word'; choose json or latex or markdown or svg or text"):
        load("word")
    with pytest.raises(ValueError, match="there is no format '_shown'"):
        load("_shown")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            {"only": ("proof",)},
            "there is no rule 'proof'; choose definition or partial or adjoint or recurrence",
        ),
        ({"view": "matrix"}, "there is no view 'matrix'; choose scalar or vector"),
        ({"notation": "dot"}, "there is no notation 'dot'; choose leibniz or bar or delta"),
        ({"style": "poem"}, "there is no style 'poem'; choose code or math"),
    ],
)
def test_a_choice_that_there_is_not(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        Options(**options)


@pytest.mark.parametrize("format_", find())
@pytest.mark.parametrize("cell", cell_names())
def test_every_cell_in_every_format(cell, format_):
    derivation = derive(read_cell(cell))
    for view in ("scalar", "vector"):
        for adjoint in ADJOINTS:
            options = {"view": view, "notation": adjoint}
            once = load(format_).render(derivation, **options)
            assert once == load(format_).render(derivation, **options)
            assert once.endswith("\n")


# A picture of one step has neither sections nor views.
IN_SECTIONS = [name for name in find() if name != "svg"]


@pytest.mark.parametrize("format_", IN_SECTIONS)
def test_only_what_is_asked_for(format_):
    derivation = derive(read_cell("lstm"))
    both = load(format_).render(derivation, only=("definition", "recurrence"))
    assert len(both) < len(load(format_).render(derivation)) / 2
    headings = ["Forward equations", "Local partials", "Adjoints", "Recurrences over time"]
    if format_ != "json":
        assert [heading in both for heading in headings] == [True, False, False, True]


@pytest.mark.parametrize("format_", IN_SECTIONS)
def test_a_cell_that_stacks_vectors_has_the_vector_view_only(format_):
    derivation = derive(STACKED)
    asked = load(format_).render(derivation)
    assert "the vector view is shown" in asked
    assert "the vector view is shown" not in load(format_).render(derivation, view="vector")


def test_lines_stand_under_the_label_of_their_gate():
    what = shown(derive(read_cell("lstm")), Options())
    groups = {(line.rule.name, line.of or line.wrt): line.group for s in what.sections for line in s.lines}
    assert groups["DEFINITION", "a_f"] == groups["PARTIAL", "f"] == groups["ADJOINT", "a_f"] == "forget gate"
    assert groups["ADJOINT", "h_prev"] == "to the step before"
    assert groups["RECURRENCE", "W_xf"] == "parameters"


# --- notebooks --------------------------------------------------------------------------------------------


def test_a_notebook_shows_one_formula():
    derivation = derive(read_cell("rnn"))
    cell = derivation.cell
    step = derivation.adjoint_of["a_h"]
    assert latex_display(step.rhs, cell, adjoint="bar") == r"$\displaystyle \bar{h}_t\, (1 - h_t^2)$"
    assert latex_display(step, cell, adjoint="bar") == r"$\displaystyle \bar{a}_{h,t} = \bar{h}_t\, (1 - h_t^2)$"
    assert latex_display(cell) == (
        r"$\displaystyle \begin{aligned} a_{h,t} &= W_{xh} x_t + W_{hh} h_{t-1} + b_h \\ "
        r"h_t &= \tanh(a_{h,t}) \end{aligned}$"
    )
    assert latex_display(derivation, view="vector").count("&=") == len(derivation.steps) - len(derivation.partials)
    assert r"\begin{bmatrix}" in latex_display(STACKED)
