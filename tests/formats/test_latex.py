"""LaTeX that compiles as it is, without a line in the margin, whatever a person wrote."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.derive import Derivation, derive
from derivations.formats._escape import comment_text, latex_text, pdf_text
from derivations.formats.latex import render
from derivations.language import read
from derivations.notation import ADJOINTS, VIEWS

PLAIN = "cell plain\ninput x\nstate h\nh = tanh(W @ x + U @ h_prev + b)\n"
HOSTILE = [
    r"\write18{touch written}\immediate\write18{touch written}",
    r"x}\end{document}",
    "100% of $5 & #1 ~^_",
    r"\input{/etc/passwd} \catcode`\%=12 ^^5cinput",
    "two\u2028lines\u2029and\u0085a\x00null\x1b[31m",
    "Schmidhuber, Müller, Ångström, Gödel, naïve, Łódź, œuvre, ő, ç, ǫ, ỗ",
    "中文 한국어 العربية \U0001f600 \U0001d53d \u017ftrange ﬁ",
    'quotes " \u201ca\u201d \u2018b\u2019 `c` ?` !` -- --- << >> | * [x] {y} @',
    "verylongword" * 40,
    "",
]


def compile_(text: str, folder: Path, pdflatex: str, name: str = "document") -> str:
    """The log of one run of pdflatex, which must end well."""
    (folder / f"{name}.tex").write_text(text, encoding="utf-8")
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", f"{name}.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=60)
    log = (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    assert run.returncode == 0, log[-3000:]
    return log


def overfull(log: str) -> list[str]:
    """The lines that run into the margin by more than a point."""
    found = re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\).*", log)
    return [points for points in found if float(points) > 1]


def together(texts: list[str]) -> str:
    """Several documents as one, so that TeX starts once; each on pages of its own."""
    bodies = [text.split(r"\begin{document}")[1].split("\\end{document}\n")[0] for text in texts]
    head = texts[0].split(r"\begin{document}")[0]
    return f"{head}\\begin{{document}}\n" + "\\clearpage\n".join(bodies) + "\n\\end{document}\n"


@pytest.mark.parametrize("cell", cell_names()[:4])
def test_a_document_compiles_and_fits_the_page(cell, needs_tool, tmp_path):
    derivation = derive(read_cell(cell))
    texts = [
        render(derivation),
        render(derivation, view="vector"),
        render(derivation, view="vector", notation="bar"),
    ]
    log = compile_(together(texts), tmp_path, needs_tool("pdflatex"))
    assert overfull(log) == []


@pytest.mark.long
@pytest.mark.parametrize("adjoint", ADJOINTS)
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("cell", cell_names())
def test_every_document_compiles_and_fits_the_page(cell, view, adjoint, needs_tool, tmp_path):
    text = render(derive(read_cell(cell)), view=view, notation=adjoint)
    assert overfull(compile_(text, tmp_path, needs_tool("pdflatex"))) == []


def test_a_line_in_the_margin_is_found(needs_tool, tmp_path):
    wide = r"\documentclass{article}\begin{document}\noindent\hbox to 500pt{\hfil}\end{document}"
    assert overfull(compile_(wide, tmp_path, needs_tool("pdflatex"))) != []


PASTED = r"""\documentclass{article}
\usepackage{amsmath}
\allowdisplaybreaks
\begin{document}
%s
\end{document}
"""


def test_a_fragment_pastes_into_a_paper_that_has_amsmath(needs_tool, tmp_path):
    derivation = derive(read_cell("lstm"))
    text = render(derivation, fragment=True, view="vector", notation="bar")
    assert text.startswith("% Long short-term memory\n% needs \\usepackage{amsmath}")
    assert text.count(r"\begin{align}") == 4
    assert r"\bar{a}_{f,t} &= \bar{f}_t \odot f_t \odot (1 - f_t)" in text
    assert overfull(compile_(PASTED % text, tmp_path, needs_tool("pdflatex"))) == []


def cell_called(title: str) -> Derivation:
    """A cell with a title and a comment that no cell file could hold."""
    derivation = derive(read(PLAIN))
    steps = tuple(replace(step, label=title) for step in derivation.steps)
    return replace(derivation, cell=replace(derivation.cell, title=title, comment=title), steps=steps)


def test_no_title_is_a_command(needs_tool, tmp_path):
    texts = [render(cell_called(title), proofs={0: title, 9: title}) for title in HOSTILE]
    compile_(together(texts), tmp_path, needs_tool("pdflatex"))
    assert {path.name for path in tmp_path.iterdir()} <= {
        f"document.{end}" for end in ("aux", "log", "out", "pdf", "tex")
    }


@pytest.mark.parametrize("title", HOSTILE)
def test_what_a_person_wrote_is_text(title):
    text = latex_text(title)
    assert text.isascii()
    assert text.isprintable()
    assert not re.search(r"(?<!\\)[#$%&]|\\(write|input|immediate|end|catcode)", text)
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert "\n" not in comment_text(title)
    assert comment_text(title).isascii()
    assert re.fullmatch(r"[A-Za-z0-9 ,.:;()'/+-]*", pdf_text(title))


def test_letters_are_set_as_they_are_where_they_can_be():
    assert latex_text("Müller Łódź naïve") == r"M\"{u}ller \L{}\'{o}d\'{z} na\"{\i}ve"
    assert latex_text("a — b") == "a --- b"
    assert latex_text("a -- b") == "a -{}- b"
    assert latex_text("中") == "{}[U+4E2D]"  # lest it be the argument of an \\item before it
    assert pdf_text("Müller") == "Muller"


@pytest.mark.parametrize("title", HOSTILE[:4])
def test_a_fragment_has_no_title_but_in_a_comment(title):
    for line in render(cell_called(title), fragment=True).splitlines():
        assert line.startswith("%") or re.match(r"\\(begin|end)\{align\}|.*&", line)


def test_a_long_sum_is_broken_at_its_signs(needs_tool, tmp_path):
    terms = " + ".join(f"W_{k} @ x" for k in range(60))
    factors = " * ".join(f"f_{k}" for k in range(40))
    text = f"cell long_one\ninput x\nstate h\nh = tanh({terms} + U @ h_prev)\nreadout\n    y = {factors} * h\n"
    derivation = derive(read(text))
    for view in VIEWS:
        log = compile_(render(derivation, view=view), tmp_path, needs_tool("pdflatex"), view)
        assert overfull(log) == []


def test_what_is_not_proved_says_so():
    derivation = derive(read_cell("rnn"))
    proofs = dict.fromkeys(range(len(derivation.steps)), "proved")
    assert f"All {len(proofs)} steps are proved." in render(derivation, proofs=proofs)
    proofs[8] = "agrees at 64 points, not proved"
    text = render(derivation, proofs=proofs)
    assert f"{len(proofs) - 1} of {len(proofs)} steps are proved." in text
    assert text.count(r"\text{(agrees at 64 points, not proved)}") == 1
