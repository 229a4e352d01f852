"""Draws the pictures of the README: `python docs/pictures.py`.

Needs pdflatex, pdftoppm, and Playwright with Chromium.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).parent / "images"
DERIVE = [sys.executable, "-m", "derivations"]


def main() -> None:
    """One page of the LSTM's derivation, the flow of gradient through an RNN and an LSTM, and the explorer."""
    IMAGES.mkdir(exist_ok=True)
    explorer()
    with tempfile.TemporaryDirectory() as folder:
        show = [*DERIVE, "show", "lstm", "--vector", "--only", "definition", "--only", "adjoint"]
        subprocess.run([*show, "--notation", "bar", "-o", f"{folder}/lstm.tex"], check=True)
        pdflatex = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "lstm.tex"]
        subprocess.run(pdflatex, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        page = [
            "-r",
            "110",
            "-f",
            "1",
            "-l",
            "1",
            "-png",
            "-singlefile",
            "-x",
            "70",
            "-y",
            "70",
            "-W",
            "770",
            "-H",
            "1080",
        ]
        subprocess.run(["pdftoppm", *page, f"{folder}/lstm.pdf", str(IMAGES / "lstm")], check=True)
    subprocess.run([*DERIVE, "flow", "--steps", "40", "-o", str(IMAGES / "flow.png"), "--force"], check=True)


# Name, width and height in points, colour scheme, and what is selected.
VIEWS = (
    ("explorer-light", 1280, 1180, "light", "#preset=memory&t=20"),
    ("explorer-dark", 1280, 1180, "dark", "#preset=vanishing&q=f"),
    ("explorer-phone", 390, 1100, "light", "#t=3&q=c"),
)


def explorer() -> None:
    """The explorer in light and dark, and on a phone."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "explorer.html"
        subprocess.run([*DERIVE, "explore", "-o", str(page)], check=True)
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for name, width, height, scheme, selection in VIEWS:
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            tab = context.new_page()
            tab.goto(page.as_uri() + selection)
            tab.screenshot(path=IMAGES / f"{name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
