"""The explorer in a real browser: what it loads, says and answers to, by keyboard, on a phone, in print."""

from dataclasses import replace
from importlib.resources import files

import pytest

from derivations.language import read
from derivations.page.explore import Page, explorer
from tests.page.browser import expected
from tests.page.tab import CELLS, PRESETS, Tab, near

WIDTHS = (360, 820, 1280)


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
