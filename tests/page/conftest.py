"""One browser for all pages."""

import pytest


@pytest.fixture(scope="session")
def chromium(needs, needs_tool):
    """Debian's Chromium, without a window."""
    api = needs("playwright.sync_api")
    program = needs_tool("chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()
