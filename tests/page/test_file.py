"""The explorer as a file: its size, its policy, its data, and what its presets say."""

import json
import re
from itertools import pairwise
from math import isclose

import pytest

from derivations.cell import CellError
from derivations.language import read
from derivations.page.explore import explorer
from tests.page.browser import expected
from tests.page.tab import CELLS, PRESETS


def test_three_cells_fit_in_400_kB_and_every_byte_is_the_same_again():
    text = explorer()
    assert len(text.encode("utf-8")) < 400_000
    assert explorer() == text


def test_the_policy_names_what_may_run():
    text = explorer(("rnn",))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; style-src &#39;sha256-") or policy.startswith(
        "default-src 'none'; style-src 'sha256-"
    )
    assert "unsafe" not in policy
    assert not re.search(r"\b(eval|Function)\(|innerHTML|document\.write", text)
    assert not re.search(r'\s(on\w+|style)="', text)


def test_the_data_is_json():
    text = explorer(("rnn", "gru"))
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert list(data["cells"]) == ["rnn", "gru"]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (("nosuch",), "there is no cell 'nosuch'"),
        ((read("cell k\ninput x\nstate h\nh = tanh(W @ [h_prev; x])"),), "k stacks vectors"),
        (("rnn",) * 9, "9 cells on one page"),
    ],
)
def test_what_cannot_be_shown_is_said(cells, message):
    with pytest.raises(CellError, match=re.escape(message)):
        explorer(cells)


# --- what the presets say -----------------------------------------------------------------------------------------


def gradients(name, key, target, of):
    """|d target at T / d of at t| by step, as the page computes it from a preset."""
    preset = next(one for one in PRESETS if one.name == name)
    true = expected(CELLS[key], vars(preset.numbers[key]), preset.inputs[key], target, ())
    return [abs(step[f"d{of}"]) for step in true.adjoints]


def test_each_preset_shows_what_it_says():
    vanishing = gradients("vanishing", "rnn", "h", "h")
    assert 1e-13 < vanishing[0] < 1e-11
    ratios = [before / after for before, after in pairwise(vanishing)]
    assert all(0.4 < ratio < 0.51 for ratio in ratios)
    exploding = gradients("exploding", "rnn", "h", "h")
    assert all(isclose(before / after, 1.5) for before, after in pairwise(exploding))
    assert max(gradients("exploding", "lstm", "h", "h")) <= 1
    assert gradients("memory", "lstm", "c", "c")[0] > 0.9
    assert gradients("memory", "rnn", "h", "h")[0] < 1e-11
