r"""Products of Jacobians, `\frac{\partial h_T}{\partial h_k} = \prod_{j=k+1}^{T} D_j W`, written out for a few steps.

The range on the left is taken to be of two steps, so that a product over too many or too few of them is seen. The
newest factor stands on the left, as usual.
"""

import re

from derivations.cell import CellError
from derivations.marking.sheets.latex_gates import term_end

STEPS, MOST = 2, 5
_AT = r"[_^]\s*(?:\{{\s*\(?\s*(?P<{0}>[A-Za-z]|\\tau|\d+)\s*(?P<{0}_by>[+-]\s*\d)?\s*\)?\s*\}}|(?P<{0}_one>\w))"
_D = r"\s*\{\s*(?:\\partial|d|\\mathrm\s*\{\s*d\s*\})\s*"
_JACOBIAN = re.compile(
    rf"\s*\\[dt]?frac{_D}(?P<of>\\?[A-Za-z]+(?:\{{\w\}})?){_AT.format('upper')}\s*\}}{_D}(?P=of){_AT.format('lower')}\s*\}}\s*="
)
_PRODUCT = re.compile(
    r"\\prod\s*(?:\\(?:no)?limits\s*)?"
    r"(?:_\s*(?P<below>\{(?:[^{}]|\{[^{}]*\})*\}|\w)\s*)?(?:\^\s*(?P<above>\{[^{}]*\}|\w))?"
)
_PLACE = re.compile(r"\s*(?:(?P<sign>[A-Za-z]|\\tau)\s*)?(?P<by>[+-]?\s*\d+)?\s*")
_FROM = re.compile(r"\{?\s*(?P<letter>[a-z]|\\tau|\\ell)\s*(?:=\s*(?P<first>[^{}=<>]+))?\}?")
_BETWEEN = re.compile(
    r"\{\s*(?P<a>[^<>\\]+?)\s*(?P<x><|>|\\leq?|\\geq?)\s*(?P<letter>[a-z])\s*(?P<y><|>|\\leq?|\\geq?)\s*(?P<b>[^<>\\]+?)\s*\}"
)


def with_products(row: str) -> str:
    """The row with its products over steps written out.

    Raises:
        CellError: what they go over is not known.
    """
    while product := _PRODUCT.search(row):
        jacobian = _JACOBIAN.match(row)
        if jacobian is None:
            raise CellError(r"a product is read where a derivative of one state by an earlier one is on the left")
        places = _places(jacobian)
        letter, first, last = _range(product, places)
        if not 1 <= last - first + 1 <= MOST + 1:
            raise CellError("what this product goes over is not known")
        end = term_end(row, product.end())
        body = row[product.end() : end]
        newest = -places["0"] if set(places) == {"0"} else None  # steps as numbers stay so
        factors = " ".join(f"( {_at(body, letter, by, newest)} )" for by in range(last, first - 1, -1))
        row = f"{row[: product.start()]} {factors} {row[end:]}"
        if newest is None:
            of, back = jacobian["of"], _number(jacobian, "lower", places)
            row = rf"\frac{{\partial {of}_{{t}}}}{{\partial {of}_{{t{back}}}}} =" + row[jacobian.end() :]
    return row


def _places(jacobian: re.Match[str]) -> dict[str, int]:
    """What the signs for steps on the left are, as steps from t: the later one is t, the other some steps before."""
    above, by = jacobian["upper"] or jacobian["upper_one"], _by(jacobian["upper_by"])
    below, back = jacobian["lower"] or jacobian["lower_one"], _by(jacobian["lower_by"])
    if above.isdigit() and below.isdigit():
        if not 1 <= int(above) - int(below) <= MOST:
            raise CellError("what this product goes over is not known")
        return {"0": -int(above)}
    if above == below:
        return {above: -by}
    found = {above: -by}
    if below.isdigit():
        return found | {"0": -STEPS - int(below)}
    return found | {below: -STEPS - back}


def _number(jacobian: re.Match[str], which: str, places: dict[str, int]) -> int:
    sign = jacobian[which] or jacobian[f"{which}_one"]
    return _place(f"{sign}{(jacobian[f'{which}_by'] or '').replace(' ', '')}", places)


def _place(text: str, places: dict[str, int]) -> int:
    match = _PLACE.fullmatch(text.strip("{} "))
    sign = (match["sign"] or "0") if match else ""
    if match is None or sign not in places or not (match["sign"] or match["by"]):
        raise CellError("what this product goes over is not known")
    return places[sign] + _by(match["by"])


def _by(text: str | None) -> int:
    return int((text or "0").replace(" ", ""))


def _range(product: re.Match[str], places: dict[str, int]) -> tuple[str, int, int]:
    """The letter that counts, and the first and the last step."""
    below, above = product["below"] or "", product["above"]
    if between := _BETWEEN.fullmatch(below):
        a, b, x, y = between["a"], between["b"], between["x"], between["y"]
        rising = x.startswith(("<", r"\le"))
        low, high = (a, b) if rising else (b, a)
        strict_low, strict_high = (x, y) if rising else (y, x)
        return (
            between["letter"],
            _place(low, places) + (strict_low in "<>"),
            _place(high, places) - (strict_high in "<>"),
        )
    start = _FROM.fullmatch(below)
    if start is None and below:
        raise CellError("what this product goes over is not known")
    letter = start["letter"] if start else "t"
    if start is None or not start["first"] or above is None:
        return letter, min(places.values()) + 1 if len(places) > 1 else 1 - STEPS, 0
    ends = sorted((_place(start["first"], places), _place(above, places)))
    return letter, ends[0], ends[1]


def _at(body: str, letter: str, by: int, newest: int | None) -> str:
    """A factor with a step in the place of the letter that counts; `newest` is the number of step t, if it has one."""

    def step(match: re.Match[str]) -> str:
        at = by + _by(match[1])
        return str(newest + at) if newest is not None else "t" if at == 0 else f"t{at:+d}"

    def index(match: re.Match[str]) -> str:
        return match[1] + "{" + re.sub(
            rf"(?<![A-Za-z\\]){re.escape(letter)}(?![A-Za-z])(\s*[+-]\s*\d)?",
            step,
            match[2].strip("{}"),
        ) + "}"  # fmt: skip

    return re.sub(r"([_^]\s*)(\{[^{}]*\}|\w)", index, body)
