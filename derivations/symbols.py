"""Names and numbers as symbols, by the conventions of papers.

`c_tilde` is c with a tilde, `h_prev` is h at step t-1. A name is words joined by underscores: the first is
the base, the others are subscripts, and an accent word marks the word before it, so that `a_c_tilde`, the
preactivation of `c_tilde`, is a with the subscript c-tilde. Different names have different symbols: `y0` is
not `y_0`, `W_hf` is not `W_h_f`, and a subscript that is the word t is not the time t.
"""

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

ACCENTS = ("tilde", "hat", "bar", "dot", "vec", "star")
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "eps": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lamda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ",
    "psi": "ψ", "omega": "ω", "vartheta": "ϑ", "varsigma": "ς", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ",
    "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
LETTERS = ("xi", "pi")  # in a subscript two letters: W_xi leads from x to i


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a name, the accents on it, innermost first, and a number right behind it."""

    text: str
    accents: tuple[str, ...] = ()
    number: str = ""


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a name looks like: a base with subscripts; `previous` moves it to the step before."""

    base: Word
    subscripts: tuple[Word, ...] = ()
    previous: bool = False


def symbol(name: str, plain: Collection[str] = ()) -> Symbol:
    """The symbol of a name; accents in `plain` stay words: the notation needs them."""
    first, *rest = name.split("_")
    previous = bool(rest) and rest[-1] == "prev"
    words = [Word(first)]
    for text in rest[: len(rest) - previous]:
        marked = words[-1]
        accent = text.rstrip("0123456789") if len(words) > 1 else text  # a_c_tilde2 is the second of its kind
        # Nothing goes over a star: c_star_dot would look like c_dot_star.
        if accent in ACCENTS and accent not in plain and "star" not in marked.accents and not marked.number:
            words[-1] = Word(marked.text, (*marked.accents, accent), text.removeprefix(accent))
        else:
            words.append(Word(text))
    return Symbol(words[0], tuple(words[1:]), previous)


def in_a_line(name: str, timed: bool = True) -> str:
    """The symbol in a terminal: `f` is f_t, `h_prev` is h_{t-1}; a name with a subscript stays as it is."""
    stem, _, last = name.rpartition("_")
    if stem and last == "prev":
        return f"{stem}_{{t-1}}"
    if stem and last == "t":
        return f"{stem}_{{t}}"  # lest the name `f_t` be taken for f at step t
    return name if stem or not timed else f"{name}_t"


# --- numbers ------------------------------------------------------------------------------------------------

LONGEST_RUN = 12  # digits that are written out before a power of ten takes their place
MOST_ZEROS = 3  # behind the point: 0.0005, but 5e-5


def decimal(value: Fraction) -> tuple[str, int] | None:
    """The number as digits and the power of ten by which they are to be multiplied; None for 1/3."""
    rest, tens = value.denominator, 0
    for factor in (10, 2, 5):
        while rest % factor == 0:
            rest, tens = rest // factor, tens + 1
    if rest != 1:
        return None
    sign = "-" if value < 0 else ""
    digits = str(abs(value.numerator) * 10**tens // value.denominator)
    before = len(digits) - tens  # digits before the point; fewer than none for leading zeros behind it
    if tens <= LONGEST_RUN and -MOST_ZEROS <= before <= LONGEST_RUN:
        if not tens:
            return sign + digits, 0
        digits = digits.rjust(tens + 1, "0")
        return f"{sign}{digits[:-tens]}.{digits[-tens:]}", 0
    short = digits.rstrip("0")
    point = "." if len(short) > 1 else ""
    return f"{sign}{short[0]}{point}{short[1:]}", before - 1


def number(value: Fraction) -> str:
    """The number in text, exactly: 0.5, 1e-30, 1/3."""
    found = decimal(value)
    if found is None:
        return str(value)
    digits, exponent = found
    return f"{digits}e{exponent}" if exponent else digits
