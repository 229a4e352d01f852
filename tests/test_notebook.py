"""The guide's notebook: run again, it gives what it holds."""

import json
import runpy
from pathlib import Path

import pytest

from derivations.page.font import available

FILE = Path(__file__).parents[1] / "docs" / "walkthrough.ipynb"
MADE_BY = FILE.with_name("notebook.py")


@pytest.fixture(scope="module")
def maker(needs):
    needs("nbclient")
    needs("ipykernel")
    return runpy.run_path(str(MADE_BY))


def outputs(notebook):
    return [(cell["source"], cell.get("outputs", [])) for cell in notebook["cells"]]


def test_the_notebook_is_what_its_maker_says(maker):
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    for cell in stored["cells"]:
        cell["source"] = "".join(cell["source"])
    assert [cell["source"] for cell in stored["cells"]] == [cell["source"] for cell in maker["made"]().cells]


@pytest.mark.filterwarnings("default")  # what a kernel's own packages warn of
def test_run_again_it_gives_what_it_holds(maker, needs, monkeypatch):
    for package in ("torch", "jax", "jinja2", "fontTools"):
        needs(package)
    assert available(), "the page's font is a part of what the notebook holds"
    monkeypatch.setenv("PYTHONPATH", str(FILE.parents[1]))
    nbformat = needs("nbformat")
    stored = nbformat.read(FILE, as_version=4)
    again = maker["executed"](maker["made"]())
    for (source, before), (_, now) in zip(outputs(stored), outputs(again), strict=True):
        assert before == now, (
            f"docs/walkthrough.ipynb is out of date at\n{source}\nMake it anew: python docs/notebook.py"
        )


def test_the_walkthrough_is_reproduced():
    text = FILE.read_text(encoding="utf-8")
    assert "y = 0.9996446998328253" in text
    assert "7.65" in text
