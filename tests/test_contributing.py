"""The examples in CONTRIBUTING.md are true: each does what the text around it says."""

import re
from pathlib import Path

from derivations.derive import derive
from derivations.language import read

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")


def example(section: str) -> str:
    """The fenced text in a section."""
    (body,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    (fenced,) = re.findall(r"^```\w*\n(.*?)^```", body, re.MULTILINE | re.DOTALL)
    return fenced


def test_the_cell_is_a_cell():
    cell = read(example("Add a cell"))
    assert cell.name == "mgu"
    assert set(cell.parameters) == {"W_xf", "W_hf", "b_f", "W_xg", "W_hg", "b_g"}


def test_the_format_renders_a_derivation():
    module: dict = {}
    exec(example("Add a format"), module)
    lines = module["render"](derive(read(example("Add a cell")))).splitlines()
    assert "forget gate: f" in lines
    assert "hidden state: h" in lines
