"""Text that a person wrote, as it may be shown: what a terminal obeys or hides is made visible, or left out."""


def visible(text: str) -> str:
    r"""The text in one line, with every character that is not printed as its escape: `\x1b`, `\u202e`, `\n`."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def visible_lines(text: str) -> str:
    """The same with its line ends."""
    return text if text.isprintable() else "\n".join(map(visible, text.split("\n")))


def clipped(text: str, most: int = 80) -> str:
    """The text made visible, at most so many characters of it."""
    shown = visible(text)
    return shown if len(shown) <= most else shown[: most - 3] + "..."


def one_line(text: str) -> str:
    """The text in one line, as a title: without characters that are not printed, and with single spaces."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
