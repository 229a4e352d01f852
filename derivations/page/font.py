"""A mathematics font for the page, cut down to the signs that it shows and embedded in it.

The font is STIX Two Math (SIL Open Font License), which the package ziamath carries; fontTools cuts it. Without these
packages the page takes whatever mathematics font the reader's machine has.
"""

import logging
from base64 import b64encode
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

INSTALL = "pip install 'derivations[page]'"


def available() -> bool:
    """Whether the font and what cuts it are installed."""
    return find_spec("ziamath") is not None and find_spec("fontTools") is not None


def embedded(signs: str) -> str:
    """The font with these signs and all that stretches with them, as WOFF in base64; empty where there is none."""
    if not available():
        return ""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    logging.getLogger("fontTools").setLevel(logging.ERROR)
    spec = find_spec("ziamath")
    file = next(Path(spec.origin).parent.rglob("STIXTwoMath*"), None) if spec and spec.origin else None
    if file is None:
        return ""
    options = subset.Options(layout_features=["ssty", "dtls"], hinting=False, desubroutinize=False, notdef_outline=True)
    options.flavor = "woff"
    font = TTFont(file, recalcTimestamp=False)
    cut = subset.Subsetter(options)
    cut.populate(text=signs)
    cut.subset(font)
    font.flavor = "woff"
    out = BytesIO()
    font.save(out)
    return b64encode(out.getvalue()).decode("ascii")
