"""Every number that the explorer shows in a real browser is true."""

import re

import pytest

from tests.page.browser import expected
from tests.page.tab import CELLS, CLOSE, LOSS_STEPS, PRESETS, Tab, near


def check_numbers(tab, key, preset, target):
    """Click every node, and hold all that is shown against ball arithmetic."""
    cell, inputs, own = CELLS[key], preset.inputs[key], preset.numbers[key]
    tab.open(cell=key, preset=preset.name, target=target)
    numbers = {"parameters": own.parameters, "initial": own.initial}
    true = expected(cell, numbers, inputs, target, LOSS_STEPS)
    graph = tab.page.locator(".graph.on .node").evaluate_all("nodes => nodes.map(n => n.dataset.name)")
    assert set(graph) == {*cell.defined, *cell.previous, *cell.inputs, *cell.targets}
    for name, shown in tab.inspected(graph).items():
        for t, (values, adjoints) in enumerate(zip(true.values, true.adjoints, strict=True), 1):
            assert near(shown[f"value {name} {t}"], values[name]), (name, t)
            if name in cell.targets:
                continue
            assert near(shown[f"gradient {name} {t}"], adjoints[f"d{name}"]), (name, t)
        if name in cell.targets:
            continue
        parts = [value for of, value in shown.items() if of.startswith("term ")]
        paths = [value for of, value in shown.items() if of.startswith("path ")]
        whole, size = shown[f"gradient {name}"], sum(map(abs, paths)) or 1.0
        assert abs(sum(parts) - whole) <= CLOSE * (sum(map(abs, parts)) or 1.0), name
        assert abs(sum(paths) - whole) <= CLOSE * size, name
    assert tab.said == []


@pytest.mark.parametrize("key", CELLS)
def test_every_node_shows_true_numbers(tab, key):
    check_numbers(tab, key, PRESETS[0], CELLS[key].states[0])


def test_every_target_shows_true_numbers(tab):
    for target in ("c", "y", "L"):
        check_numbers(tab, "notebook", PRESETS[0], target)


@pytest.mark.long
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
@pytest.mark.parametrize("key", CELLS)
def test_every_preset_shows_true_numbers(tab, key, preset):
    for target in CELLS[key].states:
        check_numbers(tab, key, preset, target)


def test_sliders_and_inputs_recompute(tab):
    tab.open(cell="lstm", preset="memory", q="c", target="c")
    slider = tab.page.locator('input[type=range][data-id="lstm.b_f"]')
    slider.evaluate("e => { e.value = 0.75; e.dispatchEvent(new Event('input')) }")
    tab.page.locator('input[data-id="x.x.3"]').fill("-1.25")
    tab.page.locator('input[type=number][data-id="lstm@0.c"]').fill("0.4")
    preset = next(one for one in PRESETS if one.name == "memory")
    own, xs = preset.numbers["lstm"], list(preset.inputs["lstm"]["x"])
    xs[2] = -1.25
    numbers = {"parameters": {**own.parameters, "b_f": 0.75}, "initial": {**own.initial, "c": 0.4}}
    true = expected(CELLS["lstm"], numbers, {"x": xs}, "c", LOSS_STEPS)
    shown = tab.numbers()
    for t in range(1, 41):
        assert near(shown[f"value c {t}"], true.values[t - 1]["c"])
        assert near(shown[f"gradient c {t}"], true.adjoints[t - 1]["dc"])
    # The table over time shows the same, and the other cells on the same inputs.
    shown = tab.page.locator("#heat tbody tr").evaluate_all(
        "rows => rows.map(r => [r.cells[0].innerText.trim(), [...r.cells].slice(1).map(c => c.dataset.value)])"
    )
    assert [float(x) for x in shown[1][1]] == [pytest.approx(a["dc"], rel=CLOSE, abs=0) for a in true.adjoints]
    rnn = expected(
        CELLS["rnn"],
        {"parameters": preset.numbers["rnn"].parameters, "initial": {"h": 0.0}},
        {"x": xs},
        "h",
        LOSS_STEPS,
    )
    row = next(values for title, values in shown if title.startswith("rnn"))
    assert [float(x) for x in row] == [pytest.approx(a["dh"], rel=CLOSE, abs=0) for a in rnn.adjoints]
    tab.page.locator("#reset").click()
    assert near(
        tab.numbers()["value c 40"],
        expected(CELLS["lstm"], vars(own), preset.inputs["lstm"], "c", LOSS_STEPS).values[-1]["c"],
    )


def test_a_wrong_number_would_be_seen(tab, file, chromium, tmp_path):
    """The same page with one sign changed in its program does not pass."""
    text = file.read_text().replace("const c = f*c_prev + i*g;", "const c = f*c_prev - i*g;", 1)
    text = re.sub(r"script-src '[^']*'", "script-src 'unsafe-inline'", text)
    wrong = tmp_path / "wrong.html"
    wrong.write_text(text, encoding="utf-8")
    broken = Tab(tab.page.context, wrong.as_uri())
    with pytest.raises(AssertionError):
        check_numbers(broken, "lstm", PRESETS[0], "h")


def test_recomputing_takes_less_than_a_frame(tab):
    tab.open(cell="lstm", preset="memory")
    script = """() => { const r = document.querySelector('#sliders input[type=range]'), out = [];
        for (let k = 0; k < 40; k++) { r.value = k / 20; r.dispatchEvent(new Event('input')); out.push(+document.documentElement.dataset.computed); }
        return out.sort((a, b) => a - b)[20]; }"""
    assert tab.page.evaluate(script) < 16  # ms; five cells of forty steps


def test_what_is_saturated_or_not_finite_is_named(tab):
    tab.open(cell="lstm")
    assert tab.page.locator('.graph.on .node.wide[data-name="o"]').count() == 1
    assert (
        "f is shut (below 0.01) at t = 1 to 4; o is shut (below 0.01) at t = 1; o is open"
        in tab.page.locator("#warning").inner_text()
    )
    tab.page.locator('input[data-id="x.x.2"]').fill("1e308")
    tab.page.locator('input[type=number][data-id="lstm.W_xi"]').fill("1e10")
    assert re.search(r"a_f overflows, first at t = 2", tab.page.locator("#warning").inner_text())
    assert tab.page.locator("#warning.bad").count() == 1


def test_every_parameter_shows_true_numbers(tab):
    """Each is reached from its chip; the shares of the steps add up to the gradient that is shown."""
    cell, own = CELLS["lstm"], PRESETS[0].numbers["lstm"]
    true = expected(cell, vars(own), PRESETS[0].inputs["lstm"], "h", LOSS_STEPS)
    tab.open(cell="lstm", target="h", t=2, q="")
    reached = []
    for chip in tab.page.locator(".graph.on .chip").all():
        chip.click()
        assert chip.get_attribute("aria-expanded") == "true"
        chip.click()
        assert chip.get_attribute("aria-expanded") == "false"
        chip.click()
        for button in tab.page.locator(".graph.on .reads button").all():
            name = button.get_attribute("data-name")
            reached.append(name)
            button.click()
            shown, whole = tab.numbers(), sum(step[f"d{name}"] for step in true.adjoints)
            assert near(shown[f"value {name}"], own.parameters[name])
            for t, adjoints in enumerate(true.adjoints, 1):
                assert near(shown[f"gradient {name} {t}"], adjoints[f"d{name}"]), (name, t)
            size = sum(abs(step[f"d{name}"]) for step in true.adjoints)
            assert abs(shown[f"total {name}"] - whole) <= CLOSE * size
            assert float(button.locator(".slope-of").get_attribute("data-value")) == shown[f"total {name}"]
            paths = [value for of, value in shown.items() if of.startswith("path ")]
            assert sum(paths) == pytest.approx(shown[f"gradient {name}"], rel=CLOSE, abs=0)
    assert sorted(reached) == sorted(cell.parameters)
