"""What the commands say, as documents: text, LaTeX that compiles and fits the page, Markdown, and in a notebook."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from derivations import api
from derivations.catalogue import read_cell
from derivations.cell import CellError
from derivations.derive import derive
from derivations.document import Document, Paragraph, Table, digits, sentence
from derivations.expression import Derivative, Name
from derivations.formats import _latex_document, _markdown_document, _text_document
from derivations.notation import Notation, for_names
from derivations.reports import check, diff, flow, forms, listing, same, walkthrough
from derivations.reports.checks import Checked
from derivations.reports.derivative import derivative
from derivations.same import compare
from derivations.walkthrough import read_walkthrough, replay


def of_walkthrough(name: str, **options: object) -> Document:
    return walkthrough.document(replay(read_walkthrough(name)), Checked(), **options)


def of_diff(*args: str, **options: object) -> Document:
    found = derivative(read_cell(args[0]), *args[1:], **options)
    cell = found.derivation.cell
    return diff.document(found, for_names(cell.parameters, cell.shapes, time=not found.total.through_time))


def of_forms(name: str, **options: object) -> Document:
    asked = {"closed": (), "unroll": None, "jacobian": False, "vector": False, **options}
    return forms.document(forms.forms(derive(read_cell(name)), **asked))


HOSTILE = Document(
    r"\write18{touch x} x}\end{document}",
    Notation(),
    (
        Paragraph(("100% of $5 & #1 ~^_ <img src=x onerror=alert(1)> \u2028",)),
        Table((("a & b",), ("c",)), (((r"\input{x}",), (float("nan"),)), (("|",), (None,))), "lr"),
    ),
)

DOCUMENTS: dict[str, Callable[[], Document]] = {
    "walkthrough": lambda: of_walkthrough("notebook"),
    "walkthrough in full": lambda: of_walkthrough("notebook", full=True, adjoint="bar"),
    "walkthrough of the rnn": lambda: of_walkthrough("rnn-notebook", adjoint="delta"),
    "diff within a step": lambda: of_diff("lstm", "h", "W_xh", at="notebook", step=2, closed=True),
    "diff through time": lambda: of_diff("lstm", "h", "W_xf", at="notebook", through_time=True, most=3),
    "diff without a path": lambda: of_diff("lstm", "c", "W_xo"),
    "diff with many paths": lambda: of_diff("gru", "h", "h_prev", closed=True),
    "jacobian": lambda: of_forms("lstm", jacobian=True),
    "jacobian, vector": lambda: of_forms("gru", jacobian=True, vector=True),
    "closed forms": lambda: of_forms("lstm", closed=("h", "c")),
    "two steps": lambda: of_forms("lstm", unroll=2),
    "two steps, vector": lambda: of_forms("gru", unroll=2, vector=True),
    "check": lambda: check.document(read_cell("lstm"), Checked(proved=(78, 79), missing=(("jax", "pip install jax"),))),
    "same": lambda: same.document(compare(read_cell("lstm"), read_cell("lnlstm"))),
    "flow": lambda: flow.document(flow.flows(("rnn", "lstm"))),
    "list": lambda: listing.document(listing.listing([("numpy", True, "")])),
    "hostile": lambda: HOSTILE,
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_in_latex_compiles_and_fits_the_page(name: str, needs_tool, tmp_path: Path) -> None:
    latex = needs_tool("pdflatex")
    (tmp_path / "document.tex").write_text(_latex_document.render(DOCUMENTS[name]()), encoding="ascii")
    command = [latex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "document.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = (tmp_path / "document.log").read_text(encoding="latin-1")
    assert done.returncode == 0, log[-2000:]
    assert [float(pt) for pt in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(pt) > 1] == []
    assert {path.name for path in tmp_path.iterdir()} == {f"document.{end}" for end in ("tex", "pdf", "log", "aux")}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_in_text_fits_its_width_and_can_be_ascii(name: str) -> None:
    document = DOCUMENTS[name]()
    for width in (80, 120):
        text = "".join(piece for _, piece in _text_document.pieces(document, width=width, ascii=True))
        assert text.isascii() or name == "hostile"
        longest = max(text.splitlines(), key=len)
        assert len(longest) <= width, longest


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_in_markdown_pairs_its_dollars_and_keeps_text_text(name: str) -> None:
    text = _markdown_document.render(DOCUMENTS[name]())
    assert re.sub(r"\\\$", "", text).count("$") % 2 == 0
    assert "<img" not in text
    assert text.startswith("# ")


def test_a_sentence_finds_the_names_in_it() -> None:
    said = sentence("Of c_0 nothing reaches h_4, dh_4/dc_0 = 7.65e-14; a gate f_t is shut by W_xh.", {"f"})
    assert [piece for piece in said if not isinstance(piece, str)] == [
        Name("c_0"),
        Name("h_4"),
        Derivative("h_4", "c_0", "total"),
        Name("f"),
        Name("W_xh"),
    ]
    assert sentence("nothing here", {"f"}) == ("nothing here",)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (-10.0, "-10"),
        (0.5, "0.50000"),
        (0.0041333661, "0.0041334"),
        (1.2339e-4, "1.2339e-04"),
        (9.3188e-31, "9.3188e-31"),
        (123456.0, "1.2346e+05"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_digits(value: float, shown: str) -> None:
    assert digits(value) == shown


def test_the_reading_of_the_notebook() -> None:
    said = walkthrough.record(replay(read_walkthrough("notebook")), Checked())["reading"]
    assert said[0] == "The forget gate is shut at every step (f_t <= 4.54e-05) by W_xh = -10 on x."
    assert any("dh_4/dc_0 = 7.65e-14" in sentence_ for sentence_ in said)
    flat = walkthrough.record(replay(read_walkthrough("rnn-notebook")), Checked())["reading"]
    assert any("slope of tanh rounds to zero" in sentence_ for sentence_ in flat)


# --- at a prompt and in a notebook --------------------------------------------------------------------------------


def test_objects_show_themselves() -> None:
    derivation = api.derive("lstm")
    assert repr(derivation.adjoint_of["a_f"]) == "da_f = df*f*(1 - f)"
    assert "da_f" in repr(derivation)
    assert repr(api.cells["rnn"]) == "cell rnn\nh = tanh(W_xh @ x + W_hh @ h_prev + b_h)"
    assert set(api.cells) >= {"lstm", "gru", "rnn", "lnlstm"}


@pytest.mark.parametrize(
    "shown",
    [
        lambda: api.derive("gru"),
        lambda: api.cells["rnn"],
        lambda: api.derive("lstm").adjoint_of["c"],
        lambda: api.diff("lstm", "h", "W_xf", check=False),
        lambda: api.same("lstm", "lnlstm"),
        lambda: api.walkthrough(check=False),
        lambda: api.flow(steps=8),
    ],
)
def test_one_rich_type_that_latex_takes(shown: Callable[[], object], needs_tool, tmp_path: Path) -> None:
    found = shown()
    rich = [name for name in dir(found) if re.fullmatch(r"_repr_\w+_", name)]
    assert rich == ["_repr_latex_"]
    formula = found._repr_latex_()
    assert formula.startswith(r"$\displaystyle")
    assert formula.endswith("$")
    page = r"\documentclass{article}\usepackage{amsmath,amssymb}\begin{document}" + formula + r"\end{document}"
    (tmp_path / "cell.tex").write_text(page)
    command = [needs_tool("pdflatex"), "-interaction=nonstopmode", "-halt-on-error", "cell.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-1500:]


def test_results_are_data_too() -> None:
    assert api.same("lstm", "lstm")["same"] is True
    assert api.diff("lstm", "c", "c_prev", check=False)["total"]["expression"] == "f"


@pytest.mark.parametrize("points", [0, -1, 17])
def test_a_check_of_no_points_is_refused(points: int) -> None:
    """It would find nothing wrong, having looked at nothing."""
    with pytest.raises(CellError, match=f"points = {points} is out of range; it goes from 1 to 16"):
        api.check("rnn", points=points)


def test_a_module_loaded_later_does_not_take_a_functions_name() -> None:
    code = (
        "import derivations, derivations.reports.flow, derivations.reports.derivative, derivations.__main__;"
        "print(*(callable(getattr(derivations, name)) for name in derivations.__all__ if name[0] != '_'))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert said.count("True") == len(said) - 1, "all but `cells` are functions"
