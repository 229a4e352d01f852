"""A tab of the browser, its page of every cell, and how to read numbers off it."""

from math import isclose

from derivations.catalogue import cell_names, read_cell
from derivations.page.presets import presets
from derivations.walkthrough import read_walkthrough

CELLS = {name: read_cell(name) for name in cell_names()} | {"notebook": read_walkthrough("notebook").cell}
PRESETS = presets(CELLS)
LOSS_STEPS = (4,)
CLOSE = 1e-12  # relative; what differs is one rounding here and there in exp


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


def near(got, want):
    return got == want or isclose(got, want, rel_tol=CLOSE, abs_tol=0.0)
