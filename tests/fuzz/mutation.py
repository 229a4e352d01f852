"""Wrong texts made from right ones: by words and lines, with an eye for what a reader stumbles over.

Every step is drawn from one seeded generator, so that a run can be had again.
"""

import random
import re
from collections.abc import Callable, Sequence

LONGEST = 250_000  # characters; more than any reader takes
WORD = re.compile(r'"[^"\n]*"?|[A-Za-z_]\w*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\*\*|\.T|[ \t]+|.', re.DOTALL)

# What has broken readers and writers elsewhere: code, markup, control characters, look-alikes, bombs.
NASTY = (
    "__import__('os').system('touch HARMED')", "x.__class__", "eval(x)", "lambda", "None", "__proto__", "x__2",
    "\\write18{touch HARMED}", "\\input{/etc/passwd}", "}\\end{document}", "$", "$$", "\\", "%", "&", "#", "^^41", "~",
    "<img src=x onerror=alert(1)>", "<!--", "-->", "]]>", "&lt;", "javascript:alert(1)", "[a](b)", "![a](b)", "`", "```",
    "|", "<script>", "https://example.com", "www.example.com", "${x}", "*/", "//", "'", '"', '"""', "''", "%s", "%(x)s",
    "{0}", "{", "}", "(", ")", "[", "]", ";", ":", ",", "=", "==", ":=", "@", "*", "**", "/", "//", "+", "-", "--", ".",
    ".T", ".T.T", "!", "?", "\0", "\x1b[31m", "\x1b]0;x\x07", "\x07", "\x08", "\r", "\r\n", "\x0b", "\x0c", "\x85",
    "\u2028", "\u2029", "\u202e", "\u2066", "\u200b", "\u200d", "\u00ad", "\ufeff", "\ufffd", "\ud800", "\u0301", "\u210e",
    "\u0130", "\u00df", "\uff21", "\U0001f600", "\U000e0041", "\u2212", "\u00d7", "\u00b2", "\u0661", "\t", "  ", "    ",
    "\n", "\n\n", "\n  ", "0", "-0", "1", "00", "1e400", "1e-400", "1e30", "1e31", "99999999999999999999", "0." + "1" * 30,
    "9**9**9", "inf", "nan", "1_000", "0x10", "1j", "x" * 41, "h_prev", "h_next", "h_0", "dh", "dt", "t", "a_h", "u_h",
)  # fmt: skip

Step = Callable[[list[str], random.Random, "Sources"], list[str]]


class Sources:
    """What new parts are taken from: the words of a language, and whole texts in it."""

    def __init__(self, words: Sequence[str], seeds: Sequence[str]) -> None:
        self.words = tuple(words) + NASTY
        self.seeds = list(seeds)

    def word(self, rng: random.Random) -> str:
        return rng.choice(self.words)

    def seed(self, rng: random.Random) -> str:
        """A text, a short one more often than a long one."""
        return min(rng.choices(self.seeds, k=2), key=len)


def mutated(text: str, rng: random.Random, sources: Sources) -> str:
    """The text after a few mistakes, one more often than many."""
    words = WORD.findall(text)
    steps = GENTLE if rng.random() < 0.5 else STEPS
    for _ in range(min(1 + int(rng.expovariate(1.0)), 12)):
        words = rng.choice(steps)(words, rng, sources) or [sources.word(rng)]
    if rng.random() < 0.002:
        words = _bomb(words, rng)
    return "".join(words)[:LONGEST]


def _place(words: list[str], rng: random.Random) -> int:
    return rng.randrange(len(words) + 1)


def _slice(words: list[str], rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(words))
    return start, min(len(words), start + 1 + int(rng.expovariate(0.2)))


def _insert(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    at = _place(words, rng)
    return [*words[:at], sources.word(rng), *words[at:]]


def _replace(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    at = rng.randrange(len(words))
    return [*words[:at], sources.word(rng), *words[at + 1 :]]


def _swap_for_own(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    """One word in place of another of the same text: most often the text stays grammatical."""
    result = list(words)
    result[rng.randrange(len(words))] = rng.choice(words)
    return result


def _delete(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    start, end = _slice(words, rng)
    return words[:start] + words[end:]


def _repeat(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    start, end = _slice(words, rng)
    return words[:end] + words[start:end] * rng.choice((1, 1, 2, 5, 20)) + words[end:]


def _move(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    start, end = _slice(words, rng)
    rest = words[:start] + words[end:]
    at = _place(rest, rng)
    return rest[:at] + words[start:end] + rest[at:]


def _wrap(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    start, end = _slice(words, rng)
    before, after = rng.choice(
        (("(", ")"), ("[", "]"), ("sigmoid(", ")"), ('"', '"'), ("-(", ")"), ("sum(", ")"), ("{", "}"))
    )
    depth = rng.choice((1, 1, 1, 2, 70))
    return [*words[:start], before * depth, *words[start:end], after * depth, *words[end:]]


def _line(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    """A whole line of another text."""
    at = _place(words, rng)
    return [*words[:at], "\n", *WORD.findall(rng.choice(sources.seed(rng).split("\n"))), "\n", *words[at:]]


def _shuffle_lines(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    lines = "".join(words).split("\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return WORD.findall("\n".join(lines))


def _splice(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    other = WORD.findall(sources.seed(rng))
    return words[: _place(words, rng)] + other[_place(other, rng) :]


def _character(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    at = rng.randrange(len(words))
    word = words[at]
    cut = rng.randrange(len(word) + 1)
    new = chr(rng.choice((rng.randrange(32, 127), rng.randrange(256), rng.randrange(0x11000))))
    return [*words[:at], word[:cut] + new + word[cut + rng.randrange(2) :], *words[at + 1 :]]


def _title(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    """Something nasty within a text in quotes or a remark, where anything is allowed to stand."""
    places = [k for k, word in enumerate(words) if word[0] == '"' or word == "#" or (word == ":" and k)]
    if not places:
        return _insert(words, rng, sources)
    at = rng.choice(places)
    nasty = "".join(rng.choice(NASTY) for _ in range(rng.randrange(1, 4)))
    if words[at][0] == '"':
        new = '"' + nasty.replace('"', "'").replace("\n", " ") + words[at][1:]
    else:
        new = nasty.replace("\n", " ") + words[at] if words[at] == ":" else words[at] + nasty.replace("\n", " ")
    return [*words[:at], new, *words[at + 1 :]]


def _larger(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    """An expression in the place of a name or a number to the right of an equals sign."""
    places, right = [], False
    for k, word in enumerate(words):
        right = word == "=" or (right and word != "\n")
        if right and (word[0].isalnum()):
            places.append(k)
    if not places:
        return _insert(words, rng, sources)
    at = rng.choice(places)
    names = [words[k] for k in places]
    return [*words[:at], *WORD.findall(_expression(names, rng, 3)), *words[at + 1 :]]


def _expression(names: list[str], rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.2:
        return rng.choice((rng.choice(names), rng.choice(names), "2", "0.5", "0"))
    inner = [_expression(names, rng, depth - 1) for _ in range(2)]
    shape = rng.choice(
        ("({} + {})", "({} - {})", "({} * {})", "({} / {})", "({} @ {})", "-{}", "{}**2", "sigmoid({})", "tanh({} + {})",
         "relu({})", "max({}, {})", "sum({})", "dot({}, {})", "[{}; {}]", "exp({})", "detach({})", "outer({}, {})",
         "logsumexp({})", "log({})", "{} - {}", "{} * {}", "{} @ {}", "mean({})", "clip({}, {}, 1)", "({}).T")
    )  # fmt: skip
    return shape.format(*inner)


def _name(words: list[str], rng: random.Random, sources: Sources) -> list[str]:
    """One name, everywhere it stands, becomes another."""
    names = [word for word in words if word[0].isalpha()]
    if not names:
        return _insert(words, rng, sources)
    old, new = rng.choice(names), rng.choice((rng.choice(names), sources.word(rng), rng.choice(names) + "_prev"))
    return [new if word == old else word for word in words]


GENTLE: tuple[Step, ...] = (_larger, _larger, _title, _name, _swap_for_own)
STEPS: tuple[Step, ...] = (
    _insert, _replace, _swap_for_own, _delete, _repeat, _move, _wrap, _line, _shuffle_lines, _splice, _character, _title,
    _larger, _name,
)  # fmt: skip


def _bomb(words: list[str], rng: random.Random) -> list[str]:
    """A part of the text again and again, until the text is as long as texts get."""
    start, end = _slice(words, rng)
    size = max(sum(map(len, words[start:end])), 1)
    return words[:end] + words[start:end] * (rng.choice((1_000, 20_000, LONGEST)) // size) + words[end:]
