"""Draws the pictures of the README: `python docs/pictures.py`. Needs pdflatex and pdftoppm."""

import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).parent / "images"
DERIVE = [sys.executable, "-m", "derivations"]


def main() -> None:
    """One page of the LSTM's derivation, and the flow of gradient through an RNN and an LSTM."""
    IMAGES.mkdir(exist_ok=True)
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


if __name__ == "__main__":
    main()
