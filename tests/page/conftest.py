"""One browser for all pages."""

import pytest

from derivations.derive import derive
from derivations.page.write import page
from tests.page.tab import CELLS, LOSS_STEPS, PRESETS, Tab


@pytest.fixture(scope="session")
def chromium(needs, needs_tool):
    """Debian's Chromium, without a window."""
    api = needs("playwright.sync_api")
    program = needs_tool("chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    """A page with every shipped cell and the notebook's own."""
    path = tmp_path_factory.mktemp("page") / "all.html"
    derivations = {name: derive(cell) for name, cell in CELLS.items()}
    path.write_text(page(derivations, PRESETS, loss_steps=LOSS_STEPS), encoding="utf-8")
    return path


@pytest.fixture
def tab(chromium, file):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Tab(context, file.as_uri())
    context.close()
