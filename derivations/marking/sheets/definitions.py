"""Definitions among words: `Notation: u = tanh(c), the squashed cell` says what `u` is, and so may a comment.

Of a sentence, what stands around an equals sign is read as far as it is a formula: to a comma, a colon, the end of the
sentence, or the next word.
"""

import re
from collections.abc import Iterator

from derivations.marking.sheets.remarks import Said
from derivations.marking.sheets.spoken import is_word

_NAME = re.compile(
    r"(?:^|(?<=[\s(,;$]))(?P<name>(?:[^\W\d]|\\[a-z])[^\s=,;:()+*/<>-]*(?:\{[^{}]*\}|\(t(?:\s*[+-]\s*\d)?\))?)\s*(?::=|=)(?![=>])\s*(?=\S)"
)
_COMMAND = re.compile(r"\\([A-Za-z]+)\s*$")
_ACCENTS = {"tilde", "hat", "bar", "widetilde", "widehat", "overline", "mathbf", "bm", "boldsymbol", "mathrm", "vec"}
_ERROR = re.compile(r"(?:\u2202|\u2207|\u03b4|d_?[A-Za-z\u2202]|delta|grad|err|eps_)(?!ag\b)")
_WORD = re.compile(r"(?<![\w.\\{])[A-Za-z]{2,}(?![\w({\[.\\])")
_BRACKET = re.compile(r"\(\s*(?:[a-z]{2,}[ ,)]|[A-Z]\s*,)")
_SENTENCE = re.compile(r"[A-Za-z]{3,}\s+[A-Za-z]{2,}")


def definitions(text: str) -> Iterator[Said]:
    """The values that a sentence defines; errors are claims, and no words of a sentence."""
    for match in _NAME.finditer(text):
        start = match.start("name")
        if command := _COMMAND.search(text, 0, start):  # in LaTeX: an accent, or a sign that makes it an error
            if command[1] not in _ACCENTS:
                continue
            start = command.start()
        if is_error(match["name"]):
            continue
        end = _end(text, match.end())
        if text[match.end() : end].strip():
            yield Said(start, text[start:end].rstrip(), defines=True)


def is_error(name: str) -> bool:
    """Whether a name looks like that of a derivative of the loss."""
    return bool(_ERROR.match(name))


def is_prose(text: str) -> bool:
    """Whether what cannot be read as a formula is a sentence, and claims no error."""
    left = text.partition("=")[0]
    return bool(_SENTENCE.search(text)) and not is_error(left.split()[-1] if left.split() else "")


def _end(text: str, start: int) -> int:
    """Where the formula that starts at a place ends."""
    depth, at = 0, start
    while at < len(text):
        sign = text[at]
        if sign in "([{":
            if depth == 0 and _BRACKET.match(text, at):
                return at
            depth += 1
        elif sign in ")]}":
            depth -= 1
            if depth < 0:
                return at
        elif depth == 0:
            ends = sign in ";\n$" or (sign in ",.:" and text[at + 1 : at + 2] in ("", " ", "\n"))
            word = _WORD.match(text, at)
            if ends or text.startswith(("=>", "->"), at) or (word and is_word(word[0])):
                return at
            if word:
                at = word.end()
                continue
        at += 1
    return at
