"""The explorer in a real browser: its numbers, its controls, its manners."""

import json
import re
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from math import isclose

import pytest

from derivations.catalogue import cell_names, read_cell
from derivations.cell import CellError
from derivations.derive import derive
from derivations.language import read
from derivations.page.explore import Page, explorer
from derivations.page.presets import presets
from derivations.page.write import page
from derivations.walkthrough import read_walkthrough
from tests.page.browser import expected

CLOSE = 1e-12  # relative; what differs is one rounding here and there in exp
WIDTHS = (360, 820, 1280)

CELLS = {name: read_cell(name) for name in cell_names()} | {"notebook": read_walkthrough("notebook").cell}
PRESETS = presets(CELLS)
LOSS_STEPS = (4,)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A page with every shipped cell and the notebook's own."""
    path = tmp_path_factory.mktemp("page") / "all.html"
    derivations = {name: derive(cell) for name, cell in CELLS.items()}
    path.write_text(page(derivations, PRESETS, loss_steps=LOSS_STEPS), encoding="utf-8")
    return path


def as_float(text):
    return float(text.replace("Infinity", "inf"))


class Tab:
    """A tab that notes every request, message and error."""

    def __init__(self, context, url):
        self.page, self.said, self.requests = context.new_page(), [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.url = url
        self.page.goto(url)

    def open(self, **selection):
        """The page anew with another selection."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}#" + "&".join(f"{key}={value}" for key, value in selection.items()))

    def click(self, name):
        """Select a node, if it is not selected."""
        node = self.page.locator(f'.graph.on .node[data-name="{name}"]')
        if node.get_attribute("aria-pressed") != "true":
            node.dispatch_event("click")

    def inspected(self, names):
        """Click each node in turn: every number that the inspector then shows."""
        script = """names => names.map(name => {
            const node = document.querySelector(`.graph.on .node[data-name="${name}"]`);
            if (node.getAttribute("aria-pressed") !== "true") node.click();
            return [...document.querySelectorAll("#inspector [data-of]")].map(e => [e.dataset.of, e.dataset.value]);
        })"""
        every = self.page.evaluate(script, names)
        return {name: {of: as_float(x) for of, x in found} for name, found in zip(names, every, strict=True)}

    def numbers(self, where="#inspector"):
        """Every number that is shown, in full, by what it is of."""
        script = "w => Object.fromEntries([...document.querySelectorAll(w + ' [data-of]')].map(e => [e.dataset.of, e.dataset.value]))"
        return {key: as_float(value) for key, value in self.page.evaluate(script, where).items()}


@pytest.fixture
def tab(chromium, file):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Tab(context, file.as_uri())
    context.close()


def near(got, want):
    return got == want or isclose(got, want, rel_tol=CLOSE, abs_tol=0.0)


# --- numbers ------------------------------------------------------------------------------------------------------


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


# --- manners ------------------------------------------------------------------------------------------------------


def test_no_request_no_message_and_no_overflow(tab):
    tab.open(partials="all")
    for width in WIDTHS:
        tab.page.set_viewport_size({"width": width, "height": 800})
        script = """() => [...document.querySelectorAll(".choice")].map(one => {
            one.click();
            return [one.dataset.cell, document.documentElement.scrollWidth];
        })"""
        found = dict(tab.page.evaluate(script))
        assert list(found) == list(CELLS)
        assert all(wide <= width for wide in found.values()), (width, found)
    assert {url for url in tab.requests if not url.startswith(("about:", "data:"))} == {
        url for url in tab.requests if url.startswith("file:")
    }
    assert len({url.partition("#")[0] for url in tab.requests if url.startswith("file:")}) == 1
    assert tab.said == []


def test_axe_finds_nothing_serious(chromium, needs, tmp_path):
    needs("axe_playwright_python")
    (tmp_path / "rnn.html").write_text(explorer(("rnn",)), encoding="utf-8")
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    tab = Tab(context, (tmp_path / "rnn.html").as_uri())
    tool = files("axe_playwright_python").joinpath("axe.min.js").read_text()
    for scheme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=scheme)
        tab.open(q="a_h", t=2)
        tab.page.keyboard.press(".")
        tab.page.evaluate(tool)
        found = tab.page.evaluate("axe.run()")["violations"]
        serious = [
            (one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")
        ]
        assert serious == []
    context.close()


def test_the_keyboard_alone_reaches_everything(tab):
    tab.open(cell="lstm", q="", t=2)
    reached = set()
    for _ in range(100):
        tab.page.keyboard.press("Tab")
        reached.add(
            tab.page.evaluate(
                "(() => { const e = document.activeElement; return e.id || e.dataset.id || e.dataset.name || e.dataset.cell || e.className || e.localName })()"
            )
        )
    sliders = set(tab.page.locator("#sliders input").evaluate_all("es => es.map(e => e.id || e.dataset.id)"))
    assert {"preset", "target", "earlier", "later", "copy", "help", "reset", "lstm", "gru"} <= reached
    assert sliders <= reached
    # Arrows lead from node to node, and reach each of them.
    tab.page.locator('.graph.on .node[data-name="h"]').focus()
    seen, waiting = set(), ["h"]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for key in ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"):
            tab.page.locator(f'.graph.on .node[data-name="{name}"]').focus()
            tab.page.keyboard.press(key)
            waiting.append(tab.page.evaluate("document.activeElement.dataset.name"))
    assert seen == set(tab.page.locator(".graph.on .node").evaluate_all("ns => ns.map(n => n.dataset.name)"))
    assert tab.page.evaluate("document.activeElement.classList.contains('node')")  # redrawing kept the focus


def test_keys_of_time_target_player_and_escape(tab):
    tab.open(cell="lstm", t=2, q="c")
    page_ = tab.page
    page_.keyboard.press("]")
    assert page_.locator("#now").inner_text() == "t = 3 of 4"
    page_.keyboard.press("[")
    assert page_.locator("#now").inner_text() == "t = 2 of 4"
    page_.keyboard.press("t")
    assert page_.locator("#target").input_value() == "c"
    rules = []
    for _ in range(6):
        page_.keyboard.press(".")
        rules.append(page_.locator("#player .line").last.get_attribute("data-rule"))
    assert list(dict.fromkeys(rules)) == ["definition", "local partial", "chain rule", "collect", "recurrence"]
    assert page_.locator("#player .current .lit").count() >= 1
    page_.keyboard.press(",")
    assert page_.locator("#player .line").count() == len(rules) - 2
    page_.keyboard.press("Escape")
    assert page_.locator(".node[aria-pressed=true]").count() == 0
    page_.keyboard.press("?")
    assert page_.locator("#keys").is_visible()


def test_a_wide_graph_shows_what_is_selected(tab):
    tab.open(cell="lnlstm", q="h")
    script = """() => { const [box, node] = [".scroll", '.node[data-name="h"]'].map(
        which => document.querySelector(`.graph.on ${which}`).getBoundingClientRect());
        return box.left <= node.left && node.right <= box.right; }"""
    assert tab.page.evaluate(script)
    tab.page.locator(".graph.on .scroll").evaluate("box => { box.scrollLeft = 0; }")
    assert not tab.page.evaluate(script)


def test_buttons_have_names(tab):
    """What is shown as MathML is no part of a button's name; each says in words what it is."""
    tab.open(cell="lstm", q="W_xf", t=3)
    names = tab.page.locator(".paths button, .reads button, .chip").evaluate_all("bs => bs.map(b => b.ariaLabel)")
    assert any(name.startswith("path W_xf, a_f, f, c, h: ") for name in names)
    assert any(name.startswith("W_xf = −10, gradient ") for name in names)
    assert "Parameters of a_f" in names


def test_a_path_can_be_isolated(tab):
    tab.open(cell="lstm", q="h_prev", t=3)
    every = tab.page.locator(".graph.on .lying .wire.back").count()
    tab.page.locator(".paths button").nth(1).click()
    alone = tab.page.locator(".graph.on .lying .wire.back").count()
    assert 0 < alone < every
    assert tab.page.locator(".paths button[aria-pressed=true]").count() == 1


def test_every_wire_shows_its_local_partial_on_demand(tab):
    tab.open(cell="lstm", q="", t=2)
    assert tab.page.locator(".graph.on .slope:visible").count() == 0
    tab.page.keyboard.press("p")
    true = expected(CELLS["lstm"], vars(PRESETS[0].numbers["lstm"]), PRESETS[0].inputs["lstm"], "h", ()).values[1]
    shown = dict(
        tab.page.locator(".graph.on .slope:visible").evaluate_all(
            "es => es.map(e => [e.dataset.edge, e.dataset.value])"
        )
    )
    assert len(shown) == tab.page.locator(".graph.on svg.lying .wire").count()
    assert near(float(shown["c,f"]), true["c_prev"])
    assert near(float(shown["c,c_prev"]), true["f"])
    tab.page.wait_for_url(lambda url: "partials=all" in url)
    tab.page.locator(".graph.on .slopes").click()
    assert tab.page.locator(".graph.on .slope:visible").count() == 0


def test_with_nothing_selected_it_says_where_to_begin(tab):
    tab.open(cell="lstm", q="")
    assert [one.get_attribute("data-focus") for one in tab.page.locator(".guide button").all()] == [
        "guide f",
        "guide c_prev",
        "guide W_xf",
    ]
    tab.page.locator(".guide button").nth(2).click()
    tab.page.wait_for_url(lambda url: "q=W_xf" in url)
    assert tab.page.locator('.graph.on .chip[data-of="a_f"]').get_attribute("aria-expanded") == "true"
    tab.page.locator('.inspect[data-name="b_o"]').click()
    assert tab.page.locator('.inspect[data-name="b_o"]').get_attribute("aria-pressed") == "true"
    tab.page.wait_for_url(lambda url: "q=b_o" in url)
    tab.page.reload()
    assert "value b_o" in tab.numbers()


def test_the_address_holds_the_selection_through_a_reload(tab):
    tab.open()
    assert tab.page.evaluate("location.hash") == ""
    tab.page.locator('.choice[data-cell="lstm"]').click()
    tab.click("o")
    tab.page.keyboard.press("[")
    tab.page.locator('input[type=number][data-id="lstm.W_xo"]').fill("-2.5")
    tab.page.wait_for_url(lambda url: "W_xo" in url)
    before, shown = tab.page.evaluate("location.hash"), tab.numbers()
    assert sorted(before[1:].split("&")) == ["cell=lstm", "lstm.W_xo=-2.5", "q=o", "t=3"]
    tab.page.reload()
    assert (tab.page.evaluate("location.hash"), tab.numbers()) == (before, shown)


@pytest.mark.parametrize(
    "hash_",
    [
        "#cell=nosuch&q=%3Cimg%3E&t=99",
        "#%",
        "#lstm.W_xf=NaN&x.x.9=1e999",
        "#preset=__proto__",
        "#t=-1&=&&q",
        "#q=constructor&x.constructor.1=4&lstm.valueOf=3",
    ],
)
def test_a_hostile_address_is_harmless(tab, hash_):
    tab.page.goto("about:blank")
    tab.page.goto(tab.url + hash_)
    assert tab.page.locator("#now").inner_text().startswith("t = ")
    assert tab.said == []


def test_what_is_copied(tab):
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.open(cell="lstm", q="c")
    copied = {}
    for kind in ("link", "latex", "markdown", "python", "svg"):
        tab.page.locator("#copy").select_option(kind)
        tab.page.locator("#told", has_text="Copied").wait_for()
        tab.page.evaluate("document.getElementById('told').textContent = ''")
        copied[kind] = tab.page.evaluate("navigator.clipboard.readText()")
    assert copied["link"].startswith("file:")
    assert "q=c" in copied["link"]
    assert r"\frac{\partial\mathcal{L}}{\partial c_t}" in copied["latex"]
    assert copied["markdown"].startswith("$$c_t = ")
    assert copied["svg"].startswith("<svg ")
    answer = {}
    exec(compile(copied["python"], "copied", "exec"), answer)
    assert answer["lines"].cell.name == "lstm"


def test_without_a_script_the_equations_and_the_graph_stand(chromium, file):
    context = chromium.new_context(java_script_enabled=False)
    page_ = context.new_page()
    page_.goto(file.as_uri())
    assert page_.locator(".graph .node").first.is_visible()
    assert page_.locator('.derivation[data-cell="lstm"] [data-key="adjoint c"] math').is_visible()
    assert not page_.locator("#sliders").is_visible()
    context.close()


def test_print_shows_every_formula(tab):
    tab.page.emulate_media(media="print")
    tab.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert tab.page.locator('.derivation[data-cell="gru"] [data-key="adjoint z"] math').is_visible()
    assert not tab.page.locator("#sliders").is_visible()


def test_in_a_sandboxed_frame(chromium, tmp_path):
    shown = Page(explorer(("rnn",)))
    (tmp_path / "frame.html").write_text(f"<!doctype html><body>{shown._repr_html_()}", encoding="utf-8")
    context = chromium.new_context()
    tab = Tab(context, (tmp_path / "frame.html").as_uri())
    frame = tab.page.frames[1]
    frame.locator('.graph.on .node[data-name="a_h"]').click()
    frame.locator("#copy").select_option("latex")
    frame.locator("#told", has_text="Copied LaTeX.").wait_for()
    assert "hidden state: preactivation" in frame.locator("#inspector h3").first.inner_text()
    assert tab.said == []
    context.close()


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>'&{{7*7}}"


def test_hostile_titles_and_labels_are_inert(chromium, tmp_path):
    cell = read(f'# {HOSTILE}\ncell net "{HOSTILE}"\ninput x\nstate h\nh = tanh(W @ x + U @ h_prev)\n')
    label = "</script><img src=x onerror=alert(2)> & {{7*7}}"  # the language has no such label; the page does not rely on it
    equations = tuple(replace(e, label="" if e.auto else label) for e in cell.equations)
    text = explorer((replace(cell, equations=equations),))
    (tmp_path / "hostile.html").write_text(text, encoding="utf-8")
    context = chromium.new_context()
    tab = Tab(context, (tmp_path / "hostile.html").as_uri())
    alerts = []
    tab.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    tab.page.reload()
    tab.click("h")
    assert tab.page.locator("img").count() == 0
    assert tab.page.locator("script").count() == 2
    assert label in tab.page.locator("#inspector h3").first.inner_text()
    assert alerts == []
    assert tab.said == []
    assert not [url for url in tab.requests if not url.startswith("file:")]
    context.close()


def test_names_that_every_object_has_are_names_like_others(chromium, tmp_path):
    """And two cells of one name, a constant held by detach, and a cell without a gate."""
    odd = "input x, u\nstate h\nh = relu(constructor @ x + valueOf @ u + toString @ h_prev + hasOwnProperty)\n"
    held = "input x\nstate h\ng = sigmoid(W @ x + U @ h_prev)\nh = detach(g)*h_prev + g*x\n"
    cells = (
        read(f"cell constructor\n{odd}"),
        read(f"cell one\n{held}"),
        read("cell one\ninput x\nstate h\nh = x + h_prev"),
    )
    (tmp_path / "odd.html").write_text(explorer(cells), encoding="utf-8")
    context = chromium.new_context()
    tab = Tab(context, (tmp_path / "odd.html").as_uri())
    for name in ("constructor", "valueOf", "toString", "hasOwnProperty"):
        tab.open(q=name)
        assert tab.numbers()[f"value {name}"] == (0.0 if name == "hasOwnProperty" else 0.5)
    keys = tab.page.locator(".choice").evaluate_all("es => es.map(e => e.dataset.cell)")
    assert keys == ["constructor", "one", "one_2"]
    for key in keys:
        tab.open(cell=key)
        graph = tab.page.locator(".graph.on .node").evaluate_all("nodes => nodes.map(n => n.dataset.name)")
        assert all(tab.inspected(graph).values())
    tab.open(cell="one")
    assert "No gradient passes what is held constant: detach(g) in h." in tab.page.locator(".graph.on").inner_text()
    assert tab.said == []
    context.close()


# --- the file -----------------------------------------------------------------------------------------------------


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
