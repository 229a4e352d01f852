"""What may be a name, and which names would print alike.

A name goes into LaTeX, C, JavaScript, Python and SymPy as it stands, so what is allowed is small: ASCII, at
most 40 characters, no keyword of a target language, no function's name, nothing that reads as an adjoint or
as time.
"""

import keyword
import re

from derivations.expression import REDUCTIONS
from derivations.functions import FUNCTIONS

LONGEST = 40
C_WORDS = (
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum",
    "extern", "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return",
    "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void",
    "volatile", "while",
)  # fmt: skip
JAVASCRIPT_WORDS = (
    "arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default",
    "delete", "do", "else", "enum", "eval", "export", "extends", "false", "finally", "for", "function",
    "if", "implements", "import", "in", "instanceof", "interface", "let", "new", "null", "package",
    "private", "protected", "public", "return", "static", "super", "switch", "this", "throw", "true", "try",
    "typeof", "undefined", "var", "void", "while", "with", "yield", "NaN", "Infinity",
)  # fmt: skip
KEYWORDS = {*keyword.kwlist, *C_WORDS, *JAVASCRIPT_WORDS}
OPERATIONS = {*FUNCTIONS, *REDUCTIONS, "outer", "detach", "size"}
_SHAPE = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*")


def fault(name: str) -> str | None:
    """Why `name` cannot be a name of a cell, with the remedy; None when it can."""
    shown = name if len(name) <= LONGEST else name[:LONGEST] + "..."
    if not name.isascii():
        return f"the name {shown!a} is not in ASCII; write it in letters, as in c_tilde or theta"
    if len(name) > LONGEST:
        return f"the name {shown} has {len(name)} characters; {LONGEST} is the most"
    if name.startswith("_") or name.endswith("_") or "__" in name:
        return f"the name {shown} has a leading, trailing or double underscore; write single ones inside"
    if not _SHAPE.fullmatch(name):
        return f"{shown!r} is not a name; a name is letters, digits and single underscores, a letter first"
    if name in KEYWORDS:
        return f"{name} is a keyword of a language that the cell may be emitted in; choose another name"
    if name in OPERATIONS:
        return f"{name} is the name of a function; choose another name"
    if name == "t":
        return "t is the time step; choose another name"
    if name == "dt":
        return "dt would read as the adjoint of t, the time step; choose another name"
    return None


def shortened(name: str) -> set[str]:
    """The name, and what is left of it without one of its characters: names one edit apart share one of these."""
    return {name, *(name[:k] + name[k + 1 :] for k in range(len(name)))}


def one_edit_apart(a: str, b: str) -> bool:
    """Whether one insertion, deletion, replacement or swap of neighbours turns `a` into `b`."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    if len(a) > len(b):
        a, b = b, a
    at = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) < len(b):
        return a[at:] == b[at + 1 :]
    swapped = a[at : at + 2] == b[at : at + 2][::-1] and a[at + 2 :] == b[at + 2 :]
    return a[at + 1 :] == b[at + 1 :] or swapped
