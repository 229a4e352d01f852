"""Text that a person wrote, as it may stand in a document: nothing of it is ever a command."""

import re
import unicodedata

from derivations.visible import one_line

_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "#": r"\#", "%": r"\%",
    "$": r"\ensuremath{\mathdollar}",  # \$ wants a font of its own, which not every TeX has in outlines
    "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\ensuremath{<}",
    ">": r"\ensuremath{>}", "|": r"\ensuremath{|}", '"': "''", "`": "{`}", "ß": r"\ss{}", "æ": r"\ae{}",
    "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}",
    "–": "--", "—": "---", "\u2018": "`", "\u2019": "'", "\u201c": "``", "\u201d": "''", "…": r"\dots{}",
    "×": r"\ensuremath{\times}", "−": r"\ensuremath{-}", "→": r"\ensuremath{\to}",
}  # fmt: skip
_COMBINING = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": ".",
    "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0323": "d", "\u0327": "c", "\u0331": "b",
}  # fmt: skip
LONGEST_WORD = 24  # letters that stand in a row without a place to break the line


def latex_text(text: str) -> str:
    """The text for LaTeX, outside math, in ASCII; a character that the fonts lack is given by its number."""
    words = " ".join(_word(word) for word in one_line(text).split())
    return "{}" + words if words[:1] in ("[", "*") else words  # no argument of an item before it


def _word(word: str) -> str:
    letters = re.findall(r".[\u0300-\u036f]*", unicodedata.normalize("NFD", word))
    clusters = list(map(_cluster, letters))
    for place in range(1, len(clusters)):
        if place % LONGEST_WORD == 0:
            clusters[place] = r"\allowbreak{}" + clusters[place]
        elif clusters[place - 1 : place + 1] == ["-", "-"]:
            clusters[place] = "{}-"  # two hyphens, not a dash
    return "".join(clusters)


def _cluster(cluster: str) -> str:
    """One letter with its accents."""
    letter, accents = cluster[0], cluster[1:]
    if not letter.isascii() and letter not in _TEX:
        return f"[U+{ord(letter):04X}]"
    result = _TEX.get(letter, letter)
    for accent in accents:
        if accent in _COMBINING and letter.isalpha():
            inner = rf"\{letter}" if letter in "ij" and result == letter else result
            result = rf"\{_COMBINING[accent]}{{{inner}}}"
    return result


def pdf_text(text: str) -> str:
    """The text for a PDF's properties: ASCII, accents left out, no sign that TeX reads."""
    plain = unicodedata.normalize("NFKD", one_line(text)).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9 ,.:;()'/+-]", " ", plain).strip()


def comment_text(text: str) -> str:
    """The text after a comment sign: one line, ASCII."""
    return one_line(text).encode("ascii", "backslashreplace").decode()


def markdown_text(text: str) -> str:
    """The text in Markdown: no markup, no HTML, no mathematics, no addresses that become links by themselves."""
    line = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = re.sub(r"([\\`*_\[\]$~|#])", r"\\\1", line)
    line = re.sub(r"(?i)(?<=:)(?=//)|(?<=\bwww)(?=\.)", r"\\", line)
    return re.sub(r"^(\d*)([-+.)])", r"\1\\\2", line)  # what would start a list


def markdown_code(text: str) -> str:
    """The text as code within a line of Markdown, whatever backticks are in it."""
    line = one_line(text)
    ticks = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    space = " " if line[:1] == "`" or line[-1:] == "`" or not line else ""
    return f"{ticks}{space}{line}{space}{ticks}"
