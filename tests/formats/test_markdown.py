"""Markdown that GitHub and Jupyter show as it is meant."""

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from derivations.catalogue import cell_names, read_cell
from derivations.derive import derive
from derivations.formats.markdown import render, safe

RNN = derive(read_cell("rnn"))


def test_the_adjoints_of_an_elman_network():
    assert render(RNN, only=("adjoint",), notation="bar", view="vector", fragment=True) == (
        "## Adjoints\n\n$$\n\\begin{aligned}\n"
        r"\bar{h}_t &= \bar{h}_t^{\ell} + \bar{h}_t^{\gt t} && \text{hidden state} \cr" + "\n"
        r"\bar{a}_{h,t} &= \bar{h}_t \odot (1 - h_t^{\odot 2}) \cr" + "\n"
        r"\bar{h}_{t-1}^{\ge t} &= W_{hh}^{\top} \bar{a}_{h,t} && \text{to the step before} \cr" + "\n"
        r"\bar{x}_t &= W_{xh}^{\top} \bar{a}_{h,t} && \text{input} \cr" + "\n"
        r"\bar{W}_{xh}^{(t)} &= \bar{a}_{h,t}\thinspace x_t^{\top} && \text{parameters} \cr" + "\n"
        r"\bar{W}_{hh}^{(t)} &= \bar{a}_{h,t}\thinspace h_{t-1}^{\top} \cr" + "\n"
        r"\bar{b}_h^{(t)} &= \bar{a}_{h,t}" + "\n\\end{aligned}\n$$\n"
    )


def test_partials_are_a_table():
    text = render(RNN, only=("partial",), fragment=True, proofs={7: "proved"})
    assert r"|  | $\frac{\partial h_t}{\partial a_{h,t}}$ | $1 - h_t^2$ | proved |" in text
    html = MarkdownIt().enable("table").render(text)
    assert html.count("<tr>") == 7
    assert html.count("<td>") == 24


@pytest.mark.parametrize("cell", cell_names())
def test_mathematics_holds_nothing_that_markdown_reads(cell):
    for view in ("scalar", "vector"):
        text = render(derive(read_cell(cell)), view=view)
        for formula in re.findall(r"\$\$(.*?)\$\$", text, re.DOTALL) + re.findall(r"(?<!\$)\$([^$]+)\$", text):
            assert not re.search(r"\\[^A-Za-z]|[<>|*`]", formula), formula
        assert text.count("$$") % 2 == 0


def test_a_formula_with_everything():
    assert safe(r"\operatorname{diag}(a\, \left|x\right|) \\ x>y<z") == (
        r"\mathop{\mathrm{diag}}(a\thinspace \left\vert x\right\vert ) \cr x\gt y\lt z"
    )


@pytest.mark.parametrize(
    "title",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1)) ![y](z)",
        "# *bold* _it_ `code` ~~gone~~ | a | b |",
        "$x$ and $$y$$ and \\(z\\)",
        "1. a list - too",
        "&lt;b&gt; &#60;",
        "two\nlines\u2028three",
    ],
)
def test_a_title_is_text(title):
    cell = replace(RNN.cell, title=title, comment=title)
    html = (
        MarkdownIt()
        .enable(["table", "strikethrough"])
        .render(render(replace(RNN, cell=cell), only=("definition",)).split("| | |")[0])
    )
    shown = re.sub(r"\s+", " ", title)
    escaped = shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert html == f"<h1>{escaped}</h1>\n<p>{escaped}</p>\n"
