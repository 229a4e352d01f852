"""A sheet from a text, in whatever notation it is, and from a file."""

import re
from pathlib import Path

from derivations.catalogue import text_of
from derivations.cell import CellError
from derivations.marking.sheet import Sheet, checked
from derivations.marking.sheets.latex import read_latex
from derivations.marking.sheets.layer_above import with_layer_above
from derivations.marking.sheets.numbered import numbered
from derivations.marking.sheets.python import read_python
from derivations.marking.sheets.text import read_text
from derivations.marking.sheets.words import with_words
from derivations.pythonic import parsed

NOTATIONS = ("text", "python", "latex")
_BY_SUFFIX = {".py": "python", ".tex": "latex", ".ipynb": "notebook", ".txt": "", ".md": ""}
_LATEX = re.compile(
    r"\\(?:frac|dfrac|delta|odot|partial|begin|cdot|circ|nabla|tilde|hat|bar|sigma|tanh|mathbf|top|mathrm|epsilon)(?![a-z])"
)
_PYTHON = re.compile(
    r"^\s*(?:def \w+\s*\(|import |from \w+ import|for \w+.* in .*:|return\b|class \w+)|\b(?:np|numpy|torch|jnp|F)\.\w+",
    re.MULTILINE,
)


def read_sheet(text: str, notation: str = "") -> Sheet:
    """The sheet that a text is.

    Args:
        notation: "text", "python" or "latex"; told by the text where it is empty.

    Raises:
        CellError: it is beyond the limits, or not readable at all.
    """
    checked(text)
    match notation or _told(text):
        case "python":
            found = read_python(text)
        case "latex":
            found = read_latex(text)
        case "text":
            found = read_text(text.replace(":=", " ="))  # columns stay
        case _:
            raise CellError(f"there is no notation {notation!r}; there are {', '.join(NOTATIONS)}")
    return numbered(with_layer_above(with_words(found, text)))


def read_sheet_file(path: Path) -> Sheet:
    """The sheet that a file is: by its suffix, or told by what is in it.

    Raises:
        CellError: it cannot be read.
    """
    try:
        text = text_of(path)
        notation = _BY_SUFFIX.get(path.suffix.lower(), "")
        if notation == "notebook":
            from derivations.source.text import notebook

            return read_python(notebook(text, str(path))[0])
        return read_sheet(text, notation)
    except CellError as error:
        raise (error if error.source else error.at(str(path))) from None


def _told(text: str) -> str:
    if _LATEX.search(text):
        return "latex"
    if _PYTHON.search(text):
        try:
            parsed(text)
        except CellError:
            return "text"
        return "python"
    return "text"
