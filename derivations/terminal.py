"""A stream that people read: colours by Rich where a terminal shows them, plain text everywhere else.

`NO_COLOR` and a dumb terminal are respected (by Rich); a pipe gets plain text, and Rich is not even loaded for it. A
character that the stream cannot print becomes a question mark, and one that it would obey or hide (an escape
sequence, a change of direction) is written out.
"""

import shutil
from collections.abc import Iterable
from typing import TextIO

from derivations.visible import visible_lines

STYLES = {
    "title": "bold",
    "heading": "bold blue",
    "label": "cyan",
    "name": "bold",
    "proof": "green",
    "good": "green",
    "bad": "bold red",
    "quiet": "dim",
    "note": "dim",
}


class Terminal:
    """stdout or stderr, as far as it concerns people."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    @property
    def unicode(self) -> bool:
        """Whether mathematical signs can be printed."""
        return self._encoding.lower().replace("-", "") == "utf8"

    @property
    def width(self) -> int:
        """Its columns; 100 for what is no terminal."""
        return shutil.get_terminal_size((100, 40)).columns if self.stream.isatty() else 100

    @property
    def _encoding(self) -> str:
        return getattr(self.stream, "encoding", None) or "ascii"

    def _printable(self, text: str) -> str:
        return visible_lines(text).encode(self._encoding, "replace").decode(self._encoding)

    def write(self, pieces: Iterable[tuple[str, str]]) -> None:
        """Text in pieces, each with its style."""
        printable = [(style, self._printable(text)) for style, text in pieces]
        if not self.stream.isatty():
            self.stream.write("".join(text for _, text in printable))
            self.stream.flush()
            return
        from rich.console import Console
        from rich.text import Text

        line = Text()
        for style, text in printable:
            line.append(text, STYLES.get(style))
        console = Console(file=self.stream, highlight=False, markup=False, emoji=False, soft_wrap=True)
        console.print(line, end="")
